/* SPDX-License-Identifier: Apache-2.0 */
/* lab/scenario/plan*.c: numbering, addresses, limits, what is printed, and what must hold for every plan. Mistakes are mostly in
 * scenario-errors/ (scenario_test.c reads them). */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <stdlib.h>

#include "tests/unit/plan_load.h"

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
