/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces without names: a descriptor is all that holds one, so the kernel frees it with the process.
 * setns(2) acts on the calling thread only; everything here is for the lab's main thread. */
#ifndef TUNLAB_NET_NS_H
#define TUNLAB_NET_NS_H

#include "lab/net/nl.h"

/* A descriptor of the calling thread's namespace, or -errno. */
int ns_current(void);

/* Enters the namespace `fd` ("host3"); leave again with ns_enter of an earlier ns_current. */
int ns_enter(int fd, const char *where, struct error *err);

/* What making many namespaces shares. `proc` is a view of /proc that only this program sees, or -1: all namespaces' settings have
 * the same names under the same folder, so that each look-up passes the cached ones of every other namespace, and the 2000th
 * namespace would cost a hundred times the first. A fresh view has no such past; it is renewed now and then. */
struct ns_maker {
	struct nl_batch *batch; /* of the sockets in the namespaces; borrowed */
	int proc;
	unsigned made;          /* namespaces since proc was renewed */
};
#define NS_MAKER(nl_batch) { .batch = (nl_batch), .proc = -1 }
void ns_maker_close(struct ns_maker *m);

/* Makes a namespace and leaves the thread in it, with IPv6 off on every device to come (autoconfiguration would flood
 * the overlay with MLD and router solicitations; ns_allow_ipv6 turns it on where it is wanted). `where` names it and must
 * outlive *ret_nl, a socket in it. Returns the namespace's descriptor, or -errno with *err and nothing left. */
int ns_create(struct ns_maker *m, const char *where, struct nl **ret_nl, struct error *err);

/* An empty namespace that nobody is shown; the thread is left in it. Its descriptor, or -errno with *err. */
int ns_create_bare(const char *where, struct error *err);

/* Turns IPv6 on for one device of the current namespace, or for "default": all devices to come. They detect no duplicates,
 * solicit no routers and heed no advertisements. */
int ns_allow_ipv6(const struct ns_maker *m, const char *device, const char *where, struct error *err);

/* Lets one socket of the current namespace join n IPv4 multicast groups (the kernel's default is 20): a host's tunnels share
 * one. */
int ns_allow_groups(const struct ns_maker *m, unsigned n, const char *where, struct error *err);

#endif
