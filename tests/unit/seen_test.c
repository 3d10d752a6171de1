/* SPDX-License-Identifier: Apache-2.0 */
/* monitor/seen.c, and samples and documents of what has no plan: hosts are the addresses that were seen. */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "monitor/history.h"
#include "monitor/name_table.h"
#include "monitor/sample.h"
#include "monitor/view.h"
#include "tests/unit/t.h"

static void ignore(void *arg, unsigned line, const char *why)
{
	(void)arg;
	t_fail(__FILE__, (int)line, "%s", why);
}

static struct name_table names_of(const char *text)
{
	struct name_table t = { 0 };

	eq_i64(name_table_parse(&t, text, strlen(text), ignore, NULL), 0);
	return t;
}

static void put(uint8_t to[16], const char *text)
{
	struct ip_addr addr;

	ok(addr_parse(text, &addr) == 0);
	memcpy(to, addr.b, 16);
}

static struct flow_key key(const char *src, const char *dst, uint32_t vni)
{
	struct flow_key k = { .vni = vni, .encap = ENCAP_VXLAN, .inner_ethertype = 0x0800, .inner_ipproto = 17 };

	put(k.outer_src, src);
	put(k.outer_dst, dst);
	put(k.inner_src, "192.168.0.1");
	put(k.inner_dst, "192.168.0.2");
	return k;
}

TEST(addresses_become_hosts_as_they_appear)
{
	struct name_table names = names_of("10.0.0.2 web\nfd00::2 web\n192.168.0.1 db\n");
	struct seen_log log = { .names = &names };
	struct flow_key k[] = { key("10.0.0.9", "10.0.0.2", 7), key("fd00::2", "239.1.1.1", 5), key("10.0.0.2", "10.0.0.1", 7) };
	static const int32_t hosts[3][2] = { { 0, 1 }, { 2, -1 }, { 1, 3 } };
	char buf[SEEN_NAME_SIZE];
	struct seen *s, *same;
	int32_t src, dst;

	for (int again = 0; again < 2; again++) {
		for (int i = 0; i < 3; i++) {
			eq_i64(seen_note(&log, &k[i], &src, &dst), 0);
			eq_i64(src, hosts[i][0]);
			eq_i64(dst, hosts[i][1]);
		}
	}
	s = seen_take(&log, NULL);
	eq_u64(s->n_hosts, 4);
	eq_str(seen_host_name(s, 0, buf), "10.0.0.9");
	eq_str(seen_host_name(s, 1, buf), "web");
	eq_str(seen_host_name(s, 2, buf), "web (fd00::2)");
	eq_i64(seen_find_host(s, "web (fd00::2)"), 2);
	eq_i64(seen_find_host(s, "10.0.0.2"), 1);
	eq_i64(seen_find_host(s, "10.0.0.3"), -1);
	eq_u64(s->n_vnis, 2);
	eq_u64(s->n_names, 1);
	eq_str(s->names[0].name, "db");
	same = seen_take(&log, s);
	ok(same == s);
	seen_unref(same);
	k[0] = key("10.0.0.9", "10.0.0.77", 7);
	eq_i64(seen_note(&log, &k[0], &src, &dst), 0);
	same = seen_take(&log, s);
	ok(same != s);
	eq_u64(s->n_hosts, 4);
	eq_u64(same->n_hosts, 5);
	seen_unref(same);
	seen_unref(s);
	seen_log_free(&log);
	name_table_free(&names);
}

TEST(there_are_no_more_hosts_than_fit)
{
	struct seen_log log = { 0 };
	struct flow_key k = key("10.0.0.1", "10.0.0.2", 1);
	int32_t src, dst;

	for (unsigned i = 0; i < SEEN_HOSTS_MAX + 10; i++) {
		k.outer_src[13] = 1;
		k.outer_src[14] = (uint8_t)(i >> 8);
		k.outer_src[15] = (uint8_t)i;
		eq_i64(seen_note(&log, &k, &src, &dst), 0);
		eq_i64(src, i == 0 ? 0 : i < SEEN_HOSTS_MAX - 1 ? (int)i + 1 : -1);
		eq_i64(dst, 1);
	}
	eq_u64(log.now.n_hosts, SEEN_HOSTS_MAX);
	seen_log_free(&log);
}

/* ---- samples and documents ---- */

struct watched {
	struct flow_table table;
	struct seen_log log;
	struct sample *s;
};

static void count(struct watched *w, const struct flow_key *k, uint64_t sent, uint64_t received)
{
	struct flow_value v = { { sent, sent * 100, sent * 50 }, { received, received * 100, received * 50 } };

	eq_i64(flows_add(&w->table, k, &v), 0);
}

static void take(struct watched *w, enum sample_kind kind, uint64_t ms)
{
	struct sample_source source = { .kind = kind, .flows = &w->table, .seen = &w->log, .previous = w->s, .zero_ns = 1 };
	struct sample *s = NULL;

	w->table.read_ns = ms * 1000000;
	eq_i64(flows_sort(&w->table), 0);
	eq_i64(sample_take(&source, &s), 0);
	sample_unref(w->s);
	w->s = s;
}

static void end(struct watched *w)
{
	sample_unref(w->s);
	seen_log_free(&w->log);
	flows_free(&w->table);
}

static const cJSON *member(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

/* One flow goes out, another comes in, a third crosses two interfaces: each has the size of what crossed, once. */
TEST(on_a_machine_a_flow_is_as_big_as_its_bigger_direction)
{
	struct flow_key out = key("10.0.0.1", "10.0.0.2", 7), in = key("10.0.0.2", "10.0.0.1", 7), through = key("10.0.0.3", "10.0.0.4", 8);
	struct lab_info info = { .name = "eth0", .state = "running", .devices = { { "eth0", "tcx" }, { "eth1", NULL } }, .n_devices = 2 };
	struct flow_query q = FLOW_QUERY_ALL;
	struct watched w = { 0 };
	struct history_entry h;
	char *text;
	cJSON *doc;

	take(&w, SAMPLE_MONITOR, 1000);
	count(&w, &out, 10, 0);
	count(&w, &in, 0, 30);
	count(&w, &through, 20, 20);
	take(&w, SAMPLE_MONITOR, 2000);
	eq_i64(history_sum(w.s, &h), 0);
	eq_u64(h.packets, 60);
	eq_u64(h.received_packets, 50);
	eq_u64(h.n_vnis, 2);
	eq_u64(h.vnis[0].packets, 40);

	q.by = BY_OUTER;
	doc = cJSON_Parse(text = view_flows(&info, NULL, w.s, &q));
	free(text);
	eq_str(cJSON_GetStringValue(member(cJSON_GetArrayItem(member(doc, "rows"), 0), "src_host")), "10.0.0.2");
	eq_u64((uint64_t)cJSON_GetNumberValue(member(cJSON_GetArrayItem(member(doc, "rows"), 0), "packets")), 0);
	ok(member(cJSON_GetArrayItem(member(doc, "rows"), 0), "received") != NULL);
	cJSON_Delete(doc);

	doc = cJSON_Parse(text = view_status(&info, NULL, w.s));
	free(text);
	eq_str(cJSON_GetStringValue(member(doc, "kind")), "monitor");
	eq_str(cJSON_GetStringValue(member(doc, "state")), "waiting for eth1");
	eq_i64(cJSON_GetArraySize(member(doc, "hosts")), 4);
	eq_i64(cJSON_GetArraySize(member(doc, "clients")), 0);
	eq_i64(cJSON_GetArraySize(member(doc, "devices")), 2);
	cJSON_Delete(doc);

	doc = cJSON_Parse(text = view_lab(&info, NULL, w.s));
	free(text);
	eq_i64(cJSON_GetArraySize(member(doc, "vnis")), 2);
	eq_str(cJSON_GetStringValue(member(cJSON_GetArrayItem(member(doc, "vnis"), 0), "encap")), "vxlan");
	ok(member(doc, "underlay") == NULL);
	cJSON_Delete(doc);
	text = view_metrics(&info, NULL, w.s);
	ok(strstr(text, "tunlab_received_packets_total{src_host=\"10.0.0.2\",dst_host=\"10.0.0.1\",vni=\"7\"} 30\n") != NULL);
	ok(strstr(text, "tunlab_hosts 4\n") != NULL);
	free(text);
	end(&w);
}

TEST(a_capture_has_nothing_received)
{
	struct flow_key out = key("10.0.0.1", "10.0.0.2", 7);
	struct lab_info info = { .name = "a.pcap", .state = "done" };
	struct flow_query q = FLOW_QUERY_ALL;
	struct watched w = { 0 };
	char *text;
	cJSON *doc;

	count(&w, &out, 10, 0);
	take(&w, SAMPLE_CAPTURE, 1000);
	doc = cJSON_Parse(text = view_flows(&info, NULL, w.s, &q));
	free(text);
	ok(member(cJSON_GetArrayItem(member(doc, "flows"), 0), "received") == NULL);
	ok(member(cJSON_GetArrayItem(member(doc, "flows"), 0), "src_client") == NULL);
	cJSON_Delete(doc);
	end(&w);
}
