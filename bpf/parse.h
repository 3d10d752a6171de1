/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From packet bytes to flow key and verdict: one small function per header, in wire order. Pure,
 * and one source for the BPF program and for native use (replay, unit tests, fuzzers). Maps,
 * counters and the socket buffer belong to monitor.bpf.c.
 *
 * A new tunnel is one function that takes its header and returns the EtherType of what follows
 * (ETH_TYPE_TEB for an Ethernet frame), one row in parse_tunnel(), and one in
 * parse_ipproto_encap() or in the configured UDP ports.
 *
 * Functions named parse_<header> return what follows (EtherType, IP protocol, port: >= 0) or a
 * negative verdict. Structures are the wire's; byte order is in the types.
 */
#ifndef TUNLAB_BPF_PARSE_H
#define TUNLAB_BPF_PARSE_H

#include <linux/types.h>
#include <stdbool.h>

#include "bpf/flow.h"

#ifndef NULL
#define NULL ((void *)0)
#endif

#define PARSE_FN static inline __attribute__((always_inline))

/*
 * clang reads packed fields byte by byte for BPF, so there the structures are naturally aligned
 * (x86-64 and arm64 allow any address); natively the attribute makes any address defined.
 */
#ifdef __bpf__
#define WIRE
#else
#define WIRE __attribute__((packed))
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define parse_be16(x) __builtin_bswap16(x)
#define parse_be32(x) __builtin_bswap32(x)
#else
#define parse_be16(x) (x)
#define parse_be32(x) (x)
#endif

enum {
	PARSE_DEPTH_MAX = 512,  /* headers must lie in the first so many bytes of a frame */
	PARSE_VLANS_MAX = 4,    /* tags in a row */
	PARSE_IPV6_EXT_MAX = 6, /* IPv6 extension headers in a row */
};

/* Own names: the system's headers for these cannot all be included together. */
enum {
	ETH_TYPE_LENGTH_MAX = 0x05ff, /* up to here the field is an 802.3 length (or undefined) */
	ETH_TYPE_IPV4 = 0x0800,
	ETH_TYPE_TEB = 0x6558, /* transparent Ethernet bridging: a frame follows */
	ETH_TYPE_VLAN = 0x8100,
	ETH_TYPE_IPV6 = 0x86dd,
	ETH_TYPE_QINQ = 0x88a8,
	ETH_TYPE_QINQ_OLD = 0x9100,

	PROTO_HOPOPTS = 0,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_DSTOPTS = 60,
};

struct wire_ethernet {
	__u8 dst[6];
	__u8 src[6];
	__be16 type;
} WIRE;

struct wire_vlan {
	__be16 tci;
	__be16 type;
} WIRE;

struct wire_ipv4 {
	__u8 version_ihl;
	__u8 tos;
	__be16 total_len;
	__be16 id;
	__be16 fragment; /* flags, offset in units of 8 */
	__u8 ttl;
	__u8 proto;
	__be16 checksum;
	__be32 src;
	__be32 dst;
} WIRE;

struct wire_ipv6_address {
	__be32 word[4];
} WIRE;

struct wire_ipv6 {
	__be32 version_class_label;
	__be16 payload_len;
	__u8 next;
	__u8 hop_limit;
	struct wire_ipv6_address src;
	struct wire_ipv6_address dst;
} WIRE;

/* Hop-by-hop, routing, destination options: len counts 8 bytes beyond the first 8. */
struct wire_ipv6_ext {
	__u8 next;
	__u8 len;          /* fragment: reserved */
	__be16 fragment;   /* fragment: offset in units of 8 in the upper 13 bits, flags */
	__be32 unused;
} WIRE;

struct wire_udp {
	__be16 src;
	__be16 dst;
	__be16 len;
	__be16 checksum;
} WIRE;

struct wire_tcp {
	__be16 src;
	__be16 dst;
	__be32 seq;
	__be32 ack;
	__u8 doff_reserved; /* header length in units of 4 in the upper 4 bits */
	__u8 flags;
	__be16 window;
	__be16 checksum;
	__be16 urgent;
} WIRE;

/* RFC 7348 */
struct wire_vxlan {
	__be32 flags; /* VXLAN_FLAG_VNI; others are ignored on receipt */
	__be32 vni;   /* upper 24 bits */
} WIRE;

#define VXLAN_FLAG_VNI 0x08000000

_Static_assert(sizeof(struct wire_ethernet) == 14, "as on the wire");
_Static_assert(sizeof(struct wire_ipv4) == 20, "as on the wire");
_Static_assert(sizeof(struct wire_ipv6) == 40, "as on the wire");
_Static_assert(sizeof(struct wire_ipv6_ext) == 8, "as on the wire");
_Static_assert(sizeof(struct wire_tcp) == 20, "as on the wire");

/* Where the parser is in a frame. Offsets count from the frame's first byte. */
struct cursor {
	const __u8 *data;
	const __u8 *data_end; /* end of the bytes at hand */
#ifdef __bpf__
	__u32 copied;         /* data is a copy of the first PARSE_DEPTH_MAX bytes, if there are */
#endif
	__u32 len;            /* the frame's length on the wire, at hand or not */
	__u32 end;            /* end by the length fields read so far; at most len */
	__u32 off;            /* next byte */
	__u32 missing;        /* the bytes before off are not at hand */
	__u32 want_l4;        /* take the innermost TCP or UDP header too (segmentation offload) */
	__u32 no_length;      /* BIG TCP: the IP length is 0, the UDP length means nothing */
	__u32 later_fragment; /* the IP header just read is of a fragment but the first */
};

/* What was found. */
struct parsed {
	struct flow_key key;
	__u32 inner_off; /* where the inner Ethernet (or IP) header begins */
	__u32 inner_len; /* from there to the end by the outer length fields: no Ethernet padding */
	__u32 headers;   /* length of all headers: what each segment of a super-packet repeats */
	__u32 later_fragment;
};

PARSE_FN void cursor_init(struct cursor *c, const void *data, const void *data_end, __u32 len)
{
	*c = (struct cursor){.data = data, .data_end = data_end, .len = len, .end = len};
}

/*
 * The verifier follows every path, and joins two of them only where they leave it the same
 * knowledge. Offsets and flags are different constants on each path (so many tags, such a
 * length), so paths multiply: without this, beyond the million instructions it will look at.
 * Adding a 0 that it cannot know makes a range of the constant. Costs one load.
 */
#ifdef __bpf__
static volatile __u32 parse_zero;
#define parse_blur(x) ((x) + parse_zero)
#define parse_keep(x) asm volatile("" : "+r"(x))
#define PARSE_ROLLED _Pragma("clang loop unroll(disable)")
#else
#define parse_blur(x) (x)
#define parse_keep(x) ((void)0)
#define PARSE_ROLLED
#endif

/*
 * Step over the next size bytes, which begin at *ret. False if they are not at hand. Whether they
 * are within the lengths that headers state is asked once, at the end: see cursor_verdict().
 */
PARSE_FN bool cursor_step(struct cursor *c, __u32 size, const __u8 **ret)
{
	__u32 off = c->off;
	const __u8 *p;

	/* One register each for offset and pointer, else the verifier loses what was checked. */
	parse_keep(off);
	if (off > PARSE_DEPTH_MAX - size)
		goto missing;
#ifdef __bpf__
	p = c->data + off;
	parse_keep(p);
	if (!c->copied && p + size > c->data_end)
		goto missing;
#else
	if (off + size > (__u64)(c->data_end - c->data))
		goto missing;
	p = c->data + off;
#endif
	c->off = parse_blur(off + size);
	*ret = p;
	return true;
missing:
	c->off = parse_blur(off + size);
	c->missing = parse_blur(1);
	return false;
}

/* Take the header that `header` is to point to, or leave the function. */
#define cursor_take(c, header)                                                                     \
	do {                                                                                       \
		const __u8 *at;                                                                    \
                                                                                                   \
		if (!cursor_step((c), sizeof(*(header)), &at))                                     \
			return -VERDICT_TRUNCATED;                                                 \
		(header) = (const void *)at;                                                       \
	} while (0)

/*
 * The verdict, if the headers reached beyond what is there or beyond what they state. Only
 * looked at in the end, that each header costs one comparison less.
 */
PARSE_FN enum verdict cursor_verdict(const struct cursor *c, enum verdict verdict)
{
	if (c->off <= c->end && !c->missing)
		return verdict;
	if (c->off > c->len)
		return VERDICT_TRUNCATED;
	if (c->off > c->end)
		return VERDICT_MALFORMED;
	if (c->off > PARSE_DEPTH_MAX)
		return VERDICT_UNKNOWN;
	return VERDICT_TRUNCATED;
}

/* A header that began at begin says that it and its payload are len bytes. */
PARSE_FN void cursor_limit(struct cursor *c, __u32 begin, __u32 len)
{
	if (begin + len < c->end)
		c->end = parse_blur(begin + len);
}

/* VLAN tags do not tell flows apart (they are no part of the key): only stepped over. */
PARSE_FN int parse_vlans(struct cursor *c, int type)
{
	const struct wire_vlan *tag;

	if (type == ETH_TYPE_IPV4)
		return type; /* nearly always */
	PARSE_ROLLED
	for (int i = 0; i < PARSE_VLANS_MAX; i++) {
		if (type != ETH_TYPE_VLAN && type != ETH_TYPE_QINQ && type != ETH_TYPE_QINQ_OLD)
			return type;
		cursor_take(c, tag);
		type = parse_be16(tag->type);
	}
	if (type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ || type == ETH_TYPE_QINQ_OLD)
		return -VERDICT_UNKNOWN;
	return type;
}

PARSE_FN int parse_ethernet(struct cursor *c)
{
	const struct wire_ethernet *eth;

	cursor_take(c, eth);
	return parse_vlans(c, parse_be16(eth->type));
}

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

PARSE_FN void parse_put_ipv6(__u8 to[16], const struct wire_ipv6_address *from)
{
	parse_put_words(to, parse_pair(from->word[0], from->word[1]),
			parse_pair(from->word[2], from->word[3]));
}

/* All of the key behind the addresses. */
PARSE_FN void parse_put_tunnel(struct flow_key *key, enum encap encap, __u32 vni, __u16 type,
			       __u8 proto)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	__u64 word = vni | (__u64)type << 32 | (__u64)proto << 48 | (__u64)encap << 56;
#else
	__u64 word = (__u64)vni << 32 | (__u32)type << 16 | proto << 8 | encap;
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
	c->later_fragment = ip->fragment & parse_be16(0x1fff);
	parse_put_ipv4(src, ip->src);
	parse_put_ipv4(dst, ip->dst);
	return ip->proto;
}

/* Extension headers up to the upper-layer protocol, or up to the fragment header of a fragment. */
PARSE_FN int parse_ipv6_ext(struct cursor *c, int next)
{
	const struct wire_ipv6_ext *ext;

	PARSE_ROLLED
	for (int i = 0; i < PARSE_IPV6_EXT_MAX; i++) {
		if (next != PROTO_HOPOPTS && next != PROTO_ROUTING && next != PROTO_FRAGMENT &&
		    next != PROTO_DSTOPTS)
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
	if (next == PROTO_HOPOPTS || next == PROTO_ROUTING || next == PROTO_FRAGMENT ||
	    next == PROTO_DSTOPTS)
		return -VERDICT_UNKNOWN;
	return next;
}

PARSE_FN int parse_ipv6(struct cursor *c, __u8 src[16], __u8 dst[16])
{
	const struct wire_ipv6 *ip;
	__u32 payload_len;

	cursor_take(c, ip);
	if ((ip->version_class_label & parse_be32(0xf0000000)) != parse_be32(0x60000000))
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

PARSE_FN int parse_vxlan(struct cursor *c, __u32 *ret_vni)
{
	const struct wire_vxlan *vxlan;

	cursor_take(c, vxlan);
	if (!(vxlan->flags & parse_be32(VXLAN_FLAG_VNI)))
		return -VERDICT_UNKNOWN;
	*ret_vni = parse_be32(vxlan->vni) >> 8;
	return ETH_TYPE_TEB;
}

/* Which tunnel an IP protocol number is. */
PARSE_FN enum encap parse_ipproto_encap(int proto)
{
	switch (proto) {
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

/* The tunnel's header; returns the EtherType of the inner packet. */
PARSE_FN int parse_tunnel(struct cursor *c, enum encap encap, __u32 *ret_vni)
{
	switch (encap) {
	case ENCAP_VXLAN:
		return parse_vxlan(c, ret_vni);
	default:
		return -VERDICT_OTHER;
	}
}

/* What a tunnel carries. Anything but IP is a flow without inner addresses. */
PARSE_FN enum verdict parse_inner(struct cursor *c, enum encap encap, __u32 vni, int type,
				  struct flow_key *key)
{
	int proto;

	if (type == ETH_TYPE_TEB)
		type = parse_ethernet(c);
	if (type < 0)
		return -type;
	proto = parse_ip(c, type, key->inner_src, key->inner_dst);
	if (proto == -VERDICT_OTHER) {
		if (type <= ETH_TYPE_LENGTH_MAX)
			type = FLOW_LLC;
		parse_put_words(key->inner_src, 0, 0);
		parse_put_words(key->inner_dst, 0, 0);
		parse_put_tunnel(key, encap, vni, type, 0);
		return VERDICT_FLOW;
	}
	if (proto < 0)
		return -proto;
	parse_put_tunnel(key, encap, vni, type, proto);
	if (c->want_l4)
		return -parse_segmented(c, proto);
	return VERDICT_FLOW;
}

/*
 * A packet from its outer IP header on, of the given EtherType. A first fragment is parsed as far
 * as it reaches; a later one has no tunnel header and is never taken for one.
 */
PARSE_FN enum verdict parse_network(struct cursor *c,
				    const volatile struct flow_port ports[FLOW_PORTS_MAX],
				    int type, struct parsed *ret)
{
	int proto, port, inner;
	enum encap encap;
	__u32 vni = 0;

	proto = parse_ip(c, type, ret->key.outer_src, ret->key.outer_dst);
	if (proto < 0)
		return -proto;
	ret->later_fragment = c->later_fragment;
	if (c->later_fragment)
		return VERDICT_OTHER;
	if (proto == PROTO_UDP) {
		port = parse_udp(c);
		if (port < 0)
			return -port;
		encap = parse_port_encap(ports, port);
	} else {
		encap = parse_ipproto_encap(proto);
	}
	if (encap == ENCAP_NONE) {
		if (c->want_l4 && proto == PROTO_TCP && (proto = parse_tcp(c)) < 0)
			return -proto;
		return VERDICT_OTHER;
	}
	inner = parse_tunnel(c, encap, &vni);
	if (inner < 0)
		return -inner;
	ret->inner_off = c->off;
	ret->inner_len = c->end - c->off;
	return parse_inner(c, encap, vni, inner, &ret->key);
}

/* A whole Ethernet frame. ret's key is written, and whole, only for VERDICT_FLOW. */
PARSE_FN enum verdict parse_frame(struct cursor *c,
				  const volatile struct flow_port ports[FLOW_PORTS_MAX],
				  struct parsed *ret)
{
	enum verdict verdict;
	int type;

	ret->inner_off = 0;
	ret->inner_len = 0;
	ret->later_fragment = 0;
	type = parse_ethernet(c);
	verdict = type < 0 ? (enum verdict)-type : parse_network(c, ports, type, ret);
	c->off = parse_blur(c->off); /* here all paths meet */
	c->end = parse_blur(c->end);
	ret->headers = c->off;
	return cursor_verdict(c, parse_blur(verdict));
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
