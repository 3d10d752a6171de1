/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as JSON, schema tunlab.plan/1: everything a script could want to know of a lab before it
 * is built. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "lab/scenario/plan.h"

/* cJSON's adders give NULL without memory and take NULL without harm, so one look at the end
 * suffices: the printed text is complete or there is none. `ok` gathers what an adder returned. */
struct out {
	bool ok;
};

static cJSON *keep(struct out *o, cJSON *item)
{
	o->ok &= item != NULL;
	return item;
}

static void add_text(struct out *o, cJSON *to, const char *key, const char *value)
{
	(void)keep(o, cJSON_AddStringToObject(to, key, value));
}

static void add_number(struct out *o, cJSON *to, const char *key, double value)
{
	(void)keep(o, cJSON_AddNumberToObject(to, key, value));
}

static void add_null(struct out *o, cJSON *to, const char *key)
{
	(void)keep(o, cJSON_AddNullToObject(to, key));
}

/* A new object at the end of a list. */
static cJSON *add_row(struct out *o, cJSON *list)
{
	cJSON *row = keep(o, cJSON_CreateObject());

	if (!cJSON_AddItemToArray(list, row)) {
		cJSON_Delete(row);
		o->ok = false;
		return NULL;
	}
	return row;
}

static void add_client_name(struct out *o, cJSON *list, uint32_t client)
{
	char name[16];
	cJSON *item;

	(void)snprintf(name, sizeof(name), "c%u", client);
	item = keep(o, cJSON_CreateString(name));
	if (!cJSON_AddItemToArray(list, item)) {
		cJSON_Delete(item);
		o->ok = false;
	}
}

static void add_mac(struct out *o, cJSON *to, const uint8_t mac[6])
{
	char text[18];

	(void)snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		       mac[3], mac[4], mac[5]);
	add_text(o, to, "mac", text);
}

static void add_address(struct out *o, cJSON *to, const char *key, const struct ip_addr *a)
{
	char text[ADDR_STRLEN];

	if (addr_is_none(a))
		add_null(o, to, key);
	else
		add_text(o, to, key, addr_format(a, text));
}

static void add_lab(struct out *o, cJSON *to, const struct plan *p)
{
	const struct scenario *s = p->scn;
	char text[PREFIX_STRLEN], seed[24];
	cJSON *underlay;

	add_text(o, to, "schema", "tunlab.plan/1");
	add_text(o, to, "name", s->name);
	add_number(o, to, "duration_s", (double)s->duration_ns / 1e9);
	(void)snprintf(seed, sizeof(seed), "%llu", (unsigned long long)s->seed);
	(void)keep(o, cJSON_AddRawToObject(to, "seed",
					   seed)); /* 64 bits, which a double would round */
	add_text(o, to, "wiring", scn_wiring_names[s->wiring]);
	underlay = keep(o, cJSON_AddObjectToObject(to, "underlay"));
	add_text(o, underlay, "prefix", prefix_format(&s->underlay, text));
	add_text(o, underlay, "bridge", "br100");
	add_number(o, underlay, "port", s->port);
	add_number(o, underlay, "mtu", PLAN_UNDERLAY_MTU);
}

static void add_hosts(struct out *o, cJSON *to, const struct plan *p)
{
	cJSON *list = keep(o, cJSON_AddArrayToObject(to, "hosts"));

	for (uint32_t i = 0; i < p->n_hosts; i++) {
		cJSON *row = add_row(o, list), *clients;

		add_text(o, row, "name", p->hosts[i].name);
		add_address(o, row, "vtep", &p->hosts[i].vtep);
		add_mac(o, row, p->hosts[i].mac);
		add_text(o, row, "port", p->hosts[i].port);
		clients = keep(o, cJSON_AddArrayToObject(row, "clients"));
		for (uint32_t c = 0; c < p->hosts[i].n_clients; c++)
			add_client_name(o, clients, p->hosts[i].client0 + c);
	}
}

static void add_vnis(struct out *o, cJSON *to, const struct plan *p)
{
	cJSON *list = keep(o, cJSON_AddArrayToObject(to, "vnis"));

	for (uint32_t i = 0; i < p->n_vnis; i++) {
		const struct plan_vni *v = &p->vnis[i];
		cJSON *row = add_row(o, list), *clients;
		char text[PREFIX_STRLEN];

		add_number(o, row, "vni", v->scn->vni);
		add_text(o, row, "encap", scn_encap_names[v->scn->encap]);
		add_text(o, row, "flood", scn_flood_names[v->scn->flood]);
		add_address(o, row, "group", &v->scn->group);
		add_text(o, row, "subnet", prefix_format(&v->scn->subnet, text));
		if (p->scn->wiring == SCN_BRIDGE)
			add_text(o, row, "bridge", v->bridge);
		else
			add_null(o, row, "bridge");
		add_text(o, row, "tunnel", v->tunnel);
		clients = keep(o, cJSON_AddArrayToObject(row, "clients"));
		for (uint32_t c = 0; c < v->n_clients; c++)
			add_client_name(o, clients, v->clients[c]);
	}
}

static void add_clients(struct out *o, cJSON *to, const struct plan *p)
{
	cJSON *list = keep(o, cJSON_AddArrayToObject(to, "clients"));

	for (uint32_t i = 0; i < p->n_clients; i++) {
		const struct plan_client *c = &p->clients[i];
		cJSON *row = add_row(o, list);

		add_number(o, row, "id", i);
		add_text(o, row, "name", c->port);
		add_text(o, row, "host", p->hosts[c->host].name);
		add_number(o, row, "vni", p->vnis[c->vni].scn->vni);
		add_address(o, row, "address", &c->addr);
		add_mac(o, row, c->mac);
	}
}

/* One sender; its section's other values stand beside the list. Returns packets per second, 0 for
 * max. */
static double add_sender(struct out *o, cJSON *list, const struct plan *p,
			 const struct plan_generator *g)
{
	const struct scn_traffic *t = &p->scn->traffic[g->section];
	cJSON *row = add_row(o, list), *peers;
	double pps = plan_rate_pps(p, &t->rate, t->size, g->client);

	add_text(o, row, "client", p->clients[g->client].port);
	if (t->rate.unit == RATE_MAXIMUM)
		add_null(o, row, "pps");
	else
		add_number(o, row, "pps", pps);
	add_number(o, row, "phase_s", (double)g->phase_ns / 1e9);
	peers = keep(o, cJSON_AddArrayToObject(row, "peers"));
	for (uint32_t i = 0; i < g->n_peers; i++)
		add_client_name(o, peers, g->peers[i]);
	return pps;
}

static void add_traffic(struct out *o, cJSON *to, const struct plan *p)
{
	cJSON *list = keep(o, cJSON_AddArrayToObject(to, "traffic"));
	uint32_t g = 0; /* generators stand in the order of their sections */

	for (size_t i = 0; i < p->scn->n_traffic; i++) {
		const struct scn_traffic *t = &p->scn->traffic[i];
		cJSON *row = add_row(o, list), *senders;
		double pps = 0;
		char text[64];

		add_text(o, row, "name", t->name);
		add_text(o, row, "from", who_format(&t->from, text, sizeof(text)));
		add_text(o, row, "to", who_format(&t->to, text, sizeof(text)));
		add_text(o, row, "proto", scn_proto_names[t->proto]);
		add_text(o, row, "rate", rate_format(&t->rate, text, sizeof(text)));
		add_number(o, row, "size", t->size);
		add_number(o, row, "start_s", (double)t->start_ns / 1e9);
		if (t->stop_ns)
			add_number(o, row, "stop_s", (double)t->stop_ns / 1e9);
		else
			add_null(o, row, "stop_s");
		add_text(o, row, "pattern", scn_pattern_names[t->pattern]);
		senders = keep(o, cJSON_AddArrayToObject(row, "senders"));
		for (; g < p->n_generators && p->generators[g].section == i; g++)
			pps += add_sender(o, senders, p, &p->generators[g]);
		if (t->rate.unit == RATE_MAXIMUM)
			add_null(o, row, "pps");
		else
			add_number(o, row, "pps", pps);
	}
}

static void add_checks(struct out *o, cJSON *to, const struct plan *p)
{
	cJSON *list = keep(o, cJSON_AddArrayToObject(to, "checks"));

	for (size_t i = 0; i < p->scn->n_checks; i++) {
		const struct scn_check *c = &p->scn->checks[i];
		cJSON *row = add_row(o, list);

		add_text(o, row, "name", c->name);
		add_text(o, row, "check", c->text);
		if (c->has_at)
			add_number(o, row, "at_s", (double)c->at_ns / 1e9);
		else
			add_null(o, row, "at_s");
		add_number(o, row, "within_s", (double)c->within_ns / 1e9);
	}
}

static void add_limits(struct out *o, cJSON *to, const struct plan *p)
{
	struct plan_objects count = plan_count_objects(p);
	cJSON *objects = keep(o, cJSON_AddObjectToObject(to, "objects"));
	cJSON *limits = keep(o, cJSON_AddObjectToObject(to, "limits"));

	add_number(o, objects, "namespaces", count.namespaces);
	add_number(o, objects, "devices", count.devices);
	add_number(o, limits, "mtu", p->mtu);
	add_number(o, limits, "mtu_underlay", PLAN_UNDERLAY_MTU);
	add_number(o, limits, "tunnel_overhead", plan_tunnel_overhead(p));
	add_number(o, limits, "flows", p->n_flows);
	add_number(o, limits, "flow_capacity", p->flow_capacity);
	add_number(o, limits, "bridge_ports", p->n_hosts);
	add_number(o, limits, "bridge_ports_max", PLAN_BRIDGE_PORTS);
	add_number(o, limits, "senders", p->n_generators);
	add_number(o, limits, "senders_max", PLAN_GENERATORS_MAX);
	add_number(o, limits, "pairs", p->n_streams);
	add_number(o, limits, "pairs_max", PLAN_STREAMS_MAX);
}

char *plan_json(const struct plan *p)
{
	struct out o = { .ok = true };
	cJSON *root = cJSON_CreateObject();
	char *text = NULL;

	if (!root)
		return NULL;
	add_lab(&o, root, p);
	add_hosts(&o, root, p);
	add_vnis(&o, root, p);
	add_clients(&o, root, p);
	add_traffic(&o, root, p);
	add_checks(&o, root, p);
	add_limits(&o, root, p);
	if (o.ok)
		text = cJSON_Print(root);
	cJSON_Delete(root);
	return text;
}
