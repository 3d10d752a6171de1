/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as a Graphviz graph: hosts, clients and the tunnels between. */
#include "base/text.h"
#include "lab/scenario/plan.h"

/* The inside of a quoted string of the dot language. */
static void dot_text(const char *s, struct text *out)
{
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			text_char(out, '\\', 1);
		text_char(out, *s, 1);
	}
}

/* One hue for each VNI, well apart for neighbours: the golden ratio of the circle. */
static double vni_hue(uint32_t index)
{
	double hue = index * 0.6180339887498949;

	return hue - (double)(uint32_t)hue;
}

/* The rest of the label of a host's uplink. */
static void dot_impairment(const struct plan *p, uint32_t host, struct text *out)
{
	char state[128];

	for (size_t i = 0; i < p->scn->n_links; i++)
		if (p->scn->links[i].host == host)
			text_printf(out, "\\n%s", link_state_format(&p->scn->links[i].state, state, sizeof(state)));
}

static void dot_host(const struct plan *p, uint32_t host, struct text *out)
{
	const struct plan_host *h = &p->hosts[host];
	char addr[ADDR_STRLEN], bridge[IFNAMSIZ];

	text_printf(out, "\tsubgraph \"cluster_%s\" {\n\t\tlabel=\"%s\";\n\t\t\"%s\" [shape=box, label=\"eth0\\n%s\"];\n",
		h->name, h->name, h->name, addr_format(&h->vtep, addr));
	for (uint32_t c = h->client0; c < h->client0 + h->n_clients; c++) {
		const struct plan_client *pc = &p->clients[c];
		const struct plan_vni *v = &p->vnis[pc->vni];

		text_printf(out, "\t\t\"c%u\" [label=\"c%u\\n%s\", fillcolor=\"%.3f 0.35 1.0\"];\n",
			      c, c, addr_format(&pc->addr, addr), vni_hue(pc->vni));
		text_printf(out, "\t\t\"%s\" -- \"c%u\" [label=\"%s\"];\n", h->name, c, v->tunnel);
	}
	text_printf(out, "\t}\n\t\"%s\" -- \"%s\" [label=\"%s", plan_host_bridge(p, host, bridge), h->name, h->port);
	dot_impairment(p, host, out);
	text_puts(out, "\"];\n");
}

static void dot_leaves(const struct plan *p, struct text *out)
{
	char leaf[IFNAMSIZ];

	for (uint32_t i = 0; i < plan_count_leaves(p); i++) {
		text_printf(out, "\t\"%s\" [shape=box];\n", plan_leaf_name(i, leaf));
		text_printf(out, "\t\"br100\" -- \"%s\";\n", leaf);
	}
}

static void dot_legend(const struct plan *p, struct text *out)
{
	text_printf(out, "\tsubgraph \"cluster_vnis\" {\n\t\tlabel=\"VNIs\";\n");
	for (uint32_t i = 0; i < p->n_vnis; i++) {
		const struct plan_vni *v = &p->vnis[i];
		char subnet[PREFIX_STRLEN], group[ADDR_STRLEN];

		text_printf(out, "\t\t\"vni%u\" [shape=box, label=\"%u\\n%s\\n%s\", fillcolor=\"%.3f 0.35 1.0\"];\n",
			v->scn->vni, v->scn->vni, prefix_format(&v->scn->subnet, subnet),
			v->scn->flood == SCN_UNICAST ? "unicast"
						     : addr_format(&v->scn->group, group),
			vni_hue(i));
	}
	text_printf(out, "\t}\n");
}

static void dot_events(const struct plan *p, struct text *out)
{
	char at[32];

	if (p->scn->n_events == 0)
		return;
	text_puts(out, "\t\"events\" [shape=note, label=\"");
	for (size_t i = 0; i < p->scn->n_events; i++) {
		const struct scn_event *e = p->events[i].scn;

		text_printf(out, "%s ", time_format(e->at_ns, at, sizeof(at)));
		dot_text(e->name, out);
		text_puts(out, ": ");
		dot_text(e->text, out);
		text_puts(out, "\\l");
	}
	text_puts(out, "\"];\n");
}

char *plan_dot(const struct plan *p)
{
	struct text out = { 0 };
	char prefix[PREFIX_STRLEN];

	text_puts(&out, "graph \"");
	dot_text(p->scn->name, &out);
	text_printf(&out, "\" {\n\tgraph [rankdir=LR, fontname=\"sans-serif\"];\n"
		"\tnode [shape=ellipse, style=filled, fillcolor=\"white\", fontname=\"sans-serif\"];\n"
		"\tedge [fontname=\"sans-serif\", fontsize=9];\n"
		"\t\"br100\" [shape=box, label=\"fabric br100\\n%s\"];\n",
		prefix_format(&p->scn->underlay, prefix));
	dot_leaves(p, &out);
	for (uint32_t i = 0; i < p->n_hosts; i++)
		dot_host(p, i, &out);
	dot_legend(p, &out);
	dot_events(p, &out);
	text_printf(&out, "}\n");
	return text_take(&out);
}
