/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as text for a terminal. JSON is plan_json.c's, the Graphviz graph plan_dot.c's. */
#include <stdio.h>

#include "base/table.h"
#include "lab/scenario/plan.h"

static const char *plural(uint64_t n, const char *suffix)
{
	return n == 1 ? "" : suffix;
}

/* The seed of a riddle is drawn anew for each run, unless one was given. */
static const char *seed_text(const struct plan *p, char *buf, size_t len)
{
	if (plan_secret(p) && !p->scn->key_line[LAB_SEED])
		return "another seed each time";
	(void)snprintf(buf, len, "seed %llu", (unsigned long long)p->scn->seed);
	return buf;
}

static void print_head(const struct plan *p, struct text *out)
{
	const struct scenario *s = p->scn;
	char time[32], seed[32], prefix[PREFIX_STRLEN], first[ADDR_STRLEN], last[ADDR_STRLEN];

	text_printf(out, "%s: %u host%s, %u VNI%s, %u client%s; %s, %s\n\n", s->name,
		      p->n_hosts, plural(p->n_hosts, "s"), p->n_vnis, plural(p->n_vnis, "s"),
		      p->n_clients, plural(p->n_clients, "s"),
		      time_format(s->duration_ns, time, sizeof(time)), seed_text(p, seed, sizeof(seed)));
	text_printf(out, "underlay  %s on br100\n", prefix_format(&s->underlay, prefix));
	text_printf(out, "VTEPs     %s (host0) to %s (host%u)\n",
		      addr_format(&p->hosts[0].vtep, first),
		      addr_format(&p->hosts[p->n_hosts - 1].vtep, last), p->n_hosts - 1);
	text_printf(out, "wiring    %s\n\n",
		      s->wiring == SCN_DIRECT ? "direct: clients are macvlans on the tunnel devices"
					      : "bridge: one for each host and VNI");
}

static void add_vni_row(struct table *t, const struct plan *p, const struct plan_vni *v)
{
	const uint32_t ends[] = { v->clients[0], v->clients[v->n_clients - 1] };
	char text[64];

	table_u64(t, v->scn->vni);
	table_cell(t, scn_encap_names[v->scn->encap]);
	table_cell(t, v->scn->flood == SCN_UNICAST ? "unicast" : addr_format(&v->scn->group, text));
	table_u64(t, v->mtu);
	table_cell(t, prefix_format(&v->scn->subnet, text));
	table_cell(t, v->n_clients == p->n_hosts
			      ? "all"
			      : ranges_format(&v->scn->hosts, text, sizeof(text)));
	for (size_t i = 0; i < 2; i++)
		table_printf(t, "c%u %s", ends[i], addr_format(&p->clients[ends[i]].addr, text));
}

static void print_vnis(const struct plan *p, struct text *out)
{
	enum { ROWS_MAX = 32 };
	static const struct table_column columns[] = {
		{ "VNI", true, 0 },   { "encap", false, 0 },	    { "flooding", false, 0 },	 { "MTU", true, 0 }, { "subnet", false, 0 },
		{ "hosts", false, 0 }, { "first client", false, 0 }, { "last client", false, 0 },
	};
	struct table t = { .columns = columns, .n_columns = sizeof(columns) / sizeof(*columns) };

	for (uint32_t i = 0; i < p->n_vnis && i < ROWS_MAX; i++)
		add_vni_row(&t, p, &p->vnis[i]);
	table_print(&t, out, 0);
	if (p->n_vnis > ROWS_MAX)
		text_printf(out, "… and %u more\n", p->n_vnis - ROWS_MAX);
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

static void add_traffic_row(struct table *t, const struct plan *p, uint32_t section)
{
	const struct scn_traffic *tr = &p->scn->traffic[section];
	struct section_sum sum = sum_section(p, section);
	char text[64], start[24];

	table_cell(t, tr->name);
	table_printf(t, "%s%s", who_format(&tr->from, text, sizeof(text)), tr->secret ? ", secret" : "");
	table_cell(t, who_format(&tr->to, text, sizeof(text)));
	table_printf(t, "%s%s%s", scn_proto_names[tr->proto],
		     tr->pattern == SCN_CONSTANT ? "" : ", ",
		     tr->pattern == SCN_CONSTANT ? "" : scn_pattern_names[tr->pattern]);
	table_cell(t, rate_format(&tr->rate, text, sizeof(text)));
	table_u64(t, tr->size);
	table_printf(t, "%s to %s", time_format(tr->start_ns, start, sizeof(start)),
		     tr->stop_ns ? time_format(tr->stop_ns, text, sizeof(text)) : "the end");
	table_u64(t, sum.senders);
	table_u64(t, sum.pairs);
	if (tr->rate.unit == RATE_MAXIMUM)
		table_cell(t, "max");
	else
		table_printf(t, "%.6g", sum.pps);
}

static void print_traffic(const struct plan *p, struct text *out)
{
	enum { ROWS_MAX = 64 };
	static const struct table_column columns[] = {
		{ "traffic", false, 0 }, { "from", false, 0 }, { "to", false, 0 },   { "proto", false, 0 },
		{ "rate", true, 0 },	 { "size", true, 0 },  { "when", false, 0 }, { "senders", true, 0 },
		{ "pairs", true, 0 },	 { "packets/s", true, 0 },
	};
	struct table t = { .columns = columns, .n_columns = sizeof(columns) / sizeof(*columns) };

	if (p->scn->n_traffic == 0) {
		text_puts(out, "\nno traffic\n");
		return;
	}
	for (uint32_t i = 0; i < p->scn->n_traffic && i < ROWS_MAX; i++)
		add_traffic_row(&t, p, i);
	text_char(out, '\n', 1);
	table_print(&t, out, 0);
	if (p->scn->n_traffic > ROWS_MAX)
		text_printf(out, "… and %zu more\n", p->scn->n_traffic - ROWS_MAX);
}

static void print_links(const struct plan *p, struct text *out)
{
	static const struct table_column columns[] = { { "link", false, 0 }, { "both ways", false, 0 } };
	struct table t = { .columns = columns, .n_columns = 2 };
	char state[128];

	if (p->scn->n_links == 0)
		return;
	for (size_t i = 0; i < p->scn->n_links; i++) {
		table_printf(&t, "host%u", p->scn->links[i].host);
		table_cell(&t, link_state_format(&p->scn->links[i].state, state, sizeof(state)));
	}
	text_char(out, '\n', 1);
	table_print(&t, out, 0);
}

static void print_events(const struct plan *p, struct text *out)
{
	static const struct table_column columns[] = { { "event", false, 0 }, { "at", true, 0 }, { "does", false, 0 } };
	struct table t = { .columns = columns, .n_columns = 3 };
	char at[32];

	if (p->scn->n_events == 0)
		return;
	for (size_t i = 0; i < p->scn->n_events; i++) {
		table_cell(&t, p->events[i].scn->name);
		table_cell(&t, time_format(p->events[i].scn->at_ns, at, sizeof(at)));
		table_cell(&t, p->events[i].scn->text);
	}
	text_char(out, '\n', 1);
	table_print(&t, out, 0);
}

static void add_check_row(struct table *t, const struct scn_check *c)
{
	char at[32], within[32];

	table_cell(t, c->name);
	table_printf(t, "%s%s%s%s%s", c->text, c->has_at ? ", at " : "",
		     c->has_at ? time_format(c->at_ns, at, sizeof(at)) : "",
		     c->within_ns ? ", within " : "",
		     c->within_ns ? time_format(c->within_ns, within, sizeof(within)) : "");
}

static void print_checks(const struct plan *p, struct text *out)
{
	static const struct table_column columns[] = { { "check", false, 0 }, { "holds if", false, 0 } };
	struct table t = { .columns = columns, .n_columns = 2 };

	if (p->scn->n_checks == 0)
		return;
	for (size_t i = 0; i < p->scn->n_checks; i++)
		add_check_row(&t, &p->scn->checks[i]);
	text_char(out, '\n', 1);
	table_print(&t, out, 0);
}

/* For each encapsulation in use: what is on the wire, and what it leaves. */
static void print_tunnels(const struct plan *p, struct text *out)
{
	bool used[SCN_ENCAP_MAX] = { false };

	for (uint32_t i = 0; i < p->n_vnis; i++)
		used[p->vnis[i].scn->encap] = true;
	for (int encap = 0; encap < SCN_ENCAP_MAX; encap++) {
		uint32_t overhead = plan_tunnel_overhead(p, (enum scn_encap)encap);
		char wire[24] = "GRE with key";

		if (!used[encap])
			continue;
		if (encap != SCN_GRETAP)
			(void)snprintf(wire, sizeof(wire), "UDP port %u", encap == SCN_VXLAN ? p->scn->port : SCN_GENEVE_PORT);
		text_printf(out, "tunnels   %s, %s: %d bytes of the underlay less %u over %s leave %u\n", scn_encap_names[encap], wire,
			    PLAN_UNDERLAY_MTU, overhead, addr_is_v4(&p->scn->underlay.addr) ? "IPv4" : "IPv6",
			    PLAN_UNDERLAY_MTU - overhead);
	}
}

static void print_ports(const struct plan *p, struct text *out)
{
	uint32_t leaves = plan_count_leaves(p);
	char last[IFNAMSIZ];

	if (leaves)
		text_printf(out, "ports     %u, more than the %u that br100 can have as a Linux bridge: hosts plug into br101 to %s, which br100 joins\n",
			    p->n_hosts, p->bridge_ports, plan_leaf_name(leaves - 1, last));
	else
		text_printf(out, "ports     %u of the %u that br100 can have\n", p->n_hosts, p->bridge_ports);
}

static void print_mistakes(const struct plan *p, struct text *out)
{
	for (uint32_t i = 0; i < p->n_vnis; i++) {
		const struct plan_vni *v = &p->vnis[i];

		if (v->mtu > v->tunnel_mtu)
			text_printf(out, "mistake   clients in VNI %u have an MTU of %u, its tunnels one of %u\n", v->scn->vni, v->mtu,
				    v->tunnel_mtu);
		for (size_t k = 0; k < v->scn->n_wrong_vnis; k++)
			text_printf(out, "mistake   on host%u the tunnel of VNI %u has VNI %u\n", v->scn->wrong_vnis[k].host, v->scn->vni,
				    v->scn->wrong_vnis[k].vni);
	}
}

static void print_limits(const struct plan *p, struct text *out)
{
	struct plan_objects o = plan_count_objects(p);

	text_printf(out, "\nobjects   %u namespaces, %u devices: %u veth pairs, %u bridges, %u tunnels, %u macvlans\n", o.namespaces, o.devices,
		    o.veth_pairs, o.bridges, o.tunnels, o.macvlans);
	print_tunnels(p, out);
	text_printf(out, "flows     %u planned, the monitor's table holds %u%s\n", p->n_flows, p->flow_capacity,
		    p->n_flows > p->flow_capacity ? ": packets of those beyond will be counted as lost" : "");
	print_ports(p, out);
	print_mistakes(p, out);
}

char *plan_text(const struct plan *p)
{
	struct text out = { 0 };

	print_head(p, &out);
	print_vnis(p, &out);
	print_traffic(p, &out);
	print_links(p, &out);
	print_events(p, &out);
	print_checks(p, &out);
	print_limits(p, &out);
	return text_take(&out);
}
