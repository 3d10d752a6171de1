/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that start and stop live traffic: values are read as on the command line, and bounded like a scenario's. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit.h"
#include "lab/events.h"
#include "lab/request_internal.h"
#include "lab/run.h"

/* The order a traffic.start request makes, values as on the command line. Peers are the caller's to free. */
struct order {
	struct generator_spec spec;
	uint32_t *peers;
};

static int order_number(const cJSON *request, const char *key, uint64_t min, uint64_t max, uint64_t *ret, struct error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, key);

	if (!item)
		return 0;
	if (!cJSON_IsNumber(item) || item->valuedouble < (double)min || item->valuedouble > (double)max ||
	    item->valuedouble != floor(item->valuedouble)) {
		error_set(err, "cannot use %s %.12g: want a whole number from %llu to %llu", key, cJSON_GetNumberValue(item),
			  (unsigned long long)min, (unsigned long long)max);
		return -EINVAL;
	}
	*ret = (uint64_t)item->valuedouble;
	return 0;
}

static int order_who(struct run *run, const cJSON *request, struct order *o, struct error *err)
{
	const char *client = request_text(request, "client"), *to = request_text(request, "to"), *why;
	struct who who;
	uint32_t *targets;
	size_t n_targets, n_peers;
	int r;

	if (!client || parse_who(client, &who, &why)) {
		error_set(err, "cannot send from '%s': %s", client ? client : "", client ? why : "want a client, such as c3");
		return -EINVAL;
	}
	r = plan_resolve_one(run->plan, &who, &o->spec.client, err->text, sizeof(err->text));
	if (r)
		return r;
	if (parse_who(to ? to : "all", &who, &why)) {
		error_set(err, "cannot send to '%s': %s", to, why);
		return -EINVAL;
	}
	r = plan_resolve(run->plan, &who, run->scn->seed, &targets, &n_targets, err->text, sizeof(err->text));
	if (r)
		return r;
	r = plan_peers(run->plan, o->spec.client, targets, n_targets, &o->peers, &n_peers);
	free(targets);
	if (!r && !n_peers) {
		error_set(err, "c%u has nobody to send to in '%s': a peer must be another client in VNI %u", o->spec.client,
			  to ? to : "all", run->plan->vnis[run->plan->clients[o->spec.client].vni].scn->vni);
		r = -ENOENT;
	}
	o->spec.peers = o->peers;
	o->spec.n_peers = (uint32_t)n_peers;
	return r;
}

static int order_values(struct run *run, const cJSON *request, struct order *o, struct error *err)
{
	const char *proto = request_text(request, "proto"), *rate = request_text(request, "rate");
	const char *duration = request_text(request, "duration");
	const char *why = "want udp or ping";
	uint64_t size = 64;

	o->spec.proto = proto && strcmp(proto, "ping") == 0 ? SCN_PING : SCN_UDP;
	o->spec.pattern = request_flag(request, "poisson") ? SCN_POISSON : SCN_CONSTANT;
	o->spec.seed = run->scn->seed + run->n_infos;
	if (proto && strcmp(proto, "ping") != 0 && strcmp(proto, "udp") != 0)
		error_set(err, "cannot use proto %s: %s", proto, why);
	else if (parse_rate(rate ? rate : "100pps", &o->spec.rate, &why))
		error_set(err, "cannot use rate %s: %s", rate, why);
	else if (duration && parse_time(duration, &o->spec.stop_ns, &why))
		error_set(err, "cannot use duration %s: %s", duration, why);
	else if (duration && !o->spec.stop_ns)
		error_set(err, "cannot use duration %s: want some time", duration);
	else if (order_number(request, "size", TRAFFIC_SIZE_MIN, plan_size_max(run->plan, o->spec.client), &size, err) ||
		 order_number(request, "count", 1, UINT32_MAX, &o->spec.count, err))
		return -EINVAL;
	else {
		o->spec.size = (uint32_t)size;
		return 0;
	}
	return -EINVAL;
}

static void note_start(struct run *run, uint32_t id)
{
	const struct generator_info *info = &run->infos[id];
	char rate[32];

	events_note(run->events, "traffic %s start (c%u, %s, %s)", info->name, info->client, scn_proto_names[info->proto],
		    rate_format(&info->rate, rate, sizeof(rate)));
}

/* What became of the order: the caller may have named it in many ways, or left it out. */
static char *describe_order(const struct run *run, uint32_t id, const struct order *o)
{
	const struct plan_client *client = &run->plan->clients[o->spec.client];
	char text[ADDR_STRLEN];
	struct emit e = { 0 };

	emit_object(&e, NULL);
	emit_u64(&e, "id", id);
	(void)snprintf(text, sizeof(text), "c%u", o->spec.client);
	emit_string(&e, "client", text);
	emit_string(&e, "address", addr_format(&client->addr, text));
	emit_string(&e, "host", run->plan->hosts[client->host].name);
	emit_u64(&e, "vni", run->plan->vnis[client->vni].scn->vni);
	emit_array(&e, "to");
	for (uint32_t i = 0; i < o->spec.n_peers; i++) {
		(void)snprintf(text, sizeof(text), "c%u", o->spec.peers[i]);
		emit_string(&e, NULL, text);
	}
	emit_array_end(&e);
	emit_string(&e, "proto", scn_proto_names[o->spec.proto]);
	emit_string(&e, "rate", rate_format(&o->spec.rate, text, sizeof(text)));
	emit_u64(&e, "size", o->spec.size);
	emit_u64(&e, "packet_bytes", o->spec.size + (addr_is_v4(&client->addr) ? 20 : 40));
	emit_object_end(&e);
	return emit_take(&e);
}

void request_traffic_start(struct connection *c, const cJSON *request)
{
	struct run *run = request_run(c);
	struct order o = { 0 };
	struct error err = { "" };
	uint32_t id = 0;
	char *answer;
	int r = order_who(run, request, &o, &err);

	if (!r && run->state >= RUN_DRAINING) {
		error_set(&err, "the lab is about to end");
		r = -EBUSY;
	}
	if (!r && request_flag(request, "watch") && request_watches(c)) {
		error_set(&err, "this connection watches traffic already: it can watch the next once that has ended");
		r = -EINVAL;
	}
	if (!r)
		r = order_values(run, request, &o, &err);
	o.spec.known = !r && !plan_asks(run->plan, run->plan->clients[o.spec.client].vni, o.spec.n_peers);
	if (!r)
		r = lab_introduce(run->lab, o.spec.client, o.spec.peers, o.spec.n_peers, o.spec.known, &err);
	if (!r)
		r = run_add_generator(run, &o.spec, -1, &id, &err);
	answer = r ? NULL : describe_order(run, id, &o);
	free(o.peers);
	if (r) {
		(void)request_refuse(c, status_of(r), *err.text ? err.text : strerror(-r));
		return;
	}
	note_start(run, id);
	if (request_flag(request, "watch"))
		request_watch(c, id);
	(void)request_answer(c, answer);
}

int request_end_traffic(struct run *run, uint32_t generator)
{
	bool sends = engine_generator(run->engine, generator)->state < GEN_DRAINING;
	int r = engine_stop(run->engine, generator, 0);

	if (!r && sends)
		events_note(run->events, "traffic %s stop (c%u)", run->infos[generator].name, run->infos[generator].client);
	return r;
}

void request_traffic_stop(struct connection *c, const cJSON *request)
{
	struct run *run = request_run(c);
	uint64_t id = UINT64_MAX;
	struct error err;
	int r = order_number(request, "id", 0, UINT32_MAX, &id, &err);

	if (!r && (id >= run->n_infos || run->infos[id].secret)) {
		error_set(&err, "no traffic has that id: `tunlab status` lists them");
		r = -ENOENT;
	}
	if (!r) {
		r = request_end_traffic(run, (uint32_t)id);
		error_set(&err, "cannot stop traffic %llu: %s", (unsigned long long)id, strerror(-r));
	}
	if (r)
		(void)request_refuse(c, status_of(r), err.text);
	else
		(void)request_answer_text(c, "{\"stopped\":true}");
}
