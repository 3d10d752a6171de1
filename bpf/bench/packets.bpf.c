/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What `tunlab bench` runs packets through, beside the monitor: `drive` makes each repeat of a bpf_prog_test_run a packet of
 * another flow and hands it to the program under test; `empty` is the least such a program can do, what times are taken over.
 *
 * And a reference in the classic shape, as the bcc tools' tunnel monitor had it: headers are copied by helper calls,
 * a tail call leads from the outer ones to the inner ones and another to the counters, which are one hash that all
 * CPUs share and add to atomically. It reads VXLAN over IPv4 and IPv6 on port 4789, into the same key as the monitor.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include "bpf/flow.h"
#include "bpf/wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set by user space between runs. */
__u32 n_flows = 1;
__u32 flow_off;  /* where in a packet the flow's number is: at the end of the inner destination */
__u32 flow_wide; /* it takes 8 bytes there: written as it will be read, or the processor waits for the write */
__u32 at_random; /* flows not in turn, but by a congruential generator that meets each of 10000 once (Hull and Dobell's conditions) */
__u32 next_flow;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

SEC("tc")
int drive(struct __sk_buff *skb)
{
	__u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 off = flow_off & 0xff, flow = next_flow;

	if (n_flows > 1 && flow_wide && data + off + sizeof(__u64) <= end)
		*(__u64 *)(data + off) = (__u64)parse_be32(flow) << 32;
	else if (n_flows > 1 && !flow_wide && data + off + sizeof(__u32) <= end)
		*(__u32 *)(data + off) = parse_be32(flow);
	if (at_random)
		next_flow = (flow * 4261 + 7919) % n_flows;
	else
		next_flow = flow + 1 < n_flows ? flow + 1 : 0;
	bpf_tail_call(skb, &target, 0);
	return TC_ACT_SHOT; /* there is no target */
}

SEC("tc")
int empty(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_UNSPEC;
}

/* ---- the reference ---- */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct flow_key);
	__type(value, struct flow_count);
} counts SEC(".maps");

/* What a tail call cannot take along. */
struct state {
	struct flow_key key;
	__u32 off;
	__u32 inner_off;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct state);
} states SEC(".maps");

int classic_inner(struct __sk_buff *skb);
int classic_count(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, int(void *));
} steps SEC(".maps") = {
	.values = { (void *)&classic_inner, (void *)&classic_count },
};

static __always_inline struct state *get_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&states, &zero);
}

/* An IP header into addresses; returns its protocol, or -1. */
static __always_inline int load_ip(struct __sk_buff *skb, struct state *s, __u16 type, __u8 src[16], __u8 dst[16])
{
	struct wire_ipv4 v4;
	struct wire_ipv6 v6;

	if (type == ETH_TYPE_IPV4) {
		if (bpf_skb_load_bytes(skb, s->off, &v4, sizeof(v4)))
			return -1;
		src[10] = src[11] = dst[10] = dst[11] = 0xff;
		__builtin_memcpy(src + 12, &v4.src, 4);
		__builtin_memcpy(dst + 12, &v4.dst, 4);
		s->off += sizeof(v4);
		return v4.proto;
	}
	if (type != ETH_TYPE_IPV6 || bpf_skb_load_bytes(skb, s->off, &v6, sizeof(v6)))
		return -1;
	__builtin_memcpy(src, &v6.src, 16);
	__builtin_memcpy(dst, &v6.dst, 16);
	s->off += sizeof(v6);
	return v6.next;
}

static __always_inline int load_type(struct __sk_buff *skb, struct state *s, __u16 *ret)
{
	struct wire_ethernet eth;

	if (bpf_skb_load_bytes(skb, s->off, &eth, sizeof(eth)))
		return -1;
	s->off += sizeof(eth);
	*ret = parse_be16(eth.type);
	return 0;
}

SEC("tc")
int classic(struct __sk_buff *skb)
{
	struct state *s = get_state();
	struct wire_vxlan vxlan;
	struct wire_udp udp;
	__u16 type;

	if (!s)
		return TC_ACT_UNSPEC;
	__builtin_memset(s, 0, sizeof(*s));
	if (load_type(skb, s, &type) || load_ip(skb, s, type, s->key.outer_src, s->key.outer_dst) != PROTO_UDP ||
	    bpf_skb_load_bytes(skb, s->off, &udp, sizeof(udp)) || udp.dst != parse_be16(4789))
		return TC_ACT_UNSPEC;
	s->off += sizeof(udp);
	if (bpf_skb_load_bytes(skb, s->off, &vxlan, sizeof(vxlan)))
		return TC_ACT_UNSPEC;
	s->off += sizeof(vxlan);
	s->inner_off = s->off;
	s->key.vni = parse_be32(vxlan.vni) >> 8;
	s->key.encap = ENCAP_VXLAN;
	bpf_tail_call(skb, &steps, 0);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int classic_inner(struct __sk_buff *skb)
{
	struct state *s = get_state();
	__u16 type;
	int proto;

	if (!s || load_type(skb, s, &type))
		return TC_ACT_UNSPEC;
	proto = load_ip(skb, s, type, s->key.inner_src, s->key.inner_dst);
	s->key.inner_ethertype = type;
	s->key.inner_ipproto = proto < 0 ? 0 : proto;
	bpf_tail_call(skb, &steps, 1);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int classic_count(struct __sk_buff *skb)
{
	static const struct flow_count zero;
	struct state *s = get_state();
	struct flow_count *count;

	if (!s)
		return TC_ACT_UNSPEC;
	count = bpf_map_lookup_elem(&counts, &s->key);
	if (!count) {
		(void)bpf_map_update_elem(&counts, &s->key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&counts, &s->key);
	}
	if (!count)
		return TC_ACT_UNSPEC;
	(void)__sync_fetch_and_add(&count->packets, 1);
	(void)__sync_fetch_and_add(&count->bytes, skb->len);
	(void)__sync_fetch_and_add(&count->inner_bytes, skb->len - s->inner_off);
	return TC_ACT_UNSPEC;
}
