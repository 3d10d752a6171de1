/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked: one table of routes, their parameters and answers. Who may ask has been settled in server.c. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "monitor/emit.h"
#include "ui/assets.h"
#include "ui/server_internal.h"

enum { BODY_MAX = 4096, STALE_S = 5 };

/* ---- parameters: each known by name, once, and well formed, or the request is refused ---- */

struct param {
	const char *name;
	char value[64]; /* decoded; "" if not given */
};

/* Moves one "name=value" from *query into params. Answers and returns false if that cannot be. */
static bool take_param(struct request *r, const char **query, struct param *params, size_t n)
{
	const char *start = *query;
	size_t len = strcspn(start, "&"), name_len = strcspn(start, "=&");

	*query = start + len + (start[len] == '&');
	if (!len)
		return true;
	for (size_t i = 0; i < n; i++) {
		const char *value = start + name_len + 1;
		int got;

		if (strlen(params[i].name) != name_len || memcmp(params[i].name, start, name_len))
			continue;
		if (*params[i].value) {
			(void)reply_error(r, 400, "parameter %s is given twice", params[i].name);
			return false;
		}
		got = name_len < len ? mg_url_decode(value, (int)(len - name_len - 1), params[i].value,
						     sizeof(params[i].value), 1) : 0;
		if (got > 0 && strlen(params[i].value) == (size_t)got) /* a NUL may have been encoded */
			return true;
		(void)reply_error(r, 400, "parameter %s has no usable value", params[i].name);
		return false;
	}
	(void)reply_error(r, 400, "unknown parameter %.*s", (int)(name_len < 64 ? name_len : 64), start);
	return false;
}

static bool read_params(struct request *r, struct param *params, size_t n)
{
	const char *query = r->info->query_string;

	while (query && *query) {
		if (!take_param(r, &query, params, n))
			return false;
	}
	return true;
}

/* Digits only. */
static bool parse_u64(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned digit = (unsigned)(*s - '0');

		if (*s < '0' || *s > '9' || digit > max || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*ret = v;
	return true;
}

static bool read_number(struct request *r, const struct param *p, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v;

	if (!*p->value)
		return true;
	if (!parse_u64(p->value, max, &v) || v < min) {
		(void)reply_error(r, 400, "%s=%s: want a whole number from %llu to %llu", p->name, p->value,
				  (unsigned long long)min, (unsigned long long)max);
		return false;
	}
	*ret = v;
	return true;
}

/* "host3" or "3". */
static bool read_host(struct request *r, const struct param *p, uint64_t *ret)
{
	const char *digits = strncmp(p->value, "host", 4) ? p->value : p->value + 4;
	uint32_t n = r->server->config.plan->n_hosts;
	uint64_t v;

	if (!*p->value)
		return true;
	if (!parse_u64(digits, UINT32_MAX, &v) || v >= n) {
		(void)reply_error(r, 400, "no host %s: this lab has host0 to host%u", p->value, n - 1);
		return false;
	}
	*ret = v;
	return true;
}

static bool read_by(struct request *r, const struct param *p, enum flow_by *ret)
{
	if (!*p->value)
		return true;
	for (int i = 0; i < FLOW_BY_MAX; i++) {
		if (!strcmp(p->value, flow_by_names[i])) {
			*ret = (enum flow_by)i;
			return true;
		}
	}
	(void)reply_error(r, 400, "by=%s: want flow, outer, inner, vni or client", p->value);
	return false;
}

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

	if (!read_params(r, p, 5) || !read_number(r, &p[0], 0, UINT32_MAX, &vni) || !read_host(r, &p[1], &host) ||
	    !read_by(r, &p[2], &q.by) || !read_number(r, &p[3], 1, UINT32_MAX, &top) || !read_number(r, &p[4], 0, 1, &rates))
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

	if (!read_params(r, p, 1) || !read_number(r, &p[0], 0, UINT64_MAX / 2, &since))
		return 400;
	if (!snapshot_history(r->server->config.snapshot, since, &entries, &n)) {
		text = view_history(&info, entries, n);
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

	if (!read_params(r, p, 1) || !read_host(r, &p[0], &host))
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
	const char *word = s ? "stale" : "starting";
	char *text;
	int status;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (s)
		age_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9 - (double)s->mono_ns / 1e9;
	sample_unref(s);
	status = age_s <= STALE_S + 2 * info.interval_s ? 200 : 503;
	emit_object(&e, NULL);
	emit_string(&e, "status", status == 200 ? "ok" : word);
	emit_string(&e, "lab", info.name);
	emit_string(&e, "state", info.state);
	emit_fixed(&e, "sample_age_s", age_s, 3);
	emit_object_end(&e);
	text = emit_take(&e);
	if (!text)
		return reply_take(r, NULL, NULL);
	(void)reply_send(r, &(struct reply) { .status = status, .body = text, .len = strlen(text) });
	free(text);
	return status;
}

/* ---- changes ---- */

/* Takes the same time wherever the difference is. The length is no secret. */
static bool token_equal(const char *given, const char *token)
{
	size_t len = strlen(token);
	unsigned char diff = 0;

	if (strlen(given) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		diff |= (unsigned char)(given[i] ^ token[i]);
	return !diff;
}

static bool may_change(struct request *r)
{
	const struct server_config *c = &r->server->config;
	const char *given = mg_get_header(r->conn, "Authorization");

	if (!c->change)
		(void)reply_error(r, 403, "this lab cannot be changed over HTTP");
	else if (!given || strncasecmp(given, "Bearer ", 7) || !c->token || !*c->token || !token_equal(given + 7, c->token))
		(void)reply_error(r, 403, "changes need the header 'Authorization: Bearer TOKEN' with the token printed at start");
	else
		return true;
	return false;
}

static int change(struct request *r, const cJSON *order)
{
	char *request = cJSON_PrintUnformatted(order), *answer = NULL;
	int status;

	if (!request)
		return reply_take(r, NULL, NULL);
	status = r->server->config.change(r->server->config.arg, request, &answer);
	free(request);
	if (!answer)
		return reply_error(r, status >= 400 ? status : 503, "the lab did not answer");
	(void)reply_send(r, &(struct reply) { .status = status, .body = answer, .len = strlen(answer) });
	free(answer);
	return status;
}

/* Reads the body into buf[BODY_MAX + 1]. Answers and returns false if there is none that could be JSON. */
static bool read_body(struct request *r, char *buf)
{
	const char *type = mg_get_header(r->conn, "Content-Type");
	long long len = r->info->content_length, at = 0;
	int got = 0;

	if (!type || strncasecmp(type, "application/json", 16) || !strchr("; \t", type[16])) {
		(void)reply_error(r, 415, "want a body of type application/json");
		return false;
	}
	if (len < 0 || mg_get_header(r->conn, "Transfer-Encoding")) {
		(void)reply_error(r, 411, "want a Content-Length");
		return false;
	}
	if (len > BODY_MAX) {
		(void)reply_error(r, 413, "want a body of at most %d bytes", BODY_MAX);
		return false;
	}
	while (at < len && (got = mg_read(r->conn, buf + at, (size_t)(len - at))) > 0)
		at += got;
	buf[at] = '\0';
	if (at == len)
		return true;
	(void)reply_error(r, 400, "the body ended early");
	return false;
}

/* An order is one flat object. Seen to before parsing: cJSON recurses at each bracket, and civetweb's threads have stacks of
 * 100 kB. */
static bool is_flat(const char *text)
{
	bool in_string = false;
	int brackets = 0;

	for (; *text; text++) {
		if (in_string && *text == '\\' && text[1])
			text++;
		else if (*text == '"')
			in_string = !in_string;
		else if (!in_string && (*text == '{' || *text == '['))
			brackets++;
	}
	return brackets <= 1;
}

/* Every member is one a traffic.start request has; what they mean is the lab's to judge. */
static bool check_order(struct request *r, const cJSON *body)
{
	static const char *const known[] = { "client", "to", "proto", "rate", "size", "duration", "count", "poisson" };
	const cJSON *item;

	if (!cJSON_IsObject(body)) {
		(void)reply_error(r, 400, "the body is not a JSON object of plain values");
		return false;
	}
	cJSON_ArrayForEach(item, body) {
		bool found = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			found |= !strcmp(item->string, known[i]);
		if (!found) {
			(void)reply_error(r, 400, "unknown member %.64s: want client, to, proto, rate, size, duration, count, "
					  "poisson", item->string);
			return false;
		}
		if (cJSON_GetObjectItemCaseSensitive(body, item->string) != item) {
			(void)reply_error(r, 400, "member %s is given twice", item->string);
			return false;
		}
	}
	return true;
}

static int post_traffic(struct request *r)
{
	char text[BODY_MAX + 1];
	cJSON *body, *op;
	int status = 400;

	if (!may_change(r))
		return 403;
	if (!read_body(r, text))
		return 400;
	body = is_flat(text) ? cJSON_ParseWithOpts(text, NULL, true) : NULL;
	op = body ? cJSON_CreateString("traffic.start") : NULL;
	if (check_order(r, body)) {
		if (op && cJSON_AddItemToObject(body, "op", op))
			op = NULL;
		status = change(r, body);
	}
	cJSON_Delete(op);
	cJSON_Delete(body);
	return status;
}

static int delete_traffic(struct request *r)
{
	const char *number = strrchr(r->info->local_uri, '/') + 1;
	uint64_t id;
	cJSON *order;
	int status;

	if (!may_change(r))
		return 403;
	if (!parse_u64(number, UINT32_MAX, &id))
		return reply_error(r, 404, "no traffic has the id %.32s: /api/v1/lab lists them", number);
	order = cJSON_CreateObject();
	(void)cJSON_AddStringToObject(order, "op", "traffic.stop");
	(void)cJSON_AddNumberToObject(order, "id", (double)id);
	status = change(r, order);
	cJSON_Delete(order);
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
	{ "POST", "/api/v1/traffic", post_traffic, false },
	{ "DELETE", "/api/v1/traffic/", delete_traffic, true },
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
	text_printf(t, "%s%s%s", t->len ? ", " : "Allow: ", route->method, strcmp(route->method, "GET") ? "" : ", HEAD");
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
	status = reply_error_with(r, 405, allowed.failed ? NULL : allowed.buf, "this address does not take that method");
	text_free(&allowed);
	return status;
}
