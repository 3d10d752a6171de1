/* SPDX-License-Identifier: Apache-2.0 */
/* A sample made by hand, for tests of checks and verdicts. */
#ifndef TUNLAB_TESTS_CHECK_WORLD_H
#define TUNLAB_TESTS_CHECK_WORLD_H

#include <cjson/cJSON.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "lab/traffic/engine.h"
#include "lab/verdict/report.h"
#include "tests/unit/t.h"

/*
 *   host0: c0 (VNI 1), c1 (VNI 2)     host1: c2, c3     host2: c4, c5
 *   pings: c0 to c2 and c4, c1 to c3 and c5      flood: c1 to c5 by UDP      late: c2 to c0 by UDP
 * from 4 s on
 */
static const char scenario_text[] =
	"[lab]\nhosts = 3\nvnis = 1-2\nduration = 10s\n"
	"[vni 2]\nsubnet = fd00::/64\n"
	"[traffic pings]\nfrom = host0\nrate = 10pps\n"
	"[traffic flood]\nfrom = c1\nto = c5\nproto = udp\nrate = 100pps\nsize = 1000\n"
	"[traffic late]\nfrom = c2\nto = c0\nproto = udp\nrate = 10pps\nstart = 4s\n";

enum { FLOWS_MAX = 32, SECOND = 1000000000 };
static const uint64_t zero_ns = 1000ull * SECOND;

struct world {
	struct scenario *s;
	struct plan *p;
	struct checks *c;
	struct sample sample;
	struct sample_flow flows[FLOWS_MAX];
	struct sample_generator generators[8];
	struct sample_stream streams[16];
	uint32_t rtt[RTT_BUCKETS];
};

/* Packets between two clients as the monitor would count them; bytes 150 each, 100 of them inside.
 */
static inline struct sample_flow *add_flow(struct world *w, uint32_t from, uint32_t to, uint8_t ipproto,
				    uint64_t sent, uint64_t received)
{
	struct sample_flow *f = &w->flows[w->sample.n_flows++];
	const struct plan_client *a = &w->p->clients[from], *b = &w->p->clients[to];
	bool v4 = addr_is_v4(&a->addr);

	*f = (struct sample_flow){
		.src_client = (int32_t)from,
		.dst_client = (int32_t)to,
		.src_host = (int32_t)a->host,
		.dst_host = (int32_t)b->host,
		.value.tx = { sent, sent * 150, sent * 100 },
		.value.rx = { received, received * 150, received * 100 },
	};
	f->key.vni = w->p->vnis[a->vni].scn->vni;
	f->key.encap = ENCAP_VXLAN;
	f->key.inner_ethertype = v4 ? 0x0800 : 0x86dd;
	f->key.inner_ipproto = ipproto == IPPROTO_ICMP && !v4 ? IPPROTO_ICMPV6 : ipproto;
	memcpy(f->key.inner_src, a->addr.b, 16);
	memcpy(f->key.inner_dst, b->addr.b, 16);
	memcpy(f->key.outer_src, w->p->hosts[a->host].vtep.b, 16);
	memcpy(f->key.outer_dst, w->p->hosts[b->host].vtep.b, 16);
	return f;
}

/* An ARP request: flooded, no inner addresses. */
static inline struct sample_flow *add_arp(struct world *w, uint32_t from)
{
	struct sample_flow *f = add_flow(w, from, from, 0, 1, 2);

	f->key.inner_ethertype = 0x0806;
	memset(f->key.inner_src, 0, 32);
	memcpy(f->key.outer_dst, w->p->vnis[w->p->clients[from].vni].scn->group.b, 16);
	f->src_client = f->dst_client = f->dst_host = -1;
	f->bum = true;
	return f;
}

static inline void add_stream(struct world *w, uint32_t generator, uint32_t to, uint64_t sent,
		       uint64_t received)
{
	struct sample_generator *g = &w->generators[generator];

	w->streams[w->sample.n_streams++] = (struct sample_stream){
		.generator = generator,
		.from = g->client,
		.to = to,
		.proto = g->proto,
		.sent = sent,
		.received = received,
		.rtt_sum_ns = received * 2000000,
		.rtt_min_ns = received ? 1000000 : 0,
		.rtt_max_ns = received ? 9000000 : 0,
		.rtt = w->rtt,
	};
	g->n_streams++;
	g->sent += sent;
	g->received += received;
}

/* A generator that ran from start_s on for run_s, its packets evenly spread. */
static inline void add_generator(struct world *w, int32_t section, uint32_t client, double phase_s,
			  double start_s, double run_s, uint64_t sent)
{
	struct sample_generator *g = &w->generators[w->sample.n_generators];
	const struct scn_traffic *t = &w->s->traffic[section < 0 ? 0 : section];

	*g = (struct sample_generator){
		.id = (uint32_t)w->sample.n_generators,
		.section = section,
		.client = client,
		.proto = section < 0 ? SCN_UDP : t->proto,
		.rate = t->rate,
		.size = t->size,
		.state = GEN_DONE,
		.stream0 = (uint32_t)w->sample.n_streams,
		.first_ns = zero_ns + (uint64_t)((start_s + phase_s) * SECOND),
	};
	(void)snprintf(g->name, sizeof(g->name), "%s", section < 0 ? "live-7" : t->name);
	g->last_ns = g->first_ns + (uint64_t)(run_s * SECOND * (double)(sent - 1) / (double)sent);
	w->sample.n_generators++;
}

/* The lab after a perfect run of ten seconds. */
static inline void set_up(struct world *w)
{
	struct scn_source source = { .file = "x.ini",
				     .text = scenario_text,
				     .len = strlen(scenario_text) };
	struct scn_errors errors;

	*w = (struct world){ 0 };
	ok(plan_load(&source, &w->s, &w->p, &errors) == 0 && checks_open(w->p, &w->c) == 0);
	scn_errors_free(&errors);
	w->sample = (struct sample){
		.seq = 12,
		.mono_ns = zero_ns + 11ull * SECOND,
		.elapsed_s = 11,
		.interval_s = 1,
		.unix_s = 1700000000,
		.flows = w->flows,
		.generators = w->generators,
		.streams = w->streams,
		.capacity = 65536,
	};
	w->rtt[rtt_bucket(2000000)] = 25; /* per stream: all round trips about 2 ms */
	add_generator(w, 0, 0, 0, 0, 10, 100);
	add_stream(w, 0, 2, 50, 50);
	add_stream(w, 0, 4, 50, 50);
	add_generator(w, 0, 1, 0.05, 0, 10, 100);
	add_stream(w, 1, 3, 50, 50);
	add_stream(w, 1, 5, 50, 50);
	add_generator(w, 1, 1, 0, 0, 10, 1000);
	add_stream(w, 2, 5, 1000, 1000);
	add_generator(w, 2, 2, 0, 4, 6, 60);
	add_stream(w, 3, 0, 60, 60);
	for (uint32_t to = 2; to < 6; to++) {
		add_flow(w, to % 2, to, IPPROTO_ICMP, 50, 50);
		add_flow(w, to, to % 2, IPPROTO_ICMP, 50, 50);
	}
	add_flow(w, 1, 5, IPPROTO_UDP, 1000, 1000);
	add_flow(w, 2, 0, IPPROTO_UDP, 60, 60);
	add_arp(w, 0);
}

static inline void tear_down(struct world *w)
{
	checks_close(w->c);
	plan_free(w->p);
	scenario_free(w->s);
}

static inline struct check_result judge_in(struct world *w, const char *text, bool momentary)
{
	struct scn_check check = { .within_ns = momentary ? SECOND : 0 };
	struct check_result r = { 0 };
	char why[512] = "";

	if (parse_check(text, &check, why, sizeof(why))) {
		eq_str(why, text);
		return r;
	}
	ok(checks_evaluate(w->c, &check, &w->sample, &r) == 0);
	free(check.selectors);
	r.check = NULL;
	return r;
}

/* "holds: 50" or "fails: 49", or what could not be measured. */
static inline const char *judge(struct world *w, const char *text, char *buf)
{
	struct check_result r = judge_in(w, text, false);

	(void)snprintf(buf, 200, "%s%s",
		       !r.measured ? ""
		       : r.holds   ? "holds: "
				   : "fails: ",
		       r.text);
	if (!r.measured && r.holds)
		(void)snprintf(buf, 200, "holds without a measurement");
	return buf;
}

#endif
