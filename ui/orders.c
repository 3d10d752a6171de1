/* SPDX-License-Identifier: Apache-2.0 */
/* Orders: requests that change the lab. Here it is settled who may give them and whether they can be read; what they
 * mean is the lab's to judge, which gets them as on the control socket. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lab/scenario/scenario.h"
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

/* Gives an order to the lab. Returns the HTTP status; the answer is the caller's to free, NULL if there is none. */
static int ask_lab(struct request *r, const cJSON *order, char **ret_answer)
{
	char *request = cJSON_PrintUnformatted(order), *answer = NULL;
	int status = 503;

	if (request)
		status = r->server->config.change(r->server->config.arg, request, &answer);
	free(request);
	*ret_answer = answer;
	return status;
}

/* Sends the lab's answer and frees it. */
static int pass_on(struct request *r, int status, char *answer)
{
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

/* Seen to before parsing: cJSON recurses at each bracket, and civetweb's threads have stacks of 100 kB. */
static bool is_shallow(const char *text)
{
	enum { DEPTH_MAX = 8 };
	bool in_string = false;
	int depth = 0;

	for (; *text && depth <= DEPTH_MAX; text++) {
		if (in_string && *text == '\\' && text[1])
			text++;
		else if (*text == '"')
			in_string = !in_string;
		else if (!in_string && (*text == '{' || *text == '['))
			depth++;
		else if (!in_string && (*text == '}' || *text == ']'))
			depth--;
	}
	return depth <= DEPTH_MAX;
}

static int parse_count(const char *text, uint64_t *ret, const char **ret_why)
{
	*ret_why = "want a whole number from 1 to 4294967295";
	return parse_number(text, 1, UINT32_MAX, ret);
}

/* The members of an order. Where the lab wants a text, a number may be allowed beside it, and the other way round, as
 * on the command line, which knows texts only. */
static const struct member {
	const char *name, *want;
	bool number;                                                     /* a whole number will do for a text */
	int (*parse)(const char *text, uint64_t *ret, const char **why); /* a number, or a text that says one */
	bool boolean;
} members[] = {
	{ .name = "client", .want = "a client, such as \"c3\" or 3", .number = true },
	{ .name = "to", .want = "whom to send to, such as \"c7\", \"host4\" or \"all\"", .number = true },
	{ .name = "proto", .want = "\"udp\" or \"ping\"" },
	{ .name = "rate", .want = "a text, such as \"100pps\" or \"2mbit\"" },
	{ .name = "size", .want = "a number of bytes, such as 1400 or \"1k\"", .parse = parse_size },
	{ .name = "duration", .want = "a text, such as \"5s\"" },
	{ .name = "count", .want = "a whole number of at least 1, such as 1000", .parse = parse_count },
	{ .name = "poisson", .want = "true or false", .boolean = true },
};

static const struct member *find_member(const char *name)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		if (!strcmp(name, members[i].name))
			return &members[i];
	return NULL;
}

/* A number in the place of a text, as a text; NULL if it is none that counts something. */
static cJSON *text_of_number(double v)
{
	char text[16];

	if (!(v >= 0 && v <= UINT32_MAX) || v != (uint32_t)v)
		return NULL;
	(void)snprintf(text, sizeof(text), "%u", (uint32_t)v); /* 10 digits at most */
	return cJSON_CreateString(text);
}

/* The value in the form the lab takes: *ret_new to replace it, or NULL where it is that already. */
static bool convert(const struct member *m, const cJSON *item, cJSON **ret_new)
{
	const char *why;
	uint64_t v;

	*ret_new = NULL;
	if (m->boolean)
		return cJSON_IsBool(item);
	if (cJSON_IsString(item)) {
		if (!m->parse)
			return true;
		if (m->parse(item->valuestring, &v, &why))
			return false;
		return (*ret_new = cJSON_CreateNumber((double)v));
	}
	if (!cJSON_IsNumber(item))
		return false;
	return m->parse || (m->number && (*ret_new = text_of_number(item->valuedouble)));
}

static bool refuse_value(struct request *r, const struct member *m, const cJSON *item)
{
	char *value = cJSON_PrintUnformatted(item);

	(void)reply_error(r, 400, "cannot use %s %.64s: want %s", m->name, value ? value : "", m->want);
	free(value);
	return false;
}

static bool check_member(struct request *r, cJSON *body, cJSON *item)
{
	const struct member *m = find_member(item->string);
	cJSON *fresh;

	if (!m) {
		(void)reply_error(r, 400, "unknown member %.64s: want client, to, proto, rate, size, duration, "
				  "count, poisson", item->string);
		return false;
	}
	if (cJSON_GetObjectItemCaseSensitive(body, m->name) != item) {
		(void)reply_error(r, 400, "member %s is given twice", m->name);
		return false;
	}
	if (!convert(m, item, &fresh))
		return refuse_value(r, m, item);
	if (fresh)
		(void)cJSON_ReplaceItemInObjectCaseSensitive(body, m->name, fresh); /* the name is there */
	return true;
}

/* Every member is one a traffic.start request has, and of its type, which is brought about where another is as clear;
 * what values mean is the lab's to judge. */
static bool check_order(struct request *r, cJSON *body)
{
	cJSON *item, *next;

	if (!cJSON_IsObject(body)) {
		(void)reply_error(r, 400, "the body is not a JSON object");
		return false;
	}
	for (item = body->child; item; item = next) {
		next = item->next;
		if (!check_member(r, body, item))
			return false;
	}
	if (cJSON_HasObjectItem(body, "client"))
		return true;
	(void)reply_error(r, 400, "member client is missing: want %s", find_member("client")->want);
	return false;
}

int orders_post_traffic(struct request *r)
{
	char text[BODY_MAX + 1];
	char *answer;
	cJSON *body, *op;
	int status = 400;

	if (!may_change(r))
		return 403;
	if (!read_body(r, text))
		return 400;
	body = is_shallow(text) ? cJSON_ParseWithOpts(text, NULL, true) : NULL;
	op = body ? cJSON_CreateString("traffic.start") : NULL;
	if (check_order(r, body)) {
		if (op && cJSON_AddItemToObject(body, "op", op))
			op = NULL;
		status = ask_lab(r, body, &answer);
		status = pass_on(r, status, answer);
	}
	cJSON_Delete(op);
	cJSON_Delete(body);
	return status;
}

static int refuse_id(struct request *r, const char *number)
{
	return reply_error(r, 404, "no traffic has the id %.32s: /api/v1/lab lists them", number);
}

int orders_delete_traffic(struct request *r)
{
	const char *number = strrchr(r->info->local_uri, '/') + 1;
	char *answer;
	uint64_t id;
	cJSON *order;
	int status;

	if (!may_change(r))
		return 403;
	if (!params_parse_u64(number, UINT32_MAX, &id))
		return refuse_id(r, number);
	order = cJSON_CreateObject();
	(void)cJSON_AddStringToObject(order, "op", "traffic.stop");
	(void)cJSON_AddNumberToObject(order, "id", (double)id);
	status = ask_lab(r, order, &answer);
	cJSON_Delete(order);
	if (status != 400)
		return pass_on(r, status, answer);
	free(answer); /* an id is all there is to refuse */
	return refuse_id(r, number);
}
