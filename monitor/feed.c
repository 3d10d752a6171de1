/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing the flows that the page hears of; see feed.h. */
#include "monitor/feed.h"

#include <errno.h>
#include <stdlib.h>

#include "monitor/history.h"

struct candidate {
	uint64_t size, received;
	struct sample_flow *flow;
};

/* Flows of a sample stand in one array, ascending by key: their places settle what is equal, so that the choice does not
 * flutter between flows alike. */
static int compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	if (x->received != y->received)
		return x->received > y->received ? -1 : 1;
	return x->flow < y->flow ? -1 : x->flow > y->flow;
}

static void swap(struct candidate *a, struct candidate *b)
{
	struct candidate kept = *a;

	*a = *b;
	*b = kept;
}

/* Brings the `top` biggest to the front, in any order (quickselect). */
static void select_biggest(struct candidate *c, size_t n, size_t top)
{
	size_t from = 0, to = n;

	while (from < top && top < to) {
		struct candidate pivot = c[from + (to - 1 - from) / 2];
		size_t i = from, j = to - 1;

		for (;; i++, j--) {
			while (compare(&c[i], &pivot) < 0)
				i++;
			while (compare(&c[j], &pivot) > 0)
				j--;
			if (i >= j)
				break;
			swap(&c[i], &c[j]);
		}
		if (top <= j + 1) /* c[from..j] are at least as big as c[j + 1..to) */
			to = j + 1;
		else
			from = j + 1;
	}
}

struct row_count feed_growth(const struct sample *s, const struct sample_flow *f)
{
	struct row_count c = { .flows = 1, .received = f->value.rx, .received_then = f->received_then };

	c.sent = sample_flow_size(s, f, &c.sent_then);
	return c;
}

/* The biggest of those added so far, and some that were added since they were last told apart. */
struct heap {
	struct candidate *c;
	size_t n, room, top;
	size_t total;              /* ever added */
	struct candidate worst;    /* once told apart: what is smaller is not among them */
	bool full;
};

/* Down to `top`. */
static void tell_apart(struct heap *h)
{
	if (h->n <= h->top)
		return;
	select_biggest(h->c, h->n, h->top);
	h->n = h->top;
	h->full = h->n > 0;
	if (h->full)
		h->worst = h->c[0];
	for (size_t i = 1; i < h->n; i++)
		if (compare(&h->c[i], &h->worst) > 0)
			h->worst = h->c[i];
}

static void add_candidate(struct heap *h, struct candidate c)
{
	h->total++;
	if (h->full && compare(&c, &h->worst) > 0)
		return;
	if (h->n == h->room)
		tell_apart(h);
	h->c[h->n++] = c;
}

static int take_biggest(const struct sample *s, struct heap *h, struct feed_picks *p)
{
	tell_apart(h);
	p->flows = malloc((h->n + 1) * sizeof(*p->flows));
	if (!p->flows)
		return -ENOMEM;
	qsort(h->c, h->n, sizeof(*h->c), compare);
	p->n = h->n;
	p->rest = p->total;
	for (size_t i = 0; i < p->n; i++) {
		struct row_count own = feed_growth(s, h->c[i].flow);

		p->flows[i] = h->c[i].flow;
		row_count_take(&p->rest, &own);
	}
	p->rest.flows = h->total - p->n;
	return 0;
}

enum { ROOM = 4 }; /* times `top`, between two selections */

/* By growth, those that grew; else by their size, those listed in frame `oldest` or later. One look at each flow: most are
 * smaller than the `top` biggest so far. */
static int pick(const struct sample *s, bool growth, uint64_t oldest, size_t top, struct feed_picks *ret)
{
	size_t room = (s->n_flows / ROOM < top ? s->n_flows : ROOM * top) + 1;
	struct heap h = { .c = malloc(room * sizeof(*h.c)), .room = room, .top = top };
	struct feed_picks p = { 0 };
	int r;

	if (!h.c)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_flows; i++) {
		struct sample_flow *f = &s->flows[i];
		struct row_count all = feed_growth(s, f);

		row_count_add(&p.total, &all);
		if (!growth) {
			if (f->listed >= oldest)
				add_candidate(&h, (struct candidate) { all.sent.bytes, all.received.bytes, f });
		} else if (all.sent.packets != all.sent_then.packets || all.received.packets != all.received_then.packets) {
			add_candidate(&h, (struct candidate) { all.sent.bytes - all.sent_then.bytes,
							       all.received.bytes - all.received_then.bytes, f });
		}
	}
	r = take_biggest(s, &h, &p);
	free(h.c);
	if (!r)
		*ret = p;
	return r;
}

int feed_pick(const struct sample *s, size_t top, struct feed_picks *ret)
{
	return pick(s, true, 0, top, ret);
}

int feed_pick_known(const struct sample *s, uint64_t oldest, size_t top, struct feed_picks *ret)
{
	return pick(s, false, oldest ? oldest : 1, top, ret);
}

int feed_pick_largest(const struct sample *s, size_t top, struct feed_picks *ret)
{
	return pick(s, false, 0, top, ret);
}

void feed_picks_free(struct feed_picks *p)
{
	free(p->flows);
	*p = (struct feed_picks) { 0 };
}

bool feed_defines(const struct sample *s, const struct sample_flow *f)
{
	return !f->listed || f->listed + HISTORY_MAX < s->seq;
}

void feed_mark(struct sample *s, const struct feed_picks *p)
{
	for (size_t i = 0; i < p->n; i++)
		p->flows[i]->listed = s->seq;
}
