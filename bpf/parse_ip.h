/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * IP, its extension headers, UDP and TCP. Addresses go to where the caller wants them; the functions
 * return the next protocol, a port, or a negative verdict.
 */
#ifndef TUNLAB_BPF_PARSE_IP_H
#define TUNLAB_BPF_PARSE_IP_H

#include "bpf/cursor.h"
#include "bpf/flow.h"
#include "bpf/wire.h"

enum { PARSE_EXT_MAX = 8 }; /* extension headers in a row */

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
	parse_put_words(to, flow_load(&from->word[0]), flow_load(&from->word[2]));
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

/*
 * Extension headers up to the upper-layer protocol, or up to the fragment header of a later fragment. An
 * authentication header is one of them where auth says so: before a tunnel. Inside it stays the protocol.
 */
PARSE_FN int parse_ext(struct cursor *c, int next, bool auth)
{
	const struct wire_ipv6_ext *ext;

	PARSE_ROLLED
	for (int i = 0; i < PARSE_EXT_MAX; i++) {
		if (!parse_is_ipv6_ext(next) && !(auth && next == PROTO_AUTH))
			return next;
		cursor_take(c, ext);
		if (next == PROTO_FRAGMENT) {
			if (ext->fragment & parse_be16(0xfff8)) {
				c->later_fragment = parse_blur(1);
				return ext->next;
			}
		} else {
			c->off += ext->len * (next == PROTO_AUTH ? 4 : 8);
		}
		next = ext->next;
	}
	return parse_is_ipv6_ext(next) || (auth && next == PROTO_AUTH) ? -VERDICT_UNKNOWN : next;
}

PARSE_FN int parse_ipv6(struct cursor *c, __u8 src[16], __u8 dst[16])
{
	const struct wire_ipv6 *ip;
	__u32 payload_len;

	cursor_take(c, ip);
	if ((ip->version_class_label & parse_be32(IPV6_VERSION)) != parse_be32(IPV6_VERSION_6))
		return -VERDICT_MALFORMED;
	payload_len = parse_be16(ip->payload_len);
	c->no_length = parse_blur(payload_len == 0 && c->len - c->off > IPV6_PAYLOAD_MAX); /* RFC 2675, 3 */
	if (!c->no_length)
		cursor_limit(c, c->off, payload_len);
	c->later_fragment = parse_blur(0);
	parse_put_ipv6(src, &ip->src);
	parse_put_ipv6(dst, &ip->dst);
	return ip->next;
}

/* The IP header that the EtherType announces, with its extensions; VERDICT_OTHER if it announces none. */
PARSE_FN int parse_ip(struct cursor *c, int type, __u8 src[16], __u8 dst[16], bool auth)
{
	int proto;

	if (type == ETH_TYPE_IPV4)
		proto = parse_ipv4(c, src, dst);
	else if (type == ETH_TYPE_IPV6)
		proto = parse_ipv6(c, src, dst);
	else
		return -VERDICT_OTHER;
	if (type == ETH_TYPE_IPV6 ? proto >= 0 : auth && proto == PROTO_AUTH && !c->later_fragment)
		return parse_ext(c, parse_blur(proto), auth);
	return proto;
}

/* Returns the destination port. */
PARSE_FN int parse_udp(struct cursor *c)
{
	__u32 begin = c->off;
	const struct wire_udp *udp;
	__u32 len;

	cursor_take(c, udp);
	len = parse_be16(udp->len);
	if (!c->no_length) { /* a jumbogram's is 0 (RFC 2675) */
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

#endif
