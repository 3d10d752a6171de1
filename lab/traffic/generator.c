/* SPDX-License-Identifier: Apache-2.0 */
/* The lives of the traffic child's generators: warming, ready, running, draining, done. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lab/traffic/child_internal.h"

#define QUIET_NS NS_PER_S         /* drained when nothing has come for so long */
#define DRAIN_MAX_NS (5 * NS_PER_S)

/* ---- the end of a generator's life ---- */

void child_say_drained(struct child *c)
{
	if (!c->draining || c->n_active > 0)
		return;
	c->draining = false;
	c->table->health.overruns += endpoints_drops(&c->endpoints, 0, UINT32_MAX);
	outbox_tell(&c->out, ENGINE_DRAINED, 0, "%s", "");
}

void generator_finish(struct child *c, uint32_t number)
{
	heap_remove(&c->heap, number);
	generator_set_state(c, number, GEN_DONE);
	c->n_active--;
	outbox_tell(&c->out, ENGINE_DONE, number, "%s", "");
	child_say_drained(c);
}

static void drain(struct child *c, uint32_t number, uint64_t now)
{
	struct generator *g = &c->generators[number];

	if (g->sent == g->received) {
		generator_finish(c, number);
		return;
	}
	generator_set_state(c, number, GEN_DRAINING);
	g->activity_ns = now;
	g->drain_end_ns = now + DRAIN_MAX_NS + c->patience_ns;
	heap_set(&c->heap, number, now + QUIET_NS + c->patience_ns);
}

/* Its deadline has come: really quiet, or was there an arrival since it was set? */
void generator_check_drained(struct child *c, uint32_t number, uint64_t now)
{
	const struct generator *g = &c->generators[number];
	uint64_t quiet_ns = g->activity_ns + QUIET_NS + c->patience_ns;

	if (now >= quiet_ns || now >= g->drain_end_ns)
		generator_finish(c, number);
	else
		heap_set(&c->heap, number, quiet_ns < g->drain_end_ns ? quiet_ns : g->drain_end_ns);
}

/* ---- sending ---- */

static void queue_busy(struct child *c, uint32_t number)
{
	struct generator *g = &c->generators[number];

	heap_remove(&c->heap, number);
	if (g->busy)
		return;
	g->busy = true;
	if (c->n_busy++ == 0)
		c->busy_first = number;
	else
		c->generators[c->busy_last].next_busy = number;
	c->busy_last = number;
}

uint32_t child_take_busy(struct child *c)
{
	uint32_t number = c->busy_first;

	c->generators[number].busy = false;
	c->busy_first = c->generators[number].next_busy;
	c->n_busy--;
	return number;
}

void generator_wake(struct child *c, uint32_t number)
{
	uint64_t at_ns = schedule_wake(&c->generators[number].schedule, &c->time);

	if (at_ns <= c->time.due_ns)
		queue_busy(c, number);
	else
		heap_set(&c->heap, number, at_ns);
}

static void note_departure(struct child *c, uint32_t number, uint64_t now)
{
	struct generator_count *count = generator_count_of(c, number);
	struct generator *g = &c->generators[number];

	if (count->first_ns == 0)
		count->first_ns = now;
	count->last_ns = now;
	count->idle_ns += g->idle_ns;
	g->idle_ns = 0;
	if (count->state == GEN_READY)
		generator_set_state(c, number, GEN_RUNNING);
}

static void note_lateness(struct child *c, uint32_t number, uint64_t slip_ns)
{
	struct generator_count *count = generator_count_of(c, number);
	const struct generator *g = &c->generators[number];

	if (slip_ns > count->slip_max_ns)
		count->slip_max_ns = slip_ns;
	count->missed = g->missed + g->schedule.missed;
	count->late = g->late + g->schedule.late;
}

uint32_t generator_send(struct child *c, uint32_t number)
{
	struct generator *g = &c->generators[number];
	uint64_t now = child_now_ns(), oldest_ns = now;
	struct timeline t = {.now_ns = now, .due_ns = c->time.due_ns};
	uint32_t n = schedule_take(&g->schedule, &t, TRANSFER_BATCH, &oldest_ns);

	note_lateness(c, number, now - oldest_ns);
	if (n > 0) {
		note_departure(c, number, now);
		g->sent += transfer_send(c->transfer, &g->source, n);
	}
	if (schedule_finished(&g->schedule, now))
		drain(c, number, now);
	else
		generator_wake(c, number);
	return n;
}

/* ---- starting ---- */

void generator_start(struct child *c, uint32_t number)
{
	struct generator *g = &c->generators[number];
	const struct generator_spec *spec = &g->spec;
	bool ipv6 = !addr_is_v4(&c->plan->clients[spec->client].addr);
	uint64_t now = child_now_ns(), origin = g->before_clock ? c->zero_ns : now;
	uint64_t base = origin + spec->start_ns + spec->phase_ns;
	uint64_t stop = spec->stop_ns ? origin + spec->stop_ns : UINT64_MAX;

	if (g->ready_late && base < now)
		base = now; /* a late start, not a stall */
	g->end_ns = stop;
	schedule_init(&g->schedule, spec->pattern, schedule_interval(&spec->rate, spec->size, ipv6), spec->seed, base,
		      stop, spec->count);
	generator_wake(c, number);
}

void generator_end_warming(struct child *c, uint32_t number)
{
	struct generator *g = &c->generators[number];

	if (g->warm)
		c->n_warm_open--;
	warm_close(g->warm);
	g->warm = NULL;
	c->n_warming--;
	heap_remove(&c->heap, number);
}

static void become_ready(struct child *c, uint32_t number, uint32_t unresolved)
{
	struct generator_count *count = generator_count_of(c, number);

	count->cold_ns = child_now_ns() - c->generators[number].asked_ns;
	count->unresolved = unresolved;
	generator_end_warming(c, number);
	generator_set_state(c, number, GEN_READY);
	c->generators[number].ready_late = c->running;
	if (c->running)
		generator_start(c, number);
}

void generator_fail(struct child *c, uint32_t number, const char *what, uint32_t client, int error)
{
	c->n_active--;
	c->generators[number].failed = true;
	generator_set_state(c, number, GEN_DONE);
	outbox_tell(&c->out, ENGINE_FAILED, number, "traffic from c%u: cannot %s on c%u: %s",
		    c->generators[number].spec.client, what, client, strerror(-error));
	child_say_drained(c);
}

static int open_warm(struct child *c, uint32_t number, const char **ret_what)
{
	struct generator *g = &c->generators[number];
	struct ip_addr *peers = calloc(g->source.n_streams, sizeof(*peers));
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = endpoint_token(KIND_WARM, number)};
	uint32_t copies = c->plan->vnis[c->plan->clients[g->spec.client].vni].n_clients;
	struct visit visit;
	int r;

	*ret_what = "enter its namespace";
	if (!peers)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->source.n_streams; i++)
		peers[i] = c->plan->clients[c->table->streams[g->source.stream0 + i].to].addr;
	r = visit_enter(&visit, c->endpoints.home, c->client_ns[g->spec.client]);
	if (r == 0) {
		r = warm_open(ENDPOINT_DEVICE, &c->plan->clients[g->spec.client].addr, peers, g->source.n_streams,
			      copies < WARM_COPIES ? WARM_COPIES / copies : 1, &g->warm, ret_what);
		visit_leave(&visit);
	}
	free(peers);
	if (r < 0)
		return r;
	c->n_warm_open++;
	return epoll_ctl(c->epoll, EPOLL_CTL_ADD, warm_fd(g->warm), &event) < 0 ? -errno : 0;
}

/* Trouble with the netlink socket itself is no reason not to send: what could not be resolved is reported. */
void generator_check_warm(struct child *c, uint32_t number)
{
	if (!c->generators[number].warm)
		return; /* an event of the same round, overtaken by its end */
	if (warm_read(c->generators[number].warm) != 0)
		become_ready(c, number, warm_unresolved(c->generators[number].warm));
}

void generator_warm_again(struct child *c, uint32_t number, uint64_t now)
{
	struct generator *g = &c->generators[number];
	uint32_t unresolved = warm_unresolved(g->warm);

	if (unresolved < g->warm_unresolved) /* they do answer, there are only many of them */
		g->warm_limit_ns = now + WARM_LIMIT_MS * NS_PER_MS;
	g->warm_unresolved = unresolved;
	if (now >= g->warm_limit_ns || warm_retry(g->warm) != 0)
		become_ready(c, number, warm_unresolved(g->warm));
	else
		heap_set(&c->heap, number, now + WARM_RETRY_MS * NS_PER_MS);
}

/* Nobody is asked: its neighbours are those of the plan. */
static int enter_known(struct child *c, uint32_t number, uint32_t *ret_refused, const char **ret_what)
{
	const struct generator *g = &c->generators[number];
	struct warm_known *known = calloc(g->source.n_streams, sizeof(*known));
	struct visit visit;
	int r;

	*ret_what = "enter its namespace";
	if (!known)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->source.n_streams; i++)
		known[i] = endpoint_known(&c->endpoints, c->table->streams[g->source.stream0 + i].to);
	r = visit_enter(&visit, c->endpoints.home, c->client_ns[g->spec.client]);
	if (r == 0) {
		r = warm_enter(ENDPOINT_DEVICE, known, g->source.n_streams, ret_refused, ret_what);
		visit_leave(&visit);
	}
	free(known);
	return r;
}

/* Begins resolutions up to the bounds, in the order of the generators' numbers. */
static void warm_more(struct child *c)
{
	uint32_t entered = 0;

	while (child_warms_more(c) && entered < KNOWN_MAX) {
		uint32_t number = c->warm_next++, refused = 0;
		bool known = c->generators[number].spec.known;
		const char *what;
		int r;

		if (generator_state_of(c, number) != GEN_WARMING)
			continue;
		c->generators[number].asked_ns = child_now_ns();
		r = known ? enter_known(c, number, &refused, &what) : open_warm(c, number, &what);
		if (r < 0) {
			generator_end_warming(c, number);
			generator_fail(c, number, what, c->generators[number].spec.client, r);
			continue;
		}
		if (known) {
			entered += c->generators[number].source.n_streams;
			become_ready(c, number, refused);
			continue;
		}
		c->generators[number].warm_unresolved = warm_unresolved(c->generators[number].warm);
		c->generators[number].warm_limit_ns = child_now_ns() + WARM_LIMIT_MS * NS_PER_MS;
		heap_set(&c->heap, number, child_now_ns() + WARM_RETRY_MS * NS_PER_MS);
		generator_check_warm(c, number);
	}
}

/* The lab skips it when it has ordered more meanwhile. */
static void say_warm(struct child *c)
{
	if (!c->warm_unsaid || c->n_warming > 0)
		return;
	c->warm_unsaid = false;
	outbox_tell(&c->out, ENGINE_WARM, c->n_generators, "%s", "");
}

bool child_warms_more(const struct child *c)
{
	return c->n_warm_open < WARM_MAX && c->warm_next < c->n_generators;
}

void child_settle_warm(struct child *c)
{
	warm_more(c);
	say_warm(c);
}
