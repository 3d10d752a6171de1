/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long it takes to read 65536 flows from the kernel, sums over CPUs and order included, when nothing was known of them
 * and when it was; beside a plain walk of the keys with a look-up each, as of a hash that had them all.
 */
#include "lab/bench/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "lab/bench/programs.h"
#include "monitor/flows.h"
#include "monitor/monitor.h"

enum { FLOWS = 65536, ROUNDS = 9, LOOPBACK = 1 };

/* Returns how many there were. */
static size_t walk_reference(int map_fd)
{
	struct flow_key key, *previous = NULL;
	struct flow_count count;
	size_t n = 0;

	while (bpf_map_get_next_key(map_fd, previous, &key) == 0) {
		n += bpf_map_lookup_elem(map_fd, &key, &count) == 0;
		previous = &key;
	}
	return n;
}

static double ms_since(uint64_t start_ns)
{
	return (double)(bench_now_ns() - start_ns) / 1e6;
}

static int measure(struct bench *b, struct monitor *monitor, int counts_fd, struct error *err)
{
	double again[BENCH_ROUNDS_MAX], walk[BENCH_ROUNDS_MAX], first = 0;
	unsigned rounds = bench_rounds(b, ROUNDS);
	struct flow_table table = {0};
	size_t walked = 0;
	int r = 0;

	for (unsigned i = 0; i <= rounds && !r; i++) {
		uint64_t start_ns = bench_now_ns();

		r = flows_read(monitor, &table);
		if (i == 0)
			first = ms_since(start_ns);
		else
			again[i - 1] = ms_since(start_ns);
		start_ns = bench_now_ns();
		walked = i ? walk_reference(counts_fd) : 0;
		if (i > 0)
			walk[i - 1] = ms_since(start_ns);
	}
	if (r) {
		error_set(err, "cannot read the monitor's flows: %s", strerror(-r));
	} else {
		double reference = bench_median(walk, rounds);

		bench_add(b, "ms", bench_median(again, rounds), "a system call or two for each", reference, "read %zu flows", table.n);
		bench_add(b, "ms", first, "a system call or two for each", reference, "read them for the first time");
		if (walked < FLOWS)
			bench_miss(b, "some flows of the reference", "its map took %zu of %d", walked, FLOWS);
	}
	flows_free(&table);
	return r;
}

static int run(struct bench *b, struct error *err)
{
	struct monitor_config config = {.base_ifindex = LOOPBACK, .capacity = FLOWS};
	struct programs *programs = NULL;
	struct monitor *monitor = NULL;
	struct bench_packet p;
	double ns;
	int r = monitor_open(&config, err, &monitor);

	bench_packet_vxlan4(&p);
	if (!r)
		r = programs_open(&programs, err);
	if (!r) /* a packet of each flow */
		r = programs_run(programs, monitor_prog_fd(monitor, FLOW_TX), &p, FLOWS, FLOWS, &ns, err);
	if (!r)
		r = programs_run(programs, programs_classic_fd(programs), &p, FLOWS, FLOWS, &ns, err);
	if (!r)
		r = measure(b, monitor, programs_counts_fd(programs), err);
	programs_free(programs);
	monitor_free(monitor);
	return r;
}

const struct bench_section bench_reading = {
	"reading", "reading 65536 flows from the kernel", 2, run,
};
