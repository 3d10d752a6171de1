/* SPDX-License-Identifier: Apache-2.0 */
/* See packet.h. Checksums are left out: nobody here looks at them. */
#include "lab/bench/packet.h"

#include <string.h>

#include "bpf/wire.h"

enum { PAYLOAD = 64, PORT_VXLAN = 4789, VNI = 10000 };

static void *put(struct bench_packet *p, size_t size)
{
	void *header = p->data + p->len;

	p->len += size;
	return header;
}

static void put_ethernet(struct bench_packet *p, int version)
{
	struct wire_ethernet *eth = put(p, sizeof(*eth));

	eth->dst[0] = eth->src[0] = 0x02;
	eth->dst[5] = 2;
	eth->src[5] = 1;
	eth->type = parse_be16(version == 4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6);
}

/* Returns where the destination ends. `after` is the length behind the header. */
static size_t put_ip(struct bench_packet *p, int version, uint8_t proto, uint8_t net, size_t after)
{
	struct wire_ipv4 *v4;
	struct wire_ipv6 *v6;

	if (version == 4) {
		v4 = put(p, sizeof(*v4));
		*v4 = (struct wire_ipv4){.version_ihl = 0x45, .ttl = 64, .proto = proto};
		v4->total_len = parse_be16((uint16_t)(sizeof(*v4) + after));
		v4->src = parse_be32(0x0a000001u | (uint32_t)net << 16);
		v4->dst = parse_be32(0x0a000002u | (uint32_t)net << 16);
		return (size_t)((uint8_t *)(&v4->dst + 1) - p->data);
	}
	v6 = put(p, sizeof(*v6));
	*v6 = (struct wire_ipv6){.version_class_label = parse_be32(IPV6_VERSION_6), .next = proto, .hop_limit = 64};
	v6->payload_len = parse_be16((uint16_t)after);
	v6->src.word[0] = v6->dst.word[0] = parse_be32(0xfd000000u | net);
	v6->src.word[3] = parse_be32(1);
	v6->dst.word[3] = parse_be32(2);
	return (size_t)((uint8_t *)(&v6->dst + 1) - p->data);
}

static void put_udp(struct bench_packet *p, uint16_t port, size_t after)
{
	struct wire_udp *udp = put(p, sizeof(*udp));

	*udp = (struct wire_udp){.src = parse_be16(50000), .dst = parse_be16(port)};
	udp->len = parse_be16((uint16_t)(sizeof(*udp) + after));
}

static size_t ip_size(int version)
{
	return version == 4 ? sizeof(struct wire_ipv4) : sizeof(struct wire_ipv6);
}

static size_t inner_size(int version)
{
	return sizeof(struct wire_ethernet) + ip_size(version) + sizeof(struct wire_udp) + PAYLOAD;
}

static void put_inner(struct bench_packet *p, int version)
{
	size_t flow = version == 6 ? sizeof(uint64_t) : sizeof(uint32_t);

	put_ethernet(p, version);
	p->flow_wide = version == 6;
	p->flow_off = (uint32_t)(put_ip(p, version, PROTO_UDP, 2, sizeof(struct wire_udp) + PAYLOAD) - flow);
	put_udp(p, 7, PAYLOAD);
	(void)put(p, PAYLOAD);
}

static void put_vxlan(struct bench_packet *p, int version)
{
	size_t behind = sizeof(struct wire_vxlan) + inner_size(version);
	struct wire_vxlan *vxlan;

	memset(p, 0, sizeof(*p));
	put_ethernet(p, version);
	(void)put_ip(p, version, PROTO_UDP, 1, sizeof(struct wire_udp) + behind);
	put_udp(p, PORT_VXLAN, behind);
	vxlan = put(p, sizeof(*vxlan));
	vxlan->flags = VXLAN_FLAG_VNI;
	vxlan->vni = parse_be32(VNI << 8);
	put_inner(p, version);
}

void bench_packet_vxlan4(struct bench_packet *p)
{
	put_vxlan(p, 4);
}

void bench_packet_vxlan6(struct bench_packet *p)
{
	put_vxlan(p, 6);
}

void bench_packet_gretap(struct bench_packet *p)
{
	struct wire_gre_field *key;
	struct wire_gre *gre;

	memset(p, 0, sizeof(*p));
	put_ethernet(p, 4);
	(void)put_ip(p, 4, PROTO_GRE, 1, sizeof(*gre) + sizeof(*key) + inner_size(4));
	gre = put(p, sizeof(*gre));
	gre->flags = parse_be16(GRE_FLAG_KEY);
	gre->type = parse_be16(ETH_TYPE_TEB);
	key = put(p, sizeof(*key));
	key->value = parse_be32(VNI);
	put_inner(p, 4);
}

void bench_packet_tcp(struct bench_packet *p)
{
	struct wire_tcp *tcp;

	memset(p, 0, sizeof(*p));
	put_ethernet(p, 4);
	p->flow_off = (uint32_t)(put_ip(p, 4, PROTO_TCP, 1, sizeof(*tcp) + PAYLOAD) - sizeof(uint32_t));
	tcp = put(p, sizeof(*tcp));
	tcp->doff_reserved = 5 << 4;
	(void)put(p, PAYLOAD);
}
