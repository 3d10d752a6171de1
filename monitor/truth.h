/* SPDX-License-Identifier: Apache-2.0 */
/* Ground truth: for each pair of clients and protocol that generators send by, one row with the same packets counted in one place
 * after the other: by the generator, where they leave the sender's host and arrive at the receiver's (the monitor), and by who
 * receives them. On an unimpaired lab all are equal once traffic has drained. Pure. */
#ifndef TUNLAB_MONITOR_TRUTH_H
#define TUNLAB_MONITOR_TRUTH_H

#include "monitor/sample.h"

/* In the order in which packets pass them. UDP has no answers. */
enum truth_place {
	TRUTH_SENT,     /* by the generators */
	TRUTH_LEFT,     /* seen leaving the sender's host */
	TRUTH_ARRIVED,  /* seen arriving at the receiver's host */
	TRUTH_ANSWERED, /* pings: answers seen leaving the receiver's host; that host's kernel makes them and does not count them */
	TRUTH_RETURNED, /* pings: answers seen arriving at the sender's host */
	TRUTH_RECEIVED, /* UDP: by the sink; pings: answers, by the generator. Each packet once */
	TRUTH_PLACE_MAX
};
extern const char *const truth_place_names[TRUTH_PLACE_MAX]; /* "sent", "left" ... */

/* Several generators of one pair and protocol, of whatever sections, share their flow: they are one row, summed.
 *
 * Where two clients ping each other, requests of the one and answers of the other share a flow and are told apart by what must hold:
 * an answer that was received has been on all of the way, and no more can leave than was sent. Equal counts are equal; where packets
 * were lost on both ways `left`, `arrived` and their like are upper bounds. Over IPv6 the same flow holds neighbour discovery between
 * the two: what is too much there is left out. */
struct truth_row {
	uint32_t from, to;
	enum scn_proto proto;
	uint64_t count[TRUTH_PLACE_MAX]; /* packets */
	uint64_t duplicates;   /* received again */
	uint64_t send_errors;  /* refused by the sender's kernel; not in sent */
	uint32_t stream0, n_streams; /* its streams: truth.streams[stream0 ...] */
	bool both_ways;        /* the two ping each other */
	bool running;          /* some of its generators still send, or wait for what is on its way */
	enum truth_place parts; /* the first place whose count differs from the one before; TRUTH_PLACE_MAX: nowhere. While it runs,
				   what may be on its way is no difference: about a second's packets */
};

struct truth {
	struct truth_row *rows; /* [n], ascending by from, to, protocol */
	size_t n;
	uint32_t *streams;      /* indices into sample.streams, by row */
};

/* -ENOMEM. Free with truth_free. */
int truth_make(const struct plan *plan, const struct sample *s, struct truth *ret);
void truth_free(struct truth *t);
/* NULL: no generator sends so. */
const struct truth_row *truth_find(const struct truth *t, uint32_t from, uint32_t to, enum scn_proto proto);
/* All rows of one sender, in order; *ret_n of them. */
const struct truth_row *truth_of(const struct truth *t, uint32_t from, size_t *ret_n);
/* Places a protocol's packets pass, in order: the next one, or TRUTH_PLACE_MAX after the last. */
enum truth_place truth_next(enum scn_proto proto, enum truth_place place);
/* Packets that were sent and never received. */
uint64_t truth_missing(const struct truth_row *row);
/* The first place where the counts part as a sentence: "between host0 and host8: 500 left, 480 arrived"; "" where they do not.
 * Returns buf. */
const char *truth_where(const struct plan *plan, const struct truth_row *row, char *buf, size_t len);
/* The generators' protocol that a flow may belong to, or -1; and the IP protocol that one's packets have. */
int truth_proto(const struct flow_key *key);
uint8_t truth_ipproto(enum scn_proto proto, bool v4);

/* Packets of one protocol from one client to another. */
struct truth_pair {
	uint32_t from, to;
	uint32_t proto; /* enum scn_proto */
	uint32_t which; /* of several with the same: of which stream, of which section */
};
int truth_pair_compare(const void *a, const void *b); /* for qsort: ascending by all of it */

#endif
