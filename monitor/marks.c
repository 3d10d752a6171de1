/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of marks and copies of it; see marks.h. */
#include "monitor/marks.h"

#include <stdlib.h>
#include <string.h>

void mark_log_add(struct mark_log *log, const struct mark *m)
{
	struct mark *to = &log->ring[log->total++ % MARKS_MAX];

	*to = *m;
	to->seq = log->total;
	if (m->late_s <= log->late_s)
		return;
	log->late_s = m->late_s;
	memcpy(log->late_name, m->name, sizeof(log->late_name));
}

static struct marks *copy(const struct mark_log *log)
{
	uint64_t first = log->total > MARKS_MAX ? log->total - MARKS_MAX : 0;
	size_t n = (size_t)(log->total - first);
	struct marks *m = malloc(sizeof(*m) + n * sizeof(*m->v));

	if (!m)
		return NULL;
	*m = (struct marks) { .total = log->total, .late_s = log->late_s, .n = n, .refs = 1 };
	memcpy(m->late_name, log->late_name, sizeof(m->late_name));
	for (size_t i = 0; i < n; i++)
		m->v[i] = log->ring[(first + i) % MARKS_MAX];
	return m;
}

struct marks *marks_take(const struct mark_log *log, struct marks *then)
{
	if (!then || then->total != log->total)
		return copy(log);
	(void)__atomic_add_fetch(&then->refs, 1, __ATOMIC_RELAXED);
	return then;
}

void marks_unref(struct marks *m)
{
	if (m && __atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(m);
}
