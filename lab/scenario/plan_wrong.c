/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes that a scenario makes on purpose, for somebody to find: a host whose tunnel has another VNI than its clients believe. (The
 * other kind, clients with too large an MTU, is plan_tunnel.c's.) They must be possible to build, and to happen. */
#include <stdio.h>

#include "lab/scenario/plan_internal.h"

static const struct scn_wrong_vni *wrong_on(const struct scn_vni *v, uint32_t host)
{
	for (size_t i = 0; i < v->n_wrong_vnis; i++)
		if (v->wrong_vnis[i].host == host)
			return &v->wrong_vnis[i];
	return NULL;
}

uint32_t plan_tunnel_vni(const struct plan *p, uint32_t vni, uint32_t host)
{
	const struct scn_vni *v = p->vnis[vni].scn;
	const struct scn_wrong_vni *wrong = wrong_on(v, host);

	return wrong ? wrong->vni : v->vni;
}

/* Another VNI whose tunnel on that host has the number; NULL: none. Those with a mistake of their own are few. */
static const struct scn_vni *taken_by(const struct plan *p, const struct scn_vni *self, const struct scn_wrong_vni *wrong)
{
	int64_t same = plan_vni_by_number(p, wrong->vni);

	if (same >= 0 && range_list_has(&p->vnis[same].scn->hosts, wrong->host) && !wrong_on(p->vnis[same].scn, wrong->host))
		return p->vnis[same].scn;
	for (uint32_t i = 0; i < p->n_vnis; i++) {
		const struct scn_wrong_vni *other = p->vnis[i].scn == self ? NULL : wrong_on(p->vnis[i].scn, wrong->host);

		if (other && other->vni == wrong->vni && range_list_has(&p->vnis[i].scn->hosts, wrong->host))
			return p->vnis[i].scn;
	}
	return NULL;
}

static void check_one(const struct plan *p, const struct scn_vni *v, const struct scn_wrong_vni *wrong, struct scn_errors *e)
{
	const struct who host = { .kind = WHO_HOST, .host = wrong->host };
	const struct scn_vni *other;
	struct plan_vni_place at;
	struct scn_place place = *plan_vni_place(v, VNI_WRONG, "wrong", &at);
	char why[200];

	if (plan_check_exists(p, &host, why, sizeof(why))) {
		scn_error_at(e, p->scn, place, "%s", why);
		return;
	}
	if (!(p->doubts & (DOUBT_CLIENTS | DOUBT_HOSTS)) && !range_list_has(&v->hosts, wrong->host))
		scn_error_at(e, p->scn, place, "host%u has no tunnel of VNI %u that could be wrong: it is on hosts %s", wrong->host, v->vni,
			     ranges_format(&v->hosts, why, sizeof(why)));
	else if (wrong->vni == v->vni)
		scn_error_at(e, p->scn, place, "%u is the right VNI: want another", v->vni);
	else if (!(p->doubts & DOUBT_VNIS) && (other = taken_by(p, v, wrong)) != NULL)
		scn_error_at(e, p->scn, place, "host%u's tunnel of VNI %u has the number %u already, and two of a host cannot have the same",
			     wrong->host, other->vni, wrong->vni);
}

void plan_check_wrong(const struct plan *p, struct scn_errors *e)
{
	size_t n = 0;

	for (uint32_t i = 0; i < p->n_vnis; i++) {
		const struct scn_vni *v = p->vnis[i].scn;
		struct plan_vni_place at;

		n += v->n_wrong_vnis;
		if (n > SCN_WRONG_VNIS_MAX) {
			scn_error_at(e, p->scn, *plan_vni_place(v, VNI_WRONG, "wrong", &at),
				     "at most %d tunnels of a lab can have a wrong VNI", SCN_WRONG_VNIS_MAX);
			return;
		}
		for (size_t k = 0; k < v->n_wrong_vnis; k++)
			check_one(p, v, &v->wrong_vnis[k], e);
	}
}
