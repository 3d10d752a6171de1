/* SPDX-License-Identifier: Apache-2.0 */
/* Before lab/traffic sends, on a real kernel: who is asked for the peers' link addresses, and when generators are warm. */
#define T_AT_ONCE 4
#include "tests/netns/lan.h"

/* Frames a client's interface has seen, by kind. */
static void count_frames(int fd, uint32_t *ret_ip, uint32_t *ret_other)
{
	uint8_t frame[2048];

	*ret_ip = *ret_other = 0;
	for (ssize_t n; (n = recv(fd, frame, sizeof(frame), 0)) > 0;) {
		if (n > 14 && frame[12] == 0x08 && frame[13] == 0x00)
			++*ret_ip;
		else
			++*ret_other;
	}
}

TEST(warming_sends_no_ip_packet_and_the_first_one_is_not_flooded)
{
	static const uint32_t to1[] = {1};
	LAN_OR_SKIP(l, false);
	int sender = socket_in(l, 0, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	struct interface_count bystander;
	struct engine *e = start(l);
	struct engine_event event;
	uint32_t ip, arp;

	add(e, SCN_UDP, 1000, 0, to1, 1, 64, 100);
	await(e, ENGINE_WARM, &event);
	eq_u64(engine_generator(e, 0)->state, GEN_READY);
	eq_u64(engine_generator(e, 0)->unresolved, 0);
	ok(engine_generator(e, 0)->cold_ns > 0 && engine_generator(e, 0)->cold_ns < NS_PER_S);
	count_frames(sender, &ip, &arp);
	eq_u64(ip, 0);
	eq_u64(arp, 2); /* question and answer */
	bystander = read_counts(l, 2);
	run_for(e, 100);
	eq_u64(counts_since(l, 2, bystander).rx_packets, 0);
	count_frames(sender, &ip, &arp);
	eq_u64(ip, engine_stream(e, 0)->sent);
	eq_u64(arp, 0);
	close(sender);
	engine_end(e);
	lan_down(l);
}

/* As the plan's generators of a large lab; nobody says a word before the first packet. */
static void nobody_asks(bool ipv6)
{
	static const uint32_t to12[] = {1, 2};
	LAN_OR_SKIP(l, ipv6);
	int sender = socket_in(l, 0, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	struct engine *e = start(l);
	struct engine_event event;
	uint32_t ip, arp, number;

	for (int proto = 0; proto < 2; proto++) {
		struct generator_spec spec = {
			.client = 0, .peers = to12, .n_peers = 2, .proto = proto ? SCN_PING : SCN_UDP, .size = 64, .count = 50,
			.rate = {.unit = RATE_PPS, .value = 1000}, .known = true,
		};

		eq_i64(engine_add(e, &spec, &number), 0);
	}
	await(e, ENGINE_WARM, &event);
	if (ipv6)
		sleep_ms(MLD_MS);
	count_frames(sender, &ip, &arp);
	run_out(e);
	count_frames(sender, &ip, &arp);
	if (!ipv6) /* IPv6 asks in IP, and says other things as well */
		eq_u64(arp, 0);
	for (uint32_t i = 0; i < 2; i++) {
		eq_u64(departures(e, i), 50);
		eq_u64(engine_generator(e, i)->unresolved, 0);
		eq_u64(engine_generator(e, i)->known, 1);
	}
	for (uint32_t i = 0; i < engine_streams(e); i++)
		eq_u64(engine_stream(e, i)->received, engine_stream(e, i)->sent);
	close(sender);
	engine_end(e);
	lan_down(l);
}

TEST(known_neighbours_are_not_asked_ipv4)
{
	nobody_asks(false);
}

TEST(known_neighbours_are_not_asked_ipv6)
{
	nobody_asks(true);
}

/* As in a VNI with so many clients that questions to all must go one by one: each waits for the answer to the one before. */
static void ask_one_by_one(bool ipv6)
{
	static const uint32_t to12[] = {1, 2}, to123[] = {1, ABSENT, 2};
	LAN_OR_SKIP(l, ipv6);
	struct engine_event event;
	struct engine *e;

	l->vni.n_clients = 1000;
	e = start(l);
	add(e, SCN_UDP, 1000, 0, to12, 2, 64, 100);
	await(e, ENGINE_WARM, &event);
	eq_u64(engine_generator(e, 0)->unresolved, 0);
	/* Who has just got an IPv6 address hears the first question only after work of the kernel's own, which waits for a busy machine. */
	ok(engine_generator(e, 0)->cold_ns < (ipv6 ? 3 : 1) * NS_PER_S);
	add(e, SCN_PING, 1000, 0, to123, 3, 64, 100);
	await(e, ENGINE_WARM, &event);
	eq_u64(engine_generator(e, 1)->unresolved, 1); /* it kept the one behind it waiting, but not for ever */
	engine_end(e);
	lan_down(l);
}

TEST(questions_that_are_copied_to_many_go_one_by_one_ipv4)
{
	ask_one_by_one(false);
}

TEST(questions_that_are_copied_to_many_go_one_by_one_ipv6)
{
	ask_one_by_one(true);
}

/* Orders n generators from client 0, UDP, while the child stands still: it finds them all at once. */
static void add_while_stopped(struct engine *e, uint32_t n, const uint32_t *peer)
{
	eq_i64(kill(engine_pid(e), SIGSTOP), 0);
	for (uint32_t i = 0; i < n; i++)
		add(e, SCN_UDP, 10, 0, peer, 1, 64, 0);
	eq_i64(kill(engine_pid(e), SIGCONT), 0);
}

/* The child takes 64 orders at a time: its last one may be the last there is. */
TEST(any_number_of_generators_ordered_at_once_gets_warm)
{
	static const uint32_t numbers[] = {1, 63, 64, 65, 128}, to1[] = {1};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		LAN_OR_SKIP(l, false);
		struct engine *e = NULL;
		struct engine_event event;

		t_note("%u generators", numbers[i]);
		eq_i64(engine_start(&l->plan, l->ns, numbers[i], &e), 0);
		add_while_stopped(e, numbers[i], to1);
		if (await(e, ENGINE_WARM, &event))
			eq_u64(event.generator, numbers[i]);
		for (uint32_t g = 0; g < numbers[i]; g++)
			eq_u64(engine_generator(e, g)->state, GEN_READY);
		eq_i64(engine_read_event(e, &event), 0); /* said once */
		engine_end(e);
		lan_down(l);
	}
}

TEST(generators_ordered_one_by_one_get_warm)
{
	static const uint32_t to1[] = {1};
	LAN_OR_SKIP(l, false);
	struct engine *e = start(l);
	struct engine_event event;

	for (uint32_t i = 0; i < 65; i++) {
		add(e, SCN_UDP, 10, 0, to1, 1, 64, 0);
		if (await(e, ENGINE_WARM, &event))
			eq_u64(event.generator, i + 1);
	}
	for (uint32_t i = 65; i < 70; i++) { /* the lab does not look: only the last word counts */
		add(e, SCN_UDP, 10, 0, to1, 1, 64, 0);
		sleep_ms(5);
	}
	if (await(e, ENGINE_WARM, &event))
		eq_u64(event.generator, 70);
	eq_i64(engine_read_event(e, &event), 0);
	engine_end(e);
	lan_down(l);
}

/* More than can be resolved at once, and those in front are stopped: the rest takes their place. */
TEST(generators_that_wait_for_others_to_get_warm_do_so_when_those_are_stopped)
{
	static const uint32_t absent[] = {ABSENT}, to1[] = {1};
	enum { AT_ONCE = 256 };
	LAN_OR_SKIP(l, false);
	struct engine *e = NULL;
	struct engine_event event;
	uint64_t begin_ns = clock_ns();

	eq_i64(engine_start(&l->plan, l->ns, AT_ONCE + 64, &e), 0);
	for (uint32_t i = 0; i < AT_ONCE + 64; i++)
		add(e, SCN_UDP, 10, 0, i < AT_ONCE ? absent : to1, 1, 64, 0);
	for (uint32_t i = 0; i < AT_ONCE; i++)
		eq_i64(engine_stop(e, i, 0), 0);
	await(e, ENGINE_WARM, &event);
	ok(clock_ns() - begin_ns < 2 * NS_PER_S); /* nobody waited for the absent one */
	for (uint32_t i = 0; i < AT_ONCE + 64; i++)
		eq_u64(engine_generator(e, i)->state, i < AT_ONCE ? GEN_DONE : GEN_READY);
	engine_end(e);
	lan_down(l);
}

TEST(a_peer_that_does_not_answer_is_reported_and_holds_nobody_up_for_long)
{
	static const uint32_t peers[] = {1, ABSENT};
	LAN_OR_SKIP(l, false);
	struct engine *e = start(l);
	struct engine_event event;

	add(e, SCN_PING, 100, 0, peers, 2, 64, 500);
	await(e, ENGINE_WARM, &event);
	eq_u64(engine_generator(e, 0)->unresolved, 1);
	ok(engine_generator(e, 0)->cold_ns < 4 * NS_PER_S);
	run_for(e, 500);
	eq_u64(engine_stream(e, 0)->received, engine_stream(e, 0)->sent);
	eq_u64(engine_stream(e, 1)->received, 0);
	engine_end(e);
	lan_down(l);
}
