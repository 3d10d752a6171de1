/* SPDX-License-Identifier: Apache-2.0 */
/* The newest sample, handed from the thread that takes it to the threads that serve it (mutex, swap, wake), and the
 * history of those before it. */
#ifndef TUNLAB_MONITOR_SNAPSHOT_H
#define TUNLAB_MONITOR_SNAPSHOT_H

#include "monitor/history.h"
#include "monitor/sample.h"

struct snapshot;

/* A sample's live-feed text, made once and shared by everybody who sends it. */
struct snapshot_event {
	uint64_t seq;
	size_t len;
	char *text;
	int refs; /* private to snapshot.c; atomic */
};

int snapshot_new(struct snapshot **ret);
void snapshot_free(struct snapshot *s); /* after the last reader; NULL is fine */

/* Publishes a sample (takes over the reference) with its live-feed text (takes over the string; NULL: none could be
 * made) and adds it to the history. */
void snapshot_publish(struct snapshot *s, struct sample *sample, char *event);
/* No more samples will come: waiting readers return. Twice is fine. */
void snapshot_end(struct snapshot *s);

/* The newest sample, with a reference for the caller (sample_unref); NULL before the first. */
struct sample *snapshot_get(struct snapshot *s);
/* Waits at most timeout_ms for an event newer than seq; however many came, the newest is returned, with a reference for
 * the caller (snapshot_event_unref). NULL after the time is over with *ret_ended false, or at the end with it
 * true. An event not yet seen is handed out before the end is told. */
struct snapshot_event *snapshot_wait(struct snapshot *s, uint64_t seq, int timeout_ms, bool *ret_ended);
void snapshot_event_unref(struct snapshot_event *e); /* NULL is fine; any thread */

/* As history_get(). */
int snapshot_history(struct snapshot *s, uint64_t since, struct history_entry **ret_entries, size_t *ret_n);

#endif
