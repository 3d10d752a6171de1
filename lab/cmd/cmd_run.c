/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab run: options to scenario settings, detaching, and the judge; the lab itself is run.c's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/cmd/source.h"
#include "lab/run.h"
#include "lab/verdict/judge.h"
#include "ui/server.h"

#define AT(field) offsetof(struct run_options, field)

static const struct command_option options[] = {
	{ "headless", OPTION_FLAG, AT(headless), NULL, "no page; ends when the scenario's duration is over" },
	{ "assert", OPTION_FLAG, AT(judge), NULL, "judge the scenario's checks at the end; the exit status tells" },
	{ "duration", OPTION_TEXT, AT(duration), "T", "end after T (10s, 2m), whatever the scenario says" },
	{ "listen", OPTION_TEXT, AT(listen), "ADDR:PORT", "where the page is served (default 127.0.0.1:8080; port 0: any)" },
	{ "name", OPTION_TEXT, AT(name), "LAB", "the lab's name (default: the scenario's)" },
	{ "detach", OPTION_FLAG, AT(detach), NULL, "return once the lab is ready; `tunlab stop` ends it" },
	{ "seed", OPTION_TEXT, AT(seed), "N", "of everything random" },
	{ "parser", OPTION_TEXT, AT(parser_name), "PARSER", "direct or tailcall: how the monitor walks a packet (default direct)" },
	{ "stats", OPTION_FLAG, AT(stats), NULL, "have the kernel measure its BPF programs meanwhile, all of them: shows the monitor's cost" },
	{ "set", OPTION_LIST, AT(set), "SECTION.KEY=VALUE", "change a value of the scenario (repeatable)" },
	{ "report", OPTION_LIST, AT(report), "FORMAT[:FILE]", "tap, junit, json or html (repeatable; default: tap on standard output)" },
	{ 0 },
};

/* --name, --duration and --seed are settings of [lab]: the same checks, the same messages. */
static int add_setting(struct text_list *set, const char *key, const char *value, char **ret_owned)
{
	const char **grown;

	if (!value)
		return EXIT_WELL;
	grown = realloc(set->v, (set->n + 1) * sizeof(*grown));
	if (grown)
		set->v = grown;
	if (!grown || asprintf(ret_owned, "lab.%s=%s", key, value) < 0) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	set->v[set->n++] = *ret_owned;
	return EXIT_WELL;
}

/* A riddle that is the same each time is none: who is secret hangs on the seed, which nobody learns before the end. */
static int hide_secret(struct scenario *scn, struct plan **plan)
{
	enum { SEEDS = 1000000 }; /* as many as are easy to pass on; the plan never says who is behind one */
	struct scn_errors errors = { 0 };
	struct plan *hidden;
	uint64_t random;

	if (!plan_secret(*plan) || scn->key_line[LAB_SEED])
		return EXIT_WELL;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
		say("cannot draw a seed: %s", strerror(errno));
		return EXIT_MACHINE;
	}
	scn->seed = random % SEEDS;
	if (plan_make(scn, &hidden, &errors)) {
		say("cannot plan with another seed: %s", errors.n ? errors.text[0] : "out of memory");
		scn_errors_free(&errors);
		return EXIT_MACHINE;
	}
	plan_free(*plan);
	*plan = hidden;
	return EXIT_WELL;
}

static int load(const struct run_options *o, const char *file, struct scenario **ret_scn, struct plan **ret_plan)
{
	struct text_list set = { malloc((o->set.n + 1) * sizeof(char *)), o->set.n };
	char *owned[3] = { NULL };
	int status = set.v ? EXIT_WELL : EXIT_MACHINE;

	for (size_t i = 0; set.v && i < set.n; i++)
		set.v[i] = o->set.v[i];
	if (status == EXIT_WELL)
		status = add_setting(&set, "name", o->name, &owned[0]);
	if (status == EXIT_WELL)
		status = add_setting(&set, "duration", o->duration, &owned[1]);
	if (status == EXIT_WELL)
		status = add_setting(&set, "seed", o->seed, &owned[2]);
	if (status == EXIT_WELL)
		status = source_load(file, &set, set.n - o->set.n, ret_scn, ret_plan);
	for (size_t i = 0; i < 3; i++)
		free(owned[i]);
	free(set.v);
	return status;
}

/* ---- detaching: the parent waits for one byte, which says that the lab is ready ---- */

struct detached {
	int ready_fd; /* -1: not detached */
};

/* False: the parent has gone meanwhile (Ctrl-C), and nobody knows of this lab. */
static bool on_ready(void *arg)
{
	struct detached *d = arg;
	bool heard;
	int null;

	if (d->ready_fd < 0)
		return true;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		(void)dup2(null, fd); /* the terminal belongs to the parent's shell again */
	if (null > 2)
		(void)close(null);
	heard = write(d->ready_fd, "", 1) == 1;
	(void)close(d->ready_fd);
	d->ready_fd = -1;
	return heard;
}

static int wait_for_child(pid_t child, int fd)
{
	char byte;
	int status;

	if (read(fd, &byte, 1) == 1)
		return EXIT_WELL;
	if (waitpid(child, &status, 0) < 0)
		return EXIT_MACHINE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNAL + WTERMSIG(status);
}

/* Returns the exit status in the parent, -1 in the child that goes on. */
static int detach(struct detached *d)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) || (child = fork()) < 0) {
		say("cannot detach: %s", strerror(errno));
		return EXIT_MACHINE;
	}
	if (child) {
		(void)close(ends[1]);
		return wait_for_child(child, ends[0]);
	}
	(void)close(ends[0]);
	(void)setsid();
	d->ready_fd = ends[1];
	return -1;
}

static int run_judged(const struct run_options *o, const struct scenario *scn, const struct plan *plan, uint64_t started_ns)
{
	struct detached d = { .ready_fd = -1 };
	struct judge *judge = NULL;
	struct error err;
	int status;

	/* Asked before anything is built, so that a taken port leaves nothing half-made. */
	status = o->headless ? 0 : server_probe(run_listen_address(o), &err);
	if (status) {
		say("%s", err.text);
		return status_of(status);
	}
	if (o->judge && judge_open(plan, &o->report, &judge, &err)) {
		say("%s", err.text);
		return EXIT_USAGE;
	}
	status = o->detach ? detach(&d) : -1;
	if (status < 0)
		status = run_lab(o, scn, plan, judge, started_ns, on_ready, &d);
	judge_free(judge);
	return status;
}

static int run(const void *given, char *const *args, int n_args)
{
	struct run_options o = *(const struct run_options *)given;
	uint64_t started_ns = now_ns();
	struct scenario *scn;
	struct plan *plan;
	struct error err;
	int parser = monitor_parser_find(o.parser_name, &err), status;

	if (parser < 0) {
		say("run: %s", err.text);
		return EXIT_USAGE;
	}
	o.parser = parser;
	status = load(&o, n_args ? args[0] : NULL, &scn, &plan);
	if (status != EXIT_WELL)
		return status;
	if (o.report.n && !o.judge) {
		say("run: --report goes with --assert");
		status = EXIT_USAGE;
	} else if (o.detach && o.judge && !o.report.n) {
		say("run: with --detach nobody sees the verdict: add --report FORMAT:FILE");
		status = EXIT_USAGE;
	} else if (o.headless && o.listen) {
		say("run: --listen and --headless exclude each other");
		status = EXIT_USAGE;
	} else {
		status = hide_secret(scn, &plan);
		if (status == EXIT_WELL)
			status = run_judged(&o, scn, plan, started_ns);
	}
	plan_free(plan);
	scenario_free(scn);
	return status;
}

const struct command cmd_run = {
	.name = "run",
	.args = "[SCENARIO]",
	.summary = "Build the lab, start traffic and monitor, serve the page; Ctrl-C or `tunlab stop` ends it.",
	.details = "SCENARIO is a file, or the name of one inside tunlab: default, skewed, mystery, isolation, lossy, flap, outage,\n"
		   "burst, mesh, mtu, broken-vni, idle.\n"
		   "Without one: the default lab, nine hosts and four VNIs.\n\n"
		   "  sudo tunlab run skewed                       look at http://127.0.0.1:8080/\n"
		   "  sudo tunlab run skewed --headless --assert   judge it, as CI does\n"
		   "  sudo tunlab run --set lab.hosts=12 --set \"vni 10001.subnet=10.1.0.0/24\"\n",
	.options = options,
	.options_size = sizeof(struct run_options),
	.max_args = 1,
	.run = run,
};
