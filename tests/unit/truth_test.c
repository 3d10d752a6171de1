/* SPDX-License-Identifier: Apache-2.0 */
/* monitor/truth.c: one row a pair, whoever sends; pings both ways; where counts part; what is on its way while traffic runs. */
#include <netinet/in.h>
#include <stdlib.h>

#include "lab/traffic/engine.h"
#include "monitor/truth.h"
#include "tests/unit/t.h"

/* host0: c0 (IPv4), c1 (IPv6)   host1: c2, c3   host2: c4, c5 */
static const char scenario_text[] = "[lab]\nhosts = 3\nvnis = 1-2\n[vni 2]\nsubnet = fd00::/64\n";

#define SECOND 1000000000ull

struct world {
	struct scenario *s;
	struct plan *p;
	struct sample sample;
	struct sample_flow flows[8];
	struct sample_generator generators[4];
	struct sample_stream streams[4];
	struct truth truth;
};

static void set_up(struct world *w)
{
	struct scn_source source = { .file = "x.ini", .text = scenario_text, .len = strlen(scenario_text) };
	struct scn_errors errors;

	*w = (struct world){ 0 };
	ok(plan_load(&source, &w->s, &w->p, &errors) == 0);
	scn_errors_free(&errors);
	w->sample = (struct sample){ .flows = w->flows, .generators = w->generators, .streams = w->streams };
}

static void tear_down(struct world *w)
{
	truth_free(&w->truth);
	plan_free(w->p);
	scenario_free(w->s);
}

/* A generator of one pair that ran for ten seconds. */
static struct sample_stream *add(struct world *w, uint32_t from, uint32_t to, enum scn_proto proto, uint64_t sent, uint64_t received)
{
	uint32_t i = (uint32_t)w->sample.n_streams++;

	w->generators[i] = (struct sample_generator){ .client = from, .state = GEN_DONE, .first_ns = SECOND, .last_ns = 11 * SECOND };
	w->streams[i] = (struct sample_stream){ .generator = i, .from = from, .to = to, .proto = proto, .sent = sent, .received = received };
	w->sample.n_generators++;
	return &w->streams[i];
}

static struct sample_flow *see(struct world *w, uint32_t from, uint32_t to, enum scn_proto proto, uint64_t left, uint64_t arrived)
{
	struct sample_flow *f = &w->flows[w->sample.n_flows++];
	bool v4 = addr_is_v4(&w->p->clients[from].addr);

	*f = (struct sample_flow){ .src_client = (int32_t)from, .dst_client = (int32_t)to, .value.tx.packets = left,
				   .value.rx.packets = arrived };
	f->key.inner_ethertype = v4 ? 0x0800 : 0x86dd;
	f->key.inner_ipproto = proto == SCN_UDP ? IPPROTO_UDP : v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	return f;
}

/* "100 100 100 100: nowhere", by the row's only or named pair. */
static const char *row(struct world *w, uint32_t from, uint32_t to, enum scn_proto proto, char *buf)
{
	const struct truth_row *r;
	size_t n = 0;

	truth_free(&w->truth);
	ok(truth_make(w->p, &w->sample, &w->truth) == 0);
	r = truth_find(&w->truth, from, to, proto);
	if (!r)
		return "no such row";
	for (enum truth_place p = TRUTH_SENT; p < TRUTH_PLACE_MAX; p = truth_next(proto, p))
		n += (size_t)snprintf(buf + n, 200 - n, "%llu ", (unsigned long long)r->count[p]);
	(void)snprintf(buf + n, 200 - n, "%s", r->parts < TRUTH_PLACE_MAX ? truth_place_names[r->parts] : "nowhere");
	return buf;
}

TEST(all_four_are_equal)
{
	struct world w;
	char buf[200];

	set_up(&w);
	add(&w, 0, 2, SCN_UDP, 100, 100);
	see(&w, 0, 2, SCN_UDP, 100, 100);
	add(&w, 0, 4, SCN_PING, 50, 50);
	see(&w, 0, 4, SCN_PING, 50, 50);
	see(&w, 4, 0, SCN_PING, 50, 50);
	eq_str(row(&w, 0, 2, SCN_UDP, buf), "100 100 100 100 nowhere");
	eq_str(row(&w, 0, 4, SCN_PING, buf), "50 50 50 50 50 50 nowhere");
	eq_str(row(&w, 4, 0, SCN_PING, buf), "no such row"); /* answers are not sent by a generator */
	eq_u64(w.truth.n, 2);
	tear_down(&w);
}

TEST(generators_that_share_a_flow_are_one_row)
{
	struct world w;
	char buf[200];

	set_up(&w);
	add(&w, 0, 2, SCN_UDP, 100, 100);
	add(&w, 0, 4, SCN_UDP, 1, 1);
	add(&w, 0, 2, SCN_UDP, 20, 19)->duplicates = 1;
	see(&w, 0, 2, SCN_UDP, 120, 120);
	eq_str(row(&w, 0, 2, SCN_UDP, buf), "120 120 120 119 nowhere"); /* one twice, one never: the same number arrived */
	eq_u64(w.truth.n, 2);
	eq_u64(w.truth.rows[0].n_streams, 2);
	ok(w.truth.streams[w.truth.rows[0].stream0] == 0 && w.truth.streams[w.truth.rows[0].stream0 + 1] == 2);
	eq_u64(truth_missing(&w.truth.rows[0]), 1);
	tear_down(&w);
}

TEST(udp_parts_at_the_first_place_that_is_short)
{
	struct world w;
	struct sample_flow *f;
	char buf[200];

	set_up(&w);
	add(&w, 0, 2, SCN_UDP, 100, 70);
	f = see(&w, 0, 2, SCN_UDP, 100, 100);
	eq_str(row(&w, 0, 2, SCN_UDP, buf), "100 100 100 70 received");
	f->value.rx.packets = 80;
	eq_str(row(&w, 0, 2, SCN_UDP, buf), "100 100 80 70 arrived");
	f->value.tx.packets = 90;
	eq_str(row(&w, 0, 2, SCN_UDP, buf), "100 90 80 70 left");
	f->value.tx.packets = 110; /* somebody else used the flow */
	eq_str(row(&w, 0, 2, SCN_UDP, buf), "100 110 80 70 left");
	w.sample.n_flows = 0;
	eq_str(row(&w, 0, 2, SCN_UDP, buf), "100 0 0 70 left");
	tear_down(&w);
}

TEST(what_is_flooded_arrives_once)
{
	struct world w;
	char buf[200];

	set_up(&w);
	add(&w, 0, 2, SCN_UDP, 10, 10);
	see(&w, 0, 2, SCN_UDP, 7, 7);
	see(&w, 0, 2, SCN_UDP, 3, 6)->bum = true; /* before the bridge had learned */
	eq_str(row(&w, 0, 2, SCN_UDP, buf), "10 10 10 10 nowhere");
	tear_down(&w);
}

TEST(pings_both_ways_share_flows)
{
	struct world w;
	char buf[200];

	set_up(&w);
	add(&w, 0, 2, SCN_PING, 100, 100);
	add(&w, 2, 0, SCN_PING, 30, 30);
	see(&w, 0, 2, SCN_PING, 130, 130);
	see(&w, 2, 0, SCN_PING, 130, 130);
	eq_str(row(&w, 0, 2, SCN_PING, buf), "100 100 100 100 100 100 nowhere");
	eq_str(row(&w, 2, 0, SCN_PING, buf), "30 30 30 30 30 30 nowhere");
	ok(w.truth.rows[0].both_ways && w.truth.rows[1].both_ways);
	/* 10 of c0's requests are lost between the hosts: so many answers fewer. */
	w.streams[0].received = 90;
	w.flows[0].value.rx.packets = 120;
	w.flows[1].value = (struct flow_value){ .tx.packets = 120, .rx.packets = 120 };
	eq_str(row(&w, 0, 2, SCN_PING, buf), "100 100 90 90 90 90 arrived");
	eq_str(row(&w, 2, 0, SCN_PING, buf), "30 30 30 30 30 30 nowhere");
	/* 10 of c2's answers do not leave */
	w.flows[0].value.rx.packets = 130;
	eq_str(row(&w, 0, 2, SCN_PING, buf), "100 100 100 90 90 90 answered");
	/* a third party pings as well: seen, and too many to be anybody's */
	w.flows[0].value.tx.packets = 140;
	eq_str(row(&w, 0, 2, SCN_PING, buf), "100 110 100 90 90 90 left");
	tear_down(&w);
}

TEST(a_ping_parts_on_either_way)
{
	struct world w;
	struct sample_flow *there, *back;
	char buf[200];

	set_up(&w);
	add(&w, 0, 2, SCN_PING, 100, 50);
	there = see(&w, 0, 2, SCN_PING, 100, 100);
	back = see(&w, 2, 0, SCN_PING, 100, 100);
	eq_str(row(&w, 0, 2, SCN_PING, buf), "100 100 100 100 100 50 received");
	back->value.rx.packets = 60;
	eq_str(row(&w, 0, 2, SCN_PING, buf), "100 100 100 100 60 50 returned");
	back->value.tx.packets = 70;
	eq_str(row(&w, 0, 2, SCN_PING, buf), "100 100 100 70 60 50 answered");
	there->value.rx.packets = 80;
	eq_str(row(&w, 0, 2, SCN_PING, buf), "100 100 80 70 60 50 arrived");
	eq_str(truth_where(w.p, &w.truth.rows[0], buf, sizeof(buf)), "between host0 and host1: 100 left, 80 arrived");
	tear_down(&w);
}

TEST(neighbour_discovery_is_left_out)
{
	struct world w;
	char buf[200];

	set_up(&w);
	add(&w, 1, 3, SCN_PING, 100, 100);
	see(&w, 1, 3, SCN_PING, 102, 102);
	see(&w, 3, 1, SCN_PING, 103, 103);
	eq_str(row(&w, 1, 3, SCN_PING, buf), "100 100 100 100 100 100 nowhere");
	w.flows[0].value.tx.packets = 99;
	eq_str(row(&w, 1, 3, SCN_PING, buf), "100 99 99 99 99 100 left");
	tear_down(&w);
}

TEST(what_is_on_its_way_is_no_difference)
{
	struct world w;
	char buf[200];

	set_up(&w);
	add(&w, 0, 2, SCN_UDP, 1000, 995);
	see(&w, 0, 2, SCN_UDP, 998, 997);
	eq_str(row(&w, 0, 2, SCN_UDP, buf), "1000 998 997 995 left");
	w.generators[0].state = GEN_RUNNING; /* 100 a second */
	eq_str(row(&w, 0, 2, SCN_UDP, buf), "1000 998 997 995 nowhere");
	ok(w.truth.rows[0].running);
	w.streams[0].received = 890;
	eq_str(row(&w, 0, 2, SCN_UDP, buf), "1000 998 997 890 received");
	tear_down(&w);
}

TEST(rows_of_one_sender)
{
	struct world w;
	char buf[200];
	size_t n;

	set_up(&w);
	add(&w, 2, 4, SCN_UDP, 1, 1);
	add(&w, 0, 4, SCN_UDP, 1, 1);
	add(&w, 2, 0, SCN_UDP, 1, 1);
	(void)row(&w, 0, 4, SCN_UDP, buf);
	ok(truth_of(&w.truth, 2, &n)->to == 0 && n == 2);
	(void)truth_of(&w.truth, 1, &n);
	eq_u64(n, 0);
	(void)truth_of(&w.truth, 4, &n);
	eq_u64(n, 0);
	ok(!truth_find(&w.truth, 0, 4, SCN_PING));
	tear_down(&w);
}

TEST(more_that_leaves_than_was_sent_is_somebody_elses)
{
	struct world w;
	char buf[200];

	set_up(&w);
	add(&w, 0, 2, SCN_UDP, 100, 100);
	see(&w, 0, 2, SCN_UDP, 130, 130);
	eq_str(row(&w, 0, 2, SCN_UDP, buf), "100 130 130 100 left");
	eq_str(truth_where(w.p, &w.truth.rows[0], buf, sizeof(buf)),
	       "nowhere: 130 left host0 and c0's generators sent 100, so another program sends there, too");
	tear_down(&w);
}
