/* SPDX-License-Identifier: Apache-2.0 */
/* VXLAN, and what Ethernet, IP and UDP can be around and in any tunnel; see packets.h. */
#ifndef TUNLAB_TESTS_PACKETS_VXLAN_H
#define TUNLAB_TESTS_PACKETS_VXLAN_H

#include "tests/unit/packets.h"

/* Builders, in the order of the headers they are about. */

static inline void build_v4_v4_udp(struct packet *p)
{
	put_tunnel(p, 10000, 0x0800);
	put_ipv4(p, 2, 17);
	put_udp(p, 7);
	put_payload(p, 64);
}

static inline void build_v4_v4_icmp(struct packet *p)
{
	put_tunnel(p, 0xffffff, 0x0800);
	put_ipv4(p, 2, 1);
	put_payload(p, 64);
}

static inline void build_v4_v6_tcp(struct packet *p)
{
	put_tunnel(p, 1, 0x86dd);
	put_ipv6(p, 2, 6);
	put_tcp(p, 12);
	put_payload(p, 100);
}

static inline void build_v6_v4_udp(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 17);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, 10001);
	put_ethernet(p, 0x0800);
	put_ipv4(p, 2, 17);
	put_udp(p, 7);
	put_payload(p, 64);
}

static inline void build_v6_v6_icmp(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 17);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, 10001);
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 2, 58);
	put_payload(p, 64);
}

static inline void build_arp(struct packet *p)
{
	put_tunnel(p, 10000, 0x0806);
	put_payload(p, 28);
}

static inline void build_lldp(struct packet *p)
{
	put_tunnel(p, 10000, 0x88cc);
	put_payload(p, 46);
}

static inline void build_stp(struct packet *p)
{
	put_tunnel(p, 10000, 38);
	put_bytes(p, "\x42\x42\x03", 3);
	put_payload(p, 43);
}

static inline void build_inner_cut_after_ethernet(struct packet *p)
{
	put_tunnel(p, 10000, 0x88b5);
}

static inline void build_outer_vlan(struct packet *p)
{
	put_ethernet(p, 0x8100);
	put_vlan(p, 100, 0x0800);
	put_ipv4(p, 1, 17);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, 10000);
	put_ethernet(p, 0x0800);
	put_ipv4(p, 2, 17);
	put_udp(p, 7);
	put_payload(p, 64);
}

static inline void build_qinq_out_and_in(struct packet *p)
{
	put_ethernet(p, 0x88a8);
	put_vlan(p, 200, 0x8100);
	put_vlan(p, 100, 0x0800);
	put_ipv4(p, 1, 17);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, 10000);
	put_ethernet(p, 0x9100);
	put_vlan(p, 200, 0x8100);
	put_vlan(p, 100, 0x86dd);
	put_ipv6(p, 2, 17);
	put_udp(p, 7);
	put_payload(p, 64);
}

static inline void build_four_tags(struct packet *p)
{
	put_ethernet(p, 0x8100);
	for (int i = 0; i < 3; i++)
		put_vlan(p, i, 0x8100);
	put_vlan(p, 3, 0x0800);
	put_ipv4(p, 1, 17);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, 10000);
	put_ethernet(p, 0x8100);
	put_vlan(p, 3, 0x0806);
	put_payload(p, 28);
}

static inline void build_13_tags(struct packet *p)
{
	put_ethernet(p, 0x8100);
	for (int i = 0; i < 12; i++)
		put_vlan(p, i, 0x8100);
	put_vlan(p, 5, 0x0800);
	put_ipv4(p, 1, 17);
	put_udp(p, 4789);
	put_payload(p, 64);
}

static inline void build_inner_12_tags(struct packet *p)
{
	put_tunnel(p, 10000, 0x8100);
	for (int i = 0; i < 11; i++)
		put_vlan(p, i, 0x8100);
	put_vlan(p, 5, 0x0800);
	put_payload(p, 64);
}

static inline void build_outer_options(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4_full(p, 1, 17, 40, 0);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, 10000);
	put_ethernet(p, 0x0800);
	put_ipv4_full(p, 2, 17, 12, 0);
	put_udp(p, 7);
	put_payload(p, 64);
}

static inline void build_ihl_4(struct packet *p)
{
	build_v4_v4_udp(p);
	packet_finish(p);
	p->data[14] = 0x44;
}

static inline void build_ipv4_version_6(struct packet *p)
{
	build_v4_v4_udp(p);
	packet_finish(p);
	p->data[14] = 0x65;
}

static inline void build_total_length_19(struct packet *p)
{
	build_v4_v4_udp(p);
	packet_finish(p);
	p->data[16] = 0;
	p->data[17] = 19;
}

/* The outer length ends inside the VXLAN header, the frame goes on. */
static inline void build_total_length_30(struct packet *p)
{
	build_v4_v4_udp(p);
	packet_finish(p);
	p->data[16] = 0;
	p->data[17] = 30;
}

/* Longer than the frame: receivers would drop it, but it was sent. */
static inline void build_total_length_too_long(struct packet *p)
{
	build_v4_v4_udp(p);
	packet_finish(p);
	p->data[16] = 0x40;
}

static inline void build_udp_length_7(struct packet *p)
{
	build_v4_v4_udp(p);
	packet_finish(p);
	p->data[38] = 0;
	p->data[39] = 7;
}

/* BIG TCP: both lengths are too long for their fields. */
static inline void build_big_tcp(struct packet *p)
{
	build_v4_v4_udp(p);
	packet_finish(p);
	memset(p->data + 16, 0, 2);
	memset(p->data + 38, 0, 2);
}

/* BIG TCP as older kernels send it: the UDP length wrapped around. */
static inline void build_big_tcp_wrapped(struct packet *p)
{
	build_big_tcp(p);
	p->data[39] = 3;
}

static inline void build_padded(struct packet *p)
{
	build_v4_v4_udp(p);
	packet_finish(p);
	put_payload(p, 10);
}

static inline void build_first_fragment(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4_full(p, 1, 17, 0, 0x2000);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, 10000);
	put_ethernet(p, 0x0800);
	put_ipv4(p, 2, 17);
	put_udp(p, 7);
	put_payload(p, 64);
}

/* A later fragment that happens to look like a tunnel header. */
static inline void build_later_fragment(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4_full(p, 1, 17, 0, 0x2001);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, 10000);
	put_payload(p, 64);
}

static inline void build_last_fragment(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4_full(p, 1, 17, 0, 0x00b9);
	put_payload(p, 3);
}

static inline void build_inner_later_fragment(struct packet *p)
{
	put_tunnel(p, 10000, 0x0800);
	put_ipv4_full(p, 2, 17, 0, 0x00b9);
	put_payload(p, 3);
}

static inline void build_v6_ext(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 0);
	put_ipv6_ext(p, 60, 0);
	put_ipv6_ext(p, 43, 1);
	put_ipv6_ext(p, 44, 2);
	put_ipv6_fragment(p, 17, 0x0001);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, 10000);
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 2, 0);
	put_ipv6_ext(p, 60, 0);
	put_ipv6_ext(p, 6, 3);
	put_tcp(p, 0);
	put_payload(p, 64);
}

static inline void build_v6_later_fragment(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 44);
	put_ipv6_fragment(p, 17, 0x05a8);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, 10000);
	put_payload(p, 64);
}

static inline void build_v6_inner_later_fragment(struct packet *p)
{
	put_tunnel(p, 10000, 0x86dd);
	put_ipv6(p, 2, 44);
	put_ipv6_fragment(p, 17, 0x05a8);
	put_payload(p, 64);
}

static inline void build_v6_9_ext(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 60);
	for (int i = 0; i < 8; i++)
		put_ipv6_ext(p, 60, 0);
	put_ipv6_ext(p, 17, 0);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, 10000);
	put_payload(p, 64);
}

/* An extension header longer than the parser looks. */
static inline void build_v6_deep(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 60);
	put_ipv6_ext(p, 17, 60);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, 10000);
	put_payload(p, 64);
}

/* An extension header that ends after its packet. */
static inline void build_v6_ext_too_long(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 60);
	put_ipv6_ext(p, 17, 0);
	put_payload(p, 20);
	packet_finish(p);
	p->data[55] = 5;
}

/*
 * Of two extension headers the first ends after the packet, the second after the frame. The kernel's
 * first look ends between them.
 */
static inline void build_v6_two_ext_too_long(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 60);
	put_ipv6_ext(p, 60, 14);
	put_ipv6_ext(p, 17, 0);
	put_payload(p, 60);
	packet_finish(p);
	p->data[19] = 100;
	p->data[14 + 40 + 120 + 1] = 255;
}

static inline void build_v6_version_4(struct packet *p)
{
	build_v6_v4_udp(p);
	packet_finish(p);
	p->data[14] = 0x45;
}

static inline void build_inner_v6_jumbo(struct packet *p)
{
	build_v4_v6_tcp(p);
	packet_finish(p);
	memset(p->data + 68, 0, 2);
}

static inline void build_wrong_port(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4(p, 1, 17);
	put_udp(p, 4788);
	put_vxlan(p, 0x08, 10000);
	put_ethernet(p, 0x0800);
	put_ipv4(p, 2, 17);
	put_payload(p, 64);
}

static inline void build_flag_clear(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4(p, 1, 17);
	put_udp(p, 4789);
	put_vxlan(p, 0x00, 10000);
	put_ethernet(p, 0x0800);
	put_ipv4(p, 2, 17);
	put_payload(p, 64);
}

/* Group policy and other flags, reserved bits: ignored on receipt (RFC 7348, section 5). */
static inline void build_other_flags(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4(p, 1, 17);
	put_udp(p, 4789);
	put_vxlan(p, 0x88, 10000);
	put_ethernet(p, 0x0806);
	put_payload(p, 28);
	p->data[43] = 0xff;
	p->data[49] = 0xff;
}

static inline void build_tcp(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4(p, 1, 6);
	put_tcp(p, 12);
	put_payload(p, 1000);
}

static inline void build_plain_udp(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 17);
	put_udp(p, 53);
	put_payload(p, 1000);
}

static inline void build_plain_arp(struct packet *p)
{
	put_ethernet(p, 0x0806);
	put_payload(p, 28);
}

static inline void build_plain_llc(struct packet *p)
{
	put_ethernet(p, 38);
	put_payload(p, 46);
}

static inline void build_inner_ihl_4(struct packet *p)
{
	build_v4_v4_udp(p);
	packet_finish(p);
	p->data[64] = 0x44;
}

static inline void build_inner_version(struct packet *p)
{
	build_v4_v4_udp(p);
	packet_finish(p);
	p->data[64] = 0x65;
}

/* Inner IPv4 and TCP with options: 50 outside, 14 + 20 + 32 inside, 1000 of payload. */
static inline void build_gso_tcp(struct packet *p)
{
	put_tunnel(p, 10000, 0x0800);
	put_ipv4(p, 2, 6);
	put_tcp(p, 12);
	put_payload(p, 1000);
}

/* Inner IPv6 and UDP: 50 outside, 14 + 40 + 8 inside, 1000 of payload. */
static inline void build_gso_udp(struct packet *p)
{
	put_tunnel(p, 10000, 0x86dd);
	put_ipv6(p, 2, 17);
	put_udp(p, 7);
	put_payload(p, 1000);
}

static const struct packet_case vxlan_cases[] = {
	{"IPv4 outside and inside", build_v4_v4_udp, V4_FLOW(0x0800, 17, 4)},
	{"largest VNI", build_v4_v4_icmp, FLOW(0xffffff, 0x0800, 1, 4, 4, 50)},
	{"IPv6 inside", build_v4_v6_tcp, FLOW(1, 0x86dd, 6, 4, 6, 50)},
	{"IPv6 outside", build_v6_v4_udp, FLOW(10001, 0x0800, 17, 6, 4, 70)},
	{"IPv6 outside and inside", build_v6_v6_icmp, FLOW(10001, 0x86dd, 58, 6, 6, 70)},
	{"ARP inside", build_arp, V4_FLOW(0x0806, 0, 0)},
	{"LLDP inside", build_lldp, V4_FLOW(0x88cc, 0, 0)},
	{"802.3 frame inside", build_stp, V4_FLOW(FLOW_LLC, 0, 0)},
	{"nothing after the inner Ethernet header", build_inner_cut_after_ethernet,
	 V4_FLOW(0x88b5, 0, 0)},

	{"VLAN tag outside", build_outer_vlan, FLOW(10000, 0x0800, 17, 4, 4, 54)},
	{"two tags outside and inside", build_qinq_out_and_in, FLOW(10000, 0x86dd, 17, 4, 6, 58)},
	{"four tags outside", build_four_tags, FLOW(10000, 0x0806, 0, 4, 0, 66)},
	{"13 tags outside", build_13_tags, .verdict = VERDICT_UNKNOWN},
	{"12 tags inside", build_inner_12_tags, .verdict = VERDICT_UNKNOWN},

	{"IPv4 options outside and inside", build_outer_options, FLOW(10000, 0x0800, 17, 4, 4, 90)},
	{"IPv4 header length 4", build_ihl_4, .verdict = VERDICT_MALFORMED},
	{"EtherType IPv4, version 6", build_ipv4_version_6, .verdict = VERDICT_MALFORMED},
	{"IPv4 length shorter than its header", build_total_length_19,
	 .verdict = VERDICT_MALFORMED},
	{"IPv4 length ends in the VXLAN header", build_total_length_30,
	 .verdict = VERDICT_MALFORMED},
	{"IPv4 length beyond the frame", build_total_length_too_long, V4_FLOW(0x0800, 17, 4)},
	{"UDP length 7", build_udp_length_7, .verdict = VERDICT_MALFORMED},
	{"BIG TCP", build_big_tcp, V4_FLOW(0x0800, 17, 4)},
	{"BIG TCP, UDP length wrapped", build_big_tcp_wrapped, V4_FLOW(0x0800, 17, 4)},
	{"Ethernet padding", build_padded, V4_FLOW(0x0800, 17, 4), .inner_len = 14 + 20 + 8 + 64},

	{"first fragment", build_first_fragment, V4_FLOW(0x0800, 17, 4)},
	{"later fragment like a tunnel", build_later_fragment,
	 .verdict = VERDICT_OTHER, .later_fragment = true},
	{"last fragment", build_last_fragment, .verdict = VERDICT_OTHER, .later_fragment = true},
	{"later fragment inside", build_inner_later_fragment, V4_FLOW(0x0800, 17, 4)},
	{"IPv6 extension headers, first fragment", build_v6_ext, FLOW(10000, 0x86dd, 6, 6, 6, 126)},
	{"IPv6 later fragment", build_v6_later_fragment,
	 .verdict = VERDICT_OTHER, .later_fragment = true},
	{"IPv6 later fragment inside", build_v6_inner_later_fragment, V4_FLOW(0x86dd, 17, 6)},
	{"nine IPv6 extension headers", build_v6_9_ext, .verdict = VERDICT_UNKNOWN},
	{"tunnel header deeper than looked", build_v6_deep, .verdict = VERDICT_UNKNOWN},
	{"IPv6 extension header beyond the packet", build_v6_ext_too_long,
	 .verdict = VERDICT_TRUNCATED},
	{"two IPv6 extension headers beyond packet and frame", build_v6_two_ext_too_long,
	 .verdict = VERDICT_TRUNCATED},
	{"EtherType IPv6, version 4", build_v6_version_4, .verdict = VERDICT_MALFORMED},
	{"IPv6 length 0 inside", build_inner_v6_jumbo, FLOW(1, 0x86dd, 6, 4, 6, 50)},

	{"another UDP port", build_wrong_port, .verdict = VERDICT_OTHER},
	{"VXLAN without a valid VNI", build_flag_clear, .verdict = VERDICT_UNKNOWN},
	{"VXLAN with other flags and reserved bits", build_other_flags, V4_FLOW(0x0806, 0, 0)},
	{"TCP", build_tcp, .verdict = VERDICT_OTHER},
	{"UDP", build_plain_udp, .verdict = VERDICT_OTHER},
	{"ARP", build_plain_arp, .verdict = VERDICT_OTHER},
	{"802.3 frame", build_plain_llc, .verdict = VERDICT_OTHER},
	{"IPv4 header length 4 inside", build_inner_ihl_4, V4_FLOW(FLOW_NOT_IPV4, 0, 0)},
	{"EtherType IPv4, version 6 inside", build_inner_version, V4_FLOW(FLOW_NOT_IPV4, 0, 0)},

	/* 10 segments of 100 bytes payload: each repeats 116 bytes of headers, 66 of them inside */
	{"TCP super-packet inside", build_gso_tcp, V4_FLOW(0x0800, 6, 4),
	 .gso_size = 100, .gso_segs = 10,
	 .packets = 10, .bytes = 1116 + 9 * 116, .inner_bytes = 1066 + 9 * 66},
	{"its number of segments not known", build_gso_tcp, V4_FLOW(0x0800, 6, 4), .gso_size = 100,
	 .packets = 10, .bytes = 1116 + 9 * 116, .inner_bytes = 1066 + 9 * 66},
	{"last segment shorter", build_gso_tcp, V4_FLOW(0x0800, 6, 4), .gso_size = 300,
	 .packets = 4, .bytes = 1116 + 3 * 116, .inner_bytes = 1066 + 3 * 66},
	{"UDP super-packet inside", build_gso_udp, V4_FLOW(0x86dd, 17, 6),
	 .gso_size = 400, .gso_segs = 3,
	 .packets = 3, .bytes = 1112 + 2 * 112, .inner_bytes = 1062 + 2 * 62},
	{"TCP super-packet, no tunnel", build_tcp,
	 .verdict = VERDICT_OTHER, .gso_size = 500, .gso_segs = 2,
	 .packets = 2, .bytes = 1066 + 66},
	{"UDP super-packet, no tunnel", build_plain_udp,
	 .verdict = VERDICT_OTHER, .gso_size = 100, .gso_segs = 10,
	 .packets = 10, .bytes = 1062 + 9 * 62},
	{"super-packet of one segment", build_gso_tcp, V4_FLOW(0x0800, 6, 4), .gso_size = 1400,
	 .gso_segs = 1, .packets = 1, .bytes = 1116, .inner_bytes = 1066},
};

#endif
