/* SPDX-License-Identifier: Apache-2.0 */
/* Generators' and monitor's counts side by side; see truth.h. */
#include "monitor/truth.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "bpf/wire.h"
#include "lab/traffic/engine.h"

const char *const truth_place_names[TRUTH_PLACE_MAX] = {
	[TRUTH_SENT] = "sent", [TRUTH_LEFT] = "left", [TRUTH_ARRIVED] = "arrived", [TRUTH_ANSWERED] = "answered",
	[TRUTH_RETURNED] = "returned", [TRUTH_RECEIVED] = "received",
};

uint8_t truth_ipproto(enum scn_proto proto, bool v4)
{
	return proto == SCN_UDP ? IPPROTO_UDP : v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

int truth_proto(const struct flow_key *key)
{
	bool v4 = key->inner_ethertype == ETH_TYPE_IPV4;

	for (int proto = 0; proto < SCN_PROTO_MAX && flow_has_inner_ip(key); proto++)
		if (key->inner_ipproto == truth_ipproto((enum scn_proto)proto, v4))
			return proto;
	return -1;
}

int truth_pair_compare(const void *a, const void *b)
{
	const struct truth_pair *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	if (x->proto != y->proto)
		return x->proto < y->proto ? -1 : 1;
	return (x->which > y->which) - (x->which < y->which);
}

enum truth_place truth_next(enum scn_proto proto, enum truth_place place)
{
	if (proto == SCN_UDP && place == TRUTH_ARRIVED)
		return TRUTH_RECEIVED;
	return place + 1;
}

/* ------------------------------------------------------------------ collecting */

enum { A_FLOW = -1 };

struct way {
	struct truth_pair pair; /* `which`: a stream of the sample, or A_FLOW */
	uint64_t left, arrived;
};

static bool same_way(const struct way *a, const struct way *b)
{
	return a->pair.from == b->pair.from && a->pair.to == b->pair.to && a->pair.proto == b->pair.proto;
}

/* What is flooded arrives at several hosts, at the right one once at most. */
static uint64_t arrived_of(const struct sample_flow *f)
{
	return f->bum ? least(f->value.tx.packets, f->value.rx.packets) : f->value.rx.packets;
}

static size_t list_ways(const struct sample *s, struct way *list)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_streams; i++)
		list[n++] = (struct way){ .pair = { s->streams[i].from, s->streams[i].to, s->streams[i].proto, (uint32_t)i } };
	for (size_t i = 0; i < s->n_flows; i++) {
		const struct sample_flow *f = &s->flows[i];
		int proto = truth_proto(&f->key);

		if (proto >= 0 && f->src_client >= 0 && f->dst_client >= 0)
			list[n++] = (struct way){ { (uint32_t)f->src_client, (uint32_t)f->dst_client, (uint32_t)proto, (uint32_t)A_FLOW },
						  f->value.tx.packets, arrived_of(f) };
	}
	qsort(list, n, sizeof(*list), truth_pair_compare); /* by its first member */
	return n;
}

/* ------------------------------------------------------------------ rows */

/* What both ways of a pair are made of, before it is split into rows. Flows without a generator have none of their own, but may be
 * the answers to one. */
struct draft {
	struct truth_row row;                 /* its generators' own figures, none of the monitor's */
	uint64_t slack;                       /* packets that may be on their way */
	uint64_t seen_leaving, seen_arriving; /* by the monitor, whatever they are */
};

static void add_stream(struct draft *d, const struct sample *s, const struct sample_stream *x)
{
	const struct sample_generator *g = &s->generators[x->generator];
	uint64_t ran_ns = less(g->last_ns, g->first_ns);

	d->row.n_streams++;
	d->row.count[TRUTH_SENT] += x->sent;
	d->row.count[TRUTH_RECEIVED] += x->received;
	d->row.duplicates += x->duplicates;
	d->row.send_errors += x->send_errors;
	if (g->state == GEN_DONE)
		return;
	d->row.running = true;
	d->slack += 1 + (ran_ns > SECOND_NS ? (uint64_t)((double)x->sent * SECOND_NS / (double)ran_ns) : x->sent);
}

/* Ascending by pair; fills streams. How many. */
static size_t draft_rows(const struct sample *s, const struct way *ways, size_t n, struct draft *drafts, uint32_t *streams)
{
	size_t n_drafts = 0;
	uint32_t n_streams = 0;

	for (size_t i = 0; i < n; i++) {
		struct draft *d = &drafts[n_drafts];

		if (i && same_way(&ways[i - 1], &ways[i]))
			d--;
		else
			drafts[n_drafts++] = (struct draft){ .row = { .from = ways[i].pair.from, .to = ways[i].pair.to,
								      .proto = ways[i].pair.proto, .stream0 = n_streams } };
		d->seen_leaving += ways[i].left;
		d->seen_arriving += ways[i].arrived;
		if (ways[i].pair.which == (uint32_t)A_FLOW)
			continue;
		streams[n_streams++] = ways[i].pair.which;
		add_stream(d, s, &s->streams[ways[i].pair.which]);
	}
	return n_drafts;
}

static int compare_rows(const void *a, const void *b)
{
	const struct truth_row *x = a, *y = b;
	const struct truth_pair one = { x->from, x->to, x->proto, 0 }, other = { y->from, y->to, y->proto, 0 };

	return truth_pair_compare(&one, &other);
}

/* Received answers have come all of the way: at least so many were sent. */
static uint64_t answers_to(const struct draft *d)
{
	return d->row.count[TRUTH_RECEIVED] + d->row.duplicates;
}

/* Requests of d that left its host, where the flow also holds the answers to `back`. */
static uint64_t requests_left(const struct draft *d, const struct draft *back, bool v4)
{
	uint64_t too_many = v4 ? less(d->seen_leaving, d->row.count[TRUTH_SENT] + back->row.count[TRUTH_SENT]) : 0;

	return least(less(d->seen_leaving, answers_to(back)), d->row.count[TRUTH_SENT] + too_many);
}

static uint64_t requests_arrived(const struct draft *d, const struct draft *back, bool v4)
{
	return least(less(d->seen_arriving, answers_to(back)), requests_left(d, back, v4));
}

static void count_pings(struct truth_row *row, const struct draft *d, const struct draft *back, bool v4)
{
	uint64_t too_many = v4 && !back->row.n_streams ? less(back->seen_leaving, d->row.count[TRUTH_SENT]) : 0;

	row->count[TRUTH_LEFT] = requests_left(d, back, v4);
	row->count[TRUTH_ARRIVED] = requests_arrived(d, back, v4);
	row->count[TRUTH_ANSWERED] = least(less(back->seen_leaving, back->row.n_streams ? requests_left(back, d, v4) : 0),
					   row->count[TRUTH_ARRIVED] + too_many);
	row->count[TRUTH_RETURNED] = least(less(back->seen_arriving, back->row.n_streams ? requests_arrived(back, d, v4) : 0),
					   row->count[TRUTH_ANSWERED]);
}

static enum truth_place first_difference(const struct truth_row *row, uint64_t slack)
{
	enum truth_place at = TRUTH_SENT, next;

	for (; (next = truth_next(row->proto, at)) < TRUTH_PLACE_MAX; at = next) {
		uint64_t there = row->count[next] + (next == TRUTH_RECEIVED ? row->duplicates : 0), here = row->count[at];

		if (there + slack < here || there > here + slack)
			return next;
	}
	return TRUTH_PLACE_MAX;
}

static void finish_row(const struct plan *plan, const struct draft *d, const struct draft *drafts, size_t n, struct truth_row *row)
{
	const struct truth_row key = { .from = d->row.to, .to = d->row.from, .proto = d->row.proto };
	const struct draft none = { 0 }, *back = NULL;

	if (d->row.proto == SCN_PING)
		back = bsearch(&key, drafts, n, sizeof(*drafts), compare_rows); /* by its first member */
	*row = d->row;
	row->both_ways = back && back->row.n_streams;
	if (row->proto == SCN_PING) {
		count_pings(row, d, back ? back : &none, addr_is_v4(&plan->clients[row->from].addr));
	} else {
		row->count[TRUTH_LEFT] = d->seen_leaving;
		row->count[TRUTH_ARRIVED] = d->seen_arriving;
	}
	row->parts = first_difference(row, d->slack);
}

int truth_make(const struct plan *plan, const struct sample *s, struct truth *ret)
{
	size_t room = s->n_streams + s->n_flows + 1, n;
	struct way *ways = malloc(room * sizeof(*ways));
	struct draft *drafts = malloc(room * sizeof(*drafts));
	struct truth t = {
		.rows = malloc((s->n_streams + 1) * sizeof(*t.rows)), .streams = malloc((s->n_streams + 1) * sizeof(*t.streams)),
	};

	if (ways && drafts && t.rows && t.streams) {
		n = draft_rows(s, ways, list_ways(s, ways), drafts, t.streams);
		for (size_t i = 0; i < n; i++)
			if (drafts[i].row.n_streams)
				finish_row(plan, &drafts[i], drafts, n, &t.rows[t.n++]);
		*ret = t;
	}
	free(ways);
	free(drafts);
	if (ways && drafts && t.rows && t.streams)
		return 0;
	truth_free(&t);
	return -ENOMEM;
}

void truth_free(struct truth *t)
{
	free(t->rows);
	free(t->streams);
	*t = (struct truth){ 0 };
}

const struct truth_row *truth_find(const struct truth *t, uint32_t from, uint32_t to, enum scn_proto proto)
{
	const struct truth_row key = { .from = from, .to = to, .proto = proto };

	return t->n ? bsearch(&key, t->rows, t->n, sizeof(*t->rows), compare_rows) : NULL;
}

const struct truth_row *truth_of(const struct truth *t, uint32_t from, size_t *ret_n)
{
	size_t low = 0, high = t->n, end;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->rows[mid].from < from)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < t->n && t->rows[end].from == from;)
		end++;
	*ret_n = end - low;
	return t->rows + low;
}

uint64_t truth_missing(const struct truth_row *row)
{
	return less(row->count[TRUTH_SENT], row->count[TRUTH_RECEIVED]);
}

/* ------------------------------------------------------------------ words */

const char *truth_where(const struct plan *plan, const struct truth_row *row, char *buf, size_t len)
{
	unsigned from = plan->clients[row->from].host, to = plan->clients[row->to].host;
	unsigned long long n[TRUTH_PLACE_MAX];

	for (int i = 0; i < TRUTH_PLACE_MAX; i++)
		n[i] = row->count[i];
	n[TRUTH_RECEIVED] += row->duplicates;
	buf[0] = '\0';
	switch (row->parts) {
	case TRUTH_LEFT:
		if (n[TRUTH_LEFT] > n[TRUTH_SENT])
			(void)snprintf(buf, len, "nowhere: %llu left host%u and c%u's generators sent %llu, so another program sends there, too",
				       n[TRUTH_LEFT], from, row->from, n[TRUTH_SENT]);
		else
			(void)snprintf(buf, len, "before leaving host%u: c%u sent %llu, host%u's eth0 %llu", from, row->from,
				       n[TRUTH_SENT], from, n[TRUTH_LEFT]);
		break;
	case TRUTH_ARRIVED:
		(void)snprintf(buf, len, "between host%u and host%u: %llu left, %llu arrived", from, to, n[TRUTH_LEFT], n[TRUTH_ARRIVED]);
		break;
	case TRUTH_ANSWERED:
		(void)snprintf(buf, len, "behind host%u: %llu arrived, c%u's answers that left are %llu", to, n[TRUTH_ARRIVED], row->to,
			       n[TRUTH_ANSWERED]);
		break;
	case TRUTH_RETURNED:
		(void)snprintf(buf, len, "the answers between host%u and host%u: %llu left, %llu arrived", to, from, n[TRUTH_ANSWERED],
			       n[TRUTH_RETURNED]);
		break;
	case TRUTH_RECEIVED:
		if (row->proto == SCN_PING)
			(void)snprintf(buf, len, "the answers behind host%u: %llu arrived, c%u received %llu", from, n[TRUTH_RETURNED],
				       row->from, n[TRUTH_RECEIVED]);
		else
			(void)snprintf(buf, len, "behind host%u: %llu arrived, c%u received %llu", to, n[TRUTH_ARRIVED], row->to,
				       n[TRUTH_RECEIVED]);
		break;
	case TRUTH_SENT:
	case TRUTH_PLACE_MAX:
		break;
	}
	return buf;
}
