/* SPDX-License-Identifier: Apache-2.0 */
/* What all formats of a verdict have in common: the same columns for the flows behind a value, so that they say the same. */
#include "lab/verdict/report_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- rows ---- */

enum row_kind report_row_kind(enum check_metric metric)
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

const struct report_column report_columns[] = {
	{ "sent", offsetof(struct check_row, sent), ROW_FLOW | ROW_PAIR | ROW_RTT },
	{ "received", offsetof(struct check_row, received), ROW_FLOW | ROW_PAIR | ROW_RTT },
	{ "bytes", offsetof(struct check_row, bytes), ROW_FLOW },
	{ "rtt_avg_us", offsetof(struct check_row, rtt_avg_us), ROW_RTT },
	{ "rtt_max_us", offsetof(struct check_row, rtt_max_us), ROW_RTT },
	{ "generators", offsetof(struct check_row, generators), ROW_BOTH },
	{ "monitor", offsetof(struct check_row, sent), ROW_BOTH },
	{ 0 },
};

uint64_t report_figure(const struct check_row *row, const struct report_column *column)
{
	uint64_t v;

	memcpy(&v, (const char *)row + column->offset, sizeof(v));
	return v;
}

size_t report_rows(const struct check_result *r)
{
	size_t n = r->n_rows < CHECK_ROWS ? (size_t)r->n_rows : CHECK_ROWS;

	if (report_row_kind(r->check->metric) == ROW_NONE)
		return 0;
	while (n > 1 && r->rows[0].weight && r->rows[n - 1].weight == 0)
		n--;
	return n;
}

const char *report_hop(const struct path *p, size_t hop, char *buf, size_t len)
{
	const struct path_hop *h = &p->hops[hop];
	char counts[64] = "", dropped[32] = "";

	if (h->counted && h->dropped)
		(void)snprintf(dropped, sizeof(dropped), ", %llu dropped", (unsigned long long)h->dropped);
	if (h->counted)
		(void)snprintf(counts, sizeof(counts), ": %llu packets%s", (unsigned long long)h->packets, dropped);
	(void)snprintf(buf, len, "%s%s%s%s%s", h->name, counts, !*h->note ? "" : *counts ? ", " : ": ", h->note,
		       hop == p->stops ? "  <- packets stop here" : "");
	return buf;
}

/* ---- the verdict ---- */

size_t report_failed(const struct report *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += !r->results[i].holds;
	return n;
}

const char *report_verdict(const struct report *r)
{
	return r->invalid ? "invalid" : report_failed(r) ? "fail" : "pass";
}

void report_time(double unix_s, char *buf, size_t len)
{
	time_t seconds = (time_t)unix_s;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(buf, len, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		(void)snprintf(buf, len, "1970-01-01T00:00:00");
}

/* ---- text ---- */

/* Bytes of the UTF-8 sequence that a first byte begins; 0: none does. */
static size_t sequence_length(unsigned char first)
{
	return first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

size_t report_char(const char *s, bool *ret_plain)
{
	const unsigned char *c = (const unsigned char *)s;
	size_t len = sequence_length(*c);

	*ret_plain = false;
	for (size_t i = 1; i < len; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 1;
	if (!len)
		return 1;
	*ret_plain = len == 1   ? (*c >= 0x20 && *c != 0x7f) || *c == '\t' || *c == '\n'
		     : len == 2 ? *c != 0xc2 || c[1] >= 0xa0
		     : len == 3 ? !(*c == 0xef && c[1] == 0xbf && c[2] >= 0xbe) && !(*c == 0xed && c[1] >= 0xa0) && !(*c == 0xe0 && c[1] < 0xa0)
				: !(*c == 0xf0 && c[1] < 0x90) && !(*c == 0xf4 && c[1] > 0x8f);
	return len;
}

void report_markup(struct text *t, const char *s)
{
	for (size_t len; *s; s += len) {
		bool plain;

		len = report_char(s, &plain);
		if (!plain)
			text_puts(t, "\xef\xbf\xbd");
		else if (*s == '<')
			text_puts(t, "&lt;");
		else if (*s == '>')
			text_puts(t, "&gt;");
		else if (*s == '&')
			text_puts(t, "&amp;");
		else if (*s == '"')
			text_puts(t, "&quot;");
		else
			text_add(t, s, len);
	}
}

int report_write(struct text *t, FILE *f)
{
	char *s = text_take(t);
	int err = 0;

	if (!s)
		return -ENOMEM;
	errno = 0;
	if (fputs(s, f) == EOF)
		err = errno ? -errno : -EIO;
	free(s);
	return err;
}

/* ---- the formats ---- */

const struct report_format report_formats[] = {
	{ "tap", "TAP version 14, one line per check, a diagnostic for each that fails", report_tap },
	{ "junit", "JUnit XML, for CI systems", report_junit },
	{ "json", "JSON, schema tunlab.report/1", report_json },
	{ "html", "one page with picture, timeline, checks and tables, that opens from disk", report_html },
	{ NULL, NULL, NULL },
};

const struct report_format *report_format_find(const char *name, size_t len)
{
	for (const struct report_format *f = report_formats; f->name; f++)
		if (strlen(f->name) == len && strncmp(f->name, name, len) == 0)
			return f;
	return NULL;
}
