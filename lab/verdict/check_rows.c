/* SPDX-License-Identifier: Apache-2.0 */
/* The rows behind a value: of the flows, or pairs, that a check selects, those that weigh most. */
#include <stdio.h>
#include <string.h>

#include "lab/verdict/check_internal.h"

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

void check_row_flows(const struct sample *s, const struct top *t, struct check_result *r)
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

int check_row_streams(const struct selection *sel, const struct sample *s, const struct top *t,
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
