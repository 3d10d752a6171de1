/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What stands before an IP header, outside a tunnel as inside: Ethernet, tags, labels and the like.
 * Each function takes its header and returns the EtherType of what follows, FLOW_NO_TYPE where
 * nothing tells, or a negative verdict.
 */
#ifndef TUNLAB_BPF_PARSE_LINK_H
#define TUNLAB_BPF_PARSE_LINK_H

#include "bpf/cursor.h"
#include "bpf/flow.h"
#include "bpf/wire.h"

enum { PARSE_LINKS_MAX = 6 }; /* headers in a row: frames, tags, labels */

/* Whatever announces IP by its first bits alone: a label's or a TEID's meaning is not in the packet. */
PARSE_FN int parse_nibble(struct cursor *c)
{
	const __u8 *at;

	if (!cursor_step(c, 1, &at))
		return -VERDICT_TRUNCATED;
	if (c->off > c->end)
		return -VERDICT_MALFORMED;
	c->off -= 1;
	return at[0] >> 4;
}

PARSE_FN int parse_nibble_type(int nibble)
{
	if (nibble < 0)
		return nibble;
	return nibble == 4 ? ETH_TYPE_IPV4 : nibble == 6 ? ETH_TYPE_IPV6 : FLOW_NO_TYPE;
}

/* An EtherType, or the length of an IEEE 802.3 frame: LLC follows. */
PARSE_FN int parse_type_or_length(__be16 field)
{
	int type = parse_be16(field);

	return type <= ETH_TYPE_LENGTH_MAX ? ETH_TYPE_LENGTH_MAX : type;
}

PARSE_FN int parse_ethernet(struct cursor *c)
{
	const struct wire_ethernet *eth;

	cursor_take(c, eth);
	return parse_type_or_length(eth->type);
}

/* VLAN tags do not tell flows apart (they are no part of the key): only stepped over. */
PARSE_FN int parse_vlan(struct cursor *c)
{
	const struct wire_vlan *tag;

	cursor_take(c, tag);
	return parse_type_or_length(tag->type);
}

/* One flow for all of LLC, but SNAP of OUI 0 carries an EtherType (RFC 1042). */
PARSE_FN int parse_llc(struct cursor *c)
{
	const struct wire_llc *llc;
	const struct wire_snap *snap;

	cursor_take(c, llc);
	if (llc->dsap != 0xaa || llc->ssap != 0xaa || llc->control != 3)
		return FLOW_LLC;
	cursor_take(c, snap);
	return snap->oui[0] | snap->oui[1] | snap->oui[2] ? FLOW_LLC : snap->type[0] << 8 | snap->type[1];
}

/* One label. Below the last is IP, or a pseudowire's control word (RFC 4385) and its frame. */
PARSE_FN int parse_mpls(struct cursor *c)
{
	const struct wire_mpls *mpls;
	int nibble;

	cursor_take(c, mpls);
	if (!(mpls->label & parse_be32(MPLS_BOTTOM)))
		return ETH_TYPE_MPLS;
	nibble = parse_nibble(c);
	if (nibble != 0)
		return parse_nibble_type(nibble);
	cursor_take(c, mpls);
	return ETH_TYPE_TEB;
}

PARSE_FN int parse_ppp(struct cursor *c)
{
	const struct wire_ppp *ppp;

	cursor_take(c, ppp);
	switch (parse_be16(ppp->proto)) {
	case PPP_IPV4:
		return ETH_TYPE_IPV4;
	case PPP_IPV6:
		return ETH_TYPE_IPV6;
	case PPP_MPLS:
		return ETH_TYPE_MPLS;
	default:
		return FLOW_NO_TYPE;
	}
}

PARSE_FN int parse_pppoe(struct cursor *c)
{
	const struct wire_pppoe *pppoe;

	cursor_take(c, pppoe);
	return ETH_TYPE_PPP;
}

/* The next protocol of VXLAN-GPE and NSH; their registries agree on these. */
PARSE_FN int parse_next_protocol(__u8 next)
{
	switch (next) {
	case 1:
		return ETH_TYPE_IPV4;
	case 2:
		return ETH_TYPE_IPV6;
	case 3:
		return ETH_TYPE_TEB;
	case 4:
		return ETH_TYPE_NSH;
	case 5:
		return ETH_TYPE_MPLS;
	default:
		return FLOW_NO_TYPE;
	}
}

PARSE_FN int parse_nsh(struct cursor *c)
{
	const struct wire_nsh *nsh;
	__u32 len;

	cursor_take(c, nsh);
	len = (parse_be16(nsh->flags_len) & 0x3f) * 4;
	if (len < sizeof(*nsh))
		return -VERDICT_MALFORMED;
	c->off += len - sizeof(*nsh);
	return parse_next_protocol(nsh->next);
}

/* Web cache redirection in GRE: version 2 has a header of 4 bytes before the packet, 1 has none. */
PARSE_FN int parse_wccp(struct cursor *c)
{
	const struct wire_gre_field *redirect;
	int nibble = parse_nibble(c);

	if (nibble == 4 || nibble < 0)
		return parse_nibble_type(nibble);
	cursor_take(c, redirect);
	return parse_nibble_type(parse_nibble(c));
}

/* From one EtherType to the next, until one is left that the link layer does not know. */
PARSE_FN int parse_link(struct cursor *c, int type)
{
	PARSE_ROLLED
	for (int i = 0; i < PARSE_LINKS_MAX; i++) {
		switch (type) {
		case ETH_TYPE_TEB:
			type = parse_ethernet(c);
			break;
		case ETH_TYPE_VLAN:
		case ETH_TYPE_QINQ:
		case ETH_TYPE_QINQ_OLD:
			type = parse_vlan(c);
			break;
		case ETH_TYPE_MPLS:
		case ETH_TYPE_MPLS_MULTICAST:
			type = parse_mpls(c);
			break;
		case ETH_TYPE_PPPOE:
			type = parse_pppoe(c);
			break;
		case ETH_TYPE_PPP:
			type = parse_ppp(c);
			break;
		case ETH_TYPE_NSH:
			type = parse_nsh(c);
			break;
		case ETH_TYPE_WCCP:
			type = parse_wccp(c);
			break;
		case ETH_TYPE_LENGTH_MAX:
			return parse_llc(c);
		default:
			return type; /* or a verdict */
		}
		type = parse_blur(type);
	}
	return -VERDICT_UNKNOWN;
}

#endif
