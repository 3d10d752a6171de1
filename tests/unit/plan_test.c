/* SPDX-License-Identifier: Apache-2.0 */
/* lab/plan*.c: numbering, addresses, pairs, limits, and what must hold for every plan. Mistakes are
 * mostly in scenario-errors/ (scenario_test.c reads them). */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "lab/scenario/plan.h"
#include "tests/unit/t.h"

struct loaded {
	struct scenario *s;
	struct plan *p;
};

/* NULL plan with the first mistake in why. */
static struct loaded load(const char *text, char *why)
{
	struct scn_source source = { .file = "x.ini", .text = text, .len = strlen(text) };
	struct loaded l = { 0 };
	struct scn_errors errors;
	int err = plan_load(&source, &l.s, &l.p, &errors);

	(void)snprintf(why, 1024, "%s",
		       errors.n ? errors.text[0]
		       : err    ? "failed without a message"
				: "");
	scn_errors_free(&errors);
	return l;
}

static void drop(struct loaded l)
{
	plan_free(l.p);
	scenario_free(l.s);
}

/* A plan that must exist. */
static struct loaded good(const char *text)
{
	char why[1024];
	struct loaded l = load(text, why);

	eq_str(why, "");
	return l;
}

static const char *mistake(const char *text, char *why)
{
	drop(load(text, why));
	return why;
}

static const char *who_is(const struct plan *p, const char *text, char *buf, size_t len)
{
	struct who w;
	const char *static_why;
	uint32_t *clients;
	size_t n, used = 0;
	char why[512];

	if (parse_who(text, &w, &static_why))
		return "no who";
	if (plan_resolve(p, &w, 7, &clients, &n, why, sizeof(why))) {
		(void)snprintf(buf, len, "%s", why);
		return buf;
	}
	for (size_t i = 0; i < n && used < len; i++)
		used += (size_t)snprintf(buf + used, len - used, "%s%u", i ? " " : "", clients[i]);
	free(clients);
	return buf;
}

static const char *the_one(const struct plan *p, const char *text, char *buf, size_t len)
{
	struct who w;
	const char *static_why;
	char why[512];
	uint32_t client;

	if (parse_who(text, &w, &static_why))
		return "no who";
	if (plan_resolve_one(p, &w, &client, why, sizeof(why)))
		(void)snprintf(buf, len, "%s", why);
	else
		(void)snprintf(buf, len, "%u", client);
	return buf;
}

TEST(the_default_lab_is_the_contracts)
{
	struct loaded l = good("");
	char buf[ADDR_STRLEN], want[32];

	if (!l.p)
		return;
	eq_u64(l.p->n_hosts, 9);
	eq_u64(l.p->n_clients, 36);
	eq_u64(l.p->mtu, 1450);
	eq_u64(l.p->flow_capacity, 65536);
	eq_u64(l.p->n_generators, 0);
	for (uint32_t i = 0; i < 9; i++) {
		(void)snprintf(want, sizeof(want), "172.16.1.%u", 100 + i);
		eq_str(addr_format(&l.p->hosts[i].vtep, buf), want);
		eq_u64(l.p->hosts[i].client0, 4 * i);
		eq_u64(l.p->hosts[i].n_clients, 4);
		for (uint32_t j = 0; j < 4; j++) {
			const struct plan_client *c = &l.p->clients[4 * i + j];

			(void)snprintf(want, sizeof(want), "192.168.%u.%u", j, i + 1);
			eq_str(addr_format(&c->addr, buf), want);
			ok(c->host == i && c->vni == j);
		}
	}
	eq_str(l.p->hosts[3].name, "host3");
	eq_str(l.p->clients[35].port, "c35");
	eq_str(l.p->vnis[2].bridge, "br10002");
	eq_str(l.p->vnis[2].tunnel, "vxlan10002");
	eq_u64(plan_count_objects(l.p).namespaces, 46);
	eq_u64(plan_count_objects(l.p).devices, 1 + 18 + 36 * 4);
	eq_u64(plan_count_objects(l.p).veth_pairs, 9 + 36);
	eq_u64(plan_count_objects(l.p).bridges, 1 + 36);
	eq_u64(plan_count_objects(l.p).tunnels, 36);
	eq_u64(plan_count_objects(l.p).macvlans, 0);
	drop(l);
}

/* What holds for every plan, whatever the scenario. */
static int compare_bytes6(const void *a, const void *b)
{
	return memcmp(a, b, 6);
}

static void check_unique_macs(const struct plan *p)
{
	uint32_t n = p->n_hosts + p->n_clients, twice = 0, wrong = 0;
	uint8_t(*macs)[6] = calloc(n, 6);

	for (uint32_t i = 0; i < p->n_hosts; i++)
		memcpy(macs[i], p->hosts[i].mac, 6);
	for (uint32_t i = 0; i < p->n_clients; i++)
		memcpy(macs[p->n_hosts + i], p->clients[i].mac, 6);
	qsort(macs, n, 6, compare_bytes6);
	for (uint32_t i = 0; i < n; i++) {
		wrong += (macs[i][0] & 3) != 2; /* locally administered, unicast */
		twice += i > 0 && memcmp(macs[i], macs[i - 1], 6) == 0;
	}
	eq_u64(twice, 0);
	eq_u64(wrong, 0);
	free(macs);
}

static void check_invariants(const struct plan *p)
{
	uint32_t wrong = 0, streams = 0, flows = 0;

	check_unique_macs(p);
	for (uint32_t i = 0; i < p->n_hosts; i++) {
		wrong += plan_host_by_vtep(p, &p->hosts[i].vtep) != (int64_t)i;
		wrong += strlen(p->hosts[i].name) == 0 || strlen(p->hosts[i].port) == 0;
		wrong += i &&
			 p->hosts[i].client0 != p->hosts[i - 1].client0 + p->hosts[i - 1].n_clients;
	}
	for (uint32_t i = 0; i < p->n_clients; i++) {
		const struct plan_client *c = &p->clients[i];

		wrong += plan_client_by_addr(p, p->vnis[c->vni].scn->vni, &c->addr) != (int64_t)i;
		wrong += i < p->hosts[c->host].client0 ||
			 i >= p->hosts[c->host].client0 + p->hosts[c->host].n_clients;
	}
	for (uint32_t i = 0; i < p->n_vnis; i++)
		for (uint32_t k = 0; k < p->vnis[i].n_clients; k++)
			wrong += p->clients[p->vnis[i].clients[k]].vni != i ||
				 (k && p->vnis[i].clients[k] <= p->vnis[i].clients[k - 1]);
	for (uint32_t i = 0; i < p->n_generators; i++) {
		const struct plan_generator *g = &p->generators[i];

		wrong += g->n_peers == 0 || (i && g->section < p->generators[i - 1].section);
		for (uint32_t k = 0; k < g->n_peers; k++)
			wrong += g->peers[k] == g->client ||
				 p->clients[g->peers[k]].vni != p->clients[g->client].vni;
		streams += g->n_peers;
		flows += g->n_peers * (p->scn->traffic[g->section].proto == SCN_PING ? 2 : 1);
	}
	eq_u64(wrong, 0);
	eq_u64(streams, p->n_streams);
	eq_u64(flows, p->n_flows);
	ok(p->flow_capacity >= PLAN_FLOWS_MIN && (p->flow_capacity & (p->flow_capacity - 1)) == 0);
}

TEST(invariants_hold_for_all_kinds_of_labs)
{
	static const char *const labs[] = {
		"",
		"[lab]\nhosts = 1\nvnis = 1",
		"[lab]\nhosts = 9\nvnis = 16777215, 3, 500-510\nwiring = direct\n[traffic mesh]\n",
		"[lab]\nhosts = 250\n[traffic a]\nfrom = host0\nproto = udp\n[traffic b]\nfrom = all\nto = host0\n",
		"[lab]\nhosts = 1023\nvnis = 7\n[traffic a]\nfrom = c1022\n",
		"[lab]\nhosts = 300\nunderlay = fd00:1::/64\n[vni 10001]\nsubnet = fd00:2::/48\nhosts = 5-299\n[vni 10003]\nhosts = 299\n"
		"[traffic a]\nto = random\n[traffic b]\nfrom = random\n",
		"[lab]\nhosts = 3\nunderlay = 10.0.0.0/8\nfirst = 65000\n[vni 10000]\nsubnet = 10.0.0.0/29\n[vni 10001]\nsubnet = 10.0.0.0/29\n",
		"[lab]\nhosts = 254\nvnis = 1-256\n",
		"[lab]\nhosts = 2\nvnis = 1-4096\n[traffic all]\nproto = udp\n",
	};

	for (size_t i = 0; i < sizeof(labs) / sizeof(*labs); i++) {
		struct loaded l = good(labs[i]);

		if (l.p)
			check_invariants(l.p);
		drop(l);
	}
}

TEST(the_same_scenario_makes_the_same_plan)
{
	static const char text[] =
		"[lab]\nseed = 5\n[traffic a]\nfrom = random\nto = random\n[traffic b]\nfrom = all\nto = random\n";
	static const char other[] =
		"[lab]\nseed = 6\n[traffic a]\nfrom = random\nto = random\n[traffic b]\nfrom = all\nto = random\n";
	struct loaded a = good(text), b = good(text), c = good(other);
	char *x = plan_json(a.p), *y = plan_json(b.p), *z = plan_json(c.p);

	ok(x && y && z);
	if (x && y && z) {
		eq_str(x, y);
		ok(strcmp(strstr(x, "\"traffic\""), strstr(z, "\"traffic\"")) != 0);
	}
	ok(a.p->generators[1].seed == b.p->generators[1].seed &&
	   a.p->generators[1].seed != c.p->generators[1].seed);
	free(x);
	free(y);
	free(z);
	drop(a);
	drop(b);
	drop(c);
}

TEST(who_means_whom)
{
	struct loaded l = good(
		"[lab]\nhosts = 3\nvnis = 10-12\n[vni 11]\nhosts = 0, 2\nsubnet = 192.168.0.0/24\n");
	char buf[512];

	/* host0: c0 c1 c2, host1: c3 c4 (no VNI 11), host2: c5 c6 c7 */
	if (!l.p)
		return;
	eq_u64(l.p->n_clients, 8);
	eq_str(who_is(l.p, "all", buf, sizeof(buf)), "0 1 2 3 4 5 6 7");
	eq_str(who_is(l.p, "c3", buf, sizeof(buf)), "3");
	eq_str(who_is(l.p, "7", buf, sizeof(buf)), "7");
	eq_str(who_is(l.p, "host1", buf, sizeof(buf)), "3 4");
	eq_str(who_is(l.p, "host2:11", buf, sizeof(buf)), "6");
	eq_str(who_is(l.p, "vni 11", buf, sizeof(buf)), "1 6");
	eq_str(who_is(l.p, "192.168.0.1", buf, sizeof(buf)), "0 1"); /* in two VNIs */
	eq_str(who_is(l.p, "192.168.2.3", buf, sizeof(buf)), "7");
	eq_str(who_is(l.p, "c8", buf, sizeof(buf)), "c8 does not exist: clients are c0 to c7");
	eq_str(who_is(l.p, "host3", buf, sizeof(buf)),
	       "host3 does not exist: hosts are host0 to host2");
	eq_str(who_is(l.p, "vni 13", buf, sizeof(buf)), "VNI 13 does not exist: VNIs are 10-12");
	eq_str(who_is(l.p, "host1:11", buf, sizeof(buf)),
	       "host1 has no client in VNI 11, which is on hosts 0, 2");
	eq_str(who_is(l.p, "192.168.0.2", buf, sizeof(buf)),
	       "3"); /* VNI 10's; VNI 11 leaves host1 out */
	eq_str(who_is(l.p, "192.168.0.9", buf, sizeof(buf)),
	       "no client has the address 192.168.0.9");
	eq_u64(strlen(who_is(l.p, "random", buf, sizeof(buf))), 1);
	eq_str(the_one(l.p, "c3", buf, sizeof(buf)), "3");
	eq_str(the_one(l.p, "host2:11", buf, sizeof(buf)), "6");
	eq_str(the_one(l.p, "192.168.2.3", buf, sizeof(buf)), "7");
	eq_str(the_one(l.p, "192.168.0.1", buf, sizeof(buf)),
	       "192.168.0.1 is 2 clients (c0, c1): name one, as c0 or host0:10");
	eq_str(the_one(l.p, "host0", buf, sizeof(buf)),
	       "host0 is 3 clients (c0, c1, c2): name one, as c0 or host0:10");
	eq_str(the_one(l.p, "all", buf, sizeof(buf)),
	       "all is 8 clients (c0, c1, c2, c3 …): name one, as c0 or host0:10");
	eq_str(the_one(l.p, "c99", buf, sizeof(buf)), "c99 does not exist: clients are c0 to c7");
	drop(l);
}

TEST(hosts_without_clients_exist)
{
	struct loaded l = good("[lab]\nhosts = 3\nvnis = 1\n[vni 1]\nhosts = 0, 2\n");
	char buf[256];

	if (!l.p)
		return;
	eq_u64(l.p->hosts[1].n_clients, 0);
	eq_str(who_is(l.p, "host1", buf, sizeof(buf)), "host1 has no clients: no VNI is on it");
	drop(l);
}

TEST(addresses_lead_to_clients_only_where_they_are)
{
	struct loaded l = good(
		"[lab]\nhosts = 4\nvnis = 1, 2\n[vni 1]\nsubnet = 10.0.0.0/8\n[vni 2]\nsubnet = 10.0.0.0/8\nhosts = 1, 3\n");
	struct ip_addr a;

	if (!l.p)
		return;
	ok(addr_parse("10.0.0.2", &a) == 0);
	eq_u64(plan_client_by_addr(l.p, 1, &a), 1);
	eq_u64(plan_client_by_addr(l.p, 2, &a), 2);
	eq_u64(plan_client_by_addr(l.p, 3, &a), -1);
	ok(addr_parse("10.0.0.3", &a) == 0);
	eq_u64(plan_client_by_addr(l.p, 2, &a), -1);
	ok(addr_parse("10.0.0.0", &a) == 0);
	eq_u64(plan_client_by_addr(l.p, 1, &a), -1);
	ok(addr_parse("11.0.0.2", &a) == 0);
	eq_u64(plan_client_by_addr(l.p, 1, &a), -1);
	ok(addr_parse("fd00::2", &a) == 0);
	eq_u64(plan_client_by_addr(l.p, 1, &a), -1);
	eq_u64(plan_host_by_vtep(l.p, &a), -1);
	ok(addr_parse("172.16.1.104", &a) == 0);
	eq_u64(plan_host_by_vtep(l.p, &a), -1);
	ok(addr_parse("172.16.0.100", &a) == 0); /* same last byte, another network */
	eq_u64(plan_host_by_vtep(l.p, &a), -1);
	drop(l);
}

TEST(pairs_are_formed_within_a_vni_and_never_with_oneself)
{
	struct loaded l = good(
		"[lab]\nhosts = 4\nvnis = 1-2\n[traffic a]\nfrom = host1\nto = all\n[traffic b]\nfrom = c0\nto = host3\n"
		"[traffic c]\nfrom = vni 2\nto = host1:2\n");
	const struct plan_generator *g;

	if (!l.p)
		return;
	/* a: c2 (VNI 1) and c3 (VNI 2), each to three; b: c0 to c6; c: c1, c5, c7 to c3 */
	eq_u64(l.p->n_generators, 6);
	g = l.p->generators;
	ok(g[0].client == 2 && g[0].n_peers == 3 && g[0].peers[0] == 4 && g[0].peers[1] == 6 &&
	   g[0].peers[2] == 0);
	ok(g[1].client == 3 && g[1].n_peers == 3 && g[1].peers[0] == 5);
	ok(g[2].client == 0 && g[2].n_peers == 1 && g[2].peers[0] == 6 && g[2].section == 1);
	ok(g[3].client == 1 && g[4].client == 5 && g[5].client == 7 && g[5].peers[0] == 3);
	eq_u64(l.p->n_streams, 10);
	eq_u64(l.p->n_flows, 20);
	drop(l);
}

TEST(senders_of_a_section_are_spread_over_one_interval)
{
	struct loaded l = good(
		"[traffic a]\nfrom = host0\nrate = 10pps\n[traffic b]\nfrom = host1\nrate = max\nproto = udp\n");

	if (!l.p)
		return;
	eq_u64(l.p->n_generators, 8);
	for (uint32_t i = 0; i < 4; i++) {
		eq_u64(l.p->generators[i].phase_ns, i * 25000000ull);
		eq_u64(l.p->generators[4 + i].phase_ns, 0);
	}
	drop(l);
}

TEST(random_picks_have_peers)
{
	/* VNI 1 has one client only: nobody to talk to. */
	struct loaded l = good(
		"[lab]\nhosts = 2\nvnis = 1-3\n[vni 1]\nhosts = 0\n[traffic a]\nfrom = random\n[traffic b]\nto = random\n");

	if (!l.p)
		return;
	ok(l.p->n_generators == 5 && l.p->generators[0].client != 0 &&
	   l.p->generators[0].n_peers == 1);
	for (uint32_t i = 1; i < l.p->n_generators; i++)
		ok(l.p->generators[i].client != 0 && l.p->generators[i].n_peers == 1);
	drop(l);
}

TEST(hosts_that_one_bridge_has_no_ports_for_plug_into_leaves)
{
	struct loaded l = good("[lab]\nhosts = 1023\nvnis = 1\nunderlay = 10.0.0.0/8");
	char name[IFNAMSIZ], *text, *dot, *json;

	if (!l.p)
		return;
	eq_u64(plan_count_leaves(l.p), 0);
	eq_str(plan_host_bridge(l.p, 1022, name), "br100");
	eq_u64(plan_count_objects(l.p).devices, 1 + 1023 * 6);
	text = plan_text(l.p);
	ok(text && strstr(text, "ports     1023 of the 1023 that br100 can have\n"));
	free(text);
	drop(l);
	l = good("[lab]\nhosts = 1024\nvnis = 1\nunderlay = 10.0.0.0/8");
	if (!l.p)
		return;
	eq_u64(plan_count_leaves(l.p), 2);
	eq_str(plan_host_bridge(l.p, 0, name), "br101");
	eq_str(plan_host_bridge(l.p, 1021, name), "br101");
	eq_str(plan_host_bridge(l.p, 1022, name), "br102");
	eq_u64(plan_count_objects(l.p).devices, 1 + 2 * 3 + 1024 * 6);
	text = plan_text(l.p);
	ok(text && strstr(text, "ports     1024, more than the 1023 that br100 can have as a Linux bridge: hosts plug into br101 to br102, which "
				"br100 joins\n"));
	dot = plan_dot(l.p);
	ok(dot && strstr(dot, "\t\"br100\" -- \"br102\";\n") && strstr(dot, "\"br102\" -- \"host1023\" [label=\"p1023\"];\n"));
	json = plan_json(l.p);
	ok(json && strstr(json, "\"leaf_bridges\":2") && strstr(json, "\"port\":\"p1022\",\"bridge\":\"br102\""));
	free(text);
	free(dot);
	free(json);
	drop(l);
}

/* The largest lab of all still fits: no bridge has more ports than it can. */
TEST(no_bridge_has_too_many_ports)
{
	static const uint32_t bounds[] = { 3, 4, 5, 9, 10, 1023 };

	for (size_t i = 0; i < sizeof(bounds) / sizeof(*bounds); i++) {
		struct plan p = { .n_hosts = bounds[i] < 100 ? 9 : 4096, .bridge_ports = bounds[i] };
		uint32_t used[16] = { 0 }, leaves = plan_count_leaves(&p);

		if (!leaves) {
			ok(p.n_hosts <= bounds[i]);
			continue;
		}
		ok(leaves <= 16);
		for (uint32_t h = 0; h < p.n_hosts; h++) {
			ok(plan_leaf(&p, h) < leaves);
			used[plan_leaf(&p, h)]++;
		}
		for (uint32_t k = 0; k < leaves; k++)
			ok(used[k] > 0 && used[k] + 1 <= bounds[i]);
	}
}

TEST(peers_are_known_where_asking_would_flood_the_lab)
{
	static const struct {
		const char *text;
		bool known[2];
	} table[] = {
		{"[traffic mesh]\n", {false, false}}, /* 9 hosts: 72 pairs by 9 clients */
		{"[lab]\nhosts = 27\nvnis = 1, 2\n[traffic mesh]\n", {false, false}}, /* 18 954 */
		{"[lab]\nhosts = 28\nvnis = 1, 2\n[traffic mesh]\n", {true, true}},   /* 21 168 */
		{"[lab]\nhosts = 200\nvnis = 1, 2\n[traffic a]\nfrom = vni 2\nto = host0\n", {false, true}},
		{"[lab]\nhosts = 30\nvnis = 1, 2\nencap = geneve\n[traffic mesh]\n", {false, false}}, /* bridges learn */
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct loaded l = good(table[i].text);

		t_note("%s", table[i].text);
		for (uint32_t v = 0; l.p && v < 2; v++)
			eq_i64(l.p->vnis[v].known, table[i].known[v]);
		drop(l);
	}
}

TEST(the_mesh_joins_exactly_the_hosts_that_talk)
{
	struct loaded l = good("[lab]\nhosts = 5\nvnis = 1-2\n[traffic a]\nfrom = host0:1\nto = host2:1\n[traffic b]\nfrom = host4\nto = host3");
	struct plan_mesh *m = l.p ? plan_mesh_new(l.p) : NULL;
	unsigned pairs = 0;

	ok(m);
	if (!m)
		return;
	for (uint32_t a = 0; a < 5; a++)
		for (uint32_t b = 0; b < 5; b++)
			pairs += plan_mesh_has(m, a, b);
	eq_u64(pairs, 4);
	ok(plan_mesh_has(m, 0, 2) && plan_mesh_has(m, 2, 0) && plan_mesh_has(m, 4, 3) && plan_mesh_has(m, 3, 4));
	free(m);
	drop(l);
}

TEST(limits_are_told_with_both_numbers)
{
	char why[1024];

	eq_str(mistake("[lab]\nhosts = 1000\nvnis = 1-66", why),
	       "x.ini:3: [lab] vnis: 1000 hosts and 66 VNIs make 66000 clients; at most 65536 are possible");
	eq_str(mistake("[lab]\nunderlay = 10.0.0.0/25\nfirst = 120", why),
	       "x.ini:2: [lab] underlay: 10.0.0.0/25 has room for 7 VTEPs from number 120 (first) on, and there are 9 hosts; first = 1 would "
	       "do");
	eq_str(mistake("[vni 10000]\nhosts = 5-12", why),
	       "x.ini:2: [vni 10000] hosts: host9 does not exist: hosts are host0 to host8");
	eq_str(mistake("[vni 10000]\nhosts = 30", why),
	       "x.ini:2: [vni 10000] hosts: host30 does not exist: hosts are host0 to host8");
	eq_str(mistake("[traffic a]\nsize = 1431", why),
	       "x.ini:2: [traffic a] size = 1431: with 20 bytes of IPv4 header the packets have 1451, and the MTU in VNI 10000 is 1450: want at "
	       "most 1430");
	eq_str(mistake("[vni 10001]\nsubnet = fd00::/64\n[traffic a]\nsize = 1411", why),
	       "x.ini:4: [traffic a] size = 1411: with 40 bytes of IPv6 header the packets have 1451, and the MTU in VNI 10001 is 1450: want at "
	       "most 1410");
	eq_str(mistake("[lab]\nunderlay = fd00::/64\nmtu = 1431", why),
	       "x.ini:3: [lab] mtu: 1431 do not fit: the underlay's 1500 bytes less the tunnel's 70 (vxlan over IPv6, as in VNI 10000) leave 1430");
	eq_str(mistake("[lab]\nmtu = 1279\n[vni 10000]\nsubnet = fd00::/64", why),
	       "x.ini:2: [lab] mtu: VNI 10000 is IPv6, which needs 1280; the MTU would be 1279");
	eq_str(mistake("[lab]\nhosts = 1\n[traffic a]\nto = host1", why),
	       "x.ini:4: [traffic a] to = host1: host1 does not exist: the only host is host0");
	eq_str(mistake("[lab]\nhosts = 1\n[traffic a]", why),
	       "x.ini:3: [traffic a]: makes no pair: no client of all has another of all in its VNI");
	eq_str(mistake("[lab]\nvnis = 1-2\n[vni 2]\nsubnet = 192.168.0.0/24\n[traffic a]\nfrom = 192.168.0.1",
		       why),
	       "x.ini:6: [traffic a] from = 192.168.0.1: 192.168.0.1 is 2 clients (c0, c1): name one, as c0 or host0:1");
}

/* Devices, names and MTUs of a lab of three hosts where all VNIs have the encapsulation. */
static void check_tunnels(const char *encap, const char *underlay, const char *name, uint32_t tunnels, uint32_t mtu)
{
	char text[128], device[IFNAMSIZ];
	struct loaded l;

	(void)snprintf(text, sizeof(text), "[lab]\nhosts = 3\nvnis = 16777214-16777215\nencap = %s\nunderlay = %s", encap, underlay);
	l = good(text);
	if (!l.p)
		return;
	eq_str(plan_tunnel_name(&l.p->vnis[1], 4095, device), name);
	/* br100, three uplinks of two ends, six clients with eth0, port and bridge */
	eq_u64(plan_count_objects(l.p).devices, 1 + 6 + 18 + tunnels);
	eq_u64(l.p->vnis[0].mtu, mtu);
	eq_u64(l.p->mtu, mtu);
	eq_u64(plan_size_max(l.p, 0), mtu - 20);
	drop(l);
}

TEST(tunnels_are_as_the_encapsulation_wants_them)
{
	check_tunnels("vxlan", "10.0.0.0/8", "vxlan16777215", 6, 1450);
	check_tunnels("vxlan", "fd00::/64", "vxlan16777215", 6, 1430);
	check_tunnels("geneve", "10.0.0.0/8", "ge16777215.4095", 12, 1450);
	check_tunnels("geneve", "fd00::/64", "ge16777215.4095", 12, 1430);
	check_tunnels("gretap", "10.0.0.0/8", "gr16777215.4095", 12, 1458);
	check_tunnels("gretap", "fd00::/64", "gr16777215.4095", 12, 1438);
}

TEST(every_vni_has_the_mtu_its_tunnel_leaves)
{
	struct loaded l = good("[lab]\nhosts = 3\nvnis = 1-3\n[vni 2]\nencap = geneve\nhosts = 0\n[vni 3]\nencap = gretap\nhosts = 0,2");

	if (!l.p)
		return;
	eq_u64(l.p->vnis[0].mtu, 1450);
	eq_u64(l.p->vnis[2].mtu, 1458);
	eq_u64(l.p->mtu, 1450);
	eq_u64(plan_size_max(l.p, 2), 1438); /* c2 is host0's in VNI 3 */
	eq_u64(l.s->vnis[0].flood, SCN_MULTICAST);
	eq_u64(l.s->vnis[1].flood, SCN_UNICAST);
	/* VXLAN on three hosts, geneve alone on one, gretap on two */
	eq_u64(plan_count_objects(l.p).devices, 1 + 6 + 3 * 6 + 3 + 0 + 2);
	drop(l);
	l = good("[lab]\nmtu = 1400\nencap = gretap");
	if (!l.p)
		return;
	eq_u64(l.p->vnis[3].mtu, 1400);
	drop(l);
}

TEST(a_mesh_of_tunnels_is_bounded)
{
	char why[1024];

	drop(good("[lab]\nhosts = 64\nvnis = 1-4\nencap = geneve"));
	eq_str(mistake("[lab]\nhosts = 65\nvnis = 1-4\nencap = geneve", why),
	       "x.ini:4: [lab] encap: a geneve device reaches one host, so every host needs one for each other host: that makes 16640, and "
	       "at most 16384 are possible; vxlan needs one on each host");
	eq_str(mistake("[lab]\nhosts = 200\nvnis = 1\n[vni 1]\nencap = gretap", why),
	       "x.ini:5: [vni 1] encap: a gretap device reaches one host, so every host needs one for each other host: that makes 39800, "
	       "and at most 16384 are possible; vxlan needs one on each host");
}

TEST(the_table_grows_with_the_plan)
{
	struct loaded l =
		good("[lab]\nhosts = 150\nvnis = 1\n[traffic mesh]\n"); /* 150 × 149 pings */

	if (!l.p)
		return;
	eq_u64(l.p->n_flows, 2 * 150 * 149);
	eq_u64(l.p->flow_capacity, 262144);
	drop(l);
}

TEST(the_table_is_as_large_as_the_scenario_wants)
{
	struct loaded l = good("[lab]\nhosts = 20\nvnis = 1\nflows = 100\n[traffic mesh]\n");
	char *text;

	if (!l.p)
		return;
	eq_u64(l.p->flow_capacity, 100);
	text = plan_text(l.p);
	ok(text && strstr(text, "\nflows     760 planned, the monitor's table holds 100: packets of those beyond will be counted as lost\n"));
	free(text);
	drop(l);
}

TEST(rates_become_packets)
{
	struct loaded l = good("[vni 10001]\nsubnet = fd00::/64\n");
	struct rate pps = { RATE_PPS, 500 }, bits = { RATE_BPS, 8e6 }, most = { RATE_MAXIMUM, 0 };

	if (!l.p)
		return;
	ok(plan_rate_pps(l.p, &pps, 64, 0) == 500);
	ok(fabs(plan_rate_pps(l.p, &bits, 980, 0) - 1000) < 1e-9); /* + 20 of IPv4 */
	ok(fabs(plan_rate_pps(l.p, &bits, 960, 1) - 1000) < 1e-9); /* + 40 of IPv6 */
	ok(plan_rate_pps(l.p, &most, 64, 0) == 0);
	eq_u64(plan_size_max(l.p, 0), 1430);
	eq_u64(plan_size_max(l.p, 1), 1410);
	drop(l);
}

TEST(json_is_json)
{
	struct loaded l = good(
		"[lab]\nname = j\nseed = 18446744073709551615\n[vni 10001]\nflood = unicast\n[traffic \xc3\xa9t\xc3\xa9 \\ x]\n"
		"from = c0\nrate = max\nproto = udp\n[assert a]\ncheck = loss() == 0%\nat = 1s\n");
	char *text = l.p ? plan_json(l.p) : NULL;
	cJSON *j = text ? cJSON_Parse(text) : NULL, *t;

	ok(j != NULL);
	if (j) {
		eq_str(cJSON_GetStringValue(cJSON_GetObjectItem(j, "schema")), "tunlab.plan/1");
		ok(strstr(text, "18446744073709551615") != NULL);
		eq_u64(cJSON_GetArraySize(cJSON_GetObjectItem(j, "hosts")), 9);
		eq_u64(cJSON_GetArraySize(cJSON_GetObjectItem(j, "clients")), 36);
		ok(cJSON_IsNull(cJSON_GetObjectItem(
			cJSON_GetArrayItem(cJSON_GetObjectItem(j, "vnis"), 1), "group")));
		t = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "traffic"), 0);
		eq_str(cJSON_GetStringValue(cJSON_GetObjectItem(t, "name")),
		       "\xc3\xa9t\xc3\xa9 \\ x");
		ok(cJSON_IsNull(cJSON_GetObjectItem(t, "pps")));
	}
	cJSON_Delete(j);
	free(text);
	drop(l);
}

TEST(text_and_dot_are_made)
{
	struct loaded l = good("[traffic a]\nfrom = host0\n[assert a]\ncheck = loss() == 0%\n");
	char *text = l.p ? plan_text(l.p) : NULL, *dot = l.p ? plan_dot(l.p) : NULL;

	ok(text &&
	   strstr(text,
		  "10002  vxlan  239.1.1.3  1450  192.168.2.0/24  all    c2 192.168.2.1  c34 192.168.2.9\n"));
	ok(text &&
	   strstr(text,
		  "\na        host0  all  ping   10pps    64  0s to the end        4     32         40\n"));
	ok(text && strstr(text, " \n") == NULL); /* no white space at ends of lines */
	ok(dot && strncmp(dot, "graph \"x\" {\n", 12) == 0 &&
	   strstr(dot, "\"br100\" -- \"host8\" [label=\"p8\"];\n"));
	free(text);
	free(dot);
	drop(l);
}

TEST(events_stand_in_the_order_of_time)
{
	struct loaded l = good("[lab]\nhosts = 2\n[traffic a]\n[traffic b]\nfrom = c0\n[link host1]\nrate = 1mbit\n"
			       "[event last]\nat = 3s\ndo = traffic b stop\n"
			       "[event second]\nat = 1s\ndo = link host0 down\n"
			       "[event third]\nat = 1s\ndo = traffic \"a\" rate max\n"
			       "[event first]\ndo = link host1 loss 1%\n");
	char *text = l.p ? plan_text(l.p) : NULL, *dot = l.p ? plan_dot(l.p) : NULL, *json = l.p ? plan_json(l.p) : NULL;
	static const char *const names[] = { "first", "second", "third", "last" };
	static const int sections[] = { -1, -1, 0, 1 };
	cJSON *j = json ? cJSON_Parse(json) : NULL, *row;

	for (int i = 0; l.p && i < 4; i++) {
		eq_str(l.p->events[i].scn->name, names[i]);
		eq_i64(l.p->events[i].section, sections[i]);
	}
	ok(text && strstr(text, "\nhost1  rate 1mbit\n"));
	ok(text && strstr(text, "\nthird   1s  traffic \"a\" rate max\nlast    3s  traffic b stop\n"));
	ok(dot && strstr(dot, "[label=\"p1\\nrate 1mbit\"];\n"));
	ok(dot && strstr(dot, "\\l1s third: traffic \\\"a\\\" rate max\\l3s last: "));
	row = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "links"), 0);
	eq_str(cJSON_GetStringValue(cJSON_GetObjectItem(row, "rate")), "1mbit");
	row = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "events"), 3);
	eq_str(cJSON_GetStringValue(cJSON_GetObjectItem(row, "do")), "traffic b stop");
	near(cJSON_GetNumberValue(cJSON_GetObjectItem(row, "at_s")), 3, 0);
	cJSON_Delete(j);
	free(json);
	free(text);
	free(dot);
	drop(l);
}

/* A shipped scenario is without mistakes, tells first what the viewer will see, and has checks. */
static void check_shipped(const char *name)
{
	char path[300], text[16384], why[1024];
	struct loaded l = { 0 };
	size_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "scenarios/%s", name);
	f = fopen(path, "re"); /* tests run from the top of the tree */
	if (f) {
		n = fread(text, 1, sizeof(text) - 1, f);
		(void)fclose(f);
	}
	text[n] = '\0';
	ok(f && n > 0 && text[0] == ';' && strstr(text, "What you will see") && strstr(text, "Why it is interesting"));
	l = load(text, why);
	eq_str(why, "");
	ok(l.s && l.s->n_checks > 0);
	if (l.p)
		check_invariants(l.p);
	drop(l);
}

TEST(shipped_scenarios_are_good)
{
	DIR *d = opendir("scenarios");
	struct dirent *entry;
	int files = 0;

	ok(d != NULL);
	while (d && (entry = readdir(d))) {
		size_t len = strlen(entry->d_name);

		if (len > 4 && strcmp(entry->d_name + len - 4, ".ini") == 0) {
			check_shipped(entry->d_name);
			files++;
		}
	}
	if (d)
		(void)closedir(d);
	ok(files >= 5);
}

/* Who is secret hangs on the seed alone, and neither plan nor JSON nor text says it. */
TEST(a_secret_hangs_on_the_seed)
{
	static const char format[] = "[lab]\nvnis = 10000\nhosts = 9\nseed = %d\n[traffic s]\nfrom = random\nto = random\nsecret = yes\n";
	unsigned who = 0;

	for (int seed = 0; seed < 60; seed++) {
		char text[256];
		struct loaded a, b;

		(void)snprintf(text, sizeof(text), format, seed);
		a = good(text);
		b = good(text);
		if (a.p && b.p) {
			const struct plan_generator *g = plan_secret(a.p);

			ok(g && g->client == plan_secret(b.p)->client);
			ok(g->n_peers == 1 && g->peers[0] != g->client);
			who |= 1u << g->client;
		}
		drop(a);
		drop(b);
	}
	eq_u64(who, (1u << 9) - 1); /* everybody may be it */
}

TEST(a_plan_keeps_its_secret)
{
	struct loaded l = good("[lab]\nvnis = 10000\n[traffic s]\nfrom = random\nsecret = yes\n");
	char *json = l.p ? plan_json(l.p) : NULL, *text = l.p ? plan_text(l.p) : NULL;

	ok(json && strstr(json, "\"secret\":true,\"senders\":[]") && strstr(json, "\"seed\":null"));
	ok(text && strstr(text, "random, secret") && !strstr(text, "seed 1"));
	free(json);
	free(text);
	drop(l);
}

/* What lies behind the end is told with who set the end: the file, --set or --duration. */
TEST(an_end_is_told_with_who_set_it)
{
	static const char text[] = "[lab]\nduration = 10s\n[event cut]\nat = 9s\ndo = link host1 down\n";
	static const struct {
		const char *set;
		size_t n_options;
		const char *mistake;
	} cases[] = {
		{ "lab.duration=9s", 0, "x.ini:4: [event cut] at = 9s: the run ends at 9s (--set lab.duration=9s), so it would never happen" },
		{ "lab.duration=8s", 1, "x.ini:4: [event cut] at = 9s: the run ends at 8s (--duration 8s), so it would never happen" },
		{ "lab.duration=8", 1, "--duration 8: want a time with its unit, such as 200ms, 1.5s, 10s, 2m or 1h" },
		{ "lab.name=", 1, "--name : has no value" },
		{ "lab.duration=9001ms", 1, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct scn_source source = {
			.file = "x.ini", .text = text, .len = strlen(text), .set = &cases[i].set, .n_set = 1, .n_options = cases[i].n_options,
		};
		struct loaded l = { 0 };
		struct scn_errors errors;

		eq_i64(plan_load(&source, &l.s, &l.p, &errors), *cases[i].mistake ? -EINVAL : 0);
		eq_str(errors.n ? errors.text[0] : "", cases[i].mistake);
		scn_errors_free(&errors);
		drop(l);
	}
}
