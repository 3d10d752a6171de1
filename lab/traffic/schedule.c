/* SPDX-License-Identifier: Apache-2.0 */
/* Timetables and the deadline heap; see schedule.h. */
#include "lab/traffic/schedule.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>

#define NS_PER_S 1e9L
/* Rates come as binary fractions (0.1pps is a little more than a tenth), so departure times that should be whole
 * nanoseconds end up a hair beside them. A 64th of a nanosecond puts them back for runs of more than a day. */
#define SNAP_NS (1.0L / 64)
/* Faster timetables than one packet a nanosecond only make numbers overflow. */
#define INTERVAL_MIN_NS 1.0L
/* Slower ones than this (300 years) as well. */
#define INTERVAL_MAX_NS 9e18L

enum { SKIP_MAX = 65536 /* exponential gaps drawn in one go when a stall is skipped over */ };

long double schedule_interval(const struct rate *rate, uint32_t size, bool ipv6)
{
	long double interval;

	if (rate->unit == RATE_MAXIMUM)
		return 0;
	interval = NS_PER_S / rate->value;
	if (rate->unit == RATE_BPS)
		interval = NS_PER_S * 8 * ((long double)size + (ipv6 ? 40 : 20)) / rate->value;
	return interval < INTERVAL_MIN_NS ? INTERVAL_MIN_NS : interval > INTERVAL_MAX_NS ? INTERVAL_MAX_NS : interval;
}

static uint64_t add_saturated(uint64_t base_ns, long double offset_ns)
{
	uint64_t sum;

	if (offset_ns >= 0x1p63L || __builtin_add_overflow(base_ns, (uint64_t)offset_ns, &sum))
		return UINT64_MAX;
	return sum;
}

/* A unit is what departs at one deadline: a packet, or a group of the burst pattern. */
static uint32_t unit_packets(const struct schedule *s)
{
	return s->pattern == SCN_BURST ? SCHEDULE_GROUP : 1;
}

static long double unit_ns(const struct schedule *s)
{
	return s->interval_ns * unit_packets(s);
}

/* Rounded down: then "before stop" holds for the whole number exactly when it holds for the true value. */
static uint64_t unit_at(const struct schedule *s, uint64_t unit)
{
	return add_saturated(s->base_ns, (long double)unit * unit_ns(s) + SNAP_NS);
}

/* Number of the first unit whose deadline is at or after `at`. */
static uint64_t first_unit_from(const struct schedule *s, uint64_t at_ns)
{
	uint64_t unit;

	if (at_ns <= s->base_ns)
		return 0;
	unit = (uint64_t)((long double)(at_ns - s->base_ns) / unit_ns(s));
	while (unit > 0 && unit_at(s, unit - 1) >= at_ns)
		unit--;
	while (unit_at(s, unit) < at_ns)
		unit++;
	return unit;
}

/* splitmix64: any seed is a good one. */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static double random_gap(struct schedule *s)
{
	double share = ((double)(random_next(&s->random) >> 11) + 0.5) * 0x1p-53; /* 0 and 1 excluded */

	return -log(share) * (double)s->interval_ns;
}

/* Deadline of departure k, after k or base changed. */
static void next_set(struct schedule *s)
{
	if (s->maximum)
		s->next_ns = s->base_ns;
	else if (s->pattern == SCN_POISSON)
		s->next_ns = add_saturated(s->base_ns, s->gap_at);
	else
		s->next_ns = unit_at(s, s->k / unit_packets(s));
}

static void gap_advance(struct schedule *s)
{
	s->gap_at = s->gap_after;
	s->gap_after += random_gap(s);
}

/* How much of the running interval is left at at_ns, in intervals; a random gap may be longer than one. */
static long double share_left(const struct schedule *s, uint64_t at_ns)
{
	long double share = s->next_ns > at_ns ? (long double)(s->next_ns - at_ns) / unit_ns(s) : 0;

	return share > 1 && s->pattern != SCN_POISSON ? 1 : share;
}

/* The last departure was before at_ns. Before the first one the timetable has yet to begin, at its base. */
static void change_interval(struct schedule *s, long double interval_ns, uint64_t at_ns)
{
	bool was_maximum = s->maximum, begun = s->last_ns != 0;
	long double left = was_maximum ? 1 : share_left(s, at_ns);

	s->maximum = interval_ns <= 0;
	s->interval_ns = interval_ns;
	if (begun)
		s->base_ns = s->maximum ? at_ns : add_saturated(at_ns, left * unit_ns(s));
	s->k = 0;
	if (s->pattern == SCN_POISSON && !s->maximum) {
		s->gap_after = begun ? 0 : random_gap(s);
		gap_advance(s);
	}
	next_set(s);
}

/* When the next of the changes to come holds. */
static uint64_t change_ns(const struct schedule *s)
{
	return s->n_changes ? s->changes[0].at_ns : UINT64_MAX;
}

static void take_change(struct schedule *s)
{
	struct schedule_change change = s->changes[0];

	memmove(s->changes, s->changes + 1, --s->n_changes * sizeof(*s->changes));
	change_interval(s, change.interval_ns, change.at_ns);
}

/* Goes on to departure k: the next one, or for even timetables a later one. */
static void pass_to(struct schedule *s, uint64_t k)
{
	s->last_ns = k == s->k + 1 ? s->next_ns : unit_at(s, (k - 1) / unit_packets(s));
	if (s->pattern == SCN_POISSON)
		gap_advance(s);
	s->k = k;
	next_set(s);
	while (s->next_ns >= change_ns(s)) /* two may lie between this departure and the next */
		take_change(s);
}

void schedule_init(struct schedule *s, enum scn_pattern pattern, long double interval_ns, uint64_t seed,
		   uint64_t base_ns, uint64_t stop_ns, uint64_t count)
{
	*s = (struct schedule){
		.pattern = pattern,
		.maximum = interval_ns <= 0,
		.interval_ns = interval_ns,
		.base_ns = base_ns,
		.stop_ns = stop_ns,
		.left = count ? count : UINT64_MAX,
		.reached_ns = base_ns,
		.taken_ns = base_ns,
		.random = seed,
	};
	if (pattern == SCN_POISSON && !s->maximum) {
		gap_advance(s);
		gap_advance(s);
	}
	next_set(s);
}

void schedule_set_interval(struct schedule *s, long double interval_ns, uint64_t now_ns)
{
	bool behind = !s->maximum && s->next_ns < now_ns;

	if (!behind || interval_ns <= 0) {
		s->n_changes = 0;
		change_interval(s, interval_ns, now_ns);
		return;
	}
	if (s->n_changes < SCHEDULE_CHANGES)
		s->changes[s->n_changes++].at_ns = now_ns;
	s->changes[s->n_changes - 1].interval_ns = interval_ns;
}

/* Gives up what is due before limit_ns. */
static void give_up(struct schedule *s, uint64_t limit_ns)
{
	for (int i = 0; i < SKIP_MAX && !s->maximum; i++) {
		uint64_t before_ns = limit_ns < s->stop_ns ? limit_ns : s->stop_ns, k = s->k + 1;

		if (before_ns > change_ns(s))
			before_ns = change_ns(s);
		if (s->next_ns >= before_ns)
			return;
		if (s->pattern != SCN_POISSON)
			k = first_unit_from(s, before_ns) * unit_packets(s);
		s->missed += k - s->k;
		pass_to(s, k);
	}
}

/* Last deadline that may be sent together with the next one: those of TIMELINE_CATCH_UP_NS, where there are several. */
static uint64_t at_once(const struct schedule *s)
{
	long double unit = unit_ns(s);

	return s->next_ns + (unit < TIMELINE_CATCH_UP_NS ? TIMELINE_CATCH_UP_NS - (uint64_t)ceill(unit) : 0);
}

/* How far the timetable may be sent now. */
static void reach(struct schedule *s, const struct timeline *t, uint64_t limit_ns)
{
	uint64_t at_once_ns = at_once(s), replayed_ns;

	if (t->now_ns > s->taken_ns) {
		replayed_ns = s->reached_ns + TIMELINE_SPEED_UP * (t->now_ns - s->taken_ns);
		s->reached_ns = replayed_ns < t->due_ns ? replayed_ns : t->due_ns;
	}
	if (s->reached_ns < limit_ns)
		s->reached_ns = limit_ns; /* all before is given up */
	if (s->reached_ns > at_once_ns)
		s->reached_ns = at_once_ns;
	s->taken_ns = t->now_ns;
}

static uint32_t take_maximum(struct schedule *s, uint32_t max)
{
	uint32_t n = s->left < max ? (uint32_t)s->left : max;

	s->left -= s->left == UINT64_MAX ? 0 : n;
	s->k += n;
	return n;
}

uint32_t schedule_take(struct schedule *s, const struct timeline *t, uint32_t max, uint64_t *ret_oldest_ns)
{
	uint64_t limit_ns = t->now_ns > TIMELINE_LATE_NS ? t->now_ns - TIMELINE_LATE_NS : 0, oldest_ns = s->next_ns;
	uint64_t missed = s->missed;
	uint32_t n = 0;

	if (s->next_ns > t->due_ns || schedule_finished(s, t->now_ns))
		return 0;
	if (s->maximum) {
		*ret_oldest_ns = s->last_ns = t->now_ns;
		return take_maximum(s, max);
	}
	give_up(s, limit_ns);
	if (s->next_ns <= t->due_ns)
		reach(s, t, limit_ns);
	while (n < max && s->next_ns >= limit_ns && s->next_ns <= s->reached_ns && s->next_ns < s->stop_ns &&
	       s->left > 0) {
		s->left -= s->left != UINT64_MAX;
		s->late += t->now_ns - s->next_ns > TIMELINE_CATCH_UP_NS;
		pass_to(s, s->k + 1);
		n++;
	}
	if (n > 0 || s->missed > missed)
		*ret_oldest_ns = oldest_ns;
	return n;
}

uint64_t schedule_wake(const struct schedule *s, const struct timeline *t)
{
	uint64_t replayed_ns;

	if (s->next_ns > t->due_ns || s->next_ns <= s->reached_ns || s->maximum)
		return s->next_ns;
	/* Rounded up: it is reached then. */
	replayed_ns = s->taken_ns + (s->next_ns - s->reached_ns + TIMELINE_SPEED_UP - 1) / TIMELINE_SPEED_UP;
	return timeline_at(t, replayed_ns);
}

bool schedule_finished(const struct schedule *s, uint64_t now_ns)
{
	return s->left == 0 || s->next_ns >= s->stop_ns || (s->maximum && now_ns >= s->stop_ns);
}

/* Both tables are sized for the largest lab; pages that are never touched cost nothing, and adding cannot fail. */
int heap_init(struct heap *h, uint32_t numbers)
{
	size_t len = (size_t)numbers * (sizeof(*h->items) + sizeof(*h->place));
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	*h = (struct heap){.items = p, .numbers = numbers};
	h->place = (uint32_t *)(h->items + numbers);
	return 0;
}

void heap_free(struct heap *h)
{
	size_t len = (size_t)h->numbers * (sizeof(*h->items) + sizeof(*h->place));

	if (h->items)
		(void)munmap(h->items, len); /* a valid mapping: cannot fail */
	*h = (struct heap){0};
}

static bool before(const struct heap_item *a, const struct heap_item *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->number < b->number;
}

static void put(struct heap *h, uint32_t place, struct heap_item item)
{
	h->items[place] = item;
	h->place[item.number] = place + 1;
}

static uint32_t sift_up(struct heap *h, uint32_t place, struct heap_item item)
{
	while (place > 0) {
		uint32_t parent = (place - 1) / 2;

		if (!before(&item, &h->items[parent]))
			break;
		put(h, place, h->items[parent]);
		place = parent;
	}
	return place;
}

static uint32_t sift_down(struct heap *h, uint32_t place, struct heap_item item)
{
	for (;;) {
		uint32_t child = 2 * place + 1;

		if (child >= h->n)
			return place;
		if (child + 1 < h->n && before(&h->items[child + 1], &h->items[child]))
			child++;
		if (!before(&h->items[child], &item))
			return place;
		put(h, place, h->items[child]);
		place = child;
	}
}

static void settle(struct heap *h, uint32_t place, struct heap_item item)
{
	put(h, sift_down(h, sift_up(h, place, item), item), item);
}

void heap_set(struct heap *h, uint32_t number, uint64_t at_ns)
{
	struct heap_item item = {.at_ns = at_ns, .number = number};
	uint32_t place = h->place[number] ? h->place[number] - 1 : h->n++;

	settle(h, place, item);
}

void heap_remove(struct heap *h, uint32_t number)
{
	uint32_t place = h->place[number];
	struct heap_item last;

	if (place == 0)
		return;
	h->place[number] = 0;
	last = h->items[--h->n];
	if (last.number != number)
		settle(h, place - 1, last);
}

const struct heap_item *heap_top(const struct heap *h)
{
	return h->n ? &h->items[0] : NULL;
}
