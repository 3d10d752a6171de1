/* SPDX-License-Identifier: Apache-2.0 */
/* What tunnels make of a plan: their devices' names and number, what their headers leave of the MTU, and what fits into
 * that. Their kinds are Linux's: a vxlan device reaches all hosts of its VNI, a geneve or gretap device one. */
#include <stdio.h>

#include "lab/scenario/plan_internal.h"

static const struct {
	const char *stem; /* with the longest VNI and host number a device name just fits into IFNAMSIZ: "ge16777215.4095" */
	uint32_t header;  /* between the outer IP header and the inner frame */
} kinds[SCN_ENCAP_MAX] = {
	[SCN_VXLAN] = { "vxlan", 8 + 8 }, /* UDP, VXLAN (RFC 7348) */
	[SCN_GENEVE] = { "ge", 8 + 8 },   /* UDP, Geneve without options (RFC 8926) */
	[SCN_GRETAP] = { "gr", 4 + 4 },   /* GRE (RFC 2784), key (RFC 2890) */
};

/* ------------------------------------------------------------------ devices */

void plan_name_tunnel(struct plan_vni *v)
{
	(void)snprintf(v->tunnel, sizeof(v->tunnel), "%s%u", kinds[v->scn->encap].stem, v->scn->vni);
}

const char *plan_tunnel_name(const struct plan_vni *v, uint32_t remote, char name[IFNAMSIZ])
{
	if (scn_is_point_to_point(v->scn->encap))
		(void)snprintf(name, IFNAMSIZ, "%.10s.%u", v->tunnel, remote % SCN_HOSTS_MAX);
	else
		(void)snprintf(name, IFNAMSIZ, "%s", v->tunnel);
	return name;
}

/* Of all hosts together. */
static uint64_t count_tunnels(const struct plan_vni *v)
{
	uint64_t ends = v->n_clients;

	return scn_is_point_to_point(v->scn->encap) && ends ? ends * (ends - 1) : ends;
}

void plan_check_tunnels(const struct plan *p, struct scn_errors *e)
{
	const struct plan_vni *first = NULL;
	uint64_t total = 0;
	struct plan_vni_place at;

	for (uint32_t i = p->n_vnis; i-- > 0;)
		if (scn_is_point_to_point(p->vnis[i].scn->encap)) {
			first = &p->vnis[i];
			total += count_tunnels(first);
		}
	if (total <= PLAN_TUNNELS_MAX || p->doubts & (DOUBT_HOSTS | DOUBT_VNIS | DOUBT_CLIENTS))
		return;
	scn_error_at(e, p->scn,
		     first->scn->key_line[VNI_ENCAP] ? *plan_vni_place(first->scn, VNI_ENCAP, "encap", &at)
						     : plan_lab_place(p, LAB_ENCAP, "encap"),
		     "a %s device reaches one host, so every host needs one for each other host: that makes %llu, and at most %d "
		     "are possible; vxlan needs one on each host", scn_encap_names[first->scn->encap], (unsigned long long)total,
		     PLAN_TUNNELS_MAX);
}

struct plan_objects plan_count_objects(const struct plan *p)
{
	/* A host has an uplink, a leaf of the fabric is a bridge with a trunk. A client has a bridge and a pair, or a macvlan alone. */
	bool direct = p->scn->wiring == SCN_DIRECT;
	uint32_t leaves = plan_count_leaves(p), bridged = direct ? 0 : p->n_clients;
	struct plan_objects o = {
		.namespaces = 1 + p->n_hosts + p->n_clients,
		.veth_pairs = leaves + p->n_hosts + bridged,
		.bridges = 1 + leaves + bridged,
		.macvlans = p->n_clients - bridged,
	};

	for (uint32_t i = 0; i < p->n_vnis; i++)
		o.tunnels += (uint32_t)count_tunnels(&p->vnis[i]);
	o.devices = 2 * o.veth_pairs + o.bridges + o.tunnels + o.macvlans;
	return o;
}

/* ------------------------------------------------------------------ MTU */

uint32_t plan_tunnel_overhead(const struct plan *p, enum scn_encap encap)
{
	enum { IP4 = 20, IP6 = 40, ETHERNET = 14 };

	return (addr_is_v4(&p->scn->underlay.addr) ? IP4 : IP6) + kinds[encap].header + ETHERNET;
}

/* The VNI's encapsulation or the underlay's family is not known. */
static bool room_unsure(const struct plan *p, const struct scn_vni *v)
{
	return scn_is_wrong(p->scn->wrong, LAB_UNDERLAY) || scn_is_wrong(p->scn->wrong, LAB_ENCAP) ||
	       scn_is_wrong(v->wrong, VNI_ENCAP);
}

void plan_make_mtus(struct plan *p, struct scn_errors *e)
{
	uint32_t asked = p->scn->mtu;
	bool told = false;

	p->mtu = PLAN_UNDERLAY_MTU;
	for (uint32_t i = 0; i < p->n_vnis; i++) {
		const struct scn_vni *v = &p->scn->vnis[i];
		uint32_t overhead = plan_tunnel_overhead(p, v->encap), room = PLAN_UNDERLAY_MTU - overhead;

		if (asked > room && !told && !room_unsure(p, v)) {
			scn_error_at(e, p->scn, plan_lab_place(p, LAB_MTU, "mtu"),
				     "%u do not fit: the underlay's %d bytes less the tunnel's %u (%s over %s, as in VNI %u) leave %u",
				     asked, PLAN_UNDERLAY_MTU, overhead, scn_encap_names[v->encap],
				     addr_is_v4(&p->scn->underlay.addr) ? "IPv4" : "IPv6", v->vni, room);
			told = true;
		}
		/* What does not fit is cut, so that later messages do not build on the mistake. */
		p->vnis[i].tunnel_mtu = asked && asked < room ? asked : room;
		p->vnis[i].mtu = v->client_mtu ? v->client_mtu : p->vnis[i].tunnel_mtu;
		if (p->scn->wiring == SCN_DIRECT && p->vnis[i].mtu > p->vnis[i].tunnel_mtu && !room_unsure(p, v)) {
			struct plan_vni_place at;

			scn_error_at(e, p->scn, *plan_vni_place(v, VNI_CLIENT_MTU, "client_mtu", &at),
				     "%u is larger than the tunnel's %u, and with wiring = direct clients sit on the tunnel itself, where Linux "
				     "does not let them have more: want bridge", p->vnis[i].mtu, p->vnis[i].tunnel_mtu);
		}
		if (p->vnis[i].mtu < p->mtu)
			p->mtu = p->vnis[i].mtu;
	}
}

uint32_t plan_ip_header(const struct plan *p, uint32_t vni)
{
	return addr_is_v4(&p->vnis[vni].scn->subnet.addr) ? 20 : 40;
}

uint32_t plan_payload_max(const struct plan *p, uint32_t vni)
{
	uint32_t header = plan_ip_header(p, vni);

	return p->vnis[vni].mtu > header ? p->vnis[vni].mtu - header : 0;
}

uint32_t plan_size_max(const struct plan *p, uint32_t client)
{
	return plan_payload_max(p, p->clients[client].vni);
}

double plan_rate_pps(const struct plan *p, const struct rate *rate, uint32_t size, uint32_t client)
{
	if (rate->unit == RATE_PPS)
		return rate->value;
	return rate->unit == RATE_BPS ? rate->value / (8.0 * (size + plan_ip_header(p, p->clients[client].vni))) : 0;
}
