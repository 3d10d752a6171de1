/* SPDX-License-Identifier: Apache-2.0 */
/* monitor/flows.c and names.c: merging, sorting, names. No kernel. */
#include <stdlib.h>

#include "monitor/flows.h"
#include "tests/unit/t.h"

static struct flow_key key_of(uint32_t n)
{
	struct flow_key key = {.vni = n * 7919, .inner_ethertype = 0x0800, .encap = ENCAP_VXLAN};

	key.outer_src[15] = n;
	key.outer_dst[14] = n >> 8;
	key.inner_dst[15] = n >> 16;
	return key;
}

static const struct flow_value one = {.tx = {1, 100, 50}, .rx = {2, 200, 100}};

TEST(values_of_a_key_are_summed)
{
	struct flow_table table = {0};
	struct flow_key a = key_of(1), b = key_of(2), c = key_of(3);
	const struct flow_row *row;

	ok(flows_find(&table, &a) == NULL);
	eq_i64(flows_add(&table, &a, &one), 0);
	eq_i64(flows_add(&table, &b, &one), 0);
	eq_i64(flows_add(&table, &a, &one), 0);
	eq_u64(table.n, 2);
	row = flows_find(&table, &a);
	if (ok(row != NULL)) {
		eq_u64(row->value.tx.packets, 2);
		eq_u64(row->value.tx.bytes, 200);
		eq_u64(row->value.tx.inner_bytes, 100);
		eq_u64(row->value.rx.packets, 4);
		eq_u64(row->value.rx.bytes, 400);
		eq_u64(row->value.rx.inner_bytes, 200);
	}
	ok(flows_find(&table, &c) == NULL);
	flows_free(&table);
	flows_free(&table);
}

TEST(many_rows_are_kept_and_sorted)
{
	enum { N = 20000 };
	struct flow_table table = {0};

	eq_i64(flows_sort(&table), 0);
	for (uint32_t i = 0; i < 2 * N; i++) {
		struct flow_key key = key_of(i % N * 40503);

		if (!eq_i64(flows_add(&table, &key, &one), 0))
			break;
	}
	eq_u64(table.n, N);
	eq_i64(flows_sort(&table), 0);
	for (uint32_t i = 0; i < N; i += 4999) { /* a sorted table goes on */
		struct flow_key key = key_of(i * 40503);

		eq_i64(flows_add(&table, &key, &one), 0);
		eq_u64(flows_find(&table, &key)->value.tx.packets, 3);
		flows_entry(&table, &key, SIZE_MAX)->tx.packets--;
	}
	eq_u64(table.n, N);
	eq_i64(flows_sort(&table), 0);
	for (size_t i = 1; i < table.n; i++) {
		if (!ok(memcmp(&table.rows[i - 1].key, &table.rows[i].key,
			       sizeof(struct flow_key)) < 0))
			break;
	}
	for (uint32_t i = 0; i < N; i++) {
		struct flow_key key = key_of(i * 40503);
		const struct flow_row *row = flows_find(&table, &key);

		if (!ok(row && row->value.tx.packets == 2))
			break;
	}
	flows_clear(&table);
	eq_u64(table.n, 0);
	for (uint32_t i = 0; i < 3; i++) {
		struct flow_key key = key_of(i);

		ok(flows_find(&table, &key) == NULL);
		eq_i64(flows_add(&table, &key, &one), 0);
	}
	eq_u64(table.n, 3);
	flows_free(&table);
}

/* Keys that the kernel's program finds alike must not be alike here, where a row is looked for in order. */
TEST(keys_with_one_tag_are_not_slow)
{
	enum { N = 65536, ROOM = 4 * N };
	static uint8_t taken[ROOM];
	uint64_t seed = flows_seed();
	int clashes = 0;

	for (uint32_t i = 0; i < N; i++) {
		struct flow_key key = {.inner_ethertype = 0x86dd, .encap = ENCAP_VXLAN, .vni = 7};

		key.inner_src[0] = i >> 8;
		key.inner_src[1] = i;
		key.inner_src[15] = 7;
		clashes += taken[flows_hash(&key, seed) % ROOM]++ != 0;
	}
	t_note("%d of %d met another", clashes, N); /* random ones: 7495, deviation 83 */
	ok(clashes < 7495 + 10 * 83);
}

TEST(protocols_have_the_contracts_names)
{
	static const struct {
		uint16_t ethertype;
		uint8_t ipproto;
		const char *name;
	} rows[] = {
		{0x0800, 1, "ipv4/icmp"},
		{0x0800, 17, "ipv4/udp"},
		{0x0800, 89, "ipv4/89"},
		{0x0800, 0, "ipv4/0"},
		{0x0800, 255, "ipv4/255"},
		{0x86dd, 6, "ipv6/tcp"},
		{0x86dd, 58, "ipv6/icmpv6"},
		{0x0806, 0, "arp"},
		{0x88cc, 0, "0x88cc"},
		{0x0842, 0, "0x0842"},
		{FLOW_LLC, 0, "llc"},
	};
	char buf[FLOW_PROTO_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		eq_str(flow_proto_name(rows[i].ethertype, rows[i].ipproto, buf), rows[i].name);
	for (int proto = 0; proto < 256; proto++)
		ok(strlen(flow_proto_name(0x86dd, proto, buf)) < FLOW_PROTO_SIZE - 1);
	eq_str(encap_name(ENCAP_VXLAN), "vxlan");
	eq_str(encap_name(ENCAP_NONE), "none");
	eq_str(encap_name(ENCAP_MAX), "?");
	eq_str(verdict_name(VERDICT_LOST), "lost");
	eq_str(verdict_name(VERDICT_MAX), "?");
	for (int v = 0; v < VERDICT_MAX; v++)
		ok(verdict_name(v) != NULL);
}
