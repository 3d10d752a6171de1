/* SPDX-License-Identifier: Apache-2.0 */
/* Orders: requests that change the lab. Here it is settled who may give them and whether they can be read; what they
 * mean is the lab's to judge, which gets them as on the control socket. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ui/server_internal.h"

enum { BODY_MAX = 4096 };

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
	else if (!given || strncasecmp(given, "Bearer ", 7) || !c->token || !*c->token ||
		 !token_equal(given + 7, c->token))
		(void)reply_error(r, 403, "changes need the header 'Authorization: Bearer TOKEN', "
				  "with the token printed at start");
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

/* An order is one flat object. Seen to before parsing: cJSON recurses at each bracket, and civetweb's threads have
 * stacks of 100 kB. */
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
			(void)reply_error(r, 400, "unknown member %.64s: want client, to, proto, rate, size, duration, "
					  "count, poisson", item->string);
			return false;
		}
		if (cJSON_GetObjectItemCaseSensitive(body, item->string) != item) {
			(void)reply_error(r, 400, "member %s is given twice", item->string);
			return false;
		}
	}
	return true;
}

int orders_post_traffic(struct request *r)
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

int orders_delete_traffic(struct request *r)
{
	const char *number = strrchr(r->info->local_uri, '/') + 1;
	uint64_t id;
	cJSON *order;
	int status;

	if (!may_change(r))
		return 403;
	if (!params_parse_u64(number, UINT32_MAX, &id))
		return reply_error(r, 404, "no traffic has the id %.32s: /api/v1/lab lists them", number);
	order = cJSON_CreateObject();
	(void)cJSON_AddStringToObject(order, "op", "traffic.stop");
	(void)cJSON_AddNumberToObject(order, "id", (double)id);
	status = change(r, order);
	cJSON_Delete(order);
	return status;
}
