/* SPDX-License-Identifier: Apache-2.0 */
/* Between the traffic child's own files: child.c (process, event loop), generator.c (the lives of generators) and orders.c
 * (what the lab asks for). Nobody else includes this. */
#ifndef TUNLAB_TRAFFIC_CHILD_INTERNAL_H
#define TUNLAB_TRAFFIC_CHILD_INTERNAL_H

#include <time.h>

#include "lab/traffic/child.h"
#include "lab/traffic/outbox.h"
#include "lab/traffic/process.h"
#include "lab/traffic/schedule.h"
#include "lab/traffic/transfer.h"
#include "lab/traffic/warm.h"

enum {
	WARM_MAX = 256,          /* neighbour resolutions at once: each holds two descriptors */
	WARM_COPIES = 512,       /* of one's questions on their way to all clients of a VNI: half of what a queue of the kernel holds */
	KNOWN_MAX = 8192,        /* neighbours entered at once that need no resolution: some milliseconds */
};
#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

/* What is behind an epoll entry, beside the sockets of enum endpoint_role. */
enum { KIND_ORDERS = ENDPOINT_ROLE_MAX, KIND_TIMER, KIND_WARM };

struct generator {
	struct transfer_source source;
	struct schedule schedule;
	struct generator_spec spec;
	struct warm *warm;       /* while neighbours are being resolved */
	uint64_t asked_ns;       /* when that began */
	uint64_t warm_limit_ns;  /* when to give up the neighbours that have not answered, unless some did since ... */
	uint32_t warm_unresolved; /* ... the last retry */
	uint64_t missed, late;   /* by earlier runs of it */
	uint64_t idle_ns;        /* between them, not told yet: no packet has left since */
	uint64_t sent, received; /* over all streams: the difference is on its way, or lost */
	uint64_t activity_ns;    /* last packet out or in, while draining */
	uint64_t drain_end_ns;
	uint64_t end_ns;         /* when it was to stop: its schedule stops later where that was ordered late */
	bool before_clock;       /* ordered before ORDER_GO: its times count from the clock's zero */
	bool ready_late;         /* its neighbours took longer than the lab waited */
	bool failed;             /* it could not start: it has no sockets */
	bool busy;               /* in the queue of those */
	uint32_t next_busy;
};

struct child {
	const struct plan *plan;
	const int *client_ns;
	struct table *table;
	int orders, epoll, timer;
	struct endpoints endpoints;
	struct transfer *transfer;
	struct timeline time;
	struct heap heap;        /* who waits for which time; served in rounds, each once */
	/* Who has more to send than one batch (rate "max", or late), first come first served, beside those: */
	uint32_t busy_first, busy_last, n_busy;
	struct generator *generators;
	uint32_t n_generators, room;
	uint32_t n_active;       /* not done yet */
	uint32_t n_warming;      /* state GEN_WARMING */
	uint32_t n_warm_open;    /* those whose resolution has begun */
	uint32_t warm_next;      /* first generator whose resolution has not begun */
	bool warm_unsaid;        /* ordered since the lab was last told that all are warm */
	uint64_t patience_ns;    /* longer that packets may take */
	bool draining, running;
	uint64_t zero_ns;
	struct order *later;     /* whose time is still to come, the earliest first */
	uint32_t n_later, later_room;
	uint64_t timer_ns;       /* what the timer is set to; 0: nothing */
	uint64_t health_ns;      /* when to look for overruns next, */
	uint32_t health_client;  /* and from which client on */
	struct urgency urgency;
	struct outbox out;
};

static inline uint64_t child_now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* a clock every kernel has */
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static inline struct generator_count *generator_count_of(const struct child *c, uint32_t number)
{
	return &c->table->generators[number];
}

static inline void generator_set_state(const struct child *c, uint32_t number, enum generator_state state)
{
	__atomic_store_n(&generator_count_of(c, number)->state, state, __ATOMIC_RELEASE);
}

static inline enum generator_state generator_state_of(const struct child *c, uint32_t number)
{
	return generator_count_of(c, number)->state;
}

/* generator.c. When its deadline has come, by state: */
void generator_warm_again(struct child *c, uint32_t number, uint64_t now);
/* Sends what may go now, at most one batch; returns the number of packets. */
uint32_t generator_send(struct child *c, uint32_t number);
void generator_check_drained(struct child *c, uint32_t number, uint64_t now);
/* The one of those that have more to send whose turn it is; there must be one. */
uint32_t child_take_busy(struct child *c);
/* An answer about a neighbour may have come. */
void generator_check_warm(struct child *c, uint32_t number);
/* Makes its timetable: it is ready and the clock runs. */
void generator_start(struct child *c, uint32_t number);
/* Has it served when its next departure is due. */
void generator_wake(struct child *c, uint32_t number);
void generator_end_warming(struct child *c, uint32_t number);
void generator_finish(struct child *c, uint32_t number);
void generator_fail(struct child *c, uint32_t number, const char *what, uint32_t client, int error);
/* What follows from the generators' states, whatever changed them: done before every wait, so that nothing that can
 * begin or be said waits for an event that may never come. */
void child_settle_warm(struct child *c);
/* Whether it stopped half way, for the sake of what else there is to do. */
bool child_warms_more(const struct child *c);
/* Tells the lab that all have ended, if it waits for that and they have. */
void child_say_drained(struct child *c);

/* orders.c */
void child_take_orders(struct child *c);
/* Those whose time has come, before anything of that time is sent. */
void child_take_later(struct child *c, uint64_t now);
/* When the next of them has; UINT64_MAX: never. */
uint64_t child_next_later(const struct child *c);

#endif
