/* SPDX-License-Identifier: Apache-2.0 */
/* Events by one timer, armed for the next of them; see events.h. What a link's state means to the kernel is lab/net/link.h's,
 * how a generator stops and starts the engine's. */
#include "lab/events.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lab/net/link.h"
#include "lab/run.h"

/* So long before its time the engine is told what happens to traffic, so that it holds from then on however late this process is. */
#define AHEAD_NS 500000000ull

struct events {
	struct run *run;
	struct links *links;
	int timer;
	size_t told, next; /* indices into plan.events: first one the engine is still to be told of, first one to happen */
	struct mark_log log;
};

/* ---- the log ---- */

static struct mark mark_now(const struct run *run)
{
	uint64_t now = now_ns();
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (struct mark) {
		.at_s = run->zero_ns && now > run->zero_ns ? (double)(now - run->zero_ns) / 1e9 : 0,
		.unix_s = (double)t.tv_sec + (double)t.tv_nsec / 1e9,
	};
}

void events_note(struct events *e, const char *format, ...)
{
	struct mark m = mark_now(e->run);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(m.text, sizeof(m.text), format, args);
	va_end(args);
	mark_log_add(&e->log, &m);
}

const struct mark_log *events_log(const struct events *e)
{
	return &e->log;
}

/* ---- links ---- */

const struct links *events_links_of(const struct events *e)
{
	return e->links;
}

const struct link_state *events_links(const struct events *e)
{
	return links_get(e->links, 0);
}

/* Generators that end wait for what such links hold up; an engine that is gone tells by event. */
static int set_link(struct events *e, uint32_t host, const struct link_state *state, struct error *err)
{
	int r = links_set(e->links, host, state, err);

	if (!r)
		(void)engine_set_patience(e->run->engine, links_wait_ns(e->links));
	return r;
}

static int change_link(struct events *e, uint32_t host, const struct link_change *change, struct error *err)
{
	struct link_state state = *links_get(e->links, host);

	link_state_change(&state, change);
	return set_link(e, host, &state, err);
}

int events_change_link(struct events *e, uint32_t host, const struct link_change *change, struct error *err)
{
	struct mark m = mark_now(e->run);
	char text[128];
	int r = change_link(e, host, change, err);

	(void)snprintf(m.text, sizeof(m.text), "link host%u %s", host, link_change_format(change, text, sizeof(text)));
	if (r)
		(void)snprintf(m.error, sizeof(m.error), "%.*s", (int)sizeof(m.error) - 1, err->text);
	mark_log_add(&e->log, &m);
	return r;
}

/* The sentence as `check` would write it, with file and line. */
static void put_place(const struct scenario *scn, struct scn_place place, struct error *err)
{
	struct scn_errors list = { 0 };

	scn_error_at(&list, scn, place, "%s", err->text);
	if (list.n)
		error_set(err, "%s", list.text[0]);
	scn_errors_free(&list);
}

static int impair(struct events *e, const struct scn_link *l, struct error *err)
{
	char title[32];
	int where = l->line, r = set_link(e, l->host, &l->state, err);

	for (int k = 0; where == 0 && k < UPLINK_KEY_MAX; k++) /* made by --set */
		where = l->key_line[k];
	(void)snprintf(title, sizeof(title), "link host%u", l->host);
	if (r)
		put_place(e->run->scn, (struct scn_place) { where, title, NULL, NULL }, err);
	return r;
}

/* ---- traffic ---- */

/* A section's stop where that is still to come, else the end of the run. */
static uint64_t stop_after(const struct run *run, const struct scn_traffic *t, uint64_t at_ns)
{
	return t->stop_ns > at_ns && (!run->duration_ns || t->stop_ns < run->duration_ns) ? t->stop_ns : run->duration_ns;
}

/* A section's generators follow on each other: run_add_planned() takes them from the plan in its order. */
static uint32_t find_section(const struct run *run, int64_t section, uint32_t *ret_first)
{
	uint32_t first = 0, n = 0;

	while (first < run->n_infos && run->infos[first].section != section)
		first++;
	while (first + n < run->n_infos && run->infos[first + n].section == section)
		n++;
	*ret_first = first;
	return n;
}

static int order_change(struct run *run, uint32_t first, uint32_t n, const struct plan_event *pe)
{
	const struct scn_event *ev = pe->scn;

	switch (ev->action.kind) {
	case ACTION_STOP:
		return engine_stop_all(run->engine, first, n, ev->at_ns);
	case ACTION_START:
		return engine_start_all(run->engine, first, n, ev->at_ns,
					stop_after(run, &run->scn->traffic[pe->section], ev->at_ns));
	case ACTION_RATE:
		return engine_set_rate_all(run->engine, first, n, &ev->action.rate, ev->at_ns);
	case ACTION_LINK:
		break;
	}
	return -EINVAL;
}

static int order_section(struct run *run, const struct plan_event *pe, struct error *err)
{
	uint32_t first, n = find_section(run, pe->section, &first);
	int r = n ? order_change(run, first, n, pe) : 0; /* none: it was to start after the end of the run */

	if (r)
		error_set(err, "the traffic engine does not take the order: %s", strerror(-r));
	return r;
}

static void note_rate(struct run *run, const struct plan_event *pe)
{
	uint32_t first, n = pe->scn->action.kind == ACTION_RATE ? find_section(run, pe->section, &first) : 0;

	for (uint32_t i = 0; i < n; i++)
		run->infos[first + i].rate = pe->scn->action.rate;
}

/* ---- events ---- */

static uint64_t time_of(const struct events *e, size_t i)
{
	return e->run->zero_ns + e->run->plan->events[i].scn->at_ns;
}

static void record(struct events *e, const struct scn_event *ev, struct mark m, const struct error *failure)
{
	char title[SCN_NAME_LEN + 16];
	struct error err;

	m.late_s = m.at_s - (double)ev->at_ns / 1e9;
	memcpy(m.name, ev->name, sizeof(m.name));
	memcpy(m.text, ev->text, sizeof(m.text));
	if (failure)
		(void)snprintf(m.error, sizeof(m.error), "%.*s", (int)sizeof(m.error) - 1, failure->text);
	mark_log_add(&e->log, &m);
	if (!failure)
		return;
	err = *failure;
	(void)snprintf(title, sizeof(title), "event %s", ev->name);
	put_place(e->run->scn, (struct scn_place) { ev->key_line[EVENT_DO], title, "do", ev->text }, &err);
	say("%s", err.text);
	run_end(e->run, EXIT_MACHINE);
}

/* What happens to traffic, some time ahead. */
static void tell(struct events *e, const struct plan_event *pe)
{
	struct error err;

	if (pe->section >= 0 && order_section(e->run, pe, &err))
		record(e, pe->scn, mark_now(e->run), &err);
}

/* on_time: the engine was told before. The kernel may keep one waiting for a link's change: it is recorded when it is done. */
static void happen(struct events *e, const struct plan_event *pe, bool on_time)
{
	struct error err;
	int r = pe->section < 0 ? change_link(e, pe->scn->action.host, &pe->scn->action.link, &err) : 0;
	struct mark m = mark_now(e->run);

	if (pe->section >= 0 && on_time) {
		m.unix_s -= m.at_s - (double)pe->scn->at_ns / 1e9;
		m.at_s = (double)pe->scn->at_ns / 1e9;
	}
	note_rate(e->run, pe);
	record(e, pe->scn, m, r ? &err : NULL);
}

static void tell_ahead(struct events *e)
{
	while (e->run->state == RUN_RUNNING && e->told < e->run->scn->n_events && time_of(e, e->told) <= now_ns() + AHEAD_NS)
		tell(e, &e->run->plan->events[e->told++]);
}

/* All that is due; then the timer waits for the next to tell or to do. A run that ends has no more of them. */
static void proceed(struct events *e)
{
	const struct run *run = e->run;
	size_t before = e->told;

	tell_ahead(e);
	while (run->state == RUN_RUNNING && e->next < e->told && time_of(e, e->next) <= now_ns()) {
		happen(e, &run->plan->events[e->next], e->next < before);
		e->next++;
	}
	if (run->state == RUN_RUNNING && e->next < run->scn->n_events) {
		uint64_t at_ns = e->next < e->told ? time_of(e, e->next) : UINT64_MAX;
		uint64_t tell_ns = e->told < run->scn->n_events ? time_of(e, e->told) - AHEAD_NS : UINT64_MAX;

		(void)timer_arm(e->timer, at_ns < tell_ns ? at_ns : tell_ns, 0);
	}
}

static void on_timer(void *arg, uint32_t events)
{
	struct events *e = arg;

	(void)events;
	timer_clear(e->timer);
	proceed(e);
}

void events_prepare(struct events *e)
{
	const struct run *run = e->run;

	while (run->state < RUN_DRAINING && e->told < run->scn->n_events && run->plan->events[e->told].scn->at_ns <= AHEAD_NS)
		tell(e, &run->plan->events[e->told++]);
}

void events_begin(struct events *e)
{
	(void)timer_arm(e->timer, e->run->zero_ns, 0);
}

static int prepare(struct events *e, struct error *err)
{
	const struct scenario *scn = e->run->scn;
	int r = loop_add_timer(e->run->loop, on_timer, e, &e->timer);

	if (r) {
		error_set(err, "cannot set up the timer of events: %s", strerror(-r));
		return r;
	}
	r = links_open(e->run->lab, scn->seed, &e->links, err);
	for (size_t i = 0; i < scn->n_links && !r; i++)
		r = impair(e, &scn->links[i], err);
	return r;
}

int events_open(struct run *run, struct events **ret, struct error *err)
{
	struct events *e = calloc(1, sizeof(*e));
	int r;

	if (!e) {
		error_set(err, "out of memory");
		return -ENOMEM;
	}
	e->run = run;
	e->timer = -1;
	r = prepare(e, err);
	if (r)
		events_close(e);
	else
		*ret = e;
	return r;
}

void events_close(struct events *e)
{
	if (!e)
		return;
	links_free(e->links);
	loop_close(e->run->loop, &e->timer);
	free(e);
}
