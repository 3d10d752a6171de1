/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Counts what crosses an interface: two TC programs, egress ("sent") and ingress ("received"),
 * over one set of maps for all hosts. Owns maps and knobs; how packets are read is parse.h's.
 *
 * A bystander: every path returns TC_ACT_UNSPEC (as TCX_NEXT), the packet is never changed, also
 * not its layout, and each frame seen ends in exactly one verdict counter.
 *
 * Counters are per CPU and plain. TC programs run with bottom halves disabled, so that no two of
 * them interleave on a CPU.
 */
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/flow.h"
#include "bpf/parse.h"
#include "bpf/parse_plain.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Knobs, set between open and load. */
const volatile struct flow_port ports[FLOW_PORTS_MAX];
const volatile __u32 base_ifindex; /* interface index of host 0 */
const volatile __u32 n_hosts;
const volatile __u32 slots_per_cpu; /* power of two */
const volatile bool promiscuous;    /* count frames for other hosts as received */
const volatile bool bare;           /* interfaces whose packets begin with an IP header, too */

/* [cpu * slots_per_cpu + slot]. Mapped by user space, which reads it without system calls. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flow_slot);
} slots SEC(".maps");

/*
 * Flows that found their slot taken. Two of them, of which the generation says whose turn it is: the
 * other is only there to be emptied, see monitor/ageing.c.
 */
struct flow_hash {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct flow_key);
	__type(value, struct flow_value);
} flows_even SEC(".maps"), flows_odd SEC(".maps");

volatile __u32 generation; /* user space counts it up */

/* [cpu * (n_hosts + 1) + host]; the last of each CPU is for interfaces that are no host's. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct host_counters);
} hosts SEC(".maps");

/*
 * [cpu]. What was found in the packet at hand, outside the stack: the verifier tracks each word
 * of a stack, and takes much longer. And a copy of its headers, where they are not linear.
 */
struct scratch {
	__u32 dir;  /* enum flow_dir of the packet handed on to observe_any */
	__u32 type; /* of its first header: an EtherType, ETH_TYPE_TEB for Ethernet */
	struct parsed parsed;
	__u8 bytes[PARSE_DEPTH_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

static const struct flow_value zero_value;

static __always_inline struct host_count *host_of(const struct __sk_buff *skb, __u32 cpu,
						       enum flow_dir dir)
{
	__u32 host = skb->ifindex - base_ifindex, n = n_hosts, index;
	struct host_counters *counters;

	if (host > n)
		host = n;
	index = cpu * (n + 1) + host;
	counters = bpf_map_lookup_elem(&hosts, &index);
	if (!counters)
		return NULL;
	return dir == FLOW_TX ? &counters->dir[FLOW_TX] : &counters->dir[FLOW_RX];
}

/* Not a frame that was flooded to a host it is not for. */
static __always_inline bool is_received(const struct __sk_buff *skb, enum flow_dir dir)
{
	return dir == FLOW_TX || skb->pkt_type != PACKET_OTHERHOST || promiscuous;
}

/*
 * A copy of the packet's first bytes, depth of them or all: they need not lie in one piece, and pulling
 * them together in place would change what other programs see, and unshare cloned packets. Returns how many.
 */
static __always_inline __u32 copy_headers(struct __sk_buff *skb, __u8 to[PARSE_DEPTH_MAX], __u32 depth)
{
	__u32 len = skb->len;

	if (len > depth)
		len = depth;
	/* Before 6.8 the verifier learns nothing from len != 0; one less, it must only be small. */
	len--;
	parse_keep(len);
	if (len >= PARSE_DEPTH_MAX || bpf_skb_load_bytes(skb, 0, to, len + 1))
		return 0;
	return len + 1;
}

/* A function of its own, so that the verifier looks at it once. Finds a verdict, and fills this CPU's scratch. */
__noinline int parse_copy(struct __sk_buff *skb, __u32 depth)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &cpu);
	struct cursor cursor;

	if (!scratch)
		return VERDICT_TRUNCATED;
	cursor_init(&cursor, scratch->bytes, copy_headers(skb, scratch->bytes, depth), skb->len);
	cursor.want_l4 = skb->gso_size;
	return parse_packet(&cursor, ports, bare ? scratch->type : ETH_TYPE_TEB, &scratch->parsed);
}

static __always_inline bool key_equal(const struct flow_key *a, const struct flow_key *b)
{
	const __u64 *x = (const void *)a, *y = (const void *)b;

#pragma unroll
	for (int i = 0; i < (int)(sizeof(*a) / sizeof(*x)); i++) {
		if (x[i] != y[i])
			return false;
	}
	return true;
}

enum { NO_SLOT = -1 };

/* The slot's counters, if it is the flow's. The first that is free is told. */
static __always_inline struct flow_value *value_in_slot(__u32 index, __u32 tag, const struct flow_key *key, __u32 *free)
{
	struct flow_slot *slot = bpf_map_lookup_elem(&slots, &index);

	if (!slot)
		return NULL;
	if (slot->tag == tag && key_equal(&slot->key, key))
		return &slot->value;
	if (slot->tag == SLOT_FREE && *free == (__u32)NO_SLOT)
		*free = index;
	return NULL;
}

/* A flow that comes to a free slot keeps it. */
static __always_inline struct flow_value *take_slot(__u32 index, __u32 tag, const struct flow_key *key)
{
	struct flow_slot *slot = bpf_map_lookup_elem(&slots, &index);

	if (!slot)
		return NULL;
	slot->key = *key;
	asm volatile("" ::: "memory");
	*(__u64 *)slot = parse_pair(tag, flow_check(key));
	return &slot->value;
}

static __always_inline struct flow_value *value_in_hash(void *flows, const struct flow_key *key)
{
	struct flow_value *value = bpf_map_lookup_elem(flows, key);

	if (value)
		return value;
	/* May fail because another CPU was faster, or for want of room: the lookup tells. */
	(void)bpf_map_update_elem(flows, key, &zero_value, BPF_NOEXIST);
	return bpf_map_lookup_elem(flows, key);
}

/*
 * Counters of a flow on this CPU; NULL: the map is full. The hash is for the few that find no place in the slots: four
 * times as dear to count in, ten times to read, and it may have no memory at hand for many at once.
 */
static __always_inline struct flow_value *value_of(const struct flow_key *key, __u32 cpu)
{
	__u32 n = slots_per_cpu, base = cpu * n, free = NO_SLOT;
	struct flow_place place = flow_place(key, n);
	struct flow_value *value = value_in_slot(base + place.first, place.tag, key, &free);

	PARSE_ROLLED
	for (__u32 i = 1; i < FLOW_PLACES && !value; i++)
		value = value_in_slot(base + flow_other_place(place, i, n), place.tag, key, &free);
	if (!value && free != (__u32)NO_SLOT)
		value = take_slot(free, place.tag, key);
	if (value)
		return value;
	return generation & 1 ? value_in_hash(&flows_odd, key) : value_in_hash(&flows_even, key);
}

static __always_inline void add_flow(struct flow_value *value, enum flow_dir dir, const struct flow_count *count)
{
	struct flow_count *sum = dir == FLOW_TX ? &value->tx : &value->rx;

	sum->packets += count->packets;
	sum->bytes += count->bytes;
	sum->inner_bytes += count->inner_bytes;
}

static __always_inline void add_verdict(struct host_count *host, enum verdict verdict, const struct flow_count *count)
{
	parse_keep(verdict); /* as in cursor_step() */
	if (verdict < VERDICT_MAX) {
		host->verdict[verdict].packets += count->packets;
		host->verdict[verdict].bytes += count->bytes;
	}
}

/* A packet that was looked at as a whole; *parsed is as of its data, a tag beside them comes here. */
static __always_inline void count_any(const struct __sk_buff *skb, __u32 cpu, enum flow_dir dir,
				      enum verdict verdict, struct parsed *parsed)
{
	/* On the wire in front of the data. */
	__u32 tag_len = parse_blur(skb->vlan_present ? sizeof(struct wire_vlan) : 0);
	__u32 len = skb->len;
	struct host_count *host = host_of(skb, cpu, dir);
	struct flow_value *value;
	struct flow_count count;

	if (!host)
		return;
	parsed->headers += tag_len;
	if (parsed->inner_off)
		parsed->inner_off += tag_len;
	parse_count(parsed, len + tag_len, skb->gso_size, skb->gso_segs, &count);
	if (parsed->later_fragment)
		host->later_fragments += count.packets;
	host->seen += 1 - count.packets;
	/* As the interface counts: before a tag is taken off, or before it is put in. */
	host->seen_bytes += (dir == FLOW_RX ? len + tag_len : len) - count.bytes;
	if (verdict == VERDICT_FLOW) {
		value = value_of(&parsed->key, cpu);
		if (value)
			add_flow(value, dir, &count);
		else
			verdict = VERDICT_LOST;
	}
	add_verdict(host, verdict, &count);
}

/* The plain packet whose headers lie together, as they nearly always do. Any other: PLAIN_NOT. */
static __always_inline enum verdict parse_at_hand(const struct __sk_buff *skb, struct plain_shape *shape, struct parsed *ret)
{
	const void *data = (void *)(long)skb->data, *data_end = (void *)(long)skb->data_end;

	return parse_plain(data, data_end, skb->len, skb->gso_size, ports, shape, ret);
}

/* Nearly all headers are short: the copy costs as much as it is long. */
enum { COPY_FIRST = 160 };

/*
 * Any packet, also for another host. A program of its own behind a tail call, so that the verifier
 * looks at it once and not for each direction: that was half of the time it takes to load.
 */
SEC("tc")
int observe_any(struct __sk_buff *skb)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &cpu);
	enum verdict verdict = VERDICT_OTHERHOST;
	struct plain_shape shape;
	enum flow_dir dir;

	if (!scratch)
		return TC_ACT_UNSPEC;
	dir = scratch->dir == FLOW_TX ? FLOW_TX : FLOW_RX;
	if (is_received(skb, dir)) {
		verdict = scratch->type == ETH_TYPE_TEB ? parse_at_hand(skb, &shape, &scratch->parsed) : PLAIN_NOT;
		if (verdict != VERDICT_FLOW)
			verdict = parse_copy(skb, COPY_FIRST);
		if (verdict == VERDICT_TRUNCATED && skb->len > COPY_FIRST)
			verdict = parse_copy(skb, PARSE_DEPTH_MAX);
	} else {
		__builtin_memset(&scratch->parsed, 0, sizeof(scratch->parsed));
	}
	count_any(skb, cpu, dir, verdict, &scratch->parsed);
	return TC_ACT_UNSPEC;
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, int(void *));
} general SEC(".maps") = {
	.values = { (void *)&observe_any },
};

/* Nobody else on this CPU meets a packet before the program called is through: they run with softirqs off. */
static __always_inline void hand_on(struct __sk_buff *skb, enum flow_dir dir, __u32 type)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &cpu);

	if (!scratch)
		return;
	scratch->dir = dir;
	scratch->type = type;
	bpf_tail_call(skb, &general, 0);
}

#include "bpf/known.bpf.h"

/* The packet that most are, at once; else all there is to look at. */
static __always_inline int observe(struct __sk_buff *skb, enum flow_dir dir)
{
	/* A tag beside the packet has a protocol. (What an older kernel leaves there of one that is gone costs time only.) */
	if (!is_received(skb, dir) || skb->vlan_proto || !count_known(skb, dir))
		hand_on(skb, dir, ETH_TYPE_TEB);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int observe_tx(struct __sk_buff *skb)
{
	return observe(skb, FLOW_TX);
}

SEC("tc")
int observe_rx(struct __sk_buff *skb)
{
	return observe(skb, FLOW_RX);
}

/* On an interface without a link layer (tun, WireGuard) the socket buffer knows which IP it is. */
SEC("tc")
int observe_bare_tx(struct __sk_buff *skb)
{
	hand_on(skb, FLOW_TX, bpf_ntohs((__u16)skb->protocol));
	return TC_ACT_UNSPEC;
}

SEC("tc")
int observe_bare_rx(struct __sk_buff *skb)
{
	hand_on(skb, FLOW_RX, bpf_ntohs((__u16)skb->protocol));
	return TC_ACT_UNSPEC;
}

#include "bpf/tailcall.bpf.h"
