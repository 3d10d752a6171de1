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
#include <stdbool.h>
#include <stddef.h>

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
	__u64 unused[7];       /* to whole cache lines: nearly all packets count in the first 32 bytes only */
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
 * other two matches a flow or is free, so that the program passes over them. check is flow_check() of
 * the key, written with the tag at once: a reader on another CPU that finds it not matching has come before all
 * of the key was visible, so no barrier is needed on the packet path.
 */
enum {
	SLOT_FREE = 0,
	SLOT_RETIRING = 2, /* its flow is idle; a packet that met the tag just before may still be counted */
	SLOT_CLEARED = 4,  /* its value was fetched, and is zero; soon to be free */
};

enum { SLOTS_MIN = 8 }; /* of a CPU: see flow_other_place() */

struct flow_slot {
	__u32 tag;
	__u32 check;
	struct flow_key key;
	struct flow_value value;
};

#define FLOW_PORTS_MAX 8 /* UDP ports that can be given an encapsulation */

struct flow_port {
	__u16 port;  /* host order; 0 = unused entry */
	__u8 encap;  /* enum encap */
	__u8 unused;
};

#define FLOW_FN static inline __attribute__((always_inline))

/* 8 and 4 bytes at any address, as they lie. */
#ifdef __bpf__
FLOW_FN __u64 flow_load(const void *at)
{
	return *(const __u64 *)at; /* the compiler would take it apart */
}

FLOW_FN __u32 flow_load_word(const void *at)
{
	return *(const __u32 *)at;
}
#else
FLOW_FN __u64 flow_load(const void *at)
{
	__u64 ret;

	__builtin_memcpy(&ret, at, sizeof(ret));
	return ret;
}

FLOW_FN __u32 flow_load_word(const void *at)
{
	__u32 ret;

	__builtin_memcpy(&ret, at, sizeof(ret));
	return ret;
}
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define flow_be64(x) __builtin_bswap64(x)
#define flow_be32(x) __builtin_bswap32(x)
#else
#define flow_be64(x) (x)
#define flow_be32(x) (x)
#endif

/*
 * The hash of a key is a sum of words from it, each times an odd number (fractions of pi), then folded. A word's low bits go
 * far in a product, its high ones do not: so IPv4 addresses, source and destination in one word, are in host order; and of
 * IPv6's, as they lie, such 8 bytes are taken together that those which tell subnets and hosts apart are in the middle, and none
 * over another's. (The first two bytes of the source are left out, and the third and fourth of the destination.)
 *
 * The last byte of the inner destination is left out as well, and moves the flow's place instead: what goes to a subnet's hosts
 * in turn so lies side by side, on few pages, where the processor fetches it in advance. That is a flow's run.
 */
enum { FLOW_HASH_OUTER = 0x243f6a89, FLOW_HASH_INNER = 0x13198a2f, FLOW_RUN = 0xff };

/* Source and destination in host order. */
FLOW_FN __u64 flow_hash_ipv4(__u64 src_dst, bool run, __u32 k)
{
	return (run ? src_dst - (src_dst & FLOW_RUN) : src_dst) * k;
}

/* From the source on, behind which the destination is; the last byte counts only if it is not the run. */
FLOW_FN __u64 flow_hash_ipv6(const __u8 *src, bool run, __u32 k)
{
	__u32 dst_last = flow_load_word(src + 28);

	if (run)
		dst_last &= ~flow_be32(FLOW_RUN);
	return (flow_load(src + 2) ^ flow_load(src + 20)) * (k ^ 0x05a308d2) + (flow_load(src + 10) ^ dst_last) * k;
}

/* The first half of an address that is IPv4's, and half of its last. */
FLOW_FN bool flow_is_mapped(const __u8 address[16])
{
	return flow_load(address) == 0 && flow_load_word(address + 8) == flow_be32(0x0000ffff);
}

/* Of two of a key's addresses, which lie one behind the other. */
FLOW_FN __u64 flow_hash_addresses(const __u8 *src, bool run, bool ipv4, __u32 k)
{
	__u64 src_last = flow_be32(flow_load_word(src + 12)), dst_last = flow_be32(flow_load_word(src + 28));

	return ipv4 ? flow_hash_ipv4(src_last << 32 | dst_last, run, k) : flow_hash_ipv6(src, run, k);
}

/*
 * Where a CPU's slots (a power of two, SLOTS_MIN or more) are searched for a flow, and the tag it has there. A flow has a first
 * place, a second one half the table away, then others, scattered: so of 65536 flows in twice as many slots a dozen find none,
 * and of 10000 in as many one in thirteen is not in its first.
 */
struct flow_place {
	__u32 tag;
	__u32 first;
};

enum { FLOW_PLACES = 2 + SLOTS_MIN };

/* A number of 32 bits for a table that, unlike the slots, is not to have a run's flows side by side. */
FLOW_FN __u32 flow_scatter(__u32 tag)
{
	return (__u32)(tag * 0x9e3779b97f4a7c15ULL >> 32);
}

/* Those from the second on. The scattered ones differ: the step between them is odd. */
FLOW_FN __u32 flow_other_place(struct flow_place place, __u32 i, __u32 slots)
{
	return i == 1 ? place.first ^ slots / 2 : (flow_scatter(place.tag) + i * 0x9e37u) & (slots - 1);
}

/* The place that a sum of words leads to. ipv4: both outer addresses are; the tag tells, so that they need not be compared whole. */
FLOW_FN struct flow_place flow_place_of(__u64 sum, __u32 run, bool ipv4, __u32 slots)
{
	__u32 hash;

	sum ^= sum >> 32;
	sum *= 0x9e3779b97f4a7c15ULL;
	hash = (__u32)(sum >> 34) + run;
	return (struct flow_place){.tag = hash << 2 | (ipv4 ? 1 : 3), .first = hash & (slots - 1)};
}

/* What is behind the addresses, as it lies. */
FLOW_FN __u64 flow_tail(const struct flow_key *key)
{
	__u64 tail;

	__builtin_memcpy(&tail, __builtin_assume_aligned(&key->vni, 8), sizeof(tail));
	return tail;
}

FLOW_FN __u64 flow_hash_tail(__u64 tail)
{
	return tail * 0x452821e7;
}

FLOW_FN struct flow_place flow_place(const struct flow_key *key, __u32 slots)
{
	const __u8 *outer = (const __u8 *)key, *inner = outer + 32; /* source, destination */
	bool outer4 = flow_is_mapped(outer) && flow_is_mapped(outer + 16), inner4 = flow_is_mapped(inner) && flow_is_mapped(inner + 16);

	return flow_place_of(flow_hash_addresses(outer, false, outer4, FLOW_HASH_OUTER) +
			     flow_hash_addresses(inner, true, inner4, FLOW_HASH_INNER) + flow_hash_tail(flow_tail(key)), inner[31],
			     outer4, slots);
}

/* Depends on each of a key's words, whatever the others: one that is missing changes it. */
FLOW_FN __u32 flow_check(const struct flow_key *key)
{
	__u64 word, sum = 0, k = 0x9e3779b97f4a7c15ULL;

	for (__u32 at = 0; at < sizeof(*key); at += sizeof(word), k += 0x3c6ef372fe94f82aULL) { /* which leaves it odd */
		__builtin_memcpy(&word, __builtin_assume_aligned((const __u8 *)key + at, 8), sizeof(word));
		sum += word * k;
	}
	return (__u32)(sum >> 32);
}

/* Odd. */
FLOW_FN __u32 flow_tag(const struct flow_key *key)
{
	return flow_place(key, SLOTS_MIN).tag;
}

_Static_assert(sizeof(struct flow_key) == 72 && offsetof(struct flow_key, inner_src) == 32, "flow_key has padding");
_Static_assert(sizeof(struct flow_count) == 24, "flow_count has padding");
_Static_assert(sizeof(struct flow_value) == 48, "flow_value has padding");
_Static_assert(sizeof(struct flow_slot) == 128, "flow_slot is two cache lines");
_Static_assert(sizeof(struct frame_count) == 16, "frame_count has padding");
_Static_assert(sizeof(struct host_count) == 3 * 64, "host_count is three cache lines");
_Static_assert(sizeof(struct flow_port) == 4, "flow_port has padding");

#endif
