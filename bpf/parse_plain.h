/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A shortcut past parse.h for the packets that most are: Ethernet, IP without options or fragments,
 * then UDP, VXLAN (or GENEVE without options), or GRE with a key or nothing, Ethernet, IP, or else no
 * tunnel. All offsets are then constants, and each bound is checked once. It gives what parse_frame()
 * gives, or gives up.
 */
#ifndef TUNLAB_BPF_PARSE_PLAIN_H
#define TUNLAB_BPF_PARSE_PLAIN_H

#include "bpf/parse.h"

/* What the shortcut says where it knows nothing. */
#define PLAIN_NOT VERDICT_TRUNCATED

enum { PLAIN_UDP = sizeof(struct wire_udp) + 8 }; /* UDP and a tunnel's header */

/* With these known, so are the places of all headers. IP versions; what is between the outer IP header and the inner frame. */
struct plain_shape {
	int outer, inner;
	__u32 before;
};

PARSE_FN __u32 plain_ip_size(int version)
{
	return version == 4 ? sizeof(struct wire_ipv4) : sizeof(struct wire_ipv6);
}

/* Several fields at once: what of the 4 bytes is under the mask. */
PARSE_FN bool plain_is(const __u8 *at, __u32 mask, __u32 value)
{
	return (flow_load_word(at) & parse_be32(mask)) == parse_be32(value);
}

/* An EtherType, and an IP header of that version without options behind it. */
PARSE_FN bool plain_ip(const __u8 *type, int version)
{
	return version == 4 ? plain_is(type, 0xffffff00, ETH_TYPE_IPV4 << 16 | 0x4500)
			    : plain_is(type, 0xfffff000, (__u32)ETH_TYPE_IPV6 << 16 | 0x6000);
}

/* No fragment, and the protocol. */
PARSE_FN bool plain_has_proto(const __u8 *ip, int version, __u8 proto)
{
	if (version == 4)
		return plain_is((const __u8 *)&((const struct wire_ipv4 *)ip)->fragment, IPV4_FRAGMENT << 16 | 0xff, proto);
	return ((const struct wire_ipv6 *)ip)->next == proto;
}

/* The protocol behind an IP header, -1 if something else comes in front of it or it is a fragment. */
PARSE_FN int plain_proto(const __u8 *at, int version)
{
	const struct wire_ipv4 *v4 = (const void *)at;
	const struct wire_ipv6 *v6 = (const void *)at;
	int proto;

	if (version == 4)
		return v4->fragment & parse_be16(IPV4_FRAGMENT) ? -1 : v4->proto;
	proto = v6->next;
	if (parse_likely(proto == PROTO_UDP || proto == PROTO_TCP))
		return proto;
	parse_keep(proto); /* else the compiler asks for neither of these two, but always for the four below */
	return parse_is_ipv6_ext(proto) ? -1 : proto;
}

/* Bytes behind an IP header, as it says; very many, if it says fewer than it has itself. */
PARSE_FN __u32 plain_payload_len(const __u8 *at, int version)
{
	const struct wire_ipv4 *v4 = (const void *)at;
	const struct wire_ipv6 *v6 = (const void *)at;

	return version == 4 ? parse_be16(v4->total_len) - (__u32)sizeof(*v4) : parse_be16(v6->payload_len);
}

PARSE_FN void plain_put_addresses(const __u8 *at, int version, __u8 src[16], __u8 dst[16])
{
	const struct wire_ipv4 *v4 = (const void *)at;
	const struct wire_ipv6 *v6 = (const void *)at;

	if (version == 4) {
		parse_put_ipv4(src, v4->src);
		parse_put_ipv4(dst, v4->dst);
	} else {
		parse_put_ipv6(src, &v6->src);
		parse_put_ipv6(dst, &v6->dst);
	}
}

/*
 * The TCP or UDP header that segmentation will put in front of each piece, in an inner IP packet's payload of
 * len bytes, added to *header_len; false if it is not plain.
 */
PARSE_FN bool plain_segmented(const __u8 *at, const __u8 *data_end, __u32 len, __u8 proto, __u32 *header_len)
{
	const struct wire_tcp *tcp = (const void *)at;
	const struct wire_udp *udp = (const void *)at;
	__u32 size = sizeof(*udp);

	if (at + sizeof(*udp) > data_end)
		return false;
	if (proto == PROTO_TCP) {
		if (at + sizeof(*tcp) > data_end)
			return false;
		size = (tcp->doff_reserved >> 4) * 4;
		if (size < sizeof(*tcp))
			return false;
	} else if (proto != PROTO_UDP || parse_be16(udp->len) < sizeof(*udp)) {
		return false;
	}
	*header_len += size;
	return size <= len;
}

/* What segmentation will put in front of each piece of an IP packet of len bytes, behind its IP header, is added to *header_len. */
PARSE_FN bool plain_segments(const __u8 *ip, const __u8 *data_end, __u32 len, int version, __u32 *header_len)
{
	__u32 size = plain_ip_size(version), payload_len = plain_payload_len(ip, version);
	int proto = plain_proto(ip, version);

	return proto >= 0 && payload_len <= len - size && plain_segmented(ip + size, data_end, payload_len, proto, header_len);
}

/* An inner IP packet, len bytes from its header on by the lengths around it; as many as IPv4's header has are there. */
PARSE_FN bool plain_inner(const __u8 *ip, const __u8 *data_end, __u32 len, int version, bool segmented,
			  const struct tunnel *t, struct parsed *ret)
{
	__u32 size = plain_ip_size(version);
	int proto;

	if (version == 6 && (ip + size > data_end || len < size))
		return false;
	proto = version == 4 ? ((const struct wire_ipv4 *)ip)->proto : plain_proto(ip, version);
	if (plain_payload_len(ip, version) > 0xffff || proto < 0)
		return false;
	plain_put_addresses(ip, version, ret->key.inner_src, ret->key.inner_dst);
	parse_put_tunnel(&ret->key, t, version == 4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6, proto);
	ret->headers += size;
	return !segmented || plain_segments(ip, data_end, len, version, &ret->headers);
}

/* The tunnel headers of 8 bytes with a frame behind them; false for any other. */
PARSE_FN bool plain_tunnel(const __u8 *at, struct tunnel *t)
{
	const struct wire_geneve *geneve = (const void *)at;
	const struct wire_vxlan *vxlan = (const void *)at;

	if (parse_likely(t->encap == ENCAP_VXLAN)) {
		t->vni = parse_be32(vxlan->vni) >> 8;
		return vxlan->flags & VXLAN_FLAG_VNI;
	}
	t->vni = parse_be32(geneve->vni) >> 8;
	return t->encap == ENCAP_GENEVE && geneve->version_len == 0 &&
	       geneve->type == parse_be16(ETH_TYPE_TEB);
}

/* The first port is nearly always the one. */
PARSE_FN enum encap plain_port_encap(const volatile struct flow_port ports[FLOW_PORTS_MAX], int port)
{
	return parse_likely(port == ports[0].port) ? ports[0].encap : parse_port_encap(ports, port);
}

/* What a packet has at least that has a tunnel: behind the outer IP header, before bytes, Ethernet, IPv4. */
PARSE_FN bool plain_has_inner(const __u8 *payload, const __u8 *data_end, __u32 before)
{
	return payload + before + sizeof(struct wire_ethernet) + sizeof(struct wire_ipv4) <= data_end;
}

/* The inner frame, in an outer IP packet's payload of len bytes that begins at off; plain_has_inner() is true. */
PARSE_FN enum verdict plain_frame(const __u8 *payload, const __u8 *data_end, __u32 off, __u32 len, bool segmented,
				  const struct tunnel *t, struct plain_shape *shape, struct parsed *ret)
{
	const __u8 *ip = payload + shape->before + sizeof(struct wire_ethernet);
	const __u8 *type = ip - sizeof(((struct wire_ethernet *)0)->type);
	__u32 around = shape->before + sizeof(struct wire_ethernet);

	if (len < around + sizeof(struct wire_ipv4))
		return PLAIN_NOT;
	ret->inner_off = off + shape->before;
	ret->inner_len = len - shape->before;
	ret->headers = off + around;
	ret->later_fragment = 0;
	if (parse_likely(plain_ip(type, 4))) {
		shape->inner = 4;
		return plain_inner(ip, data_end, len - around, 4, segmented, t, ret) ? VERDICT_FLOW : PLAIN_NOT;
	}
	if (plain_ip(type, 6)) {
		shape->inner = 6;
		return plain_inner(ip, data_end, len - around, 6, segmented, t, ret) ? VERDICT_FLOW : PLAIN_NOT;
	}
	return PLAIN_NOT;
}

/* GRE with an Ethernet frame in it. */
PARSE_FN enum verdict plain_gre(const __u8 *payload, const __u8 *data_end, __u32 off, __u32 len, bool segmented,
				struct plain_shape *shape, struct parsed *ret)
{
	enum { KEY_END = sizeof(struct wire_gre) + sizeof(struct wire_gre_field) };
	const struct wire_gre_field *key = (const void *)(payload + sizeof(struct wire_gre));
	const struct wire_gre *gre = (const void *)payload;
	struct tunnel t = {.encap = ENCAP_GRETAP_NO_KEY};

	if (!plain_has_inner(payload, data_end, KEY_END) || gre->type != parse_be16(ETH_TYPE_TEB))
		return PLAIN_NOT;
	if (gre->flags == 0) {
		shape->before = sizeof(*gre);
		return plain_frame(payload, data_end, off, len, segmented, &t, shape, ret);
	}
	if (gre->flags != parse_be16(GRE_FLAG_KEY))
		return PLAIN_NOT;
	t.encap = ENCAP_GRETAP;
	t.vni = parse_be32(key->value);
	shape->before = KEY_END;
	return plain_frame(payload, data_end, off, len, segmented, &t, shape, ret);
}

/* UDP and all behind it. */
PARSE_FN enum verdict plain_udp(const __u8 *payload, const __u8 *data_end, __u32 off, __u32 len, bool segmented,
				const volatile struct flow_port ports[FLOW_PORTS_MAX], struct plain_shape *shape,
				struct parsed *ret)
{
	const struct wire_udp *udp = (const void *)payload;
	struct tunnel t = {0};

	if (parse_be16(udp->len) != len)
		return PLAIN_NOT;
	t.encap = plain_port_encap(ports, parse_be16(udp->dst));
	if (t.encap == ENCAP_NONE)
		return len < sizeof(*udp) ? PLAIN_NOT : VERDICT_OTHER;
	if (!plain_has_inner(payload, data_end, PLAIN_UDP) || !plain_tunnel(payload + sizeof(*udp), &t))
		return PLAIN_NOT;
	shape->before = PLAIN_UDP;
	return plain_frame(payload, data_end, off, len, segmented, &t, shape, ret);
}

/* From the outer IP header on; as many bytes as IPv4's and UDP's headers have are there. */
PARSE_FN enum verdict plain_outer(const __u8 *data, const __u8 *data_end, __u32 len, int version, bool segmented,
				  const volatile struct flow_port ports[FLOW_PORTS_MAX], struct plain_shape *shape,
				  struct parsed *ret)
{
	const __u8 *ip = data + sizeof(struct wire_ethernet), *payload = ip + plain_ip_size(version);
	__u32 off = sizeof(struct wire_ethernet) + plain_ip_size(version), payload_len;
	int proto;

	if (version == 6 && payload + sizeof(struct wire_udp) > data_end)
		return PLAIN_NOT;
	payload_len = plain_payload_len(ip, version);
	if (payload_len > len - off)
		return PLAIN_NOT;
	shape->outer = version;
	plain_put_addresses(ip, version, ret->key.outer_src, ret->key.outer_dst);
	if (parse_likely(plain_has_proto(ip, version, PROTO_UDP)))
		return plain_udp(payload, data_end, off, payload_len, segmented, ports, shape, ret);
	proto = plain_proto(ip, version);
	if (proto == PROTO_GRE)
		return plain_gre(payload, data_end, off, payload_len, segmented, shape, ret);
	if (proto < 0 || proto == PROTO_AUTH || payload_len == 0 ||
	    parse_ipproto_encap(version == 4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6, proto) != ENCAP_NONE)
		return PLAIN_NOT;
	return VERDICT_OTHER;
}

/*
 * A frame of len bytes, data to data_end of it at hand. segmented: segmentation will take it apart (want_l4 of
 * parse_frame()); then only VERDICT_FLOW counts. *ret and *shape are written for VERDICT_FLOW.
 */
PARSE_FN enum verdict parse_plain(const __u8 *data, const __u8 *data_end, __u32 len, bool segmented,
				  const volatile struct flow_port ports[FLOW_PORTS_MAX], struct plain_shape *shape,
				  struct parsed *ret)
{
	const __u8 *type = data + sizeof(struct wire_ethernet) - sizeof(((struct wire_ethernet *)0)->type);

	if (data + sizeof(struct wire_ethernet) + sizeof(struct wire_ipv4) + sizeof(struct wire_udp) > data_end)
		return PLAIN_NOT;
	if (parse_likely(plain_ip(type, 4)))
		return plain_outer(data, data_end, len, 4, segmented, ports, shape, ret);
	if (plain_ip(type, 6))
		return plain_outer(data, data_end, len, 6, segmented, ports, shape, ret);
	return PLAIN_NOT;
}

#endif
