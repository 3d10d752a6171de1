/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices, addresses and forwarding entries as rtnetlink requests. Each function only adds requests to the batch
 * of `nl` (see nl.h) and so acts in nl's namespace once that is flushed; 0 or -errno with *err when an earlier batch had
 * to be sent and failed. Indices are chosen by the caller, never looked up: unique per namespace. Undo: devices go with
 * their namespace (the kernel destroys them when its last descriptor is closed). */
#ifndef TUNLAB_NET_DEV_H
#define TUNLAB_NET_DEV_H

#include <stdbool.h>

#include "base/addr.h"
#include "lab/net/nl.h"

struct dev_end {
	const char *name;
	uint32_t index;
	uint32_t mtu;
	const uint8_t *mac;  /* 6 bytes, or NULL: the kernel's choice */
};

/* A veth pair born with each end where it belongs: `near` in nl's namespace, plugged into bridge `master` (its index) and
 * up; `far` in the namespace `far_netns`, down: a pair's peer cannot be opened by the message that makes it. */
int dev_add_veth(struct nl *nl, struct error *err, const struct dev_end *near, uint32_t master, const struct dev_end *far,
		 int far_netns);

/* Gives a veth end, which is still down, a receive queue of its own (256 frames): without it the end shares one of 1000 with all
 * other devices on this processor (net.core.netdev_max_backlog, the machine's), and of a frame flooded to more of them the rest is
 * lost. Half of it at once, not in the batch. A kernel before 5.13 has no such queue: nothing happens. */
int dev_own_queue(struct nl *nl, struct error *err, uint32_t index, const char *name);

/* A bridge without STP or multicast snooping (there is no querier: snooping would only flood anyway) that never forgets
 * what it learned, so that a quiet host is not flooded to after five minutes. Up. */
int dev_add_bridge(struct nl *nl, struct error *err, const char *name, uint32_t index, uint32_t mtu);

struct dev_vxlan {
	const char *name;
	uint32_t index;
	uint32_t mtu;
	uint32_t lower;              /* index of the underlay device */
	uint32_t master;             /* index of its bridge; 0 for none */
	uint32_t vni;
	uint16_t port;               /* host order */
	const struct ip_addr *local; /* VTEP */
	const struct ip_addr *group; /* multicast group to flood to; NULL: floods to dev_add_flood entries */
};
/* A VXLAN tunnel end (RFC 7348), up. */
int dev_add_vxlan(struct nl *nl, struct error *err, const struct dev_vxlan *v);

struct dev_tunnel {
	const char *name;
	uint32_t index;
	uint32_t mtu;
	uint32_t master;             /* index of its bridge */
	uint32_t vni;
	uint16_t port;               /* geneve: host order */
	const struct ip_addr *local; /* gretap: the VTEP here; geneve goes by the route */
	const struct ip_addr *remote;
};
/* Point-to-point tunnel ends, up. Geneve: RFC 8926, without options. GRE with the VNI as its key: RFC 2784, RFC 2890. */
int dev_add_geneve(struct nl *nl, struct error *err, const struct dev_tunnel *t);
int dev_add_gretap(struct nl *nl, struct error *err, const struct dev_tunnel *t);

/* Frames from this port of a bridge leave by no other port so marked. With all tunnels of a bridge marked, what came out of one is
 * never sent into another: each sender replicates to all by itself, and nothing goes round (split horizon). */
int dev_isolate(struct nl *nl, struct error *err, uint32_t index, const char *name);

/* Head-end replication: frames that `vxlan` floods are also sent to the VTEP `remote`. */
int dev_add_flood(struct nl *nl, struct error *err, uint32_t vxlan, const struct ip_addr *remote);

/* `mac` lives behind the VTEP `remote`, for good: `vxlan` neither floods frames to it nor has to learn that. */
int dev_add_fdb_behind(struct nl *nl, struct error *err, uint32_t vxlan, const uint8_t *mac, const struct ip_addr *remote);

/* A bridge's port `port` is where `mac` lives, for good: frames to it are never flooded, not even the first. */
int dev_add_fdb(struct nl *nl, struct error *err, uint32_t port, const uint8_t *mac);

/* The neighbour at `addr` behind device `index` has `mac`, for good: nobody asks for it. */
int dev_add_neighbour(struct nl *nl, struct error *err, uint32_t index, const struct ip_addr *addr, const uint8_t *mac);

/* A macvlan in bridge mode on `lower`, born in far_netns, down. */
int dev_add_macvlan(struct nl *nl, struct error *err, uint32_t lower, const struct dev_end *far, int far_netns);

/* IPv6 addresses are added without duplicate address detection: the plan made them unique. */
int dev_add_address(struct nl *nl, struct error *err, uint32_t index, const struct ip_addr *a, uint8_t prefix_len);

/* Makes the device a port of bridge `master`, up. */
int dev_plug_in(struct nl *nl, struct error *err, uint32_t index, const char *name, uint32_t master);

int dev_set_up(struct nl *nl, struct error *err, uint32_t index, const char *name);
int dev_set_down(struct nl *nl, struct error *err, uint32_t index, const char *name);

/* Groups let several devices be removed by one request, and so under one lock: dev_delete_group removes all that nl's namespace
 * has in the group. 0 is where all are at first. */
int dev_set_group(struct nl *nl, struct error *err, uint32_t index, uint32_t group);
int dev_delete_group(struct nl *nl, struct error *err, uint32_t group);

#endif
