/* SPDX-License-Identifier: Apache-2.0 */
/* The page's live feed as JSON: short, for it is sent every second to every page and kept for minutes. Flows go by number,
 * their figures stand in arrays:
 *
 *   base    {"schema": "tunlab.feed/1", "source", "run", "seq", "elapsed_s", "oldest", "define": [FLOW…], "total": COUNT}
 *   frame   {"seq", "time", "elapsed_s", "interval_s", "lab", "define": [FLOW…], "grown": [[id, COUNT…]…], "rest": [flows,
 *            COUNT…], "hosts": [[host, sent packets, bytes, received packets, bytes]…], "vnis": [[vni, packets, bytes]…] of
 *            the HISTORY_VNIS_MAX busiest, "total": COUNT, "other", "monitor", "events": what was done to the lab in the interval,
 *            as in /api/v1/history}
 *   COUNT   [packets, bytes, inner bytes, received packets, bytes]; growth since the sample before, but "total" since the start.
 *           Not of a lab, the first three are what crossed here in either direction (sample_flow_size)
 *   FLOW    [id, encap, vni, outer_src, outer_dst, inner_src, inner_dst, inner_proto, flooded, src_client, dst_client, COUNT since
 *            the start]; clients by number, -1: not known
 *
 * "lab" is the "version" of /api/v1/lab, which changes when that tells something else. */
#include "monitor/view_internal.h"

#include <stdlib.h>

#include "monitor/feed.h"
#include "monitor/history.h"

static void emit_count_items(struct emit *e, const struct flow_count *sent, const struct flow_count *received)
{
	emit_u64(e, NULL, sent->packets);
	emit_u64(e, NULL, sent->bytes);
	emit_u64(e, NULL, sent->inner_bytes);
	emit_u64(e, NULL, received->packets);
	emit_u64(e, NULL, received->bytes);
}

static struct flow_count less(const struct flow_count *now, const struct flow_count *then)
{
	return (struct flow_count) { now->packets - then->packets, now->bytes - then->bytes,
				     now->inner_bytes - then->inner_bytes };
}

static void emit_growth_items(struct emit *e, const struct row_count *c)
{
	struct flow_count sent = less(&c->sent, &c->sent_then), received = less(&c->received, &c->received_then);

	emit_count_items(e, &sent, &received);
}

static void emit_number_of(struct emit *e, int64_t number)
{
	emit_fixed(e, NULL, (double)number, 0);
}

static void emit_definition(struct emit *e, const struct sample *s, const struct sample_flow *f)
{
	struct row_count c = feed_growth(s, f);
	char proto[FLOW_PROTO_SIZE];

	emit_array(e, NULL);
	emit_u64(e, NULL, f->id);
	emit_string(e, NULL, encap_name(f->key.encap));
	emit_vni(e, NULL, flow_vni(&f->key));
	emit_address(e, NULL, f->key.outer_src);
	emit_address(e, NULL, f->key.outer_dst);
	emit_inner(e, NULL, &f->key, f->key.inner_src);
	emit_inner(e, NULL, &f->key, f->key.inner_dst);
	emit_string(e, NULL, flow_proto_name(f->key.inner_ethertype, f->key.inner_ipproto, proto));
	emit_bool(e, NULL, f->bum);
	emit_number_of(e, f->src_client);
	emit_number_of(e, f->dst_client);
	emit_count_items(e, &c.sent, &c.received);
	emit_array_end(e);
}

static void emit_grown(struct emit *e, const struct sample *s, const struct feed_picks *picks)
{
	emit_array(e, "grown");
	for (size_t i = 0; i < picks->n; i++) {
		const struct sample_flow *f = picks->flows[i];
		struct row_count c = feed_growth(s, f);

		emit_array(e, NULL);
		emit_u64(e, NULL, f->id);
		emit_growth_items(e, &c);
		emit_array_end(e);
	}
	emit_array_end(e);
	emit_array(e, "rest");
	emit_u64(e, NULL, picks->rest.flows);
	emit_growth_items(e, &picks->rest);
	emit_array_end(e);
}

/* Of all flows, chosen or not: each host's uplink. What is flooded arrives at many hosts, nobody knows how much at each. */
static void emit_uplinks(struct emit *e, const struct plan *plan, const struct sample *s)
{
	size_t n_hosts = view_hosts(plan, s);
	struct { uint64_t packets, bytes, received_packets, received_bytes; } *sum = calloc(n_hosts + 1, sizeof(*sum));

	for (size_t i = 0; sum && i < s->n_flows; i++) {
		const struct sample_flow *f = &s->flows[i];
		struct flow_count then, now = sample_flow_size(s, f, &then), got = less(&now, &then);

		if (f->src_host >= 0) {
			sum[f->src_host].packets += got.packets;
			sum[f->src_host].bytes += got.bytes;
		}
		if (f->dst_host < 0)
			continue;
		if (s->kind == SAMPLE_LAB) /* else what is known of either end is that it crossed here */
			got = less(&f->value.rx, &f->received_then);
		sum[f->dst_host].received_packets += got.packets;
		sum[f->dst_host].received_bytes += got.bytes;
	}
	emit_array(e, "hosts");
	for (size_t i = 0; sum && i < n_hosts; i++) {
		if (!sum[i].packets && !sum[i].received_packets)
			continue;
		emit_array(e, NULL);
		emit_u64(e, NULL, i);
		emit_u64(e, NULL, sum[i].packets);
		emit_u64(e, NULL, sum[i].bytes);
		emit_u64(e, NULL, sum[i].received_packets);
		emit_u64(e, NULL, sum[i].received_bytes);
		emit_array_end(e);
	}
	emit_array_end(e);
	e->failed |= !sum;
	free(sum);
}

static void emit_vni_sums(struct emit *e, const struct history_entry *h)
{
	emit_array(e, "vnis");
	for (uint32_t i = 0; i < h->n_vnis; i++) {
		emit_array(e, NULL);
		emit_vni(e, NULL, h->vnis[i].vni);
		emit_u64(e, NULL, h->vnis[i].packets);
		emit_u64(e, NULL, h->vnis[i].bytes);
		emit_array_end(e);
	}
	emit_array_end(e);
}

static void emit_total(struct emit *e, const struct row_count *total)
{
	emit_array(e, "total");
	emit_count_items(e, &total->sent, &total->received);
	emit_array_end(e);
}

/* FNV-1a over the states of generators, and the numbers of what was done and of who was seen. */
uint64_t view_lab_version(const struct sample *s)
{
	uint32_t h = 0x811c9dc5 ^ (uint32_t)(s->marks ? s->marks->total : 0) ^ (uint32_t)(s->seen ? s->seen->total : 0) << 12;

	for (size_t i = 0; i < s->n_generators; i++)
		h = (h ^ (s->generators[i].state + 1)) * 0x01000193;
	return h;
}

char *view_frame(const struct plan *plan, const struct sample *s, const struct feed_picks *picks, const struct history_entry *h)
{
	struct emit e = { 0 };

	emit_object(&e, NULL);
	emit_u64(&e, "seq", s->seq);
	emit_fixed(&e, "time", s->unix_s, 3);
	emit_fixed(&e, "elapsed_s", s->elapsed_s, 3);
	emit_fixed(&e, "interval_s", s->interval_s, 3);
	emit_u64(&e, "lab", view_lab_version(s));
	emit_array(&e, "define");
	for (size_t i = 0; i < picks->n; i++) {
		if (feed_defines(s, picks->flows[i]))
			emit_definition(&e, s, picks->flows[i]);
	}
	emit_array_end(&e);
	emit_grown(&e, s, picks);
	emit_uplinks(&e, plan, s);
	emit_vni_sums(&e, h);
	emit_total(&e, &picks->total);
	emit_other(&e, &s->health);
	emit_monitor(&e, s);
	emit_marks(&e, s->marks, s->marks_then, UINT64_MAX);
	emit_object_end(&e);
	return emit_take(&e);
}

char *view_feed_base(const struct lab_info *info, const struct sample *s, const struct feed_picks *known, uint64_t oldest)
{
	struct emit e = { 0 };

	emit_object(&e, NULL);
	emit_string(&e, "schema", "tunlab.feed/1");
	emit_string(&e, "source", info->name);
	emit_u64(&e, "run", (uint64_t)info->pid);
	emit_u64(&e, "seq", s->seq);
	emit_fixed(&e, "elapsed_s", s->elapsed_s, 3);
	emit_u64(&e, "oldest", oldest);
	emit_u64(&e, "limit", HISTORY_MAX);
	emit_array(&e, "define");
	for (size_t i = 0; i < known->n; i++)
		emit_definition(&e, s, known->flows[i]);
	emit_array_end(&e);
	emit_total(&e, &known->total);
	emit_object_end(&e);
	return emit_take(&e);
}
