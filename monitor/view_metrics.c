/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus text (exposition format 0.0.4). A scraper keeps every label set for ever, so their number is bounded; what
 * is beyond is summed under the label value "rest". No series ever falls: which ones there are depends on what has been
 * seen, never on who is biggest now. */
#include "monitor/view_internal.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

enum { SERIES_MAX = 2000 };

static void put_label(struct text *t, const char *name, const char *value, bool first)
{
	text_printf(t, "%s%s=\"", first ? "{" : ",", name);
	for (; *value; value++) {
		if (*value == '\n')
			text_puts(t, "\\n");
		else if (*value == '"' || *value == '\\')
			text_printf(t, "\\%c", *value);
		else
			text_add(t, value, 1);
	}
	text_char(t, '"', 1);
}

static void put_head(struct text *t, const char *name, const char *type, const char *help)
{
	text_printf(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_u64(struct text *t, uint64_t v)
{
	text_char(t, ' ', 1);
	text_u64(t, v);
	text_char(t, '\n', 1);
}

static void put_gauge(struct text *t, const char *name, const char *help, double v)
{
	put_head(t, name, "gauge", help);
	text_printf(t, "%s %.15g\n", name, v);
}

static void put_lab(struct text *t, const struct lab_info *info, const struct plan *plan, const struct sample *s)
{
	put_head(t, "tunlab_info", "gauge", "The lab; always 1.");
	text_puts(t, "tunlab_info");
	put_label(t, "lab", info->name, true);
	text_puts(t, "} 1\n");
	put_gauge(t, "tunlab_up_seconds", "Time the lab took to come up.", info->up_ms / 1e3);
	put_gauge(t, "tunlab_uptime_seconds", "Time since the lab began to come up.", info->uptime_s);
	put_gauge(t, "tunlab_sample_time_seconds", "When these figures were read, seconds since 1970.", s->unix_s);
	put_gauge(t, "tunlab_hosts", "Hosts in the lab; where there is none: outer addresses seen.", (double)view_hosts(plan, s));
	if (plan)
		put_gauge(t, "tunlab_clients", "Clients in the lab.", plan->n_clients);
}

static const struct {
	const char *name, *help;
	size_t offset; /* in struct flow_health */
} health_metrics[] = {
#define HEALTH(name, member, help) { "tunlab_" name "_total", help, offsetof(struct flow_health, member) }
	HEALTH("monitor_seen_packets", seen, "Frames the monitor was given, super-packets as one."),
	HEALTH("monitor_decoded_packets", decoded, "Tunnelled packets counted in flows, sent and received."),
	HEALTH("monitor_lost_packets", lost, "Packets not counted because the flow table was full."),
	HEALTH("monitor_lost_bytes", lost_bytes, "Their bytes."),
	HEALTH("monitor_truncated_packets", truncated, "Packets that ended within their headers."),
	HEALTH("monitor_unknown_packets", unknown, "Packets with headers that make no sense."),
	HEALTH("monitor_otherhost_packets", otherhost, "Packets flooded to a host they were not for."),
	HEALTH("monitor_malformed_packets", malformed, "Packets whose headers contradict themselves; part of unknown."),
	HEALTH("monitor_later_fragments_packets", later_fragments, "Later IP fragments sent; part of other."),
	HEALTH("other_sent_packets", other_packets, "Packets that were not tunnelled, where they left a host."),
	HEALTH("other_sent_bytes", other_bytes, "Bytes of packets that were not tunnelled, where they left a host."),
	HEALTH("other_received_packets", other_received_packets, "Packets that were not tunnelled, where they arrived."),
	HEALTH("other_received_bytes", other_received_bytes,
	       "Bytes of packets that were not tunnelled, where they arrived."),
#undef HEALTH
};

/* Health as a set of states: reasons are few and their names fixed, so that an alert can name one. */
static void put_reasons(struct text *t, const struct health *h)
{
	put_head(t, "tunlab_monitor_amber", "gauge", "1 while the monitor's figures are to be doubted for that reason.");
	for (int i = 0; i < HEALTH_REASON_MAX; i++) {
		text_puts(t, "tunlab_monitor_amber");
		put_label(t, "reason", health_reason_names[i], true);
		text_printf(t, "} %u\n", h->reasons >> i & 1);
	}
}

/* What the kernel did not measure has no series. */
static void put_cost(struct text *t, const struct health *h)
{
	put_gauge(t, "tunlab_monitor_program_stats_enabled", "1 while the kernel measures BPF programs (run --stats).",
		  h->program.enabled);
	if (h->program.runs) {
		put_head(t, "tunlab_monitor_program_run_seconds_total", "counter", "Time the monitor's BPF programs took.");
		text_printf(t, "tunlab_monitor_program_run_seconds_total %.9f\n", (double)h->program.run_ns / 1e9);
		put_head(t, "tunlab_monitor_program_runs_total", "counter", "Frames they took it for.");
		text_puts(t, "tunlab_monitor_program_runs_total");
		put_u64(t, h->program.runs);
	}
	put_head(t, "tunlab_monitor_cpu_seconds_total", "counter",
		 "Processor time of the user-space part: sampling and serving, without the traffic engine.");
	text_printf(t, "tunlab_monitor_cpu_seconds_total %.3f\n", h->cpu_s);
}

static void put_monitor(struct text *t, const struct sample *s)
{
	for (size_t i = 0; i < sizeof(health_metrics) / sizeof(*health_metrics); i++) {
		put_head(t, health_metrics[i].name, "counter", health_metrics[i].help);
		text_puts(t, health_metrics[i].name);
		put_u64(t, *(const uint64_t *)((const char *)&s->health + health_metrics[i].offset));
	}
	put_gauge(t, "tunlab_flows", "Flows in the table.", (double)s->n_flows);
	put_gauge(t, "tunlab_flows_aged", "Of them, flows that were idle and left the kernel's tables.", (double)s->n_aged);
	put_gauge(t, "tunlab_flow_capacity", "Flows that surely fit.", s->capacity);
	put_gauge(t, "tunlab_flow_table_fill_ratio", "Share of the flow table that is taken.", s->monitor.fill);
	put_reasons(t, &s->monitor);
	put_cost(t, &s->monitor);
}

/* Traffic between two hosts in a VNI. */
struct pair {
	int32_t src, dst; /* hosts, or one of those below */
	int64_t vni;
	struct flow_count sent, received;
};
enum { HOST_UNKNOWN = -1, HOST_FLOOD = -2, HOST_REST = -3, VNI_REST = -2 };

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_pair(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int r = COMPARE(x->src, y->src);

	r = r ? r : COMPARE(x->dst, y->dst);
	return r ? r : COMPARE(x->vni, y->vni);
}

static size_t merge_pairs(struct pair *p, size_t n)
{
	size_t kept = 0;

	qsort(p, n, sizeof(*p), compare_pair);
	for (size_t i = 0; i < n; i++) {
		if (kept && !compare_pair(&p[kept - 1], &p[i])) {
			flow_count_add(&p[kept - 1].sent, &p[i].sent);
			flow_count_add(&p[kept - 1].received, &p[i].received);
		} else {
			p[kept++] = p[i];
		}
	}
	return kept;
}

/* One label less at a time until they are few enough. Flows are never forgotten, so the way back is never taken: fine
 * series stop once, coarse ones begin, and neither falls. */
static size_t coarsen(struct pair *p, size_t n)
{
	for (int step = 0; n > SERIES_MAX && step < 3; step++) {
		for (size_t i = 0; i < n; i++) {
			if (step == 0)
				p[i].dst = HOST_REST;
			else if (step == 1)
				p[i].src = HOST_REST;
			else
				p[i].vni = VNI_REST;
		}
		n = merge_pairs(p, n);
	}
	return n;
}

static size_t make_pairs(const struct sample *s, struct pair *p)
{
	for (size_t i = 0; i < s->n_flows; i++) {
		const struct sample_flow *f = &s->flows[i];

		p[i] = (struct pair) {
			.src = f->src_host, .dst = f->bum ? HOST_FLOOD : f->dst_host, .vni = flow_vni(&f->key),
			.sent = f->value.tx, .received = f->value.rx,
		};
	}
	return coarsen(p, merge_pairs(p, s->n_flows));
}

static void put_host_label(struct text *t, const char *name, const struct plan *plan, const struct sample *s, int32_t host,
			   bool first)
{
	static const char *const others[] = { "unknown", "flood", "rest" };
	char buf[SEEN_NAME_SIZE];

	put_label(t, name, host < 0 ? others[-1 - host] : view_host_name(plan, s, (size_t)host, buf), first);
}

static void put_vni_label(struct text *t, int64_t vni)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)vni); /* 20 characters at most */
	put_label(t, "vni", vni >= 0 ? text : vni == VNI_REST ? "rest" : "none", false);
}

/* Which number of a pair a metric shows. */
static const struct pair_metric {
	const char *name, *help;
	bool received, bytes;
} pair_metrics[] = {
	{ "tunlab_sent_packets_total", "Tunnelled packets that left a host, as on the wire.", false, false },
	{ "tunlab_sent_bytes_total", "Their bytes, from the outer Ethernet header on.", false, true },
	{ "tunlab_received_packets_total", "Tunnelled packets that reached a host; a flooded one reaches several.",
	  true, false },
	{ "tunlab_received_bytes_total", "Their bytes, from the outer Ethernet header on.", true, true },
};

static int put_pairs(struct text *t, const struct plan *plan, const struct sample *s)
{
	struct pair *p = malloc((s->n_flows + 1) * sizeof(*p));
	size_t n;

	if (!p)
		return -ENOMEM;
	n = make_pairs(s, p);
	for (size_t m = 0; m < sizeof(pair_metrics) / sizeof(*pair_metrics); m++) {
		put_head(t, pair_metrics[m].name, "counter", pair_metrics[m].help);
		for (size_t i = 0; i < n; i++) {
			const struct flow_count *c = pair_metrics[m].received ? &p[i].received : &p[i].sent;

			text_puts(t, pair_metrics[m].name);
			put_host_label(t, "src_host", plan, s, p[i].src, true);
			put_host_label(t, "dst_host", plan, s, p[i].dst, false);
			put_vni_label(t, p[i].vni);
			text_char(t, '}', 1);
			put_u64(t, pair_metrics[m].bytes ? c->bytes : c->packets);
		}
	}
	free(p);
	return 0;
}

/* Traffic by section of the scenario; what commands started is one more. No section can be named as these are. */
struct section {
	uint64_t sent, received, send_errors;
};

static size_t section_of(const struct plan *plan, const struct sample_generator *g, size_t n)
{
	size_t live = n - 1, rest = n - 2;

	if (g->section < 0 || (size_t)g->section >= plan->scn->n_traffic)
		return live;
	return (size_t)g->section < rest ? (size_t)g->section : rest;
}

static const char *section_name(const struct plan *plan, size_t i, size_t n)
{
	return i == n - 1 ? "(live)" : i == n - 2 ? "(rest)" : plan->scn->traffic[i].name;
}

static const struct {
	const char *name, *help;
	size_t offset; /* in struct section */
} section_metrics[] = {
#define SECTION(name, member, help) { "tunlab_traffic_" name "_total", help, offsetof(struct section, member) }
	SECTION("sent_packets", sent, "Packets generators sent, by their own count."),
	SECTION("received_packets", received, "Of these, received by sinks or echoed."),
	SECTION("send_errors", send_errors, "Packets the kernel refused to send."),
#undef SECTION
};

static int put_traffic(struct text *t, const struct plan *plan, const struct sample *s)
{
	size_t named = plan->scn->n_traffic < SERIES_MAX ? plan->scn->n_traffic : SERIES_MAX, n = named + 2;
	struct section *sections = calloc(n, sizeof(*sections));

	if (!sections)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_streams; i++) {
		const struct sample_stream *stream = &s->streams[i];
		struct section *to;

		if (stream->generator >= s->n_generators)
			continue;
		to = &sections[section_of(plan, &s->generators[stream->generator], n)];
		to->sent += stream->sent;
		to->received += stream->received;
		to->send_errors += stream->send_errors;
	}
	for (size_t m = 0; m < sizeof(section_metrics) / sizeof(*section_metrics); m++) {
		put_head(t, section_metrics[m].name, "counter", section_metrics[m].help);
		for (size_t i = 0; i < n; i++) {
			if (i == n - 2 && named == plan->scn->n_traffic)
				continue;
			text_puts(t, section_metrics[m].name);
			put_label(t, "traffic", section_name(plan, i, n), true);
			text_char(t, '}', 1);
			put_u64(t, *(const uint64_t *)((const char *)&sections[i] + section_metrics[m].offset));
		}
	}
	free(sections);
	return 0;
}

char *view_metrics(const struct lab_info *info, const struct plan *plan, const struct sample *s)
{
	struct text t = { 0 };

	put_lab(&t, info, plan, s);
	put_monitor(&t, s);
	if (put_pairs(&t, plan, s) || (plan && put_traffic(&t, plan, s))) {
		text_free(&t);
		return NULL;
	}
	return text_take(&t);
}
