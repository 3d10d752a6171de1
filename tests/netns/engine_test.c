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
