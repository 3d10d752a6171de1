/* SPDX-License-Identifier: Apache-2.0 */
/* The traffic engine: one child process that runs every generator and every sink of a lab. This header is the lab's
 * side of it; the two share a table of counters in memory and a socket pair for orders and events. The child dies
 * with the lab (PR_SET_PDEATHSIG) and holds no descriptor it does not need. */
#ifndef TUNLAB_TRAFFIC_ENGINE_H
#define TUNLAB_TRAFFIC_ENGINE_H

#include "lab/scenario/plan.h"
#include "lab/traffic/rtt.h"

struct engine;

enum {
	TRAFFIC_SIZE_MIN = 40,       /* inner IP payload: 8 bytes of ICMP or UDP header + our own header */
	TRAFFIC_SIZE_MAX = 65535,    /* what the MTU does not let through are send_errors, never fragments */
	TRAFFIC_SINK_PORT = 7654,    /* UDP port where every client's sink listens */
	ENGINE_GENERATORS_MAX = 65536,
};

/* One generator as it is ordered: by the scenario's plan, or live by `tunlab traffic`. */
struct generator_spec {
	uint32_t client;
	const uint32_t *peers;
	uint32_t n_peers;
	enum scn_proto proto;
	struct rate rate;
	uint32_t size;           /* inner IP payload bytes, the 8 bytes of ICMP or UDP header among them */
	enum scn_pattern pattern;
	uint64_t start_ns;       /* after the clock's zero; generators added to a running clock: after they are ready */
	uint64_t stop_ns;        /* on the same axis: no departure at or after it; 0: until stopped */
	uint64_t count;          /* packets; 0: no limit */
	uint64_t phase_ns;       /* first departure, after start */
	bool known;              /* peers are not asked for their MAC addresses, which the plan has, nor do they ask for the sender's */
	uint64_t seed;
};

/* Counters of one sender-peer pair, in memory shared with the child, which alone writes them. All only grow
 * (rtt_min_ns: 0 until the first arrival). Packets are inner IP, each of spec.size bytes of payload. Every counter is
 * written whole, but a reader may see two counters of a stream a few packets apart while it runs. */
struct stream_count {
	uint32_t generator;      /* number given by engine_add */
	uint32_t from, to;       /* clients */
	uint32_t proto;          /* enum scn_proto */
	uint64_t sent;
	uint64_t send_errors;    /* refused by the kernel; not in sent */
	uint64_t received;       /* by the sink, or echoed back to the sender; each packet once */
	uint64_t duplicates;
	uint64_t reordered;
	uint64_t highest;        /* one more than the highest sequence number that has come: those below have come by now, or are lost */
	/* From just before the packet was given to the kernel to its reception by the kernel, both by CLOCK_REALTIME of this machine:
	 * pings there and back, UDP one way. */
	uint64_t rtt_sum_ns, rtt_min_ns, rtt_max_ns;
	uint64_t jitter_sum_ns;  /* of the absolute differences between successive arrivals: received - 1 of them */
	uint32_t rtt[RTT_BUCKETS];
};

enum generator_state { GEN_FREE, GEN_WARMING, GEN_READY, GEN_RUNNING, GEN_DRAINING, GEN_DONE };

struct generator_count {
	uint32_t state;          /* enum generator_state */
	uint32_t stream0, n_streams;
	uint64_t first_ns, last_ns; /* CLOCK_MONOTONIC of first and last departure; 0 before */
	uint64_t idle_ns;        /* between them, from each stop to the start again */
	/* How well the timetable was kept. After a stall of the machine at most 5 ms of all timetables is sent at once, the rest
	 * at twice their speed: late, but with its shape; what would be more than 1 s late is given up. */
	uint64_t slip_max_ns;    /* worst lateness of a departure behind its deadline, or of one given up */
	uint64_t late;           /* departures sent more than 5 ms behind their deadline */
	uint64_t missed;         /* departures given up */
	uint32_t size;           /* spec.size */
	uint64_t cold_ns;        /* time that resolving its neighbours took, before it could start; of `known` ones none was resolved */
	uint32_t known;          /* spec.known */
	uint32_t unresolved;     /* peers whose neighbour did not answer */
};

/* Whether the engine itself kept up; anything but 0 in the first makes a run's losses doubtful. */
struct engine_health {
	uint64_t overruns;       /* packets the kernel dropped because a socket of ours was full */
	uint64_t foreign;        /* datagrams at our sinks that were none of ours, ignored */
};

enum engine_event_type {
	ENGINE_WARM,     /* all generators added so far are ready: neighbours resolved (or given up), or have failed */
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

/* Forks the child and waits until it is ready. client_ns[i] is the namespace descriptor of client i, borrowed.
 * max_streams bounds the table: the plan's streams and those `tunlab traffic` may add. Must run before the process has
 * threads, from the thread that lives longest (the child dies with that thread). -errno on failure, nothing left. */
int engine_start(const struct plan *plan, const int *client_ns, uint32_t max_streams, struct engine **ret);
/* Orders a generator: opens its sockets and the peers' sinks, resolves neighbours, then waits for the clock
 * (GEN_READY), or starts at once if the clock runs. Failures in the child come as ENGINE_FAILED. -ENOSPC: table full;
 * -EINVAL: no peers, a client that does not exist, or a size out of bounds; -EPIPE: the child is gone. */
int engine_add(struct engine *e, const struct generator_spec *spec, uint32_t *ret_generator);
/* Starts the clock: deadlines count from zero_ns (CLOCK_MONOTONIC, not in the future), which so is the lab's zero and the
 * engine's. Generators that are not ready yet start when they are. */
int engine_go(struct engine *e, uint64_t zero_ns);
/* Changes of a generator take a time on the clock's axis, 0: at once. Ordered ahead of it, even before engine_go, they hold from that
 * moment exactly, however busy the machine: what is due before it goes by the old timetable, what comes after by the new. Ordered
 * late, from the last departure on. Those of one time are done in the order in which they came.
 * The same for n generators from `first` on is one order; its 0 is the clock's zero, a time like any other. */
/* Stops sending (what was due by then and is late through a stall of the machine still goes out, within 1 s); ENGINE_DONE
 * follows once what was sent has arrived, or nothing has come for 1 s (at most 5 s in all), and the engine's patience longer. */
int engine_stop(struct engine *e, uint32_t generator, uint64_t at_ns);
int engine_stop_all(struct engine *e, uint32_t first, uint32_t n, uint64_t at_ns);
/* Starts a generator again that has stopped by start_ns, is about to, or waits for its start: its counters go on, it sends at the
 * rate it has by then, from start_ns to stop_ns on the clock's axis (0: until stopped). One that is sending then is left alone. */
int engine_start_again(struct engine *e, uint32_t generator, uint64_t start_ns, uint64_t stop_ns);
int engine_start_all(struct engine *e, uint32_t first, uint32_t n, uint64_t start_ns, uint64_t stop_ns);
/* How long packets and their answers may be on their way because links are slow on purpose: those that stop from now on wait as much
 * longer. 0 at first. */
int engine_set_patience(struct engine *e, uint64_t ns);
/* Sends at another rate from then on, without a burst; one that has stopped keeps it for when it starts again. */
int engine_set_rate(struct engine *e, uint32_t generator, const struct rate *rate, uint64_t at_ns);
int engine_set_rate_all(struct engine *e, uint32_t first, uint32_t n, const struct rate *rate, uint64_t at_ns);
/* Stops all generators and waits in the same way until what was sent has arrived: ENGINE_DRAINED. A generator with a
 * stop time or a count that is still running is cut short: for exact numbers drain after its end. */
int engine_drain(struct engine *e);

/* Readable when an event waits; then engine_read_event returns 1 and fills *ret, 0 when there is none. Read until 0:
 * some messages are none of the caller's business. After ENGINE_DIED the descriptor is -1, which poll(2) ignores. */
int engine_fd(const struct engine *e);
int engine_read_event(struct engine *e, struct engine_event *ret);
int engine_pid(const struct engine *e);

/* The shared table. Counts grow; numbers are never reused, so that the counters of a run are kept to its end. These may
 * be called from other threads than the one that orders. */
uint32_t engine_generators(const struct engine *e);
const struct generator_count *engine_generator(const struct engine *e, uint32_t generator);
uint32_t engine_streams(const struct engine *e);
const struct stream_count *engine_stream(const struct engine *e, uint32_t stream);
const struct engine_health *engine_health(const struct engine *e);

/* Ends the child and waits for it. NULL is fine. */
void engine_end(struct engine *e);

#endif
