/* SPDX-License-Identifier: Apache-2.0 */
/* The plan on paper: aligned text for a terminal and a Graphviz graph. JSON is plan_json.c's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/plan.h"

/* ------------------------------------------------------------------ aligned columns */

enum { COLUMNS_MAX = 10, CELL_LEN = 64 };

struct table {
	char (*rows)[COLUMNS_MAX][CELL_LEN];
	size_t n, room;
	int columns;
	const bool *right; /* [columns]: numbers, aligned at their end */
	bool no_memory;
	char scratch[CELL_LEN];
};

/* A new row's cell c, to be written with snprintf; a scratch cell without memory. */
static char *cell(struct table *t, int c)
{
	if (c == 0 && !t->no_memory) {
		if (t->n == t->room) {
			void *v = realloc(t->rows, (t->room * 2 + 16) * sizeof(*t->rows));

			t->no_memory = !v;
			t->rows = v ? v : t->rows;
			t->room = v ? t->room * 2 + 16 : t->room;
		}
		if (!t->no_memory)
			memset(t->rows[t->n++], 0, sizeof(*t->rows));
	}
	return t->no_memory || t->n == 0 ? t->scratch : t->rows[t->n - 1][c];
}

#define CELL(t, c, ...) ((void)snprintf(cell(t, c), CELL_LEN, __VA_ARGS__))

/* Length in characters: names may be UTF-8. */
static int text_width(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void table_print(const struct table *t, FILE *f)
{
	int width[COLUMNS_MAX] = { 0 };

	for (size_t r = 0; r < t->n; r++)
		for (int c = 0; c < t->columns; c++)
			width[c] = text_width(t->rows[r][c]) > width[c] ? text_width(t->rows[r][c])
									: width[c];
	for (size_t r = 0; r < t->n; r++) {
		int pending = 0;

		for (int c = 0; c < t->columns; c++) {
			const char *text = t->rows[r][c];
			int pad = width[c] - text_width(text);
			int before = pending + (c ? 2 : 0) + (t->right[c] ? pad : 0);

			if (*text)
				(void)fprintf(f, "%*s%s", before, "", text);
			pending = *text ? (t->right[c] ? 0 : pad)
					: before + text_width(text) + (t->right[c] ? 0 : pad);
		}
		(void)fputc('\n', f);
	}
}

/* ------------------------------------------------------------------ text */

static const char *plural(uint64_t n, const char *suffix)
{
	return n == 1 ? "" : suffix;
}

static void print_head(const struct plan *p, FILE *f)
{
	const struct scenario *s = p->scn;
	char time[32], prefix[PREFIX_STRLEN], first[ADDR_STRLEN], last[ADDR_STRLEN];

	(void)fprintf(f, "%s: %u host%s, %u VNI%s, %u client%s; %s, seed %llu\n\n", s->name,
		      p->n_hosts, plural(p->n_hosts, "s"), p->n_vnis, plural(p->n_vnis, "s"),
		      p->n_clients, plural(p->n_clients, "s"),
		      time_format(s->duration_ns, time, sizeof(time)), (unsigned long long)s->seed);
	(void)fprintf(f, "underlay  %s on br100, UDP port %u\n",
		      prefix_format(&s->underlay, prefix), s->port);
	(void)fprintf(f, "VTEPs     %s (host0) to %s (host%u)\n",
		      addr_format(&p->hosts[0].vtep, first),
		      addr_format(&p->hosts[p->n_hosts - 1].vtep, last), p->n_hosts - 1);
	(void)fprintf(f, "wiring    %s\n\n",
		      s->wiring == SCN_DIRECT ? "direct: clients are macvlans on the tunnel devices"
					      : "bridge: one for each host and VNI");
}

static void print_vnis(const struct plan *p, FILE *f)
{
	enum { ROWS_MAX = 32 };
	static const bool right[COLUMNS_MAX] = { [0] = true };
	struct table t = { .columns = 7, .right = right };
	static const char *const head[] = { "VNI",   "encap",        "flooding",   "subnet",
					    "hosts", "first client", "last client" };

	for (int c = 0; c < t.columns; c++)
		CELL(&t, c, "%s", head[c]);
	for (uint32_t i = 0; i < p->n_vnis && i < ROWS_MAX; i++) {
		const struct plan_vni *v = &p->vnis[i];
		char text[CELL_LEN];

		CELL(&t, 0, "%u", v->scn->vni);
		CELL(&t, 1, "%s", scn_encap_names[v->scn->encap]);
		CELL(&t, 2, "%s",
		     v->scn->flood == SCN_UNICAST ? "unicast" : addr_format(&v->scn->group, text));
		CELL(&t, 3, "%s", prefix_format(&v->scn->subnet, text));
		CELL(&t, 4, "%s",
		     v->n_clients == p->n_hosts
			     ? "all"
			     : ranges_format(&v->scn->hosts, text, sizeof(text)));
		CELL(&t, 5, "c%u %s", v->clients[0],
		     addr_format(&p->clients[v->clients[0]].addr, text));
		CELL(&t, 6, "c%u %s", v->clients[v->n_clients - 1],
		     addr_format(&p->clients[v->clients[v->n_clients - 1]].addr, text));
	}
	table_print(&t, f);
	if (p->n_vnis > ROWS_MAX)
		(void)fprintf(f, "… and %u more\n", p->n_vnis - ROWS_MAX);
	free(t.rows);
}

/* What a section amounts to. */
struct section_sum {
	uint32_t senders, pairs;
	double pps; /* of all senders; 0 where it is max */
};

static struct section_sum sum_section(const struct plan *p, uint32_t section)
{
	struct section_sum sum = { 0 };

	for (uint32_t i = 0; i < p->n_generators; i++) {
		const struct plan_generator *g = &p->generators[i];

		if (g->section != section)
			continue;
		sum.senders++;
		sum.pairs += g->n_peers;
		sum.pps += plan_rate_pps(p, &p->scn->traffic[section].rate,
					 p->scn->traffic[section].size, g->client);
	}
	return sum;
}

static void print_traffic(const struct plan *p, FILE *f)
{
	enum { ROWS_MAX = 64 };
	static const bool right[COLUMNS_MAX] = {
		[4] = true, [5] = true, [7] = true, [8] = true, [9] = true
	};
	struct table t = { .columns = 10, .right = right };
	static const char *const head[] = { "traffic", "from", "to",      "proto", "rate",
					    "size",    "when", "senders", "pairs", "packets/s" };
	const struct scenario *s = p->scn;

	if (s->n_traffic == 0) {
		(void)fprintf(f, "\nno traffic\n");
		return;
	}
	for (int c = 0; c < t.columns; c++)
		CELL(&t, c, "%s", head[c]);
	for (size_t i = 0; i < s->n_traffic && i < ROWS_MAX; i++) {
		const struct scn_traffic *tr = &s->traffic[i];
		struct section_sum sum = sum_section(p, (uint32_t)i);
		char text[CELL_LEN], start[24];

		CELL(&t, 0, "%s", tr->name);
		CELL(&t, 1, "%s", who_format(&tr->from, text, sizeof(text)));
		CELL(&t, 2, "%s", who_format(&tr->to, text, sizeof(text)));
		CELL(&t, 3, "%s%s%s", scn_proto_names[tr->proto],
		     tr->pattern == SCN_CONSTANT ? "" : ", ",
		     tr->pattern == SCN_CONSTANT ? "" : scn_pattern_names[tr->pattern]);
		CELL(&t, 4, "%s", rate_format(&tr->rate, text, sizeof(text)));
		CELL(&t, 5, "%u", tr->size);
		(void)time_format(tr->start_ns, start, sizeof(start));
		CELL(&t, 6, "%s to %s", start,
		     tr->stop_ns ? time_format(tr->stop_ns, text, sizeof(text)) : "the end");
		CELL(&t, 7, "%u", sum.senders);
		CELL(&t, 8, "%u", sum.pairs);
		if (tr->rate.unit == RATE_MAXIMUM)
			CELL(&t, 9, "max");
		else
			CELL(&t, 9, "%.6g", sum.pps);
	}
	(void)fputc('\n', f);
	table_print(&t, f);
	if (s->n_traffic > ROWS_MAX)
		(void)fprintf(f, "… and %zu more\n", s->n_traffic - ROWS_MAX);
	free(t.rows);
}

static void print_checks(const struct plan *p, FILE *f)
{
	int width = text_width("check");

	if (p->scn->n_checks == 0)
		return;
	for (size_t i = 0; i < p->scn->n_checks; i++)
		width = text_width(p->scn->checks[i].name) > width
				? text_width(p->scn->checks[i].name)
				: width;
	(void)fprintf(f, "\ncheck\n");
	for (size_t i = 0; i < p->scn->n_checks;
	     i++) { /* no table: expressions are as long as they are */
		const struct scn_check *c = &p->scn->checks[i];
		char time[32];

		(void)fprintf(f, "%s%*s  %s", c->name, width - text_width(c->name), "", c->text);
		if (c->has_at)
			(void)fprintf(f, ", at %s", time_format(c->at_ns, time, sizeof(time)));
		if (c->within_ns)
			(void)fprintf(f, ", within %s",
				      time_format(c->within_ns, time, sizeof(time)));
		(void)fputc('\n', f);
	}
}

static void print_limits(const struct plan *p, FILE *f)
{
	struct plan_objects o = plan_count_objects(p);
	uint32_t overhead = plan_tunnel_overhead(p);

	(void)fprintf(f, "\nobjects   %u namespaces, %u devices\n", o.namespaces, o.devices);
	(void)fprintf(
		f, "MTU       %u inside: %d of the underlay less %u of tunnel over %s leave %u\n",
		p->mtu, PLAN_UNDERLAY_MTU, overhead,
		addr_is_v4(&p->scn->underlay.addr) ? "IPv4" : "IPv6", PLAN_UNDERLAY_MTU - overhead);
	(void)fprintf(f, "flows     %u planned, the monitor's table holds %u\n", p->n_flows,
		      p->flow_capacity);
	(void)fprintf(f, "ports     %u of the %d that br100 can have\n", p->n_hosts,
		      PLAN_BRIDGE_PORTS);
}

char *plan_text(const struct plan *p)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	print_head(p, f);
	print_vnis(p, f);
	print_traffic(p, f);
	print_checks(p, f);
	print_limits(p, f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* ------------------------------------------------------------------ dot */

/* A quoted string of the dot language, or of its string inside. */
static void dot_quote(const char *s, FILE *f)
{
	(void)fputc('"', f);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			(void)fputc('\\', f);
		(void)fputc(*s, f);
	}
	(void)fputc('"', f);
}

/* One hue for each VNI, well apart for neighbours: the golden ratio of the circle. */
static double vni_hue(uint32_t index)
{
	double hue = index * 0.6180339887498949;

	return hue - (double)(uint32_t)hue;
}

static void dot_host(const struct plan *p, uint32_t host, FILE *f)
{
	const struct plan_host *h = &p->hosts[host];
	char addr[ADDR_STRLEN];

	(void)fprintf(
		f,
		"\tsubgraph \"cluster_%s\" {\n\t\tlabel=\"%s\";\n\t\t\"%s\" [shape=box, label=\"eth0\\n%s\"];\n",
		h->name, h->name, h->name, addr_format(&h->vtep, addr));
	for (uint32_t c = h->client0; c < h->client0 + h->n_clients; c++) {
		const struct plan_client *pc = &p->clients[c];
		const struct plan_vni *v = &p->vnis[pc->vni];

		(void)fprintf(f, "\t\t\"c%u\" [label=\"c%u\\n%s\", fillcolor=\"%.3f 0.35 1.0\"];\n",
			      c, c, addr_format(&pc->addr, addr), vni_hue(pc->vni));
		(void)fprintf(f, "\t\t\"%s\" -- \"c%u\" [label=\"%s\"];\n", h->name, c, v->tunnel);
	}
	(void)fprintf(f, "\t}\n\t\"br100\" -- \"%s\" [label=\"%s\"];\n", h->name, h->port);
}

static void dot_legend(const struct plan *p, FILE *f)
{
	(void)fprintf(f, "\tsubgraph \"cluster_vnis\" {\n\t\tlabel=\"VNIs\";\n");
	for (uint32_t i = 0; i < p->n_vnis; i++) {
		const struct plan_vni *v = &p->vnis[i];
		char subnet[PREFIX_STRLEN], group[ADDR_STRLEN];

		(void)fprintf(
			f,
			"\t\t\"vni%u\" [shape=box, label=\"%u\\n%s\\n%s\", fillcolor=\"%.3f 0.35 1.0\"];\n",
			v->scn->vni, v->scn->vni, prefix_format(&v->scn->subnet, subnet),
			v->scn->flood == SCN_UNICAST ? "unicast"
						     : addr_format(&v->scn->group, group),
			vni_hue(i));
	}
	(void)fprintf(f, "\t}\n");
}

char *plan_dot(const struct plan *p)
{
	char prefix[PREFIX_STRLEN], *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	(void)fprintf(f, "graph ");
	dot_quote(p->scn->name, f);
	(void)fprintf(
		f,
		" {\n\tgraph [rankdir=LR, fontname=\"sans-serif\"];\n"
		"\tnode [shape=ellipse, style=filled, fillcolor=\"white\", fontname=\"sans-serif\"];\n"
		"\tedge [fontname=\"sans-serif\", fontsize=9];\n"
		"\t\"br100\" [shape=box, label=\"fabric br100\\n%s\"];\n",
		prefix_format(&p->scn->underlay, prefix));
	for (uint32_t i = 0; i < p->n_hosts; i++)
		dot_host(p, i, f);
	dot_legend(p, f);
	(void)fprintf(f, "}\n");
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
