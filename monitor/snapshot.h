/* SPDX-License-Identifier: Apache-2.0 */
/* The newest sample, handed from the thread that takes it to the threads that serve it: mutex, swap, wake. */
#ifndef TUNLAB_MONITOR_SNAPSHOT_H
#define TUNLAB_MONITOR_SNAPSHOT_H

#include "monitor/sample.h"

struct snapshot;

int snapshot_new(struct snapshot **ret);
void snapshot_free(struct snapshot *s); /* after the last reader; NULL is fine */

/* Publishes a sample (takes over the reference) with its live-feed text (takes over the string). */
void snapshot_publish(struct snapshot *s, struct sample *sample, char *event);
/* No more samples will come: waiting readers return. */
void snapshot_end(struct snapshot *s);

/* The newest sample, with a reference for the caller; NULL before the first. */
struct sample *snapshot_get(struct snapshot *s);
/* Waits for a sample newer than seq. Returns a copy of its event text (free it) and its seq; NULL after timeout_ms with
 * *ret_ended false, or at the end with *ret_ended true. */
char *snapshot_wait(struct snapshot *s, uint64_t seq, int timeout_ms, uint64_t *ret_seq, bool *ret_ended);

#endif
