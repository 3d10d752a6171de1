/* SPDX-License-Identifier: Apache-2.0 */
/* The generators' counts and the monitor's beside each other, flow by flow: the metric mismatch,
 * and for packets that went missing the first place where the counts part. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lab/verdict/check_internal.h"

/* Packets from one client to another, of one protocol, as two sides counted them. */
struct both {
	uint32_t from, to, proto;
	bool generated; /* a generator has a hand in it */
	uint64_t own, seen;
};

static int compare_both(const void *a, const void *b)
{
	const struct both *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return (x->proto > y->proto) - (x->proto < y->proto);
}

/* A stream's packets, and for pings the answers, which go the other way. */
static size_t list_streams(const struct sample *s, struct both *list)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_streams; i++) {
		const struct sample_stream *x = &s->streams[i];

		list[n++] = (struct both){ x->from, x->to, x->proto, true, x->sent, 0 };
		if (x->proto == SCN_PING)
			list[n++] = (struct both){
				x->to, x->from, x->proto, true, x->received + x->duplicates, 0
			};
	}
	return n;
}

static size_t list_flows(const struct sample *s, struct both *list)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_flows; i++) {
		const struct sample_flow *f = &s->flows[i];
		int proto = proto_of(&f->key);

		if (proto >= 0 && f->src_client >= 0 && f->dst_client >= 0)
			list[n++] = (struct both){ (uint32_t)f->src_client,
						   (uint32_t)f->dst_client,
						   (uint32_t)proto,
						   false,
						   0,
						   f->value.tx.packets };
	}
	return n;
}

/* Sorts and adds up rows of the same flow; how many are left. */
static size_t merge(struct both *list, size_t n)
{
	size_t kept = 0;

	qsort(list, n, sizeof(*list), compare_both);
	for (size_t i = 0; i < n; i++) {
		if (kept && compare_both(&list[kept - 1], &list[i]) == 0) {
			list[kept - 1].own += list[i].own;
			list[kept - 1].seen += list[i].seen;
			list[kept - 1].generated |= list[i].generated;
		} else {
			list[kept++] = list[i];
		}
	}
	return kept;
}

static uint64_t difference(const struct plan *p, const struct both *b)
{
	bool shared = b->proto == SCN_PING &&
		      !addr_is_v4(&p->clients[b->from].addr); /* with neighbour discovery */

	if (b->own >= b->seen)
		return b->own - b->seen;
	return shared ? 0 : b->seen - b->own;
}

int measure_mismatch(const struct selection *sel, const struct sample *s, struct check_result *r)
{
	const struct plan *p = sel->checks->plan;
	struct both *list = calloc(2 * s->n_streams + s->n_flows + 1, sizeof(*list));
	struct top top = { 0 };
	size_t n;

	if (!list)
		return -ENOMEM;
	n = list_streams(s, list);
	n += list_flows(s, list + n);
	n = merge(list, n);
	for (size_t i = 0; i < n; i++) {
		struct flow_key key;
		struct subject x =
			subject_of_pair(p, list[i].from, list[i].to, (enum scn_proto)list[i].proto,
					SECTION_OF_FLOW, &key);

		/* What only the monitor saw is unplanned, not a mismatch. */
		if (list[i].generated && selection_has(sel, &x))
			top_add(&top, i, difference(p, &list[i]));
	}
	if (top.total)
		result_measured(r, (double)top.weight[0]);
	else
		result_nothing(r, "no generator sends what is selected");
	r->n_rows = top.total;
	for (size_t i = 0; i < top.n; i++) {
		const struct both *b = &list[top.item[i]];

		(void)snprintf(r->rows[i].name, sizeof(r->rows[i].name), "c%u to c%u, %s", b->from,
			       b->to, scn_proto_names[b->proto]);
		r->rows[i].sent = b->seen;
		r->rows[i].generators = b->own;
		r->rows[i].weight = top.weight[i];
	}
	free(list);
	return 0;
}

/* ------------------------------------------------------------------ where packets stop */

/* All that is known of the packets from one client to another: what their generators say, what left
 * the sender's host and reached the receiver's. */
struct way {
	uint64_t sent, received; /* by the generators of this direction: received at the far end, or
				    echoed */
	uint64_t left, arrived;
};

static struct way add_up(const struct sample *s, uint32_t from, uint32_t to, enum scn_proto proto)
{
	struct way w = { 0 };

	for (size_t i = 0; i < s->n_streams; i++)
		if (s->streams[i].from == from && s->streams[i].to == to &&
		    s->streams[i].proto == proto) {
			w.sent += s->streams[i].sent;
			w.received += s->streams[i].received;
		}
	for (size_t i = 0; i < s->n_flows; i++) {
		const struct sample_flow *f = &s->flows[i];

		if (f->src_client == (int32_t)from && f->dst_client == (int32_t)to &&
		    proto_of(&f->key) == (int)proto) {
			w.left += f->value.tx.packets;
			w.arrived += f->value.rx.packets;
		}
	}
	return w;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* A flow of pings holds requests of one side and answers of the other; what is not the one is the
 * other. */
void explain_pair(const struct checks *c, const struct sample *s, const struct sample_stream *x,
		  char *buf, size_t len)
{
	const struct plan_client *a = &c->plan->clients[x->from], *b = &c->plan->clients[x->to];
	struct way there = add_up(s, x->from, x->to, x->proto), back = { 0 };
	unsigned long long sent, left, arrived, answered;

	if (x->proto == SCN_PING)
		back = add_up(s, x->to, x->from, x->proto);
	sent = there.sent;
	left = less(there.left, back.received);
	arrived = less(there.arrived, back.received);
	answered = less(back.left, back.sent);
	buf[0] = '\0';
	if (left < sent)
		(void)snprintf(buf, len, "before leaving host%u: c%u sent %llu, host%u's eth0 %llu",
			       a->host, x->from, sent, a->host, left);
	else if (there.arrived < there.left)
		(void)snprintf(buf, len, "between host%u and host%u: %llu left, %llu arrived",
			       a->host, b->host, left, arrived);
	else if (x->proto == SCN_UDP && there.received < arrived)
		(void)snprintf(buf, len, "behind host%u: %llu arrived, c%u received %llu", b->host,
			       arrived, x->to, (unsigned long long)there.received);
	else if (x->proto == SCN_PING && answered < arrived)
		(void)snprintf(buf, len,
			       "behind host%u: %llu arrived, c%u's answers that left are %llu",
			       b->host, arrived, x->to, answered);
	else if (x->proto == SCN_PING && back.arrived < back.left)
		(void)snprintf(buf, len,
			       "the answers between host%u and host%u: %llu left, %llu arrived",
			       b->host, a->host, (unsigned long long)back.left,
			       (unsigned long long)back.arrived);
	else if (x->proto == SCN_PING && there.received < less(back.arrived, back.sent))
		(void)snprintf(buf, len,
			       "the answers behind host%u: %llu arrived, c%u received %llu",
			       a->host, (unsigned long long)less(back.arrived, back.sent), x->from,
			       (unsigned long long)there.received);
}
