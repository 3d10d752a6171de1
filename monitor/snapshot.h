/* SPDX-License-Identifier: Apache-2.0 */
/* The newest sample, handed from the thread that takes it to the threads that serve it (mutex, swap, wake), and the
 * history of those before it: sums, and the page's frames. */
#ifndef TUNLAB_MONITOR_SNAPSHOT_H
#define TUNLAB_MONITOR_SNAPSHOT_H

#include "monitor/history.h"
#include "monitor/sample.h"

struct snapshot;

/* A sample's frame of the page's feed (feed.h), made once and shared by everybody who sends it. */
struct snapshot_frame {
	uint64_t seq;
	size_t len;
	char *text;
	int refs; /* private to snapshot.c; atomic */
};

int snapshot_new(struct snapshot **ret);
void snapshot_free(struct snapshot *s); /* after the last reader; NULL is fine */

/* Publishes a sample (takes over the reference) and adds it to the history; for want of memory an interval may be missing
 * there, which shows by its seq. */
void snapshot_publish(struct snapshot *s, struct sample *sample, const struct plan *plan);
/* No more samples will come: waiting readers return. Twice is fine. */
void snapshot_end(struct snapshot *s);

/* The newest sample, with a reference for the caller (sample_unref); NULL before the first. */
struct sample *snapshot_get(struct snapshot *s);
/* Waits at most timeout_ms for a sample newer than seq; however many came, the newest is returned, with a reference for
 * the caller. NULL after the time is over with *ret_ended false, or at the end with it true. What was not yet seen is handed
 * out before the end is told. */
struct sample *snapshot_wait(struct snapshot *s, uint64_t seq, int timeout_ms, bool *ret_ended);
/* The same for frames, of which none is left out: the first that is newer than seq (snapshot_frame_unref). A reader slower
 * than HISTORY_MAX frames goes on with the oldest there is. */
struct snapshot_frame *snapshot_next(struct snapshot *s, uint64_t seq, int timeout_ms, bool *ret_ended);
void snapshot_frame_unref(struct snapshot_frame *f); /* NULL is fine; any thread */
/* The seq of the oldest frame kept; 0: none. */
uint64_t snapshot_oldest(struct snapshot *s);

/* As history_get(). */
int snapshot_history(struct snapshot *s, uint64_t since, struct history_entry **ret_entries, size_t *ret_n);

#endif
