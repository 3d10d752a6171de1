/* SPDX-License-Identifier: Apache-2.0 */
/* The lab's orders to the traffic child: generators come, stop, start again, change their rate; the clock starts; the end. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/traffic/child_internal.h"

enum { ORDERS_MAX = 64 /* taken at once: traffic goes on meanwhile */ };

static void set_clock(struct child *c, uint64_t zero_ns)
{
	if (c->running)
		return;
	c->zero_ns = zero_ns;
	c->running = true;
	for (uint32_t i = 0; i < c->n_generators; i++) {
		c->generators[i].before_clock = true;
		if (generator_state_of(c, i) == GEN_READY)
			generator_start(c, i);
	}
}

/* Room for one more than n. */
static void *grow(void *v, uint32_t n, uint32_t *room, size_t size)
{
	if (n < *room)
		return v;
	*room = *room ? 2 * *room : 64;
	v = reallocarray(v, *room, size);
	if (!v)
		_exit(ENOMEM); /* as in outbox_tell */
	return v;
}

static struct generator *new_generator(struct child *c, const struct order *o)
{
	struct generator *g;

	c->generators = grow(c->generators, c->n_generators, &c->room, sizeof(*c->generators));
	g = &c->generators[c->n_generators++];
	*g = (struct generator){
		.spec = o->spec,
		.source = {
			.client = o->spec.client,
			.stream0 = o->stream0,
			.n_streams = o->n_streams,
			.size = o->spec.size,
			.proto = o->spec.proto,
		},
	};
	c->n_active++;
	return g;
}

static int open_sockets(struct child *c, const struct generator *g, const char **ret_what, uint32_t *ret_client)
{
	const struct stream_count *streams = &c->table->streams[g->source.stream0];
	uint32_t from = g->spec.client;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < g->source.n_streams; i++) {
		*ret_client = streams[i].to;
		if (!g->spec.known || g->spec.proto == SCN_PING) /* UDP is not answered */
			r = endpoint_make_room(&c->endpoints, streams[i].to, from, g->spec.known, ret_what);
		if (r == 0 && g->spec.proto == SCN_UDP)
			r = endpoint_open(&c->endpoints, streams[i].to, ENDPOINT_SINK, ret_what);
	}
	if (r < 0)
		return r;
	*ret_client = from;
	return endpoint_open(&c->endpoints, from, g->spec.proto == SCN_PING ? ENDPOINT_ECHO : ENDPOINT_UDP, ret_what);
}

static void add_generator(struct child *c, const struct order *o)
{
	uint32_t number = c->n_generators, client;
	const char *what;
	struct generator *g = new_generator(c, o);
	int r;

	c->warm_unsaid = true;
	if (c->draining) { /* the end would never come */
		generator_fail(c, number, "start while the lab is ending", o->spec.client, -ECANCELED);
		return;
	}
	r = open_sockets(c, g, &what, &client);
	if (r < 0) {
		generator_fail(c, number, what, client, r);
		return;
	}
	c->n_warming++;
}

/* From when on an order holds: its time, unless packets of a later one are gone already. */
static uint64_t holds_from(const struct child *c, const struct order *o, uint32_t number)
{
	uint64_t at_ns = c->zero_ns + o->at_ns;

	return !o->at_once && c->generators[number].schedule.last_ns < at_ns ? at_ns : child_now_ns();
}

/* ordered_ns: for when, 0: whatever comes after this is later; at_ns: from when on it holds. */
static void stop_generator(struct child *c, uint32_t number, uint64_t ordered_ns, uint64_t at_ns)
{
	struct generator *g = &c->generators[number];

	if (ordered_ns < g->end_ns) /* also of one that has no more to send until its end */
		g->end_ns = ordered_ns;
	switch (generator_state_of(c, number)) {
	case GEN_WARMING:
		generator_end_warming(c, number);
		generator_finish(c, number);
		break;
	case GEN_READY:
	case GEN_RUNNING:
		if (!c->running) {
			generator_finish(c, number);
			break;
		}
		/* What was due before this moment still goes out, as soon as it may. */
		if (at_ns < g->schedule.stop_ns)
			g->schedule.stop_ns = at_ns;
		if (g->schedule.next_ns < at_ns)
			generator_wake(c, number);
		else
			heap_set(&c->heap, number, at_ns);
		break;
	default:
		break;
	}
}

/* Forgets the timetable that has ended, but not what it gave up; from its end to the new start nothing is to be sent. */
static void end_timetable(struct child *c, uint32_t number, uint64_t start_ns)
{
	const struct generator_count *count = generator_count_of(c, number);
	struct generator *g = &c->generators[number];
	uint64_t end_ns = g->schedule.stop_ns != UINT64_MAX ? g->schedule.stop_ns : count->last_ns;

	g->missed += g->schedule.missed;
	g->late += g->schedule.late;
	if (count->first_ns && end_ns < start_ns)
		g->idle_ns += start_ns - end_ns;
}

/* Whether its timetable says that it is sending at that time, which may have passed when the order is taken. */
static bool sends_at(const struct child *c, uint32_t number, uint64_t at_ns)
{
	const struct generator *g = &c->generators[number];
	bool begun = generator_state_of(c, number) != GEN_READY || g->schedule.next_ns < at_ns;

	return begun && g->schedule.left > 0 && at_ns < g->end_ns; /* without a timetable nothing is left */
}

static void start_again(struct child *c, const struct order *o, uint32_t number)
{
	struct generator *g = &c->generators[number];
	enum generator_state state = generator_state_of(c, number);

	if (c->draining || g->failed || sends_at(c, number, c->zero_ns + o->at_ns))
		return;
	g->spec.start_ns = o->spec.start_ns;
	g->spec.stop_ns = o->spec.stop_ns;
	if (state == GEN_WARMING)
		return; /* it starts when it is ready */
	if (state == GEN_DONE)
		c->n_active++;
	end_timetable(c, number, c->zero_ns + o->spec.start_ns);
	g->spec.seed++; /* other gaps than the last time */
	g->ready_late = false;
	generator_set_state(c, number, GEN_READY);
	generator_start(c, number);
}

static void drain_all(struct child *c, uint64_t now)
{
	c->draining = true;
	c->n_later = 0;
	for (uint32_t i = 0; i < c->n_generators; i++)
		stop_generator(c, i, now, now);
	child_say_drained(c);
}

static void set_rate(struct child *c, const struct order *o, uint32_t number)
{
	struct generator *g = &c->generators[number];
	bool ipv6 = !addr_is_v4(&c->plan->clients[g->spec.client].addr);
	enum generator_state state = generator_state_of(c, number);

	g->spec.rate = o->spec.rate;
	if (!c->running || (state != GEN_READY && state != GEN_RUNNING))
		return; /* it counts when the schedule is made */
	schedule_set_interval(&g->schedule, schedule_interval(&g->spec.rate, g->spec.size, ipv6), holds_from(c, o, number));
	generator_wake(c, number);
}

static void change_generators(struct child *c, const struct order *o)
{
	for (uint32_t i = o->generator; i < o->generator + o->n; i++) {
		if (o->type == ORDER_STOP)
			stop_generator(c, i, o->at_once ? 0 : c->zero_ns + o->at_ns, holds_from(c, o, i));
		else if (o->type == ORDER_START)
			start_again(c, o, i);
		else
			set_rate(c, o, i);
	}
}

/* They come in the order of time, or nearly. */
static void put_off(struct child *c, const struct order *o)
{
	uint32_t i;

	c->later = grow(c->later, c->n_later, &c->later_room, sizeof(*c->later));
	for (i = c->n_later++; i > 0 && c->later[i - 1].at_ns > o->at_ns; i--)
		c->later[i] = c->later[i - 1];
	c->later[i] = *o;
}

/* What has a time waits for it, and for the clock: so those of one time keep their order. */
static void take_change(struct child *c, const struct order *o)
{
	if (o->generator >= c->n_generators || o->n > c->n_generators - o->generator)
		return;
	if (!o->at_once) {
		put_off(c, o);
		return;
	}
	child_take_later(c, child_now_ns()); /* what was to be done by now */
	change_generators(c, o);
}

static void take_order(struct child *c, const struct order *o)
{
	switch (o->type) {
	case ORDER_ADD:
		add_generator(c, o);
		break;
	case ORDER_GO:
		set_clock(c, o->zero_ns);
		break;
	case ORDER_STOP:
	case ORDER_START:
	case ORDER_RATE:
		take_change(c, o);
		break;
	case ORDER_PATIENCE:
		c->patience_ns = o->patience_ns;
		break;
	case ORDER_DRAIN:
		drain_all(c, child_now_ns());
		break;
	}
}

/* It was to stop before that, and what it was to send by then is still going out after a stall. */
static bool waits_for_backlog(const struct child *c, const struct order *o, uint32_t number)
{
	const struct generator *g = &c->generators[number];

	return generator_state_of(c, number) == GEN_RUNNING && c->zero_ns + o->at_ns >= g->end_ns &&
	       !schedule_finished(&g->schedule, child_now_ns());
}

/* How many of an order's generators, from one on, are all in the same case. */
static uint32_t alike(const struct child *c, const struct order *o, uint32_t from, bool *ret_wait)
{
	uint32_t n = 1;

	*ret_wait = waits_for_backlog(c, o, o->generator + from);
	while (from + n < o->n && waits_for_backlog(c, o, o->generator + from + n) == *ret_wait)
		n++;
	return n;
}

/* For those that wait it is put off once more. */
static void take_when_due(struct child *c, const struct order *o)
{
	struct order part = *o;
	bool wait;

	for (uint32_t from = 0; from < o->n; from += part.n) {
		part.generator = o->generator + from;
		part.n = alike(c, o, from, &wait);
		if (wait)
			put_off(c, &part);
		else
			change_generators(c, &part);
	}
}

uint64_t child_next_later(const struct child *c)
{
	for (uint32_t i = 0; c->running && i < c->n_later; i++) {
		const struct order *o = &c->later[i];
		bool wait;

		if (alike(c, o, 0, &wait) < o->n || !wait) /* else their end wakes us */
			return c->zero_ns + o->at_ns;
	}
	return UINT64_MAX;
}

void child_take_later(struct child *c, uint64_t now)
{
	struct order *then = c->later;
	uint32_t n = c->n_later, i;

	if (child_next_later(c) > now)
		return;
	c->later = NULL;
	c->n_later = c->later_room = 0;
	for (i = 0; i < n && c->zero_ns + then[i].at_ns <= now; i++)
		take_when_due(c, &then[i]);
	for (; i < n; i++)
		put_off(c, &then[i]);
	free(then);
}

void child_take_orders(struct child *c)
{
	for (int i = 0; i < ORDERS_MAX; i++) {
		struct order order;
		ssize_t n = recv(c->orders, &order, sizeof(order), MSG_DONTWAIT);

		if (n == sizeof(order))
			take_order(c, &order);
		else if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		else
			_exit(0); /* the lab has closed its end: it is over */
	}
}
