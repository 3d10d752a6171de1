/* SPDX-License-Identifier: Apache-2.0 */
/* Queueing disciplines as rtnetlink requests: what a device does to frames on their way out, and a BPF program on what comes in.
 * Everything acts in nl's namespace, at once (each request is flushed), and needs CAP_NET_ADMIN only.
 *
 * A root is a chain of these, outermost first, each only where it is needed (man tc-tbf, tc-htb, tc-netem):
 *
 *     tbf 1:    the rate; divides super-packets of segmentation offload into frames
 *     htb 2:    without a limit: it only asks the program which frames are lost, which tbf and netem cannot
 *     netem 3:  the delay
 *     bfifo 4:  the queue in front of the rate, where it is not tbf's own
 *
 * tbf is the outermost because a kernel before 6.13 counts the frames it makes in its parent's queue for ever, and when that is netem
 * takes it for full. So a frame is delayed first and queues for the rate afterwards, which comes to the same. The queue is bounded in
 * bytes: netem's own bound is in packets, and one that is right for small ones lets large ones wait for minutes. */
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
	bool frames;       /* super-packets are divided, so that whoever comes next meets frames */
	int filter_fd;     /* a program (type sched_cls) that meets each frame and may drop it; with frames only */
};

/* Makes the device's root `to`, where it was `was`. In place where the chain's links stay the same, so that frames in the queue stay,
 * too; otherwise those are lost. -EOPNOTSUPP names the kernel option that is missing. On failure the root is as it was. */
int qdisc_set_root(const struct qdisc_device *dev, const struct qdisc_shape *was, const struct qdisc_shape *to, struct error *err);

/* How long a frame that is not dropped may take through such a root. */
uint64_t qdisc_wait_ns(const struct qdisc_shape *s);

/* A program for what comes in by the device, on a clsact of its own. On failure nothing is left; -EEXIST where somebody else has
 * a clsact there. */
int qdisc_attach(const struct qdisc_device *dev, int ingress_fd, struct error *err);
/* Takes off the clsact and all that is on it; none there is well. */
int qdisc_detach(const struct qdisc_device *dev, struct error *err);

#endif
