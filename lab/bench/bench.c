/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of measurements, as a table and as JSON; see bench.h. */
#include "lab/bench/bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/emit.h"
#include "base/table.h"

void bench_add(struct bench *b, const char *unit, double value, const char *reference, double reference_value,
	       const char *format, ...)
{
	struct bench_row *rows = reallocarray(b->rows, b->n_rows + 1, sizeof(*rows)), *row;
	va_list ap;

	if (!rows) {
		b->failed = true;
		return;
	}
	b->rows = rows;
	row = &rows[b->n_rows++];
	*row = (struct bench_row){.section = b->section, .unit = unit, .value = value, .reference_value = reference_value};
	va_start(ap, format);
	(void)vsnprintf(row->what, sizeof(row->what), format, ap);
	va_end(ap);
	if (reference)
		(void)snprintf(row->reference, sizeof(row->reference), "%s", reference);
}

void bench_miss(struct bench *b, const char *what, const char *format, ...)
{
	struct bench_gap *gaps = reallocarray(b->gaps, b->n_gaps + 1, sizeof(*gaps)), *gap;
	va_list ap;

	if (!gaps) {
		b->failed = true;
		return;
	}
	b->gaps = gaps;
	gap = &gaps[b->n_gaps++];
	*gap = (struct bench_gap){.section = b->section};
	(void)snprintf(gap->what, sizeof(gap->what), "%s", what);
	va_start(ap, format);
	(void)vsnprintf(gap->why, sizeof(gap->why), format, ap);
	va_end(ap);
}

void bench_free(struct bench *b)
{
	free(b->rows);
	free(b->gaps);
	b->rows = NULL;
	b->gaps = NULL;
}

unsigned bench_rounds(const struct bench *b, unsigned usual)
{
	return b->rounds ? b->rounds : usual;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median(double *values, size_t n)
{
	if (n == 0)
		return NAN;
	qsort(values, n, sizeof(*values), compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

uint64_t bench_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static double ratio_of(const struct bench_row *row)
{
	return *row->reference && row->reference_value ? row->value / row->reference_value : NAN;
}

/* Three digits or more, without an exponent. */
static void put_figure(struct table *t, double v)
{
	if (!isfinite(v))
		table_cell(t, NULL);
	else
		table_printf(t, "%.*f", fabs(v) < 1 ? 3 : fabs(v) < 100 ? 1 : 0, v);
}

char *bench_table(const struct bench *b, size_t from, unsigned width)
{
	static const struct table_column columns[] = {
		{ "what", false, 0 }, { "tunlab", true, 0 }, { "reference", true, 0 }, { "unit", false, 0 }, { "ratio", true, 0 },
		{ "reference is", false, 1 },
	};
	struct table t = { .columns = columns, .n_columns = sizeof(columns) / sizeof(*columns) };
	struct text out = { 0 };

	for (size_t i = from; i < b->n_rows; i++) {
		const struct bench_row *row = &b->rows[i];

		table_cell(&t, row->what);
		put_figure(&t, row->value);
		put_figure(&t, *row->reference ? row->reference_value : NAN);
		table_cell(&t, row->unit);
		if (isfinite(ratio_of(row)))
			table_printf(&t, "%.3f", ratio_of(row));
		else
			table_cell(&t, NULL);
		table_cell(&t, row->reference);
	}
	table_print(&t, &out, width);
	return text_take(&out);
}

char *bench_json(const struct bench *b)
{
	struct emit e = { 0 };

	emit_object(&e, NULL);
	emit_string(&e, "schema", "tunlab.bench/1");
	emit_array(&e, "rows");
	for (size_t i = 0; i < b->n_rows; i++) {
		const struct bench_row *row = &b->rows[i];

		emit_object(&e, NULL);
		emit_string(&e, "section", row->section);
		emit_string(&e, "what", row->what);
		emit_number(&e, "value", row->value);
		emit_string(&e, "unit", row->unit);
		emit_string(&e, "reference", *row->reference ? row->reference : NULL);
		emit_number(&e, "reference_value", *row->reference ? row->reference_value : NAN);
		emit_number(&e, "ratio", ratio_of(row));
		emit_object_end(&e);
	}
	emit_array_end(&e);
	emit_array(&e, "missing");
	for (size_t i = 0; i < b->n_gaps; i++) {
		emit_object(&e, NULL);
		emit_string(&e, "section", b->gaps[i].section);
		emit_string(&e, "what", b->gaps[i].what);
		emit_string(&e, "why", b->gaps[i].why);
		emit_object_end(&e);
	}
	emit_array_end(&e);
	emit_object_end(&e);
	return emit_take(&e);
}
