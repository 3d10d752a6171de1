/* SPDX-License-Identifier: Apache-2.0 */
/* monitor/snapshot.c: one writer, many readers, whatever their pace. Samples here are empty but for their numbers. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "monitor/snapshot.h"
#include "tests/unit/t.h"

static struct sample *empty_sample(uint64_t seq)
{
	struct sample *s = calloc(1, sizeof(*s));

	s->refs = 1;
	s->seq = seq;
	s->interval_s = seq > 1 ? 1 : 0;
	return s;
}

static void publish(struct snapshot *s, uint64_t seq)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "event %" PRIu64, seq);
	snapshot_publish(s, empty_sample(seq), strdup(text));
}

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

TEST(there_is_nothing_before_the_first_sample)
{
	struct snapshot *s;
	bool ended = true;
	double before = seconds();

	if (!ok(!snapshot_new(&s)))
		return;
	ok(!snapshot_get(s));
	ok(!snapshot_wait(s, 0, 30, &ended));
	ok(!ended);
	ok(seconds() - before >= 0.029);
	snapshot_free(s);
	snapshot_free(NULL);
}

TEST(a_slow_reader_gets_the_newest)
{
	struct snapshot_event *e;
	struct sample *newest;
	struct snapshot *s;
	bool ended;

	if (!ok(!snapshot_new(&s)))
		return;
	for (uint64_t seq = 1; seq <= 5; seq++)
		publish(s, seq);
	e = snapshot_wait(s, 1, 0, &ended);
	if (ok(e)) {
		eq_u64(e->seq, 5);
		eq_str(e->text, "event 5");
		eq_u64(e->len, 7);
	}
	publish(s, 6); /* what was handed out stays */
	eq_str(e->text, "event 5");
	snapshot_event_unref(e);
	newest = snapshot_get(s);
	eq_u64(newest->seq, 6);
	sample_unref(newest);
	snapshot_free(s);
}

TEST(a_sample_without_text_is_served_all_the_same)
{
	struct snapshot_event *e;
	struct sample *newest;
	struct snapshot *s;
	bool ended;

	if (!ok(!snapshot_new(&s)))
		return;
	publish(s, 1);
	snapshot_publish(s, empty_sample(2), NULL); /* there was no memory for it */
	newest = snapshot_get(s);
	eq_u64(newest->seq, 2);
	sample_unref(newest);
	e = snapshot_wait(s, 0, 0, &ended);
	eq_u64(e->seq, 1);
	snapshot_event_unref(e);
	snapshot_free(s);
}

TEST(the_last_event_is_handed_out_before_the_end)
{
	struct snapshot_event *e;
	struct snapshot *s;
	bool ended = false;

	if (!ok(!snapshot_new(&s)))
		return;
	publish(s, 1);
	snapshot_end(s);
	snapshot_end(s);
	e = snapshot_wait(s, 0, 1000, &ended);
	ok(e && !ended);
	ok(!snapshot_wait(s, e->seq, 1000, &ended));
	ok(ended);
	snapshot_event_unref(e);
	snapshot_free(s);
}

TEST(history_skips_the_first_sample_and_is_bounded)
{
	struct history_entry *entries;
	struct snapshot *s;
	size_t n;

	if (!ok(!snapshot_new(&s)))
		return;
	for (uint64_t seq = 1; seq <= HISTORY_MAX + 10; seq++)
		publish(s, seq);
	if (ok(!snapshot_history(s, 0, &entries, &n))) {
		eq_u64(n, HISTORY_MAX);
		eq_u64(entries[0].seq, 11);
		free(entries);
	}
	snapshot_free(s);
}

enum { READERS = 8, SAMPLES = 2000 };

struct reader {
	pthread_t thread;
	struct snapshot *snapshot;
	uint64_t events, mistakes, last;
};

static void *read_all(void *arg)
{
	struct reader *r = arg;
	bool ended = false;
	char expected[32];

	while (!ended) {
		struct snapshot_event *e = snapshot_wait(r->snapshot, r->last, 50, &ended);
		struct sample *newest = snapshot_get(r->snapshot);

		if (e) {
			(void)snprintf(expected, sizeof(expected), "event %" PRIu64, e->seq);
			r->mistakes += e->seq <= r->last || strcmp(e->text, expected) || !newest || newest->seq < e->seq;
			r->last = e->seq;
			r->events++;
		}
		snapshot_event_unref(e);
		sample_unref(newest);
	}
	return NULL;
}

/* The sequence never goes back for any reader, every text is whole, and all see the last one. */
TEST(many_readers_and_one_writer)
{
	struct reader readers[READERS] = { 0 };
	struct snapshot *s;

	if (!ok(!snapshot_new(&s)))
		return;
	for (int i = 0; i < READERS; i++) {
		readers[i].snapshot = s;
		ok(!pthread_create(&readers[i].thread, NULL, read_all, &readers[i]));
	}
	for (uint64_t seq = 1; seq <= SAMPLES; seq++)
		publish(s, seq);
	snapshot_end(s);
	for (int i = 0; i < READERS; i++) {
		(void)pthread_join(readers[i].thread, NULL);
		eq_u64(readers[i].mistakes, 0);
		eq_u64(readers[i].last, SAMPLES);
		ok(readers[i].events > 0);
	}
	snapshot_free(s);
}
