/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The headers of tunnels. Each function takes its own, notes number and encapsulation, and returns
 * the EtherType of the inner packet (ETH_TYPE_TEB: an Ethernet frame) or a negative verdict.
 */
#ifndef TUNLAB_BPF_PARSE_TUNNEL_H
#define TUNLAB_BPF_PARSE_TUNNEL_H

#include "bpf/parse_link.h"

enum {
	PARSE_GRE_ROUTES_MAX = 8,
	PARSE_GTPU_EXT_MAX = 8, /* extension headers in a row */
};

/* What a tunnel header says. */
struct tunnel {
	__u32 encap; /* enum encap */
	__u32 vni;   /* 0 where it says none */
	int type;    /* EtherType it states; FLOW_NO_TYPE where it states none */
};

PARSE_FN int parse_vxlan(struct cursor *c, struct tunnel *t)
{
	const struct wire_vxlan *vxlan;

	cursor_take(c, vxlan);
	if (!(vxlan->flags & VXLAN_FLAG_VNI)) /* others are ignored on receipt */
		return -VERDICT_UNKNOWN;
	t->vni = parse_be32(vxlan->vni) >> 8;
	return ETH_TYPE_TEB;
}

PARSE_FN int parse_vxlan_gpe(struct cursor *c, struct tunnel *t)
{
	const struct wire_vxlan *gpe;

	cursor_take(c, gpe);
	if (!(gpe->flags & VXLAN_FLAG_VNI) || gpe->flags & VXLAN_GPE_VERSION)
		return -VERDICT_UNKNOWN;
	t->vni = parse_be32(gpe->vni) >> 8;
	return gpe->flags & VXLAN_GPE_FLAG_NEXT ? parse_next_protocol(gpe->next) : ETH_TYPE_TEB;
}

PARSE_FN int parse_geneve(struct cursor *c, struct tunnel *t)
{
	const struct wire_geneve *geneve;

	cursor_take(c, geneve);
	if (geneve->version_len >> 6 != 0) /* must be dropped: RFC 8926, section 3.4 */
		return -VERDICT_UNKNOWN;
	c->off += (geneve->version_len & 0x3f) * 4;
	t->vni = parse_be32(geneve->vni) >> 8;
	t->type = parse_be16(geneve->type);
	return t->type;
}

/* Version, and what types II and III have in common. */
PARSE_FN int parse_erspan_session(__be32 version_session, __u32 version, __u32 encap, struct tunnel *t)
{
	__u32 word = parse_be32(version_session);

	if (word >> 28 != version)
		return -VERDICT_UNKNOWN;
	t->encap = encap;
	t->vni = word & ERSPAN_SESSION;
	return ETH_TYPE_TEB;
}

PARSE_FN int parse_erspan2(struct cursor *c, struct tunnel *t)
{
	const struct wire_erspan2 *erspan;

	cursor_take(c, erspan);
	return parse_erspan_session(erspan->version_session, 1, ENCAP_ERSPAN2, t);
}

PARSE_FN int parse_erspan3(struct cursor *c, struct tunnel *t)
{
	const struct wire_erspan3 *erspan;
	int type;

	cursor_take(c, erspan);
	type = parse_erspan_session(erspan->version_session, 2, ENCAP_ERSPAN3, t);
	if (erspan->flags & parse_be16(ERSPAN3_SUBHEADER))
		c->off += 8;
	if (type == ETH_TYPE_TEB && erspan->flags & parse_be16(ERSPAN3_FRAME_TYPE))
		return ETH_TYPE_ERSPAN3; /* what is in it is not known */
	return type;
}

/* An Ethernet frame in GRE may have the header of a port mirror before it. */
PARSE_FN int parse_gre_payload(struct cursor *c, int type, bool sequence, struct tunnel *t)
{
	switch (type) {
	case ETH_TYPE_TEB:
		t->encap += ENCAP_GRETAP - ENCAP_GRE; /* with or without a key */
		return type;
	case ETH_TYPE_ERSPAN:
		if (sequence)
			return parse_erspan2(c, t);
		t->encap = ENCAP_ERSPAN1;
		t->vni = 0;
		return ETH_TYPE_TEB;
	case ETH_TYPE_ERSPAN3:
		return parse_erspan3(c, t);
	default:
		if (type >= GRE_TYPE_WLAN && type <= GRE_TYPE_WLAN_MAX && type % 16 == 0)
			return LINK_WLAN;
		return type;
	}
}

PARSE_FN int parse_gre_routes(struct cursor *c)
{
	const struct wire_gre_route *route;

	PARSE_ROLLED
	for (int i = 0; i < PARSE_GRE_ROUTES_MAX; i++) {
		cursor_take(c, route);
		if (!route->family && !route->len)
			return 0;
		c->off += route->len;
	}
	return -VERDICT_UNKNOWN;
}

PARSE_FN int parse_gre(struct cursor *c, struct tunnel *t)
{
	const struct wire_gre_field *field;
	const struct wire_gre *gre;
	__u32 flags;
	int type, ret;

	cursor_take(c, gre);
	flags = parse_be16(gre->flags);
	type = parse_be16(gre->type);
	if (flags & GRE_VERSION) /* 1 is PPTP's (RFC 2637) */
		return -VERDICT_UNKNOWN;
	if (flags & (GRE_FLAG_CHECKSUM | GRE_FLAG_ROUTING)) /* with the one there is room for both */
		cursor_take(c, field);
	t->encap = ENCAP_GRE_NO_KEY;
	if (flags & GRE_FLAG_KEY) {
		cursor_take(c, field);
		t->encap = ENCAP_GRE;
		t->vni = parse_be32(field->value);
	}
	if (flags & GRE_FLAG_SEQUENCE)
		cursor_take(c, field);
	c->off = parse_blur(c->off);
	if (flags & GRE_FLAG_ROUTING && (ret = parse_gre_routes(c)) < 0)
		return ret;
	c->off = parse_blur(c->off);
	t->encap = parse_blur(t->encap);
	t->vni = parse_blur(t->vni);
	t->type = type;
	return parse_gre_payload(c, type, flags & GRE_FLAG_SEQUENCE, t);
}

/* Extension headers: a length in units of 4, content, and the type of the next in the last byte. */
PARSE_FN int parse_gtpu_extensions(struct cursor *c, int next)
{
	PARSE_ROLLED
	for (int i = 0; i < PARSE_GTPU_EXT_MAX && next; i++) {
		const __u8 *at;

		if (!cursor_step(c, 1, &at))
			return -VERDICT_TRUNCATED;
		if (at[0] == 0)
			return -VERDICT_MALFORMED;
		c->off += at[0] * 4 - 2;
		if (!cursor_step(c, 1, &at))
			return -VERDICT_TRUNCATED;
		next = at[0];
	}
	return next ? -VERDICT_UNKNOWN : 0;
}

/* Other messages than user data belong to the path, not to a tunnel. */
PARSE_FN int parse_gtpu(struct cursor *c, struct tunnel *t)
{
	const struct wire_gtpu_optional *optional;
	const struct wire_gtpu *gtpu;
	int ret;

	cursor_take(c, gtpu);
	if ((gtpu->flags & GTPU_VERSION) != GTPU_VERSION_1)
		return -VERDICT_UNKNOWN;
	if (gtpu->message != GTPU_MESSAGE_PDU)
		return -VERDICT_OTHER;
	t->vni = parse_be32(gtpu->teid);
	cursor_limit(c, c->off, parse_be16(gtpu->len));
	if (gtpu->flags & GTPU_FLAG_ANY) {
		cursor_take(c, optional);
		ret = gtpu->flags & GTPU_FLAG_EXTENSION ? parse_gtpu_extensions(c, optional->next) : 0;
		if (ret < 0)
			return ret;
	}
	return LINK_FIRST_BYTE;
}

#endif
