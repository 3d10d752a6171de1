/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The records the packet parser, the BPF program and user space share: flow key, counters,
 * verdicts, their sizes, and the hash that places a key. How a packet becomes a key is in
 * parse.h, how maps are read is in monitor/.
 *
 * Fixed-width types only, padding named, and every structure is zeroed as a whole before use:
 * keys are compared and hashed as bytes.
 */
#ifndef TUNLAB_BPF_FLOW_H
#define TUNLAB_BPF_FLOW_H

#include <linux/types.h>

/* The first encapsulation boundary of a frame. Values are part of the key: append only. */
enum encap {
	ENCAP_NONE = 0,
	ENCAP_VXLAN = 1,
	ENCAP_VXLAN_GPE,
	ENCAP_GENEVE,
	ENCAP_GRE, /* with a key, as ENCAP_GRETAP: 0 is a key like any other */
	ENCAP_GRE_NO_KEY,
	ENCAP_GRETAP, /* GRE with Ethernet inside; NVGRE too: its VSID is the key's upper 24 bits */
	ENCAP_GRETAP_NO_KEY,
	ENCAP_ERSPAN1,
	ENCAP_ERSPAN2,
	ENCAP_ERSPAN3,
	ENCAP_4IN4,
	ENCAP_6IN4,
	ENCAP_4IN6,
	ENCAP_6IN6,
	ENCAP_GTPU,
	ENCAP_MAX
};

/*
 * One direction of traffic. Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d;
 * an inner packet without IP header has all-zero inner addresses.
 */
struct flow_key {
	__u8 outer_src[16];
	__u8 outer_dst[16];
	__u8 inner_src[16];
	__u8 inner_dst[16];
	__u32 vni;             /* host order: VNI, GRE key, ERSPAN session or TEID; 0 if none */
	__u16 inner_ethertype; /* host order; or one of FLOW_LLC ... */
	__u8 inner_ipproto;    /* IPv4 protocol or last IPv6 next header; 0 if not IP */
	__u8 encap;            /* enum encap */
} __attribute__((aligned(8)));

/* Where a packet states no EtherType. Nobody has these; small numbers are GRE's own (RFC 1701). */
#define FLOW_LLC 0xfffc      /* 802.3 frame, whatever its length field says: one flow, not 1500 */
#define FLOW_NO_TYPE 0xfffd  /* nothing tells what it is */
#define FLOW_NOT_IPV4 0xfffe /* announced as IPv4, but not there, or of another version */
#define FLOW_NOT_IPV6 0xffff /* likewise */
/* No packet's: the row that sums flows too long gone for rows of their own (monitor/ageing.c). */
#define FLOW_AGED 0xfffb

/* Wire packets and wire bytes (frame from the outer Ethernet header on, without FCS). */
struct flow_count {
	__u64 packets;
	__u64 bytes;
	__u64 inner_bytes; /* the part from the inner Ethernet (or IP) header on */
};

struct flow_value {
	struct flow_count tx; /* seen leaving a host: "sent" */
	struct flow_count rx; /* seen reaching a host: "received" */
};

enum flow_dir {
	FLOW_TX = 0,
	FLOW_RX = 1,
	FLOW_DIR_MAX
};

/* What became of a frame. Every frame seen gets exactly one. */
enum verdict {
	VERDICT_FLOW = 0,  /* tunnelled, counted in a flow */
	VERDICT_OTHER,     /* not tunnelled, or a later IP fragment, which shows no tunnel header */
	VERDICT_TRUNCATED, /* frame (or its captured part) ends before the headers do */
	VERDICT_MALFORMED, /* a header contradicts itself or the length around it */
	VERDICT_UNKNOWN,   /* tunnel port but no valid tunnel header, or headers stacked too deep */
	VERDICT_OTHERHOST, /* flooded to a host it is not addressed to: not received */
	VERDICT_LOST,      /* tunnelled, but the flow map is full */
	VERDICT_MAX
};

struct frame_count {
	__u64 packets; /* wire packets: a super-packet counts as its segments */
	__u64 bytes;
};

/* One host, one direction. */
struct host_count {
	/*
	 * Frames as the hook got them, super-packets as one, and their lengths likewise. In the
	 * kernel's map only what this is more than the sum over verdict, or less (modulo 2^64): for
	 * most packets the same, and not written. host_count_complete() adds the sum.
	 */
	__u64 seen;
	__u64 seen_bytes;
	struct frame_count verdict[VERDICT_MAX];
	__u64 later_fragments; /* wire packets; the part of VERDICT_OTHER that may be tunnelled */
};

struct host_counters {
	struct host_count dir[FLOW_DIR_MAX];
};

/*
 * A place in the per-CPU table in front of the flow hash. The first flow to claim
 * a slot on a CPU keeps it, until user space takes it back (monitor/ageing.c).
 *
 * tag is flow_tag() of the key, which is odd, or one of SLOT_FREE ... A free slot is only the CPU's
 * to write; a taken one's key is nobody's, its value the CPU's, its tag user space's; neither of the
 * other two matches a flow or is free, so that the program passes over them. A reader on another CPU
 * that finds a tag not matching the key has come before all of the key was visible, so no barrier is
 * needed on the packet path.
 */
enum {
	SLOT_FREE = 0,
	SLOT_RETIRING = 2, /* its flow is idle; a packet that met the tag just before may still be counted */
	SLOT_CLEARED = 4,  /* its value was fetched, and is zero; soon to be free */
};

enum { SLOTS_MIN = 8 }; /* of a CPU: see flow_slot_near() */

struct flow_slot {
	__u32 tag;
	__u32 unused;
	struct flow_key key;
	struct flow_value value;
};

#define FLOW_PORTS_MAX 8 /* UDP ports that can be given an encapsulation */

struct flow_port {
	__u16 port;  /* host order; 0 = unused entry */
	__u8 encap;  /* enum encap */
	__u8 unused;
};

/* The 8 bytes of an address as a number: what tells addresses apart is then in the low bits. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define flow_be64(x) __builtin_bswap64(x)
#else
#define flow_be64(x) (x)
#endif

static inline __attribute__((always_inline)) __u64 flow_hash_address(const __u8 address[16],
								     __u32 k_high, __u32 k_low)
{
	__u64 half[2];

	__builtin_memcpy(half, __builtin_assume_aligned(address, 8), sizeof(half));
	return (flow_be64(half[0]) + k_high) * (flow_be64(half[1]) + k_low);
}

/*
 * Hash of a key, never 0. NH (as in UMAC): halves of an address, each plus a constant, are
 * multiplied and the products summed; then folded, for the low bits pick the slot. A multiplication
 * per 16 bytes, on the packet path. Constants are the fraction of pi, made odd.
 */
static inline __attribute__((always_inline)) __u32 flow_tag(const struct flow_key *key)
{
	__u64 tail, sum;

	__builtin_memcpy(&tail, __builtin_assume_aligned(&key->vni, 8), sizeof(tail));
	sum = flow_hash_address(key->outer_src, 0x243f6a89, 0x05a308d3) +
	      flow_hash_address(key->outer_dst, 0x13198a2f, 0x03707345) +
	      flow_hash_address(key->inner_src, 0x24093823, 0x299f31d1) +
	      flow_hash_address(key->inner_dst, 0x682efa99, 0x6c4e6c89) +
	      tail * 0x452821e638d01377ULL;
	sum ^= sum >> 32;
	sum *= 0x9e3779b97f4a7c15ULL;
	return (__u32)(sum >> 32) | 1;
}

/*
 * Of a CPU's slots (a power of two, SLOTS_MIN or more) half are near and half are far. A flow has two places side by side
 * in the near half, then four in the far one: where the search begins; the others differ in the lowest bits. So of 65536 flows
 * in twice as many slots a dozen find no place, in as many slots 6000; and those that there usually are stay on few pages.
 */
static inline __attribute__((always_inline)) __u32 flow_slot_near(__u32 tag, __u32 slots)
{
	return (tag >> 1) & (slots / 2 - 1); /* the lowest bit is always set */
}

static inline __attribute__((always_inline)) __u32 flow_slot_far(__u32 tag, __u32 slots)
{
	return slots / 2 + ((tag >> 16) & (slots / 2 - 1));
}

_Static_assert(sizeof(struct flow_key) == 72, "flow_key has padding");
_Static_assert(sizeof(struct flow_count) == 24, "flow_count has padding");
_Static_assert(sizeof(struct flow_value) == 48, "flow_value has padding");
_Static_assert(sizeof(struct flow_slot) == 128, "flow_slot is two cache lines");
_Static_assert(sizeof(struct frame_count) == 16, "frame_count has padding");
_Static_assert(sizeof(struct host_count) == 24 + 16 * VERDICT_MAX, "host_count has padding");
_Static_assert(sizeof(struct flow_port) == 4, "flow_port has padding");

#endif
