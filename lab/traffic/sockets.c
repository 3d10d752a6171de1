/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the traffic child; see sockets.h. */
#include "lab/traffic/sockets.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/traffic/engine.h"
#include "lab/traffic/packet.h"

enum {
	RECEIVE_BUFFER = 4 << 20, /* bound, not cost: what arrives between two rounds of the loop, from many senders */
	SEND_BUFFER = 1 << 20,
	RAW_ICMP_FILTER = 1,      /* ICMP_FILTER of linux/icmp.h, which does not go with net/if.h */
};

int visit_enter(struct visit *v, int home, int ns)
{
	if (setns(ns, CLONE_NEWNET) < 0)
		return -errno;
	v->home = home;
	return 0;
}

void visit_leave(const struct visit *v)
{
	if (setns(v->home, CLONE_NEWNET) < 0)
		abort(); /* everything after would happen in the wrong network */
}

static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int set_buffer(int fd, int forced, int bounded, int bytes)
{
	return set_option(fd, SOL_SOCKET, forced, bytes) == 0 ? 0 : set_option(fd, SOL_SOCKET, bounded, bytes);
}

/* Fragments would be counted as packets by the monitor: what does not fit the path is refused with EMSGSIZE. */
static int forbid_fragments(int fd, bool ipv6)
{
	int r;

	if (!ipv6)
		return set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	r = set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO);
	return r < 0 ? r : set_option(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
}

static int open_socket(bool ipv6, int type, int protocol)
{
	int fd = socket(ipv6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	int r;

	if (fd < 0)
		return -errno;
	r = forbid_fragments(fd, ipv6);
	if (r == 0)
		r = set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static int only_echo_replies(int fd, bool ipv6)
{
	struct icmp6_filter filter6;
	uint32_t filter4 = ~(1U << ICMP_ECHOREPLY);
	int r;

	ICMP6_FILTER_SETBLOCKALL(&filter6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter6);
	if (ipv6)
		r = setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter6, sizeof(filter6));
	else
		r = setsockopt(fd, SOL_RAW, RAW_ICMP_FILTER, &filter4, sizeof(filter4));
	return r < 0 ? -errno : 0;
}

static int only_cookie(int fd, bool ipv6, uint64_t cookie)
{
	struct sock_filter code[PACKET_FILTER_LEN];
	struct sock_fprog program = {.len = PACKET_FILTER_LEN, .filter = code};

	packet_echo_filter(code, ipv6, cookie);
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

int socket_open_echo(bool ipv6, uint64_t cookie, const char **ret_what)
{
	int fd, r;

	*ret_what = "open a raw ICMP socket";
	fd = open_socket(ipv6, SOCK_RAW, ipv6 ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP);
	if (fd < 0)
		return fd;
	r = only_echo_replies(fd, ipv6);
	if (r == 0)
		r = only_cookie(fd, ipv6, cookie);
	if (r == 0)
		r = set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	if (r == 0)
		r = set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

int socket_open_udp(bool ipv6, const char **ret_what)
{
	int fd, r;

	*ret_what = "open a UDP socket";
	fd = open_socket(ipv6, SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	/* Nothing is expected here; whatever is sent to this port must not fill memory. */
	r = set_option(fd, SOL_SOCKET, SO_RCVBUF, 0);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

int socket_open_sink(bool ipv6, const char **ret_what)
{
	struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(TRAFFIC_SINK_PORT)};
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(TRAFFIC_SINK_PORT)};
	int fd, r;

	*ret_what = "open the UDP sink";
	fd = open_socket(ipv6, SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	r = set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
	if (r == 0 && ipv6)
		r = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (r == 0)
		r = set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	if (r == 0)
		(void)set_option(fd, SOL_UDP, UDP_GRO, 1); /* super-packets in one piece; a kernel without it cuts them */
	if (r == 0)
		r = bind(fd, ipv6 ? (struct sockaddr *)&any6 : (struct sockaddr *)&any4,
			 ipv6 ? sizeof(any6) : sizeof(any4));
	if (r == 0)
		return fd;
	r = r == -1 ? -errno : r;
	close(fd);
	return r;
}

void socket_address(const struct ip_addr *a, uint16_t port, struct sockaddr_in6 *ret, socklen_t *ret_len)
{
	struct sockaddr_in ip4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	size_t len;
	const uint8_t *bytes = addr_bytes(a, &len);

	*ret = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	*ret_len = sizeof(*ret);
	if (len != 4) {
		memcpy(&ret->sin6_addr, bytes, len);
		return;
	}
	memcpy(&ip4.sin_addr, bytes, len);
	memcpy(ret, &ip4, sizeof(ip4));
	*ret_len = sizeof(ip4);
}

uint32_t socket_drops(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
		return 0;
	return info[SK_MEMINFO_DROPS];
}
