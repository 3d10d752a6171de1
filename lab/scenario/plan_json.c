/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as JSON, schema tunlab.plan/1: everything a script could want to know of a lab before it
 * is built. */
#include <stdio.h>

#include "base/emit.h"
#include "lab/scenario/plan.h"

static void emit_seconds(struct emit *e, const char *key, uint64_t ns)
{
	emit_number(e, key, (double)ns / 1e9);
}

static void emit_client_name(struct emit *e, uint32_t client)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "c%u", client);
	emit_string(e, NULL, name);
}

static void emit_mac(struct emit *e, const uint8_t mac[6])
{
	char text[18];

	(void)snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		       mac[3], mac[4], mac[5]);
	emit_string(e, "mac", text);
}

static void emit_address(struct emit *e, const char *key, const struct ip_addr *a)
{
	char text[ADDR_STRLEN];

	emit_string(e, key, addr_is_none(a) ? NULL : addr_format(a, text));
}

/* Packets per second; 0 stands for as fast as it goes, which has no number. */
static void emit_pps(struct emit *e, double pps)
{
	if (pps > 0)
		emit_number(e, "pps", pps);
	else
		emit_null(e, "pps");
}

static void emit_lab(struct emit *e, const struct plan *p)
{
	const struct scenario *s = p->scn;
	char text[PREFIX_STRLEN];

	emit_string(e, "schema", "tunlab.plan/1");
	emit_string(e, "name", s->name);
	emit_seconds(e, "duration_s", s->duration_ns);
	if (plan_secret(p) && !s->key_line[LAB_SEED])
		emit_null(e, "seed"); /* drawn anew for each run */
	else
		emit_u64(e, "seed", s->seed);
	emit_string(e, "wiring", scn_wiring_names[s->wiring]);
	emit_object(e, "underlay");
	emit_string(e, "prefix", prefix_format(&s->underlay, text));
	emit_string(e, "bridge", "br100");
	emit_u64(e, "port", s->port);
	emit_u64(e, "mtu", PLAN_UNDERLAY_MTU);
	emit_object_end(e);
}

static void emit_hosts(struct emit *e, const struct plan *p)
{
	char bridge[IFNAMSIZ];

	emit_array(e, "hosts");
	for (uint32_t i = 0; i < p->n_hosts; i++) {
		const struct plan_host *h = &p->hosts[i];

		emit_object(e, NULL);
		emit_string(e, "name", h->name);
		emit_address(e, "vtep", &h->vtep);
		emit_mac(e, h->mac);
		emit_string(e, "port", h->port);
		emit_string(e, "bridge", plan_host_bridge(p, i, bridge));
		emit_array(e, "clients");
		for (uint32_t c = 0; c < h->n_clients; c++)
			emit_client_name(e, h->client0 + c);
		emit_array_end(e);
		emit_object_end(e);
	}
	emit_array_end(e);
}

static void emit_vni(struct emit *e, const struct plan *p, const struct plan_vni *v)
{
	char text[PREFIX_STRLEN];

	emit_u64(e, "vni", v->scn->vni);
	emit_string(e, "encap", scn_encap_names[v->scn->encap]);
	emit_string(e, "flood", scn_flood_names[v->scn->flood]);
	emit_address(e, "group", &v->scn->group);
	emit_string(e, "subnet", prefix_format(&v->scn->subnet, text));
	emit_string(e, "bridge", p->scn->wiring == SCN_BRIDGE ? v->bridge : NULL);
	emit_string(e, "tunnel", v->tunnel);
	emit_u64(e, "mtu", v->mtu);
	emit_u64(e, "tunnel_mtu", v->tunnel_mtu);
	emit_array(e, "wrong");
	for (size_t i = 0; i < v->scn->n_wrong_vnis; i++) {
		emit_object(e, NULL);
		emit_string(e, "host", p->hosts[v->scn->wrong_vnis[i].host].name);
		emit_u64(e, "vni", v->scn->wrong_vnis[i].vni);
		emit_object_end(e);
	}
	emit_array_end(e);
	emit_u64(e, "tunnel_overhead", plan_tunnel_overhead(p, v->scn->encap));
	emit_array(e, "clients");
	for (uint32_t c = 0; c < v->n_clients; c++)
		emit_client_name(e, v->clients[c]);
	emit_array_end(e);
}

static void emit_vnis(struct emit *e, const struct plan *p)
{
	emit_array(e, "vnis");
	for (uint32_t i = 0; i < p->n_vnis; i++) {
		emit_object(e, NULL);
		emit_vni(e, p, &p->vnis[i]);
		emit_object_end(e);
	}
	emit_array_end(e);
}

static void emit_clients(struct emit *e, const struct plan *p)
{
	emit_array(e, "clients");
	for (uint32_t i = 0; i < p->n_clients; i++) {
		const struct plan_client *c = &p->clients[i];

		emit_object(e, NULL);
		emit_u64(e, "id", i);
		emit_string(e, "name", c->port);
		emit_string(e, "host", p->hosts[c->host].name);
		emit_u64(e, "vni", p->vnis[c->vni].scn->vni);
		emit_address(e, "address", &c->addr);
		emit_mac(e, c->mac);
		emit_object_end(e);
	}
	emit_array_end(e);
}

/* One sender; its section's other values stand beside the list. Returns packets per second, 0 for
 * max. */
static double emit_sender(struct emit *e, const struct plan *p, const struct plan_generator *g)
{
	const struct scn_traffic *t = &p->scn->traffic[g->section];
	double pps = plan_rate_pps(p, &t->rate, t->size, g->client);

	emit_object(e, NULL);
	emit_string(e, "client", p->clients[g->client].port);
	emit_pps(e, pps);
	emit_seconds(e, "phase_s", g->phase_ns);
	emit_array(e, "peers");
	for (uint32_t i = 0; i < g->n_peers; i++)
		emit_client_name(e, g->peers[i]);
	emit_array_end(e);
	emit_object_end(e);
	return pps;
}

static void emit_section(struct emit *e, const struct scn_traffic *t)
{
	char text[64];

	emit_string(e, "name", t->name);
	emit_string(e, "from", who_format(&t->from, text, sizeof(text)));
	emit_string(e, "to", who_format(&t->to, text, sizeof(text)));
	emit_string(e, "proto", scn_proto_names[t->proto]);
	emit_string(e, "rate", rate_format(&t->rate, text, sizeof(text)));
	emit_u64(e, "size", t->size);
	emit_seconds(e, "start_s", t->start_ns);
	if (t->stop_ns)
		emit_seconds(e, "stop_s", t->stop_ns);
	else
		emit_null(e, "stop_s");
	emit_string(e, "pattern", scn_pattern_names[t->pattern]);
	emit_bool(e, "secret", t->secret);
}

static void emit_traffic(struct emit *e, const struct plan *p)
{
	uint32_t g = 0; /* generators stand in the order of their sections */

	emit_array(e, "traffic");
	for (size_t i = 0; i < p->scn->n_traffic; i++) {
		double pps = 0;

		emit_object(e, NULL);
		emit_section(e, &p->scn->traffic[i]);
		emit_array(e, "senders");
		for (; g < p->n_generators && p->generators[g].section == i; g++)
			if (!p->scn->traffic[i].secret)
				pps += emit_sender(e, p, &p->generators[g]);
		emit_array_end(e);
		emit_pps(e, pps);
		emit_object_end(e);
	}
	emit_array_end(e);
}

static void emit_links(struct emit *e, const struct plan *p)
{
	char rate[32];

	emit_array(e, "links");
	for (size_t i = 0; i < p->scn->n_links; i++) {
		const struct scn_link *l = &p->scn->links[i];

		emit_object(e, NULL);
		emit_string(e, "host", p->hosts[l->host].name);
		emit_string(e, "rate", link_part_format(&l->state, LINK_RATE, rate, sizeof(rate)));
		emit_seconds(e, "delay_s", l->state.delay_ns);
		emit_number(e, "loss", l->state.loss);
		emit_object_end(e);
	}
	emit_array_end(e);
}

static void emit_events(struct emit *e, const struct plan *p)
{
	emit_array(e, "events");
	for (size_t i = 0; i < p->scn->n_events; i++) {
		emit_object(e, NULL);
		emit_string(e, "name", p->events[i].scn->name);
		emit_seconds(e, "at_s", p->events[i].scn->at_ns);
		emit_string(e, "do", p->events[i].scn->text);
		emit_object_end(e);
	}
	emit_array_end(e);
}

static void emit_checks(struct emit *e, const struct plan *p)
{
	emit_array(e, "checks");
	for (size_t i = 0; i < p->scn->n_checks; i++) {
		const struct scn_check *c = &p->scn->checks[i];

		emit_object(e, NULL);
		emit_string(e, "name", c->name);
		emit_string(e, "check", c->text);
		if (c->has_at)
			emit_seconds(e, "at_s", c->at_ns);
		else
			emit_null(e, "at_s");
		emit_seconds(e, "within_s", c->within_ns);
		emit_object_end(e);
	}
	emit_array_end(e);
}

static void emit_limits(struct emit *e, const struct plan *p)
{
	struct plan_objects count = plan_count_objects(p);
	uint32_t overhead = 0; /* the most */

	for (uint32_t i = 0; i < p->n_vnis; i++)
		if (plan_tunnel_overhead(p, p->vnis[i].scn->encap) > overhead)
			overhead = plan_tunnel_overhead(p, p->vnis[i].scn->encap);

	emit_object(e, "objects");
	emit_u64(e, "namespaces", count.namespaces);
	emit_u64(e, "devices", count.devices);
	emit_u64(e, "veth_pairs", count.veth_pairs);
	emit_u64(e, "bridges", count.bridges);
	emit_u64(e, "tunnels", count.tunnels);
	emit_u64(e, "macvlans", count.macvlans);
	emit_object_end(e);
	emit_object(e, "limits");
	emit_u64(e, "mtu", p->mtu);
	emit_u64(e, "mtu_underlay", PLAN_UNDERLAY_MTU);
	emit_u64(e, "tunnel_overhead", overhead);
	emit_u64(e, "flows", p->n_flows);
	emit_u64(e, "flow_capacity", p->flow_capacity);
	emit_u64(e, "bridge_ports", p->n_hosts);
	emit_u64(e, "bridge_ports_max", p->bridge_ports);
	emit_u64(e, "leaf_bridges", plan_count_leaves(p));
	emit_u64(e, "senders", p->n_generators);
	emit_u64(e, "senders_max", PLAN_GENERATORS_MAX);
	emit_u64(e, "pairs", p->n_streams);
	emit_u64(e, "pairs_max", PLAN_STREAMS_MAX);
	emit_object_end(e);
}

char *plan_json(const struct plan *p)
{
	struct emit e = { 0 };

	emit_object(&e, NULL);
	emit_lab(&e, p);
	emit_hosts(&e, p);
	emit_vnis(&e, p);
	emit_clients(&e, p);
	emit_traffic(&e, p);
	emit_links(&e, p);
	emit_events(&e, p);
	emit_checks(&e, p);
	emit_limits(&e, p);
	return emit_take(&e);
}
