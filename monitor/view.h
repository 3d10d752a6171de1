/* SPDX-License-Identifier: Apache-2.0 */
/* Views: samples and plan as JSON, Prometheus text and terminal tables. Pure: values in, text out; figures come from
 * samples alone. JSON is written through emit.h. Every text is a new string (free it); NULL: no memory. */
#ifndef TUNLAB_MONITOR_VIEW_H
#define TUNLAB_MONITOR_VIEW_H

#include "monitor/sample.h"

enum { LAB_DEVICES_MAX = 32 };

/* What is true of the whole lab, or of what is watched instead of one, and not in a sample. */
struct lab_info {
	const char *name;
	int pid;
	const char *state;        /* "starting", "running", "draining", "done" */
	struct lab_device {       /* interfaces that are watched, not those of a lab */
		char name[16];
		const char *how;      /* "tcx", "clsact"; NULL: it is waited for */
	} devices[LAB_DEVICES_MAX];
	uint32_t n_devices;
	const char *url;          /* NULL without a page */
	double up_ms;             /* from start to ready */
	double uptime_s;
	double interval_s;        /* nominal sampling interval */
};

enum flow_by { BY_FLOW, BY_OUTER, BY_INNER, BY_VNI, BY_HOST /* the sender */, BY_CLIENT /* likewise */, FLOW_BY_MAX };
extern const char *const flow_by_names[FLOW_BY_MAX];

/* Biggest first; by what, since the lab began or in the last interval. */
enum flow_order { ORDER_BYTES, ORDER_BPS, ORDER_PPS, FLOW_ORDER_MAX };
extern const char *const flow_order_names[FLOW_ORDER_MAX];

struct flow_query {
	enum flow_by by;
	enum flow_order order;
	int64_t vni;              /* -1: all */
	int64_t host;             /* flows from or to this host; -1: all */
	size_t top;               /* biggest first, at most so many, the others summed under "rest"; 0: all */
	bool rates;               /* add "rates": {"pps", "bps"} over the last interval to each row */
};
#define FLOW_QUERY_ALL ((struct flow_query) { .vni = -1, .host = -1 })

/* tunlab.flows/1 (or /rows/1). Beyond the contract: "total" over all rows selected, "rest" with top, "interval_s" and
 * "rates" with rates; by client "truth" and "pairs", and in each row "generated", the sum of the client's own pairs. plan NULL: of no
 * lab (sample.h, kind); a capture has one vantage point, and so nothing "received". */
char *view_flows(const struct lab_info *info, const struct plan *plan, const struct sample *s,
		 const struct flow_query *q);
/* The same document for the live feed: top rows (0: all), the others summed under "rest", with seq, time and
 * interval_s. No line breaks: one line of an event stream. */
char *view_event(const struct lab_info *info, const struct plan *plan, const struct sample *s, size_t top);
struct feed_picks;
struct history_entry;
struct marks;
/* A message of the page's live feed, and what a page must know before its first; see view_feed.c. One line each. */
char *view_frame(const struct plan *plan, const struct sample *s, const struct feed_picks *picks, const struct history_entry *h);
char *view_feed_base(const struct lab_info *info, const struct sample *s, const struct feed_picks *known, uint64_t oldest);
/* tunlab.history/1: growth per interval, oldest first, and what was done to the lab meanwhile (marks, which may be NULL). */
char *view_history(const struct lab_info *info, const struct history_entry *entries, size_t n, const struct marks *marks);
/* tunlab.lab/1; s may be NULL (nothing sampled yet) where there is a plan, then no traffic is known. Without a plan hosts are the
 * outer addresses seen, and "names" holds the names known of inner addresses. */
char *view_lab(const struct lab_info *info, const struct plan *plan, const struct sample *s);
/* One lab's object as it stands in tunlab.status/1 "labs"; s may be NULL. */
char *view_status(const struct lab_info *info, const struct plan *plan, const struct sample *s);
struct emit;
/* "monitor": the sample's health (health.h), as it stands in every document that tells it. */
void emit_monitor(struct emit *e, const struct sample *s);
/* "events" of a document that somebody else makes (base/emit.h): the marks numbered after `then` up to `until`, oldest
 * first; m may be NULL. */
void emit_marks(struct emit *e, const struct marks *m, uint64_t then, uint64_t until);
/* "truth" of such a document: generators' and monitor's counts side by side, a row for each pair (truth.h); with top only so many,
 * those that lost most. "pairs" before it: of how many, and on how many they agree. */
struct truth;
void emit_truth(struct emit *e, const struct plan *plan, const struct sample *s, const struct truth *t, size_t top);
/* tunlab.links/1: the states, given by host, of one host's uplink or (-1) of all. */
char *view_links(const struct plan *plan, const struct link_state *states, int64_t host);
char *view_metrics(const struct lab_info *info, const struct plan *plan, const struct sample *s);
/* bcc's tunnel_monitor form as seen from `host` (the outer_sip of each entry): tx is what it sent, rx what reached it.
 * Flooded packets are left out, as there. delta: against the previous sample, silent entries left out. */
char *view_tunnel(const struct sample *s, uint32_t host, bool delta);
/* One generator, of a sample of it alone (sample_take_generator), as a line of `tunlab traffic --json`: an interval since the sample
 * `then`, or (NULL) the summary. */
char *view_generator(const struct plan *plan, const struct sample *s, const struct sample *then);

/* Terminal tables of the JSON documents a lab answered with, for commands. width: columns; columns that do not fit are
 * left off, the least important first; 0: unlimited. NULL also when the text is no such document. */
char *view_flows_table(const char *json, bool rates, unsigned width);
char *view_status_table(const char *json, unsigned width);
char *view_links_table(const char *json, unsigned width);

#endif
