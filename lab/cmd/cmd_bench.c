/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab bench: measures this program on this machine, beside reference runs. The sections are lab/bench's. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "lab/bench/bench.h"
#include "lab/cmd/command.h"
#include "lab/cmd/privilege.h"

struct bench_options {
	bool json;
	const char *rounds;
};

static const struct command_option options[] = {
	{ "rounds", OPTION_TEXT, offsetof(struct bench_options, rounds), "N", "so many rounds of each (default: what is said below is made of)" },
	{ "json", OPTION_FLAG, offsetof(struct bench_options, json), NULL, "as JSON, at the end" },
	{ 0 },
};

static const struct bench_section *const sections[] = {
	&bench_monitor, &bench_reading, &bench_labs, &bench_traffic, &bench_throughput,
};
enum { N_SECTIONS = sizeof(sections) / sizeof(*sections) };

/* Marks the sections asked for, all if none is. */
static int choose(char *const *args, int n_args, bool ret_chosen[N_SECTIONS])
{
	for (int i = 0; i < N_SECTIONS; i++)
		ret_chosen[i] = n_args == 0;
	for (int a = 0; a < n_args; a++) {
		int i = 0;

		while (i < N_SECTIONS && strcmp(args[a], sections[i]->name) != 0)
			i++;
		if (i == N_SECTIONS) {
			struct text names = { 0 };
			char *list;

			for (int s = 0; s < N_SECTIONS; s++)
				text_printf(&names, "%s%s", s ? ", " : "", sections[s]->name);
			list = text_take(&names);
			say("there is no section '%s': there are %s", args[a], list ?: "some");
			free(list);
			return EXIT_USAGE;
		}
		ret_chosen[i] = true;
	}
	return EXIT_WELL;
}

static int parse_rounds(const char *text, unsigned *ret)
{
	char *end;
	unsigned long n;

	if (!text)
		return EXIT_WELL;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || n < 1 || n > BENCH_ROUNDS_MAX) {
		say("--rounds '%s': a number from 1 to %d is wanted", text, BENCH_ROUNDS_MAX);
		return EXIT_USAGE;
	}
	*ret = (unsigned)n;
	return EXIT_WELL;
}

static unsigned width(void)
{
	struct winsize size;

	return isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? size.ws_col : 0;
}

static void print_section(const struct bench *b, const struct bench_section *s, size_t row, size_t gap)
{
	char *table = bench_table(b, row, width());

	printf("%s%s: %s\n%s", row || gap ? "\n" : "", s->name, s->summary, b->n_rows > row && table ? table : "");
	for (; gap < b->n_gaps; gap++)
		printf("missing: %s: %s\n", b->gaps[gap].what, b->gaps[gap].why);
	(void)fflush(stdout);
	free(table);
}

/* A section that fails is a gap; the others go on. */
static void run_sections(struct bench *b, const bool chosen[N_SECTIONS], bool quiet)
{
	for (int i = 0; i < N_SECTIONS; i++) {
		size_t row = b->n_rows, gap = b->n_gaps;
		struct error err = { "" };

		if (!chosen[i])
			continue;
		b->section = sections[i]->name;
		say_progress("%s: about %u s", sections[i]->name, sections[i]->seconds);
		if (sections[i]->run(b, &err) < 0)
			bench_miss(b, b->n_rows > row ? "the rest" : "all of it", "%s", err.text);
		say_progress(NULL);
		if (!quiet)
			print_section(b, sections[i], row, gap);
	}
}

static int run(const void *given, char *const *args, int n_args)
{
	const struct bench_options *o = given;
	struct bench b = { 0 };
	bool chosen[N_SECTIONS];
	struct error err;
	int status = choose(args, n_args, chosen);

	if (status == EXIT_WELL)
		status = parse_rounds(o->rounds, &b.rounds);
	if (status != EXIT_WELL)
		return status;
	if (privilege_check(&err) < 0) {
		say("%s", err.text);
		return EXIT_MACHINE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	run_sections(&b, chosen, o->json);
	if (o->json) {
		char *json = bench_json(&b);

		if (json)
			puts(json);
		b.failed |= !json;
		free(json);
	}
	if (b.failed)
		say("out of memory: figures are missing");
	status = b.failed || b.n_rows == 0 ? EXIT_MACHINE : EXIT_WELL;
	bench_free(&b);
	return status;
}

const struct command cmd_bench = {
	.name = "bench",
	.args = "[SECTION…]",
	.summary = "Measure this program on this machine, beside reference runs.",
	.details = "Sections, all unless some are named:\n"
		   "  monitor     what the monitor adds to a packet: ns over an empty program, 1, 100 and 10000 flows in turn and at\n"
		   "              random, caches cold; single pass and tail calls, beside two tail calls with one shared hash   about 7 s\n"
		   "  reading     reading 65536 flows from the kernel                                                       about 2 s\n"
		   "  lab         a lab's way up and down, 9 and 100 hosts with 4 VNIs, beside one `ip -batch` a namespace  about 45 s\n"
		   "  traffic     the generators at 100 and 10000 packets a second and at full speed, beside iperf3         about 14 s\n"
		   "  throughput  one TCP stream through the overlay, with the monitor, without, with an empty program      about 25 s\n"
		   "The ratio is tunlab's figure by the reference's, measured beside it: on a busy machine times vary, ratios less.\n"
		   "All of it takes about 95 s. What this machine lacks (ip, iperf3) is named. Ctrl-C ends it and leaves nothing.\n",
	.options = options,
	.options_size = sizeof(struct bench_options),
	.max_args = N_SECTIONS,
	.run = run,
};
