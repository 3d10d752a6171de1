/* SPDX-License-Identifier: Apache-2.0 */
/* monitor/history.h and its document. */
#include "tests/unit/view_fixture.h"

TEST(history_is_growth_per_interval_and_vni)
{
	struct history_entry e;
	struct fixture f;

	if (!make_traffic(&f) || !ok(!history_sum(&f.sample, &e)))
		return;
	eq_u64(e.seq, 7);
	eq_u64(e.packets, 623); /* halves rounded down stood there before */
	eq_u64(e.bytes, 623 * 190);
	eq_u64(e.n_vnis, 2);
	eq_i64(e.vnis[0].vni, 200); /* the busiest first */
	eq_u64(e.vnis[0].packets, 500);
	eq_u64(e.vnis[1].packets, 123);
	eq_u64(e.rest.packets, 0);
	free_lab(&f);
}

TEST(history_keeps_the_busiest_vnis_apart_and_sums_the_others)
{
	struct history_entry e;
	struct fixture f;
	uint64_t sum;

	if (!make_lab(&f, small_lab))
		return;
	for (uint32_t i = 0; i < HISTORY_VNIS_MAX + 10; i++) {
		ping_flow(&f, 0, 2, 2 * (i + 1));
		f.sample.flows[i].key.vni = 1000 + 256 * i; /* for all the same place in a small table */
	}
	if (!ok(!history_sum(&f.sample, &e)))
		return;
	eq_u64(e.n_vnis, HISTORY_VNIS_MAX);
	eq_i64(e.vnis[0].vni, 1000 + 256 * (HISTORY_VNIS_MAX + 9));
	sum = e.rest.packets;
	for (uint32_t i = 0; i < e.n_vnis; i++)
		sum += e.vnis[i].packets;
	eq_u64(sum, e.packets);
	eq_u64(e.rest.packets, 55); /* 1 + … + 10 */
	free_lab(&f);
}

TEST(history_is_a_ring)
{
	struct history *h = calloc(1, sizeof(*h));
	struct history_entry *entries;
	size_t n;

	for (uint64_t seq = 1; seq <= HISTORY_MAX + 50; seq++)
		history_add(h, &(struct history_entry) { .seq = seq, .interval_s = seq == 1 ? 0 : 1, .packets = seq });
	if (!ok(!history_get(h, 0, &entries, &n)))
		return;
	eq_u64(n, HISTORY_MAX);
	eq_u64(entries[0].seq, 51);
	eq_u64(entries[n - 1].seq, HISTORY_MAX + 50);
	free(entries);
	ok(!history_get(h, HISTORY_MAX + 48, &entries, &n));
	eq_u64(n, 2);
	eq_u64(entries[0].seq, HISTORY_MAX + 49);
	free(entries);
	ok(!history_get(h, UINT64_MAX, &entries, &n));
	eq_u64(n, 0);
	free(entries);
	free(h);
}

TEST(history_document_says_how_far_back_it_goes)
{
	struct history_entry e[2] = {
		{ .seq = 2, .unix_s = 1.5, .interval_s = 1.002, .packets = 3, .bytes = 300, .received_packets = 2,
		  .received_bytes = 200, .n_vnis = 1, .vnis = { { 100, 3, 300 } } },
		{ .seq = 3, .unix_s = 2.5, .interval_s = 0.999 },
	};
	struct lab_info info = { .name = "small" };
	char *text = view_history(&info, e, 2, NULL);

	eq_str(text, "{\"schema\":\"tunlab.history/1\",\"source\":\"small\",\"span_s\":2.001,\"limit\":600,\"samples\":["
	       "{\"seq\":2,\"time\":1.500,\"interval_s\":1.002,\"packets\":3,\"bytes\":300,\"received\":{\"packets\":2,\"bytes\":200},"
	       "\"vnis\":[{\"vni\":100,\"packets\":3,\"bytes\":300}],\"rest\":{\"packets\":0,\"bytes\":0}},"
	       "{\"seq\":3,\"time\":2.500,\"interval_s\":0.999,\"packets\":0,\"bytes\":0,\"received\":{\"packets\":0,\"bytes\":0},"
	       "\"vnis\":[],\"rest\":{\"packets\":0,\"bytes\":0}}],\"events\":[]}");
	free(text);
}
