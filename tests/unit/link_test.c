/* SPDX-License-Identifier: Apache-2.0 */
/* lab/scenario/link.c: words to changes, changes of states, states to words. */
#include <errno.h>

#include "lab/scenario/link.h"
#include "tests/unit/t.h"

TEST(changes_are_read)
{
	static const struct {
		const char *text;
		unsigned parts;
		struct link_state to;
	} rows[] = {
		{ "rate 50mbit", LINK_RATE, { .rate_bps = 50e6 } },
		{ "rate 1kbit", LINK_RATE, { .rate_bps = 1e3 } },
		{ "rate 0", LINK_RATE, { .loss = 0 } },
		{ "rate 0mbit", LINK_RATE, { .loss = 0 } },
		{ "rate max", LINK_RATE, { .loss = 0 } },
		{ "delay 10ms", LINK_DELAY, { .delay_ns = 10000000 } },
		{ "delay 0", LINK_DELAY, { .loss = 0 } },
		{ "delay 0s", LINK_DELAY, { .loss = 0 } },
		{ "delay 60s", LINK_DELAY, { .delay_ns = 60000000000ull } },
		{ "loss 1%", LINK_LOSS, { .loss = 0.01 } },
		{ "loss 0.5", LINK_LOSS, { .loss = 0.5 } },
		{ "loss 100%", LINK_LOSS, { .loss = 1 } },
		{ "loss 0", LINK_LOSS, { .loss = 0 } },
		{ "down", LINK_DOWN, { .down = true } },
		{ "up", LINK_DOWN, { .loss = 0 } },
		{ "reset", LINK_ALL, { .loss = 0 } },
		{ "reset down", LINK_ALL, { .down = true } },
		{ "loss 1% reset", LINK_ALL, { .loss = 0.01 } },
		{ " loss  2%\tdown delay 5us rate 1.5gbit ", LINK_ALL,
		  { .rate_bps = 1.5e9, .delay_ns = 5000, .loss = 0.02, .down = true } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct link_change change = { 0 };
		char why[512] = "";

		t_note("%s", rows[i].text);
		eq_i64(parse_link_text(rows[i].text, &change, why, sizeof(why)), 0);
		eq_str(why, "");
		eq_u64(change.parts, rows[i].parts);
		ok(link_state_equal(&change.to, &rows[i].to));
	}
}

TEST(wrong_changes_are_told)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "want a change: any of rate R, delay T, loss P%, down, up and reset" },
		{ "  ", "want a change: any of rate R, delay T, loss P%, down, up and reset" },
		{ "rate", "rate has no value" },
		{ "loss 1% delay", "delay has no value" },
		{ "rate 500pps", "rate 500pps: want a rate in bits from 1kbit to 1000gbit, such as 50mbit, or 0 for no limit" },
		{ "rate 999bit", "rate 999bit: want a rate in bits from 1kbit to 1000gbit, such as 50mbit, or 0 for no limit" },
		{ "rate 0pps", "rate 0pps: want a rate in bits from 1kbit to 1000gbit, such as 50mbit, or 0 for no limit" },
		{ "rate -1mbit", "rate -1mbit: want a rate in bits from 1kbit to 1000gbit, such as 50mbit, or 0 for no limit" },
		{ "delay 61s", "delay 61s: want a time of at most 60s, such as 10ms, or 0 for none" },
		{ "delay 5", "delay 5: want a time of at most 60s, such as 10ms, or 0 for none" },
		{ "loss 101%", "loss 101%: want a share from 0% to 100%, such as 0.1%" },
		{ "loss 1", "loss 1: want a share from 0% to 100%, such as 0.1%" },
		{ "loss nan%", "loss nan%: want a share from 0% to 100%, such as 0.1%" },
		{ "donw", "no change is called \"donw\"; did you mean down?; there are rate R, delay T, loss P%, down, up and reset" },
		{ "10mbit", "no change is called \"10mbit\"; there are rate R, delay T, loss P%, down, up and reset" },
		{ "down up", "up stands there beside another down or up" },
		{ "rate 1mbit rate 2mbit", "rate stands there twice" },
		{ "reset down reset", "reset stands there twice" },
	};
	char many[300];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct link_change change;
		char why[512] = "";

		eq_i64(parse_link_text(rows[i].text, &change, why, sizeof(why)), -EINVAL);
		eq_str(why, rows[i].why);
	}
	for (size_t len = 195; len < sizeof(many); len++) { /* as many words as fit, and too many */
		struct link_change change;
		char why[512] = "";

		for (size_t i = 0; i < len; i++)
			many[i] = i % 2 ? ' ' : 'x';
		many[len] = '\0';
		eq_i64(parse_link_text(many, &change, why, sizeof(why)), -EINVAL);
		ok(*why != '\0');
	}
}

TEST(a_change_leaves_what_it_does_not_name)
{
	struct link_state state = { .rate_bps = 1e6, .loss = 0.1 };
	struct link_change change = { 0 };
	char why[512], text[128];

	eq_i64(parse_link_text("delay 2ms loss 0 down", &change, why, sizeof(why)), 0);
	link_state_change(&state, &change);
	eq_str(link_state_format(&state, text, sizeof(text)), "rate 1mbit delay 2ms down");
	eq_i64(parse_link_text("up", &change, why, sizeof(why)), 0);
	link_state_change(&state, &change);
	eq_str(link_state_format(&state, text, sizeof(text)), "rate 1mbit delay 2ms");
	eq_i64(parse_link_text("reset", &change, why, sizeof(why)), 0);
	link_state_change(&state, &change);
	eq_str(link_state_format(&state, text, sizeof(text)), "up");
	ok(link_state_equal(&state, &(struct link_state){ 0 }));
}

TEST(states_read_back_as_they_are_written)
{
	static const struct link_state states[] = {
		{ .rate_bps = 50e6, .delay_ns = 10000000, .loss = 0.01, .down = true },
		{ .rate_bps = 1e12, .delay_ns = 1, .loss = 1 },
		{ .loss = 0.000001 },
		{ .down = true },
		{ .down = false },
	};

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		struct link_change change = { 0 };
		char why[512] = "", text[128];

		eq_i64(parse_link_text(link_state_format(&states[i], text, sizeof(text)), &change, why, sizeof(why)), 0);
		t_note("%s %s", text, why);
		ok(link_state_equal(&change.to, &states[i]));
	}
}

TEST(changes_read_back_as_they_are_written)
{
	static const char *const texts[] = { "rate 50mbit", "rate 0", "delay 0 loss 2%", "up", "rate 1kbit down", "reset",
					     "rate 0 delay 0 loss 1% down" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct link_change change = { 0 };
		char why[512], text[128];

		eq_i64(parse_link_text(texts[i], &change, why, sizeof(why)), 0);
		eq_str(link_change_format(&change, text, sizeof(text)), texts[i]);
	}
}

TEST(a_short_buffer_holds_a_cut_text)
{
	const struct link_state state = { .rate_bps = 50e6, .delay_ns = 10000000, .loss = 0.01, .down = true };
	char text[12];

	eq_str(link_state_format(&state, text, sizeof(text)), "rate 50mbit");
}

TEST(hosts_by_name_or_number)
{
	static const char *const wrong[] = { "", "host", "h3", "host-1", "host3 ", "c3", "4294967296", "host3:10000" };
	uint32_t host = 0;
	const char *why;

	ok(parse_link_host("host3", &host, &why) == 0 && host == 3);
	ok(parse_link_host("7", &host, &why) == 0 && host == 7);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		eq_i64(parse_link_host(wrong[i], &host, &why), -EINVAL);
		eq_str(why, "want a host, such as host3 or 3");
	}
}
