/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The least a TC program can do: what the benchmark subtracts from, or divides by, the monitor's time. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int empty(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_UNSPEC;
}
