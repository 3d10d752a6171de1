/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From packet bytes to flow key and verdict: one small function per header, in wire order. Pure,
 * and one source for the BPF program and for native use (replay, unit tests, fuzzers). Maps,
 * counters and the socket buffer belong to monitor.bpf.c; the wire's structures are in wire.h,
 * bounds in cursor.h, the shortcut for the commonest packet in parse_plain.h.
 *
 * A new tunnel is one function that takes its header, notes encapsulation and number and returns
 * the EtherType of what follows (ETH_TYPE_TEB for an Ethernet frame), one row in parse_tunnel(),
 * and one in parse_ipproto_encap() or in the configured UDP ports.
 *
 * Functions named parse_<header> return what follows (EtherType, IP protocol, port: >= 0) or a
 * negative verdict.
 */
#ifndef TUNLAB_BPF_PARSE_H
#define TUNLAB_BPF_PARSE_H

#include <linux/types.h>
#include <stdbool.h>

#include "bpf/cursor.h"
#include "bpf/flow.h"
#include "bpf/wire.h"

enum {
	PARSE_LINKS_MAX = 8,   /* link-layer headers in a row: frames, tags, labels */
	PARSE_IPV6_EXT_MAX = 6, /* IPv6 extension headers in a row */
	PARSE_GTPU_EXT_MAX = 4, /* GTP-U extension headers in a row */
};

/* What was found. */
struct parsed {
	struct flow_key key;
	__u32 inner_off; /* where the inner Ethernet (or IP) header begins */
	__u32 inner_len; /* from there to the end by the outer length fields: no Ethernet padding */
	__u32 headers;   /* length of all headers: what each segment of a super-packet repeats */
	__u32 later_fragment;
};

/* What a tunnel header says. */
struct tunnel {
	__u32 encap; /* enum encap */
	__u32 vni;   /* 0 where it says none */
};

/* ---- link layer: each returns the EtherType of what follows, FLOW_NO_TYPE if nothing tells ---- */

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

/* ---- IP and above ---- */

/*
 * A key is written in words of 8 bytes: it is soon read in such words, and a load that spans two
 * stores waits until both have left the store buffer.
 */
PARSE_FN void parse_put_words(__u8 to[16], __u64 first, __u64 last)
{
	to = __builtin_assume_aligned(to, 8);
	__builtin_memcpy(to, &first, 8);
	__builtin_memcpy(to + 8, &last, 8);
}

/* The 8 bytes that two words of 4 in a packet make. */
PARSE_FN __u64 parse_pair(__be32 first, __be32 last)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (__u64)last << 32 | first;
#else
	return (__u64)first << 32 | last;
#endif
}

PARSE_FN void parse_put_ipv4(__u8 to[16], __be32 from)
{
	parse_put_words(to, 0, parse_pair(parse_be32(0x0000ffff), from));
}

/* 8 bytes at any address. */
PARSE_FN __u64 parse_load(const void *from)
{
#ifdef __bpf__
	return *(const __u64 *)from; /* the compiler would take it apart */
#else
	__u64 word;

	__builtin_memcpy(&word, from, sizeof(word));
	return word;
#endif
}

PARSE_FN void parse_put_ipv6(__u8 to[16], const struct wire_ipv6_address *from)
{
	parse_put_words(to, parse_load(&from->word[0]), parse_load(&from->word[2]));
}

/* All of the key behind the addresses. */
PARSE_FN void parse_put_tunnel(struct flow_key *key, const struct tunnel *t, __u16 type, __u8 proto)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	__u64 word = t->vni | (__u64)type << 32 | (__u64)proto << 48 | (__u64)t->encap << 56;
#else
	__u64 word = (__u64)t->vni << 32 | (__u32)type << 16 | proto << 8 | t->encap;
#endif

	__builtin_memcpy(__builtin_assume_aligned(&key->vni, 8), &word, sizeof(word));
}

PARSE_FN int parse_ipv4(struct cursor *c, __u8 src[16], __u8 dst[16])
{
	__u32 begin = c->off;
	const struct wire_ipv4 *ip;
	__u32 header_len, total_len;

	cursor_take(c, ip);
	header_len = (ip->version_ihl & 0x0f) * 4;
	total_len = parse_be16(ip->total_len);
	if (ip->version_ihl >> 4 != 4 || header_len < sizeof(*ip))
		return -VERDICT_MALFORMED;
	c->no_length = parse_blur(total_len == 0);
	if (total_len) {
		if (total_len < header_len)
			return -VERDICT_MALFORMED;
		cursor_limit(c, begin, total_len);
	}
	c->off += header_len - sizeof(*ip);
	c->later_fragment = ip->fragment & parse_be16(IPV4_FRAGMENT_OFFSET);
	parse_put_ipv4(src, ip->src);
	parse_put_ipv4(dst, ip->dst);
	return ip->proto;
}

PARSE_FN bool parse_is_ipv6_ext(int next)
{
	return next == PROTO_HOPOPTS || next == PROTO_ROUTING || next == PROTO_FRAGMENT ||
	       next == PROTO_DSTOPTS;
}

/* Extension headers up to the upper-layer protocol, or up to the fragment header of a fragment. */
PARSE_FN int parse_ipv6_ext(struct cursor *c, int next)
{
	const struct wire_ipv6_ext *ext;

	PARSE_ROLLED
	for (int i = 0; i < PARSE_IPV6_EXT_MAX; i++) {
		if (!parse_is_ipv6_ext(next))
			return next;
		cursor_take(c, ext);
		if (next == PROTO_FRAGMENT) {
			if (ext->fragment & parse_be16(0xfff8)) {
				c->later_fragment = parse_blur(1);
				return ext->next;
			}
		} else {
			c->off += ext->len * 8;
		}
		next = ext->next;
	}
	return parse_is_ipv6_ext(next) ? -VERDICT_UNKNOWN : next;
}

PARSE_FN int parse_ipv6(struct cursor *c, __u8 src[16], __u8 dst[16])
{
	const struct wire_ipv6 *ip;
	__u32 payload_len;

	cursor_take(c, ip);
	if ((ip->version_class_label & parse_be32(IPV6_VERSION)) != parse_be32(IPV6_VERSION_6))
		return -VERDICT_MALFORMED;
	payload_len = parse_be16(ip->payload_len);
	c->no_length = parse_blur(payload_len == 0);
	if (payload_len)
		cursor_limit(c, c->off, payload_len);
	c->later_fragment = parse_blur(0);
	parse_put_ipv6(src, &ip->src);
	parse_put_ipv6(dst, &ip->dst);
	return parse_ipv6_ext(c, ip->next);
}

/* The IP header that the EtherType announces; VERDICT_OTHER if it announces none. */
PARSE_FN int parse_ip(struct cursor *c, int type, __u8 src[16], __u8 dst[16])
{
	if (type == ETH_TYPE_IPV4)
		return parse_ipv4(c, src, dst);
	if (type == ETH_TYPE_IPV6)
		return parse_ipv6(c, src, dst);
	return -VERDICT_OTHER;
}

/* What stands behind an authentication header, before the tunnel. */
PARSE_FN int parse_auth(struct cursor *c)
{
	const struct wire_ipv6_ext *auth;

	cursor_take(c, auth);
	c->off += auth->len * 4;
	return auth->next;
}

/* Returns the destination port. */
PARSE_FN int parse_udp(struct cursor *c)
{
	__u32 begin = c->off;
	const struct wire_udp *udp;
	__u32 len;

	cursor_take(c, udp);
	len = parse_be16(udp->len);
	if (len && !c->no_length) { /* 0: a jumbogram, or left to the sender's hardware */
		if (len < sizeof(*udp))
			return -VERDICT_MALFORMED;
		cursor_limit(c, begin, len);
	}
	return parse_be16(udp->dst);
}

PARSE_FN int parse_tcp(struct cursor *c)
{
	const struct wire_tcp *tcp;
	__u32 header_len;

	cursor_take(c, tcp);
	header_len = (tcp->doff_reserved >> 4) * 4;
	if (header_len < sizeof(*tcp))
		return -VERDICT_MALFORMED;
	c->off += header_len - sizeof(*tcp);
	return 0;
}

/* Step over the header that segmentation repeats. 0 also where there is none to step over. */
PARSE_FN int parse_segmented(struct cursor *c, int proto)
{
	int ret = 0;

	if (c->later_fragment)
		return 0;
	if (proto == PROTO_TCP)
		ret = parse_tcp(c);
	else if (proto == PROTO_UDP)
		ret = parse_udp(c);
	return ret < 0 ? ret : 0;
}

/* ---- tunnels: each returns the EtherType of the inner packet ---- */

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
	return parse_be16(geneve->type);
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
		*t = (struct tunnel){.encap = ENCAP_ERSPAN1};
		return ETH_TYPE_TEB;
	case ETH_TYPE_ERSPAN3:
		return parse_erspan3(c, t);
	default:
		return type;
	}
}

PARSE_FN int parse_gre(struct cursor *c, struct tunnel *t)
{
	const struct wire_gre_field *field;
	const struct wire_gre *gre;
	__u32 flags;
	int type;

	cursor_take(c, gre);
	flags = parse_be16(gre->flags);
	type = parse_be16(gre->type);
	if (flags & (GRE_FLAG_ROUTING | GRE_VERSION)) /* version 1 is PPTP's (RFC 2637) */
		return -VERDICT_UNKNOWN;
	if (flags & GRE_FLAG_CHECKSUM)
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
	t->encap = parse_blur(t->encap);
	t->vni = parse_blur(t->vni);
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
	if (gtpu->flags & GTPU_FLAG_ANY) {
		cursor_take(c, optional);
		ret = parse_gtpu_extensions(c, optional->next);
		if (ret < 0)
			return ret;
	}
	return parse_nibble_type(parse_nibble(c));
}

/* Which tunnel an IP protocol number is, in an IP packet of the given EtherType. */
PARSE_FN enum encap parse_ipproto_encap(int type, int proto)
{
	switch (proto) {
	case PROTO_IPV4:
		return type == ETH_TYPE_IPV4 ? ENCAP_4IN4 : ENCAP_4IN6;
	case PROTO_IPV6:
		return type == ETH_TYPE_IPV4 ? ENCAP_6IN4 : ENCAP_6IN6;
	case PROTO_GRE:
		return ENCAP_GRE;
	default:
		return ENCAP_NONE;
	}
}

/* Which tunnel a UDP destination port is. */
PARSE_FN enum encap parse_port_encap(const volatile struct flow_port ports[FLOW_PORTS_MAX],
				     int port)
{
	for (int i = 0; i < FLOW_PORTS_MAX && ports[i].encap != ENCAP_NONE; i++) {
		if (ports[i].port == port)
			return ports[i].encap;
	}
	return ENCAP_NONE;
}

/* The tunnel's header, if it has one; t->encap says which, and may say it more precisely then. */
PARSE_FN int parse_tunnel(struct cursor *c, struct tunnel *t)
{
	switch (t->encap) {
	case ENCAP_VXLAN:
		return parse_vxlan(c, t);
	case ENCAP_VXLAN_GPE:
		return parse_vxlan_gpe(c, t);
	case ENCAP_GENEVE:
		return parse_geneve(c, t);
	case ENCAP_GRE:
		return parse_gre(c, t);
	case ENCAP_GTPU:
		return parse_gtpu(c, t);
	case ENCAP_4IN4:
	case ENCAP_4IN6:
		return ETH_TYPE_IPV4;
	case ENCAP_6IN4:
	case ENCAP_6IN6:
		return ETH_TYPE_IPV6;
	default:
		return -VERDICT_OTHER;
	}
}

/* ---- frames ---- */

/* What a tunnel carries. Anything but IP is a flow without inner addresses. */
PARSE_FN enum verdict parse_inner(struct cursor *c, const struct tunnel *t, int type,
				  struct flow_key *key)
{
	int proto;

	type = parse_link(c, type);
	if (type == ETH_TYPE_IPV4 || type == ETH_TYPE_IPV6) {
		int nibble = parse_nibble(c);

		if (nibble < 0)
			return -nibble;
		if (parse_nibble_type(nibble) != type) /* announced, but not there */
			type = type == ETH_TYPE_IPV4 ? FLOW_NOT_IPV4 : FLOW_NOT_IPV6;
	}
	if (type < 0)
		return -type;
	type = parse_blur(type);
	proto = parse_ip(c, type, key->inner_src, key->inner_dst);
	if (proto == -VERDICT_OTHER) {
		parse_put_words(key->inner_src, 0, 0);
		parse_put_words(key->inner_dst, 0, 0);
		parse_put_tunnel(key, t, type, 0);
		return VERDICT_FLOW;
	}
	if (proto < 0)
		return -proto;
	parse_put_tunnel(key, t, type, proto);
	if (c->want_l4)
		return -parse_segmented(c, proto);
	return VERDICT_FLOW;
}

/* The boundary that an IP protocol (and a UDP port) announce, if any. */
PARSE_FN int parse_boundary(struct cursor *c, const volatile struct flow_port ports[FLOW_PORTS_MAX],
			    int type, int proto, struct tunnel *t)
{
	int port;

	if (proto == PROTO_UDP) {
		port = parse_udp(c);
		if (port < 0)
			return port;
		t->encap = parse_port_encap(ports, port);
	} else {
		t->encap = parse_ipproto_encap(type, proto);
	}
	return parse_tunnel(c, t);
}

/*
 * A packet from its outer IP header on, of the given EtherType. A first fragment is parsed as far
 * as it reaches; a later one has no tunnel header and is never taken for one.
 */
PARSE_FN enum verdict parse_network(struct cursor *c,
				    const volatile struct flow_port ports[FLOW_PORTS_MAX],
				    int type, struct parsed *ret)
{
	struct tunnel t = {0};
	int proto, inner;

	proto = parse_ip(c, type, ret->key.outer_src, ret->key.outer_dst);
	if (proto < 0)
		return -proto;
	ret->later_fragment = c->later_fragment;
	if (c->later_fragment)
		return VERDICT_OTHER;
	if (proto == PROTO_AUTH) {
		proto = parse_auth(c);
		if (proto < 0)
			return -proto;
	}
	proto = parse_blur(proto);
	c->off = parse_blur(c->off);
	inner = parse_boundary(c, ports, type, proto, &t);
	if (inner == -VERDICT_OTHER && c->want_l4 && proto == PROTO_TCP && (proto = parse_tcp(c)) < 0)
		return -proto;
	if (inner < 0)
		return -inner;
	t.encap = parse_blur(t.encap); /* here all tunnels meet */
	t.vni = parse_blur(t.vni);
	c->off = parse_blur(c->off);
	ret->inner_off = c->off;
	ret->inner_len = c->end - c->off;
	return parse_inner(c, &t, parse_blur(inner), &ret->key);
}

/* From a link-layer header (ETH_TYPE_TEB: an Ethernet frame) or an IP header, by EtherType. */
PARSE_FN enum verdict parse_packet(struct cursor *c,
				   const volatile struct flow_port ports[FLOW_PORTS_MAX],
				   int type, struct parsed *ret)
{
	enum verdict verdict;

	ret->inner_off = 0;
	ret->inner_len = 0;
	ret->later_fragment = 0;
	type = parse_link(c, type);
	verdict = type < 0 ? (enum verdict)-type : parse_network(c, ports, parse_blur(type), ret);
	c->off = parse_blur(c->off); /* here all paths meet */
	c->end = parse_blur(c->end);
	ret->headers = c->off;
	return cursor_verdict(c, parse_blur(verdict));
}

/* A whole Ethernet frame. ret's key is written, and whole, only for VERDICT_FLOW. */
PARSE_FN enum verdict parse_frame(struct cursor *c,
				  const volatile struct flow_port ports[FLOW_PORTS_MAX],
				  struct parsed *ret)
{
	return parse_packet(c, ports, ETH_TYPE_TEB, ret);
}

/*
 * Wire packets and bytes of a frame of len bytes on the interface. gso_size and gso_segs are the
 * socket buffer's (0 for a plain frame; gso_segs may be 0 where it came from outside the kernel).
 * Each segment repeats the headers.
 */
PARSE_FN void parse_count(const struct parsed *parsed, __u32 len, __u32 gso_size, __u32 gso_segs,
			  struct flow_count *ret)
{
	__u64 more = 0; /* segments beyond the first */

	ret->packets = 1;
	ret->bytes = len;
	ret->inner_bytes = parsed->inner_len;
	if (!gso_size)
		return;
	if (gso_segs)
		more = gso_segs - 1;
	else if (len > parsed->headers)
		more = (len - parsed->headers - 1) / gso_size;
	ret->packets += more;
	ret->bytes += more * parsed->headers;
	if (parsed->inner_off)
		ret->inner_bytes += more * (parsed->headers - parsed->inner_off);
}

#endif
