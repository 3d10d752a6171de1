/* SPDX-License-Identifier: Apache-2.0 */
/* All tunnels but VXLAN, a table for each, and link layers that need a tunnel's help; see packets.h. */
#ifndef TUNLAB_TESTS_PACKETS_TUNNELS_H
#define TUNLAB_TESTS_PACKETS_TUNNELS_H

#include "tests/unit/packets.h"

/* What most packets here have inside: an Ethernet frame with 64 bytes in UDP in IPv4, or only the packet. */
static inline void put_inner_packet(struct packet *p)
{
	put_ipv4(p, 2, 17);
	put_udp(p, 7);
	put_payload(p, 64);
}

static inline void put_inner_frame(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_inner_packet(p);
}

static inline void put_outer_udp(struct packet *p, uint16_t port)
{
	put_ethernet(p, 0x0800);
	put_ipv4(p, 1, 17);
	put_udp(p, port);
}

/* ---- VXLAN-GPE ---- */

static inline void put_gpe(struct packet *p, uint8_t flags, uint8_t next, uint32_t vni)
{
	put_outer_udp(p, 4790);
	put_u8(p, flags);
	put_u16(p, 0);
	put_u8(p, next);
	put_u32(p, vni << 8);
}

static inline void build_gpe_ipv4(struct packet *p)
{
	put_gpe(p, 0x0c, 1, 10000);
	put_inner_packet(p);
}

static inline void build_gpe_ipv6(struct packet *p)
{
	put_gpe(p, 0x0c, 2, 10000);
	put_ipv6(p, 2, 58);
	put_payload(p, 64);
}

static inline void build_gpe_ethernet(struct packet *p)
{
	put_gpe(p, 0x0c, 3, 10000);
	put_inner_frame(p);
}

/* Without the flag the field means nothing. */
static inline void build_gpe_no_next(struct packet *p)
{
	put_gpe(p, 0x08, 1, 10000);
	put_inner_frame(p);
}

static inline void build_gpe_nsh(struct packet *p)
{
	put_gpe(p, 0x0c, 4, 10000);
	put_u16(p, 6); /* 24 bytes */
	put_u8(p, 1);
	put_u8(p, 3); /* Ethernet */
	put_payload(p, 20);
	put_inner_frame(p);
}

static inline void build_gpe_nsh_length_1(struct packet *p)
{
	put_gpe(p, 0x0c, 4, 10000);
	put_u16(p, 1);
	put_u8(p, 1);
	put_u8(p, 3);
	put_payload(p, 64);
}

static inline void build_gpe_unknown(struct packet *p)
{
	put_gpe(p, 0x0c, 99, 10000);
	put_payload(p, 64);
}

static inline void build_gpe_version(struct packet *p)
{
	put_gpe(p, 0x1c, 1, 10000);
	put_inner_packet(p);
}

static inline void build_gpe_no_vni(struct packet *p)
{
	put_gpe(p, 0x04, 1, 10000);
	put_inner_packet(p);
}

/* ---- GENEVE ---- */

static inline void put_geneve(struct packet *p, uint8_t version, uint8_t n_options, uint16_t type, uint32_t vni)
{
	put_outer_udp(p, 6081);
	put_u8(p, version << 6 | n_options);
	put_u8(p, 0);
	put_u16(p, type);
	put_u32(p, vni << 8);
	put_payload(p, n_options * 4);
}

static inline void build_geneve(struct packet *p)
{
	put_geneve(p, 0, 0, 0x6558, 10000);
	put_inner_frame(p);
}

static inline void build_geneve_options(struct packet *p)
{
	put_geneve(p, 0, 63, 0x6558, 0);
	put_inner_frame(p);
}

static inline void build_geneve_ipv6(struct packet *p)
{
	put_geneve(p, 0, 2, 0x86dd, 10000);
	put_ipv6(p, 2, 6);
	put_tcp(p, 0);
}

static inline void build_geneve_arp(struct packet *p)
{
	put_geneve(p, 0, 0, 0x6558, 10000);
	put_ethernet(p, 0x0806);
	put_payload(p, 28);
}

static inline void build_geneve_unknown_type(struct packet *p)
{
	put_geneve(p, 0, 0, 0x1234, 10000);
	put_payload(p, 64);
}

static inline void build_geneve_version_1(struct packet *p)
{
	put_geneve(p, 1, 0, 0x6558, 10000);
	put_inner_frame(p);
}

static inline void build_geneve_v6(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 17);
	put_udp(p, 6081);
	put_u32(p, 0x00006558);
	put_u32(p, 10000 << 8);
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 2, 58);
	put_payload(p, 64);
}

/* ---- GRE ---- */

/* With the fields that the flags ask for; the key is 10000. */
static inline void put_gre(struct packet *p, uint16_t flags, uint16_t type)
{
	put_ethernet(p, 0x0800);
	put_ipv4(p, 1, 47);
	put_u16(p, flags);
	put_u16(p, type);
	if (flags & 0xc000)
		put_u32(p, 0x12340000);
	if (flags & 0x2000)
		put_u32(p, 10000);
	if (flags & 0x1000)
		put_u32(p, 1);
}

static inline void build_gre(struct packet *p)
{
	put_gre(p, 0, 0x0800);
	put_inner_packet(p);
}

static inline void build_gre_all(struct packet *p)
{
	put_gre(p, 0xb000, 0x0800);
	put_inner_packet(p);
}

static inline void build_gre_checksum(struct packet *p)
{
	put_gre(p, 0x8000, 0x86dd);
	put_ipv6(p, 2, 58);
	put_payload(p, 64);
}

static inline void build_gre_sequence(struct packet *p)
{
	put_gre(p, 0x1000, 0x0800);
	put_inner_packet(p);
}

static inline void build_gre_key_0(struct packet *p)
{
	put_gre(p, 0x2000, 0x0800);
	memset(p->data + p->len - 4, 0, 4);
	put_inner_packet(p);
}

static inline void build_gre_largest_key(struct packet *p)
{
	put_gre(p, 0x2000, 0x0800);
	memset(p->data + p->len - 4, 0xff, 4);
	put_inner_packet(p);
}

static inline void build_gre_v6(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 47);
	put_u32(p, 0x20000800);
	put_u32(p, 10000);
	put_inner_packet(p);
}

/* Next hop resolution, and a keepalive of type 0. */
static inline void build_gre_nhrp(struct packet *p)
{
	put_gre(p, 0x2000, 0x2001);
	put_payload(p, 64);
}

static inline void build_gre_type_0(struct packet *p)
{
	put_gre(p, 0, 0);
}

static inline void build_gre_mpls(struct packet *p)
{
	put_gre(p, 0, 0x8847);
	put_u32(p, 16 << 12 | 64);
	put_u32(p, 17 << 12 | 0x100 | 64);
	put_inner_packet(p);
}

static inline void build_gre_wccp_2(struct packet *p)
{
	put_gre(p, 0, 0x883e);
	put_u32(p, 0);
	put_inner_packet(p);
}

static inline void build_gre_wccp_1(struct packet *p)
{
	put_gre(p, 0, 0x883e);
	put_inner_packet(p);
}

static inline void build_gre_version_1(struct packet *p)
{
	put_gre(p, 0x2001, 0x880b);
	put_payload(p, 64);
}

/* Two routes of four bytes each, then the empty one (RFC 1701). */
static inline void build_gre_routing(struct packet *p)
{
	put_gre(p, 0x6000, 0x0800);
	for (int i = 0; i < 2; i++) {
		put_u32(p, 0x08000004);
		put_u32(p, 0x0a030001 + i);
	}
	put_u32(p, 0);
	put_inner_packet(p);
}

static inline void build_gre_9_routes(struct packet *p)
{
	put_gre(p, 0x4000, 0x0800);
	for (int i = 0; i < 9; i++)
		put_u32(p, 0x08000000);
	put_u32(p, 0);
	put_inner_packet(p);
}

static inline void build_gre_route_too_long(struct packet *p)
{
	put_gre(p, 0x4000, 0x0800);
	put_u32(p, 0x080000ff);
	put_payload(p, 64);
}

static inline void build_gre_later_fragment(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4_full(p, 1, 47, 0, 0x0010);
	put_payload(p, 64);
}

/* What stands inside says it is IPv6, and begins like IPv4. */
static inline void build_gre_not_ipv6(struct packet *p)
{
	put_gre(p, 0, 0x86dd);
	put_inner_packet(p);
}

static inline void build_gretap(struct packet *p)
{
	put_gre(p, 0, 0x6558);
	put_inner_frame(p);
}

static inline void build_gretap_key(struct packet *p)
{
	put_gre(p, 0x2000, 0x6558);
	put_inner_frame(p);
}

static inline void build_gretap_arp(struct packet *p)
{
	put_gre(p, 0x2000, 0x6558);
	put_ethernet(p, 0x8100);
	put_vlan(p, 7, 0x0806);
	put_payload(p, 28);
}

/* An 802.3 frame with SNAP, which states an EtherType. */
static inline void build_gretap_snap(struct packet *p)
{
	put_gre(p, 0x2000, 0x6558);
	put_ethernet(p, 100);
	put_bytes(p, "\xaa\xaa\x03\0\0\0\x08\0", 8);
	put_inner_packet(p);
}

/* ---- ERSPAN ---- */

static inline void build_erspan1(struct packet *p)
{
	put_gre(p, 0, 0x88be);
	put_inner_frame(p);
}

static inline void build_erspan2(struct packet *p)
{
	put_gre(p, 0x1000, 0x88be);
	put_u32(p, 0x10000000 | 7 << 16 | 1023);
	put_u32(p, 5);
	put_inner_frame(p);
}

static inline void build_erspan2_version(struct packet *p)
{
	put_gre(p, 0x1000, 0x88be);
	put_u32(p, 0x20000000);
	put_u32(p, 5);
	put_inner_frame(p);
}

static inline void put_erspan3(struct packet *p, uint16_t flags)
{
	put_gre(p, 0x3000, 0x22eb); /* the key is not what counts */
	put_u32(p, 0x20000000 | 7 << 16 | 102);
	put_u32(p, 123456);
	put_u16(p, 0);
	put_u16(p, flags);
}

static inline void build_erspan3(struct packet *p)
{
	put_erspan3(p, 0x8000);
	put_inner_frame(p);
}

static inline void build_erspan3_subheader(struct packet *p)
{
	put_erspan3(p, 0x0001);
	put_payload(p, 8);
	put_inner_frame(p);
}

static inline void build_erspan3_frame_type(struct packet *p)
{
	put_erspan3(p, 7 << 10);
	put_payload(p, 64);
}

/* ---- IP in IP ---- */

static inline void build_4in4(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4(p, 1, 4);
	put_inner_packet(p);
}

static inline void build_6in4(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4_full(p, 1, 41, 8, 0);
	put_ipv6(p, 2, 60);
	put_ipv6_ext(p, 58, 1);
	put_payload(p, 64);
}

static inline void build_4in6(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 60);
	put_ipv6_ext(p, 4, 0); /* a tunnel encapsulation limit, as Linux sends it */
	put_inner_packet(p);
}

static inline void build_6in6(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 43);
	put_ipv6_ext(p, 41, 2);
	put_ipv6(p, 2, 6);
	put_tcp(p, 0);
}

/* The first boundary counts. */
static inline void build_4in4_in_4in4(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4(p, 1, 4);
	put_ipv4(p, 2, 4);
	put_ipv4(p, 3, 17);
	put_payload(p, 64);
}

static inline void build_4in4_authenticated(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4(p, 1, 51);
	put_u8(p, 4);
	put_u8(p, 4); /* 24 bytes */
	put_payload(p, 22);
	put_inner_packet(p);
}

/* An authentication header inside is no extension header: it stays the protocol. */
static inline void build_6in4_authenticated_inside(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4(p, 1, 41);
	put_ipv6(p, 2, 51);
	put_payload(p, 64);
}

/* ---- GTP-U ---- */

static inline void put_gtpu(struct packet *p, uint8_t flags, uint8_t message)
{
	put_outer_udp(p, 2152);
	put_u8(p, flags);
	put_u8(p, message);
	put_length(p, p->len + 6);
	put_u32(p, 0xfedcba98);
}

static inline void build_gtpu(struct packet *p)
{
	put_gtpu(p, 0x30, 255);
	put_inner_packet(p);
}

static inline void build_gtpu_ipv6(struct packet *p)
{
	put_gtpu(p, 0x32, 255);
	put_u32(p, 0x00070000); /* sequence number, no extension */
	put_ipv6(p, 2, 58);
	put_payload(p, 64);
}

/* A PDU session container of 8 bytes, then another of 4. */
static inline void build_gtpu_extensions(struct packet *p)
{
	put_gtpu(p, 0x34, 255);
	put_u32(p, 0x00000085);
	put_bytes(p, "\x02\x10\x09\0\0\0\0\xc0", 8);
	put_bytes(p, "\x01\0\0\0", 4);
	put_inner_packet(p);
}

static inline void build_gtpu_extension_of_length_0(struct packet *p)
{
	put_gtpu(p, 0x34, 255);
	put_u32(p, 0x00000085);
	put_payload(p, 64); /* begins with 0 */
}

static inline void build_gtpu_9_extensions(struct packet *p)
{
	put_gtpu(p, 0x34, 255);
	put_u32(p, 0x00000085);
	for (int i = 0; i < 9; i++)
		put_bytes(p, "\x01\0\0\x85", 4);
	put_payload(p, 64);
}

static inline void build_gtpu_echo(struct packet *p)
{
	put_gtpu(p, 0x32, 1);
	put_u32(p, 0);
}

static inline void build_gtpu_not_ip(struct packet *p)
{
	put_gtpu(p, 0x30, 255);
	put_payload(p, 64);
}

static inline void build_gtp_version_2(struct packet *p)
{
	put_gtpu(p, 0x48, 255);
	put_payload(p, 64);
}

/* ---- link layers ---- */

static inline void build_mpls_outside(struct packet *p)
{
	put_ethernet(p, 0x8100);
	put_vlan(p, 7, 0x8847);
	put_u32(p, 16 << 12 | 64);
	put_u32(p, 17 << 12 | 0x100 | 64);
	put_ipv4(p, 1, 4);
	put_inner_packet(p);
}

/* A pseudowire's control word and frame behind the label. */
static inline void build_pseudowire(struct packet *p)
{
	put_ethernet(p, 0x8847);
	put_u32(p, 16 << 12 | 0x100 | 64);
	put_u32(p, 0);
	put_gre(p, 0, 0x0800);
	put_inner_packet(p);
}

static inline void build_mpls_ip_only(struct packet *p)
{
	put_ethernet(p, 0x8847);
	put_u32(p, 16 << 12 | 0x100 | 64);
	put_inner_packet(p);
}

static inline void build_pppoe(struct packet *p)
{
	put_ethernet(p, 0x8864);
	put_u16(p, 0x1100);
	put_u16(p, 1);
	put_length(p, p->len + 2);
	put_u16(p, 0x0057);
	put_ipv6(p, 1, 4);
	put_inner_packet(p);
}

static inline void build_pppoe_lcp(struct packet *p)
{
	put_ethernet(p, 0x8864);
	put_u16(p, 0x1100);
	put_u16(p, 1);
	put_length(p, p->len + 2);
	put_u16(p, 0xc021);
	put_payload(p, 40);
}

/* The tunnel's number, inside, from IPv4 without options. */
#define TUNNEL(e, v, type, proto, inner, off) .encap = e, FLOW(v, type, proto, 4, inner, off)

static const struct packet_case tunnel_cases[] = {
	{"VXLAN-GPE, IPv4", build_gpe_ipv4, TUNNEL(ENCAP_VXLAN_GPE, 10000, 0x0800, 17, 4, 50)},
	{"VXLAN-GPE, IPv6", build_gpe_ipv6, TUNNEL(ENCAP_VXLAN_GPE, 10000, 0x86dd, 58, 6, 50)},
	{"VXLAN-GPE, Ethernet", build_gpe_ethernet, TUNNEL(ENCAP_VXLAN_GPE, 10000, 0x0800, 17, 4, 50)},
	{"VXLAN-GPE, no next protocol", build_gpe_no_next, TUNNEL(ENCAP_VXLAN_GPE, 10000, 0x0800, 17, 4, 50)},
	{"VXLAN-GPE, NSH", build_gpe_nsh, TUNNEL(ENCAP_VXLAN_GPE, 10000, 0x0800, 17, 4, 50)},
	{"VXLAN-GPE, NSH of length 1", build_gpe_nsh_length_1, .verdict = VERDICT_MALFORMED},
	{"VXLAN-GPE, unknown", build_gpe_unknown, TUNNEL(ENCAP_VXLAN_GPE, 10000, FLOW_NO_TYPE, 0, 0, 50)},
	{"VXLAN-GPE, another version", build_gpe_version, .verdict = VERDICT_UNKNOWN},
	{"VXLAN-GPE without a valid VNI", build_gpe_no_vni, .verdict = VERDICT_UNKNOWN},

	{"GENEVE", build_geneve, TUNNEL(ENCAP_GENEVE, 10000, 0x0800, 17, 4, 50)},
	{"GENEVE, 252 bytes of options, VNI 0", build_geneve_options, TUNNEL(ENCAP_GENEVE, 0, 0x0800, 17, 4, 302)},
	{"GENEVE, IPv6 without Ethernet", build_geneve_ipv6, TUNNEL(ENCAP_GENEVE, 10000, 0x86dd, 6, 6, 58)},
	{"GENEVE, ARP", build_geneve_arp, TUNNEL(ENCAP_GENEVE, 10000, 0x0806, 0, 0, 50)},
	{"GENEVE, unknown type", build_geneve_unknown_type, TUNNEL(ENCAP_GENEVE, 10000, 0x1234, 0, 0, 50)},
	{"GENEVE, another version", build_geneve_version_1, .verdict = VERDICT_UNKNOWN},
	{"GENEVE, IPv6 outside and inside", build_geneve_v6,
	 .encap = ENCAP_GENEVE, FLOW(10000, 0x86dd, 58, 6, 6, 70)},

	{"GRE", build_gre, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0x0800, 17, 4, 38)},
	{"GRE, checksum, key, sequence", build_gre_all, TUNNEL(ENCAP_GRE, 10000, 0x0800, 17, 4, 50)},
	{"GRE, checksum", build_gre_checksum, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0x86dd, 58, 6, 42)},
	{"GRE, sequence", build_gre_sequence, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0x0800, 17, 4, 42)},
	{"GRE, key 0", build_gre_key_0, TUNNEL(ENCAP_GRE, 0, 0x0800, 17, 4, 42)},
	{"GRE, largest key", build_gre_largest_key, TUNNEL(ENCAP_GRE, 0xffffffff, 0x0800, 17, 4, 42)},
	{"GRE over IPv6", build_gre_v6, .encap = ENCAP_GRE, FLOW(10000, 0x0800, 17, 6, 4, 62)},
	{"GRE, NHRP", build_gre_nhrp, TUNNEL(ENCAP_GRE, 10000, 0x2001, 0, 0, 42)},
	{"GRE, nothing of type 0", build_gre_type_0, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0, 0, 0, 38)},
	{"GRE, MPLS", build_gre_mpls, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0x0800, 17, 4, 38)},
	{"GRE, WCCP 2", build_gre_wccp_2, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0x0800, 17, 4, 38)},
	{"GRE, WCCP 1", build_gre_wccp_1, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0x0800, 17, 4, 38)},
	{"GRE, version 1", build_gre_version_1, .verdict = VERDICT_UNKNOWN},
	{"GRE, source routing", build_gre_routing, TUNNEL(ENCAP_GRE, 10000, 0x0800, 17, 4, 66)},
	{"GRE, nine source routes", build_gre_9_routes, .verdict = VERDICT_UNKNOWN},
	{"GRE, source route beyond the packet", build_gre_route_too_long, .verdict = VERDICT_TRUNCATED},
	{"GRE, later fragment", build_gre_later_fragment, .verdict = VERDICT_OTHER, .later_fragment = true},
	{"GRE, type IPv6, version 4", build_gre_not_ipv6, TUNNEL(ENCAP_GRE_NO_KEY, 0, FLOW_NOT_IPV6, 0, 0, 38)},
	{"GRETAP", build_gretap, TUNNEL(ENCAP_GRETAP_NO_KEY, 0, 0x0800, 17, 4, 38)},
	{"GRETAP with key, NVGRE", build_gretap_key, TUNNEL(ENCAP_GRETAP, 10000, 0x0800, 17, 4, 42)},
	{"GRETAP, ARP behind a tag", build_gretap_arp, TUNNEL(ENCAP_GRETAP, 10000, 0x0806, 0, 0, 42)},
	{"GRETAP, SNAP", build_gretap_snap, TUNNEL(ENCAP_GRETAP, 10000, 0x0800, 17, 4, 42)},

	{"ERSPAN I", build_erspan1, TUNNEL(ENCAP_ERSPAN1, 0, 0x0800, 17, 4, 38)},
	{"ERSPAN II", build_erspan2, TUNNEL(ENCAP_ERSPAN2, 1023, 0x0800, 17, 4, 50)},
	{"ERSPAN II, another version", build_erspan2_version, .verdict = VERDICT_UNKNOWN},
	{"ERSPAN III", build_erspan3, TUNNEL(ENCAP_ERSPAN3, 102, 0x0800, 17, 4, 58)},
	{"ERSPAN III with subheader", build_erspan3_subheader, TUNNEL(ENCAP_ERSPAN3, 102, 0x0800, 17, 4, 66)},
	{"ERSPAN III, no Ethernet frame", build_erspan3_frame_type, TUNNEL(ENCAP_ERSPAN3, 102, 0x22eb, 0, 0, 58)},

	{"IPv4 in IPv4", build_4in4, TUNNEL(ENCAP_4IN4, 0, 0x0800, 17, 4, 34)},
	{"IPv6 in IPv4", build_6in4, TUNNEL(ENCAP_6IN4, 0, 0x86dd, 58, 6, 42)},
	{"IPv4 in IPv6", build_4in6, .encap = ENCAP_4IN6, FLOW(0, 0x0800, 17, 6, 4, 62)},
	{"IPv6 in IPv6", build_6in6, .encap = ENCAP_6IN6, FLOW(0, 0x86dd, 6, 6, 6, 78)},
	{"IPv4 in IPv4 in IPv4", build_4in4_in_4in4, TUNNEL(ENCAP_4IN4, 0, 0x0800, 4, 4, 34)},
	{"IPv4 in authenticated IPv4", build_4in4_authenticated, TUNNEL(ENCAP_4IN4, 0, 0x0800, 17, 4, 58)},
	{"authenticated IPv6 in IPv4", build_6in4_authenticated_inside, TUNNEL(ENCAP_6IN4, 0, 0x86dd, 51, 6, 34)},

	{"GTP-U", build_gtpu, TUNNEL(ENCAP_GTPU, 0xfedcba98, 0x0800, 17, 4, 50)},
	{"GTP-U, sequence number, IPv6", build_gtpu_ipv6, TUNNEL(ENCAP_GTPU, 0xfedcba98, 0x86dd, 58, 6, 54)},
	{"GTP-U, two extensions", build_gtpu_extensions, TUNNEL(ENCAP_GTPU, 0xfedcba98, 0x0800, 17, 4, 66)},
	{"GTP-U, extension of length 0", build_gtpu_extension_of_length_0, .verdict = VERDICT_MALFORMED},
	{"GTP-U, nine extensions", build_gtpu_9_extensions, .verdict = VERDICT_UNKNOWN},
	{"GTP-U, echo request", build_gtpu_echo, .verdict = VERDICT_OTHER},
	{"GTP-U, not IP", build_gtpu_not_ip, TUNNEL(ENCAP_GTPU, 0xfedcba98, FLOW_NO_TYPE, 0, 0, 50)},
	{"GTP version 2", build_gtp_version_2, .verdict = VERDICT_UNKNOWN},

	{"MPLS outside", build_mpls_outside, TUNNEL(ENCAP_4IN4, 0, 0x0800, 17, 4, 46)},
	{"pseudowire outside", build_pseudowire, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0x0800, 17, 4, 60)},
	{"MPLS is no tunnel", build_mpls_ip_only, .verdict = VERDICT_OTHER},
	{"PPPoE outside", build_pppoe, .encap = ENCAP_4IN6, FLOW(0, 0x0800, 17, 6, 4, 62)},
	{"PPPoE, link control", build_pppoe_lcp, .verdict = VERDICT_OTHER},
};

#endif
