/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a network namespace, as the kernel hands them to a packet socket through a ring in memory (packet(7), TPACKET_V3). Who is
 * watched never waits: a full ring drops, and counts. */
#ifndef TUNLAB_CAPTURE_RING_H
#define TUNLAB_CAPTURE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct ring;

struct ring_frame {
	uint32_t ifindex;
	uint16_t arp_type;    /* ARPHRD_* of the interface */
	uint8_t packet_type;  /* PACKET_HOST, PACKET_OUTGOING, … */
	uint64_t time_ns;     /* since 1970 */
	const uint8_t *data;  /* valid until ring_read returns */
	uint32_t captured;    /* bytes at data */
	uint32_t len;         /* of the frame; more than captured if it did not fit; under segmentation offload many packets' */
};

/* Opens a socket on all interfaces of the calling thread's namespace, or on `ifindex` if that is not 0. Needs CAP_NET_RAW. Nothing is
 * caught before this returns, everything after. */
int ring_open(uint32_t ifindex, struct ring **ret, struct error *err);
void ring_close(struct ring *r); /* NULL is fine */

/* The socket: readable when ring_read has frames; SIOCGIFNAME on it knows the namespace's interfaces. */
int ring_fd(const struct ring *r);

/* Hands the frames that wait to `take`, oldest first, until it returns false: then the rest of their block is dropped. Frames that
 * leave by a loopback interface are left out: they come in again. */
void ring_read(struct ring *r, bool (*take)(void *arg, const struct ring_frame *f), void *arg);

/* Frames the socket was shown and those of them it had no room for, since it was opened. */
void ring_counts(struct ring *r, uint64_t *ret_seen, uint64_t *ret_dropped);

#endif
