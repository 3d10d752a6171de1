/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this machine's kernel keeps up with the packets it receives: /proc/net/softnet_stat, which counts for all namespaces. */
#ifndef TUNLAB_MACHINE_H
#define TUNLAB_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* Since the machine was started, over all processors. */
struct machine_counts {
	uint64_t dropped;  /* packets, because a processor's receive queue was full */
	uint64_t squeezed; /* times receive work ended with more to do */
};

/* What happened between two of them. */
struct machine_load {
	uint64_t dropped, squeezed;
	uint64_t lab_dropped; /* packets that the lab's own devices could not hand on */
};

/* All zero where the file cannot be read. */
void machine_read(struct machine_counts *ret);
/* From the file's text; lines of other forms are left out. */
void machine_parse(const char *text, struct machine_counts *ret);
/* The growth; the kernel's counters are 32 bits a processor and may have come round: then it is taken for none. */
struct machine_load machine_since(const struct machine_counts *then, const struct machine_counts *now);

#endif
