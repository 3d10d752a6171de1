/* SPDX-License-Identifier: Apache-2.0 */
/* When checks are judged, and the reports' files; see judge.h. */
#include "lab/verdict/judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lab/verdict/report.h"

struct output {
	const struct report_format *format;
	FILE *file;
	const char *path; /* NULL: standard output */
};

struct judge {
	const struct plan *plan;
	struct checks *checks;
	struct check_result *results; /* by check; the newest evaluation */
	struct path **paths;          /* by check: of those that failed; behind results[].path */
	bool *settled;
	checks_walk_fn walk;          /* NULL: nothing can be walked */
	void *walk_arg;
	bool drained;
	double drained_s;
	struct output *outputs;
	size_t n_outputs;
};

static void list_formats(char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (const struct report_format *f = report_formats; f->name && at < len; f++)
		at += (size_t)snprintf(buf + at, len - at, "%s%s", at ? ", " : "", f->name);
}

static int open_output(struct judge *j, const char *text, struct error *err)
{
	size_t len = strcspn(text, ":");
	struct output o = { report_format_find(text, len), stdout, text[len] ? text + len + 1 : NULL };
	char known[128];

	if (!o.format) {
		list_formats(known, sizeof(known));
		error_set(err, "cannot report as '%.*s': there are %s", (int)len, text, known);
		return -EINVAL;
	}
	if (o.path && !*o.path) {
		error_set(err, "cannot report to '%s': want a file behind the colon, such as %s:report.%s", text, o.format->name, o.format->name);
		return -EINVAL;
	}
	if (o.path)
		o.file = fopen(o.path, "we");
	if (!o.file) {
		int r = -errno;

		error_set(err, "cannot write the report %s: %s", o.path, strerror(-r));
		return r;
	}
	j->outputs[j->n_outputs++] = o;
	return 0;
}

int judge_open(const struct plan *plan, const struct text_list *reports, struct judge **ret, struct error *err)
{
	struct judge *j = calloc(1, sizeof(*j));
	size_t n = plan->scn->n_checks;
	int r = -ENOMEM;

	error_set(err, "out of memory");
	if (!j)
		return r;
	j->plan = plan;
	j->results = calloc(n + 1, sizeof(*j->results));
	j->settled = calloc(n + 1, sizeof(*j->settled));
	j->paths = calloc(n + 1, sizeof(*j->paths));
	j->outputs = calloc(reports->n + 1, sizeof(*j->outputs));
	if (j->results && j->settled && j->paths && j->outputs)
		r = checks_open(plan, &j->checks);
	for (size_t i = 0; i < reports->n && !r; i++)
		r = open_output(j, reports->v[i], err);
	if (!r && !reports->n)
		r = open_output(j, report_formats[0].name, err);
	if (r)
		judge_free(j);
	else
		*ret = j;
	return r;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->n_outputs; i++)
		if (j->outputs[i].path)
			(void)fclose(j->outputs[i].file); /* flushed, and told about, by judge_conclude */
	for (size_t i = 0; j->paths && i < j->plan->scn->n_checks; i++)
		free(j->paths[i]);
	free(j->paths);
	checks_close(j->checks);
	free(j->outputs);
	free(j->results);
	free(j->settled);
	free(j);
}

void judge_set_walk(struct judge *j, checks_walk_fn walk, void *arg)
{
	j->walk = walk;
	j->walk_arg = arg;
}

/* A failure explains itself by what is found now; without memory it stands alone. */
static void explain(struct judge *j, size_t i, const struct sample *s)
{
	struct check_result *r = &j->results[i];

	if (r->holds || !j->walk || j->paths[i] || checks_walk(j->checks, r->check, s, j->walk, j->walk_arg, &j->paths[i]))
		return;
	r->path = j->paths[i];
}

/* From when on a check is judged, in seconds of the traffic clock; negative: its time is not known yet. */
static double begins_s(const struct judge *j, const struct scn_check *c)
{
	if (c->has_at)
		return (double)c->at_ns / 1e9;
	return j->drained ? j->drained_s : -1;
}

/* Samples are taken at the clock's whole seconds, a little after; `at` is the sample of that second. */
static void judge_one(struct judge *j, size_t i, const struct sample *s)
{
	const struct scn_check *c = &j->plan->scn->checks[i];
	double begin = begins_s(j, c);
	struct check_result result;

	if (j->settled[i] || begin < 0 || s->elapsed_s < begin)
		return;
	if (checks_evaluate(j->checks, c, s, &result))
		return; /* out of memory: the next sample, or the conclusion, tries again */
	j->results[i] = result;
	j->settled[i] = result.holds || s->elapsed_s >= begin + (double)c->within_ns / 1e9;
	if (j->settled[i])
		explain(j, i, s);
}

void judge_sampled(struct judge *j, const struct sample *s)
{
	for (size_t i = 0; i < j->plan->scn->n_checks; i++)
		judge_one(j, i, s);
}

void judge_drained(struct judge *j, const struct sample *s)
{
	j->drained = true;
	j->drained_s = s->elapsed_s;
	judge_sampled(j, s);
}

/* A check for a time the run never reached waits for nothing: it is judged by the last sample. */
bool judge_settled(const struct judge *j)
{
	for (size_t i = 0; i < j->plan->scn->n_checks; i++)
		if (!j->settled[i] && (!j->plan->scn->checks[i].has_at || j->results[i].check))
			return false;
	return true;
}

static int write_reports(const struct judge *j, const struct report *report)
{
	int status = EXIT_WELL;

	for (size_t i = 0; i < j->n_outputs; i++) {
		const struct output *o = &j->outputs[i];
		int r = o->format->write(report, o->file);

		if (!r && fflush(o->file))
			r = -errno;
		if (r) {
			say("cannot write the %s report%s%s: %s", o->format->name, o->path ? " " : "", o->path ? o->path : "",
			    strerror(-r));
			status = EXIT_MACHINE;
		}
	}
	return status;
}

/* Checks that were not judged yet, or were cut short. -ENOMEM was said. */
static int judge_rest(struct judge *j, const struct sample *last, bool *ret_all_hold)
{
	*ret_all_hold = true;
	for (size_t i = 0; i < j->plan->scn->n_checks; i++) {
		if (!j->results[i].check && checks_evaluate(j->checks, &j->plan->scn->checks[i], last, &j->results[i])) {
			say("out of memory: no verdict");
			return -ENOMEM;
		}
		explain(j, i, last);
		*ret_all_hold = *ret_all_hold && j->results[i].holds;
	}
	return 0;
}

void judge_cut_off(struct judge *j, const struct sample *last, const struct report_run *run)
{
	struct report report = { .plan = j->plan, .sample = last, .results = j->results, .n = j->plan->scn->n_checks, .run = run };
	char why[64];
	bool all_hold;

	(void)snprintf(why, sizeof(why), "it was cut off after %.1f s", last->elapsed_s);
	report.invalid = why;
	if (!judge_rest(j, last, &all_hold))
		(void)write_reports(j, &report);
}

int judge_conclude(struct judge *j, const struct sample *last, const struct machine_load *load,
		   const struct report_run *run)
{
	struct validity validity;
	struct report report = { .plan = j->plan, .sample = last, .results = j->results, .n = j->plan->scn->n_checks, .run = run };
	bool all_hold;
	int status;

	if (judge_rest(j, last, &all_hold))
		return EXIT_INVALID;
	validity_judge(j->plan, last, load, all_hold, &validity);
	report.validity = &validity;
	if (!validity.valid)
		report.invalid = validity.why;
	status = write_reports(j, &report);
	if (status != EXIT_WELL)
		return status;
	if (report.invalid)
		say("the run is invalid: %s", validity.why);
	else if (!all_hold && validity.squeezed)
		say("this machine was busy: its receive work ran out of its budget %llu times (time_squeeze); packets may have been late",
		    (unsigned long long)validity.squeezed);
	return report.invalid ? EXIT_INVALID : all_hold ? EXIT_WELL : EXIT_CHECK_FAILED;
}
