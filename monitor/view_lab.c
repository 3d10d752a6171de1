/* SPDX-License-Identifier: Apache-2.0 */
/* The lab itself as JSON: what it consists of, how it does, what its generators do. */
#include "monitor/view_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lab/traffic/engine.h"

enum { PEERS_SHOWN = 16 };

static const char *const state_names[] = {
	[GEN_FREE] = "free", [GEN_WARMING] = "warming", [GEN_READY] = "ready", [GEN_RUNNING] = "running",
	[GEN_DRAINING] = "draining", [GEN_DONE] = "done",
};

const char *view_generator_state(uint32_t state)
{
	return state < sizeof(state_names) / sizeof(*state_names) ? state_names[state] : "unknown";
}

static void emit_seen_hosts(struct emit *e, const struct sample *s)
{
	emit_array(e, "hosts");
	for (size_t i = 0; i < view_hosts(NULL, s); i++) {
		emit_object(e, NULL);
		emit_host(e, "name", NULL, s, (int64_t)i);
		emit_address(e, "vtep", s->seen->hosts[i].addr.b);
		emit_object_end(e);
	}
	emit_array_end(e);
}

static void emit_hosts(struct emit *e, const struct plan *plan, const struct sample *s)
{
	static const struct link_state unimpaired;
	size_t next = 0; /* of the sample's links, which stand in the order of hosts */

	if (!plan) {
		emit_seen_hosts(e, s);
		return;
	}
	emit_array(e, "hosts");
	for (uint32_t i = 0; i < plan->n_hosts; i++) {
		bool impaired = s && next < s->n_links && s->links[next].host == i;

		emit_object(e, NULL);
		emit_string(e, "name", plan->hosts[i].name);
		emit_address(e, "vtep", plan->hosts[i].vtep.b);
		emit_link(e, impaired ? &s->links[next++].state : &unimpaired);
		emit_object_end(e);
	}
	emit_array_end(e);
}

static void emit_clients(struct emit *e, const struct plan *plan)
{
	emit_array(e, "clients");
	for (uint32_t i = 0; plan && i < plan->n_clients; i++) {
		const struct plan_client *c = &plan->clients[i];

		emit_object(e, NULL);
		emit_u64(e, "id", i);
		emit_client(e, "name", i);
		emit_host(e, "host", plan, NULL, c->host);
		emit_u64(e, "vni", plan->vnis[c->vni].scn->vni);
		emit_address(e, "address", c->addr.b);
		emit_object_end(e);
	}
	emit_array_end(e);
}

static const struct sample_stream *streams_of(const struct sample *s, const struct sample_generator *g, uint32_t *ret_n)
{
	uint32_t n = g->n_streams;

	if (g->stream0 >= s->n_streams)
		n = 0;
	else if (n > s->n_streams - g->stream0)
		n = (uint32_t)(s->n_streams - g->stream0);
	*ret_n = n;
	return n ? &s->streams[g->stream0] : NULL;
}

void emit_peers(struct emit *e, const struct sample_stream *streams, uint32_t n, uint32_t shown)
{
	emit_array(e, "to");
	for (uint32_t i = 0; i < n && i < shown; i++)
		emit_client(e, NULL, streams[i].to);
	emit_array_end(e);
	emit_u64(e, "peers", n);
}

static void emit_generator(struct emit *e, const struct sample *s, const struct sample_generator *g)
{
	const struct sample_stream *streams;
	char rate[64];
	uint32_t n;

	streams = streams_of(s, g, &n);
	emit_object(e, NULL);
	emit_u64(e, "id", g->id);
	emit_string(e, "name", g->name);
	emit_client(e, "from", g->client);
	emit_peers(e, streams, n, PEERS_SHOWN);
	emit_string(e, "proto", scn_proto_names[g->proto]);
	emit_string(e, "rate", rate_format(&g->rate, rate, sizeof(rate)));
	emit_u64(e, "size", g->size);
	emit_string(e, "state", view_generator_state(g->state));
	emit_u64(e, "sent", g->sent);
	emit_u64(e, "received", g->received);
	emit_u64(e, "late", g->late);
	emit_u64(e, "missed", g->missed);
	emit_fixed(e, "slip_max_ms", (double)g->slip_max_ns / 1e6, 3);
	emit_fixed(e, "cold_ms", g->known ? NAN : (double)g->cold_ns / 1e6, 3);
	emit_u64(e, "unresolved", g->unresolved);
	emit_object_end(e);
}

static void emit_traffic(struct emit *e, const struct sample *s)
{
	bool secret = false;

	emit_array(e, "traffic");
	for (size_t i = 0; s && i < s->n_generators; i++) {
		secret |= s->generators[i].secret;
		if (!s->generators[i].secret)
			emit_generator(e, s, &s->generators[i]);
	}
	emit_array_end(e);
	emit_bool(e, "secret", secret);
}

static void emit_vnis(struct emit *e, const struct plan *plan)
{
	char subnet[PREFIX_STRLEN];

	emit_array(e, "vnis");
	for (uint32_t i = 0; i < plan->n_vnis; i++) {
		const struct scn_vni *v = plan->vnis[i].scn;

		emit_object(e, NULL);
		emit_u64(e, "vni", v->vni);
		emit_string(e, "subnet", prefix_format(&v->subnet, subnet));
		emit_string(e, "encap", scn_encap_names[v->encap]);
		emit_u64(e, "mtu", plan->vnis[i].mtu);
		if (addr_is_none(&v->group))
			emit_null(e, "group");
		else
			emit_address(e, "group", v->group.b);
		emit_string(e, "flood", scn_flood_names[v->flood]);
		emit_object_end(e);
	}
	emit_array_end(e);
}

/* The encapsulation all VNIs have, or "mixed". */
static const char *lab_encap(const struct plan *plan)
{
	for (uint32_t i = 1; i < plan->n_vnis; i++) {
		if (plan->vnis[i].scn->encap != plan->vnis[0].scn->encap)
			return "mixed";
	}
	return plan->n_vnis ? scn_encap_names[plan->vnis[0].scn->encap] : NULL;
}

static int compare_seen_vni(const void *a, const void *b)
{
	const struct seen_vni *x = a, *y = b;

	return (x->vni > y->vni) - (x->vni < y->vni);
}

/* Ascending: they were seen in any order. */
static void emit_seen_vnis(struct emit *e, const struct seen *seen)
{
	size_t n = seen ? seen->n_vnis : 0;
	struct seen_vni *v = calloc(n + 1, sizeof(*v));

	if (v && n) {
		memcpy(v, seen->vnis, n * sizeof(*v));
		qsort(v, n, sizeof(*v), compare_seen_vni);
	}
	emit_array(e, "vnis");
	for (size_t i = 0; v && i < n; i++) {
		emit_object(e, NULL);
		emit_vni(e, "vni", v[i].vni);
		emit_string(e, "encap", encap_name(v[i].encap));
		emit_object_end(e);
	}
	emit_array_end(e);
	e->failed |= !v;
	free(v);
}

/* By address, in the form of flows: [{"address", "name"}]. */
static void emit_seen_names(struct emit *e, const struct seen *seen)
{
	emit_array(e, "names");
	for (size_t i = 0; seen && i < seen->n_names; i++) {
		emit_object(e, NULL);
		emit_address(e, "address", seen->names[i].addr.b);
		emit_string(e, "name", seen->names[i].name);
		emit_object_end(e);
	}
	emit_array_end(e);
}

static void emit_devices(struct emit *e, const struct lab_info *info)
{
	emit_array(e, "devices");
	for (uint32_t i = 0; i < info->n_devices; i++) {
		emit_object(e, NULL);
		emit_string(e, "name", info->devices[i].name);
		emit_bool(e, "attached", info->devices[i].how != NULL);
		emit_string(e, "how", info->devices[i].how);
		emit_object_end(e);
	}
	emit_array_end(e);
}

/* "waiting for eth0, eth1" while interfaces are not there. */
static void emit_state(struct emit *e, const struct lab_info *info)
{
	struct text waiting = { 0 };

	for (uint32_t i = 0; i < info->n_devices; i++)
		if (!info->devices[i].how)
			text_printf(&waiting, waiting.len ? ", %s" : "waiting for %s", info->devices[i].name);
	emit_string(e, "state", waiting.len ? waiting.buf : info->state);
	text_free(&waiting);
}

static void emit_plan(struct emit *e, const struct plan *plan)
{
	char underlay[PREFIX_STRLEN];

	emit_string(e, "encap", lab_encap(plan));
	emit_string(e, "underlay", prefix_format(&plan->scn->underlay, underlay));
	emit_u64(e, "port", plan->scn->port);
	emit_string(e, "wiring", scn_wiring_names[plan->scn->wiring]);
	emit_u64(e, "mtu", plan->mtu);
}

static const char *kind_name(const struct plan *plan, const struct sample *s)
{
	return sample_kind_names[plan ? SAMPLE_LAB : s->kind];
}

char *view_lab(const struct lab_info *info, const struct plan *plan, const struct sample *s)
{
	struct emit e = { 0 };

	emit_object(&e, NULL);
	emit_string(&e, "schema", "tunlab.lab/1");
	emit_string(&e, "name", info->name);
	emit_string(&e, "kind", kind_name(plan, s));
	if (s)
		emit_u64(&e, "version", view_lab_version(s));
	emit_state(&e, info);
	if (plan)
		emit_plan(&e, plan);
	emit_fixed(&e, "up_ms", info->up_ms, 1);
	emit_fixed(&e, "uptime_s", info->uptime_s, 3);
	emit_fixed(&e, "interval_s", info->interval_s, 3);
	emit_hosts(&e, plan, s);
	if (plan) {
		emit_vnis(&e, plan);
	} else {
		emit_seen_vnis(&e, s->seen);
		emit_seen_names(&e, s->seen);
	}
	if (info->n_devices)
		emit_devices(&e, info);
	emit_clients(&e, plan);
	emit_traffic(&e, s);
	emit_marks(&e, s ? s->marks : NULL, 0, UINT64_MAX);
	emit_object_end(&e);
	return emit_take(&e);
}

char *view_status(const struct lab_info *info, const struct plan *plan, const struct sample *s)
{
	struct emit e = { 0 };

	emit_object(&e, NULL);
	emit_string(&e, "name", info->name);
	emit_string(&e, "kind", kind_name(plan, s));
	emit_u64(&e, "pid", (uint64_t)info->pid);
	emit_state(&e, info);
	emit_fixed(&e, "uptime_s", info->uptime_s, 3);
	emit_string(&e, "url", info->url);
	if (plan)
		emit_u64(&e, "port", plan->scn->port);
	if (info->n_devices)
		emit_devices(&e, info);
	emit_hosts(&e, plan, s);
	emit_clients(&e, plan);
	emit_traffic(&e, s);
	emit_marks(&e, s ? s->marks : NULL, 0, UINT64_MAX);
	if (s)
		emit_monitor(&e, s);
	else
		emit_null(&e, "monitor");
	emit_object_end(&e);
	return emit_take(&e);
}
