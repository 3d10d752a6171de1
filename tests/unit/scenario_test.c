/* SPDX-License-Identifier: Apache-2.0 */
/* lab/scenario*.c: defaults, values, comments and encodings, --set, check expressions. Wrong input
 * is mostly in scenario-errors/: each FILE.ini there must give exactly FILE.expected (mistakes of
 * the plan included). */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lab/scenario/plan.h"
#include "tests/unit/t.h"

/* Parses text with up to two --set arguments; NULL with the first mistake in why. */
static struct scenario *parse_with(const char *file, const char *text, size_t len, const char *set0,
				   const char *set1, char *why)
{
	const char *set[] = { set0, set1 };
	struct scn_source source = { .file = file,
				     .text = text,
				     .len = len,
				     .set = set,
				     .n_set = set1   ? 2
					      : set0 ? 1
						     : 0 };
	struct scenario *s = NULL;
	struct scn_errors errors;
	int err = scenario_parse(&source, &s, &errors);

	(void)snprintf(why, 1024, "%s",
		       errors.n ? errors.text[0]
		       : err    ? "failed without a message"
				: "");
	if ((err == 0) != (errors.n_total == 0) || (err == 0) != (s != NULL))
		(void)snprintf(why, 1024, "result %d, but %zu mistakes", err, errors.n_total);
	scn_errors_free(&errors);
	return s;
}

static struct scenario *parse(const char *text, char *why)
{
	return parse_with("dir/x.ini", text, strlen(text), NULL, NULL, why);
}

/* The first mistake in text, "" without one. */
static const char *mistake(const char *text, const char *set, char *why)
{
	scenario_free(parse_with("x.ini", text, strlen(text), set, NULL, why));
	return why;
}

TEST(an_empty_file_is_the_default_lab)
{
	char why[1024], buf[PREFIX_STRLEN];
	struct scenario *s = parse("", why);

	eq_str(why, "");
	if (!s)
		return;
	eq_str(s->name, "x");
	eq_u64(s->hosts, 9);
	eq_u64(s->n_vnis, 4);
	eq_str(prefix_format(&s->underlay, buf), "172.16.1.0/24");
	eq_u64(s->first, 100);
	eq_u64(s->port, 4789);
	eq_u64(s->mtu, 0);
	eq_u64(s->wiring, SCN_BRIDGE);
	eq_u64(s->duration_ns, 30000000000ull);
	eq_u64(s->n_traffic + s->n_checks, 0);
	for (unsigned i = 0; i < s->n_vnis; i++) {
		char subnet[32], group[32];

		(void)snprintf(subnet, sizeof(subnet), "192.168.%u.0/24", i);
		(void)snprintf(group, sizeof(group), "239.1.1.%u", i + 1);
		eq_u64(s->vnis[i].vni, 10000 + i);
		eq_str(prefix_format(&s->vnis[i].subnet, buf), subnet);
		eq_str(addr_format(&s->vnis[i].group, buf), group);
		eq_u64(s->vnis[i].encap, SCN_VXLAN);
		eq_u64(s->vnis[i].flood, SCN_MULTICAST);
		ok(s->vnis[i].hosts.n == 1 && s->vnis[i].hosts.v[0].first == 0 &&
		   s->vnis[i].hosts.v[0].last == 8);
	}
	scenario_free(s);
}

TEST(names_come_from_the_file)
{
	char why[1024];
	static const struct {
		const char *file, *name;
	} rows[] = {
		{ "skewed.ini", "skewed" },  { "/a/b/my lab.ini", "my-lab" },
		{ NULL, "default" },         { "-", "lab" },
		{ ".hidden.ini", "hidden" }, { "no.suffix", "no.suffix" },
		{ "dir/", "lab" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct scenario *s = parse_with(rows[i].file, "", 0, NULL, NULL, why);

		eq_str(s ? s->name : why, rows[i].name);
		scenario_free(s);
	}
}

TEST(defaults_grow_with_the_lab)
{
	char why[1024], buf[PREFIX_STRLEN];
	struct scenario *s = parse("[lab]\nhosts = 155", why);

	ok(s && s->first == 100 && strcmp(prefix_format(&s->underlay, buf), "172.16.1.0/24") == 0);
	scenario_free(s);
	s = parse("[lab]\nhosts = 156", why);
	ok(s && s->first == 356 && strcmp(prefix_format(&s->underlay, buf), "172.16.0.0/16") == 0);
	scenario_free(s);
	s = parse("[lab]\nhosts = 200\nfirst = 1", why);
	ok(s && s->first == 1 && strcmp(prefix_format(&s->underlay, buf), "172.16.1.0/24") == 0);
	scenario_free(s);
	s = parse("[lab]\nhosts = 300\nvnis = 1-3", why);
	ok(s && strcmp(prefix_format(&s->vnis[2].subnet, buf), "10.2.0.0/16") == 0);
	scenario_free(s);
	s = parse("[lab]\nvnis = 1-300\nhosts = 2", why);
	ok(s && strcmp(prefix_format(&s->vnis[255].subnet, buf), "192.168.255.0/24") == 0);
	ok(s && strcmp(prefix_format(&s->vnis[256].subnet, buf), "10.1.0.0/24") == 0);
	ok(s && strcmp(prefix_format(&s->vnis[299].subnet, buf), "10.1.43.0/24") == 0);
	ok(s && strcmp(addr_format(&s->vnis[253].group, buf), "239.1.1.254") == 0);
	ok(s && strcmp(addr_format(&s->vnis[299].group, buf), "239.1.2.44") == 0);
	scenario_free(s);
	s = parse("[lab]\nunderlay = fd00:1::/64", why);
	ok(s && s->first == 100 && strcmp(addr_format(&s->vnis[0].group, buf), "ff15::1:1") == 0);
	scenario_free(s);
	eq_str(mistake("[lab]\nhosts = 254\nvnis = 1-257\n[vni 257]\nhosts = 0-3", NULL, why),
	       "x.ini:4: [vni 257]: needs a subnet: with more than 253 hosts, only the first 256 VNIs have one by default");
}

TEST(the_contracts_example_is_read_value_by_value)
{
	static const char text[] = "\xef\xbb\xbf[lab]\r\n"
				   "name      = skewed            ; default: the file's stem\r\n"
				   "hosts     = 9\r\n"
				   "vnis      = 10000-10003\r\n"
				   "flood     = unicast           # head-end\r\n"
				   "underlay  = 172.16.1.0/24     ; prefix\r\n"
				   "first     = 100\r\n"
				   "\tport      = 4790\r\n"
				   "mtu       = 1450\r\n"
				   "wiring    = direct\r\n"
				   "duration  = 30s\r\n"
				   "seed      = 7\r\n"
				   "\r\n"
				   "[vni 10002]\r\n"
				   "subnet    = fd00:2::/64\r\n"
				   "hosts     = 0-5, 8            ; default: all\r\n"
				   "flood     = multicast\r\n"
				   "group     = 239.1.1.33\r\n"
				   "   \r\n"
				   "  # indented comment\r\n"
				   "[traffic culprit]\r\n"
				   "from=c3\r\n"
				   "to = host8\r\n"
				   "   proto = udp\r\n"
				   "rate = 500pps\r\n"
				   "size = 1k\r\n"
				   "start = 200ms\r\n"
				   "stop = 1.5m\r\n"
				   "pattern = poisson\r\n"
				   "[assert culprit is found]\r\n"
				   "check = top_talker() == c3\r\n"
				   "at = 20s\r\n"
				   "within = 5s";
	char why[1024], buf[PREFIX_STRLEN];
	struct scenario *s = parse(text, why);

	eq_str(why, "");
	if (!s)
		return;
	eq_str(s->name, "skewed");
	eq_u64(s->port, 4790);
	eq_u64(s->mtu, 1450);
	eq_u64(s->wiring, SCN_DIRECT);
	eq_u64(s->seed, 7);
	eq_u64(s->vnis[1].flood, SCN_UNICAST);
	ok(addr_is_none(&s->vnis[1].group));
	eq_u64(s->vnis[2].flood, SCN_MULTICAST);
	eq_u64(s->vnis[2].line, 14);
	eq_str(prefix_format(&s->vnis[2].subnet, buf), "fd00:2::/64");
	eq_str(addr_format(&s->vnis[2].group, buf), "239.1.1.33");
	ok(range_list_has(&s->vnis[2].hosts, 5) && !range_list_has(&s->vnis[2].hosts, 6) &&
	   range_list_has(&s->vnis[2].hosts, 8));
	ok(s->n_traffic == 1 && s->n_checks == 1);
	eq_str(s->traffic[0].name, "culprit");
	eq_u64(s->traffic[0].line, 21);
	eq_u64(s->traffic[0].key_line[TRAFFIC_SIZE], 26);
	ok(s->traffic[0].from.kind == WHO_CLIENT && s->traffic[0].from.client == 3);
	ok(s->traffic[0].to.kind == WHO_HOST && s->traffic[0].to.host == 8);
	eq_u64(s->traffic[0].proto, SCN_UDP);
	ok(s->traffic[0].rate.unit == RATE_PPS && s->traffic[0].rate.value == 500);
	eq_u64(s->traffic[0].size, 1024);
	eq_u64(s->traffic[0].start_ns, 200000000);
	eq_u64(s->traffic[0].stop_ns, 90000000000ull);
	eq_u64(s->traffic[0].pattern, SCN_POISSON);
	eq_str(s->checks[0].name, "culprit is found");
	eq_str(s->checks[0].text, "top_talker() == c3");
	ok(s->checks[0].has_at && s->checks[0].at_ns == 20000000000ull &&
	   s->checks[0].within_ns == 5000000000ull);
	scenario_free(s);
}

TEST(links_and_events_are_read)
{
	static const char text[] = "[traffic web]\n[traffic big stop]\n"
				   "[link host03]\nrate = 50mbit\nloss = 1%\n"
				   "[event cut]\nat = 10s\ndo = link host3 down rate 1mbit\n"
				   "[event quiet]\ndo = traffic web  stop\n"
				   "[event on]\ndo = traffic big stop start\n"
				   "[event fast]\ndo = traffic \"big stop\" rate 1 kpps\n";
	char why[1024], buf[128];
	struct scenario *s = parse_with("x.ini", text, strlen(text), "link host1.delay=5ms", "event cut.at=2s", why);

	eq_str(why, "");
	if (!s)
		return;
	if (eq_u64(s->n_links, 2)) {
		eq_u64(s->links[0].host, 3);
		eq_u64(s->links[0].key_line[UPLINK_LOSS], 5);
		eq_str(link_state_format(&s->links[0].state, buf, sizeof(buf)), "rate 50mbit loss 1%");
		eq_u64(s->links[1].host, 1);
		eq_str(link_state_format(&s->links[1].state, buf, sizeof(buf)), "delay 5ms");
	}
	if (eq_u64(s->n_events, 4)) {
		const struct scn_event *e = s->events;

		eq_str(e[0].name, "cut");
		eq_u64(e[0].at_ns, 2000000000);
		eq_u64(e[0].line, 6);
		eq_str(e[0].text, "link host3 down rate 1mbit");
		ok(e[0].action.kind == ACTION_LINK && e[0].action.host == 3 &&
		   e[0].action.link.parts == (LINK_DOWN | LINK_RATE) && e[0].action.link.to.down);
		eq_u64(e[1].at_ns, 0);
		ok(e[1].action.kind == ACTION_STOP);
		eq_str(e[1].action.traffic, "web");
		ok(e[2].action.kind == ACTION_START);
		eq_str(e[2].action.traffic, "big stop");
		ok(e[3].action.kind == ACTION_RATE && e[3].action.rate.unit == RATE_PPS && e[3].action.rate.value == 1000);
		eq_str(e[3].action.traffic, "big stop");
	}
	scenario_free(s);
}

TEST(comments_need_white_space_before_them)
{
	char why[1024];

	eq_str(mistake("[lab];x\n", NULL, why),
	       "x.ini:1: [lab];x: want [SECTION] alone on its line");
	eq_str(mistake("[lab] ;x\nhosts = 3#\n", NULL, why),
	       "x.ini:2: [lab] hosts = 3#: want a whole number from 1 to 4096");
	eq_str(mistake("[lab] # [x]\nhosts = 3 # 4 = 5\n;;\n#\n", NULL, why), "");
	eq_str(mistake("[lab]\nhosts = ;3", NULL, why), "x.ini:2: [lab] hosts: has no value");
}

TEST(settings_override_the_file)
{
	static const char file[] =
		"[lab]\nhosts = 0\n[traffic culprit]\nfrom = c3\n[traffic a.b]\n";
	char why[1024];
	struct scenario *s = parse_with("x.ini", file, strlen(file), "lab.hosts=3",
					"traffic culprit.rate = 1kpps", why);

	eq_str(why, "");
	ok(s && s->hosts == 3 && s->traffic[0].rate.value == 1000 &&
	   s->traffic[0].key_line[TRAFFIC_RATE] == -2);
	scenario_free(s);
	s = parse_with("x.ini", "", 0, "vni 10001.hosts=0-2", "vni 10001.hosts=1-2", why);
	eq_str(why, "");
	ok(s && s->vnis[1].hosts.v[0].first == 1);
	scenario_free(s);
	s = parse_with("x.ini", file, strlen(file), "lab.hosts=2", "traffic a.b.to=c4", why);
	ok(s && s->traffic[1].to.client == 4);
	scenario_free(s);
}

TEST(wrong_settings_name_themselves)
{
	static const char file[] = "[traffic web]\n[traffic culprit]\n";
	char why[1024];

	eq_str(mistake(file, "traffic culprit.rate=x", why),
	       "--set traffic culprit.rate=x: want a rate with its unit, such as 500pps, 1kpps, 10mbit or 1gbit, or max");
	eq_str(mistake(file, "traffic nobody.rate=1pps", why),
	       "--set traffic nobody.rate=1pps: x.ini has no [traffic nobody]; it has [traffic web], [traffic culprit]");
	eq_str(mistake(file, "assert a.at=1s", why),
	       "--set assert a.at=1s: x.ini has no [assert a]");
	eq_str(mistake(file, "lab.host=3", why),
	       "--set lab.host=3: no key is called host; did you mean hosts?; [lab] knows name, hosts, vnis, encap, flood, underlay, "
	       "first, port, mtu, wiring, duration, seed, flows");
	eq_str(mistake(file, "labs.hosts=3", why),
	       "--set labs.hosts=3: no section is called [labs]; did you mean [lab]? sections are [lab], [vni N], [link hostN], "
	       "[traffic NAME], [event NAME] and [assert NAME]");
	eq_str(mistake(file, "hosts=3", why),
	       "--set hosts=3: want SECTION.KEY=VALUE, such as lab.hosts=3");
	eq_str(mistake(file, "lab.hosts", why),
	       "--set lab.hosts: want SECTION.KEY=VALUE, such as lab.hosts=3");
	eq_str(mistake(file, "lab.hosts=", why),
	       "--set lab.hosts=: want SECTION.KEY=VALUE, such as lab.hosts=3");
	eq_str(mistake(file, ".=", why), "--set .=: want SECTION.KEY=VALUE, such as lab.hosts=3");
	eq_str(mistake(file, "lab.hosts=\x01", why), "--set: argument 1 is not UTF-8 text");
	eq_str(mistake(file, "vni 7.hosts=1", why),
	       "--set vni 7.hosts=1: is not one of the lab's VNIs (10000-10003); add it to [lab] vnis");
}

TEST(huge_files_are_refused_once)
{
	size_t len = SCN_FILE_MAX + 1;
	char *text = malloc(len), why[1024];

	ok(text != NULL);
	if (!text)
		return;
	memset(text, 'x', len);
	scenario_free(parse_with("x.ini", text, len, NULL, NULL, why));
	eq_str(why, "x.ini: is larger than 1048576 bytes, the most a scenario can have");
	memset(text, '\n', len); /* as long as possible, and nothing in it */
	scenario_free(parse_with("x.ini", text, len - 1, NULL, NULL, why));
	eq_str(why, "");
	free(text);
}

TEST(more_mistakes_than_kept_are_counted)
{
	enum { LINES = 5000 };
	char *text = malloc(LINES * 2);
	struct scn_source source = { .file = "x.ini", .text = text, .len = LINES * 2 };
	struct scenario *s = NULL;
	struct scn_errors errors;

	for (int i = 0; i < LINES; i++)
		memcpy(text + 2 * i, "x\n", 2);
	ok(scenario_parse(&source, &s, &errors) == -EINVAL && !s);
	eq_u64(errors.n, SCN_ERRORS_MAX);
	eq_u64(errors.n_total, LINES);
	scn_errors_free(&errors);
	free(text);
}

TEST(rates)
{
	static const struct {
		const char *text;
		enum rate_unit unit;
		double value;
		const char *back;
	} good[] = {
		{ "500pps", RATE_PPS, 500, "500pps" },    { "1kpps", RATE_PPS, 1000, "1kpps" },
		{ "1.5kpps", RATE_PPS, 1500, "1.5kpps" }, { "0.5pps", RATE_PPS, 0.5, "0.5pps" },
		{ "2mpps", RATE_PPS, 2e6, "2mpps" },      { "10mbit", RATE_BPS, 1e7, "10mbit" },
		{ "5kbit", RATE_BPS, 5000, "5kbit" },     { "1gbit", RATE_BPS, 1e9, "1gbit" },
		{ "10 Mbit", RATE_BPS, 1e7, "10mbit" },   { "max", RATE_MAXIMUM, 0, "max" },
	};
	static const char *const bad[] = { "",
					   "500",
					   "pps",
					   "-1pps",
					   "0pps",
					   "1e3pps",
					   "0x10pps",
					   "infpps",
					   "1kbits",
					   "1pps x",
					   "99999999999999999999pps",
					   "2000mpps",
					   " 1pps",
					   "1.pps",
					   ".5pps" };
	const char *why;
	struct rate r;
	char buf[32];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		ok(parse_rate(good[i].text, &r, &why) == 0);
		ok(r.unit == good[i].unit && r.value == good[i].value);
		eq_str(rate_format(&r, buf, sizeof(buf)), good[i].back);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(parse_rate(bad[i], &r, &why) == -EINVAL && *why);
}

TEST(times)
{
	static const struct {
		const char *text;
		uint64_t ns;
		const char *back;
	} good[] = {
		{ "200ms", 200000000, "200ms" },
		{ "10s", 10000000000ull, "10s" },
		{ "2m", 120000000000ull, "120s" },
		{ "1.5s", 1500000000, "1.5s" },
		{ "50us", 50000, "50us" },
		{ "1h", 3600000000000ull, "3600s" },
		{ "0", 0, "0s" },
		{ "0s", 0, "0s" },
		{ "0.1s", 100000000, "100ms" },
		{ "7ns", 7, "7ns" },
	};
	static const char *const bad[] = { "",      "10",   "s",       "-1s", "1e3s",
					   "10sec", "1s2s", "100000h", "1:00" };
	const char *why;
	uint64_t ns;
	char buf[32];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		ok(parse_time(good[i].text, &ns, &why) == 0);
		eq_u64(ns, good[i].ns);
		eq_str(time_format(ns, buf, sizeof(buf)), good[i].back);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(parse_time(bad[i], &ns, &why) == -EINVAL && *why);
}

TEST(sizes_and_numbers)
{
	const char *why;
	uint64_t n;

	ok(parse_size("64", &n, &why) == 0 && n == 64);
	ok(parse_size("1k", &n, &why) == 0 && n == 1024);
	ok(parse_size("1.5K", &n, &why) == 0 && n == 1536);
	ok(parse_size("2m", &n, &why) == 0 && n == 2097152);
	ok(parse_size("0.3", &n, &why) == -EINVAL);
	ok(parse_size("1kb", &n, &why) == -EINVAL);
	ok(parse_size("-1", &n, &why) == -EINVAL);
	ok(parse_number("18446744073709551615", 0, UINT64_MAX, &n) == 0 && n == UINT64_MAX);
	ok(parse_number("18446744073709551616", 0, UINT64_MAX, &n) == -EINVAL);
	ok(parse_number("007", 1, 9, &n) == 0 && n == 7);
	ok(parse_number("10", 1, 9, &n) == -EINVAL);
	ok(parse_number("5", 0, 3, &n) == -EINVAL);
	ok(parse_number("0", 1, 9, &n) == -EINVAL);
	ok(parse_number("+1", 1, 9, &n) == -EINVAL);
	ok(parse_number("", 0, 9, &n) == -EINVAL);
}

TEST(who_in_all_its_forms)
{
	static const struct {
		const char *text, *back;
		enum who_kind kind;
	} good[] = {
		{ "c3", "c3", WHO_CLIENT },
		{ "3", "c3", WHO_CLIENT },
		{ "host0", "host0", WHO_HOST },
		{ "host12:10002", "host12:10002", WHO_HOST_VNI },
		{ "vni 10002", "vni 10002", WHO_VNI },
		{ "vni   7", "vni 7", WHO_VNI },
		{ "all", "all", WHO_ALL },
		{ "random", "random", WHO_RANDOM },
		{ "192.168.2.1", "192.168.2.1", WHO_ADDRESS },
		{ "c0:0:0::1", "c0::1", WHO_ADDRESS },
		{ "fd00::1", "fd00::1", WHO_ADDRESS },
	};
	static const char *const bad[] = {
		"",       "c",        "cx",      "c-1",      "host",
		"hostx",  "host0:",   "host0:x", "host0:0",  "host0:16777216",
		"vni",    "vni x",    "vni 0",   "vni10002", "ALL",
		"nobody", "1.2.3",    "::",      "c3 c4",    "host4294967296",
		"-3",     "host0:1:2"
	};
	const char *why;
	struct who w;
	char buf[64];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		ok(parse_who(good[i].text, &w, &why) == 0);
		ok(w.kind == good[i].kind);
		eq_str(who_format(&w, buf, sizeof(buf)), good[i].back);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(parse_who(bad[i], &w, &why) == -EINVAL && *why);
}

TEST(lists)
{
	static const struct {
		const char *text, *back;
	} good[] = {
		{ "3", "3" },         { "0-5, 8", "0-5, 8" }, { "0-5,8", "0-5, 8" },
		{ " 4 - 6 ", "4-6" }, { "9,1-3", "9, 1-3" },
	};
	static const char *const bad[] = { "",       ",",   "1,",  ",1",         "1,,2",
					   "1-",     "-1",  "a",   "1-2-3",      "5-3",
					   "0-5, 5", "100", "1 2", "99999999999" };
	struct range_list l;
	char why[200], buf[100];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		int err = parse_ranges(good[i].text, 0, 99, 100, &l, why, sizeof(why));

		eq_str(err ? why : ranges_format(&l, buf, sizeof(buf)), good[i].back);
		if (!err)
			free(l.v);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(parse_ranges(bad[i], 0, 99, 100, &l, why, sizeof(why)) == -EINVAL);
	ok(parse_ranges("0-50, 60-99", 0, 99, 80, &l, why, sizeof(why)) == -EINVAL);
	eq_str(why, "at most 80 are possible");
}

/* Parses an expression; a mistake ends the test with its text. */
static bool check(const char *text, struct scn_check *c)
{
	char why[512] = "";
	int err;

	*c = (struct scn_check){ 0 };
	err = parse_check(text, c, why, sizeof(why));
	eq_str(why, "");
	return err == 0;
}

TEST(every_metric_is_read)
{
	static const char *const values[] = {
		[UNIT_COUNT] = "3",    [UNIT_BYTES] = "1k",   [UNIT_PPS] = "1kpps",
		[UNIT_BPS] = "10mbit", [UNIT_SHARE] = "0.1%", [UNIT_TIME] = "5ms",
		[UNIT_CLIENT] = "c3",
	};
	static const double base[] = {
		[UNIT_COUNT] = 3,     [UNIT_BYTES] = 1024, [UNIT_PPS] = 1000, [UNIT_BPS] = 1e7,
		[UNIT_SHARE] = 0.001, [UNIT_TIME] = 0.005, [UNIT_CLIENT] = 3,
	};

	for (int m = 0; m < CHECK_METRIC_MAX; m++)
		for (int parens = 0; parens < 2; parens++) {
			enum check_unit unit = check_metrics[m].unit;
			struct scn_check c;
			char text[100];

			(void)snprintf(text, sizeof(text), "%s%s == %s", check_metrics[m].name,
				       parens ? "()" : "", values[unit]);
			if (!check(text, &c))
				continue;
			eq_u64(c.metric, m);
			eq_u64(c.op, OP_EQ);
			eq_u64(c.n_selectors, 0);
			ok(fabs(c.value - base[unit]) < 1e-12);
			eq_str(c.text, text);
			free(c.selectors);
		}
}

TEST(every_comparison_is_read)
{
	static const struct {
		const char *text;
		enum check_op op;
		double value, value2;
	} rows[] = {
		{ "pps()==500", OP_EQ, 500, 0 },
		{ "pps() != 500pps", OP_NE, 500, 0 },
		{ "pps < 0.5kpps", OP_LT, 500, 0 },
		{ "pps()<=500", OP_LE, 500, 0 },
		{ "pps() > 1", OP_GT, 1, 0 },
		{ "pps()>=1", OP_GE, 1, 0 },
		{ "pps() between 1 and 1kpps", OP_BETWEEN, 1, 1000 },
		{ "pps() ~ 500 +- 1%", OP_APPROX, 500, 0.01 },
		{ "pps()~500pps+-0.5%", OP_APPROX, 500, 0.005 },
		{ "pps() ~ 500 \xc2\xb1 2 %", OP_APPROX, 500, 0.02 },
		{ "bps >= 10mbit", OP_GE, 1e7, 0 },
		{ "bps > 1000", OP_GT, 1000, 0 },
		{ "packets >= 10k", OP_GE, 10000, 0 },
		{ "loss == 0", OP_EQ, 0, 0 },
		{ "loss <= 0.01", OP_LE, 0.01, 0 },
		{ "delivery == 100%", OP_EQ, 1, 0 },
		{ "rtt_p99 between 1us and 1s", OP_BETWEEN, 1e-6, 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct scn_check c;

		if (!check(rows[i].text, &c))
			continue;
		eq_u64(c.op, rows[i].op);
		ok(fabs(c.value - rows[i].value) < 1e-9 && fabs(c.value2 - rows[i].value2) < 1e-9);
		free(c.selectors);
	}
}

TEST(every_selector_is_read)
{
	struct scn_check c;
	char buf[ADDR_STRLEN];

	if (check("packets(from=host3 to=vni 10002, vni = 10001,proto=ipv4/icmp encap=vxlan  traffic=two words outer_src=172.16.1.100 "
		  "outer_dst=fd00::1) == 0",
		  &c)) {
		eq_u64(c.n_selectors, SEL_KEY_MAX);
		for (size_t i = 0; i < c.n_selectors; i++)
			eq_u64(c.selectors[i].key, i); /* they stand in the order of the enum */
		ok(c.selectors[SEL_FROM].who.kind == WHO_HOST &&
		   c.selectors[SEL_FROM].who.host == 3);
		ok(c.selectors[SEL_TO].who.kind == WHO_VNI && c.selectors[SEL_TO].who.vni == 10002);
		eq_u64(c.selectors[SEL_VNI].number, 10001);
		eq_str(c.selectors[SEL_PROTO].text, "ipv4/icmp");
		eq_str(c.selectors[SEL_ENCAP].text, "vxlan");
		eq_str(c.selectors[SEL_TRAFFIC].text, "two words");
		eq_str(addr_format(&c.selectors[SEL_OUTER_SRC].addr, buf), "172.16.1.100");
		eq_str(addr_format(&c.selectors[SEL_OUTER_DST].addr, buf), "fd00::1");
		free(c.selectors);
	}
	if (check("packets(traffic=\"a, b) c\" vni=7) == 0", &c)) {
		eq_str(c.selectors[0].text, "a, b) c");
		eq_u64(c.selectors[1].number, 7);
		free(c.selectors);
	}
	if (check("top_talker(vni=10000) != host0:10002", &c)) {
		ok(c.who.kind == WHO_HOST_VNI && c.who.host == 0 && c.who.vni == 10002);
		free(c.selectors);
	}
}

/* ------------------------------------------------------------------ golden files */

static char *slurp(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	char *text = malloc(1 << 20);

	*ret_len = f && text ? fread(text, 1, (1 << 20) - 1, f) : 0;
	if (text)
		text[*ret_len] = '\0';
	if (f)
		(void)fclose(f);
	return text;
}

/* All mistakes of a file, one a line, into a new string. */
static char *mistakes_of(const char *dir, const char *name)
{
	struct scn_source source = { .file = name };
	struct scenario *s = NULL;
	struct plan *p = NULL;
	struct scn_errors errors;
	char path[600], *text, *out = NULL;
	size_t out_len;
	FILE *f = open_memstream(&out, &out_len);

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	text = slurp(path, &source.len);
	source.text = text;
	ok(plan_load(&source, &s, &p, &errors) == -EINVAL);
	for (size_t i = 0; f && i < errors.n; i++)
		(void)fprintf(f, "%s\n", errors.text[i]);
	if (f)
		(void)fclose(f);
	scn_errors_free(&errors);
	plan_free(p);
	scenario_free(s);
	free(text);
	return out;
}

TEST(the_readme_and_help_have_every_metric)
{
	size_t len;
	char *readme = slurp("README.md", &len), *help = check_metrics_help();
	char line[300];

	for (int m = 0; m < CHECK_METRIC_MAX; m++) {
		const struct check_metric_info *i = &check_metrics[m];

		(void)snprintf(line, sizeof(line), "\n| `%s` | %s | %s |\n", i->name, check_units[i->unit].name, i->meaning);
		if (!ok(strstr(readme, line) != NULL))
			t_note("README.md lacks%s", line);
		(void)snprintf(line, sizeof(line), "\n  %-18s %-10s %s\n", i->name, check_units[i->unit].name, i->meaning);
		ok(strstr(help, line) != NULL);
	}
	free(readme);
	free(help);
}

TEST(mistakes_are_reported_as_the_golden_files_have_them)
{
	static const char dir[] = "tests/unit/scenario-errors";
	DIR *d = opendir(dir);
	struct dirent *entry;
	int files = 0;

	ok(d != NULL); /* run from the top of the tree */
	while (d && (entry = readdir(d))) {
		size_t stem = strlen(entry->d_name), expected_len;
		char path[600], *got, *expected;

		if (stem < 4 || strcmp(entry->d_name + stem - 4, ".ini") != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%.*s.expected", dir, (int)stem - 4,
			       entry->d_name);
		got = mistakes_of(dir, entry->d_name);
		expected = slurp(path, &expected_len);
		eq_str(got, expected);
		free(got);
		free(expected);
		files++;
	}
	if (d)
		(void)closedir(d);
	ok(files >= 8);
}
