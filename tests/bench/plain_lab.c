/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for lab up time: a bare netlink program that makes the namespaces and devices of a lab, in as few and as large
 * batches as the kernel takes, no plan, no names, no errors explained. It knows what lab/net has learned about waiting in the
 * kernel: one queue for each veth end, settings written through a private /proc. Written apart from lab/ on purpose: shares no
 * code. plain_lab HOSTS VNIS bridge|direct prints the milliseconds it took. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/mount.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MTU = 1450, UPLINK = 100000, PORT = 200000, BRIDGE = 1000, TUNNEL = 300000, CLIENT = 400000 };

struct batch {
	struct mnl_socket *nl;
	char buf[64 * 1024] __attribute__((aligned(8)));
	size_t len;
	struct nlmsghdr *last;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A view of /proc without the cached names of earlier namespaces. */
static int new_proc(void)
{
	int fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC), fd;

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		die("fsopen");
	fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	return fd;
}

static int new_netns(struct batch *b)
{
	static int proc = -1, made;
	int fd, sysctl;

	if (made++ % 64 == 0) {
		close(proc);
		proc = new_proc();
	}
	if (unshare(CLONE_NEWNET))
		die("unshare");
	b->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!b->nl || mnl_socket_bind(b->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		die("netlink socket");
	fd = ioctl(mnl_socket_get_fd(b->nl), SIOCGSKNS);
	sysctl = openat(proc, "sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY);
	if (fd < 0 || sysctl < 0 || write(sysctl, "1", 1) != 1)
		die("namespace");
	close(sysctl);
	b->len = 0;
	b->last = NULL;
	return fd;
}

static struct nlmsghdr *put(struct batch *b, int type, int flags)
{
	if (b->last)
		b->len += MNL_ALIGN(b->last->nlmsg_len);
	b->last = mnl_nlmsg_put_header(b->buf + b->len);
	b->last->nlmsg_type = (uint16_t)type;
	b->last->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return b->last;
}

static void flush(struct batch *b)
{
	char answer[4096] __attribute__((aligned(8))) = { 0 };
	const struct nlmsgerr *e = mnl_nlmsg_get_payload((struct nlmsghdr *)(void *)answer);

	b->last->nlmsg_flags |= NLM_F_ACK;
	b->len += MNL_ALIGN(b->last->nlmsg_len);
	if (mnl_socket_sendto(b->nl, b->buf, b->len) < 0 || mnl_socket_recvfrom(b->nl, answer, sizeof(answer)) < 0)
		die("netlink");
	if (e->error) {
		errno = -e->error;
		die("kernel");
	}
	b->len = 0;
	b->last = NULL;
}

static struct nlmsghdr *link_msg(struct batch *b, uint32_t index, int up, const char *name, uint32_t mtu)
{
	struct nlmsghdr *h = put(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	i->ifi_index = (int)index;
	i->ifi_flags = i->ifi_change = up ? IFF_UP : 0;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_u32(h, IFLA_MTU, mtu);
	return h;
}

static void one_queue(struct nlmsghdr *h)
{
	mnl_attr_put_u32(h, IFLA_NUM_TX_QUEUES, 1);
	mnl_attr_put_u32(h, IFLA_NUM_RX_QUEUES, 1);
}

static void veth(struct batch *b, uint32_t index, const char *name, uint32_t master, uint32_t mtu, uint32_t peer_index, int fd)
{
	struct nlmsghdr *h = link_msg(b, index, 1, name, mtu);
	struct nlattr *info, *data, *peer;
	struct ifinfomsg *i;

	mnl_attr_put_u32(h, IFLA_MASTER, master);
	one_queue(h);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	i->ifi_index = (int)peer_index;
	mnl_attr_put_strz(h, IFLA_IFNAME, "eth0");
	mnl_attr_put_u32(h, IFLA_MTU, mtu);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)fd);
	one_queue(h);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

static void bridge(struct batch *b, uint32_t index, const char *name, uint32_t mtu)
{
	struct nlmsghdr *h = link_msg(b, index, 1, name, mtu);
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO), *data;

	mnl_attr_put_strz(h, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u8(h, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

static void vxlan(struct batch *b, uint32_t vni_index, uint32_t host, uint32_t local, bool direct)
{
	char name[IFNAMSIZ];
	struct nlmsghdr *h;
	struct nlattr *info, *data;

	snprintf(name, sizeof(name), "vxlan%u", 10000 + vni_index);
	h = link_msg(b, TUNNEL + vni_index, 1, name, MTU);
	if (!direct)
		mnl_attr_put_u32(h, IFLA_MASTER, BRIDGE + vni_index);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "vxlan");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_VXLAN_ID, 10000 + vni_index);
	mnl_attr_put_u32(h, IFLA_VXLAN_LINK, UPLINK + host);
	mnl_attr_put_u16(h, IFLA_VXLAN_PORT, htons(4789));
	mnl_attr_put_u32(h, IFLA_VXLAN_LOCAL, local);
	mnl_attr_put_u32(h, IFLA_VXLAN_GROUP, htonl(0xef010101 + vni_index));
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

static void macvlan(struct batch *b, uint32_t lower, int fd)
{
	struct nlmsghdr *h = link_msg(b, 2, 0, "eth0", MTU);
	struct nlattr *info, *data;

	mnl_attr_put_u32(h, IFLA_LINK, lower);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)fd);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "macvlan");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

static void address(struct batch *b, uint32_t index, uint32_t addr, uint8_t len)
{
	struct nlmsghdr *h = put(b, RTM_NEWADDR, NLM_F_CREATE);
	struct ifaddrmsg *a = mnl_nlmsg_put_extra_header(h, sizeof(*a));

	a->ifa_family = AF_INET;
	a->ifa_prefixlen = len;
	a->ifa_index = index;
	mnl_attr_put_u32(h, IFA_LOCAL, addr);
	mnl_attr_put_u32(h, IFA_ADDRESS, addr);
}

static void up(struct batch *b, uint32_t index)
{
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(put(b, RTM_NEWLINK, 0), sizeof(*i));

	i->ifi_index = (int)index;
	i->ifi_flags = i->ifi_change = IFF_UP;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void build_client(struct batch *b, uint32_t host, uint32_t vni, uint32_t vnis, uint32_t local, bool direct)
{
	static struct batch c;
	char name[IFNAMSIZ];
	int fd = new_netns(&c);

	snprintf(name, sizeof(name), "br%u", 10000 + vni);
	if (!direct)
		bridge(b, BRIDGE + vni, name, MTU);
	vxlan(b, vni, host, local, direct);
	snprintf(name, sizeof(name), "c%u", host * vnis + vni);
	if (direct)
		macvlan(b, TUNNEL + vni, fd);
	else
		veth(b, CLIENT + vni, name, BRIDGE + vni, MTU, 2, fd);
	flush(b);
	up(&c, 1);
	address(&c, 2, htonl(0x0a000000 + (vni << 16) + host + 1), 16);
	up(&c, 2);
	flush(&c);
	mnl_socket_close(c.nl);
}

static void build_host(struct batch *fabric, uint32_t host, uint32_t vnis, bool direct)
{
	static struct batch b;
	char name[IFNAMSIZ];
	uint32_t local = htonl(0xac100164 + host);
	int host_fd = new_netns(&b);

	snprintf(name, sizeof(name), "p%u", host);
	veth(fabric, PORT + host, name, 2, 1500, UPLINK + host, host_fd);
	flush(fabric);
	up(&b, 1);
	address(&b, UPLINK + host, local, 16);
	for (uint32_t j = 0; j < vnis; j++)
		build_client(&b, host, j, vnis, local, direct);
	up(&b, UPLINK + host);
	flush(&b);
	mnl_socket_close(b.nl);
}

int main(int argc, char **argv)
{
	static struct batch fabric;
	struct rlimit files = { 1 << 18, 1 << 18 };
	uint32_t hosts = argc > 1 ? (uint32_t)atoi(argv[1]) : 9, vnis = argc > 2 ? (uint32_t)atoi(argv[2]) : 4;
	bool direct = argc > 3 && strcmp(argv[3], "direct") == 0;
	double start = now_ms();

	(void)setrlimit(RLIMIT_NOFILE, &files); /* where it matters and is refused, a socket says so */
	new_netns(&fabric);
	bridge(&fabric, 2, "br100", 1500);
	flush(&fabric);
	for (uint32_t i = 0; i < hosts; i++)
		build_host(&fabric, i, vnis, direct);
	printf("%.1f\n", now_ms() - start);
	return 0;
}
