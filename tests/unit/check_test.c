/* SPDX-License-Identifier: Apache-2.0 */
/* lab/verdict/check*.c over a sample made by hand: every metric, selectors, what is not measurable, where packets stop. */
#include "lab/traffic/schedule.h"
#include "tests/unit/check_world.h"

TEST(counts_of_the_monitor)
{
	struct world w;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "packets == 1461", buf),
	       "holds: 1461"); /* 400 of pings, 1060 of UDP, 1 ARP */
	eq_str(judge(&w, "packets(proto=ping) == 400", buf), "holds: 400");
	eq_str(judge(&w, "packets(proto=ipv4/icmp) == 200", buf), "holds: 200");
	eq_str(judge(&w, "packets(proto=icmpv6) == 200", buf), "holds: 200");
	eq_str(judge(&w, "packets(proto=ipv6/58) == 200", buf), "holds: 200");
	eq_str(judge(&w, "packets(proto=udp) == 1060", buf), "holds: 1060");
	eq_str(judge(&w, "packets(proto=arp) == 1", buf), "holds: 1");
	eq_str(judge(&w, "packets(proto=0x0806) == 1", buf), "holds: 1");
	eq_str(judge(&w, "packets(proto=tcp) == 0", buf), "holds: 0");
	eq_str(judge(&w, "packets(proto=ipv4/nonesuch) == 0", buf), "holds: 0");
	eq_str(judge(&w, "received(proto=arp) == 2", buf), "holds: 2");
	eq_str(judge(&w, "bytes(proto=udp) == 159000", buf), "holds: 159000 bytes");
	eq_str(judge(&w, "flows == 11", buf), "holds: 11");
	eq_str(judge(&w, "flows(vni=2) == 5", buf), "holds: 5");
	eq_str(judge(&w, "hosts == 3", buf), "holds: 3");
	eq_str(judge(&w, "hosts(traffic=late) == 2", buf), "holds: 2");
	eq_str(judge(&w, "overhead == 33.333333333333333%", buf), "holds: 33.33%");
	eq_str(judge(&w, "monitor.lost == 0", buf), "holds: 0");
	w.sample.health = (struct flow_health){ .lost = 1, .truncated = 2, .unknown = 3 };
	eq_str(judge(&w, "monitor.lost == 0", buf), "fails: 1");
	eq_str(judge(&w, "monitor.truncated == 2", buf), "holds: 2");
	eq_str(judge(&w, "monitor.unknown() <= 3", buf), "holds: 3");
	tear_down(&w);
}

TEST(selectors_select)
{
	struct world w;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "packets(from=c1) == 1100", buf), "holds: 1100");
	eq_str(judge(&w, "packets(from=c1 to=c5) == 1050", buf), "holds: 1050");
	eq_str(judge(&w, "packets(from=host0) == 1201", buf), "holds: 1201"); /* its ARP too */
	eq_str(judge(&w, "packets(to=host0) == 260", buf), "holds: 260");
	eq_str(judge(&w, "packets(from=host0:2) == 1100", buf), "holds: 1100");
	eq_str(judge(&w, "packets(from=vni 2) == 1200", buf), "holds: 1200");
	eq_str(judge(&w, "packets(from=all to=all) == 1461", buf), "holds: 1461");
	eq_str(judge(&w, "packets(from=192.168.0.2) == 110", buf), "holds: 110");
	eq_str(judge(&w, "packets(to=fd00::3) == 1050", buf), "holds: 1050");
	eq_str(judge(&w, "packets(encap=vxlan) == 1461", buf), "holds: 1461");
	eq_str(judge(&w, "packets(encap=geneve) == 0", buf), "holds: 0");
	eq_str(judge(&w, "packets(outer_src=172.16.1.101) == 160", buf), "holds: 160");
	eq_str(judge(&w, "packets(outer_dst=239.1.1.1) == 1", buf), "holds: 1");
	eq_str(judge(&w, "packets(traffic=pings) == 400", buf), "holds: 400"); /* answers too */
	eq_str(judge(&w, "packets(traffic=flood) == 1000", buf), "holds: 1000");
	eq_str(judge(&w, "packets(traffic=pings from=host0) == 200", buf), "holds: 200");
	eq_str(judge(&w, "packets(traffic=flood proto=ping) == 0", buf), "holds: 0");
	tear_down(&w);
}

TEST(rates_are_over_the_time_the_traffic_ran)
{
	struct world w;
	struct check_result r;
	char buf[200];

	set_up(&w);
	/* 100 packets in 10 s are 10 a second, though the last leaves after 9.9 s; senders 50 ms
	 * apart ran no longer. */
	r = judge_in(&w, "pps(traffic=pings from=c0) ~ 10 +- 0.01%", false);
	ok(r.holds);
	r = judge_in(&w, "pps(traffic=pings) ~ 40 +- 0.01%", false);
	ok(r.holds);
	r = judge_in(&w, "pps(traffic=flood) ~ 100 +- 0.01%", false);
	ok(r.holds);
	r = judge_in(&w, "pps(traffic=late) ~ 10 +- 0.01%", false); /* 60 in the 6 s from 4 s on */
	ok(r.holds);
	r = judge_in(&w, "bps(traffic=flood) ~ 120kbit +- 0.01%", false);
	ok(r.holds);
	r = judge_in(&w, "pps(proto=arp) ~ 0.0909 +- 1%",
		     false); /* no generator makes these: since the clock began */
	ok(r.holds);
	/* With `at` or `within`: the last interval only. */
	w.flows[8].sent_then = (struct flow_count){ 890, 890 * 150, 890 * 100 };
	r = judge_in(&w, "pps(traffic=flood) == 110", true);
	ok(r.holds);
	w.sample.interval_s = 2;
	r = judge_in(&w, "bps(traffic=flood) == 66kbit", true);
	ok(r.holds);
	w.sample.interval_s = 1;
	/* Judged as soon as the last packet has arrived, a tenth of a second before its interval is over. */
	w.sample.mono_ns = zero_ns + 9900ull * SECOND / 1000 + SECOND / 1000;
	w.sample.elapsed_s = 9.901;
	r = judge_in(&w, "pps(traffic=pings from=c0) ~ 10 +- 0.01%", false);
	ok(r.holds);
	/* Still running: until now. */
	w.generators[2].state = GEN_RUNNING;
	w.sample.mono_ns = zero_ns + 20ull * SECOND;
	w.sample.elapsed_s = 20;
	eq_str(judge(&w, "pps(traffic=flood) == 50", buf), "holds: 50pps");
	tear_down(&w);
}

TEST(rates_leave_out_the_time_a_section_stood_still)
{
	struct world w;
	struct check_result r;

	set_up(&w);
	/* 1000 packets in two times five seconds, with four between */
	w.generators[2].last_ns += 4ull * SECOND;
	w.generators[2].idle_ns = 4ull * SECOND;
	w.sample.mono_ns += 4ull * SECOND;
	w.sample.elapsed_s += 4;
	r = judge_in(&w, "pps(traffic=flood) ~ 100 +- 0.01%", false);
	ok(r.holds);
	/* Beside a section that went on there was no such time. */
	r = judge_in(&w, "pps(proto=udp) ~ 75.7 +- 0.1%", false);
	ok(r.holds);
	/* Counters are read while they are written: never more than all of it. */
	w.generators[2].idle_ns = 3600ull * SECOND;
	r = judge_in(&w, "pps(traffic=flood) > 0", false);
	ok(r.measured && r.value < 1e12);
	tear_down(&w);
}

/* Ten packets leave at one time: what counts is the time from one ten to the next. */
TEST(rates_of_bursts_are_those_of_their_groups)
{
	static const struct {
		double pps;
		uint64_t sent, groups;
	} table[] = { { 10, 10, 1 }, { 1, 30, 3 }, { 100, 1000, 100 }, { 100, 995, 100 } };

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		double interval = SCHEDULE_GROUP / table[i].pps, seconds = (double)table[i].groups * interval;
		struct check_result r;
		struct world w;

		set_up(&w);
		w.s->traffic[1].pattern = SCN_BURST;
		w.generators[2].rate.value = table[i].pps;
		w.generators[2].sent = w.flows[8].value.tx.packets = table[i].sent;
		w.generators[2].last_ns = w.generators[2].first_ns + (uint64_t)((seconds - interval) * SECOND);
		r = judge_in(&w, "pps(traffic=flood) > 0", false);
		t_note("%g pps, %" PRIu64 " packets", table[i].pps, table[i].sent);
		ok(r.measured);
		near(r.value, (double)table[i].sent / seconds, 1e-6);
		tear_down(&w);
	}
}

TEST(loss_is_between_two_hosts)
{
	struct world w;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "loss == 0%", buf),
	       "holds: 0%"); /* the flooded ARP, received twice, is left out */
	w.flows[8].value.rx.packets = 999;
	eq_str(judge(&w, "loss(traffic=flood) == 0.1%", buf), "holds: 0.1%");
	eq_str(judge(&w, "loss(traffic=flood) < 0.1%", buf), "fails: 0.1%");
	eq_str(judge(&w, "loss(traffic=flood) <= 0.1%", buf), "holds: 0.1%");
	eq_str(judge(&w, "loss(traffic=pings) == 0%", buf), "holds: 0%");
	eq_str(judge(&w, "loss(proto=arp) == 0%", buf),
	       "nothing to measure: no packet was sent from host to host");
	w.flows[8].value.tx.packets = 100000000;
	w.flows[8].value.rx.packets = 99999999;
	eq_str(judge(&w, "loss(traffic=flood) == 0%", buf), "fails: 1e-06%");
	tear_down(&w);
}

TEST(delivery_and_round_trips_are_the_generators)
{
	struct world w;
	struct check_result r;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "delivery == 100%", buf), "holds: 100%");
	w.streams[4].received = 999;
	eq_str(judge(&w, "delivery(traffic=flood) == 100%", buf), "fails: 99.9%");
	w.streams[4].sent = 100000000;
	w.streams[4].received = 99999999;
	eq_str(judge(&w, "delivery(traffic=flood) == 100%", buf),
	       "fails: 99.999999%"); /* never rounded to 100% */
	eq_str(judge(&w, "delivery(proto=ping) == 100%", buf), "holds: 100%");
	eq_str(judge(&w, "delivery(from=c4) == 100%", buf),
	       "nothing to measure: the selected traffic sent nothing");
	eq_str(judge(&w, "rtt_min == 1ms", buf), "holds: 1ms");
	eq_str(judge(&w, "rtt_avg == 2ms", buf), "holds: 2ms");
	eq_str(judge(&w, "rtt_max < 9ms", buf), "fails: 9ms");
	r = judge_in(&w, "rtt_p50 ~ 2ms +- 7%", false);
	ok(r.holds);
	r = judge_in(&w, "rtt_p99(vni=2) between 1.8ms and 2.2ms", false);
	ok(r.holds && r.n_rows == 2);
	eq_str(judge(&w, "rtt_avg(proto=udp) < 1s", buf),
	       "nothing to measure: no ping was answered");
	eq_str(judge(&w, "rtt_p90(traffic=late) < 1s", buf),
	       "nothing to measure: no ping was answered");
	tear_down(&w);
}

TEST(top_talker_is_a_client)
{
	struct world w;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "top_talker() == c1", buf), "holds: c1");
	eq_str(judge(&w, "top_talker() == host0:2", buf), "holds: c1");
	eq_str(judge(&w, "top_talker() != c0", buf), "holds: c1");
	eq_str(judge(&w, "top_talker(vni=1) == c1", buf), "fails: c2"); /* 50 + 60 to c0's 100 */
	/* c2 sent 50 + 60 to c0's 50 + 50: with 10 more both sent the same, and either is right. */
	w.flows[0].value.tx.bytes += 1500;
	eq_str(judge(&w, "top_talker(vni=1) == c0", buf), "holds: c0");
	eq_str(judge(&w, "top_talker(vni=1) == c2", buf), "holds: c2");
	eq_str(judge(&w, "top_talker(vni=1) != c2", buf), "fails: c2");
	eq_str(judge(&w, "top_talker(vni=1) == c4", buf), "fails: c0");
	eq_str(judge(&w, "top_talker(proto=arp) == c0", buf),
	       "nothing to measure: no client sent anything");
	tear_down(&w);
}

TEST(mismatch_compares_two_counts)
{
	struct world w;
	struct check_result r;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "mismatch == 0", buf), "holds: 0");
	w.flows[8].value.tx.packets = 1007; /* the monitor saw more */
	w.flows[0].value.tx.packets = 47;   /* and less */
	r = judge_in(&w, "mismatch == 0", false);
	eq_str(r.text, "7");
	eq_str(r.rows[0].name, "c1 to c5, udp");
	ok(r.rows[0].generators == 1000 && r.rows[0].sent == 1007 && r.rows[1].weight == 3);
	eq_str(judge(&w, "mismatch(traffic=pings) == 3", buf), "holds: 3");
	eq_str(judge(&w, "mismatch(traffic=late) == 0", buf), "holds: 0");
	eq_str(judge(&w, "mismatch(from=c4 to=c2) == 0", buf),
	       "nothing to measure: no generator sends what is selected");
	/* IPv6 neighbour discovery shares a ping's flow: more is no mismatch there, less is. */
	w.flows[8].value.tx.packets = 1000;
	w.flows[0].value.tx.packets = 50;
	w.flows[3].value.tx.packets = 52; /* c3 to c1 */
	ok(w.flows[3].key.inner_ipproto == IPPROTO_ICMPV6);
	eq_str(judge(&w, "mismatch == 0", buf), "holds: 0");
	w.flows[3].value.tx.packets = 49;
	eq_str(judge(&w, "mismatch == 0", buf), "fails: 1");
	tear_down(&w);
}

TEST(what_nobody_planned_is_counted)
{
	struct world w;
	struct sample_flow *f;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "unplanned == 0", buf), "holds: 0"); /* ARP is not IP */
	add_flow(&w, 4, 2, IPPROTO_ICMP, 1, 1);
	eq_str(judge(&w, "unplanned == 0", buf), "fails: 1");
	add_flow(&w, 0, 2, IPPROTO_UDP, 1, 1); /* the answer to "late" would be its own traffic */
	eq_str(judge(&w, "unplanned == 0", buf), "fails: 2");
	eq_str(judge(&w, "unplanned(proto=udp) == 1", buf), "holds: 1");
	f = add_flow(&w, 0, 2, IPPROTO_ICMP, 1, 1); /* an address of nobody */
	f->src_client = -1;
	eq_str(judge(&w, "unplanned == 3", buf), "holds: 3");
	/* A generator started live explains what it sends. */
	add_generator(&w, -1, 0, 0, 0, 1, 1);
	add_stream(&w, 4, 2, 1, 1);
	eq_str(judge(&w, "unplanned == 2", buf), "holds: 2");
	tear_down(&w);
}

TEST(neighbour_discovery_is_nobodys_plan)
{
	struct world w;
	struct sample_flow *f;
	char buf[200];

	set_up(&w);
	f = add_flow(&w, 1, 3, IPPROTO_ICMP, 1, 2); /* to a solicited-node group */
	f->key.inner_dst[0] = 0xff;
	f->key.inner_dst[1] = 0x02;
	f->dst_client = f->dst_host = -1;
	f = add_flow(&w, 1, 3, IPPROTO_ICMP, 1, 2); /* from a link-local address */
	f->key.inner_src[0] = 0xfe;
	f->key.inner_src[1] = 0x80;
	f->src_client = -1;
	add_flow(&w, 5, 1, IPPROTO_ICMP, 1, 1); /* between two that talk UDP */
	eq_str(judge(&w, "unplanned == 0", buf), "holds: 0");
	eq_str(judge(&w, "packets(proto=ping vni=2) == 201", buf), "holds: 201");
	eq_str(judge(&w, "packets(proto=icmpv6) == 203", buf), "holds: 203");
	add_flow(&w, 5, 3, IPPROTO_ICMP, 1, 1); /* between two that do not talk at all */
	eq_str(judge(&w, "unplanned == 0", buf), "fails: 1");
	tear_down(&w);
}

TEST(comparisons)
{
	struct world w;
	char buf[200];

	set_up(&w);
	eq_str(judge(&w, "flows != 11", buf), "fails: 11");
	eq_str(judge(&w, "flows < 11", buf), "fails: 11");
	eq_str(judge(&w, "flows < 12", buf), "holds: 11");
	eq_str(judge(&w, "flows > 11", buf), "fails: 11");
	eq_str(judge(&w, "flows >= 11", buf), "holds: 11");
	eq_str(judge(&w, "flows between 11 and 11", buf), "holds: 11");
	eq_str(judge(&w, "flows between 12 and 20", buf), "fails: 11");
	eq_str(judge(&w, "flows ~ 10 +- 10%", buf), "holds: 11");
	eq_str(judge(&w, "flows ~ 10 +- 9%", buf), "fails: 11");
	eq_str(judge_in(&w, "flows ~ 100 +- 10%", false).expected, "from 90 to 110");
	eq_str(judge_in(&w, "top_talker == host1:2", false).expected, "== c3");
	eq_str(judge_in(&w, "loss <= 0.1%", false).expected, "<= 0.1%");
	tear_down(&w);
}

TEST(an_empty_run_has_nothing_to_measure)
{
	struct world w;
	char buf[200];

	set_up(&w);
	w.sample.n_flows = w.sample.n_generators = w.sample.n_streams = 0;
	w.sample.elapsed_s = 0;
	eq_str(judge(&w, "packets == 0", buf), "holds: 0");
	eq_str(judge(&w, "flows == 0", buf), "holds: 0");
	eq_str(judge(&w, "hosts == 0", buf), "holds: 0");
	eq_str(judge(&w, "unplanned == 0", buf), "holds: 0");
	eq_str(judge(&w, "loss == 0%", buf),
	       "nothing to measure: no packet was sent from host to host");
	eq_str(judge(&w, "delivery >= 0%", buf),
	       "nothing to measure: the selected traffic sent nothing");
	eq_str(judge(&w, "overhead >= 0%", buf), "nothing to measure: no packet was sent");
	eq_str(judge(&w, "pps >= 0", buf), "nothing to measure: no traffic has run yet");
	eq_str(judge(&w, "mismatch == 0", buf),
	       "nothing to measure: no generator sends what is selected");
	eq_str(judge(&w, "top_talker != c0", buf), "nothing to measure: no client sent anything");
	tear_down(&w);
}

/* Where a pair's packets stop, as the delivery check says. */
static const char *stops(struct world *w, const char *text, char *buf)
{
	struct check_result r = judge_in(w, text, false);

	(void)snprintf(buf, 200, "%s", r.rows[0].stops);
	return buf;
}

TEST(the_first_place_where_packets_stop_is_named)
{
	struct world w;
	char buf[200];

	set_up(&w);
	eq_str(stops(&w, "delivery == 100%", buf), "");
	w.streams[4].received = 0; /* flood: c1 on host0 to c5 on host2 */
	eq_str(stops(&w, "delivery == 100%", buf), "behind host2: 1000 arrived, c5 received 0");
	w.flows[8].value.rx.packets = 10;
	eq_str(stops(&w, "delivery == 100%", buf),
	       "between host0 and host2: 1000 left, 10 arrived");
	w.flows[8].value.tx.packets = 10;
	eq_str(stops(&w, "delivery == 100%", buf),
	       "before leaving host0: c1 sent 1000, host0's eth0 10");
	tear_down(&w);

	set_up(&w);
	w.streams[0].received = 30; /* pings of c0 to c2 on host1: flows 0 and 1 */
	eq_str(stops(&w, "delivery == 100%", buf),
	       "the answers behind host0: 50 arrived, c0 received 30");
	w.flows[1].value.rx.packets = 30;
	eq_str(stops(&w, "delivery == 100%", buf),
	       "the answers between host1 and host0: 50 left, 30 arrived");
	w.flows[1].value.tx.packets = 30;
	eq_str(stops(&w, "delivery == 100%", buf),
	       "behind host1: 50 arrived, c2's answers that left are 30");
	w.flows[0].value.rx.packets = 30;
	eq_str(stops(&w, "delivery == 100%", buf), "between host0 and host1: 50 left, 30 arrived");
	w.flows[0].value.tx.packets = 30;
	eq_str(stops(&w, "delivery == 100%", buf),
	       "before leaving host0: c0 sent 50, host0's eth0 30");
	tear_down(&w);
}

TEST(the_biggest_rows_come_first)
{
	struct world w;
	struct check_result r;

	set_up(&w);
	r = judge_in(&w, "packets == 0", false);
	eq_u64(r.n_rows, 11);
	eq_str(r.rows[0].name, "c1 fd00::1 to c5 fd00::3, ipv6/udp, VNI 2");
	eq_str(r.rows[1].name, "c2 192.168.0.2 to c0 192.168.0.1, ipv4/udp, VNI 1");
	ok(r.rows[0].bytes == 150000 && r.rows[CHECK_ROWS - 1].sent == 50);
	r = judge_in(&w, "packets(proto=arp) == 0", false);
	eq_u64(r.n_rows, 1);
	eq_str(r.rows[0].name, "host0 to all, arp, VNI 1");
	tear_down(&w);
}
