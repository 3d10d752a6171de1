/* SPDX-License-Identifier: Apache-2.0 */
/* The request that guesses who is secret. A wrong guess learns nothing but that it is wrong. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>

#include "base/emit.h"
#include "lab/request_internal.h"
#include "lab/run.h"

static int guessed_client(struct run *run, const cJSON *request, uint32_t *ret, struct error *err)
{
	const char *text = request_text(request, "who"), *why;
	struct who who;

	if (text && !parse_who(text, &who, &why) && who.kind != WHO_RANDOM)
		return plan_resolve_one(run->plan, &who, ret, err->text, sizeof(err->text));
	error_set(err, "cannot guess '%s': want a client: c3, 3, host0:10002, or an inner address", text ? text : "");
	return -EINVAL;
}

static void emit_client(struct emit *e, const char *key, uint32_t client)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "c%u", client);
	emit_string(e, key, name);
}

/* What the guess was about: all of it may be known now. */
static void emit_solution(struct emit *e, const struct plan *p, const struct plan_generator *g)
{
	const struct plan_client *c = &p->clients[g->client];
	const struct scn_traffic *t = &p->scn->traffic[g->section];
	char text[64];

	emit_string(e, "host", p->hosts[c->host].name);
	emit_u64(e, "vni", p->vnis[c->vni].scn->vni);
	emit_string(e, "address", addr_format(&c->addr, text));
	emit_object(e, "traffic");
	emit_string(e, "name", t->name);
	emit_string(e, "proto", scn_proto_names[t->proto]);
	emit_string(e, "rate", rate_format(&t->rate, text, sizeof(text)));
	emit_u64(e, "size", t->size);
	emit_array(e, "to");
	for (uint32_t i = 0; i < g->n_peers; i++)
		emit_client(e, NULL, g->peers[i]);
	emit_array_end(e);
	emit_object_end(e);
	emit_u64(e, "seed", p->scn->seed);
}

void request_guess(struct connection *c, const cJSON *request)
{
	struct run *run = request_run(c);
	const struct plan_generator *secret = plan_secret(run->plan);
	struct emit e = { 0 };
	struct error err;
	uint32_t client;
	int r;

	if (!secret) {
		(void)request_refuse(c, EXIT_USAGE, "there is no riddle in this lab: `tunlab run mystery` starts one that has");
		return;
	}
	r = guessed_client(run, request, &client, &err);
	if (r) {
		(void)request_refuse(c, status_of(r), err.text);
		return;
	}
	emit_object(&e, NULL);
	emit_string(&e, "schema", "tunlab.guess/1");
	emit_bool(&e, "right", client == secret->client);
	emit_client(&e, "client", client);
	emit_u64(&e, "guesses", ++run->n_guesses);
	if (client == secret->client)
		emit_solution(&e, run->plan, secret);
	emit_object_end(&e);
	(void)request_answer(c, emit_take(&e));
}
