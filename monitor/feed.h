/* SPDX-License-Identifier: Apache-2.0 */
/* What the page's live feed tells of a sample: the flows that grew most since the one before, by number, and sums of the
 * others. A frame names (defines) a flow only when a page that has followed for as long as frames are kept may not know it;
 * what such a page must know when it comes is in a base document. Pure; kept and handed out by snapshot.h. */
#ifndef TUNLAB_MONITOR_FEED_H
#define TUNLAB_MONITOR_FEED_H

#include "monitor/rows.h"
#include "monitor/sample.h"

enum {
	FEED_TOP = 1000,      /* flows in a frame */
	FEED_BASE_TOP = 8192, /* flows in a base document */
};

/* Growth of a frame's flows. */
struct feed_picks {
	struct sample_flow **flows; /* [n], into the sample, biggest growth first */
	size_t n;
	struct row_count rest;      /* of all but these; flows: how many others might have been chosen */
	struct row_count total;     /* of all flows, grown or not */
};

/* The flows that grew most, at most `top`. -ENOMEM. Free with feed_picks_free. */
int feed_pick(const struct sample *s, size_t top, struct feed_picks *ret);
/* The flows that frames since `oldest` name, at most `top`, biggest first. Their growth is not looked at. -ENOMEM. */
int feed_pick_known(const struct sample *s, uint64_t oldest, size_t top, struct feed_picks *ret);
/* The largest of all flows, at most `top`, whether a frame names them or not. -ENOMEM. */
int feed_pick_largest(const struct sample *s, size_t top, struct feed_picks *ret);
void feed_picks_free(struct feed_picks *p);
/* A flow's counts now and then, as the feed tells them: "sent" is its size (sample_flow_size). */
struct row_count feed_growth(const struct sample *s, const struct sample_flow *f);
/* Must the sample's frame define this flow? */
bool feed_defines(const struct sample *s, const struct sample_flow *f);
/* Notes in the sample, which nobody else may have yet, that its frame was made of these. */
void feed_mark(struct sample *s, const struct feed_picks *p);

#endif
