/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of what the monitor counted: flows. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "lab/traffic/engine.h"
#include "lab/traffic/schedule.h"
#include "lab/verdict/check_internal.h"

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

/* Packets that leave at one deadline. What was started live sends no bursts. */
static uint64_t group_of(const struct checks *c, const struct sample_generator *g)
{
	bool burst = g->section >= 0 && c->plan->scn->traffic[g->section].pattern == SCN_BURST;

	return burst && g->rate.unit != RATE_MAXIMUM ? SCHEDULE_GROUP : 1;
}

/* When a generator ran, on the monotonic clock: as many intervals as it sent groups (and the time it stood still
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
	uint64_t group = group_of(c, g), groups = (g->sent + group - 1) / group;
	uint64_t interval = groups > 1 ? (span - idle) / (groups - 1)
			    : pps > 0  ? (uint64_t)((double)group * 1e9 / pps)
				       : 0;

	if (!g->first_ns || !g->last_ns)
		return false;
	*ret_begin = g->section >= 0 && start < g->first_ns && g->first_ns - start <= interval
			     ? start
			     : g->first_ns;
	*ret_end = *ret_begin + interval * groups + idle;
	if (g->state == GEN_RUNNING) /* of one that is done the last interval may not be over yet */
		*ret_end = s->mono_ns;
	return true;
}

static bool generator_selected(const struct selection *sel, const struct sample *s,
			       const struct sample_generator *g)
{
	for (uint32_t i = g->stream0; i < g->stream0 + g->n_streams && i < s->n_streams; i++)
		if (stream_selected(sel, s, &s->streams[i]))
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

int measure_flows(const struct selection *sel, const struct sample *s,
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
	check_row_flows(s, &sum.top, r);
	return err;
}

void measure_unplanned(const struct selection *sel, const struct sample *s,
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
	check_row_flows(s, &top, r);
}
