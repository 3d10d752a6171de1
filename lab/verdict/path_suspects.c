/* SPDX-License-Identifier: Apache-2.0 */
/* Between the two counted places where packets are lost, everything that could have lost them is a suspect, with a number of packets
 * that it answers for; the one that answers for most is the cause, of equals the first on the way. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "lab/verdict/path_internal.h"

#define CERTAIN UINT64_MAX /* answers for all of them */

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
static void suspect_sender(struct walker *w)
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

static void suspect_underlay(struct walker *w)
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
	/* What a queue drops is not among these: a device counts what was given to it. */
	suspect_drops(w, WALK_FROM_UPLINK, f->at[WALK_FROM_UPLINK].tx_dropped,
		      ": this machine's receive queue was full, or the link was down");
	suspect_drops(w, WALK_TO_FABRIC, f->at[WALK_TO_FABRIC].tx_dropped,
		      ": this machine's receive queue was full, or the link was down");
}

static void suspect_receiver(struct walker *w)
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
static void suspect_counters(struct walker *w)
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

void path_find_cause(struct walker *w)
{
	w->path->stops = w->path->n;
	if (w->segment == SEGMENT_SENDER)
		suspect_sender(w);
	else if (w->segment == SEGMENT_UNDERLAY)
		suspect_underlay(w);
	else if (w->segment == SEGMENT_RECEIVER)
		suspect_receiver(w);
	if (w->segment != SEGMENT_NONE)
		suspect_counters(w);
}
