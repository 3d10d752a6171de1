/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Loses frames on the fabric's ports: a TC program for each direction. Which link loses how much is
 * in the map, which frames those are in loss.h.
 */
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "bpf/loss.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Knob, set between open and load. */
const volatile __u32 base_ifindex; /* of host 0's port */

/* [host * LOSS_DIRECTIONS + direction] */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct loss);
} losses SEC(".maps");

static __always_inline int meet(const struct __sk_buff *skb, enum loss_direction direction)
{
	__u32 index = (skb->ifindex - base_ifindex) * LOSS_DIRECTIONS + direction;
	struct loss *loss = bpf_map_lookup_elem(&losses, &index);
	__u64 n;

	if (!loss)
		return TC_ACT_UNSPEC;
	bpf_spin_lock(&loss->lock);
	n = loss->n++;
	bpf_spin_unlock(&loss->lock);
	if (!loss_hits(loss->seed, n, loss->threshold))
		return TC_ACT_UNSPEC;
	__sync_fetch_and_add(&loss->lost, 1);
	return TC_ACT_SHOT;
}

SEC("tc")
int lose_from_host(struct __sk_buff *skb)
{
	return meet(skb, LOSS_FROM_HOST);
}

SEC("tc")
int lose_to_host(struct __sk_buff *skb)
{
	return meet(skb, LOSS_TO_HOST);
}
