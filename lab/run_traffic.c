/* SPDX-License-Identifier: Apache-2.0 */
/* A running lab's generators: those the scenario plans and those started live, with the descriptions that samples show. */
#include "lab/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void keep_info(struct run *run, uint32_t id, const struct generator_spec *spec, int32_t section)
{
	struct generator_info *info = &run->infos[id];

	run->n_infos = id + 1;
	*info = (struct generator_info) {
		.section = section, .secret = section >= 0 && run->scn->traffic[section].secret, .client = spec->client,
		.proto = spec->proto, .rate = spec->rate, .size = spec->size,
	};
	if (section >= 0)
		memcpy(info->name, run->scn->traffic[section].name, sizeof(info->name));
	else
		(void)snprintf(info->name, sizeof(info->name), "live-%u", ++run->n_live);
}

int run_add_generator(struct run *run, const struct generator_spec *spec, int32_t section, uint32_t *ret_id, struct error *err)
{
	/* Room first: a generator that runs must have its description. */
	struct generator_info *infos = realloc(run->infos, (engine_generators(run->engine) + 1) * sizeof(*infos));
	int r = infos ? 0 : -ENOMEM;

	if (infos) {
		run->infos = infos;
		r = engine_add(run->engine, spec, ret_id);
	}
	if (!r)
		keep_info(run, *ret_id, spec, section);
	else if (r == -ENOSPC)
		error_set(err, "no more traffic can be added to this lab: its table of %u generators and %u pairs is full",
			  ENGINE_GENERATORS_MAX, RUN_LIVE_STREAMS_MAX);
	else
		error_set(err, "cannot start traffic from c%u: %s", spec->client, strerror(-r));
	return r;
}

struct sample *run_sample_generator(const struct run *run, uint32_t id, const struct sample *then)
{
	struct sample_source source = { .plan = run->plan, .engine = run->engine, .infos = run->infos };
	struct sample *s;

	return sample_take_generator(&source, id, now_ns(), then, &s) ? NULL : s;
}

/* A generator without a stop time ends with the run, where that has an end, so that its count is exact. */
static uint64_t stop_time(const struct run *run, const struct scn_traffic *t)
{
	if (!t->stop_ns)
		return run->duration_ns;
	return run->duration_ns && t->stop_ns > run->duration_ns ? run->duration_ns : t->stop_ns;
}

int run_add_planned(struct run *run, struct error *err)
{
	int r = 0;

	for (uint32_t i = 0; i < run->plan->n_generators && !r; i++) {
		const struct plan_generator *g = &run->plan->generators[i];
		const struct scn_traffic *t = &run->scn->traffic[g->section];
		struct generator_spec spec = {
			.client = g->client, .peers = g->peers, .n_peers = g->n_peers, .proto = t->proto, .rate = t->rate,
			.size = t->size, .pattern = t->pattern, .start_ns = t->start_ns, .stop_ns = stop_time(run, t),
			.phase_ns = g->phase_ns, .seed = g->seed,
			.known = run->plan->vnis[run->plan->clients[g->client].vni].known,
		};
		uint32_t id;

		if (!spec.stop_ns || spec.start_ns < spec.stop_ns)
			r = run_add_generator(run, &spec, (int32_t)g->section, &id, err);
	}
	return r;
}
