/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine's packets carry, and how they are told from everybody else's. Pure: bytes in, values out. */
#ifndef TUNLAB_TRAFFIC_PACKET_H
#define TUNLAB_TRAFFIC_PACKET_H

#include <linux/filter.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PACKET_MAGIC = 0x54554e4c,   /* "TUNL" in a capture */
	PACKET_L4_SIZE = 8,          /* ICMP echo or UDP header */
	PACKET_STAMP_SIZE = 32,
	PACKET_ECHO_SIZE = PACKET_L4_SIZE + PACKET_STAMP_SIZE,
	PACKET_FILTER_LEN = 11,      /* instructions */
};

/* Stands first in the payload of UDP and of ICMP echo; the rest of the payload is zero. */
struct packet_stamp {
	__be32 magic;
	__be32 stream;
	__be64 cookie;   /* one random number per engine: packets of another lab or run are not ours */
	__be64 sequence; /* per stream, from 0 */
	__be64 sent_ns;  /* CLOCK_REALTIME, the clock of kernel receive timestamps */
};
_Static_assert(sizeof(struct packet_stamp) == PACKET_STAMP_SIZE, "wire format");

/* The same in host order. */
struct packet_id {
	uint64_t cookie;
	uint64_t sequence;
	uint64_t sent_ns;
	uint32_t stream;
};

struct packet_echo {
	uint8_t type, code;
	__be16 checksum;
	__be16 id, sequence;
	struct packet_stamp stamp;
};
_Static_assert(sizeof(struct packet_echo) == PACKET_ECHO_SIZE, "wire format");

void packet_write_stamp(struct packet_stamp *stamp, const struct packet_id *id);
/* An echo request. For IPv4 its checksum is that of a payload whose rest is zero; for IPv6 the kernel fills it in. */
void packet_write_echo(struct packet_echo *echo, bool ipv6, const struct packet_id *id);
/* Whether a payload of `len` bytes starts with our stamp and carries the cookie; *ret only then. */
bool packet_read_stamp(const void *payload, size_t len, uint64_t cookie, struct packet_id *ret);
/* The same for what a raw ICMP socket gives: the IP header comes first for IPv4, not for IPv6. Only echo replies.
 * *ret_size: bytes of IP payload, from `len`. */
bool packet_read_echo(const void *data, size_t data_len, size_t len, bool ipv6, uint64_t cookie, struct packet_id *ret,
		      size_t *ret_size);
/* Socket filter for such a raw socket: only echo replies that carry the cookie, so that other programs' pings in the
 * same namespace cost no wake-up. */
void packet_echo_filter(struct sock_filter code[PACKET_FILTER_LEN], bool ipv6, uint64_t cookie);

/* RFC 1071, over an even number of bytes, as it stands in a packet. */
__be16 packet_checksum(const void *data, size_t len);

#endif
