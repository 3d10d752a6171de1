/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab status, flows, stop: questions to a running lab. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/poll.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/units.h"
#include "lab/cmd/command.h"
#include "lab/control.h"
#include "lab/scenario/scenario.h"
#include "monitor/view.h"

struct query_options {
	bool json, watch, rates;
	const char *lab, *by, *top;
};

#define AT(field) offsetof(struct query_options, field)
#define LAB_OPTION { "lab", OPTION_TEXT, AT(lab), "LAB", "which lab, where several run" }

static const struct command_option status_options[] = {
	LAB_OPTION,
	{ "json", OPTION_FLAG, AT(json), NULL, "as JSON" },
	{ 0 },
};

static const struct command_option flows_options[] = {
	LAB_OPTION,
	{ "by", OPTION_TEXT, AT(by), "WHAT", "outer, inner, vni, host, client or flow (default flow)" },
	{ "top", OPTION_TEXT, AT(top), "N", "only the N biggest" },
	{ "rates", OPTION_FLAG, AT(rates), NULL, "packets and bits per second over the last interval as well" },
	{ "watch", OPTION_FLAG, AT(watch), NULL, "again every second, until Ctrl-C" },
	{ "json", OPTION_FLAG, AT(json), NULL, "as JSON, one document a line" },
	{ 0 },
};

static const struct command_option stop_options[] = { LAB_OPTION, { 0 } };

static cJSON *question(const char *op)
{
	cJSON *q = cJSON_CreateObject();

	(void)cJSON_AddStringToObject(q, "op", op);
	return q;
}

static unsigned terminal_width(void)
{
	struct winsize size;

	return isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? size.ws_col : 0;
}

int print_document(char *json, bool as_json, char *(*make_table)(const char *json, unsigned width))
{
	char *table = json && !as_json ? make_table(json, terminal_width()) : NULL;
	int status = EXIT_WELL;

	if (json && as_json) {
		printf("%s\n", json);
	} else if (table) {
		fputs(table, stdout);
	} else {
		say("out of memory");
		status = EXIT_MACHINE;
	}
	if (status == EXIT_WELL && fflush(stdout)) {
		say("cannot write to standard output: %s", strerror(errno));
		status = EXIT_MACHINE;
	}
	free(table);
	free(json);
	return status;
}

static char *rates_table(const char *json, unsigned width)
{
	return view_flows_table(json, true, width);
}

static char *counts_table(const char *json, unsigned width)
{
	return view_flows_table(json, false, width);
}

/* Every lab that answers, or the one named, in one document. */
static int collect_status(const char *lab, char **ret)
{
	struct error err;
	cJSON *doc, *labs;
	char **names = NULL;
	size_t n = 0;
	int r = control_names(&names, &n, &err), status = EXIT_WELL;

	if (r) {
		say("%s", err.text);
		return status_of(r);
	}
	doc = cJSON_CreateObject();
	(void)cJSON_AddStringToObject(doc, "schema", "tunlab.status/1");
	labs = cJSON_AddArrayToObject(doc, "labs");
	for (size_t i = 0; i < n || (lab && i == 0); i++) {
		const char *name = lab ? lab : names[i];
		char *text;

		status = ask_lab(name, question("status"), &text, NULL);
		if (status != EXIT_WELL && !lab) { /* the others are still worth seeing */
			say("lab %s is left out", name);
			status = EXIT_WELL;
			continue;
		}
		if (status != EXIT_WELL)
			break;
		(void)cJSON_AddItemToArray(labs, cJSON_CreateRaw(text));
		free(text);
		if (lab)
			break;
	}
	control_names_free(names, n);
	if (status == EXIT_WELL)
		*ret = cJSON_PrintUnformatted(doc);
	cJSON_Delete(doc);
	return status;
}

static int status(const void *given, char *const *args, int n_args)
{
	const struct query_options *o = given;
	char *json;
	int r = collect_status(o->lab, &json);

	(void)args;
	(void)n_args;
	return r != EXIT_WELL ? r : print_document(json, o->json, view_status_table);
}

static int flows_question(const struct query_options *o, cJSON **ret)
{
	uint64_t top = 0;

	if (o->top && parse_number(o->top, 1, UINT32_MAX, &top)) {
		say("flows: --top %s: want a whole number from 1 to %u", o->top, UINT32_MAX);
		return EXIT_USAGE;
	}
	*ret = question("flows");
	if (o->by)
		(void)cJSON_AddStringToObject(*ret, "by", o->by);
	if (top)
		(void)cJSON_AddNumberToObject(*ret, "top", (double)top);
	(void)cJSON_AddBoolToObject(*ret, "rates", o->rates);
	return EXIT_WELL;
}

static int show_flows(const struct query_options *o)
{
	cJSON *q;
	char *json;
	int r = flows_question(o, &q);

	if (r == EXIT_WELL)
		r = ask_lab(o->lab, q, &json, NULL);
	if (r != EXIT_WELL)
		return r;
	if (o->watch && !o->json && isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	return print_document(json, o->json, o->rates ? rates_table : counts_table);
}

static int flows(const void *given, char *const *args, int n_args)
{
	const struct query_options *o = given;
	int r = show_flows(o), timer = o->watch ? timer_open() : -1;

	(void)args;
	(void)n_args;
	if (o->watch && timer < 0) {
		say("cannot wait for the next second: %s", strerror(-timer));
		return EXIT_MACHINE;
	}
	if (o->watch)
		(void)timer_arm(timer, now_ns() + SECOND_NS, SECOND_NS);
	while (o->watch && r == EXIT_WELL) {
		struct pollfd p = { .fd = timer, .events = POLLIN };

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return EXIT_MACHINE;
		timer_clear(timer);
		r = show_flows(o);
	}
	return r;
}

/* Until the end of the connection, which is the end of the lab, the lab tells how far it is. */
static void wait_for_end(int fd)
{
	uint64_t start_ns = now_ns();
	char *text;

	control_wait_forever(fd);
	while (control_receive(fd, &text, NULL) == 0) {
		cJSON *doc = cJSON_Parse(text);
		const cJSON *down = cJSON_GetObjectItemCaseSensitive(doc, "down");
		const cJSON *hosts = cJSON_GetObjectItemCaseSensitive(down, "hosts");
		const cJSON *of = cJSON_GetObjectItemCaseSensitive(down, "of");

		if (hosts && of && now_ns() - start_ns >= SECOND_NS)
			say_progress("taking apart host %.0f of %.0f", cJSON_GetNumberValue(hosts), cJSON_GetNumberValue(of));
		cJSON_Delete(doc);
		free(text);
	}
	say_progress(NULL);
}

static int stop(const void *given, char *const *args, int n_args)
{
	const struct query_options *o = given;
	char *text;
	int fd, r = open_lab(o->lab, question("stop"), &fd);

	(void)args;
	(void)n_args;
	if (r == EXIT_WELL)
		r = hear_lab(fd, &text, NULL);
	if (r != EXIT_WELL)
		return r;
	free(text);
	wait_for_end(fd);
	(void)close(fd);
	return EXIT_WELL;
}

const struct command cmd_status = {
	.name = "status",
	.args = "",
	.summary = "Show the running labs: hosts, clients, traffic, monitor health.",
	.options = status_options,
	.options_size = sizeof(struct query_options),
	.run = status,
};

const struct command cmd_flows = {
	.name = "flows",
	.args = "",
	.summary = "Show the flow table: who talks to whom, in which VNI, through which tunnel.",
	.details = "packets and bytes are counted once, where a packet leaves its host; received, where it reaches one.\n",
	.options = flows_options,
	.options_size = sizeof(struct query_options),
	.run = flows,
};

const struct command cmd_stop = {
	.name = "stop",
	.args = "",
	.summary = "End a lab; returns when the kernel has taken it apart.",
	.details = "Devices go host by host, so that this machine's own network can be configured meanwhile.\n",
	.options = stop_options,
	.options_size = sizeof(struct query_options),
	.run = stop,
};
