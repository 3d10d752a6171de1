/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict as TAP version 14: one line per check, a YAML diagnostic for each that does not hold. */
#include "lab/verdict/report_internal.h"

/* In a description # would begin a directive, and a line ends it. */
static void put_description(struct text *t, const char *s)
{
	for (; *s; s++) {
		if (*s == '#' || *s == '\\')
			text_char(t, '\\', 1);
		text_char(t, *s == '\n' || *s == '\r' ? ' ' : *s, 1);
	}
}

/* A double-quoted YAML string, behind `key: `; it is a JSON string too. */
static void put_string(struct text *t, const char *key, const char *s)
{
	text_printf(t, "%s: \"", key);
	for (size_t len; *s; s += len) {
		bool plain;

		len = report_char(s, &plain);
		if (*s == '"' || *s == '\\')
			text_char(t, '\\', 1);
		if (*s == '\n')
			text_puts(t, "\\n");
		else if (plain)
			text_add(t, s, len);
		else
			text_printf(t, "\\u%04x", (unsigned char)*s < 0x80 ? *s : 0xfffd);
	}
	text_puts(t, "\"\n");
}

static void put_rows(struct text *t, const struct check_result *r)
{
	enum row_kind kind = report_row_kind(r->check->metric);

	if (kind == ROW_NONE || r->n_rows == 0)
		return;
	text_printf(t, "  selected: %llu\n  biggest:\n", (unsigned long long)r->n_rows);
	for (size_t i = 0; i < report_rows(r); i++) {
		put_string(t, kind == ROW_FLOW ? "    - flow" : "    - pair", r->rows[i].name);
		for (const struct report_column *c = report_columns; c->name; c++)
			if (c->kinds & kind)
				text_printf(t, "      %s: %llu\n", c->name, (unsigned long long)report_figure(&r->rows[i], c));
		if (*r->rows[i].stops)
			put_string(t, "      stops", r->rows[i].stops);
	}
}

/* The walk, a hop a line, down to the one where packets stop. */
static void put_path(struct text *t, const struct path *p)
{
	if (!p)
		return;
	text_puts(t, "  path:\n");
	put_string(t, "    pair", p->pair);
	if (p->stops < p->n)
		put_string(t, "    stops", p->hops[p->stops].name);
	if (*p->cause)
		put_string(t, "    cause", p->cause);
	text_puts(t, "    hops:\n");
	for (size_t i = 0; i < p->n; i++) {
		char line[192];

		report_hop(p, i, line, sizeof(line));
		put_string(t, "      - hop", line);
	}
}

static void put_diagnostic(struct text *t, const struct check_result *r)
{
	text_puts(t, "  ---\n");
	put_string(t, "  metric", check_metrics[r->check->metric].meaning);
	put_string(t, "  expected", r->expected);
	put_string(t, "  measured", r->text);
	text_printf(t, "  at_s: %.3f\n", r->elapsed_s);
	text_printf(t, "  line: %d\n", r->check->line);
	put_rows(t, r);
	put_path(t, r->path);
	text_puts(t, "  ...\n");
}

static void put_result(struct text *t, size_t number, const struct check_result *r)
{
	text_printf(t, "%sok %zu - ", r->holds ? "" : "not ", number);
	put_description(t, r->check->name);
	text_puts(t, ": ");
	put_description(t, r->check->text);
	text_puts(t, r->measured ? ", measured " : ", ");
	put_description(t, r->text);
	text_char(t, '\n', 1);
	if (!r->holds)
		put_diagnostic(t, r);
}

int report_tap(const struct report *r, FILE *f)
{
	struct text t = { 0 };

	text_printf(&t, "TAP version 14\n1..%zu%s\n", r->n, r->n ? "" : " # SKIP the scenario has no checks");
	for (size_t i = 0; i < r->n; i++)
		put_result(&t, i + 1, &r->results[i]);
	if (r->invalid) {
		text_puts(&t, "Bail out! The run is invalid: ");
		put_description(&t, r->invalid);
		text_char(&t, '\n', 1);
	}
	return report_write(&t, f);
}
