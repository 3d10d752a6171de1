/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets for parser tests, built header by header from the outside in, and the table of what
 * the parser must make of them. The native test and the one in the kernel share it.
 */
#ifndef TUNLAB_TESTS_PACKETS_H
#define TUNLAB_TESTS_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bpf/flow.h"

enum { PACKET_MAX = 2048, FIXUPS_MAX = 8 };

/* Addresses are written as in the key: 16 bytes. */
struct packet {
	uint8_t data[PACKET_MAX];
	size_t len;
	/* length fields to fill in when the packet is complete */
	struct {
		size_t field, from; /* where the 16-bit field is, and where what it counts begins */
	} fixups[FIXUPS_MAX];
	size_t n_fixups;
};

static inline void put_bytes(struct packet *p, const void *bytes, size_t n)
{
	if (p->len + n > sizeof(p->data))
		return; /* a test's own mistake; its length check will say so */
	memcpy(p->data + p->len, bytes, n);
	p->len += n;
}

static inline void put_u8(struct packet *p, uint8_t v)
{
	put_bytes(p, &v, 1);
}

static inline void put_u16(struct packet *p, uint16_t v)
{
	put_u8(p, v >> 8);
	put_u8(p, v);
}

static inline void put_u32(struct packet *p, uint32_t v)
{
	put_u16(p, v >> 16);
	put_u16(p, v);
}

static inline void put_payload(struct packet *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_u8(p, i);
}

/* A 16-bit length counting from `from` to the packet's end. */
static inline void put_length(struct packet *p, size_t from)
{
	p->fixups[p->n_fixups].field = p->len;
	p->fixups[p->n_fixups++].from = from;
	put_u16(p, 0);
}

static inline void packet_finish(struct packet *p)
{
	for (size_t i = 0; i < p->n_fixups; i++) {
		size_t n = p->len - p->fixups[i].from;

		p->data[p->fixups[i].field] = n >> 8;
		p->data[p->fixups[i].field + 1] = n;
	}
	p->n_fixups = 0;
}

static inline void put_ethernet(struct packet *p, uint16_t type)
{
	put_bytes(p, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
	put_u16(p, type);
}

static inline void put_vlan(struct packet *p, uint16_t id, uint16_t type)
{
	put_u16(p, id);
	put_u16(p, type);
}

/* 10.n.0.1 to 10.n.0.2 */
static inline void put_ipv4_full(struct packet *p, uint8_t net, uint8_t proto, size_t n_options,
				 uint16_t fragment)
{
	size_t begin = p->len;

	put_u8(p, 0x45 + n_options / 4);
	put_u8(p, 0);
	put_length(p, begin);
	put_u16(p, 1);
	put_u16(p, fragment);
	put_u8(p, 64);
	put_u8(p, proto);
	put_u16(p, 0);
	put_u32(p, 0x0a000001 | net << 16);
	put_u32(p, 0x0a000002 | net << 16);
	for (size_t i = 0; i < n_options; i++)
		put_u8(p, 1); /* no operation */
}

static inline void put_ipv4(struct packet *p, uint8_t net, uint8_t proto)
{
	put_ipv4_full(p, net, proto, 0, 0x4000);
}

/* fd00::n:1 to fd00::n:2 */
static inline void put_ipv6(struct packet *p, uint8_t net, uint8_t next)
{
	put_u32(p, 0x60000000);
	put_length(p, p->len + 4); /* the payload begins 4 + 32 bytes on */
	p->fixups[p->n_fixups - 1].from += 32;
	put_u8(p, next);
	put_u8(p, 64);
	for (int i = 1; i <= 2; i++) {
		put_bytes(p, "\xfd\0\0\0\0\0\0\0\0\0\0\0", 12);
		put_u32(p, net << 16 | i);
	}
}

/* n extra units of 8 bytes */
static inline void put_ipv6_ext(struct packet *p, uint8_t next, uint8_t n)
{
	put_u8(p, next);
	put_u8(p, n);
	for (int i = 0; i < 6 + n * 8; i++)
		put_u8(p, 1);
}

static inline void put_ipv6_fragment(struct packet *p, uint8_t next, uint16_t offset_flags)
{
	put_u8(p, next);
	put_u8(p, 0);
	put_u16(p, offset_flags);
	put_u32(p, 1);
}

static inline void put_udp(struct packet *p, uint16_t port)
{
	size_t begin = p->len;

	put_u16(p, 50000);
	put_u16(p, port);
	put_length(p, begin);
	put_u16(p, 0);
}

static inline void put_tcp(struct packet *p, size_t n_options)
{
	put_u16(p, 40000);
	put_u16(p, 80);
	put_u32(p, 1);
	put_u32(p, 2);
	put_u16(p, (0x5 + n_options / 4) << 12 | 0x10);
	put_u16(p, 1000);
	put_u32(p, 0);
	for (size_t i = 0; i < n_options; i++)
		put_u8(p, 1);
}

static inline void put_vxlan(struct packet *p, uint8_t flags, uint32_t vni)
{
	put_u8(p, flags);
	put_u8(p, 0);
	put_u16(p, 0);
	put_u32(p, vni << 8);
}

/* What most packets here begin with: 50 bytes of tunnel, and the inner Ethernet header. */
static inline void put_tunnel(struct packet *p, uint32_t vni, uint16_t inner_type)
{
	put_ethernet(p, 0x0800);
	put_ipv4(p, 1, 17);
	put_udp(p, 4789);
	put_vxlan(p, 0x08, vni);
	put_ethernet(p, inner_type);
}

/* ---- the table ---- */

struct packet_case {
	const char *what;
	void (*build)(struct packet *p);
	enum verdict verdict;
	/* for VERDICT_FLOW */
	uint32_t vni;
	uint16_t ethertype;
	uint8_t ipproto;
	uint8_t outer_family; /* 4 or 6, with net 1 */
	uint8_t inner_family; /* 4 or 6, with net 2; 0: none */
	uint32_t inner_off;
	uint32_t inner_len; /* 0: the rest of the frame */
	/* segmentation offload as the socket buffer would have it */
	uint32_t gso_size, gso_segs;
	uint64_t packets, bytes, inner_bytes; /* 0 packets: one, as long as the frame */
	bool later_fragment;
};

static inline void key_address(uint8_t to[16], int family, uint8_t net, uint8_t host)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const uint8_t ula[12] = {0xfd};

	memset(to, 0, 16);
	if (family == 4) {
		memcpy(to, mapped, 12);
		to[12] = 10;
		to[13] = net;
		to[15] = host;
	} else if (family == 6) {
		memcpy(to, ula, 12);
		to[13] = net;
		to[15] = host;
	}
}

static inline void case_key(const struct packet_case *c, struct flow_key *ret)
{
	memset(ret, 0, sizeof(*ret));
	key_address(ret->outer_src, c->outer_family, 1, 1);
	key_address(ret->outer_dst, c->outer_family, 1, 2);
	if (c->inner_family) {
		key_address(ret->inner_src, c->inner_family, 2, 1);
		key_address(ret->inner_dst, c->inner_family, 2, 2);
	}
	ret->vni = c->vni;
	ret->inner_ethertype = c->ethertype;
	ret->inner_ipproto = c->ipproto;
	ret->encap = ENCAP_VXLAN;
}

static inline void case_count(const struct packet_case *c, const struct packet *p,
			      struct flow_count *ret)
{
	*ret = (struct flow_count){c->packets, c->bytes, c->inner_bytes};
	if (c->packets == 0)
		*ret = (struct flow_count){1, p->len, 0};
	if (c->packets == 0 && c->verdict == VERDICT_FLOW)
		ret->inner_bytes = c->inner_len ? c->inner_len : p->len - c->inner_off;
}

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

static inline void build_five_tags(struct packet *p)
{
	put_ethernet(p, 0x8100);
	for (int i = 0; i < 4; i++)
		put_vlan(p, i, 0x8100);
	put_vlan(p, 4, 0x0800);
	put_ipv4(p, 1, 17);
	put_udp(p, 4789);
	put_payload(p, 64);
}

static inline void build_inner_five_tags(struct packet *p)
{
	put_tunnel(p, 10000, 0x8100);
	for (int i = 0; i < 4; i++)
		put_vlan(p, i, 0x8100);
	put_vlan(p, 4, 0x0800);
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

static inline void build_v6_seven_ext(struct packet *p)
{
	put_ethernet(p, 0x86dd);
	put_ipv6(p, 1, 60);
	for (int i = 0; i < 6; i++)
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
	put_udp(p, 4790);
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

/* EtherType and protocol inside, families outside and inside, where the inner frame begins. */
#define FLOW(v, type, proto, outer, inner, off) .verdict = VERDICT_FLOW, .vni = v,                 \
	.ethertype = type, .ipproto = proto, .outer_family = outer, .inner_family = inner,         \
	.inner_off = off
#define V4_FLOW(type, proto, inner) FLOW(10000, type, proto, 4, inner, 50)

static const struct packet_case packet_cases[] = {
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
	{"five tags outside", build_five_tags, .verdict = VERDICT_UNKNOWN},
	{"five tags inside", build_inner_five_tags, .verdict = VERDICT_UNKNOWN},

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
	{"seven IPv6 extension headers", build_v6_seven_ext, .verdict = VERDICT_UNKNOWN},
	{"tunnel header deeper than looked", build_v6_deep, .verdict = VERDICT_UNKNOWN},
	{"IPv6 extension header beyond the packet", build_v6_ext_too_long,
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
	{"IPv4 header length 4 inside", build_inner_ihl_4, .verdict = VERDICT_MALFORMED},
	{"EtherType IPv4, version 6 inside", build_inner_version, .verdict = VERDICT_MALFORMED},

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

enum { N_PACKET_CASES = sizeof(packet_cases) / sizeof(packet_cases[0]) };

static inline void case_build(const struct packet_case *c, struct packet *p)
{
	memset(p, 0, sizeof(*p));
	c->build(p);
	packet_finish(p);
}

#endif
