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

/* Takes everything from an ideal clock: woken exactly at each deadline. Returns the number taken. */
static uint64_t run_ideal(struct schedule *s, uint64_t *ret_worst_ns)
{
	uint64_t taken = 0, worst_ns = 0;

	while (!schedule_finished(s, s->next_ns)) {
		uint64_t now_ns = s->next_ns, oldest_ns = now_ns;

		taken += schedule_take(s, now_ns, 64, &oldest_ns);
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
		schedule_take(&s, s.next_ns, 1, &oldest_ns);
	eq_u64(s.next_ns, BASE + 100000 * NS_PER_S);
}

TEST(bit_rates_count_inner_ip_packets)
{
	struct rate mbit10 = {.unit = RATE_BPS, .value = 10e6}, max = {.unit = RATE_MAXIMUM};

	eq_u64((uint64_t)schedule_interval(&mbit10, 980, false), 800000);  /* 1000 bytes: 8000 bits at 10 Mbit/s */
	eq_u64((uint64_t)schedule_interval(&mbit10, 960, true), 800000);
	eq_u64((uint64_t)schedule_interval(&max, 960, true), 0);
}

TEST(a_stall_ends_in_a_short_burst_and_the_rest_is_counted)
{
	struct schedule s = timetable(SCN_CONSTANT, 10000, 10 * NS_PER_S, 0);
	uint64_t oldest_ns, taken = 0, worst_ns, burst = 0;
	uint32_t n;

	for (int i = 0; i < 1000; i++)
		taken += schedule_take(&s, s.next_ns, 64, &oldest_ns);
	/* 2 s in which the process did not run, though it had 20 000 packets to send */
	while ((n = schedule_take(&s, BASE + 2 * NS_PER_S, 64, &oldest_ns)) > 0)
		burst += n;
	ok(burst >= 50 && burst <= 51);
	eq_u64(s.next_ns, BASE + 2 * NS_PER_S + 100000);
	taken += burst + run_ideal(&s, &worst_ns);
	eq_u64(taken + s.missed, 100000);
	eq_u64(s.missed, 19000 - burst + 1);
}

TEST(the_oldest_deadline_tells_the_whole_stall)
{
	struct schedule s = timetable(SCN_CONSTANT, 1000, 0, 0);
	uint64_t oldest_ns = 0;

	schedule_take(&s, BASE + NS_PER_S, 64, &oldest_ns);
	eq_u64(oldest_ns, BASE);
}

TEST(slow_generators_are_late_rather_than_short)
{
	struct schedule s = timetable(SCN_CONSTANT, 10, NS_PER_S, 0);
	uint64_t oldest_ns, taken = 0;

	for (uint64_t now_ns = BASE; now_ns < BASE + 2 * NS_PER_S; now_ns += 97000000) /* 97 ms: never in time */
		taken += schedule_take(&s, now_ns, 64, &oldest_ns);
	eq_u64(taken, 10);
	eq_u64(s.missed, 0);
}

TEST(the_last_packet_is_sent_though_its_stop_has_passed)
{
	struct schedule s = timetable(SCN_CONSTANT, 10, NS_PER_S, 0);
	uint64_t oldest_ns;

	for (int i = 0; i < 9; i++)
		schedule_take(&s, s.next_ns, 64, &oldest_ns);
	ok(!schedule_finished(&s, BASE + 2 * NS_PER_S));
	eq_u64(schedule_take(&s, BASE + 2 * NS_PER_S, 64, &oldest_ns), 1);
	ok(schedule_finished(&s, BASE + 2 * NS_PER_S));
	eq_u64(s.missed, 0);
}

TEST(one_call_takes_no_more_than_asked)
{
	struct schedule s = timetable(SCN_CONSTANT, 100000, 0, 0);
	uint64_t oldest_ns;

	eq_u64(schedule_take(&s, BASE + 4000000, 64, &oldest_ns), 64);
	eq_u64(schedule_take(&s, BASE - 1, 64, &oldest_ns), 0);
}

TEST(a_packet_count_ends_it_and_missed_ones_do_not_count)
{
	struct schedule s;
	uint64_t oldest_ns, taken = 0;

	schedule_init(&s, SCN_CONSTANT, 1e6L, 0, BASE, UINT64_MAX, 100);
	for (uint64_t now_ns = BASE; !schedule_finished(&s, now_ns); now_ns += NS_PER_S / 10)
		taken += schedule_take(&s, now_ns, 64, &oldest_ns);
	eq_u64(taken, 100);
	ok(s.missed > 0);
}

TEST(bursts_are_groups_of_ten_at_the_same_mean_rate)
{
	struct schedule s = timetable(SCN_BURST, 500, 10 * NS_PER_S, 0);
	uint64_t oldest_ns, worst_ns;

	eq_u64(schedule_take(&s, BASE, 64, &oldest_ns), 10);
	eq_u64(s.next_ns, BASE + 20000000);
	eq_u64(schedule_take(&s, BASE + 19999999, 64, &oldest_ns), 0);
	eq_u64(run_ideal(&s, &worst_ns), 4990);
	s = timetable(SCN_BURST, 500, 10 * NS_PER_S, 0);
	/* a stall gives up whole groups and sends the newest */
	eq_u64(schedule_take(&s, BASE + 65000000, 64, &oldest_ns), 10);
	eq_u64(s.missed, 30);
	eq_u64(s.next_ns, BASE + 80000000);
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
		n += schedule_take(&s, s.next_ns, 1, &oldest_ns);
	}
	near((double)n, 100000, 1000);                /* 3 sigma */
	near(sum / (double)n, 1e6, 1e4);
	near(squares / (double)n, 2e12, 6e10);        /* second moment of an exponential: 2 m^2 */
	s = timetable(SCN_POISSON, 1000, 100 * NS_PER_S, 42);
	eq_u64(run_ideal(&s, &worst_ns), n);          /* same seed, same departures */
	s = timetable(SCN_POISSON, 1000, 100 * NS_PER_S, 43);
	ok(s.next_ns != timetable(SCN_POISSON, 1000, 0, 42).next_ns);
}

TEST(poisson_stalls_are_bounded_and_counted)
{
	struct schedule ideal = timetable(SCN_POISSON, 10000, 10 * NS_PER_S, 7), s = ideal;
	uint64_t worst_ns, oldest_ns, total = run_ideal(&ideal, &worst_ns), taken = 0, burst = 0;
	uint32_t n;

	while ((n = schedule_take(&s, BASE + NS_PER_S, 64, &oldest_ns)) > 0)
		burst += n;
	ok(burst > 10 && burst < 120);
	taken = burst + run_ideal(&s, &worst_ns);
	eq_u64(taken + s.missed, total);
}

TEST(a_very_long_stall_costs_a_bounded_time_per_call)
{
	struct schedule s = timetable(SCN_POISSON, 1e6, 0, 7);
	uint64_t oldest_ns = 0;
	int calls = 0;

	while (s.next_ns < BASE + NS_PER_S && calls < 1000) {
		(void)schedule_take(&s, BASE + NS_PER_S, 64, &oldest_ns);
		calls++;
	}
	ok(calls > 10 && calls < 1000);
	s = timetable(SCN_CONSTANT, 1e9, 0, 7);
	ok(schedule_take(&s, BASE + 86400 * NS_PER_S, 64, &oldest_ns) == 64);
	near((double)s.missed, 86400e9, 6e6);
}

TEST(a_new_rate_counts_from_the_last_departure)
{
	struct schedule s = timetable(SCN_CONSTANT, 10, 0, 0);
	uint64_t oldest_ns;

	schedule_take(&s, BASE, 64, &oldest_ns);
	schedule_set_interval(&s, 1e9L, BASE + 50000000);   /* slower: a second after the last one */
	eq_u64(s.next_ns, BASE + NS_PER_S);
	schedule_set_interval(&s, 1e6L, BASE + 50000000);   /* faster, and that is past: now */
	eq_u64(s.next_ns, BASE + 50000000);
	schedule_set_interval(&s, 0, BASE + 60000000);
	eq_u64(schedule_take(&s, BASE + 60000000, 64, &oldest_ns), 64);
	schedule_set_interval(&s, 1e8L, BASE + 70000000);
	eq_u64(s.next_ns, BASE + 160000000);
}

TEST(maximum_is_always_due_until_stopped)
{
	struct schedule s;
	uint64_t oldest_ns;

	schedule_init(&s, SCN_POISSON, 0, 1, BASE, BASE + NS_PER_S, 100);
	eq_u64(schedule_take(&s, BASE - 1, 64, &oldest_ns), 0);
	eq_u64(schedule_take(&s, BASE, 64, &oldest_ns), 64);
	eq_u64(oldest_ns, BASE);
	ok(!schedule_finished(&s, BASE));
	ok(schedule_finished(&s, BASE + NS_PER_S));
	eq_u64(schedule_take(&s, BASE, 64, &oldest_ns), 36);
	ok(schedule_finished(&s, BASE));
}

TEST(rates_beyond_reason_do_no_harm)
{
	struct rate fast = {.unit = RATE_PPS, .value = 1e300}, slow = {.unit = RATE_PPS, .value = 1e-300};
	struct schedule s;
	uint64_t oldest_ns;

	schedule_init(&s, SCN_CONSTANT, schedule_interval(&fast, 64, false), 0, BASE, UINT64_MAX, 0);
	eq_u64(schedule_take(&s, BASE + 10, 64, &oldest_ns), 11);
	schedule_init(&s, SCN_CONSTANT, schedule_interval(&slow, 64, false), 0, BASE, UINT64_MAX, 0);
	eq_u64(schedule_take(&s, BASE, 64, &oldest_ns), 1);
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
