/* SPDX-License-Identifier: Apache-2.0 */
/* The three formats of a verdict. All go through the same columns for the flows behind a value, so
 * they say the same. */
#include "lab/verdict/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/emit.h"
#include "base/text.h"
#include "monitor/view.h"

/* ------------------------------------------------------------------ rows */

/* What stands behind a metric: flows, a generator's pairs, pairs counted by two sides, nothing. */
enum row_kind { ROW_NONE, ROW_FLOW = 1, ROW_PAIR = 2, ROW_RTT = 4, ROW_BOTH = 8 };

static enum row_kind row_kind(enum check_metric metric)
{
	switch (metric) {
	case METRIC_DELIVERY:
		return ROW_PAIR;
	case METRIC_RTT_MIN:
	case METRIC_RTT_AVG:
	case METRIC_RTT_P50:
	case METRIC_RTT_P90:
	case METRIC_RTT_P99:
	case METRIC_RTT_MAX:
		return ROW_RTT;
	case METRIC_MISMATCH:
		return ROW_BOTH;
	case METRIC_MONITOR_LOST:
	case METRIC_MONITOR_TRUNCATED:
	case METRIC_MONITOR_UNKNOWN:
		return ROW_NONE;
	default:
		return ROW_FLOW;
	}
}

static const struct {
	const char *name;
	size_t offset;  /* of a uint64_t in struct check_row */
	unsigned kinds;
} columns[] = {
	{ "sent", offsetof(struct check_row, sent), ROW_FLOW | ROW_PAIR | ROW_RTT },
	{ "received", offsetof(struct check_row, received), ROW_FLOW | ROW_PAIR | ROW_RTT },
	{ "bytes", offsetof(struct check_row, bytes), ROW_FLOW },
	{ "rtt_avg_us", offsetof(struct check_row, rtt_avg_us), ROW_RTT },
	{ "rtt_max_us", offsetof(struct check_row, rtt_max_us), ROW_RTT },
	{ "generators", offsetof(struct check_row, generators), ROW_BOTH },
	{ "monitor", offsetof(struct check_row, sent), ROW_BOTH },
};
enum { COLUMNS = sizeof(columns) / sizeof(*columns) };

static uint64_t column_value(const struct check_row *row, size_t column)
{
	uint64_t v;

	memcpy(&v, (const char *)row + columns[column].offset, sizeof(v));
	return v;
}

/* Rows worth showing: where some stand out, those that do. */
static size_t shown_rows(const struct check_result *r)
{
	size_t n = r->n_rows < CHECK_ROWS ? (size_t)r->n_rows : CHECK_ROWS;

	while (n > 1 && r->rows[0].weight && r->rows[n - 1].weight == 0)
		n--;
	return n;
}

static size_t count_failed(const struct report *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += !r->results[i].holds;
	return n;
}

static int write_text(struct text *t, FILE *f)
{
	char *s = text_take(t);
	int err = 0;

	if (!s)
		return -ENOMEM;
	if (fputs(s, f) == EOF)
		err = -EIO;
	free(s);
	return err;
}

/* ------------------------------------------------------------------ TAP 14 */

/* In a description # would begin a directive. */
static void tap_description(struct text *t, const char *s)
{
	for (; *s; s++) {
		if (*s == '#' || *s == '\\')
			text_char(t, '\\', 1);
		text_char(t, *s, 1);
	}
}

/* A double-quoted YAML string. Control characters cannot occur: scenario files with them are
 * refused. */
static void yaml_string(struct text *t, const char *key, const char *s)
{
	text_printf(t, "%s: \"", key);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			text_char(t, '\\', 1);
		text_char(t, *s, 1);
	}
	text_puts(t, "\"\n");
}

static void tap_rows(struct text *t, const struct check_result *r)
{
	enum row_kind kind = row_kind(r->check->metric);

	if (kind == ROW_NONE || r->n_rows == 0)
		return;
	text_printf(t, "  selected: %llu\n  biggest:\n", (unsigned long long)r->n_rows);
	for (size_t i = 0; i < shown_rows(r); i++) {
		yaml_string(t, kind == ROW_FLOW ? "    - flow" : "    - pair", r->rows[i].name);
		for (size_t c = 0; c < COLUMNS; c++)
			if (columns[c].kinds & kind)
				text_printf(t, "      %s: %llu\n", columns[c].name,
					    (unsigned long long)column_value(&r->rows[i], c));
		if (*r->rows[i].stops)
			yaml_string(t, "      stops", r->rows[i].stops);
	}
}

static void tap_result(struct text *t, size_t number, const struct check_result *r)
{
	text_printf(t, "%sok %zu - ", r->holds ? "" : "not ", number);
	tap_description(t, r->check->name);
	text_puts(t, ": ");
	tap_description(t, r->check->text);
	text_puts(t, r->measured ? ", measured " : ", ");
	tap_description(t, r->text);
	text_char(t, '\n', 1);
	if (r->holds)
		return;
	text_puts(t, "  ---\n");
	yaml_string(t, "  metric", check_metrics[r->check->metric].meaning);
	yaml_string(t, "  expected", r->expected);
	yaml_string(t, "  measured", r->text);
	text_printf(t, "  at_s: %.3f\n", r->elapsed_s);
	text_printf(t, "  line: %d\n", r->check->line);
	tap_rows(t, r);
	text_puts(t, "  ...\n");
}

static int write_tap(const struct report *r, FILE *f)
{
	struct text t = { 0 };

	text_printf(&t, "TAP version 14\n1..%zu%s\n", r->n,
		    r->n ? "" : " # SKIP the scenario has no checks");
	for (size_t i = 0; i < r->n; i++)
		tap_result(&t, i + 1, &r->results[i]);
	if (r->invalid)
		text_printf(&t, "Bail out! The run is invalid: %s\n", r->invalid);
	return write_text(&t, f);
}

/* ------------------------------------------------------------------ JUnit */

static void xml_text(struct text *t, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '<':
			text_puts(t, "&lt;");
			break;
		case '>':
			text_puts(t, "&gt;");
			break;
		case '&':
			text_puts(t, "&amp;");
			break;
		case '"':
			text_puts(t, "&quot;");
			break;
		default:
			text_char(t, *s, 1);
			break;
		}
}

static void xml_attribute(struct text *t, const char *name, const char *value)
{
	text_printf(t, " %s=\"", name);
	xml_text(t, value);
	text_char(t, '"', 1);
}

static void junit_failure(struct text *t, const struct check_result *r)
{
	enum row_kind kind = row_kind(r->check->metric);
	size_t n = kind == ROW_NONE ? 0 : shown_rows(r);

	text_puts(t, "      <failure type=\"check\" message=\"");
	xml_text(t, r->check->text);
	text_puts(t, r->measured ? ": measured " : ": ");
	xml_text(t, r->text);
	text_puts(t, "\">expected ");
	xml_text(t, r->expected);
	text_puts(t, r->measured ? ", measured " : ", ");
	xml_text(t, r->text);
	text_char(t, '\n', 1);
	for (size_t i = 0; i < n; i++) {
		xml_text(t, r->rows[i].name);
		for (size_t c = 0; c < COLUMNS; c++)
			if (columns[c].kinds & kind)
				text_printf(t, ", %s %llu", columns[c].name,
					    (unsigned long long)column_value(&r->rows[i], c));
		if (*r->rows[i].stops)
			text_printf(t, "; stops %s", r->rows[i].stops);
		text_char(t, '\n', 1);
	}
	text_puts(t, "</failure>\n");
}

static void junit_case(struct text *t, const struct report *report, const struct check_result *r)
{
	text_puts(t, "    <testcase");
	xml_attribute(t, "classname", report->plan->scn->name);
	xml_attribute(t, "name", r->check->name);
	text_printf(t, " time=\"%.3f\">\n", r->elapsed_s);
	if (report->invalid) {
		text_puts(t, "      <error type=\"invalid\"");
		xml_attribute(t, "message", report->invalid);
		text_puts(t, "/>\n");
	} else if (!r->holds) {
		junit_failure(t, r);
	}
	text_puts(t, "      <system-out>");
	xml_text(t, r->check->text);
	text_puts(t, r->measured ? ": measured " : ": ");
	xml_text(t, r->text);
	text_puts(t, "</system-out>\n    </testcase>\n");
}

/* "2026-11-23T04:12:00" in UTC, as the schemas of CI systems want it. */
static void format_time(double unix_s, char *buf, size_t len)
{
	time_t seconds = (time_t)unix_s;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(buf, len, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		(void)snprintf(buf, len, "1970-01-01T00:00:00");
}

static int write_junit(const struct report *r, FILE *f)
{
	size_t failures = r->invalid ? 0 : count_failed(r), errors = r->invalid ? r->n : 0;
	struct text t = { 0 };
	char counts[128], when[32];

	format_time(r->sample->unix_s, when, sizeof(when));
	(void)snprintf(counts, sizeof(counts),
		       " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\"", r->n,
		       failures, errors, r->sample->elapsed_s);
	text_printf(
		&t,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tunlab\"%s>\n  <testsuite",
		counts);
	xml_attribute(&t, "name", r->plan->scn->name);
	text_printf(&t, "%s skipped=\"0\" timestamp=\"%s\">\n", counts, when);
	for (size_t i = 0; i < r->n; i++)
		junit_case(&t, r, &r->results[i]);
	text_puts(&t, "  </testsuite>\n</testsuites>\n");
	return write_text(&t, f);
}

/* ------------------------------------------------------------------ JSON */

static void json_rows(struct emit *e, const struct check_result *r)
{
	enum row_kind kind = row_kind(r->check->metric);
	size_t n = kind == ROW_NONE ? 0 : shown_rows(r);

	emit_u64(e, "selected", r->n_rows);
	emit_array(e, "biggest");
	for (size_t i = 0; i < n; i++) {
		emit_object(e, NULL);
		emit_string(e, kind == ROW_FLOW ? "flow" : "pair", r->rows[i].name);
		for (size_t c = 0; c < COLUMNS; c++)
			if (columns[c].kinds & kind)
				emit_u64(e, columns[c].name, column_value(&r->rows[i], c));
		if (*r->rows[i].stops)
			emit_string(e, "stops", r->rows[i].stops);
		emit_object_end(e);
	}
	emit_array_end(e);
}

static void json_result(struct emit *e, const struct check_result *r)
{
	emit_object(e, NULL);
	emit_string(e, "name", r->check->name);
	emit_string(e, "check", r->check->text);
	emit_string(e, "metric", check_metrics[r->check->metric].name);
	emit_bool(e, "holds", r->holds);
	if (r->measured)
		emit_fixed(e, "value", r->value, 9);
	else
		emit_null(e, "value");
	emit_string(e, "measured", r->text);
	emit_string(e, "expected", r->expected);
	emit_fixed(e, "at_s", r->elapsed_s, 3);
	emit_u64(e, "line", r->check->line > 0 ? (uint64_t)r->check->line : 0);
	json_rows(e, r);
	emit_object_end(e);
}

static int write_json(const struct report *r, FILE *f)
{
	const struct sample *s = r->sample;
	struct emit e = { 0 };
	char *text;
	int err = 0;

	emit_object(&e, NULL);
	emit_string(&e, "schema", "tunlab.report/1");
	emit_string(&e, "source", r->plan->scn->name);
	emit_string(&e, "scenario", r->plan->scn->file);
	emit_u64(&e, "seed", r->plan->scn->seed);
	emit_string(&e, "verdict", r->invalid ? "invalid" : count_failed(r) ? "fail" : "pass");
	emit_string(&e, "invalid", r->invalid);
	emit_fixed(&e, "time", s->unix_s, 3);
	emit_fixed(&e, "elapsed_s", s->elapsed_s, 3);
	emit_array(&e, "checks");
	for (size_t i = 0; i < r->n; i++)
		json_result(&e, &r->results[i]);
	emit_array_end(&e);
	emit_marks(&e, s->marks, 0, UINT64_MAX);
	emit_monitor(&e, s);
	emit_object_end(&e);
	text = emit_take(&e);
	if (!text)
		return -ENOMEM;
	if (fprintf(f, "%s\n", text) < 0)
		err = -EIO;
	free(text);
	return err;
}

/* ------------------------------------------------------------------ the formats */

const struct report_format report_formats[] = {
	{ "tap", "TAP version 14, one line per check, a diagnostic for each that fails",
	  write_tap },
	{ "junit", "JUnit XML, for CI systems", write_junit },
	{ "json", "JSON, schema tunlab.report/1", write_json },
	{ NULL, NULL, NULL },
};

const struct report_format *report_format_find(const char *name, size_t len)
{
	for (const struct report_format *f = report_formats; f->name; f++)
		if (strlen(f->name) == len && strncmp(f->name, name, len) == 0)
			return f;
	return NULL;
}
