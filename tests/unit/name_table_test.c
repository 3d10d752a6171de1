/* SPDX-License-Identifier: Apache-2.0 */
/* monitor/name_table.c: hosts(5) files, good and hostile. */
#include <stdlib.h>

#include "monitor/name_table.h"
#include "tests/unit/t.h"

struct complaints {
	unsigned n, lines[16];
	char last[128];
};

static void complain(void *arg, unsigned line, const char *why)
{
	struct complaints *c = arg;

	if (c->n < 16)
		c->lines[c->n] = line;
	c->n++;
	(void)snprintf(c->last, sizeof(c->last), "%s", why);
}

static const char *name(const struct name_table *t, const char *text)
{
	const struct name_entry *found;
	struct ip_addr addr;

	ok(addr_parse(text, &addr) == 0);
	found = name_table_find(t, &addr);
	return found ? found->name : "none";
}

static struct complaints parse(const char *text, size_t len, struct name_table *ret)
{
	struct complaints c = { 0 };

	*ret = (struct name_table) { 0 };
	eq_i64(name_table_parse(ret, text, len, complain, &c), 0);
	return c;
}

TEST(hosts_files_are_read_as_in_hosts_5)
{
	static const char text[] = "# machines\n127.0.0.1\tlocalhost\n\n10.0.0.1 web1 www web1.example.org # the first name counts\r\n"
				   "  fd00::1   db-1\n10.0.0.1 other\n10.0.0.2 last";
	struct name_table t;
	struct complaints c = parse(text, sizeof(text) - 1, &t);

	eq_u64(c.n, 0);
	eq_u64(t.n, 4);
	eq_str(name(&t, "10.0.0.1"), "web1");
	eq_str(name(&t, "fd00:0::1"), "db-1");
	eq_str(name(&t, "10.0.0.2"), "last");
	eq_str(name(&t, "10.0.0.3"), "none");
	name_table_free(&t);
	eq_u64(t.n, 0);
}

TEST(bad_lines_are_told_and_left_out)
{
	static const char text[] = "10.0.0.1 good\nweb2 10.0.0.2\n10.0.0.300 web3\n10.0.0.4\n10.0.0.5 <script>\n10.0.0.6 a\0b\n10.0.0.7 ok\n"
				   "10.0.0.8 good.alias bad/alias\n";
	struct name_table t;
	struct complaints c = parse(text, sizeof(text) - 1, &t);

	eq_u64(c.n, 6);
	for (unsigned i = 0; i < 5; i++)
		eq_u64(c.lines[i], i + 2);
	eq_u64(c.lines[5], 8);
	eq_u64(t.n, 2);
	eq_str(name(&t, "10.0.0.7"), "ok");
	eq_str(name(&t, "10.0.0.5"), "none");
	name_table_free(&t);
}

TEST(nothing_names_nothing)
{
	struct name_table t;
	struct complaints c = parse("", 0, &t);

	eq_u64(c.n + t.n, 0);
	eq_str(name(&t, "10.0.0.1"), "none");
	name_table_free(&t);
	c = parse("#\n\n \t\n", 5, &t);
	eq_u64(c.n + t.n, 0);
	name_table_free(&t);
}
