/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of validity.h and their bounds. */
#include "lab/verdict/validity.h"

#include <stdio.h>
#include <string.h>

enum { SLIP_LIMIT_MS = 500, EVENT_LIMIT_MS = 100 };

static const struct validity_figure figures[VALIDITY_MAX] = {
	[VALIDITY_LOST] = { .name = "monitor.lost", .unit = "packets", .meaning = "packets the monitor could not count" },
	[VALIDITY_MISSED] = { .name = "missed", .unit = "packets", .meaning = "departures given up, more than 1 s late" },
	[VALIDITY_SLIP] = { .name = "slip", .unit = "ms", .meaning = "how late a packet left at worst", .bound = SLIP_LIMIT_MS,
			    .if_failed = true },
	[VALIDITY_EVENTS] = { .name = "events", .unit = "ms", .meaning = "how late an event was done at worst", .bound = EVENT_LIMIT_MS,
			      .if_failed = true },
	[VALIDITY_OVERRUNS] = { .name = "overruns", .unit = "packets", .meaning = "packets dropped at full sockets of the traffic engine" },
	[VALIDITY_BACKLOG] = { .name = "backlog", .unit = "packets", .if_failed = true,
			       .meaning = "packets of the lab dropped because a receive queue of this machine was full" },
};

/* Looked at in the end; a check with `at` looks at an earlier time, and says nothing of what was lost after it. */
static bool asserts_lost(const struct scenario *s)
{
	for (size_t i = 0; i < s->n_checks; i++)
		if (s->checks[i].metric == METRIC_MONITOR_LOST && !s->checks[i].has_at)
			return true;
	return false;
}

static void judge_lost(const struct plan *plan, const struct sample *s, struct validity_figure *f)
{
	f->value = s->health.lost;
	f->broken = f->value > f->bound && !asserts_lost(plan->scn);
	(void)snprintf(f->text, sizeof(f->text), "the monitor lost %llu packets: %zu flows, and its table holds %u ([lab] flows makes it larger)",
		       (unsigned long long)f->value, s->n_flows, s->capacity);
}

/* No check counts on a generator that was started live. */
static const struct sample_generator *worst_missed(const struct sample *s)
{
	const struct sample_generator *worst = NULL;

	for (size_t i = 0; i < s->n_generators; i++)
		if (s->generators[i].section >= 0 && s->generators[i].missed > (worst ? worst->missed : 0))
			worst = &s->generators[i];
	return worst;
}

static const struct sample_generator *worst_slip(const struct sample *s)
{
	const struct sample_generator *worst = NULL;

	for (size_t i = 0; i < s->n_generators; i++)
		if (s->generators[i].section >= 0 && s->generators[i].slip_max_ns > (worst ? worst->slip_max_ns : 0))
			worst = &s->generators[i];
	return worst;
}

static void judge_missed(const struct plan *plan, const struct sample *s, struct validity_figure *f)
{
	const struct sample_generator *g = worst_missed(s);

	if (!g)
		return;
	for (size_t i = 0; i < s->n_generators; i++)
		f->value += s->generators[i].section >= 0 ? s->generators[i].missed : 0;
	f->broken = f->value > f->bound;
	(void)snprintf(f->text, sizeof(f->text),
		       "traffic %s of %s gave up %llu departure%s more than 1 s late: this machine could not keep up", g->name,
		       plan->clients[g->client].port, (unsigned long long)g->missed, g->missed == 1 ? " that was" : "s that were");
}

static void judge_slip(const struct plan *plan, const struct sample *s, bool all_hold, struct validity_figure *f)
{
	const struct sample_generator *g = worst_slip(s);

	if (!g)
		return;
	f->value = g->slip_max_ns / 1000000;
	f->broken = !all_hold && g->slip_max_ns > f->bound * 1000000;
	(void)snprintf(f->text, sizeof(f->text),
		       "%s was %llu ms behind its schedule at %s, and %llu ms is the limit: the machine is too slow", g->name,
		       (unsigned long long)f->value, plan->clients[g->client].port, (unsigned long long)f->bound);
}

static void judge_events(const struct sample *s, bool all_hold, struct validity_figure *f)
{
	f->value = s->marks ? (uint64_t)(s->marks->late_s * 1e3) : 0;
	f->broken = !all_hold && f->value > f->bound;
	(void)snprintf(f->text, sizeof(f->text), "event %s was done %llu ms late, and %llu ms is the limit: the machine is too busy",
		       s->marks ? s->marks->late_name : "", (unsigned long long)f->value, (unsigned long long)f->bound);
}

static void judge_overruns(const struct sample *s, struct validity_figure *f)
{
	f->value = s->overruns;
	f->broken = f->value > f->bound;
	(void)snprintf(f->text, sizeof(f->text),
		       "%llu packet%s dropped at a full socket of the traffic engine: this machine could not keep up",
		       (unsigned long long)f->value, f->value == 1 ? " was" : "s were");
}

/* The kernel counts full queues for the whole machine, and what its own devices lost each by itself: both must agree. */
static void judge_backlog(const struct machine_load *load, bool all_hold, struct validity_figure *f)
{
	f->value = load->dropped < load->lab_dropped ? load->dropped : load->lab_dropped;
	f->broken = !all_hold && f->value > f->bound;
	(void)snprintf(f->text, sizeof(f->text),
		       "%llu packet%s of the lab %s dropped at a full receive queue of this machine (net.core.netdev_max_backlog; none is allowed "
		       "where a check fails): it could not keep up",
		       (unsigned long long)f->value, f->value == 1 ? "" : "s", f->value == 1 ? "was" : "were");
}

static void collect(struct validity *v)
{
	size_t len = 0;

	v->valid = true;
	v->why[0] = '\0';
	for (int i = 0; i < VALIDITY_MAX; i++) {
		struct validity_figure *f = &v->figures[i];

		if (!f->broken) {
			f->text[0] = '\0';
			continue;
		}
		v->valid = false;
		if (len < sizeof(v->why))
			len += (size_t)snprintf(v->why + len, sizeof(v->why) - len, "%s%s", len ? "; " : "", f->text);
	}
}

void validity_judge(const struct plan *plan, const struct sample *s, const struct machine_load *load, bool all_hold,
		    struct validity *ret)
{
	memcpy(ret->figures, figures, sizeof(figures));
	ret->squeezed = load->squeezed;
	judge_lost(plan, s, &ret->figures[VALIDITY_LOST]);
	judge_missed(plan, s, &ret->figures[VALIDITY_MISSED]);
	judge_slip(plan, s, all_hold, &ret->figures[VALIDITY_SLIP]);
	judge_events(s, all_hold, &ret->figures[VALIDITY_EVENTS]);
	judge_overruns(s, &ret->figures[VALIDITY_OVERRUNS]);
	judge_backlog(load, all_hold, &ret->figures[VALIDITY_BACKLOG]);
	collect(ret);
}
