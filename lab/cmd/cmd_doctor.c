/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab doctor: what this machine has and lacks for a lab, a line each. Looking is lab/doctor's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/emit.h"
#include "base/text.h"
#include "lab/cmd/source.h"
#include "lab/doctor/doctor.h"
#include "lab/run.h"

struct doctor_options {
	bool json;
};

static const struct command_option options[] = {
	{ "json", OPTION_FLAG, offsetof(struct doctor_options, json), NULL, "as JSON" },
	{ 0 },
};

static const struct {
	const char *name, *colour;
} states[FINDING_STATE_MAX] = {
	[FINDING_OK] = { "ok", "32" }, [FINDING_NOTE] = { "note", "33" }, [FINDING_MISSING] = { "missing", "31" },
	[FINDING_UNSEEN] = { "unseen", "36" },
};

static unsigned count(const struct findings *f, enum finding_state state)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->n; i++)
		n += f->v[i].state == state;
	return n;
}

static char *as_json(const struct findings *f)
{
	struct emit e = { 0 };

	emit_object(&e, NULL);
	emit_string(&e, "schema", "tunlab.doctor/1");
	emit_bool(&e, "ok", !count(f, FINDING_MISSING));
	emit_array(&e, "items");
	for (unsigned i = 0; i < f->n; i++) {
		emit_object(&e, NULL);
		emit_string(&e, "name", f->v[i].name);
		emit_string(&e, "state", states[f->v[i].state].name);
		emit_string(&e, "detail", f->v[i].detail);
		emit_string(&e, "remedy", *f->v[i].remedy ? f->v[i].remedy : NULL);
		emit_object_end(&e);
	}
	emit_array_end(&e);
	emit_object_end(&e);
	return emit_take(&e);
}

static char *as_text(const struct findings *f)
{
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	unsigned missing = count(f, FINDING_MISSING), unseen = count(f, FINDING_UNSEEN);
	struct text t = { 0 };

	for (unsigned i = 0; i < f->n; i++) {
		const struct finding *x = &f->v[i];

		text_printf(&t, "%s%s%s%s%s", colour ? "\033[" : "", colour ? states[x->state].colour : "", colour ? "m" : "",
			    states[x->state].name, colour ? "\033[0m" : "");
		text_char(&t, ' ', 9 - strlen(states[x->state].name));
		text_printf(&t, "%-14s %s%s%s\n", x->name, x->detail, *x->remedy ? "; remedy: " : "", x->remedy);
	}
	if (missing)
		text_printf(&t, "\nA default lab does not run here: %u missing.\n", missing);
	else
		text_printf(&t, "\nA default lab runs here%s.\n", unseen ? ", as far as could be seen" : "");
	return text_take(&t);
}

static int run(const void *given, char *const *args, int n_args)
{
	const struct doctor_options *o = given;
	struct findings f = { 0 };
	struct scenario *scn;
	struct plan *plan;
	char *text;
	int status = source_load(NULL, &(struct text_list) { 0 }, 0, &scn, &plan);

	(void)args;
	(void)n_args;
	if (status != EXIT_WELL)
		return status;
	doctor_kernel(&f);
	doctor_machine(&f, plan, run_files_needed(plan));
	plan_free(plan);
	scenario_free(scn);
	text = o->json ? as_json(&f) : as_text(&f);
	if (!text) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	printf("%s%s", text, o->json ? "\n" : "");
	free(text);
	return count(&f, FINDING_MISSING) ? EXIT_MACHINE : EXIT_WELL;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.args = "",
	.summary = "Say what this machine has and lacks for a lab, with the remedies.",
	.details = "ok, note (a default lab runs, something else does not), missing, unseen (could not be looked at).\n"
		   "Exit status 0 when a default lab can run, 3 otherwise. Nothing is changed; what the kernel can do is tried in a\n"
		   "namespace that is thrown away, so that the kernel may load a module it has.\n",
	.options = options,
	.options_size = sizeof(struct doctor_options),
	.run = run,
};
