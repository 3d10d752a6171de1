/* SPDX-License-Identifier: Apache-2.0 */
/* The fabric: which bridge a host plugs into, and which VTEPs planned traffic makes talk to each other. A Linux bridge has a
 * bounded number of ports; where the hosts are more than that they plug into leaf bridges that br100 joins. */
#include <stdio.h>
#include <stdlib.h>

#include "lab/scenario/plan_internal.h"

/* One port of a leaf is its trunk to br100. */
static uint32_t hosts_per_leaf(const struct plan *p)
{
	return p->bridge_ports - 1;
}

uint32_t plan_count_leaves(const struct plan *p)
{
	return p->n_hosts <= p->bridge_ports ? 0 : (p->n_hosts + hosts_per_leaf(p) - 1) / hosts_per_leaf(p);
}

uint32_t plan_leaf(const struct plan *p, uint32_t host)
{
	return host / hosts_per_leaf(p);
}

char *plan_leaf_name(uint32_t leaf, char name[IFNAMSIZ])
{
	(void)snprintf(name, IFNAMSIZ, "br%u", PLAN_FABRIC_BRIDGE + 1 + leaf);
	return name;
}

char *plan_host_bridge(const struct plan *p, uint32_t host, char name[IFNAMSIZ])
{
	if (plan_count_leaves(p))
		return plan_leaf_name(plan_leaf(p, host), name);
	(void)snprintf(name, IFNAMSIZ, "br%u", PLAN_FABRIC_BRIDGE);
	return name;
}

/* ------------------------------------------------------------------ who talks to whom */

/* Questions for MAC addresses that reach so many clients, in one VNI: beyond, they are not asked. */
#define QUESTIONS_MAX 20000ULL

bool plan_asks(const struct plan *p, uint32_t vni, uint64_t pairs)
{
	return p->vnis[vni].scn->encap != SCN_VXLAN || pairs * p->vnis[vni].n_clients <= QUESTIONS_MAX;
}

/* Each question is flooded to all clients of the VNI, so their cost is its pairs by its clients: 1000 hosts that send to one took
 * half a minute, and overran queues. There neighbours and forwarding entries of planned pairs are given instead. */
void plan_make_known(struct plan *p)
{
	uint64_t *pairs = calloc(p->n_vnis + 1, sizeof(*pairs));

	for (uint32_t i = 0; pairs && i < p->n_generators; i++)
		pairs[p->clients[p->generators[i].client].vni] += p->generators[i].n_peers;
	for (uint32_t i = 0; pairs && i < p->n_vnis; i++)
		p->vnis[i].known = !plan_asks(p, i, pairs[i]);
	free(pairs); /* without memory all are asked */
}

struct plan_mesh {
	uint32_t n;
	uint8_t bits[]; /* n rows of n, row after row */
};

static void join(struct plan_mesh *m, uint32_t a, uint32_t b)
{
	size_t bit = (size_t)a * m->n + b;

	m->bits[bit / 8] |= (uint8_t)(1u << bit % 8);
}

struct plan_mesh *plan_mesh_new(const struct plan *p)
{
	struct plan_mesh *m = calloc(1, sizeof(*m) + ((size_t)p->n_hosts * p->n_hosts + 7) / 8);

	if (!m)
		return NULL;
	m->n = p->n_hosts;
	for (uint32_t i = 0; i < p->n_generators; i++) {
		const struct plan_generator *g = &p->generators[i];
		uint32_t from = p->clients[g->client].host;

		for (uint32_t k = 0; k < g->n_peers; k++) {
			uint32_t to = p->clients[g->peers[k]].host;

			join(m, from, to); /* both ways: inner neighbours are asked for and answer, pings come back */
			join(m, to, from);
		}
	}
	return m;
}

bool plan_mesh_has(const struct plan_mesh *m, uint32_t a, uint32_t b)
{
	size_t bit = (size_t)a * m->n + b;

	return a != b && m->bits[bit / 8] & 1u << bit % 8;
}
