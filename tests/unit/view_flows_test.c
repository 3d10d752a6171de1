/* SPDX-License-Identifier: Apache-2.0 */
/* The flow table as JSON, grouped or not, and what the page is told of it. */
#include "tests/unit/view_fixture.h"

TEST(flow_document_is_the_contracts)
{
	struct fixture f;
	char *text;

	if (!make_lab(&f, small_lab))
		return;
	ping_flow(&f, 0, 2, 100);
	f.sample.health = (struct flow_health) { .seen = 568, .decoded = 199, .other_packets = 41, .other_bytes = 2214,
		.other_received_packets = 328, .other_received_bytes = 17712 };
	text = view_flows(&f.info, f.plan, &f.sample, &FLOW_QUERY_ALL);
	eq_str(text, "{\"schema\":\"tunlab.flows/1\",\"source\":\"small\",\"elapsed_s\":12.010,\"flows\":["
	       "{\"encap\":\"vxlan\",\"vni\":100,\"outer_src\":\"172.16.1.100\",\"outer_dst\":\"172.16.1.101\","
	       "\"inner_src\":\"192.168.0.1\",\"inner_dst\":\"192.168.0.2\",\"inner_proto\":\"ipv4/icmp\",\"bum\":false,"
	       "\"packets\":100,\"bytes\":19000,\"inner_bytes\":14000,\"received\":{\"packets\":99,\"bytes\":18810},"
	       "\"src_client\":\"c0\",\"dst_client\":\"c2\"}],"
	       "\"total\":{\"flows\":1,\"packets\":100,\"bytes\":19000,\"inner_bytes\":14000,"
	       "\"received\":{\"packets\":99,\"bytes\":18810}},\"other\":{\"packets\":41,\"bytes\":2214,\"received\":{\"packets\":328,\"bytes\":17712}},"
	       "\"monitor\":{\"state\":\"ok\",\"reason\":null,\"seen\":568,\"decoded\":199,\"other\":369,\"lost\":0,\"lost_bytes\":0,"
	       "\"truncated\":0,\"unknown\":0,\"malformed\":0,\"flows\":1,\"aged\":0,\"folded\":0,\"capacity\":65536,\"otherhost\":0,\"later_fragments\":0,"
	       "\"fill\":0.0000,\"cost\":null}}");
	free(text);
	free_lab(&f);
}

TEST(what_is_not_known_is_null)
{
	struct fixture f;
	const cJSON *flow;
	cJSON *doc;

	if (!make_lab(&f, small_lab))
		return;
	arp_flow(&f, 0, 3);
	doc = flows(&f, FLOW_QUERY_ALL);
	flow = item(doc, "flows", 0);
	ok(cJSON_IsNull(member(flow, "inner_src")));
	ok(cJSON_IsNull(member(flow, "inner_dst")));
	ok(cJSON_IsNull(member(flow, "src_client")));
	ok(cJSON_IsNull(member(flow, "dst_client")));
	ok(cJSON_IsTrue(member(flow, "bum")));
	eq_str(string(flow, "inner_proto"), "arp");
	eq_str(string(flow, "outer_dst"), "239.1.1.1");
	cJSON_Delete(doc);
	free_lab(&f);
}

/* A neighbour solicitation that looks for a double comes from the unspecified address (RFC 4862, 5.4.2). */
TEST(the_unspecified_address_is_an_address)
{
	struct fixture f;
	struct flow_query by_inner = FLOW_QUERY_ALL;
	const cJSON *row;
	cJSON *doc;

	if (!make_lab(&f, small_lab))
		return;
	arp_flow(&f, 0, 3);
	f.sample.flows[0].key.inner_ethertype = 0x86dd;
	f.sample.flows[0].key.inner_ipproto = 58;
	set_addr(f.sample.flows[0].key.inner_dst, "ff02::1:ff00:1");
	doc = flows(&f, FLOW_QUERY_ALL);
	eq_str(string(item(doc, "flows", 0), "inner_src"), "::");
	eq_str(string(item(doc, "flows", 0), "inner_dst"), "ff02::1:ff00:1");
	cJSON_Delete(doc);
	set_addr(f.sample.flows[0].key.inner_src, "::ffff:192.168.0.1");
	doc = flows(&f, FLOW_QUERY_ALL);
	eq_str(string(item(doc, "flows", 0), "inner_src"), "::ffff:192.168.0.1"); /* not IPv4's 192.168.0.1 */
	cJSON_Delete(doc);
	set_addr(f.sample.flows[0].key.inner_src, "::");
	by_inner.by = BY_INNER;
	doc = flows(&f, by_inner);
	row = item(doc, "rows", 0);
	eq_str(string(row, "inner_src"), "::");
	cJSON_Delete(doc);
	free_lab(&f);
}

TEST(large_counters_keep_every_digit)
{
	struct fixture f;
	char *text;

	if (!make_lab(&f, small_lab))
		return;
	ping_flow(&f, 0, 2, 1);
	f.sample.flows[0].value.tx = (struct flow_count) { 9007199254740993, UINT64_MAX, 1234567890123456789 };
	text = view_flows(&f.info, f.plan, &f.sample, &FLOW_QUERY_ALL);
	ok(text && strstr(text, "\"packets\":9007199254740993,\"bytes\":18446744073709551615,\"inner_bytes\":1234567890123456789"));
	free(text);
	free_lab(&f);
}

TEST(flows_come_biggest_first_and_in_the_same_order_each_time)
{
	struct fixture f;
	uint64_t before = UINT64_MAX;
	const cJSON *flow;
	char *once, *twice;
	cJSON *doc;

	if (!make_traffic(&f))
		return;
	ping_flow(&f, 4, 0, 50); /* as big as c0 to c4 */
	once = view_flows(&f.info, f.plan, &f.sample, &FLOW_QUERY_ALL);
	twice = view_flows(&f.info, f.plan, &f.sample, &FLOW_QUERY_ALL);
	eq_str(once, twice);
	free(twice);
	doc = parse(once);
	cJSON_ArrayForEach(flow, member(doc, "flows")) {
		ok(number(flow, "bytes") <= before);
		before = number(flow, "bytes");
	}
	eq_str(string(item(doc, "flows", 3), "src_client"), "c0"); /* of equals, the one that stands first in the sample */
	eq_str(string(item(doc, "flows", 4), "src_client"), "c4");
	cJSON_Delete(doc);
	free_lab(&f);
}

struct sums {
	uint64_t flows, packets, bytes, inner_bytes, received_packets, received_bytes;
};

static void add_sums(struct sums *s, const cJSON *row, bool is_flow)
{
	s->flows += is_flow ? 1 : number(row, "flows");
	s->packets += number(row, "packets");
	s->bytes += number(row, "bytes");
	s->inner_bytes += number(row, "inner_bytes");
	s->received_packets += number(member(row, "received"), "packets");
	s->received_bytes += number(member(row, "received"), "bytes");
}

/* Every total is the sum of the rows it heads, and of the rest that was left off. */
static bool check_totals(const cJSON *doc)
{
	const cJSON *listed = member(doc, "flows") ? member(doc, "flows") : member(doc, "rows"), *row;
	struct sums sum = { 0 }, total = { 0 };

	cJSON_ArrayForEach(row, listed)
		add_sums(&sum, row, member(doc, "flows"));
	if (member(doc, "rest"))
		add_sums(&sum, member(doc, "rest"), false);
	add_sums(&total, member(doc, "total"), false);
	return eq_u64(sum.flows, total.flows) && eq_u64(sum.packets, total.packets) && eq_u64(sum.bytes, total.bytes) &&
	       eq_u64(sum.inner_bytes, total.inner_bytes) && eq_u64(sum.received_packets, total.received_packets) &&
	       eq_u64(sum.received_bytes, total.received_bytes);
}

TEST(totals_equal_the_sum_of_their_rows)
{
	struct fixture f;

	if (!make_traffic(&f))
		return;
	for (int by = 0; by < FLOW_BY_MAX; by++) {
		for (size_t top = 0; top < 4; top++) {
			struct flow_query q = { .by = (enum flow_by)by, .vni = -1, .host = -1, .top = top };
			cJSON *doc = flows(&f, q);

			if (!check_totals(doc) || !eq_u64(number(member(doc, "total"), "packets"), 1245))
				t_note("by %s, top %zu", flow_by_names[by], top);
			cJSON_Delete(doc);
		}
	}
	free_lab(&f);
}

TEST(grouped_rows_carry_their_fields_under_their_own_names)
{
	static const struct { enum flow_by by; const char *keys; int rows; } cases[] = {
		{ BY_OUTER, "outer_src outer_dst src_host dst_host packets bytes inner_bytes received flows", 5 },
		{ BY_INNER, "vni inner_src inner_dst src_client dst_client packets bytes inner_bytes received flows", 5 },
		{ BY_HOST, "outer_src host packets bytes inner_bytes received flows", 2 },
		{ BY_VNI, "vni packets bytes inner_bytes received flows", 2 },
		{ BY_CLIENT, "client host packets bytes inner_bytes received flows generated", 5 },
	};
	struct fixture f;
	char buf[256];

	if (!make_traffic(&f))
		return;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cJSON *doc = flows(&f, (struct flow_query) { .by = cases[i].by, .vni = -1, .host = -1 });

		eq_str(string(doc, "schema"), "tunlab.rows/1");
		eq_str(string(doc, "by"), flow_by_names[cases[i].by]);
		eq_str(keys(item(doc, "rows", 0), buf, sizeof(buf)), cases[i].keys);
		eq_i64(cJSON_GetArraySize(member(doc, "rows")), cases[i].rows);
		cJSON_Delete(doc);
	}
	free_lab(&f);
}

TEST(rows_by_client_name_the_sender_or_at_least_its_host)
{
	struct fixture f;
	const cJSON *row;
	cJSON *doc;

	if (!make_traffic(&f))
		return;
	doc = flows(&f, (struct flow_query) { .by = BY_CLIENT, .vni = -1, .host = -1 });
	row = item(doc, "rows", 0);
	eq_str(string(row, "client"), "c1"); /* the culprit */
	eq_str(string(row, "host"), "host0");
	eq_u64(number(item(doc, "rows", 1), "packets"), 150); /* c0: two flows in one row */
	eq_u64(number(item(doc, "rows", 1), "flows"), 2);
	row = item(doc, "rows", 4); /* host1's ARP, apart from host0's */
	ok(cJSON_IsNull(member(row, "client")));
	eq_str(string(row, "host"), "host1");
	eq_u64(number(row, "packets"), 2);
	cJSON_Delete(doc);
	free_lab(&f);
}

TEST(equal_inner_addresses_in_two_vnis_stay_apart)
{
	struct fixture f;
	cJSON *doc;

	if (!make_lab(&f, small_lab))
		return;
	ping_flow(&f, 0, 2, 10);
	ping_flow(&f, 0, 2, 20);
	f.sample.flows[1].key.vni = 200;
	doc = flows(&f, (struct flow_query) { .by = BY_INNER, .vni = -1, .host = -1 });
	eq_i64(cJSON_GetArraySize(member(doc, "rows")), 2);
	eq_u64(number(item(doc, "rows", 0), "vni"), 200);
	cJSON_Delete(doc);
	free_lab(&f);
}

TEST(queries_select_by_vni_and_host)
{
	static const struct { int64_t vni, host; int flows; uint64_t packets; } cases[] = {
		{ -1, -1, 6, 1245 }, { 200, -1, 1, 1000 }, { 300, -1, 0, 0 }, { -1, 2, 1, 50 }, { -1, 1, 4, 1192 }, { 100, 1, 3, 192 },
	};
	struct fixture f;

	if (!make_traffic(&f))
		return;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cJSON *doc = flows(&f, (struct flow_query) { .vni = cases[i].vni, .host = cases[i].host });

		eq_i64(cJSON_GetArraySize(member(doc, "flows")), cases[i].flows);
		eq_u64(number(member(doc, "total"), "packets"), cases[i].packets);
		eq_u64(number(member(doc, "other"), "packets"), 41); /* of the whole lab in any case */
		cJSON_Delete(doc);
	}
	free_lab(&f);
}

TEST(rates_are_growth_over_the_measured_interval)
{
	struct flow_query q = { .vni = -1, .host = -1, .rates = true };
	struct fixture f;
	const cJSON *rates;
	cJSON *doc;

	if (!make_traffic(&f))
		return;
	doc = flows(&f, q); /* 500 packets of 190 bytes in 2 s */
	rates = member(item(doc, "flows", 0), "rates");
	near(member(rates, "pps")->valuedouble, 250, 1e-9);
	near(member(rates, "bps")->valuedouble, 380000, 1e-9);
	near(member(doc, "interval_s")->valuedouble, 2, 1e-9);
	cJSON_Delete(doc);
	f.sample.interval_s = 0; /* the first sample */
	doc = flows(&f, q);
	ok(cJSON_IsNull(member(item(doc, "flows", 0), "rates")));
	cJSON_Delete(doc);
	free_lab(&f);
}

TEST(a_lab_without_traffic_has_an_empty_table)
{
	struct fixture f;
	cJSON *doc;

	if (!make_lab(&f, small_lab))
		return;
	doc = flows(&f, FLOW_QUERY_ALL);
	eq_i64(cJSON_GetArraySize(member(doc, "flows")), 0);
	ok(cJSON_IsArray(member(doc, "flows")));
	check_totals(doc);
	cJSON_Delete(doc);
	free_lab(&f);
}

TEST(events_are_one_line_with_what_was_left_off)
{
	struct fixture f;
	char buf[256];
	char *text;
	cJSON *doc;

	if (!make_traffic(&f))
		return;
	text = view_event(&f.info, f.plan, &f.sample, 2);
	ok(text && !strpbrk(text, "\r\n"));
	doc = parse(text);
	eq_str(keys(doc, buf, sizeof(buf)), "schema source elapsed_s seq time interval_s events flows rest total other monitor");
	eq_u64(number(doc, "seq"), 7);
	near(member(doc, "time")->valuedouble, 1700000000.25, 1e-3);
	eq_i64(cJSON_GetArraySize(member(doc, "flows")), 2);
	eq_u64(number(member(doc, "rest"), "flows"), 4);
	check_totals(doc);
	cJSON_Delete(doc);
	doc = parse(view_event(&f.info, f.plan, &f.sample, 0));
	eq_u64(number(member(doc, "rest"), "flows"), 0);
	eq_i64(cJSON_GetArraySize(member(doc, "flows")), 6);
	cJSON_Delete(doc);
	free_lab(&f);
}

static uint64_t item_of(const cJSON *array, int i)
{
	return (uint64_t)cJSON_GetArrayItem(array, i)->valuedouble;
}

TEST(frames_are_growth_by_number_and_nothing_is_missing)
{
	struct history_entry h;
	struct feed_picks picks;
	struct fixture f;
	const cJSON *hosts, *row;
	uint64_t grown = 0;
	char buf[256];
	cJSON *doc;

	if (!make_traffic(&f) || !ok(!history_sum(&f.sample, &h)))
		return;
	for (uint32_t i = 0; i < f.sample.n_flows; i++)
		f.sample.flows[i].id = 10 + i;
	if (!ok(!feed_pick(&f.sample, 3, &picks)))
		return;
	doc = parse(view_frame(f.plan, &f.sample, &picks, &h));
	eq_str(keys(doc, buf, sizeof(buf)), "seq time elapsed_s interval_s lab define grown rest hosts vnis total other monitor events");
	eq_i64(cJSON_GetArraySize(member(doc, "define")), 3);
	eq_i64(cJSON_GetArraySize(item(doc, "define", 0)), 16);
	cJSON_ArrayForEach(row, member(doc, "grown"))
		grown += item_of(row, 2);
	eq_u64(grown + item_of(member(doc, "rest"), 2), h.bytes);
	eq_u64(item_of(member(doc, "rest"), 0), 3);
	hosts = member(doc, "hosts");
	grown = 0;
	cJSON_ArrayForEach(row, hosts)
		grown += item_of(row, 2);
	eq_u64(grown, h.bytes);
	eq_u64(item_of(member(doc, "total"), 0), 100 + 90 + 50 + 1000 + 3 + 2);
	cJSON_Delete(doc);
	feed_mark(&f.sample, &picks);
	doc = parse(view_frame(f.plan, &f.sample, &picks, &h));
	eq_i64(cJSON_GetArraySize(member(doc, "define")), 0);
	cJSON_Delete(doc);
	doc = parse(view_feed_base(&f.info, &f.sample, &picks, 7));
	eq_str(keys(doc, buf, sizeof(buf)), "schema source run seq elapsed_s oldest limit define total");
	eq_i64(cJSON_GetArraySize(member(doc, "define")), 3);
	cJSON_Delete(doc);
	feed_picks_free(&picks);
	free_lab(&f);
}
