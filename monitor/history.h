/* SPDX-License-Identifier: Apache-2.0 */
/* What the last samples added up to, interval by interval: a ring of fixed size. Pure and without locks (snapshot.c has
 * them); its JSON is view_history(). */
#ifndef TUNLAB_MONITOR_HISTORY_H
#define TUNLAB_MONITOR_HISTORY_H

#include "monitor/sample.h"

enum {
	HISTORY_MAX = 600,     /* intervals kept */
	HISTORY_VNIS_MAX = 32, /* VNIs of an interval kept apart, the busiest; the others are summed */
};

/* Growth within one interval, that is from the sample before to this one. */
struct history_vni {
	int64_t vni;           /* -1: tunnels that have none */
	uint64_t packets, bytes;
};

struct history_entry {
	uint64_t seq;
	double unix_s, interval_s;
	uint64_t packets, bytes;                   /* sent; not of a lab: seen (sample_flow_size) */
	uint64_t received_packets, received_bytes;
	uint64_t marks_then, marks;                /* made before it, and up to its end: see marks.h */
	uint32_t n_vnis;                           /* in vnis, biggest bytes first; silent VNIs are left out */
	struct history_vni vnis[HISTORY_VNIS_MAX];
	struct history_vni rest;                   /* of all other VNIs */
};

struct history {
	struct history_entry entries[HISTORY_MAX];
	uint64_t n;            /* ever added: the newest is entries[(n - 1) % HISTORY_MAX] */
};

/* What a sample adds to the one before it. -ENOMEM. */
int history_sum(const struct sample *s, struct history_entry *ret_entry);
/* Keeps an entry. They must come in order; the first sample's spans no interval and is not kept. */
void history_add(struct history *h, const struct history_entry *e);
/* Copies of the entries with a seq above `since`, oldest first, into a new array (free it). -ENOMEM. */
int history_get(const struct history *h, uint64_t since, struct history_entry **ret_entries, size_t *ret_n);

#endif
