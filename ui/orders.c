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
		(void)reply_error(r, 403, c->plan ? "this lab cannot be changed over HTTP" : "there is no lab here to change");
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

/* A member of an order. Where the lab wants a text, a number may be allowed beside it, and the other way round, as on the
 * command line, which knows texts only. */
struct member {
	const char *name, *want;
	bool number;                                                     /* a whole number will do for a text */
	int (*parse)(const char *text, uint64_t *ret, const char **why); /* a number, or a text that says one */
	bool boolean;
	bool or_null;                                                    /* null stands for "0" */
};

static const struct member traffic_members[] = {
	{ .name = "client", .want = "a client, such as \"c3\" or 3", .number = true },
	{ .name = "to", .want = "whom to send to, such as \"c7\", \"host4\" or \"all\"", .number = true },
	{ .name = "proto", .want = "\"udp\" or \"ping\"" },
	{ .name = "rate", .want = "a text, such as \"100pps\" or \"2mbit\"" },
	{ .name = "size", .want = "a number of bytes, such as 1400 or \"1k\"", .parse = parse_size },
	{ .name = "duration", .want = "a text, such as \"5s\"" },
	{ .name = "count", .want = "a whole number of at least 1, such as 1000", .parse = parse_count },
	{ .name = "poisson", .want = "true or false", .boolean = true },
	{ 0 },
};

static const struct member link_members[] = {
	{ .name = "rate", .want = "a text, such as \"50mbit\", or 0", .number = true, .or_null = true },
	{ .name = "delay", .want = "a text, such as \"10ms\", or 0", .number = true, .or_null = true },
	{ .name = "loss", .want = "a text, such as \"1%\", or 0", .number = true, .or_null = true },
	{ .name = "down", .want = "true or false", .boolean = true },
	{ .name = "reset", .want = "true or false", .boolean = true },
	{ 0 },
};

static const struct member guess_members[] = {
	{ .name = "who", .want = "a client, such as \"c17\", 17 or \"host4:10001\"", .number = true },
	{ 0 },
};

static const struct member *find_member(const struct member *members, const char *name)
{
	for (; members->name; members++)
		if (!strcmp(name, members->name))
			return members;
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
	if (m->or_null && cJSON_IsNull(item))
		return (*ret_new = cJSON_CreateString("0"));
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

static bool refuse_member(struct request *r, const struct member *members, const char *name)
{
	char list[128];
	size_t used = 0;

	for (; members->name && used < sizeof(list); members++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", members->name);
	(void)reply_error(r, 400, "unknown member %.64s: want %s", name, list);
	return false;
}

static bool check_member(struct request *r, cJSON *body, cJSON *item, const struct member *members)
{
	const struct member *m = find_member(members, item->string);
	cJSON *fresh;

	if (!m)
		return refuse_member(r, members, item->string);
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

/* Every member is one the order has, and of its type, which is brought about where another is as clear; what values mean is
 * the lab's to judge. */
static bool check_order(struct request *r, cJSON *body, const struct member *members)
{
	cJSON *item, *next;

	if (!cJSON_IsObject(body)) {
		(void)reply_error(r, 400, "the body is not a JSON object");
		return false;
	}
	for (item = body->child; item; item = next) {
		next = item->next;
		if (!check_member(r, body, item, members))
			return false;
	}
	return true;
}

/* The body of an order from who may give it; NULL when that was answered. */
static cJSON *read_order(struct request *r, const struct member *members)
{
	char text[BODY_MAX + 1];
	cJSON *body;

	if (!may_change(r) || !read_body(r, text))
		return NULL;
	body = is_shallow(text) ? cJSON_ParseWithOpts(text, NULL, true) : NULL;
	if (check_order(r, body, members))
		return body;
	cJSON_Delete(body);
	return NULL;
}

/* Gives the order `op` to the lab, and its answer to who asked. */
static int give_order(struct request *r, cJSON *order, const char *op)
{
	char *answer;
	int status;

	(void)cJSON_AddStringToObject(order, "op", op); /* without it the lab refuses */
	status = ask_lab(r, order, &answer);
	cJSON_Delete(order);
	return pass_on(r, status, answer);
}

int orders_post_traffic(struct request *r)
{
	cJSON *order = read_order(r, traffic_members);

	if (!order)
		return 400;
	if (cJSON_HasObjectItem(order, "client"))
		return give_order(r, order, "traffic.start");
	cJSON_Delete(order);
	return reply_error(r, 400, "member client is missing: want %s", find_member(traffic_members, "client")->want);
}

/* {"rate": "1mbit", "down": true} becomes the words of `tunlab link`: rate 1mbit down. */
static cJSON *words_of(const cJSON *body)
{
	cJSON *words = cJSON_CreateArray();
	const cJSON *item;

	cJSON_ArrayForEach(item, body) {
		const char *word = item->string;

		if (!strcmp(word, "down"))
			word = cJSON_IsTrue(item) ? "down" : "up";
		else if (cJSON_IsFalse(item))
			continue; /* no reset */
		(void)cJSON_AddItemToArray(words, cJSON_CreateString(word));
		if (cJSON_IsString(item))
			(void)cJSON_AddItemToArray(words, cJSON_CreateString(item->valuestring));
	}
	return words;
}

int orders_post_link(struct request *r)
{
	const char *name = strrchr(r->info->local_uri, '/') + 1, *why;
	cJSON *body = read_order(r, link_members), *order;
	uint32_t host;

	if (!body)
		return 400;
	if (!r->server->config.plan || parse_link_host(name, &host, &why) || host >= r->server->config.plan->n_hosts) {
		cJSON_Delete(body);
		return reply_error(r, 404, "this lab has no host %.32s: /api/v1/lab lists them", name);
	}
	order = cJSON_CreateObject();
	(void)cJSON_AddStringToObject(order, "host", name);
	(void)cJSON_AddItemToObject(order, "change", words_of(body));
	cJSON_Delete(body);
	return give_order(r, order, "link.set");
}

int orders_post_guess(struct request *r)
{
	cJSON *order = read_order(r, guess_members);

	return order ? give_order(r, order, "guess") : 400;
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
