/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour resolution by rtnetlink, event-driven; see warm.h. Raw netlink rather than nl.h: what is waited for here
 * are notifications, not answers. */
#include "lab/traffic/warm.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BATCH = 128,                    /* neighbours asked for in one message to the kernel */
	RECEIVE_BYTES = 32768,
	STATE_USABLE = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY,
};

enum { PENDING, RESOLVED, FAILED };

/* What the kernel is asked about a neighbour: to have an entry at all, to resolve it, or for its state. */
enum question { ASK_ENTRY, ASK_RESOLVE, ASK_STATE };

struct peer {
	struct ip_addr addr;
	uint8_t state;
};

struct warm {
	int fd;
	int solicitor;                  /* raw ICMPv6 socket; -1 for IPv4 */
	int ifindex;
	uint8_t mac[6];                 /* of the device, for solicitations */
	struct peer *peers;             /* ascending by address, each once */
	uint32_t n, n_pending, n_resolved;
	uint32_t window, next, n_asked; /* asked at a time, at most; the first not asked yet; those that may answer any moment */
};

struct neighbour_request {
	struct nlmsghdr header;
	struct ndmsg neighbour;
	struct rtattr dst;
	uint8_t addr[16];               /* 4 or 16 used; both keep netlink's alignment */
};

static int compare_peers(const void *a, const void *b)
{
	return memcmp(&((const struct peer *)a)->addr, &((const struct peer *)b)->addr, sizeof(struct ip_addr));
}

static int keep_peers(struct warm *w, const struct ip_addr *addrs, size_t n)
{
	w->peers = calloc(n ? n : 1, sizeof(*w->peers));
	if (!w->peers)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		w->peers[i].addr = addrs[i];
	qsort(w->peers, n, sizeof(*w->peers), compare_peers);
	for (size_t i = 0; i < n; i++)
		if (w->n == 0 || compare_peers(&w->peers[w->n - 1], &w->peers[i]) != 0)
			w->peers[w->n++] = w->peers[i];
	w->n_pending = w->n;
	return 0;
}

static void settle_peer(struct warm *w, struct peer *p, uint8_t state)
{
	if (p->state != PENDING)
		return;
	p->state = state;
	w->n_asked -= w->n_asked > 0 && p < w->peers + w->next;
	w->n_pending--;
	w->n_resolved += state == RESOLVED;
}

/* Writes a request about one address; returns its length. */
static size_t put_request(void *at, uint16_t type, uint16_t flags, uint8_t neighbour_flags, int ifindex,
			  uint32_t sequence, const struct ip_addr *addr)
{
	struct neighbour_request *r = at;
	size_t len;
	const uint8_t *bytes = addr_bytes(addr, &len);

	*r = (struct neighbour_request){
		.header = {
			.nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST | flags,
			.nlmsg_seq = sequence,
		},
		.neighbour = {
			.ndm_family = len == 4 ? AF_INET : AF_INET6,
			.ndm_ifindex = ifindex,
			.ndm_flags = neighbour_flags,
		},
		.dst = {.rta_type = NDA_DST},
	};
	r->dst.rta_len = (unsigned short)RTA_LENGTH(len);
	r->header.nlmsg_len = (uint32_t)(offsetof(struct neighbour_request, addr) + len);
	memcpy(r->addr, bytes, len);
	return r->header.nlmsg_len;
}

/* The same with the answer. */
struct neighbour_entry {
	struct neighbour_request request;
	uint8_t link_address[RTA_SPACE(6)]; /* behind the address, wherever that ends */
};

static size_t put_entry(void *at, int ifindex, const struct warm_known *known)
{
	size_t len = put_request(at, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, 0, ifindex, 0, &known->addr);
	struct neighbour_request *r = at;
	struct rtattr *a = (struct rtattr *)((uint8_t *)at + len);

	r->neighbour.ndm_state = NUD_PERMANENT;
	*a = (struct rtattr){.rta_type = NDA_LLADDR, .rta_len = RTA_LENGTH(sizeof(known->mac))};
	memset(RTA_DATA(a), 0, RTA_SPACE(sizeof(known->mac)) - RTA_LENGTH(0));
	memcpy(RTA_DATA(a), known->mac, sizeof(known->mac));
	r->header.nlmsg_len += (uint32_t)RTA_SPACE(sizeof(known->mac));
	return r->header.nlmsg_len;
}

static int send_requests(int fd, const void *requests, size_t len)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	return sendto(fd, requests, len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0 ? -errno : 0;
}

/* Asks for up to BATCH pending neighbours from *index on. NTF_USE makes the kernel resolve as if a packet were waiting.
 * NTF_EXT_LEARNED keeps the entry out of the bound of struct warm_room. The request for the entry's state behind it
 * answers at once when the entry was known, or when the peer's reply came while the kernel was sending, as it does over
 * veth. */
static int send_batch(const struct warm *w, uint32_t *index, uint32_t end, enum question question)
{
	struct neighbour_request requests[2 * BATCH];
	uint8_t *at = (uint8_t *)requests;

	for (unsigned n = 0; n < BATCH && *index < end; ++*index) {
		const struct peer *p = &w->peers[*index];

		if (p->state != PENDING)
			continue;
		if (question == ASK_ENTRY) /* number 0: nobody's, for "it exists" is no failure */
			at += put_request(at, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, NTF_EXT_LEARNED, w->ifindex, 0,
					  &p->addr);
		if (question == ASK_RESOLVE)
			at += put_request(at, RTM_NEWNEIGH, NLM_F_CREATE, NTF_USE | NTF_EXT_LEARNED, w->ifindex,
					  *index + 1, &p->addr);
		if (question != ASK_ENTRY)
			at += put_request(at, RTM_GETNEIGH, 0, 0, w->ifindex, *index + 1, &p->addr);
		n++;
	}
	if (at == (uint8_t *)requests)
		return 0;
	return send_requests(w->fd, requests, (size_t)(at - (uint8_t *)requests));
}

static struct peer *find_peer(const struct warm *w, const struct ndmsg *ndm, const struct rtattr *dst)
{
	struct peer key = {.addr = {.b = {[10] = 0xff, [11] = 0xff}}};
	size_t len = RTA_PAYLOAD(dst);

	if (ndm->ndm_family == AF_INET && len == 4)
		memcpy(key.addr.b + 12, RTA_DATA(dst), 4);
	else if (ndm->ndm_family == AF_INET6 && len == 16)
		memcpy(key.addr.b, RTA_DATA(dst), 16);
	else
		return NULL;
	return bsearch(&key, w->peers, w->n, sizeof(*w->peers), compare_peers);
}

static void take_neighbour(struct warm *w, const struct nlmsghdr *h)
{
	const struct ndmsg *ndm = NLMSG_DATA(h);
	const struct rtattr *a;
	int left = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*ndm));

	if (left < 0 || ndm->ndm_ifindex != w->ifindex)
		return;
	for (a = (const void *)((const uint8_t *)h + NLMSG_SPACE(sizeof(*ndm))); RTA_OK(a, left);
	     a = RTA_NEXT(a, left)) {
		struct peer *p;

		if (a->rta_type != NDA_DST)
			continue;
		p = find_peer(w, ndm, a);
		if (p && (ndm->ndm_state & STATE_USABLE))
			settle_peer(w, p, RESOLVED);
		else if (p && (ndm->ndm_state & NUD_FAILED))
			settle_peer(w, p, FAILED);
		return;
	}
}

static void take_error(struct warm *w, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	uint32_t index = h->nlmsg_seq - 1;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) || e->error == 0 || index >= w->n)
		return;
	settle_peer(w, &w->peers[index], FAILED); /* an answer to a GETNEIGH never comes before that to its NEWNEIGH */
}

static void take_messages(struct warm *w, const uint8_t *at, size_t left)
{
	while (left >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const void *)at;
		size_t step = NLMSG_ALIGN((size_t)h->nlmsg_len);

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > left)
			return;
		if (h->nlmsg_type == RTM_NEWNEIGH)
			take_neighbour(w, h);
		else if (h->nlmsg_type == NLMSG_ERROR)
			take_error(w, h);
		if (step > left)
			return;
		at += step;
		left -= step;
	}
}

/* Reads until the socket is empty. -ENOBUFS: notifications were lost, ask anew. */
static int read_socket(struct warm *w)
{
	uint8_t buffer[RECEIVE_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	bool lost = false;

	for (;;) {
		struct sockaddr_nl from = {0};
		struct iovec iov = {.iov_base = buffer, .iov_len = sizeof(buffer)};
		struct msghdr msg = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
		ssize_t len = recvmsg(w->fd, &msg, MSG_DONTWAIT);

		if (len >= 0) {
			if (from.nl_pid == 0)
				take_messages(w, buffer, (size_t)len);
		} else if (errno == ENOBUFS) {
			lost = true;
		} else if (errno != EINTR) {
			if (errno != EAGAIN)
				return -errno;
			return lost ? -ENOBUFS : 0;
		}
	}
}

/* Peers from `index` on, up to `end`. */
static int ask(struct warm *w, uint32_t index, uint32_t end, enum question question)
{
	bool lost = false;

	while (index < end) {
		int r = send_batch(w, &index, end, question);

		if (r == 0)
			r = read_socket(w);
		if (r == -ENOBUFS)
			lost = true;
		else if (r < 0)
			return r;
	}
	return lost ? -ENOBUFS : 0;
}

/* IPv6: where no packet waits the kernel solicits from the link-local address, which teaches the peer the wrong address:
 * its first answer would be flooded. So we ask ourselves, as RFC 4861 7.2.2 has it, and before the kernel does. The
 * answer goes to the kernel, whose entry is waiting for it. */
static void solicit(const struct warm *w, uint32_t first, uint32_t end)
{
	struct {
		struct nd_neighbor_solicit ns;
		struct nd_opt_hdr option;
		uint8_t mac[6];
	} packet = {
		.ns.nd_ns_type = ND_NEIGHBOR_SOLICIT, /* the kernel fills in the checksum */
		.option = {.nd_opt_type = ND_OPT_SOURCE_LINKADDR, .nd_opt_len = 1},
	};
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		.sin6_scope_id = (uint32_t)w->ifindex,
		.sin6_addr.s6_addr = {0xff, 0x02, [11] = 0x01, [12] = 0xff},
	};

	memcpy(packet.mac, w->mac, sizeof(packet.mac));
	for (uint32_t i = first; i < end; i++) {
		const uint8_t *addr = w->peers[i].addr.b;

		if (w->peers[i].state != PENDING)
			continue;
		memcpy(&packet.ns.nd_ns_target, addr, 16);
		memcpy(to.sin6_addr.s6_addr + 13, addr + 13, 3); /* the group of nodes whose addresses end so */
		/* One that cannot be sent is one that is not answered. */
		(void)sendto(w->solicitor, &packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
	}
}

/* As many of those not asked yet as the window lets. */
static int ask_next(struct warm *w)
{
	uint32_t first = w->next, room = w->window - w->n_asked;

	w->next = w->n - first < room ? w->n : first + room;
	w->n_asked += w->next - first;
	if (w->solicitor >= 0) {
		(void)ask(w, first, w->next, ASK_ENTRY); /* what fails here is told by the next question */
		solicit(w, first, w->next);
	}
	return ask(w, first, w->next, ASK_RESOLVE);
}

int warm_read(struct warm *w)
{
	int r = read_socket(w);

	while ((r == 0 || r == -ENOBUFS) && w->next < w->n && w->n_asked < w->window)
		r = ask_next(w);
	for (int tries = 0; r == -ENOBUFS && tries < 3; tries++)
		r = ask(w, 0, w->next, ASK_STATE);
	if (r < 0 && r != -ENOBUFS)
		return r;
	return w->n_pending == 0;
}

/* Those that have not answered for so long keep no other waiting. */
int warm_retry(struct warm *w)
{
	int r = ask(w, 0, w->next, ASK_STATE);

	if (w->solicitor >= 0)
		solicit(w, 0, w->next);
	w->n_asked = 0;
	return r < 0 && r != -ENOBUFS ? r : warm_read(w);
}

static int read_mac(struct warm *w, int fd, const char *device)
{
	struct ifreq request = {0};

	strncpy(request.ifr_name, device, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return -errno;
	memcpy(w->mac, request.ifr_hwaddr.sa_data, sizeof(w->mac));
	return 0;
}

static int open_solicitor(struct warm *w, const char *device, const struct ip_addr *source)
{
	struct sockaddr_in6 from = {.sin6_family = AF_INET6};
	struct icmp6_filter filter;
	int hops = 255; /* others are ignored: RFC 4861 7.1.1 */
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);

	if (fd < 0)
		return -errno;
	w->solicitor = fd;
	memcpy(&from.sin6_addr, source->b, 16);
	ICMP6_FILTER_SETBLOCKALL(&filter);
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) < 0 ||
	    setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) < 0)
		return -errno;
	return read_mac(w, fd, device);
}

static int open_netlink(uint32_t groups)
{
	struct sockaddr_nl local = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), one = 1, r;

	if (fd < 0)
		return -errno;
	/* Without the request's own bytes errors are shorter; a kernel that cannot is no worse. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&local, sizeof(local)) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

static int find_device(const char *device, int *ret_ifindex, const char **ret_what)
{
	int index = (int)if_nametoindex(device);

	*ret_what = "find its network device";
	if (index == 0)
		return -errno;
	*ret_ifindex = index;
	return 0;
}

static int start(struct warm *w, const char *device, const struct ip_addr *source, const struct ip_addr *addrs,
		 size_t n, const char **ret_what)
{
	int r = find_device(device, &w->ifindex, ret_what);

	if (r < 0)
		return r;
	*ret_what = "open a netlink socket";
	w->fd = open_netlink(RTMGRP_NEIGH);
	if (w->fd < 0)
		return w->fd;
	*ret_what = "open a raw ICMPv6 socket";
	r = addr_is_v4(source) ? 0 : open_solicitor(w, device, source);
	if (r < 0)
		return r;
	*ret_what = "resolve its neighbours";
	r = keep_peers(w, addrs, n);
	if (r == 0)
		r = ask_next(w);
	return r == -ENOBUFS ? 0 : r; /* warm_read and warm_retry ask again */
}

int warm_open(const char *device, const struct ip_addr *source, const struct ip_addr *addrs, size_t n, uint32_t window,
	      struct warm **ret, const char **ret_what)
{
	struct warm *w = calloc(1, sizeof(*w));
	int r;

	if (!w) {
		*ret_what = "resolve its neighbours";
		return -ENOMEM;
	}
	w->fd = w->solicitor = -1;
	w->window = window;
	r = start(w, device, source, addrs, n, ret_what);
	if (r < 0) {
		warm_close(w);
		return r;
	}
	*ret = w;
	return 0;
}

int warm_fd(const struct warm *w)
{
	return w->fd;
}

uint32_t warm_unresolved(const struct warm *w)
{
	return w->n - w->n_resolved;
}

void warm_close(struct warm *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	if (w->solicitor >= 0)
		close(w->solicitor);
	free(w->peers);
	free(w);
}

/* The kernel answers what it does not take, before the request returns. */
static uint32_t count_refusals(int fd)
{
	uint8_t answer[RECEIVE_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	uint32_t refused = 0;
	ssize_t n;

	while ((n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *h = (const void *)answer;

		for (unsigned left = (unsigned)n; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left))
			refused += h->nlmsg_type == NLMSG_ERROR && ((const struct nlmsgerr *)NLMSG_DATA(h))->error != 0;
	}
	return refused;
}

int warm_enter(const char *device, const struct warm_known *known, size_t n, uint32_t *ret_refused, const char **ret_what)
{
	struct neighbour_entry entries[BATCH];
	int ifindex = 0, r = find_device(device, &ifindex, ret_what), fd;
	uint32_t refused = 0;

	if (r < 0)
		return r;
	*ret_what = "open a netlink socket";
	fd = open_netlink(0);
	if (fd < 0)
		return fd;
	*ret_what = "enter its neighbours";
	for (size_t i = 0; i < n && r == 0;) {
		uint8_t *at = (uint8_t *)entries;

		for (unsigned k = 0; k < BATCH && i < n; k++)
			at += put_entry(at, ifindex, &known[i++]);
		r = send_requests(fd, entries, (size_t)(at - (uint8_t *)entries));
		refused += count_refusals(fd);
	}
	close(fd);
	*ret_refused = refused;
	return r;
}

void warm_room_enter(const struct warm_room *room, const struct warm_known *sender)
{
	struct neighbour_entry entry;

	/* As in warm_room_make. */
	(void)send_requests(room->fd, &entry, put_entry(&entry, room->ifindex, sender));
	(void)count_refusals(room->fd);
}

int warm_room_open(const char *device, struct warm_room *ret, const char **ret_what)
{
	struct warm_room room;
	int r = find_device(device, &room.ifindex, ret_what);

	if (r < 0)
		return r;
	*ret_what = "open a netlink socket";
	room.fd = open_netlink(0);
	if (room.fd < 0)
		return room.fd;
	*ret = room;
	return 0;
}

void warm_room_make(const struct warm_room *room, const struct ip_addr *asker)
{
	struct neighbour_request request;
	size_t len = put_request(&request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, NTF_EXT_LEARNED, room->ifindex, 0,
				 asker);

	/* Ignored, as the header says; answers are only read so that they do not pile up. */
	(void)send_requests(room->fd, &request, len);
	(void)count_refusals(room->fd);
}
