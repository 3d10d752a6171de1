/* SPDX-License-Identifier: Apache-2.0 */
/* Batched rtnetlink; see nl.h. */
#include "lab/net/nl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	BATCH_BYTES = 64 * 1024,  /* far below the default send buffer, which bounds one datagram */
	REQUEST_BYTES = 1024,     /* the longest request dev.c builds, with room */
	BATCH_REQUESTS = 512,
	NOTE_LEN = 96,
	ANSWER_BYTES = 8192,
	DUMP_BYTES = 32768,       /* the most the kernel puts into one datagram of a listing */
};

struct nl_batch {
	struct nl *owner;         /* whose requests these are; NULL while there are none */
	uint32_t seq;             /* of the first request */
	unsigned n;               /* requests collected */
	size_t len;               /* bytes of the complete ones; the newest still grows */
	struct nlmsghdr *newest;
	char note[BATCH_REQUESTS][NOTE_LEN];
	const char *needs[BATCH_REQUESTS];
	char bytes[BATCH_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
};

struct nl {
	struct mnl_socket *socket;
	struct nl_batch *batch;
	const char *where;
};

struct nl_batch *nl_batch_new(void)
{
	struct nl_batch *b = calloc(1, sizeof(*b));

	if (b)
		b->seq = 1;
	return b;
}

void nl_batch_free(struct nl_batch *batch)
{
	free(batch);
}

static void empty(struct nl_batch *b)
{
	b->owner = NULL;
	b->seq += b->n;
	b->n = 0;
	b->len = 0;
	b->newest = NULL;
}

int nl_open(struct nl_batch *batch, const char *where, struct nl **ret)
{
	struct nl *nl = calloc(1, sizeof(*nl));
	int on = 1, r;

	if (!nl)
		return -ENOMEM;
	nl->batch = batch;
	nl->where = where;
	nl->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl->socket || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		nl_close(nl);
		return r;
	}
	/* Both only shape the answers; a kernel without them still gives the errno. */
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	*ret = nl;
	return 0;
}

void nl_close(struct nl *nl)
{
	if (!nl)
		return;
	if (nl->batch->owner == nl)
		empty(nl->batch);
	if (nl->socket)
		(void)mnl_socket_close(nl->socket); /* nothing can be done about it */
	free(nl);
}

void nl_use_batch(struct nl *nl, struct nl_batch *batch)
{
	nl->batch = batch;
}

int nl_netns(const struct nl *nl)
{
	int fd = ioctl(mnl_socket_get_fd(nl->socket), SIOCGSKNS);

	return fd < 0 ? -errno : fd;
}

static void finish_newest(struct nl_batch *b)
{
	if (!b->newest)
		return;
	b->len += MNL_ALIGN(b->newest->nlmsg_len);
	b->newest = NULL;
}

static bool is_full(const struct nl_batch *b)
{
	size_t newest = b->newest ? MNL_ALIGN(b->newest->nlmsg_len) : 0;

	return b->n == BATCH_REQUESTS || b->len + newest + REQUEST_BYTES > BATCH_BYTES;
}

struct nlmsghdr *nl_request(struct nl *nl, struct error *err, uint16_t type, uint16_t flags, const char *what, ...)
{
	struct nl_batch *b = nl->batch;
	struct nlmsghdr *h;
	va_list ap;

	if (b->owner && (b->owner != nl || is_full(b)) && nl_flush(b->owner, err))
		return NULL;
	finish_newest(b);
	b->owner = nl;
	va_start(ap, what);
	(void)vsnprintf(b->note[b->n], NOTE_LEN, what, ap);
	va_end(ap);
	b->needs[b->n] = NULL;
	h = mnl_nlmsg_put_header(b->bytes + b->len);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = b->seq + b->n++;
	b->newest = h;
	return h;
}

void nl_needs(struct nl *nl, const char *option)
{
	nl->batch->needs[nl->batch->n - 1] = option;
}

static const char *kernel_sentence(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	size_t skip = sizeof(*e);
	const struct nlattr *attr;

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += e->msg.nlmsg_len - sizeof(e->msg);
	mnl_attr_for_each(attr, h, MNL_ALIGN(skip))
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			return mnl_attr_get_str(attr);
	return NULL;
}

static int refused(const struct nl *nl, const struct nlmsghdr *h, int code, struct error *err)
{
	const struct nl_batch *b = nl->batch;
	uint32_t i = h->nlmsg_seq - b->seq;
	const char *sentence = kernel_sentence(h);
	const char *needs = code == -EOPNOTSUPP && i < b->n ? b->needs[i] : NULL;

	error_set(err, "cannot %s in %s: %s%s%s%s%s%s", i < b->n ? b->note[i] : "configure", nl->where,
		  sentence ? sentence : strerror(-code), sentence ? " (" : "", sentence ? strerror(-code) : "",
		  sentence ? ")" : "", needs ? ": this kernel needs " : "", needs ? needs : "");
	return code;
}

/* One datagram of answers; *ret_over once the last request's was in it. The first refusal is what the user hears. */
static int read_datagram(struct nl *nl, const char *answer, size_t len, int first, bool *ret_over, struct error *err)
{
	uint32_t last = nl->batch->seq + nl->batch->n - 1;
	const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
	int left = (int)len;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

		if (h->nlmsg_type != NLMSG_ERROR)
			continue;
		if (e->error && !first)
			first = refused(nl, h, e->error, err);
		if (h->nlmsg_seq == last)
			*ret_over = true;
	}
	return first;
}

/* The kernel works requests off while they are sent, so all answers are there: what is missing will not come. */
static int read_answers(struct nl *nl, struct error *err)
{
	char answer[ANSWER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	bool over = false;
	int r = 0;

	while (!over) {
		ssize_t got = recv(mnl_socket_get_fd(nl->socket), answer, sizeof(answer), MSG_DONTWAIT);

		if (got >= 0)
			r = read_datagram(nl, answer, (size_t)got, r, &over, err);
		else if (errno == EAGAIN && r)
			return r; /* so many refusals that the last ones found no room */
		else if (errno != EINTR && errno != ENOBUFS) /* ENOBUFS only announces that */
			break;
	}
	if (over)
		return r;
	r = -errno;
	error_set(err, "cannot read the kernel's answer in %s: %s", nl->where, strerror(-r));
	return r;
}

int nl_flush(struct nl *nl, struct error *err)
{
	struct nl_batch *b = nl->batch;
	int r = 0;

	if (b->owner != nl)
		return 0;
	b->newest->nlmsg_flags |= NLM_F_ACK; /* refusals are always answered; success only where asked */
	finish_newest(b);
	if (mnl_socket_sendto(nl->socket, b->bytes, b->len) < 0) {
		r = -errno;
		error_set(err, "cannot send %u requests to the kernel in %s: %s", b->n, nl->where, strerror(errno));
	} else {
		r = read_answers(nl, err);
	}
	empty(b);
	return r;
}

/* ------------------------------------------------------------------ answers */

/* Calls fn for a datagram's messages. 1: the answer goes on, 0: it is over, -errno. A listing that fails half way says so at its end
 * (netlink_dump_done()). */
static int read_answer(const char *datagram, size_t len, nl_message_fn fn, void *arg)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)datagram;
	int left = (int)len;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		if (h->nlmsg_type == NLMSG_DONE)
			return mnl_nlmsg_get_payload_len(h) >= sizeof(int) ? *(const int *)mnl_nlmsg_get_payload(h) : 0;
		if (h->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error;
		fn(arg, h);
	}
	return 1;
}

int nl_ask(struct nl *nl, struct nlmsghdr *request, nl_message_fn fn, void *arg)
{
	char buf[DUMP_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct error err;
	int r = nl_flush(nl, &err);

	if (r)
		return r;
	/* The answer to a question about one object ends with the acknowledgement. */
	request->nlmsg_flags |= NLM_F_REQUEST | ((request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP ? 0 : NLM_F_ACK);
	r = mnl_socket_sendto(nl->socket, request, request->nlmsg_len) < 0 ? -errno : 1;
	while (r > 0) {
		ssize_t got = recv(mnl_socket_get_fd(nl->socket), buf, sizeof(buf), 0);

		if (got >= 0)
			r = read_answer(buf, (size_t)got, fn, arg);
		else if (errno != EINTR)
			r = -errno;
	}
	return r;
}

/* ------------------------------------------------------------------ links */

static const char *link_kind(const struct nlmsghdr *h)
{
	const struct nlattr *attr, *inner;

	mnl_attr_for_each(attr, h, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) != IFLA_LINKINFO)
			continue;
		mnl_attr_for_each_nested(inner, attr)
			if (mnl_attr_get_type(inner) == IFLA_INFO_KIND && mnl_attr_validate(inner, MNL_TYPE_NUL_STRING) >= 0)
				return mnl_attr_get_str(inner);
	}
	return "";
}

struct link_reader {
	uint16_t type;             /* RTM_NEWLINK or RTM_DELLINK: of the messages that fn is called for */
	nl_link_fn fn;
	void *arg;
};

static void read_link(void *arg, const struct nlmsghdr *h)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	const struct link_reader *to = arg;

	if (h->nlmsg_type == to->type && ifi->ifi_family == AF_UNSPEC) /* a bridge tells of its ports besides */
		to->fn(to->arg, (uint32_t)ifi->ifi_index, link_kind(h));
}

int nl_each_link(struct nl *nl, struct error *err, nl_link_fn fn, void *arg)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct link_reader to = { RTM_NEWLINK, fn, arg };
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	int r;

	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_DUMP;
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	r = nl_ask(nl, h, read_link, &to);
	if (r)
		error_set(err, "cannot list the links in %s: %s", nl->where, strerror(-r));
	return r;
}

/* ethtool_op_get_link() calls linkwatch_sync_dev(); the ioctl is that of any socket of the namespace. */
int nl_settle_carrier(struct nl *nl, struct error *err, const char *device)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GLINK };
	struct ifreq request = { .ifr_data = (void *)&value };
	int r;

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	if (!ioctl(mnl_socket_get_fd(nl->socket), SIOCETHTOOL, &request))
		return 0;
	r = -errno;
	error_set(err, "cannot read the carrier of %s in %s: %s", device, nl->where, strerror(-r));
	return r;
}

int nl_watch_links(struct nl *nl)
{
	int group = RTNLGRP_LINK;

	return mnl_socket_setsockopt(nl->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0 ? -errno : 0;
}

int nl_fd(const struct nl *nl)
{
	return mnl_socket_get_fd(nl->socket);
}

int nl_read_gone(struct nl *nl, nl_link_fn fn, void *arg)
{
	char buf[DUMP_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct link_reader gone = { RTM_DELLINK, fn, arg };
	ssize_t got = recv(mnl_socket_get_fd(nl->socket), buf, sizeof(buf), MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	(void)read_answer(buf, (size_t)got, read_link, &gone);
	return 0;
}

bool nl_read_changed(struct nl *nl)
{
	char buf[DUMP_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	bool changed = false;
	ssize_t got;

	/* Told of more than its buffer holds, a socket says ENOBUFS once: that is a change as well. */
	while ((got = recv(mnl_socket_get_fd(nl->socket), buf, sizeof(buf), MSG_DONTWAIT)) > 0 || (got < 0 && errno == ENOBUFS))
		changed = true;
	return changed;
}

static void count_filter(void *arg, const struct nlmsghdr *h)
{
	*(unsigned *)arg += h->nlmsg_type == RTM_NEWTFILTER;
}

int nl_count_filters(struct nl *nl, struct error *err, uint32_t index, uint32_t parent, unsigned *ret_n)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	unsigned n = 0;
	struct tcmsg *tc;
	int r;

	h->nlmsg_type = RTM_GETTFILTER;
	h->nlmsg_flags = NLM_F_DUMP;
	tc = mnl_nlmsg_put_extra_header(h, sizeof(*tc));
	tc->tcm_ifindex = (int)index;
	tc->tcm_parent = parent;
	r = nl_ask(nl, h, count_filter, &n);
	if (r)
		error_set(err, "cannot list the filters of interface %u in %s: %s", index, nl->where, strerror(-r));
	else
		*ret_n = n;
	return r;
}
