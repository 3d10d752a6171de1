/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a lab apart while the machine goes on. Just closing the namespaces would be less work, but the kernel then removes
 * all their devices in one go and lets nobody configure a network meanwhile (rtnl): 8 seconds for 100 hosts with 4 VNIs. Here they go
 * in slices of about a tenth of a second, and the end is known: the kernel's own work is over, not only ours. */
#ifndef TUNLAB_NET_DOWN_H
#define TUNLAB_NET_DOWN_H

#include <stdbool.h>

#include "lab/net/lab.h"

struct down;

struct down_progress {
	uint32_t hosts, n_hosts; /* taken apart, of so many */
	bool over;
};

/* Starts; threads of its own do the work. The lab is theirs until down_free: only lab->plan may be used. -errno: nothing was
 * done, lab_free does it the hard way. */
int down_start(struct lab *lab, struct down **ret);
/* Readable when there is news for down_read. */
int down_fd(const struct down *d);
void down_read(struct down *d, struct down_progress *ret);
/* Ends after the slice at hand: lab_free does the rest at once. */
void down_give_up(struct down *d);
/* Waits for the threads. The lab, what there is left of it, is the caller's again (lab_free). NULL is fine. */
void down_free(struct down *d);

#endif
