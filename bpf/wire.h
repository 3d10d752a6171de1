/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Headers as they are on the wire, and the numbers that announce them. Structures have the byte
 * order in their types; how a packet is walked is parse.h's.
 */
#ifndef TUNLAB_BPF_WIRE_H
#define TUNLAB_BPF_WIRE_H

#include <linux/types.h>

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

/* Own names: the system's headers for these cannot all be included together. */
enum {
	ETH_LENGTH_MAX = 1500, /* from 1 up to here the field is an 802.3 length */
	ETH_TYPE_MIN = 0x0600,
	ETH_TYPE_IPV4 = 0x0800,
	ETH_TYPE_ERSPAN3 = 0x22eb,
	ETH_TYPE_TEB = 0x6558, /* transparent Ethernet bridging: a frame follows */
	ETH_TYPE_VLAN = 0x8100,
	ETH_TYPE_IPV6 = 0x86dd,
	ETH_TYPE_PPP = 0x880b,
	ETH_TYPE_MPLS = 0x8847,
	ETH_TYPE_MPLS_MULTICAST = 0x8848,
	ETH_TYPE_PPPOE = 0x8864, /* session stage */
	ETH_TYPE_WCCP = 0x883e,
	ETH_TYPE_QINQ = 0x88a8,
	ETH_TYPE_ERSPAN = 0x88be, /* types I and II */
	ETH_TYPE_NSH = 0x894f,
	GRE_TYPE_WLAN = 0x8200,     /* Aruba: 802.11 frames, a type for each queue, 16 apart */
	GRE_TYPE_WLAN_MAX = 0x8370,
	ETH_TYPE_QINQ_OLD = 0x9100,

	PROTO_HOPOPTS = 0,
	PROTO_IPV4 = 4,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_IPV6 = 41,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_GRE = 47,
	PROTO_AUTH = 51,
	PROTO_DSTOPTS = 60,

	PPP_HDLC_ALL = 0xff, /* address of all stations: what a protocol cannot begin with */
	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
	PPP_MPLS = 0x0281,
};

/* ---- link layer ---- */

struct wire_ethernet {
	__u8 dst[6];
	__u8 src[6];
	__be16 type;
} WIRE;

struct wire_vlan {
	__be16 tci;
	__be16 type;
} WIRE;

/* IEEE 802.2, and the SNAP extension */
struct wire_llc {
	__u8 dsap;
	__u8 ssap;
	__u8 control;
} WIRE;

struct wire_snap {
	__u8 oui[3];
	__u8 type[2];
} WIRE;

/* IEEE 802.11: what its data frames have in common */
struct wire_wlan {
	__u8 control;
	__u8 flags;
	__u8 duration[2];
	__u8 addresses[18];
	__u8 fragment; /* its number, in the lower 4 bits */
	__u8 sequence;
} WIRE;

#define WLAN_KIND 0x4f         /* version, type, and of data frames whether they have none */
#define WLAN_KIND_DATA 0x08
#define WLAN_QOS 0x80          /* 2 bytes more */
#define WLAN_FLAGS_4_ADDRESSES 0x03
#define WLAN_FLAG_PROTECTED 0x40
#define WLAN_FLAG_HT 0x80      /* with QoS: 4 bytes more */
#define WLAN_QOS_AGGREGATE 0x80

/* RFC 3032; also as big as a pseudowire's control word (RFC 4385) */
struct wire_mpls {
	__be32 label; /* label 20 bits, class 3, bottom of stack 1, time to live 8 */
} WIRE;

#define MPLS_BOTTOM 0x00000100

/* RFC 2516, then the protocol field of PPP */
struct wire_pppoe {
	__u8 version_type;
	__u8 code;
	__be16 session;
	__be16 len;
} WIRE;

struct wire_ppp {
	__be16 proto;
} WIRE;

/* RFC 1662: before the protocol, where the other side did not agree to leave it out */
struct wire_ppp_hdlc {
	__u8 address; /* PPP_HDLC_ALL */
	__u8 control;
} WIRE;

/* RFC 8300: base and service path header */
struct wire_nsh {
	__be16 flags_len; /* length in units of 4 in the lower 6 bits */
	__u8 md_type;
	__u8 next;
	__be32 path;
} WIRE;

/* ---- IP and above ---- */

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

#define IPV4_FRAGMENT_OFFSET 0x1fff
#define IPV4_FRAGMENT 0x3fff /* offset, or more fragments */

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

#define IPV6_PAYLOAD_MAX 65535 /* that the length field can tell */
#define IPV6_VERSION 0xf0000000
#define IPV6_VERSION_6 0x60000000

/*
 * Hop-by-hop, routing, destination options: len counts 8 bytes beyond the first 8. Also what the
 * authentication header (RFC 4302) begins with: there it counts 4 bytes beyond the first 8.
 */
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

/* ---- tunnels ---- */

/* RFC 7348, and its generic protocol extension (draft-ietf-nvo3-vxlan-gpe) */
struct wire_vxlan {
	__u8 flags;
	__u8 reserved[2];
	__u8 next;  /* VXLAN-GPE: next protocol, if the flag says so */
	__be32 vni; /* upper 24 bits */
} WIRE;

#define VXLAN_FLAG_VNI 0x08
#define VXLAN_GPE_VERSION 0x30
#define VXLAN_GPE_FLAG_NEXT 0x04

/* RFC 8926 */
struct wire_geneve {
	__u8 version_len; /* version 2 bits; options' length in units of 4 */
	__u8 flags;
	__be16 type;
	__be32 vni; /* upper 24 bits */
} WIRE;

/* RFC 2784, 2890. Optional fields of 4 bytes each follow in the order of these flags. */
struct wire_gre {
	__be16 flags;
	__be16 type;
} WIRE;

struct wire_gre_field {
	__be32 value;
} WIRE;

/* RFC 1701: source routes come last; the last of them is empty. */
struct wire_gre_route {
	__be16 family;
	__u8 offset;
	__u8 len; /* of what follows */
} WIRE;

#define GRE_FLAG_CHECKSUM 0x8000
#define GRE_FLAG_ROUTING 0x4000 /* RFC 1701, withdrawn by RFC 2784 */
#define GRE_FLAG_KEY 0x2000
#define GRE_FLAG_SEQUENCE 0x1000
#define GRE_VERSION 0x0007

/* draft-foschiano-erspan: type II is 8 bytes, III is 12 and may have a subheader of 8 */
struct wire_erspan2 {
	__be32 version_session; /* version 4 bits, VLAN 12, class 3, flags 3, session 10 */
	__be32 index;
} WIRE;

struct wire_erspan3 {
	__be32 version_session;
	__be32 timestamp;
	__be16 group;
	__be16 flags; /* frame type in the middle, subheader in the last bit */
} WIRE;

#define ERSPAN_SESSION 0x000003ff
#define ERSPAN3_FRAME_TYPE 0x7c00
#define ERSPAN3_SUBHEADER 0x0001

/* 3GPP TS 29.281 */
struct wire_gtpu {
	__u8 flags;
	__u8 message;
	__be16 len; /* of all that follows the first 8 bytes */
	__be32 teid;
} WIRE;

/* Behind it if any of the three flags is set; each extension ends with the type of the next. */
struct wire_gtpu_optional {
	__be16 sequence;
	__u8 n_pdu;
	__u8 next;
} WIRE;

#define GTPU_VERSION 0xf0 /* version 3 bits, protocol type */
#define GTPU_VERSION_1 0x30
#define GTPU_FLAG_ANY 0x07
#define GTPU_FLAG_EXTENSION 0x04
#define GTPU_MESSAGE_PDU 0xff

_Static_assert(sizeof(struct wire_ethernet) == 14, "as on the wire");
_Static_assert(sizeof(struct wire_snap) == 5, "as on the wire");
_Static_assert(sizeof(struct wire_pppoe) == 6, "as on the wire");
_Static_assert(sizeof(struct wire_nsh) == 8, "as on the wire");
_Static_assert(sizeof(struct wire_ipv4) == 20, "as on the wire");
_Static_assert(sizeof(struct wire_ipv6) == 40, "as on the wire");
_Static_assert(sizeof(struct wire_ipv6_ext) == 8, "as on the wire");
_Static_assert(sizeof(struct wire_tcp) == 20, "as on the wire");
_Static_assert(sizeof(struct wire_vxlan) == 8, "as on the wire");
_Static_assert(sizeof(struct wire_geneve) == 8, "as on the wire");
_Static_assert(sizeof(struct wire_erspan3) == 12, "as on the wire");
_Static_assert(sizeof(struct wire_gtpu) == 8, "as on the wire");

#endif
