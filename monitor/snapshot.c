/* SPDX-License-Identifier: Apache-2.0 */
/* One writer, many readers; see snapshot.h. Sums, texts and freeing stay outside the lock. */
#include "monitor/snapshot.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct snapshot {
	pthread_mutex_t lock;
	pthread_cond_t changed;       /* on CLOCK_MONOTONIC */
	struct sample *newest;
	struct snapshot_event *event; /* of the newest sample that has one */
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
	snapshot_event_unref(s->event);
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct snapshot_event *make_event(uint64_t seq, char *text)
{
	struct snapshot_event *e = text ? malloc(sizeof(*e)) : NULL;

	if (!e) {
		free(text);
		return NULL;
	}
	*e = (struct snapshot_event) { .seq = seq, .len = strlen(text), .text = text, .refs = 1 };
	return e;
}

void snapshot_publish(struct snapshot *s, struct sample *sample, char *text)
{
	struct snapshot_event *event = make_event(sample->seq, text), *old_event = NULL;
	struct history_entry entry;
	/* No memory: one interval is missing from the history, and shows as such by its seq. */
	bool summed = history_sum(sample, &entry) == 0;
	struct sample *old;

	(void)pthread_mutex_lock(&s->lock);
	if (summed)
		history_add(&s->history, &entry);
	old = s->newest;
	s->newest = sample;
	if (event) {
		old_event = s->event;
		s->event = event;
	}
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
	sample_unref(old);
	snapshot_event_unref(old_event);
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

struct snapshot_event *snapshot_wait(struct snapshot *s, uint64_t seq, int timeout_ms, bool *ret_ended)
{
	struct timespec deadline = deadline_after(timeout_ms);
	struct snapshot_event *event = NULL;
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	while (!s->ended && r != ETIMEDOUT && (!s->event || s->event->seq <= seq))
		r = pthread_cond_timedwait(&s->changed, &s->lock, &deadline);
	if (s->event && s->event->seq > seq) {
		event = s->event;
		(void)__atomic_add_fetch(&event->refs, 1, __ATOMIC_RELAXED);
	} else {
		*ret_ended = s->ended;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return event;
}

void snapshot_event_unref(struct snapshot_event *e)
{
	if (!e || __atomic_sub_fetch(&e->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free(e->text);
	free(e);
}

int snapshot_history(struct snapshot *s, uint64_t since, struct history_entry **ret_entries, size_t *ret_n)
{
	int r;

	(void)pthread_mutex_lock(&s->lock);
	r = history_get(&s->history, since, ret_entries, ret_n);
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}
