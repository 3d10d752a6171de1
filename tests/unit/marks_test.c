/* SPDX-License-Identifier: Apache-2.0 */
/* monitor/marks.c: the bounded log, and copies of it that samples share. */
#include <stdlib.h>

#include "monitor/marks.h"
#include "tests/unit/t.h"

static void add(struct mark_log *log, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct mark m = { .at_s = (double)log->total };

		(void)snprintf(m.text, sizeof(m.text), "change %u", (unsigned)log->total + 1);
		mark_log_add(log, &m);
	}
}

TEST(marks_are_numbered_and_the_newest_kept)
{
	struct mark_log *log = calloc(1, sizeof(*log));
	struct marks *m = marks_take(log, NULL);

	eq_u64(m->n, 0);
	marks_unref(m);
	add(log, MARKS_MAX);
	m = marks_take(log, NULL);
	eq_u64(m->n, MARKS_MAX);
	eq_u64(m->v[0].seq, 1);
	eq_str(m->v[0].text, "change 1");
	marks_unref(m);
	add(log, 3);
	m = marks_take(log, NULL);
	eq_u64(m->n, MARKS_MAX);
	eq_u64(m->total, MARKS_MAX + 3);
	for (size_t i = 0; i < m->n; i++)
		eq_u64(m->v[i].seq, i + 4);
	eq_str(m->v[MARKS_MAX - 1].text, "change 259");
	marks_unref(m);
	free(log);
}

/* However much was done since. */
TEST(the_latest_event_is_remembered)
{
	struct mark_log *log = calloc(1, sizeof(*log));
	struct mark late = { .late_s = 0.75, .name = "cut" }, less = { .late_s = 0.5, .name = "mend" };
	struct marks *m;

	mark_log_add(log, &late);
	mark_log_add(log, &less);
	add(log, MARKS_MAX);
	m = marks_take(log, NULL);
	eq_u64(m->v[0].seq, 3);
	eq_str(m->late_name, "cut");
	ok(m->late_s == 0.75);
	marks_unref(m);
	free(log);
}

TEST(what_did_not_change_is_shared)
{
	struct mark_log *log = calloc(1, sizeof(*log));
	struct marks *a, *b, *c;

	add(log, 2);
	a = marks_take(log, NULL);
	b = marks_take(log, a);
	ok(a == b);
	add(log, 1);
	c = marks_take(log, b);
	ok(c != b);
	eq_u64(b->n, 2); /* as it was */
	eq_u64(c->n, 3);
	marks_unref(a);
	eq_u64(b->v[1].seq, 2); /* the other reference holds it */
	marks_unref(b);
	marks_unref(c);
	marks_unref(NULL);
	free(log);
}
