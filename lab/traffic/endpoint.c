/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets per client; see endpoint.h. */
#include "lab/traffic/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lab/net/ns.h"

int endpoints_init(struct endpoints *e, const struct plan *plan, const int *client_ns, int epoll, uint64_t cookie)
{
	*e = (struct endpoints){
		.plan = plan,
		.client_ns = client_ns,
		.home = ns_current(),
		.epoll = epoll,
		.cookie = cookie,
		.v = calloc(plan->n_clients ? plan->n_clients : 1, sizeof(*e->v)),
	};
	if (e->home < 0)
		return e->home;
	if (!e->v)
		return -ENOMEM;
	for (uint32_t i = 0; i < plan->n_clients; i++) {
		for (int role = 0; role < ENDPOINT_ROLE_MAX; role++)
			e->v[i].fd[role] = -1;
		e->v[i].room.fd = -1;
	}
	return 0;
}

static int open_role(enum endpoint_role role, bool ipv6, uint64_t cookie, const char **ret_what)
{
	switch (role) {
	case ENDPOINT_ECHO:
		return socket_open_echo(ipv6, cookie, ret_what);
	case ENDPOINT_UDP:
		return socket_open_udp(ipv6, ret_what);
	default:
		return socket_open_sink(ipv6, ret_what);
	}
}

int endpoint_open(struct endpoints *e, uint32_t client, enum endpoint_role role, const char **ret_what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = endpoint_token(role, client)};
	struct visit visit;
	int fd, r;

	if (e->v[client].fd[role] >= 0)
		return 0;
	*ret_what = "enter its namespace";
	r = visit_enter(&visit, e->home, e->client_ns[client]);
	if (r < 0)
		return r;
	fd = open_role(role, !addr_is_v4(&e->plan->clients[client].addr), e->cookie, ret_what);
	visit_leave(&visit);
	if (fd < 0)
		return fd;
	if (role != ENDPOINT_UDP && epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		*ret_what = "watch a socket";
		r = -errno;
		close(fd);
		return r;
	}
	e->v[client].fd[role] = fd;
	return 0;
}

struct warm_known endpoint_known(const struct endpoints *e, uint32_t client)
{
	const struct plan_client *c = &e->plan->clients[client];
	struct warm_known known = {.addr = c->addr};

	memcpy(known.mac, c->mac, sizeof(known.mac));
	return known;
}

int endpoint_make_room(struct endpoints *e, uint32_t client, uint32_t asker, bool known, const char **ret_what)
{
	struct warm_known sender = endpoint_known(e, asker);
	struct warm_room *room = &e->v[client].room;
	struct visit visit;
	int r;

	if (room->fd < 0) {
		*ret_what = "enter its namespace";
		r = visit_enter(&visit, e->home, e->client_ns[client]);
		if (r < 0)
			return r;
		r = warm_room_open(ENDPOINT_DEVICE, room, ret_what);
		visit_leave(&visit);
		if (r < 0)
			return r;
	}
	if (known)
		warm_room_enter(room, &sender);
	else
		warm_room_make(room, &sender.addr);
	return 0;
}

uint64_t endpoints_drops(struct endpoints *e, uint32_t first, uint32_t n)
{
	static const enum endpoint_role receiving[] = {ENDPOINT_ECHO, ENDPOINT_SINK};
	uint64_t lost = 0;

	for (uint32_t i = first; i < e->plan->n_clients && i - first < n; i++) {
		struct endpoint *p = &e->v[i];

		for (int r = 0; r < 2; r++) {
			enum endpoint_role role = receiving[r];
			uint32_t drops;

			if (p->fd[role] < 0)
				continue;
			drops = socket_drops(p->fd[role]);
			lost += (uint32_t)(drops - p->drops[role]); /* the kernel's counter may wrap */
			p->drops[role] = drops;
		}
	}
	return lost;
}
