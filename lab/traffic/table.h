/* SPDX-License-Identifier: Apache-2.0 */
/* What the lab's side (engine.c) and the traffic child (child.c) share: the table of counters in memory and the
 * messages on their socket pair. Both are the same program, so this is no wire format: structs go as they stand. */
#ifndef TUNLAB_TRAFFIC_TABLE_H
#define TUNLAB_TRAFFIC_TABLE_H

#include "lab/traffic/engine.h"

/* Lies in shared anonymous memory, reserved for the largest case: only pages that are touched cost. The lab writes a
 * stream's identity (generator, from, to, proto) before it orders the generator; all else is written by the child. */
struct table {
	uint64_t cookie;         /* random, carried by every packet of this engine */
	uint32_t max_streams;
	struct engine_health health;
	struct generator_count generators[ENGINE_GENERATORS_MAX];
	struct stream_count streams[];
};

enum order_type { ORDER_ADD, ORDER_GO, ORDER_STOP, ORDER_START, ORDER_RATE, ORDER_PATIENCE, ORDER_DRAIN };

/* One per message, lab to child. Peers are not in it: they stand in the table, streams stream0 ... */
struct order {
	enum order_type type;
	uint32_t generator;
	uint32_t n;              /* ORDER_STOP, ORDER_START, ORDER_RATE: so many generators from that one on ... */
	bool at_once;            /* ... now, or */
	uint32_t stream0, n_streams;
	struct generator_spec spec; /* peers: NULL; of ORDER_START the times count, of ORDER_RATE the rate */
	uint64_t at_ns;          /* ... at this time on the clock's axis */
	uint64_t zero_ns;        /* ORDER_GO */
	uint64_t patience_ns;    /* ORDER_PATIENCE */
};

/* Child to lab: struct engine_event, and once, first of all, this one with -errno (or 0) in generator. In ENGINE_WARM
 * the child says in `generator` how many generators it knew, so that the lab can tell an old answer. */
enum { EVENT_HELLO = 1000 };

#endif
