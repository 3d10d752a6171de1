/* SPDX-License-Identifier: Apache-2.0 */
/* The traffic child's process and event loop. One thread. Time is one heap of deadlines behind one timer, beside which those are
 * served who have something to send all the time; what is done is generator.c's, packets, sockets and neighbours are the other
 * files' business. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lab/traffic/child_internal.h"

enum {
	ROUND_MAX = 256,         /* generators served in one round */
	EVENTS_MAX = 64,
	HEALTH_CLIENTS = 256,    /* whose sockets are looked at in one go, once in HEALTH_NS: no departure has to wait for all of them */
	SOCKETS_PER_CLIENT = 4,
	SPARE_DESCRIPTORS = 2 * WARM_MAX + 64,
};
#define HEALTH_NS (NS_PER_S / 16)
#define BUSY_NS NS_PER_MS         /* for those who have always something to send, before the others' deadlines are looked at */

static void receive(struct child *c, uint32_t client, enum endpoint_role role)
{
	const struct transfer_arrival *arrivals;
	uint32_t n = transfer_receive(c->transfer, client, role, &arrivals);

	for (uint32_t i = 0; i < n; i++) {
		struct generator *g = &c->generators[arrivals[i].generator];

		g->received += arrivals[i].packets;
		if (generator_state_of(c, arrivals[i].generator) != GEN_DRAINING)
			continue;
		g->activity_ns = child_now_ns();
		if (g->sent == g->received)
			generator_finish(c, arrivals[i].generator);
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
			child_take_orders(c);
		break;
	case KIND_WARM:
		generator_check_warm(c, number);
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
	switch (generator_state_of(c, number)) {
	case GEN_WARMING:
		generator_warm_again(c, number, child_now_ns());
		return 0;
	case GEN_READY:
	case GEN_RUNNING:
		return generator_send(c, number);
	case GEN_DRAINING:
		generator_check_drained(c, number, child_now_ns());
		return 0;
	default:
		return 0;
	}
}

/* Serves one; what arrives meanwhile is taken from the sockets before it can fill them. */
static void serve_in_turn(struct child *c, uint32_t number, uint32_t *packets)
{
	*packets += serve(c, number);
	if (*packets < TRANSFER_BATCH)
		return;
	*packets = 0;
	wait_for_events(c, 0);
}

static void look_for_overruns(struct child *c, uint64_t now)
{
	c->table->health.overruns += endpoints_drops(&c->endpoints, c->health_client, HEALTH_CLIENTS);
	c->health_client += HEALTH_CLIENTS;
	if (c->health_client >= c->plan->n_clients)
		c->health_client = 0;
	c->health_ns = now + HEALTH_NS;
}

/* Serves everybody who is due, each once, so that none starves the others; then for a while those who always are. */
static void run_round(struct child *c)
{
	const struct heap_item *top;
	uint32_t due[ROUND_MAX], n = 0, packets = 0, n_busy;
	uint64_t now = child_now_ns();

	child_take_later(c, now);
	top = heap_top(&c->heap);
	timeline_advance(&c->time, now, top ? top->at_ns : UINT64_MAX);
	for (; n < ROUND_MAX && (top = heap_top(&c->heap)) && top->at_ns <= c->time.due_ns; n++) {
		due[n] = top->number;
		heap_remove(&c->heap, due[n]);
	}
	for (uint32_t i = 0; i < n; i++)
		serve_in_turn(c, due[i], &packets);
	n_busy = c->n_busy;
	for (uint64_t end_ns = child_now_ns() + BUSY_NS; n_busy > 0 && c->n_busy > 0 && child_now_ns() < end_ns; n_busy--)
		serve_in_turn(c, child_take_busy(c), &packets);
	if (now >= c->health_ns)
		look_for_overruns(c, now);
	urgency_note(&c->urgency, now, c->n_busy > 0 || c->n_warming > 0);
}

/* 0: somebody is due already; -1: the timer is set, or there is nothing to wait for but events. */
static int set_timer(struct child *c)
{
	const struct heap_item *top = heap_top(&c->heap);
	uint64_t at_ns = top ? timeline_when(&c->time, top->at_ns) : UINT64_MAX, later_ns = child_next_later(c);
	struct itimerspec spec;

	if (later_ns < at_ns)
		at_ns = later_ns;
	spec = (struct itimerspec){.it_value = {.tv_sec = (time_t)(at_ns / NS_PER_S), .tv_nsec = (long)(at_ns % NS_PER_S)}};
	if (c->n_busy > 0 || child_warms_more(c) || at_ns <= child_now_ns())
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
		child_settle_warm(&c);
		wait_for_events(&c, set_timer(&c));
	}
}
