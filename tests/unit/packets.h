/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets for parser tests, built header by header from the outside in, and rows of tables that say
 * what the parser must make of them: those of VXLAN, and of IP and Ethernet around it, are in
 * packets_vxlan.h, other tunnels' in packets_tunnels.h, what they rarely carry in packets_inside.h, all of
 * them in packet_cases.h. The native
 * test and the one in the kernel share them.
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

/* ---- rows ---- */

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
	uint8_t encap;        /* 0: VXLAN */
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
	ret->encap = c->encap ? c->encap : ENCAP_VXLAN;
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

/* EtherType and protocol inside, families outside and inside, where the inner frame begins. */
#define FLOW(v, type, proto, outer, inner, off) .verdict = VERDICT_FLOW, .vni = v,                 \
	.ethertype = type, .ipproto = proto, .outer_family = outer, .inner_family = inner,         \
	.inner_off = off
#define V4_FLOW(type, proto, inner) FLOW(10000, type, proto, 4, inner, 50)

static inline void case_build(const struct packet_case *c, struct packet *p)
{
	memset(p, 0, sizeof(*p));
	c->build(p);
	packet_finish(p);
}

#endif
