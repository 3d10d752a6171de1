/* SPDX-License-Identifier: Apache-2.0 */
/* lab/traffic/schedule.c: timetables against a fake clock, and the deadline heap. */
#include <stdlib.h>

#include "lab/traffic/schedule.h"
#include "tests/unit/t.h"

#define NS_PER_S 1000000000ULL
#define BASE (1000 * NS_PER_S)

static struct schedule timetable(enum scn_pattern pattern, double pps, uint64_t duration_ns, uint64_t seed)
{
	struct rate rate = {.unit = RATE_PPS, .value = pps};
	struct schedule s;

	schedule_init(&s, pattern, schedule_interval(&rate, 64, false), seed, BASE,
		      duration_ns ? BASE + duration_ns : UINT64_MAX, 0);
	return s;
}

/* On an engine that is not behind. */
static uint32_t take_now(struct schedule *s, uint64_t now_ns, uint32_t max, uint64_t *ret_oldest_ns)
{
	return schedule_take(s, &(struct timeline){.now_ns = now_ns, .due_ns = now_ns}, max, ret_oldest_ns);
}

static uint64_t wake_now(const struct schedule *s, uint64_t now_ns)
{
	uint64_t at_ns = schedule_wake(s, &(struct timeline){.now_ns = now_ns, .due_ns = now_ns});

	return at_ns > now_ns ? at_ns : now_ns;
}

/* Takes everything from an ideal clock: woken exactly at each deadline. Returns the number taken. */
static uint64_t run_ideal(struct schedule *s, uint64_t *ret_worst_ns)
{
	uint64_t taken = 0, worst_ns = 0;

	while (!schedule_finished(s, s->next_ns)) {
		uint64_t now_ns = s->next_ns, oldest_ns = now_ns;

		taken += take_now(s, now_ns, 64, &oldest_ns);
		if (now_ns - oldest_ns > worst_ns)
			worst_ns = now_ns - oldest_ns;
	}
	*ret_worst_ns = worst_ns;
	return taken;
}

TEST(constant_rates_make_exactly_the_departures_of_their_time)
{
	static const struct {
		double pps;
		uint64_t duration_ns, expected;
	} table[] = {
		{1, 10 * NS_PER_S, 10},
		{100, 10 * NS_PER_S, 1000},
		{500, 10 * NS_PER_S, 5000},
		{10000, 10 * NS_PER_S, 100000},
		{3, 10 * NS_PER_S, 30},
		{7, NS_PER_S, 7},
		{0.1, 10 * NS_PER_S, 1},
		{0.1, 10 * NS_PER_S + 1, 2},
		{0.3, 10 * NS_PER_S, 3},
		{33.3, 10 * NS_PER_S, 333},
		{1.1, 10 * NS_PER_S, 11},
		{999.9, 10 * NS_PER_S, 9999},
		{123456.7, 10 * NS_PER_S, 1234567},
		{100, NS_PER_S - 1, 100},
		{100, NS_PER_S + 1, 101},
		{100, 1, 1},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct schedule s = timetable(SCN_CONSTANT, table[i].pps, table[i].duration_ns, 0);
		uint64_t worst_ns;

		t_note("%g pps for %" PRIu64 " ns", table[i].pps, table[i].duration_ns);
		eq_u64(run_ideal(&s, &worst_ns), table[i].expected);
		eq_u64(s.missed, 0);
		eq_u64(worst_ns, 0);
	}
}

TEST(deadlines_do_not_drift)
{
	struct schedule s = timetable(SCN_CONSTANT, 3, 0, 0);
	uint64_t oldest_ns;

	for (int i = 0; i < 3 * 100000; i++) /* a third of a second is no whole number of nanoseconds */
		take_now(&s, s.next_ns, 1, &oldest_ns);
	eq_u64(s.next_ns, BASE + 100000 * NS_PER_S);
}

TEST(bit_rates_count_inner_ip_packets)
{
	struct rate mbit10 = {.unit = RATE_BPS, .value = 10e6}, max = {.unit = RATE_MAXIMUM};

	eq_u64((uint64_t)schedule_interval(&mbit10, 980, false), 800000);  /* 1000 bytes: 8000 bits at 10 Mbit/s */
	eq_u64((uint64_t)schedule_interval(&mbit10, 960, true), 800000);
	eq_u64((uint64_t)schedule_interval(&max, 960, true), 0);
}

/* What became of a timetable on a machine that did not run from stall_ns on, for stall_len_ns. */
struct replay {
	uint64_t taken;
	uint64_t calls;
	uint64_t worst_ns;       /* lateness of what was taken or given up */
	uint64_t at_once;        /* most packets at one instant */
	uint64_t level_max;      /* most nanoseconds of timetable beyond twice its speed */
	uint64_t last_ns;        /* last packet */
	uint64_t caught_up_ns;   /* first instant after the stall without a backlog */
};

/* Woken when the timetable wishes, as long as the machine runs. */
static struct replay run_stalled(struct schedule *s, uint64_t stall_ns, uint64_t stall_len_ns)
{
	struct replay r = {0};
	uint64_t now_ns = BASE, level_then_ns = BASE, at_once = 0, end_ns = stall_ns + stall_len_ns;
	double level = 0;

	while (!schedule_finished(s, now_ns)) {
		uint64_t wake_ns = wake_now(s, now_ns), oldest_ns;
		uint32_t n;

		if (wake_ns > now_ns) {
			now_ns = wake_ns > stall_ns && wake_ns < end_ns ? end_ns : wake_ns;
			at_once = 0;
		}
		oldest_ns = now_ns;
		n = take_now(s, now_ns, 64, &oldest_ns);
		r.calls++;
		r.taken += n;
		at_once += n;
		if (at_once > r.at_once)
			r.at_once = at_once;
		if (now_ns - oldest_ns > r.worst_ns)
			r.worst_ns = now_ns - oldest_ns;
		level -= 2.0 * (double)(now_ns - level_then_ns);
		level = (level < 0 ? 0 : level) + (double)n * (double)s->interval_ns;
		level_then_ns = now_ns;
		if (level > (double)r.level_max)
			r.level_max = (uint64_t)level;
		if (n > 0)
			r.last_ns = now_ns;
		if (now_ns >= end_ns && s->next_ns > now_ns && !r.caught_up_ns)
			r.caught_up_ns = now_ns;
	}
	return r;
}

/* Departures of a constant rate in [from, to), ns after base. */
static uint64_t departures_between(double pps, uint64_t from_ns, uint64_t to_ns)
{
	struct schedule a = timetable(SCN_CONSTANT, pps, from_ns, 0), b = timetable(SCN_CONSTANT, pps, to_ns, 0);
	uint64_t worst_ns, before = from_ns ? run_ideal(&a, &worst_ns) : 0;

	return (to_ns ? run_ideal(&b, &worst_ns) : 0) - before;
}

#define RUN_NS (10 * NS_PER_S)

static void check_stall(double pps, uint64_t stall_ns, uint64_t len_ns)
{
	struct schedule s = timetable(SCN_CONSTANT, pps, RUN_NS, 0);
	struct replay r = run_stalled(&s, BASE + stall_ns, len_ns);
	uint64_t end_ns = stall_ns + len_ns, interval_ns = (uint64_t)s.interval_ns;
	uint64_t per_wake = interval_ns < TIMELINE_CATCH_UP_NS ? TIMELINE_CATCH_UP_NS / interval_ns : 1;
	uint64_t given_up_ns = len_ns > NS_PER_S ? end_ns - NS_PER_S : stall_ns + 1;
	/* A departure at the very moment the stall begins is made. */
	uint64_t missed = departures_between(pps, stall_ns + 1, given_up_ns < RUN_NS ? given_up_ns : RUN_NS);

	t_note("%g pps, %" PRIu64 " ms from %" PRIu64 " ms on", pps, len_ns / 1000000, stall_ns / 1000000);
	eq_u64(s.missed, missed);
	eq_u64(r.taken, (uint64_t)pps * 10 - missed);
	ok(r.at_once <= per_wake);
	ok(r.level_max <= (interval_ns > TIMELINE_CATCH_UP_NS ? interval_ns : TIMELINE_CATCH_UP_NS) + 1000);
	ok(r.worst_ns <= len_ns);
	ok(r.last_ns < BASE + RUN_NS + NS_PER_S);
	ok(r.calls <= r.taken + 16); /* each wake is worth it */
	/* A stall is made up for after as long again. */
	if (end_ns + (len_ns < NS_PER_S ? len_ns : NS_PER_S) + 2 * interval_ns < RUN_NS)
		ok(r.caught_up_ns <= BASE + end_ns + (len_ns < NS_PER_S ? len_ns : NS_PER_S) + interval_ns);
}

TEST(stalls_are_made_up_for_at_twice_the_speed)
{
	static const double rates[] = {1, 100, 500, 10000};
	static const uint64_t stalls_ms[] = {3, 40, 400, 900, 1500};
	/* in the middle, beside the departures of all rates; at the very start; near the end and over it */
	static const uint64_t begins_ns[] = {3999999999, 4000050000, 0, 9000000001, 9899950000, 9999899999};

	for (size_t r = 0; r < sizeof(rates) / sizeof(*rates); r++)
		for (size_t l = 0; l < sizeof(stalls_ms) / sizeof(*stalls_ms); l++)
			for (size_t b = 0; b < sizeof(begins_ns) / sizeof(*begins_ns); b++)
				check_stall(rates[r], begins_ns[b], stalls_ms[l] * 1000000);
}

TEST(a_backlog_is_spaced_at_half_the_interval)
{
	struct schedule s = timetable(SCN_CONSTANT, 100, 10 * NS_PER_S, 0);
	uint64_t oldest_ns = 0, now_ns = BASE + 400000000;

	eq_u64(take_now(&s, now_ns, 64, &oldest_ns), 1);
	eq_u64(oldest_ns, BASE); /* it tells the whole stall */
	eq_u64(take_now(&s, now_ns, 64, &oldest_ns), 0);
	now_ns = wake_now(&s, now_ns);
	eq_u64(now_ns, BASE + 405000000);
	eq_u64(take_now(&s, now_ns - 1, 64, &oldest_ns), 0);
	for (int i = 1; i < 80; i++) {
		eq_u64(take_now(&s, now_ns, 64, &oldest_ns), 1);
		eq_u64(wake_now(&s, now_ns), now_ns + (s.next_ns > now_ns + 5000000 ? s.next_ns - now_ns : 5000000));
		now_ns = wake_now(&s, now_ns);
	}
	eq_u64(now_ns, BASE + 800000000);
	eq_u64(s.missed, 0);
}

TEST(a_second_stall_on_top_of_the_first_loses_nothing)
{
	struct schedule s = timetable(SCN_CONSTANT, 1000, NS_PER_S, 0);
	uint64_t now_ns = BASE + 600000000, oldest_ns, taken = 0;

	for (; now_ns < BASE + 800000000; now_ns = wake_now(&s, now_ns))
		taken += take_now(&s, now_ns, 64, &oldest_ns);
	ok(taken > 400 && taken < 410);
	now_ns += 350000000;
	eq_u64(take_now(&s, now_ns, 64, &oldest_ns), 5);
	for (; !schedule_finished(&s, now_ns); now_ns = wake_now(&s, now_ns))
		taken += take_now(&s, now_ns, 64, &oldest_ns);
	eq_u64(taken + 5, 1000);
	eq_u64(s.missed, 0);
	ok(now_ns < BASE + 2 * NS_PER_S);
}

TEST(poisson_and_bursts_keep_their_shape_in_a_replay)
{
	static const uint64_t stalls_ms[] = {3, 40, 400, 900, 1500};
	static const double rates[] = {1, 100, 500, 10000};

	for (size_t i = 0; i < 5 * 4; i++) {
		double pps = rates[i / 5];
		uint64_t len_ns = stalls_ms[i % 5] * 1000000;
		struct schedule ideal = timetable(SCN_POISSON, pps, RUN_NS, i), s = ideal, group, groups;
		uint64_t worst_ns, total = run_ideal(&ideal, &worst_ns);
		struct replay r = run_stalled(&s, BASE + 9 * NS_PER_S, len_ns);

		t_note("%g pps, %" PRIu64 " ms", pps, len_ns / 1000000);
		eq_u64(r.taken + s.missed, total);
		ok(len_ns > NS_PER_S ? s.missed > 0 || pps < 2 : s.missed == 0);
		ok(r.at_once < 4 + (uint64_t)(pps * 0.005 * 2)); /* those of 5 ms, and luck */
		ok(r.last_ns < BASE + RUN_NS + NS_PER_S);
		group = groups = timetable(SCN_BURST, pps, RUN_NS, 0);
		total = run_ideal(&group, &worst_ns);
		r = run_stalled(&groups, BASE + 9 * NS_PER_S, len_ns);
		eq_u64(r.taken + groups.missed, total);
		eq_u64(groups.missed % SCHEDULE_GROUP, 0);
		ok(len_ns > NS_PER_S ? groups.missed > 0 || pps < 100 : groups.missed == 0);
		ok(r.at_once <= (pps > 2000 ? (uint64_t)(pps * 0.005) : SCHEDULE_GROUP));
		ok(r.last_ns < BASE + RUN_NS + NS_PER_S);
	}
}

TEST(more_than_a_second_late_is_given_up)
{
	struct schedule s = timetable(SCN_CONSTANT, 10, NS_PER_S, 0);
	uint64_t oldest_ns = 0;

	eq_u64(take_now(&s, BASE + NS_PER_S, 64, &oldest_ns), 1); /* exactly a second: not yet */
	eq_u64(s.missed, 0);
	ok(!schedule_finished(&s, BASE + 5 * NS_PER_S));
	eq_u64(take_now(&s, BASE + 5 * NS_PER_S, 64, &oldest_ns), 0);
	ok(schedule_finished(&s, BASE + 5 * NS_PER_S));
	eq_u64(s.missed, 9);
	eq_u64(oldest_ns, BASE + NS_PER_S / 10); /* told all the same */
}

TEST(slow_generators_are_late_rather_than_short)
{
	struct schedule s = timetable(SCN_CONSTANT, 10, NS_PER_S, 0);
	uint64_t oldest_ns, taken = 0;

	for (uint64_t now_ns = BASE; now_ns < BASE + 2 * NS_PER_S; now_ns += 97000000) /* 97 ms: never in time */
		taken += take_now(&s, now_ns, 64, &oldest_ns);
	eq_u64(taken, 10);
	eq_u64(s.missed, 0);
}

TEST(the_last_packet_is_sent_though_its_stop_has_passed)
{
	struct schedule s = timetable(SCN_CONSTANT, 10, NS_PER_S, 0);
	uint64_t oldest_ns, late_ns = BASE + NS_PER_S + 700000000;

	for (int i = 0; i < 9; i++)
		take_now(&s, s.next_ns, 64, &oldest_ns);
	ok(!schedule_finished(&s, late_ns));
	eq_u64(take_now(&s, late_ns, 64, &oldest_ns), 1);
	ok(schedule_finished(&s, late_ns));
	eq_u64(s.missed, 0);
}

TEST(one_call_takes_no_more_than_asked)
{
	struct schedule s = timetable(SCN_CONSTANT, 100000, 0, 0);
	uint64_t oldest_ns;

	eq_u64(take_now(&s, BASE + 4000000, 64, &oldest_ns), 64);
	eq_u64(take_now(&s, BASE - 1, 64, &oldest_ns), 0);
}

TEST(a_packet_count_ends_it_and_missed_ones_do_not_count)
{
	struct schedule s;
	uint64_t oldest_ns, taken = 0;

	schedule_init(&s, SCN_CONSTANT, 1e6L, 0, BASE, UINT64_MAX, 100);
	for (uint64_t now_ns = BASE; !schedule_finished(&s, now_ns); now_ns += NS_PER_S / 10)
		taken += take_now(&s, now_ns, 64, &oldest_ns);
	eq_u64(taken, 100);
	ok(s.missed > 0);
}

TEST(bursts_are_groups_of_ten_at_the_same_mean_rate)
{
	struct schedule s = timetable(SCN_BURST, 500, 10 * NS_PER_S, 0);
	uint64_t oldest_ns, worst_ns;

	eq_u64(take_now(&s, BASE, 64, &oldest_ns), 10);
	eq_u64(s.next_ns, BASE + 20000000);
	eq_u64(take_now(&s, BASE + 19999999, 64, &oldest_ns), 0);
	eq_u64(run_ideal(&s, &worst_ns), 4990);
	s = timetable(SCN_BURST, 500, 10 * NS_PER_S, 0);
	/* after a stall the groups follow each other at half the distance */
	eq_u64(take_now(&s, BASE + 65000000, 64, &oldest_ns), 10);
	eq_u64(wake_now(&s, BASE + 65000000), BASE + 75000000);
	eq_u64(take_now(&s, BASE + 75000000, 64, &oldest_ns), 10);
	eq_u64(wake_now(&s, BASE + 75000000), BASE + 85000000);
	eq_u64(s.missed, 0);
}

TEST(poisson_has_the_mean_and_spread_it_should)
{
	struct schedule s = timetable(SCN_POISSON, 1000, 100 * NS_PER_S, 42);
	uint64_t last_ns = BASE, worst_ns, oldest_ns, n = 0;
	double sum = 0, squares = 0;

	while (!schedule_finished(&s, s.next_ns)) {
		double gap = (double)(s.next_ns - last_ns);

		last_ns = s.next_ns;
		sum += gap;
		squares += gap * gap;
		n += take_now(&s, s.next_ns, 1, &oldest_ns);
	}
	near((double)n, 100000, 1000);                /* 3 sigma */
	near(sum / (double)n, 1e6, 1e4);
	near(squares / (double)n, 2e12, 6e10);        /* second moment of an exponential: 2 m^2 */
	s = timetable(SCN_POISSON, 1000, 100 * NS_PER_S, 42);
	eq_u64(run_ideal(&s, &worst_ns), n);          /* same seed, same departures */
	s = timetable(SCN_POISSON, 1000, 100 * NS_PER_S, 43);
	ok(s.next_ns != timetable(SCN_POISSON, 1000, 0, 42).next_ns);
}

TEST(a_very_long_stall_costs_a_bounded_time_per_call)
{
	struct schedule s = timetable(SCN_POISSON, 1e6, 0, 7);
	uint64_t oldest_ns = 0;
	int calls = 0;

	while (s.next_ns < BASE + 9 * NS_PER_S && calls < 1000) {
		eq_u64(take_now(&s, BASE + 10 * NS_PER_S, 64, &oldest_ns), 0);
		ok(s.next_ns >= BASE + 9 * NS_PER_S || wake_now(&s, BASE + 10 * NS_PER_S) <= BASE + 10 * NS_PER_S);
		calls++;
	}
	ok(calls > 100 && calls < 1000);
	near((double)s.missed, 9e6, 7e4);
	s = timetable(SCN_CONSTANT, 1e9, 0, 7);
	ok(take_now(&s, BASE + 86400 * NS_PER_S, 64, &oldest_ns) == 64);
	near((double)s.missed, 86399e9, 6e6);
}

TEST(a_new_rate_keeps_the_share_of_the_interval_that_is_left)
{
	struct schedule s = timetable(SCN_CONSTANT, 10, 0, 0);
	uint64_t oldest_ns;

	take_now(&s, BASE, 64, &oldest_ns);
	schedule_set_interval(&s, 1e9L, BASE + 50000000); /* half of it is left */
	eq_u64(s.next_ns, BASE + 550000000);
	schedule_set_interval(&s, 1e6L, BASE + 50000000);
	eq_u64(s.next_ns, BASE + 50500000);
	schedule_set_interval(&s, 0, BASE + 50400000);
	eq_u64(take_now(&s, BASE + 50400000, 64, &oldest_ns), 64);
	schedule_set_interval(&s, 1e8L, BASE + 70000000); /* after "max" a whole one */
	eq_u64(s.next_ns, BASE + 170000000);
}

TEST(a_new_rate_before_the_start_leaves_the_start_alone)
{
	struct schedule s;
	uint64_t oldest_ns;

	schedule_init(&s, SCN_CONSTANT, 1e8L, 0, BASE + NS_PER_S, UINT64_MAX, 0);
	schedule_set_interval(&s, 1e6L, BASE);
	eq_u64(s.next_ns, BASE + NS_PER_S);
	eq_u64(take_now(&s, BASE + NS_PER_S - 1, 64, &oldest_ns), 0);
	eq_u64(take_now(&s, BASE + NS_PER_S, 64, &oldest_ns), 1);
	eq_u64(s.next_ns, BASE + NS_PER_S + 1000000);
}

/* Departures from `from` on, each taken when it is due, up to `to`. */
static uint64_t run_until(struct schedule *s, uint64_t from, uint64_t to)
{
	uint64_t oldest_ns, n = 0;

	for (uint64_t now_ns = from; now_ns < to; now_ns = wake_now(s, now_ns))
		n += take_now(s, now_ns, 64, &oldest_ns);
	return n;
}

TEST(a_new_rate_makes_no_burst)
{
	static const enum scn_pattern patterns[] = { SCN_CONSTANT, SCN_BURST };
	const long double slow = 1e9L, fast = 1e5L;

	for (int p = 0; p < 2; p++) {
		struct schedule s;
		uint64_t now_ns = BASE, n, group = patterns[p] == SCN_BURST ? SCHEDULE_GROUP : 1;

		schedule_init(&s, patterns[p], slow / (long double)group, 0, BASE, UINT64_MAX, 0);
		eq_u64(run_until(&s, now_ns, BASE + 900000000), group);
		now_ns = BASE + 900000000; /* a tenth of the second is left, and becomes a tenth of a fast unit */
		schedule_set_interval(&s, fast, now_ns);
		eq_u64(s.next_ns, now_ns + 10000 * group);
		eq_u64(run_until(&s, wake_now(&s, now_ns), now_ns + 100000000), 1000);
		now_ns += 100000000;
		schedule_set_interval(&s, slow, now_ns); /* and back: the rest of the running unit, stretched */
		n = run_until(&s, wake_now(&s, now_ns), now_ns + 10 * NS_PER_S * group);
		eq_u64(n, 10 * group);
	}
}

/* Drawn-out gaps scale as well: over many changes the mean is that of the two rates. */
TEST(a_new_rate_keeps_random_gaps_random)
{
	struct schedule s;
	uint64_t now_ns = BASE, n = 0;

	schedule_init(&s, SCN_POISSON, 1e6L, 7, BASE, UINT64_MAX, 0);
	for (int i = 0; i < 2000; i++) { /* 5 ms at 1000 a second, 5 ms at 100 */
		n += run_until(&s, wake_now(&s, now_ns), now_ns + 5000000);
		now_ns += 5000000;
		schedule_set_interval(&s, i % 2 ? 1e6L : 1e7L, now_ns);
	}
	near((double)n, 5500, 5 * 74); /* five standard deviations */
}

TEST(a_new_rate_does_not_lose_what_was_due)
{
	struct schedule s = timetable(SCN_CONSTANT, 100, NS_PER_S, 0);
	uint64_t oldest_ns, taken = 0, now_ns = BASE + 500000000;

	schedule_set_interval(&s, 1e6L, now_ns); /* nothing was taken yet: 50 are due by the old rate, 500 to come */
	for (; s.next_ns < BASE + 500000000; now_ns = wake_now(&s, now_ns))
		taken += take_now(&s, now_ns, 64, &oldest_ns);
	eq_u64(s.next_ns, BASE + 500000000);
	eq_u64(taken, 50);
	ok(now_ns > BASE + 740000000);
	for (; !schedule_finished(&s, now_ns); now_ns = wake_now(&s, now_ns))
		taken += take_now(&s, now_ns, 64, &oldest_ns);
	eq_u64(taken, 550);
	eq_u64(s.missed, 0);
}

/* All within one stall: each rate has its own stretch of the timetable, and the last what there is no place for. */
TEST(several_new_rates_in_one_stall_all_count)
{
	struct schedule s = timetable(SCN_CONSTANT, 100, NS_PER_S, 0);
	uint64_t oldest_ns, now_ns = BASE + 800000000, taken = 0;

	schedule_set_interval(&s, 1e6L, BASE + 200000000);
	schedule_set_interval(&s, 1e8L, BASE + 400000000);
	schedule_set_interval(&s, 1e5L, BASE + 400000000); /* at the same time: the later one */
	schedule_set_interval(&s, 2e6L, BASE + 500000000);
	for (; !schedule_finished(&s, now_ns); now_ns = wake_now(&s, now_ns))
		taken += take_now(&s, now_ns, 64, &oldest_ns);
	eq_u64(taken, 20 + 200 + 1000 + 250);
	eq_u64(s.missed, 0);

	s = timetable(SCN_CONSTANT, 1000, NS_PER_S, 0);
	for (uint64_t i = 1; i <= SCHEDULE_CHANGES + 5; i++)
		schedule_set_interval(&s, 1e6L + (long double)i, BASE + i * 1000000);
	eq_u64(s.n_changes, SCHEDULE_CHANGES);
	eq_u64(s.changes[SCHEDULE_CHANGES - 1].at_ns, BASE + SCHEDULE_CHANGES * 1000000);
	eq_u64((uint64_t)s.changes[SCHEDULE_CHANGES - 1].interval_ns, 1000000 + SCHEDULE_CHANGES + 5);
}

TEST(maximum_is_always_due_until_stopped)
{
	struct schedule s;
	uint64_t oldest_ns;

	schedule_init(&s, SCN_POISSON, 0, 1, BASE, BASE + NS_PER_S, 100);
	eq_u64(take_now(&s, BASE - 1, 64, &oldest_ns), 0);
	eq_u64(take_now(&s, BASE, 64, &oldest_ns), 64);
	eq_u64(oldest_ns, BASE);
	ok(!schedule_finished(&s, BASE));
	ok(schedule_finished(&s, BASE + NS_PER_S));
	eq_u64(take_now(&s, BASE, 64, &oldest_ns), 36);
	ok(schedule_finished(&s, BASE));
}

TEST(rates_beyond_reason_do_no_harm)
{
	struct rate fast = {.unit = RATE_PPS, .value = 1e300}, slow = {.unit = RATE_PPS, .value = 1e-300};
	struct schedule s;
	uint64_t oldest_ns;

	schedule_init(&s, SCN_CONSTANT, schedule_interval(&fast, 64, false), 0, BASE, UINT64_MAX, 0);
	eq_u64(take_now(&s, BASE + 10, 64, &oldest_ns), 11);
	schedule_init(&s, SCN_CONSTANT, schedule_interval(&slow, 64, false), 0, BASE, UINT64_MAX, 0);
	eq_u64(take_now(&s, BASE, 64, &oldest_ns), 1);
	ok(s.next_ns > BASE + (1ULL << 62));
	schedule_init(&s, SCN_POISSON, schedule_interval(&slow, 64, false), 0, BASE, UINT64_MAX, 0);
	ok(s.next_ns > BASE);
}

TEST(heap_gives_the_earliest_first)
{
	enum { NUMBERS = 500 };
	uint64_t at_ns[NUMBERS], last_ns = 0;
	const struct heap_item *top;
	uint32_t last_number = 0, n = 0;
	struct heap h;

	if (!eq_i64(heap_init(&h, NUMBERS), 0))
		return;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		uint32_t number = (uint32_t)rand() % NUMBERS;

		at_ns[number] = (uint64_t)rand() % 1000;
		if (rand() % 4)
			heap_set(&h, number, at_ns[number]);
		else
			heap_remove(&h, number);
	}
	for (uint32_t i = 0; i < NUMBERS; i += 2)
		heap_set(&h, i, at_ns[i]);
	for (uint32_t i = 1; i < NUMBERS; i += 2)
		heap_remove(&h, i);
	while ((top = heap_top(&h))) {
		eq_u64(top->at_ns, at_ns[top->number]);
		ok(top->at_ns > last_ns || n == 0 || (top->at_ns == last_ns && top->number > last_number));
		last_ns = top->at_ns;
		last_number = top->number;
		heap_remove(&h, last_number);
		n++;
	}
	eq_u64(n, NUMBERS / 2);
	heap_free(&h);
	heap_free(&h);
}
