/* SPDX-License-Identifier: Apache-2.0 */
/* Text in columns for terminals: aligned, cut to a width. What the columns mean is view_table.c's. */
#ifndef TUNLAB_BASE_TABLE_H
#define TUNLAB_BASE_TABLE_H

#include "base/text.h"

struct table_column {
	const char *title;
	bool right;        /* numbers */
	unsigned rank;     /* where there is no room the column of the highest rank goes first; 0 stays */
};

/* Set columns and n_columns, then add cells row by row. Running out of memory shows when the text is taken. */
struct table {
	const struct table_column *columns;
	size_t n_columns;
	struct text cells; /* each followed by a NUL */
	size_t n_cells;
};

void table_cell(struct table *t, const char *cell); /* NULL: "-" */
void table_u64(struct table *t, uint64_t v);
void table_printf(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds title line and rows to out and frees the table. A column whose cells are all "" is left out. width in
 * characters, 0: unlimited. */
void table_print(struct table *t, struct text *out, unsigned width);

#endif
