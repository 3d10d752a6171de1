/* SPDX-License-Identifier: Apache-2.0 */
/* The large tables of the HTML report, ground truth and flows: the rows that matter most first, and no more than can be read. */
#include "lab/verdict/report_html.h"

#include <stdlib.h>
#include <string.h>

#include "monitor/truth.h"

enum { TRUTH_SHOWN = 60, FLOWS_SHOWN = 40 };

/* ---- figures for people ---- */

/* 1234567 as "1 234 567", with thin spaces that do not break. */
void report_html_count(struct text *t, uint64_t v)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v);

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			text_puts(t, "\xe2\x80\xaf");
		text_char(t, digits[i], 1);
	}
}

static void put_bytes(struct text *t, uint64_t v)
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P" };
	double scaled = (double)v;
	size_t i = 0;

	for (; scaled >= 999.5 && i + 1 < sizeof(prefixes) / sizeof(*prefixes); i++)
		scaled /= 1000;
	text_printf(t, "%.*f\xc2\xa0%sB", i == 0 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2, scaled, prefixes[i]);
}

void report_html_number_cell(struct text *t, uint64_t v)
{
	text_puts(t, "<td class=\"number\">");
	report_html_count(t, v);
	text_puts(t, "</td>");
}

/* A table that may be larger than its place: it can be scrolled, also by keyboard. Its heads follow. */
static void begin_table(struct text *t, const char *label)
{
	text_printf(t, "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"%s\"><table><thead><tr>", label);
}

/* ---- ground truth ---- */

static uint64_t importance(const struct truth_row *row)
{
	return (row->parts < TRUTH_PLACE_MAX ? 1ull << 62 : 0) + row->count[TRUTH_SENT];
}

static int by_importance(const void *a, const void *b)
{
	const struct truth_row *const *x = a, *const *y = b;
	uint64_t i = importance(*x), j = importance(*y);

	return (i < j) - (i > j) ?: (*x > *y) - (*x < *y);
}

static void put_truth_row(struct text *t, const struct report *r, const struct truth_row *row)
{
	char where[CHECK_TEXT];

	text_printf(t, "<tr%s><th scope=\"row\">c%u</th><th scope=\"row\">c%u</th><td>%s</td>",
		    row->parts < TRUTH_PLACE_MAX ? " class=\"parts\"" : "", row->from, row->to, scn_proto_names[row->proto]);
	for (int place = 0; place < TRUTH_PLACE_MAX; place++) {
		if (row->proto == SCN_UDP && (place == TRUTH_ANSWERED || place == TRUTH_RETURNED))
			text_puts(t, "<td class=\"number\">\xe2\x80\x93</td>");
		else
			report_html_number_cell(t, row->count[place]);
	}
	text_puts(t, "<td>");
	report_markup(t, truth_where(r->plan, row, where, sizeof(where)));
	text_puts(t, "</td></tr>\n");
}

static void put_truth(struct text *t, const struct report *r, const struct truth *truth, const struct truth_row **rows)
{
	size_t parted = 0, shown = truth->n < TRUTH_SHOWN ? truth->n : TRUTH_SHOWN;

	for (size_t i = 0; i < truth->n; i++) {
		rows[i] = &truth->rows[i];
		parted += rows[i]->parts < TRUTH_PLACE_MAX;
	}
	qsort(rows, truth->n, sizeof(*rows), by_importance);
	text_printf(t, "<p class=\"about\">%zu pair%s of clients; on %s all counts are equal.", truth->n, truth->n == 1 ? "" : "s",
		    parted == 0 ? "each of them" : parted == truth->n ? "none" : "the others");
	if (parted && parted < truth->n)
		text_printf(t, " On %zu they part.", parted);
	if (shown < truth->n)
		text_printf(t, " The first %zu stand here, those that part before the others.", shown);
	text_puts(t, "</p>\n");
	begin_table(t, "Ground truth");
	text_puts(t, "<th>from</th><th>to</th><th>by</th>");
	for (int place = 0; place < TRUTH_PLACE_MAX; place++)
		text_printf(t, "<th class=\"number\">%s</th>", truth_place_names[place]);
	text_puts(t, "<th>where they part</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < shown; i++)
		put_truth_row(t, r, rows[i]);
	text_puts(t, "</tbody></table></div>\n");
}

void report_html_truth(struct text *t, const struct report *r)
{
	struct truth truth;
	const struct truth_row **rows;

	if (truth_make(r->plan, r->sample, &truth)) {
		t->failed = true;
		return;
	}
	rows = calloc(truth.n + 1, sizeof(*rows));
	t->failed |= !rows;
	if (rows && truth.n)
		put_truth(t, r, &truth, rows);
	else if (rows)
		text_puts(t, "<p class=\"none\">No generator sent anything.</p>\n");
	free(rows);
	truth_free(&truth);
}

/* ---- flows ---- */

static int by_bytes(const void *a, const void *b)
{
	const struct sample_flow *const *x = a, *const *y = b;
	uint64_t i = (*x)->value.tx.bytes, j = (*y)->value.tx.bytes;

	return (i < j) - (i > j) ?: (*x > *y) - (*x < *y);
}

/* "c3 192.168.3.1", "host3 172.16.1.103", or who gets what is flooded. */
static void put_end(struct text *t, int32_t client, int32_t host, const uint8_t inner[16], const uint8_t outer[16], bool bum)
{
	struct ip_addr a;
	char text[ADDR_STRLEN];

	memcpy(a.b, inner, sizeof(a.b));
	if (addr_is_none(&a))
		memcpy(a.b, outer, sizeof(a.b));
	text_puts(t, "<td>");
	if (client >= 0)
		text_printf(t, "<b>c%d</b> ", client);
	else if (bum)
		text_puts(t, "<b>all</b> ");
	else if (host >= 0)
		text_printf(t, "<b>host%d</b> ", host);
	text_printf(t, "<small>%s</small></td>", addr_format(&a, text));
}

static void put_flow(struct text *t, const struct sample_flow *f)
{
	uint64_t sent = f->value.tx.packets, received = f->value.rx.packets;
	char proto[FLOW_PROTO_SIZE];

	text_puts(t, "<tr>");
	put_end(t, f->src_client, f->src_host, f->key.inner_src, f->key.outer_src, false);
	put_end(t, f->dst_client, f->dst_host, f->key.inner_dst, f->key.outer_dst, f->bum);
	if (flow_vni(&f->key) >= 0)
		text_printf(t, "<td>%lld</td>", (long long)flow_vni(&f->key));
	else
		text_puts(t, "<td>\xe2\x80\x93</td>");
	text_printf(t, "<td>%s</td>", flow_proto_name(f->key.inner_ethertype, f->key.inner_ipproto, proto));
	report_html_number_cell(t, sent);
	text_puts(t, "<td class=\"number\">");
	put_bytes(t, f->value.tx.bytes);
	text_puts(t, "</td>");
	report_html_number_cell(t, received);
	if (f->bum || received >= sent)
		text_puts(t, "<td class=\"number\">\xe2\x80\x93</td></tr>\n");
	else
		text_printf(t, "<td class=\"number lossy\">%.2g\xc2\xa0%%</td></tr>\n", 100 * (1 - (double)received / (double)sent));
}

void report_html_flows(struct text *t, const struct report *r)
{
	const struct sample *s = r->sample;
	const struct sample_flow **flows = calloc(s->n_flows + 1, sizeof(*flows));
	size_t shown = s->n_flows < FLOWS_SHOWN ? s->n_flows : FLOWS_SHOWN;

	if (!flows) {
		t->failed = true;
		return;
	}
	for (size_t i = 0; i < s->n_flows; i++)
		flows[i] = &s->flows[i];
	qsort(flows, s->n_flows, sizeof(*flows), by_bytes);
	text_puts(t, "<p class=\"about\">");
	report_html_count(t, s->n_flows);
	text_puts(t, shown < s->n_flows ? " flows, the largest of them:</p>\n" : " flows.</p>\n");
	begin_table(t, "Flows");
	text_puts(t, "<th>from</th><th>to</th><th>VNI</th><th>protocol</th><th class=\"number\">sent</th><th class=\"number\">bytes</th>"
		     "<th class=\"number\">received</th><th class=\"number\">lost</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < shown; i++)
		put_flow(t, flows[i]);
	text_puts(t, "</tbody></table></div>\n");
	free(flows);
}
