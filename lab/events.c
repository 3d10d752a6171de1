/* SPDX-License-Identifier: Apache-2.0 */
/* Events by one timer, armed for the next of them; see events.h. What a link's state means to the kernel is lab/net/link.h's,
 * how a generator stops and starts the engine's. */
#include "lab/events.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "lab/net/link.h"
#include "lab/run.h"

struct events {
	struct run *run;
	struct links *links;
	int timer;
	size_t next; /* index into plan.events */
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

static int change_generator(struct run *run, uint32_t number, const struct scn_event *ev)
{
	const struct scn_traffic *t = &run->scn->traffic[run->infos[number].section];

	switch (ev->action.kind) {
	case ACTION_STOP:
		return engine_stop(run->engine, number);
	case ACTION_START:
		return engine_start_again(run->engine, number, ev->at_ns, stop_after(run, t, ev->at_ns));
	case ACTION_RATE:
		run->infos[number].rate = ev->action.rate;
		return engine_set_rate(run->engine, number, &ev->action.rate);
	case ACTION_LINK:
		break;
	}
	return -EINVAL;
}

static int change_section(struct run *run, const struct plan_event *pe, struct error *err)
{
	int r = 0;

	for (uint32_t i = 0; i < run->n_infos && !r; i++)
		if (run->infos[i].section == pe->section)
			r = change_generator(run, i, pe->scn);
	if (r)
		error_set(err, "the traffic engine does not take the order: %s", strerror(-r));
	return r;
}

/* ---- events ---- */

static void happen(struct events *e, const struct plan_event *pe)
{
	const struct scn_event *ev = pe->scn;
	struct mark m = mark_now(e->run);
	struct error err;
	char title[SCN_NAME_LEN + 16];
	int r = pe->section < 0 ? change_link(e, ev->action.host, &ev->action.link, &err) : change_section(e->run, pe, &err);

	memcpy(m.name, ev->name, sizeof(m.name));
	memcpy(m.text, ev->text, sizeof(m.text));
	if (r)
		(void)snprintf(m.error, sizeof(m.error), "%.*s", (int)sizeof(m.error) - 1, err.text);
	mark_log_add(&e->log, &m);
	if (!r)
		return;
	(void)snprintf(title, sizeof(title), "event %s", ev->name);
	put_place(e->run->scn, (struct scn_place) { ev->key_line[EVENT_DO], title, "do", ev->text }, &err);
	say("%s", err.text);
	run_end(e->run, EXIT_MACHINE);
}

/* All that is due; then the timer waits for the next. A run that ends has no more of them. */
static void proceed(struct events *e)
{
	const struct run *run = e->run;
	uint64_t at_ns = 0;

	while (run->state == RUN_RUNNING && e->next < run->scn->n_events) {
		at_ns = run->zero_ns + run->plan->events[e->next].scn->at_ns;
		if (at_ns > now_ns()) {
			(void)timer_arm(e->timer, at_ns, 0);
			return;
		}
		happen(e, &run->plan->events[e->next++]);
	}
}

static void on_timer(void *arg, uint32_t events)
{
	struct events *e = arg;

	(void)events;
	timer_clear(e->timer);
	proceed(e);
}

void events_begin(struct events *e)
{
	proceed(e);
}

static int prepare(struct events *e, struct error *err)
{
	const struct scenario *scn = e->run->scn;
	int r = e->timer < 0 ? -EMFILE : loop_add(e->run->loop, e->timer, EPOLLIN, on_timer, e);

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
	e->timer = timer_open();
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
	if (e->timer >= 0) {
		loop_remove(e->run->loop, e->timer);
		(void)close(e->timer);
	}
	free(e);
}
