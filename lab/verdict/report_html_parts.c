/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the HTML report without any script: verdict, checks and why, facts. The large tables are
 * report_html_tables.c's. */
#include "lab/verdict/report_html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lab/facts.h"
#include "monitor/view.h"

/* ---- the verdict ---- */

void report_html_title(struct text *t, const struct report *r)
{
	report_markup(t, r->plan->scn->name);
}

void report_html_word(struct text *t, const struct report *r)
{
	text_puts(t, report_verdict(r));
}

/* The first line of the scenario's opening comment. */
void report_html_lead(struct text *t, const struct report *r)
{
	const char *s = r->plan->scn->text;
	char line[256];
	size_t len;

	if (!s)
		return;
	if (strncmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	if (*s != ';' && *s != '#')
		return;
	s += 1 + strspn(s + 1, " \t");
	len = strcspn(s, "\r\n");
	(void)snprintf(line, sizeof(line), "%.*s", (int)len, s);
	report_markup(t, line);
}

void report_html_summary(struct text *t, const struct report *r)
{
	size_t failed = report_failed(r);

	if (r->invalid) {
		text_puts(t, "Neither passed nor failed: ");
		report_markup(t, r->invalid);
		text_char(t, '.', 1);
	} else if (!r->n) {
		text_puts(t, "The scenario has no checks.");
	} else if (failed) {
		text_printf(t, "%zu of %zu checks %s not hold.", failed, r->n, failed == 1 ? "does" : "do");
	} else {
		text_printf(t, r->n == 1 ? "The check holds." : "All %zu checks hold.", r->n);
	}
}

static void put_fact(struct text *t, const char *name, const char *value)
{
	text_puts(t, "<div><dt>");
	report_markup(t, name);
	text_puts(t, "</dt><dd>");
	report_markup(t, value);
	text_puts(t, "</dd></div>\n");
}

static void put_fact_count(struct text *t, const char *name, uint64_t value)
{
	text_printf(t, "<div><dt>%s</dt><dd>", name);
	report_html_count(t, value);
	text_puts(t, "</dd></div>\n");
}

/* When, how long, what of. */
void report_html_head(struct text *t, const struct report *r)
{
	const struct plan *p = r->plan;
	time_t began = (time_t)(r->sample->unix_s - r->sample->elapsed_s);
	char text[96] = "";
	struct tm tm;

	if (gmtime_r(&began, &tm) && strftime(text, sizeof(text), "%-d %B %Y, %H:%M:%S UTC", &tm))
		put_fact(t, "Began", text);
	(void)snprintf(text, sizeof(text), "%.1f s", r->sample->elapsed_s);
	put_fact(t, "Lasted", text);
	(void)snprintf(text, sizeof(text), "%u host%s, %u VNI%s, %u client%s", p->n_hosts, p->n_hosts == 1 ? "" : "s", p->n_vnis,
		       p->n_vnis == 1 ? "" : "s", p->n_clients, p->n_clients == 1 ? "" : "s");
	put_fact(t, "Lab", text);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)p->scn->seed);
	put_fact(t, "Seed", text);
	for (size_t i = 0; r->run && r->run->facts && i < r->run->facts->n; i++)
		if (strcmp(r->run->facts->v[i].name, "tunlab") == 0)
			put_fact(t, "tunlab", r->run->facts->v[i].value);
}

/* ---- checks ---- */

static void put_row(struct text *t, const struct check_row *row, enum row_kind kind)
{
	text_puts(t, "<tr><td>");
	report_markup(t, row->name);
	text_puts(t, "</td>");
	for (const struct report_column *c = report_columns; c->name; c++)
		if (c->kinds & kind)
			report_html_number_cell(t, report_figure(row, c));
	text_puts(t, "</tr>\n");
	if (!*row->stops)
		return;
	text_puts(t, "<tr class=\"stops\"><td colspan=\"9\">The counts part ");
	report_markup(t, row->stops);
	text_puts(t, "</td></tr>\n");
}

/* The flows or pairs behind a value. */
static void put_rows(struct text *t, const struct check_result *r)
{
	enum row_kind kind = report_row_kind(r->check->metric);
	size_t n = report_rows(r);

	if (!n)
		return;
	text_printf(t, "<table><caption>%s%llu %s%s behind it</caption><thead><tr><th>%s</th>", n < r->n_rows ? "The first of " : "",
		    (unsigned long long)r->n_rows, kind == ROW_FLOW ? "flow" : "pair", r->n_rows == 1 ? "" : "s",
		    kind == ROW_FLOW ? "flow" : "pair");
	for (const struct report_column *c = report_columns; c->name; c++)
		if (c->kinds & kind)
			text_printf(t, "<th class=\"number\">%s</th>", c->name);
	text_puts(t, "</tr></thead><tbody>\n");
	for (size_t i = 0; i < n; i++)
		put_row(t, &r->rows[i], kind);
	text_puts(t, "</tbody></table>\n");
}

static void put_hop(struct text *t, const struct path *p, size_t i)
{
	const struct path_hop *h = &p->hops[i];

	text_printf(t, "<li%s><b>", i == p->stops ? " class=\"here\"" : i > p->stops ? " class=\"beyond\"" : "");
	report_markup(t, h->name);
	text_puts(t, "</b> <span>");
	if (h->counted) {
		report_html_count(t, h->packets);
		text_puts(t, " packets");
	}
	if (h->counted && h->dropped) {
		text_puts(t, ", ");
		report_html_count(t, h->dropped);
		text_puts(t, " dropped");
	}
	text_puts(t, h->counted && *h->note ? ", " : "");
	report_markup(t, h->note);
	text_puts(t, i == p->stops ? "</span> <em>packets stop here</em></li>\n" : "</span></li>\n");
}

/* The way of the pair that lost most, hop by hop. */
static void put_path(struct text *t, const struct path *p)
{
	if (!p)
		return;
	if (*p->cause) {
		text_puts(t, "<p class=\"cause\">");
		report_markup(t, p->cause);
		text_puts(t, ".</p>\n");
	}
	text_puts(t, "<p>The way of ");
	report_markup(t, p->pair);
	text_puts(t, ":</p>\n<ol class=\"path\">\n");
	for (size_t i = 0; i < p->n; i++)
		put_hop(t, p, i);
	text_puts(t, "</ol>\n");
}

static void put_why(struct text *t, const struct check_result *r)
{
	text_puts(t, "<div class=\"why\">\n<p>Expected <b>");
	report_markup(t, r->expected);
	text_puts(t, "</b>. The metric: ");
	report_markup(t, check_metrics[r->check->metric].meaning);
	text_printf(t, ". Line %d of the scenario.</p>\n", r->check->line);
	put_path(t, r->path);
	put_rows(t, r);
	text_puts(t, "</div>\n");
}

static void put_check(struct text *t, const struct check_result *r)
{
	text_printf(t, "<li class=\"%s\">\n<span class=\"mark\">%s<span class=\"said\">%s</span></span>\n<h3>", r->holds ? "holds" : "fails",
		    r->holds ? "\xe2\x9c\x93" : "\xe2\x9c\x97", r->holds ? "holds: " : "does not hold: ");
	report_markup(t, r->check->name);
	text_puts(t, "</h3>\n<code>");
	report_markup(t, r->check->text);
	text_puts(t, "</code>\n<p class=\"measured\"><b>");
	report_markup(t, r->text);
	if (r->check->has_at)
		text_printf(t, "</b> <small>at %.1f\xc2\xa0s</small></p>\n", r->elapsed_s);
	else
		text_puts(t, "</b></p>\n");
	if (!r->holds)
		put_why(t, r);
	text_puts(t, "</li>\n");
}

/* Those that do not hold first. */
void report_html_checks(struct text *t, const struct report *r)
{
	if (!r->n)
		text_puts(t, "<p class=\"none\">The scenario has no checks.</p>\n");
	text_puts(t, "<ul>\n");
	for (int holds = 0; holds < 2; holds++)
		for (size_t i = 0; i < r->n; i++)
			if (r->results[i].holds == holds)
				put_check(t, &r->results[i]);
	text_puts(t, "</ul>\n");
}

/* ---- what else is to be known ---- */

void report_html_events(struct text *t, const struct report *r)
{
	const struct marks *m = r->sample->marks;

	if (!m || !m->n)
		return;
	text_puts(t, "<section id=\"events\"><h2>What was done to the lab</h2>\n<table><tbody>\n");
	for (size_t i = 0; i < m->n; i++) {
		text_printf(t, "<tr><td class=\"number\">%.1f\xc2\xa0s</td><th scope=\"row\">", m->v[i].at_s);
		report_markup(t, *m->v[i].name ? m->v[i].name : "live");
		text_puts(t, "</th><td><code>");
		report_markup(t, m->v[i].text);
		text_puts(t, "</code></td><td>");
		report_markup(t, m->v[i].error);
		text_puts(t, "</td></tr>\n");
	}
	text_puts(t, "</tbody></table></section>\n");
}

void report_html_monitor(struct text *t, const struct report *r)
{
	const struct flow_health *h = &r->sample->health;
	const struct health *judged = &r->sample->monitor;
	char text[64];

	if (judged->reasons) {
		text_puts(t, "<p class=\"amber\">");
		report_markup(t, judged->sentences);
		text_puts(t, "</p>\n");
	}
	text_puts(t, "<dl>\n");
	put_fact_count(t, "frames seen", h->seen);
	put_fact_count(t, "tunnelled, in flows", h->decoded);
	put_fact_count(t, "not tunnelled", h->other_packets + h->other_received_packets);
	put_fact_count(t, "lost", h->lost);
	put_fact_count(t, "truncated", h->truncated);
	put_fact_count(t, "unknown", h->unknown);
	(void)snprintf(text, sizeof(text), "%zu of %u", r->sample->n_flows, r->sample->capacity);
	put_fact(t, "flow table", text);
	if (judged->has_cost && !isnan(judged->ns_per_packet)) {
		(void)snprintf(text, sizeof(text), "%.1f ns a frame", judged->ns_per_packet);
		put_fact(t, "in the kernel", text);
	}
	if (r->sample->parser)
		put_fact(t, "parser", r->sample->parser);
	text_puts(t, "</dl>\n");
}

/* Whether all of it kept up: what was allowed, and what was. */
static void put_validity(struct text *t, const struct validity *v)
{
	text_puts(t, "<table class=\"kept\"><caption>Whether everything kept up</caption><tbody>\n");
	for (int i = 0; i < VALIDITY_MAX; i++) {
		const struct validity_figure *f = &v->figures[i];

		text_printf(t, "<tr%s><th scope=\"row\">%s</th><td class=\"number\">", f->broken ? " class=\"parts\"" : "", f->name);
		report_html_count(t, f->value);
		text_printf(t, "\xc2\xa0%s</td><td>at most %llu: ", f->unit, (unsigned long long)f->bound);
		report_markup(t, f->meaning);
		text_puts(t, "</td></tr>\n");
	}
	text_puts(t, "</tbody></table>\n");
}

void report_html_facts(struct text *t, const struct report *r)
{
	text_puts(t, "<dl>\n");
	for (size_t i = 0; r->run && r->run->facts && i < r->run->facts->n; i++)
		put_fact(t, r->run->facts->v[i].name, r->run->facts->v[i].value);
	text_puts(t, "</dl>\n");
	if (r->validity)
		put_validity(t, r->validity);
}

void report_html_scenario(struct text *t, const struct report *r)
{
	const struct scenario *s = r->plan->scn;
	char set[1024];

	text_puts(t, "<p class=\"about\"><code>");
	report_markup(t, s->file);
	text_puts(t, "</code>");
	for (size_t i = 0; i < s->n_sets; i++) {
		text_puts(t, i ? ", <code>" : " with <code>");
		report_markup(t, scn_set_format(s, i, set, sizeof(set)));
		text_puts(t, "</code>");
	}
	text_puts(t, "</p>\n<pre tabindex=\"0\">");
	report_markup(t, s->text && *s->text ? s->text : "; an empty file: the default lab without traffic\n");
	text_puts(t, "</pre>\n");
}
