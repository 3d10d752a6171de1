/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The same walk through a packet as monitor.bpf.c's, the classic way: a state machine whose states are
 * programs, each of which takes the headers of one kind and jumps to the next through a program array
 * (bpf_tail_call). The inner headers of a tunnel are the outer ones' again, so the same programs see them:
 *
 *      hook ──▶ walk_link ──▶ walk_ip ──▶ walk_tunnel
 *                   ▲            │             │
 *                   └── inside ──┼─────────────┘
 *                                └─ the second time ──▶ walk_count
 *
 * Each is small, is verified by itself, and can be replaced while packets pass. The price: a tail call keeps
 * nothing but the packet, so all that was learnt goes through memory from program to program.
 *
 * What headers mean is in parse.h, for both walks; what is counted is monitor.bpf.c's, which includes this.
 * These programs are loaded only where they are asked for (`run --parser tailcall`).
 */
#ifndef TUNLAB_BPF_TAILCALL_BPF_H
#define TUNLAB_BPF_TAILCALL_BPF_H

enum step { STEP_LINK, STEP_IP, STEP_TUNNEL, STEP_COUNT, STEP_MAX };

/* [enum step]. Filled by user space before the hooks see a packet, so that no jump can miss. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, STEP_MAX);
	__type(key, __u32);
	__type(value, __u32);
} steps SEC(".maps");

/*
 * What one program leaves to the next. The classic place is skb->cb, 20 bytes that travel with the packet; but
 * they are there for the programs behind us, too, and a bystander leaves them alone.
 */
struct walk {
	struct cursor cursor;  /* its data pointer apart: it is bytes, which each program finds anew */
	int next;              /* what the next header is (EtherType, IP protocol), or a negative verdict */
	int type;              /* EtherType of the IP header just read */
	__u32 dir;             /* enum flow_dir */
	struct tunnel tunnel;  /* ENCAP_NONE: still outside */
	struct parsed parsed;
	__u8 bytes[PARSE_DEPTH_MAX]; /* copy of the frame's beginning */
};

/* [cpu]. Nobody else on this CPU meets a packet before the last program is through. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} walks SEC(".maps");

static __always_inline struct walk *walk_resume(struct cursor *ret)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct walk *walk = bpf_map_lookup_elem(&walks, &cpu);

	if (!walk)
		return NULL;
	*ret = walk->cursor;
	ret->data = walk->bytes;
	return walk;
}

/* To the next program with what this one found; to the last one, if that is a verdict. */
static __always_inline int walk_on(struct __sk_buff *skb, struct walk *walk, const struct cursor *c, int next,
				   enum step step)
{
	walk->cursor = *c;
	walk->cursor.data = NULL;
	walk->next = next;
	if (next >= 0)
		bpf_tail_call(skb, &steps, step);
	bpf_tail_call(skb, &steps, STEP_COUNT);
	return TC_ACT_UNSPEC;
}

/* From the first header on, in a copy of depth bytes at most. */
static __always_inline int walk_from_start(struct __sk_buff *skb, struct walk *walk, __u32 depth)
{
	struct cursor c;

	cursor_init(&c, walk->bytes, copy_headers(skb, walk->bytes, depth), skb->len);
	c.want_l4 = skb->gso_size;
	walk->tunnel = (struct tunnel){0};
	walk->parsed.inner_off = 0;
	walk->parsed.inner_len = 0;
	walk->parsed.later_fragment = 0;
	return walk_on(skb, walk, &c, ETH_TYPE_TEB, STEP_LINK);
}

static __always_inline int walk_begin(struct __sk_buff *skb, enum flow_dir dir)
{
	struct cursor c;
	struct walk *walk = walk_resume(&c);

	if (!walk)
		return TC_ACT_UNSPEC;
	walk->dir = dir;
	if (is_received(skb, dir))
		return walk_from_start(skb, walk, COPY_FIRST);
	__builtin_memset(&walk->parsed, 0, sizeof(walk->parsed));
	cursor_init(&c, walk->bytes, 0, skb->len);
	return walk_on(skb, walk, &c, -VERDICT_OTHERHOST, STEP_COUNT);
}

SEC("?tc")
int walk_tx(struct __sk_buff *skb)
{
	return walk_begin(skb, FLOW_TX);
}

SEC("?tc")
int walk_rx(struct __sk_buff *skb)
{
	return walk_begin(skb, FLOW_RX);
}

/* Ethernet, tags, labels. */
SEC("?tc")
int walk_link(struct __sk_buff *skb)
{
	struct cursor c;
	struct walk *walk = walk_resume(&c);
	int next;

	if (!walk)
		return TC_ACT_UNSPEC;
	next = walk->tunnel.encap ? parse_inner_link(&c, &walk->tunnel, walk->next)
				  : parse_link(&c, walk->next, FLOW_NO_TYPE);
	return walk_on(skb, walk, &c, next, STEP_IP);
}

/* IPv4 or IPv6, with all that belongs to it. */
SEC("?tc")
int walk_ip(struct __sk_buff *skb)
{
	struct cursor c;
	struct walk *walk = walk_resume(&c);

	if (!walk)
		return TC_ACT_UNSPEC;
	walk->type = walk->next;
	if (walk->tunnel.encap)
		return walk_on(skb, walk, &c, -(int)parse_inner_ip(&c, &walk->tunnel, walk->next, &walk->parsed.key),
			       STEP_COUNT);
	return walk_on(skb, walk, &c, parse_outer_ip(&c, walk->next, &walk->parsed), STEP_TUNNEL);
}

/* The boundary: UDP and a tunnel's header, or what the IP protocol says. What is inside begins as what is outside. */
SEC("?tc")
int walk_tunnel(struct __sk_buff *skb)
{
	struct tunnel tunnel = {0};
	struct cursor c;
	struct walk *walk = walk_resume(&c);
	int next;

	if (!walk)
		return TC_ACT_UNSPEC;
	next = parse_boundary(&c, ports, walk->type, walk->next, &tunnel, &walk->parsed);
	walk->tunnel = tunnel;
	return walk_on(skb, walk, &c, next, STEP_LINK);
}

/* The end of each walk: once again with more of the packet, where the copy was too short. */
SEC("?tc")
int walk_count(struct __sk_buff *skb)
{
	struct cursor c;
	struct walk *walk = walk_resume(&c);
	enum verdict verdict;

	if (!walk)
		return TC_ACT_UNSPEC;
	walk->parsed.headers = c.off;
	verdict = cursor_verdict(&c, -walk->next);
	if (verdict == VERDICT_TRUNCATED && c.at_hand == COPY_FIRST && skb->len > COPY_FIRST)
		return walk_from_start(skb, walk, PARSE_DEPTH_MAX);
	count_any(skb, bpf_get_smp_processor_id(), walk->dir == FLOW_TX ? FLOW_TX : FLOW_RX, verdict, &walk->parsed);
	return TC_ACT_UNSPEC;
}

#endif
