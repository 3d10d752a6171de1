/* SPDX-License-Identifier: Apache-2.0 */
/* Connections and requests of the control socket; see request.h. Peers are root (mode 0600), yet nothing they send is
 * trusted: lines are bounded, values are parsed like a scenario's, answers queue without blocking the lab. */
#include "lab/request.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/run.h"

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
	bool close_when_sent;
};

struct requests {
	struct run *run;
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
		(void)engine_stop(r->run->engine, (uint32_t)c->watched);
	loop_remove(r->run->loop, c->fd);
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
	if (!c->out_len && c->close_when_sent) {
		close_connection(c);
		return false;
	}
	loop_change(c->owner->run->loop, c->fd, c->out_len ? EPOLLOUT : EPOLLIN);
	return true;
}

/* Queues a line. NULL text (no memory) and a full queue end the connection: better than half an answer. */
static bool answer_text(struct connection *c, const char *text)
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

static bool answer(struct connection *c, char *text)
{
	bool alive = answer_text(c, text);

	free(text);
	return alive;
}

static bool refuse(struct connection *c, int status, const char *sentence)
{
	cJSON *o = cJSON_CreateObject();
	char *text;

	(void)cJSON_AddStringToObject(o, "error", sentence);
	(void)cJSON_AddNumberToObject(o, "exit", status);
	text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	return answer(c, text);
}

static const char *text_of(const cJSON *request, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, key);

	return cJSON_IsString(item) ? item->valuestring : NULL;
}

static bool flag_of(const cJSON *request, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, key));
}

static void op_status(struct connection *c, const cJSON *request)
{
	struct run *run = c->owner->run;
	struct sample *s = run_sample(run);
	struct lab_info info;

	(void)request;
	run_info(run, &info);
	(void)answer(c, s ? view_status(&info, run->plan, s) : NULL);
	sample_unref(s);
}

static int parse_query(const cJSON *request, struct flow_query *q, struct error *err)
{
	const char *by = text_of(request, "by");
	const cJSON *top = cJSON_GetObjectItemCaseSensitive(request, "top");

	*q = FLOW_QUERY_ALL;
	q->rates = flag_of(request, "rates");
	if (cJSON_IsNumber(top) && top->valuedouble >= 0)
		q->top = (size_t)top->valuedouble;
	for (int i = 0; by && i < FLOW_BY_MAX; i++)
		if (strcmp(by, flow_by_names[i]) == 0) {
			q->by = (enum flow_by)i;
			return 0;
		}
	if (!by)
		return 0;
	error_set(err, "cannot group flows by '%s': want outer, inner, vni, client or flow", by);
	return -EINVAL;
}

/* With rates the newest published sample is shown, which spans a whole interval; without, the counts of this moment. */
static void op_flows(struct connection *c, const cJSON *request)
{
	struct run *run = c->owner->run;
	struct flow_query q;
	struct error err;
	struct lab_info info;
	struct sample *s;

	if (parse_query(request, &q, &err)) {
		(void)refuse(c, EXIT_USAGE, err.text);
		return;
	}
	s = q.rates && run->newest ? sample_ref(run->newest) : run_sample(run);
	run_info(run, &info);
	(void)answer(c, s ? view_flows(&info, run->plan, s, &q) : NULL);
	sample_unref(s);
}

static void op_netns(struct connection *c, const cJSON *request)
{
	struct run *run = c->owner->run;
	const char *where = text_of(request, "where");
	struct error err;
	int fd = lab_netns(run->lab, where ? where : "", &err);

	if (fd < 0) {
		(void)refuse(c, EXIT_USAGE, err.text);
		return;
	}
	c->pass_fd = fd;
	(void)answer_text(c, "{\"netns\":true}");
}

static void op_stop(struct connection *c, const cJSON *request)
{
	(void)request;
	/* The connection stays open until everything is gone: its end is the answer. */
	if (answer_text(c, "{\"stopping\":true}"))
		run_end(c->owner->run, EXIT_WELL);
}

/* The order a traffic.start request makes, values as on the command line. Peers are the caller's to free. */
struct order {
	struct generator_spec spec;
	uint32_t *peers;
};

static int order_number(const cJSON *request, const char *key, uint64_t min, uint64_t max, uint64_t *ret, struct error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, key);

	if (!item)
		return 0;
	if (!cJSON_IsNumber(item) || item->valuedouble < (double)min || item->valuedouble > (double)max ||
	    item->valuedouble != floor(item->valuedouble)) {
		error_set(err, "cannot use %s %.12g: want a whole number from %llu to %llu", key, cJSON_GetNumberValue(item),
			  (unsigned long long)min, (unsigned long long)max);
		return -EINVAL;
	}
	*ret = (uint64_t)item->valuedouble;
	return 0;
}

static int order_who(struct run *run, const cJSON *request, struct order *o, struct error *err)
{
	const char *client = text_of(request, "client"), *to = text_of(request, "to"), *why;
	struct who who;
	uint32_t *targets;
	size_t n_targets, n_peers;
	int r;

	if (!client || parse_who(client, &who, &why)) {
		error_set(err, "cannot send from '%s': %s", client ? client : "", client ? why : "want a client, such as c3");
		return -EINVAL;
	}
	r = plan_resolve_one(run->plan, &who, &o->spec.client, err->text, sizeof(err->text));
	if (r)
		return r;
	if (parse_who(to ? to : "all", &who, &why)) {
		error_set(err, "cannot send to '%s': %s", to, why);
		return -EINVAL;
	}
	r = plan_resolve(run->plan, &who, run->scn->seed, &targets, &n_targets, err->text, sizeof(err->text));
	if (r)
		return r;
	r = plan_peers(run->plan, o->spec.client, targets, n_targets, &o->peers, &n_peers);
	free(targets);
	if (!r && !n_peers) {
		error_set(err, "c%u has nobody to send to in '%s': a peer must be another client in VNI %u", o->spec.client,
			  to ? to : "all", run->plan->vnis[run->plan->clients[o->spec.client].vni].scn->vni);
		r = -ENOENT;
	}
	o->spec.peers = o->peers;
	o->spec.n_peers = (uint32_t)n_peers;
	return r;
}

static int order_values(struct run *run, const cJSON *request, struct order *o, struct error *err)
{
	const char *proto = text_of(request, "proto"), *rate = text_of(request, "rate"), *duration = text_of(request, "duration");
	const char *why = "want udp or ping";
	uint64_t size = 64;

	o->spec.proto = proto && strcmp(proto, "ping") == 0 ? SCN_PING : SCN_UDP;
	o->spec.pattern = flag_of(request, "poisson") ? SCN_POISSON : SCN_CONSTANT;
	o->spec.seed = run->scn->seed + run->n_infos;
	if (proto && strcmp(proto, "ping") != 0 && strcmp(proto, "udp") != 0)
		error_set(err, "cannot use proto %s: %s", proto, why);
	else if (parse_rate(rate ? rate : "100pps", &o->spec.rate, &why))
		error_set(err, "cannot use rate %s: %s", rate, why);
	else if (duration && parse_time(duration, &o->spec.stop_ns, &why))
		error_set(err, "cannot use duration %s: %s", duration, why);
	else if (duration && !o->spec.stop_ns)
		error_set(err, "cannot use duration %s: want some time", duration);
	else if (order_number(request, "size", TRAFFIC_SIZE_MIN, plan_size_max(run->plan, o->spec.client), &size, err) ||
		 order_number(request, "count", 1, UINT32_MAX, &o->spec.count, err))
		return -EINVAL;
	else {
		o->spec.size = (uint32_t)size;
		return 0;
	}
	return -EINVAL;
}

static void op_traffic_start(struct connection *c, const cJSON *request)
{
	struct run *run = c->owner->run;
	struct order o = { 0 };
	struct error err = { "" };
	uint32_t id = 0;
	char text[64];
	int r = order_who(run, request, &o, &err);

	if (!r && run->state >= RUN_DRAINING) {
		error_set(&err, "the lab is about to end");
		r = -EBUSY;
	}
	if (!r)
		r = order_values(run, request, &o, &err);
	if (!r)
		r = run_add_generator(run, &o.spec, -1, &id, &err);
	free(o.peers);
	if (r) {
		(void)refuse(c, status_of(r), *err.text ? err.text : strerror(-r));
		return;
	}
	if (flag_of(request, "watch"))
		c->watched = id;
	(void)snprintf(text, sizeof(text), "{\"id\":%u}", id);
	(void)answer_text(c, text);
}

static void op_traffic_stop(struct connection *c, const cJSON *request)
{
	struct run *run = c->owner->run;
	uint64_t id = UINT64_MAX;
	struct error err;
	int r = order_number(request, "id", 0, UINT32_MAX, &id, &err);

	if (!r && id >= run->n_infos) {
		error_set(&err, "no traffic has that id: `tunlab status` lists them");
		r = -ENOENT;
	}
	if (!r) {
		r = engine_stop(run->engine, (uint32_t)id);
		error_set(&err, "cannot stop traffic %llu: %s", (unsigned long long)id, strerror(-r));
	}
	if (r)
		(void)refuse(c, status_of(r), err.text);
	else
		(void)answer_text(c, "{\"stopped\":true}");
}

static const struct {
	const char *op;
	void (*run)(struct connection *c, const cJSON *request);
} ops[] = {
	{ "status", op_status },
	{ "flows", op_flows },
	{ "netns", op_netns },
	{ "stop", op_stop },
	{ "traffic.start", op_traffic_start },
	{ "traffic.stop", op_traffic_stop },
};

static void handle(struct connection *c, const char *line, size_t len)
{
	cJSON *request = cJSON_ParseWithLength(line, len);
	const char *op = text_of(request, "op");
	size_t i, n = sizeof(ops) / sizeof(ops[0]);

	for (i = 0; op && i < n && strcmp(op, ops[i].op) != 0; i++)
		;
	if (op && i < n)
		ops[i].run(c, request);
	else
		(void)refuse(c, EXIT_USAGE, "this lab does not know that request: is the command of another version?");
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
	int fd = accept4(r->run->control.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *c = fd < 0 || r->n == CONNECTIONS_MAX ? NULL : calloc(1, sizeof(*c));

	(void)events;
	if (c)
		c->in = malloc(CONTROL_REQUEST_MAX);
	if (!c || !c->in || loop_add(r->run->loop, fd, EPOLLIN, on_ready, c)) {
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

int requests_open(struct run *run, struct requests **ret)
{
	struct requests *r = calloc(1, sizeof(*r));
	int status;

	if (!r)
		return -ENOMEM;
	r->run = run;
	status = loop_add(run->loop, run->control.fd, EPOLLIN, on_connect, r);
	if (status)
		free(r);
	else
		*ret = r;
	return status;
}

void requests_sampled(struct requests *r, const struct sample *s)
{
	for (struct connection *c = r->connections, *next; c; c = next) {
		next = c->next;
		if (c->watched >= 0)
			(void)answer(c, view_generator(s, (size_t)c->watched));
	}
}

void requests_generator_done(struct requests *r, uint32_t generator, const char *error)
{
	for (struct connection *c = r->connections, *next; c; c = next) {
		struct sample *s;

		next = c->next;
		if (c->watched != generator)
			continue;
		c->watched = -1;
		c->close_when_sent = true;
		s = error ? NULL : run_sample(r->run);
		if (error)
			(void)refuse(c, EXIT_MACHINE, error);
		else
			(void)answer(c, s ? view_generator(s, generator) : NULL);
		sample_unref(s);
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
	loop_remove(r->run->loop, r->run->control.fd);
	free(r);
}
