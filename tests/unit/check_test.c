/* SPDX-License-Identifier: Apache-2.0 */
/* lab/check*.c and lab/verdict/report.c over samples made by hand: every metric, selectors, what is not
 * measurable, where packets stop, and the three report formats. */
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
static struct sample_flow *add_flow(struct world *w, uint32_t from, uint32_t to, uint8_t ipproto,
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
static struct sample_flow *add_arp(struct world *w, uint32_t from)
{
	struct sample_flow *f = add_flow(w, from, from, 0, 1, 2);

	f->key.inner_ethertype = 0x0806;
	memset(f->key.inner_src, 0, 32);
	memcpy(f->key.outer_dst, w->p->vnis[w->p->clients[from].vni].scn->group.b, 16);
	f->src_client = f->dst_client = f->dst_host = -1;
	f->bum = true;
	return f;
}

static void add_stream(struct world *w, uint32_t generator, uint32_t to, uint64_t sent,
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
static void add_generator(struct world *w, int32_t section, uint32_t client, double phase_s,
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
static void set_up(struct world *w)
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

static void tear_down(struct world *w)
{
	checks_close(w->c);
	plan_free(w->p);
	scenario_free(w->s);
}

static struct check_result judge_in(struct world *w, const char *text, bool momentary)
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
static const char *judge(struct world *w, const char *text, char *buf)
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

TEST(counts_of_the_monitor)
{
	struct world w;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "packets == 1461", buf),
	       "holds: 1461"); /* 400 of pings, 1060 of UDP, 1 ARP */
	eq_str(judge(&w, "packets(proto=ping) == 400", buf), "holds: 400");
	eq_str(judge(&w, "packets(proto=ipv4/icmp) == 200", buf), "holds: 200");
	eq_str(judge(&w, "packets(proto=icmpv6) == 200", buf), "holds: 200");
	eq_str(judge(&w, "packets(proto=ipv6/58) == 200", buf), "holds: 200");
	eq_str(judge(&w, "packets(proto=udp) == 1060", buf), "holds: 1060");
	eq_str(judge(&w, "packets(proto=arp) == 1", buf), "holds: 1");
	eq_str(judge(&w, "packets(proto=0x0806) == 1", buf), "holds: 1");
	eq_str(judge(&w, "packets(proto=tcp) == 0", buf), "holds: 0");
	eq_str(judge(&w, "packets(proto=ipv4/nonesuch) == 0", buf), "holds: 0");
	eq_str(judge(&w, "received(proto=arp) == 2", buf), "holds: 2");
	eq_str(judge(&w, "bytes(proto=udp) == 159000", buf), "holds: 159000 bytes");
	eq_str(judge(&w, "flows == 11", buf), "holds: 11");
	eq_str(judge(&w, "flows(vni=2) == 5", buf), "holds: 5");
	eq_str(judge(&w, "hosts == 3", buf), "holds: 3");
	eq_str(judge(&w, "hosts(traffic=late) == 2", buf), "holds: 2");
	eq_str(judge(&w, "overhead == 33.333333333333333%", buf), "holds: 33.33%");
	eq_str(judge(&w, "monitor.lost == 0", buf), "holds: 0");
	w.sample.health = (struct flow_health){ .lost = 1, .truncated = 2, .unknown = 3 };
	eq_str(judge(&w, "monitor.lost == 0", buf), "fails: 1");
	eq_str(judge(&w, "monitor.truncated == 2", buf), "holds: 2");
	eq_str(judge(&w, "monitor.unknown() <= 3", buf), "holds: 3");
	tear_down(&w);
}

TEST(selectors_select)
{
	struct world w;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "packets(from=c1) == 1100", buf), "holds: 1100");
	eq_str(judge(&w, "packets(from=c1 to=c5) == 1050", buf), "holds: 1050");
	eq_str(judge(&w, "packets(from=host0) == 1201", buf), "holds: 1201"); /* its ARP too */
	eq_str(judge(&w, "packets(to=host0) == 260", buf), "holds: 260");
	eq_str(judge(&w, "packets(from=host0:2) == 1100", buf), "holds: 1100");
	eq_str(judge(&w, "packets(from=vni 2) == 1200", buf), "holds: 1200");
	eq_str(judge(&w, "packets(from=all to=all) == 1461", buf), "holds: 1461");
	eq_str(judge(&w, "packets(from=192.168.0.2) == 110", buf), "holds: 110");
	eq_str(judge(&w, "packets(to=fd00::3) == 1050", buf), "holds: 1050");
	eq_str(judge(&w, "packets(encap=vxlan) == 1461", buf), "holds: 1461");
	eq_str(judge(&w, "packets(encap=geneve) == 0", buf), "holds: 0");
	eq_str(judge(&w, "packets(outer_src=172.16.1.101) == 160", buf), "holds: 160");
	eq_str(judge(&w, "packets(outer_dst=239.1.1.1) == 1", buf), "holds: 1");
	eq_str(judge(&w, "packets(traffic=pings) == 400", buf), "holds: 400"); /* answers too */
	eq_str(judge(&w, "packets(traffic=flood) == 1000", buf), "holds: 1000");
	eq_str(judge(&w, "packets(traffic=pings from=host0) == 200", buf), "holds: 200");
	eq_str(judge(&w, "packets(traffic=flood proto=ping) == 0", buf), "holds: 0");
	tear_down(&w);
}

TEST(rates_are_over_the_time_the_traffic_ran)
{
	struct world w;
	struct check_result r;
	char buf[200];

	set_up(&w);
	/* 100 packets in 10 s are 10 a second, though the last leaves after 9.9 s; senders 50 ms
	 * apart ran no longer. */
	r = judge_in(&w, "pps(traffic=pings from=c0) ~ 10 +- 0.01%", false);
	ok(r.holds);
	r = judge_in(&w, "pps(traffic=pings) ~ 40 +- 0.01%", false);
	ok(r.holds);
	r = judge_in(&w, "pps(traffic=flood) ~ 100 +- 0.01%", false);
	ok(r.holds);
	r = judge_in(&w, "pps(traffic=late) ~ 10 +- 0.01%", false); /* 60 in the 6 s from 4 s on */
	ok(r.holds);
	r = judge_in(&w, "bps(traffic=flood) ~ 120kbit +- 0.01%", false);
	ok(r.holds);
	r = judge_in(&w, "pps(proto=arp) ~ 0.0909 +- 1%",
		     false); /* no generator makes these: since the clock began */
	ok(r.holds);
	/* With `at` or `within`: the last interval only. */
	w.flows[8].sent_then = (struct flow_count){ 890, 890 * 150, 890 * 100 };
	r = judge_in(&w, "pps(traffic=flood) == 110", true);
	ok(r.holds);
	w.sample.interval_s = 2;
	r = judge_in(&w, "bps(traffic=flood) == 66kbit", true);
	ok(r.holds);
	/* Still running: until now. */
	w.sample.interval_s = 1;
	w.generators[2].state = GEN_RUNNING;
	w.sample.mono_ns = zero_ns + 20ull * SECOND;
	w.sample.elapsed_s = 20;
	eq_str(judge(&w, "pps(traffic=flood) == 50", buf), "holds: 50pps");
	tear_down(&w);
}

TEST(rates_leave_out_the_time_a_section_stood_still)
{
	struct world w;
	struct check_result r;

	set_up(&w);
	/* 1000 packets in two times five seconds, with four between */
	w.generators[2].last_ns += 4ull * SECOND;
	w.generators[2].idle_ns = 4ull * SECOND;
	w.sample.mono_ns += 4ull * SECOND;
	w.sample.elapsed_s += 4;
	r = judge_in(&w, "pps(traffic=flood) ~ 100 +- 0.01%", false);
	ok(r.holds);
	/* Beside a section that went on there was no such time. */
	r = judge_in(&w, "pps(proto=udp) ~ 75.7 +- 0.1%", false);
	ok(r.holds);
	/* Counters are read while they are written: never more than all of it. */
	w.generators[2].idle_ns = 3600ull * SECOND;
	r = judge_in(&w, "pps(traffic=flood) > 0", false);
	ok(r.measured && r.value < 1e12);
	tear_down(&w);
}

TEST(loss_is_between_two_hosts)
{
	struct world w;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "loss == 0%", buf),
	       "holds: 0%"); /* the flooded ARP, received twice, is left out */
	w.flows[8].value.rx.packets = 999;
	eq_str(judge(&w, "loss(traffic=flood) == 0.1%", buf), "holds: 0.1%");
	eq_str(judge(&w, "loss(traffic=flood) < 0.1%", buf), "fails: 0.1%");
	eq_str(judge(&w, "loss(traffic=flood) <= 0.1%", buf), "holds: 0.1%");
	eq_str(judge(&w, "loss(traffic=pings) == 0%", buf), "holds: 0%");
	eq_str(judge(&w, "loss(proto=arp) == 0%", buf),
	       "nothing to measure: no packet was sent from host to host");
	w.flows[8].value.tx.packets = 100000000;
	w.flows[8].value.rx.packets = 99999999;
	eq_str(judge(&w, "loss(traffic=flood) == 0%", buf), "fails: 1e-06%");
	tear_down(&w);
}

TEST(delivery_and_round_trips_are_the_generators)
{
	struct world w;
	struct check_result r;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "delivery == 100%", buf), "holds: 100%");
	w.streams[4].received = 999;
	eq_str(judge(&w, "delivery(traffic=flood) == 100%", buf), "fails: 99.9%");
	w.streams[4].sent = 100000000;
	w.streams[4].received = 99999999;
	eq_str(judge(&w, "delivery(traffic=flood) == 100%", buf),
	       "fails: 99.999999%"); /* never rounded to 100% */
	eq_str(judge(&w, "delivery(proto=ping) == 100%", buf), "holds: 100%");
	eq_str(judge(&w, "delivery(from=c4) == 100%", buf),
	       "nothing to measure: the selected traffic sent nothing");
	eq_str(judge(&w, "rtt_min == 1ms", buf), "holds: 1ms");
	eq_str(judge(&w, "rtt_avg == 2ms", buf), "holds: 2ms");
	eq_str(judge(&w, "rtt_max < 9ms", buf), "fails: 9ms");
	r = judge_in(&w, "rtt_p50 ~ 2ms +- 7%", false);
	ok(r.holds);
	r = judge_in(&w, "rtt_p99(vni=2) between 1.8ms and 2.2ms", false);
	ok(r.holds && r.n_rows == 2);
	eq_str(judge(&w, "rtt_avg(proto=udp) < 1s", buf),
	       "nothing to measure: no ping was answered");
	eq_str(judge(&w, "rtt_p90(traffic=late) < 1s", buf),
	       "nothing to measure: no ping was answered");
	tear_down(&w);
}

TEST(top_talker_is_a_client)
{
	struct world w;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "top_talker() == c1", buf), "holds: c1");
	eq_str(judge(&w, "top_talker() == host0:2", buf), "holds: c1");
	eq_str(judge(&w, "top_talker() != c0", buf), "holds: c1");
	eq_str(judge(&w, "top_talker(vni=1) == c1", buf), "fails: c2"); /* 50 + 60 to c0's 100 */
	/* c2 sent 50 + 60 to c0's 50 + 50: with 10 more both sent the same, and either is right. */
	w.flows[0].value.tx.bytes += 1500;
	eq_str(judge(&w, "top_talker(vni=1) == c0", buf), "holds: c0");
	eq_str(judge(&w, "top_talker(vni=1) == c2", buf), "holds: c2");
	eq_str(judge(&w, "top_talker(vni=1) != c2", buf), "fails: c2");
	eq_str(judge(&w, "top_talker(vni=1) == c4", buf), "fails: c0");
	eq_str(judge(&w, "top_talker(proto=arp) == c0", buf),
	       "nothing to measure: no client sent anything");
	tear_down(&w);
}

TEST(mismatch_compares_two_counts)
{
	struct world w;
	struct check_result r;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "mismatch == 0", buf), "holds: 0");
	w.flows[8].value.tx.packets = 1007; /* the monitor saw more */
	w.flows[0].value.tx.packets = 47;   /* and less */
	r = judge_in(&w, "mismatch == 0", false);
	eq_str(r.text, "7");
	eq_str(r.rows[0].name, "c1 to c5, udp");
	ok(r.rows[0].generators == 1000 && r.rows[0].sent == 1007 && r.rows[1].weight == 3);
	eq_str(judge(&w, "mismatch(traffic=pings) == 3", buf), "holds: 3");
	eq_str(judge(&w, "mismatch(traffic=late) == 0", buf), "holds: 0");
	eq_str(judge(&w, "mismatch(from=c4 to=c2) == 0", buf),
	       "nothing to measure: no generator sends what is selected");
	/* IPv6 neighbour discovery shares a ping's flow: more is no mismatch there, less is. */
	w.flows[8].value.tx.packets = 1000;
	w.flows[0].value.tx.packets = 50;
	w.flows[3].value.tx.packets = 52; /* c3 to c1 */
	ok(w.flows[3].key.inner_ipproto == IPPROTO_ICMPV6);
	eq_str(judge(&w, "mismatch == 0", buf), "holds: 0");
	w.flows[3].value.tx.packets = 49;
	eq_str(judge(&w, "mismatch == 0", buf), "fails: 1");
	tear_down(&w);
}

TEST(what_nobody_planned_is_counted)
{
	struct world w;
	struct sample_flow *f;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "unplanned == 0", buf), "holds: 0"); /* ARP is not IP */
	add_flow(&w, 4, 2, IPPROTO_ICMP, 1, 1);
	eq_str(judge(&w, "unplanned == 0", buf), "fails: 1");
	add_flow(&w, 0, 2, IPPROTO_UDP, 1, 1); /* the answer to "late" would be its own traffic */
	eq_str(judge(&w, "unplanned == 0", buf), "fails: 2");
	eq_str(judge(&w, "unplanned(proto=udp) == 1", buf), "holds: 1");
	f = add_flow(&w, 0, 2, IPPROTO_ICMP, 1, 1); /* an address of nobody */
	f->src_client = -1;
	eq_str(judge(&w, "unplanned == 3", buf), "holds: 3");
	/* A generator started live explains what it sends. */
	add_generator(&w, -1, 0, 0, 0, 1, 1);
	add_stream(&w, 4, 2, 1, 1);
	eq_str(judge(&w, "unplanned == 2", buf), "holds: 2");
	tear_down(&w);
}

TEST(neighbour_discovery_is_nobodys_plan)
{
	struct world w;
	struct sample_flow *f;
	char buf[200];

	set_up(&w);
	f = add_flow(&w, 1, 3, IPPROTO_ICMP, 1, 2); /* to a solicited-node group */
	f->key.inner_dst[0] = 0xff;
	f->key.inner_dst[1] = 0x02;
	f->dst_client = f->dst_host = -1;
	f = add_flow(&w, 1, 3, IPPROTO_ICMP, 1, 2); /* from a link-local address */
	f->key.inner_src[0] = 0xfe;
	f->key.inner_src[1] = 0x80;
	f->src_client = -1;
	add_flow(&w, 5, 1, IPPROTO_ICMP, 1, 1); /* between two that talk UDP */
	eq_str(judge(&w, "unplanned == 0", buf), "holds: 0");
	eq_str(judge(&w, "packets(proto=ping vni=2) == 201", buf), "holds: 201");
	eq_str(judge(&w, "packets(proto=icmpv6) == 203", buf), "holds: 203");
	add_flow(&w, 5, 3, IPPROTO_ICMP, 1, 1); /* between two that do not talk at all */
	eq_str(judge(&w, "unplanned == 0", buf), "fails: 1");
	tear_down(&w);
}

TEST(comparisons)
{
	struct world w;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "flows != 11", buf), "fails: 11");
	eq_str(judge(&w, "flows < 11", buf), "fails: 11");
	eq_str(judge(&w, "flows < 12", buf), "holds: 11");
	eq_str(judge(&w, "flows > 11", buf), "fails: 11");
	eq_str(judge(&w, "flows >= 11", buf), "holds: 11");
	eq_str(judge(&w, "flows between 11 and 11", buf), "holds: 11");
	eq_str(judge(&w, "flows between 12 and 20", buf), "fails: 11");
	eq_str(judge(&w, "flows ~ 10 +- 10%", buf), "holds: 11");
	eq_str(judge(&w, "flows ~ 10 +- 9%", buf), "fails: 11");
	eq_str(judge_in(&w, "flows ~ 100 +- 10%", false).expected, "from 90 to 110");
	eq_str(judge_in(&w, "top_talker == host1:2", false).expected, "== c3");
	eq_str(judge_in(&w, "loss <= 0.1%", false).expected, "<= 0.1%");
	tear_down(&w);
}

TEST(an_empty_run_has_nothing_to_measure)
{
	struct world w;
	char buf[200];

	set_up(&w);
	w.sample.n_flows = w.sample.n_generators = w.sample.n_streams = 0;
	w.sample.elapsed_s = 0;
	eq_str(judge(&w, "packets == 0", buf), "holds: 0");
	eq_str(judge(&w, "flows == 0", buf), "holds: 0");
	eq_str(judge(&w, "hosts == 0", buf), "holds: 0");
	eq_str(judge(&w, "unplanned == 0", buf), "holds: 0");
	eq_str(judge(&w, "loss == 0%", buf),
	       "nothing to measure: no packet was sent from host to host");
	eq_str(judge(&w, "delivery >= 0%", buf),
	       "nothing to measure: the selected traffic sent nothing");
	eq_str(judge(&w, "overhead >= 0%", buf), "nothing to measure: no packet was sent");
	eq_str(judge(&w, "pps >= 0", buf), "nothing to measure: no traffic has run yet");
	eq_str(judge(&w, "mismatch == 0", buf),
	       "nothing to measure: no generator sends what is selected");
	eq_str(judge(&w, "top_talker != c0", buf), "nothing to measure: no client sent anything");
	tear_down(&w);
}

/* Where a pair's packets stop, as the delivery check says. */
static const char *stops(struct world *w, const char *text, char *buf)
{
	struct check_result r = judge_in(w, text, false);

	(void)snprintf(buf, 200, "%s", r.rows[0].stops);
	return buf;
}

TEST(the_first_place_where_packets_stop_is_named)
{
	struct world w;
	char buf[200];

	set_up(&w);
	eq_str(stops(&w, "delivery == 100%", buf), "");
	w.streams[4].received = 0; /* flood: c1 on host0 to c5 on host2 */
	eq_str(stops(&w, "delivery == 100%", buf), "behind host2: 1000 arrived, c5 received 0");
	w.flows[8].value.rx.packets = 10;
	eq_str(stops(&w, "delivery == 100%", buf),
	       "between host0 and host2: 1000 left, 10 arrived");
	w.flows[8].value.tx.packets = 10;
	eq_str(stops(&w, "delivery == 100%", buf),
	       "before leaving host0: c1 sent 1000, host0's eth0 10");
	tear_down(&w);

	set_up(&w);
	w.streams[0].received = 30; /* pings of c0 to c2 on host1: flows 0 and 1 */
	eq_str(stops(&w, "delivery == 100%", buf),
	       "the answers behind host0: 50 arrived, c0 received 30");
	w.flows[1].value.rx.packets = 30;
	eq_str(stops(&w, "delivery == 100%", buf),
	       "the answers between host1 and host0: 50 left, 30 arrived");
	w.flows[1].value.tx.packets = 30;
	eq_str(stops(&w, "delivery == 100%", buf),
	       "behind host1: 50 arrived, c2's answers that left are 30");
	w.flows[0].value.rx.packets = 30;
	eq_str(stops(&w, "delivery == 100%", buf), "between host0 and host1: 50 left, 30 arrived");
	w.flows[0].value.tx.packets = 30;
	eq_str(stops(&w, "delivery == 100%", buf),
	       "before leaving host0: c0 sent 50, host0's eth0 30");
	tear_down(&w);
}

TEST(the_biggest_rows_come_first)
{
	struct world w;
	struct check_result r;

	set_up(&w);
	r = judge_in(&w, "packets == 0", false);
	eq_u64(r.n_rows, 11);
	eq_str(r.rows[0].name, "c1 fd00::1 to c5 fd00::3, ipv6/udp, VNI 2");
	eq_str(r.rows[1].name, "c2 192.168.0.2 to c0 192.168.0.1, ipv4/udp, VNI 1");
	ok(r.rows[0].bytes == 150000 && r.rows[CHECK_ROWS - 1].sent == 50);
	r = judge_in(&w, "packets(proto=arp) == 0", false);
	eq_u64(r.n_rows, 1);
	eq_str(r.rows[0].name, "host0 to all, arp, VNI 1");
	tear_down(&w);
}

static struct validity validity_of(struct world *w, bool all_hold, uint64_t machine_dropped, uint64_t lab_dropped)
{
	struct machine_load load = { .dropped = machine_dropped, .squeezed = 4, .lab_dropped = lab_dropped };
	struct validity v;

	validity_judge(w->p, &w->sample, &load, all_hold, &v);
	ok(v.squeezed == 4 && v.valid == !*v.why); /* being squeezed is no reason by itself */
	return v;
}

/* "" where the run can be judged. */
static const char *invalid(struct world *w, bool all_hold, char *buf)
{
	(void)snprintf(buf, 512, "%s", validity_of(w, all_hold, 0, 0).why);
	return buf;
}

TEST(a_run_too_slow_is_no_verdict)
{
	struct scn_event event = { .name = "cut", .at_ns = 2ull * SECOND };
	struct marks *marks = calloc(1, sizeof(*marks) + 2 * sizeof(struct mark));
	struct scn_event *own;
	size_t n_own;
	struct world w;
	char buf[512];

	if (!ok(marks))
		return;
	marks->n = 2;
	marks->v[0] = (struct mark) { .at_s = 2.5, .name = "cut" };
	marks->v[1] = (struct mark) { .at_s = 9 };
	set_up(&w);
	eq_str(invalid(&w, false, buf), "");
	w.generators[2].slip_max_ns = 500000000; /* the bound itself */
	eq_str(invalid(&w, false, buf), "");
	w.generators[2].slip_max_ns = 750000000; /* late, but all were sent: only a failure is doubtful */
	eq_str(invalid(&w, true, buf), "");
	eq_str(invalid(&w, false, buf),
	       "flood was 750 ms behind its schedule at c1, and 500 ms is the limit: the machine is too slow");
	ok(validity_of(&w, true, 0, 0).figures[VALIDITY_SLIP].value == 750 && !validity_of(&w, true, 0, 0).figures[VALIDITY_SLIP].broken);
	w.generators[2].slip_max_ns = 0;
	own = w.s->events;
	n_own = w.s->n_events;
	w.s->events = &event;
	w.s->n_events = 1;
	w.sample.marks = marks;
	eq_str(invalid(&w, false, buf), ""); /* the bound itself, and what was done live is never late */
	marks->v[0].at_s = 2.75;
	eq_str(invalid(&w, true, buf), "");
	eq_str(invalid(&w, false, buf), "event cut was done 750 ms late, and 500 ms is the limit: the machine is too busy");
	w.sample.marks = NULL;
	w.s->events = own;
	w.s->n_events = n_own;
	free(marks);
	w.sample.overruns = 3;
	eq_str(invalid(&w, true, buf),
	       "3 packets were dropped at a full socket of the traffic engine: this machine could not keep up");
	w.sample.overruns = 0;
	w.generators[2].missed = 12;
	w.generators[2].slip_max_ns = 1250000000;
	eq_str(invalid(&w, true, buf),
	       "traffic flood of c1 gave up 12 departures that were more than 1 s late: this machine could not keep up");
	w.generators[2].missed = 1;
	eq_str(invalid(&w, true, buf),
	       "traffic flood of c1 gave up 1 departure that was more than 1 s late: this machine could not keep up");
	eq_str(invalid(&w, false, buf),
	       "traffic flood of c1 gave up 1 departure that was more than 1 s late: this machine could not keep up; "
	       "flood was 1250 ms behind its schedule at c1, and 500 ms is the limit: the machine is too slow");
	w.generators[2].section = -1; /* started live: no check counts on it */
	eq_str(invalid(&w, false, buf), "");
	tear_down(&w);
}

TEST(what_the_monitor_lost_makes_a_run_invalid_unless_it_is_asked_for)
{
	struct scn_check lost = { .metric = METRIC_MONITOR_LOST }, *own;
	struct world w;
	char buf[512];
	size_t n_own;

	set_up(&w);
	w.sample.health.lost = 9;
	eq_str(invalid(&w, true, buf), "the monitor lost 9 packets: 11 flows, and its table holds 65536 ([lab] flows makes it larger)");
	own = w.s->checks;
	n_own = w.s->n_checks;
	w.s->checks = &lost;
	w.s->n_checks = 1;
	eq_str(invalid(&w, true, buf), "");
	lost.has_at = true; /* what is lost later it does not see */
	ok(*invalid(&w, true, buf));
	lost.has_at = false;
	lost.metric = METRIC_MONITOR_UNKNOWN;
	ok(*invalid(&w, true, buf));
	w.s->checks = own;
	w.s->n_checks = n_own;
	tear_down(&w);
}

TEST(full_receive_queues_make_a_failure_invalid)
{
	struct world w;
	struct validity v;

	set_up(&w);
	ok(validity_of(&w, true, 7, 7).valid);
	ok(validity_of(&w, false, 700, 0).valid);  /* other traffic of this machine's */
	ok(validity_of(&w, false, 0, 7).valid);    /* not for a full queue */
	v = validity_of(&w, false, 700, 7);
	eq_str(v.why, "7 packets of the lab were dropped at a full receive queue of this machine (net.core.netdev_max_backlog; none is allowed "
	       "where a check fails): it could not keep up");
	ok(!v.valid && v.figures[VALIDITY_BACKLOG].value == 7 && v.figures[VALIDITY_BACKLOG].broken);
	tear_down(&w);
}

TEST(the_machine_counts_in_hexadecimal)
{
	struct machine_counts then, now;
	struct machine_load load;

	machine_parse("02d29bde 0000000a 000003ed 00000000 00000000\n03076a43 00000001 00000010 00000000 00000000\n", &then);
	ok(then.dropped == 11 && then.squeezed == 0x3fd);
	machine_parse("02d29bdf 0000000c 000003ed 00000000\ngarbage\n03076a43 00000001 00000020 00000000", &now);
	load = machine_since(&then, &now);
	ok(load.dropped == 2 && load.squeezed == 16 && load.lab_dropped == 0);
	load = machine_since(&now, &then); /* 32 bits came round */
	ok(load.dropped == 0 && load.squeezed == 0);
	machine_parse("", &now);
	ok(now.dropped == 0 && now.squeezed == 0);
}

/* ------------------------------------------------------------------ reports */

/* Three checks: one holds, one fails, one has nothing to measure. */
static char *write_report(struct world *w, const char *format, const char *invalid)
{
	static const char *const texts[] = { "top_talker() == c1",
					     "delivery(traffic=flood) == 100%",
					     "loss(proto=arp) == 0%" };
	static const char *const names[] = { "found & <named> #1", "\"all\" \\ arrives",
					     "nothing" };
	struct scn_check checks[3] = { 0 };
	struct check_result results[3];
	struct report report = {
		.plan = w->p, .sample = &w->sample, .results = results, .n = 3, .invalid = invalid
	};
	const struct report_format *f = report_format_find(format, strlen(format));
	char *text = NULL, why[200];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	w->streams[4].received = 990;
	w->flows[8].value.rx.packets = 990;
	for (int i = 0; i < 3; i++) {
		ok(parse_check(texts[i], &checks[i], why, sizeof(why)) == 0);
		(void)snprintf(checks[i].name, sizeof(checks[i].name), "%s", names[i]);
		checks[i].line = 10 + i;
		ok(checks_evaluate(w->c, &checks[i], &w->sample, &results[i]) == 0);
	}
	ok(f && out && f->write(&report, out) == 0);
	(void)fclose(out);
	for (int i = 0; i < 3; i++)
		free(checks[i].selectors);
	return text;
}

TEST(tap_names_what_failed)
{
	struct world w;
	char *text;

	set_up(&w);
	text = write_report(&w, "tap", NULL);
	eq_str(text,
	       "TAP version 14\n"
	       "1..3\n"
	       "ok 1 - found & <named> \\#1: top_talker() == c1, measured c1\n"
	       "not ok 2 - \"all\" \\\\ arrives: delivery(traffic=flood) == 100%, measured 99%\n"
	       "  ---\n"
	       "  metric: \"share of the generators' packets that arrived or were echoed\"\n"
	       "  expected: \"== 100%\"\n"
	       "  measured: \"99%\"\n"
	       "  at_s: 11.000\n"
	       "  line: 11\n"
	       "  selected: 1\n"
	       "  biggest:\n"
	       "    - pair: \"c1 to c5, udp\"\n"
	       "      sent: 1000\n"
	       "      received: 990\n"
	       "      stops: \"between host0 and host2: 1000 left, 990 arrived\"\n"
	       "  ...\n"
	       "not ok 3 - nothing: loss(proto=arp) == 0%, nothing to measure: no packet was sent from host to host\n"
	       "  ---\n"
	       "  metric: \"1 - received/sent between two VTEPs, flooded packets left out\"\n"
	       "  expected: \"== 0%\"\n"
	       "  measured: \"nothing to measure: no packet was sent from host to host\"\n"
	       "  at_s: 11.000\n"
	       "  line: 12\n"
	       "  selected: 1\n"
	       "  biggest:\n"
	       "    - flow: \"host0 to all, arp, VNI 1\"\n"
	       "      sent: 1\n"
	       "      received: 2\n"
	       "      bytes: 150\n"
	       "  ...\n");
	free(text);
	text = write_report(&w, "tap", "too slow");
	ok(strstr(text, "\nBail out! The run is invalid: too slow\n") != NULL);
	free(text);
	tear_down(&w);
}

TEST(junit_is_escaped_and_counts)
{
	struct world w;
	char *text;

	set_up(&w);
	text = write_report(&w, "junit", NULL);
	ok(strstr(text,
		  "<testsuites name=\"tunlab\" tests=\"3\" failures=\"2\" errors=\"0\" time=\"11.000\">") !=
	   NULL);
	ok(strstr(text, "timestamp=\"2023-11-14T22:13:09\"") != NULL);
	ok(strstr(text,
		  "<testcase classname=\"x\" name=\"found &amp; &lt;named&gt; #1\" time=\"0.000\">") !=
	   NULL);
	ok(strstr(text, "name=\"&quot;all&quot; \\ arrives\"") != NULL);
	ok(strstr(text,
		  "c1 to c5, udp, sent 1000, received 990; stops between host0 and host2: 1000 left, 990 arrived\n") !=
	   NULL);
	free(text);
	text = write_report(&w, "junit", "too slow");
	ok(strstr(text, "failures=\"0\" errors=\"3\"") != NULL &&
	   strstr(text, "<error type=\"invalid\" message=\"too slow\"/>") != NULL);
	free(text);
	tear_down(&w);
}

/* Where there are no checks nobody could see that the run is invalid. */
TEST(junit_of_an_invalid_run_has_an_error)
{
	struct world w;
	struct report report = { .invalid = "\"a\x01\xc2\x85\xef\xbf\xbf\xff\xed\xa0\x80\xf0\x9f\x98\x80" };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	set_up(&w);
	report.plan = w.p;
	report.sample = &w.sample;
	ok(report_format_find("junit", 5)->write(&report, out) == 0);
	(void)fclose(out);
	ok(strstr(text, "tests=\"1\" failures=\"0\" errors=\"1\"") != NULL);
	/* Nothing that XML forbids; a character beyond the basic plane stays. */
	ok(strstr(text, "message=\"&quot;a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") && strstr(text, "\xf0\x9f\x98\x80\"/>"));
	free(text);
	tear_down(&w);
}

TEST(json_has_the_same_figures)
{
	struct world w;
	char *text;
	cJSON *j, *c;

	set_up(&w);
	text = write_report(&w, "json", NULL);
	j = cJSON_Parse(text);
	ok(j != NULL);
	eq_str(cJSON_GetStringValue(cJSON_GetObjectItem(j, "schema")), "tunlab.report/1");
	eq_str(cJSON_GetStringValue(cJSON_GetObjectItem(j, "verdict")), "fail");
	ok(cJSON_IsNull(cJSON_GetObjectItem(j, "invalid")));
	c = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "checks"), 1);
	ok(fabs(cJSON_GetNumberValue(cJSON_GetObjectItem(c, "value")) - 0.99) < 1e-9);
	c = cJSON_GetArrayItem(cJSON_GetObjectItem(c, "biggest"), 0);
	eq_str(cJSON_GetStringValue(cJSON_GetObjectItem(c, "pair")), "c1 to c5, udp");
	ok(cJSON_GetNumberValue(cJSON_GetObjectItem(c, "received")) == 990);
	c = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "checks"), 2);
	ok(cJSON_IsNull(cJSON_GetObjectItem(c, "value")) &&
	   cJSON_IsFalse(cJSON_GetObjectItem(c, "holds")));
	cJSON_Delete(j);
	free(text);
	text = write_report(&w, "json", "too slow");
	ok(strstr(text, "\"verdict\":\"invalid\"") || strstr(text, "\"verdict\": \"invalid\""));
	free(text);
	tear_down(&w);
}

/* Of a sample alone there is no picture, but all that is HTML; nothing of a scenario's is markup. */
TEST(html_has_verdict_and_checks)
{
	struct world w;
	char *text;

	set_up(&w);
	text = write_report(&w, "html", NULL);
	ok(strncmp(text, "<!doctype html>", 15) == 0);
	ok(strstr(text, "<body class=\"fail\">") && strstr(text, "2 of 3 checks do not hold."));
	ok(strstr(text, "<h3>found &amp; &lt;named&gt; #1</h3>") && !strstr(text, "<named>"));
	ok(strstr(text, "The counts part between host0 and host2: 1000 left, 990 arrived"));
	ok(strstr(text, "id=\"data\">null</script>") && !strstr(text, "{{"));
	free(text);
	text = write_report(&w, "html", "too <slow>");
	ok(strstr(text, "<body class=\"invalid\">") && strstr(text, "Neither passed nor failed: too &lt;slow&gt;."));
	free(text);
	tear_down(&w);
}

TEST(formats_are_found_by_name)
{
	ok(report_format_find("junit:a.xml", 5) == &report_formats[1]);
	ok(report_format_find("tap", 3) == &report_formats[0]);
	ok(!report_format_find("ta", 2) && !report_format_find("pdf", 3) &&
	   !report_format_find("", 0));
}
