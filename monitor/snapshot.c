/* SPDX-License-Identifier: Apache-2.0 */
/* One writer, many readers; see snapshot.h. Sums, texts and freeing stay outside the lock. */
#include "monitor/snapshot.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "monitor/feed.h"
#include "monitor/view.h"

struct snapshot {
	pthread_mutex_t lock;
	pthread_cond_t changed;       /* on CLOCK_MONOTONIC */
	struct sample *newest;
	struct snapshot_frame *frames[HISTORY_MAX]; /* a ring, as the history's */
	uint64_t n_frames;            /* ever added */
	bool ended;
	struct history history;
};

int snapshot_new(struct snapshot **ret)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int r;

	if (!s)
		return -ENOMEM;
	(void)pthread_mutex_init(&s->lock, NULL); /* cannot fail for the default kind */
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	r = pthread_cond_init(&s->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (r) {
		free(s);
		return -r;
	}
	*ret = s;
	return 0;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	sample_unref(s->newest);
	for (size_t i = 0; i < HISTORY_MAX; i++)
		snapshot_frame_unref(s->frames[i]);
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct snapshot_frame *wrap(uint64_t seq, char *text)
{
	struct snapshot_frame *f = text ? malloc(sizeof(*f)) : NULL;

	if (!f) {
		free(text);
		return NULL;
	}
	*f = (struct snapshot_frame) { .seq = seq, .len = strlen(text), .text = text, .refs = 1 };
	return f;
}

/* The first sample's interval has no length: it makes no frame. */
static struct snapshot_frame *make_frame(struct sample *sample, const struct plan *plan, const struct history_entry *entry)
{
	struct feed_picks picks;
	struct snapshot_frame *f;

	if (sample->interval_s <= 0 || feed_pick(sample, FEED_TOP, &picks))
		return NULL;
	f = wrap(sample->seq, view_frame(plan, sample, &picks, entry));
	if (f)
		feed_mark(sample, &picks);
	feed_picks_free(&picks);
	return f;
}

void snapshot_publish(struct snapshot *s, struct sample *sample, const struct plan *plan)
{
	struct history_entry entry;
	bool summed = history_sum(sample, &entry) == 0;
	struct snapshot_frame *frame = summed ? make_frame(sample, plan, &entry) : NULL, *old_frame = NULL;
	struct sample *old;

	(void)pthread_mutex_lock(&s->lock);
	if (summed)
		history_add(&s->history, &entry);
	old = s->newest;
	s->newest = sample;
	if (frame) {
		old_frame = s->frames[s->n_frames % HISTORY_MAX];
		s->frames[s->n_frames++ % HISTORY_MAX] = frame;
	}
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
	sample_unref(old);
	snapshot_frame_unref(old_frame);
}

void snapshot_end(struct snapshot *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->ended = true;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}

struct sample *snapshot_get(struct snapshot *s)
{
	struct sample *newest;

	(void)pthread_mutex_lock(&s->lock);
	newest = s->newest ? sample_ref(s->newest) : NULL;
	(void)pthread_mutex_unlock(&s->lock);
	return newest;
}

static struct timespec deadline_after(int ms)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

struct sample *snapshot_wait(struct snapshot *s, uint64_t seq, int timeout_ms, bool *ret_ended)
{
	struct timespec deadline = deadline_after(timeout_ms);
	struct sample *sample = NULL;
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	while (!s->ended && r != ETIMEDOUT && (!s->newest || s->newest->seq <= seq))
		r = pthread_cond_timedwait(&s->changed, &s->lock, &deadline);
	if (s->newest && s->newest->seq > seq)
		sample = sample_ref(s->newest);
	else
		*ret_ended = s->ended;
	(void)pthread_mutex_unlock(&s->lock);
	return sample;
}

/* Locked. Frames ascend by seq. */
static struct snapshot_frame *frame_after(const struct snapshot *s, uint64_t seq)
{
	uint64_t first = s->n_frames > HISTORY_MAX ? s->n_frames - HISTORY_MAX : 0, end = s->n_frames;

	while (first < end) {
		uint64_t middle = first + (end - first) / 2;

		if (s->frames[middle % HISTORY_MAX]->seq <= seq)
			first = middle + 1;
		else
			end = middle;
	}
	return first < s->n_frames ? s->frames[first % HISTORY_MAX] : NULL;
}

struct snapshot_frame *snapshot_next(struct snapshot *s, uint64_t seq, int timeout_ms, bool *ret_ended)
{
	struct timespec deadline = deadline_after(timeout_ms);
	struct snapshot_frame *frame;
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	while (!(frame = frame_after(s, seq)) && !s->ended && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&s->changed, &s->lock, &deadline);
	if (frame)
		(void)__atomic_add_fetch(&frame->refs, 1, __ATOMIC_RELAXED);
	else
		*ret_ended = s->ended;
	(void)pthread_mutex_unlock(&s->lock);
	return frame;
}

void snapshot_frame_unref(struct snapshot_frame *f)
{
	if (!f || __atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free(f->text);
	free(f);
}

uint64_t snapshot_oldest(struct snapshot *s)
{
	struct snapshot_frame *oldest;
	uint64_t seq;

	(void)pthread_mutex_lock(&s->lock);
	oldest = frame_after(s, 0);
	seq = oldest ? oldest->seq : 0;
	(void)pthread_mutex_unlock(&s->lock);
	return seq;
}

int snapshot_history(struct snapshot *s, uint64_t since, struct history_entry **ret_entries, size_t *ret_n)
{
	int r;

	(void)pthread_mutex_lock(&s->lock);
	r = history_get(&s->history, since, ret_entries, ret_n);
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}
