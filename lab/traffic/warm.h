/* SPDX-License-Identifier: Apache-2.0 */
/* Resolves a sender's neighbours before its clock starts, so that a cold ARP cache is neither loss nor delay, and without an
 * IP packet that would count as traffic. The exchange of ARP (or neighbour solicitation and advertisement) also teaches
 * every bridge and tunnel on the way where both ends are, so the first packet is not flooded. */
#ifndef TUNLAB_TRAFFIC_WARM_H
#define TUNLAB_TRAFFIC_WARM_H

#include <stddef.h>
#include <stdint.h>

#include "lab/addr.h"

struct warm;

enum {
	/* The kernel asks three times, a second apart, and then reports failure; this is for when that report is lost. */
	WARM_LIMIT_MS = 3300,
};

/* Starts to resolve n addresses (of one family, copied) on `device` of the calling thread's namespace; the rest runs from
 * anywhere. -errno with *ret_what (static text: what failed). */
int warm_open(const char *device, const struct ip_addr *addrs, size_t n, struct warm **ret, const char **ret_what);
/* Becomes readable when neighbours answered. */
int warm_fd(const struct warm *w);
/* Takes in what came. 1: all answered or given up by the kernel; 0: not yet; -errno. */
int warm_read(struct warm *w);
/* Addresses that have not answered, so far or for good. */
uint32_t warm_unresolved(const struct warm *w);
void warm_close(struct warm *w); /* NULL is fine */

#endif
