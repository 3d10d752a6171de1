/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts, VNIs and clients: numbering, names, addresses, MACs, and the limits they meet. What tunnels need is
 * plan_tunnel.c's, who is meant plan_who.c's, who sends to whom plan_traffic.c's, how a plan looks on paper plan_text.c's and
 * plan_json.c's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/plan_internal.h"

enum {
	MTU_MIN_V6 = 1280, /* RFC 8200, section 5 */
	MAC_HOST = 0x02,   /* locally administered; hosts and clients differ in the first byte */
	MAC_CLIENT = 0x06,
};

/* 02:00:00:00:00:03 is host3, 06:00:00:00:01:00 is c256. */
static void make_mac(uint8_t kind, uint32_t number, uint8_t mac[6])
{
	mac[0] = kind;
	mac[1] = 0;
	for (int i = 0; i < 4; i++)
		mac[5 - i] = (uint8_t)(number >> (8 * i));
}

/* ------------------------------------------------------------------ places in the file, for
 * messages */

struct scn_place plan_lab_place(const struct plan *p, enum scn_lab_key key, const char *name)
{
	return (struct scn_place){ p->scn->key_line[key], "lab", name, NULL };
}

const struct scn_place *plan_vni_place(const struct scn_vni *v, enum scn_vni_key key, const char *name,
				       struct plan_vni_place *at)
{
	bool given = v->key_line[key] != 0;

	(void)snprintf(at->title, sizeof(at->title), "vni %u", v->vni);
	at->place = (struct scn_place){ given ? v->key_line[key] : v->line, at->title,
					given ? name : NULL, NULL };
	return &at->place;
}

/* ------------------------------------------------------------------ hosts */

/* How many addresses from number `first` on the prefix has. */
static uint32_t addresses_from(const struct ip_prefix *prefix, uint32_t first, uint32_t wanted)
{
	struct ip_addr a;
	uint32_t n = 0;

	while (n < wanted && first + n >= first && prefix_nth(prefix, first + n, &a) == 0)
		n++;
	return n;
}

static void make_hosts(struct plan *p, struct scn_errors *e)
{
	const struct scenario *s = p->scn;
	uint32_t fit = addresses_from(&s->underlay, s->first, s->hosts);
	char prefix[PREFIX_STRLEN];

	if (fit < s->hosts && !(p->doubts & DOUBT_OUTER)) {
		enum scn_lab_key key = s->key_line[LAB_UNDERLAY] ? LAB_UNDERLAY
				       : s->key_line[LAB_FIRST]  ? LAB_FIRST
								 : LAB_HOSTS;
		static const char *const names[] = {
			[LAB_UNDERLAY] = "underlay", [LAB_FIRST] = "first", [LAB_HOSTS] = "hosts"
		};

		scn_error_at(
			e, s, plan_lab_place(p, key, names[key]),
			"%s has room for %u VTEPs from number %u (first) on, and there are %u hosts%s",
			prefix_format(&s->underlay, prefix), fit, s->first, s->hosts,
			addresses_from(&s->underlay, 1, s->hosts) == s->hosts
				? "; first = 1 would do"
				: "");
		p->doubts |= DOUBT_OUTER;
	}
	for (uint32_t i = 0; i < p->n_hosts; i++) {
		struct plan_host *h = &p->hosts[i];

		(void)snprintf(h->name, sizeof(h->name), "host%u", i);
		(void)snprintf(h->port, sizeof(h->port), "p%u", i);
		make_mac(MAC_HOST, i, h->mac);
		if (i < fit)
			(void)prefix_nth(&s->underlay, s->first + i, &h->vtep); /* counted above */
	}
}

/* ------------------------------------------------------------------ VNIs and clients */

/* How many of the lab's hosts the VNI is on; the first one that the lab does not have, or -1. */
static uint32_t count_members(const struct scn_vni *v, uint32_t hosts, int64_t *ret_missing)
{
	uint32_t n = 0;

	*ret_missing = -1;
	for (size_t i = 0; i < v->hosts.n; i++) {
		uint32_t first = v->hosts.v[i].first, last = v->hosts.v[i].last;

		if (last >= hosts && *ret_missing < 0)
			*ret_missing = first > hosts ? first : hosts;
		if (first < hosts)
			n += (last < hosts ? last : hosts - 1) - first + 1;
	}
	return n;
}

/* The highest of the lab's hosts that the VNI is on. */
static uint32_t last_member(const struct scn_vni *v, uint32_t hosts)
{
	uint32_t highest = 0;

	for (size_t i = 0; i < v->hosts.n; i++) {
		uint32_t last = v->hosts.v[i].last < hosts ? v->hosts.v[i].last : hosts - 1;

		if (v->hosts.v[i].first < hosts && last > highest)
			highest = last;
	}
	return highest;
}

static void refuse_many_clients(struct plan *p, uint64_t total, struct scn_errors *e)
{
	const struct scenario *s = p->scn;

	if (!(p->doubts & (DOUBT_HOSTS | DOUBT_VNIS)))
		scn_error_at(e, s,
			     plan_lab_place(p, s->key_line[LAB_VNIS] ? LAB_VNIS : LAB_HOSTS,
				       s->key_line[LAB_VNIS] ? "vnis" : "hosts"),
			     "%u hosts and %zu VNIs make %llu clients; at most %d are possible",
			     s->hosts, s->n_vnis, (unsigned long long)total, SCN_CLIENTS_MAX);
	for (size_t i = 0; i < s->n_vnis; i++)
		p->vnis[i].n_clients = 0;
	p->n_clients = 0;
	p->doubts |= DOUBT_CLIENTS;
	p->clients_most = UINT64_MAX;
}

/* Counts the clients that can be numbered. */
static void count_clients(struct plan *p, struct scn_errors *e)
{
	const struct scenario *s = p->scn;
	uint64_t total = 0, most = s->hosts;

	for (size_t i = 0; i < s->n_vnis; i++) {
		int64_t missing;
		struct plan_vni_place at;

		p->vnis[i].n_clients = count_members(&s->vnis[i], s->hosts, &missing);
		total += p->vnis[i].n_clients;
		for (size_t k = 0; k < s->vnis[i].hosts.n; k++)
			if (s->vnis[i].hosts.v[k].last >= most)
				most = s->vnis[i].hosts.v[k].last + 1ull;
		if (missing < 0 || p->doubts & DOUBT_HOSTS)
			continue;
		p->doubts |= DOUBT_CLIENTS;
		scn_error_at(e, s, *plan_vni_place(&s->vnis[i], VNI_HOSTS, "hosts", &at),
			     "host%lld does not exist: hosts are host0 to host%u",
			     (long long)missing, s->hosts - 1);
	}
	p->n_clients = (uint32_t)total;
	p->clients_most = p->doubts & (DOUBT_HOSTS | DOUBT_VNIS) ? UINT64_MAX : s->n_vnis * most;
	if (total > SCN_CLIENTS_MAX)
		refuse_many_clients(p, total, e);
}

static int name_vnis(struct plan *p)
{
	for (uint32_t i = 0; i < p->n_vnis; i++) {
		struct plan_vni *v = &p->vnis[i];

		v->scn = &p->scn->vnis[i];
		(void)snprintf(v->bridge, sizeof(v->bridge), "br%u", v->scn->vni);
		plan_name_tunnel(v);
		v->clients = calloc(v->n_clients + 1, sizeof(*v->clients));
		if (!v->clients)
			return -ENOMEM;
	}
	return 0;
}

/* Host by host and, within a host, VNI by VNI. */
static void make_clients(struct plan *p)
{
	uint32_t number = 0;

	for (uint32_t i = 0; i < p->n_vnis; i++)
		p->vnis[i].n_clients = 0; /* counts up again as they are numbered */
	for (uint32_t host = 0; p->n_clients && host < p->n_hosts; host++) {
		p->hosts[host].client0 = number;
		for (uint32_t i = 0; i < p->n_vnis; i++) {
			struct plan_vni *v = &p->vnis[i];
			struct plan_client *c = &p->clients[number];

			if (!range_list_has(&v->scn->hosts, host))
				continue;
			c->host = host;
			c->vni = i;
			(void)prefix_nth(&v->scn->subnet, host + 1,
					 &c->addr); /* none: reported by check_subnets */
			make_mac(MAC_CLIENT, number, c->mac);
			(void)snprintf(c->port, sizeof(c->port), "c%u", number);
			v->clients[v->n_clients++] = number++;
		}
		p->hosts[host].n_clients = number - p->hosts[host].client0;
	}
}

static void check_subnets(const struct plan *p, struct scn_errors *e)
{
	for (uint32_t i = 0; i < p->n_vnis; i++) {
		const struct plan_vni *v = &p->vnis[i];
		uint32_t last = last_member(v->scn, p->n_hosts);
		bool known = !(p->doubts & DOUBT_HOSTS) &&
			     !(v->scn->wrong & (1u << VNI_HOSTS | 1u << VNI_SUBNET)) &&
			     (v->scn->key_line[VNI_SUBNET] || !(p->doubts & DOUBT_VNIS));
		bool v6 = !addr_is_v4(&v->scn->subnet.addr);
		struct ip_addr a;
		char prefix[PREFIX_STRLEN];
		struct plan_vni_place at;

		if (known && prefix_nth(&v->scn->subnet, last + 1, &a))
			scn_error_at(
				e, p->scn, *plan_vni_place(v->scn, VNI_SUBNET, "subnet", &at),
				"%s has no address number %u, which is for the client on host%u",
				prefix_format(&v->scn->subnet, prefix), last + 1, last);
		if (v6 && v->mtu < MTU_MIN_V6)
			scn_error_at(e, p->scn,
				     v->scn->client_mtu ? *plan_vni_place(v->scn, VNI_CLIENT_MTU, "client_mtu", &at)
							: plan_lab_place(p, LAB_MTU, "mtu"),
				     "VNI %u is IPv6, which needs %d; the MTU would be %u",
				     v->scn->vni, MTU_MIN_V6, v->mtu);
	}
}

/* ------------------------------------------------------------------ looking up */

static int64_t find_vni(const struct plan *p, uint32_t vni)
{
	uint32_t low = 0, high = p->n_vnis;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2, number = p->vnis[p->vni_order[mid]].scn->vni;

		if (number == vni)
			return p->vni_order[mid];
		if (number < vni)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

int64_t plan_vni_by_number(const struct plan *p, uint32_t vni)
{
	return find_vni(p, vni);
}

/* Which address of the prefix this is, by its last 32 bits; to be confirmed with prefix_nth. */
static uint32_t address_number(const struct ip_prefix *prefix, const struct ip_addr *a)
{
	uint32_t n = 0, base = 0;

	for (int i = 12; i < 16; i++) {
		n = n << 8 | a->b[i];
		base = base << 8 | prefix->addr.b[i];
	}
	return n - base;
}

/* Addresses follow from host numbers, so the number in the prefix leads to the host, and the VNI's
 * clients are in the order of their hosts. */
int64_t plan_client_by_addr(const struct plan *p, uint32_t vni, const struct ip_addr *addr)
{
	int64_t index = find_vni(p, vni);
	const struct plan_vni *v = &p->vnis[index < 0 ? 0 : index];
	uint32_t low = 0, high, host;

	if (index < 0 || !prefix_contains(&v->scn->subnet, addr))
		return -1;
	host = address_number(&v->scn->subnet, addr) - 1;
	for (high = v->n_clients; low < high;) {
		uint32_t mid = low + (high - low) / 2;
		const struct plan_client *c = &p->clients[v->clients[mid]];

		if (c->host == host)
			return addr_equal(&c->addr, addr) ? (int64_t)v->clients[mid] : -1;
		if (c->host < host)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

int64_t plan_host_by_vtep(const struct plan *p, const struct ip_addr *addr)
{
	uint32_t host = address_number(&p->scn->underlay, addr) - p->scn->first;

	return host < p->n_hosts && addr_equal(&p->hosts[host].vtep, addr) ? (int64_t)host : -1;
}

/* ------------------------------------------------------------------ making */

/* VNI numbers with their place, to sort without looking at the plan from qsort's callback. */
struct numbered {
	uint32_t vni, index;
};

static int compare_numbered(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	return (x->vni > y->vni) - (x->vni < y->vni);
}

static int order_vnis(struct plan *p)
{
	struct numbered *n = calloc(p->n_vnis + 1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->n_vnis; i++)
		n[i] = (struct numbered){ p->scn->vnis[i].vni, i };
	qsort(n, p->n_vnis, sizeof(*n), compare_numbered);
	for (uint32_t i = 0; i < p->n_vnis; i++)
		p->vni_order[i] = n[i].index;
	free(n);
	return 0;
}

static void make_flow_capacity(struct plan *p)
{
	/* Four times what is planned: neighbour discovery makes flows of its own, live traffic
	 * comes on top. */
	uint64_t wanted = 4ull * p->n_flows;

	p->flow_capacity = p->scn->flows;
	if (p->flow_capacity)
		return;
	p->flow_capacity = PLAN_FLOWS_MIN;
	while (p->flow_capacity < wanted && p->flow_capacity < PLAN_FLOWS_MAX)
		p->flow_capacity *= 2;
}

/* What the scenario's own mistakes leave open. */
static unsigned doubts_of(const struct scenario *s)
{
	const unsigned outer = 1u << LAB_HOSTS | 1u << LAB_VNIS | 1u << LAB_FLOOD |
			       1u << LAB_UNDERLAY | 1u << LAB_FIRST;
	unsigned doubts = 0;

	if (scn_is_wrong(s->wrong, LAB_HOSTS))
		doubts |= DOUBT_HOSTS | DOUBT_CLIENTS | DOUBT_ADDRESSES;
	if (scn_is_wrong(s->wrong, LAB_VNIS))
		doubts |= DOUBT_VNIS | DOUBT_CLIENTS | DOUBT_ADDRESSES;
	if (scn_is_wrong(s->vnis_wrong, VNI_HOSTS))
		doubts |= DOUBT_CLIENTS | DOUBT_ADDRESSES;
	if (scn_is_wrong(s->vnis_wrong, VNI_SUBNET))
		doubts |= DOUBT_ADDRESSES;
	if (s->wrong & outer || s->vnis_wrong & (1u << VNI_FLOOD | 1u << VNI_GROUP))
		doubts |= DOUBT_OUTER;
	if (scn_is_wrong(s->wrong, LAB_DURATION))
		doubts |= DOUBT_END;
	return doubts | (s->names_wrong ? DOUBT_NAMES : 0);
}

/* Fills p as far as mistakes allow. */
static int fill(struct plan *p, struct scn_errors *e)
{
	int err = order_vnis(p);

	if (err)
		return err;
	p->doubts = doubts_of(p->scn);
	make_hosts(p, e);
	plan_make_mtus(p, e);
	count_clients(p, e);
	p->clients = calloc(p->n_clients + 1, sizeof(*p->clients));
	if (!p->clients)
		return -ENOMEM;
	err = name_vnis(p);
	if (err)
		return err;
	make_clients(p);
	plan_check_tunnels(p, e);
	plan_check_wrong(p, e);
	check_subnets(p, e);
	err = plan_make_traffic(p, e);
	if (err)
		return err;
	plan_make_known(p);
	plan_verify_names(p, e);
	err = plan_make_events(p);
	if (err)
		return err;
	make_flow_capacity(p);
	return 0;
}

int plan_make(const struct scenario *s, struct plan **ret_plan, struct scn_errors *errors)
{
	struct plan *p = calloc(1, sizeof(*p));
	size_t before = errors->n_total;
	int err = -ENOMEM;

	if (!p)
		return -ENOMEM;
	p->scn = s;
	p->n_hosts = s->hosts;
	p->bridge_ports = PLAN_BRIDGE_PORTS;
	p->n_vnis = (uint32_t)s->n_vnis;
	p->hosts = calloc(p->n_hosts + 1, sizeof(*p->hosts));
	p->vnis = calloc(p->n_vnis + 1, sizeof(*p->vnis));
	p->vni_order = calloc(p->n_vnis + 1, sizeof(*p->vni_order));
	if (p->hosts && p->vnis && p->vni_order)
		err = fill(p, errors);
	if (!err && errors->n_total > before) {
		scn_errors_sort(errors);
		err = -EINVAL;
	}
	if (err) {
		plan_free(p);
		return err;
	}
	*ret_plan = p;
	return 0;
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; p->vnis && i < p->n_vnis; i++)
		free(p->vnis[i].clients);
	for (uint32_t i = 0; i < p->n_generators; i++)
		free(p->generators[i].peers);
	free(p->hosts);
	free(p->vnis);
	free(p->clients);
	free(p->generators);
	free(p->events);
	free(p->vni_order);
	free(p);
}

int plan_load(const struct scn_source *source, struct scenario **ret_scenario,
	      struct plan **ret_plan, struct scn_errors *ret_errors)
{
	struct scenario *s = NULL;
	struct plan *p = NULL;
	bool usable = false;
	int err = scenario_read(source, &s, &usable, ret_errors);

	if (err && err != -EINVAL)
		return err;
	if (usable) {
		int plan_err = plan_make(s, &p, ret_errors);

		err = err && plan_err != -ENOMEM ? err : plan_err;
	}
	if (err) {
		plan_free(p);
		scenario_free(s);
		return err;
	}
	*ret_scenario = s;
	*ret_plan = p;
	return 0;
}
