/* SPDX-License-Identifier: Apache-2.0 */
/* monitor/view_*.c, rows.c, history.c, emit.c, table.c: samples to documents, metrics and tables. All by values made here:
 * no kernel, no clock. The lab is three hosts with the VNIs 100 and 200:
 *
 *   host0 172.16.1.100: c0 (VNI 100, 192.168.0.1)  c1 (VNI 200, 192.168.1.1)
 *   host1 172.16.1.101: c2 (VNI 100, 192.168.0.2)  c3 (VNI 200, 192.168.1.2)
 *   host2 172.16.1.102: c4 (VNI 100, 192.168.0.3)  c5 (VNI 200, 192.168.1.3)
 */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/emit.h"
#include "base/table.h"
#include "lab/traffic/engine.h"
#include "monitor/feed.h"
#include "monitor/history.h"
#include "monitor/rows.h"
#include "monitor/view.h"
#include "tests/unit/t.h"

/* ---- a lab and its flows ---- */

struct fixture {
	struct scenario *scn;
	struct plan *plan;
	struct sample sample;
	struct lab_info info;
};

static const char small_lab[] = "[lab]\nname = small\nhosts = 3\nvnis = 100, 200\n"
				"[traffic pings]\nfrom = c0\nto = all\nproto = ping\nrate = 10pps\nsize = 128\n";

static bool make_lab(struct fixture *f, const char *text)
{
	struct scn_source source = { .file = "small.ini", .text = text, .len = strlen(text) };
	struct scn_errors errors = { 0 };
	bool made;

	*f = (struct fixture) { .info = {
		.name = "small", .pid = 4242, .state = "running", .url = "http://127.0.0.1:8080/", .up_ms = 42.25, .uptime_s = 12.5,
		.interval_s = 1,
	} };
	f->sample = (struct sample) { .seq = 7, .mono_ns = 12000000000, .unix_s = 1700000000.25, .elapsed_s = 12.0104,
				      .interval_s = 2, .capacity = 65536 };
	made = ok(!scenario_parse(&source, &f->scn, &errors)) && ok(!plan_make(f->scn, &f->plan, &errors));
	scn_errors_free(&errors);
	return made;
}

static void free_lab(struct fixture *f)
{
	free(f->sample.flows);
	plan_free(f->plan);
	scenario_free(f->scn);
}

static struct sample_flow *add_flow(struct fixture *f)
{
	struct sample *s = &f->sample;

	s->flows = realloc(s->flows, (s->n_flows + 1) * sizeof(*s->flows));
	s->flows[s->n_flows] = (struct sample_flow) { .src_host = -1, .dst_host = -1, .src_client = -1, .dst_client = -1 };
	s->flows[s->n_flows].key.encap = ENCAP_VXLAN;
	return &s->flows[s->n_flows++];
}

static void set_addr(uint8_t bytes[16], const char *text)
{
	struct ip_addr a = { { 0 } };

	(void)addr_parse(text, &a);
	memcpy(bytes, a.b, 16);
}

/* packets of 190 bytes, 140 of them inner, all but one received; half of them before the previous sample. */
static void count(struct sample_flow *f, uint64_t packets)
{
	f->value.tx = (struct flow_count) { packets, packets * 190, packets * 140 };
	f->value.rx = (struct flow_count) { packets - 1, (packets - 1) * 190, (packets - 1) * 140 };
	f->sent_then = (struct flow_count) { packets / 2, packets / 2 * 190, packets / 2 * 140 };
	f->received_then = f->sent_then;
}

static void ping_flow(struct fixture *fx, uint32_t from, uint32_t to, uint64_t packets)
{
	const struct plan_client *a = &fx->plan->clients[from], *b = &fx->plan->clients[to];
	struct sample_flow *f = add_flow(fx);

	memcpy(f->key.outer_src, fx->plan->hosts[a->host].vtep.b, 16);
	memcpy(f->key.outer_dst, fx->plan->hosts[b->host].vtep.b, 16);
	memcpy(f->key.inner_src, a->addr.b, 16);
	memcpy(f->key.inner_dst, b->addr.b, 16);
	f->key.vni = fx->plan->vnis[a->vni].scn->vni;
	f->key.inner_ethertype = 0x0800;
	f->key.inner_ipproto = 1;
	f->src_host = (int32_t)a->host;
	f->dst_host = (int32_t)b->host;
	f->src_client = (int32_t)from;
	f->dst_client = (int32_t)to;
	count(f, packets);
}

/* An ARP request flooded to VNI 100's group. */
static void arp_flow(struct fixture *fx, uint32_t host, uint64_t packets)
{
	struct sample_flow *f = add_flow(fx);

	memcpy(f->key.outer_src, fx->plan->hosts[host].vtep.b, 16);
	set_addr(f->key.outer_dst, "239.1.1.1");
	f->key.vni = 100;
	f->key.inner_ethertype = 0x0806;
	f->src_host = (int32_t)host;
	f->bum = true;
	count(f, packets);
}

static bool make_traffic(struct fixture *f)
{
	if (!make_lab(f, small_lab))
		return false;
	ping_flow(f, 0, 2, 100);
	ping_flow(f, 2, 0, 90);
	ping_flow(f, 0, 4, 50);
	ping_flow(f, 1, 3, 1000);
	arp_flow(f, 0, 3);
	arp_flow(f, 1, 2);
	f->sample.health = (struct flow_health) { .seen = 2500, .unknown = 2, .other_packets = 41, .other_bytes = 2214,
		.other_received_packets = 328, .other_received_bytes = 17712 };
	return true;
}

/* ---- reading documents ---- */

static uint64_t number(const cJSON *o, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);

	return item ? (uint64_t)item->valuedouble : UINT64_MAX;
}

static const char *string(const cJSON *o, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
}

static const cJSON *member(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static const cJSON *item(const cJSON *doc, const char *array, int i)
{
	return cJSON_GetArrayItem(member(doc, array), i);
}

/* "a b c": the keys of an object in their order. */
static const char *keys(const cJSON *o, char *buf, size_t len)
{
	const cJSON *child;
	size_t at = 0;

	*buf = '\0';
	cJSON_ArrayForEach(child, o)
		at += (size_t)snprintf(buf + at, at < len ? len - at : 0, "%s%s", at ? " " : "", child->string);
	return buf;
}

static cJSON *parse(char *text)
{
	cJSON *doc = text ? cJSON_Parse(text) : NULL;

	free(text);
	ok(doc);
	return doc;
}

static cJSON *flows(struct fixture *f, struct flow_query q)
{
	return parse(view_flows(&f->info, f->plan, &f->sample, &q));
}

/* ---- JSON as text ---- */

TEST(strings_are_escaped)
{
	struct emit e = { 0 };
	char *out;

	emit_array(&e, NULL);
	emit_string(&e, NULL, "a\"b\\c\n\x01");
	emit_string(&e, NULL, "gr\xc3\xbc\xc3\x9f");
	emit_string(&e, NULL, NULL);
	emit_array_end(&e);
	out = emit_take(&e);
	eq_str(out, "[\"a\\\"b\\\\c\\n\\u0001\",\"gr\xc3\xbc\xc3\x9f\",null]");
	free(out);
}

TEST(too_deep_is_no_document)
{
	struct emit e = { 0 };

	for (int i = 0; i <= EMIT_DEPTH_MAX; i++)
		emit_array(&e, NULL);
	ok(!emit_take(&e));
	emit_array(&e, NULL);
	free(emit_take(&e)); /* usable again */
}

TEST(numbers_are_plain)
{
	struct emit e = { 0 };
	char *out;

	emit_array(&e, NULL);
	emit_u64(&e, NULL, 0);
	emit_u64(&e, NULL, (uint64_t)1 << 53);
	emit_u64(&e, NULL, UINT64_MAX);
	emit_fixed(&e, NULL, 12.0104, 3);
	emit_fixed(&e, NULL, 1e15, 0);
	emit_fixed(&e, NULL, 0.0 / 0.0, 3);
	emit_fixed(&e, NULL, 1.0 / 0.0, 3);
	emit_bool(&e, NULL, true);
	emit_array_end(&e);
	out = emit_take(&e);
	eq_str(out, "[0,9007199254740992,18446744073709551615,12.010,1000000000000000,null,null,true]");
	free(out);
}

/* ---- the flow table ---- */

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

/* ---- lab, status, generators ---- */

TEST(lab_document_tells_what_there_is)
{
	struct fixture f;
	char buf[512];
	cJSON *doc;

	if (!make_lab(&f, small_lab))
		return;
	doc = parse(view_lab(&f.info, f.plan, &f.sample));
	eq_str(keys(doc, buf, sizeof(buf)), "schema name kind version state encap underlay port wiring mtu up_ms uptime_s interval_s hosts vnis "
	       "clients traffic secret events");
	eq_str(string(doc, "encap"), "vxlan");
	eq_str(string(doc, "underlay"), "172.16.1.0/24");
	eq_u64(number(doc, "port"), 4789);
	eq_u64(number(doc, "mtu"), 1450);
	eq_i64(cJSON_GetArraySize(member(doc, "hosts")), 3);
	eq_str(string(item(doc, "hosts", 2), "vtep"), "172.16.1.102");
	eq_str(keys(item(doc, "vnis", 0), buf, sizeof(buf)), "vni subnet encap mtu group flood");
	eq_str(string(item(doc, "vnis", 1), "subnet"), "192.168.1.0/24");
	eq_i64(cJSON_GetArraySize(member(doc, "clients")), 6);
	eq_str(keys(item(doc, "clients", 5), buf, sizeof(buf)), "id name host vni address");
	eq_str(string(item(doc, "clients", 5), "name"), "c5");
	eq_str(string(item(doc, "clients", 5), "host"), "host2");
	eq_u64(number(item(doc, "clients", 5), "vni"), 200);
	eq_str(string(item(doc, "clients", 5), "address"), "192.168.1.3");
	cJSON_Delete(doc);
	doc = parse(view_lab(&f.info, f.plan, NULL)); /* before the first sample */
	eq_i64(cJSON_GetArraySize(member(doc, "traffic")), 0);
	cJSON_Delete(doc);
	free_lab(&f);
}

/* c0 pings c2 and c4: 3 of 4 answered by c2 after 1, 2 and 3 ms; nothing yet from c4. */
struct generated {
	uint32_t rtt[2][RTT_BUCKETS];
	struct sample_stream streams[2];
	struct sample_generator generator;
};

static void generate(struct fixture *f, struct generated *g)
{
	*g = (struct generated) { .generator = {
		.id = 0, .section = 0, .name = "pings", .client = 0, .proto = SCN_PING, .rate = { RATE_PPS, 10 }, .size = 128,
		.state = GEN_RUNNING, .first_ns = 10000000000, .last_ns = 11900000000, .slip_max_ns = 250000, .cold_ns = 1500000, .missed = 7,
		.n_streams = 2, .sent = 8, .received = 3,
	} };
	g->streams[0] = (struct sample_stream) { .to = 2, .sent = 4, .received = 3, .duplicates = 1, .reordered = 2,
						 .rtt_sum_ns = 6000000, .rtt_min_ns = 1000000, .rtt_max_ns = 3000000,
						 .rtt = g->rtt[0] };
	g->streams[0].settled = 3;
	g->streams[0].jitter_sum_ns = 500000;
	g->streams[1] = (struct sample_stream) { .to = 4, .sent = 4, .send_errors = 5, .rtt = g->rtt[1], .settled = 2 };
	for (uint64_t ms = 1; ms <= 3; ms++)
		g->rtt[0][rtt_bucket(ms * 1000000)]++;
	f->sample.generators = &g->generator;
	f->sample.n_generators = 1;
	f->sample.streams = g->streams;
	f->sample.n_streams = 2;
}

TEST(generator_line_sums_its_streams)
{
	struct generated *g = calloc(1, sizeof(*g));
	struct fixture f;
	const cJSON *rtt;
	char buf[256];
	cJSON *doc;

	if (!make_lab(&f, small_lab))
		return;
	generate(&f, g);
	doc = parse(view_generator(f.plan, &f.sample, NULL));
	eq_str(keys(doc, buf, sizeof(buf)), "type id name client to peers proto size elapsed_s state sent bytes received lost send_errors "
	       "duplicates reordered rtt_ms delay_ms jitter_ms slip_max_ms late missed cold_ms unresolved");
	eq_str(string(doc, "type"), "summary");
	eq_u64(number(doc, "bytes"), 8 * (128 + 20)); /* inner IP packets */
	eq_u64(number(doc, "lost"), 2);
	ok(cJSON_IsNull(member(doc, "delay_ms")));
	near(member(doc, "jitter_ms")->valuedouble, 0.25, 1e-9);
	eq_str(string(doc, "client"), "c0");
	eq_str(cJSON_GetStringValue(item(doc, "to", 1)), "c4");
	eq_str(string(doc, "state"), "running");
	near(member(doc, "elapsed_s")->valuedouble, 2, 1e-9);
	eq_u64(number(doc, "sent"), 8);
	eq_u64(number(doc, "received"), 3);
	eq_u64(number(doc, "send_errors"), 5);
	eq_u64(number(doc, "missed"), 7);
	eq_u64(number(doc, "duplicates"), 1);
	eq_u64(number(doc, "reordered"), 2);
	near(member(doc, "slip_max_ms")->valuedouble, 0.25, 1e-9);
	near(member(doc, "cold_ms")->valuedouble, 1.5, 1e-9);
	rtt = member(doc, "rtt_ms");
	eq_str(keys(rtt, buf, sizeof(buf)), "min avg p50 p90 p99 max");
	near(member(rtt, "min")->valuedouble, 1, 1e-9);
	near(member(rtt, "avg")->valuedouble, 2, 1e-9);
	near(member(rtt, "p50")->valuedouble, 2, 0.15);
	ok(member(rtt, "p99")->valuedouble <= 3); /* never beyond the largest measured */
	near(member(rtt, "max")->valuedouble, 3, 1e-9);
	cJSON_Delete(doc);

	g->generator.state = GEN_DONE; /* then it ran from the first to the last departure */
	g->streams[0].rtt_min_ns = 0;
	doc = parse(view_generator(f.plan, &f.sample, NULL));
	near(member(doc, "elapsed_s")->valuedouble, 1.9, 1e-9);
	ok(cJSON_IsNull(member(doc, "rtt_ms")));
	cJSON_Delete(doc);
	free_lab(&f);
	free(g);
}

TEST(generator_line_tells_what_grew_since_the_one_before)
{
	struct generated *g = calloc(1, sizeof(*g)), *before = calloc(1, sizeof(*before));
	struct fixture f;
	struct sample then;
	const cJSON *i;
	char buf[256];
	cJSON *doc;

	if (!make_lab(&f, small_lab))
		return;
	generate(&f, g);
	generate(&f, before);
	then = f.sample;
	then.generators = &before->generator;
	then.streams = before->streams;
	before->streams[0].sent = before->streams[0].received = before->streams[0].settled = 1;
	before->streams[0].rtt_sum_ns = 1000000;
	before->streams[0].jitter_sum_ns = before->streams[0].duplicates = 0;
	before->streams[1].sent = 3;
	before->streams[1].settled = 1;
	f.sample.generators = &g->generator;
	f.sample.streams = g->streams;
	f.sample.mono_ns = 12000000000;
	then.mono_ns = 11500000000;
	doc = parse(view_generator(f.plan, &f.sample, &then));
	eq_str(string(doc, "type"), "interval");
	i = member(doc, "interval");
	eq_str(keys(i, buf, sizeof(buf)), "seconds sent received lost send_errors duplicates reordered pps bps rtt_avg_ms jitter_ms");
	near(member(i, "seconds")->valuedouble, 0.5, 1e-9);
	eq_u64(number(i, "sent"), 4);
	eq_u64(number(i, "received"), 2);
	eq_u64(number(i, "lost"), 1);
	eq_u64(number(i, "duplicates"), 1);
	near(member(i, "pps")->valuedouble, 8, 1e-9);
	near(member(i, "bps")->valuedouble, 8 * 8 * 148, 1e-9);
	near(member(i, "rtt_avg_ms")->valuedouble, 2.5, 1e-9);
	near(member(i, "jitter_ms")->valuedouble, 0.25, 1e-9);
	cJSON_Delete(doc);

	g->generator.state = GEN_DONE; /* it was at it for one more gap after the last departure: 1.9 s in 7 of them */
	doc = parse(view_generator(f.plan, &f.sample, &then));
	near(member(member(doc, "interval"), "seconds")->valuedouble, 0.5, 1e-9); /* not beyond the sample */
	f.sample.mono_ns = 20000000000;
	cJSON_Delete(doc);
	doc = parse(view_generator(f.plan, &f.sample, &then));
	near(member(member(doc, "interval"), "seconds")->valuedouble, 0.4 + 1.9 / 7, 0.001);
	cJSON_Delete(doc);

	g->generator.proto = SCN_UDP; /* the way of UDP is one-way */
	doc = parse(view_generator(f.plan, &f.sample, &then));
	ok(cJSON_IsNull(member(doc, "rtt_ms")));
	near(member(member(doc, "delay_ms"), "max")->valuedouble, 3, 1e-9);
	near(member(member(doc, "interval"), "delay_avg_ms")->valuedouble, 2.5, 1e-9);
	cJSON_Delete(doc);
	free_lab(&f);
	free(g);
	free(before);
}

TEST(status_tells_how_a_lab_does)
{
	struct generated *g = calloc(1, sizeof(*g));
	struct fixture f;
	char buf[256];
	cJSON *doc;

	if (!make_traffic(&f))
		return;
	generate(&f, g);
	doc = parse(view_status(&f.info, f.plan, &f.sample));
	eq_str(keys(doc, buf, sizeof(buf)), "name kind pid state uptime_s url port hosts clients traffic secret events monitor");
	eq_u64(number(doc, "pid"), 4242);
	eq_str(keys(item(doc, "traffic", 0), buf, sizeof(buf)), "id name from to peers proto rate size state sent received late missed "
	       "slip_max_ms cold_ms unresolved");
	eq_str(string(item(doc, "traffic", 0), "rate"), "10pps");
	eq_u64(number(item(doc, "traffic", 0), "peers"), 2);
	eq_u64(number(member(doc, "monitor"), "unknown"), 2);
	cJSON_Delete(doc);
	f.info.url = NULL;
	doc = parse(view_status(&f.info, f.plan, NULL));
	ok(cJSON_IsNull(member(doc, "url")));
	ok(cJSON_IsNull(member(doc, "monitor")));
	cJSON_Delete(doc);
	free_lab(&f);
	free(g);
}

/* ---- the classic form ---- */

TEST(tunnel_form_has_both_directions_seen_from_the_host)
{
	struct fixture f;
	const cJSON *t;
	char buf[256];
	cJSON *doc;

	if (!make_traffic(&f))
		return;
	doc = parse(view_tunnel(&f.sample, 0, false));
	eq_i64(cJSON_GetArraySize(doc), 3); /* c0-c2, c0-c4, c1-c3; flooding is left out, as in the original */
	t = cJSON_GetArrayItem(doc, 0);
	eq_str(keys(t, buf, sizeof(buf)), "vni outer_sip outer_dip inner_sip inner_dip tx_pkts tx_bytes rx_pkts rx_bytes");
	eq_str(string(t, "outer_sip"), "172.16.1.100");
	eq_str(string(t, "inner_dip"), "192.168.0.2");
	eq_u64(number(t, "tx_pkts"), 100);
	eq_u64(number(t, "rx_pkts"), 89); /* what arrived of c2's 90 */
	cJSON_Delete(doc);
	/* The same pair from its other end, whose address is the higher one. */
	doc = parse(view_tunnel(&f.sample, 1, false));
	t = cJSON_GetArrayItem(doc, 0);
	eq_str(string(t, "outer_sip"), "172.16.1.101");
	eq_str(string(t, "outer_dip"), "172.16.1.100");
	eq_str(string(t, "inner_sip"), "192.168.0.2");
	eq_u64(number(t, "tx_pkts"), 90);
	eq_u64(number(t, "rx_pkts"), 99);
	cJSON_Delete(doc);
	free_lab(&f);
}

TEST(tunnel_deltas_are_growth_without_the_silent)
{
	struct fixture f;
	cJSON *doc;

	if (!make_traffic(&f))
		return;
	f.sample.flows[2].sent_then = f.sample.flows[2].value.tx; /* c0 to c4 has been silent */
	doc = parse(view_tunnel(&f.sample, 0, true));
	eq_i64(cJSON_GetArraySize(doc), 2);
	eq_u64(number(cJSON_GetArrayItem(doc, 0), "tx_pkts"), 50);
	eq_u64(number(cJSON_GetArrayItem(doc, 0), "tx_bytes"), 50 * 190);
	eq_u64(number(cJSON_GetArrayItem(doc, 0), "rx_pkts"), 44);
	cJSON_Delete(doc);
	free_lab(&f);
}

/* ---- metrics ---- */

static size_t count_of(const char *text, const char *needle)
{
	size_t n = 0;

	for (const char *p = text; p && (p = strstr(p, needle)); p++)
		n++;
	return n;
}

/* Sum of the values of a metric's series. */
static uint64_t sum_of(const char *text, const char *name)
{
	uint64_t sum = 0;
	size_t len = strlen(name);

	for (const char *p = text; (p = strstr(p, name)); p += len) {
		if (p > text && p[-1] == '\n' && p[len] == '{')
			sum += strtoull(strchr(p, '}') + 1, NULL, 10);
	}
	return sum;
}

TEST(metrics_are_declared_before_they_are_given)
{
	struct generated *g = calloc(1, sizeof(*g));
	struct fixture f;
	char *text, *line, *save = NULL;
	char declared[128] = "";

	if (!make_traffic(&f))
		return;
	generate(&f, g);
	f.info.name = "odd\"name\\with\nall";
	text = view_metrics(&f.info, f.plan, &f.sample);
	ok(strstr(text, "tunlab_info{lab=\"odd\\\"name\\\\with\\nall\"} 1\n"));
	ok(strstr(text, "tunlab_sent_packets_total{src_host=\"host0\",dst_host=\"host1\",vni=\"200\"} 1000\n"));
	ok(strstr(text, "tunlab_sent_packets_total{src_host=\"host0\",dst_host=\"flood\",vni=\"100\"} 3\n"));
	ok(strstr(text, "tunlab_traffic_sent_packets_total{traffic=\"pings\"} 8\n"));
	ok(strstr(text, "tunlab_other_sent_packets_total 41\n"));
	ok(strstr(text, "tunlab_other_received_packets_total 328\n"));
	ok(strstr(text, "tunlab_other_received_bytes_total 17712\n"));
	ok(strstr(text, "tunlab_monitor_later_fragments_packets_total 0\n"));
	eq_u64(sum_of(text, "tunlab_sent_packets_total"), 1245);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t len = strcspn(line, " {");

		if (sscanf(line, "# TYPE %127s", declared) == 1 || !strncmp(line, "# HELP ", 7))
			continue;
		ok(strlen(declared) == len && !strncmp(line, declared, len));
		ok(!strncmp(line, "tunlab_", 7));
	}
	free(text);
	free_lab(&f);
	free(g);
}

/* Sixty hosts who all talk to each other make 3540 pairs in one VNI: too many series for a scraper. */
TEST(metrics_are_bounded_and_say_what_they_summed)
{
	static const char many[] = "[lab]\nhosts = 60\nvnis = 100\n";
	struct fixture f;
	uint64_t sum = 0;
	char *text;

	if (!make_lab(&f, many))
		return;
	for (uint32_t a = 0; a < 60; a++) {
		for (uint32_t b = 0; b < 60; b++) {
			if (a == b)
				continue;
			ping_flow(&f, a, b, a + b);
			sum += a + b;
		}
	}
	text = view_metrics(&f.info, f.plan, &f.sample);
	eq_u64(sum_of(text, "tunlab_sent_packets_total"), sum);
	eq_u64(count_of(text, "\ntunlab_sent_packets_total{"), 60);
	eq_u64(count_of(text, "\ntunlab_sent_packets_total{src_host=\"host59\",dst_host=\"rest\",vni=\"100\"} "), 1);
	free(text);
	free_lab(&f);
}

/* ---- terminal tables ---- */

static unsigned columns(const char *line)
{
	unsigned n = 0;

	for (; *line && *line != '\n'; line++)
		n += ((unsigned char)*line & 0xc0) != 0x80;
	return n;
}

static char *flows_table(struct fixture *f, struct flow_query q, unsigned width)
{
	char *json = view_flows(&f->info, f->plan, &f->sample, &q), *table = view_flows_table(json, q.rates, width);

	free(json);
	return table;
}

TEST(flow_table_is_aligned_and_exact)
{
	struct fixture f;
	char *table;

	if (!make_lab(&f, small_lab))
		return;
	ping_flow(&f, 1, 3, 123456);
	arp_flow(&f, 0, 3);
	f.sample.health = (struct flow_health) { .seen = 2500, .unknown = 2, .other_packets = 41, .other_bytes = 2214,
		.other_received_packets = 328, .other_received_bytes = 17712 };
	table = flows_table(&f, FLOW_QUERY_ALL, 0);
	eq_str(table,
	       "VNI  FROM  TO     INNER SRC    INNER DST    PROTO      OUTER SRC     OUTER DST     PACKETS     BYTES  RECEIVED\n"
	       "200  c1    c3     192.168.1.1  192.168.1.2  ipv4/icmp  172.16.1.100  172.16.1.101   123456  23456640    123455\n"
	       "100  -     flood  -            -            arp        172.16.1.100  239.1.1.1           3       570         2\n"
	       "2 flows: 123459 packets, 23.5 MB sent, 123457 packets received; after 12.0 s\n"
	       "other: 41 packets, 2.21 kB sent, 328 packets received, not tunnelled\n"
	       "monitor ok: 2500 seen, 0 decoded, 369 other, 0 lost, 0 truncated, 2 unknown, 0 otherhost; 2 of 65536 flows\n");
	free(table);
	free_lab(&f);
}

/* Every view shows the one record of the sample. */
TEST(health_is_the_same_in_every_view)
{
	static const char sentence[] = "1205 packets (180 kB) were not counted, for the flow table was full: figures are too low.";
	const cJSON *monitor, *cost;
	struct fixture f;
	char *text;
	cJSON *doc;

	if (!make_traffic(&f))
		return;
	f.sample.interval_s = 1;
	f.sample.health.unknown = 0;
	f.sample.health.lost = 1205;
	f.sample.health.lost_bytes = 180123;
	f.sample.has_cost = true;
	f.sample.program = (struct monitor_cost) { .enabled = true, .run_ns = 62600, .runs = 2000 };
	f.sample.cpu_s = 1.25;
	health_judge(&f.sample, NULL, &f.sample.monitor);
	f.sample.monitor.cpu_share = 0.0123;
	doc = parse(view_flows(&f.info, f.plan, &f.sample, &FLOW_QUERY_ALL));
	monitor = member(doc, "monitor");
	cost = member(monitor, "cost");
	eq_str(cJSON_GetStringValue(member(monitor, "state")), "amber");
	eq_str(cJSON_GetStringValue(member(monitor, "reason")), sentence);
	eq_u64(number(monitor, "lost_bytes"), 180123);
	ok(cJSON_GetNumberValue(member(cost, "ns_per_packet")) == 31.3);
	ok(cJSON_IsNull(member(cost, "not_measured")));
	ok(cJSON_GetNumberValue(member(cost, "cpu_share")) == 0.0123);
	cJSON_Delete(doc);
	doc = parse(view_status(&f.info, f.plan, &f.sample));
	eq_str(cJSON_GetStringValue(member(member(doc, "monitor"), "reason")), sentence);
	cJSON_Delete(doc);
	text = flows_table(&f, FLOW_QUERY_ALL, 0);
	ok(strstr(text, "\nmonitor amber: 2500 seen, 0 decoded, 369 other, 1205 lost, 0 truncated, 0 unknown, 0 otherhost; 6 of 65536 flows\n"
			"monitor amber: 1205 packets (180 kB) were not counted, for the flow table was full: figures are too low.\n"));
	ok(strstr(text, "\ncost: 31.3 ns a frame in the kernel; beside it 1.2 % of a processor\n"));
	free(text);
	text = view_metrics(&f.info, f.plan, &f.sample);
	ok(strstr(text, "tunlab_monitor_lost_packets_total 1205\n"));
	ok(strstr(text, "tunlab_monitor_lost_bytes_total 180123\n"));
	ok(strstr(text, "tunlab_monitor_amber{reason=\"lost\"} 1\n"));
	ok(strstr(text, "tunlab_monitor_amber{reason=\"full\"} 0\n"));
	ok(strstr(text, "tunlab_monitor_program_run_seconds_total 0.000062600\n"));
	ok(strstr(text, "tunlab_monitor_program_runs_total 2000\n"));
	ok(strstr(text, "tunlab_monitor_cpu_seconds_total 1.250\n"));
	free(text);
	free_lab(&f);
}

/* Without the sentences below, which are not cut. */
static char *rows_only(char *table)
{
	char *end = table ? strstr(table, "\nand ") : NULL;

	end = table && !end ? strstr(table, "\n6 flows:") : end;
	if (ok(end))
		end[1] = '\0';
	return table;
}

TEST(tables_keep_to_their_width)
{
	struct fixture f;

	if (!make_traffic(&f))
		return;
	for (int by = 0; by < FLOW_BY_MAX; by++) {
		for (unsigned width = 20; width <= 160; width += 7) {
			char *table = flows_table(&f, (struct flow_query) { .by = (enum flow_by)by, .vni = -1, .host = -1, .top = 4,
									   .rates = true }, width);
			for (char *line = rows_only(table); line && *line; line = strchr(line, '\n') + 1) {
				ok(columns(line) <= width);
				ok(line[strcspn(line, "\n") - 1] != ' ');
			}
			free(table);
		}
	}
	free_lab(&f);
}

TEST(by_client_the_generators_counts_stand_beside_the_monitors)
{
	struct generated *g = calloc(1, sizeof(*g));
	struct fixture f;
	const cJSON *row;
	cJSON *doc;
	char *table;

	if (!make_lab(&f, small_lab))
		return;
	generate(&f, g);
	g->generator.state = GEN_DONE;
	g->generator.first_ns = 1;
	doc = flows(&f, (struct flow_query) { .by = BY_CLIENT, .vni = -1, .host = -1 });
	eq_u64(number(member(doc, "pairs"), "all"), 2);
	eq_u64(number(member(doc, "pairs"), "agree"), 0);
	row = item(doc, "truth", 1);
	eq_str(string(row, "from"), "c0");
	eq_str(string(row, "to"), "c4");
	eq_str(string(row, "proto"), "ping");
	eq_str(cJSON_GetStringValue(item(row, "traffic", 0)), "pings");
	ok(number(row, "sent") == 4 && number(row, "left") == 0 && number(row, "send_errors") == 5 && number(row, "missing") == 4);
	eq_str(string(row, "parts"), "left");
	cJSON_Delete(doc);
	table = flows_table(&f, (struct flow_query) { .by = BY_CLIENT, .vni = -1, .host = -1 }, 0);
	ok(strstr(table, "generators and monitor agree on 0 of 2 pairs\n"
			 "FROM  TO  PROTO  SENT  LEFT  ARRIVED  DELIVERED  STOPS\n"
			 "c0    c2  ping      4     0        0          3  before leaving host0: c0 sent 4, host0's eth0 0\n"
			 "c0    c4  ping      4     0        0          0  before leaving host0: c0 sent 4, host0's eth0 0\n") != NULL);
	free(table);
	/* With top, those that lost most. */
	doc = flows(&f, (struct flow_query) { .by = BY_CLIENT, .vni = -1, .host = -1, .top = 1 });
	eq_i64(cJSON_GetArraySize(member(doc, "truth")), 1);
	eq_str(string(item(doc, "truth", 0), "to"), "c4");
	cJSON_Delete(doc);
	free_lab(&f);
	free(g);
}

TEST(tables_show_rates_where_asked_for)
{
	struct fixture f;
	char *table;

	if (!make_traffic(&f))
		return;
	table = flows_table(&f, (struct flow_query) { .by = BY_CLIENT, .vni = -1, .host = -1, .top = 2, .rates = true }, 0);
	eq_str(rows_only(table),
	       "CLIENT  HOST   FLOWS  PACKETS   BYTES  RECEIVED    PPS         RATE\n"
	       "c1      host0      1     1000  190000       999  250.0   380 kbit/s\n"
	       "c0      host0      2      150   28500       148   37.5  57.0 kbit/s\n");
	free(table);
	free_lab(&f);
}

TEST(what_is_no_document_is_no_table)
{
	static const char *const bad[] = { "", "{}", "[]", "null", "{\"rows\":[]}", "{\"rows\":[],\"by\":\"nonsense\"}", "{\"flows\":" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ok(!view_flows_table(bad[i], true, 80));
		ok(!view_status_table(bad[i], 80));
	}
	/* Members of the wrong kind do no harm. */
	free(view_flows_table("{\"flows\":[1,\"x\",{\"packets\":\"y\",\"received\":7,\"rates\":[]}],\"total\":3,\"rest\":[]}", true, 80));
	free(view_flows_table("{\"flows\":7}", true, 80));
	free(view_status_table("{\"labs\":[{},1,{\"hosts\":[{}],\"clients\":[{}],\"traffic\":[{}]}]}", 80));
}

static char *status_table(struct fixture *f, unsigned width)
{
	char *lab = view_status(&f->info, f->plan, &f->sample), *table;
	struct text doc = { 0 };

	text_printf(&doc, "{\"schema\":\"tunlab.status/1\",\"labs\":[%s]}", lab);
	table = view_status_table(doc.buf, width);
	text_free(&doc);
	free(lab);
	return table;
}

TEST(status_table_lists_hosts_clients_and_traffic)
{
	struct generated *g = calloc(1, sizeof(*g));
	struct fixture f;
	char *table;

	if (!make_traffic(&f))
		return;
	generate(&f, g);
	table = status_table(&f, 0);
	eq_str(table,
	       "small: running for 12.5 s, pid 4242, 3 hosts, 6 clients, page http://127.0.0.1:8080/\n"
	       "\n"
	       "HOST   VTEP          CLIENT  VNI  ADDRESS\n"
	       "host0  172.16.1.100  c0      100  192.168.0.1\n"
	       "host0  172.16.1.100  c1      200  192.168.1.1\n"
	       "host1  172.16.1.101  c2      100  192.168.0.2\n"
	       "host1  172.16.1.101  c3      200  192.168.1.2\n"
	       "host2  172.16.1.102  c4      100  192.168.0.3\n"
	       "host2  172.16.1.102  c5      200  192.168.1.3\n"
	       "\n"
	       "ID  TRAFFIC  FROM  TO      PROTO   RATE  SIZE  STATE    SENT  RECEIVED\n"
	       " 0  pings    c0    c2, c4  ping   10pps   128  running     8         3\n"
	       "\n"
	       "monitor ok: 2500 seen, 0 decoded, 369 other, 0 lost, 0 truncated, 2 unknown, 0 otherhost; 6 of 65536 flows\n");
	free(table);
	table = view_status_table("{\"labs\":[]}", 0);
	eq_str(table, "no lab is running\n");
	free(table);
	free_lab(&f);
	free(g);
}

/* ---- history ---- */

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

/* ---- changes ---- */

/* Three marks, of which the sample before knew one; host2's link is impaired. */
static void change(struct fixture *f, struct mark_log *log, struct sample_link *link)
{
	static const struct mark marks[] = {
		{ .at_s = 1.0004, .unix_s = 1700000001, .name = "cut", .text = "link host2 down" },
		{ .at_s = 2.5, .unix_s = 1700000002.5, .text = "link host2 loss 1%", .error = "the kernel has no \"netem\"" },
		{ .at_s = 3, .unix_s = 1700000003, .name = "quiet", .text = "traffic a stop" },
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		mark_log_add(log, &marks[i]);
	*link = (struct sample_link){ 2, { .rate_bps = 50e6, .loss = 0.015, .down = true } };
	f->sample.links = link;
	f->sample.n_links = 1;
	f->sample.marks = marks_take(log, NULL);
	f->sample.marks_then = 1;
}

TEST(links_and_marks_stand_in_every_document)
{
	struct mark_log *log = calloc(1, sizeof(*log));
	struct sample_link link;
	struct fixture f;
	char buf[128];
	cJSON *doc;
	char *text, *table;

	if (!make_traffic(&f))
		return;
	change(&f, log, &link);
	text = view_status(&f.info, f.plan, &f.sample);
	doc = parse(strdup(text));
	eq_str(keys(item(doc, "hosts", 2), buf, sizeof(buf)), "name vtep link");
	eq_str(keys(member(item(doc, "hosts", 2), "link"), buf, sizeof(buf)), "rate delay loss down");
	eq_str(string(member(item(doc, "hosts", 2), "link"), "rate"), "50mbit");
	eq_str(string(member(item(doc, "hosts", 2), "link"), "loss"), "1.5%");
	ok(cJSON_IsNull(member(member(item(doc, "hosts", 2), "link"), "delay")));
	ok(cJSON_IsTrue(member(member(item(doc, "hosts", 2), "link"), "down")));
	ok(cJSON_IsFalse(member(member(item(doc, "hosts", 1), "link"), "down")));
	eq_i64(cJSON_GetArraySize(member(doc, "events")), 3);
	eq_str(keys(item(doc, "events", 0), buf, sizeof(buf)), "seq at_s time name do ok error");
	eq_str(string(item(doc, "events", 0), "do"), "link host2 down");
	ok(cJSON_IsTrue(member(item(doc, "events", 0), "ok")) && cJSON_IsNull(member(item(doc, "events", 0), "error")));
	ok(cJSON_IsNull(member(item(doc, "events", 1), "name")) && cJSON_IsFalse(member(item(doc, "events", 1), "ok")));
	eq_str(string(item(doc, "events", 1), "error"), "the kernel has no \"netem\"");
	cJSON_Delete(doc);
	if (ok(asprintf(&table, "{\"labs\":[%s]}", text) > 0)) {
		free(text);
		text = table;
		table = view_status_table(text, 0);
		ok(table && strstr(table, "\nLINK   STATE    RATE  DELAY  LOSS\nhost2  down   50mbit      -  1.5%\n"));
		ok(table && strstr(table, "\n1.0 s  cut    link host2 down\n2.5 s  live   link host2 loss 1%  the kernel has no"));
		free(table);
	}
	free(text);
	doc = parse(view_event(&f.info, f.plan, &f.sample, 0)); /* since the sample before */
	eq_i64(cJSON_GetArraySize(member(doc, "events")), 2);
	eq_u64(number(item(doc, "events", 0), "seq"), 2);
	cJSON_Delete(doc);
	doc = parse(view_lab(&f.info, f.plan, &f.sample));
	eq_i64(cJSON_GetArraySize(member(doc, "events")), 3);
	cJSON_Delete(doc);
	marks_unref(f.sample.marks);
	f.sample.marks = NULL;
	free(log);
	free_lab(&f);
}

TEST(history_has_the_marks_of_its_intervals)
{
	struct history_entry e[2] = {
		{ .seq = 2, .interval_s = 1, .marks_then = 1, .marks = 1 },
		{ .seq = 3, .interval_s = 1, .marks_then = 1, .marks = 2 },
	};
	struct mark_log *log = calloc(1, sizeof(*log));
	struct lab_info info = { .name = "small" };
	struct sample_link link;
	struct fixture f = { 0 };
	cJSON *doc;

	change(&f, log, &link); /* the newest sample is newer than the last entry */
	doc = parse(view_history(&info, e, 2, f.sample.marks));
	eq_i64(cJSON_GetArraySize(member(doc, "events")), 1);
	eq_u64(number(item(doc, "events", 0), "seq"), 2);
	cJSON_Delete(doc);
	doc = parse(view_history(&info, e, 0, f.sample.marks));
	eq_i64(cJSON_GetArraySize(member(doc, "events")), 0);
	cJSON_Delete(doc);
	marks_unref(f.sample.marks);
	free(log);
}

TEST(links_of_all_hosts_or_one)
{
	struct link_state states[3] = { [1] = { .delay_ns = 10000000 } };
	struct fixture f;
	char *text;

	if (!make_lab(&f, small_lab))
		return;
	text = view_links(f.plan, states, 1);
	eq_str(text, "{\"schema\":\"tunlab.links/1\",\"source\":\"small\",\"links\":[{\"host\":\"host1\",\"rate\":null,"
		     "\"delay\":\"10ms\",\"loss\":null,\"down\":false}]}");
	free(text);
	text = view_links(f.plan, states, -1);
	if (ok(text != NULL)) {
		char *table = view_links_table(text, 0);

		eq_str(table, "LINK   STATE  RATE  DELAY  LOSS\nhost0  up        -      -     -\n"
			      "host1  up        -   10ms     -\nhost2  up        -      -     -\n");
		free(table);
	}
	free(text);
	ok(!view_links_table("{}", 0) && !view_links_table("?", 0));
	free(view_links_table("{\"links\":[{},1]}", 0));
	free_lab(&f);
}
