/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses: the one dual-stack type of the whole program, and prefixes over it.
 * Pure; knows nothing of sockets, scenarios or the kernel. */
#ifndef TUNLAB_BASE_ADDR_H
#define TUNLAB_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 16 bytes in network byte order; IPv4 is v4-mapped (::ffff:a.b.c.d, RFC 4291 2.5.5.2), as in struct
 * flow_key. All zero means "no address" where one may be missing; in an IPv6 header it is the unspecified
 * address, which asks whether an address is free (RFC 4862, 5.4.2). */
struct ip_addr {
	uint8_t b[16];
};

struct ip_prefix {
	struct ip_addr addr; /* network address, host bits zero */
	uint8_t len;         /* in the family's own terms: 0..32 for IPv4, 0..128 for IPv6 */
};

enum { ADDR_STRLEN = 48, PREFIX_STRLEN = 52 };

bool addr_is_none(const struct ip_addr *a);
bool addr_is_v4(const struct ip_addr *a);
/* Multicast of either family, or IPv4 limited broadcast. */
bool addr_is_group(const struct ip_addr *a);
bool addr_equal(const struct ip_addr *a, const struct ip_addr *b);
/* Pointer to the 4 or 16 bytes as they stand in a packet or netlink attribute; *ret_len says which. */
const uint8_t *addr_bytes(const struct ip_addr *a, size_t *ret_len);

/* Text to address; -EINVAL when it is not one. Never resolves names. */
int addr_parse(const char *text, struct ip_addr *ret);
/* Writes the canonical text (RFC 5952) into buf[ADDR_STRLEN] and returns buf; "::" for all zero. */
const char *addr_format(const struct ip_addr *a, char *buf);

/* "192.168.0.0/24"; host bits set, or a missing length, is -EINVAL. */
int prefix_parse(const char *text, struct ip_prefix *ret);
const char *prefix_format(const struct ip_prefix *p, char *buf);
/* The n-th address of the prefix (0 is the network address); -ERANGE beyond the prefix, and for the
 * broadcast address of an IPv4 prefix shorter than /31. */
int prefix_nth(const struct ip_prefix *p, uint32_t n, struct ip_addr *ret);
bool prefix_contains(const struct ip_prefix *p, const struct ip_addr *a);

#endif
