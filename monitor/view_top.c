/* SPDX-License-Identifier: Apache-2.0 */
/* Draws the screen of `tunlab top`; see view_top.h. What comes from the lab is text of others: nothing but printable characters
 * goes to the terminal. */
#include "monitor/view_top.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "monitor/view_read.h"

enum {
	HEAD_LINES = 4,     /* totals, health, views, column titles */
	FOOT_LINES = 2,     /* the rest, keys */
	PAST_ROWS_MAX = 1024,
	KEY_SIZE = 128,
	GRAPH_MIN = 8,      /* columns below which there is no use in a graph */
	BAR_MAX = 30,
	SILENT_S = 3,
};

const struct top_view top_views[TOP_VIEW_MAX] = {
	[TOP_CLIENTS] = { "clients", 'c', BY_CLIENT },
	[TOP_PAIRS] = { "pairs", 'p', BY_INNER },
	[TOP_VNIS] = { "vnis", 'v', BY_VNI },
	[TOP_HOSTS] = { "hosts", 'h', BY_HOST },
};

/* ---- the past ---- */

enum { PAST_BPS, PAST_PPS, PAST_UNIT_MAX };

struct top_past_row {
	char key[KEY_SIZE];
	uint32_t seen; /* top_past.now when it was last in a document */
	float rate[PAST_UNIT_MAX][TOP_SECONDS]; /* by top_past.now modulo TOP_SECONDS; NAN: not known */
};

/* What tells rows of a view apart, in one text. */
static void key_of(const cJSON *row, unsigned view, char key[KEY_SIZE])
{
	static const char *const texts[TOP_VIEW_MAX][2] = {
		[TOP_CLIENTS] = { "client", "host" }, [TOP_PAIRS] = { "inner_src", "inner_dst" }, [TOP_HOSTS] = { "outer_src" },
	};
	const cJSON *vni = get(row, "vni");
	size_t at = (size_t)snprintf(key, KEY_SIZE, "%.0f", cJSON_IsNumber(vni) ? vni->valuedouble : -1.0);

	for (int i = 0; i < 2 && texts[view][i] && at < KEY_SIZE; i++)
		at += (size_t)snprintf(key + at, KEY_SIZE - at, " %s", get_text(row, texts[view][i]) ?: "-");
}

static struct top_past_row *find_past(const struct top_past *p, const char *key)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->rows[i].key, key) == 0)
			return &p->rows[i];
	return NULL;
}

static struct top_past_row *make_past(struct top_past *p, const char *key)
{
	struct top_past_row *row;

	if (p->n == PAST_ROWS_MAX)
		return NULL;
	if (!p->rows)
		p->rows = malloc(PAST_ROWS_MAX * sizeof(*p->rows)); /* 600 kB, touched as rows come */
	if (!p->rows)
		return NULL;
	row = &p->rows[p->n++];
	(void)snprintf(row->key, sizeof(row->key), "%s", key);
	for (int i = 0; i < TOP_SECONDS; i++)
		row->rate[PAST_BPS][i] = row->rate[PAST_PPS][i] = NAN;
	return row;
}

/* A new second, of which nothing is known yet; rows that were not seen for a minute go. */
static void begin_second(struct top_past *p)
{
	size_t kept = 0;

	p->now++;
	for (size_t i = 0; i < p->n; i++) {
		if (p->now - p->rows[i].seen >= TOP_SECONDS)
			continue;
		p->rows[kept] = p->rows[i];
		p->rows[kept].rate[PAST_BPS][p->now % TOP_SECONDS] = NAN;
		p->rows[kept++].rate[PAST_PPS][p->now % TOP_SECONDS] = NAN;
	}
	p->n = kept;
}

/* In either direction: interfaces that are watched may receive only. */
static double rate_of(const cJSON *row, enum flow_order order)
{
	const cJSON *rates = get(row, "rates");
	double sent = get_number(rates, order == ORDER_PPS ? "pps" : "bps");
	double received = get_number(rates, order == ORDER_PPS ? "received_pps" : "received_bps");

	return sent > 0 ? sent : received;
}

void top_past_add(struct top_past *p, const char *json, unsigned view)
{
	cJSON *doc = cJSON_Parse(json);
	double elapsed_s = get_number(doc, "elapsed_s");
	const cJSON *row;
	char key[KEY_SIZE];

	if (doc && (!p->now || elapsed_s != p->elapsed_s)) {
		begin_second(p);
		p->elapsed_s = elapsed_s;
		cJSON_ArrayForEach(row, get(doc, "rows")) {
			struct top_past_row *past;

			key_of(row, view, key);
			past = find_past(p, key) ?: make_past(p, key);
			if (!past || !cJSON_IsObject(get(row, "rates")))
				continue;
			past->seen = p->now;
			past->rate[PAST_BPS][p->now % TOP_SECONDS] = (float)rate_of(row, ORDER_BPS);
			past->rate[PAST_PPS][p->now % TOP_SECONDS] = (float)rate_of(row, ORDER_PPS);
		}
	}
	cJSON_Delete(doc);
}

void top_past_free(struct top_past *p)
{
	free(p->rows);
	*p = (struct top_past) { 0 };
}

/* ---- lines ---- */

struct screen {
	struct text out;
	const struct top_look *look;
	unsigned line;   /* that is being written; those from look->height on are not */
	unsigned column; /* how much of it is taken */
};

static bool visible(const struct screen *s)
{
	return s->line < s->look->height;
}

/* As much as fits. */
static void put(struct screen *s, const char *text)
{
	for (; visible(s) && *text && s->column < s->look->width; text++, s->column++)
		text_char(&s->out, *text >= ' ' && *text <= '~' ? *text : '?', 1);
}

static void pad(struct screen *s, unsigned column)
{
	if (column > s->look->width)
		column = s->look->width;
	if (visible(s) && column > s->column) {
		text_char(&s->out, ' ', column - s->column);
		s->column = column;
	}
}

/* In a column of its own width, cut; then a space. */
static void put_cell(struct screen *s, const char *text, unsigned width, bool right)
{
	unsigned start = s->column, len = (unsigned)strlen(text);
	char cut[64];

	(void)snprintf(cut, sizeof(cut), "%.*s", (int)width, text);
	if (right && len < width)
		pad(s, start + width - len);
	put(s, cut);
	pad(s, start + width + 1);
}

enum style { PLAIN, BOLD, REVERSE, GREEN, AMBER, FAINT };

static void style(struct screen *s, enum style style)
{
	static const char *const codes[] = {
		[PLAIN] = "\033[0m", [BOLD] = "\033[1m", [REVERSE] = "\033[7m", [GREEN] = "\033[32m", [AMBER] = "\033[1;33m",
		[FAINT] = "\033[2m",
	};

	if (s->look->colour && visible(s))
		text_puts(&s->out, codes[style]);
}

static void end_line(struct screen *s)
{
	style(s, PLAIN);
	if (s->line + 1 < s->look->height)
		text_char(&s->out, '\n', 1);
	s->line++;
	s->column = 0;
}

/* ---- graphs ---- */

enum { LEVELS = 8 };
static const char *const blocks[LEVELS] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char levels[LEVELS + 1] = "_.:-=+*#";

static void put_level(struct screen *s, int level)
{
	if (!visible(s) || s->column >= s->look->width)
		return;
	if (s->look->utf8)
		text_puts(&s->out, blocks[level]);
	else
		text_char(&s->out, levels[level], 1);
	s->column++;
}

/* The newest on the right. Each row by its own measure: how big they are stands in the other columns. */
static void put_graph(struct screen *s, const struct top_past *p, const float *rate, unsigned width)
{
	unsigned n = width < TOP_SECONDS ? width : TOP_SECONDS;
	float most = 0;

	for (unsigned i = 0; i < n; i++)
		most = fmaxf(most, rate[(p->now + TOP_SECONDS - i) % TOP_SECONDS]); /* passes over NAN */
	for (unsigned i = n; i-- > 0;) {
		float v = rate[(p->now + TOP_SECONDS - i) % TOP_SECONDS];

		if (isnan(v))
			pad(s, s->column + 1);
		else /* 0 has the lowest level for itself */
			put_level(s, v > 0 ? 1 + (int)((v / most) * (LEVELS - 2) + 0.5f) : 0);
	}
}

static void put_bar(struct screen *s, double share, unsigned width)
{
	unsigned start = s->column, n = (unsigned)(share * width + 0.5);

	for (unsigned i = 0; i < n && i < width; i++)
		put_level(s, LEVELS - 1);
	pad(s, start + width + 1);
}

/* ---- columns ---- */

enum cell { CLIENT, HOST, VNI, FROM, TO, INNER_SRC, INNER_DST, OUTER, FLOWS, RATE, PPS, RECEIVED, SHARE, TOTAL };

struct column {
	enum cell cell;
	const char *title;
	unsigned width;
	bool right;
	unsigned rank; /* where there is no room the column of the highest rank goes first; 0 stays */
};

enum { COLUMNS_MAX = 10 };

#define COUNTS { RATE, "SENT", 11, true, 0 }, { PPS, "PPS", 9, true, 2 }, { RECEIVED, "RECEIVED", 11, true, 3 }, \
	{ SHARE, "SHARE", 6, true, 4 }, { TOTAL, "TOTAL", 7, true, 5 }

static const struct column columns[TOP_VIEW_MAX][COLUMNS_MAX] = {
	[TOP_CLIENTS] = { { CLIENT, "CLIENT", 7, false, 0 }, { HOST, "HOST", 10, false, 1 }, COUNTS },
	[TOP_PAIRS] = { { VNI, "VNI", 8, true, 1 }, { FROM, "FROM", 15, false, 0 }, { TO, "TO", 15, false, 0 },
			{ INNER_SRC, "INNER SRC", 15, false, 6 }, { INNER_DST, "INNER DST", 15, false, 6 }, COUNTS },
	[TOP_VNIS] = { { VNI, "VNI", 8, true, 0 }, { FLOWS, "FLOWS", 6, true, 1 }, COUNTS },
	[TOP_HOSTS] = { { HOST, "HOST", 10, false, 0 }, { OUTER, "OUTER SRC", 15, false, 1 }, COUNTS },
};

/* What of a line goes where. */
struct layout {
	const struct column *columns[COLUMNS_MAX];
	size_t n;
	unsigned graph, bar; /* columns for them; 0: none */
};

static unsigned taken(const struct layout *l)
{
	unsigned width = 0;

	for (size_t i = 0; i < l->n; i++)
		width += l->columns[i]->width + 1;
	return width;
}

static bool drop_least(struct layout *l)
{
	size_t least = 0;

	for (size_t i = 1; i < l->n; i++)
		if (l->columns[i]->rank > l->columns[least]->rank)
			least = i;
	if (!l->columns[least]->rank)
		return false;
	memmove(&l->columns[least], &l->columns[least + 1], (l->n - least - 1) * sizeof(*l->columns));
	l->n--;
	return true;
}

static struct layout lay_out(const struct top_look *look)
{
	struct layout l = { .n = 0 };
	unsigned left;

	for (const struct column *c = columns[look->view]; c < columns[look->view] + COLUMNS_MAX && c->title; c++)
		l.columns[l.n++] = c;
	while (taken(&l) + GRAPH_MIN > look->width && drop_least(&l))
		;
	left = look->width > taken(&l) ? look->width - taken(&l) : 0;
	l.graph = left < GRAPH_MIN ? 0 : left < TOP_SECONDS ? left : TOP_SECONDS;
	left -= l.graph;
	l.bar = left <= GRAPH_MIN ? 0 : left - 1 < BAR_MAX ? left - 1 : BAR_MAX;
	return l;
}

static const char *end_of_pair(const cJSON *row, const char *client, const char *address)
{
	return get_text(row, client) ?: get_text(row, address) ?: "-";
}

static const char *cell_text(const cJSON *row, enum cell cell, double share, char *buf, size_t len)
{
	const cJSON *rates = get(row, "rates"), *vni = get(row, "vni");
	char scaled[TEXT_SCALED_SIZE];

	switch (cell) {
	case CLIENT:
		return get_text(row, "client") ?: "-";
	case HOST:
		return get_text(row, "host") ?: get_text(row, "outer_src") ?: "-";
	case INNER_SRC:
		return get_text(row, "inner_src") ?: "-";
	case INNER_DST:
		return get_text(row, "inner_dst") ?: "-";
	case OUTER:
		return get_text(row, "outer_src") ?: "-";
	case FROM:
		return end_of_pair(row, "src_client", "inner_src");
	case TO:
		return end_of_pair(row, "dst_client", "inner_dst");
	case VNI:
		(void)snprintf(buf, len, "%.0f", vni ? vni->valuedouble : 0);
		return cJSON_IsNumber(vni) ? buf : "-";
	case FLOWS:
		(void)snprintf(buf, len, "%.0f", get_number(row, "flows"));
		return buf;
	case SHARE:
		(void)snprintf(buf, len, "%.1f%%", 100 * share);
		return buf;
	case TOTAL:
		(void)snprintf(buf, len, "%s", text_scaled(get_number(row, "bytes"), "B", scaled));
		return buf;
	case RATE:
	case RECEIVED:
		(void)snprintf(buf, len, "%s", text_scaled(get_number(rates, cell == RATE ? "bps" : "received_bps"), "bit/s", scaled));
		return cJSON_IsObject(rates) ? buf : "-";
	case PPS:
		(void)snprintf(buf, len, "%.0f", get_number(rates, "pps"));
		return cJSON_IsObject(rates) ? buf : "-";
	}
	return "";
}

/* ---- the screen ---- */

static void put_totals(struct screen *s, const cJSON *doc)
{
	const cJSON *rates = get(get(doc, "total"), "rates");
	char time[32], sent[TEXT_SCALED_SIZE], received[TEXT_SCALED_SIZE], line[160];

	style(s, BOLD);
	put(s, get_text(doc, "source") ?: "tunlab");
	style(s, PLAIN);
	(void)snprintf(line, sizeof(line), "  %s  sent %s, %.0f pps  received %s", duration(get_number(doc, "elapsed_s"), time, sizeof(time)),
		       text_scaled(get_number(rates, "bps"), "bit/s", sent), get_number(rates, "pps"),
		       text_scaled(get_number(rates, "received_bps"), "bit/s", received));
	put(s, doc ? line : "  waiting for the lab");
	end_line(s);
}

static void put_health(struct screen *s, const cJSON *monitor)
{
	const char *state = get_text(monitor, "state"), *reason = get_text(monitor, "reason");
	const cJSON *ns = get(get(monitor, "cost"), "ns_per_packet");
	char line[160];

	if (state) {
		style(s, reason ? AMBER : GREEN);
		put(s, "monitor ");
		put(s, state);
		put(s, ": ");
		if (!reason)
			style(s, PLAIN);
		(void)snprintf(line, sizeof(line), "%llu lost, table %.0f %% full", (unsigned long long)get_u64(monitor, "lost"),
			       100 * get_number(monitor, "fill"));
		put(s, reason ? reason : line);
		(void)snprintf(line, sizeof(line), ", %.0f ns a frame", ns ? ns->valuedouble : 0);
		if (!reason && cJSON_IsNumber(ns))
			put(s, line);
	}
	end_line(s);
}

static void put_views(struct screen *s)
{
	char text[40];

	for (unsigned v = s->look->no_clients ? TOP_PAIRS : TOP_CLIENTS; v < TOP_VIEW_MAX; v++) {
		(void)snprintf(text, sizeof(text), s->look->colour || v != s->look->view ? " %s " : "[%s]", top_views[v].name);
		style(s, v == s->look->view ? REVERSE : PLAIN);
		put(s, text);
		style(s, PLAIN);
		put(s, " ");
	}
	put(s, s->look->order == ORDER_PPS ? "by packets" : "by bits");
	if (s->look->paused) {
		put(s, "  ");
		style(s, REVERSE);
		put(s, " paused ");
	} else if (s->look->silent_s >= SILENT_S) {
		style(s, AMBER);
		(void)snprintf(text, sizeof(text), "  no answer for %.0f s", s->look->silent_s);
		put(s, text);
	}
	end_line(s);
}

static void put_titles(struct screen *s, const struct layout *l)
{
	style(s, REVERSE);
	for (size_t i = 0; i < l->n; i++)
		put_cell(s, l->columns[i]->title, l->columns[i]->width, l->columns[i]->right);
	if (l->bar)
		put_cell(s, "", l->bar, false);
	if (l->graph)
		put(s, l->graph < TOP_SECONDS ? "LATELY" : "LAST MINUTE");
	pad(s, s->look->width);
	end_line(s);
}

static void put_row(struct screen *s, const struct layout *l, const cJSON *row, const struct top_past *past, double total)
{
	double share = total > 0 ? rate_of(row, s->look->order) / total : 0;
	char buf[64], key[KEY_SIZE];
	const struct top_past_row *known;

	key_of(row, s->look->view, key);
	known = find_past(past, key);
	for (size_t i = 0; i < l->n; i++)
		put_cell(s, cell_text(row, l->columns[i]->cell, share, buf, sizeof(buf)), l->columns[i]->width, l->columns[i]->right);
	if (l->bar)
		put_bar(s, share < 1 ? share : 1, l->bar);
	if (l->graph && known)
		put_graph(s, past, known->rate[s->look->order == ORDER_PPS ? PAST_PPS : PAST_BPS], l->graph);
	end_line(s);
}

static void put_rest(struct screen *s, const cJSON *doc, unsigned shown)
{
	const cJSON *rest = get(doc, "rest");
	uint64_t left = get_u64(rest, "rows") + (uint64_t)cJSON_GetArraySize(get(doc, "rows")) - shown;
	char line[120], scaled[TEXT_SCALED_SIZE];

	if (doc && left && left == get_u64(rest, "rows")) {
		(void)snprintf(line, sizeof(line), "and %llu more: %s", (unsigned long long)left,
			       text_scaled(get_number(get(rest, "rates"), "bps"), "bit/s", scaled));
		put(s, line);
	} else if (doc && left) { /* the screen has become smaller */
		(void)snprintf(line, sizeof(line), "and %llu more", (unsigned long long)left);
		put(s, line);
	} else if (doc && !shown) {
		put(s, "no tunnelled packet has been seen yet");
	}
	end_line(s);
}

static void put_keys(struct screen *s)
{
	style(s, FAINT);
	put(s, s->look->no_clients ? "p v h: view   s: bits or packets   space: pause   q: quit" : "c p v h: view   s: bits or packets   space: pause   q: quit");
	end_line(s);
}

size_t top_rows(const struct top_look *look)
{
	return look->height > HEAD_LINES + FOOT_LINES ? look->height - HEAD_LINES - FOOT_LINES : 1;
}

char *view_top(const char *json, const struct top_past *past, const struct top_look *look)
{
	cJSON *doc = json ? cJSON_Parse(json) : NULL;
	struct screen s = { .look = look };
	struct layout l = lay_out(look);
	double total = rate_of(get(doc, "total"), look->order);
	size_t room = top_rows(look);
	unsigned shown = 0;
	const cJSON *row;

	put_totals(&s, doc);
	put_health(&s, get(doc, "monitor"));
	put_views(&s);
	put_titles(&s, &l);
	cJSON_ArrayForEach(row, get(doc, "rows")) {
		if (shown == room)
			break;
		put_row(&s, &l, row, past, total);
		shown++;
	}
	put_rest(&s, doc, shown);
	while (s.line + 1 < look->height)
		end_line(&s);
	put_keys(&s);
	cJSON_Delete(doc);
	return text_take(&s.out);
}
