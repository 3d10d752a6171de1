/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a query: each known by name, given once and well formed, or the request is refused with a sentence. */
#include <string.h>

#include "ui/server_internal.h"

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

bool params_read(struct request *r, struct param *params, size_t n)
{
	const char *query = r->info->query_string;

	while (query && *query) {
		if (!take_param(r, &query, params, n))
			return false;
	}
	return true;
}

bool params_parse_u64(const char *s, uint64_t max, uint64_t *ret)
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

bool params_read_number(struct request *r, const struct param *p, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v;

	if (!*p->value)
		return true;
	if (!params_parse_u64(p->value, max, &v) || v < min) {
		(void)reply_error(r, 400, "%s=%s: want a whole number from %llu to %llu", p->name, p->value,
				  (unsigned long long)min, (unsigned long long)max);
		return false;
	}
	*ret = v;
	return true;
}

/* Without a lab a host is one of the outer addresses seen, by its address or name. */
static bool read_seen_host(struct request *r, const struct param *p, uint64_t *ret)
{
	struct sample *s = snapshot_get(r->server->config.snapshot);
	int64_t host = s && s->seen ? seen_find_host(s->seen, p->value) : -1;

	sample_unref(s);
	if (host < 0) {
		(void)reply_error(r, 400, "no host %s was seen: /api/v1/lab lists them", p->value);
		return false;
	}
	*ret = (uint64_t)host;
	return true;
}

bool params_read_host(struct request *r, const struct param *p, uint64_t *ret)
{
	const char *digits = strncmp(p->value, "host", 4) ? p->value : p->value + 4;
	const struct plan *plan = r->server->config.plan;
	uint32_t n = plan ? plan->n_hosts : 0;
	uint64_t v;

	if (!*p->value)
		return true;
	if (!plan)
		return read_seen_host(r, p, ret);
	if (!params_parse_u64(digits, UINT32_MAX, &v) || v >= n) {
		(void)reply_error(r, 400, "no host %s: this lab has host0 to host%u", p->value, n - 1);
		return false;
	}
	*ret = v;
	return true;
}

bool params_read_by(struct request *r, const struct param *p, enum flow_by *ret)
{
	if (!*p->value)
		return true;
	for (int i = 0; i < (r->server->config.plan ? FLOW_BY_MAX : BY_CLIENT); i++) { /* clients are a lab's, and last */
		if (!strcmp(p->value, flow_by_names[i])) {
			*ret = (enum flow_by)i;
			return true;
		}
	}
	(void)reply_error(r, 400, "by=%s: want flow, outer, inner, vni%s", p->value,
			  r->server->config.plan ? ", host or client" : " or host");
	return false;
}
