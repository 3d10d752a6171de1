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

static double number(const cJSON *o, const char *key)
{
	const cJSON *item = cJSON_GetObjectItem(o, key);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static const char *word(const cJSON *o, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(o, key)) ?: "?";
}

/* "67.2 kbit/s" */
static const char *bit_rate(double bps, char *buf, size_t len)
{
	static const char *const units[] = { "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s" };
	size_t unit = 0;

	for (; bps >= 999.5 && unit + 1 < sizeof(units) / sizeof(*units); unit++)
		bps /= 1000;
	(void)snprintf(buf, len, "%.*f %s", bps < 9.995 && unit ? 2 : bps < 99.95 && unit ? 1 : 0, bps, units[unit]);
	return buf;
}

/* A loss of one in a million is not 0 %. */
static double percent(double part, double of)
{
	return of > 0 ? 100 * part / of : 0;
}

/* "c4, c8, c12 and 5 more" */
static const char *peers(const cJSON *o, char *buf, size_t len)
{
	enum { SHOWN = 3 };
	const cJSON *to = cJSON_GetObjectItem(o, "to"), *peer;
	int n = cJSON_GetArraySize(to), i = 0;
	size_t used = 0;

	buf[0] = '\0';
	cJSON_ArrayForEach(peer, to)
		if (used < len && (i++ < SHOWN || n <= SHOWN + 1))
			used += (size_t)snprintf(buf + used, len - used, "%s%s", used ? ", " : "", cJSON_GetStringValue(peer) ?: "?");
	if (n > SHOWN + 1 && used < len)
		(void)snprintf(buf + used, len - used, " and %d more", n - SHOWN);
	return buf;
}

static void print_header(const cJSON *o)
{
	char to[128];

	printf("%s %s (%s, VNI %.0f) to %s\n%s, %s, %.0f bytes (%.0f with the IP header); Ctrl-C ends it\n", word(o, "client"),
	       word(o, "address"), word(o, "host"), number(o, "vni"), peers(o, to, sizeof(to)), word(o, "proto"), word(o, "rate"),
	       number(o, "size"), number(o, "packet_bytes"));
	(void)fflush(stdout);
}

/* "  rtt 0.034  jitter 0.008 ms", or one of them. */
static void print_times(const cJSON *o)
{
	static const char *const times[][2] = { { "rtt_avg_ms", "rtt" }, { "delay_avg_ms", "delay" }, { "jitter_ms", "jitter" } };
	bool any = false;

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		const cJSON *item = cJSON_GetObjectItem(o, times[i][0]);

		if (!cJSON_IsNumber(item))
			continue;
		printf("  %s %.3f", times[i][1], item->valuedouble);
		any = true;
	}
	printf("%s", any ? " ms" : "");
}

static void print_count(const cJSON *o, const char *key, const char *label)
{
	if (number(o, key) > 0)
		printf("  %.0f %s", number(o, key), label);
}

static void print_line(const cJSON *o)
{
	const cJSON *i = cJSON_GetObjectItem(o, "interval");
	double pps = number(i, "pps"), sent = number(i, "sent"), received = number(i, "received"), lost = number(i, "lost");
	char rate[32];

	if (strcmp(word(o, "state"), "warming") == 0 || strcmp(word(o, "state"), "ready") == 0) {
		printf("waiting for %s\n", strcmp(word(o, "state"), "ready") == 0 ? "the lab's clock" : "the peers to tell their MAC addresses");
	} else {
		printf("%5.1f s %8.*f pps %11s", number(o, "elapsed_s"), pps < 9.95 && pps > 0 ? 1 : 0, pps,
		       bit_rate(number(i, "bps"), rate, sizeof(rate)));
		if (sent > 0 && received == 0)
			printf("  nothing %s of %.0f sent", strcmp(word(o, "proto"), "ping") == 0 ? "came back" : "arrived", sent);
		else
			printf("  lost %.0f/%.0f (%.3g%%)", lost, received + lost, percent(lost, received + lost));
		print_times(i);
		print_count(i, "duplicates", "duplicates");
		print_count(i, "reordered", "reordered");
		print_count(i, "send_errors", "refused");
		printf("\n");
	}
	(void)fflush(stdout); /* a reader that is gone shows at the next line */
}

static void print_quantiles(const cJSON *o, const char *key, const char *label)
{
	const cJSON *t = cJSON_GetObjectItem(o, key);

	if (!cJSON_IsObject(t))
		return;
	printf("%s min/avg/p50/p90/p99/max = %.3f/%.3f/%.3f/%.3f/%.3f/%.3f ms\n", label, number(t, "min"), number(t, "avg"),
	       number(t, "p50"), number(t, "p90"), number(t, "p99"), number(t, "max"));
}

/* What the user should know of how the figures came about. */
static void print_remarks(const cJSON *o)
{
	double late = number(o, "late"), missed = number(o, "missed");

	if (cJSON_IsNumber(cJSON_GetObjectItem(o, "jitter_ms")))
		printf("jitter %.3f ms; ", number(o, "jitter_ms"));
	printf("departures at most %.3f ms late\n", number(o, "slip_max_ms"));
	if (cJSON_IsNumber(cJSON_GetObjectItem(o, "cold_ms")))
		printf("neighbours resolved in %.3f ms before the first packet\n", number(o, "cold_ms"));
	else
		printf("neighbours were told, for so many questions would flood this VNI\n");
	if (number(o, "unresolved") > 0)
		printf("%.0f of %.0f peers did not answer for their address: is the way to them up?\n", number(o, "unresolved"),
		       number(o, "peers"));
	if (late > 0)
		printf("%.0f left more than 5 ms late: this machine stalled, or is too slow for this\n", late);
	if (missed > 0)
		printf("%.0f more were due and not sent: this machine could not keep the rate\n", missed);
	if (number(o, "send_errors") > 0)
		printf("%.0f refused by the sender's own kernel: larger than the inner MTU, or no way out?\n",
		       number(o, "send_errors"));
}

/* Of what was sent between the first departure and the last there is one interval less than packets. */
static double mean_pps(const cJSON *o)
{
	double sent = number(o, "sent"), elapsed = number(o, "elapsed_s");

	return elapsed > 0 && sent > 1 ? (sent - 1) / elapsed : 0;
}

static void print_summary(const cJSON *o)
{
	double sent = number(o, "sent"), pps = mean_pps(o);
	char to[128], rate[32];

	printf("--- %s to %s, %s ---\n", word(o, "client"), peers(o, to, sizeof(to)), word(o, "proto"));
	printf("%.0f sent in %.3f s", sent, number(o, "elapsed_s"));
	if (pps > 0)
		printf(" (%.*f pps, %s)", pps < 1000 ? 1 : 0, pps, bit_rate(pps * 8 * number(o, "bytes") / sent, rate, sizeof(rate)));
	printf(", %.0f received\n%.0f lost (%.3g%%), %.0f duplicates, %.0f reordered\n", number(o, "received"), number(o, "lost"),
	       percent(number(o, "lost"), sent), number(o, "duplicates"), number(o, "reordered"));
	print_quantiles(o, "rtt_ms", "rtt");
	print_quantiles(o, "delay_ms", "delay");
	print_remarks(o);
	(void)fflush(stdout);
}

/* Exit status 1 if nothing arrived; takes the text. */
static int show(const struct traffic_options *o, char *line)
{
	cJSON *g = cJSON_Parse(line);
	bool summary = strcmp(word(g, "type"), "summary") == 0;
	int status = summary && number(g, "received") == 0 ? EXIT_CHECK_FAILED : EXIT_WELL;

	if (o->json) {
		printf("%s\n", line);
		(void)fflush(stdout);
	} else if (summary) {
		print_summary(g);
	} else {
		print_line(g);
	}
	cJSON_Delete(g);
	free(line);
	return status;
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

/* Lines until the lab says the generator is done by its summary and the end of the connection. The first Ctrl-C asks for that; the
 * second leaves. */
static int listen_to(const struct traffic_options *o, int fd, double id, int *ret_signal)
{
	struct pollfd ready[2] = { { .fd = fd, .events = POLLIN }, { .fd = open_signals(), .events = POLLIN } };
	int outcome = EXIT_CHECK_FAILED; /* without a summary nothing is known to have arrived */

	for (bool stopping = false;;) {
		int status;
		char *line;

		if (poll(ready, 2, -1) < 0) {
			if (errno != EINTR)
				return EXIT_MACHINE;
			continue; /* nothing was written to revents */
		}
		if (ready[1].revents && stopping)
			return outcome;
		if (ready[1].revents) {
			struct signalfd_siginfo info;

			stopping = read(ready[1].fd, &info, sizeof(info)) == sizeof(info);
			*ret_signal = stopping ? (int)info.ssi_signo : 0;
			ask_to_stop(fd, id);
		}
		if (!ready[0].revents)
			continue;
		if (control_receive(fd, &line, NULL))
			return outcome;
		status = refusal_status(line);
		if (status == EXIT_WELL && strncmp(line, "{\"stopped\"", 10) != 0) {
			outcome = show(o, line);
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
	if (!o->json)
		print_header(answer);
	cJSON_Delete(answer);
	free(text);
	status = listen_to(o, fd, id, &signal);
	(void)close(fd);
	if (signal && signal != SIGINT) /* Ctrl-C is how one ends this command; others end it from outside */
		status = EXIT_SIGNAL + signal;
	return status;
}

const struct command cmd_traffic = {
	.name = "traffic",
	.args = "--client C",
	.summary = "Send traffic from one client of the running lab, until Ctrl-C.",
	.details = "The traffic shows on the page and in `tunlab status` like the scenario's own. Pings are timed there and back (rtt), UDP one\n"
		   "way (delay). Lost is what later packets have overtaken, or has not come for a second. Exit status 1 if nothing arrived.\n\n"
		   "  sudo tunlab traffic --client 3 --rate 500pps             a noisy client: find it on the page\n"
		   "  sudo tunlab traffic --client c0 --to host5 --proto ping --count 10\n",
	.options = options,
	.options_size = sizeof(struct traffic_options),
	.run = run,
};
