/* SPDX-License-Identifier: Apache-2.0 */
/* Between report_html.c (the page as a whole, its data), report_html_parts.c and report_html_tables.c (what stands in it as HTML).
 * Nobody else includes this. */
#ifndef TUNLAB_VERDICT_REPORT_HTML_H
#define TUNLAB_VERDICT_REPORT_HTML_H

#include "lab/verdict/report_internal.h"

/* Each writes what its mark in ui/web/report.html stands for. */
typedef void report_html_part(struct text *t, const struct report *r);
report_html_part report_html_title, report_html_word, report_html_lead, report_html_summary, report_html_head, report_html_checks,
	report_html_truth, report_html_flows, report_html_events, report_html_monitor, report_html_facts, report_html_scenario;

/* 1234567 with thin spaces between its thousands; and as a table's cell. */
void report_html_count(struct text *t, uint64_t v);
void report_html_number_cell(struct text *t, uint64_t v);

#endif
