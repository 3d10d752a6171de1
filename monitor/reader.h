/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the kernel's maps, again and again. Between readings it keeps a row per flow, and in which row
 * each slot of the kernel's table is counted, so that a reading neither hashes nor sorts what it
 * knows; and the counts of flows that were taken out of the kernel's tables because they were idle,
 * so that those tables are never fuller than what is going on.
 *
 * Knows memory and descriptors, no BPF object: tests make maps up. Not for several threads at once.
 */
#ifndef TUNLAB_MONITOR_READER_H
#define TUNLAB_MONITOR_READER_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/flow.h"

struct flow_table;

#define READER_IDLE_NS_DEFAULT (60 * 1000000000ull)

enum { FLOW_HASHES = 2 };

/* What the program counts into. The kernel writes this memory too. */
struct monitor_maps {
	struct flow_slot *slots;           /* [n_cpus * slots_per_cpu] */
	const struct host_counters *hosts; /* [n_cpus * (n_hosts + 1)], each CPU's last: strays */
	volatile uint32_t *generation;     /* whose turn it is of flows_fd, modulo FLOW_HASHES */
	uint32_t slots_per_cpu;
	uint32_t n_cpus; /* possible CPUs */
	uint32_t n_hosts;
	uint32_t capacity; /* max entries of each hash */
	int flows_fd[FLOW_HASHES]; /* per-CPU hashes flow_key -> flow_value[n_cpus]; -1: none */
};

struct reader_limits {
	/* A flow without a packet for so long may leave the kernel's tables; for an eighth of it where these are half full. */
	uint64_t idle_ns;
	/* So many that have left them keep a row; of more, those idle longest are summed up. */
	uint32_t kept;
	/*
	 * Returns 0 when every program run that had begun is through, and what it wrote is visible; else a
	 * negative errno, and no flow ages.
	 */
	int (*quiesce)(void);
};

struct reader;

/* The maps stay the caller's, and valid until reader_free(). -ENOMEM. */
int reader_new(const struct monitor_maps *maps, const struct reader_limits *limits, struct reader **ret);
void reader_free(struct reader *r); /* NULL is fine */

/*
 * Replace the table's contents by what was counted so far: totals since the maps were made, which only
 * grow. No system call for flows in slots, a batch for the rest. Packets counted
 * meanwhile may or may not be in. now_ns becomes the table's read_ns. On failure (-ENOMEM, or the
 * map's errno) the table is empty, and the next reading has it all.
 */
int reader_read(struct reader *r, uint64_t now_ns, struct flow_table *table);

/*
 * Take flows that were idle at the last reading out of the kernel's tables, and keep their counts: exact,
 * whatever packets come meanwhile. Takes several calls; returns at once where nothing is to be
 * done, else may wait for quiesce(), some ms. Its errors leave all counts as they are; after one it does nothing any more, so
 * that the caller can say so, once.
 */
int reader_age(struct reader *r);

/* quiesce() for programs of this kernel. -EINVAL or -ENOSYS where it has no way to tell. */
int reader_quiesce(void);

#endif
