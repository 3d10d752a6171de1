/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The plain packet of a flow that has its slot: most of all packets. Between the parser and the counters there is no key here:
 * the slot is found from the packet's own words, and compared with them. A new flow's first packet goes the general way, which
 * gives it a slot.
 *
 * All is written out for each shape of a packet (which IP outside, which inside), that offsets are constants. It gives
 * the same places and the same answer as flow_place() and a comparison of whole keys would. (But IPv6 headers with two addresses
 * ::ffff:a.b.c.d have a key like IPv4's, and a place by it: such a flow is never found here.)
 */
#ifndef TUNLAB_BPF_KNOWN_BPF_H
#define TUNLAB_BPF_KNOWN_BPF_H

enum { KNOWN_SRC4 = 12, KNOWN_SRC6 = 8 }; /* addresses in an IP header; the destination follows the source */

/* The last byte of the destination. */
static __always_inline __u32 known_run(const __u8 *ip, int version)
{
	return version == 4 ? ip[KNOWN_SRC4 + 7] : ip[KNOWN_SRC6 + 31];
}

static __always_inline __u64 known_hash(const __u8 *ip, int version, bool run, __u32 k)
{
	return version == 4 ? flow_hash_ipv4(flow_be64(flow_load(ip + KNOWN_SRC4)), run, k) : flow_hash_ipv6(ip + KNOWN_SRC6, run, k);
}

/*
 * A key's addresses and a packet's. IPv4's differ in their last 4 bytes only; that a key's are IPv4's is told by the tag (outside) and
 * by the EtherType in the tail (inside), both compared as well.
 */
static __always_inline bool known_equal(const __u8 key_src[16], const __u8 key_dst[16], const __u8 *ip, int version)
{
	const __u64 *src = (const void *)key_src, *dst = (const void *)key_dst, *at6 = (const void *)(ip + KNOWN_SRC6);
	const __u32 *src4 = (const void *)key_src, *dst4 = (const void *)key_dst, *at4 = (const void *)(ip + KNOWN_SRC4);

	if (version == 4)
		return src4[3] == at4[0] && dst4[3] == at4[1];
	return src[0] == at6[0] && src[1] == at6[1] && dst[0] == at6[2] && dst[1] == at6[3];
}

/* A packet's outer and inner IP header. */
struct known {
	const __u8 *outer_ip, *inner_ip;
	int outer, inner;
	__u64 tail; /* flow_tail() of its key: with the inner EtherType */
};

static __always_inline bool known_in_slot(const struct known *k, __u32 tag, const struct flow_slot *slot)
{
	parse_keep(slot); /* in a register: the compiler would load it anew for each comparison */
	return slot->tag == tag && known_equal(slot->key.outer_src, slot->key.outer_dst, k->outer_ip, k->outer) &&
	       known_equal(slot->key.inner_src, slot->key.inner_dst, k->inner_ip, k->inner) && flow_tail(&slot->key) == k->tail;
}

static __always_inline struct flow_value *known_find(const struct known *k, __u32 cpu)
{
	__u32 n = slots_per_cpu, run = known_run(k->inner_ip, k->inner), index;
	__u64 sum = known_hash(k->outer_ip, k->outer, false, FLOW_HASH_OUTER) +
		    known_hash(k->inner_ip, k->inner, true, FLOW_HASH_INNER) + flow_hash_tail(k->tail);
	struct flow_place place = flow_place_of(sum, run, k->outer == 4, n);
	struct flow_slot *slot;

	index = cpu * n + place.first;
	slot = bpf_map_lookup_elem(&slots, &index);
	if (parse_likely(slot && known_in_slot(k, place.tag, slot)))
		return &slot->value;
	index = cpu * slots_per_cpu + flow_other_place(place, 1, slots_per_cpu);
	slot = bpf_map_lookup_elem(&slots, &index);
	return slot && known_in_slot(k, place.tag, slot) ? &slot->value : NULL;
}

/* What a super-packet's segments count beyond one packet; false if it is not plain. */
static __always_inline bool known_segments(const struct __sk_buff *skb, const struct known *k, struct parsed *parsed,
					    struct flow_count *ret)
{
	const __u8 *data_end = (void *)(long)skb->data_end;
	__u32 len = parsed->inner_len - sizeof(struct wire_ethernet);

	if (!plain_segments(k->inner_ip, data_end, len, k->inner, &parsed->headers))
		return false;
	parse_count(parsed, skb->len, skb->gso_size, skb->gso_segs, ret);
	return true;
}

/* data is the pointer that was parsed with: read anew from the socket buffer, the verifier would know nothing of its bounds. */
static __always_inline bool known_as(const struct __sk_buff *skb, enum flow_dir dir, const __u8 *data, int outer, __u32 before,
				      int inner, struct parsed *parsed)
{
	const __u8 *ip = data + sizeof(struct wire_ethernet);
	struct known k = {
		.outer_ip = ip,
		.inner_ip = ip + plain_ip_size(outer) + before + sizeof(struct wire_ethernet),
		.outer = outer,
		.inner = inner,
		.tail = flow_tail(&parsed->key),
	};
	__u32 cpu = bpf_get_smp_processor_id();
	struct flow_value *value = known_find(&k, cpu);
	struct host_count *host;
	struct flow_count count;

	if (!value)
		return false;
	host = host_of(skb, cpu, dir);
	if (!host)
		return false;
	count = (struct flow_count){.packets = 1, .bytes = skb->len, .inner_bytes = parsed->inner_len};
	if (skb->gso_size) {
		if (!known_segments(skb, &k, parsed, &count))
			return false;
		host->seen += 1 - count.packets;
		host->seen_bytes += skb->len - count.bytes;
	}
	add_flow(value, dir, &count);
	add_verdict(host, VERDICT_FLOW, &count);
	return true;
}

static __always_inline bool known_behind(const struct __sk_buff *skb, enum flow_dir dir, const __u8 *data,
					  const struct plain_shape *shape, __u32 before, struct parsed *parsed)
{
	if (shape->outer == 4 && shape->inner == 4)
		return known_as(skb, dir, data, 4, before, 4, parsed);
	if (shape->outer == 4)
		return known_as(skb, dir, data, 4, before, 6, parsed);
	if (shape->inner == 4)
		return known_as(skb, dir, data, 6, before, 4, parsed);
	return known_as(skb, dir, data, 6, before, 6, parsed);
}

static __always_inline bool known_other(const struct __sk_buff *skb, enum flow_dir dir)
{
	struct host_count *host = host_of(skb, bpf_get_smp_processor_id(), dir);
	struct flow_count count = {.packets = 1, .bytes = skb->len};

	if (host)
		add_verdict(host, VERDICT_OTHER, &count);
	return host;
}

/* False, and nothing is counted, if it is for the general way. */
static __always_inline bool count_known(const struct __sk_buff *skb, enum flow_dir dir)
{
	const __u8 *data = (void *)(long)skb->data, *data_end = (void *)(long)skb->data_end;
	struct plain_shape shape;
	struct parsed parsed;
	enum verdict verdict = parse_plain(data, data_end, skb->len, false, ports, &shape, &parsed);

	if (verdict == VERDICT_FLOW && shape.before == PLAIN_UDP)
		return known_behind(skb, dir, data, &shape, PLAIN_UDP, &parsed);
	if (verdict == VERDICT_FLOW)
		return known_behind(skb, dir, data, &shape, shape.before, &parsed);
	return verdict == VERDICT_OTHER && !skb->gso_size && known_other(skb, dir);
}

#endif
