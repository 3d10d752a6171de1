/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flow table as user space sees it: all CPUs summed, one row per key, sorted. Merges rows from
 * anywhere: reader.h fills one from the kernel's maps, replay without a kernel. Rates, names of
 * clients and JSON are for others.
 */
#ifndef TUNLAB_MONITOR_FLOWS_H
#define TUNLAB_MONITOR_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/flow.h"

struct flow_row {
	struct flow_key key;
	struct flow_value value;
};

/*
 * Zero-initialise before first use; flows_free() releases it. A table may be reused for any
 * number of reads: memory is kept. Counters are totals since the monitor was opened.
 */
struct flow_table {
	struct flow_row *rows;       /* [n], ascending by memcmp of the key, keys unique */
	size_t n;
	struct host_counters *hosts; /* [n_hosts], by host number */
	size_t n_hosts;
	struct host_counters stray;  /* frames from interfaces that are no host's */
	struct host_counters total;  /* sum of hosts and stray */
	uint32_t capacity;           /* flows that surely fit into the kernel's tables */
	size_t aged;                 /* rows of flows that have left them, being idle, and sums of such */
	uint64_t folded;             /* flows that are no rows any more but in the sums of FLOW_AGED rows */
	uint64_t read_ns;            /* CLOCK_MONOTONIC when reading began */

	/* private to flows.c */
	size_t room, hosts_room;
	uint32_t *index;             /* open-addressing hash over rows: row number + 1, 0 = free */
	size_t index_room;           /* power of two */
	uint64_t seed;               /* of flows_hash(); 0: there is no index yet */
	bool sorted;                 /* then the index is out of date */
};

/* What an index is hashed with, so that nobody can send flows that all meet in one place of it: random, not 0. */
uint64_t flows_seed(void);
uint64_t flows_hash(const struct flow_key *key, uint64_t seed);

/* Add value to the row of key, made if needed. Rows are unsorted until flows_sort. -ENOMEM. */
int flows_add(struct flow_table *table, const struct flow_key *key, const struct flow_value *value);

/*
 * Counters of key's row, made if needed; NULL where there is none and the table holds limit rows
 * already, or memory is out. Valid until the next entry, sort, read or free.
 */
struct flow_value *flows_entry(struct flow_table *table, const struct flow_key *key, size_t limit);

/* Room for n rows. -ENOMEM. */
int flows_reserve(struct flow_table *table, size_t n);

/* Bring rows into order; after the last flows_add(). -ENOMEM leaves them as they were. */
int flows_sort(struct flow_table *table);

/* Brings the numbers of rows in order[n] into the order of their keys, row r's being at keys + r * stride. -ENOMEM. */
int flow_keys_sort(const void *keys, size_t stride, uint32_t *order, size_t n);

/* Row of a key, or NULL; of a sorted table. Valid until the next add, sort, read or free. */
const struct flow_row *flows_find(const struct flow_table *table, const struct flow_key *key);

/* Forget rows and counters, keep memory. */
void flows_clear(struct flow_table *table);

/* Release everything; the table is then as zero-initialised. */
void flows_free(struct flow_table *table);

/*
 * The contract's monitor health figures (section 5), over both directions of all hosts. seen is
 * what the interfaces' own packet counters show; the others are wire packets and their bytes. Where no super-packets
 * pass, seen is the sum of flows (sent and received), other (likewise), lost, truncated, unknown and
 * otherhost.
 */
struct flow_health {
	uint64_t seen;
	uint64_t decoded;         /* tunnelled packets that are in flows; both directions */
	uint64_t lost;            /* both directions: a packet over the underlay may be lost twice */
	uint64_t lost_bytes;
	uint64_t lost_received;   /* part of lost; the rest is sent */
	uint64_t lost_received_bytes;
	uint64_t truncated;
	uint64_t unknown;         /* VERDICT_UNKNOWN and VERDICT_MALFORMED */
	uint64_t malformed;       /* part of unknown */
	uint64_t otherhost;
	uint64_t later_fragments; /* sent; part of other */
	uint64_t other_packets;   /* sent */
	uint64_t other_bytes;     /* sent */
	uint64_t other_received_packets;
	uint64_t other_received_bytes;
};

void flows_get_health(const struct flow_table *table, struct flow_health *ret_health);

void flow_count_add(struct flow_count *sum, const struct flow_count *part);
void flow_value_add(struct flow_value *sum, const struct flow_value *part);

/*
 * The key of the row that sums up a flow which is no row any more: its tunnel, number and outer addresses, or
 * (not by_ends) nothing but the tunnel's kind.
 */
void flow_sum_key(const struct flow_key *key, bool by_ends, struct flow_key *ret);

/* "vxlan"; "none" for ENCAP_NONE; "?" for a value that is no encapsulation. Several share a name. Static storage. */
const char *encap_name(unsigned int encap);

/* The number in a flow's tunnel header: VNI, GRE key, ERSPAN session, TEID; -1 where it has none. */
int64_t flow_vni(const struct flow_key *key);

/* Whether the flow's inner addresses are any: :: is one, too. */
bool flow_has_inner_ip(const struct flow_key *key);

/*
 * One of them, which bytes points to, as its own IP header has it: an IPv6 address that maps an IPv4 one is not
 * that one. Written to buf[ADDR_STRLEN], which is returned; NULL where there is no inner IP header.
 */
const char *flow_inner_text(const struct flow_key *key, const uint8_t bytes[16], char *buf);

/* UDP ports of all tunnels known, as registered, and VXLAN's in Linux before it was; 0-terminated. */
extern const struct flow_port flow_ports_default[FLOW_PORTS_MAX];

/* "flow", "other", "truncated" and so on; "?" out of range. Static storage. */
const char *verdict_name(unsigned int verdict);

#define FLOW_PROTO_SIZE 24

/*
 * Write the contract's inner_proto, as "ipv4/icmp", "ipv6/tcp", "ipv4/89", "arp", "llc",
 * "0x88cc", "unknown", to buf[FLOW_PROTO_SIZE]; returns buf. ethertype in host order.
 */
const char *flow_proto_name(uint16_t ethertype, uint8_t ipproto, char *buf);

#endif
