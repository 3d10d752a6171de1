/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the monitor costs a packet: nanoseconds by bpf_prog_test_run over those of an empty program, for both of its
 * parsers, beside a reference in the classic shape (bpf/bench/packets.bpf.c). In front of each runs the same few
 * instructions that give each packet its flow. The best of some rounds: all that another load on the machine can do to one is
 * lengthen it. Rounds of all programs alternate, so that they meet the same machine.
 */
#include "lab/bench/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lab/bench/programs.h"
#include "monitor/monitor.h"

enum {
	PACKETS = 40000,       /* a round; a multiple of all numbers of flows */
	ROUNDS = 20,
	COLD_ROUNDS = 100,
	COLD_BYTES = 16 << 20, /* more than a core's own caches */
	LOOPBACK = 1,          /* test_run's packets are from it */
};

enum program { EMPTY, SINGLE, TAILS, CLASSIC, PROGRAM_MAX };

struct bed {
	struct programs *programs;
	struct monitor *monitors[MONITOR_PARSER_MAX];
	int fds[PROGRAM_MAX];
	uint8_t *cold;
};

static int open_monitors(struct bed *bed, struct error *err)
{
	for (int parser = 0; parser < MONITOR_PARSER_MAX; parser++) {
		struct monitor_config config = {.base_ifindex = LOOPBACK, .parser = (enum monitor_parser)parser};
		int r = monitor_open(&config, err, &bed->monitors[parser]);

		if (r)
			return r;
	}
	return 0;
}

static int open_bed(struct bed *bed, struct error *err)
{
	int r = open_monitors(bed, err);

	if (!r)
		r = programs_open(&bed->programs, err);
	if (r)
		return r;
	bed->fds[EMPTY] = programs_empty_fd(bed->programs);
	bed->fds[SINGLE] = monitor_prog_fd(bed->monitors[MONITOR_DIRECT], FLOW_TX);
	bed->fds[TAILS] = monitor_prog_fd(bed->monitors[MONITOR_TAILCALL], FLOW_TX);
	bed->fds[CLASSIC] = programs_classic_fd(bed->programs);
	bed->cold = calloc(1, COLD_BYTES);
	if (bed->cold)
		return 0;
	error_set(err, "no memory to make the caches cold with");
	return -ENOMEM;
}

static void close_bed(struct bed *bed)
{
	programs_free(bed->programs);
	for (int parser = 0; parser < MONITOR_PARSER_MAX; parser++)
		monitor_free(bed->monitors[parser]);
	free(bed->cold);
}

/* How packets follow each other. */
enum order { IN_TURN, AT_RANDOM, COLD };

struct run {
	const char *what;
	void (*build)(struct bench_packet *p);
	uint32_t n_flows;
	enum order order;
	bool has_reference; /* which reads VXLAN only */
};

static void add_rows(struct bench *b, const struct run *run, const double ns[PROGRAM_MAX])
{
	static const char classic[] = "two tail calls, one shared hash";
	const char *reference = run->has_reference ? classic : NULL, *plural = run->n_flows == 1 ? "" : "s";

	bench_add(b, "ns", ns[SINGLE] - ns[EMPTY], reference, ns[CLASSIC] - ns[EMPTY], "%s, %u flow%s, single pass", run->what,
		  run->n_flows, plural);
	bench_add(b, "ns", ns[TAILS] - ns[EMPTY], reference, ns[CLASSIC] - ns[EMPTY], "%s, %u flow%s, tail calls", run->what, run->n_flows,
		  plural);
}

static int measure_warm(struct bench *b, struct bed *bed, const struct run *run, const struct bench_packet *p, struct error *err)
{
	double best[PROGRAM_MAX] = {0}, ns = 0;
	int r = 0;

	for (unsigned round = 0; round <= bench_rounds(b, ROUNDS) && !r; round++) {
		for (int program = 0; program < PROGRAM_MAX && !r; program++) {
			r = programs_run(bed->programs, bed->fds[program], p, run->n_flows, PACKETS, &ns, err);
			if (round <= 1 || ns < best[program]) /* the first makes the flows known */
				best[program] = ns;
		}
	}
	if (!r)
		add_rows(b, run, best);
	return r;
}

/* Its own figure, too: what a packet costs that comes after something else took the caches. Medians: the worst are interrupts. */
static int measure_cold(struct bench *b, struct bed *bed, const struct run *run, const struct bench_packet *p, struct error *err)
{
	double ns[PROGRAM_MAX][COLD_ROUNDS] = {0}, median[PROGRAM_MAX];
	int r = 0;

	for (int round = 0; round < COLD_ROUNDS && !r; round++) {
		for (int program = 0; program < PROGRAM_MAX && !r; program++) {
			for (size_t i = 0; i < COLD_BYTES; i += 64)
				((volatile uint8_t *)bed->cold)[i]++;
			r = programs_run(bed->programs, bed->fds[program], p, 1, 1, &ns[program][round], err);
		}
	}
	if (r)
		return r;
	for (int program = 0; program < PROGRAM_MAX; program++)
		median[program] = bench_median(ns[program], COLD_ROUNDS);
	add_rows(b, run, median);
	return 0;
}

static const struct run runs[] = {
	{"IPv4", bench_packet_vxlan4, 1, IN_TURN, true},
	{"IPv4", bench_packet_vxlan4, 100, IN_TURN, true},
	{"IPv4", bench_packet_vxlan4, 10000, IN_TURN, true},
	{"IPv4, at random", bench_packet_vxlan4, 10000, AT_RANDOM, true},
	{"IPv6", bench_packet_vxlan6, 1, IN_TURN, true},
	{"IPv6", bench_packet_vxlan6, 100, IN_TURN, true},
	{"IPv6", bench_packet_vxlan6, 10000, IN_TURN, true},
	{"IPv6, at random", bench_packet_vxlan6, 10000, AT_RANDOM, true},
	{"IPv4, caches cold", bench_packet_vxlan4, 1, COLD, true},
	{"GRETAP, IPv4", bench_packet_gretap, 1, IN_TURN, false},
	{"TCP, no tunnel", bench_packet_tcp, 1, IN_TURN, false},
};

/* Each has a bed of its own: it is to meet the flows that it says, not those of the one before. */
static int measure(struct bench *b, const struct run *run, struct error *err)
{
	struct bed bed = {0};
	struct bench_packet p;
	int r = open_bed(&bed, err);

	run->build(&p);
	p.at_random = run->order == AT_RANDOM;
	if (!r)
		r = run->order == COLD ? measure_cold(b, &bed, run, &p, err) : measure_warm(b, &bed, run, &p, err);
	close_bed(&bed);
	return r;
}

static int run_all(struct bench *b, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(runs) / sizeof(*runs) && !r; i++)
		r = measure(b, &runs[i], err);
	return r;
}

const struct bench_section bench_monitor = {
	"monitor", "what the monitor adds to a packet, over an empty program", 7, run_all,
};
