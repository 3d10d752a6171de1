/* SPDX-License-Identifier: Apache-2.0 */
/* What a neighbour of a lab feels: configures a network namespace of its own without a break (an address on lo, there and gone again)
 * and keeps the longest time the kernel took for one such request. Written apart from lab/ on purpose: shares no code.
 *
 *   neighbour: prints "ready"; reads lines: "go" starts anew, "end" waits until the kernel has cleaned all namespaces closed so far
 *   (by marks: see wait_for_kernel in lab/net/down.c) and prints WORST_MS BUSY_MS REQUESTS: the longest request, the time from "go" to
 *   that end, and how many requests were measured. Ends with its input. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LO = 1, MARK = 10 };

struct probe {
	volatile unsigned round; /* the parent's: counts "go" */
	unsigned seen;           /* the round that the figures are of */
	unsigned long n;
	double worst_ms;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct mnl_socket *open_socket(unsigned groups)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!s || mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) < 0)
		die("netlink socket");
	return s;
}

static void ask(struct mnl_socket *s, struct nlmsghdr *h)
{
	char answer[4096] __attribute__((aligned(8))) = { 0 };
	const struct nlmsgerr *e = mnl_nlmsg_get_payload((struct nlmsghdr *)(void *)answer);

	h->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (mnl_socket_sendto(s, h, h->nlmsg_len) < 0 || mnl_socket_recvfrom(s, answer, sizeof(answer)) < 0)
		die("netlink");
	errno = -e->error;
	if (e->error)
		die("kernel");
}

static void change_address(struct mnl_socket *s, uint16_t type)
{
	char buf[256] __attribute__((aligned(8)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *a;

	h->nlmsg_type = type;
	h->nlmsg_flags = type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0;
	a = mnl_nlmsg_put_extra_header(h, sizeof(*a));
	a->ifa_family = AF_INET;
	a->ifa_prefixlen = 32;
	a->ifa_index = LO;
	mnl_attr_put_u32(h, IFA_LOCAL, htonl(0x0a010203));
	ask(s, h);
}

/* A request that began before "go" counts as well when it ends after it: it was made to wait by what came then. */
static void __attribute__((noreturn)) probe(struct probe *p)
{
	struct mnl_socket *s;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET))
		die("unshare");
	s = open_socket(0);
	for (uint16_t type = RTM_NEWADDR;; type = type == RTM_NEWADDR ? RTM_DELADDR : RTM_NEWADDR) {
		double start = now_ms(), took;
		struct timespec pause = { .tv_nsec = 1000000 };

		change_address(s, type);
		took = now_ms() - start;
		if (p->seen != p->round) {
			p->n = 0;
			p->worst_ms = 0;
			p->seen = p->round;
		}
		p->n++;
		if (took > p->worst_ms)
			p->worst_ms = took;
		(void)nanosleep(&pause, NULL); /* a neighbour, not an attacker */
	}
}

static int new_netns(void)
{
	int fd;

	if (unshare(CLONE_NEWNET))
		die("unshare");
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("namespace");
	return fd;
}

static void add_veth(struct mnl_socket *s, int index, int far)
{
	char buf[512] __attribute__((aligned(8))), name[IFNAMSIZ];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nlattr *info, *data, *peer;
	struct ifinfomsg *i;

	h->nlmsg_type = RTM_NEWLINK;
	h->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	i->ifi_index = index;
	snprintf(name, sizeof(name), "mark%d", index);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	i->ifi_index = 2;
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)far);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	ask(s, h);
}

static void wait_removed(struct mnl_socket *events, int index)
{
	char buf[32768] __attribute__((aligned(8)));

	for (;;) {
		int left = (int)mnl_socket_recvfrom(events, buf, sizeof(buf));

		if (left < 0)
			die("link events");
		for (struct nlmsghdr *h = (void *)buf; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
			const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_type == RTM_DELLINK && i->ifi_index == index)
				return;
		}
	}
}

static void wait_for_kernel(void)
{
	int far[2] = { new_netns(), new_netns() };
	struct mnl_socket *requests, *events;

	(void)close(new_netns()); /* the thread itself holds this one */
	requests = open_socket(0);
	events = open_socket(RTMGRP_LINK);
	for (int i = 0; i < 2; i++)
		add_veth(requests, MARK + i, far[i]);
	for (int i = 0; i < 2; i++) {
		(void)close(far[i]);
		wait_removed(events, MARK + i);
	}
	mnl_socket_close(requests);
	mnl_socket_close(events);
}

int main(void)
{
	struct probe *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double start = now_ms();
	char line[16];

	if (p == MAP_FAILED)
		die("mmap");
	if (fork() == 0)
		probe(p);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "go\n") == 0) {
			p->round++;
			start = now_ms();
			continue;
		}
		wait_for_kernel();
		printf("%.1f %.1f %lu\n", p->worst_ms, now_ms() - start, p->n);
		fflush(stdout);
	}
	return 0;
}
