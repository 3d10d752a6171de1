/* SPDX-License-Identifier: Apache-2.0 */
/* What the last samples added up to; see history.h. */
#include "monitor/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/rows.h"

static int compare_vni(const void *a, const void *b)
{
	const struct history_vni *x = a, *y = b;

	return (x->vni > y->vni) - (x->vni < y->vni);
}

static int compare_size(const void *a, const void *b)
{
	const struct history_vni *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return compare_vni(a, b);
}

/* Items of the same VNI, which are neighbours, become one. */
static size_t merge(struct history_vni *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept && v[kept - 1].vni == v[i].vni) {
			v[kept - 1].packets += v[i].packets;
			v[kept - 1].bytes += v[i].bytes;
		} else {
			v[kept++] = v[i];
		}
	}
	return kept;
}

/* Sums by VNI. There are few, as a rule, each with a place of its own; there may be as many as flows, and chosen so that they want
 * the same place: who comes later gets it, who was there goes into the list, which is sorted at the end. */
enum { PLACES = 256 };

struct sums {
	struct history_vni places[PLACES]; /* packets 0: free */
	struct history_vni *list;
	size_t n;
};

/* packets is not 0. */
static void add_to_vni(struct sums *s, int64_t vni, uint64_t packets, uint64_t bytes)
{
	struct history_vni *v = &s->places[(uint64_t)vni % PLACES];

	if (v->packets && v->vni != vni) {
		s->list[s->n++] = *v;
		*v = (struct history_vni) { 0 };
	}
	v->vni = vni;
	v->packets += packets;
	v->bytes += bytes;
}

/* All in the list, each VNI once, biggest first. */
static void put_in_order(struct sums *s)
{
	for (size_t i = 0; i < PLACES; i++)
		if (s->places[i].packets)
			s->list[s->n++] = s->places[i];
	qsort(s->list, s->n, sizeof(*s->list), compare_vni);
	s->n = merge(s->list, s->n);
	qsort(s->list, s->n, sizeof(*s->list), compare_size);
}

static void keep_busiest(struct history_entry *e, const struct history_vni *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (e->n_vnis < HISTORY_VNIS_MAX) {
			e->vnis[e->n_vnis++] = v[i];
		} else {
			e->rest.packets += v[i].packets;
			e->rest.bytes += v[i].bytes;
		}
	}
}

int history_sum(const struct sample *s, struct history_entry *ret_entry)
{
	struct history_entry e = {
		.seq = s->seq, .unix_s = s->unix_s, .interval_s = s->interval_s, .marks_then = s->marks_then,
		.marks = s->marks ? s->marks->total : s->marks_then,
	};
	struct sums sums = { .list = malloc((s->n_flows + PLACES) * sizeof(*sums.list)) };

	if (!sums.list)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_flows; i++) {
		const struct sample_flow *f = &s->flows[i];
		struct flow_count then, now = sample_flow_size(s, f, &then);
		uint64_t packets = now.packets - then.packets, bytes = now.bytes - then.bytes;

		e.packets += packets;
		e.bytes += bytes;
		e.received_packets += f->value.rx.packets - f->received_then.packets;
		e.received_bytes += f->value.rx.bytes - f->received_then.bytes;
		if (packets)
			add_to_vni(&sums, flow_vni(&f->key), packets, bytes);
	}
	put_in_order(&sums);
	keep_busiest(&e, sums.list, sums.n);
	free(sums.list);
	*ret_entry = e;
	return 0;
}

void history_add(struct history *h, const struct history_entry *e)
{
	if (e->interval_s > 0)
		h->entries[h->n++ % HISTORY_MAX] = *e;
}

int history_get(const struct history *h, uint64_t since, struct history_entry **ret_entries, size_t *ret_n)
{
	uint64_t first = h->n > HISTORY_MAX ? h->n - HISTORY_MAX : 0;
	struct history_entry *copy;
	size_t n;

	while (first < h->n && h->entries[first % HISTORY_MAX].seq <= since)
		first++;
	n = (size_t)(h->n - first);
	copy = malloc((n + 1) * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		copy[i] = h->entries[(first + i) % HISTORY_MAX];
	*ret_entries = copy;
	*ret_n = n;
	return 0;
}
