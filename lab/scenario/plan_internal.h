/* SPDX-License-Identifier: Apache-2.0 */
/* Between the plan's own files. Nobody else includes this. */
#ifndef TUNLAB_SCENARIO_PLAN_INTERNAL_H
#define TUNLAB_SCENARIO_PLAN_INTERNAL_H

#include "lab/scenario/plan.h"

/* What mistakes leave open while the search for more of them goes on: a plan with doubts is never
 * handed out, and nothing is reported that depends on what is in doubt. */
enum plan_doubt {
	DOUBT_HOSTS = 1,     /* how many there are */
	DOUBT_VNIS = 2,      /* which there are */
	DOUBT_CLIENTS = 4,   /* which number is where; clients_most still bounds them */
	DOUBT_ADDRESSES = 8, /* of clients */
	DOUBT_OUTER = 16,    /* addresses of VTEPs, and groups */
	DOUBT_END = 32,      /* when the run ends */
	DOUBT_NAMES = 64,    /* of [traffic] sections */
};

/* Fills generators, n_streams and n_flows from the scenario's [traffic] sections. Mistakes go to e;
 * 0 or -ENOMEM. */
int plan_make_traffic(struct plan *p, struct scn_errors *e);
/* Finds names in checks, links and events that the lab does not have, and times it does not reach. */
void plan_verify_names(const struct plan *p, struct scn_errors *e);
int plan_make_events(struct plan *p); /* -ENOMEM */

/* Whether the client, host or VNI itself is there, or may be: 0 or -ENOENT with the sentence in why. */
int plan_check_exists(const struct plan *p, const struct who *w, char *why, size_t why_len);
/* As far as mistakes elsewhere let anybody tell: 0, or as plan_resolve and (one) plan_resolve_one. */
int plan_check_who(const struct plan *p, const struct who *w, bool one, char *why, size_t why_len);

#endif
