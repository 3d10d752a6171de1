/* SPDX-License-Identifier: Apache-2.0 */
/* What reader.c (reading) and ageing.c (taking idle flows out of the kernel's tables) share. */
#ifndef TUNLAB_MONITOR_READER_INTERNAL_H
#define TUNLAB_MONITOR_READER_INTERNAL_H

#include <stdbool.h>

#include "monitor/flows.h"
#include "monitor/reader.h"

enum { READER_BATCH = 4096 }; /* hash entries per system call: at 72 + 48 bytes per CPU each */

/* A flow, as long as it is known. */
struct kept {
	struct flow_key key;
	struct flow_value value; /* at the last reading */
	struct flow_value aged;  /* the part that is in the kernel's tables no longer */
	uint32_t reading;        /* the one that value and the next two are of, or are about to be */
	bool in_slots, in_hash;  /* at the last reading */
	bool gone;               /* summed up elsewhere, while rows close up */
	uint64_t packets;        /* of value, both directions */
	uint64_t changed_ns;     /* the reading at which they last differed from the one before */
	uint32_t moved;          /* the row's number to be, while rows close up */
};

struct reader {
	struct monitor_maps maps;
	struct reader_limits limits;
	struct kept *rows;       /* [n], as they appeared */
	size_t n, room;
	uint32_t *index;         /* open-addressing hash over rows: row number + 1, 0 = free */
	size_t index_room;       /* power of two, at least twice n */
	uint64_t seed;           /* of flows_hash() */
	uint32_t *order;         /* [room]: row numbers, the first n_ordered ascending by key */
	size_t n_ordered;
	uint32_t *slot_rows;     /* [n_cpus * slots_per_cpu]: row number + 1 of a slot's flow, 0: not seen yet */
	struct flow_key *keys;   /* [READER_BATCH], and their values on all CPUs: what the kernel fills */
	struct flow_value *values;
	uint32_t reading;        /* counts readings, also those that failed */
	size_t live;             /* rows in the kernel's tables, at the last reading */
	size_t idle;             /* those of them that are idle */
	size_t idle_in_hash, in_hash;
	size_t homeless;         /* not idle, and in slots only */
	size_t fold_rows;        /* rows that are sums of others */
	uint64_t folded;         /* flows summed up there */
	uint64_t read_ns;        /* the last reading: whether a flow is idle is only known of then */
	uint64_t aged_ns;        /* likewise, after which ageing went a step on; 0: none */
	bool unable;             /* to age: it failed */
	bool slots_waiting;      /* for the next step: there are slots neither taken nor free */
	bool hash_waiting;       /* likewise: the generation before is there yet */
};

/* Number of key's row, made if needed; -1 for want of memory. Rows may move, their numbers do not. */
int64_t reader_row(struct reader *r, const struct flow_key *key);

bool reader_knows(const struct reader *r, const struct flow_key *key);
/* Makes the index anew, after rows have moved. */
void reader_index(struct reader *r);

/* For how long a flow must have been idle, now. */
uint64_t reader_idle_ns(const struct reader *r);

/* Call take for each entry of a map, with the sum over CPUs; with `remove`, take entries out of it. */
int reader_each(struct reader *r, int map_fd, bool remove,
		int (*take)(struct reader *r, const struct flow_key *key, const struct flow_value *sum));

#endif
