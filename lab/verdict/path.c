/* SPDX-License-Identifier: Apache-2.0 */
/* From ground truth and the kernel's facts to hops and a cause; see path.h. */
#include "lab/verdict/path.h"

#include <stdio.h>

#include "base/units.h"
#include "lab/verdict/path_internal.h"

static enum truth_place place_before(enum scn_proto proto, enum truth_place place)
{
	enum truth_place at = TRUTH_SENT;

	while (truth_next(proto, at) < place)
		at = truth_next(proto, at);
	return at;
}

static uint64_t lost_at(const struct truth_row *row, enum truth_place place)
{
	return less(row->count[place_before(row->proto, place)], row->count[place] + (place == TRUTH_RECEIVED ? row->duplicates : 0));
}

enum truth_place path_place(const struct truth_row *row, unsigned places)
{
	enum truth_place worst = TRUTH_PLACE_MAX;
	uint64_t most = 0;

	for (enum truth_place p = row->parts; p < TRUTH_PLACE_MAX; p = truth_next(row->proto, p))
		if (places & 1u << p && lost_at(row, p) > most) {
			most = lost_at(row, p);
			worst = p;
		}
	return worst;
}

uint64_t path_lost(const struct truth_row *row, unsigned places)
{
	uint64_t lost = 0;

	for (enum truth_place p = row->parts; p < TRUTH_PLACE_MAX; p = truth_next(row->proto, p))
		lost += places & 1u << p ? lost_at(row, p) : 0;
	return lost;
}

bool path_is_back(const struct truth_row *row, unsigned places)
{
	enum truth_place place = path_place(row, places);

	return row->proto == SCN_PING && (place == TRUTH_RETURNED || place == TRUTH_RECEIVED);
}

static enum segment segment_of(const struct path_question *q, enum truth_place place)
{
	switch (place) {
	case TRUTH_LEFT:
		return SEGMENT_SENDER;
	case TRUTH_ARRIVED:
	case TRUTH_RETURNED:
		return SEGMENT_UNDERLAY;
	case TRUTH_ANSWERED: /* behind the receiver's host: the requests, or the answers to them */
		return q->back ? SEGMENT_SENDER : SEGMENT_RECEIVER;
	case TRUTH_RECEIVED:
		return SEGMENT_RECEIVER;
	case TRUTH_SENT:
	case TRUTH_PLACE_MAX:
		break;
	}
	return q->row->send_errors ? SEGMENT_SENDER : SEGMENT_NONE;
}

void path_make(const struct path_question *q, struct path *ret)
{
	const struct plan *plan = q->plan;
	const struct truth_row *row = q->row;
	uint32_t from = q->back ? row->to : row->from, to = q->back ? row->from : row->to;
	struct walker w = {
		.q = q, .plan = plan, .f = q->facts, .path = ret, .from = from, .to = to, .from_host = plan->clients[from].host,
		.to_host = plan->clients[to].host, .vni = plan->clients[from].vni,
	};
	enum truth_place place = path_place(row, q->places);

	*ret = (struct path){ .from = from, .to = to };
	(void)snprintf(ret->pair, sizeof(ret->pair), q->back ? "answers of c%u to c%u, %s, VNI %u" : "c%u to c%u, %s, VNI %u", from, to,
		       scn_proto_names[row->proto], plan->vnis[w.vni].scn->vni);
	for (int i = 0; i < WALK_PLACE_MAX; i++)
		w.hop[i] = PATH_HOPS_MAX;
	w.segment = segment_of(q, place);
	w.lost = place < TRUTH_PLACE_MAX ? lost_at(row, place) : 0;
	path_add_hops(&w);
	path_find_cause(&w);
}
