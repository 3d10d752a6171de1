/* SPDX-License-Identifier: Apache-2.0 */
/* Which interface index each device of a lab has: chosen when it is made, so that nothing is ever looked up by name. */
#ifndef TUNLAB_NET_INDEX_H
#define TUNLAB_NET_INDEX_H

#include "lab/scenario/plan.h"

/* Interface indices within a namespace. The uplinks' are in plan.h: they are unique in the whole lab. */
enum {
	INDEX_LO = 1,
	/* Behind gre0, tunl0, sit0 and their like: with their modules loaded, every new namespace is born with them. */
	INDEX_CLIENT_ETH0 = 100,
	INDEX_FABRIC_BRIDGE = 100, /* br100; + 1 + leaf: br101 and on */
	INDEX_TRUNK = 10000,       /* + leaf: br100's end of the trunk to that leaf */
	INDEX_LEAF_TRUNK = 20000,  /* + leaf: the leaf's */
	INDEX_BRIDGE = 1000,      /* + VNI number in the plan */
	INDEX_TUNNEL = 300000,
	INDEX_CLIENT_PORT = 400000,
	INDEX_POINT_TO_POINT = 1000000, /* + VNI number in the plan * SCN_HOSTS_MAX + remote host */
};

/* The bridge of the fabric that a host plugs into. */
static inline uint32_t index_host_bridge(const struct plan *plan, uint32_t host)
{
	return plan_count_leaves(plan) ? INDEX_FABRIC_BRIDGE + 1 + plan_leaf(plan, host) : INDEX_FABRIC_BRIDGE;
}

#endif
