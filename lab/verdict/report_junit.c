/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict as JUnit XML, in the shape that the schemas of CI systems agree on. A check that does not hold is a failure; in a run
 * that cannot be judged every check is an error, and there is one at least, so that nobody takes it for a success. */
#include "lab/verdict/report_internal.h"

static void put_attribute(struct text *t, const char *name, const char *value)
{
	text_printf(t, " %s=\"", name);
	report_markup(t, value);
	text_char(t, '"', 1);
}

static void put_path(struct text *t, const struct path *p)
{
	text_puts(t, "path of ");
	report_markup(t, p->pair);
	if (p->stops < p->n) {
		text_puts(t, ": packets stop at ");
		report_markup(t, p->hops[p->stops].name);
	}
	text_puts(t, *p->cause ? ": " : "");
	report_markup(t, p->cause);
	text_char(t, '\n', 1);
	for (size_t i = 0; i < p->n; i++) {
		char line[192];

		text_puts(t, "  ");
		report_markup(t, report_hop(p, i, line, sizeof(line)));
		text_char(t, '\n', 1);
	}
}

static void put_failure(struct text *t, const struct check_result *r)
{
	enum row_kind kind = report_row_kind(r->check->metric);

	text_puts(t, "      <failure type=\"check\" message=\"");
	report_markup(t, r->check->text);
	text_puts(t, r->measured ? ": measured " : ": ");
	report_markup(t, r->text);
	text_puts(t, "\">expected ");
	report_markup(t, r->expected);
	text_puts(t, r->measured ? ", measured " : ", ");
	report_markup(t, r->text);
	text_char(t, '\n', 1);
	for (size_t i = 0; i < report_rows(r); i++) {
		report_markup(t, r->rows[i].name);
		for (const struct report_column *c = report_columns; c->name; c++)
			if (c->kinds & kind)
				text_printf(t, ", %s %llu", c->name, (unsigned long long)report_figure(&r->rows[i], c));
		if (*r->rows[i].stops) {
			text_puts(t, "; stops ");
			report_markup(t, r->rows[i].stops);
		}
		text_char(t, '\n', 1);
	}
	if (r->path)
		put_path(t, r->path);
	text_puts(t, "</failure>\n");
}

/* How long it took to come true; judged at the end: at once. The sums that CI systems make of these must not exceed the run. */
static double time_taken(const struct check_result *r)
{
	double at_s = (double)r->check->at_ns / 1e9;

	return r->check->has_at && r->elapsed_s > at_s ? r->elapsed_s - at_s : 0;
}

static void begin_case(struct text *t, const struct report *report, const char *name, double time_s)
{
	text_puts(t, "    <testcase");
	put_attribute(t, "classname", report->plan->scn->name);
	put_attribute(t, "name", name);
	text_printf(t, " time=\"%.3f\">\n", time_s);
}

static void put_invalid(struct text *t, const struct report *report)
{
	text_puts(t, "      <error type=\"invalid\"");
	put_attribute(t, "message", report->invalid);
	text_puts(t, "/>\n");
}

static void put_case(struct text *t, const struct report *report, const struct check_result *r)
{
	begin_case(t, report, r->check->name, time_taken(r));
	if (report->invalid)
		put_invalid(t, report);
	else if (!r->holds)
		put_failure(t, r);
	text_puts(t, "      <system-out>");
	report_markup(t, r->check->text);
	text_puts(t, r->measured ? ": measured " : ": ");
	report_markup(t, r->text);
	text_puts(t, "</system-out>\n    </testcase>\n");
}

static void put_property(struct text *t, const char *name, const char *value)
{
	text_puts(t, "      <property");
	put_attribute(t, "name", name);
	put_attribute(t, "value", value);
	text_puts(t, "/>\n");
}

static void put_properties(struct text *t, const struct report *r)
{
	char seed[24];

	(void)snprintf(seed, sizeof(seed), "%llu", (unsigned long long)r->plan->scn->seed);
	text_puts(t, "    <properties>\n");
	put_property(t, "verdict", report_verdict(r));
	put_property(t, "scenario", r->plan->scn->file);
	put_property(t, "seed", seed);
	text_puts(t, "    </properties>\n");
}

int report_junit(const struct report *r, FILE *f)
{
	size_t tests = r->n || !r->invalid ? r->n : 1;
	size_t failures = r->invalid ? 0 : report_failed(r), errors = r->invalid ? tests : 0;
	struct text t = { 0 };
	char counts[128], when[32];

	report_time(r->sample->unix_s - r->sample->elapsed_s, when, sizeof(when));
	(void)snprintf(counts, sizeof(counts), " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\"", tests, failures, errors,
		       r->sample->elapsed_s);
	text_printf(&t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tunlab\"%s>\n  <testsuite", counts);
	put_attribute(&t, "name", r->plan->scn->name);
	text_printf(&t, "%s skipped=\"0\" timestamp=\"%s\">\n", counts, when);
	put_properties(&t, r);
	for (size_t i = 0; i < r->n; i++)
		put_case(&t, r, &r->results[i]);
	if (r->n < tests) {
		begin_case(&t, r, "the run", 0);
		put_invalid(&t, r);
		text_puts(&t, "    </testcase>\n");
	}
	text_puts(&t, "  </testsuite>\n</testsuites>\n");
	return report_write(&t, f);
}
