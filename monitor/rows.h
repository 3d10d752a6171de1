/* SPDX-License-Identifier: Apache-2.0 */
/* A sample's flows selected, grouped, summed and put in order, biggest first: what the flow table's views
 * and the page show. Pure; texts are the views'. */
#ifndef TUNLAB_MONITOR_ROWS_H
#define TUNLAB_MONITOR_ROWS_H

#include "monitor/view.h"

/* Sums over a row's flows. */
struct row_count {
	size_t flows;
	struct flow_count sent, received;
	struct flow_count sent_then, received_then; /* at the previous sample */
};

/* What a row's flows have in common. Unused parts are zero, numbers that are not known or not used -1. */
struct row_key {
	int64_t vni;                   /* -1: tunnels that have none */
	struct ip_addr src, dst;       /* outer or inner */
	int32_t src_host, dst_host;
	int32_t client;                /* the sender */
};

struct row {
	struct row_key key;
	const struct sample_flow *flow; /* one of its flows; the only one with BY_FLOW */
	struct row_count count;
	uint64_t size;           /* that rows are ordered by, in the query's order: of what was sent; of a machine's interfaces the
				    bigger direction */
};

struct rows {
	struct row *rows;        /* [n]: the first `top`, or all */
	size_t n;
	size_t n_rest;           /* rows left off by `top` */
	struct row_count rest;   /* their sum */
	struct row_count total;  /* of all flows selected: rows and rest */
};

/* Free with rows_free; points into the sample. Equal sizes are ordered by key, so equal samples give equal
 * rows. -ENOMEM. */
int rows_make(const struct sample *s, const struct flow_query *q, struct rows *ret);
void rows_free(struct rows *r);

void row_count_add(struct row_count *sum, const struct row_count *part);
void row_count_take(struct row_count *sum, const struct row_count *part); /* what was added */

#endif
