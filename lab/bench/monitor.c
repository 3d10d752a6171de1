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
	NO_TUNNEL = 0,         /* instead of an IP version */
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

static void add_rows(struct bench *b, const char *what, uint32_t n_flows, const double ns[PROGRAM_MAX], bool has_reference)
{
	static const char classic[] = "two tail calls, one shared hash";
	const char *plural = n_flows == 1 ? "" : "s";

	bench_add(b, "ns", ns[SINGLE] - ns[EMPTY], has_reference ? classic : NULL, ns[CLASSIC] - ns[EMPTY], "%s, %u flow%s, single pass",
		  what, n_flows, plural);
	bench_add(b, "ns", ns[TAILS] - ns[EMPTY], has_reference ? classic : NULL, ns[CLASSIC] - ns[EMPTY], "%s, %u flow%s, tail calls", what,
		  n_flows, plural);
}

static int measure_warm(struct bench *b, struct bed *bed, const char *what, const struct bench_packet *p, uint32_t n_flows,
			bool has_reference, struct error *err)
{
	double best[PROGRAM_MAX] = {0}, ns = 0;
	int r = 0;

	for (unsigned round = 0; round <= bench_rounds(b, ROUNDS) && !r; round++) {
		for (int program = 0; program < PROGRAM_MAX && !r; program++) {
			r = programs_run(bed->programs, bed->fds[program], p, n_flows, PACKETS, &ns, err);
			if (round <= 1 || ns < best[program]) /* the first makes the flows known */
				best[program] = ns;
		}
	}
	if (!r)
		add_rows(b, what, n_flows, best, has_reference);
	return r;
}

/* Its own figure, too: what a packet costs that comes after something else took the caches. Medians: the worst are interrupts. */
static int measure_cold(struct bench *b, struct bed *bed, const struct bench_packet *p, struct error *err)
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
	add_rows(b, "IPv4, caches cold", 1, median, true);
	return 0;
}

/* Each has a bed of its own: it is to meet the flows that it says, not those of the one before. */
static int measure(struct bench *b, int version, uint32_t n_flows, enum order order, struct error *err)
{
	static const char *const names[][2] = {{"IPv4", "IPv4, at random"}, {"IPv6", "IPv6, at random"}, {"TCP, no tunnel", NULL}};
	const char *what = names[version == 4 ? 0 : version == 6 ? 1 : 2][order == AT_RANDOM];
	struct bed bed = {0};
	struct bench_packet p;
	int r = open_bed(&bed, err);

	if (version != NO_TUNNEL)
		bench_packet_vxlan(&p, version);
	else
		bench_packet_tcp(&p);
	p.at_random = order == AT_RANDOM;
	if (!r && order != COLD)
		r = measure_warm(b, &bed, what, &p, n_flows, version != NO_TUNNEL, err);
	else if (!r)
		r = measure_cold(b, &bed, &p, err);
	close_bed(&bed);
	return r;
}

static int run(struct bench *b, struct error *err)
{
	static const uint32_t flows[] = {1, 100, 10000};
	int r = 0;

	for (int version = 4; version <= 6 && !r; version += 2) {
		for (size_t i = 0; i < sizeof(flows) / sizeof(*flows) && !r; i++)
			r = measure(b, version, flows[i], IN_TURN, err);
		if (!r)
			r = measure(b, version, 10000, AT_RANDOM, err);
	}
	if (!r)
		r = measure(b, 4, 1, COLD, err);
	return r ?: measure(b, NO_TUNNEL, 1, IN_TURN, err);
}

const struct bench_section bench_monitor = {
	"monitor", "what the monitor adds to a packet, over an empty program", 4, run,
};
