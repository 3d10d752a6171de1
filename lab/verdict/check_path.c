/* SPDX-License-Identifier: Apache-2.0 */
/* Which path is walked when a check fails: that of the selected pair that lost most. */
#include <errno.h>
#include <stdlib.h>

#include "lab/verdict/check_internal.h"
#include "lab/verdict/path.h"

/* Where packets must have been lost to be why such a check fails; 0: lost packets are none of its business. */
static unsigned places_of(enum check_metric metric)
{
	switch (metric) {
	case METRIC_TOP_TALKER:
	case METRIC_OVERHEAD:
	case METRIC_UNPLANNED:
	case METRIC_MONITOR_LOST:
	case METRIC_MONITOR_TRUNCATED:
	case METRIC_MONITOR_UNKNOWN:
		return 0;
	case METRIC_LOSS:
		return PATH_UNDERLAY;
	case METRIC_MISMATCH:
		return PATH_SENDER;
	default:
		return PATH_ANYWHERE;
	}
}

static bool row_selected(const struct selection *sel, const struct sample *s, const struct truth *t, const struct truth_row *row)
{
	for (uint32_t i = 0; i < row->n_streams; i++)
		if (stream_selected(sel, s, &s->streams[t->streams[row->stream0 + i]]))
			return true;
	return false;
}

/* Only what is lost for good: while a row runs its packets may be on their way, and then its counts do not part. */
static uint64_t lost_by(const struct truth_row *row, unsigned places)
{
	return path_lost(row, places) + (places & PATH_SENDER ? row->send_errors : 0);
}

static const struct truth_row *find_worst(const struct selection *sel, const struct sample *s, const struct truth *t, unsigned places)
{
	const struct truth_row *worst = NULL;

	for (size_t i = 0; i < t->n; i++) {
		const struct truth_row *row = &t->rows[i];

		if (lost_by(row, places) > (worst ? lost_by(worst, places) : 0) && row_selected(sel, s, t, row))
			worst = row;
	}
	return worst;
}

static uint32_t largest_packet(const struct sample *s, const struct truth *t, const struct truth_row *row)
{
	uint32_t size = 0;

	for (uint32_t i = 0; i < row->n_streams; i++) {
		const struct sample_generator *g = &s->generators[s->streams[t->streams[row->stream0 + i]].generator];

		size = g->size > size ? g->size : size;
	}
	return size;
}

static struct path *walk_row(const struct checks *c, const struct sample *s, const struct truth *t, const struct truth_row *row,
			     unsigned places, checks_walk_fn walker, void *arg)
{
	struct path *path = calloc(1, sizeof(*path));
	struct walk_facts facts;
	struct path_question q = {
		.plan = c->plan, .sample = s, .row = row, .places = places, .size = largest_packet(s, t, row),
		.back = path_is_back(row, places), .facts = &facts,
	};

	if (!path)
		return NULL;
	walker(arg, q.back ? row->to : row->from, q.back ? row->from : row->to, &facts);
	path_make(&q, path);
	if (path_place(row, places) != TRUTH_ANSWERED || path->stops < path->n)
		return path;
	q.back = true; /* see path_is_back */
	walker(arg, row->to, row->from, &facts);
	path_make(&q, path);
	return path;
}

int checks_walk(const struct checks *c, const struct scn_check *check, const struct sample *s, checks_walk_fn walker, void *arg,
		struct path **ret)
{
	struct selection sel = selection_of(c, check);
	unsigned places = places_of(check->metric);
	const struct truth_row *worst;
	struct truth t;
	int err = truth_make(c->plan, s, &t);

	if (err)
		return err;
	*ret = NULL;
	worst = places ? find_worst(&sel, s, &t, places) : NULL;
	if (worst)
		*ret = walk_row(c, s, &t, worst, places, walker, arg);
	truth_free(&t);
	return worst && !*ret ? -ENOMEM : 0;
}
