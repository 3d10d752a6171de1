/* SPDX-License-Identifier: Apache-2.0 */
/* From ground truth and the kernel's facts to hops and a cause; see path.h. Between the two counted places where packets are lost,
 * everything that could have lost them is a suspect, with a number of packets that it answers for; the one that answers for most is the
 * cause, of equals the first on the way. */
#include "lab/verdict/path.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where between two counted places. */
enum segment { SEGMENT_NONE, SEGMENT_SENDER, SEGMENT_UNDERLAY, SEGMENT_RECEIVER };

#define CERTAIN UINT64_MAX /* answers for all of them */

struct walker {
	const struct path_question *q;
	const struct plan *plan;
	const struct walk_facts *f;
	struct path *path;
	uint32_t from, to, from_host, to_host, vni; /* in the direction walked; vni: index */
	enum segment segment;
	uint64_t lost;                 /* packets of the pair, between the two places */
	size_t hop[WALK_PLACE_MAX];    /* of each place; PATH_HOPS_MAX: has none */
	size_t hop_source, hop_fabric, hop_sink;
	uint64_t weight;               /* of the suspect so far */
};

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static enum truth_place place_before(enum scn_proto proto, enum truth_place place)
{
	enum truth_place at = TRUTH_SENT;

	while (truth_next(proto, at) < place)
		at = truth_next(proto, at);
	return at;
}

static uint64_t lost_at(const struct truth_row *row, enum truth_place place)
{
	return less(row->count[place_before(row->proto, place)], row->count[place] + (place == TRUTH_RECEIVED ? row->duplicates : 0));
}

enum truth_place path_place(const struct truth_row *row, unsigned places)
{
	enum truth_place worst = TRUTH_PLACE_MAX;
	uint64_t most = 0;

	for (enum truth_place p = row->parts; p < TRUTH_PLACE_MAX; p = truth_next(row->proto, p))
		if (places & 1u << p && lost_at(row, p) > most) {
			most = lost_at(row, p);
			worst = p;
		}
	return worst;
}

uint64_t path_lost(const struct truth_row *row, unsigned places)
{
	uint64_t lost = 0;

	for (enum truth_place p = row->parts; p < TRUTH_PLACE_MAX; p = truth_next(row->proto, p))
		lost += places & 1u << p ? lost_at(row, p) : 0;
	return lost;
}

bool path_is_back(const struct truth_row *row, unsigned places)
{
	enum truth_place place = path_place(row, places);

	return row->proto == SCN_PING && (place == TRUTH_RETURNED || place == TRUTH_RECEIVED);
}

static enum segment segment_of(const struct path_question *q, enum truth_place place)
{
	switch (place) {
	case TRUTH_LEFT:
		return SEGMENT_SENDER;
	case TRUTH_ARRIVED:
	case TRUTH_RETURNED:
		return SEGMENT_UNDERLAY;
	case TRUTH_ANSWERED: /* behind the receiver's host: the requests, or the answers to them */
		return q->back ? SEGMENT_SENDER : SEGMENT_RECEIVER;
	case TRUTH_RECEIVED:
		return SEGMENT_RECEIVER;
	case TRUTH_SENT:
	case TRUTH_PLACE_MAX:
		break;
	}
	return q->row->send_errors ? SEGMENT_SENDER : SEGMENT_NONE;
}

/* ------------------------------------------------------------------ suspects */

__attribute__((format(printf, 4, 5)))
static void suspect(struct walker *w, size_t hop, uint64_t weight, const char *format, ...)
{
	va_list args;

	if (weight == 0 || weight <= w->weight || hop >= w->path->n)
		return;
	w->weight = weight;
	w->path->stops = hop;
	va_start(args, format);
	(void)vsnprintf(w->path->cause, sizeof(w->path->cause), format, args);
	va_end(args);
}

static bool is_direct(const struct walker *w)
{
	return w->plan->scn->wiring == SCN_DIRECT;
}

static const char *hop_name(const struct walker *w, enum walk_place place)
{
	return w->hop[place] < w->path->n ? w->path->hops[w->hop[place]].name : "?";
}

static void suspect_down(struct walker *w, enum walk_place place)
{
	const struct walk_device *d = &w->f->at[place];

	if (w->hop[place] < w->path->n && d->known && !d->up)
		suspect(w, w->hop[place], CERTAIN, "%s is down", hop_name(w, place));
}

static void suspect_gone(struct walker *w, enum walk_place place)
{
	if (w->hop[place] < w->path->n && !w->f->at[place].known)
		suspect(w, w->hop[place], CERTAIN, "%s is not there", hop_name(w, place));
	suspect_down(w, place);
}

static void suspect_drops(struct walker *w, enum walk_place place, uint64_t dropped, const char *why)
{
	suspect(w, w->hop[place], dropped < w->lost ? dropped : w->lost, "%s dropped %llu packets%s", hop_name(w, place),
		(unsigned long long)dropped, why);
}

/* What a packet of this pair is on a device of that MTU: longer, and so dropped. */
static uint32_t packet_length(const struct walker *w)
{
	return w->q->size + (addr_is_v4(&w->plan->clients[w->from].addr) ? 20 : 40);
}

static void suspect_mtu(struct walker *w, enum walk_place place, const char *what)
{
	const struct walk_device *d = &w->f->at[place];

	if (w->hop[place] < w->path->n && d->known && packet_length(w) > d->mtu)
		suspect(w, w->hop[place], CERTAIN, "MTU: the packets are IP packets of %u bytes, and %s %s %u", packet_length(w),
			hop_name(w, place), what, d->mtu);
}

/* The tunnels' two ends do not mean the same virtual network. */
static bool vnis_differ(const struct walker *w)
{
	uint32_t a = w->f->at[WALK_FROM_TUNNEL].vni, b = w->f->at[WALK_TO_TUNNEL].vni;

	return a && b && a != b;
}

static const char *say_vnis(const struct walker *w, char *buf, size_t len)
{
	uint32_t planned = w->plan->vnis[w->vni].scn->vni;
	bool here = w->f->at[WALK_FROM_TUNNEL].vni != planned;

	(void)snprintf(buf, len, "wrong VNI: %s has %u, and %s has %u", hop_name(w, here ? WALK_FROM_TUNNEL : WALK_TO_TUNNEL),
		       w->f->at[here ? WALK_FROM_TUNNEL : WALK_TO_TUNNEL].vni, hop_name(w, here ? WALK_TO_TUNNEL : WALK_FROM_TUNNEL),
		       w->f->at[here ? WALK_TO_TUNNEL : WALK_FROM_TUNNEL].vni);
	return buf;
}

/* Why nobody answers when the sender looks for the receiver. */
static const char *why_unresolved(const struct walker *w, char *buf, size_t len)
{
	static const enum walk_place places[] = { WALK_FROM_PORT, WALK_FROM_BRIDGE, WALK_FROM_TUNNEL, WALK_FROM_UPLINK, WALK_FROM_FABRIC,
						  WALK_TO_FABRIC, WALK_TO_UPLINK, WALK_TO_TUNNEL, WALK_TO_BRIDGE, WALK_TO_PORT,
						  WALK_TO_ETH0 };

	if (vnis_differ(w))
		return say_vnis(w, buf, len);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		const struct walk_device *d = &w->f->at[places[i]];

		if (w->hop[places[i]] >= w->path->n || (d->known && d->up))
			continue;
		(void)snprintf(buf, len, "%s is %s", hop_name(w, places[i]), d->known ? "down" : "not there");
		return buf;
	}
	if (w->f->flood_fdb == WALK_NONE)
		(void)snprintf(buf, len, "%s does not flood to host%u", hop_name(w, WALK_FROM_TUNNEL), w->to_host);
	else
		(void)snprintf(buf, len, "c%u does not answer", w->to);
	return buf;
}

/* A frame for a MAC that nobody has is flooded, and so may get as far as the receiver's host. */
static void suspect_neighbour(struct walker *w)
{
	const struct ip_addr *addr = &w->plan->clients[w->to].addr;
	char text[ADDR_STRLEN], why[160];

	if (w->f->neighbour == WALK_NONE)
		suspect(w, w->hop[WALK_FROM_ETH0], CERTAIN, "c%u finds no neighbour %s by %s: %s", w->from, addr_format(addr, text),
			addr_is_v4(addr) ? "ARP" : "neighbour solicitation", why_unresolved(w, why, sizeof(why)));
	if (w->f->neighbour == WALK_WRONG)
		suspect(w, w->hop[w->segment == SEGMENT_RECEIVER ? WALK_TO_ETH0 : WALK_FROM_ETH0], CERTAIN,
			"c%u's neighbour entry for %s has a MAC that is not c%u's", w->from, addr_format(addr, text), w->to);
}

/* ------------------------------------------------------------------ the three parts of the way */

/* Frames are dropped by the bridge that is to hand them to a tunnel too small for them, without a trace. */
static void look_at_sender(struct walker *w)
{
	char text[ADDR_STRLEN];

	if (w->q->row->send_errors && !w->q->back)
		suspect(w, w->hop[WALK_FROM_ETH0], packet_length(w) > w->f->at[WALK_FROM_ETH0].mtu ? CERTAIN : w->q->row->send_errors,
			packet_length(w) > w->f->at[WALK_FROM_ETH0].mtu
				? "c%u's kernel refused %llu packets: IP packets of %u bytes are longer than the MTU of its eth0, %u"
				: "c%u's kernel refused to send %llu packets",
			w->from, (unsigned long long)w->q->row->send_errors, packet_length(w), w->f->at[WALK_FROM_ETH0].mtu);
	suspect_gone(w, WALK_FROM_ETH0);
	suspect_neighbour(w);
	if (!is_direct(w)) {
		suspect_gone(w, WALK_FROM_PORT);
		suspect_gone(w, WALK_FROM_BRIDGE);
		if (w->f->from_fdb == WALK_WRONG)
			suspect(w, w->hop[WALK_FROM_BRIDGE], CERTAIN, "the forwarding entry of %s for c%u's MAC leads elsewhere than to %s",
				hop_name(w, WALK_FROM_BRIDGE), w->to, hop_name(w, WALK_FROM_TUNNEL));
	}
	suspect_gone(w, WALK_FROM_TUNNEL);
	suspect_mtu(w, WALK_FROM_TUNNEL, "carries");
	if (w->f->tunnel_fdb == WALK_WRONG)
		suspect(w, w->hop[WALK_FROM_TUNNEL], CERTAIN, "the forwarding entry of %s for c%u's MAC leads elsewhere than to host%u (%s)",
			hop_name(w, WALK_FROM_TUNNEL), w->to, w->to_host, addr_format(&w->plan->hosts[w->to_host].vtep, text));
	if (w->f->tunnel_fdb == WALK_NONE && w->f->flood_fdb == WALK_NONE)
		suspect(w, w->hop[WALK_FROM_TUNNEL], CERTAIN,
			"%s has no forwarding entry for c%u's MAC, and does not flood to host%u (%s)", hop_name(w, WALK_FROM_TUNNEL), w->to,
			w->to_host, addr_format(&w->plan->hosts[w->to_host].vtep, text));
	if (w->f->vtep == WALK_NONE)
		suspect(w, w->hop[WALK_FROM_UPLINK], CERTAIN, "host%u does not find the VTEP %s in the underlay", w->from_host,
			addr_format(&w->plan->hosts[w->to_host].vtep, text));
	suspect_gone(w, WALK_FROM_UPLINK);
	if (vnis_differ(w)) {
		char why[160];

		suspect(w, w->hop[WALK_FROM_TUNNEL], CERTAIN, "%s", say_vnis(w, why, sizeof(why)));
	}
	suspect_drops(w, WALK_FROM_ETH0, w->f->at[WALK_FROM_ETH0].tx_dropped, "");
	suspect_drops(w, WALK_FROM_TUNNEL, w->f->at[WALK_FROM_TUNNEL].tx_dropped, "");
}

static const struct link_state *link_of(const struct walker *w, uint32_t host)
{
	for (size_t i = 0; i < w->q->sample->n_links; i++)
		if (w->q->sample->links[i].host == host)
			return &w->q->sample->links[i].state;
	return NULL;
}

static void suspect_loss(struct walker *w, uint32_t host, size_t hop, uint64_t lost)
{
	const struct link_state *link = link_of(w, host);
	char set[32] = "";

	if (link && link->loss > 0)
		(void)link_part_format(link, LINK_LOSS, set, sizeof(set));
	suspect(w, hop, lost < w->lost ? lost : w->lost, "host%u's link loses frames on purpose%s%s: %llu of all that passed%s", host,
		*set ? ", " : "", set, (unsigned long long)lost, *set ? "" : " so far");
}

static void suspect_queue(struct walker *w, uint32_t host, size_t hop, const struct walk_queue *queue, uint64_t lost)
{
	const struct link_state *link = link_of(w, host);
	uint64_t full = less(queue->dropped, lost);
	char rate[32] = "";

	if (link && link->rate_bps > 0)
		(void)link_part_format(link, LINK_RATE, rate, sizeof(rate));
	if (queue->known)
		suspect(w, hop, full < w->lost ? full : w->lost, "the queue of host%u's link%s%s%s was full: %llu packets dropped there", host,
			*rate ? ", rate " : "", rate, *rate ? "," : "", (unsigned long long)full);
}

/* What was done to a link and undone since: the newest that can lose frames. */
static void suspect_past(struct walker *w, uint32_t host, size_t hop)
{
	const struct marks *m = w->q->sample->marks;
	char begins[24];

	(void)snprintf(begins, sizeof(begins), "link host%u ", host);
	for (size_t i = m ? m->n : 0; i-- > 0;)
		if (!*m->v[i].error && strncmp(m->v[i].text, begins, strlen(begins)) == 0 &&
		    (strstr(m->v[i].text, "down") || strstr(m->v[i].text, "loss") || strstr(m->v[i].text, "rate"))) {
			suspect(w, hop, w->lost / 2 + 1, "\"%.100s\" was done at %.1f s", m->v[i].text, m->v[i].at_s);
			return;
		}
}

static void look_at_underlay(struct walker *w)
{
	const struct walk_facts *f = w->f;
	char text[ADDR_STRLEN];

	if (f->neighbour == WALK_WRONG)
		suspect_neighbour(w);
	if (f->vtep == WALK_WRONG)
		suspect(w, w->hop[WALK_FROM_UPLINK], CERTAIN, "host%u's neighbour entry for the VTEP %s has a MAC that is not host%u's",
			w->from_host, addr_format(&w->plan->hosts[w->to_host].vtep, text), w->to_host);
	if (f->at[WALK_FROM_FABRIC].known && !f->at[WALK_FROM_FABRIC].up)
		suspect(w, w->hop[WALK_FROM_FABRIC], CERTAIN, "host%u's link is down", w->from_host);
	suspect_gone(w, WALK_FROM_FABRIC);
	if (f->fabric_fdb == WALK_WRONG)
		suspect(w, w->hop_fabric, CERTAIN, "the fabric's forwarding entry for host%u's MAC leads to another port", w->to_host);
	if (f->at[WALK_TO_FABRIC].known && !f->at[WALK_TO_FABRIC].up)
		suspect(w, w->hop[WALK_TO_FABRIC], CERTAIN, "host%u's link is down", w->to_host);
	suspect_gone(w, WALK_TO_FABRIC);
	suspect_gone(w, WALK_TO_UPLINK);
	suspect_queue(w, w->from_host, w->hop[WALK_FROM_UPLINK], &f->from_queue, 0);
	suspect_loss(w, w->from_host, w->hop[WALK_FROM_FABRIC], f->from_lost);
	suspect_loss(w, w->to_host, w->hop[WALK_TO_FABRIC], f->to_lost);
	suspect_queue(w, w->to_host, w->hop[WALK_TO_FABRIC], &f->to_queue, f->to_lost);
	suspect_past(w, w->from_host, w->hop[WALK_FROM_FABRIC]);
	suspect_past(w, w->to_host, w->hop[WALK_TO_FABRIC]);
	suspect_drops(w, WALK_FROM_UPLINK, less(f->at[WALK_FROM_UPLINK].tx_dropped, f->from_queue.dropped),
		      ": this machine's receive queue was full, or the link was down");
	suspect_drops(w, WALK_TO_FABRIC, less(f->at[WALK_TO_FABRIC].tx_dropped, f->to_queue.dropped),
		      ": this machine's receive queue was full, or the link was down");
}

static void look_at_receiver(struct walker *w)
{
	char why[160];

	if (vnis_differ(w))
		suspect(w, w->hop[WALK_TO_TUNNEL], CERTAIN, "%s", say_vnis(w, why, sizeof(why)));
	if (w->f->neighbour == WALK_WRONG)
		suspect_neighbour(w);
	suspect_gone(w, WALK_TO_TUNNEL);
	if (!is_direct(w)) {
		suspect_gone(w, WALK_TO_BRIDGE);
		if (w->f->to_fdb == WALK_WRONG)
			suspect(w, w->hop[WALK_TO_BRIDGE], CERTAIN, "the forwarding entry of %s for c%u's MAC leads elsewhere than to its port",
				hop_name(w, WALK_TO_BRIDGE), w->to);
		suspect_gone(w, WALK_TO_PORT);
		suspect_mtu(w, WALK_TO_PORT, "lets pass");
	}
	suspect_gone(w, WALK_TO_ETH0);
	suspect_drops(w, WALK_TO_TUNNEL, w->f->at[WALK_TO_TUNNEL].rx_dropped, "");
	suspect_drops(w, WALK_TO_PORT, w->f->at[WALK_TO_PORT].tx_dropped, "");
	suspect_drops(w, WALK_TO_ETH0, w->f->at[WALK_TO_ETH0].rx_dropped, "");
	if (w->q->sample->overruns)
		suspect(w, w->hop_sink, w->q->sample->overruns < w->lost ? w->q->sample->overruns : w->lost,
			"a socket of the traffic engine was full: %llu packets dropped", (unsigned long long)w->q->sample->overruns);
}

/* Nothing that is known of loses packets: then at least the first pair of neighbouring counters that differ by as many. Both count
 * everybody's packets, and so must differ by more than the way between them explains. */
static void look_at_counters(struct walker *w)
{
	static const struct { enum walk_place a, b; enum segment segment; } pairs[] = {
		{ WALK_FROM_ETH0, WALK_FROM_PORT, SEGMENT_SENDER }, { WALK_FROM_PORT, WALK_FROM_TUNNEL, SEGMENT_SENDER },
		{ WALK_FROM_UPLINK, WALK_FROM_FABRIC, SEGMENT_UNDERLAY }, { WALK_TO_FABRIC, WALK_TO_UPLINK, SEGMENT_UNDERLAY },
		{ WALK_TO_TUNNEL, WALK_TO_PORT, SEGMENT_RECEIVER }, { WALK_TO_PORT, WALK_TO_ETH0, SEGMENT_RECEIVER },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs) && w->path->stops == w->path->n; i++) {
		size_t a = w->hop[pairs[i].a], b = w->hop[pairs[i].b];

		if (pairs[i].segment != w->segment || a >= w->path->n || b >= w->path->n)
			continue;
		if (less(w->path->hops[a].packets, w->path->hops[b].packets) >= w->lost / 2 + 1)
			w->path->stops = b;
	}
}

/* ------------------------------------------------------------------ hops */

__attribute__((format(printf, 2, 3)))
static size_t add_hop(struct walker *w, const char *format, ...)
{
	struct path_hop *h = &w->path->hops[w->path->n];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(h->name, sizeof(h->name), format, args);
	va_end(args);
	return w->path->n++;
}

__attribute__((format(printf, 3, 4)))
static void note(struct walker *w, size_t hop, const char *format, ...)
{
	struct path_hop *h = &w->path->hops[hop];
	size_t len = strlen(h->note);
	va_list args;

	if (len && len + 2 < sizeof(h->note))
		(void)snprintf(h->note + len, sizeof(h->note) - len, ", ");
	len = strlen(h->note);
	va_start(args, format);
	(void)vsnprintf(h->note + len, sizeof(h->note) - len, format, args);
	va_end(args);
}

static bool is_arriving(enum walk_place place) /* counted as it comes in */
{
	return place == WALK_FROM_PORT || place == WALK_FROM_FABRIC || place == WALK_TO_UPLINK || place == WALK_TO_TUNNEL ||
	       place == WALK_TO_ETH0;
}

/* A device that frames pass, counted where they come in or go out. */
static void add_device(struct walker *w, enum walk_place place, bool counted, size_t hop)
{
	const struct walk_device *d = &w->f->at[place];
	struct path_hop *h = &w->path->hops[hop];

	w->hop[place] = hop;
	h->counted = counted && d->known;
	h->packets = is_arriving(place) ? d->rx_packets : d->tx_packets;
	h->dropped = is_arriving(place) ? d->rx_dropped : d->tx_dropped;
	if (!d->known)
		note(w, hop, "not there");
	else if (!d->up)
		note(w, hop, "down");
	else if (!d->carrier)
		note(w, hop, "no carrier");
}

static const char *entry_words(enum walk_entry e)
{
	return e == WALK_NONE ? "no entry" : e == WALK_WRONG ? "entry leads elsewhere" : "entry leads on";
}

static void note_tunnel(struct walker *w, enum walk_place place)
{
	const struct walk_device *d = &w->f->at[place];

	if (d->vni)
		note(w, w->hop[place], "VNI %u", d->vni);
	if (d->known)
		note(w, w->hop[place], "MTU %u", d->mtu);
}

static void add_sender_side(struct walker *w)
{
	const struct walk_facts *f = w->f;
	const struct plan_client *c = &w->plan->clients[w->from];
	const struct plan_vni *v = &w->plan->vnis[w->vni];
	char tunnel[IFNAMSIZ];

	add_device(w, WALK_FROM_ETH0, true, add_hop(w, "c%u eth0", w->from));
	if (f->neighbour != WALK_UNKNOWN)
		note(w, w->hop[WALK_FROM_ETH0], "neighbour %s",
		     f->neighbour == WALK_RIGHT ? "known" : f->neighbour == WALK_NONE ? "unresolved" : "with a wrong MAC");
	if (!is_direct(w)) {
		add_device(w, WALK_FROM_PORT, true, add_hop(w, "host%u %s", w->from_host, c->port));
		add_device(w, WALK_FROM_BRIDGE, false, add_hop(w, "host%u %s", w->from_host, v->bridge));
		if (f->from_fdb != WALK_UNKNOWN)
			note(w, w->hop[WALK_FROM_BRIDGE], "FDB: %s", entry_words(f->from_fdb));
	}
	add_device(w, WALK_FROM_TUNNEL, true, add_hop(w, "host%u %s", w->from_host, plan_tunnel_name(v, w->to_host, tunnel)));
	note_tunnel(w, WALK_FROM_TUNNEL);
	if (f->tunnel_fdb != WALK_UNKNOWN)
		note(w, w->hop[WALK_FROM_TUNNEL], "FDB: %s", entry_words(f->tunnel_fdb));
}

static void note_queue(struct walker *w, size_t hop, const struct walk_queue *queue)
{
	if (queue->known && queue->dropped)
		note(w, hop, "its queue dropped %llu", (unsigned long long)queue->dropped);
	if (queue->known && queue->backlog)
		note(w, hop, "%llu waiting", (unsigned long long)queue->backlog);
}

static void add_underlay(struct walker *w)
{
	const struct walk_facts *f = w->f;
	const struct truth_row *row = w->q->row;
	unsigned long long left = row->count[w->q->back ? TRUTH_ANSWERED : TRUTH_LEFT];
	unsigned long long arrived = row->count[w->q->back ? TRUTH_RETURNED : TRUTH_ARRIVED];
	char bridge[IFNAMSIZ];

	add_device(w, WALK_FROM_UPLINK, true, add_hop(w, "host%u eth0", w->from_host));
	note(w, w->hop[WALK_FROM_UPLINK], "the monitor saw %llu of this pair leave", left);
	note_queue(w, w->hop[WALK_FROM_UPLINK], &f->from_queue);
	add_device(w, WALK_FROM_FABRIC, true, add_hop(w, "fabric %s", w->plan->hosts[w->from_host].port));
	if (f->from_lost)
		note(w, w->hop[WALK_FROM_FABRIC], "%llu lost on purpose", (unsigned long long)f->from_lost);
	w->hop_fabric = add_hop(w, "fabric %s", plan_host_bridge(w->plan, w->to_host, bridge));
	if (f->fabric_fdb != WALK_UNKNOWN)
		note(w, w->hop_fabric, "FDB: %s", entry_words(f->fabric_fdb));
	add_device(w, WALK_TO_FABRIC, true, add_hop(w, "fabric %s", w->plan->hosts[w->to_host].port));
	if (f->to_lost)
		note(w, w->hop[WALK_TO_FABRIC], "%llu lost on purpose", (unsigned long long)f->to_lost);
	note_queue(w, w->hop[WALK_TO_FABRIC], &f->to_queue);
	add_device(w, WALK_TO_UPLINK, true, add_hop(w, "host%u eth0", w->to_host));
	note(w, w->hop[WALK_TO_UPLINK], "the monitor saw %llu of this pair arrive", arrived);
}

static void add_receiver_side(struct walker *w)
{
	const struct plan_client *c = &w->plan->clients[w->to];
	const struct plan_vni *v = &w->plan->vnis[w->vni];
	char tunnel[IFNAMSIZ];

	add_device(w, WALK_TO_TUNNEL, true, add_hop(w, "host%u %s", w->to_host, plan_tunnel_name(v, w->from_host, tunnel)));
	note_tunnel(w, WALK_TO_TUNNEL);
	if (!is_direct(w)) {
		add_device(w, WALK_TO_BRIDGE, false, add_hop(w, "host%u %s", w->to_host, v->bridge));
		if (w->f->to_fdb != WALK_UNKNOWN)
			note(w, w->hop[WALK_TO_BRIDGE], "FDB: %s", entry_words(w->f->to_fdb));
		add_device(w, WALK_TO_PORT, true, add_hop(w, "host%u %s", w->to_host, c->port));
	}
	add_device(w, WALK_TO_ETH0, true, add_hop(w, "c%u eth0", w->to));
}

static void add_ends(struct walker *w, bool source)
{
	const struct truth_row *row = w->q->row;
	bool ping = row->proto == SCN_PING;

	if (source) {
		w->hop_source = add_hop(w, w->q->back ? "c%u's kernel" : "c%u's generators", w->from);
		if (!w->q->back)
			note(w, w->hop_source, "%llu sent", (unsigned long long)row->count[TRUTH_SENT]);
		if (!w->q->back && row->send_errors)
			note(w, w->hop_source, "%llu refused by the kernel", (unsigned long long)row->send_errors);
	} else {
		w->hop_sink = add_hop(w, !ping ? "c%u's sink" : w->q->back ? "c%u's generators" : "c%u's kernel", w->to);
		if (!ping || w->q->back)
			note(w, w->hop_sink, "%llu received", (unsigned long long)row->count[TRUTH_RECEIVED]);
	}
}

void path_make(const struct path_question *q, struct path *ret)
{
	const struct plan *plan = q->plan;
	const struct truth_row *row = q->row;
	uint32_t from = q->back ? row->to : row->from, to = q->back ? row->from : row->to;
	struct walker w = {
		.q = q, .plan = plan, .f = q->facts, .path = ret, .from = from, .to = to, .from_host = plan->clients[from].host,
		.to_host = plan->clients[to].host, .vni = plan->clients[from].vni,
	};
	enum truth_place place = path_place(row, q->places);

	*ret = (struct path){ .from = from, .to = to };
	(void)snprintf(ret->pair, sizeof(ret->pair), q->back ? "answers of c%u to c%u, %s, VNI %u" : "c%u to c%u, %s, VNI %u", from, to,
		       scn_proto_names[row->proto], plan->vnis[w.vni].scn->vni);
	for (int i = 0; i < WALK_PLACE_MAX; i++)
		w.hop[i] = PATH_HOPS_MAX;
	w.segment = segment_of(q, place);
	w.lost = place < TRUTH_PLACE_MAX ? lost_at(row, place) : 0;
	add_ends(&w, true);
	add_sender_side(&w);
	add_underlay(&w);
	add_receiver_side(&w);
	add_ends(&w, false);
	ret->stops = ret->n;
	if (w.segment == SEGMENT_SENDER)
		look_at_sender(&w);
	else if (w.segment == SEGMENT_UNDERLAY)
		look_at_underlay(&w);
	else if (w.segment == SEGMENT_RECEIVER)
		look_at_receiver(&w);
	if (w.segment != SEGMENT_NONE)
		look_at_counters(&w);
}
