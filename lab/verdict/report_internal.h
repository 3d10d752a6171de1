/* SPDX-License-Identifier: Apache-2.0 */
/* Between report.c (what all formats say alike) and report_*.c, a format each. Nobody else includes this. */
#ifndef TUNLAB_VERDICT_REPORT_INTERNAL_H
#define TUNLAB_VERDICT_REPORT_INTERNAL_H

#include "base/text.h"
#include "lab/verdict/path.h"
#include "lab/verdict/report.h"

/* What stands behind a metric: flows, a generator's pairs, pairs counted by two sides, nothing. */
enum row_kind { ROW_NONE, ROW_FLOW = 1, ROW_PAIR = 2, ROW_RTT = 4, ROW_BOTH = 8 };
enum row_kind report_row_kind(enum check_metric metric);

/* The figures of a row, by name; those of its kind are worth showing. */
struct report_column {
	const char *name;
	size_t offset; /* of a uint64_t in struct check_row */
	unsigned kinds;
};
extern const struct report_column report_columns[]; /* ends with name NULL */
uint64_t report_figure(const struct check_row *row, const struct report_column *column);
/* Rows worth showing: where some stand out, those that do; 0 where none stand behind the metric. */
size_t report_rows(const struct check_result *r);

/* One hop of a walk as a line: "host0 vxlan10003: 480 packets, 20 dropped, down, <- stops here". Returns buf. */
const char *report_hop(const struct path *p, size_t hop, char *buf, size_t len);

size_t report_failed(const struct report *r);        /* checks that do not hold */
const char *report_verdict(const struct report *r);  /* "pass", "fail" or "invalid" */
/* "2026-11-23T04:12:00" in UTC. */
void report_time(double unix_s, char *buf, size_t len);

/* The bytes of the character at s, which is not its end. *ret_plain: it may stand in XML and in YAML as it is; what may not are
 * control characters, U+FFFE, U+FFFF and bytes that are no UTF-8. */
size_t report_char(const char *s, bool *ret_plain);
/* Text for XML and HTML, also within double quotes; what may not stand there becomes U+FFFD. */
void report_markup(struct text *t, const char *s);

/* Writes the text and empties it. 0, -EIO or -ENOMEM. */
int report_write(struct text *t, FILE *f);

int report_tap(const struct report *r, FILE *f);
int report_junit(const struct report *r, FILE *f);
int report_json(const struct report *r, FILE *f);
int report_html(const struct report *r, FILE *f);

#endif
