/* SPDX-License-Identifier: Apache-2.0 */
/* Batched rtnetlink: requests to one namespace are collected and sent together, with one acknowledgement for all of
 * them. Building a lab is bound by these round trips, so everything in dev.h goes through here. The only user of libmnl. */
#ifndef TUNLAB_NET_NL_H
#define TUNLAB_NET_NL_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct nl_batch; /* requests collected for one socket at a time, with the words to explain their failure: some 100 kB */
struct nl;       /* a socket: small, so that one can be kept in every namespace */

/* NULL: no memory. Outlives the sockets opened on it. */
struct nl_batch *nl_batch_new(void);
void nl_batch_free(struct nl_batch *batch); /* NULL is fine */

/* Opens a socket in the calling thread's namespace and stays there whatever the thread does later. Sockets that share a
 * batch take turns: a request on one first flushes what was collected for another. `where` names the namespace in messages
 * (borrowed, must outlive the socket). -errno with errno's reason only. */
int nl_open(struct nl_batch *batch, const char *where, struct nl **ret);
void nl_close(struct nl *nl); /* NULL is fine; requests not flushed are dropped */

/* From now on the socket collects in another batch: a thread that sends by itself needs one of its own. Nothing is collected. */
void nl_use_batch(struct nl *nl, struct nl_batch *batch);

/* A new descriptor of the socket's namespace (SIOCGSKNS, needs no /proc), close-on-exec; or -errno. */
int nl_netns(const struct nl *nl);

/* The socket, for ioctls about devices of its namespace and for poll; nl's. */
int nl_fd(const struct nl *nl);

/* Starts a request in the batch. `what` is the sentence's verb and object ("create veth c7 in host1"), in printf form; it is
 * kept only to explain a failure. The batch is flushed first when it is full, so errors may show here. The message stays
 * valid until the next nl_request or nl_flush. NULL: *err says why. */
struct nlmsghdr *nl_request(struct nl *nl, struct error *err, uint16_t type, uint16_t flags, const char *what, ...)
	__attribute__((format(printf, 5, 6)));

/* What the kernel must have been built with for the request just started (static text, such as "CONFIG_VXLAN (modprobe vxlan)"):
 * named if it answers that it does not know such a thing. */
void nl_needs(struct nl *nl, const char *option);

/* Sends what is collected and waits for the kernel's answer. On the first refusal: -errno, and *err holds what was tried
 * and the kernel's own sentence (extended ACK) where it gives one. Later requests of the batch were still tried: the
 * caller drops the whole namespace. */
int nl_flush(struct nl *nl, struct error *err);

/* Makes the kernel act at once on what it knows of a link's carrier: until then, which may be long on a busy machine, a device that
 * is up drops what it sends, and a bridge what comes to that port (net/core/link_watch.c). For drivers with ETHTOOL_GLINK, such as
 * veth. */
int nl_settle_carrier(struct nl *nl, struct error *err, const char *device);

/* A link of the socket's namespace; `kind` as `ip link` knows it ("bridge"), "" for those that have none, like lo. */
typedef void (*nl_link_fn)(void *arg, uint32_t index, const char *kind);
/* Calls fn for every link there is; no requests from within fn: their answers would be read among the listing's. */
int nl_each_link(struct nl *nl, struct error *err, nl_link_fn fn, void *arg);

/* Sends one request by itself, a listing (NLM_F_DUMP) or a question about one object, and calls fn for each message of the answer;
 * what is collected is sent before; no requests from within fn. -errno, as -ENOENT where there is no such object. */
typedef void (*nl_message_fn)(void *arg, const struct nlmsghdr *h);
int nl_ask(struct nl *nl, struct nlmsghdr *request, nl_message_fn fn, void *arg);

/* From now on the socket is told of links that change, and is good for nothing else. nl_fd is for poll: when readable,
 * nl_read_gone calls fn for every link that was removed. */
int nl_watch_links(struct nl *nl);
int nl_read_gone(struct nl *nl, nl_link_fn fn, void *arg);
/* The same for who looks anew at every change: takes all that waits. Links may have changed where it is true. */
bool nl_read_changed(struct nl *nl);

/* Filters of any kind under `parent` (TC_H_MAKE) of a device. -errno; none where there is no such qdisc. */
int nl_count_filters(struct nl *nl, struct error *err, uint32_t index, uint32_t parent, unsigned *ret_n);

#endif
