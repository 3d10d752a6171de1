/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics that checks can use: each one's name, unit and meaning stand here and nowhere else. Error messages, `tunlab help check` and
 * reports take them from here; README's table is held to it by a test. */
#include <stdio.h>

#include "base/text.h"
#include "lab/scenario/scenario_internal.h"

const struct check_unit_info check_units[CHECK_UNIT_MAX] = {
	[UNIT_COUNT] = { "count", "a count, such as 0, 500 or 10k" },
	[UNIT_BYTES] = { "bytes", "a size, such as 1500, 64k or 10m" },
	[UNIT_PPS] = { "packets/s", "a packet rate, such as 500 or 1kpps" },
	[UNIT_BPS] = { "bits/s", "a bit rate, such as 10mbit" },
	[UNIT_SHARE] = { "share", "a share from 0% to 100%, such as 0.1%" },
	[UNIT_TIME] = { "time", "a time, such as 5ms" },
	[UNIT_CLIENT] = { "client", "a client, such as c3 or host0:10002" },
};

#define SEL(key) (1u << SEL_##key)
#define SEL_FLOW \
	(SEL(FROM) | SEL(TO) | SEL(VNI) | SEL(PROTO) | SEL(ENCAP) | SEL(OUTER_SRC) | SEL(OUTER_DST))
#define SEL_ANY (SEL_FLOW | SEL(TRAFFIC))

const struct check_metric_info check_metrics[CHECK_METRIC_MAX] = {
	[METRIC_PACKETS] = { "packets", UNIT_COUNT, "packets sent into the underlay", SEL_ANY },
	[METRIC_BYTES] = { "bytes", UNIT_BYTES,
		"bytes sent into the underlay, outer headers included", SEL_ANY },
	[METRIC_PPS] = { "pps", UNIT_PPS,
		"packets sent per second, over the time the selected traffic ran; with at or within over the last second", SEL_ANY },
	[METRIC_BPS] = { "bps", UNIT_BPS,
		"bits sent per second, outer headers included, over the same time", SEL_ANY },
	[METRIC_RECEIVED] = { "received", UNIT_COUNT,
		"packets that reached a host over the underlay", SEL_ANY },
	[METRIC_LOSS] = { "loss", UNIT_SHARE,
		"1 - received/sent between two VTEPs, flooded packets left out", SEL_ANY },
	[METRIC_DELIVERY] = { "delivery", UNIT_SHARE,
		"share of the generators' packets that arrived or were echoed", SEL_ANY },
	[METRIC_RTT_MIN] = { "rtt_min", UNIT_TIME, "shortest round trip of the pings", SEL_ANY },
	[METRIC_RTT_AVG] = { "rtt_avg", UNIT_TIME, "mean round trip of the pings", SEL_ANY },
	[METRIC_RTT_P50] = { "rtt_p50", UNIT_TIME,
		"round trip that half of the pings kept within", SEL_ANY },
	[METRIC_RTT_P90] = { "rtt_p90", UNIT_TIME,
		"round trip that 90% of the pings kept within", SEL_ANY },
	[METRIC_RTT_P99] = { "rtt_p99", UNIT_TIME,
		"round trip that 99% of the pings kept within", SEL_ANY },
	[METRIC_RTT_MAX] = { "rtt_max", UNIT_TIME, "longest round trip of the pings", SEL_ANY },
	[METRIC_FLOWS] = { "flows", UNIT_COUNT, "number of flows", SEL_ANY },
	[METRIC_HOSTS] = { "hosts", UNIT_COUNT,
		"number of hosts that sent or received in the selected flows", SEL_ANY },
	[METRIC_TOP_TALKER] = { "top_talker", UNIT_CLIENT,
		"the client that sent most bytes; of several that sent the same, any", SEL_ANY },
	[METRIC_OVERHEAD] = { "overhead", UNIT_SHARE,
		"share of the underlay's bytes that is encapsulation", SEL_ANY },
	[METRIC_MISMATCH] = { "mismatch", UNIT_COUNT,
		"largest difference between a generator's own count and the monitor's", SEL_ANY },
	[METRIC_UNPLANNED] = { "unplanned", UNIT_COUNT,
		"IP flows that no [traffic] section explains", SEL_FLOW },
	[METRIC_MONITOR_LOST] = { "monitor.lost", UNIT_COUNT,
		"packets the monitor could not count", 0 },
	[METRIC_MONITOR_TRUNCATED] = { "monitor.truncated", UNIT_COUNT,
		"packets too short for the headers they announce", 0 },
	[METRIC_MONITOR_UNKNOWN] = { "monitor.unknown", UNIT_COUNT,
		"tunnel packets the monitor could not take apart", 0 },
};

char *check_metrics_help(void)
{
	struct text t = { 0 };

	text_puts(&t, "A check is METRIC(SELECTOR=VALUE ...) OP VALUE, as loss(traffic=web, from=host0) <= 0.1%.\n\nMetrics:\n");
	for (int m = 0; m < CHECK_METRIC_MAX; m++)
		text_printf(&t, "  %-18s %-10s %s\n", check_metrics[m].name, check_units[check_metrics[m].unit].name,
			    check_metrics[m].meaning);
	text_puts(&t, "\nThey are compared with:\n");
	for (int u = 0; u < CHECK_UNIT_MAX; u++)
		text_printf(&t, "  %-18s %s\n", check_units[u].name, check_units[u].example);
	text_puts(&t, "\nSelectors, of which all must match:");
	for (int k = 0; k < SEL_KEY_MAX; k++)
		text_printf(&t, " %s=", sel_key_names[k]);
	text_puts(&t, "\nOperators: == != < <= > >=, between A and B, ~ V +- P%\n");
	return text_take(&t);
}
