/* SPDX-License-Identifier: Apache-2.0 */
/* Between check.c (the comparison), the files that measure (check_flows.c, check_streams.c, check_mismatch.c), check_rows.c (what is
 * behind a value), check_select.c (which flows and pairs a check speaks of) and check_path.c. Nobody else includes this. */
#ifndef TUNLAB_VERDICT_CHECK_INTERNAL_H
#define TUNLAB_VERDICT_CHECK_INTERNAL_H

#include "lab/verdict/check.h"
#include "monitor/truth.h"

struct checks {
	const struct plan *plan;
	struct truth_pair *planned; /* [n_planned], ascending; `which`: a section */
	size_t n_planned;
};

/* What selectors look at: a flow the monitor saw, or one a generator's pair stands for. */
struct subject {
	int32_t src_host, dst_host, src_client, dst_client; /* -1: not known */
	int32_t section; /* of the generator; SECTION_OF_FLOW: any that explains the flow */
	const struct flow_key *key;
};
enum { SECTION_OF_FLOW = -2 };

/* A check's selectors with their names looked up. */
struct selection {
	const struct checks *checks;
	const struct scn_check *check;
	int32_t section; /* index of the section traffic= names */
	int64_t wanted;  /* the client a check compares with; -1: none */
	int encap;       /* encap=, or -1 for one the monitor does not know */
	bool any_family; /* proto= is of both families: ipproto, or ipproto6 over IPv6 */
	bool pings;      /* proto=ping: not what IPv6 neighbours say to each other's links */
	uint16_t ethertype;
	uint8_t ipproto, ipproto6;
	bool impossible; /* proto= that no flow can have */
};

struct selection selection_of(const struct checks *c, const struct scn_check *check);
bool selection_has(const struct selection *sel, const struct subject *x);
/* Whether a stream, or the answers to it, is selected. */
bool stream_selected(const struct selection *sel, const struct sample *s, const struct sample_stream *x);

struct subject subject_of_flow(const struct sample_flow *f);
/* The flow that packets from one client to another make; key is filled. */
struct subject subject_of_pair(const struct plan *p, uint32_t from, uint32_t to,
			       enum scn_proto proto, int32_t section, struct flow_key *key);

/* The heaviest of many, by their index. */
struct top {
	size_t item[CHECK_ROWS];
	uint64_t weight[CHECK_ROWS];
	size_t n;
	uint64_t total; /* offered */
};
void top_add(struct top *t, size_t item, uint64_t weight);
/* Fills a result's rows: t's items are flows of the sample, or streams. */
void check_row_flows(const struct sample *s, const struct top *t, struct check_result *r);
int check_row_streams(const struct selection *sel, const struct sample *s, const struct top *t, struct check_result *r); /* -ENOMEM */

/* Whose row it is: names it "c0 to c4, ping". */
void check_row_name_pair(struct check_row *row, uint32_t from, uint32_t to, enum scn_proto proto);
void result_measured(struct check_result *r, double value);
void result_nothing(struct check_result *r, const char *why);
/* Value and rows of a check whose metric is one of those. -ENOMEM. */
int measure_flows(const struct selection *sel, const struct sample *s, struct check_result *r);
void measure_unplanned(const struct selection *sel, const struct sample *s, struct check_result *r);
int measure_streams(const struct selection *sel, const struct sample *s, struct check_result *r);
int measure_mismatch(const struct selection *sel, const struct sample *s, struct check_result *r);

/* Whether a planned pair, or one of a live generator in s, explains the flow. */
bool flow_explained(const struct checks *c, const struct sample *s, const struct sample_flow *f);

#endif
