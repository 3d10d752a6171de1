/* SPDX-License-Identifier: Apache-2.0 */
/* A small lab, samples of it made by hand, and documents read back, for tests of views: no kernel, no clock. The lab is
 * three hosts with the VNIs 100 and 200:
 *
 *   host0 172.16.1.100: c0 (VNI 100, 192.168.0.1)  c1 (VNI 200, 192.168.1.1)
 *   host1 172.16.1.101: c2 (VNI 100, 192.168.0.2)  c3 (VNI 200, 192.168.1.2)
 *   host2 172.16.1.102: c4 (VNI 100, 192.168.0.3)  c5 (VNI 200, 192.168.1.3)
 */
#ifndef TUNLAB_TESTS_VIEW_FIXTURE_H
#define TUNLAB_TESTS_VIEW_FIXTURE_H

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

static inline bool make_lab(struct fixture *f, const char *text)
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

static inline void free_lab(struct fixture *f)
{
	free(f->sample.flows);
	plan_free(f->plan);
	scenario_free(f->scn);
}

static inline struct sample_flow *add_flow(struct fixture *f)
{
	struct sample *s = &f->sample;

	s->flows = realloc(s->flows, (s->n_flows + 1) * sizeof(*s->flows));
	s->flows[s->n_flows] = (struct sample_flow) { .src_host = -1, .dst_host = -1, .src_client = -1, .dst_client = -1 };
	s->flows[s->n_flows].key.encap = ENCAP_VXLAN;
	return &s->flows[s->n_flows++];
}

static inline void set_addr(uint8_t bytes[16], const char *text)
{
	struct ip_addr a = { { 0 } };

	(void)addr_parse(text, &a);
	memcpy(bytes, a.b, 16);
}

/* packets of 190 bytes, 140 of them inner, all but one received; half of them before the previous sample. */
static inline void count(struct sample_flow *f, uint64_t packets)
{
	f->value.tx = (struct flow_count) { packets, packets * 190, packets * 140 };
	f->value.rx = (struct flow_count) { packets - 1, (packets - 1) * 190, (packets - 1) * 140 };
	f->sent_then = (struct flow_count) { packets / 2, packets / 2 * 190, packets / 2 * 140 };
	f->received_then = f->sent_then;
}

static inline void ping_flow(struct fixture *fx, uint32_t from, uint32_t to, uint64_t packets)
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
static inline void arp_flow(struct fixture *fx, uint32_t host, uint64_t packets)
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

static inline bool make_traffic(struct fixture *f)
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

static inline uint64_t number(const cJSON *o, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);

	return item ? (uint64_t)item->valuedouble : UINT64_MAX;
}

static inline const char *string(const cJSON *o, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
}

static inline const cJSON *member(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static inline const cJSON *item(const cJSON *doc, const char *array, int i)
{
	return cJSON_GetArrayItem(member(doc, array), i);
}

/* "a b c": the keys of an object in their order. */
static inline const char *keys(const cJSON *o, char *buf, size_t len)
{
	const cJSON *child;
	size_t at = 0;

	*buf = '\0';
	cJSON_ArrayForEach(child, o)
		at += (size_t)snprintf(buf + at, at < len ? len - at : 0, "%s%s", at ? " " : "", child->string);
	return buf;
}

static inline cJSON *parse(char *text)
{
	cJSON *doc = text ? cJSON_Parse(text) : NULL;

	free(text);
	ok(doc);
	return doc;
}

static inline cJSON *flows(struct fixture *f, struct flow_query q)
{
	return parse(view_flows(&f->info, f->plan, &f->sample, &q));
}

/* c0 pings c2 and c4: 3 of 4 answered by c2 after 1, 2 and 3 ms; nothing yet from c4. */
struct generated {
	uint32_t rtt[2][RTT_BUCKETS];
	struct sample_stream streams[2];
	struct sample_generator generator;
};

static inline void generate(struct fixture *f, struct generated *g)
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

#endif
