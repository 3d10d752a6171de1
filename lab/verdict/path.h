/* SPDX-License-Identifier: Apache-2.0 */
/* The walk of a path: why packets of one pair of clients do not arrive. From ground truth (between which two of the counted places
 * they are lost) and from what the kernel knows on the way (lab/net/walk.h) to a list of hops with their counters, the first hop where
 * packets stop, and the likely cause. Pure. */
#ifndef TUNLAB_VERDICT_PATH_H
#define TUNLAB_VERDICT_PATH_H

#include "lab/net/walk.h"
#include "monitor/truth.h"

enum { PATH_HOPS_MAX = WALK_PLACE_MAX + 4 };

struct path_hop {
	char name[40];    /* "host0 vxlan10003" */
	bool counted;     /* packets and dropped are known */
	uint64_t packets; /* that passed in the direction walked, of anybody; super-packets count once */
	uint64_t dropped;
	char note[96];    /* "down", "VNI 10009", "5000 of this pair left"; "" */
};

struct path {
	uint32_t from, to; /* as walked: for a ping whose answers are lost, from the one that answers */
	char pair[64];     /* "c3 to c35, udp, VNI 10003", "answers of c35 to c3, ping, VNI 10003" */
	struct path_hop hops[PATH_HOPS_MAX];
	size_t n;
	size_t stops;      /* the first hop that packets do not pass; n: it cannot be told */
	char cause[256];   /* a sentence; "" where none can be told */
};

/* What a walk starts from. */
struct path_question {
	const struct plan *plan;
	const struct sample *sample;  /* links, what was done to them, the engine's overruns */
	const struct truth_row *row;
	unsigned places;              /* as of path_place */
	uint32_t size;                /* IP payload of its packets, the largest */
	bool back;                    /* facts are of the way of the answers */
	const struct walk_facts *facts;
};

/* Where packets may be lost for a walk to explain it: bits 1 << enum truth_place. */
enum { PATH_ANYWHERE = (1 << TRUTH_PLACE_MAX) - 1, PATH_UNDERLAY = 1 << TRUTH_ARRIVED | 1 << TRUTH_RETURNED, PATH_SENDER = 1 << TRUTH_LEFT };
/* The place, of those, where most of a row's packets are missing, counted against the one before; TRUTH_PLACE_MAX: none are. That is not
 * always the first where counts part: one packet may be lost before a thousand. */
enum truth_place path_place(const struct truth_row *row, unsigned places);
/* How many are missing at those places. */
uint64_t path_lost(const struct truth_row *row, unsigned places);

/* Which way is to be walked for a row: true for that of a ping's answers. Where answers do not leave, it cannot be known whether
 * requests stop behind the host or answers before it: then first there, and if that explains nothing, back. */
bool path_is_back(const struct truth_row *row, unsigned places);

void path_make(const struct path_question *q, struct path *ret);

#endif
