/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation of checks over plan and sample: the value of each metric, whether the comparison
 * holds, and which flows it came from. Pure. Expressions are read by scenario_check.c, when to
 * judge is judge.h's, how a verdict is printed report.h's.
 *
 * What is selected. `from=` and `to=` a host mean its VTEP, so that they see frames without inner
 * IP header too; a client, an address or host0:10002 mean the inner packets' sender and receiver.
 * `traffic=NAME` means the flows between that section's pairs, of its protocol, for pings in both
 * directions; two sections that ping the same pair share its flow. delivery and rtt_* are the
 * generators' own figures: selectors name their sender and receiver.
 *
 * proto=ping is ICMP, or ICMPv6 but for link-local and multicast messages. What is left of IPv6
 * neighbour discovery shares the flow of pings between the same clients; so there mismatch counts
 * only packets the monitor misses, and unplanned leaves discovery and listener reports out. */
#ifndef TUNLAB_VERDICT_CHECK_H
#define TUNLAB_VERDICT_CHECK_H

#include "monitor/sample.h"

struct path;

enum { CHECK_ROWS = 6, CHECK_TEXT = 160 };

/* One flow, or one pair of clients, behind a value; for the report of a failure. */
struct check_row {
	int32_t from, to;        /* clients; -1: not known */
	int32_t proto;           /* enum scn_proto; -1: another */
	char name[CHECK_TEXT];   /* "c3 192.168.3.1 to c35 192.168.3.9, ipv4/udp, VNI 10003" */
	uint64_t sent, received; /* packets */
	uint64_t bytes;          /* sent; 0 for pairs */
	uint64_t generators;     /* mismatch: the generators' own count, sent being the monitor's */
	uint64_t rtt_avg_us, rtt_max_us;
	char stops[CHECK_TEXT]; /* delivery, mismatch: the first place where packets stop, by the
				   counters around it; "" if nowhere */
	uint64_t weight;        /* what rows are sorted by, biggest first */
};

struct check_result {
	const struct scn_check *check;
	bool holds;
	bool measured; /* false: there was nothing to measure, and the check does not hold */
	double value;  /* in the unit's base; a client's number */
	char text[CHECK_TEXT]; /* as a user would write the value, or "nothing to measure: …" */
	char expected[CHECK_TEXT]; /* the right side, resolved: "== c3", "<= 0.1%", "from 495pps to
				      505pps" */
	double elapsed_s;          /* of the sample judged */
	const struct path *path;   /* where packets of the worst pair stop, for a check that failed; NULL: none is lost, or nobody walked.
				      The judge's */
	uint64_t n_rows;           /* flows or pairs selected; rows[] holds the biggest */
	struct check_row rows[CHECK_ROWS];
};

/* What all checks of a plan share. */
struct checks;
int checks_open(const struct plan *plan, struct checks **ret); /* -ENOMEM */
void checks_close(struct checks *c);                           /* NULL is fine */

/* Judges one check by one sample. pps and bps: over the last interval when the check has `at` or
 * `within`, else over the time the selected traffic ran. -ENOMEM leaves *ret alone. */
int checks_evaluate(const struct checks *c, const struct scn_check *check, const struct sample *s,
		    struct check_result *ret);

/* Reads what the kernel knows of the way from one client to another (lab/net/walk.h). */
struct walk_facts;
typedef void (*checks_walk_fn)(void *arg, uint32_t from, uint32_t to, struct walk_facts *ret);
/* Of a check that failed: walks the path of the selected pair that lost most, into a new *ret (free it); NULL where no packet of
 * those selected is lost, or lost packets are none of the check's business. -ENOMEM. */
int checks_walk(const struct checks *c, const struct scn_check *check, const struct sample *s, checks_walk_fn walker, void *arg,
		struct path **ret);

#endif
