/* SPDX-License-Identifier: Apache-2.0 */
/* What a run's figures depend on beside its scenario: the program, the machine, and what the lab's devices leave to each other
 * (offloads). For reports: figures of two runs compare only where these do. */
#ifndef TUNLAB_FACTS_H
#define TUNLAB_FACTS_H

#include <stddef.h>

enum { FACTS_MAX = 8 };

struct facts {
	size_t n;
	struct fact {
		const char *name; /* "kernel" */
		char value[160];
	} v[FACTS_MAX];
};

/* What cannot be found out is left out. lab may be NULL. */
struct lab;
void facts_read(const struct lab *lab, struct facts *ret);

#endif
