/* SPDX-License-Identifier: Apache-2.0 */
/* Marks: what was done to the lab while it ran, by the scenario's events or live, so that figures can be read beside it. The
 * newest MARKS_MAX are kept. Pure: who does things, and when, is lab/events.c's. */
#ifndef TUNLAB_MONITOR_MARKS_H
#define TUNLAB_MONITOR_MARKS_H

#include "lab/scenario/scenario.h"

enum { MARKS_MAX = 256, MARK_ERROR_LEN = 200 };

struct mark {
	uint64_t seq;             /* 1, 2, 3 …: mark_log_add() numbers them */
	double at_s;              /* on the scenario's time axis; 0 before the clock began */
	double unix_s;
	double late_s;            /* how long after its time an event was done */
	char name[SCN_NAME_LEN];  /* the event's; "": done live */
	char text[SCN_CHECK_LEN]; /* what was done, as an event would say it: "link host3 down" */
	char error[MARK_ERROR_LEN]; /* why it could not be done; "": it was */
};

/* The log of a running lab: the thread that samples writes it. */
struct mark_log {
	struct mark ring[MARKS_MAX];
	uint64_t total;           /* ever added */
	double late_s;            /* the latest event there ever was, by how much; 0: none was late, */
	char late_name[SCN_NAME_LEN]; /* and its name */
};
void mark_log_add(struct mark_log *log, const struct mark *m);

/* The log at one moment, oldest first, shared by the samples in which it was the same. */
struct marks {
	uint64_t total;
	double late_s;            /* as in the log */
	char late_name[SCN_NAME_LEN];
	size_t n;
	int refs;                 /* private to marks.c; atomic */
	struct mark v[];
};
/* `then` when nothing was added since, else a copy; with a reference for the caller either way. `then` may be NULL; NULL:
 * no memory. */
struct marks *marks_take(const struct mark_log *log, struct marks *then);
void marks_unref(struct marks *m); /* NULL is fine; any thread */

#endif
