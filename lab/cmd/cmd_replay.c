/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab replay: the flow table of a capture. Needs no privilege. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "lab/cmd/command.h"
#include "lab/scenario/scenario.h"
#include "monitor/replay.h"
#include "monitor/view.h"

struct replay_options {
	bool json;
	const char *by, *top;
};

#define AT(field) offsetof(struct replay_options, field)

static const struct command_option options[] = {
	{ "by", OPTION_TEXT, AT(by), "WHAT", "outer, inner, vni, host or flow (default flow)" },
	{ "top", OPTION_TEXT, AT(top), "N", "only the N biggest" },
	{ "json", OPTION_FLAG, AT(json), NULL, "as JSON, in one line" },
	{ 0 },
};

static int read_options(const struct replay_options *o, struct flow_query *ret)
{
	uint64_t top = 0;

	*ret = FLOW_QUERY_ALL;
	while (o->by && (ret->by == BY_CLIENT || strcmp(o->by, flow_by_names[ret->by]))) {
		if (++ret->by == FLOW_BY_MAX) {
			say("replay: --by %s: want outer, inner, vni, host or flow", o->by);
			return EXIT_USAGE;
		}
	}
	if (o->top && parse_number(o->top, 1, UINT32_MAX, &top)) {
		say("replay: --top %s: want a whole number from 1 to %u", o->top, UINT32_MAX);
		return EXIT_USAGE;
	}
	ret->top = top;
	return EXIT_WELL;
}

/* ---- progress, on a terminal only ---- */

enum { SHOW_EVERY_NS = 200000000 };

struct display {
	uint64_t begin_ns, shown_ns; /* shown_ns 0: nothing stands on the line */
};

static bool show_progress(void *arg, const struct replay_progress *p)
{
	struct display *d = arg;
	uint64_t now = now_ns();

	if (now - (d->shown_ns ? d->shown_ns : d->begin_ns) < SHOW_EVERY_NS)
		return true;
	d->shown_ns = now;
	fprintf(stderr, "\r\033[K%.1f million packets, %.1f million a second", (double)p->packets / 1e6,
		(double)p->packets * 1e3 / (double)(now - d->begin_ns));
	if (p->bytes)
		fprintf(stderr, ", %.0f %%", 100.0 * (double)p->bytes_read / (double)p->bytes);
	return true;
}

/* ---- the command ---- */

/* Flows as a sample, which is what views show: nothing in it has a name. */
static char *view_capture(const char *path, const struct flow_query *q, struct flow_table *table,
			  const struct replay_span *span)
{
	const struct sample_source source = { .kind = SAMPLE_CAPTURE, .flows = table, .zero_ns = span->first_ns, .unix_s = (double)span->last_ns / 1e9 };
	const struct lab_info info = { .name = path };
	struct sample *sample;
	char *json;

	table->read_ns = span->last_ns;
	if (sample_take(&source, &sample))
		return NULL;
	json = view_flows(&info, NULL, sample, q);
	sample_unref(sample);
	return json;
}

static char *make_table(const char *json, unsigned width)
{
	return view_flows_table(json, false, width);
}

static int replay(const void *given, char *const *args, int n_args)
{
	const struct replay_options *o = given;
	struct display display = { .begin_ns = now_ns() };
	struct replay_config config = { .progress = isatty(STDERR_FILENO) ? show_progress : NULL, .progress_arg = &display };
	struct flow_table table = { 0 };
	struct replay_span span = { 0 };
	struct flow_query query;
	struct error err;
	int r, status = read_options(o, &query);

	(void)n_args;
	if (status != EXIT_WELL)
		return status;
	r = replay_file(args[0], &config, &table, &span, &err);
	if (display.shown_ns)
		fputs("\r\033[K", stderr);
	if (!r || table.total.dir[FLOW_TX].seen)
		status = print_document(view_capture(args[0], &query, &table, &span), o->json, make_table);
	flows_free(&table);
	if (r) { /* after what was read up to there */
		say("%s", err.text);
		return r == -ENOMEM ? EXIT_MACHINE : EXIT_USAGE;
	}
	return status;
}

const struct command cmd_replay = {
	.name = "replay",
	.args = "FILE",
	.summary = "Show the flow table of a capture (pcap, pcapng); needs no privilege.",
	.details = "FILE may be larger than memory; - is standard input. VXLAN (ports 4789, 8472), VXLAN-GPE, GENEVE, GRE, GRETAP,\n"
		   "NVGRE, ERSPAN, IP in IP and GTP-U are decoded, at their first boundary. bytes are original lengths, also of\n"
		   "packets that were captured in part.\n",
	.options = options,
	.options_size = sizeof(struct replay_options),
	.min_args = 1,
	.max_args = 1,
	.run = replay,
};
