/* SPDX-License-Identifier: Apache-2.0 */
/* lab/traffic on a real kernel: what the engine says it sent and received is what the interfaces counted. */
#define T_AT_ONCE 4
#include "tests/netns/lan.h"

static void exact_counts(bool ipv6)
{
	static const uint32_t to12[] = {1, 2}, to2[] = {2};
	const uint64_t overhead = ipv6 ? ETH_IP6 : ETH_IP4;
	struct interface_count before[CLIENTS], n[CLIENTS];
	LAN_OR_SKIP(l, ipv6);
	struct engine *e = start(l);
	const struct stream_count *s;
	struct engine_event event;
	uint64_t udp1, udp2, ping;

	add(e, SCN_UDP, 500, 0, to12, 2, 1024, 1000);
	add(e, SCN_PING, 100, 1, to2, 1, 128, 1000);
	await(e, ENGINE_WARM, &event);
	if (ipv6)
		sleep_ms(MLD_MS);
	for (int i = 0; i < CLIENTS; i++)
		before[i] = read_counts(l, i);
	run_for(e, 1000);
	for (int i = 0; i < CLIENTS; i++)
		n[i] = counts_since(l, i, before[i]);
	eq_u64(departures(e, 0), 500);
	eq_u64(departures(e, 1), 100);
	eq_u64(engine_streams(e), 3);
	for (uint32_t i = 0; i < 3; i++) {
		s = engine_stream(e, i);
		eq_u64(s->received, s->sent);
		eq_u64(s->highest, s->sent);
		eq_u64(s->duplicates + s->reordered + s->send_errors, 0);
		/* round trips, and one way */
		ok(s->rtt_min_ns > 0 && s->rtt_min_ns <= s->rtt_max_ns && s->rtt_max_ns < NS_PER_S);
		ok(s->rtt_sum_ns >= s->rtt_min_ns * s->sent && s->rtt_sum_ns <= s->rtt_max_ns * s->sent);
		ok(s->jitter_sum_ns > 0 && s->jitter_sum_ns <= (s->rtt_max_ns - s->rtt_min_ns) * (s->sent - 1));
	}
	udp1 = engine_stream(e, 0)->sent;
	udp2 = engine_stream(e, 1)->sent;
	ping = engine_stream(e, 2)->sent;
	ok(udp1 - udp2 <= 1); /* in turn */
	eq_u64(n[0].tx_packets, udp1 + udp2);
	eq_u64(n[0].tx_bytes, (udp1 + udp2) * (1024 + overhead));
	eq_u64(n[0].rx_packets, 0);
	eq_u64(n[1].rx_packets, udp1 + ping);
	eq_u64(n[1].tx_packets, ping);
	eq_u64(n[1].tx_bytes, ping * (128 + overhead));
	eq_u64(n[2].rx_packets, udp2 + ping);
	eq_u64(n[2].tx_packets, ping);
	eq_u64(engine_health(e)->overruns + engine_health(e)->foreign, 0);
	engine_end(e);
	lan_down(l);
}

TEST(counts_are_those_of_the_interfaces_ipv4)
{
	exact_counts(false);
}

TEST(counts_are_those_of_the_interfaces_ipv6)
{
	exact_counts(true);
}

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

/* Orders n generators from client 0, UDP, while the child stands still: it finds them all at once. */
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

static void add_while_stopped(struct engine *e, uint32_t n, const uint32_t *peer)
{
	eq_i64(kill(engine_pid(e), SIGSTOP), 0);
	for (uint32_t i = 0; i < n; i++)
		add(e, SCN_UDP, 10, 0, peer, 1, 64, 0);
	eq_i64(kill(engine_pid(e), SIGCONT), 0);
}

/* The child takes 64 orders at a time: its last one may be the last there is. */
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

TEST(too_large_packets_are_send_errors_not_fragments)
{
	static const uint32_t to1[] = {1};

	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		LAN_OR_SKIP(l, ipv6);
		struct engine *e = start(l);
		struct interface_count before;
		struct engine_event event;
		uint32_t fits = MTU - (ipv6 ? 40 : 20);
		uint64_t sent = 0;

		for (int proto = 0; proto < SCN_PROTO_MAX; proto++) {
			add(e, proto, 100, 0, to1, 1, fits + 1, 100);
			add(e, proto, 100, 0, to1, 1, fits, 100);
			add(e, proto, 100, 0, to1, 1, TRAFFIC_SIZE_MIN, 100);
			add(e, proto, 100, 0, to1, 1, TRAFFIC_SIZE_MAX, 100);
		}
		await(e, ENGINE_WARM, &event);
		before = read_counts(l, 0);
		run_for(e, 100);
		for (uint32_t i = 0; i < 8; i++) {
			const struct stream_count *s = engine_stream(e, i);

			t_note("IPv%d generator %u", ipv6 ? 6 : 4, i);
			eq_u64(departures(e, i), 10);
			eq_u64(s->received, s->sent);
			sent += s->sent;
			if (i % 4 == 0 || i % 4 == 3)
				eq_u64(s->sent, 0);
			else
				eq_u64(s->send_errors, 0);
		}
		if (!ipv6) /* where the kernel has reports of its own to send */
			eq_u64(counts_since(l, 0, before).tx_packets, sent);
		engine_end(e);
		lan_down(l);
	}
}

TEST(patterns_keep_the_mean_and_share_a_socket)
{
	static const uint32_t to1[] = {1};
	LAN_OR_SKIP(l, false);
	struct generator_spec spec = {.client = 0, .peers = to1, .n_peers = 1, .size = 64, .stop_ns = NS_PER_S};
	struct engine *e = start(l);
	struct engine_event event;
	uint32_t number;

	spec.rate = (struct rate){.unit = RATE_PPS, .value = 200};
	for (spec.pattern = 0; spec.pattern < SCN_PATTERN_MAX; spec.pattern++) {
		for (spec.proto = 0; spec.proto < SCN_PROTO_MAX; spec.proto++) {
			spec.phase_ns = spec.pattern == SCN_CONSTANT ? 7000000 : 0; /* ceil((1 - 0.007) * 200) */
			eq_i64(engine_add(e, &spec, &number), 0);
		}
	}
	await(e, ENGINE_WARM, &event);
	run_for(e, 1000);
	for (uint32_t i = 0; i < engine_streams(e); i++)
		eq_u64(engine_stream(e, i)->received, engine_stream(e, i)->sent);
	for (uint32_t i = 0; i < SCN_PROTO_MAX; i++) {
		eq_u64(departures(e, SCN_CONSTANT * SCN_PROTO_MAX + i), 199);
		near((double)departures(e, SCN_POISSON * SCN_PROTO_MAX + i), 200, 70);
		eq_u64(departures(e, SCN_BURST * SCN_PROTO_MAX + i), 200);
	}
	/* The same seed. */
	eq_u64(departures(e, SCN_POISSON * SCN_PROTO_MAX), departures(e, SCN_POISSON * SCN_PROTO_MAX + 1));
	engine_end(e);
	lan_down(l);
}

TEST(the_highest_rate_is_counted_exactly_and_leaves_others_alone)
{
	static const uint32_t to1[] = {1}, to2[] = {2};
	struct interface_count before;
	LAN_OR_SKIP(l, false);
	struct engine *e = start(l);
	struct engine_event event;
	uint64_t sent;

	add(e, SCN_UDP, 0, 0, to1, 1, 64, 500);
	add(e, SCN_PING, 100, 0, to2, 1, 64, 500);
	await(e, ENGINE_WARM, &event);
	before = read_counts(l, 0);
	run_for(e, 500);
	sent = engine_stream(e, 0)->sent;
	t_note("%" PRIu64 " packets a second", 2 * sent);
	ok(sent > 1000);
	eq_u64(engine_stream(e, 0)->received + engine_health(e)->overruns, sent);
	eq_u64(departures(e, 1), 50);
	eq_u64(engine_stream(e, 1)->received, engine_stream(e, 1)->sent);
	/* The interface sees each batch as one super-packet. */
	eq_u64(sent % TRANSFER_BATCH, 0);
	eq_u64(counts_since(l, 0, before).tx_packets, sent / TRANSFER_BATCH + engine_stream(e, 1)->sent);
	engine_end(e);
	lan_down(l);
}

TEST(a_batch_is_shared_out_as_if_in_turn)
{
	static const uint32_t to12[] = {1, 2};
	LAN_OR_SKIP(l, false);
	struct engine *e = start(l);
	struct engine_event event;

	struct generator_spec spec = {
		.client = 0, .peers = to12, .n_peers = 2, .proto = SCN_UDP, .rate = {.unit = RATE_MAXIMUM}, .size = 1000, .count = 641,
	};
	uint32_t number;

	eq_i64(engine_add(e, &spec, &number), 0);
	await(e, ENGINE_WARM, &event);
	eq_i64(engine_go(e, clock_ns()), 0);
	await(e, ENGINE_DONE, &event);
	eq_u64(engine_stream(e, 0)->sent, 321);
	eq_u64(engine_stream(e, 1)->sent, 320);
	eq_u64(engine_stream(e, 0)->received, 321);
	eq_u64(engine_stream(e, 1)->received, 320);
	engine_end(e);
	lan_down(l);
}

/* Sends a datagram to a client's sink from outside the engine. */
static void send_to_sink(const struct lan *l, int from, int to, const void *data, size_t len)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(TRAFFIC_SINK_PORT)};
	int fd = socket_in(l, from, AF_INET, SOCK_DGRAM, 0);

	memcpy(&addr.sin_addr, l->clients[to].addr.b + 12, 4);
	eq_i64(sendto(fd, data, len, 0, (struct sockaddr *)&addr, sizeof(addr)), (int64_t)len);
	close(fd);
}

TEST(foreign_datagrams_are_ignored_and_copies_counted_as_such)
{
	static const uint32_t to12[] = {1, 2};
	LAN_OR_SKIP(l, false);
	int tap = socket_in(l, 1, AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));
	uint8_t packet[256] = {0}, *payload = packet + 28;
	struct engine *e = start(l);
	const size_t len = 64 - 8;
	struct engine_event event;

	add(e, SCN_UDP, 100, 0, to12, 2, 64, 0);
	await(e, ENGINE_WARM, &event);
	eq_i64(engine_go(e, clock_ns()), 0);
	sleep_ms(100);
	if (!ok(recv(tap, packet, sizeof(packet), 0) == 20 + 64))
		return;
	send_to_sink(l, 2, 1, "hello", 5);
	send_to_sink(l, 2, 1, "", 0);
	send_to_sink(l, 2, 1, payload, len);     /* a copy of what c1 has had */
	send_to_sink(l, 2, 1, payload, len - 1); /* cut */
	send_to_sink(l, 0, 2, payload, len);     /* not c2's stream */
	payload[16] = 0xff;                      /* a sequence number that was never sent */
	send_to_sink(l, 2, 1, payload, len);
	payload[16] = 0;
	payload[4] = 0xff;                       /* a stream that is not there */
	send_to_sink(l, 2, 1, payload, len);
	payload[4] = 0;
	payload[8] ^= 1;                         /* another run's cookie */
	send_to_sink(l, 2, 1, payload, len);
	eq_i64(engine_drain(e), 0);
	await(e, ENGINE_DRAINED, &event);
	eq_u64(engine_stream(e, 0)->duplicates, 1);
	eq_u64(engine_stream(e, 1)->duplicates, 0);
	for (uint32_t i = 0; i < 2; i++)
		eq_u64(engine_stream(e, i)->received, engine_stream(e, i)->sent);
	eq_u64(engine_health(e)->foreign, 7);
	close(tap);
	engine_end(e);
	lan_down(l);
}

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

TEST(orders_that_make_no_sense_are_refused)
{
	static const uint32_t to1[] = {1}, to9[] = {9};
	LAN_OR_SKIP(l, false);
	struct generator_spec good = {.client = 0, .peers = to1, .n_peers = 1, .size = 64, .rate.value = 1}, bad;
	struct engine *e = NULL;
	struct engine_event event;
	uint32_t number;
	int none = open("/dev/null", O_RDONLY | O_CLOEXEC), ns[CLIENTS];

	memcpy(ns, l->ns, sizeof(ns));
	ns[2] = none; /* no namespace at all */
	if (!eq_i64(engine_start(&l->plan, ns, 1, &e), 0))
		return;
	bad = good, bad.client = CLIENTS;
	eq_i64(engine_add(e, &bad, &number), -EINVAL);
	bad = good, bad.peers = to9;
	eq_i64(engine_add(e, &bad, &number), -EINVAL);
	bad = good, bad.n_peers = 0;
	eq_i64(engine_add(e, &bad, &number), -EINVAL);
	bad = good, bad.size = TRAFFIC_SIZE_MIN - 1;
	eq_i64(engine_add(e, &bad, &number), -EINVAL);
	bad = good, bad.size = TRAFFIC_SIZE_MAX + 1;
	eq_i64(engine_add(e, &bad, &number), -EINVAL);
	bad = good, bad.rate.value = 0;
	eq_i64(engine_add(e, &bad, &number), -EINVAL);
	bad = good, bad.client = 2;
	eq_i64(engine_add(e, &bad, &number), 0);
	await(e, ENGINE_FAILED, &event);
	eq_str(event.text, "traffic from c2: cannot enter its namespace on c2: Invalid argument");
	eq_i64(engine_add(e, &good, &number), -ENOSPC);
	await(e, ENGINE_WARM, &event); /* nothing is left to wait for */
	close(none);
	engine_end(e);
	lan_down(l);
}
