/* SPDX-License-Identifier: Apache-2.0 */
/* Counters by namespace, known by its socket, and interface index; see walk_start.h. */
#include "lab/net/walk_start.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

struct then {
	const struct nl *nl;
	uint32_t index;
	struct walk_device device;
};

struct walk_start {
	struct then *v; /* in order, once all are there */
	size_t n, room;
	uint64_t drops;
	const struct nl *reading;
};

static void take_device(void *arg, const struct nlmsghdr *h)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	struct walk_start *s = arg;
	struct then *grown;

	walk_add_drops(&s->drops, h);
	if (h->nlmsg_type != RTM_NEWLINK || ifi->ifi_family != AF_UNSPEC)
		return;
	if (s->n == s->room) {
		grown = realloc(s->v, (2 * s->room + 64) * sizeof(*s->v));
		if (!grown)
			return; /* counts from the build on */
		s->v = grown;
		s->room = 2 * s->room + 64;
	}
	s->v[s->n] = (struct then){ .nl = s->reading, .index = (uint32_t)ifi->ifi_index };
	walk_take_link(&s->v[s->n++].device, h);
}

static void read_namespace(struct walk_start *s, struct nl *nl)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request;
	struct nlmsghdr *h = mnl_nlmsg_put_header(&request);

	if (!nl)
		return;
	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	(void)mnl_nlmsg_put_extra_header(h, sizeof(request.link));
	s->reading = nl;
	(void)nl_ask(nl, h, take_device, s); /* likewise */
}

static int compare(const void *x, const void *y)
{
	const struct then *a = x, *b = y;

	if (a->nl != b->nl)
		return a->nl < b->nl ? -1 : 1;
	return a->index == b->index ? 0 : a->index < b->index ? -1 : 1;
}

struct walk_start *walk_start_take(struct lab *lab)
{
	struct walk_start *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	read_namespace(s, lab_nl_fabric(lab));
	for (uint32_t i = 0; i < lab->plan->n_hosts; i++)
		read_namespace(s, lab_nl_host(lab, i));
	for (uint32_t i = 0; lab->nl_clients && i < lab->plan->n_clients; i++)
		read_namespace(s, lab->nl_clients[i]);
	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), compare);
	return s;
}

void walk_start_free(struct walk_start *s)
{
	if (s)
		free(s->v);
	free(s);
}

static void take_off(uint64_t *now, uint64_t then)
{
	*now = *now > then ? *now - then : 0;
}

void walk_start_subtract(const struct walk_start *s, const struct nl *nl, uint32_t index, struct walk_device *device)
{
	const struct then key = { .nl = nl, .index = index };
	const struct then *t = s && s->n ? bsearch(&key, s->v, s->n, sizeof(*s->v), compare) : NULL;

	if (!t || !device->known || t->device.rx_packets > device->rx_packets || t->device.tx_packets > device->tx_packets)
		return;
	take_off(&device->rx_packets, t->device.rx_packets);
	take_off(&device->tx_packets, t->device.tx_packets);
	take_off(&device->rx_dropped, t->device.rx_dropped);
	take_off(&device->tx_dropped, t->device.tx_dropped);
}

uint64_t walk_start_subtract_drops(const struct walk_start *s, uint64_t drops)
{
	take_off(&drops, s ? s->drops : 0);
	return drops;
}
