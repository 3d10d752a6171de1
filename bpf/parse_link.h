/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What stands before an IP header, outside a tunnel as inside: Ethernet, tags, labels and the like.
 * Each function takes its header and returns the EtherType of what follows (or one of enum link), FLOW_NO_TYPE
 * where nothing tells, or a negative verdict.
 */
#ifndef TUNLAB_BPF_PARSE_LINK_H
#define TUNLAB_BPF_PARSE_LINK_H

#include "bpf/cursor.h"
#include "bpf/flow.h"
#include "bpf/wire.h"

enum { PARSE_LINKS_MAX = 10 }; /* headers in a row: frames, tags, labels */

/* What follows, where that has no EtherType of its own. */
enum link {
	LINK_LLC = 0x10000,
	LINK_WLAN,
	LINK_FIRST_BYTE, /* IP, if it begins so: a label's or a TEID's meaning is not in the packet */
};

/* The next byte, which is not taken. */
PARSE_FN int parse_first_byte(struct cursor *c)
{
	const __u8 *at;

	if (!cursor_step(c, 1, &at))
		return -VERDICT_TRUNCATED;
	c->beyond |= ((__u64)c->end - c->off) >> 63; /* no branch: the verifier would follow both */
	c->off -= 1;
	return at[0];
}

/* The IP header that a first byte can be of: version, and IPv4's length. */
PARSE_FN int parse_first_byte_type(int byte)
{
	if (byte < 0)
		return byte;
	if (byte >> 4 == 6)
		return ETH_TYPE_IPV6;
	return byte >= 0x45 && byte <= 0x4f ? ETH_TYPE_IPV4 : FLOW_NO_TYPE;
}

/* An EtherType, or the length of an IEEE 802.3 frame: LLC follows. */
PARSE_FN int parse_type_or_length(__be16 field)
{
	int type = parse_be16(field);

	return type && type <= ETH_LENGTH_MAX ? (int)LINK_LLC : type;
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

/* An EtherType is in SNAP of OUI 0 (RFC 1042) and in that of bridges (802.1H); LSAP 6 is IPv4. */
PARSE_FN int parse_llc(struct cursor *c)
{
	const struct wire_llc *llc;
	const struct wire_snap *snap;

	cursor_take(c, llc);
	if (llc->dsap == 6)
		return ETH_TYPE_IPV4;
	if (llc->dsap != 0xaa || llc->ssap != 0xaa || llc->control != 3)
		return FLOW_NO_TYPE;
	cursor_take(c, snap);
	if (snap->oui[0] | snap->oui[1] || (snap->oui[2] && snap->oui[2] != 0xf8))
		return FLOW_NO_TYPE;
	return snap->type[0] << 8 | snap->type[1];
}

/* IEEE 802.11. LLC is only in data that are not encrypted, not a later fragment, not several frames. */
PARSE_FN int parse_wlan(struct cursor *c)
{
	const struct wire_wlan *wlan;
	const __u8 *qos;

	if (!cursor_step(c, 2, &qos)) /* other frames may have no more */
		return -VERDICT_TRUNCATED;
	c->off -= 2;
	if ((qos[0] & WLAN_KIND) != WLAN_KIND_DATA || qos[1] & WLAN_FLAG_PROTECTED)
		return FLOW_NO_TYPE;
	cursor_take(c, wlan);
	if (wlan->fragment & 0x0f)
		return FLOW_NO_TYPE;
	if ((wlan->flags & WLAN_FLAGS_4_ADDRESSES) == WLAN_FLAGS_4_ADDRESSES)
		c->off += 6;
	if (!(wlan->control & WLAN_QOS))
		return LINK_LLC;
	if (!cursor_step(c, 2, &qos))
		return -VERDICT_TRUNCATED;
	if (wlan->flags & WLAN_FLAG_HT)
		c->off += 4;
	return qos[0] & WLAN_QOS_AGGREGATE ? FLOW_NO_TYPE : (int)LINK_LLC;
}

/* One label. Below the last is IP, or a pseudowire's control word (RFC 4385) and its frame. */
PARSE_FN int parse_mpls(struct cursor *c)
{
	const struct wire_mpls *mpls;
	int byte;

	cursor_take(c, mpls);
	if (!(mpls->label & parse_be32(MPLS_BOTTOM)))
		return ETH_TYPE_MPLS;
	byte = parse_first_byte(c);
	if (byte < 0 || byte >> 4 != 0)
		return parse_first_byte_type(byte);
	cursor_take(c, mpls);
	return ETH_TYPE_TEB;
}

/* As in HDLC (RFC 1662) or without its two bytes; the protocol may be shortened to one, then odd (RFC 1661, 6.5). */
PARSE_FN int parse_ppp(struct cursor *c)
{
	const struct wire_ppp_hdlc *hdlc;
	const struct wire_ppp *ppp;
	int proto = parse_first_byte(c);

	if (proto == PPP_HDLC_ALL) {
		cursor_take(c, hdlc);
		proto = parse_first_byte(c);
	}
	if (proto < 0)
		return proto;
	if (proto & 1) {
		c->off += 1;
	} else {
		cursor_take(c, ppp);
		proto = parse_be16(ppp->proto);
	}
	switch (proto) {
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

/* Web cache redirection: version 2 has a header of 4 bytes before the packet, 1 has none. */
PARSE_FN int parse_wccp(struct cursor *c)
{
	const struct wire_gre_field *redirect;
	int byte = parse_first_byte(c);

	if (byte < 0 || byte >> 4 == 4)
		return parse_first_byte_type(byte);
	cursor_take(c, redirect);
	return LINK_FIRST_BYTE;
}

/* What only tunnels have, and first: the verifier need not look at it again in parse_link()'s loop. */
PARSE_FN int parse_link_in_tunnel(struct cursor *c, int type)
{
	switch (type) {
	case ETH_TYPE_WCCP:
		type = parse_wccp(c);
		break;
	case LINK_WLAN:
		type = parse_wlan(c);
		break;
	}
	return type == LINK_FIRST_BYTE ? parse_first_byte_type(parse_first_byte(c)) : type;
}

/*
 * From one header to the next, until one is left that the link layer does not know, and its EtherType; where
 * nothing tells it, the last one stated: that of a label, or of the tag of an LLC frame.
 */
PARSE_FN int parse_link(struct cursor *c, int type, int stated)
{
	PARSE_ROLLED
	for (int i = 0; i < PARSE_LINKS_MAX; i++) {
		switch (type) {
		case ETH_TYPE_TEB:
			type = parse_ethernet(c);
			stated = type == LINK_LLC ? FLOW_LLC : type;
			break;
		case ETH_TYPE_VLAN:
		case ETH_TYPE_QINQ:
		case ETH_TYPE_QINQ_OLD:
			stated = type;
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
		case LINK_LLC:
			type = parse_llc(c);
			break;
		case FLOW_NO_TYPE:
			return stated;
		default:
			return type; /* or a verdict */
		}
		type = parse_blur(type);
		stated = parse_blur(stated);
	}
	return -VERDICT_UNKNOWN;
}

#endif
