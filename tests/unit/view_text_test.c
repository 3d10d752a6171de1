/* SPDX-License-Identifier: Apache-2.0 */
/* What is read as text: metrics, and tables on a terminal. */
#include "tests/unit/view_fixture.h"

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
