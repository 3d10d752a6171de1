/* SPDX-License-Identifier: Apache-2.0 */
/* The traffic engine: one child process that runs every generator and every sink of a lab. This header is the lab's
 * side of it; the two share a table of counters in memory and a socket pair for orders and events. The child dies
 * with the lab (PR_SET_PDEATHSIG) and holds no descriptor it does not need. */
#ifndef TUNLAB_TRAFFIC_ENGINE_H
#define TUNLAB_TRAFFIC_ENGINE_H

#include "lab/plan.h"

struct engine;

enum {
	TRAFFIC_SIZE_MIN = 40,       /* inner IP payload: 8 bytes of ICMP or UDP header + our own header */
	RTT_SUB = 16,                /* histogram: 16 linear steps per power of two of microseconds */
	RTT_BUCKETS = 25 * RTT_SUB,  /* up to about 33 s */
	ENGINE_GENERATORS_MAX = 65536,
};

/* One generator as it is ordered: by the scenario's plan, or live by `tunlab traffic`. */
struct generator_spec {
	uint32_t client;
	const uint32_t *peers;
	uint32_t n_peers;
	enum scn_proto proto;
	struct rate rate;
	uint32_t size;
	enum scn_pattern pattern;
	uint64_t start_ns;       /* after the clock's zero; generators added to a running clock: after now */
	uint64_t stop_ns;        /* 0: until stopped */
	uint64_t count;          /* packets; 0: no limit */
	uint64_t phase_ns;
	uint64_t seed;
};

/* Counters of one sender-peer pair, in memory shared with the child, which alone writes them. All only grow (rtt_min_ns:
 * 0 until the first answer). Packets and bytes are inner IP: bytes count the IP payload (spec.size) per packet. */
struct stream_count {
	uint32_t generator;      /* number given by engine_add */
	uint32_t from, to;       /* clients */
	uint32_t proto;          /* enum scn_proto */
	uint64_t sent;
	uint64_t send_errors;    /* refused by the kernel; not in sent */
	uint64_t received;       /* by the sink, or echoed back to the sender; each packet once */
	uint64_t duplicates;
	uint64_t reordered;
	uint64_t rtt_sum_ns, rtt_min_ns, rtt_max_ns;
	uint32_t rtt[RTT_BUCKETS];
};

enum generator_state { GEN_FREE, GEN_WARMING, GEN_READY, GEN_RUNNING, GEN_DRAINING, GEN_DONE };

struct generator_count {
	uint32_t state;          /* enum generator_state */
	uint32_t stream0, n_streams;
	uint64_t first_ns, last_ns; /* CLOCK_MONOTONIC of first and last departure; 0 before */
	uint64_t slip_max_ns;    /* worst lateness of a departure behind its deadline */
	uint64_t cold_ns;        /* time that resolving neighbours took, before the clock started */
	uint32_t unresolved;     /* peers whose neighbour did not answer */
};

enum engine_event_type {
	ENGINE_WARM,     /* all generators added so far are ready: neighbours resolved (or given up) */
	ENGINE_DONE,     /* generator has stopped and drained */
	ENGINE_FAILED,   /* generator could not start; text says why */
	ENGINE_DRAINED,  /* answer to engine_drain: nothing outstanding any more, or waited long enough */
	ENGINE_DIED,     /* the child is gone; text says how */
};
struct engine_event {
	enum engine_event_type type;
	uint32_t generator;
	char text[200];
};

/* Forks the child. client_ns[i] is the namespace descriptor of client i, borrowed. max_streams bounds the table.
 * Must run before the process has threads. -errno on failure, nothing left. */
int engine_start(const struct plan *plan, const int *client_ns, uint32_t max_streams, struct engine **ret);
/* Orders a generator: opens its sockets and the peers' sinks, resolves neighbours, then waits for the clock (GEN_READY),
 * or starts at once if the clock runs. -ENOSPC: table full. */
int engine_add(struct engine *e, const struct generator_spec *spec, uint32_t *ret_generator);
/* Starts the clock: deadlines count from now. */
int engine_go(struct engine *e);
/* Stops sending; ENGINE_DONE follows once what was sent has arrived (bounded wait, 1 s). */
int engine_stop(struct engine *e, uint32_t generator);
int engine_set_rate(struct engine *e, uint32_t generator, const struct rate *rate);
/* Frees a GEN_DONE generator's number for reuse is never done: counters of a run are kept to its end. */
/* Stops all generators and waits until what was sent has arrived (bounded): ENGINE_DRAINED. */
int engine_drain(struct engine *e);

/* Readable when an event waits; then engine_read_event returns 1 and fills *ret, 0 when there is none. */
int engine_fd(const struct engine *e);
int engine_read_event(struct engine *e, struct engine_event *ret);
int engine_pid(const struct engine *e);

/* The shared table. */
uint32_t engine_generators(const struct engine *e);
const struct generator_count *engine_generator(const struct engine *e, uint32_t generator);
uint32_t engine_streams(const struct engine *e);
const struct stream_count *engine_stream(const struct engine *e, uint32_t stream);

/* Ends the child and waits for it. NULL is fine. */
void engine_end(struct engine *e);

/* Histogram arithmetic, pure. Bucket of a round trip, and a quantile (0..1) of summed buckets in ns. */
unsigned rtt_bucket(uint64_t rtt_ns);
uint64_t rtt_quantile(const uint64_t buckets[RTT_BUCKETS], double q);

#endif
