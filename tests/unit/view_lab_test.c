/* SPDX-License-Identifier: Apache-2.0 */
/* A lab's documents: topology, status, generators, the classic form, links and marks. */
#include "tests/unit/view_fixture.h"

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
