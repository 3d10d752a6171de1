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
	static const struct plan no_hosts;

	snapshot_publish(s, empty_sample(seq), &no_hosts);
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
	struct sample *late, *newest;
	struct snapshot *s;
	bool ended;

	if (!ok(!snapshot_new(&s)))
		return;
	for (uint64_t seq = 1; seq <= 5; seq++)
		publish(s, seq);
	late = snapshot_wait(s, 1, 0, &ended);
	if (ok(late))
		eq_u64(late->seq, 5);
	publish(s, 6); /* what was handed out stays */
	eq_u64(late->seq, 5);
	sample_unref(late);
	newest = snapshot_get(s);
	eq_u64(newest->seq, 6);
	sample_unref(newest);
	snapshot_free(s);
}

TEST(frames_come_in_order_and_none_is_left_out)
{
	struct snapshot_frame *f;
	struct snapshot *s;
	bool ended = false;

	if (!ok(!snapshot_new(&s)))
		return;
	eq_u64(snapshot_oldest(s), 0);
	for (uint64_t seq = 1; seq <= 5; seq++)
		publish(s, seq);
	eq_u64(snapshot_oldest(s), 2); /* the first sample has no interval */
	for (uint64_t seq = 2; seq <= 5; seq++) {
		f = snapshot_next(s, seq - 1, 0, &ended);
		if (!ok(f))
			continue;
		eq_u64(f->seq, seq);
		eq_u64(f->len, strlen(f->text));
		ok(strstr(f->text, "\"grown\":[]"));
		snapshot_frame_unref(f);
	}
	ok(!snapshot_next(s, 5, 0, &ended) && !ended);
	snapshot_end(s);
	ok(!snapshot_next(s, 5, 0, &ended) && ended);
	snapshot_free(s);
}

TEST(a_reader_slower_than_the_ring_goes_on_with_the_oldest)
{
	struct snapshot_frame *kept, *f;
	struct snapshot *s;
	bool ended;

	if (!ok(!snapshot_new(&s)))
		return;
	publish(s, 1);
	publish(s, 2);
	kept = snapshot_next(s, 0, 0, &ended);
	for (uint64_t seq = 3; seq <= HISTORY_MAX + 10; seq++)
		publish(s, seq);
	eq_u64(kept->seq, 2); /* what was handed out stays */
	f = snapshot_next(s, kept->seq, 0, &ended);
	eq_u64(f->seq, 11);
	eq_u64(snapshot_oldest(s), 11);
	snapshot_frame_unref(kept);
	snapshot_frame_unref(f);
	snapshot_free(s);
}

TEST(the_last_sample_is_handed_out_before_the_end)
{
	struct sample *last;
	struct snapshot *s;
	bool ended = false;

	if (!ok(!snapshot_new(&s)))
		return;
	publish(s, 1);
	snapshot_end(s);
	snapshot_end(s);
	last = snapshot_wait(s, 0, 1000, &ended);
	ok(last && !ended);
	ok(!snapshot_wait(s, last->seq, 1000, &ended));
	ok(ended);
	sample_unref(last);
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
		struct snapshot_frame *f = snapshot_next(r->snapshot, r->last, 50, &ended);
		struct sample *newest = snapshot_get(r->snapshot);

		if (f) {
			(void)snprintf(expected, sizeof(expected), "{\"seq\":%" PRIu64 ",", f->seq);
			r->mistakes += f->seq <= r->last || strncmp(f->text, expected, strlen(expected)) || !newest ||
				       newest->seq < f->seq;
			r->last = f->seq;
			r->events++;
		}
		snapshot_frame_unref(f);
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
