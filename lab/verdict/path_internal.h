/* SPDX-License-Identifier: Apache-2.0 */
/* Between path.c (the walk), path_hops.c (what is passed on the way) and path_suspects.c (what may have lost packets). Nobody else
 * includes this. */
#ifndef TUNLAB_VERDICT_PATH_INTERNAL_H
#define TUNLAB_VERDICT_PATH_INTERNAL_H

#include "lab/verdict/path.h"

/* Where between two counted places. */
enum segment { SEGMENT_NONE, SEGMENT_SENDER, SEGMENT_UNDERLAY, SEGMENT_RECEIVER };

struct walker {
	const struct path_question *q;
	const struct plan *plan;
	const struct walk_facts *f;
	struct path *path;
	uint32_t from, to, from_host, to_host, vni; /* in the direction walked; vni: index */
	enum segment segment;
	uint64_t lost;                 /* packets of the pair, between the two places */
	size_t hop[WALK_PLACE_MAX];    /* of each place; PATH_HOPS_MAX: has none */
	size_t hop_source, hop_fabric, hop_sink;
	uint64_t weight;               /* of the suspect so far */
};

static inline bool is_direct(const struct walker *w)
{
	return w->plan->scn->wiring == SCN_DIRECT;
}

/* All hops, into w->path, and where each place is among them. */
void path_add_hops(struct walker *w);
/* The cause and the hop that packets do not pass, of a path with its hops. */
void path_find_cause(struct walker *w);

#endif
