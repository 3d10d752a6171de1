/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab replay: the flow table of a capture. Needs no privilege. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "lab/cmd/command.h"
#include "lab/cmd/names_file.h"
#include "lab/run.h"
#include "lab/scenario/scenario.h"
#include "lab/watch/capture.h"
#include "monitor/ports.h"
#include "monitor/replay.h"
#include "monitor/view.h"
#include "ui/server.h"

struct replay_options {
	bool json, serve;
	const char *by, *top, *listen, *names;
	struct text_list port;
};

#define AT(field) offsetof(struct replay_options, field)

static const struct command_option options[] = {
	{ "by", OPTION_TEXT, AT(by), "WHAT", "outer, inner, vni, host or flow (default flow)" },
	{ "top", OPTION_TEXT, AT(top), "N", "only the N biggest" },
	{ "json", OPTION_FLAG, AT(json), NULL, "as JSON, in one line" },
	{ "serve", OPTION_FLAG, AT(serve), NULL, "open it in the page, with its own time axis" },
	{ "listen", OPTION_TEXT, AT(listen), "ADDR:PORT", "where the page is served (default 127.0.0.1:8080; port 0: any)" },
	{ "names", OPTION_TEXT, AT(names), "FILE", "names of addresses, as in hosts(5)" },
	{ "port", OPTION_LIST, AT(port), PORTS_HELP, "UDP ports, as vxlan=4789,8472 (repeatable; vxlan, vxlan-gpe, geneve, gtp-u)" },
	{ 0 },
};

static int read_options(const struct replay_options *o, struct flow_query *ret, struct flow_port *ports)
{
	struct error err;
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
	memcpy(ports, flow_ports_default, FLOW_PORTS_MAX * sizeof(*ports));
	for (size_t i = 0; i < o->port.n; i++)
		if (ports_change(ports, o->port.v[i], &err)) {
			say("replay: --port %s", err.text);
			return EXIT_USAGE;
		}
	if (o->listen && !o->serve) {
		say("replay: --listen goes with --serve");
		return EXIT_USAGE;
	}
	if (o->serve && (o->json || o->by || o->top)) {
		say("replay: --serve opens the page, which groups and sorts by itself: leave out --json, --by and --top");
		return EXIT_USAGE;
	}
	return EXIT_WELL;
}

/* ---- progress, on a terminal only ---- */

enum { SHOW_EVERY_NS = 200000000 };

struct display {
	uint64_t begin_ns, shown_ns; /* shown_ns 0: nothing stands on the line */
	int pass;                    /* of two; 0: there is one only */
};

static bool show_progress(void *arg, const struct replay_progress *p)
{
	struct display *d = arg;
	uint64_t now = now_ns();

	if (now - (d->shown_ns ? d->shown_ns : d->begin_ns) < SHOW_EVERY_NS)
		return true;
	d->shown_ns = now;
	fprintf(stderr, "\r\033[K%s%.1f million packets, %.1f million a second", d->pass == 1 ? "looking for its span: " : "",
		(double)p->packets / 1e6, (double)p->packets * 1e3 / (double)(now - d->begin_ns));
	if (p->bytes)
		fprintf(stderr, ", %.0f %%", 100.0 * (double)p->bytes_read / (double)p->bytes);
	return true;
}

static bool show_pass(void *arg, int pass, const struct replay_progress *p)
{
	struct display *d = arg;

	if (pass != d->pass)
		d->begin_ns = now_ns();
	d->pass = pass;
	return show_progress(arg, p);
}

/* ---- the command ---- */

static int serve(const struct replay_options *o, const char *path, const struct flow_port *ports, const struct name_table *names)
{
	struct display display = { .begin_ns = now_ns() };
	const struct capture_config config = {
		.path = path, .listen = o->listen ?: RUN_LISTEN_DEFAULT, .ports = ports, .names = names,
		.progress = isatty(STDERR_FILENO) ? show_pass : NULL, .progress_arg = &display,
	};
	struct error err;
	int r = server_probe(config.listen, &err); /* before hours of reading */

	if (!r)
		return capture_serve(&config);
	say("%s", err.text);
	return status_of(r);
}

/* Flows as a sample, which is what views show. Hosts are made of their addresses only where somebody asks for them. */
static char *view_capture(const char *path, const struct flow_query *q, struct flow_table *table, const struct replay_span *span,
			  struct seen_log *seen)
{
	const struct sample_source source = {
		.kind = SAMPLE_CAPTURE, .flows = table, .seen = seen, .zero_ns = span->first_ns, .unix_s = (double)span->last_ns / 1e9,
	};
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

static int show(const struct replay_options *o, const char *path, const struct flow_query *query, const struct flow_port *ports,
		const struct name_table *names)
{
	bool named = o->names || query->by == BY_HOST;
	struct display display = { .begin_ns = now_ns() };
	struct replay_config config = { .ports = ports, .progress = isatty(STDERR_FILENO) ? show_progress : NULL, .progress_arg = &display };
	struct flow_table table = { 0 };
	struct replay_span span = { 0 };
	struct seen_log seen = { .names = names };
	struct error err;
	int r, status = EXIT_WELL;

	r = replay_file(path, &config, &table, &span, &err);
	if (display.shown_ns)
		fputs("\r\033[K", stderr);
	if (!r || table.total.dir[FLOW_TX].seen)
		status = print_document(view_capture(path, query, &table, &span, named ? &seen : NULL), o->json, make_table);
	flows_free(&table);
	seen_log_free(&seen);
	if (r) { /* after what was read up to there */
		say("%s", err.text);
		return r == -ENOMEM ? EXIT_MACHINE : EXIT_USAGE;
	}
	return status;
}

static int replay(const void *given, char *const *args, int n_args)
{
	const struct replay_options *o = given;
	struct flow_port ports[FLOW_PORTS_MAX];
	struct name_table names = { 0 };
	struct flow_query query;
	int status = read_options(o, &query, ports);

	(void)n_args;
	if (status == EXIT_WELL && o->names)
		status = names_file_read(o->names, &names);
	if (status == EXIT_WELL)
		status = o->serve ? serve(o, args[0], ports, &names) : show(o, args[0], &query, ports, &names);
	name_table_free(&names);
	return status;
}

const struct command cmd_replay = {
	.name = "replay",
	.args = "FILE",
	.summary = "Show the flow table of a capture (pcap, pcapng); needs no privilege.",
	.details = "FILE may be larger than memory; - is standard input. VXLAN (ports 4789, 8472), VXLAN-GPE, GENEVE, GRE, GRETAP,\n"
		   "NVGRE, ERSPAN, IP in IP and GTP-U are decoded, at their first boundary. bytes are original lengths, also of\n"
		   "packets that were captured in part.\n\n"
		   "--serve shows it in the page: its seconds are the history, in longer steps where it lasts for more than ten minutes.\n\n"
		   "  tunlab replay FILE --by outer --top 10    who talks to whom in the underlay\n"
		   "  tunlab replay FILE --serve                look at http://127.0.0.1:8080/\n"
		   "  gzip -dc FILE.gz | tunlab replay -        a packed one\n",
	.options = options,
	.options_size = sizeof(struct replay_options),
	.min_args = 1,
	.max_args = 1,
	.run = replay,
};
