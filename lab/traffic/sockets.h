/* SPDX-License-Identifier: Apache-2.0 */
/* The traffic child's sockets, each opened inside a client's namespace and used from outside: a socket stays in the
 * namespace where it was made. All are non-blocking and never fragment. */
#ifndef TUNLAB_TRAFFIC_SOCKETS_H
#define TUNLAB_TRAFFIC_SOCKETS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

/* A visit to a namespace. Leave always goes back; a process that cannot must not go on, so it aborts. */
struct visit {
	int home; /* descriptor of the namespace to go back to, borrowed */
};
int visit_enter(struct visit *v, int home, int ns);
void visit_leave(const struct visit *v);

/* Each opens a socket in the calling thread's namespace: a descriptor, or -errno with *ret_what (static text: what
 * failed). */
/* Raw ICMP (or ICMPv6): echo requests out, and only replies carrying the cookie in, with kernel receive timestamps. */
int socket_open_echo(bool ipv6, uint64_t cookie, const char **ret_what);
/* UDP, for sending only. */
int socket_open_udp(bool ipv6, const char **ret_what);
/* UDP, listening on TRAFFIC_SINK_PORT of every address, with kernel receive timestamps. */
int socket_open_sink(bool ipv6, const char **ret_what);

/* Socket address for sending; *ret_len its length. */
void socket_address(const struct ip_addr *a, uint16_t port, struct sockaddr_in6 *ret, socklen_t *ret_len);
/* Packets dropped so far because the socket's buffer was full; 0 where the kernel cannot tell. */
uint32_t socket_drops(int fd);

#endif
