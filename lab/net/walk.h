/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel knows along the way from one client to another of its VNI: each device's state and counters, and the entries that
 * lead frames on. Read on the spot over the lab's netlink sockets; what it means is lab/verdict/path.h's. Main thread only. */
#ifndef TUNLAB_NET_WALK_H
#define TUNLAB_NET_WALK_H

#include "lab/net/lab.h"

struct links;
struct nlmsghdr;
struct walk_start;

/* In the order in which a frame passes them. With wiring = direct there are no bridges and ports in the hosts. */
enum walk_place {
	WALK_FROM_ETH0,    /* the sending client's */
	WALK_FROM_PORT,    /* its other end, in the host */
	WALK_FROM_BRIDGE,
	WALK_FROM_TUNNEL,
	WALK_FROM_UPLINK,  /* the sending host's eth0 */
	WALK_FROM_FABRIC,  /* its other end: the host's port of the fabric */
	WALK_TO_FABRIC,
	WALK_TO_UPLINK,
	WALK_TO_TUNNEL,
	WALK_TO_BRIDGE,
	WALK_TO_PORT,
	WALK_TO_ETH0,
	WALK_PLACE_MAX
};

/* Counters since traffic began (see walk_start.h), else since the device was made, packets as the kernel counts them: a super-packet of segmentation offload is one. */
struct walk_device {
	bool known;      /* it is there and was read */
	bool up, carrier;
	uint32_t mtu;
	uint32_t vni;    /* of tunnels: VNI, or GRE key; 0: not told */
	uint64_t rx_packets, tx_packets;
	uint64_t rx_dropped, tx_dropped; /* with errors */
};

/* Where an entry leads, seen from the way that frames should take. */
enum walk_entry { WALK_UNKNOWN, WALK_NONE, WALK_RIGHT, WALK_WRONG };

struct walk_queue {
	bool known;       /* there is one */
	uint64_t dropped; /* by the root, those that were lost on purpose among them */
	uint64_t backlog; /* packets waiting */
};

struct walk_facts {
	struct walk_device at[WALK_PLACE_MAX];
	enum walk_entry neighbour;     /* the sender's entry for the receiver's address: its MAC, another, or unresolved */
	enum walk_entry from_fdb;      /* of the sender's bridge, for the receiver's MAC: to the tunnel */
	enum walk_entry tunnel_fdb;    /* of a vxlan, for the receiver's MAC: to its host's VTEP */
	enum walk_entry flood_fdb;     /* of a vxlan with flood = unicast: the receiver's VTEP is among those flooded to */
	enum walk_entry vtep;          /* the sending host's entry for the other VTEP: its MAC, another, or unresolved */
	enum walk_entry fabric_fdb;    /* of the fabric, for the receiving host's MAC */
	enum walk_entry to_fdb;        /* of the receiver's bridge, for the receiver's MAC */
	struct walk_queue from_queue, to_queue; /* roots of the sending host's eth0 and of the fabric's port to the receiving host */
	uint64_t from_lost, to_lost;   /* lost on purpose: from the sending host, to the receiving one */
};

/* Sockets in all clients' namespaces, which walks need: while the process may still enter them. Closed by lab_close_clients, before
 * the namespaces are, and by lab_free. */
int walk_open_clients(struct lab *lab, struct error *err);

/* links may be NULL: nothing was ever lost on purpose. start NULL: counters are since the build. What cannot be read, because somebody took it away, is left unknown. */
void walk(struct lab *lab, const struct links *links, const struct walk_start *start, uint32_t from, uint32_t to, struct walk_facts *ret);
/* Of an RTM_NEWLINK message into a struct walk_device; others are passed over. For nl_ask. */
void walk_take_link(void *device, const struct nlmsghdr *h);

/* Packets that the lab's veth pairs could not hand on, because a receive queue of the machine was full (or the far end had just gone
 * down): since traffic began, or with start NULL since the lab was built. Those of clients only after walk_open_clients. */
uint64_t walk_count_drops(struct lab *lab, const struct walk_start *start);
/* Adds an RTM_NEWLINK message's to a uint64_t; for nl_ask. */
void walk_add_drops(void *total, const struct nlmsghdr *h);

#endif
