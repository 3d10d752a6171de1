/* SPDX-License-Identifier: Apache-2.0 */
/* lab/scenario/scenario*.c: defaults, comments and encodings, --set. Wrong input
 * is mostly in scenario-errors/: each FILE.ini there must give exactly FILE.expected (mistakes of
 * the plan included). */
#include <dirent.h>
#include <errno.h>
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

TEST(a_set_value_that_is_too_long_is_told_as_such)
{
	char text[1200];
	const char *set = text;
	struct scn_source source = { .file = "x.ini", .text = "[lab]\n", .len = 6, .set = &set, .n_set = 1 };
	struct scenario *s = NULL;
	struct scn_errors errors;

	(void)snprintf(text, sizeof(text), "lab.name=%01100d", 0);
	eq_i64(scenario_parse(&source, &s, &errors), -EINVAL);
	if (ok(errors.n == 1 && strlen(errors.text[0]) > 60))
		eq_str(errors.text[0] + strlen(errors.text[0]) - 55, "the value is 1100 bytes long, at most 1023 are possible");
	scn_errors_free(&errors);
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
