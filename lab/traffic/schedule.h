/* SPDX-License-Identifier: Apache-2.0 */
/* Pacing: when the packets of one generator are due, and which generator is due next. Pure: time comes in as numbers
 * (CLOCK_MONOTONIC nanoseconds everywhere), nothing is sent or waited for here. Deadlines are absolute, so lateness
 * never adds up. */
#ifndef TUNLAB_TRAFFIC_SCHEDULE_H
#define TUNLAB_TRAFFIC_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "lab/scenario/scenario.h"
#include "lab/traffic/timeline.h"

enum {
	SCHEDULE_GROUP = 10,  /* pattern burst: this many packets back to back, at the same mean rate */
	SCHEDULE_CHANGES = 8, /* of the rate within one stall: one more comes in the last one's place */
};

/* Another interval, from a time on up to which there is a backlog yet. */
struct schedule_change {
	uint64_t at_ns;
	long double interval_ns;
};

/* One generator's timetable. Departure k of a constant rate is at base + k * interval, computed anew for each k: it has
 * no rounding error that grows. A departure at or after stop is not in it, so a constant rate R makes exactly ceil(R *
 * (stop - base)) departures.
 *
 * Where it was not sent in time, because the machine stalled or others had more to send than it can, it is replayed at twice
 * its speed from where it stood until it is reached again, past stop if need be: every pattern keeps its shape, and lateness
 * only shrinks. In W ns at most 2 W and TIMELINE_CATCH_UP_NS (or one deadline's packets) of it go out. What is later than
 * TIMELINE_LATE_NS is given up and counted: taken + missed is what the timetable held. */
struct schedule {
	enum scn_pattern pattern;
	bool maximum;            /* always due */
	long double interval_ns; /* mean, between packets */
	uint64_t base_ns;        /* departure 0 */
	uint64_t stop_ns;        /* first instant without departures; UINT64_MAX: none */
	uint64_t left;           /* departures still allowed by a packet count; UINT64_MAX: no limit */
	uint64_t k;              /* number of the next departure, from base */
	uint64_t next_ns;        /* its deadline */
	uint64_t last_ns;        /* deadline of the last one taken or given up; 0 before */
	uint64_t missed;         /* departures given up */
	uint64_t late;           /* departures taken more than TIMELINE_CATCH_UP_NS behind their deadline */
	uint64_t reached_ns;     /* up to here the timetable might be sent ... */
	uint64_t taken_ns;       /* ... at this time, when it was last asked for; reached < taken: it is behind */
	struct schedule_change changes[SCHEDULE_CHANGES]; /* the earliest first */
	uint32_t n_changes;
	uint64_t random;         /* state of the generator of exponential gaps */
	double gap_at, gap_after;/* poisson: departures k and k + 1, ns after base */
};

/* Mean interval between packets in ns for a rate; bits are those of the inner IP packet: `size` bytes of payload and
 * the IP header (20 bytes, 40 for IPv6). 0 for "max". */
long double schedule_interval(const struct rate *rate, uint32_t size, bool ipv6);

/* interval_ns 0: always due from base_ns on. The same seed gives the same departures. */
void schedule_init(struct schedule *s, enum scn_pattern pattern, long double interval_ns, uint64_t seed,
		   uint64_t base_ns, uint64_t stop_ns, uint64_t count);
/* Goes on at another interval: what is left of the running one shrinks or grows with it, so that no burst makes up for the
 * slower time before, and senders that were spread over an interval stay so (after "max": one whole interval is left). What
 * was due before now is still sent by the old timetable. */
void schedule_set_interval(struct schedule *s, long double interval_ns, uint64_t now_ns);
/* Takes the departures that may be sent now, at most max. *ret_oldest_ns: deadline of the oldest departure taken or
 * given up; unchanged when there was none. */
uint32_t schedule_take(struct schedule *s, const struct timeline *t, uint32_t max, uint64_t *ret_oldest_ns);
/* Where due_ns has to be for the next departure; not after it: there is something to take at once. UINT64_MAX: never. */
uint64_t schedule_wake(const struct schedule *s, const struct timeline *t);
/* Nothing is left in the timetable: what was due before stop has been taken or given up. */
bool schedule_finished(const struct schedule *s, uint64_t now_ns);

/* Deadlines of many generators, the earliest on top. Numbers are small integers below `numbers`. */
struct heap_item {
	uint64_t at_ns;
	uint32_t number;
};
struct heap {
	struct heap_item *items;
	uint32_t n;
	uint32_t *place;      /* by number: place in items + 1; 0: not in the heap */
	uint32_t numbers;
};
/* -errno */
int heap_init(struct heap *h, uint32_t numbers);
void heap_free(struct heap *h);
/* Adds a number or moves it to another deadline. Equal deadlines come out in the order of their numbers. */
void heap_set(struct heap *h, uint32_t number, uint64_t at_ns);
void heap_remove(struct heap *h, uint32_t number);
/* NULL when empty. */
const struct heap_item *heap_top(const struct heap *h);

#endif
