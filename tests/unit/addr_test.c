/* SPDX-License-Identifier: Apache-2.0 */
/* base/addr.c: text to address and back, prefixes, the n-th address. */
#include <errno.h>

#include "base/addr.h"
#include "tests/unit/t.h"

static const char *round_trip(const char *text, char *buf)
{
	struct ip_addr a = { { 1 } };

	return addr_parse(text, &a) ? "refused" : addr_format(&a, buf);
}

static const char *prefix_round_trip(const char *text, char *buf)
{
	struct ip_prefix p = { 0 };

	return prefix_parse(text, &p) ? "refused" : prefix_format(&p, buf);
}

static const char *nth(const char *prefix, uint32_t n, char *buf)
{
	struct ip_prefix p;
	struct ip_addr a;
	int err = prefix_parse(prefix, &p);

	if (err)
		return "refused";
	err = prefix_nth(&p, n, &a);
	return err == -ERANGE ? "out of range" : err ? "error" : addr_format(&a, buf);
}

TEST(address_text_round_trips)
{
	char buf[ADDR_STRLEN];

	eq_str(round_trip("172.16.1.100", buf), "172.16.1.100");
	eq_str(round_trip("0.0.0.0", buf), "0.0.0.0");
	eq_str(round_trip("255.255.255.255", buf), "255.255.255.255");
	eq_str(round_trip("fd00:0:0:0:0:0:0:1", buf), "fd00::1");
	eq_str(round_trip("FD00::AB", buf), "fd00::ab");
	eq_str(round_trip("::ffff:10.0.0.1", buf), "10.0.0.1"); /* mapped is the same address */
	eq_str(round_trip("::", buf), "::"); /* as in a neighbour solicitation that looks for a double */
}

TEST(what_is_no_address_is_refused)
{
	static const char *const bad[] = { "",          " ",          "1.2.3", "1.2.3.4.5",
					   "256.1.1.1", "1.2.3.4/24", "host0", "fe80::1%eth0",
					   "g::",       "1.2.3.4 ",   ":::" };
	char buf[ADDR_STRLEN];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		eq_str(round_trip(bad[i], buf), "refused");
}

TEST(families_and_groups_are_told_apart)
{
	struct ip_addr a;

	ok(addr_parse("239.1.1.1", &a) == 0 && addr_is_v4(&a) && addr_is_group(&a));
	ok(addr_parse("224.0.0.0", &a) == 0 && addr_is_group(&a));
	ok(addr_parse("240.0.0.1", &a) == 0 && !addr_is_group(&a));
	ok(addr_parse("255.255.255.255", &a) == 0 && addr_is_group(&a));
	ok(addr_parse("172.16.1.1", &a) == 0 && !addr_is_group(&a));
	ok(addr_parse("ff15::1:1", &a) == 0 && !addr_is_v4(&a) && addr_is_group(&a));
	ok(addr_parse("fd00::1", &a) == 0 && !addr_is_group(&a));
}

TEST(packet_bytes_are_those_of_the_family)
{
	struct ip_addr a;
	size_t len = 0;

	ok(addr_parse("10.1.2.3", &a) == 0 &&
	   memcmp(addr_bytes(&a, &len), "\x0a\x01\x02\x03", 4) == 0);
	eq_u64(len, 4);
	ok(addr_parse("fd00::1", &a) == 0 && addr_bytes(&a, &len)[0] == 0xfd);
	eq_u64(len, 16);
}

TEST(prefix_text_round_trips)
{
	char buf[PREFIX_STRLEN];

	eq_str(prefix_round_trip("172.16.1.0/24", buf), "172.16.1.0/24");
	eq_str(prefix_round_trip("10.0.0.1/32", buf), "10.0.0.1/32");
	eq_str(prefix_round_trip("0.0.0.0/0", buf), "0.0.0.0/0");
	eq_str(prefix_round_trip("fd00:1::/64", buf), "fd00:1::/64");
	eq_str(prefix_round_trip("fd00::1/128", buf), "fd00::1/128");
}

TEST(what_is_no_prefix_is_refused)
{
	static const char *const bad[] = { "",
					   "/24",
					   "10.0.0.0",
					   "10.0.0.0/",
					   "10.0.0.0/33",
					   "10.0.0.0/-1",
					   "10.0.0.0/+8",
					   "10.0.0.1/24",
					   "10.0.0.0/24x",
					   "10.0.0.0/ 24",
					   "fd00::/129",
					   "fd00::1/64",
					   "10.0.0.0/99999999999999999999",
					   "10.0.0.0/24/24" };
	char buf[PREFIX_STRLEN];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		eq_str(prefix_round_trip(bad[i], buf), "refused");
}

TEST(addresses_of_a_prefix_are_counted_from_its_network)
{
	char buf[ADDR_STRLEN];

	eq_str(nth("172.16.1.0/24", 100, buf), "172.16.1.100");
	eq_str(nth("172.16.1.0/24", 254, buf), "172.16.1.254");
	eq_str(nth("172.16.1.0/24", 255, buf), "out of range"); /* broadcast */
	eq_str(nth("172.16.1.0/24", 256, buf), "out of range");
	eq_str(nth("172.16.0.0/16", 356, buf), "172.16.1.100");
	eq_str(nth("10.0.0.4/31", 1, buf), "10.0.0.5"); /* RFC 3021: no broadcast */
	eq_str(nth("10.0.0.4/32", 0, buf), "10.0.0.4");
	eq_str(nth("10.0.0.4/32", 1, buf), "out of range");
	eq_str(nth("0.0.0.0/0", 4294967294u, buf), "255.255.255.254");
	eq_str(nth("0.0.0.0/0", 4294967295u, buf), "out of range");
	eq_str(nth("fd00::/64", 100, buf), "fd00::64");
	eq_str(nth("fd00::/64", 4294967295u, buf), "fd00::ffff:ffff");
	eq_str(nth("fd00::/120", 255, buf), "fd00::ff");
	eq_str(nth("fd00::/120", 256, buf), "out of range");
}

TEST(a_prefix_knows_its_addresses)
{
	struct ip_prefix p;
	struct ip_addr a;

	ok(prefix_parse("192.168.2.0/24", &p) == 0);
	ok(addr_parse("192.168.2.255", &a) == 0 && prefix_contains(&p, &a));
	ok(addr_parse("192.168.3.0", &a) == 0 && !prefix_contains(&p, &a));
	ok(addr_parse("fd00::1", &a) == 0 && !prefix_contains(&p, &a));
	ok(prefix_parse("::/0", &p) == 0);
	ok(addr_parse("fd00::1", &a) == 0 && prefix_contains(&p, &a));
	ok(addr_parse("10.0.0.1", &a) == 0 && !prefix_contains(&p, &a)); /* another family */
}
