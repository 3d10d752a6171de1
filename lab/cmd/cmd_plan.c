/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab check, tunlab plan: what a scenario says, without building it and without root. */
#include <stdio.h>
#include <stdlib.h>

#include "lab/cmd/source.h"

struct plan_options {
	bool json, dot;
	struct text_list set;
};

#define AT(field) offsetof(struct plan_options, field)

static const struct command_option check_options[] = {
	{ "set", OPTION_LIST, AT(set), "SECTION.KEY=VALUE", "change a value of the scenario (repeatable)" },
	{ 0 },
};

static const struct command_option plan_options[] = {
	{ "json", OPTION_FLAG, AT(json), NULL, "as JSON" },
	{ "dot", OPTION_FLAG, AT(dot), NULL, "as a Graphviz graph: tunlab plan --dot | dot -Tsvg >lab.svg" },
	{ "set", OPTION_LIST, AT(set), "SECTION.KEY=VALUE", "change a value of the scenario (repeatable)" },
	{ 0 },
};

static int check(const void *given, char *const *args, int n_args)
{
	const struct plan_options *o = given;
	struct scenario *scn;
	struct plan *plan;
	int status = source_load(n_args ? args[0] : NULL, &o->set, 0, &scn, &plan);

	if (status != EXIT_WELL)
		return status;
	printf("%s: ok: %u hosts, %u VNIs, %u clients, %u generators, %zu checks\n", scn->file, plan->n_hosts, plan->n_vnis,
	       plan->n_clients, plan->n_generators, scn->n_checks);
	plan_free(plan);
	scenario_free(scn);
	return EXIT_WELL;
}

static int plan(const void *given, char *const *args, int n_args)
{
	const struct plan_options *o = given;
	struct scenario *scn;
	struct plan *p;
	char *text;
	int status;

	if (o->json && o->dot) {
		say("plan: --json and --dot exclude each other");
		return EXIT_USAGE;
	}
	status = source_load(n_args ? args[0] : NULL, &o->set, 0, &scn, &p);
	if (status != EXIT_WELL)
		return status;
	text = o->json ? plan_json(p) : o->dot ? plan_dot(p) : plan_text(p);
	if (text) {
		printf("%s%s", text, o->json ? "\n" : "");
	} else {
		say("out of memory");
		status = EXIT_MACHINE;
	}
	free(text);
	plan_free(p);
	scenario_free(scn);
	return status;
}

const struct command cmd_check = {
	.name = "check",
	.args = "[SCENARIO]",
	.summary = "Validate a scenario: every mistake as FILE:LINE: message, exit status 2. Needs no root.",
	.options = check_options,
	.options_size = sizeof(struct plan_options),
	.max_args = 1,
	.more_details = check_metrics_help,
	.run = check,
};

const struct command cmd_plan = {
	.name = "plan",
	.args = "[SCENARIO]",
	.summary = "Show what would be built, with limits checked. Needs no root.",
	.options = plan_options,
	.options_size = sizeof(struct plan_options),
	.max_args = 1,
	.run = plan,
};
