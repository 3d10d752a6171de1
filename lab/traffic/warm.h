/* SPDX-License-Identifier: Apache-2.0 */
/* Resolves a sender's neighbours before its clock starts, so that a cold ARP cache is neither loss nor delay, and
 * without a packet of the traffic itself. The exchange of ARP (or of neighbour solicitation and advertisement) also
 * teaches every bridge and tunnel on the way where both ends are, so the first packet is not flooded. */
#ifndef TUNLAB_TRAFFIC_WARM_H
#define TUNLAB_TRAFFIC_WARM_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct warm;

enum {
	WARM_RETRY_MS = 1000,   /* the kernel repeats its question as often, */
	WARM_LIMIT_MS = 3300,   /* and gives up after the third; this is for when its report is lost */
};

/* Starts to resolve n addresses (of one family, copied) on `device` of the calling thread's namespace, as `source`, its
 * own address; the rest runs from anywhere. -errno with *ret_what (static text: what failed).
 * At most `window` (at least 1) are asked at a time: each question is copied to all clients of the VNI, and what the kernel's
 * queues do not hold (net.core.netdev_max_backlog, 1000 frames a processor) it drops, answers to others with it. */
int warm_open(const char *device, const struct ip_addr *source, const struct ip_addr *addrs, size_t n, uint32_t window,
	      struct warm **ret, const char **ret_what);
/* Becomes readable when neighbours answered. */
int warm_fd(const struct warm *w);
/* Takes in what came. 1: all answered or given up by the kernel; 0: not yet; -errno. */
int warm_read(struct warm *w);
/* Call every WARM_RETRY_MS while warm_read gives 0. */
int warm_retry(struct warm *w);
/* Addresses that have not answered, so far or for good. */
uint32_t warm_unresolved(const struct warm *w);
void warm_close(struct warm *w); /* NULL is fine */

/* Neighbours whose MAC addresses are known need not be resolved: */
struct warm_known {
	struct ip_addr addr;
	uint8_t mac[6];
};
/* Enters n of them on `device` of the calling thread's namespace, for good. *ret_refused: how many the kernel did not take.
 * -errno with *ret_what. */
int warm_enter(const char *device, const struct warm_known *known, size_t n, uint32_t *ret_refused, const char **ret_what);

/* The other side: a peer that is asked for its address learns the asker's, and does not answer when its kernel has no
 * room for that: the kernel keeps at most 1024 neighbours for all namespaces of the machine together (gc_thresh3, which
 * the lab must not change). Entries made here beforehand are outside that bound. */
struct warm_room {
	int fd;                 /* netlink socket in the peer's namespace; -1: not open */
	int ifindex;
};
/* In the peer's namespace. -errno with *ret_what. */
int warm_room_open(const char *device, struct warm_room *ret, const char **ret_what);
/* Makes an empty entry for `asker`, unless there is one. Failing is no harm as long as the kernel has room: the
 * neighbour that then does not answer is reported by warm_unresolved. */
void warm_room_make(const struct warm_room *room, const struct ip_addr *asker);
/* Makes the entry of one that will not ask, but wants answers. */
void warm_room_enter(const struct warm_room *room, const struct warm_known *sender);

#endif
