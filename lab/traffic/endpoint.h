/* SPDX-License-Identifier: Apache-2.0 */
/* The clients' ends of all traffic: a few sockets per client, opened in its namespace on first use; those that receive
 * traffic are watched by the child's epoll. */
#ifndef TUNLAB_TRAFFIC_ENDPOINT_H
#define TUNLAB_TRAFFIC_ENDPOINT_H

#include "lab/scenario/plan.h"
#include "lab/traffic/sockets.h"
#include "lab/traffic/warm.h"

enum endpoint_role {
	ENDPOINT_ECHO,  /* sends pings and receives the answers */
	ENDPOINT_UDP,   /* sends UDP */
	ENDPOINT_SINK,  /* receives UDP */
	ENDPOINT_ROLE_MAX
};

#define ENDPOINT_DEVICE "eth0" /* every client's interface */

struct endpoint {
	int fd[ENDPOINT_ROLE_MAX]; /* -1: not opened */
	uint32_t drops[ENDPOINT_ROLE_MAX];
	struct warm_room room;
};

struct endpoints {
	const struct plan *plan;
	const int *client_ns;
	int home;                  /* the child's own namespace */
	int epoll;
	uint64_t cookie;
	struct endpoint *v;        /* one per client */
};

/* Data of the epoll entries: what became readable. The loop has its own kinds above ENDPOINT_ROLE_MAX. */
static inline uint64_t endpoint_token(unsigned kind, uint32_t number)
{
	return (uint64_t)kind << 32 | number;
}

/* home, epoll and client_ns are borrowed; nothing is opened yet. -errno. */
int endpoints_init(struct endpoints *e, const struct plan *plan, const int *client_ns, int epoll, uint64_t cookie);
/* Makes sure that a client has the socket of that role. -errno with *ret_what (static text: what failed). */
int endpoint_open(struct endpoints *e, uint32_t client, enum endpoint_role role, const char **ret_what);
/* Makes sure that the client's kernel can take up the client `asker` as a neighbour; known: that it has done so. -errno with
 * *ret_what. */
int endpoint_make_room(struct endpoints *e, uint32_t client, uint32_t asker, bool known, const char **ret_what);
/* What warm_enter is told of a client. */
struct warm_known endpoint_known(const struct endpoints *e, uint32_t client);
/* Packets lost since the last call because sockets were full, of at most n clients from `first` on. */
uint64_t endpoints_drops(struct endpoints *e, uint32_t first, uint32_t n);

#endif
