/* SPDX-License-Identifier: Apache-2.0 */
/* The hops of a path: what packets pass, with its counters and what is worth a note there. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lab/verdict/path_internal.h"

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

/* lost: on purpose, which the queue counts as well. */
static void note_queue(struct walker *w, size_t hop, const struct walk_queue *queue, uint64_t lost)
{
	if (queue->known && queue->dropped > lost)
		note(w, hop, "its queue dropped %llu", (unsigned long long)(queue->dropped - lost));
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
	note_queue(w, w->hop[WALK_FROM_UPLINK], &f->from_queue, 0);
	add_device(w, WALK_FROM_FABRIC, true, add_hop(w, "fabric %s", w->plan->hosts[w->from_host].port));
	if (f->from_lost)
		note(w, w->hop[WALK_FROM_FABRIC], "%llu lost on purpose", (unsigned long long)f->from_lost);
	w->hop_fabric = add_hop(w, "fabric %s", plan_host_bridge(w->plan, w->to_host, bridge));
	if (f->fabric_fdb != WALK_UNKNOWN)
		note(w, w->hop_fabric, "FDB: %s", entry_words(f->fabric_fdb));
	add_device(w, WALK_TO_FABRIC, true, add_hop(w, "fabric %s", w->plan->hosts[w->to_host].port));
	if (f->to_lost)
		note(w, w->hop[WALK_TO_FABRIC], "%llu lost on purpose", (unsigned long long)f->to_lost);
	note_queue(w, w->hop[WALK_TO_FABRIC], &f->to_queue, f->to_lost);
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

void path_add_hops(struct walker *w)
{
	add_ends(w, true);
	add_sender_side(w);
	add_underlay(w);
	add_receiver_side(w);
	add_ends(w, false);
}
