/* SPDX-License-Identifier: Apache-2.0 */
/* The value of each metric over one sample, the comparison, and the flows behind it; see check.h.
 * Which flows a check selects is check_select.c's. */
#include "lab/verdict/check.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/traffic/engine.h"
#include "lab/verdict/check_internal.h"

/* ------------------------------------------------------------------ the biggest rows */

/* Biggest first; of equals the earlier one. */
void top_add(struct top *t, size_t item, uint64_t weight)
{
	size_t i = t->n < CHECK_ROWS ? t->n : CHECK_ROWS - 1;

	t->total++;
	if (t->n == CHECK_ROWS && weight <= t->weight[i])
		return;
	t->n += t->n < CHECK_ROWS;
	for (; i > 0 && t->weight[i - 1] < weight; i--) {
		t->item[i] = t->item[i - 1];
		t->weight[i] = t->weight[i - 1];
	}
	t->item[i] = item;
	t->weight[i] = weight;
}

/* "c3 192.168.3.1", "192.168.9.9" or "host3", as far as it is known. */
static void name_end(int32_t client, int32_t host, const __u8 inner[16], char *buf, size_t len)
{
	struct ip_addr a;
	char text[ADDR_STRLEN];

	memcpy(a.b, inner, sizeof(a.b));
	if (client >= 0)
		(void)snprintf(buf, len, "c%d %s", client, addr_format(&a, text));
	else if (!addr_is_none(&a))
		(void)snprintf(buf, len, "%s", addr_format(&a, text));
	else if (host >= 0)
		(void)snprintf(buf, len, "host%d", host);
	else
		(void)snprintf(buf, len, "all");
}

void check_row_name_pair(struct check_row *row, uint32_t from, uint32_t to, enum scn_proto proto)
{
	row->from = (int32_t)from;
	row->to = (int32_t)to;
	row->proto = (int32_t)proto;
	(void)snprintf(row->name, sizeof(row->name), "c%u to c%u, %s", from, to, scn_proto_names[proto]);
}

static void name_flow_row(const struct sample_flow *f, struct check_row *row)
{
	char from[64], to[64], proto[FLOW_PROTO_SIZE];

	row->from = f->src_client;
	row->to = f->dst_client;
	row->proto = truth_proto(&f->key);
	name_end(f->src_client, f->src_host, f->key.inner_src, from, sizeof(from));
	name_end(f->dst_client, f->dst_host, f->key.inner_dst, to, sizeof(to));
	(void)snprintf(row->name, sizeof(row->name), "%.60s to %.60s, %s, VNI %u", from, to,
		       flow_proto_name(f->key.inner_ethertype, f->key.inner_ipproto, proto),
		       f->key.vni);
}

static void flow_rows(const struct sample *s, const struct top *t, struct check_result *r)
{
	r->n_rows = t->total;
	for (size_t i = 0; i < t->n; i++) {
		const struct sample_flow *f = &s->flows[t->item[i]];

		name_flow_row(f, &r->rows[i]);
		r->rows[i].sent = f->value.tx.packets;
		r->rows[i].received = f->value.rx.packets;
		r->rows[i].bytes = f->value.tx.bytes;
		r->rows[i].weight = t->weight[i];
	}
}

static int stream_rows(const struct selection *sel, const struct sample *s, const struct top *t,
		       struct check_result *r)
{
	struct truth truth;
	int err = truth_make(sel->checks->plan, s, &truth);

	if (err)
		return err;
	r->n_rows = t->total;
	for (size_t i = 0; i < t->n; i++) {
		const struct sample_stream *x = &s->streams[t->item[i]];
		struct check_row *row = &r->rows[i];

		check_row_name_pair(row, x->from, x->to, x->proto);
		row->sent = x->sent;
		row->received = x->received;
		row->rtt_avg_us = x->received ? x->rtt_sum_ns / x->received / 1000 : 0;
		row->rtt_max_us = x->rtt_max_ns / 1000;
		row->weight = t->weight[i];
		if (x->sent > x->received)
			(void)truth_where(sel->checks->plan, truth_find(&truth, x->from, x->to, x->proto), row->stops,
					  sizeof(row->stops));
	}
	truth_free(&truth);
	return 0;
}

/* ------------------------------------------------------------------ values */

void result_nothing(struct check_result *r, const char *why)
{
	r->measured = false;
	(void)snprintf(r->text, sizeof(r->text), "nothing to measure: %s", why);
}

void result_measured(struct check_result *r, double value)
{
	r->measured = true;
	r->value = value;
}

/* 4 digits, but never rounded to all or nothing. */
static void format_share(double v, char *buf, size_t len)
{
	(void)snprintf(buf, len, "%.4g%%", v * 100);
	if ((v < 1 && strcmp(buf, "100%") == 0) || (v > 0 && strcmp(buf, "0%") == 0))
		(void)snprintf(buf, len, "%.12g%%", v * 100);
}

static const char *format_value(enum check_unit unit, double v, char *buf, size_t len)
{
	struct rate rate = { unit == UNIT_BPS ? RATE_BPS : RATE_PPS, v };

	switch (unit) {
	case UNIT_COUNT:
		(void)snprintf(buf, len, "%.0f", v);
		break;
	case UNIT_BYTES:
		(void)snprintf(buf, len, "%.0f bytes", v);
		break;
	case UNIT_PPS:
	case UNIT_BPS:
		(void)rate_format(&rate, buf, len);
		break;
	case UNIT_SHARE:
		format_share(v, buf, len);
		break;
	case UNIT_TIME:
		(void)time_format((uint64_t)llround(v * 1e9), buf, len);
		break;
	case UNIT_CLIENT:
		(void)snprintf(buf, len, "c%.0f", v);
		break;
	case CHECK_UNIT_MAX:
		break;
	}
	return buf;
}

static void format_expected(const struct scn_check *c, double want, struct check_result *r)
{
	enum check_unit unit = check_metrics[c->metric].unit;
	char a[64], b[64];

	if (c->op == OP_BETWEEN)
		(void)snprintf(r->expected, sizeof(r->expected), "from %s to %s",
			       format_value(unit, c->value, a, sizeof(a)),
			       format_value(unit, c->value2, b, sizeof(b)));
	else if (c->op == OP_APPROX)
		(void)snprintf(r->expected, sizeof(r->expected), "from %s to %s",
			       format_value(unit, c->value * (1 - c->value2), a, sizeof(a)),
			       format_value(unit, c->value * (1 + c->value2), b, sizeof(b)));
	else
		(void)snprintf(r->expected, sizeof(r->expected), "%s %s", check_op_names[c->op],
			       format_value(unit, want, a, sizeof(a)));
}

/* Values are quotients of counters: equal ones may differ in their last bits. */
static bool near(double a, double b)
{
	return a == b || fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
}

static bool compare(const struct scn_check *c, double v, double want)
{
	switch (c->op) {
	case OP_EQ:
		return near(v, want);
	case OP_NE:
		return !near(v, want);
	case OP_LT:
		return v < want && !near(v, want);
	case OP_LE:
		return v < want || near(v, want);
	case OP_GT:
		return v > want && !near(v, want);
	case OP_GE:
		return v > want || near(v, want);
	case OP_BETWEEN:
		return (v > c->value || near(v, c->value)) && (v < c->value2 || near(v, c->value2));
	case OP_APPROX:
		return fabs(v - c->value) <= c->value * c->value2 ||
		       near(fabs(v - c->value), c->value * c->value2);
	case CHECK_OP_MAX:
		break;
	}
	return false;
}

/* ------------------------------------------------------------------ what the monitor counted */

struct flow_sums {
	struct flow_count sent, received;
	struct flow_count sent_then;
	uint64_t direct_sent, direct_received; /* between two VTEPs */
	uint64_t flows;
	struct top top;
};

static bool is_direct(const struct sample_flow *f)
{
	return !f->bum && f->src_host >= 0 && f->dst_host >= 0;
}

/* What makes a flow stand out for this metric. */
static uint64_t flow_weight(enum check_metric metric, const struct sample_flow *f)
{
	if (metric != METRIC_LOSS)
		return f->value.tx.bytes;
	return is_direct(f) && f->value.tx.packets > f->value.rx.packets
		       ? f->value.tx.packets - f->value.rx.packets
		       : 0;
}

static struct flow_sums sum_flows(const struct selection *sel, const struct sample *s)
{
	struct flow_sums sum = { 0 };

	for (size_t i = 0; i < s->n_flows; i++) {
		const struct sample_flow *f = &s->flows[i];
		struct subject x = subject_of_flow(f);

		if (!selection_has(sel, &x))
			continue;
		flow_count_add(&sum.sent, &f->value.tx);
		flow_count_add(&sum.received, &f->value.rx);
		flow_count_add(&sum.sent_then, &f->sent_then);
		if (is_direct(f)) {
			/* flow by flow: what one has too many must not hide what another lost */
			sum.direct_sent += f->value.tx.packets;
			sum.direct_received += f->value.rx.packets < f->value.tx.packets
						       ? f->value.rx.packets
						       : f->value.tx.packets;
		}
		sum.flows++;
		top_add(&sum.top, i, flow_weight(sel->check->metric, f));
	}
	return sum;
}

/* When a generator ran, on the monotonic clock: as many intervals as it sent packets (and the time it stood still
 * between), from its section's start on if its first packet falls into the first interval (the senders of a section
 * are spread over it). false if it has not run. */
static bool generator_window(const struct checks *c, const struct sample *s,
			     const struct sample_generator *g, uint64_t *ret_begin,
			     uint64_t *ret_end)
{
	double pps = plan_rate_pps(c->plan, &g->rate, g->size, g->client);
	uint64_t zero = s->mono_ns - (uint64_t)llround(s->elapsed_s * 1e9);
	uint64_t start = zero + (g->section >= 0 ? c->plan->scn->traffic[g->section].start_ns : 0);
	uint64_t span = g->last_ns - g->first_ns, idle = g->idle_ns < span ? g->idle_ns : span; /* written one by one */
	uint64_t interval = g->sent > 1 ? (span - idle) / (g->sent - 1)
			    : pps > 0   ? (uint64_t)(1e9 / pps)
					: 0;

	if (!g->first_ns || !g->last_ns)
		return false;
	*ret_begin = g->section >= 0 && start < g->first_ns && g->first_ns - start <= interval
			     ? start
			     : g->first_ns;
	*ret_end = *ret_begin + interval * g->sent + idle;
	if (g->state == GEN_RUNNING || *ret_end > s->mono_ns)
		*ret_end = s->mono_ns;
	return true;
}

/* Whether a stream, or the answers to it, is selected. */
static bool stream_selected_both_ways(const struct selection *sel, const struct sample *s,
				      const struct sample_stream *x)
{
	int32_t section = s->generators[x->generator].section;
	struct flow_key key;
	struct subject there =
		subject_of_pair(sel->checks->plan, x->from, x->to, x->proto, section, &key);
	bool selected = selection_has(sel, &there);

	if (!selected && x->proto == SCN_PING) {
		struct subject back =
			subject_of_pair(sel->checks->plan, x->to, x->from, x->proto, section, &key);

		selected = selection_has(sel, &back);
	}
	return selected;
}

static bool generator_selected(const struct selection *sel, const struct sample *s,
			       const struct sample_generator *g)
{
	for (uint32_t i = g->stream0; i < g->stream0 + g->n_streams && i < s->n_streams; i++)
		if (stream_selected_both_ways(sel, s, &s->streams[i]))
			return true;
	return false;
}

/* Seconds the selected traffic ran; where no generator makes it, since the traffic clock began. 0:
 * none yet. */
static double running_time(const struct selection *sel, const struct sample *s)
{
	uint64_t begin = UINT64_MAX, end = 0, idle = UINT64_MAX; /* idle: time in which none of them was to send */

	for (size_t i = 0; i < s->n_generators; i++) {
		uint64_t b, e;

		if (!generator_selected(sel, s, &s->generators[i]) ||
		    !generator_window(sel->checks, s, &s->generators[i], &b, &e))
			continue;
		begin = b < begin ? b : begin;
		end = e > end ? e : end;
		idle = s->generators[i].idle_ns < idle ? s->generators[i].idle_ns : idle;
	}
	return end > begin ? (double)(end - begin - (idle < end - begin ? idle : 0)) / 1e9 : end ? 0 : s->elapsed_s;
}

static void measure_rate(const struct selection *sel, const struct sample *s,
			 const struct flow_sums *sum, struct check_result *r)
{
	bool momentary = sel->check->has_at || sel->check->within_ns;
	double seconds = momentary ? s->interval_s : running_time(sel, s);
	uint64_t packets = sum->sent.packets - (momentary ? sum->sent_then.packets : 0);
	uint64_t bytes = sum->sent.bytes - (momentary ? sum->sent_then.bytes : 0);

	if (seconds <= 0)
		result_nothing(r, "no traffic has run yet");
	else
		result_measured(r, (sel->check->metric == METRIC_PPS ? (double)packets
								     : 8.0 * (double)bytes) /
					   seconds);
}

static uint64_t count_hosts(const struct selection *sel, const struct sample *s, bool *seen)
{
	uint32_t n_hosts = sel->checks->plan->n_hosts;
	uint64_t n = 0;

	for (size_t i = 0; i < s->n_flows; i++) {
		const struct sample_flow *f = &s->flows[i];
		struct subject x = subject_of_flow(f);

		if (!selection_has(sel, &x))
			continue;
		if (f->src_host >= 0 && f->value.tx.packets)
			seen[f->src_host] = true;
		if (f->dst_host >= 0 && f->value.rx.packets)
			seen[f->dst_host] = true;
	}
	for (uint32_t i = 0; i < n_hosts; i++)
		n += seen[i];
	return n;
}

static int measure_hosts(const struct selection *sel, const struct sample *s,
			 struct check_result *r)
{
	bool *seen = calloc(sel->checks->plan->n_hosts + 1, sizeof(*seen));

	if (!seen)
		return -ENOMEM;
	result_measured(r, (double)count_hosts(sel, s, seen));
	free(seen);
	return 0;
}

static int measure_top_talker(const struct selection *sel, const struct sample *s,
			      struct check_result *r)
{
	uint32_t n = sel->checks->plan->n_clients, best = 0;
	uint64_t *bytes = calloc(n + 1, sizeof(*bytes));

	if (!bytes)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_flows; i++) {
		struct subject x = subject_of_flow(&s->flows[i]);

		if (x.src_client >= 0 && selection_has(sel, &x))
			bytes[x.src_client] += s->flows[i].value.tx.bytes;
	}
	for (uint32_t c = 1; c < n; c++)
		best = bytes[c] > bytes[best] ? c : best;
	if (sel->wanted >= 0 && bytes[sel->wanted] == bytes[best]) /* of several that sent the same the one that is asked for */
		best = (uint32_t)sel->wanted;
	if (n && bytes[best])
		result_measured(r, best);
	else
		result_nothing(r, "no client sent anything");
	free(bytes);
	return 0;
}

static int measure_flows(const struct selection *sel, const struct sample *s,
			 struct check_result *r)
{
	struct flow_sums sum = sum_flows(sel, s);
	int err = 0;

	switch (sel->check->metric) {
	case METRIC_PACKETS:
		result_measured(r, (double)sum.sent.packets);
		break;
	case METRIC_BYTES:
		result_measured(r, (double)sum.sent.bytes);
		break;
	case METRIC_RECEIVED:
		result_measured(r, (double)sum.received.packets);
		break;
	case METRIC_FLOWS:
		result_measured(r, (double)sum.flows);
		break;
	case METRIC_PPS:
	case METRIC_BPS:
		measure_rate(sel, s, &sum, r);
		break;
	case METRIC_LOSS:
		if (sum.direct_sent == 0)
			result_nothing(r, "no packet was sent from host to host");
		else
			result_measured(r, (double)(sum.direct_sent - sum.direct_received) /
						   (double)sum.direct_sent);
		break;
	case METRIC_OVERHEAD:
		if (sum.sent.bytes == 0)
			result_nothing(r, "no packet was sent");
		else
			result_measured(r, (double)(sum.sent.bytes - sum.sent.inner_bytes) /
						   (double)sum.sent.bytes);
		break;
	case METRIC_HOSTS:
		err = measure_hosts(sel, s, r);
		break;
	default: /* METRIC_TOP_TALKER */
		err = measure_top_talker(sel, s, r);
		break;
	}
	flow_rows(s, &sum.top, r);
	return err;
}

static void measure_unplanned(const struct selection *sel, const struct sample *s,
			      struct check_result *r)
{
	struct top top = { 0 };

	for (size_t i = 0; i < s->n_flows; i++) {
		const struct sample_flow *f = &s->flows[i];
		struct subject x = subject_of_flow(f);

		if (flow_has_inner_ip(&f->key) && selection_has(sel, &x) && !flow_explained(sel->checks, s, f))
			top_add(&top, i, f->value.tx.bytes);
	}
	result_measured(r, (double)top.total);
	flow_rows(s, &top, r);
}

/* ------------------------------------------------------------------ what the generators counted */

struct stream_sums {
	uint64_t sent, received, answers;
	uint64_t rtt_sum_ns, rtt_min_ns, rtt_max_ns;
	uint64_t rtt[RTT_BUCKETS];
	struct top top;
};

static void add_stream(struct stream_sums *sum, const struct sample_stream *x)
{
	sum->sent += x->sent;
	sum->received += x->received;
	if (x->proto != SCN_PING || x->received == 0)
		return;
	sum->answers += x->received;
	sum->rtt_sum_ns += x->rtt_sum_ns;
	if (x->rtt_min_ns && (sum->rtt_min_ns == 0 || x->rtt_min_ns < sum->rtt_min_ns))
		sum->rtt_min_ns = x->rtt_min_ns;
	sum->rtt_max_ns = x->rtt_max_ns > sum->rtt_max_ns ? x->rtt_max_ns : sum->rtt_max_ns;
	for (unsigned b = 0; x->rtt && b < RTT_BUCKETS; b++)
		sum->rtt[b] += x->rtt[b];
}

static void sum_streams(const struct selection *sel, const struct sample *s,
			struct stream_sums *sum)
{
	bool rtt = sel->check->metric != METRIC_DELIVERY;

	for (size_t i = 0; i < s->n_streams; i++) {
		const struct sample_stream *x = &s->streams[i];
		struct flow_key key;
		struct subject subject;

		if (rtt && x->proto != SCN_PING)
			continue;
		subject = subject_of_pair(sel->checks->plan, x->from, x->to, x->proto,
					  s->generators[x->generator].section, &key);
		if (!selection_has(sel, &subject))
			continue;
		add_stream(sum, x);
		top_add(&sum->top, i,
			rtt                     ? x->rtt_max_ns
			: x->sent > x->received ? x->sent - x->received
						: 0);
	}
}

/* A quantile comes from buckets: the exact ends are known. */
static double clamp_rtt(const struct stream_sums *sum, uint64_t ns)
{
	ns = ns < sum->rtt_min_ns ? sum->rtt_min_ns : ns;
	return (double)(ns > sum->rtt_max_ns ? sum->rtt_max_ns : ns) / 1e9;
}

static void measure_rtt(enum check_metric metric, const struct stream_sums *sum,
			struct check_result *r)
{
	static const double quantiles[CHECK_METRIC_MAX] = {
		[METRIC_RTT_P50] = 0.5,
		[METRIC_RTT_P90] = 0.9,
		[METRIC_RTT_P99] = 0.99,
	};

	if (sum->answers == 0)
		result_nothing(r, "no ping was answered");
	else if (metric == METRIC_RTT_MIN)
		result_measured(r, (double)sum->rtt_min_ns / 1e9);
	else if (metric == METRIC_RTT_MAX)
		result_measured(r, (double)sum->rtt_max_ns / 1e9);
	else if (metric == METRIC_RTT_AVG)
		result_measured(r, (double)sum->rtt_sum_ns / (double)sum->answers / 1e9);
	else
		result_measured(r, clamp_rtt(sum, rtt_quantile(sum->rtt, quantiles[metric])));
}

static int measure_streams(const struct selection *sel, const struct sample *s,
			   struct check_result *r)
{
	struct stream_sums *sum = calloc(1, sizeof(*sum));
	int err;

	if (!sum)
		return -ENOMEM;
	sum_streams(sel, s, sum);
	if (sel->check->metric != METRIC_DELIVERY)
		measure_rtt(sel->check->metric, sum, r);
	else if (sum->sent == 0)
		result_nothing(r, "the selected traffic sent nothing");
	else
		result_measured(r, (double)sum->received / (double)sum->sent);
	err = stream_rows(sel, s, &sum->top, r);
	free(sum);
	return err;
}

/* ------------------------------------------------------------------ entry */

static int measure(const struct selection *sel, const struct sample *s, struct check_result *r)
{
	switch (sel->check->metric) {
	case METRIC_DELIVERY:
	case METRIC_RTT_MIN:
	case METRIC_RTT_AVG:
	case METRIC_RTT_P50:
	case METRIC_RTT_P90:
	case METRIC_RTT_P99:
	case METRIC_RTT_MAX:
		return measure_streams(sel, s, r);
	case METRIC_MISMATCH:
		return measure_mismatch(sel, s, r);
	case METRIC_UNPLANNED:
		measure_unplanned(sel, s, r);
		return 0;
	case METRIC_MONITOR_LOST:
		result_measured(r, (double)s->health.lost);
		return 0;
	case METRIC_MONITOR_TRUNCATED:
		result_measured(r, (double)s->health.truncated);
		return 0;
	case METRIC_MONITOR_UNKNOWN:
		result_measured(r, (double)s->health.unknown);
		return 0;
	default:
		return measure_flows(sel, s, r);
	}
}

int checks_evaluate(const struct checks *c, const struct scn_check *check, const struct sample *s,
		    struct check_result *ret)
{
	struct selection sel = selection_of(c, check);
	enum check_unit unit = check_metrics[check->metric].unit;
	struct check_result r = { .check = check, .elapsed_s = s->elapsed_s };
	double want = check->value;
	uint32_t client;
	char why[8];
	int err;

	if (unit == UNIT_CLIENT &&
	    plan_resolve_one(c->plan, &check->who, &client, why, sizeof(why)) == 0)
		want = sel.wanted = client; /* it exists: the plan has looked */
	err = measure(&sel, s, &r);
	if (err)
		return err;
	format_expected(check, want, &r);
	if (r.measured) {
		(void)format_value(unit, r.value, r.text, sizeof(r.text));
		r.holds = compare(check, r.value, want);
	}
	*ret = r;
	return 0;
}
