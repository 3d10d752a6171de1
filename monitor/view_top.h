/* SPDX-License-Identifier: Apache-2.0 */
/* The screen of `tunlab top`: rows of a lab's flow table with their rates, busiest first, in so many lines and columns. Pure:
 * documents and sizes in, text out; the terminal is cmd_top.c's. */
#ifndef TUNLAB_MONITOR_VIEW_TOP_H
#define TUNLAB_MONITOR_VIEW_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/view.h"

enum { TOP_CLIENTS, TOP_PAIRS, TOP_VNIS, TOP_HOSTS, TOP_VIEW_MAX };

/* What each is called, the key that shows it, and what the lab is asked for. */
struct top_view {
	const char *name;
	char key;
	enum flow_by by;
};
extern const struct top_view top_views[TOP_VIEW_MAX];

struct top_look {
	unsigned view;         /* TOP_CLIENTS … */
	enum flow_order order; /* ORDER_BPS or ORDER_PPS */
	bool paused;
	bool no_clients;       /* there are none to be shown */
	double silent_s;       /* since the lab last answered */
	bool colour, utf8;
	unsigned width, height;
};

enum { TOP_SECONDS = 60 };

/* The rates of rows in the last minute. Zero-initialise; one view's documents only. */
struct top_past {
	struct top_past_row *rows;
	size_t n;
	uint32_t now;     /* documents taken so far */
	double elapsed_s; /* of the newest */
};

/* Takes a document (tunlab.rows/1 with rates); the one that was there already changes nothing. For want of memory, or in a table
 * of thousands of rows, some have no past. */
void top_past_add(struct top_past *p, const char *json, unsigned view);
void top_past_free(struct top_past *p); /* as zero-initialised again */

/* How many rows of the document the screen has room for. */
size_t top_rows(const struct top_look *look);

/* Exactly look->height lines, ended by "\n" but for the last, each of at most look->width columns, with colours where they are
 * wanted. json NULL: no answer has come yet. A new string (free it); NULL: no memory. */
char *view_top(const char *json, const struct top_past *past, const struct top_look *look);

#endif
