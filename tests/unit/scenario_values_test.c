/* SPDX-License-Identifier: Apache-2.0 */
/* lab/scenario/scenario_values.c and scenario_check.c: rates, times, sizes, who, lists; and checks with all their metrics. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "lab/scenario/scenario.h"
#include "tests/unit/t.h"

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
