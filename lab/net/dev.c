/* SPDX-License-Identifier: Apache-2.0 */
/* Devices as rtnetlink requests; see dev.h. Attribute layouts: linux/if_link.h, drivers/net/vxlan, net/bridge. */
#include "lab/net/dev.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <net/if.h> /* before linux/if.h, which then leaves out what they both define */
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/ip6_tunnel.h>
#include <linux/neighbour.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	/* The kernel keeps ageing in jiffies in an unsigned long but takes centiseconds (USER_HZ) in 32 bits: about 248 days. */
	NEVER_AGES = INT32_MAX,
	TUNNEL_TTL = 64,
};

static struct ifinfomsg *put_ifinfo(struct nlmsghdr *h, uint32_t index, bool up)
{
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = (int)index;
	if (up)
		ifi->ifi_change = ifi->ifi_flags = IFF_UP;
	return ifi;
}

static void put_end(struct nlmsghdr *h, const struct dev_end *end)
{
	mnl_attr_put_strz(h, IFLA_IFNAME, end->name);
	mnl_attr_put_u32(h, IFLA_MTU, end->mtu);
	/* A veth end has a queue for every processor otherwise, and the driver shrinks that to one at once, waiting for an RCU grace
	 * period each time: that was nearly all the waiting there was. */
	mnl_attr_put_u32(h, IFLA_NUM_TX_QUEUES, 1);
	mnl_attr_put_u32(h, IFLA_NUM_RX_QUEUES, 1);
	if (end->mac)
		mnl_attr_put(h, IFLA_ADDRESS, 6, end->mac);
}

static struct nlmsghdr *request_link(struct nl *nl, struct error *err, const char *kind, const char *name)
{
	static const struct { const char *kind, *needs; } kinds[] = {
		{ "veth", "CONFIG_VETH (modprobe veth)" },
		{ "bridge", "CONFIG_BRIDGE (modprobe bridge)" },
		{ "vxlan", "CONFIG_VXLAN (modprobe vxlan)" },
		{ "geneve", "CONFIG_GENEVE (modprobe geneve)" },
		{ "gretap", "CONFIG_NET_IPGRE (modprobe ip_gre)" },
		{ "ip6gretap", "CONFIG_IPV6_GRE (modprobe ip6_gre)" },
		{ "macvlan", "CONFIG_MACVLAN (modprobe macvlan)" },
	};
	struct nlmsghdr *h = nl_request(nl, err, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "create %s %s", kind, name);

	for (size_t i = 0; h && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			nl_needs(nl, kinds[i].needs);
	return h;
}

static void put_address(struct nlmsghdr *h, uint16_t type, const struct ip_addr *a)
{
	size_t len;
	const uint8_t *bytes = addr_bytes(a, &len);

	mnl_attr_put(h, type, len, bytes);
}

int dev_add_veth(struct nl *nl, struct error *err, const struct dev_end *near, uint32_t master, const struct dev_end *far,
		 int far_netns)
{
	struct nlmsghdr *h = request_link(nl, err, "veth", near->name);
	struct nlattr *info, *data, *peer;

	if (!h)
		return -EIO;
	put_ifinfo(h, near->index, true);
	put_end(h, near);
	mnl_attr_put_u32(h, IFLA_MASTER, master);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	put_ifinfo(h, far->index, false);
	put_end(h, far);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)far_netns);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return 0;
}

/* The driver makes that queue where frames are to be merged as they come in (veth_gro_requested). They are not all the same, being
 * longer than one byte: the interface's own count and the monitor's stay those of frames. */
int dev_own_queue(struct nl *nl, struct error *err, uint32_t index, const char *name)
{
	struct ethtool_value on = { .cmd = ETHTOOL_SGRO, .data = 1 };
	struct ifreq request = { .ifr_data = (void *)&on };
	struct nlmsghdr *h = nl_request(nl, err, RTM_NEWLINK, 0, "keep %s from merging frames", name);

	if (!h)
		return -EIO;
	put_ifinfo(h, index, false);
	mnl_attr_put_u32(h, IFLA_GRO_MAX_SIZE, 1);
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	(void)ioctl(nl_fd(nl), SIOCETHTOOL, &request); /* without it floods are lost, and that is counted: nothing worse */
	return 0;
}

int dev_add_bridge(struct nl *nl, struct error *err, const char *name, uint32_t index, uint32_t mtu)
{
	struct nlmsghdr *h = request_link(nl, err, "bridge", name);
	struct nlattr *info, *data;

	if (!h)
		return -EIO;
	put_ifinfo(h, index, true);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_u32(h, IFLA_MTU, mtu);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u8(h, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_put_u32(h, IFLA_BR_AGEING_TIME, NEVER_AGES);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return 0;
}

int dev_add_vxlan(struct nl *nl, struct error *err, const struct dev_vxlan *v)
{
	struct nlmsghdr *h = request_link(nl, err, "vxlan", v->name);
	bool v4 = addr_is_v4(v->local);
	struct nlattr *info, *data;

	if (!h)
		return -EIO;
	put_ifinfo(h, v->index, true);
	mnl_attr_put_strz(h, IFLA_IFNAME, v->name);
	mnl_attr_put_u32(h, IFLA_MTU, v->mtu);
	if (v->master)
		mnl_attr_put_u32(h, IFLA_MASTER, v->master);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "vxlan");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_VXLAN_ID, v->vni);
	mnl_attr_put_u32(h, IFLA_VXLAN_LINK, v->lower);
	mnl_attr_put_u16(h, IFLA_VXLAN_PORT, htons(v->port));
	mnl_attr_put_u8(h, IFLA_VXLAN_LEARNING, 1);
	mnl_attr_put_u32(h, IFLA_VXLAN_AGEING, 0); /* never: a one-way stream's receiver must stay known */
	put_address(h, v4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, v->local);
	if (v->group)
		put_address(h, v4 ? IFLA_VXLAN_GROUP : IFLA_VXLAN_GROUP6, v->group);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return 0;
}

/* The part that all links born in a bridge have in common; ends inside IFLA_LINKINFO. */
static struct nlattr *put_tunnel(struct nlmsghdr *h, const struct dev_tunnel *t, const char *kind)
{
	struct nlattr *info;

	put_ifinfo(h, t->index, true);
	mnl_attr_put_strz(h, IFLA_IFNAME, t->name);
	mnl_attr_put_u32(h, IFLA_MTU, t->mtu);
	mnl_attr_put_u32(h, IFLA_MASTER, t->master);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, kind);
	return info;
}

int dev_add_geneve(struct nl *nl, struct error *err, const struct dev_tunnel *t)
{
	struct nlmsghdr *h = request_link(nl, err, "geneve", t->name);
	struct nlattr *info, *data;

	if (!h)
		return -EIO;
	info = put_tunnel(h, t, "geneve");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_GENEVE_ID, t->vni);
	mnl_attr_put_u16(h, IFLA_GENEVE_PORT, htons(t->port));
	put_address(h, addr_is_v4(t->remote) ? IFLA_GENEVE_REMOTE : IFLA_GENEVE_REMOTE6, t->remote);
	mnl_attr_put_u8(h, IFLA_GENEVE_TTL, TUNNEL_TTL);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return 0;
}

int dev_add_gretap(struct nl *nl, struct error *err, const struct dev_tunnel *t)
{
	bool v4 = addr_is_v4(t->local);
	const char *kind = v4 ? "gretap" : "ip6gretap";
	struct nlmsghdr *h = request_link(nl, err, kind, t->name);
	struct nlattr *info, *data;

	if (!h)
		return -EIO;
	info = put_tunnel(h, t, kind);
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u16(h, IFLA_GRE_IFLAGS, GRE_KEY);
	mnl_attr_put_u16(h, IFLA_GRE_OFLAGS, GRE_KEY);
	mnl_attr_put_u32(h, IFLA_GRE_IKEY, htonl(t->vni));
	mnl_attr_put_u32(h, IFLA_GRE_OKEY, htonl(t->vni));
	put_address(h, IFLA_GRE_LOCAL, t->local);
	put_address(h, IFLA_GRE_REMOTE, t->remote);
	mnl_attr_put_u8(h, IFLA_GRE_TTL, TUNNEL_TTL);
	if (!v4) /* else each packet carries 8 bytes more, a destination option that bounds nesting (RFC 2473, 4.1.1) */
		mnl_attr_put_u32(h, IFLA_GRE_FLAGS, IP6_TNL_F_IGN_ENCAP_LIMIT);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return 0;
}

int dev_isolate(struct nl *nl, struct error *err, uint32_t index, const char *name)
{
	struct nlmsghdr *h = nl_request(nl, err, RTM_NEWLINK, 0, "isolate the bridge port %s", name);
	struct nlattr *info, *data;

	if (!h)
		return -EIO;
	put_ifinfo(h, index, false);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_SLAVE_KIND, "bridge");
	data = mnl_attr_nest_start(h, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(h, IFLA_BRPORT_ISOLATED, 1);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return 0;
}

static void put_neighbour(struct nlmsghdr *h, uint8_t family, uint32_t index, uint16_t state, uint8_t flags,
			  const uint8_t *mac)
{
	struct ndmsg *nd = mnl_nlmsg_put_extra_header(h, sizeof(*nd));

	nd->ndm_family = family;
	nd->ndm_ifindex = (int)index;
	nd->ndm_state = state;
	nd->ndm_flags = flags;
	mnl_attr_put(h, NDA_LLADDR, 6, mac);
}

int dev_add_flood(struct nl *nl, struct error *err, uint32_t vxlan, const struct ip_addr *remote)
{
	static const uint8_t any_mac[6];
	char text[ADDR_STRLEN];
	struct nlmsghdr *h = nl_request(nl, err, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_APPEND, "add the flood entry to %s",
					addr_format(remote, text));

	if (!h)
		return -EIO;
	put_neighbour(h, AF_BRIDGE, vxlan, NUD_NOARP | NUD_PERMANENT, NTF_SELF, any_mac);
	put_address(h, NDA_DST, remote);
	return 0;
}

int dev_add_fdb_behind(struct nl *nl, struct error *err, uint32_t vxlan, const uint8_t *mac, const struct ip_addr *remote)
{
	char text[ADDR_STRLEN];
	/* Several generators may have a pair in common: to replace an entry with itself is no mistake. */
	struct nlmsghdr *h = nl_request(nl, err, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, "add a forwarding entry to %s",
					addr_format(remote, text));

	if (!h)
		return -EIO;
	put_neighbour(h, AF_BRIDGE, vxlan, NUD_NOARP | NUD_PERMANENT, NTF_SELF, mac);
	put_address(h, NDA_DST, remote);
	return 0;
}

int dev_add_fdb(struct nl *nl, struct error *err, uint32_t port, const uint8_t *mac)
{
	struct nlmsghdr *h = nl_request(nl, err, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, "add the forwarding entry of port %u",
					port);

	if (!h)
		return -EIO;
	put_neighbour(h, AF_BRIDGE, port, NUD_NOARP, NTF_MASTER, mac);
	return 0;
}

int dev_add_neighbour(struct nl *nl, struct error *err, uint32_t index, const struct ip_addr *addr, const uint8_t *mac)
{
	char text[ADDR_STRLEN];
	/* It may have been learned meanwhile. */
	struct nlmsghdr *h = nl_request(nl, err, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, "add the neighbour %s",
					addr_format(addr, text));

	if (!h)
		return -EIO;
	put_neighbour(h, addr_is_v4(addr) ? AF_INET : AF_INET6, index, NUD_PERMANENT, 0, mac);
	put_address(h, NDA_DST, addr);
	return 0;
}

int dev_add_macvlan(struct nl *nl, struct error *err, uint32_t lower, const struct dev_end *far, int far_netns)
{
	struct nlmsghdr *h = request_link(nl, err, "macvlan", far->name);
	struct nlattr *info, *data;

	if (!h)
		return -EIO;
	put_ifinfo(h, far->index, false);
	put_end(h, far);
	mnl_attr_put_u32(h, IFLA_LINK, lower);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)far_netns);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "macvlan");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return 0;
}

int dev_add_address(struct nl *nl, struct error *err, uint32_t index, const struct ip_addr *a, uint8_t prefix_len)
{
	char text[ADDR_STRLEN];
	struct nlmsghdr *h = nl_request(nl, err, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "add address %s/%u",
					addr_format(a, text), prefix_len);
	bool v4 = addr_is_v4(a);
	struct ifaddrmsg *ifa;

	if (!h)
		return -EIO;
	ifa = mnl_nlmsg_put_extra_header(h, sizeof(*ifa));
	ifa->ifa_family = v4 ? AF_INET : AF_INET6;
	ifa->ifa_prefixlen = prefix_len;
	ifa->ifa_flags = v4 ? 0 : IFA_F_NODAD;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	ifa->ifa_index = index;
	put_address(h, IFA_LOCAL, a);
	put_address(h, IFA_ADDRESS, a);
	return 0;
}

int dev_plug_in(struct nl *nl, struct error *err, uint32_t index, const char *name, uint32_t master)
{
	struct nlmsghdr *h = nl_request(nl, err, RTM_NEWLINK, 0, "plug %s into its bridge", name);

	if (!h)
		return -EIO;
	put_ifinfo(h, index, true);
	mnl_attr_put_u32(h, IFLA_MASTER, master);
	return 0;
}

int dev_set_up(struct nl *nl, struct error *err, uint32_t index, const char *name)
{
	struct nlmsghdr *h = nl_request(nl, err, RTM_NEWLINK, 0, "set %s up", name);

	if (!h)
		return -EIO;
	put_ifinfo(h, index, true);
	return 0;
}

int dev_set_down(struct nl *nl, struct error *err, uint32_t index, const char *name)
{
	struct nlmsghdr *h = nl_request(nl, err, RTM_NEWLINK, 0, "set %s down", name);

	if (!h)
		return -EIO;
	put_ifinfo(h, index, false)->ifi_change = IFF_UP;
	return 0;
}

int dev_set_group(struct nl *nl, struct error *err, uint32_t index, uint32_t group)
{
	struct nlmsghdr *h = nl_request(nl, err, RTM_NEWLINK, 0, "put link %u in group %u", index, group);

	if (!h)
		return -EIO;
	put_ifinfo(h, index, false);
	mnl_attr_put_u32(h, IFLA_GROUP, group);
	return 0;
}

int dev_delete_group(struct nl *nl, struct error *err, uint32_t group)
{
	struct nlmsghdr *h = nl_request(nl, err, RTM_DELLINK, 0, "remove the links of group %u", group);

	if (!h)
		return -EIO;
	put_ifinfo(h, 0, false);
	mnl_attr_put_u32(h, IFLA_GROUP, group);
	return 0;
}
