/* SPDX-License-Identifier: Apache-2.0 */
/* How far the engine has come in the timetables of all generators together. Normally that is the time of day; after a stall
 * of the machine it runs after it, so that what was due meanwhile is no burst, neither of one generator nor of thousands that
 * were each to send one packet. Pure: CLOCK_MONOTONIC nanoseconds come in as numbers. */
#ifndef TUNLAB_TRAFFIC_TIMELINE_H
#define TUNLAB_TRAFFIC_TIMELINE_H

#include <stdint.h>

enum {
	TIMELINE_CATCH_UP_NS = 5000000,   /* after a stall at most this much of the timetables is sent at once, */
	TIMELINE_SPEED_UP = 2,            /* the rest at this multiple of their speed, */
	TIMELINE_LATE_NS = 1000000000,    /* and what would be later than this is given up */
};

struct timeline {
	uint64_t now_ns;
	uint64_t due_ns;         /* departures up to here may be sent: never after now_ns */
};

/* Call before each round of sending; next_ns is the earliest deadline that waits (UINT64_MAX: none). What is due up to due_ns
 * must then be sent, or be waiting for reasons of its own, before the next call. */
void timeline_advance(struct timeline *t, uint64_t now_ns, uint64_t next_ns);
/* When due_ns will have come to at_ns; now or earlier: it has. */
uint64_t timeline_when(const struct timeline *t, uint64_t at_ns);
/* How far due_ns will have come at a time that is still to come. */
uint64_t timeline_at(const struct timeline *t, uint64_t when_ns);

#endif
