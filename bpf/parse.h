/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From packet bytes to flow key and verdict, in wire order: a frame's link layer (parse_link.h), its
 * outer IP header (parse_ip.h), the tunnel's (parse_tunnel.h), and the same again inside. Pure, and one
 * source for the BPF program and for native use (replay, unit tests, fuzzers). Maps, counters and the
 * socket buffer belong to monitor.bpf.c; the wire's structures are in wire.h, bounds in cursor.h, a
 * shortcut for the commonest packets in parse_plain.h.
 *
 * A new tunnel is one function in parse_tunnel.h, one row in parse_tunnel(), one in
 * parse_ipproto_encap() or in the configured UDP ports, and a table in tests/unit/packets_tunnels.h.
 *
 * Functions named parse_<header> return what follows (EtherType, IP protocol, port: >= 0) or a
 * negative verdict.
 */
#ifndef TUNLAB_BPF_PARSE_H
#define TUNLAB_BPF_PARSE_H

#include "bpf/parse_ip.h"
#include "bpf/parse_link.h"
#include "bpf/parse_tunnel.h"

/* What was found. */
struct parsed {
	struct flow_key key;
	__u32 inner_off; /* where the inner Ethernet (or IP) header begins */
	__u32 inner_len; /* from there to the end by the outer length fields: no Ethernet padding */
	__u32 headers;   /* length of all headers: what each segment of a super-packet repeats */
	__u32 later_fragment;
};

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

/* IP is announced, but not there. */
PARSE_FN int parse_absent(int type)
{
	return type == ETH_TYPE_IPV4 ? FLOW_NOT_IPV4 : type == ETH_TYPE_IPV6 ? FLOW_NOT_IPV6 : type;
}

/*
 * What stands before the IP header inside, if one does: its EtherType, or that of what is there instead. A
 * tunnel may carry nothing; but where it is IP in IP, that is a header too few.
 */
PARSE_FN int parse_inner_link(struct cursor *c, const struct tunnel *t, int type)
{
	int byte;

	if (c->off == c->end && t->encap != ENCAP_4IN4 && t->encap != ENCAP_6IN4 && t->encap != ENCAP_4IN6 &&
	    t->encap != ENCAP_6IN6)
		return parse_absent(t->type);
	type = parse_link(c, parse_blur(parse_link_in_tunnel(c, type)), t->type);
	if (type != ETH_TYPE_IPV4 && type != ETH_TYPE_IPV6)
		return type;
	byte = parse_first_byte(c);
	if (byte < 0)
		return byte;
	return parse_first_byte_type(byte) == type ? type : parse_absent(type);
}

/* The rest of the key. Anything but IP is a flow without inner addresses, also what only begins like it. */
PARSE_FN enum verdict parse_inner_ip(struct cursor *c, const struct tunnel *t, int type, struct flow_key *key)
{
	int proto = parse_ip(c, type, key->inner_src, key->inner_dst, false);

	if (proto == -VERDICT_OTHER || proto == -VERDICT_MALFORMED) {
		type = proto == -VERDICT_MALFORMED ? parse_absent(type) : type;
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

/*
 * The outer IP header, of the given EtherType; the protocol of what follows. A first fragment is parsed
 * as far as it reaches; a later one has no tunnel header and is never taken for one.
 */
PARSE_FN int parse_outer_ip(struct cursor *c, int type, struct parsed *ret)
{
	int proto = parse_ip(c, type, ret->key.outer_src, ret->key.outer_dst, true);

	if (proto < 0)
		return proto;
	ret->later_fragment = c->later_fragment;
	return c->later_fragment ? -VERDICT_OTHER : proto;
}

/* The boundary that an IP protocol (and a UDP port) announce, if any; the EtherType of what is inside. */
PARSE_FN int parse_boundary(struct cursor *c, const volatile struct flow_port ports[FLOW_PORTS_MAX],
			    int type, int proto, struct tunnel *t, struct parsed *ret)
{
	int port, inner;

	if (proto == PROTO_UDP) {
		port = parse_udp(c);
		if (port < 0)
			return port;
		t->encap = parse_port_encap(ports, port);
	} else {
		t->encap = parse_ipproto_encap(type, proto);
	}
	t->type = FLOW_NO_TYPE;
	inner = parse_tunnel(c, t);
	if (inner == -VERDICT_OTHER && c->want_l4 && proto == PROTO_TCP && (proto = parse_tcp(c)) < 0)
		return proto;
	if (inner < 0)
		return inner;
	t->encap = parse_blur(t->encap); /* here all tunnels meet */
	t->vni = parse_blur(t->vni);
	t->type = parse_blur(t->type);
	c->off = parse_blur(c->off);
	ret->inner_off = c->off;
	ret->inner_len = cursor_end(c) - c->off;
	return parse_blur(inner);
}

/* A packet from its outer IP header on, of the given EtherType. */
PARSE_FN enum verdict parse_network(struct cursor *c,
				    const volatile struct flow_port ports[FLOW_PORTS_MAX],
				    int type, struct parsed *ret)
{
	struct tunnel t = {0};
	int next = parse_outer_ip(c, type, ret);

	if (next < 0)
		return -next;
	c->off = parse_blur(c->off);
	next = parse_boundary(c, ports, type, parse_blur(next), &t, ret);
	if (next < 0)
		return -next;
	next = parse_inner_link(c, &t, next);
	if (next < 0)
		return -next;
	return parse_inner_ip(c, &t, parse_blur(next), &ret->key);
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
	type = parse_link(c, type, FLOW_NO_TYPE);
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
