/* SPDX-License-Identifier: Apache-2.0 */
/* Connections and requests of the control socket; see request.h. Peers are root (mode 0600), yet nothing they send is
 * trusted: lines are bounded, values are parsed like a scenario's, answers queue without blocking the lab. */
#include "lab/request.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/request_internal.h"
#include "lab/run.h"
#include "lab/service.h"

enum { CONNECTIONS_MAX = 256, WATCHER_QUEUE_MAX = 1 << 20 };

struct connection {
	struct connection *next;
	struct requests *owner;
	int fd;
	char *in;            /* the line so far */
	size_t in_len;
	char *out;           /* not sent yet */
	size_t out_len;      /* behind out_at */
	size_t out_at;       /* what was sent of it */
	int pass_fd;         /* goes with the first byte of out; -1: none; borrowed */
	int64_t watched;     /* generator that lives with this connection; -1: none */
	struct watcher *watcher; /* tells how it does; NULL: nobody does */
	bool close_when_sent;
	bool stopper;        /* asked to stop the lab, and waits */
	bool holds_netns;    /* was given a descriptor of a namespace */
};

struct requests {
	struct service service;
	struct connection *connections;
	unsigned n;
};

static void close_connection(struct connection *c)
{
	struct requests *r = c->owner;
	struct connection **at = &r->connections;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	r->n--;
	if (c->watched >= 0) /* its terminal is gone: so is its traffic */
		(void)request_end_traffic(r->service.run, (uint32_t)c->watched);
	watcher_free(c->watcher);
	loop_remove(r->service.loop, c->fd);
	(void)close(c->fd);
	free(c->in);
	free(c->out);
	free(c);
}

/* Sends what the socket takes now. False when the connection is gone. While an answer waits, nothing more is asked: the queue
 * holds one answer, and a descriptor goes with its own. */
static bool flush(struct connection *c)
{
	while (c->out_len) {
		ssize_t sent = control_push(c->fd, c->out + c->out_at, c->out_len, c->pass_fd);

		if (sent == -EINTR)
			continue;
		if (sent == -EAGAIN)
			break;
		if (sent < 0) {
			close_connection(c);
			return false;
		}
		c->pass_fd = -1;
		c->out_len -= (size_t)sent;
		c->out_at = c->out_len ? c->out_at + (size_t)sent : 0;
	}
	if (c->out_at > c->out_len) { /* who reads slowly, but reads, must not make the buffer grow for ever */
		memmove(c->out, c->out + c->out_at, c->out_len);
		c->out_at = 0;
	}
	if (!c->out_len && c->close_when_sent) {
		close_connection(c);
		return false;
	}
	loop_change(c->owner->service.loop, c->fd, c->out_len ? EPOLLOUT : EPOLLIN);
	return true;
}

/* A full queue ends the connection: better than half an answer. */
bool request_answer_text(struct connection *c, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	char *grown = text ? realloc(c->out, c->out_at + c->out_len + len + 1) : NULL;

	if (!grown || (c->watched >= 0 && c->out_len > WATCHER_QUEUE_MAX)) {
		c->out = grown ? grown : c->out;
		close_connection(c);
		return false;
	}
	memcpy(grown + c->out_at + c->out_len, text, len);
	grown[c->out_at + c->out_len + len] = '\n';
	c->out = grown;
	c->out_len += len + 1;
	return flush(c);
}

bool request_answer(struct connection *c, char *text)
{
	bool alive = request_answer_text(c, text);

	free(text);
	return alive;
}

bool request_refuse(struct connection *c, int status, const char *sentence)
{
	cJSON *o = cJSON_CreateObject();
	char *text;

	(void)cJSON_AddStringToObject(o, "error", sentence);
	(void)cJSON_AddNumberToObject(o, "exit", status);
	text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	return request_answer(c, text);
}

const char *request_text(const cJSON *request, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, key);

	return cJSON_IsString(item) ? item->valuestring : NULL;
}

bool request_flag(const cJSON *request, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, key));
}

struct run *request_run(const struct connection *c)
{
	return c->owner->service.run;
}

bool request_watches(const struct connection *c)
{
	return c->watched >= 0;
}

void request_watch(struct connection *c, uint32_t generator)
{
	c->watched = generator;
	c->watcher = watcher_new(c, generator);
}

static void op_status(struct connection *c, const cJSON *request)
{
	const struct service *v = &c->owner->service;
	struct sample *s = v->sample(v->arg);
	struct lab_info info;

	(void)request;
	v->info(v->arg, &info);
	(void)request_answer(c, s ? view_status(&info, v->plan, s) : NULL);
	sample_unref(s);
}

static int parse_query(const cJSON *request, bool has_clients, struct flow_query *q, struct error *err)
{
	const char *by = request_text(request, "by"), *order = request_text(request, "order");
	const cJSON *top = cJSON_GetObjectItemCaseSensitive(request, "top");

	*q = FLOW_QUERY_ALL;
	q->rates = request_flag(request, "rates");
	for (int i = 0; order && i < FLOW_ORDER_MAX; i++)
		if (strcmp(order, flow_order_names[i]) == 0)
			q->order = (enum flow_order)i;
	if (top && (!cJSON_IsNumber(top) || !(top->valuedouble >= 0 && top->valuedouble <= UINT32_MAX))) {
		error_set(err, "cannot show that many of the biggest: want a number of at most %u", UINT32_MAX);
		return -EINVAL;
	}
	if (top)
		q->top = (size_t)top->valuedouble;
	for (int i = 0; by && i < (has_clients ? FLOW_BY_MAX : BY_CLIENT); i++)
		if (strcmp(by, flow_by_names[i]) == 0) {
			q->by = (enum flow_by)i;
			return 0;
		}
	if (!by)
		return 0;
	error_set(err, "cannot group flows by '%s': want outer, inner, vni, host%s or flow", by, has_clients ? ", client" : "");
	return -EINVAL;
}

/* With rates the newest published sample is shown, which spans a whole interval; without, the counts of this moment. */
static void op_flows(struct connection *c, const cJSON *request)
{
	const struct service *v = &c->owner->service;
	struct flow_query q;
	struct error err;
	struct lab_info info;
	struct sample *s;

	if (parse_query(request, v->plan != NULL, &q, &err)) {
		(void)request_refuse(c, EXIT_USAGE, err.text);
		return;
	}
	s = q.rates && v->newest(v->arg) ? sample_ref(v->newest(v->arg)) : v->sample(v->arg);
	v->info(v->arg, &info);
	(void)request_answer(c, s ? view_flows(&info, v->plan, s, &q) : NULL);
	sample_unref(s);
}

static void op_netns(struct connection *c, const cJSON *request)
{
	struct run *run = c->owner->service.run;
	const char *where = request_text(request, "where");
	struct error err;
	int fd = lab_netns(run->lab, where ? where : "", &err);

	if (fd < 0) {
		(void)request_refuse(c, EXIT_USAGE, err.text);
		return;
	}
	c->pass_fd = fd;
	c->holds_netns = true;
	(void)request_answer_text(c, "{\"netns\":true}");
}

static void op_stop(struct connection *c, const cJSON *request)
{
	(void)request;
	c->stopper = true;
	/* The connection stays open until everything is gone: its end is the answer. */
	if (request_answer_text(c, "{\"stopping\":true}"))
		c->owner->service.end(c->owner->service.arg, EXIT_WELL);
}

static const struct {
	const char *op;
	void (*run)(struct connection *c, const cJSON *request);
	bool always; /* also without a lab, and while one is taken apart: the last sample is there, the engine and the namespaces are not */
} ops[] = {
	{ "status", op_status, true },
	{ "flows", op_flows, true },
	{ "stop", op_stop, true },
	{ "netns", op_netns, false },
	{ "traffic.start", request_traffic_start, false },
	{ "traffic.stop", request_traffic_stop, false },
	{ "link.set", request_link_set, false },
	{ "link.show", request_link_show, false },
	{ "guess", request_guess, false },
};

/* Why a request that acts on a lab cannot be carried out now; NULL: it can. */
static const char *not_now(const struct service *v)
{
	if (!v->run)
		return "this is a monitor: there is no lab here to act on";
	return v->run->state < RUN_STOPPING ? NULL : "this lab is being taken apart";
}

static void handle(struct connection *c, const char *line, size_t len)
{
	cJSON *request = cJSON_ParseWithLength(line, len);
	const char *op = request_text(request, "op");
	const char *refusal = not_now(&c->owner->service);
	size_t i, n = sizeof(ops) / sizeof(ops[0]);

	for (i = 0; op && i < n && strcmp(op, ops[i].op) != 0; i++)
		;
	if (op && i < n && (ops[i].always || !refusal))
		ops[i].run(c, request);
	else if (op && i < n)
		(void)request_refuse(c, EXIT_MACHINE, refusal);
	else
		(void)request_refuse(c, EXIT_USAGE, "this lab does not know that request: is the command of another version?");
	cJSON_Delete(request);
}

/* One request per connection and line; a peer that has more to ask sends the next line after the answer. */
static void on_ready(void *arg, uint32_t events)
{
	struct connection *c = arg;
	ssize_t got;
	char *end;

	if ((events & EPOLLOUT) && !flush(c))
		return;
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || (c->out_len && !(events & (EPOLLHUP | EPOLLERR))))
		return;
	got = recv(c->fd, c->in + c->in_len, CONTROL_REQUEST_MAX - c->in_len, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0 || (c->in_len + (size_t)got == CONTROL_REQUEST_MAX && !memchr(c->in, '\n', CONTROL_REQUEST_MAX))) {
		close_connection(c);
		return;
	}
	c->in_len += (size_t)got;
	end = memchr(c->in, '\n', c->in_len);
	if (end) {
		c->in_len = 0;
		handle(c, c->in, (size_t)(end - c->in)); /* may close c */
	}
}

static void on_connect(void *arg, uint32_t events)
{
	struct requests *r = arg;
	int fd = accept4(r->service.control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *c = fd < 0 || r->n == CONNECTIONS_MAX ? NULL : calloc(1, sizeof(*c));

	(void)events;
	if (c)
		c->in = malloc(CONTROL_REQUEST_MAX);
	if (!c || !c->in || loop_add(r->service.loop, fd, EPOLLIN, on_ready, c)) {
		if (fd >= 0)
			(void)close(fd);
		if (c)
			free(c->in);
		free(c);
		return;
	}
	c->owner = r;
	c->fd = fd;
	c->pass_fd = -1;
	c->watched = -1;
	c->next = r->connections;
	r->connections = c;
	r->n++;
}

int requests_open(const struct service *service, struct requests **ret)
{
	struct requests *r = calloc(1, sizeof(*r));
	int status;

	if (!r)
		return -ENOMEM;
	r->service = *service;
	status = loop_add(service->loop, service->control->fd, EPOLLIN, on_connect, r);
	if (status)
		free(r);
	else
		*ret = r;
	return status;
}

void requests_generator_done(struct requests *r, uint32_t generator, const char *error)
{
	for (struct connection *c = r->connections, *next; c; c = next) {
		struct sample *s;

		next = c->next;
		if (c->watched != generator)
			continue;
		c->watched = -1;
		if (!error && !watcher_say_rest(c->watcher))
			continue;
		watcher_free(c->watcher);
		c->watcher = NULL;
		c->close_when_sent = true;
		s = error ? NULL : run_sample_generator(r->service.run, generator, NULL);
		if (error)
			(void)request_refuse(c, EXIT_MACHINE, error);
		else
			(void)request_answer(c, s ? view_generator(r->service.run->plan, s, NULL) : NULL);
		sample_unref(s);
	}
}

void requests_release(struct requests *r)
{
	struct connection *c = r ? r->connections : NULL;

	while (c) {
		struct connection *next = c->next;

		if (c->holds_netns || c->watched >= 0) {
			c->watched = -1; /* its traffic ends with the engine */
			close_connection(c);
		}
		c = next;
	}
}

void requests_down(struct requests *r, uint32_t hosts, uint32_t n_hosts)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "{\"down\":{\"hosts\":%u,\"of\":%u}}", hosts, n_hosts);
	for (struct connection *c = r ? r->connections : NULL, *next; c; c = next) {
		next = c->next;
		if (c->stopper && !c->out_len) /* one that does not listen misses some */
			(void)request_answer_text(c, text);
	}
}

void requests_close(struct requests *r)
{
	if (!r)
		return;
	while (r->connections) {
		r->connections->watched = -1; /* the engine is gone by now */
		close_connection(r->connections);
	}
	loop_remove(r->service.loop, r->service.control->fd);
	free(r);
}
