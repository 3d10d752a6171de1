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

/* Makes a namespace and leaves the thread in it, with IPv6 off on every device to come (autoconfiguration would flood
 * the overlay with MLD and router solicitations; ns_allow_ipv6 turns it on where it is wanted). `where` names it and must
 * outlive *ret_nl, a socket in it on `batch`. Returns the namespace's descriptor, or -errno with *err and nothing left. */
int ns_create(struct nl_batch *batch, const char *where, struct nl **ret_nl, struct error *err);

/* Turns IPv6 on for one device of the current namespace, or for "default": all devices to come. They detect no duplicates,
 * solicit no routers and heed no advertisements. */
int ns_allow_ipv6(const char *device, const char *where, struct error *err);

/* Lets one socket of the current namespace join n IPv4 multicast groups (the kernel's default is 20): a host's tunnels share
 * one. */
int ns_allow_groups(unsigned n, const char *where, struct error *err);

#endif
