/* SPDX-License-Identifier: Apache-2.0 */
/* Impaired links in the kernel. Everything sits between the monitor's two counting points: what leaves a host meets its eth0's
 * root qdisc, what comes to it the root qdisc of the fabric's port; loss without netem is a BPF program on the fabric's port;
 * a link that is down is the fabric's port set down, as if the cable were pulled at the switch. Main thread only. */
#ifndef TUNLAB_NET_LINK_H
#define TUNLAB_NET_LINK_H

#include "bpf/loss.h"
#include "lab/net/lab.h"
#include "lab/scenario/link.h"

struct links;

/* Nothing is changed yet. `lab` is borrowed; seed makes losses repeatable. */
int links_open(struct lab *lab, uint64_t seed, struct links **ret, struct error *err);
void links_free(struct links *l); /* NULL is fine; what was set stays, and goes with the namespaces */

/* Makes the host's uplink so, in both directions, replacing what was set; an unimpaired state leaves no qdisc and no program
 * behind. -EOPNOTSUPP with *err naming the kernel option where the kernel has no netem or tbf; then the link stays as it was. */
int links_set(struct links *l, uint32_t host, const struct link_state *state, struct error *err);
/* Frames that the link has lost on purpose so far, on their way from the host or to it. */
uint64_t links_lost(const struct links *l, uint32_t host, enum loss_direction direction);
/* The states of all hosts follow one another: links_get(l, 0) is an array. */
/* How long a packet and its answer may be on their way over the two slowest links, because of what was set: delays, and queues in
 * front of rates. */
uint64_t links_wait_ns(const struct links *l);
const struct link_state *links_get(const struct links *l, uint32_t host);

#endif
