/* SPDX-License-Identifier: Apache-2.0 */
/* lab/traffic/orders.c without its process: changes of generators that hold for a time, and what they do to timetables. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/traffic/child_internal.h"
#include "tests/unit/t.h"

enum { GENERATORS = 6 };

struct world {
	struct child c;
	struct plan plan;
	struct plan_client client;
	int lab; /* the lab's end of the socket */
};

/* Generators that are ready, 1000 packets a second from 0 to 100 ms. */
static bool set_up(struct world *w)
{
	int pair[2];

	*w = (struct world){ .plan = { .clients = &w->client, .n_clients = 1 } };
	w->c = (struct child){ .plan = &w->plan, .n_generators = GENERATORS, .room = GENERATORS, .n_active = GENERATORS };
	w->c.table = calloc(1, sizeof(*w->c.table));
	w->c.generators = calloc(GENERATORS, sizeof(*w->c.generators));
	if (!ok(w->c.table && w->c.generators && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0 &&
		heap_init(&w->c.heap, GENERATORS) == 0))
		return false;
	w->lab = pair[0];
	w->c.orders = pair[1];
	w->c.out = (struct outbox){ .fd = pair[1], .epoll = -1 };
	for (uint32_t i = 0; i < GENERATORS; i++) {
		w->c.generators[i].spec = (struct generator_spec){
			.size = 64, .rate = { .unit = RATE_PPS, .value = 1000 }, .stop_ns = 100 * NS_PER_MS,
		};
		w->c.table->generators[i].state = GEN_READY;
	}
	return true;
}

static void tear_down(struct world *w)
{
	close(w->lab);
	close(w->c.orders);
	heap_free(&w->c.heap);
	free(w->c.out.v);
	free(w->c.later);
	free(w->c.generators);
	free(w->c.table);
}

static void order(struct world *w, struct order o)
{
	eq_i64(send(w->lab, &o, sizeof(o), 0), sizeof(o));
	child_take_orders(&w->c);
}

static struct order change(enum order_type type, uint32_t first, uint32_t n, uint64_t at_ms)
{
	return (struct order){
		.type = type, .generator = first, .n = n, .at_ns = at_ms * NS_PER_MS,
		.spec = { .start_ns = at_ms * NS_PER_MS, .stop_ns = 900 * NS_PER_MS, .rate = { .unit = RATE_PPS, .value = 10 } },
	};
}

static uint64_t at(const struct world *w, uint64_t ms)
{
	return w->c.zero_ns + ms * NS_PER_MS;
}

/* The clock began 200 ms ago, and the engine has stalled since 20 ms after that. */
static void stall(struct world *w)
{
	order(w, (struct order){ .type = ORDER_GO, .zero_ns = child_now_ns() - 200 * NS_PER_MS });
	w->c.time = (struct timeline){ .now_ns = at(w, 200), .due_ns = at(w, 10) };
	for (uint32_t i = 0; i < GENERATORS; i++) {
		struct schedule *s = &w->c.generators[i].schedule;

		s->k = 20;
		s->last_ns = at(w, 19);
		s->next_ns = at(w, 20);
		w->c.table->generators[i].state = GEN_RUNNING;
		heap_set(&w->c.heap, i, s->next_ns);
	}
}

/* All it was to send has gone out. */
static void end_backlog(struct world *w, uint32_t number)
{
	struct schedule *s = &w->c.generators[number].schedule;

	s->next_ns = s->stop_ns;
	w->c.table->generators[number].state = GEN_DONE;
	w->c.n_active--;
}

TEST(what_happens_at_the_clocks_zero_keeps_its_order)
{
	struct world w;

	if (!set_up(&w))
		return;
	order(&w, change(ORDER_STOP, 0, 1, 0));
	order(&w, change(ORDER_START, 0, 1, 0));
	order(&w, change(ORDER_START, 1, 1, 0));
	order(&w, change(ORDER_STOP, 1, 1, 0));
	order(&w, change(ORDER_RATE, 2, 1, 0));
	order(&w, (struct order){ .type = ORDER_STOP, .generator = 3, .n = 1, .at_once = true });
	eq_u64(w.c.table->generators[0].state, GEN_READY);
	eq_u64(w.c.table->generators[3].state, GEN_DONE); /* this one does not wait for the clock */
	eq_u64(child_next_later(&w.c), UINT64_MAX);
	order(&w, (struct order){ .type = ORDER_GO, .zero_ns = child_now_ns() });
	eq_u64(child_next_later(&w.c), w.c.zero_ns);
	child_take_later(&w.c, w.c.zero_ns);
	eq_u64(w.c.n_later, 0);
	eq_u64(w.c.generators[0].schedule.next_ns, w.c.zero_ns);
	eq_u64(w.c.generators[0].schedule.stop_ns, at(&w, 900));
	ok(schedule_finished(&w.c.generators[1].schedule, w.c.zero_ns));
	eq_u64((uint64_t)w.c.generators[2].schedule.interval_ns, 100 * NS_PER_MS);
	eq_u64(w.c.generators[2].schedule.next_ns, w.c.zero_ns);
	tear_down(&w);
}

TEST(a_late_start_leaves_alone_what_was_sending_then)
{
	struct world w;

	if (!set_up(&w))
		return;
	stall(&w);
	end_backlog(&w, 1);
	order(&w, change(ORDER_START, 0, 2, 50));
	child_take_later(&w.c, at(&w, 200));
	eq_u64(w.c.n_later, 0);
	eq_u64(w.c.generators[0].schedule.next_ns, at(&w, 20));
	eq_u64(w.c.generators[0].schedule.stop_ns, at(&w, 100));
	eq_u64(w.c.table->generators[1].state, GEN_DONE);
	tear_down(&w);
}

/* Packets of a later time were gone, so the stop holds from now on; the start belongs after it all the same. */
TEST(a_start_after_a_stop_starts_though_both_come_late)
{
	struct world w;

	if (!set_up(&w))
		return;
	stall(&w);
	w.c.generators[0].schedule.stop_ns = w.c.generators[0].end_ns = UINT64_MAX;
	w.c.generators[0].schedule.last_ns = at(&w, 199);
	w.c.generators[0].schedule.next_ns = at(&w, 3600000);
	order(&w, change(ORDER_STOP, 0, 1, 100));
	order(&w, change(ORDER_START, 0, 1, 150));
	child_take_later(&w.c, child_now_ns());
	eq_u64(w.c.n_later, 0);
	eq_u64(w.c.table->generators[0].state, GEN_READY);
	eq_u64(w.c.generators[0].schedule.base_ns, at(&w, 150));
	tear_down(&w);
}

/* The last departure before its end has gone, so it is done: there is nothing to stop, but a start after it is one. */
TEST(a_slow_generator_that_is_stopped_starts_again)
{
	struct world w;

	if (!set_up(&w))
		return;
	stall(&w);
	end_backlog(&w, 0);
	order(&w, change(ORDER_STOP, 0, 1, 50));
	order(&w, change(ORDER_START, 0, 1, 50));
	child_take_later(&w.c, at(&w, 200));
	eq_u64(w.c.table->generators[0].state, GEN_READY);
	eq_u64(w.c.generators[0].schedule.base_ns, at(&w, 50));
	tear_down(&w);
}

TEST(a_stop_does_not_hold_up_what_was_due_before_it)
{
	struct world w;

	if (!set_up(&w))
		return;
	stall(&w);
	order(&w, change(ORDER_STOP, 0, 1, 90));
	child_take_later(&w.c, at(&w, 200));
	eq_u64(w.c.generators[0].schedule.stop_ns, at(&w, 90));
	eq_u64(w.c.heap.items[w.c.heap.place[0] - 1].at_ns, at(&w, 20));
	tear_down(&w);
}

TEST(an_order_for_many_waits_only_for_those_that_are_behind)
{
	struct world w;

	if (!set_up(&w))
		return;
	stall(&w);
	for (uint32_t i = 0; i < GENERATORS; i++)
		if (i != 2 && i != 3)
			end_backlog(&w, i);
	order(&w, change(ORDER_START, 0, GENERATORS, 150));
	order(&w, change(ORDER_STOP, 3, 1, 180));
	order(&w, change(ORDER_STOP, 0, GENERATORS, 300)); /* still to come */
	eq_u64(w.c.n_later, 3);
	child_take_later(&w.c, at(&w, 200));
	eq_u64(w.c.n_later, 3);
	eq_u64(w.c.later[0].generator, 2);
	eq_u64(w.c.later[0].n, 2);
	eq_u64(w.c.later[1].type, ORDER_STOP); /* it does not overtake the start */
	eq_u64(child_next_later(&w.c), at(&w, 300));
	for (uint32_t i = 0; i < GENERATORS; i++)
		eq_u64(w.c.table->generators[i].state, i == 2 || i == 3 ? GEN_RUNNING : GEN_READY);
	end_backlog(&w, 2);
	end_backlog(&w, 3);
	eq_u64(child_next_later(&w.c), at(&w, 150));
	child_take_later(&w.c, at(&w, 200));
	eq_u64(w.c.n_later, 1);
	eq_u64(w.c.generators[2].schedule.base_ns, at(&w, 150));
	eq_u64(w.c.generators[2].schedule.stop_ns, at(&w, 900));
	eq_u64(w.c.generators[3].schedule.stop_ns, at(&w, 180));
	tear_down(&w);
}

TEST(orders_for_generators_that_are_not_there_do_no_harm)
{
	struct world w;

	if (!set_up(&w))
		return;
	order(&w, change(ORDER_STOP, GENERATORS, 1, 5));
	order(&w, change(ORDER_STOP, 1, GENERATORS, 5));
	order(&w, change(ORDER_STOP, 1, UINT32_MAX, 5));
	eq_u64(w.c.n_later, 0);
	tear_down(&w);
}
