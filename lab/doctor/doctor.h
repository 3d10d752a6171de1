/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine has and lacks for a lab, found by trying; nothing is changed. How findings are shown is cmd_doctor.c's. */
#ifndef TUNLAB_DOCTOR_H
#define TUNLAB_DOCTOR_H

#include <stdbool.h>

struct plan;

enum finding_state {
	FINDING_OK,
	FINDING_NOTE,    /* a default lab runs, something else does not, or not as well */
	FINDING_MISSING, /* a default lab does not run */
	FINDING_UNSEEN,  /* could not be looked at */
	FINDING_STATE_MAX
};

struct finding {
	char name[24];
	enum finding_state state;
	char detail[256]; /* what was found */
	char remedy[256]; /* what to do; "" where there is nothing to do */
};

enum { FINDINGS_MAX = 48 };

/* Without pointers: a child process that looks at a namespace of its own fills it in shared memory. */
struct findings {
	unsigned n;
	struct finding v[FINDINGS_MAX];
};

/* Adds a finding; detail in printf form. remedy may be NULL. More than FINDINGS_MAX are dropped. */
void findings_add(struct findings *f, const char *name, enum finding_state state, const char *remedy, const char *detail, ...)
	__attribute__((format(printf, 5, 6)));

/* Privilege, and what the kernel has: tried in an anonymous namespace by a child process. An ordinary user's child does so in a user
 * namespace, where that is allowed. */
void doctor_kernel(struct findings *f);
/* Limits and state of the machine, measured against what `plan` (the default lab) needs; `files`: descriptors. */
void doctor_machine(struct findings *f, const struct plan *plan, unsigned long files);

#endif
