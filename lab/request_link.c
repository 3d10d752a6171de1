/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that show and change hosts' links: {"op": "link.set", "host": "host3", "change": ["rate", "50mbit", "down"]}, the
 * words of `tunlab link`. The answer to both is the links' state. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>

#include "lab/events.h"
#include "lab/request_internal.h"
#include "lab/run.h"

enum { WORDS_MAX = 32 };

static int read_host(const struct run *run, const char *text, uint32_t *ret, struct error *err)
{
	const char *why;
	uint32_t n = run->plan->n_hosts;

	if (parse_link_host(text ? text : "", ret, &why)) {
		error_set(err, "cannot find the link of '%s': %s", text ? text : "", why);
		return -EINVAL;
	}
	if (*ret < n)
		return 0;
	error_set(err, "host%u does not exist: %s host%u", *ret, n == 1 ? "the only host is" : "hosts are host0 to", n - 1);
	return -ENOENT;
}

static int read_change(const cJSON *request, struct link_change *ret, struct error *err)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(request, "change"), *item;
	const char *words[WORDS_MAX];
	char why[512];
	size_t n = 0;

	cJSON_ArrayForEach(item, list) {
		if (n == WORDS_MAX || !cJSON_IsString(item)) {
			error_set(err, "cannot read the change: want at most %d words", WORDS_MAX);
			return -EINVAL;
		}
		words[n++] = item->valuestring;
	}
	if (!parse_link_change(words, n, ret, why, sizeof(why)))
		return 0;
	error_set(err, "cannot change the link of %s: %s", request_text(request, "host"), why);
	return -EINVAL;
}

static void show(struct connection *c, int64_t host)
{
	struct run *run = request_run(c);

	(void)request_answer(c, view_links(run->plan, events_links(run->events), host));
}

void request_link_set(struct connection *c, const cJSON *request)
{
	struct run *run = request_run(c);
	struct link_change change;
	struct error err;
	uint32_t host;
	int r = read_host(run, request_text(request, "host"), &host, &err);

	if (!r)
		r = read_change(request, &change, &err);
	if (!r)
		r = events_change_link(run->events, host, &change, &err);
	if (r)
		(void)request_refuse(c, status_of(r), err.text);
	else
		show(c, host);
}

void request_link_show(struct connection *c, const cJSON *request)
{
	const char *text = request_text(request, "host");
	struct error err;
	uint32_t host;
	int r = text ? read_host(request_run(c), text, &host, &err) : 0;

	if (r)
		(void)request_refuse(c, status_of(r), err.text);
	else
		show(c, text ? (int64_t)host : -1);
}
