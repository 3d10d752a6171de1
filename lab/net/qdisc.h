/* SPDX-License-Identifier: Apache-2.0 */
/* Queueing disciplines as rtnetlink requests: what a device does to frames on their way out, and BPF programs on a device's two
 * hooks. Everything acts in nl's namespace, at once (each request is flushed), and needs CAP_NET_ADMIN only.
 *
 * A root takes one of these forms, chosen so that rate, delay and queue each mean what they say (man tc-tbf, tc-netem):
 *
 *     rate            tbf 1: ── its own byte queue
 *     delay           netem 2:
 *     rate and delay  tbf 1: ── netem 2: ── bfifo 3:
 *
 * With both, netem is the inner one. tbf divides super-packets into frames, and a kernel before 6.13 counts those in the parent's
 * queue until it is taken for full, when that parent is netem. Frames are delayed first and queue for the rate afterwards, in a
 * queue bounded in bytes: netem's own bound is in packets, which is minutes of large ones where it is enough of small ones. */
#ifndef TUNLAB_NET_QDISC_H
#define TUNLAB_NET_QDISC_H

#include <stdbool.h>

#include "lab/net/nl.h"

struct qdisc_device {
	struct nl *nl;
	uint32_t index;
	const char *name; /* in messages */
};

/* All zero: no qdisc. */
struct qdisc_shape {
	uint64_t rate;     /* bytes of frames (without FCS) per second */
	uint64_t delay_ns;
};

/* Makes the device's root `to`, where it was `was`. In place where the form stays, so that frames in the queue stay, too; otherwise
 * those are lost. -EOPNOTSUPP names the kernel option that is missing. On failure the root is as it was. */
int qdisc_set_root(const struct qdisc_device *dev, const struct qdisc_shape *was, const struct qdisc_shape *to, struct error *err);

/* Two programs (type sched_cls, by descriptor) on a clsact of their own: what comes in by the device, and what is to leave by it, before
 * its root. On failure nothing is left; -EEXIST where somebody else has a clsact there. */
int qdisc_attach(const struct qdisc_device *dev, int ingress_fd, int egress_fd, struct error *err);
/* Takes off the clsact and all that is on it; none there is well. */
int qdisc_detach(const struct qdisc_device *dev, struct error *err);

#endif
