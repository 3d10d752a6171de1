/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab traffic: a generator in a running lab, for as long as this command runs; a line a second, a summary at the end. The
 * lab keeps the figures and sends them (view_generator); this file asks and prints. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lab/cmd/command.h"
#include "lab/control.h"
#include "lab/scenario/scenario.h"

struct traffic_options {
	bool json, poisson;
	const char *lab, *client, *to, *proto, *rate, *size, *duration, *count;
};

#define AT(field) offsetof(struct traffic_options, field)

static const struct command_option options[] = {
	{ "client", OPTION_TEXT, AT(client), "C", "the sender: 3, c3, host0:10002 or its address" },
	{ "to", OPTION_TEXT, AT(to), "C|HOST|all", "the receivers (default all peers in its VNI, in turn)" },
	{ "proto", OPTION_TEXT, AT(proto), "udp|ping", "(default udp)" },
	{ "rate", OPTION_TEXT, AT(rate), "R", "500pps, 10mbit (bits of inner IP packets) or max (default 100pps)" },
	{ "size", OPTION_TEXT, AT(size), "BYTES", "inner IP payload: ICMP or UDP header and what follows (default 64)" },
	{ "duration", OPTION_TEXT, AT(duration), "T", "end after T (10s, 2m); default: until Ctrl-C" },
	{ "count", OPTION_TEXT, AT(count), "N", "end after N packets" },
	{ "poisson", OPTION_FLAG, AT(poisson), NULL, "random gaps with the same mean instead of equal ones" },
	{ "lab", OPTION_TEXT, AT(lab), "LAB", "which lab, where several run" },
	{ "json", OPTION_FLAG, AT(json), NULL, "one JSON object a line" },
	{ 0 },
};

static void add_text(cJSON *o, const char *key, const char *value)
{
	if (value)
		(void)cJSON_AddStringToObject(o, key, value);
}

static int add_number(cJSON *o, const char *key, const char *value, int (*parse)(const char *, uint64_t *, const char **))
{
	const char *why;
	uint64_t n;

	if (!value)
		return EXIT_WELL;
	if (parse(value, &n, &why)) {
		say("traffic: --%s %s: %s", key, value, why);
		return EXIT_USAGE;
	}
	(void)cJSON_AddNumberToObject(o, key, (double)n);
	return EXIT_WELL;
}

static int parse_count(const char *text, uint64_t *ret, const char **why)
{
	*why = "want a whole number from 1 to 4294967295";
	return parse_number(text, 1, UINT32_MAX, ret);
}

static int make_question(const struct traffic_options *o, cJSON *q)
{
	int status;

	if (!o->client) {
		say("traffic: who shall send? usage: tunlab traffic --client C (`tunlab status` lists the clients)");
		return EXIT_USAGE;
	}
	add_text(q, "op", "traffic.start");
	add_text(q, "client", o->client);
	add_text(q, "to", o->to);
	add_text(q, "proto", o->proto);
	add_text(q, "rate", o->rate);
	add_text(q, "duration", o->duration);
	(void)cJSON_AddBoolToObject(q, "poisson", o->poisson);
	(void)cJSON_AddBoolToObject(q, "watch", true);
	status = add_number(q, "size", o->size, parse_size);
	return status == EXIT_WELL ? add_number(q, "count", o->count, parse_count) : status;
}

/* ---- printing ---- */

struct progress {
	double elapsed_s, sent; /* of the line before */
	char *last;             /* the newest figures, JSON */
};

static double number(const cJSON *o, const char *key)
{
	const cJSON *item = cJSON_GetObjectItem(o, key);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static double loss_percent(const cJSON *o)
{
	double sent = number(o, "sent");

	return sent > 0 ? 100 * (1 - number(o, "received") / sent) : 0;
}

static void print_rtt(const cJSON *o)
{
	const cJSON *rtt = cJSON_GetObjectItem(o, "rtt_ms");

	if (cJSON_IsObject(rtt))
		printf("  rtt %.3f ms", number(rtt, "avg"));
}

static void print_line(struct progress *p, const cJSON *o)
{
	double elapsed = number(o, "elapsed_s"), sent = number(o, "sent");
	double span = elapsed - p->elapsed_s;

	if (span <= 0)
		return; /* still warming up */
	/* Missing is what was sent and has not arrived: still under way, or lost. */
	printf("%7.1f s  %8.0f pps  sent %.0f  received %.0f  missing %.0f", elapsed, (sent - p->sent) / span, sent,
	       number(o, "received"), sent - number(o, "received"));
	print_rtt(o);
	printf("\n");
	(void)fflush(stdout); /* a reader that is gone shows at the next line */
	p->elapsed_s = elapsed;
	p->sent = sent;
}

static int summarise(const struct traffic_options *o, const char *last)
{
	cJSON *g = last ? cJSON_Parse(last) : NULL;
	const cJSON *rtt = cJSON_GetObjectItem(g, "rtt_ms");
	int status = number(g, "received") > 0 ? EXIT_WELL : EXIT_CHECK_FAILED;

	if (o->json || !g) {
		cJSON_Delete(g);
		return status;
	}
	printf("--- %s: %.0f sent in %.1f s, %.0f received, %.2f%% lost, %.0f duplicates, %.0f reordered\n",
	       cJSON_GetStringValue(cJSON_GetObjectItem(g, "client")) ?: o->client, number(g, "sent"), number(g, "elapsed_s"),
	       number(g, "received"), loss_percent(g), number(g, "duplicates"), number(g, "reordered"));
	if (cJSON_IsObject(rtt))
		printf("--- rtt min/avg/p50/p90/p99/max = %.3f/%.3f/%.3f/%.3f/%.3f/%.3f ms\n", number(rtt, "min"), number(rtt, "avg"),
		       number(rtt, "p50"), number(rtt, "p90"), number(rtt, "p99"), number(rtt, "max"));
	if (number(g, "missed") > 0)
		printf("--- %.0f more were due: the rate could not be kept\n", number(g, "missed"));
	if (number(g, "send_errors") > 0)
		printf("--- %.0f packets were refused by the sender's own kernel (larger than the inner MTU?)\n", number(g, "send_errors"));
	cJSON_Delete(g);
	return status;
}

static void show(const struct traffic_options *o, struct progress *p, char *line)
{
	if (o->json) {
		printf("%s\n", line);
		(void)fflush(stdout);
	} else {
		cJSON *g = cJSON_Parse(line);

		print_line(p, g);
		cJSON_Delete(g);
	}
	free(p->last);
	p->last = line;
}

/* ---- the conversation ---- */

static int open_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void ask_to_stop(int fd, double id)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "{\"op\":\"traffic.stop\",\"id\":%.0f}", id);
	(void)control_send(fd, text); /* a lab that is gone ends the connection, which is heard */
}

/* Lines until the lab says the generator is done by closing the connection. The first Ctrl-C asks for that; the second leaves. */
static int listen_to(const struct traffic_options *o, int fd, double id, struct progress *p, int *ret_signal)
{
	struct pollfd ready[2] = { { .fd = fd, .events = POLLIN }, { .fd = open_signals(), .events = POLLIN } };

	for (bool stopping = false;;) {
		int status;
		char *line;

		if (poll(ready, 2, -1) < 0 && errno != EINTR)
			return EXIT_MACHINE;
		if (ready[1].revents && stopping)
			return EXIT_WELL;
		if (ready[1].revents) {
			struct signalfd_siginfo info;

			stopping = read(ready[1].fd, &info, sizeof(info)) == sizeof(info);
			*ret_signal = stopping ? (int)info.ssi_signo : 0;
			ask_to_stop(fd, id);
		}
		if (!ready[0].revents)
			continue;
		if (control_receive(fd, &line, NULL))
			return EXIT_WELL;
		status = refusal_status(line);
		if (status == EXIT_WELL && strncmp(line, "{\"stopped\"", 10) != 0) {
			show(o, p, line);
			continue;
		}
		free(line);
		if (status != EXIT_WELL)
			return status;
	}
}

static int run(const void *given, char *const *args, int n_args)
{
	const struct traffic_options *o = given;
	struct progress progress = { 0 };
	cJSON *q = cJSON_CreateObject(), *answer;
	char *text;
	double id;
	int fd, signal = 0, status = make_question(o, q);

	(void)args;
	(void)n_args;
	if (status != EXIT_WELL) {
		cJSON_Delete(q);
		return status;
	}
	status = open_lab(o->lab, q, &fd);
	if (status == EXIT_WELL)
		status = hear_lab(fd, &text, NULL);
	if (status != EXIT_WELL)
		return status;
	answer = cJSON_Parse(text);
	id = number(answer, "id");
	cJSON_Delete(answer);
	free(text);
	status = listen_to(o, fd, id, &progress, &signal);
	(void)close(fd);
	if (status == EXIT_WELL)
		status = summarise(o, progress.last);
	if (signal && signal != SIGINT) /* Ctrl-C is how one ends this command; others end it from outside */
		status = EXIT_SIGNAL + signal;
	free(progress.last);
	return status;
}

const struct command cmd_traffic = {
	.name = "traffic",
	.args = "--client C",
	.summary = "Send traffic from one client of the running lab, until Ctrl-C.",
	.details = "The traffic shows on the page and in `tunlab status` like the scenario's own. Exit status 1 if nothing arrived.\n\n"
		   "  sudo tunlab traffic --client 3 --rate 500pps             a noisy client: find it on the page\n"
		   "  sudo tunlab traffic --client c0 --to host5 --proto ping --count 10\n",
	.options = options,
	.options_size = sizeof(struct traffic_options),
	.run = run,
};
