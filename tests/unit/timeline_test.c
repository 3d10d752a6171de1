/* SPDX-License-Identifier: Apache-2.0 */
/* lab/traffic/timeline.c: alone against a fake clock, and with the timetables of thousands of generators, as the engine does it. */
#include <stdlib.h>

#include "lab/traffic/schedule.h"
#include "tests/unit/t.h"

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL
#define BASE (1000 * NS_PER_S)

TEST(it_is_the_time_of_day_while_deadlines_are_kept)
{
	struct timeline t = {0};

	timeline_advance(&t, BASE, UINT64_MAX);
	eq_u64(t.due_ns, BASE);
	for (uint64_t at_ns = BASE, n = 0; n < 1000; n++) {
		uint64_t next_ns = at_ns + (n * 7919 % 300) * NS_PER_MS;

		eq_u64(timeline_when(&t, next_ns), next_ns);
		at_ns = next_ns + 80000; /* a timer is never early */
		timeline_advance(&t, at_ns, next_ns);
		eq_u64(t.due_ns, at_ns);
	}
	timeline_advance(&t, BASE, BASE); /* no step back */
	eq_u64(t.due_ns, t.now_ns);
	ok(t.now_ns > BASE);
}

TEST(a_stall_is_five_milliseconds_at_once_and_twice_the_speed_after_it)
{
	struct timeline t = {0};
	uint64_t stalled_ns = BASE + 100 * NS_PER_MS, caught_up_ns;

	timeline_advance(&t, BASE, UINT64_MAX);
	timeline_advance(&t, stalled_ns, BASE + NS_PER_MS); /* it was to wake up after 1 ms */
	eq_u64(t.due_ns, BASE + 6 * NS_PER_MS);
	eq_u64(timeline_when(&t, BASE + 6 * NS_PER_MS), stalled_ns);
	eq_u64(timeline_when(&t, BASE + 7 * NS_PER_MS), stalled_ns + NS_PER_MS / 2);
	eq_u64(timeline_when(&t, BASE + 7 * NS_PER_MS - 1), stalled_ns + NS_PER_MS / 2);
	eq_u64(timeline_at(&t, stalled_ns + NS_PER_MS), BASE + 8 * NS_PER_MS);
	eq_u64(timeline_when(&t, UINT64_MAX), UINT64_MAX);
	caught_up_ns = stalled_ns + 94 * NS_PER_MS; /* 94 ms late, and it gains 1 ms each */
	eq_u64(timeline_when(&t, caught_up_ns), caught_up_ns);
	timeline_advance(&t, caught_up_ns - 1, caught_up_ns);
	ok(t.due_ns < t.now_ns);
	timeline_advance(&t, caught_up_ns, caught_up_ns);
	eq_u64(t.due_ns, caught_up_ns);
}

TEST(it_is_never_more_than_a_second_behind)
{
	struct timeline t = {0};

	timeline_advance(&t, BASE, UINT64_MAX);
	timeline_advance(&t, BASE + 60 * NS_PER_S, BASE);
	eq_u64(t.due_ns, BASE + 59 * NS_PER_S);
}

/* ---- an engine with a fake clock ---- */

enum { GENERATORS = 4000 };

struct fake {
	struct timeline time;
	struct heap heap;
	struct schedule schedules[GENERATORS];
	uint32_t n;
	uint64_t now_ns, stall_ns, stall_len_ns;
	uint64_t taken, at_once, worst_ns, hash; /* what went out, most in one instant, the worst lateness, which when */
};

static void fake_send(struct fake *f, uint32_t number)
{
	struct schedule *s = &f->schedules[number];
	uint64_t oldest_ns = f->now_ns, at_ns;
	uint32_t n = schedule_take(s, &f->time, 64, &oldest_ns);

	f->taken += n;
	f->at_once += n;
	f->worst_ns = f->now_ns - oldest_ns > f->worst_ns ? f->now_ns - oldest_ns : f->worst_ns;
	for (uint32_t i = 0; i < n; i++)
		f->hash = (f->hash ^ (f->now_ns + number)) * 0x100000001b3;
	if (schedule_finished(s, f->now_ns))
		return;
	at_ns = schedule_wake(s, &f->time);
	heap_set(&f->heap, number, at_ns);
}

/* Runs to the end; returns the most packets that went out in one instant. */
static uint64_t fake_run(struct fake *f)
{
	const struct heap_item *top;
	uint64_t most = 0;

	f->now_ns = BASE - 1;
	timeline_advance(&f->time, f->now_ns, UINT64_MAX);
	for (uint32_t i = 0; i < f->n; i++)
		heap_set(&f->heap, i, f->schedules[i].next_ns);
	while ((top = heap_top(&f->heap))) {
		uint64_t wake_ns = timeline_when(&f->time, top->at_ns);

		if (wake_ns > f->now_ns) {
			bool stalled = wake_ns >= f->stall_ns && wake_ns < f->stall_ns + f->stall_len_ns;

			f->now_ns = stalled ? f->stall_ns + f->stall_len_ns : wake_ns;
			f->at_once = 0;
		}
		timeline_advance(&f->time, f->now_ns, top->at_ns);
		while ((top = heap_top(&f->heap)) && top->at_ns <= f->time.due_ns) {
			uint32_t number = top->number;

			heap_remove(&f->heap, number);
			fake_send(f, number);
		}
		most = f->at_once > most ? f->at_once : most;
	}
	return most;
}

/* n generators of this rate, spread over an interval as a plan does it. */
static struct fake *fake_new(uint32_t n, double pps, enum scn_pattern pattern, uint64_t run_ns)
{
	struct fake *f = calloc(1, sizeof(*f));

	if (!f || heap_init(&f->heap, GENERATORS) < 0)
		abort();
	f->n = n;
	for (uint32_t i = 0; i < n; i++)
		schedule_init(&f->schedules[i], pattern, 1e9L / pps, i, BASE + (uint64_t)(1e9 / pps * i / n), BASE + run_ns, 0);
	return f;
}

static void fake_free(struct fake *f)
{
	heap_free(&f->heap);
	free(f);
}

static uint64_t missed(const struct fake *f)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < f->n; i++)
		n += f->schedules[i].missed;
	return n;
}

static uint64_t late(const struct fake *f)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < f->n; i++)
		n += f->schedules[i].late;
	return n;
}

TEST(a_stall_is_no_burst_of_thousands_that_were_to_send_one_packet_each)
{
	static const uint64_t stalls_ms[] = {0, 4, 40, 400, 900, 1500};

	for (size_t i = 0; i < sizeof(stalls_ms) / sizeof(*stalls_ms); i++) {
		struct fake *f = fake_new(GENERATORS, 5, SCN_CONSTANT, 5 * NS_PER_S); /* 20 kpps: 100 in 5 ms */
		uint64_t most;

		f->stall_ns = BASE + 2 * NS_PER_S;
		f->stall_len_ns = stalls_ms[i] * NS_PER_MS;
		most = fake_run(f);
		t_note("%" PRIu64 " ms: %" PRIu64 " at once, %" PRIu64 " late", stalls_ms[i], most, late(f));
		ok(most <= 101);
		eq_u64(f->taken + missed(f), 5 * 5 * GENERATORS);
		near((double)missed(f), stalls_ms[i] > 1000 ? 20.0 * (double)(stalls_ms[i] - 1000) : 0, 1);
		ok(f->worst_ns <= stalls_ms[i] * NS_PER_MS);
		/* Those due in twice the stall, at most: it is made up for after as long again. */
		near((double)late(f), stalls_ms[i] < 5 ? 0 : 40.0 * (double)(stalls_ms[i] > 1000 ? 1000 : stalls_ms[i]), 500);
		fake_free(f);
	}
}

TEST(generators_of_all_kinds_are_held_to_the_same_bound)
{
	static const struct {
		uint32_t n;
		double pps;
		enum scn_pattern pattern;
		uint64_t at_once;
	} table[] = {
		{1, 100, SCN_CONSTANT, 1}, {1, 10000, SCN_CONSTANT, 50}, {10, 100000, SCN_CONSTANT, 5000}, {3000, 1, SCN_CONSTANT, 16},
		{100, 100, SCN_BURST, 510}, {100, 100, SCN_POISSON, 90},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct fake *f = fake_new(table[i].n, table[i].pps, table[i].pattern, NS_PER_S);
		uint64_t most;

		f->stall_ns = BASE + 300 * NS_PER_MS;
		f->stall_len_ns = 250 * NS_PER_MS;
		most = fake_run(f);
		t_note("%u of %g pps: %" PRIu64 " at once", table[i].n, table[i].pps, most);
		ok(most <= table[i].at_once);
		eq_u64(missed(f), 0);
		if (table[i].pattern == SCN_CONSTANT)
			eq_u64(f->taken, table[i].n * (uint64_t)table[i].pps);
		fake_free(f);
	}
}

TEST(the_same_seeds_make_the_same_departures)
{
	for (int p = 0; p < SCN_PATTERN_MAX; p++) {
		struct fake *a = fake_new(50, 200, (enum scn_pattern)p, NS_PER_S), *b = fake_new(50, 200, (enum scn_pattern)p, NS_PER_S);
		struct fake *c = fake_new(50, 200, (enum scn_pattern)p, NS_PER_S);

		for (uint32_t i = 0; i < c->n; i++)
			schedule_init(&c->schedules[i], (enum scn_pattern)p, 5e6L, 1000 + i, c->schedules[i].base_ns, BASE + NS_PER_S, 0);
		(void)fake_run(a);
		(void)fake_run(b);
		(void)fake_run(c);
		eq_u64(a->taken, b->taken);
		eq_u64(a->hash, b->hash);
		eq_i64(a->hash == c->hash, p != SCN_POISSON);
		fake_free(a);
		fake_free(b);
		fake_free(c);
	}
}
