/* SPDX-License-Identifier: Apache-2.0 */
/* Judges a sample's health; see health.h. */
#include "monitor/health.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "monitor/sample.h"

#define RECENT_NS 10000000000u /* long enough to be read */

static const double fill_limit = 0.8, late_s = 1.5 /* samples are taken each second */, share_over_s = 0.5;

const char *const health_reason_names[HEALTH_REASON_MAX] = {
	[HEALTH_LOST] = "lost", [HEALTH_FULL] = "full", [HEALTH_LATE] = "late", [HEALTH_TRUNCATED] = "truncated",
	[HEALTH_UNKNOWN] = "unknown",
};

const char *health_state(const struct health *h)
{
	return h->reasons ? "amber" : "ok";
}

__attribute__((format(printf, 3, 4)))
static void add(struct health *h, enum health_reason reason, const char *format, ...)
{
	size_t at = strlen(h->sentences);
	va_list ap;

	h->reasons |= 1u << reason;
	if (at && at + 1 < sizeof(h->sentences))
		h->sentences[at++] = ' ';
	va_start(ap, format);
	(void)vsnprintf(h->sentences + at, sizeof(h->sentences) - at, format, ap); /* all five fit; tests hold that */
	va_end(ap);
}

static void judge_table(struct health *h, const struct sample *s)
{
	const struct flow_health *count = &s->health;
	char bytes[TEXT_SCALED_SIZE];

	/* What surely fits is its size: each processor's slots may hold some more. */
	h->fill = s->capacity ? fmin((double)(s->n_flows - s->n_aged) / s->capacity, 1) : 0;
	if (count->lost)
		add(h, HEALTH_LOST, "%" PRIu64 " packet%s (%s) %s not counted, for the flow table was full: figures are too low.",
		    count->lost, count->lost == 1 ? "" : "s", text_scaled((double)count->lost_bytes, "B", bytes),
		    count->lost == 1 ? "was" : "were");
	else if (h->fill >= 1)
		add(h, HEALTH_FULL, "The flow table is full: packets of new flows may not be counted.");
	else if (h->fill > fill_limit)
		add(h, HEALTH_FULL, "The flow table is %.0f %% full: when it is, packets of new flows will not be counted.", 100 * h->fill);
}

/* When a count was last seen to grow. */
static uint64_t grew(uint64_t now, uint64_t then, uint64_t then_ns, const struct sample *s)
{
	return now > then ? s->mono_ns : then_ns;
}

static bool is_recent(uint64_t ns, const struct sample *s)
{
	return ns && s->mono_ns - ns < RECENT_NS;
}

/* Such frames are of somebody else's making: that there were some long ago is shown by their count. */
static void judge_frames(struct health *h, const struct sample *s, const struct sample *previous)
{
	static const struct sample none;
	const struct sample *then = previous ? previous : &none;

	h->truncated_ns = grew(s->health.truncated, then->health.truncated, then->monitor.truncated_ns, s);
	h->unknown_ns = grew(s->health.unknown, then->health.unknown, then->monitor.unknown_ns, s);
	if (is_recent(h->truncated_ns, s))
		add(h, HEALTH_TRUNCATED, "There are frames that end within their headers.");
	if (is_recent(h->unknown_ns, s))
		add(h, HEALTH_UNKNOWN, "There are tunnel packets whose headers make no sense.");
}

static void judge_cost(struct health *h, const struct sample *s, const struct sample *previous)
{
	h->has_cost = s->has_cost;
	h->program = s->program;
	h->cpu_s = s->cpu_s;
	h->ns_per_packet = h->cpu_share = NAN;
	if (!s->has_cost)
		return;
	if (s->program.runs)
		h->ns_per_packet = (double)s->program.run_ns / (double)s->program.runs;
	else
		h->not_measured = s->program.enabled ? "no packet was seen yet"
						     : "not enabled: start with --stats, or sysctl kernel.bpf_stats_enabled=1";
	/* A sample taken out of turn, for a question, may lie too close to the one before. */
	if (previous && s->interval_s >= share_over_s)
		h->cpu_share = (s->cpu_s - previous->cpu_s) / s->interval_s;
	else if (previous)
		h->cpu_share = previous->monitor.cpu_share;
}

void health_judge(const struct sample *s, const struct sample *previous, struct health *ret)
{
	struct health h = { .sentences = "" };

	judge_table(&h, s);
	if (s->kind != SAMPLE_CAPTURE && s->interval_s > late_s)
		add(&h, HEALTH_LATE, "Samples come late (%.1f s apart): this machine is overloaded.", s->interval_s);
	judge_frames(&h, s, previous);
	judge_cost(&h, s, previous);
	*ret = h;
}
