/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of what the generators counted: streams. */
#include <errno.h>
#include <stdlib.h>

#include "lab/traffic/rtt.h"
#include "lab/verdict/check_internal.h"

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

int measure_streams(const struct selection *sel, const struct sample *s,
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
	err = check_row_streams(sel, s, &sum->top, r);
	free(sum);
	return err;
}
