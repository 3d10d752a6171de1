/* SPDX-License-Identifier: Apache-2.0 */
/* monitor/feed.c: which flows the page hears of. Samples here are flows with counts and nothing else. */
#include <stdlib.h>

#include "monitor/feed.h"
#include "monitor/history.h"
#include "tests/unit/t.h"

static struct sample *sample_of(size_t n)
{
	struct sample *s = calloc(1, sizeof(*s));

	s->flows = calloc(n, sizeof(*s->flows));
	s->n_flows = n;
	s->seq = 1000;
	for (size_t i = 0; i < n; i++)
		s->flows[i].id = (uint32_t)i;
	return s;
}

static void free_sample(struct sample *s)
{
	free(s->flows);
	free(s);
}

static void grow(struct sample_flow *f, uint64_t packets, uint64_t bytes)
{
	f->sent_then = (struct flow_count) { 10, 1000, 500 };
	f->value.tx = (struct flow_count) { 10 + packets, 1000 + bytes, 500 + bytes / 2 };
	f->received_then = f->sent_then;
	f->value.rx = f->value.tx;
}

TEST(the_flows_that_grew_most_come_first_and_the_others_are_summed)
{
	enum { N = 5000, TOP = 100 };
	struct sample *s = sample_of(N);
	struct feed_picks p;
	uint64_t sum = 0;

	for (size_t i = 0; i < N; i++)
		grow(&s->flows[i], 1 + i % 3, (i * 7919) % N + 1); /* 7919 is prime: each size once */
	if (!ok(!feed_pick(s, TOP, &p)))
		return;
	eq_u64(p.n, TOP);
	for (size_t i = 0; i < p.n; i++) {
		eq_u64(p.flows[i]->value.tx.bytes - 1000, N - i);
		sum += p.flows[i]->value.tx.bytes - 1000;
	}
	eq_u64(p.rest.flows, N - TOP);
	eq_u64(sum + p.rest.sent.bytes - p.rest.sent_then.bytes, p.total.sent.bytes - p.total.sent_then.bytes);
	eq_u64(p.total.flows, N);
	feed_picks_free(&p);
	free_sample(s);
}

TEST(equals_are_chosen_the_same_each_time)
{
	struct sample *s = sample_of(1000);
	struct feed_picks p;

	for (size_t i = 0; i < 1000; i++)
		grow(&s->flows[i], 1, 100);
	for (size_t top = 1; top < 1000; top += 37) {
		if (!ok(!feed_pick(s, top, &p)))
			return;
		eq_u64(p.n, top);
		for (size_t i = 0; i < p.n; i++)
			eq_u64(p.flows[i]->id, i);
		feed_picks_free(&p);
	}
	free_sample(s);
}

TEST(silent_flows_are_left_out_and_late_arrivals_are_not)
{
	struct sample *s = sample_of(3);
	struct feed_picks p;

	grow(&s->flows[0], 0, 0);
	grow(&s->flows[1], 1, 100);
	grow(&s->flows[2], 1, 100);
	s->flows[2].value.tx = s->flows[2].sent_then; /* sent in the interval before, received in this one */
	if (!ok(!feed_pick(s, FEED_TOP, &p)))
		return;
	eq_u64(p.n, 2);
	eq_u64(p.flows[0]->id, 1);
	eq_u64(p.flows[1]->id, 2);
	eq_u64(p.rest.flows, 0);
	feed_picks_free(&p);
	free_sample(s);
}

TEST(a_flow_is_defined_until_every_page_must_know_it)
{
	struct sample *s = sample_of(2);
	struct feed_picks p;

	grow(&s->flows[0], 1, 100);
	if (!ok(!feed_pick(s, FEED_TOP, &p)))
		return;
	ok(feed_defines(s, p.flows[0]));
	feed_mark(s, &p);
	feed_picks_free(&p);
	s->seq++;
	ok(!feed_defines(s, &s->flows[0]));
	ok(feed_defines(s, &s->flows[1]));
	/* A page that came when the frame that names it had just left the ring was not told of it. */
	s->seq = s->flows[0].listed + HISTORY_MAX;
	ok(!feed_defines(s, &s->flows[0]));
	s->seq++;
	ok(feed_defines(s, &s->flows[0]));
	free_sample(s);
}

TEST(a_newcomer_is_told_what_the_kept_frames_name)
{
	struct sample *s = sample_of(4);
	struct feed_picks p;

	for (size_t i = 0; i < 4; i++)
		grow(&s->flows[i], 0, 0);
	s->flows[1].listed = 400;
	s->flows[2].listed = 399;
	s->flows[3].listed = 900;
	s->flows[3].value.tx.bytes = 9000;
	if (!ok(!feed_pick_known(s, 400, FEED_BASE_TOP, &p)))
		return;
	eq_u64(p.n, 2);
	eq_u64(p.flows[0]->id, 3);
	eq_u64(p.flows[1]->id, 1);
	feed_picks_free(&p);
	ok(!feed_pick_known(s, 0, FEED_BASE_TOP, &p)); /* no frame yet */
	eq_u64(p.n, 3);
	feed_picks_free(&p);
	free_sample(s);
}
