/* SPDX-License-Identifier: Apache-2.0 */
/* The flow table as JSON, whole, grouped, and cut down for the live feed (contract section 5); the history beside
 * it. */
#include "monitor/view_internal.h"

#include "monitor/history.h"
#include "monitor/truth.h"

const char *const flow_by_names[FLOW_BY_MAX] = {
	[BY_FLOW] = "flow", [BY_OUTER] = "outer", [BY_INNER] = "inner", [BY_VNI] = "vni", [BY_HOST] = "host",
	[BY_CLIENT] = "client",
};
const char *const flow_order_names[FLOW_ORDER_MAX] = { [ORDER_BYTES] = "bytes", [ORDER_BPS] = "bps", [ORDER_PPS] = "pps" };

/* Of a capture nothing is known to have been received. */
static void emit_count(struct emit *e, const struct sample *s, const struct row_count *c)
{
	emit_u64(e, "packets", c->sent.packets);
	emit_u64(e, "bytes", c->sent.bytes);
	emit_u64(e, "inner_bytes", c->sent.inner_bytes);
	if (s->kind != SAMPLE_CAPTURE)
		emit_frames(e, "received", c->received.packets, c->received.bytes);
}

/* Packets and underlay bits per second over the last interval, sent and received; null while there was none. */
static void emit_rates(struct emit *e, const struct sample *s, const struct row_count *c)
{
	double interval_s = s->interval_s;

	if (interval_s <= 0) {
		emit_null(e, "rates");
		return;
	}
	emit_object(e, "rates");
	emit_fixed(e, "pps", (double)(c->sent.packets - c->sent_then.packets) / interval_s, 1);
	emit_fixed(e, "bps", (double)(c->sent.bytes - c->sent_then.bytes) * 8 / interval_s, 0);
	if (s->kind != SAMPLE_CAPTURE) {
		emit_fixed(e, "received_pps", (double)(c->received.packets - c->received_then.packets) / interval_s, 1);
		emit_fixed(e, "received_bps", (double)(c->received.bytes - c->received_then.bytes) * 8 / interval_s, 0);
	}
	emit_object_end(e);
}

/* Of what was watched without a plan: names of both ends, outside and inside. */
static void emit_names(struct emit *e, const struct sample *s, const struct sample_flow *f)
{
	emit_host(e, "src_host", NULL, s, f->src_host);
	emit_host(e, "dst_host", NULL, s, f->dst_host);
	emit_string(e, "src_name", seen_inner_name(s->seen, f->key.inner_src));
	emit_string(e, "dst_name", seen_inner_name(s->seen, f->key.inner_dst));
}

static void emit_flow_members(struct emit *e, const struct sample *s, const struct row *row)
{
	const struct sample_flow *f = row->flow;
	char proto[FLOW_PROTO_SIZE];

	emit_string(e, "encap", encap_name(f->key.encap));
	emit_vni(e, "vni", flow_vni(&f->key));
	emit_address(e, "outer_src", f->key.outer_src);
	emit_address(e, "outer_dst", f->key.outer_dst);
	emit_inner(e, "inner_src", &f->key, f->key.inner_src);
	emit_inner(e, "inner_dst", &f->key, f->key.inner_dst);
	emit_string(e, "inner_proto", flow_proto_name(f->key.inner_ethertype, f->key.inner_ipproto, proto));
	emit_bool(e, "bum", f->bum);
	emit_count(e, s, &row->count);
	if (s->seen)
		emit_names(e, s, f);
	if (s->kind != SAMPLE_LAB)
		return;
	emit_client(e, "src_client", f->src_client);
	emit_client(e, "dst_client", f->dst_client);
}

/* What a client's generators sent, and what became of it: the sum of its rows of ground truth; null where it has none. Answers to
 * its pings are in received only, so that left and arrived are of packets that it sent. */
static void emit_generated(struct emit *e, const struct truth *t, int64_t client)
{
	uint64_t sum[TRUTH_PLACE_MAX] = { 0 }, missing = 0;
	size_t n = 0;
	const struct truth_row *rows = client >= 0 ? truth_of(t, (uint32_t)client, &n) : NULL;

	for (size_t i = 0; i < n; i++) {
		missing += truth_missing(&rows[i]);
		for (int p = 0; p < TRUTH_PLACE_MAX; p++)
			sum[p] += rows[i].count[p];
	}
	if (!n) {
		emit_null(e, "generated");
		return;
	}
	emit_object(e, "generated");
	emit_u64(e, "pairs", n);
	emit_u64(e, "sent", sum[TRUTH_SENT]);
	emit_u64(e, "left", sum[TRUTH_LEFT]);
	emit_u64(e, "arrived", sum[TRUTH_ARRIVED]);
	emit_u64(e, "received", sum[TRUTH_RECEIVED]);
	emit_u64(e, "missing", missing);
	emit_object_end(e);
}

static void emit_group_members(struct emit *e, const struct plan *plan, const struct sample *s, const struct row *row,
			       enum flow_by by)
{
	const struct row_key *k = &row->key;

	switch (by) {
	case BY_OUTER:
		emit_address(e, "outer_src", k->src.b);
		emit_address(e, "outer_dst", k->dst.b);
		if (plan || s->seen) {
			emit_host(e, "src_host", plan, s, k->src_host);
			emit_host(e, "dst_host", plan, s, k->dst_host);
		}
		break;
	case BY_INNER:
		emit_vni(e, "vni", k->vni);
		emit_inner(e, "inner_src", &row->flow->key, k->src.b);
		emit_inner(e, "inner_dst", &row->flow->key, k->dst.b);
		if (plan) {
			emit_client(e, "src_client", row->flow->src_client);
			emit_client(e, "dst_client", row->flow->dst_client);
		}
		break;
	case BY_VNI:
		emit_vni(e, "vni", k->vni);
		break;
	case BY_HOST:
		emit_address(e, "outer_src", k->src.b);
		if (plan || s->seen)
			emit_host(e, "host", plan, s, k->src_host);
		break;
	case BY_CLIENT:
		emit_client(e, "client", k->client);
		emit_host(e, "host", plan, s, k->src_host);
		break;
	case BY_FLOW:
	case FLOW_BY_MAX:
		break;
	}
	emit_count(e, s, &row->count);
	emit_u64(e, "flows", row->count.flows);
}

/* truth: NULL unless it is asked for. */
static void emit_rows(struct emit *e, const struct plan *plan, const struct sample *s, const struct rows *rows,
		      const struct flow_query *q, const struct truth *truth)
{
	emit_array(e, q->by == BY_FLOW ? "flows" : "rows");
	for (size_t i = 0; i < rows->n; i++) {
		emit_object(e, NULL);
		if (q->by == BY_FLOW)
			emit_flow_members(e, s, &rows->rows[i]);
		else
			emit_group_members(e, plan, s, &rows->rows[i], q->by);
		if (truth)
			emit_generated(e, truth, rows->rows[i].key.client);
		if (q->rates)
			emit_rates(e, s, &rows->rows[i].count);
		emit_object_end(e);
	}
	emit_array_end(e);
}

static void emit_sum(struct emit *e, const char *key, const struct row_count *c, const struct sample *s,
		     const struct flow_query *q, size_t n_rows)
{
	emit_object(e, key);
	if (q->by != BY_FLOW)
		emit_u64(e, "rows", n_rows);
	emit_u64(e, "flows", c->flows);
	emit_count(e, s, c);
	if (q->rates)
		emit_rates(e, s, c);
	emit_object_end(e);
}

void emit_other(struct emit *e, const struct flow_health *h)
{
	emit_object(e, "other");
	emit_u64(e, "packets", h->other_packets);
	emit_u64(e, "bytes", h->other_bytes);
	emit_frames(e, "received", h->other_received_packets, h->other_received_bytes);
	emit_object_end(e);
}

/* From "flows" or "rows" to the end of the document. "rest" is there when rows may have been left off. */
static int emit_table(struct emit *e, const struct plan *plan, const struct sample *s, const struct flow_query *q)
{
	bool by_client = plan && q->by == BY_CLIENT;
	struct truth truth = { 0 };
	struct rows rows;
	int r = rows_make(s, q, &rows);

	if (r)
		return r;
	r = by_client ? truth_make(plan, s, &truth) : 0;
	if (r) {
		rows_free(&rows);
		return r;
	}
	emit_rows(e, plan, s, &rows, q, by_client ? &truth : NULL);
	if (q->top)
		emit_sum(e, "rest", &rows.rest, s, q, rows.n_rest);
	emit_sum(e, "total", &rows.total, s, q, rows.n + rows.n_rest);
	if (by_client)
		emit_truth(e, plan, s, &truth, q->top);
	truth_free(&truth);
	rows_free(&rows);
	if (s->kind != SAMPLE_CAPTURE)
		emit_other(e, &s->health);
	else
		emit_frames(e, "other", s->health.other_packets, s->health.other_bytes);
	emit_monitor(e, s);
	return 0;
}

static void emit_heading(struct emit *e, const char *schema, const struct lab_info *info, const struct sample *s)
{
	emit_string(e, "schema", schema);
	emit_string(e, "source", info->name);
	emit_fixed(e, "elapsed_s", s->elapsed_s, 3);
}

static char *finish(struct emit *e, int r)
{
	emit_object_end(e);
	if (!r)
		return emit_take(e);
	emit_drop(e);
	return NULL;
}

char *view_flows(const struct lab_info *info, const struct plan *plan, const struct sample *s,
		 const struct flow_query *q)
{
	struct emit e = { 0 };

	emit_object(&e, NULL);
	emit_heading(&e, q->by == BY_FLOW ? "tunlab.flows/1" : "tunlab.rows/1", info, s);
	if (q->by != BY_FLOW)
		emit_string(&e, "by", flow_by_names[q->by]);
	if (q->rates)
		emit_fixed(&e, "interval_s", s->interval_s, 3);
	return finish(&e, emit_table(&e, plan, s, q));
}

char *view_event(const struct lab_info *info, const struct plan *plan, const struct sample *s, size_t top)
{
	struct flow_query q = FLOW_QUERY_ALL;
	struct emit e = { 0 };

	q.top = top ? top : SIZE_MAX; /* so that "rest" is there in any case */
	emit_object(&e, NULL);
	emit_heading(&e, "tunlab.flows/1", info, s);
	emit_u64(&e, "seq", s->seq);
	emit_fixed(&e, "time", s->unix_s, 3);
	emit_fixed(&e, "interval_s", s->interval_s, 3);
	emit_marks(&e, s->marks, s->marks_then, UINT64_MAX);
	return finish(&e, emit_table(&e, plan, s, &q));
}

static void emit_history_entry(struct emit *e, const struct history_entry *h)
{
	emit_object(e, NULL);
	emit_u64(e, "seq", h->seq);
	emit_fixed(e, "time", h->unix_s, 3);
	emit_fixed(e, "interval_s", h->interval_s, 3);
	emit_u64(e, "packets", h->packets);
	emit_u64(e, "bytes", h->bytes);
	emit_frames(e, "received", h->received_packets, h->received_bytes);
	emit_array(e, "vnis");
	for (uint32_t i = 0; i < h->n_vnis; i++) {
		emit_object(e, NULL);
		emit_vni(e, "vni", h->vnis[i].vni);
		emit_u64(e, "packets", h->vnis[i].packets);
		emit_u64(e, "bytes", h->vnis[i].bytes);
		emit_object_end(e);
	}
	emit_array_end(e);
	emit_frames(e, "rest", h->rest.packets, h->rest.bytes);
	emit_object_end(e);
}

char *view_history(const struct lab_info *info, const struct history_entry *entries, size_t n, const struct marks *marks)
{
	struct emit e = { 0 };
	double span_s = 0;

	for (size_t i = 0; i < n; i++)
		span_s += entries[i].interval_s;
	emit_object(&e, NULL);
	emit_string(&e, "schema", "tunlab.history/1");
	emit_string(&e, "source", info->name);
	emit_fixed(&e, "span_s", span_s, 3);
	emit_u64(&e, "limit", HISTORY_MAX);
	emit_array(&e, "samples");
	for (size_t i = 0; i < n; i++)
		emit_history_entry(&e, &entries[i]);
	emit_array_end(&e);
	emit_marks(&e, n ? marks : NULL, n ? entries[0].marks_then : 0, n ? entries[n - 1].marks : 0);
	return finish(&e, 0);
}
