/* SPDX-License-Identifier: Apache-2.0 */
/* Ground truth as JSON, the rows of truth.h, one an object; and as the table that commands make of it. */
#include "monitor/view_internal.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/table.h"
#include "monitor/truth.h"

/* The sections, or live generators, whose packets a row holds; each once. */
static void emit_generators(struct emit *e, const struct sample *s, const struct truth *t, const struct truth_row *row)
{
	int64_t last = -1;

	emit_array(e, "traffic");
	for (uint32_t i = 0; i < row->n_streams; i++) {
		uint32_t generator = s->streams[t->streams[row->stream0 + i]].generator;

		if ((int64_t)generator != last)
			emit_string(e, NULL, s->generators[generator].name);
		last = generator;
	}
	emit_array_end(e);
}

static void emit_row(struct emit *e, const struct plan *plan, const struct sample *s, const struct truth *t,
		     const struct truth_row *row)
{
	char where[200];

	emit_object(e, NULL);
	emit_client(e, "from", row->from);
	emit_client(e, "to", row->to);
	emit_string(e, "proto", scn_proto_names[row->proto]);
	emit_vni(e, "vni", plan->vnis[plan->clients[row->from].vni].scn->vni);
	emit_generators(e, s, t, row);
	for (enum truth_place p = TRUTH_SENT; p < TRUTH_PLACE_MAX; p = truth_next(row->proto, p))
		emit_u64(e, truth_place_names[p], row->count[p]);
	emit_u64(e, "duplicates", row->duplicates);
	emit_u64(e, "send_errors", row->send_errors);
	emit_u64(e, "missing", truth_missing(row));
	emit_bool(e, "both_ways", row->both_ways);
	emit_bool(e, "running", row->running);
	emit_string(e, "parts", row->parts < TRUTH_PLACE_MAX ? truth_place_names[row->parts] : NULL);
	truth_where(plan, row, where, sizeof(where));
	emit_string(e, "where", *where ? where : NULL);
	emit_object_end(e);
}

/* Those that lost most first, then as they stand. */
static int compare_by_missing(const void *a, const void *b)
{
	const struct truth_row *x = *(const struct truth_row *const *)a, *y = *(const struct truth_row *const *)b;
	uint64_t m = truth_missing(x), n = truth_missing(y);

	if (m != n)
		return m > n ? -1 : 1;
	return (x > y) - (x < y);
}

void emit_truth(struct emit *e, const struct plan *plan, const struct sample *s, const struct truth *t, size_t top)
{
	const struct truth_row **order = malloc((t->n + 1) * sizeof(*order));
	size_t agree = 0;

	if (!order) {
		e->failed = true;
		return;
	}
	for (size_t i = 0; i < t->n; i++) {
		order[i] = &t->rows[i];
		agree += t->rows[i].parts == TRUTH_PLACE_MAX;
	}
	if (top && top < t->n)
		qsort(order, t->n, sizeof(*order), compare_by_missing);
	emit_object(e, "pairs");
	emit_u64(e, "all", t->n);
	emit_u64(e, "agree", agree);
	emit_object_end(e);
	emit_array(e, "truth");
	for (size_t i = 0; i < t->n && (!top || i < top); i++)
		emit_row(e, plan, s, t, order[i]);
	emit_array_end(e);
	free(order);
}

/* ------------------------------------------------------------------ for the terminal */

static const struct table_column columns[] = {
	{ "FROM", false, 0 }, { "TO", false, 0 }, { "PROTO", false, 3 }, { "SENT", true, 0 }, { "LEFT", true, 2 }, { "ARRIVED", true, 2 },
	{ "DELIVERED", true, 0 }, { "STOPS", false, 1 },
};

static const char *text_of(const cJSON *row, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, key));
}

static void put_count(struct table *t, const cJSON *row, const char *key)
{
	double v = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(row, key));

	if (v >= 0 && v < 1.8e19)
		table_u64(t, (uint64_t)v);
	else
		table_cell(t, NULL);
}

void view_put_truth(struct text *out, const cJSON *doc, unsigned width)
{
	enum { SHOWN = 20 };
	struct table t = { .columns = columns, .n_columns = sizeof(columns) / sizeof(*columns) };
	const cJSON *pairs = cJSON_GetObjectItemCaseSensitive(doc, "pairs"), *row;
	double all = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(pairs, "all"));
	double agree = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(pairs, "agree"));
	unsigned n = 0;

	if (!(all > 0)) /* no such document, or nobody sends */
		return;
	text_printf(out, "generators and monitor agree on %.0f of %.0f pairs\n", agree, all);
	cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(doc, "truth")) {
		if (!text_of(row, "where") || n++ >= SHOWN)
			continue;
		table_cell(&t, text_of(row, "from"));
		table_cell(&t, text_of(row, "to"));
		table_cell(&t, text_of(row, "proto"));
		put_count(&t, row, "sent");
		put_count(&t, row, "left");
		put_count(&t, row, "arrived");
		put_count(&t, row, "received");
		table_cell(&t, text_of(row, "where"));
	}
	if (t.n_cells)
		table_print(&t, out, width);
	if (n > SHOWN)
		text_printf(out, "and %u more\n", n - SHOWN);
}
