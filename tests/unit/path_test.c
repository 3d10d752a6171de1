/* SPDX-License-Identifier: Apache-2.0 */
/* lab/verdict/path*.c over facts made up: each cause, at its hop, on its part of the way; what answers for most; the hops of each wiring. */
#include <stdlib.h>

#include "lab/verdict/path.h"
#include "monitor/marks.h"
#include "tests/unit/t.h"

/* c0 on host0 and c1 on host1 */
struct world {
	struct scenario *s;
	struct plan *p;
	struct sample sample;
	struct sample_link links[2];
	struct truth_row row;
	struct walk_facts facts;
	struct path path;
	uint32_t size;
	bool back;
};

static void set_up_with(struct world *w, const char *text)
{
	struct scn_source source = { .file = "x.ini", .text = text, .len = strlen(text) };
	struct scn_errors errors;

	*w = (struct world){ .size = 64 };
	ok(plan_load(&source, &w->s, &w->p, &errors) == 0);
	scn_errors_free(&errors);
	w->sample.links = w->links;
	w->row = (struct truth_row){ .from = 0, .to = 1, .proto = SCN_UDP, .parts = TRUTH_PLACE_MAX };
	for (int i = 0; i < TRUTH_PLACE_MAX; i++)
		w->row.count[i] = 100;
	for (int i = 0; i < WALK_PLACE_MAX; i++)
		w->facts.at[i] = (struct walk_device){ .known = true, .up = true, .carrier = true, .mtu = 1500, .rx_packets = 110,
						       .tx_packets = 110 };
	w->facts.at[WALK_FROM_TUNNEL].vni = w->facts.at[WALK_TO_TUNNEL].vni = 7;
	w->facts.at[WALK_FROM_TUNNEL].mtu = w->facts.at[WALK_TO_TUNNEL].mtu = 1450;
	w->facts.neighbour = w->facts.from_fdb = w->facts.tunnel_fdb = w->facts.vtep = w->facts.fabric_fdb = w->facts.to_fdb = WALK_RIGHT;
}

static void set_up(struct world *w)
{
	set_up_with(w, "[lab]\nhosts = 2\nvnis = 7\n");
}

static void tear_down(struct world *w)
{
	plan_free(w->p);
	scenario_free(w->s);
}

/* From that place on, n packets fewer. */
static void lose(struct world *w, enum truth_place place, uint64_t n)
{
	for (int p = place; p < TRUTH_PLACE_MAX; p++)
		w->row.count[p] -= n;
	if (w->row.parts == TRUTH_PLACE_MAX)
		w->row.parts = place;
}

/* "host0 eth0: why", or "nowhere: why". */
static const char *explain(struct world *w, char *buf)
{
	struct path_question q = { .plan = w->p, .sample = &w->sample, .row = &w->row, .places = PATH_ANYWHERE, .size = w->size, .back = w->back,
				   .facts = &w->facts };

	path_make(&q, &w->path);
	(void)snprintf(buf, 320, "%s: %s", w->path.stops < w->path.n ? w->path.hops[w->path.stops].name : "nowhere", w->path.cause);
	return buf;
}

/* All that can go wrong in a part of the way, each by itself, and what is said of it. */
struct break_case {
	enum truth_place parts;
	void (*spoil)(struct world *w);
	const char *said;
};

#define SPOIL(name, ...) static void name(struct world *w) { struct walk_facts *f = &w->facts; (void)f; __VA_ARGS__; }
SPOIL(eth0_down, f->at[WALK_FROM_ETH0].up = false)
SPOIL(port_gone, f->at[WALK_FROM_PORT].known = false)
SPOIL(bridge_down, f->at[WALK_FROM_BRIDGE].up = false)
SPOIL(tunnel_down, f->at[WALK_FROM_TUNNEL].up = false)
SPOIL(uplink_down, f->at[WALK_FROM_UPLINK].up = false)
SPOIL(unresolved, f->neighbour = WALK_NONE)
SPOIL(unresolved_by_vni, f->neighbour = WALK_NONE; f->at[WALK_TO_TUNNEL].vni = 9)
SPOIL(unresolved_by_link, f->neighbour = WALK_NONE; f->at[WALK_TO_FABRIC].up = false)
SPOIL(unresolved_by_flood, f->neighbour = WALK_NONE; f->flood_fdb = WALK_NONE)
SPOIL(wrong_mac, f->neighbour = WALK_WRONG)
SPOIL(bridge_elsewhere, f->from_fdb = WALK_WRONG)
SPOIL(tunnel_elsewhere, f->tunnel_fdb = WALK_WRONG)
SPOIL(no_entry, f->tunnel_fdb = WALK_NONE; f->flood_fdb = WALK_NONE)
SPOIL(too_long, w->size = 1431)
SPOIL(vtep_unresolved, f->vtep = WALK_NONE)
SPOIL(sender_wrong_vni, f->at[WALK_FROM_TUNNEL].vni = 9)
SPOIL(tunnel_drops, f->at[WALK_FROM_TUNNEL].tx_dropped = 30)
SPOIL(vtep_wrong, f->vtep = WALK_WRONG)
SPOIL(from_link_down, f->at[WALK_FROM_FABRIC].up = false)
SPOIL(to_link_down, f->at[WALK_TO_FABRIC].up = false)
SPOIL(fabric_elsewhere, f->fabric_fdb = WALK_WRONG)
SPOIL(from_full, f->from_queue = (struct walk_queue){ true, 40, 3 }; w->links[0].state.rate_bps = 1e6; w->sample.n_links = 1)
SPOIL(from_lossy, f->from_lost = 41)
SPOIL(to_lossy, f->to_lost = 41; f->to_queue = (struct walk_queue){ true, 41, 0 };
      w->links[0] = (struct sample_link){ 1, { .loss = 0.5 } }; w->sample.n_links = 1)
SPOIL(to_full, f->to_queue = (struct walk_queue){ true, 45, 0 }; f->to_lost = 2)
SPOIL(receive_queue, f->at[WALK_TO_FABRIC].tx_dropped = f->to_queue.dropped = 38)
SPOIL(receiver_wrong_vni, f->at[WALK_TO_TUNNEL].vni = 9)
SPOIL(to_tunnel_down, f->at[WALK_TO_TUNNEL].up = false)
SPOIL(to_bridge_elsewhere, f->to_fdb = WALK_WRONG)
SPOIL(to_port_down, f->at[WALK_TO_PORT].up = false)
SPOIL(to_eth0_gone, f->at[WALK_TO_ETH0].known = false)
SPOIL(to_port_small, f->at[WALK_TO_PORT].mtu = 80)
SPOIL(socket_full, w->sample.overruns = 1000)

TEST(each_cause_is_named_at_its_hop)
{
	static const struct break_case cases[] = {
		{ TRUTH_LEFT, eth0_down, "c0 eth0: c0 eth0 is down" },
		{ TRUTH_LEFT, port_gone, "host0 c0: host0 c0 is not there" },
		{ TRUTH_LEFT, bridge_down, "host0 br7: host0 br7 is down" },
		{ TRUTH_LEFT, tunnel_down, "host0 vxlan7: host0 vxlan7 is down" },
		{ TRUTH_LEFT, uplink_down, "host0 eth0: host0 eth0 is down" },
		{ TRUTH_LEFT, unresolved, "c0 eth0: c0 finds no neighbour 192.168.0.2 by ARP: c1 does not answer" },
		{ TRUTH_LEFT, unresolved_by_vni,
		  "c0 eth0: c0 finds no neighbour 192.168.0.2 by ARP: wrong VNI: host1 vxlan7 has 9, and host0 vxlan7 has 7" },
		{ TRUTH_LEFT, unresolved_by_link, "c0 eth0: c0 finds no neighbour 192.168.0.2 by ARP: fabric p1 is down" },
		{ TRUTH_LEFT, unresolved_by_flood,
		  "c0 eth0: c0 finds no neighbour 192.168.0.2 by ARP: host0 vxlan7 does not flood to host1" },
		{ TRUTH_LEFT, wrong_mac, "c0 eth0: c0's neighbour entry for 192.168.0.2 has a MAC that is not c1's" },
		{ TRUTH_RECEIVED, wrong_mac, "c1 eth0: c0's neighbour entry for 192.168.0.2 has a MAC that is not c1's" },
		{ TRUTH_LEFT, bridge_elsewhere,
		  "host0 br7: the forwarding entry of host0 br7 for c1's MAC leads elsewhere than to host0 vxlan7" },
		{ TRUTH_LEFT, tunnel_elsewhere,
		  "host0 vxlan7: the forwarding entry of host0 vxlan7 for c1's MAC leads elsewhere than to host1 (172.16.1.101)" },
		{ TRUTH_LEFT, no_entry,
		  "host0 vxlan7: host0 vxlan7 has no forwarding entry for c1's MAC, and does not flood to host1 (172.16.1.101)" },
		{ TRUTH_LEFT, too_long, "host0 vxlan7: MTU: the packets are IP packets of 1451 bytes, and host0 vxlan7 carries 1450" },
		{ TRUTH_LEFT, vtep_unresolved, "host0 eth0: host0 does not find the VTEP 172.16.1.101 in the underlay" },
		{ TRUTH_LEFT, sender_wrong_vni, "host0 vxlan7: wrong VNI: host0 vxlan7 has 9, and host1 vxlan7 has 7" },
		{ TRUTH_LEFT, tunnel_drops, "host0 vxlan7: host0 vxlan7 dropped 30 packets" },
		{ TRUTH_ARRIVED, vtep_wrong, "host0 eth0: host0's neighbour entry for the VTEP 172.16.1.101 has a MAC that is not host1's" },
		{ TRUTH_ARRIVED, from_link_down, "fabric p0: host0's link is down" },
		{ TRUTH_ARRIVED, to_link_down, "fabric p1: host1's link is down" },
		{ TRUTH_ARRIVED, fabric_elsewhere, "fabric br100: the fabric's forwarding entry for host1's MAC leads to another port" },
		{ TRUTH_ARRIVED, from_full, "host0 eth0: the queue of host0's link, rate 1mbit, was full: 40 packets dropped there" },
		{ TRUTH_ARRIVED, from_lossy, "fabric p0: host0's link loses frames on purpose: 41 of all that passed so far" },
		{ TRUTH_ARRIVED, to_lossy, "fabric p1: host1's link loses frames on purpose, 50%: 41 of all that passed" },
		{ TRUTH_ARRIVED, to_full, "fabric p1: the queue of host1's link was full: 43 packets dropped there" },
		{ TRUTH_ARRIVED, receive_queue,
		  "fabric p1: fabric p1 dropped 38 packets: this machine's receive queue was full, or the link was down" },
		{ TRUTH_RECEIVED, receiver_wrong_vni, "host1 vxlan7: wrong VNI: host1 vxlan7 has 9, and host0 vxlan7 has 7" },
		{ TRUTH_RECEIVED, to_tunnel_down, "host1 vxlan7: host1 vxlan7 is down" },
		{ TRUTH_RECEIVED, to_bridge_elsewhere,
		  "host1 br7: the forwarding entry of host1 br7 for c1's MAC leads elsewhere than to its port" },
		{ TRUTH_RECEIVED, to_port_down, "host1 c1: host1 c1 is down" },
		{ TRUTH_RECEIVED, to_eth0_gone, "c1 eth0: c1 eth0 is not there" },
		{ TRUTH_RECEIVED, to_port_small, "host1 c1: MTU: the packets are IP packets of 84 bytes, and host1 c1 lets pass 80" },
		{ TRUTH_RECEIVED, socket_full, "c1's sink: a socket of the traffic engine was full: 1000 packets dropped" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct world w;
		char buf[320];

		set_up(&w);
		lose(&w, cases[i].parts, 50);
		cases[i].spoil(&w);
		eq_str(explain(&w, buf), cases[i].said);
		tear_down(&w);
	}
}

TEST(what_lies_elsewhere_is_not_blamed)
{
	struct world w;
	char buf[320];

	set_up(&w);
	lose(&w, TRUTH_RECEIVED, 50);
	w.facts.at[WALK_FROM_FABRIC].up = false; /* all had arrived by then */
	w.facts.from_lost = 60;
	eq_str(explain(&w, buf), "nowhere: ");
	w.facts.at[WALK_TO_ETH0].rx_packets = 59; /* of 110 that its other end sent */
	eq_str(explain(&w, buf), "c1 eth0: ");
	tear_down(&w);
}

TEST(who_answers_for_most_is_the_cause)
{
	struct world w;
	char buf[320];

	set_up(&w);
	lose(&w, TRUTH_ARRIVED, 50);
	w.facts.from_lost = 5;
	w.facts.to_queue = (struct walk_queue){ true, 45, 0 };
	eq_str(explain(&w, buf), "fabric p1: the queue of host1's link was full: 45 packets dropped there");
	w.facts.from_lost = 70; /* each answers for no more than are missing: the first on the way */
	w.facts.to_queue.dropped = 80;
	eq_str(explain(&w, buf), "fabric p0: host0's link loses frames on purpose: 70 of all that passed so far");
	w.facts.at[WALK_TO_FABRIC].up = false; /* nothing at all passes this one */
	eq_str(explain(&w, buf), "fabric p1: host1's link is down");
	tear_down(&w);
}

TEST(the_place_that_lost_most_is_walked)
{
	struct world w;
	char buf[320];

	set_up(&w);
	lose(&w, TRUTH_LEFT, 1); /* at a full queue of this machine's, say */
	lose(&w, TRUTH_ARRIVED, 90);
	ok(w.row.parts == TRUTH_LEFT && path_place(&w.row, PATH_ANYWHERE) == TRUTH_ARRIVED);
	ok(path_place(&w.row, PATH_SENDER) == TRUTH_LEFT && path_lost(&w.row, PATH_SENDER) == 1);
	ok(path_place(&w.row, PATH_UNDERLAY) == TRUTH_ARRIVED && path_lost(&w.row, PATH_UNDERLAY) == 90);
	ok(path_lost(&w.row, PATH_ANYWHERE) == 91);
	w.facts.at[WALK_FROM_ETH0].tx_dropped = 1;
	w.facts.at[WALK_TO_FABRIC].up = false;
	eq_str(explain(&w, buf), "fabric p1: host1's link is down");
	tear_down(&w);
}

TEST(what_was_done_and_undone_is_remembered)
{
	struct world w;
	struct marks *m = calloc(1, sizeof(*m) + 3 * sizeof(m->v[0]));
	char buf[320];

	set_up(&w);
	lose(&w, TRUTH_ARRIVED, 50);
	m->n = 3;
	m->v[0] = (struct mark){ .at_s = 5, .text = "link host1 down" };
	m->v[1] = (struct mark){ .at_s = 6, .text = "link host1 up" };
	m->v[2] = (struct mark){ .at_s = 7, .text = "link host1 loss 1%", .error = "could not" };
	w.sample.marks = m;
	eq_str(explain(&w, buf), "fabric p1: \"link host1 down\" was done at 5.0 s");
	w.facts.to_lost = 20; /* explains less than half of it */
	eq_str(explain(&w, buf), "fabric p1: \"link host1 down\" was done at 5.0 s");
	w.facts.to_lost = 40;
	ok(strstr(explain(&w, buf), "loses frames on purpose") != NULL);
	free(m);
	tear_down(&w);
}

TEST(refused_packets_were_never_sent)
{
	struct world w;
	char buf[320];

	set_up(&w);
	w.row.send_errors = 70;
	w.size = 1400;
	w.facts.at[WALK_FROM_ETH0].mtu = 1300;
	eq_str(explain(&w, buf),
	       "c0 eth0: c0's kernel refused 70 packets: IP packets of 1420 bytes are longer than the MTU of its eth0, 1300");
	w.size = 64;
	eq_str(explain(&w, buf), "c0 eth0: c0's kernel refused to send 70 packets");
	w.facts.neighbour = WALK_NONE; /* that is what it told the socket */
	ok(strstr(explain(&w, buf), "c0 finds no neighbour") != NULL);
	tear_down(&w);
}

TEST(answers_are_walked_back)
{
	struct world w;
	char buf[320];

	set_up(&w);
	w.row.proto = SCN_PING;
	ok(!path_is_back(&w.row, PATH_ANYWHERE));
	lose(&w, TRUTH_RETURNED, 50);
	ok(path_is_back(&w.row, PATH_ANYWHERE));
	w.back = true;
	w.facts.at[WALK_FROM_FABRIC].up = false;
	eq_str(explain(&w, buf), "fabric p1: host1's link is down"); /* from host1 to host0 */
	eq_str(w.path.pair, "answers of c1 to c0, ping, VNI 7");
	eq_str(w.path.hops[0].name, "c1's kernel");
	eq_str(w.path.hops[w.path.n - 1].note, "50 received");
	tear_down(&w);
	/* Behind the receiver's host it may be either: requests first. */
	set_up(&w);
	w.row.proto = SCN_PING;
	lose(&w, TRUTH_ANSWERED, 50);
	ok(!path_is_back(&w.row, PATH_ANYWHERE));
	w.facts.at[WALK_TO_PORT].up = false;
	eq_str(explain(&w, buf), "host1 c1: host1 c1 is down");
	w.back = true;
	w.facts.at[WALK_FROM_PORT].up = false;
	eq_str(explain(&w, buf), "host1 c1: host1 c1 is down");
	tear_down(&w);
}

static const char *hops(struct world *w, char *buf, size_t len)
{
	size_t n = 0;
	char said[320];

	(void)explain(w, said);
	for (size_t i = 0; i < w->path.n && n < len; i++)
		n += (size_t)snprintf(buf + n, len - n, "%s%s", i ? ", " : "", w->path.hops[i].name);
	return buf;
}

TEST(hops_follow_the_wiring)
{
	struct world w;
	char buf[512];

	set_up(&w);
	eq_str(hops(&w, buf, sizeof(buf)), "c0's generators, c0 eth0, host0 c0, host0 br7, host0 vxlan7, host0 eth0, fabric p0, fabric br100, "
	       "fabric p1, host1 eth0, host1 vxlan7, host1 br7, host1 c1, c1 eth0, c1's sink");
	ok(!w.path.hops[3].counted && w.path.hops[4].counted && w.path.hops[4].packets == 110);
	eq_str(w.path.hops[5].note, "the monitor saw 100 of this pair leave");
	tear_down(&w);
	set_up_with(&w, "[lab]\nhosts = 2\nvnis = 7\nwiring = direct\n");
	eq_str(hops(&w, buf, sizeof(buf)), "c0's generators, c0 eth0, host0 vxlan7, host0 eth0, fabric p0, fabric br100, fabric p1, "
	       "host1 eth0, host1 vxlan7, c1 eth0, c1's sink");
	w.facts.at[WALK_FROM_PORT] = w.facts.at[WALK_FROM_BRIDGE] = (struct walk_device){ 0 }; /* there are none to miss */
	lose(&w, TRUTH_LEFT, 50);
	eq_str(explain(&w, buf), "nowhere: ");
	tear_down(&w);
	set_up_with(&w, "[lab]\nhosts = 2\nvnis = 7\nencap = geneve\n");
	(void)hops(&w, buf, sizeof(buf));
	ok(strstr(buf, "host0 br7, host0 ge7.1, host0 eth0") && strstr(buf, "host1 eth0, host1 ge7.0, host1 br7"));
	tear_down(&w);
}
