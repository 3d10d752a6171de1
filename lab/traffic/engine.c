/* SPDX-License-Identifier: Apache-2.0 */
/* The lab's side of the traffic engine: starts and ends the child, gives it orders, reads its events and the table of
 * counters they share. Sending, counting and pacing are the child's (child.c). */
#include "lab/traffic/engine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/traffic/child.h"
#include "lab/traffic/table.h"

enum {
	HELLO_LIMIT_MS = 10000,
	END_LIMIT_MS = 1000,     /* for the child to end by itself, before it is killed */
	ORDER_LIMIT_S = 5,       /* a child that reads nothing for so long is as good as dead */
};

struct engine {
	int fd;                  /* orders and events; -1 once the child is gone */
	int pidfd;
	pid_t pid;               /* 0 once reaped */
	uint32_t n_clients;
	struct table *table;
	size_t table_len;
	uint32_t n_generators, n_streams; /* written here, read by other threads: __atomic */
};

static int map_table(struct engine *e, uint32_t max_streams)
{
	size_t len = sizeof(struct table) + (size_t)max_streams * sizeof(struct stream_count);
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	e->table = p;
	e->table_len = len;
	e->table->max_streams = max_streams;
	if (getrandom(&e->table->cookie, sizeof(e->table->cookie), 0) != sizeof(e->table->cookie))
		return -EIO;
	return 0;
}

static int fork_child(struct engine *e, const struct plan *plan, const int *client_ns, int *pair)
{
	struct child_setup setup = {
		.lab = getpid(),
		.orders = pair[1],
		.plan = plan,
		.client_ns = client_ns,
		.table = e->table,
	};
	sigset_t all, before;

	sigfillset(&all);
	/* Blocked until the child has set its own handling: a handler of the lab must not run there. */
	if (sigprocmask(SIG_SETMASK, &all, &before) < 0)
		return -errno;
	e->pid = fork();
	if (e->pid == 0)
		child_run(&setup);
	if (e->pid < 0) {
		int r = -errno;

		e->pid = 0;
		(void)sigprocmask(SIG_SETMASK, &before, NULL); /* valid arguments: cannot fail */
		return r;
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	e->pidfd = (int)syscall(SYS_pidfd_open, e->pid, 0);
	return e->pidfd < 0 ? -errno : 0;
}

static int await_hello(struct engine *e)
{
	struct pollfd p = {.fd = e->fd, .events = POLLIN};
	struct engine_event event;
	int n;

	do
		n = poll(&p, 1, HELLO_LIMIT_MS);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return -ETIMEDOUT;
	if (n < 0)
		return -errno;
	if (recv(e->fd, &event, sizeof(event), 0) != sizeof(event) || (int)event.type != EVENT_HELLO)
		return -ECHILD;
	return (int)event.generator;
}

static int start(struct engine *e, const struct plan *plan, const int *client_ns, uint32_t max_streams)
{
	struct timeval limit = {.tv_sec = ORDER_LIMIT_S};
	int pair[2];
	int r = map_table(e, max_streams);

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	e->fd = pair[0];
	if (setsockopt(e->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		r = -errno;
	else
		r = fork_child(e, plan, client_ns, pair);
	close(pair[1]);
	return r < 0 ? r : await_hello(e);
}

int engine_start(const struct plan *plan, const int *client_ns, uint32_t max_streams, struct engine **ret)
{
	struct engine *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	*e = (struct engine){.fd = -1, .pidfd = -1, .n_clients = plan->n_clients};
	r = start(e, plan, client_ns, max_streams);
	if (r < 0) {
		engine_end(e);
		return r;
	}
	*ret = e;
	return 0;
}

static int send_order(struct engine *e, const struct order *order)
{
	if (e->fd < 0)
		return -EPIPE;
	if (send(e->fd, order, sizeof(*order), MSG_NOSIGNAL) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : errno == ECONNRESET ? -EPIPE : -errno;
	return 0;
}

static int check_spec(const struct engine *e, const struct generator_spec *spec)
{
	if (spec->n_peers == 0 || spec->client >= e->n_clients || spec->size < TRAFFIC_SIZE_MIN ||
	    spec->size > TRAFFIC_SIZE_MAX)
		return -EINVAL;
	if (spec->proto >= SCN_PROTO_MAX || spec->pattern >= SCN_PATTERN_MAX)
		return -EINVAL;
	if (spec->rate.unit != RATE_MAXIMUM && !(spec->rate.value > 0))
		return -EINVAL;
	for (uint32_t i = 0; i < spec->n_peers; i++)
		if (spec->peers[i] >= e->n_clients)
			return -EINVAL;
	if (e->n_generators == ENGINE_GENERATORS_MAX || spec->n_peers > e->table->max_streams - e->n_streams)
		return -ENOSPC;
	return 0;
}

int engine_add(struct engine *e, const struct generator_spec *spec, uint32_t *ret_generator)
{
	struct order order = {.type = ORDER_ADD, .generator = e->n_generators, .stream0 = e->n_streams, .spec = *spec};
	struct generator_count *g = &e->table->generators[order.generator];
	int r = check_spec(e, spec);

	if (r < 0)
		return r;
	order.n_streams = spec->n_peers;
	order.spec.peers = NULL; /* they go by the table */
	for (uint32_t i = 0; i < spec->n_peers; i++) {
		struct stream_count *s = &e->table->streams[order.stream0 + i];

		s->generator = order.generator;
		s->from = spec->client;
		s->to = spec->peers[i];
		s->proto = spec->proto;
	}
	g->stream0 = order.stream0;
	g->n_streams = order.n_streams;
	g->size = spec->size;
	g->known = spec->known;
	g->state = GEN_WARMING;
	r = send_order(e, &order);
	if (r < 0) {
		g->state = GEN_FREE;
		return r;
	}
	__atomic_store_n(&e->n_streams, order.stream0 + order.n_streams, __ATOMIC_RELEASE);
	__atomic_store_n(&e->n_generators, order.generator + 1, __ATOMIC_RELEASE);
	*ret_generator = order.generator;
	return 0;
}

int engine_go(struct engine *e, uint64_t zero_ns)
{
	return send_order(e, &(struct order){.type = ORDER_GO, .zero_ns = zero_ns});
}

static int send_change(struct engine *e, const struct order *order)
{
	if (order->n == 0 || order->generator >= e->n_generators || order->n > e->n_generators - order->generator)
		return -EINVAL;
	return send_order(e, order);
}

static int send_stop(struct engine *e, uint32_t first, uint32_t n, uint64_t at_ns, bool at_once)
{
	return send_change(e, &(struct order){.type = ORDER_STOP, .generator = first, .n = n, .at_ns = at_ns, .at_once = at_once});
}

int engine_stop(struct engine *e, uint32_t generator, uint64_t at_ns)
{
	return send_stop(e, generator, 1, at_ns, at_ns == 0);
}

int engine_stop_all(struct engine *e, uint32_t first, uint32_t n, uint64_t at_ns)
{
	return send_stop(e, first, n, at_ns, false);
}

int engine_start_again(struct engine *e, uint32_t generator, uint64_t start_ns, uint64_t stop_ns)
{
	return engine_start_all(e, generator, 1, start_ns, stop_ns);
}

int engine_start_all(struct engine *e, uint32_t first, uint32_t n, uint64_t start_ns, uint64_t stop_ns)
{
	struct order order = {
		.type = ORDER_START, .generator = first, .n = n, .at_ns = start_ns,
		.spec = {.start_ns = start_ns, .stop_ns = stop_ns},
	};

	return stop_ns && stop_ns <= start_ns ? -EINVAL : send_change(e, &order);
}

static int send_rate(struct engine *e, uint32_t first, uint32_t n, const struct rate *rate, uint64_t at_ns, bool at_once)
{
	struct order order = {
		.type = ORDER_RATE, .generator = first, .n = n, .at_ns = at_ns, .at_once = at_once, .spec.rate = *rate,
	};

	return rate->unit != RATE_MAXIMUM && !(rate->value > 0) ? -EINVAL : send_change(e, &order);
}

int engine_set_rate(struct engine *e, uint32_t generator, const struct rate *rate, uint64_t at_ns)
{
	return send_rate(e, generator, 1, rate, at_ns, at_ns == 0);
}

int engine_set_rate_all(struct engine *e, uint32_t first, uint32_t n, const struct rate *rate, uint64_t at_ns)
{
	return send_rate(e, first, n, rate, at_ns, false);
}

int engine_set_patience(struct engine *e, uint64_t ns)
{
	return send_order(e, &(struct order){.type = ORDER_PATIENCE, .patience_ns = ns});
}

int engine_drain(struct engine *e)
{
	return send_order(e, &(struct order){.type = ORDER_DRAIN});
}

int engine_fd(const struct engine *e)
{
	return e->fd;
}

/* Waits at most limit_ms for the child to end by itself, then kills it. */
static void reap(struct engine *e, int limit_ms, int *ret_status)
{
	struct pollfd p = {.fd = e->pidfd, .events = POLLIN};
	int n;

	do
		n = poll(&p, 1, limit_ms);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		(void)kill(e->pid, SIGKILL); /* our unreaped child: the number is still its own */
	while (waitpid(e->pid, ret_status, 0) < 0 && errno == EINTR)
		;
	e->pid = 0;
}

static void describe_death(struct engine *e, struct engine_event *ret)
{
	int status = 0;

	*ret = (struct engine_event){.type = ENGINE_DIED};
	reap(e, END_LIMIT_MS, &status);
	close(e->fd);
	e->fd = -1;
	if (WIFSIGNALED(status))
		snprintf(ret->text, sizeof(ret->text), "the traffic process was killed by signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(ret->text, sizeof(ret->text), "the traffic process ended with status %d", WEXITSTATUS(status));
}

/* Whether the caller should see it: the child's "all warm" may be older than the newest order. */
static bool event_counts(const struct engine *e, const struct engine_event *event)
{
	return event->type != ENGINE_WARM || event->generator == e->n_generators;
}

int engine_read_event(struct engine *e, struct engine_event *ret)
{
	while (e->fd >= 0) {
		struct engine_event event;
		ssize_t n = recv(e->fd, &event, sizeof(event), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n != sizeof(event)) {
			describe_death(e, ret);
			return 1;
		}
		if (event_counts(e, &event)) {
			*ret = event;
			return 1;
		}
	}
	return 0;
}

int engine_pid(const struct engine *e)
{
	return e->pid;
}

uint32_t engine_generators(const struct engine *e)
{
	return __atomic_load_n(&e->n_generators, __ATOMIC_ACQUIRE);
}

const struct generator_count *engine_generator(const struct engine *e, uint32_t generator)
{
	return &e->table->generators[generator];
}

uint32_t engine_streams(const struct engine *e)
{
	return __atomic_load_n(&e->n_streams, __ATOMIC_ACQUIRE);
}

const struct stream_count *engine_stream(const struct engine *e, uint32_t stream)
{
	return &e->table->streams[stream];
}

const struct engine_health *engine_health(const struct engine *e)
{
	return &e->table->health;
}

void engine_end(struct engine *e)
{
	int status;

	if (!e)
		return;
	if (e->fd >= 0)
		close(e->fd); /* the child reads the end of the file and ends */
	if (e->pid > 0)
		reap(e, e->pidfd < 0 ? 0 : END_LIMIT_MS, &status);
	if (e->pidfd >= 0)
		close(e->pidfd);
	if (e->table)
		(void)munmap(e->table, e->table_len); /* a mapping of ours: cannot fail */
	free(e);
}
