/* SPDX-License-Identifier: Apache-2.0 */
/* See timeline.h. */
#include "lab/traffic/timeline.h"

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

uint64_t timeline_at(const struct timeline *t, uint64_t when_ns)
{
	if (when_ns <= t->now_ns)
		return t->due_ns;
	return earlier(when_ns, add(t->due_ns, TIMELINE_SPEED_UP * earlier(when_ns - t->now_ns, INT64_MAX)));
}

/* The time that nobody needed, because nothing was due, is not made up for: a stall begins at the deadline that it missed. */
void timeline_advance(struct timeline *t, uint64_t now_ns, uint64_t next_ns)
{
	uint64_t due_ns = earlier(timeline_at(t, now_ns), add(next_ns, TIMELINE_CATCH_UP_NS));

	due_ns = later(due_ns, t->due_ns);
	if (now_ns > TIMELINE_LATE_NS)
		due_ns = later(due_ns, now_ns - TIMELINE_LATE_NS);
	*t = (struct timeline){.now_ns = later(now_ns, t->now_ns), .due_ns = earlier(due_ns, later(now_ns, t->now_ns))};
}

uint64_t timeline_when(const struct timeline *t, uint64_t at_ns)
{
	if (at_ns <= t->due_ns)
		return t->now_ns;
	/* Rounded up: it has come there then. */
	return later(at_ns, add(t->now_ns, (at_ns - t->due_ns + TIMELINE_SPEED_UP - 1) / TIMELINE_SPEED_UP));
}
