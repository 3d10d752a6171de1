/* SPDX-License-Identifier: Apache-2.0 */
/* Text in columns; see table.h. */
#include "base/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS_MAX = 24, GAP = 2 };

/* Characters, not bytes: continuation bytes of UTF-8 take no place. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void table_cell(struct table *t, const char *cell)
{
	const char *s = cell ? cell : "-";

	text_add(&t->cells, s, strlen(s) + 1);
	t->n_cells++;
}

void table_u64(struct table *t, uint64_t v)
{
	text_u64(&t->cells, v);
	text_add(&t->cells, "", 1);
	t->n_cells++;
}

void table_printf(struct table *t, const char *format, ...)
{
	char cell[256];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(cell, sizeof(cell), format, ap); /* a longer one is cut: no terminal is wide enough for it */
	va_end(ap);
	table_cell(t, cell);
}

static size_t line_width(const struct table *t, const size_t *widths)
{
	size_t sum = 0;

	for (size_t c = 0; c < t->n_columns; c++)
		sum += widths[c] ? widths[c] + GAP : 0;
	return sum ? sum - GAP : 0;
}

/* Width of each column, 0 for those not shown. */
static void measure(const struct table *t, size_t *widths)
{
	const char *cell = t->cells.buf;

	memset(widths, 0, COLUMNS_MAX * sizeof(*widths));
	for (size_t i = 0; i < t->n_cells; i++, cell += strlen(cell) + 1) {
		size_t w = width_of(cell);

		if (w > widths[i % t->n_columns])
			widths[i % t->n_columns] = w;
	}
	for (size_t c = 0; c < t->n_columns; c++) {
		size_t w = width_of(t->columns[c].title);

		if (widths[c] && widths[c] < w)
			widths[c] = w;
	}
}

/* Columns of the same rank go together: half a pair tells little. */
static void drop(const struct table *t, size_t *widths, unsigned width)
{
	while (width && line_width(t, widths) > width) {
		unsigned worst = 0;

		for (size_t c = 0; c < t->n_columns; c++) {
			if (widths[c] && t->columns[c].rank > worst)
				worst = t->columns[c].rank;
		}
		if (!worst)
			return;
		for (size_t c = 0; c < t->n_columns; c++) {
			if (t->columns[c].rank == worst)
				widths[c] = 0;
		}
	}
}

/* Where the first n characters of s end. */
static const char *after_chars(const char *s, size_t n)
{
	for (; *s; s++) {
		if (((unsigned char)*s & 0xc0) != 0x80 && n-- == 0)
			break;
	}
	return s;
}

/* As much of s as fits into `left` (at least one) characters. Returns the characters written. */
static size_t put_cut(struct text *out, const char *s, size_t left)
{
	size_t w = width_of(s);

	if (w <= left) {
		text_puts(out, s);
		return w;
	}
	text_add(out, s, (size_t)(after_chars(s, left - 1) - s));
	text_puts(out, "…");
	return left;
}

struct line {
	size_t at, pending, limit; /* characters written, blanks not yet, most there may be */
};

static void put_cell(struct text *out, const struct table_column *column, const char *cell, size_t width,
		     struct line *l)
{
	size_t w = width_of(cell), pad = width > w ? width - w : 0;

	l->pending += column->right ? pad : 0;
	if (w && l->at + l->pending < l->limit) { /* blanks at the end of a line are never written */
		text_char(out, ' ', l->pending);
		l->at += l->pending;
		l->at += put_cut(out, cell, l->limit - l->at);
		l->pending = 0;
	} else {
		l->pending += w;
	}
	l->pending += (column->right ? 0 : pad) + GAP;
}

void table_print(struct table *t, struct text *out, unsigned width)
{
	size_t widths[COLUMNS_MAX], rows = t->n_columns ? t->n_cells / t->n_columns : 0;
	const char *cell = t->cells.buf;

	if (t->cells.failed || t->n_columns > COLUMNS_MAX) {
		out->failed = true;
		rows = 0;
	} else if (rows) {
		measure(t, widths);
		drop(t, widths, width);
	}
	for (size_t r = 0; rows && r <= rows; r++) { /* line 0: titles */
		struct line l = { 0, 0, width ? width : SIZE_MAX };

		for (size_t c = 0; c < t->n_columns; c++) {
			if (widths[c])
				put_cell(out, &t->columns[c], r ? cell : t->columns[c].title, widths[c], &l);
			cell += r ? strlen(cell) + 1 : 0;
		}
		text_char(out, '\n', 1);
	}
	text_free(&t->cells);
	t->n_cells = 0;
}
