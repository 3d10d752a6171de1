/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked: one table of routes, the documents among them, and the files. Who may ask has been settled in
 * server.c; orders are in orders.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/emit.h"
#include "base/text.h"
#include "ui/assets.h"
#include "ui/server_internal.h"

enum { STALE_S = 5 };

/* ---- answers ---- */

static struct lab_info info_of(const struct request *r)
{
	struct lab_info info = { 0 };

	r->server->config.get_info(r->server->config.arg, &info);
	return info;
}

static int reply_no_sample(struct request *r)
{
	return reply_error_with(r, 503, "Retry-After: 1\r\n", "nothing has been sampled yet");
}

static int get_lab(struct request *r)
{
	struct sample *s = snapshot_get(r->server->config.snapshot);
	struct lab_info info = info_of(r);
	char *text = view_lab(&info, r->server->config.plan, s);

	sample_unref(s);
	return reply_take(r, NULL, text);
}

static int get_flows(struct request *r)
{
	struct param p[] = { { "vni", "" }, { "host", "" }, { "by", "" }, { "top", "" }, { "rates", "" } };
	uint64_t vni = UINT64_MAX, host = UINT64_MAX, top = 0, rates = 0;
	struct flow_query q = FLOW_QUERY_ALL;
	struct lab_info info;
	struct sample *s;
	char *text;

	if (!params_read(r, p, 5) || !params_read_number(r, &p[0], 0, UINT32_MAX, &vni) ||
	    !params_read_host(r, &p[1], &host) || !params_read_by(r, &p[2], &q.by) ||
	    !params_read_number(r, &p[3], 1, UINT32_MAX, &top) || !params_read_number(r, &p[4], 0, 1, &rates))
		return 400;
	q.vni = (int64_t)vni; /* UINT64_MAX, not given, is -1 */
	q.host = (int64_t)host;
	q.top = (size_t)top;
	q.rates = rates;
	s = snapshot_get(r->server->config.snapshot);
	if (!s)
		return reply_no_sample(r);
	info = info_of(r);
	text = view_flows(&info, r->server->config.plan, s, &q);
	sample_unref(s);
	return reply_take(r, NULL, text);
}

static int get_history(struct request *r)
{
	struct param p[] = { { "since", "" } };
	struct history_entry *entries;
	struct lab_info info = info_of(r);
	uint64_t since = 0;
	char *text = NULL;
	size_t n;

	if (!params_read(r, p, 1) || !params_read_number(r, &p[0], 0, UINT64_MAX / 2, &since))
		return 400;
	if (!snapshot_history(r->server->config.snapshot, since, &entries, &n)) {
		struct sample *s = snapshot_get(r->server->config.snapshot);

		text = view_history(&info, entries, n, s ? s->marks : NULL);
		sample_unref(s);
		free(entries);
	}
	return reply_take(r, NULL, text);
}

static int get_metrics(struct request *r)
{
	struct sample *s = snapshot_get(r->server->config.snapshot);
	struct lab_info info = info_of(r);
	char *text;

	if (!s)
		return reply_no_sample(r);
	text = view_metrics(&info, r->server->config.plan, s);
	sample_unref(s);
	return reply_take(r, "text/plain; version=0.0.4; charset=utf-8", text);
}

static int get_tunnel(struct request *r, bool delta)
{
	struct param p[] = { { "host", "" } };
	uint64_t host = 0;
	struct sample *s;
	char *text;

	if (!params_read(r, p, 1) || !params_read_host(r, &p[0], &host))
		return 400;
	s = snapshot_get(r->server->config.snapshot);
	if (!s)
		return reply_no_sample(r);
	text = view_tunnel(s, (uint32_t)host, delta);
	sample_unref(s);
	return reply_take(r, NULL, text);
}

static int get_tunnel_total(struct request *r)
{
	return get_tunnel(r, false);
}

static int get_tunnel_delta(struct request *r)
{
	return get_tunnel(r, true);
}

/* Well as long as samples keep coming. */
static int get_health(struct request *r)
{
	struct sample *s = snapshot_get(r->server->config.snapshot);
	struct lab_info info = info_of(r);
	struct emit e = { 0 };
	struct timespec now;
	double age_s = INFINITY;
	const char *word = s ? "stale" : "starting", *monitor = NULL;
	char *text;
	int status;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (s)
		monitor = health_state(&s->monitor);
	if (s)
		age_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9 - (double)s->mono_ns / 1e9;
	if (s && s->kind == SAMPLE_CAPTURE) /* all of it is here */
		age_s = 0;
	sample_unref(s);
	status = age_s <= STALE_S + 2 * info.interval_s ? 200 : 503;
	emit_object(&e, NULL);
	emit_string(&e, "status", status == 200 ? "ok" : word);
	emit_string(&e, "lab", info.name);
	emit_string(&e, "state", info.state);
	emit_fixed(&e, "sample_age_s", age_s, 3);
	emit_string(&e, "monitor", monitor);
	emit_object_end(&e);
	text = emit_take(&e);
	if (!text)
		return reply_take(r, NULL, NULL);
	(void)reply_send(r, &(struct reply) { .status = status, .body = text, .len = strlen(text) });
	free(text);
	return status;
}

/* ---- files ---- */

static const char *type_of(const char *name)
{
	static const struct { const char *ending, *type; } types[] = {
		{ ".html", "text/html; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" }, { ".svg", "image/svg+xml" }, { ".png", "image/png" },
		{ ".txt", "text/plain; charset=utf-8" }, { ".json", "application/json" }, { ".ico", "image/x-icon" },
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(*types); i++) {
		if (!strcmp(dot, types[i].ending))
			return types[i].type;
	}
	return "application/octet-stream";
}

/* FNV-1a: tells versions of a file apart, no more. */
static uint64_t digest(const struct asset *a)
{
	uint64_t h = 0xcbf29ce484222325;

	for (const char *p = a->data; p < a->end; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3;
	return h;
}

static const struct asset *find_file(const char *path)
{
	return asset_find("page", strcmp(path, "/") ? path + 1 : "index.html");
}

static int get_file(struct request *r)
{
	const struct asset *a = find_file(r->info->local_uri);
	const char *known = mg_get_header(r->conn, "If-None-Match");
	char headers[64], etag[24];
	bool same;

	(void)snprintf(etag, sizeof(etag), "\"%016llx\"", (unsigned long long)digest(a));
	(void)snprintf(headers, sizeof(headers), "ETag: %s\r\n", etag);
	same = known && strstr(known, etag);
	return reply_send(r, &(struct reply) {
		.status = same ? 304 : 200, .type = type_of(a->name), .cache = "no-cache", .headers = headers,
		.body = a->data, .len = asset_size(a),
	});
}

/* ---- the table ---- */

static const struct route {
	const char *method; /* GET serves HEAD as well */
	const char *path;
	int (*serve)(struct request *r);
	bool prefix;        /* path is followed by one more part */
} routes[] = {
	{ "GET", "/api/v1/lab", get_lab, false },
	{ "GET", "/api/v1/flows", get_flows, false },
	{ "GET", "/api/v1/history", get_history, false },
	{ "GET", "/api/v1/events", events_serve, false },
	{ "GET", "/api/v1/feed", feed_serve, false },
	{ "POST", "/api/v1/traffic", orders_post_traffic, false },
	{ "DELETE", "/api/v1/traffic/", orders_delete_traffic, true },
	{ "POST", "/api/v1/link/", orders_post_link, true },
	{ "POST", "/api/v1/guess", orders_post_guess, false },
	{ "GET", "/data/tunnel.json", get_tunnel_total, false },
	{ "GET", "/data/tunnel-delta.json", get_tunnel_delta, false },
	{ "GET", "/metrics", get_metrics, false },
	{ "GET", "/healthz", get_health, false },
};

static bool path_matches(const struct route *route, const char *path)
{
	size_t len = strlen(route->path);

	if (!route->prefix)
		return !strcmp(route->path, path);
	return !strncmp(route->path, path, len) && path[len] && !strchr(path + len, '/');
}

static bool method_matches(const struct route *route, const char *method)
{
	return !strcmp(route->method, method) || (!strcmp(route->method, "GET") && !strcmp(method, "HEAD"));
}

/* Adds a route's methods to a header line "Allow: …". */
static void allow(struct text *t, const struct route *route)
{
	const char *head = strcmp(route->method, "GET") ? "" : ", HEAD";

	text_printf(t, "%s%s%s", t->len ? ", " : "Allow: ", route->method, head);
}

int routes_serve(struct request *r)
{
	static const struct route file = { "GET", "", get_file, false };
	const char *path = r->info->local_uri, *method = r->info->request_method;
	struct text allowed = { 0 };
	int status;

	for (size_t i = 0; i <= sizeof(routes) / sizeof(*routes); i++) {
		bool last = i == sizeof(routes) / sizeof(*routes);
		const struct route *route = last ? &file : &routes[i];

		if (last ? !find_file(path) : !path_matches(route, path))
			continue;
		if (method_matches(route, method)) {
			text_free(&allowed);
			return route->serve(r);
		}
		allow(&allowed, route);
	}
	if (!allowed.len)
		return reply_error(r, 404, "nothing is at %.200s", path);
	text_puts(&allowed, "\r\n");
	status = reply_error_with(r, 405, allowed.failed ? NULL : allowed.buf,
				  "this address does not take that method");
	text_free(&allowed);
	return status;
}
