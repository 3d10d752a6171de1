/* SPDX-License-Identifier: Apache-2.0 */
/* Flows selected, grouped, summed and ordered; see rows.h. Groups are found by sorting: no hash to size, and the
 * order is the same each time. */
#include "monitor/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct ip_addr addr_of(const uint8_t bytes[16])
{
	struct ip_addr a;

	memcpy(a.b, bytes, sizeof(a.b));
	return a;
}

static bool selected(const struct sample_flow *f, const struct flow_query *q)
{
	return (q->vni < 0 || flow_vni(&f->key) == q->vni) &&
	       (q->host < 0 || f->src_host == q->host || f->dst_host == q->host);
}

static struct row_key key_of(const struct sample_flow *f, enum flow_by by)
{
	struct row_key k = { .vni = -1, .src_host = -1, .dst_host = -1, .client = -1 };

	switch (by) {
	case BY_OUTER:
		k.src = addr_of(f->key.outer_src);
		k.dst = addr_of(f->key.outer_dst);
		k.src_host = f->src_host;
		k.dst_host = f->dst_host;
		break;
	case BY_INNER: /* with the VNI: two of them may use the same addresses */
		k.vni = flow_vni(&f->key);
		k.src = addr_of(f->key.inner_src);
		k.dst = addr_of(f->key.inner_dst);
		break;
	case BY_VNI:
		k.vni = flow_vni(&f->key);
		break;
	case BY_HOST:
		k.src = addr_of(f->key.outer_src);
		k.src_host = f->src_host;
		break;
	case BY_CLIENT:
		k.client = f->src_client;
		k.src_host = f->src_host;
		break;
	case BY_FLOW:
	case FLOW_BY_MAX:
		break;
	}
	return k;
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_key(const struct row_key *a, const struct row_key *b)
{
	int r = COMPARE(a->vni, b->vni);

	r = r ? r : memcmp(&a->src, &b->src, sizeof(a->src));
	r = r ? r : memcmp(&a->dst, &b->dst, sizeof(a->dst));
	r = r ? r : COMPARE(a->client, b->client);
	r = r ? r : COMPARE(a->src_host, b->src_host);
	return r ? r : COMPARE(a->dst_host, b->dst_host);
}

static int compare_rows_by_key(const void *a, const void *b)
{
	return compare_key(&((const struct row *)a)->key, &((const struct row *)b)->key);
}

static uint64_t size_by(enum flow_order order, const struct flow_count *now, const struct flow_count *then)
{
	switch (order) {
	case ORDER_BPS:
		return now->bytes - then->bytes;
	case ORDER_PPS:
		return now->packets - then->packets;
	case ORDER_BYTES:
	case FLOW_ORDER_MAX:
		break;
	}
	return now->bytes;
}

static uint64_t size_of(const struct sample *s, const struct row_count *c, enum flow_order order)
{
	uint64_t sent = size_by(order, &c->sent, &c->sent_then), received = size_by(order, &c->received, &c->received_then);

	return s->kind == SAMPLE_MONITOR && received > sent ? received : sent;
}

/* Flows of one sample stand in one array, ascending by key: their places order them. */
static int compare_rows_by_size(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int r = COMPARE(y->size, x->size);

	r = r ? r : COMPARE(y->count.sent.bytes, x->count.sent.bytes);
	r = r ? r : compare_key(&x->key, &y->key);
	return r ? r : COMPARE(x->flow, y->flow);
}

void row_count_add(struct row_count *sum, const struct row_count *part)
{
	sum->flows += part->flows;
	flow_count_add(&sum->sent, &part->sent);
	flow_count_add(&sum->received, &part->received);
	flow_count_add(&sum->sent_then, &part->sent_then);
	flow_count_add(&sum->received_then, &part->received_then);
}

static void take(struct flow_count *sum, const struct flow_count *part)
{
	sum->packets -= part->packets;
	sum->bytes -= part->bytes;
	sum->inner_bytes -= part->inner_bytes;
}

void row_count_take(struct row_count *sum, const struct row_count *part)
{
	sum->flows -= part->flows;
	take(&sum->sent, &part->sent);
	take(&sum->received, &part->received);
	take(&sum->sent_then, &part->sent_then);
	take(&sum->received_then, &part->received_then);
}

static size_t merge(struct row *rows, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept && !compare_key(&rows[kept - 1].key, &rows[i].key))
			row_count_add(&rows[kept - 1].count, &rows[i].count);
		else
			rows[kept++] = rows[i];
	}
	return kept;
}

int rows_make(const struct sample *s, const struct flow_query *q, struct rows *ret)
{
	struct rows r = { .rows = malloc((s->n_flows + 1) * sizeof(*r.rows)) };

	if (!r.rows)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_flows; i++) {
		const struct sample_flow *f = &s->flows[i];

		if (!selected(f, q))
			continue;
		r.rows[r.n] = (struct row) {
			.key = key_of(f, q->by), .flow = f,
			.count = { 1, f->value.tx, f->value.rx, f->sent_then, f->received_then },
		};
		row_count_add(&r.total, &r.rows[r.n++].count);
	}
	if (q->by != BY_FLOW) {
		qsort(r.rows, r.n, sizeof(*r.rows), compare_rows_by_key);
		r.n = merge(r.rows, r.n);
	}
	for (size_t i = 0; i < r.n; i++)
		r.rows[i].size = size_of(s, &r.rows[i].count, q->order);
	qsort(r.rows, r.n, sizeof(*r.rows), compare_rows_by_size);
	if (q->top && r.n > q->top) {
		r.n_rest = r.n - q->top;
		for (size_t i = q->top; i < r.n; i++)
			row_count_add(&r.rest, &r.rows[i].count);
		r.n = q->top;
	}
	*ret = r;
	return 0;
}

void rows_free(struct rows *r)
{
	free(r->rows);
	*r = (struct rows) { 0 };
}
