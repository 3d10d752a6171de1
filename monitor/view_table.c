/* SPDX-License-Identifier: Apache-2.0 */
/* Terminal tables of the documents a lab answers with: flow table, grouped rows, status. Counts are exact and
 * right-aligned, one record a line, so that the output is as good for grep and awk as for the eye. */
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "monitor/view_internal.h"
#include "monitor/view_read.h"

/* What a column shows of a row. */
enum shape {
	TEXT, NUMBER, RECEIVED, PPS, BPS, SRC_END, DST_END, SRC_OUTER, DST_OUTER, ENCAP, GENERATED_SENT, GENERATED_RECEIVED,
};
struct field {
	const char *key;
	enum shape shape;
};

/* The columns of one kind of document, titles and values side by side. */
struct layout {
	struct table_column columns[16];
	struct field fields[16];
};

#define COUNTS_COLUMNS { "PACKETS", true, 0 }, { "BYTES", true, 0 }, { "RECEIVED", true, 6 }, { "PPS", true, 0 }, \
	{ "RATE", true, 0 }
#define COUNTS_FIELDS { "packets", NUMBER }, { "bytes", NUMBER }, { "received", RECEIVED }, { "rates", PPS }, \
	{ "rates", BPS }

static const struct layout flow_layout = {
	{ { "VNI", true, 0 }, { "FROM", false, 0 }, { "TO", false, 0 }, { "INNER SRC", false, 5 },
	  { "INNER DST", false, 5 }, { "PROTO", false, 7 }, { "OUTER SRC", false, 9 }, { "OUTER DST", false, 9 },
	  { "ENCAP", false, 8 }, COUNTS_COLUMNS },
	{ { "vni", NUMBER }, { "src_client", SRC_END }, { "dst_client", DST_END }, { "inner_src", TEXT },
	  { "inner_dst", TEXT }, { "inner_proto", TEXT }, { "outer_src", SRC_OUTER }, { "outer_dst", DST_OUTER },
	  { "encap", ENCAP }, COUNTS_FIELDS },
};

/* Grouped rows, by the name in "by". */
static const struct {
	const char *by;
	struct layout layout;
} row_layouts[] = {
	{ "outer", { { { "FROM", false, 7 }, { "TO", false, 7 }, { "OUTER SRC", false, 0 }, { "OUTER DST", false, 0 },
		       { "FLOWS", true, 8 }, COUNTS_COLUMNS },
		     { { "src_host", TEXT }, { "dst_host", TEXT }, { "outer_src", TEXT }, { "outer_dst", TEXT },
		       { "flows", NUMBER }, COUNTS_FIELDS } } },
	{ "inner", { { { "VNI", true, 0 }, { "INNER SRC", false, 0 }, { "INNER DST", false, 0 }, { "FLOWS", true, 8 },
		       COUNTS_COLUMNS },
		     { { "vni", NUMBER }, { "inner_src", TEXT }, { "inner_dst", TEXT }, { "flows", NUMBER },
		       COUNTS_FIELDS } } },
	{ "vni", { { { "VNI", true, 0 }, { "FLOWS", true, 8 }, COUNTS_COLUMNS },
		   { { "vni", NUMBER }, { "flows", NUMBER }, COUNTS_FIELDS } } },
	{ "host", { { { "HOST", false, 0 }, { "OUTER SRC", false, 7 }, { "FLOWS", true, 8 }, COUNTS_COLUMNS },
		    { { "host", TEXT }, { "outer_src", TEXT }, { "flows", NUMBER }, COUNTS_FIELDS } } },
	{ "client", { { { "CLIENT", false, 0 }, { "HOST", false, 7 }, { "FLOWS", true, 8 }, COUNTS_COLUMNS,
			{ "GENERATED", true, 4 }, { "DELIVERED", true, 4 } },
		      { { "client", TEXT }, { "host", TEXT }, { "flows", NUMBER }, COUNTS_FIELDS,
			{ "generated", GENERATED_SENT }, { "generated", GENERATED_RECEIVED } } } },
};

static const struct layout *layout_of(const cJSON *doc)
{
	const char *by = get_text(doc, "by");

	if (get(doc, "flows"))
		return &flow_layout;
	for (size_t i = 0; by && i < sizeof(row_layouts) / sizeof(*row_layouts); i++) {
		if (!strcmp(by, row_layouts[i].by))
			return &row_layouts[i].layout;
	}
	return NULL;
}

struct flows_view {
	bool rates, show_encap;
	bool generated; /* somebody sends what is known to have been sent */
};

/* What was never sent here, as on a machine's interface what comes in by it, has the rate at which it was received. */
static void put_rate(struct table *t, const cJSON *rates, enum shape shape, bool sent)
{
	char buf[32];

	if (!cJSON_IsObject(rates))
		table_cell(t, NULL);
	else if (shape == PPS)
		table_printf(t, "%.1f", get_number(rates, sent ? "pps" : "received_pps"));
	else
		table_cell(t, text_scaled(get_number(rates, sent ? "bps" : "received_bps"), "bit/s", buf));
}

static void put_field(struct table *t, const cJSON *row, const struct field *f, const struct flows_view *view)
{
	const cJSON *item = get(row, f->key);

	switch (f->shape) {
	case TEXT: /* what a capture cannot know is not in its document: such columns are left out */
		table_cell(t, item ? cJSON_GetStringValue(item) : "");
		break;
	case NUMBER:
		if (cJSON_IsNumber(item))
			table_u64(t, get_u64(row, f->key));
		else
			table_cell(t, NULL);
		break;
	case RECEIVED: /* a capture has one vantage point, and no such number */
		if (item)
			table_u64(t, get_u64(item, "packets"));
		else
			table_cell(t, "");
		break;
	case PPS:
	case BPS:
		if (view->rates)
			put_rate(t, item, f->shape, get_u64(row, "packets") > 0);
		else
			table_cell(t, "");
		break;
	case GENERATED_SENT:
	case GENERATED_RECEIVED:
		if (cJSON_IsObject(item))
			table_u64(t, get_u64(item, f->shape == GENERATED_SENT ? "sent" : "received"));
		else
			table_cell(t, view->generated ? NULL : "");
		break;
	case SRC_END: /* a client, or without a lab the name of the inner address */
		table_cell(t, item ? cJSON_GetStringValue(item) : get_text(row, "src_name") ?: "");
		break;
	case DST_END:
		if (item)
			table_cell(t, cJSON_IsTrue(get(row, "bum")) ? "flood" : cJSON_GetStringValue(item));
		else
			table_cell(t, get_text(row, "dst_name") ?: "");
		break;
	case SRC_OUTER: /* without a lab they may have names */
		table_cell(t, get_text(row, "src_host") ?: cJSON_GetStringValue(item));
		break;
	case DST_OUTER:
		table_cell(t, get_text(row, "dst_host") ?: cJSON_GetStringValue(item));
		break;
	case ENCAP:
		table_cell(t, view->show_encap ? cJSON_GetStringValue(item) : "");
		break;
	}
}

/* Where all flows are VXLAN's, saying so on each line is noise; of others the number says little if it is a VNI, a key or a TEID. */
static bool encap_matters(const cJSON *rows)
{
	const cJSON *row;

	cJSON_ArrayForEach(row, rows) {
		if (strcmp(get_text(row, "encap") ?: "vxlan", "vxlan"))
			return true;
	}
	return false;
}

static void put_rest(struct text *out, const cJSON *rest)
{
	uint64_t flows = get_u64(rest, "flows"), rows = get_u64(rest, "rows");
	char bytes[32];

	if (!flows)
		return;
	text_printf(out, "and %llu smaller %s: %llu packets, %s\n", (unsigned long long)(rows ? rows : flows),
		    rows ? "rows" : "flows", (unsigned long long)get_u64(rest, "packets"),
		    text_scaled(get_number(rest, "bytes"), "B", bytes));
}

static void put_cost(struct text *out, const cJSON *cost)
{
	const cJSON *ns = get(cost, "ns_per_packet"), *share = get(cost, "cpu_share");

	if (!cJSON_IsObject(cost))
		return;
	if (cJSON_IsNumber(ns))
		text_printf(out, "cost: %.1f ns a frame in the kernel", ns->valuedouble);
	else
		text_printf(out, "cost: in the kernel %s", get_text(cost, "not_measured") ?: "unknown");
	if (cJSON_IsNumber(share))
		text_printf(out, "; beside it %.1f %% of a processor", share->valuedouble * 100);
	text_char(out, '\n', 1);
}

static void put_monitor(struct text *out, const cJSON *m)
{
	const char *parser = get_text(m, "parser");
	static const char *const counts[] = { "seen", "decoded", "other", "lost", "truncated", "unknown", "otherhost" };
	uint64_t aged = get_u64(m, "aged");
	bool other_parser = parser && strcmp(parser, "direct") != 0;

	if (!cJSON_IsObject(m))
		return;
	text_printf(out, "monitor %s: ", get_text(m, "state") ?: "?");
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		text_printf(out, "%s%llu %s", i ? ", " : "", (unsigned long long)get_u64(m, counts[i]), counts[i]);
	text_printf(out, "; %llu of %llu flows", (unsigned long long)(get_u64(m, "flows") - aged), (unsigned long long)get_u64(m, "capacity"));
	if (aged)
		text_printf(out, ", %llu aged", (unsigned long long)aged);
	text_printf(out, "%s%s\n", other_parser ? "; parser " : "", other_parser ? parser : "");
	if (get_text(m, "reason"))
		text_printf(out, "monitor %s: %s\n", get_text(m, "state") ?: "?", get_text(m, "reason"));
	put_cost(out, get(m, "cost"));
}

/* What was not tunnelled. A capture has one vantage point, and nothing received. */
static void put_other(struct text *out, const cJSON *other)
{
	const cJSON *received = get(other, "received");
	uint64_t sent = get_u64(other, "packets"), arrived = get_u64(received, "packets");
	char bytes[32];

	if (!sent && !arrived)
		return;
	text_printf(out, "other: %llu packets, %s%s", (unsigned long long)sent,
		    text_scaled(get_number(other, "bytes"), "B", bytes), received ? " sent" : "");
	if (received)
		text_printf(out, ", %llu packets received", (unsigned long long)arrived);
	text_puts(out, ", not tunnelled\n");
}

static void put_totals(struct text *out, const cJSON *doc)
{
	const cJSON *total = get(doc, "total"), *received = get(total, "received");
	uint64_t sent = get_u64(total, "packets"), arrived = get_u64(received, "packets");
	char bytes[32], time[32];

	if (total)
		text_printf(out, "%llu flows: %llu packets, %s%s", (unsigned long long)get_u64(total, "flows"),
			    (unsigned long long)sent, text_scaled(get_number(total, "bytes"), "B", bytes),
			    received ? " sent" : "");
	if (received)
		text_printf(out, ", %llu packets received%s", (unsigned long long)arrived,
			    arrived > sent ? " (flooded ones by several hosts)" : "");
	if (total)
		text_printf(out, "; after %s\n", duration(get_number(doc, "elapsed_s"), time, sizeof(time)));
	put_other(out, get(doc, "other"));
}

static size_t columns_of(const struct layout *l)
{
	size_t n = 0;

	while (n < sizeof(l->columns) / sizeof(*l->columns) && l->columns[n].title)
		n++;
	return n;
}

static void put_flows(struct text *out, const cJSON *doc, const struct layout *layout, bool rates, unsigned width)
{
	const cJSON *flows = get(doc, "flows"), *rows = flows ? flows : get(doc, "rows"), *row;
	struct table t = { .columns = layout->columns, .n_columns = columns_of(layout) };
	struct flows_view view = { .rates = rates, .show_encap = encap_matters(rows),
				   .generated = get_number(get(doc, "pairs"), "all") > 0 };

	cJSON_ArrayForEach(row, rows) {
		for (size_t c = 0; c < t.n_columns; c++)
			put_field(&t, row, &layout->fields[c], &view);
	}
	if (!rows || !rows->child)
		text_puts(out, "no tunnelled packet has been seen yet\n");
	table_print(&t, out, width);
	put_rest(out, get(doc, "rest"));
	view_put_truth(out, doc, width);
	put_totals(out, doc);
	put_monitor(out, get(doc, "monitor"));
}

char *view_flows_table(const char *json, bool rates, unsigned width)
{
	cJSON *doc = cJSON_Parse(json);
	const struct layout *layout = layout_of(doc);
	struct text out = { 0 };

	if (layout)
		put_flows(&out, doc, layout, rates, width);
	cJSON_Delete(doc);
	return layout ? text_take(&out) : NULL;
}

/* And not what a monitor watches instead. */
static bool is_lab(const cJSON *lab)
{
	return strcmp(get_text(lab, "kind") ?: "lab", "lab") == 0;
}

static const struct table_column device_columns[] = { { "INTERFACE", false, 0 }, { "STATE", false, 0 }, { "HOOK", false, 1 } };

static void put_devices(struct text *out, const cJSON *lab, unsigned width)
{
	struct table t = { .columns = device_columns, .n_columns = sizeof(device_columns) / sizeof(*device_columns) };
	const cJSON *device;

	cJSON_ArrayForEach(device, get(lab, "devices")) {
		table_cell(&t, get_text(device, "name"));
		table_cell(&t, cJSON_IsTrue(get(device, "attached")) ? "watched" : "waiting for it");
		table_cell(&t, get_text(device, "how"));
	}
	table_print(&t, out, width);
}

static const struct table_column seen_columns[] = { { "HOST", false, 0 }, { "ADDRESS", false, 0 } };

/* The first that were seen; a machine may meet thousands. */
static void put_seen(struct text *out, const cJSON *lab, unsigned width)
{
	enum { SHOWN = 40 };
	struct table t = { .columns = seen_columns, .n_columns = sizeof(seen_columns) / sizeof(*seen_columns) };
	int left = cJSON_GetArraySize(get(lab, "hosts")) - SHOWN, n = 0;
	const cJSON *host;

	cJSON_ArrayForEach(host, get(lab, "hosts")) {
		if (n++ == SHOWN)
			break;
		table_cell(&t, get_text(host, "name"));
		table_cell(&t, get_text(host, "vtep"));
	}
	if (!t.n_cells)
		text_puts(out, "no tunnelled packet was seen so far\n");
	table_print(&t, out, width);
	if (left > 0)
		text_printf(out, "and %d more\n", left);
}

static void put_lab_line(struct text *out, const cJSON *lab)
{
	const char *url = get_text(lab, "url");
	char time[32];

	text_printf(out, "%s: %s for %s, pid %llu, %d hosts", get_text(lab, "name") ?: "?",
		    get_text(lab, "state") ?: "?", duration(get_number(lab, "uptime_s"), time, sizeof(time)),
		    (unsigned long long)get_u64(lab, "pid"), cJSON_GetArraySize(get(lab, "hosts")));
	if (is_lab(lab))
		text_printf(out, ", %d clients", cJSON_GetArraySize(get(lab, "clients")));
	else
		text_puts(out, " seen");
	if (url)
		text_printf(out, ", page %s", url);
	text_char(out, '\n', 1);
}

static const struct table_column client_columns[] = {
	{ "HOST", false, 0 }, { "VTEP", false, 2 }, { "CLIENT", false, 0 }, { "VNI", true, 0 }, { "ADDRESS", false, 0 },
};

/* Both lists ascend by host: one walk joins them. A host without clients has a line too. */
static void put_clients(struct text *out, const cJSON *lab, unsigned width)
{
	const cJSON *clients = get(lab, "clients"), *client = clients ? clients->child : NULL, *host;
	struct table t = { .columns = client_columns, .n_columns = sizeof(client_columns) / sizeof(*client_columns) };

	cJSON_ArrayForEach(host, get(lab, "hosts")) {
		const char *name = get_text(host, "name") ?: "";
		bool any = false;

		for (; client && !strcmp(get_text(client, "host") ?: "", name); client = client->next, any = true) {
			table_cell(&t, name);
			table_cell(&t, get_text(host, "vtep"));
			table_cell(&t, get_text(client, "name"));
			table_u64(&t, get_u64(client, "vni"));
			table_cell(&t, get_text(client, "address"));
		}
		if (any)
			continue;
		table_cell(&t, name);
		table_cell(&t, get_text(host, "vtep"));
		for (int i = 0; i < 3; i++)
			table_cell(&t, NULL);
	}
	table_print(&t, out, width);
}

static const struct table_column traffic_columns[] = {
	{ "ID", true, 0 }, { "TRAFFIC", false, 0 }, { "FROM", false, 0 }, { "TO", false, 0 }, { "PROTO", false, 3 },
	{ "RATE", true, 0 }, { "SIZE", true, 4 }, { "STATE", false, 2 }, { "SENT", true, 0 }, { "RECEIVED", true, 0 },
};

/* "c4, c8, c12 +30" */
static void put_peers(struct table *t, const cJSON *generator)
{
	enum { SHOWN = 3 };
	uint64_t peers = get_u64(generator, "peers"), n = 0;
	struct text names = { 0 };
	const cJSON *to;

	cJSON_ArrayForEach(to, get(generator, "to")) {
		if (n == SHOWN)
			break;
		text_printf(&names, n++ ? ", %s" : "%s", cJSON_GetStringValue(to) ?: "?");
	}
	if (peers > n)
		text_printf(&names, " +%llu", (unsigned long long)(peers - n));
	table_cell(t, names.len ? names.buf : NULL);
	text_free(&names);
}

static void put_traffic(struct text *out, const cJSON *lab, unsigned width)
{
	struct table t = {
		.columns = traffic_columns, .n_columns = sizeof(traffic_columns) / sizeof(*traffic_columns),
	};
	const cJSON *g;

	cJSON_ArrayForEach(g, get(lab, "traffic")) {
		table_u64(&t, get_u64(g, "id"));
		table_cell(&t, get_text(g, "name"));
		table_cell(&t, get_text(g, "from"));
		put_peers(&t, g);
		table_cell(&t, get_text(g, "proto"));
		table_cell(&t, get_text(g, "rate"));
		table_u64(&t, get_u64(g, "size"));
		table_cell(&t, get_text(g, "state"));
		table_u64(&t, get_u64(g, "sent"));
		table_u64(&t, get_u64(g, "received"));
	}
	if (!t.n_cells)
		text_puts(out, "no traffic\n");
	table_print(&t, out, width);
	if (cJSON_IsTrue(get(lab, "secret")))
		text_puts(out, "and somebody who is not in this list: find out who, then `tunlab guess CLIENT`\n");
}

static const struct table_column link_columns[] = {
	{ "LINK", false, 0 }, { "STATE", false, 0 }, { "RATE", true, 0 }, { "DELAY", true, 0 }, { "LOSS", true, 0 },
};

static void add_link_row(struct table *t, const char *host, const cJSON *link)
{
	table_cell(t, host);
	table_cell(t, cJSON_IsTrue(get(link, "down")) ? "down" : "up");
	table_cell(t, get_text(link, "rate"));
	table_cell(t, get_text(link, "delay"));
	table_cell(t, get_text(link, "loss"));
}

char *view_links_table(const char *json, unsigned width)
{
	struct table t = { .columns = link_columns, .n_columns = sizeof(link_columns) / sizeof(*link_columns) };
	cJSON *doc = cJSON_Parse(json);
	const cJSON *links = get(doc, "links"), *link;
	bool known = cJSON_IsArray(links);
	struct text out = { 0 };

	cJSON_ArrayForEach(link, links)
		add_link_row(&t, get_text(link, "host"), link);
	table_print(&t, &out, width);
	cJSON_Delete(doc);
	if (known)
		return text_take(&out);
	text_free(&out);
	return NULL;
}

/* Only those that are impaired. */
static void put_links(struct text *out, const cJSON *lab, unsigned width)
{
	struct table t = { .columns = link_columns, .n_columns = sizeof(link_columns) / sizeof(*link_columns) };
	const cJSON *host;

	cJSON_ArrayForEach(host, get(lab, "hosts")) {
		const cJSON *link = get(host, "link");

		if (get_text(link, "rate") || get_text(link, "delay") || get_text(link, "loss") || cJSON_IsTrue(get(link, "down")))
			add_link_row(&t, get_text(host, "name"), link);
	}
	if (t.n_cells)
		text_char(out, '\n', 1);
	if (t.n_cells)
		table_print(&t, out, width);
}

static const struct table_column event_columns[] = {
	{ "AT", true, 0 }, { "EVENT", false, 2 }, { "DONE", false, 0 }, { "FAILED", false, 1 },
};

/* The newest. */
static void put_events(struct text *out, const cJSON *lab, unsigned width)
{
	enum { SHOWN = 10 };
	struct table t = { .columns = event_columns, .n_columns = sizeof(event_columns) / sizeof(*event_columns) };
	int left = cJSON_GetArraySize(get(lab, "events"));
	const cJSON *event;

	if (!left)
		return;
	cJSON_ArrayForEach(event, get(lab, "events")) {
		if (left-- > SHOWN)
			continue;
		table_printf(&t, "%.1f s", get_number(event, "at_s"));
		table_cell(&t, get_text(event, "name") ?: "live");
		table_cell(&t, get_text(event, "do"));
		table_cell(&t, get_text(event, "error") ?: "");
	}
	text_char(out, '\n', 1);
	table_print(&t, out, width);
}

static void put_lab(struct text *out, const cJSON *lab, unsigned width)
{
	put_lab_line(out, lab);
	text_char(out, '\n', 1);
	if (is_lab(lab)) {
		put_clients(out, lab, width);
		text_char(out, '\n', 1);
		put_traffic(out, lab, width);
	} else {
		put_devices(out, lab, width);
		text_char(out, '\n', 1);
		put_seen(out, lab, width);
	}
	put_links(out, lab, width);
	put_events(out, lab, width);
	text_char(out, '\n', 1);
	put_monitor(out, get(lab, "monitor"));
}

char *view_status_table(const char *json, unsigned width)
{
	cJSON *doc = cJSON_Parse(json);
	const cJSON *labs = get(doc, "labs"), *lab;
	struct text out = { 0 };
	bool known = cJSON_IsArray(labs);

	if (known && !labs->child)
		text_puts(&out, "no lab is running\n");
	cJSON_ArrayForEach(lab, labs) {
		if (lab != labs->child)
			text_char(&out, '\n', 1);
		put_lab(&out, lab, width);
	}
	cJSON_Delete(doc);
	return known ? text_take(&out) : NULL;
}
