/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Link layers that only captures have, by libpcap's link type (DLT_). Like bpf/parse_link.h, on which they
 * go on: each function takes its header and returns the EtherType of what follows, or a negative verdict.
 */
#ifndef TUNLAB_MONITOR_REPLAY_LINK_H
#define TUNLAB_MONITOR_REPLAY_LINK_H

#include <pcap/dlt.h>

#include "bpf/parse_link.h"

/* LINKTYPE_LINUX_SLL: packet type, device type, address length, 8 bytes of address, protocol. */
struct wire_sll {
	__u8 before[14];
	__be16 type;
} WIRE;

/* LINKTYPE_LINUX_SLL2: protocol first, interface and address behind it. */
struct wire_sll2 {
	__be16 type;
	__u8 behind[18];
} WIRE;

/* LINKTYPE_NULL, LINKTYPE_LOOP: the address family, in the byte order of a machine unknown. */
struct wire_null {
	__be32 family;
} WIRE;

/* LINKTYPE_C_HDLC, Cisco's. */
struct wire_cisco_hdlc {
	__u8 address;
	__u8 control;
	__be16 type;
} WIRE;

/* LINKTYPE_IEEE802_11_RADIOTAP: what the radio says, in little endian, then IEEE 802.11. */
struct wire_radiotap {
	__u8 version;
	__u8 unused;
	__u8 len[2];
	__u8 present[4];
} WIRE;

PARSE_FN int parse_sll(struct cursor *c)
{
	const struct wire_sll *sll;

	cursor_take(c, sll);
	return parse_type_or_length(sll->type);
}

PARSE_FN int parse_sll2(struct cursor *c)
{
	const struct wire_sll2 *sll;

	cursor_take(c, sll);
	return parse_type_or_length(sll->type);
}

PARSE_FN int parse_null(struct cursor *c)
{
	const struct wire_null *null;
	__u32 family;

	cursor_take(c, null);
	family = parse_be32(null->family);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		return ETH_TYPE_IPV4;
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* Darwin */
		return ETH_TYPE_IPV6;
	default: /* some write the EtherType */
		return family >= ETH_TYPE_MIN && family <= 0xffff ? (int)family : FLOW_NO_TYPE;
	}
}

PARSE_FN int parse_cisco_hdlc(struct cursor *c)
{
	const struct wire_cisco_hdlc *hdlc;

	cursor_take(c, hdlc);
	return parse_be16(hdlc->type);
}

PARSE_FN int parse_radiotap(struct cursor *c)
{
	const struct wire_radiotap *radio;
	__u32 len;

	cursor_take(c, radio);
	len = radio->len[0] | radio->len[1] << 8;
	if (len < sizeof(*radio))
		return -VERDICT_MALFORMED;
	c->off += len - sizeof(*radio);
	return parse_wlan(c);
}

/* What the packets of a capture begin with, behind that. */
PARSE_FN int parse_capture_link(struct cursor *c, int link)
{
	switch (link) {
	case DLT_LINUX_SLL:
		return parse_sll(c);
	case DLT_LINUX_SLL2:
		return parse_sll2(c);
	case DLT_NULL:
	case DLT_LOOP:
		return parse_null(c);
	case DLT_RAW:
		return parse_first_byte_type(parse_first_byte(c));
	case DLT_IPV4:
		return ETH_TYPE_IPV4;
	case DLT_IPV6:
		return ETH_TYPE_IPV6;
	case DLT_PPP:
	case DLT_PPP_SERIAL:
		return ETH_TYPE_PPP;
	case DLT_C_HDLC:
		return parse_cisco_hdlc(c);
	case DLT_IEEE802_11:
		return parse_wlan(c);
	case DLT_IEEE802_11_RADIO:
		return parse_radiotap(c);
	default:
		return ETH_TYPE_TEB;
	}
}

/* Whether it is one of these, or Ethernet. */
static inline bool parse_knows_link(int link)
{
	static const int known[] = {DLT_EN10MB,	DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL,   DLT_LOOP,       DLT_RAW,
				    DLT_IPV4,	DLT_IPV6,      DLT_PPP,	DLT_PPP_SERIAL, DLT_C_HDLC, DLT_IEEE802_11,
				    DLT_IEEE802_11_RADIO};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i] == link)
			return true;
	}
	return false;
}

#endif
