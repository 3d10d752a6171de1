/* SPDX-License-Identifier: Apache-2.0 */
/* lab/scenario/plan_who.c, plan_traffic.c, plan_names.c: who is meant, who sends to whom, and what happens when. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "tests/unit/plan_load.h"

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
