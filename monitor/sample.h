/* SPDX-License-Identifier: Apache-2.0 */
/* One sample: everything the lab knew at one moment, named and immutable. Page, commands, reports and checks all read
 * samples and nothing else, so their figures agree. Taken once a second and at the end; shared by reference. */
#ifndef TUNLAB_MONITOR_SAMPLE_H
#define TUNLAB_MONITOR_SAMPLE_H

#include "bpf/flow.h"
#include "lab/scenario/plan.h"
#include "monitor/flows.h"
#include "monitor/health.h"
#include "monitor/marks.h"
#include "monitor/seen.h"

struct engine;

/* What is sampled. */
enum sample_kind {
	SAMPLE_LAB,                  /* every host's uplink: each packet is counted as sent and as received */
	SAMPLE_MONITOR,              /* interfaces of this machine: most flows cross them in one direction only */
	SAMPLE_CAPTURE,              /* a file: one vantage point, all counts as sent */
	SAMPLE_KIND_MAX
};
extern const char *const sample_kind_names[SAMPLE_KIND_MAX];

/* A flow with the names the plan gives. -1: not known. */
struct sample_flow {
	struct flow_key key;
	struct flow_value value;     /* since the lab began */
	struct flow_count sent_then; /* value.tx of the previous sample */
	struct flow_count received_then; /* value.rx of the previous sample */
	int32_t src_host, dst_host;  /* by VTEP, of the plan's hosts or of those seen; dst_host -1 for flooded packets */
	int32_t src_client, dst_client;
	bool bum;                    /* flooded: the outer destination is a group */
	uint32_t id;                 /* the same in every sample, nobody else's: 0, 1, 2 … as flows appeared */
	uint64_t listed;             /* seq of the newest frame of the page's feed that names it; 0: none. See feed.h */
};

struct sample_stream {
	uint32_t generator;          /* index into sample.generators */
	uint32_t from, to;           /* clients */
	enum scn_proto proto;
	uint64_t sent, send_errors, received, duplicates, reordered;
	uint64_t rtt_sum_ns, rtt_min_ns, rtt_max_ns;
	const uint32_t *rtt;         /* [RTT_BUCKETS], in the engine's table; lives as long as the engine */
	uint64_t settled;            /* of what was sent: has come, or should have; settled - received are lost */
	/* The same as of round trips, of the one way of UDP, which has no round trips. */
	uint64_t delay_sum_ns, delay_min_ns, delay_max_ns;
	const uint32_t *delay;       /* NULL for pings, as rtt is for UDP */
	uint64_t jitter_sum_ns;      /* of received - 1 differences of round trip or delay */
};

struct sample_generator {
	uint32_t id;                 /* the engine's number */
	int32_t section;             /* index into scenario.traffic; -1: started live */
	bool secret;                 /* no view may tell who it is: see scn_traffic */
	char name[SCN_NAME_LEN];     /* the section's, or "live-7" */
	uint32_t client;
	enum scn_proto proto;
	struct rate rate;
	uint32_t size;
	uint32_t state;              /* enum generator_state */
	uint64_t first_ns, last_ns;  /* CLOCK_MONOTONIC of first and last departure; 0 before */
	uint64_t idle_ns;            /* between them, from each stop to the start again */
	uint64_t slip_max_ns, cold_ns;
	bool known;                  /* the plan's neighbours were entered, none resolved: there was no cold_ns */
	uint64_t late, missed;       /* departures sent late, and given up; see engine.h */
	uint32_t unresolved;
	uint32_t stream0, n_streams; /* in sample.streams */
	uint64_t sent, received;     /* over its streams */
};

/* An impaired link. */
struct sample_link {
	uint32_t host;
	struct link_state state;
};

struct sample {
	enum sample_kind kind;
	uint64_t seq;                /* 1, 2, 3 … */
	uint64_t mono_ns;            /* when the maps were read */
	double unix_s;
	double elapsed_s;            /* since the traffic clock's zero; 0 before */
	double interval_s;           /* since the previous sample; 0 for the first */
	struct sample_flow *flows;   /* ascending by key */
	size_t n_flows;
	size_t n_aged;               /* those of them that are not in the kernel's tables any more, being idle */
	uint64_t folded;             /* flows that are no row any more, but in the sum of a FLOW_AGED row */
	uint32_t next_id;            /* for a flow that will appear */
	struct flow_health health;   /* what the monitor counted beside flows */
	uint32_t capacity;
	const char *parser;          /* the monitor's; NULL: a capture, read by the native one */
	bool has_cost;               /* a kernel counted: program tells at what cost */
	struct monitor_cost program;
	struct health monitor;       /* what to think of it all */
	struct sample_generator *generators;
	size_t n_generators;
	struct sample_stream *streams;
	size_t n_streams;
	uint64_t overruns;           /* packets dropped because a socket of the engine was full */
	double cpu_s;                /* processor time this program has taken so far, its traffic engine not counted */
	struct sample_link *links;   /* ascending by host; the others are as they should be */
	size_t n_links;
	struct marks *marks;         /* NULL: nobody keeps any */
	uint64_t marks_then;         /* how many the previous sample knew of */
	struct seen *seen;           /* hosts, where no plan has them; NULL: nobody looks for any */
	int refs;                    /* private to sample.c; atomic */
};

/* A generator's description, which the engine's counters do not hold. */
struct generator_info {
	int32_t section;
	bool secret;
	char name[SCN_NAME_LEN];
	uint32_t client;
	enum scn_proto proto;
	struct rate rate;
	uint32_t size;
};

struct sample_source {
	enum sample_kind kind;
	const struct plan *plan;             /* of a lab; else NULL */
	struct seen_log *seen;               /* without a plan: where hosts are noted; NULL: they are not */
	const struct flow_table *flows;
	const char *parser;                  /* NULL: a capture. Static storage */
	const struct engine *engine;         /* NULL: no traffic */
	const struct generator_info *infos;  /* by the engine's generator number */
	const struct link_state *links;      /* by host; NULL: all as they should be */
	const struct mark_log *marks;        /* may be NULL */
	uint64_t zero_ns;                    /* CLOCK_MONOTONIC of the traffic clock's zero; 0: not started */
	const struct monitor_cost *program;  /* NULL: a capture, no kernel counted */
	double unix_s, cpu_s;
	const struct sample *previous;       /* NULL for the first */
};

/* A flow's size as this kind of source sees it, and what of it the previous sample had: as sent, and on a machine's interfaces the
 * bigger of the two directions, so that a flow that crosses two of them is not counted twice. */
struct flow_count sample_flow_size(const struct sample *s, const struct sample_flow *f, struct flow_count *ret_then);

/* Builds a sample with one reference. -ENOMEM. */
int sample_take(const struct sample_source *source, struct sample **ret);
/* Of one generator alone (generators[0], with its streams), at now_ns, which is cheap in any lab; src->flows is not looked at.
 * `then` is an earlier one of the same generator, or NULL: what was sent by then is settled now. */
int sample_take_generator(const struct sample_source *src, uint32_t id, uint64_t now_ns, const struct sample *then,
			  struct sample **ret);
struct sample *sample_ref(struct sample *s);
void sample_unref(struct sample *s); /* NULL is fine; any thread */

#endif
