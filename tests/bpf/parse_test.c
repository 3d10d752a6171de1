/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parsers in the kernel: the native parser's tables, frames of every length, and whose frame it is, through
 * bpf_prog_test_run. Needs root; skips aloud without.
 */
#include <errno.h>

#include "tests/bpf/kit.h"

/* Each row sent, received and sent again: a flow that has its slot already is met in both directions. */
static void check_cases(enum monitor_parser parser)
{
	struct monitor_config config = {.promiscuous = true, .parser = parser};
	struct flow_table before = {0}, after = {0};
	struct monitor *m = open_monitor(&config);

	if (!m)
		return;
	for (int i = 0; i < 3 * N_PACKET_CASES; i++) {
		const struct packet_case *c = packet_case(i / 3);
		enum flow_dir dir = i % 3 == 1 ? FLOW_RX : FLOW_TX;
		const struct frame_count *was, *is;
		struct flow_count want, got = {0};
		const struct flow_row *row;
		struct flow_key key;
		struct packet p;
		bool good = true;

		case_build(c, &p);
		good &= eq_i64(flows_read(m, &before), 0);
		good &= eq_i64(run(m, dir, &p, p.len, c), -1); /* TC_ACT_UNSPEC */
		good &= eq_i64(flows_read(m, &after), 0);

		case_count(c, &p, &want);
		was = &before.hosts[0].dir[dir].verdict[c->verdict];
		is = &after.hosts[0].dir[dir].verdict[c->verdict];
		good &= eq_u64(is->packets - was->packets, want.packets);
		good &= eq_u64(is->bytes - was->bytes, want.bytes);
		good &= eq_u64(after.total.dir[dir].seen - before.total.dir[dir].seen, 1);
		good &= eq_u64(after.total.dir[dir].seen_bytes -
				       before.total.dir[dir].seen_bytes, p.len);
		good &= eq_u64(after.total.dir[!dir].seen, before.total.dir[!dir].seen);
		good &= eq_u64(after.total.dir[dir].later_fragments -
				       before.total.dir[dir].later_fragments, c->later_fragment);
		case_key(c, &key);
		row = flows_find(&after, &key);
		if (c->verdict == VERDICT_FLOW && (good &= ok(row != NULL))) {
			const struct flow_row *old = flows_find(&before, &key);

			got = dir == FLOW_TX ? row->value.tx : row->value.rx;
			if (old) {
				const struct flow_count *o =
					dir == FLOW_TX ? &old->value.tx : &old->value.rx;

				got.packets -= o->packets;
				got.bytes -= o->bytes;
				got.inner_bytes -= o->inner_bytes;
			}
			good &= eq_u64(got.packets, want.packets);
			good &= eq_u64(got.bytes, want.bytes);
			good &= eq_u64(got.inner_bytes, want.inner_bytes);
		}
		if (!good)
			t_note("in row %d, %s, %s: %s", i / 3, monitor_parser_names[parser],
			       (const char *[]){"egress", "ingress", "egress again"}[i % 3], c->what);
	}
	flows_free(&before);
	flows_free(&after);
	monitor_free(m);
}

TEST(the_kernel_parses_as_the_native_parser_does)
{
	if (!is_root())
		skip("needs root");
	check_cases(MONITOR_DIRECT);
}

TEST(the_kernel_parses_by_tail_calls_as_the_native_parser_does)
{
	if (!is_root())
		skip("needs root");
	check_cases(MONITOR_TAILCALL);
}

/* test_run takes nothing shorter than an Ethernet and the IP header it announces. */
static void check_lengths(enum monitor_parser parser)
{
	struct monitor_config config = {.promiscuous = true, .parser = parser};
	struct flow_table table = {0};
	uint64_t want[VERDICT_MAX] = {0};
	struct monitor *m = open_monitor(&config);

	if (!m)
		return;
	for (int i = 0; i < N_PACKET_CASES; i++) {
		const struct packet_case *c = packet_case(i);
		struct packet p;
		bool good = true;

		if (c->gso_size)
			continue;
		case_build(c, &p);
		for (size_t n = 14; n <= p.len && n < 300 && good; n++) {
			struct parsed parsed;
			struct cursor cursor;
			int ret = run(m, n % 2 ? FLOW_TX : FLOW_RX, &p, n, c);

			if (ret == -EINVAL && n < 14 + 40)
				continue;
			good &= eq_i64(ret, -1);
			cursor_init(&cursor, p.data, n, n);
			want[parse_frame(&cursor, ports, &parsed)]++;
		}
		eq_i64(flows_read(m, &table), 0);
		for (int v = 0; v < VERDICT_MAX; v++)
			good &= eq_u64(table.total.dir[FLOW_TX].verdict[v].packets +
				       table.total.dir[FLOW_RX].verdict[v].packets, want[v]);
		if (!good) {
			t_note("in row %d, %s: %s", i, monitor_parser_names[parser], c->what);
			break;
		}
	}
	flows_free(&table);
	monitor_free(m);
}

TEST(frames_of_every_length_get_the_native_verdict)
{
	if (!is_root())
		skip("needs root");
	for (int parser = 0; parser < MONITOR_PARSER_MAX; parser++)
		check_lengths(parser);
}

static void check_other_hosts(enum monitor_parser parser)
{
	struct monitor_config config = {.parser = parser};
	struct flow_table table = {0};
	struct monitor *m = open_monitor(&config);
	struct packet p;

	if (!m)
		return;
	build_flow(&p, 1); /* to 02:00:00:00:00:02, which is not the loopback device's address */
	eq_i64(run(m, FLOW_RX, &p, p.len, NULL), -1);
	eq_i64(run(m, FLOW_TX, &p, p.len, NULL), -1);
	memset(p.data, 0, 6);
	eq_i64(run(m, FLOW_RX, &p, p.len, NULL), -1);
	eq_i64(flows_read(m, &table), 0);
	eq_u64(table.total.dir[FLOW_RX].seen, 2);
	eq_u64(table.total.dir[FLOW_RX].verdict[VERDICT_OTHERHOST].packets, 1);
	eq_u64(table.total.dir[FLOW_RX].verdict[VERDICT_OTHERHOST].bytes, p.len);
	eq_u64(table.total.dir[FLOW_RX].verdict[VERDICT_FLOW].packets, 1);
	eq_u64(table.total.dir[FLOW_TX].verdict[VERDICT_FLOW].packets, 1);
	eq_u64(table.total.dir[FLOW_TX].verdict[VERDICT_OTHERHOST].packets, 0);
	flows_free(&table);
	monitor_free(m);
}

TEST(frames_for_other_hosts_are_not_received)
{
	if (!is_root())
		skip("needs root");
	for (int parser = 0; parser < MONITOR_PARSER_MAX; parser++)
		check_other_hosts(parser);
}

TEST(interfaces_that_are_no_hosts_are_counted_apart)
{
	static const struct {
		uint32_t base, n_hosts;
		int host; /* -1: stray */
	} rows[] = {
		{1, 1, 0}, {1, 9, 0}, {0, 9, 1}, {0, 2, 1},
		{0xffffffff, 9, 2}, {2, 9, -1}, {100, 9, -1},
	};

	if (!is_root())
		skip("needs root");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct monitor_config config = {
			.base_ifindex = rows[i].base,
			.n_hosts = rows[i].n_hosts,
		};
		struct flow_table table = {0};
		struct monitor *m = NULL;
		struct error err;
		struct packet p;

		build_flow(&p, 1);
		if (!eq_i64(monitor_open(&config, &err, &m), 0))
			return;
		eq_i64(run(m, FLOW_TX, &p, p.len, NULL), -1);
		eq_i64(flows_read(m, &table), 0);
		eq_u64(table.total.dir[FLOW_TX].seen, 1);
		eq_u64(table.stray.dir[FLOW_TX].seen, rows[i].host < 0);
		if (rows[i].host >= 0)
			eq_u64(table.hosts[rows[i].host].dir[FLOW_TX].seen, 1);
		eq_u64(table.n, 1);
		flows_free(&table);
		monitor_free(m);
	}
}
