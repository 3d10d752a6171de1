/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tunnels carry but rarely: 802.11, LLC behind tags, nothing at all, and headers before the tunnel's
 * that not everybody knows. A table for each; see packets.h.
 */
#ifndef TUNLAB_TESTS_PACKETS_INSIDE_H
#define TUNLAB_TESTS_PACKETS_INSIDE_H

#include "tests/unit/packets_tunnels.h"
#include "tests/unit/packets_vxlan.h"

/* ---- IEEE 802.11 in GRE, as wireless controllers have it ---- */

static inline void put_wlan(struct packet *p, uint8_t control, uint8_t flags, uint8_t fragment)
{
	put_gre(p, 0, 0x8240);
	put_u8(p, control);
	put_u8(p, flags);
	put_payload(p, 20);
	put_u8(p, fragment);
	put_u8(p, 0);
}

static inline void put_snap(struct packet *p, uint8_t oui, uint16_t type)
{
	put_bytes(p, "\xaa\xaa\x03\0\0", 5);
	put_u8(p, oui);
	put_u16(p, type);
}

static inline void build_wlan_data(struct packet *p)
{
	put_wlan(p, 0x08, 0x02, 0);
	put_snap(p, 0, 0x0800);
	put_inner_packet(p);
}

/* Between access points, with quality of service and the field for high throughput. */
static inline void build_wlan_longest(struct packet *p)
{
	put_wlan(p, 0x88, 0x83, 0);
	put_payload(p, 6);
	put_u16(p, 0);
	put_u32(p, 0);
	put_snap(p, 0xf8, 0x86dd);
	put_ipv6(p, 2, 58);
	put_payload(p, 64);
}

static inline void build_wlan_arp(struct packet *p)
{
	put_wlan(p, 0x88, 0x01, 0);
	put_u16(p, 0);
	put_snap(p, 0, 0x0806);
	put_payload(p, 28);
}

static inline void build_wlan_encrypted(struct packet *p)
{
	put_wlan(p, 0x88, 0x41, 0);
	put_payload(p, 64);
}

static inline void build_wlan_aggregate(struct packet *p)
{
	put_wlan(p, 0x88, 0x01, 0);
	put_u16(p, 0x8000);
	put_payload(p, 64);
}

static inline void build_wlan_later_fragment(struct packet *p)
{
	put_wlan(p, 0x08, 0x01, 1);
	put_payload(p, 64);
}

static inline void build_wlan_no_data(struct packet *p)
{
	put_wlan(p, 0x48, 0x01, 0);
}

/* Shorter than all data frames. */
static inline void build_wlan_acknowledgement(struct packet *p)
{
	put_gre(p, 0, 0x8200);
	put_bytes(p, "\xd4\0\0\0\x02\0\0\0\0\x01", 10);
}

/* ---- LLC ---- */

/* The tag's is the only EtherType there is. */
static inline void build_tagged_llc(struct packet *p)
{
	put_tunnel(p, 10000, 0x88a8);
	put_vlan(p, 7, 0x8100);
	put_vlan(p, 8, 50);
	put_bytes(p, "\x42\x42\x03", 3);
	put_payload(p, 47);
}

static inline void build_snap_vlan(struct packet *p)
{
	put_tunnel(p, 10000, 120);
	put_snap(p, 0, 0x8100);
	put_vlan(p, 7, 0x0800);
	put_inner_packet(p);
}

static inline void build_snap_private(struct packet *p)
{
	put_tunnel(p, 10000, 60);
	put_snap(p, 0x0c, 0x2000);
	put_payload(p, 52);
}

static inline void build_lsap_ipv4(struct packet *p)
{
	put_tunnel(p, 10000, 95);
	put_bytes(p, "\x06\x06\x03", 3);
	put_inner_packet(p);
}

static inline void build_type_0(struct packet *p)
{
	put_tunnel(p, 10000, 0);
	put_payload(p, 46);
}

static inline void build_type_1501(struct packet *p)
{
	put_tunnel(p, 10000, 1501);
	put_payload(p, 46);
}

/* ---- types nobody looks behind ---- */

static inline void build_mpls_not_ip(struct packet *p)
{
	put_tunnel(p, 10000, 0x8847);
	put_u32(p, 16 << 12 | 0x100 | 64);
	put_u32(p, 0xffffffff);
}

/* Small numbers are GRE's own. */
static inline void build_gre_sna(struct packet *p)
{
	put_gre(p, 0, 0x0004);
	put_payload(p, 40);
}

static inline void build_gre_5ff(struct packet *p)
{
	put_gre(p, 0, 0x05ff);
	put_payload(p, 40);
}

static inline void build_five_labels(struct packet *p)
{
	put_tunnel(p, 10000, 0x8847);
	for (int i = 0; i < 5; i++)
		put_u32(p, (16 + i) << 12 | (i == 4) << 8 | 64);
	put_inner_packet(p);
}

/* ---- nothing inside ---- */

static inline void build_vxlan_empty(struct packet *p)
{
	put_outer_udp(p, 4789);
	put_vxlan(p, 0x08, 10000);
}

static inline void build_gre_empty(struct packet *p)
{
	put_gre(p, 0x2000, 0x0800);
}

static inline void build_gretap_empty(struct packet *p)
{
	put_gre(p, 0x2000, 0x6558);
}

static inline void build_erspan1_empty(struct packet *p)
{
	put_gre(p, 0, 0x88be);
}

static inline void build_gtpu_empty(struct packet *p)
{
	put_gtpu(p, 0x30, 255);
}

/* Then there is no tunnel: its header is that of the packet inside. */
static inline void build_4in4_empty(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4(p, 1, 4);
}

/* The IP length speaks of more than there is. */
static inline void build_vxlan_cut(struct packet *p)
{
	build_vxlan_empty(p);
	packet_finish(p);
	p->data[17] += 10;
	p->data[39] += 10;
}

/* ---- before the tunnel ---- */

static inline void put_auth(struct packet *p, uint8_t next)
{
	put_u8(p, next);
	put_u8(p, 4); /* 24 bytes */
	put_payload(p, 22);
}

static inline void build_authenticated_twice(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4(p, 1, 51);
	put_auth(p, 51);
	put_auth(p, 4);
	put_inner_packet(p);
}

static inline void build_options_behind_authentication(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 51);
	put_auth(p, 60);
	put_ipv6_ext(p, 17, 0);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, 10000);
	put_inner_frame(p);
}

static inline void build_later_fragment_authenticated(struct packet *p)
{
	put_ethernet(p, 0x0800);
	put_ipv4_full(p, 1, 51, 0, 0x2010);
	put_auth(p, 4);
	put_inner_packet(p);
}

/* Only a jumbogram's may be 0. */
static inline void build_udp_length_0(struct packet *p)
{
	build_vxlan_empty(p);
	put_inner_frame(p);
	packet_finish(p);
	memset(p->data + 38, 0, 2);
}

/* ---- lengths ---- */

/* The field can tell the length of a packet as small as this, so it has to (RFC 8200, 3; RFC 2675, 3). */
static inline void build_v6_length_0(struct packet *p)
{
	build_v6_v4_udp(p);
	packet_finish(p);
	memset(p->data + 18, 0, 2);
}

/* Inside, where the tunnel is known already, a header that cannot be one is what the tunnel carries. */
static inline void build_inner_total_length_19(struct packet *p)
{
	build_v4_v4_udp(p);
	packet_finish(p);
	p->data[66] = 0;
	p->data[67] = 19;
}

/* ---- PPP in GRE ---- */

static inline void build_gre_ppp(struct packet *p)
{
	put_gre(p, 0, 0x880b);
	put_u16(p, 0x0021);
	put_inner_packet(p);
}

static inline void build_gre_ppp_hdlc(struct packet *p)
{
	put_gre(p, 0, 0x880b);
	put_u32(p, 0xff030021);
	put_inner_packet(p);
}

static inline void build_gre_ppp_short(struct packet *p)
{
	put_gre(p, 0, 0x880b);
	put_u8(p, 0x21);
	put_inner_packet(p);
}

static inline void build_gre_ppp_control(struct packet *p)
{
	put_gre(p, 0, 0x880b);
	put_u32(p, 0xff03c021);
	put_payload(p, 20);
}

static inline void build_gre_ppp_cut(struct packet *p)
{
	put_gre(p, 0, 0x880b);
	put_u16(p, 0xff03);
}

/* ---- GTP-U ---- */

/* The field is there for the sake of the sequence number, and means nothing. */
static inline void build_gtpu_no_extension(struct packet *p)
{
	put_gtpu(p, 0x32, 255);
	put_u32(p, 0x00070085);
	put_inner_packet(p);
}

static inline void build_gtpu_length_0(struct packet *p)
{
	build_gtpu_empty(p);
	put_payload(p, 20);
	packet_finish(p);
	memset(p->data + 44, 0, 2);
}

#define WLAN_FLOW(type, proto, inner) TUNNEL(ENCAP_GRE_NO_KEY, 0, type, proto, inner, 38)

static const struct packet_case inside_cases[] = {
	{"802.11 data", build_wlan_data, WLAN_FLOW(0x0800, 17, 4)},
	{"802.11 data, the longest header", build_wlan_longest, WLAN_FLOW(0x86dd, 58, 6)},
	{"802.11 data, ARP", build_wlan_arp, WLAN_FLOW(0x0806, 0, 0)},
	{"802.11, encrypted", build_wlan_encrypted, WLAN_FLOW(0x8240, 0, 0)},
	{"802.11, several frames in one", build_wlan_aggregate, WLAN_FLOW(0x8240, 0, 0)},
	{"802.11, later fragment", build_wlan_later_fragment, WLAN_FLOW(0x8240, 0, 0)},
	{"802.11, no data", build_wlan_no_data, WLAN_FLOW(0x8240, 0, 0)},
	{"802.11, acknowledgement", build_wlan_acknowledgement, WLAN_FLOW(0x8200, 0, 0)},

	{"LLC behind two tags", build_tagged_llc, V4_FLOW(0x8100, 0, 0)},
	{"VLAN tag behind SNAP", build_snap_vlan, V4_FLOW(0x0800, 17, 4)},
	{"SNAP of a vendor", build_snap_private, V4_FLOW(FLOW_LLC, 0, 0)},
	{"IPv4 by its LSAP", build_lsap_ipv4, V4_FLOW(0x0800, 17, 4)},
	{"neither type nor length, 0", build_type_0, V4_FLOW(0, 0, 0)},
	{"neither type nor length, 1501", build_type_1501, V4_FLOW(1501, 0, 0)},

	{"MPLS, no IP below", build_mpls_not_ip, V4_FLOW(0x8847, 0, 0)},
	{"GRE, type 4", build_gre_sna, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0x0004, 0, 0, 38)},
	{"GRE, type 0x5ff", build_gre_5ff, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0x05ff, 0, 0, 38)},
	{"five labels inside", build_five_labels, V4_FLOW(0x0800, 17, 4)},

	{"VXLAN, nothing", build_vxlan_empty, V4_FLOW(FLOW_NO_TYPE, 0, 0)},
	{"GRE, nothing", build_gre_empty, TUNNEL(ENCAP_GRE, 10000, FLOW_NOT_IPV4, 0, 0, 42)},
	{"GRETAP, nothing", build_gretap_empty, TUNNEL(ENCAP_GRETAP, 10000, 0x6558, 0, 0, 42)},
	{"ERSPAN I, nothing", build_erspan1_empty, TUNNEL(ENCAP_ERSPAN1, 0, 0x88be, 0, 0, 38)},
	{"GTP-U, nothing", build_gtpu_empty, TUNNEL(ENCAP_GTPU, 0xfedcba98, FLOW_NO_TYPE, 0, 0, 50)},
	{"IPv4 in IPv4, nothing", build_4in4_empty, .verdict = VERDICT_TRUNCATED},
	{"VXLAN, cut behind its header", build_vxlan_cut, .verdict = VERDICT_TRUNCATED},

	{"two authentication headers", build_authenticated_twice, TUNNEL(ENCAP_4IN4, 0, 0x0800, 17, 4, 82)},
	{"options behind an authentication header", build_options_behind_authentication,
	 FLOW(10000, 0x0800, 17, 6, 4, 102)},
	{"authenticated later fragment", build_later_fragment_authenticated,
	 .verdict = VERDICT_OTHER, .later_fragment = true},
	{"UDP length 0", build_udp_length_0, .verdict = VERDICT_MALFORMED},
	{"IPv6 length 0", build_v6_length_0, .verdict = VERDICT_MALFORMED},
	{"IPv4 length shorter than its header inside", build_inner_total_length_19, V4_FLOW(FLOW_NOT_IPV4, 0, 0)},

	{"PPP", build_gre_ppp, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0x0800, 17, 4, 38)},
	{"PPP as in HDLC", build_gre_ppp_hdlc, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0x0800, 17, 4, 38)},
	{"PPP, protocol in one byte", build_gre_ppp_short, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0x0800, 17, 4, 38)},
	{"PPP, link control", build_gre_ppp_control, TUNNEL(ENCAP_GRE_NO_KEY, 0, 0x880b, 0, 0, 38)},
	{"PPP, cut before its protocol", build_gre_ppp_cut, .verdict = VERDICT_TRUNCATED},

	{"GTP-U, extension type without the flag", build_gtpu_no_extension,
	 TUNNEL(ENCAP_GTPU, 0xfedcba98, 0x0800, 17, 4, 54)},
	{"GTP-U, length 0", build_gtpu_length_0, TUNNEL(ENCAP_GTPU, 0xfedcba98, FLOW_NO_TYPE, 0, 0, 50),
	 .packets = 1, .bytes = 70, .inner_bytes = 0},
};

#endif
