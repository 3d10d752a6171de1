/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab link: hosts' uplinks of a running lab, shown and changed. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/cmd/command.h"
#include "lab/scenario/link.h"
#include "monitor/view.h"

struct link_options {
	bool json;
	const char *lab;
};

#define AT(field) offsetof(struct link_options, field)

static const struct command_option options[] = {
	{ "lab", OPTION_TEXT, AT(lab), "LAB", "which lab, where several run" },
	{ "json", OPTION_FLAG, AT(json), NULL, "as JSON" },
	{ 0 },
};

/* What of the arguments says which host, and what is to be changed. */
struct request {
	const char *host;          /* NULL: all of them */
	const char *const *change;
	size_t n;                  /* words in change; 0: only show */
};

/* "show", "show host3", "host3", "host3 show" or "host3 CHANGE…". */
static struct request read_arguments(char *const *args, int n)
{
	struct request r = { 0 };

	if (n && strcmp(args[0], "show") == 0) {
		args++;
		n--;
	}
	if (n == 0)
		return r;
	r.host = args[0];
	if (n == 2 && strcmp(args[1], "show") == 0)
		return r;
	r.change = (const char *const *)args + 1;
	r.n = (size_t)n - 1;
	return r;
}

/* Wrong words are told at once, lab or no lab. */
static int check(const struct request *r)
{
	struct link_change change;
	char why[512];
	uint32_t host;
	const char *sentence;

	if (r->host && parse_link_host(r->host, &host, &sentence)) {
		say("link: %s: %s (usage: tunlab link [show] [HOST [CHANGE...]])", r->host, sentence);
		return EXIT_USAGE;
	}
	if (!r->n || !parse_link_change(r->change, r->n, &change, why, sizeof(why)))
		return EXIT_WELL;
	say("link %s: %s", r->host, why);
	return EXIT_USAGE;
}

static cJSON *question(const struct request *r)
{
	cJSON *q = cJSON_CreateObject();

	(void)cJSON_AddStringToObject(q, "op", r->n ? "link.set" : "link.show");
	if (r->host)
		(void)cJSON_AddStringToObject(q, "host", r->host);
	if (r->n)
		(void)cJSON_AddItemToObject(q, "change", cJSON_CreateStringArray(r->change, (int)r->n));
	return q;
}

static int run(const void *given, char *const *args, int n_args)
{
	const struct link_options *o = given;
	struct request r = read_arguments(args, n_args);
	int status = check(&r);
	char *json, *table;

	if (status == EXIT_WELL)
		status = ask_lab(o->lab, question(&r), &json, NULL);
	if (status != EXIT_WELL)
		return status;
	table = o->json ? NULL : view_links_table(json, 0);
	if (o->json || table) {
		printf("%s%s", o->json ? json : table, o->json ? "\n" : "");
	} else {
		say("out of memory");
		status = EXIT_MACHINE;
	}
	free(table);
	free(json);
	return status;
}

const struct command cmd_link = {
	.name = "link",
	.args = "[show] [HOST [CHANGE...]]",
	.summary = "Show hosts' uplinks, or change one: rate R, delay T, loss P%, down, up, reset.",
	.details = "HOST: host3 or 3; without it all are shown. Each value holds for both directions by itself and replaces what was\n"
		   "set; 0 takes it off, reset all of them.\n\n"
		   "  sudo tunlab link host3 down                           pull the cable\n"
		   "  sudo tunlab link host3 up rate 50mbit delay 10ms loss 1%\n"
		   "  sudo tunlab link host3 reset\n",
	.options = options,
	.options_size = sizeof(struct link_options),
	.max_args = 16,
	.run = run,
};
