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

/* An inner IP packet that begins at at; false if it is not plain. */
PARSE_FN bool plain_inner(const __u8 *at, const __u8 *data_end, __u32 len, __be16 type, bool segmented,
			  const struct tunnel *t, struct flow_key *key, __u32 *ret_header_len)
{
	if (type == parse_be16(ETH_TYPE_IPV4)) {
		const struct wire_ipv4 *ip = (const void *)at;

		if (at + sizeof(*ip) > data_end || len < sizeof(*ip) || ip->version_ihl != 0x45 ||
		    parse_be16(ip->total_len) < sizeof(*ip))
			return false;
		parse_put_ipv4(key->inner_src, ip->src);
		parse_put_ipv4(key->inner_dst, ip->dst);
		parse_put_tunnel(key, t, ETH_TYPE_IPV4, ip->proto);
		*ret_header_len = sizeof(*ip);
		return !segmented ||
		       (!(ip->fragment & parse_be16(IPV4_FRAGMENT)) && parse_be16(ip->total_len) <= len &&
			plain_segmented(at + sizeof(*ip), data_end, parse_be16(ip->total_len) - sizeof(*ip), ip->proto,
					ret_header_len));
	}
	if (type == parse_be16(ETH_TYPE_IPV6)) {
		const struct wire_ipv6 *ip = (const void *)at;

		if (at + sizeof(*ip) > data_end || len < sizeof(*ip) ||
		    (ip->version_class_label & parse_be32(IPV6_VERSION)) !=
			    parse_be32(IPV6_VERSION_6) ||
		    parse_is_ipv6_ext(ip->next))
			return false;
		parse_put_ipv6(key->inner_src, &ip->src);
		parse_put_ipv6(key->inner_dst, &ip->dst);
		parse_put_tunnel(key, t, ETH_TYPE_IPV6, ip->next);
		*ret_header_len = sizeof(*ip);
		return !segmented ||
		       (sizeof(*ip) + parse_be16(ip->payload_len) <= len &&
			plain_segmented(at + sizeof(*ip), data_end, parse_be16(ip->payload_len), ip->next, ret_header_len));
	}
	return false;
}

/* The tunnel headers of 8 bytes with a frame behind them; false for any other. */
PARSE_FN bool plain_tunnel(const __u8 *at, struct tunnel *t)
{
	const struct wire_geneve *geneve = (const void *)at;
	const struct wire_vxlan *vxlan = (const void *)at;

	if (t->encap == ENCAP_VXLAN) {
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
	return port == ports[0].port ? ports[0].encap : parse_port_encap(ports, port);
}

/*
 * The inner frame, behind headers of before bytes that begin at at, in an outer IP packet's payload of len
 * bytes that begins at off.
 */
PARSE_FN enum verdict plain_frame(const __u8 *at, const __u8 *data_end, __u32 off, __u32 len, __u32 before,
				  bool segmented, const struct tunnel *t, struct parsed *ret)
{
	const struct wire_ethernet *eth = (const void *)(at + before);
	__u32 header_len;

	if (at + before + sizeof(*eth) > data_end || len < before + sizeof(*eth) ||
	    !plain_inner(at + before + sizeof(*eth), data_end, len - before - sizeof(*eth), eth->type, segmented, t,
			 &ret->key, &header_len))
		return PLAIN_NOT;
	ret->inner_off = off + before;
	ret->inner_len = len - before;
	ret->headers = ret->inner_off + sizeof(*eth) + header_len;
	ret->later_fragment = 0;
	return VERDICT_FLOW;
}

/* GRE with an Ethernet frame in it. */
PARSE_FN enum verdict plain_gre(const __u8 *at, const __u8 *data_end, __u32 off, __u32 len, bool segmented,
				struct parsed *ret)
{
	enum { KEY_END = sizeof(struct wire_gre) + sizeof(struct wire_gre_field) };
	const struct wire_gre_field *key = (const void *)(at + sizeof(struct wire_gre));
	const struct wire_gre *gre = (const void *)at;
	struct tunnel t = {.encap = ENCAP_GRETAP_NO_KEY};

	if (at + KEY_END > data_end || gre->type != parse_be16(ETH_TYPE_TEB))
		return PLAIN_NOT;
	if (gre->flags == 0)
		return plain_frame(at, data_end, off, len, sizeof(*gre), segmented, &t, ret);
	if (gre->flags != parse_be16(GRE_FLAG_KEY))
		return PLAIN_NOT;
	t.encap = ENCAP_GRETAP;
	t.vni = parse_be32(key->value);
	return plain_frame(at, data_end, off, len, KEY_END, segmented, &t, ret);
}

/* UDP and all behind it, in an outer IP packet's payload of len bytes that begins at off. */
PARSE_FN enum verdict plain_udp(const __u8 *at, const __u8 *data_end, __u32 off, __u32 len, bool segmented,
				const volatile struct flow_port ports[FLOW_PORTS_MAX], struct parsed *ret)
{
	enum { BEFORE = sizeof(struct wire_udp) + 8 };
	const struct wire_udp *udp = (const void *)at;
	struct tunnel t = {0};

	if (at + sizeof(*udp) > data_end || len < sizeof(*udp) || parse_be16(udp->len) != len)
		return PLAIN_NOT;
	t.encap = plain_port_encap(ports, parse_be16(udp->dst));
	if (t.encap == ENCAP_NONE)
		return VERDICT_OTHER;
	if (at + BEFORE > data_end || !plain_tunnel(at + sizeof(*udp), &t))
		return PLAIN_NOT;
	return plain_frame(at, data_end, off, len, BEFORE, segmented, &t, ret);
}

/* Behind an outer IP header of header_len bytes, in a packet of ip_len that room bytes are left for. */
PARSE_FN enum verdict plain_payload(const __u8 *ip, const __u8 *data_end, int type, __u8 proto,
				    __u32 header_len, __u32 ip_len, __u32 room, bool segmented,
				    const volatile struct flow_port ports[FLOW_PORTS_MAX],
				    struct parsed *ret)
{
	if (ip_len < header_len || ip_len > room)
		return PLAIN_NOT;
	if (proto == PROTO_UDP)
		return plain_udp(ip + header_len, data_end, sizeof(struct wire_ethernet) + header_len,
				 ip_len - header_len, segmented, ports, ret);
	if (proto == PROTO_GRE)
		return plain_gre(ip + header_len, data_end, sizeof(struct wire_ethernet) + header_len,
				 ip_len - header_len, segmented, ret);
	if (proto == PROTO_AUTH || parse_ipproto_encap(type, proto) != ENCAP_NONE)
		return PLAIN_NOT;
	return VERDICT_OTHER;
}

/*
 * A frame of len bytes, data to data_end of it at hand. segmented: segmentation will take it apart (want_l4 of
 * parse_frame()). *ret is written for VERDICT_FLOW.
 */
PARSE_FN enum verdict parse_plain(const __u8 *data, const __u8 *data_end, __u32 len, bool segmented,
				  const volatile struct flow_port ports[FLOW_PORTS_MAX],
				  struct parsed *ret)
{
	const struct wire_ethernet *eth = (const void *)data;
	const __u8 *at = data + sizeof(*eth);
	__u32 room = len - sizeof(*eth);

	if (at + sizeof(struct wire_ipv4) > data_end)
		return PLAIN_NOT;
	if (eth->type == parse_be16(ETH_TYPE_IPV4)) {
		const struct wire_ipv4 *ip = (const void *)at;

		if (ip->version_ihl != 0x45 || ip->fragment & parse_be16(IPV4_FRAGMENT))
			return PLAIN_NOT;
		parse_put_ipv4(ret->key.outer_src, ip->src);
		parse_put_ipv4(ret->key.outer_dst, ip->dst);
		return plain_payload(at, data_end, ETH_TYPE_IPV4, ip->proto, sizeof(*ip),
				     parse_be16(ip->total_len), room, segmented, ports, ret);
	}
	if (eth->type == parse_be16(ETH_TYPE_IPV6) && at + sizeof(struct wire_ipv6) <= data_end) {
		const struct wire_ipv6 *ip = (const void *)at;

		if ((ip->version_class_label & parse_be32(IPV6_VERSION)) !=
			    parse_be32(IPV6_VERSION_6) || ip->payload_len == 0 ||
		    parse_is_ipv6_ext(ip->next))
			return PLAIN_NOT;
		parse_put_ipv6(ret->key.outer_src, &ip->src);
		parse_put_ipv6(ret->key.outer_dst, &ip->dst);
		return plain_payload(at, data_end, ETH_TYPE_IPV6, ip->next, sizeof(*ip),
				     sizeof(*ip) + parse_be16(ip->payload_len), room, segmented, ports,
				     ret);
	}
	return PLAIN_NOT;
}

#endif
