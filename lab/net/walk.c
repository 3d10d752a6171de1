/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the kernel's view of one path; see walk.h. Requests: RTM_GETLINK, RTM_GETNEIGH (neighbours and, with AF_BRIDGE, forwarding
 * entries: net/core/rtnetlink.c, rtnl_fdb_get), RTM_GETQDISC. */
#include "lab/net/walk.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if.h> /* before linux/if.h, which then leaves out what they both define */
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/net/index.h"
#include "lab/net/link.h"
#include "lab/net/ns.h"
#include "lab/net/walk_start.h"

enum {
	REQUEST_BYTES = 256,
	USABLE = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY,
};

union request {
	struct nlmsghdr header;
	char bytes[REQUEST_BYTES];
};

static struct nlmsghdr *begin(union request *r, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(r->bytes);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	return h;
}

/* ------------------------------------------------------------------ devices */

static void take_stats(const struct nlattr *attr, struct walk_device *d)
{
	struct rtnl_link_stats64 s = { 0 };
	size_t len = mnl_attr_get_payload_len(attr);

	memcpy(&s, mnl_attr_get_payload(attr), len < sizeof(s) ? len : sizeof(s)); /* it grows from kernel to kernel */
	d->rx_packets = s.rx_packets;
	d->tx_packets = s.tx_packets;
	d->rx_dropped = s.rx_dropped + s.rx_errors;
	d->tx_dropped = s.tx_dropped + s.tx_errors;
}

/* The number in IFLA_INFO_DATA: where it stands depends on the kind. */
static void take_number(const char *kind, const struct nlattr *data, struct walk_device *d)
{
	const struct nlattr *attr;
	uint16_t type = strcmp(kind, "vxlan") == 0 ? IFLA_VXLAN_ID : strcmp(kind, "geneve") == 0 ? IFLA_GENEVE_ID : IFLA_GRE_OKEY;
	bool key = type == IFLA_GRE_OKEY;

	if (key && strcmp(kind, "gretap") != 0 && strcmp(kind, "ip6gretap") != 0)
		return;
	mnl_attr_for_each_nested(attr, data)
		if (mnl_attr_get_type(attr) == type && mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
			d->vni = key ? ntohl(mnl_attr_get_u32(attr)) : mnl_attr_get_u32(attr);
}

static void take_kind(const struct nlattr *info, struct walk_device *d)
{
	const struct nlattr *attr, *data = NULL;
	const char *kind = "";

	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			kind = mnl_attr_get_str(attr);
		if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (data)
		take_number(kind, data, d);
}

void walk_take_link(void *arg, const struct nlmsghdr *h)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	struct walk_device *d = arg;
	const struct nlattr *attr;

	if (h->nlmsg_type != RTM_NEWLINK)
		return;
	d->known = true;
	d->up = ifi->ifi_flags & IFF_UP;
	d->carrier = ifi->ifi_flags & IFF_RUNNING;
	mnl_attr_for_each(attr, h, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) == IFLA_MTU && mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
			d->mtu = mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) == IFLA_STATS64)
			take_stats(attr, d);
		if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
			take_kind(attr, d);
	}
}

static void read_device(struct nl *nl, uint32_t index, struct walk_device *ret)
{
	union request r;
	struct nlmsghdr *h = begin(&r, RTM_GETLINK, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));

	ifi->ifi_index = (int)index;
	*ret = (struct walk_device){ 0 };
	if (nl && nl_ask(nl, h, walk_take_link, ret))
		ret->known = false;
}

/* ------------------------------------------------------------------ entries */

struct entry {
	bool found, usable;
	uint32_t index;       /* of the device it leads to */
	uint8_t mac[ETH_ALEN];
	struct ip_addr dst;   /* of a tunnel's entry: the far end; none if it has no such thing */
	/* of a listing: */
	const struct ip_addr *wanted; /* this far end under the all-zero MAC */
	bool floods;
};

static struct ip_addr addr_of(const struct nlattr *attr)
{
	struct ip_addr a = { { 0 } };

	if (mnl_attr_get_payload_len(attr) == 4) {
		a.b[10] = a.b[11] = 0xff;
		memcpy(a.b + 12, mnl_attr_get_payload(attr), 4);
	} else if (mnl_attr_get_payload_len(attr) == 16) {
		memcpy(a.b, mnl_attr_get_payload(attr), 16);
	}
	return a;
}

static void take_entry(void *arg, const struct nlmsghdr *h)
{
	static const uint8_t any[ETH_ALEN];
	const struct ndmsg *nd = mnl_nlmsg_get_payload(h);
	struct entry *e = arg;
	const struct nlattr *attr;
	struct ip_addr dst = { { 0 } };

	if (h->nlmsg_type != RTM_NEWNEIGH)
		return;
	e->found = true;
	e->usable = nd->ndm_state & USABLE;
	e->index = (uint32_t)nd->ndm_ifindex;
	memset(e->mac, 0, sizeof(e->mac));
	mnl_attr_for_each(attr, h, sizeof(*nd)) {
		if (mnl_attr_get_type(attr) == NDA_LLADDR && mnl_attr_get_payload_len(attr) == ETH_ALEN)
			memcpy(e->mac, mnl_attr_get_payload(attr), ETH_ALEN);
		if (mnl_attr_get_type(attr) == NDA_DST)
			dst = addr_of(attr);
		if (mnl_attr_get_type(attr) == NDA_IFINDEX && mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
			e->index = mnl_attr_get_u32(attr);
	}
	e->dst = dst;
	e->floods |= e->wanted && memcmp(e->mac, any, sizeof(any)) == 0 && addr_equal(&dst, e->wanted);
}

static struct ndmsg *put_neighbour(struct nlmsghdr *h, uint8_t family, uint32_t index, uint8_t flags)
{
	struct ndmsg *nd = mnl_nlmsg_put_extra_header(h, sizeof(*nd));

	nd->ndm_family = family;
	nd->ndm_ifindex = (int)index;
	nd->ndm_flags = flags;
	return nd;
}

/* How a device finds the MAC of an address. */
static enum walk_entry read_neighbour(struct nl *nl, uint32_t index, const struct ip_addr *addr, const uint8_t *mac)
{
	union request r;
	struct nlmsghdr *h = begin(&r, RTM_GETNEIGH, 0);
	struct entry e = { 0 };
	size_t len;
	const uint8_t *bytes = addr_bytes(addr, &len);
	int err;

	(void)put_neighbour(h, addr_is_v4(addr) ? AF_INET : AF_INET6, index, 0);
	mnl_attr_put(h, NDA_DST, len, bytes);
	err = nl ? nl_ask(nl, h, take_entry, &e) : -EBADF;
	if (err == -ENOENT || (!err && (!e.found || !e.usable)))
		return WALK_NONE;
	if (err)
		return WALK_UNKNOWN;
	return memcmp(e.mac, mac, ETH_ALEN) == 0 ? WALK_RIGHT : WALK_WRONG;
}

/* A bridge's entry for a MAC. */
static enum walk_entry read_bridge_entry(struct nl *nl, uint32_t bridge, const uint8_t *mac, uint32_t port)
{
	union request r;
	struct nlmsghdr *h = begin(&r, RTM_GETNEIGH, 0);
	struct entry e = { 0 };
	int err;

	(void)put_neighbour(h, AF_BRIDGE, 0, NTF_MASTER);
	mnl_attr_put(h, NDA_LLADDR, ETH_ALEN, mac);
	mnl_attr_put_u32(h, NDA_MASTER, bridge);
	err = nl_ask(nl, h, take_entry, &e);
	if (err == -ENOENT)
		return WALK_NONE;
	if (err || !e.found)
		return WALK_UNKNOWN;
	return e.index == port ? WALK_RIGHT : WALK_WRONG;
}

/* A vxlan's entry for a MAC. */
static enum walk_entry read_vxlan_entry(struct nl *nl, uint32_t vxlan, const uint8_t *mac, const struct ip_addr *vtep)
{
	union request r;
	struct nlmsghdr *h = begin(&r, RTM_GETNEIGH, 0);
	struct entry e = { 0 };
	int err;

	(void)put_neighbour(h, AF_BRIDGE, vxlan, NTF_SELF);
	mnl_attr_put(h, NDA_LLADDR, ETH_ALEN, mac);
	err = nl_ask(nl, h, take_entry, &e);
	if (err == -ENOENT)
		return WALK_NONE;
	if (err || !e.found)
		return WALK_UNKNOWN;
	return addr_equal(&e.dst, vtep) ? WALK_RIGHT : WALK_WRONG;
}

/* Whether a vxlan floods to that VTEP by head-end replication. */
static enum walk_entry read_flood_entry(struct nl *nl, uint32_t vxlan, const struct ip_addr *vtep)
{
	union request r;
	struct nlmsghdr *h = begin(&r, RTM_GETNEIGH, NLM_F_DUMP);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi)); /* as all kernels take it: valid_fdb_dump_legacy() */
	struct entry e = { .wanted = vtep };

	ifi->ifi_family = AF_BRIDGE;
	ifi->ifi_index = (int)vxlan;
	if (nl_ask(nl, h, take_entry, &e))
		return WALK_UNKNOWN;
	return e.floods ? WALK_RIGHT : WALK_NONE;
}

/* ------------------------------------------------------------------ queues */

struct queue_reader {
	uint32_t index;
	struct walk_queue *queue;
};

static void take_qdisc(void *arg, const struct nlmsghdr *h)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(h);
	const struct queue_reader *q = arg;
	const struct nlattr *attr;

	if (h->nlmsg_type != RTM_NEWQDISC || (uint32_t)tc->tcm_ifindex != q->index || tc->tcm_parent != TC_H_ROOT || !tc->tcm_handle)
		return;
	mnl_attr_for_each(attr, h, sizeof(*tc)) {
		struct tc_stats s = { 0 };
		size_t len = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) != TCA_STATS)
			continue;
		memcpy(&s, mnl_attr_get_payload(attr), len < sizeof(s) ? len : sizeof(s));
		*q->queue = (struct walk_queue){ true, s.drops, s.qlen };
	}
}

static void read_queue(struct nl *nl, uint32_t index, struct walk_queue *ret)
{
	union request r;
	struct nlmsghdr *h = begin(&r, RTM_GETQDISC, NLM_F_DUMP);
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(h, sizeof(*tc));
	struct queue_reader q = { index, ret };

	tc->tcm_ifindex = (int)index;
	(void)nl_ask(nl, h, take_qdisc, &q); /* then it is not known */
}

/* ------------------------------------------------------------------ the way */

struct ends {
	const struct plan *plan;
	const struct plan_client *from, *to;
	const struct plan_vni *vni;
	struct nl *from_client, *from_host, *fabric, *to_host, *to_client;
	bool direct, point_to_point;
	const struct walk_start *start;
};

static struct nl *client_socket(const struct lab *lab, uint32_t client)
{
	return lab->nl_clients ? lab->nl_clients[client] : NULL;
}

/* Index of the tunnel device on one host that leads to the other. */
static uint32_t tunnel_index(const struct ends *e, uint32_t remote)
{
	return e->point_to_point ? INDEX_POINT_TO_POINT + e->from->vni * SCN_HOSTS_MAX + remote : INDEX_TUNNEL + e->from->vni;
}

/* What it has counted since traffic began. */
static void look_at(const struct ends *e, struct nl *nl, uint32_t index, struct walk_device *ret)
{
	read_device(nl, index, ret);
	walk_start_subtract(e->start, nl, index, ret);
}

static void read_devices(const struct ends *e, uint32_t from, uint32_t to, struct walk_device *at)
{
	uint32_t a = e->from->host, b = e->to->host;

	look_at(e, e->from_client, INDEX_CLIENT_ETH0, &at[WALK_FROM_ETH0]);
	look_at(e, e->from_host, tunnel_index(e, b), &at[WALK_FROM_TUNNEL]);
	look_at(e, e->from_host, PLAN_IFINDEX_UPLINK + a, &at[WALK_FROM_UPLINK]);
	look_at(e, e->fabric, PLAN_IFINDEX_PORT + a, &at[WALK_FROM_FABRIC]);
	look_at(e, e->fabric, PLAN_IFINDEX_PORT + b, &at[WALK_TO_FABRIC]);
	look_at(e, e->to_host, PLAN_IFINDEX_UPLINK + b, &at[WALK_TO_UPLINK]);
	look_at(e, e->to_host, tunnel_index(e, a), &at[WALK_TO_TUNNEL]);
	look_at(e, e->to_client, INDEX_CLIENT_ETH0, &at[WALK_TO_ETH0]);
	if (e->direct)
		return;
	look_at(e, e->from_host, INDEX_CLIENT_PORT + from, &at[WALK_FROM_PORT]);
	look_at(e, e->from_host, INDEX_BRIDGE + e->from->vni, &at[WALK_FROM_BRIDGE]);
	look_at(e, e->to_host, INDEX_BRIDGE + e->to->vni, &at[WALK_TO_BRIDGE]);
	look_at(e, e->to_host, INDEX_CLIENT_PORT + to, &at[WALK_TO_PORT]);
}

static void read_entries(const struct ends *e, uint32_t to, struct walk_facts *f)
{
	const struct plan_host *b = &e->plan->hosts[e->to->host];
	uint32_t uplink = PLAN_IFINDEX_UPLINK + e->from->host, tunnel = tunnel_index(e, e->to->host);

	f->neighbour = read_neighbour(e->from_client, INDEX_CLIENT_ETH0, &e->to->addr, e->to->mac);
	f->vtep = read_neighbour(e->from_host, uplink, &b->vtep, b->mac);
	f->fabric_fdb = read_bridge_entry(e->fabric, index_host_bridge(e->plan, e->to->host), b->mac, PLAN_IFINDEX_PORT + e->to->host);
	if (!e->direct) {
		f->from_fdb = read_bridge_entry(e->from_host, INDEX_BRIDGE + e->from->vni, e->to->mac, tunnel);
		f->to_fdb = read_bridge_entry(e->to_host, INDEX_BRIDGE + e->to->vni, e->to->mac, INDEX_CLIENT_PORT + to);
	}
	if (!e->point_to_point)
		f->tunnel_fdb = read_vxlan_entry(e->from_host, tunnel, e->to->mac, &b->vtep);
	if (!e->point_to_point && e->vni->scn->flood == SCN_UNICAST)
		f->flood_fdb = read_flood_entry(e->from_host, tunnel, &b->vtep);
}

void walk(struct lab *lab, const struct links *links, const struct walk_start *start, uint32_t from, uint32_t to, struct walk_facts *ret)
{
	const struct plan *p = lab->plan;
	uint32_t a = p->clients[from].host, b = p->clients[to].host;
	const struct ends e = {
		.plan = p, .from = &p->clients[from], .to = &p->clients[to], .vni = &p->vnis[p->clients[from].vni],
		.from_client = client_socket(lab, from), .from_host = lab_nl_host(lab, a), .fabric = lab_nl_fabric(lab),
		.to_host = lab_nl_host(lab, b), .to_client = client_socket(lab, to),
		.direct = p->scn->wiring == SCN_DIRECT, .point_to_point = scn_is_point_to_point(p->vnis[p->clients[from].vni].scn->encap),
		.start = start,
	};

	*ret = (struct walk_facts){ 0 };
	read_devices(&e, from, to, ret->at);
	read_entries(&e, to, ret);
	read_queue(e.from_host, PLAN_IFINDEX_UPLINK + a, &ret->from_queue);
	read_queue(e.fabric, PLAN_IFINDEX_PORT + b, &ret->to_queue);
	if (links) {
		ret->from_lost = links_lost(links, a, LOSS_FROM_HOST);
		ret->to_lost = links_lost(links, b, LOSS_TO_HOST);
	}
}

/* ------------------------------------------------------------------ drops */

static bool is_veth(const struct nlmsghdr *h)
{
	const struct nlattr *attr, *info;

	mnl_attr_for_each(attr, h, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) != IFLA_LINKINFO)
			continue;
		mnl_attr_for_each_nested(info, attr)
			if (mnl_attr_get_type(info) == IFLA_INFO_KIND && mnl_attr_validate(info, MNL_TYPE_NUL_STRING) >= 0)
				return strcmp(mnl_attr_get_str(info), "veth") == 0;
	}
	return false;
}

/* veth counts as dropped on its way out what the other end's queue did not take (drivers/net/veth.c, veth_xmit). */
void walk_add_drops(void *arg, const struct nlmsghdr *h)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	struct walk_device d = { 0 };

	if (h->nlmsg_type != RTM_NEWLINK || ifi->ifi_family != AF_UNSPEC || !is_veth(h))
		return;
	walk_take_link(&d, h);
	*(uint64_t *)arg += d.tx_dropped;
}

static void count_drops(struct nl *nl, uint64_t *total)
{
	union request r;
	struct nlmsghdr *h = begin(&r, RTM_GETLINK, NLM_F_DUMP);

	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	if (nl)
		(void)nl_ask(nl, h, walk_add_drops, total); /* what cannot be read counts for nothing */
}

uint64_t walk_count_drops(struct lab *lab, const struct walk_start *start)
{
	uint64_t total = 0;

	count_drops(lab->nl_fabric, &total);
	for (uint32_t i = 0; i < lab->plan->n_hosts; i++)
		count_drops(lab->nl_hosts[i], &total);
	for (uint32_t i = 0; lab->nl_clients && i < lab->plan->n_clients; i++)
		count_drops(lab->nl_clients[i], &total);
	return walk_start_subtract_drops(start, total);
}

/* ------------------------------------------------------------------ sockets */

static int open_clients(struct lab *lab, struct error *err)
{
	int r = 0;

	for (uint32_t i = 0; i < lab->plan->n_clients && !r; i++) {
		const char *name = lab->plan->clients[i].port;

		r = ns_enter(lab->clients[i], name, err);
		if (!r && (r = nl_open(lab->batch, name, &lab->nl_clients[i])) != 0)
			error_set(err, "cannot open a netlink socket in %s: %s", name, strerror(-r));
	}
	return r;
}

int walk_open_clients(struct lab *lab, struct error *err)
{
	int home = ns_current(), r = home < 0 ? home : 0;
	struct error lost;

	lab->nl_clients = r ? NULL : calloc(lab->plan->n_clients + 1, sizeof(*lab->nl_clients));
	if (!r && !lab->nl_clients)
		r = -ENOMEM;
	if (r)
		error_set(err, "cannot look into clients: %s", strerror(-r));
	else
		r = open_clients(lab, err);
	if (home >= 0 && ns_enter(home, "this machine", &lost))
		abort(); /* going on in a lab's namespace would change the wrong network */
	if (home >= 0)
		(void)close(home);
	return r;
}
