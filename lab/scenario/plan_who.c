/* SPDX-License-Identifier: Apache-2.0 */
/* Who means whom: `who` forms to clients, and the sentences where they mean nobody. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/plan_internal.h"

uint64_t plan_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* "10000-10003, 42": the lab's VNIs, neighbours joined. */
static const char *vnis_format(const struct plan *p, char *buf, size_t len)
{
	size_t used = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < p->n_vnis && used < len;) {
		uint32_t first = p->vnis[p->vni_order[i]].scn->vni, last = first;

		for (i++; i < p->n_vnis && p->vnis[p->vni_order[i]].scn->vni == last + 1; i++)
			last++;
		used += (size_t)snprintf(buf + used, len - used, first == last ? "%s%u" : "%s%u-%u",
					 used ? ", " : "", first, last);
	}
	return buf;
}

static int64_t client_of_host_in(const struct plan *p, uint32_t host, uint32_t vni_index)
{
	const struct plan_host *h = &p->hosts[host];

	for (uint32_t c = h->client0; c < h->client0 + h->n_clients; c++)
		if (p->clients[c].vni == vni_index)
			return c;
	return -1;
}

/* "hosts are host0 to host8" */
static const char *all_of(const char *what, const char *name, uint32_t n, char *buf, size_t len)
{
	if (n == 0)
		(void)snprintf(buf, len, "there are no %ss", what);
	else if (n == 1)
		(void)snprintf(buf, len, "the only %s is %s0", what, name);
	else
		(void)snprintf(buf, len, "%ss are %s0 to %s%u", what, name, name, n - 1);
	return buf;
}

int plan_check_exists(const struct plan *p, const struct who *w, char *why, size_t why_len)
{
	char list[200];

	if (w->kind == WHO_CLIENT && w->client >= p->n_clients &&
	    (!(p->doubts & DOUBT_CLIENTS) || w->client >= p->clients_most)) {
		(void)snprintf(why, why_len, "c%u does not exist: %s", w->client,
			       all_of("client", "c", p->n_clients, list, sizeof(list)));
		return -ENOENT;
	}
	if ((w->kind == WHO_HOST || w->kind == WHO_HOST_VNI) && w->host >= p->n_hosts &&
	    !(p->doubts & DOUBT_HOSTS)) {
		(void)snprintf(why, why_len, "host%u does not exist: %s", w->host,
			       all_of("host", "host", p->n_hosts, list, sizeof(list)));
		return -ENOENT;
	}
	if ((w->kind == WHO_VNI || w->kind == WHO_HOST_VNI) && !(p->doubts & DOUBT_VNIS) &&
	    plan_vni_by_number(p, w->vni) < 0) {
		(void)snprintf(why, why_len, "VNI %u does not exist: VNIs are %s", w->vni,
			       vnis_format(p, list, sizeof(list)));
		return -ENOENT;
	}
	return 0;
}

/* The clients of a `who` that exists, ascending, into out[n_clients]; how many. */
static size_t collect(const struct plan *p, const struct who *w, uint64_t seed, uint32_t *out)
{
	const struct plan_vni *v;
	int64_t client = -1;
	size_t n = 0;

	switch (w->kind) {
	case WHO_ALL:
		for (uint32_t c = 0; c < p->n_clients; c++)
			out[n++] = c;
		return n;
	case WHO_RANDOM:
		client = p->n_clients ? (int64_t)(plan_mix(seed) % p->n_clients) : -1;
		break;
	case WHO_CLIENT:
		client = w->client;
		break;
	case WHO_HOST:
		for (uint32_t i = 0; i < p->hosts[w->host].n_clients; i++)
			out[n++] = p->hosts[w->host].client0 + i;
		return n;
	case WHO_HOST_VNI:
		client = client_of_host_in(p, w->host, (uint32_t)plan_vni_by_number(p, w->vni));
		break;
	case WHO_VNI:
		v = &p->vnis[plan_vni_by_number(p, w->vni)];
		memcpy(out, v->clients, v->n_clients * sizeof(*out));
		return v->n_clients;
	case WHO_ADDRESS:
		for (uint32_t i = 0; i < p->n_vnis; i++) {
			int64_t c = plan_client_by_addr(p, p->vnis[i].scn->vni, &w->addr);

			if (c >= 0)
				out[n++] = (uint32_t)c;
		}
		return n;
	}
	if (client >= 0)
		out[n++] = (uint32_t)client;
	return n;
}

/* Why a `who` that exists has no clients. */
static void explain_nobody(const struct plan *p, const struct who *w, char *why, size_t why_len)
{
	char list[200], addr[ADDR_STRLEN];
	int64_t v;

	switch (w->kind) {
	case WHO_HOST:
		(void)snprintf(why, why_len, "host%u has no clients: no VNI is on it", w->host);
		break;
	case WHO_HOST_VNI:
		v = plan_vni_by_number(p, w->vni);
		(void)snprintf(why, why_len, "host%u has no client in VNI %u, which is on hosts %s",
			       w->host, w->vni,
			       ranges_format(&p->vnis[v].scn->hosts, list, sizeof(list)));
		break;
	case WHO_ADDRESS:
		(void)snprintf(why, why_len, "no client has the address %s",
			       addr_format(&w->addr, addr));
		break;
	default:
		(void)snprintf(why, why_len, "the lab has no clients");
		break;
	}
}

int plan_resolve(const struct plan *p, const struct who *w, uint64_t seed, uint32_t **ret_clients,
		 size_t *ret_n, char *why, size_t why_len)
{
	uint32_t *out;
	size_t n;
	int err = plan_check_exists(p, w, why, why_len);

	if (err)
		return err;
	out = calloc(p->n_clients + 1, sizeof(*out));
	if (!out) {
		(void)snprintf(why, why_len, "no memory");
		return -ENOMEM;
	}
	n = collect(p, w, seed, out);
	if (n == 0) {
		explain_nobody(p, w, why, why_len);
		free(out);
		return -ENOENT;
	}
	*ret_clients = out;
	*ret_n = n;
	return 0;
}

int plan_resolve_one(const struct plan *p, const struct who *w, uint32_t *ret_client, char *why,
		     size_t why_len)
{
	uint32_t *clients;
	size_t n, used;
	char name[ADDR_STRLEN];
	int err = plan_resolve(p, w, p->scn->seed, &clients, &n, why, why_len);

	if (err)
		return err;
	if (n == 1) {
		*ret_client = clients[0];
		free(clients);
		return 0;
	}
	used = (size_t)snprintf(why, why_len, "%s is %zu clients (",
				who_format(w, name, sizeof(name)), n);
	for (size_t i = 0; i < n && i < 4 && used < why_len; i++)
		used += (size_t)snprintf(why + used, why_len - used, "%sc%u", i ? ", " : "",
					 clients[i]);
	if (used < why_len)
		(void)snprintf(why + used, why_len - used, "%s): name one, as c%u or host%u:%u",
			       n > 4 ? " …" : "", clients[0], p->clients[clients[0]].host,
			       p->vnis[p->clients[clients[0]].vni].scn->vni);
	free(clients);
	return -ENOTUNIQ;
}

bool plan_who_is_sure(const struct plan *p, const struct who *w)
{
	return !(p->doubts & DOUBT_CLIENTS) &&
	       (w->kind != WHO_ADDRESS || !(p->doubts & DOUBT_ADDRESSES));
}

int plan_check_who(const struct plan *p, const struct who *w, bool one, char *why, size_t why_len)
{
	uint32_t *clients, client;
	size_t n;
	int err;

	if (!plan_who_is_sure(p, w))
		return plan_check_exists(p, w, why, why_len);
	if (one)
		return plan_resolve_one(p, w, &client, why, why_len);
	err = plan_resolve(p, w, 0, &clients, &n, why, why_len);
	if (!err)
		free(clients);
	return err;
}

int plan_peers(const struct plan *p, uint32_t from, const uint32_t *to, size_t n_to,
	       uint32_t **ret_peers, size_t *ret_n)
{
	uint32_t *peers = calloc(n_to + 1, sizeof(*peers));
	size_t n = 0;

	if (!peers)
		return -ENOMEM;
	for (size_t i = 0; i < n_to; i++)
		if (to[i] != from && p->clients[to[i]].vni == p->clients[from].vni)
			peers[n++] = to[i];
	*ret_peers = peers;
	*ret_n = n;
	return 0;
}
