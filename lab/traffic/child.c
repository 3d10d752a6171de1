/* SPDX-License-Identifier: Apache-2.0 */
/* The traffic child's event loop and the lives of its generators: warming, ready, running, draining, done. One thread.
 * Time is one heap of deadlines behind one timer; packets, sockets and neighbours are the other files' business. */
#include "lab/traffic/child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lab/traffic/outbox.h"
#include "lab/traffic/process.h"
#include "lab/traffic/schedule.h"
#include "lab/traffic/transfer.h"
#include "lab/traffic/warm.h"

enum {
	ROUND_MAX = 256,         /* generators served in one round */
	ORDERS_MAX = 64,         /* orders taken at once: traffic goes on meanwhile */
	WARM_MAX = 256,          /* neighbour resolutions at once: each holds two descriptors */
	EVENTS_MAX = 64,
	SOCKETS_PER_CLIENT = 4,
	SPARE_DESCRIPTORS = 2 * WARM_MAX + 64,
};
#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL
#define QUIET_NS NS_PER_S         /* drained when nothing has come for so long */
#define DRAIN_MAX_NS (5 * NS_PER_S)
#define HEALTH_NS NS_PER_S

/* What is behind an epoll entry, beside the sockets of enum endpoint_role. */
enum { KIND_ORDERS = ENDPOINT_ROLE_MAX, KIND_TIMER, KIND_WARM };

struct generator {
	struct transfer_source source;
	struct schedule schedule;
	struct generator_spec spec;
	struct warm *warm;       /* while neighbours are being resolved */
	uint64_t ordered_ns;
	uint64_t warm_limit_ns;  /* when to give up the neighbours that have not answered */
	uint64_t missed;         /* by earlier runs of it */
	uint64_t idle_ns;        /* between them, not told yet: no packet has left since */
	uint64_t sent, received; /* over all streams: the difference is on its way, or lost */
	uint64_t activity_ns;    /* last packet out or in, while draining */
	uint64_t drain_end_ns;
	bool before_clock;       /* ordered before ORDER_GO: its times count from the clock's zero */
	bool ready_late;         /* its neighbours took longer than the lab waited */
	bool failed;             /* it could not start: it has no sockets */
};

struct child {
	const struct plan *plan;
	const int *client_ns;
	struct table *table;
	int orders, epoll, timer;
	struct endpoints endpoints;
	struct transfer *transfer;
	struct heap heap;
	struct generator *generators;
	uint32_t n_generators, room;
	uint32_t n_active;       /* not done yet */
	uint32_t n_warming;      /* state GEN_WARMING */
	uint32_t n_warm_open;    /* those whose resolution has begun */
	uint32_t warm_next;      /* first generator whose resolution has not begun */
	bool warm_unsaid;        /* ordered since the lab was last told that all are warm */
	bool draining, running;
	uint64_t zero_ns;
	uint64_t timer_ns;       /* what the timer is set to; 0: nothing */
	uint64_t health_ns;      /* when to look for overruns next */
	struct outbox out;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* a clock every kernel has */
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static struct generator_count *count_of(const struct child *c, uint32_t number)
{
	return &c->table->generators[number];
}

static void set_state(const struct child *c, uint32_t number, enum generator_state state)
{
	__atomic_store_n(&count_of(c, number)->state, state, __ATOMIC_RELEASE);
}

static enum generator_state state_of(const struct child *c, uint32_t number)
{
	return count_of(c, number)->state;
}

/* ---- the end of a generator's life ---- */

static void say_drained(struct child *c)
{
	if (!c->draining || c->n_active > 0)
		return;
	c->draining = false;
	c->table->health.overruns += endpoints_drops(&c->endpoints);
	outbox_tell(&c->out, ENGINE_DRAINED, 0, "%s", "");
}

static void finish(struct child *c, uint32_t number)
{
	heap_remove(&c->heap, number);
	set_state(c, number, GEN_DONE);
	c->n_active--;
	outbox_tell(&c->out, ENGINE_DONE, number, "%s", "");
	say_drained(c);
}

static void drain_begin(struct child *c, uint32_t number, uint64_t now)
{
	struct generator *g = &c->generators[number];

	if (g->sent == g->received) {
		finish(c, number);
		return;
	}
	set_state(c, number, GEN_DRAINING);
	g->activity_ns = now;
	g->drain_end_ns = now + DRAIN_MAX_NS;
	heap_set(&c->heap, number, now + QUIET_NS);
}

/* Its deadline has come: really quiet, or was there an arrival since it was set? */
static void drain_check(struct child *c, uint32_t number, uint64_t now)
{
	const struct generator *g = &c->generators[number];
	uint64_t quiet_ns = g->activity_ns + QUIET_NS;

	if (now >= quiet_ns || now >= g->drain_end_ns)
		finish(c, number);
	else
		heap_set(&c->heap, number, quiet_ns < g->drain_end_ns ? quiet_ns : g->drain_end_ns);
}

/* ---- sending ---- */

static void wake_for_departure(struct child *c, uint32_t number, uint64_t now)
{
	/* "max" is due always, but after all who are due now: each gets one batch a round. */
	heap_set(&c->heap, number, schedule_wake(&c->generators[number].schedule, now));
}

static void note_departure(struct child *c, uint32_t number, uint64_t now)
{
	struct generator_count *count = count_of(c, number);
	struct generator *g = &c->generators[number];

	if (count->first_ns == 0)
		count->first_ns = now;
	count->last_ns = now;
	count->idle_ns += g->idle_ns;
	g->idle_ns = 0;
	if (count->state == GEN_READY)
		set_state(c, number, GEN_RUNNING);
}

static void note_lateness(struct child *c, uint32_t number, uint64_t late_ns)
{
	struct generator_count *count = count_of(c, number);

	if (late_ns > count->slip_max_ns)
		count->slip_max_ns = late_ns;
	count->missed = c->generators[number].missed + c->generators[number].schedule.missed;
}

/* Sends what may go now, at most one batch; returns the number of packets. */
static uint32_t send_due(struct child *c, uint32_t number)
{
	struct generator *g = &c->generators[number];
	uint64_t now = now_ns(), oldest_ns = now;
	uint32_t n = schedule_take(&g->schedule, now, TRANSFER_BATCH, &oldest_ns);

	note_lateness(c, number, now - oldest_ns);
	if (n > 0) {
		note_departure(c, number, now);
		g->sent += transfer_send(c->transfer, &g->source, n);
	}
	if (schedule_finished(&g->schedule, now))
		drain_begin(c, number, now);
	else
		wake_for_departure(c, number, now);
	return n;
}

/* ---- starting ---- */

static void start_schedule(struct child *c, uint32_t number)
{
	struct generator *g = &c->generators[number];
	const struct generator_spec *spec = &g->spec;
	bool ipv6 = !addr_is_v4(&c->plan->clients[spec->client].addr);
	uint64_t now = now_ns(), origin = g->before_clock ? c->zero_ns : now;
	uint64_t base = origin + spec->start_ns + spec->phase_ns;
	uint64_t stop = spec->stop_ns ? origin + spec->stop_ns : UINT64_MAX;

	if (g->ready_late && base < now)
		base = now; /* a late start, not a stall */
	schedule_init(&g->schedule, spec->pattern, schedule_interval(&spec->rate, spec->size, ipv6), spec->seed, base,
		      stop, spec->count);
	wake_for_departure(c, number, now);
}

static void warm_end(struct child *c, uint32_t number)
{
	struct generator *g = &c->generators[number];

	if (g->warm)
		c->n_warm_open--;
	warm_close(g->warm);
	g->warm = NULL;
	c->n_warming--;
	heap_remove(&c->heap, number);
}

static void become_ready(struct child *c, uint32_t number)
{
	struct generator_count *count = count_of(c, number);

	count->cold_ns = now_ns() - c->generators[number].ordered_ns;
	count->unresolved = warm_unresolved(c->generators[number].warm);
	warm_end(c, number);
	set_state(c, number, GEN_READY);
	c->generators[number].ready_late = c->running;
	if (c->running)
		start_schedule(c, number);
}

static void fail_generator(struct child *c, uint32_t number, const char *what, uint32_t client, int error)
{
	c->n_active--;
	c->generators[number].failed = true;
	set_state(c, number, GEN_DONE);
	outbox_tell(&c->out, ENGINE_FAILED, number, "traffic from c%u: cannot %s on c%u: %s",
		    c->generators[number].spec.client, what, client, strerror(-error));
	say_drained(c);
}

static int open_warm(struct child *c, uint32_t number, const char **ret_what)
{
	struct generator *g = &c->generators[number];
	struct ip_addr *peers = calloc(g->source.n_streams, sizeof(*peers));
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = endpoint_token(KIND_WARM, number)};
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
			      &g->warm, ret_what);
		visit_leave(&visit);
	}
	free(peers);
	if (r < 0)
		return r;
	c->n_warm_open++;
	return epoll_ctl(c->epoll, EPOLL_CTL_ADD, warm_fd(g->warm), &event) < 0 ? -errno : 0;
}

/* Trouble with the netlink socket itself is no reason not to send: what could not be resolved is reported. */
static void warm_check(struct child *c, uint32_t number)
{
	if (!c->generators[number].warm)
		return; /* an event of the same round, overtaken by its end */
	if (warm_read(c->generators[number].warm) != 0)
		become_ready(c, number);
}

static void warm_again(struct child *c, uint32_t number, uint64_t now)
{
	struct generator *g = &c->generators[number];

	if (now >= g->warm_limit_ns || warm_retry(g->warm) != 0)
		become_ready(c, number);
	else
		heap_set(&c->heap, number, now + WARM_RETRY_MS * NS_PER_MS);
}

/* Begins resolutions up to the bound, in the order of the generators' numbers. */
static void warm_more(struct child *c)
{
	while (c->n_warm_open < WARM_MAX && c->warm_next < c->n_generators) {
		uint32_t number = c->warm_next++;
		const char *what;
		int r;

		if (state_of(c, number) != GEN_WARMING)
			continue;
		r = open_warm(c, number, &what);
		if (r < 0) {
			warm_end(c, number);
			fail_generator(c, number, what, c->generators[number].spec.client, r);
			continue;
		}
		c->generators[number].warm_limit_ns = now_ns() + WARM_LIMIT_MS * NS_PER_MS;
		heap_set(&c->heap, number, now_ns() + WARM_RETRY_MS * NS_PER_MS);
		warm_check(c, number);
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

/* What follows from the generators' states, whatever changed them: done before every wait, so that nothing that can
 * begin or be said waits for an event that may never come. */
static void warm_settle(struct child *c)
{
	warm_more(c);
	say_warm(c);
}

/* ---- orders ---- */

static void set_clock(struct child *c, uint64_t zero_ns)
{
	if (c->running)
		return;
	c->zero_ns = zero_ns;
	c->running = true;
	for (uint32_t i = 0; i < c->n_generators; i++) {
		c->generators[i].before_clock = true;
		if (state_of(c, i) == GEN_READY)
			start_schedule(c, i);
	}
}

static struct generator *new_generator(struct child *c, const struct order *o)
{
	struct generator *g;

	if (c->n_generators == c->room) {
		uint32_t room = c->room ? 2 * c->room : 64;
		struct generator *v = realloc(c->generators, room * sizeof(*v));

		if (!v)
			_exit(ENOMEM); /* as in outbox_tell */
		c->generators = v;
		c->room = room;
	}
	g = &c->generators[c->n_generators++];
	*g = (struct generator){
		.spec = o->spec,
		.ordered_ns = now_ns(),
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
		r = endpoint_make_room(&c->endpoints, streams[i].to, &c->plan->clients[from].addr, ret_what);
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
		fail_generator(c, number, "start while the lab is ending", o->spec.client, -ECANCELED);
		return;
	}
	r = open_sockets(c, g, &what, &client);
	if (r < 0) {
		fail_generator(c, number, what, client, r);
		return;
	}
	c->n_warming++;
}

static void stop_generator(struct child *c, uint32_t number, uint64_t now)
{
	struct generator *g = &c->generators[number];

	switch (state_of(c, number)) {
	case GEN_WARMING:
		warm_end(c, number);
		finish(c, number);
		break;
	case GEN_READY:
	case GEN_RUNNING:
		if (!c->running) {
			finish(c, number);
			break;
		}
		/* What was due before this moment still goes out. */
		if (now < g->schedule.stop_ns)
			g->schedule.stop_ns = now;
		heap_set(&c->heap, number, now);
		break;
	default:
		break;
	}
}

/* Forgets the timetable that has ended, but not what it gave up; from its end to the new start nothing is to be sent. */
static void end_timetable(struct child *c, uint32_t number, uint64_t start_ns)
{
	const struct generator_count *count = count_of(c, number);
	struct generator *g = &c->generators[number];
	uint64_t end_ns = g->schedule.stop_ns != UINT64_MAX ? g->schedule.stop_ns : count->last_ns;

	g->missed += g->schedule.missed;
	if (count->first_ns && end_ns < start_ns)
		g->idle_ns += start_ns - end_ns;
}

static void start_again(struct child *c, const struct order *o)
{
	struct generator *g = &c->generators[o->generator];
	enum generator_state state = state_of(c, o->generator);
	uint64_t now = now_ns();

	if (!c->running || c->draining || g->failed || (state == GEN_RUNNING && now < g->schedule.stop_ns))
		return;
	g->spec.start_ns = o->spec.start_ns;
	g->spec.stop_ns = o->spec.stop_ns;
	if (state == GEN_WARMING)
		return; /* it starts when it is ready */
	if (state == GEN_DONE)
		c->n_active++;
	end_timetable(c, o->generator, c->zero_ns + o->spec.start_ns);
	g->spec.seed++; /* other gaps than the last time */
	g->ready_late = false;
	set_state(c, o->generator, GEN_READY);
	start_schedule(c, o->generator);
}

static void drain_all(struct child *c, uint64_t now)
{
	c->draining = true;
	for (uint32_t i = 0; i < c->n_generators; i++)
		stop_generator(c, i, now);
	say_drained(c);
}

static void set_rate(struct child *c, const struct order *o)
{
	struct generator *g = &c->generators[o->generator];
	bool ipv6 = !addr_is_v4(&c->plan->clients[g->spec.client].addr);
	enum generator_state state = state_of(c, o->generator);
	uint64_t now = now_ns();

	g->spec.rate = o->spec.rate;
	if (!c->running || (state != GEN_READY && state != GEN_RUNNING))
		return; /* it counts when the schedule is made */
	schedule_set_interval(&g->schedule, schedule_interval(&g->spec.rate, g->spec.size, ipv6), now);
	wake_for_departure(c, o->generator, now);
}

static void take_order(struct child *c, const struct order *o)
{
	if ((o->type == ORDER_STOP || o->type == ORDER_START || o->type == ORDER_RATE) && o->generator >= c->n_generators)
		return;
	switch (o->type) {
	case ORDER_ADD:
		add_generator(c, o);
		break;
	case ORDER_GO:
		set_clock(c, o->zero_ns);
		break;
	case ORDER_STOP:
		stop_generator(c, o->generator, now_ns());
		break;
	case ORDER_START:
		start_again(c, o);
		break;
	case ORDER_RATE:
		set_rate(c, o);
		break;
	case ORDER_DRAIN:
		drain_all(c, now_ns());
		break;
	}
}

static void take_orders(struct child *c)
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

/* ---- the loop ---- */

static void receive(struct child *c, uint32_t client, enum endpoint_role role)
{
	const struct transfer_arrival *arrivals;
	uint32_t n = transfer_receive(c->transfer, client, role, &arrivals);

	for (uint32_t i = 0; i < n; i++) {
		struct generator *g = &c->generators[arrivals[i].generator];

		g->received += arrivals[i].packets;
		if (state_of(c, arrivals[i].generator) != GEN_DRAINING)
			continue;
		g->activity_ns = now_ns();
		if (g->sent == g->received)
			finish(c, arrivals[i].generator);
	}
}

static void handle(struct child *c, uint64_t token, uint32_t events)
{
	unsigned kind = (unsigned)(token >> 32);
	uint32_t number = (uint32_t)token;

	switch (kind) {
	case ENDPOINT_ECHO:
	case ENDPOINT_SINK:
		receive(c, number, (enum endpoint_role)kind);
		break;
	case KIND_ORDERS:
		if (events & EPOLLOUT)
			outbox_flush(&c->out);
		if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			take_orders(c);
		break;
	case KIND_WARM:
		warm_check(c, number);
		break;
	default:
		break; /* the timer: only a reason to wake up */
	}
}

static void wait_for_events(struct child *c, int timeout_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(c->epoll, events, EVENTS_MAX, timeout_ms);

	for (int i = 0; i < n; i++)
		handle(c, events[i].data.u64, events[i].events);
}

static uint32_t serve(struct child *c, uint32_t number)
{
	switch (state_of(c, number)) {
	case GEN_WARMING:
		warm_again(c, number, now_ns());
		return 0;
	case GEN_READY:
	case GEN_RUNNING:
		return send_due(c, number);
	case GEN_DRAINING:
		drain_check(c, number, now_ns());
		return 0;
	default:
		return 0;
	}
}

/* Serves every generator that is due, each once, so that none starves the others; what arrives meanwhile is taken from
 * the sockets before it can fill them. */
static void run_round(struct child *c)
{
	uint32_t due[ROUND_MAX], n = 0, packets = 0;
	uint64_t now = now_ns();

	for (const struct heap_item *top; n < ROUND_MAX && (top = heap_top(&c->heap)) && top->at_ns <= now; n++) {
		due[n] = top->number;
		heap_remove(&c->heap, due[n]);
	}
	for (uint32_t i = 0; i < n; i++) {
		packets += serve(c, due[i]);
		if (packets >= TRANSFER_BATCH) {
			packets = 0;
			wait_for_events(c, 0);
		}
	}
	if (now >= c->health_ns) {
		c->table->health.overruns += endpoints_drops(&c->endpoints);
		c->health_ns = now + HEALTH_NS;
	}
}

/* 0: somebody is due already; -1: the timer is set, or there is nothing to wait for but events. */
static int set_timer(struct child *c)
{
	const struct heap_item *top = heap_top(&c->heap);
	uint64_t at_ns = top ? top->at_ns : UINT64_MAX;
	struct itimerspec spec = {
		.it_value = {.tv_sec = (time_t)(at_ns / NS_PER_S), .tv_nsec = (long)(at_ns % NS_PER_S)},
	};

	if (at_ns <= now_ns())
		return 0;
	if (at_ns > INT64_MAX)
		spec = (struct itimerspec){0}; /* never: switched off */
	if (c->timer_ns != at_ns)
		(void)timerfd_settime(c->timer, TFD_TIMER_ABSTIME, &spec, NULL); /* valid arguments: cannot fail */
	c->timer_ns = at_ns;
	return -1;
}

static int watch(const struct child *c, int fd, unsigned kind)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = endpoint_token(kind, 0)};

	return epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static int confine(const struct child_setup *setup)
{
	uint32_t n = setup->plan->n_clients;
	int *keep = malloc((n + 1) * sizeof(*keep));
	int r;

	if (!keep)
		return -ENOMEM;
	memcpy(keep, setup->client_ns, n * sizeof(*keep));
	keep[n] = setup->orders;
	r = process_confine("tunlab-traffic", setup->lab, keep, n + 1,
			    (size_t)n * (SOCKETS_PER_CLIENT + 1) + SPARE_DESCRIPTORS);
	free(keep);
	return r;
}

static int prepare(struct child *c)
{
	int r;

	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (c->epoll < 0 || c->timer < 0)
		return -errno;
	c->out.epoll = c->epoll;
	r = endpoints_init(&c->endpoints, c->plan, c->client_ns, c->epoll, c->table->cookie);
	if (r == 0)
		r = transfer_open(&c->endpoints, c->table, &c->transfer);
	if (r == 0)
		r = heap_init(&c->heap, ENGINE_GENERATORS_MAX);
	if (r == 0)
		r = watch(c, c->orders, KIND_ORDERS);
	if (r == 0)
		r = watch(c, c->timer, KIND_TIMER);
	return r;
}

void child_run(const struct child_setup *setup)
{
	struct child c = {
		.plan = setup->plan,
		.client_ns = setup->client_ns,
		.table = setup->table,
		.orders = setup->orders,
		.out = {.fd = setup->orders, .epoll = -1, .token = endpoint_token(KIND_ORDERS, 0)},
	};
	int r = confine(setup);

	if (r == 0)
		r = prepare(&c);
	outbox_tell(&c.out, EVENT_HELLO, (uint32_t)r, "%s", "");
	if (r < 0)
		_exit(1);
	for (;;) {
		run_round(&c);
		warm_settle(&c);
		wait_for_events(&c, set_timer(&c));
	}
}
