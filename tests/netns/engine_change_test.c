/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/traffic on a real kernel while its clock runs: generators come, go and change, the process stalls, packets do not come. Nothing
 * shifts, and what was given up is counted.
 */
#define T_AT_ONCE 4
#include "tests/netns/lan.h"

TEST(generators_come_go_and_change_while_the_clock_runs)
{
	static const uint32_t to1[] = {1};
	LAN_OR_SKIP(l, false);
	struct generator_spec spec = {.peers = to1, .n_peers = 1, .proto = SCN_UDP, .size = 64, .count = 7};
	struct engine *e = start(l);
	struct engine_event event;
	uint32_t number, slow;
	uint64_t before;

	eq_i64(engine_go(e, clock_ns()), 0);
	sleep_ms(50);
	spec.rate = (struct rate){.unit = RATE_PPS, .value = 1000};
	eq_i64(engine_add(e, &spec, &number), 0);
	await(e, ENGINE_DONE, &event);
	eq_u64(event.generator, number);
	eq_u64(engine_stream(e, 0)->received, 7);
	eq_u64(engine_generator(e, number)->state, GEN_DONE);

	slow = add(e, SCN_PING, 1, 0, to1, 1, 64, 0);
	sleep_ms(100);
	eq_u64(engine_generator(e, slow)->state, GEN_RUNNING);
	eq_u64(departures(e, slow), 1);
	eq_i64(engine_set_rate(e, slow, &spec.rate, 0), 0);
	sleep_ms(200);
	before = departures(e, slow);
	ok(before > 100);
	eq_i64(engine_set_rate(e, slow, &(struct rate){.unit = RATE_PPS, .value = 0.01}, 0), 0);
	sleep_ms(100);
	eq_i64(engine_stop(e, slow, 0), 0);
	await(e, ENGINE_DONE, &event);
	eq_u64(event.generator, slow);
	eq_u64(engine_stream(e, 1)->received, engine_stream(e, 1)->sent);
	eq_i64(engine_stop(e, 77, 0), -EINVAL);
	engine_end(e);
	lan_down(l);
}

TEST(a_stopped_generator_starts_again_with_its_counters)
{
	static const uint32_t to1[] = {1};
	LAN_OR_SKIP(l, false);
	struct engine *e = start(l);
	uint32_t ends = add(e, SCN_UDP, 1000, 0, to1, 1, 64, 100), other = add(e, SCN_PING, 100, 0, to1, 1, 64, 0);
	uint64_t zero_ns, start_ns;
	struct engine_event event;

	await(e, ENGINE_WARM, &event);
	zero_ns = clock_ns();
	eq_i64(engine_go(e, zero_ns), 0);
	await(e, ENGINE_DONE, &event);
	eq_u64(departures(e, ends), 100);
	eq_i64(engine_set_rate(e, ends, &(struct rate){.unit = RATE_PPS, .value = 2000}, 0), 0); /* kept until it sends */
	start_ns = clock_ns() - zero_ns + 50000000;
	eq_i64(engine_start_again(e, ends, start_ns, start_ns + 100000000), 0);
	await(e, ENGINE_DONE, &event);
	eq_u64(event.generator, ends);
	eq_u64(departures(e, ends), 300);
	eq_u64(engine_stream(e, 0)->received, 300);
	eq_u64(engine_stream(e, 0)->duplicates, 0);
	eq_u64(engine_generator(e, ends)->idle_ns, start_ns - 100000000);

	start_ns = clock_ns() - zero_ns;
	eq_i64(engine_start_again(e, other, start_ns, start_ns + 1), 0); /* it sends already: that would end it */
	sleep_ms(50);
	eq_u64(engine_generator(e, other)->state, GEN_RUNNING);
	eq_u64(engine_generator(e, other)->idle_ns, 0);
	eq_i64(engine_stop(e, other, 0), 0);
	eq_i64(engine_start_again(e, other, start_ns, 0), 0); /* before it has come to its end */
	sleep_ms(50);
	eq_u64(engine_generator(e, other)->state, GEN_RUNNING);
	eq_i64(engine_start_again(e, 77, 0, 0), -EINVAL);
	eq_i64(engine_stop_all(e, 1, 2, 0), -EINVAL); /* there is no third one */
	eq_i64(engine_start_all(e, 0, UINT32_MAX, 1, 0), -EINVAL);
	eq_i64(engine_stop_all(e, 0, 0, 0), -EINVAL);
	eq_i64(engine_start_again(e, ends, 2, 2), -EINVAL);
	eq_i64(engine_drain(e), 0);
	await(e, ENGINE_DRAINED, &event);
	eq_u64(engine_stream(e, 1)->received, engine_stream(e, 1)->sent);
	engine_end(e);
	lan_down(l);
}

/* Neither a lab that tells it early nor a machine that stalls shifts anything: 100 of the first rate, 400 of the second, and 200 after
 * the pause. */
TEST(changes_hold_from_their_time_on_whatever_stalls)
{
	static const uint32_t to1[] = {1};
	LAN_OR_SKIP(l, false);
	struct engine *e = start(l);
	uint32_t number = add(e, SCN_UDP, 1000, 0, to1, 1, 64, 0), never = add(e, SCN_UDP, 1000, 0, to1, 1, 64, 0);
	struct engine_event event;

	await(e, ENGINE_WARM, &event);
	eq_i64(engine_set_rate(e, number, &(struct rate){.unit = RATE_PPS, .value = 2000}, 100000000), 0);
	eq_i64(engine_stop(e, number, 300000000), 0);
	eq_i64(engine_start_again(e, number, 400000000, 500000000), 0);
	eq_i64(engine_stop(e, never, 1), 0);
	eq_i64(engine_go(e, clock_ns()), 0);
	sleep_ms(50);
	eq_i64(kill(engine_pid(e), SIGSTOP), 0);
	sleep_ms(370);
	eq_i64(kill(engine_pid(e), SIGCONT), 0);
	while (departures(e, number) < 700 && await(e, ENGINE_DONE, &event))
		; /* it stops twice */
	eq_u64(departures(e, number), 700);
	eq_u64(engine_generator(e, number)->missed, 0);
	eq_u64(engine_generator(e, number)->idle_ns, 100000000);
	eq_u64(departures(e, never), 1);
	engine_end(e);
	lan_down(l);
}

TEST(a_generator_that_waits_starts_early)
{
	static const uint32_t to1[] = {1};
	LAN_OR_SKIP(l, false);
	struct engine *e = start(l);
	struct generator_spec spec = {
		.peers = to1, .n_peers = 1, .proto = SCN_UDP, .size = 64, .rate = {.unit = RATE_PPS, .value = 1000},
		.start_ns = 3600000000000, .stop_ns = 3700000000000,
	};
	struct engine_event event;
	uint64_t zero_ns;
	uint32_t number;

	eq_i64(engine_add(e, &spec, &number), 0);
	await(e, ENGINE_WARM, &event);
	zero_ns = clock_ns();
	eq_i64(engine_go(e, zero_ns), 0);
	eq_i64(engine_start_again(e, number, 50000000, 150000000), 0);
	await(e, ENGINE_DONE, &event);
	eq_u64(departures(e, number), 100);
	eq_u64(engine_generator(e, number)->idle_ns, 0);
	engine_end(e);
	lan_down(l);
}

TEST(draining_ends_soon_when_packets_do_not_come)
{
	static const uint32_t to1[] = {1}, to2[] = {2};
	LAN_OR_SKIP(l, false);
	struct engine *e = start(l);
	struct engine_event event;
	uint64_t begin_ns;

	add(e, SCN_UDP, 100, 0, to1, 1, 64, 0);
	add(e, SCN_PING, 100, 0, to2, 1, 64, 0);
	await(e, ENGINE_WARM, &event);
	eq_i64(engine_go(e, clock_ns()), 0);
	sleep_ms(100);
	set_link(l, 1, false);
	sleep_ms(100);
	begin_ns = clock_ns();
	eq_i64(engine_drain(e), 0);
	add(e, SCN_PING, 100, 0, to2, 1, 64, 0); /* too late: the end would not come */
	await(e, ENGINE_FAILED, &event);
	eq_str(event.text, "traffic from c0: cannot start while the lab is ending on c0: Operation canceled");
	await(e, ENGINE_DRAINED, &event);
	near((double)(clock_ns() - begin_ns), 1e9, 0.3e9);
	ok(engine_stream(e, 0)->received < engine_stream(e, 0)->sent);
	ok(engine_stream(e, 0)->received > 0);
	eq_u64(engine_stream(e, 1)->received, engine_stream(e, 1)->sent);
	engine_end(e);
	lan_down(l);
}

/* Two generators, 10 000 and 100 packets a second, whose process does not run for a while. */
static void stall(unsigned run_ms, unsigned at_ms, unsigned stall_ms, uint64_t late_ms)
{
	static const uint32_t to1[] = {1};
	LAN_OR_SKIP(l, false);
	struct engine *e = start(l);
	struct engine_event event;
	uint64_t begin_ns;

	add(e, SCN_UDP, 10000, 0, to1, 1, 64, run_ms);
	add(e, SCN_PING, 100, 0, to1, 1, 64, run_ms);
	await(e, ENGINE_WARM, &event);
	eq_i64(engine_go(e, clock_ns()), 0);
	begin_ns = clock_ns();
	sleep_ms(at_ms);
	eq_i64(kill(engine_pid(e), SIGSTOP), 0);
	sleep_ms(stall_ms);
	eq_i64(kill(engine_pid(e), SIGCONT), 0);
	await(e, ENGINE_DONE, &event);
	await(e, ENGINE_DONE, &event);
	ok(clock_ns() - begin_ns < (run_ms + 1000ull) * 1000000);
	for (uint32_t i = 0; i < 2; i++) {
		const struct generator_count *g = engine_generator(e, i);
		const struct stream_count *s = engine_stream(e, i);
		uint64_t planned = (i ? 100 : 10000) * run_ms / 1000;

		t_note("generator %u: %" PRIu64 " sent, %" PRIu64 " missed, slip %" PRIu64 " us", i, s->sent, g->missed,
		       g->slip_max_ns / 1000);
		eq_u64(departures(e, i), planned);
		eq_u64(s->received, s->sent);
		ok(g->slip_max_ns >= (stall_ms - 20) * 1000000ull);
		ok(g->late >= planned / run_ms * (stall_ms < 1000 ? stall_ms : 1000) / 2 && g->late <= s->sent);
		if (stall_ms < 1000)
			eq_u64(g->missed, 0);
		else
			near((double)g->missed / (double)planned, (stall_ms - 1000.0) / run_ms, 0.1);
		ok(g->last_ns < begin_ns + (run_ms + late_ms) * 1000000);
	}
	engine_end(e);
	lan_down(l);
}

TEST(a_stall_is_caught_up_with_before_the_end)
{
	stall(1000, 200, 300, 60);
}

TEST(a_stall_over_the_end_loses_nothing)
{
	stall(600, 300, 500, 450);
}

TEST(what_is_too_late_is_given_up_and_counted)
{
	stall(2000, 200, 1300, 900);
}
