/* SPDX-License-Identifier: Apache-2.0 */
/* Building and dropping a lab; see lab.h. Host by host: its namespace, its uplink (made from the fabric's side, so that
 * it is born plugged in), its clients' namespaces, then one batch with all its devices. */
#include "lab/net/lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/net/dev.h"
#include "lab/net/index.h"
#include "lab/net/ns.h"

enum {
	GROUPS_DEFAULT = 20, /* igmp_max_memberships of a new namespace */
	/* Up to so many hosts all know each other's VTEPs from the start, whatever traffic comes. Entries that are learned share one
	 * bound of 1024 over all namespaces of the machine (neigh/default/gc_thresh3), which a mesh of 40 hosts overruns; permanent
	 * ones do not count. With more hosts than this their number, hosts squared, would cost more than it saves: then those pairs
	 * are known that planned traffic uses. */
	VTEPS_KNOWN_MAX = 256,
	/* With more hosts than this a few floods at a time overrun the receive queue that they share otherwise. */
	SHARED_QUEUE_HOSTS = 128,
};

struct build {
	struct lab *lab;
	const struct plan *plan;
	const struct lab_watcher *watcher;
	struct error *err;
	struct ns_maker maker;
	struct plan_mesh *mesh; /* which hosts know each other; NULL: all */
};

static bool is_v6(const struct ip_addr *a)
{
	return !addr_is_v4(a);
}

static int add_vteps(struct build *b, uint32_t host, struct nl *nl)
{
	int r = 0;

	for (uint32_t i = 0; i < b->plan->n_hosts && !r; i++)
		if (b->mesh ? plan_mesh_has(b->mesh, host, i) : i != host)
			r = dev_add_neighbour(nl, b->err, PLAN_IFINDEX_UPLINK + host, &b->plan->hosts[i].vtep,
					      b->plan->hosts[i].mac);
	return r;
}

/* Where the host is, in every bridge of the fabric: nothing for it is ever flooded, not even the first frame. */
static int add_whereabouts(struct build *b, uint32_t host)
{
	const uint8_t *mac = b->plan->hosts[host].mac;
	struct nl *fabric = b->lab->nl_fabric;
	uint32_t leaves = plan_count_leaves(b->plan);
	int r = dev_add_fdb(fabric, b->err, PLAN_IFINDEX_PORT + host, mac);

	if (leaves && !r)
		r = dev_add_fdb(fabric, b->err, INDEX_TRUNK + plan_leaf(b->plan, host), mac);
	for (uint32_t i = 0; i < leaves && !r; i++)
		if (i != plan_leaf(b->plan, host))
			r = dev_add_fdb(fabric, b->err, INDEX_LEAF_TRUNK + i, mac);
	return r;
}

static int add_uplink(struct build *b, uint32_t host, struct nl *nl)
{
	const struct plan_host *ph = &b->plan->hosts[host];
	const struct ip_prefix *underlay = &b->plan->scn->underlay;
	struct dev_end port = { ph->port, PLAN_IFINDEX_PORT + host, PLAN_UNDERLAY_MTU, NULL };
	struct dev_end eth0 = { "eth0", PLAN_IFINDEX_UPLINK + host, PLAN_UNDERLAY_MTU, ph->mac };
	int r = dev_add_veth(b->lab->nl_fabric, b->err, &port, index_host_bridge(b->plan, host), &eth0, b->lab->hosts[host]);

	if (!r)
		r = add_whereabouts(b, host);
	if (!r)
		r = nl_flush(b->lab->nl_fabric, b->err);
	if (!r && b->plan->n_hosts > SHARED_QUEUE_HOSTS)
		r = dev_own_queue(nl, b->err, eth0.index, "eth0");
	if (!r && is_v6(&ph->vtep))
		r = ns_allow_ipv6(&b->maker, "eth0", ph->name, b->err);
	else if (!r && ph->n_clients > GROUPS_DEFAULT)
		r = ns_allow_groups(&b->maker, ph->n_clients, ph->name, b->err);
	if (!r)
		r = dev_set_up(nl, b->err, INDEX_LO, "lo");
	if (!r)
		r = dev_add_address(nl, b->err, eth0.index, &ph->vtep, underlay->len);
	return r ?: add_vteps(b, host, nl);
}

static int add_point_to_point(struct build *b, uint32_t client, uint32_t remote, struct nl *nl)
{
	const struct plan_client *pc = &b->plan->clients[client];
	const struct plan_vni *pv = &b->plan->vnis[pc->vni];
	char name[IFNAMSIZ];
	struct dev_tunnel t = {
		.name = plan_tunnel_name(pv, remote, name),
		.index = INDEX_POINT_TO_POINT + pc->vni * SCN_HOSTS_MAX + remote, .mtu = pv->tunnel_mtu,
		.master = INDEX_BRIDGE + pc->vni, .vni = plan_tunnel_vni(b->plan, pc->vni, pc->host), .port = SCN_GENEVE_PORT,
		.local = &b->plan->hosts[pc->host].vtep, .remote = &b->plan->hosts[remote].vtep,
	};
	int r = pv->scn->encap == SCN_GENEVE ? dev_add_geneve(nl, b->err, &t) : dev_add_gretap(nl, b->err, &t);

	return r ?: dev_isolate(nl, b->err, t.index, name);
}

/* One VNI's end on one host where devices are point to point: the bridge, and a tunnel to each other host that has this VNI. */
static int add_mesh(struct build *b, uint32_t client, struct nl *nl)
{
	const struct plan_client *pc = &b->plan->clients[client];
	const struct plan_vni *pv = &b->plan->vnis[pc->vni];
	int r = dev_add_bridge(nl, b->err, pv->bridge, INDEX_BRIDGE + pc->vni, pv->mtu);

	for (uint32_t i = 0; i < pv->n_clients && !r; i++) {
		uint32_t remote = b->plan->clients[pv->clients[i]].host;

		if (remote != pc->host)
			r = add_point_to_point(b, client, remote, nl);
	}
	return r;
}

/* One VNI's end on one host: bridge and tunnel, or the tunnel alone where clients sit on it directly. */
static int add_segment(struct build *b, uint32_t client, struct nl *nl)
{
	const struct plan_client *pc = &b->plan->clients[client];
	const struct plan_vni *pv = &b->plan->vnis[pc->vni];
	bool direct = b->plan->scn->wiring == SCN_DIRECT;
	bool unicast = pv->scn->flood == SCN_UNICAST;
	struct dev_vxlan v = {
		.name = pv->tunnel, .index = INDEX_TUNNEL + pc->vni, .mtu = pv->tunnel_mtu,
		.lower = PLAN_IFINDEX_UPLINK + pc->host, .master = direct ? 0 : INDEX_BRIDGE + pc->vni,
		.vni = plan_tunnel_vni(b->plan, pc->vni, pc->host), .port = b->plan->scn->port, .local = &b->plan->hosts[pc->host].vtep,
		.group = unicast ? NULL : &pv->scn->group,
	};
	int r;

	if (scn_is_point_to_point(pv->scn->encap))
		return add_mesh(b, client, nl);
	r = direct ? 0 : dev_add_bridge(nl, b->err, pv->bridge, v.master, pv->mtu);

	return r ?: dev_add_vxlan(nl, b->err, &v);
}

static int add_client_link(struct build *b, uint32_t client, struct nl *nl)
{
	const struct plan_client *pc = &b->plan->clients[client];
	uint32_t mtu = b->plan->vnis[pc->vni].mtu;
	struct dev_end port = { pc->port, INDEX_CLIENT_PORT + client, mtu, NULL };
	struct dev_end eth0 = { "eth0", INDEX_CLIENT_ETH0, mtu, pc->mac };
	int netns = b->lab->clients[client];

	if (b->plan->scn->wiring == SCN_DIRECT)
		return dev_add_macvlan(nl, b->err, INDEX_TUNNEL + pc->vni, &eth0, netns);
	return dev_add_veth(nl, b->err, &port, INDEX_BRIDGE + pc->vni, &eth0, netns);
}

/* The far end, in the client's own namespace: address and up, in one batch. The bridge's port then takes frames at once. */
static int configure_client(struct build *b, uint32_t client, struct nl *nl, struct nl *host_nl)
{
	const struct plan_client *pc = &b->plan->clients[client];
	int r = dev_set_up(nl, b->err, INDEX_LO, "lo");

	if (!r)
		r = dev_add_address(nl, b->err, INDEX_CLIENT_ETH0, &pc->addr, b->plan->vnis[pc->vni].scn->subnet.len);
	if (!r)
		r = dev_set_up(nl, b->err, INDEX_CLIENT_ETH0, "eth0");
	if (!r)
		r = nl_flush(nl, b->err);
	return r || b->plan->scn->wiring == SCN_DIRECT ? r : nl_settle_carrier(host_nl, b->err, pc->port);
}

static int create_client(struct build *b, uint32_t client, struct nl **ret_nl)
{
	const struct plan_client *pc = &b->plan->clients[client];
	struct nl *nl;
	int fd = ns_create(&b->maker, pc->port, &nl, b->err), r = 0;

	if (fd < 0)
		return fd;
	b->lab->clients[client] = fd;
	if (is_v6(&pc->addr))
		r = ns_allow_ipv6(&b->maker, "default", pc->port, b->err);
	if (r)
		nl_close(nl);
	else
		*ret_nl = nl;
	return r;
}

static int build_clients(struct build *b, const struct plan_host *ph, struct nl *host_nl)
{
	struct nl **nl = calloc(ph->n_clients + 1, sizeof(struct nl *));
	int r = nl ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < ph->n_clients && !r; i++) {
		r = create_client(b, ph->client0 + i, &nl[i]);
		if (!r)
			r = add_segment(b, ph->client0 + i, host_nl);
		if (!r)
			r = add_client_link(b, ph->client0 + i, host_nl);
	}
	if (!r)
		r = nl_flush(host_nl, b->err);
	for (uint32_t i = 0; i < ph->n_clients && !r; i++)
		r = configure_client(b, ph->client0 + i, nl[i], host_nl);
	for (uint32_t i = 0; nl && i < ph->n_clients; i++)
		nl_close(nl[i]);
	free(nl);
	return r;
}

static int build_host(struct build *b, uint32_t host)
{
	const struct plan_host *ph = &b->plan->hosts[host];
	int fd = ns_create(&b->maker, ph->name, &b->lab->nl_hosts[host], b->err), r;

	if (fd < 0)
		return fd;
	b->lab->hosts[host] = fd;
	r = add_uplink(b, host, b->lab->nl_hosts[host]);
	return r ?: build_clients(b, ph, b->lab->nl_hosts[host]);
}

static int add_leaf(struct build *b, uint32_t leaf)
{
	struct nl *nl = b->lab->nl_fabric;
	char bridge[IFNAMSIZ], up[IFNAMSIZ], down[IFNAMSIZ];
	struct dev_end near = { down, INDEX_TRUNK + leaf, PLAN_UNDERLAY_MTU, NULL };
	struct dev_end far = { up, INDEX_LEAF_TRUNK + leaf, PLAN_UNDERLAY_MTU, NULL };
	uint32_t index = INDEX_FABRIC_BRIDGE + 1 + leaf;
	int r = dev_add_bridge(nl, b->err, plan_leaf_name(leaf, bridge), index, PLAN_UNDERLAY_MTU);

	(void)snprintf(down, sizeof(down), "down-%.9s", bridge);
	(void)snprintf(up, sizeof(up), "up-%.9s", bridge);
	if (!r)
		r = dev_add_veth(nl, b->err, &near, INDEX_FABRIC_BRIDGE, &far, b->lab->fabric);
	return r ?: dev_plug_in(nl, b->err, far.index, up, index);
}

static int build_fabric(struct build *b)
{
	int fd = ns_create(&b->maker, "fabric", &b->lab->nl_fabric, b->err), r;

	if (fd < 0)
		return fd;
	b->lab->fabric = fd;
	r = dev_add_bridge(b->lab->nl_fabric, b->err, "br100", INDEX_FABRIC_BRIDGE, PLAN_UNDERLAY_MTU);
	for (uint32_t i = 0; i < plan_count_leaves(b->plan) && !r; i++)
		r = add_leaf(b, i);
	return r;
}

static int build_marks(struct build *b)
{
	for (int i = 0; i < 2; i++) {
		int fd = ns_create_bare("the lab's end", b->err);

		if (fd < 0)
			return fd;
		b->lab->marks[i] = fd;
	}
	return 0;
}

static struct lab *lab_alloc(const struct plan *plan)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	if (!lab)
		return NULL;
	lab->plan = plan;
	lab->fabric = lab->marks[0] = lab->marks[1] = -1;
	lab->hosts = malloc((plan->n_hosts + 1) * sizeof(int));
	lab->clients = malloc((plan->n_clients + 1) * sizeof(int));
	for (uint32_t i = 0; lab->hosts && i < plan->n_hosts; i++)
		lab->hosts[i] = -1;
	for (uint32_t i = 0; lab->clients && i < plan->n_clients; i++)
		lab->clients[i] = -1;
	lab->batch = nl_batch_new();
	lab->nl_hosts = calloc(plan->n_hosts + 1, sizeof(*lab->nl_hosts));
	if (lab->hosts && lab->clients && lab->batch && lab->nl_hosts)
		return lab;
	lab_free(lab);
	return NULL;
}

static int know_vteps(struct build *b)
{
	if (b->plan->n_hosts <= VTEPS_KNOWN_MAX)
		return 0;
	b->mesh = plan_mesh_new(b->plan);
	if (b->mesh)
		return 0;
	error_set(b->err, "cannot start building: %s", strerror(ENOMEM));
	return -ENOMEM;
}

static int add_whereabouts_behind(struct lab *lab, const struct plan_client *from, const struct plan_client *to, struct error *err)
{
	if (to->host == from->host)
		return 0;
	return dev_add_fdb_behind(lab->nl_hosts[from->host], err, INDEX_TUNNEL + from->vni, to->mac, &lab->plan->hosts[to->host].vtep);
}

/* Where the peers of planned traffic are, in VNIs whose clients do not ask. The way back is learned from the packets. */
static int add_known_peers(struct build *b)
{
	const struct plan *p = b->plan;
	int r = 0;

	for (uint32_t i = 0; i < p->n_generators && !r; i++) {
		const struct plan_generator *g = &p->generators[i];
		const struct plan_client *from = &p->clients[g->client];
		struct nl *nl = b->lab->nl_hosts[from->host];

		for (uint32_t k = 0; k < g->n_peers && !r && p->vnis[from->vni].known; k++)
			r = add_whereabouts_behind(b->lab, from, &p->clients[g->peers[k]], b->err);
		if (!r)
			r = nl_flush(nl, b->err);
	}
	return r;
}

/* The thread wanders through the namespaces it makes and must come home whatever happened. */
static int build_all(struct build *b, int home)
{
	struct error lost;
	int r;

	b->maker = (struct ns_maker)NS_MAKER(b->lab->batch);
	r = know_vteps(b) ?: build_fabric(b);

	for (uint32_t i = 0; i < b->plan->n_hosts && !r; i++) {
		if (b->watcher)
			b->watcher->building(b->watcher->arg, i + 1);
		r = build_host(b, i);
	}
	if (!r)
		r = add_known_peers(b);
	if (!r)
		r = build_marks(b);
	ns_maker_close(&b->maker);
	free(b->mesh);
	if (ns_enter(home, "this machine", &lost))
		abort(); /* going on in a lab's namespace would change the wrong network */
	return r;
}

int lab_build(const struct plan *plan, const struct lab_watcher *watcher, struct lab **ret, struct error *err)
{
	struct build b = { .plan = plan, .watcher = watcher, .err = err, .lab = lab_alloc(plan) };
	int home = ns_current(), r;

	if (!b.lab || home < 0) {
		r = b.lab ? home : -ENOMEM;
		error_set(err, "cannot start building: %s", strerror(-r));
	} else {
		r = ns_enter(home, "this machine", err);
		if (r) /* before anything is made: otherwise there would be no way back */
			error_set(err, "cannot leave and re-enter this machine's network namespace: %s (a lab needs root of the machine, "
				  "not of a user namespace)", strerror(-r));
		else
			r = build_all(&b, home);
	}
	if (home >= 0)
		(void)close(home);
	if (r)
		lab_free(b.lab);
	else
		*ret = b.lab;
	return r;
}

static int open_uplink(struct lab *lab, uint32_t host, struct error *err)
{
	struct nl *nl = lab->nl_hosts[host];
	int r = dev_set_up(nl, err, PLAN_IFINDEX_UPLINK + host, "eth0");

	if (!r)
		r = nl_flush(nl, err);
	if (!r)
		r = nl_settle_carrier(nl, err, "eth0");
	return r ?: nl_settle_carrier(lab->nl_fabric, err, lab->plan->hosts[host].port);
}

/* Head-end replication: every other host that carries this VNI. */
static int add_flood_entries(struct lab *lab, uint32_t client, struct error *err)
{
	const struct plan_client *pc = &lab->plan->clients[client];
	const struct plan_vni *pv = &lab->plan->vnis[pc->vni];
	int r = 0;

	for (uint32_t i = 0; i < pv->n_clients && !r; i++) {
		uint32_t host = lab->plan->clients[pv->clients[i]].host;

		if (host != pc->host)
			r = dev_add_flood(lab->nl_hosts[pc->host], err, INDEX_TUNNEL + pc->vni, &lab->plan->hosts[host].vtep);
	}
	return r;
}

static int open_floods(struct lab *lab, uint32_t host, struct error *err)
{
	const struct plan_host *ph = &lab->plan->hosts[host];
	int r = 0;

	for (uint32_t c = ph->client0; c < ph->client0 + ph->n_clients && !r; c++) {
		const struct scn_vni *v = lab->plan->vnis[lab->plan->clients[c].vni].scn;

		if (v->flood == SCN_UNICAST && !scn_is_point_to_point(v->encap))
			r = add_flood_entries(lab, c, err);
	}
	return r ?: nl_flush(lab->nl_hosts[host], err);
}

/* Clients of IPv6 speak by themselves once they are up: what is flooded to a host whose link is still down would be a loss in the
 * underlay. A group's members are the kernel's to know, and what is sent to one counts for no loss. */
int lab_open_uplinks(struct lab *lab, struct error *err)
{
	int r = 0;

	for (uint32_t i = 0; i < lab->plan->n_hosts && !r; i++)
		r = open_uplink(lab, i, err);
	for (uint32_t i = 0; i < lab->plan->n_hosts && !r; i++)
		r = open_floods(lab, i, err);
	return r;
}

static int add_vtep(struct lab *lab, uint32_t host, uint32_t other, struct error *err)
{
	const struct plan_host *ph = &lab->plan->hosts[other];

	return dev_add_neighbour(lab->nl_hosts[host], err, PLAN_IFINDEX_UPLINK + host, &ph->vtep, ph->mac);
}

int lab_introduce(struct lab *lab, uint32_t client, const uint32_t *peers, size_t n, bool known, struct error *err)
{
	const struct plan *p = lab->plan;
	const struct plan_client *from = &p->clients[client];
	bool all_know = p->n_hosts <= VTEPS_KNOWN_MAX;
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		const struct plan_client *to = &p->clients[peers[i]];

		if (!all_know && to->host != from->host)
			r = add_vtep(lab, from->host, to->host, err) ?: add_vtep(lab, to->host, from->host, err) ?:
			    nl_flush(lab->nl_hosts[to->host], err);
		if (!r && known)
			r = add_whereabouts_behind(lab, from, to, err);
	}
	return r ?: nl_flush(lab->nl_hosts[from->host], err);
}

struct nl *lab_nl_fabric(const struct lab *lab)
{
	return lab->nl_fabric;
}

struct nl *lab_nl_host(const struct lab *lab, uint32_t host)
{
	return lab->nl_hosts[host];
}

int lab_netns(const struct lab *lab, const char *where, struct error *err)
{
	const struct plan *plan = lab->plan;
	const char *why;
	struct who who;
	uint32_t client;
	int r;

	if (strcmp(where, "fabric") == 0)
		return lab->fabric;
	if (parse_who(where, &who, &why)) {
		error_set(err, "there is no '%s' in this lab: want fabric, host0 to host%u, or a client: c0 to c%u, host0:%u, or its address",
			  where, plan->n_hosts - 1, plan->n_clients ? plan->n_clients - 1 : 0, plan->n_vnis ? plan->vnis[0].scn->vni : 0);
		return -EINVAL;
	}
	if (who.kind == WHO_HOST && who.host < plan->n_hosts)
		return lab->hosts[who.host];
	r = plan_resolve_one(plan, &who, &client, err->text, sizeof(err->text));
	return r ?: lab->clients[client];
}

static void close_all(int *fds, uint32_t n)
{
	for (uint32_t i = 0; fds && i < n; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	free(fds);
}

void lab_close_clients(struct lab *lab)
{
	for (uint32_t i = 0; lab->nl_clients && i < lab->plan->n_clients; i++)
		nl_close(lab->nl_clients[i]);
	free(lab->nl_clients);
	lab->nl_clients = NULL;
}

void lab_free(struct lab *lab)
{
	if (!lab)
		return;
	lab_close_clients(lab);
	for (uint32_t i = 0; lab->nl_hosts && i < lab->plan->n_hosts; i++)
		nl_close(lab->nl_hosts[i]);
	nl_close(lab->nl_fabric);
	free(lab->nl_hosts);
	nl_batch_free(lab->batch);
	close_all(lab->clients, lab->plan->n_clients);
	close_all(lab->hosts, lab->plan->n_hosts);
	if (lab->fabric >= 0)
		(void)close(lab->fabric);
	for (int i = 0; i < 2; i++)
		if (lab->marks[i] >= 0)
			(void)close(lab->marks[i]);
	free(lab);
}
