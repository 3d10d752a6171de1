/* SPDX-License-Identifier: Apache-2.0 */
/* The counters of all of a lab's devices at the time traffic starts, so that walks show what passed since, and not what neighbours were
 * asked and told while the lab came up. Main thread only. */
#ifndef TUNLAB_NET_WALK_START_H
#define TUNLAB_NET_WALK_START_H

#include "lab/net/walk.h"

struct walk_start;

/* Asks every namespace once: about 5 us a device. NULL: no memory; what cannot be read counts from the build on. Free it. */
struct walk_start *walk_start_take(struct lab *lab);
void walk_start_free(struct walk_start *start); /* NULL is fine */
/* Takes the device's counters of then off; one that has been made since keeps its own. NULL is fine, and nothing is taken off. */
void walk_start_subtract(const struct walk_start *start, const struct nl *nl, uint32_t index, struct walk_device *device);
/* Likewise of walk_count_drops(). */
uint64_t walk_start_subtract_drops(const struct walk_start *start, uint64_t drops);

#endif
