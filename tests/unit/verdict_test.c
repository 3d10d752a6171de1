/* SPDX-License-Identifier: Apache-2.0 */
/* lab/verdict/validity.c and report*.c over a sample made by hand: which runs are no verdict, and the formats of one. */
#include "tests/unit/check_world.h"

static struct validity validity_of(struct world *w, bool all_hold, uint64_t machine_dropped, uint64_t lab_dropped)
{
	struct machine_load load = { .dropped = machine_dropped, .squeezed = 4, .lab_dropped = lab_dropped };
	struct validity v;

	validity_judge(w->p, &w->sample, &load, all_hold, &v);
	ok(v.squeezed == 4 && v.valid == !*v.why); /* being squeezed is no reason by itself */
	return v;
}

/* "" where the run can be judged. */
static const char *invalid(struct world *w, bool all_hold, char *buf)
{
	(void)snprintf(buf, 512, "%s", validity_of(w, all_hold, 0, 0).why);
	return buf;
}

TEST(a_run_too_slow_is_no_verdict)
{
	struct marks marks = { .late_s = 0.1, .late_name = "cut" };
	struct world w;
	char buf[512];

	set_up(&w);
	eq_str(invalid(&w, false, buf), "");
	w.generators[2].slip_max_ns = 500000000; /* the bound itself */
	eq_str(invalid(&w, false, buf), "");
	w.generators[2].slip_max_ns = 750000000; /* late, but all were sent: only a failure is doubtful */
	eq_str(invalid(&w, true, buf), "");
	eq_str(invalid(&w, false, buf),
	       "flood was 750 ms behind its schedule at c1, and 500 ms is the limit: the machine is too slow");
	ok(validity_of(&w, true, 0, 0).figures[VALIDITY_SLIP].value == 750 && !validity_of(&w, true, 0, 0).figures[VALIDITY_SLIP].broken);
	w.generators[2].slip_max_ns = 0;
	w.sample.marks = &marks;
	eq_str(invalid(&w, false, buf), ""); /* the bound itself */
	marks.late_s = 0.75;
	eq_str(invalid(&w, true, buf), "");
	eq_str(invalid(&w, false, buf), "event cut was done 750 ms late, and 100 ms is the limit: the machine is too busy");
	w.sample.marks = NULL;
	w.sample.overruns = 3;
	eq_str(invalid(&w, true, buf),
	       "3 packets were dropped at a full socket of the traffic engine: this machine could not keep up");
	w.sample.overruns = 0;
	w.generators[2].missed = 12;
	w.generators[2].slip_max_ns = 1250000000;
	eq_str(invalid(&w, true, buf),
	       "traffic flood of c1 gave up 12 departures that were more than 1 s late: this machine could not keep up");
	w.generators[2].missed = 1;
	eq_str(invalid(&w, true, buf),
	       "traffic flood of c1 gave up 1 departure that was more than 1 s late: this machine could not keep up");
	eq_str(invalid(&w, false, buf),
	       "traffic flood of c1 gave up 1 departure that was more than 1 s late: this machine could not keep up; "
	       "flood was 1250 ms behind its schedule at c1, and 500 ms is the limit: the machine is too slow");
	w.generators[2].section = -1; /* started live: no check counts on it */
	eq_str(invalid(&w, false, buf), "");
	tear_down(&w);
}

TEST(what_the_monitor_lost_makes_a_run_invalid_unless_it_is_asked_for)
{
	struct scn_check lost = { .metric = METRIC_MONITOR_LOST }, *own;
	struct world w;
	char buf[512];
	size_t n_own;

	set_up(&w);
	w.sample.health.lost = 9;
	eq_str(invalid(&w, true, buf), "the monitor lost 9 packets: 11 flows, and its table holds 65536 ([lab] flows makes it larger)");
	own = w.s->checks;
	n_own = w.s->n_checks;
	w.s->checks = &lost;
	w.s->n_checks = 1;
	eq_str(invalid(&w, true, buf), "");
	lost.has_at = true; /* what is lost later it does not see */
	ok(*invalid(&w, true, buf));
	lost.has_at = false;
	lost.metric = METRIC_MONITOR_UNKNOWN;
	ok(*invalid(&w, true, buf));
	w.s->checks = own;
	w.s->n_checks = n_own;
	tear_down(&w);
}

TEST(full_receive_queues_make_a_failure_invalid)
{
	struct world w;
	struct validity v;

	set_up(&w);
	ok(validity_of(&w, true, 7, 7).valid);
	ok(validity_of(&w, false, 700, 0).valid);  /* other traffic of this machine's */
	ok(validity_of(&w, false, 0, 7).valid);    /* not for a full queue */
	v = validity_of(&w, false, 700, 7);
	eq_str(v.why, "7 packets of the lab were dropped at a full receive queue of this machine (net.core.netdev_max_backlog; none is allowed "
	       "where a check fails): it could not keep up");
	ok(!v.valid && v.figures[VALIDITY_BACKLOG].value == 7 && v.figures[VALIDITY_BACKLOG].broken);
	tear_down(&w);
}

TEST(the_machine_counts_in_hexadecimal)
{
	struct machine_counts then, now;
	struct machine_load load;

	machine_parse("02d29bde 0000000a 000003ed 00000000 00000000\n03076a43 00000001 00000010 00000000 00000000\n", &then);
	ok(then.dropped == 11 && then.squeezed == 0x3fd);
	machine_parse("02d29bdf 0000000c 000003ed 00000000\ngarbage\n03076a43 00000001 00000020 00000000", &now);
	load = machine_since(&then, &now);
	ok(load.dropped == 2 && load.squeezed == 16 && load.lab_dropped == 0);
	load = machine_since(&now, &then); /* 32 bits came round */
	ok(load.dropped == 0 && load.squeezed == 0);
	machine_parse("", &now);
	ok(now.dropped == 0 && now.squeezed == 0);
}

/* ------------------------------------------------------------------ reports */

/* Three checks: one holds, one fails, one has nothing to measure. */
static char *write_report(struct world *w, const char *format, const char *invalid)
{
	static const char *const texts[] = { "top_talker() == c1",
					     "delivery(traffic=flood) == 100%",
					     "loss(proto=arp) == 0%" };
	static const char *const names[] = { "found & <named> #1", "\"all\" \\ arrives",
					     "nothing" };
	struct scn_check checks[3] = { 0 };
	struct check_result results[3];
	struct report report = {
		.plan = w->p, .sample = &w->sample, .results = results, .n = 3, .invalid = invalid
	};
	const struct report_format *f = report_format_find(format, strlen(format));
	char *text = NULL, why[200];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	w->streams[4].received = 990;
	w->flows[8].value.rx.packets = 990;
	for (int i = 0; i < 3; i++) {
		ok(parse_check(texts[i], &checks[i], why, sizeof(why)) == 0);
		(void)snprintf(checks[i].name, sizeof(checks[i].name), "%s", names[i]);
		checks[i].line = 10 + i;
		ok(checks_evaluate(w->c, &checks[i], &w->sample, &results[i]) == 0);
	}
	ok(f && out && f->write(&report, out) == 0);
	(void)fclose(out);
	for (int i = 0; i < 3; i++)
		free(checks[i].selectors);
	return text;
}

TEST(tap_names_what_failed)
{
	struct world w;
	char *text;

	set_up(&w);
	text = write_report(&w, "tap", NULL);
	eq_str(text,
	       "TAP version 14\n"
	       "1..3\n"
	       "ok 1 - found & <named> \\#1: top_talker() == c1, measured c1\n"
	       "not ok 2 - \"all\" \\\\ arrives: delivery(traffic=flood) == 100%, measured 99%\n"
	       "  ---\n"
	       "  metric: \"share of the generators' packets that arrived or were echoed\"\n"
	       "  expected: \"== 100%\"\n"
	       "  measured: \"99%\"\n"
	       "  at_s: 11.000\n"
	       "  line: 11\n"
	       "  selected: 1\n"
	       "  biggest:\n"
	       "    - pair: \"c1 to c5, udp\"\n"
	       "      sent: 1000\n"
	       "      received: 990\n"
	       "      stops: \"between host0 and host2: 1000 left, 990 arrived\"\n"
	       "  ...\n"
	       "not ok 3 - nothing: loss(proto=arp) == 0%, nothing to measure: no packet was sent from host to host\n"
	       "  ---\n"
	       "  metric: \"1 - received/sent between two VTEPs, flooded packets left out\"\n"
	       "  expected: \"== 0%\"\n"
	       "  measured: \"nothing to measure: no packet was sent from host to host\"\n"
	       "  at_s: 11.000\n"
	       "  line: 12\n"
	       "  selected: 1\n"
	       "  biggest:\n"
	       "    - flow: \"host0 to all, arp, VNI 1\"\n"
	       "      sent: 1\n"
	       "      received: 2\n"
	       "      bytes: 150\n"
	       "  ...\n");
	free(text);
	text = write_report(&w, "tap", "too slow");
	ok(strstr(text, "\nBail out! The run is invalid: too slow\n") != NULL);
	free(text);
	tear_down(&w);
}

TEST(junit_is_escaped_and_counts)
{
	struct world w;
	char *text;

	set_up(&w);
	text = write_report(&w, "junit", NULL);
	ok(strstr(text,
		  "<testsuites name=\"tunlab\" tests=\"3\" failures=\"2\" errors=\"0\" time=\"11.000\">") !=
	   NULL);
	ok(strstr(text, "timestamp=\"2023-11-14T22:13:09\"") != NULL);
	ok(strstr(text,
		  "<testcase classname=\"x\" name=\"found &amp; &lt;named&gt; #1\" time=\"0.000\">") !=
	   NULL);
	ok(strstr(text, "name=\"&quot;all&quot; \\ arrives\"") != NULL);
	ok(strstr(text,
		  "c1 to c5, udp, sent 1000, received 990; stops between host0 and host2: 1000 left, 990 arrived\n") !=
	   NULL);
	free(text);
	text = write_report(&w, "junit", "too slow");
	ok(strstr(text, "failures=\"0\" errors=\"3\"") != NULL &&
	   strstr(text, "<error type=\"invalid\" message=\"too slow\"/>") != NULL);
	free(text);
	tear_down(&w);
}

/* Where there are no checks nobody could see that the run is invalid. */
TEST(junit_of_an_invalid_run_has_an_error)
{
	struct world w;
	struct report report = { .invalid = "\"a\x01\xc2\x85\xef\xbf\xbf\xff\xed\xa0\x80\xf0\x9f\x98\x80" };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	set_up(&w);
	report.plan = w.p;
	report.sample = &w.sample;
	ok(report_format_find("junit", 5)->write(&report, out) == 0);
	(void)fclose(out);
	ok(strstr(text, "tests=\"1\" failures=\"0\" errors=\"1\"") != NULL);
	/* Nothing that XML forbids; a character beyond the basic plane stays. */
	ok(strstr(text, "message=\"&quot;a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") && strstr(text, "\xf0\x9f\x98\x80\"/>"));
	free(text);
	tear_down(&w);
}

TEST(json_has_the_same_figures)
{
	struct world w;
	char *text;
	cJSON *j, *c;

	set_up(&w);
	text = write_report(&w, "json", NULL);
	j = cJSON_Parse(text);
	ok(j != NULL);
	eq_str(cJSON_GetStringValue(cJSON_GetObjectItem(j, "schema")), "tunlab.report/1");
	eq_str(cJSON_GetStringValue(cJSON_GetObjectItem(j, "verdict")), "fail");
	ok(cJSON_IsNull(cJSON_GetObjectItem(j, "invalid")));
	c = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "checks"), 1);
	ok(fabs(cJSON_GetNumberValue(cJSON_GetObjectItem(c, "value")) - 0.99) < 1e-9);
	c = cJSON_GetArrayItem(cJSON_GetObjectItem(c, "biggest"), 0);
	eq_str(cJSON_GetStringValue(cJSON_GetObjectItem(c, "pair")), "c1 to c5, udp");
	ok(cJSON_GetNumberValue(cJSON_GetObjectItem(c, "received")) == 990);
	c = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "checks"), 2);
	ok(cJSON_IsNull(cJSON_GetObjectItem(c, "value")) &&
	   cJSON_IsFalse(cJSON_GetObjectItem(c, "holds")));
	cJSON_Delete(j);
	free(text);
	text = write_report(&w, "json", "too slow");
	ok(strstr(text, "\"verdict\":\"invalid\"") || strstr(text, "\"verdict\": \"invalid\""));
	free(text);
	tear_down(&w);
}

/* Of a sample alone there is no picture, but all that is HTML; nothing of a scenario's is markup. */
TEST(html_has_verdict_and_checks)
{
	struct world w;
	char *text;

	set_up(&w);
	text = write_report(&w, "html", NULL);
	ok(strncmp(text, "<!doctype html>", 15) == 0);
	ok(strstr(text, "<body class=\"fail\">") && strstr(text, "2 of 3 checks do not hold."));
	ok(strstr(text, "<h3>found &amp; &lt;named&gt; #1</h3>") && !strstr(text, "<named>"));
	ok(strstr(text, "The counts part between host0 and host2: 1000 left, 990 arrived"));
	ok(strstr(text, "id=\"data\">null</script>") && !strstr(text, "{{"));
	free(text);
	text = write_report(&w, "html", "too <slow>");
	ok(strstr(text, "<body class=\"invalid\">") && strstr(text, "Neither passed nor failed: too &lt;slow&gt;."));
	free(text);
	tear_down(&w);
}

TEST(formats_are_found_by_name)
{
	ok(report_format_find("junit:a.xml", 5) == &report_formats[1]);
	ok(report_format_find("tap", 3) == &report_formats[0]);
	ok(!report_format_find("ta", 2) && !report_format_find("pdf", 3) &&
	   !report_format_find("", 0));
}
