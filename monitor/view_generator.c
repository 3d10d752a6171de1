/* SPDX-License-Identifier: Apache-2.0 */
/* One generator as `tunlab traffic` is told of it: a line for each interval, and the summary. */
#include <math.h>

#include "lab/traffic/engine.h"
#include "monitor/view_internal.h"

/* Round trips of pings, or one-way delays of UDP: a generator has either. */
struct generator_sum {
	uint64_t sent, received, settled, send_errors, duplicates, reordered;
	uint64_t time_sum_ns, time_min_ns, time_max_ns, jitter_sum_ns;
	uint64_t n_differences;  /* behind jitter_sum_ns */
	uint64_t lost;
	uint64_t buckets[RTT_BUCKETS];
};

static void add_time(struct generator_sum *sum, uint64_t sum_ns, uint64_t min_ns, uint64_t max_ns, const uint32_t *buckets)
{
	sum->time_sum_ns += sum_ns;
	if (min_ns && (!sum->time_min_ns || min_ns < sum->time_min_ns))
		sum->time_min_ns = min_ns;
	if (max_ns > sum->time_max_ns)
		sum->time_max_ns = max_ns;
	for (size_t i = 0; buckets && i < RTT_BUCKETS; i++)
		sum->buckets[i] += buckets[i];
}

static void add_stream(struct generator_sum *sum, const struct sample_stream *s)
{
	sum->sent += s->sent;
	sum->received += s->received;
	sum->lost += s->settled > s->received ? s->settled - s->received : 0;
	sum->send_errors += s->send_errors;
	sum->duplicates += s->duplicates;
	sum->reordered += s->reordered;
	sum->jitter_sum_ns += s->jitter_sum_ns;
	sum->n_differences += s->received ? s->received - 1 : 0;
	add_time(sum, s->rtt_sum_ns, s->rtt_min_ns, s->rtt_max_ns, s->rtt);
	add_time(sum, s->delay_sum_ns, s->delay_min_ns, s->delay_max_ns, s->delay);
}

/* Buckets are 6 % wide; the extremes are known exactly. */
static double quantile_ms(const struct generator_sum *sum, double q)
{
	uint64_t ns = rtt_quantile(sum->buckets, q);

	if (ns < sum->time_min_ns)
		ns = sum->time_min_ns;
	if (ns > sum->time_max_ns)
		ns = sum->time_max_ns;
	return (double)ns / 1e6;
}

static void emit_time(struct emit *e, const char *key, bool given, const struct generator_sum *sum)
{
	if (!given || !sum->received || !sum->time_min_ns) {
		emit_null(e, key);
		return;
	}
	emit_object(e, key);
	emit_fixed(e, "min", (double)sum->time_min_ns / 1e6, 3);
	emit_fixed(e, "avg", (double)sum->time_sum_ns / (double)sum->received / 1e6, 3);
	emit_fixed(e, "p50", quantile_ms(sum, 0.5), 3);
	emit_fixed(e, "p90", quantile_ms(sum, 0.9), 3);
	emit_fixed(e, "p99", quantile_ms(sum, 0.99), 3);
	emit_fixed(e, "max", (double)sum->time_max_ns / 1e6, 3);
	emit_object_end(e);
}

/* sum / n ns in ms; null where there was nothing to take the mean of. */
static void emit_mean(struct emit *e, const char *key, uint64_t sum_ns, uint64_t n)
{
	if (n)
		emit_fixed(e, key, (double)sum_ns / (double)n / 1e6, 3);
	else
		emit_null(e, key);
}

/* Octets of each inner IP packet, the first peer's address family being that of all. */
static uint64_t packet_bytes(const struct plan *plan, const struct sample_generator *g)
{
	return g->size + (addr_is_v4(&plan->clients[g->client].addr) ? 20 : 40);
}

/* How long it has been sending, or did. */
static double elapsed_s(const struct sample *s, const struct sample_generator *g)
{
	uint64_t end = g->state == GEN_RUNNING ? s->mono_ns : g->last_ns;

	return g->first_ns && end > g->first_ns ? (double)(end - g->first_ns) / 1e9 : 0;
}

static uint64_t growth(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0; /* what seemed lost may have come late */
}

/* Until when the figures of an interval were made: one that has ended was at it for one more gap after its last departure. */
static uint64_t sending_until(const struct sample *s, uint64_t sent)
{
	const struct sample_generator *g = &s->generators[0];
	uint64_t end_ns = g->last_ns + (sent > 1 ? (g->last_ns - g->first_ns) / (sent - 1) : 0);

	return g->state == GEN_RUNNING || end_ns > s->mono_ns ? s->mono_ns : end_ns;
}

/* What came to pass since `then`. */
static void emit_interval(struct emit *e, const struct sample *s, const struct generator_sum *sum, const struct sample *then,
			  uint64_t bytes)
{
	struct generator_sum before = { 0 };
	uint64_t begin_ns = s->generators[0].first_ns > then->mono_ns ? s->generators[0].first_ns : then->mono_ns;
	uint64_t end_ns = sending_until(s, sum->sent);
	double span_s = end_ns > begin_ns ? (double)(end_ns - begin_ns) / 1e9 : 0, pps;
	uint64_t sent;

	for (size_t i = 0; i < then->n_streams; i++)
		add_stream(&before, &then->streams[i]);
	sent = sum->sent - before.sent;
	pps = span_s > 0 ? (double)sent / span_s : 0;
	emit_object(e, "interval");
	emit_fixed(e, "seconds", span_s, 3);
	emit_u64(e, "sent", sent);
	emit_u64(e, "received", sum->received - before.received);
	emit_u64(e, "lost", growth(sum->lost, before.lost));
	emit_u64(e, "send_errors", sum->send_errors - before.send_errors);
	emit_u64(e, "duplicates", sum->duplicates - before.duplicates);
	emit_u64(e, "reordered", sum->reordered - before.reordered);
	emit_fixed(e, "pps", pps, 1);
	emit_fixed(e, "bps", pps * 8 * (double)bytes, 0);
	emit_mean(e, s->generators[0].proto == SCN_PING ? "rtt_avg_ms" : "delay_avg_ms", sum->time_sum_ns - before.time_sum_ns,
		  sum->received - before.received);
	emit_mean(e, "jitter_ms", sum->jitter_sum_ns - before.jitter_sum_ns, sum->n_differences - before.n_differences);
	emit_object_end(e);
}

char *view_generator(const struct plan *plan, const struct sample *s, const struct sample *then)
{
	const struct sample_generator *g = &s->generators[0];
	uint64_t bytes = packet_bytes(plan, g);
	struct generator_sum sum = { 0 };
	struct emit e = { 0 };

	for (size_t i = 0; i < s->n_streams; i++)
		add_stream(&sum, &s->streams[i]);
	emit_object(&e, NULL);
	emit_string(&e, "type", then ? "interval" : "summary");
	emit_u64(&e, "id", g->id);
	emit_string(&e, "name", g->name);
	emit_client(&e, "client", g->client);
	emit_peers(&e, s->streams, (uint32_t)s->n_streams, (uint32_t)s->n_streams);
	emit_string(&e, "proto", scn_proto_names[g->proto]);
	emit_u64(&e, "size", g->size);
	emit_fixed(&e, "elapsed_s", elapsed_s(s, g), 3);
	emit_string(&e, "state", view_generator_state(g->state));
	emit_u64(&e, "sent", sum.sent);
	emit_u64(&e, "bytes", sum.sent * bytes);
	emit_u64(&e, "received", sum.received);
	emit_u64(&e, "lost", sum.lost);
	emit_u64(&e, "send_errors", sum.send_errors);
	emit_u64(&e, "duplicates", sum.duplicates);
	emit_u64(&e, "reordered", sum.reordered);
	if (then)
		emit_interval(&e, s, &sum, then, bytes);
	emit_time(&e, "rtt_ms", g->proto == SCN_PING, &sum);
	emit_time(&e, "delay_ms", g->proto == SCN_UDP, &sum);
	emit_mean(&e, "jitter_ms", sum.jitter_sum_ns, sum.n_differences);
	emit_fixed(&e, "slip_max_ms", (double)g->slip_max_ns / 1e6, 3);
	emit_u64(&e, "late", g->late);
	emit_u64(&e, "missed", g->missed);
	emit_fixed(&e, "cold_ms", g->known ? NAN : (double)g->cold_ns / 1e6, 3);
	emit_u64(&e, "unresolved", g->unresolved);
	emit_object_end(&e);
	return emit_take(&e);
}
