/* SPDX-License-Identifier: Apache-2.0 */
/* monitor/view_top.c: a document and a size in, a screen out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "monitor/view_top.h"
#include "t.h"

#define RATES(pps, bps) "\"rates\":{\"pps\":" #pps ",\"bps\":" #bps ",\"received_pps\":" #pps ",\"received_bps\":" #bps "}"
#define CLIENT_ROW(name, host, pps, bps) \
	"{\"client\":" name ",\"host\":\"" host "\",\"packets\":10,\"bytes\":7140000,\"flows\":3," RATES(pps, bps) "}"
#define DOCUMENT(elapsed, rows, monitor) \
	"{\"schema\":\"tunlab.rows/1\",\"source\":\"skewed\",\"elapsed_s\":" elapsed ",\"rows\":[" rows "],\"rest\":{\"rows\":23,\"flows\":40," \
	RATES(10, 20000) "},\"total\":{\"flows\":50," RATES(1000, 8000000) "},\"monitor\":" monitor "}"
#define WELL "{\"state\":\"ok\",\"reason\":null,\"lost\":0,\"fill\":0.0123,\"cost\":{\"ns_per_packet\":31.2}}"
#define ILL "{\"state\":\"amber\",\"reason\":\"7 packets were not counted.\",\"lost\":7,\"fill\":1.0,\"cost\":null}"

static const char two_clients[] =
	DOCUMENT("72.5", CLIENT_ROW("\"c3\"", "host0", 600, 6000000) "," CLIENT_ROW("null", "host1", 200, 1500), WELL);

static struct top_look look(unsigned width, unsigned height)
{
	return (struct top_look) { .order = ORDER_BPS, .width = width, .height = height };
}

/* Columns of a line: bytes that begin a character, escape sequences left out. */
static unsigned columns_of(const char *line, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\033')
			while (i < len && line[i] != 'm')
				i++;
		else
			n += (line[i] & 0xc0) != 0x80;
	}
	return n;
}

static bool fits(const char *screen, unsigned width, unsigned height)
{
	unsigned lines = 1;
	const char *end;

	for (; (end = strchr(screen, '\n')); screen = end + 1, lines++)
		if (columns_of(screen, (size_t)(end - screen)) > width)
			return false;
	return columns_of(screen, strlen(screen)) <= width && lines == height;
}

TEST(a_screen_of_eighty_by_twelve)
{
	struct top_look l = look(80, 12);
	struct top_past past = { 0 };
	char *screen;

	top_past_add(&past, two_clients, TOP_CLIENTS);
	screen = view_top(two_clients, &past, &l);
	eq_str(screen,
	       "skewed  1 min 12 s  sent 8.00 Mbit/s, 1000 pps  received 8.00 Mbit/s\n"
	       "monitor ok: 0 lost, table 1 % full, 31 ns a frame\n"
	       "[clients]  pairs   vnis   hosts  by bits\n"
	       "CLIENT  HOST              SENT       PPS    RECEIVED  SHARE   TOTAL LATELY      \n"
	       "c3      host0      6.00 Mbit/s       600 6.00 Mbit/s  75.0% 7.14 MB            #\n"
	       "-       host1      1.50 kbit/s       200 1.50 kbit/s   0.0% 7.14 MB            #\n"
	       "and 23 more: 20.0 kbit/s\n"
	       "\n\n\n\n"
	       "c p v h: view   s: bits or packets   space: pause   q: quit");
	free(screen);
	top_past_free(&past);
}

TEST(every_size_is_kept_to)
{
	struct top_past past = { 0 };

	top_past_add(&past, two_clients, TOP_CLIENTS);
	for (unsigned width = 1; width <= 260; width += width < 90 ? 1 : 17) {
		for (unsigned height = 1; height <= 50; height += height < 12 ? 1 : 13) {
			for (unsigned v = 0; v < TOP_VIEW_MAX; v++) {
				struct top_look l = look(width, height);
				char *screen;

				l.view = v;
				l.utf8 = width & 1;
				l.colour = height & 1;
				screen = view_top(two_clients, &past, &l);
				if (!ok(fits(screen, width, height)))
					t_note("%ux%u, %s: %s", width, height, top_views[v].name, screen);
				free(screen);
			}
		}
	}
	top_past_free(&past);
}

TEST(rows_are_as_many_as_the_screen_takes)
{
	struct top_look l = look(80, 7);
	struct top_past past = { 0 };
	char *screen = view_top(two_clients, &past, &l);

	eq_u64(top_rows(&l), 1);
	ok(strstr(screen, "\nc3 ") && !strstr(screen, "host1"));
	ok(strstr(screen, "\nand 24 more\n"));
	free(screen);
}

TEST(amber_and_its_reason_stand_out)
{
	static const char document[] = DOCUMENT("1", CLIENT_ROW("\"c3\"", "host0", 600, 6000000), ILL);
	struct top_look l = look(80, 24);
	struct top_past past = { 0 };
	char *screen;

	l.colour = true;
	screen = view_top(document, &past, &l);
	ok(strstr(screen, "\n\033[1;33mmonitor amber: 7 packets were not counted.\033[0m\n"));
	free(screen);
	l.colour = false;
	screen = view_top(document, &past, &l);
	ok(strstr(screen, "\nmonitor amber: 7 packets were not counted.\n"));
	ok(!strchr(screen, '\033'));
	free(screen);
}

TEST(a_lab_that_is_silent_or_has_not_answered_yet)
{
	struct top_look l = look(80, 24);
	struct top_past past = { 0 };
	char *screen = view_top(NULL, &past, &l);

	ok(strstr(screen, "tunlab  waiting for the lab\n"));
	free(screen);
	l.silent_s = 4.2;
	screen = view_top(two_clients, &past, &l);
	ok(strstr(screen, "by bits  no answer for 4 s\n"));
	free(screen);
	l.paused = true;
	screen = view_top(two_clients, &past, &l);
	ok(strstr(screen, "by bits   paused \n"));
	free(screen);
	screen = view_top("[1, {\"rows\": 3", &past, &l); /* no document at all */
	ok(fits(screen, 80, 24));
	free(screen);
	screen = view_top("{\"rows\":[1,{},null,{\"client\":7,\"rates\":[]}],\"monitor\":{\"state\":\"ok\"}}", &past, &l);
	ok(fits(screen, 80, 24));
	free(screen);
}

TEST(nothing_but_characters_goes_to_the_terminal)
{
	static const char document[] = DOCUMENT("1", CLIENT_ROW("\"\\u001b]0;evil\\u0007\\u009b\"", "ho\\nst", 1, 1), WELL);
	struct top_look l = look(80, 24);
	struct top_past past = { 0 };
	char *screen = view_top(document, &past, &l);

	ok(strstr(screen, "\n?]0;evi "));
	ok(strstr(screen, " ho?st "));
	for (const char *c = screen; *c; c++)
		ok(*c == '\n' || (*c >= ' ' && *c <= '~'));
	free(screen);
}

/* A second with one client at this rate. */
static void add(struct top_past *past, int second, int bps)
{
	char text[600];

	(void)snprintf(text, sizeof(text), "{\"elapsed_s\":%d,\"rows\":[{\"client\":\"c3\",\"host\":\"host0\",\"rates\":{\"pps\":1,\"bps\":%d}}]}",
		       second, bps);
	top_past_add(past, text, TOP_CLIENTS);
}

TEST(the_graph_is_the_last_minute)
{
	struct top_look l = look(80, 24);
	struct top_past past = { 0 };
	char *screen;

	add(&past, 1, 100);
	add(&past, 2, 50);
	add(&past, 2, 50); /* the same sample again */
	add(&past, 3, 0);
	top_past_add(&past, "{\"elapsed_s\":4,\"rows\":[]}", TOP_CLIENTS); /* it was not among the busiest: nobody knows */
	add(&past, 5, 1);
	add(&past, 6, 100);
	screen = view_top(two_clients, &past, &l);
	ok(strstr(screen, "7.14 MB       #=_ .#\n"));
	free(screen);
	l.utf8 = true;
	screen = view_top(two_clients, &past, &l);
	ok(strstr(screen, "7.14 MB       █▅▁ ▂█\n"));
	free(screen);
	top_past_free(&past);
	eq_u64(past.n, 0);
}

TEST(the_past_is_bounded)
{
	struct top_past past = { 0 };
	struct text many = { 0 };
	char text[64], *json;

	text_puts(&many, "{\"elapsed_s\":1,\"rows\":[");
	for (int i = 0; i < 3000; i++)
		text_printf(&many, "%s{\"client\":\"c%d\",\"rates\":{\"bps\":1}}", i ? "," : "", i);
	text_puts(&many, "]}");
	json = text_take(&many);
	top_past_add(&past, json, TOP_CLIENTS);
	eq_u64(past.n, 1024);
	free(json);
	for (int i = 0; i < TOP_SECONDS; i++) {
		(void)snprintf(text, sizeof(text), "{\"elapsed_s\":%d,\"rows\":[]}", 2 + i);
		top_past_add(&past, text, TOP_CLIENTS);
	}
	eq_u64(past.n, 0); /* not seen for a minute */
	top_past_free(&past);
}
