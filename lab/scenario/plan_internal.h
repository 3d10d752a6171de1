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

/* Where a value stands in the file, for messages. */
struct plan_vni_place {
	char title[24];
	struct scn_place place;
};
struct scn_place plan_lab_place(const struct plan *p, enum scn_lab_key key, const char *name);
const struct scn_place *plan_vni_place(const struct scn_vni *v, enum scn_vni_key key, const char *name,
				       struct plan_vni_place *at);

/* plan_tunnel.c: every VNI's MTU; its tunnel's name; whether there are too many of them. */
void plan_make_mtus(struct plan *p, struct scn_errors *e);
void plan_name_tunnel(struct plan_vni *v);
void plan_check_tunnels(const struct plan *p, struct scn_errors *e);
/* plan_fabric.c: in which VNIs senders need not ask for their peers' MAC addresses. */
void plan_make_known(struct plan *p);
/* plan_wrong.c: whether the wrong VNIs a scenario asks for can be. */
void plan_check_wrong(const struct plan *p, struct scn_errors *e);
/* Of a VNI (index): bytes of the inner IP header, and what the MTU leaves behind it. */
uint32_t plan_ip_header(const struct plan *p, uint32_t vni);
uint32_t plan_payload_max(const struct plan *p, uint32_t vni);

/* Fills generators, n_streams and n_flows from the scenario's [traffic] sections. Mistakes go to e;
 * 0 or -ENOMEM. */
int plan_make_traffic(struct plan *p, struct scn_errors *e);
/* Finds names in checks, links and events that the lab does not have, and times it does not reach. */
void plan_verify_names(const struct plan *p, struct scn_errors *e);
int plan_make_events(struct plan *p); /* -ENOMEM */

/* splitmix64 (public domain, Steele, Lea, Flood): a well-mixed number from any; chained over what
 * must tell choices apart. */
uint64_t plan_mix(uint64_t x);

/* Whether the client, host or VNI itself is there, or may be: 0 or -ENOENT with the sentence in why. */
int plan_check_exists(const struct plan *p, const struct who *w, char *why, size_t why_len);
/* As far as mistakes elsewhere let anybody tell: 0, or as plan_resolve and (one) plan_resolve_one. */
int plan_check_who(const struct plan *p, const struct who *w, bool one, char *why, size_t why_len);
/* Which clients a `who` speaks of is certain, in spite of mistakes elsewhere. */
bool plan_who_is_sure(const struct plan *p, const struct who *w);

#endif
