/* SPDX-License-Identifier: Apache-2.0 */
/* The lab: a plan turned into namespaces and devices. It owns the descriptors that hold the namespaces, and
 * netlink sockets in the fabric and the hosts; closing them is the undo, at any stage and also by SIGKILL. Main thread only (see ns.h). */
#ifndef TUNLAB_NET_LAB_H
#define TUNLAB_NET_LAB_H

#include "base/error.h"
#include "lab/net/nl.h"
#include "lab/scenario/plan.h"

struct lab {
	const struct plan *plan; /* borrowed */
	int fabric;              /* namespace descriptors; -1 where not made */
	int *hosts;
	int *clients;
	int marks[2];            /* empty namespaces whose end tells down.c of the others' */
	struct nl_batch *batch;  /* of all the lab's sockets */
	struct nl *nl_fabric;    /* kept as long as the lab, so that it can be changed without entering namespaces (a privilege */
	struct nl **nl_hosts;    /* given up once it stands); NULL where not made */
	struct nl **nl_clients;  /* of walk.h; NULL unless somebody asked for them */
};

/* Told before each host is built, counting from 1. */
struct lab_watcher {
	void (*building)(void *arg, uint32_t host);
	void *arg;
};

/* Builds everything but brings no uplink up, so that the monitor can attach before the first frame.
 * The calling thread ends where it began. On failure -errno, *err says what was tried, nothing is left. watcher: NULL for none. */
int lab_build(const struct plan *plan, const struct lab_watcher *watcher, struct lab **ret, struct error *err);
/* Brings eth0 of every host up: when it returns, frames flow. */
int lab_open_uplinks(struct lab *lab, struct error *err);
/* For traffic that was not planned: makes the hosts of a client and of its peers know each other's VTEPs, in labs where not all do
 * from the start; with `known` the client's tunnel also learns behind which each peer is, as of planned traffic (see plan_asks). */
int lab_introduce(struct lab *lab, uint32_t client, const uint32_t *peers, size_t n, bool known, struct error *err);
/* Sockets in the fabric and in a host, for dev.h and the like; the lab's. Take care to flush. */
struct nl *lab_nl_fabric(const struct lab *lab);
struct nl *lab_nl_host(const struct lab *lab, uint32_t host);
/* Closes the sockets of walk_open_clients: before their namespaces. */
void lab_close_clients(struct lab *lab);
/* Closes the namespaces; the kernel takes them apart in the background. NULL is fine. */
void lab_free(struct lab *lab);

/* Namespace of "fabric", "host3" or a client; *err names what exists otherwise. The descriptor stays the lab's. */
int lab_netns(const struct lab *lab, const char *where, struct error *err);

#endif
