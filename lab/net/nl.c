/* SPDX-License-Identifier: Apache-2.0 */
/* Batched rtnetlink; see nl.h. */
#include "lab/net/nl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/sockios.h>
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
};

struct nl {
	struct mnl_socket *socket;
	const char *where;
	uint32_t seq;             /* of the batch's first request */
	unsigned n;               /* requests collected */
	size_t len;               /* bytes of the complete ones; the newest still grows */
	struct nlmsghdr *newest;
	char note[BATCH_REQUESTS][NOTE_LEN];
	char batch[BATCH_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
};

int nl_open(const char *where, struct nl **ret)
{
	struct nl *nl = calloc(1, sizeof(*nl));
	int on = 1, r;

	if (!nl)
		return -ENOMEM;
	nl->where = where;
	nl->seq = 1;
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
	if (nl && nl->socket)
		(void)mnl_socket_close(nl->socket); /* nothing can be done about it */
	free(nl);
}

int nl_netns(const struct nl *nl)
{
	int fd = ioctl(mnl_socket_get_fd(nl->socket), SIOCGSKNS);

	return fd < 0 ? -errno : fd;
}

static void finish_newest(struct nl *nl)
{
	if (!nl->newest)
		return;
	nl->len += MNL_ALIGN(nl->newest->nlmsg_len);
	nl->newest = NULL;
}

static bool batch_is_full(const struct nl *nl)
{
	size_t newest = nl->newest ? MNL_ALIGN(nl->newest->nlmsg_len) : 0;

	return nl->n == BATCH_REQUESTS || nl->len + newest + REQUEST_BYTES > BATCH_BYTES;
}

struct nlmsghdr *nl_request(struct nl *nl, struct error *err, uint16_t type, uint16_t flags, const char *what, ...)
{
	struct nlmsghdr *h;
	va_list ap;

	if (batch_is_full(nl)) {
		if (nl_flush(nl, err))
			return NULL;
	} else {
		finish_newest(nl);
	}
	va_start(ap, what);
	(void)vsnprintf(nl->note[nl->n], NOTE_LEN, what, ap);
	va_end(ap);
	h = mnl_nlmsg_put_header(nl->batch + nl->len);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = nl->seq + nl->n++;
	nl->newest = h;
	return h;
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
	uint32_t i = h->nlmsg_seq - nl->seq;
	const char *sentence = kernel_sentence(h);
	const char *remedy = code == -EOPNOTSUPP ? ": is that kind of device in this kernel, or a module of its name (modprobe)?" : "";

	error_set(err, "cannot %s in %s: %s%s%s%s%s", i < nl->n ? nl->note[i] : "configure", nl->where,
		  sentence ? sentence : strerror(-code), sentence ? " (" : "", sentence ? strerror(-code) : "",
		  sentence ? ")" : "", remedy);
	return code;
}

/* Reads answers until the last request's; the first refusal is what the user hears. */
static int read_answers(struct nl *nl, struct error *err)
{
	char answer[ANSWER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	uint32_t last = nl->seq + nl->n - 1;
	int first = 0;

	for (;;) {
		ssize_t got = mnl_socket_recvfrom(nl->socket, answer, sizeof(answer));
		const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
		int left = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			first = -errno;
			error_set(err, "cannot read the kernel's answer in %s: %s", nl->where, strerror(-first));
			return first;
		}
		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			if (e->error && !first)
				first = refused(nl, h, e->error, err);
			if (h->nlmsg_seq == last)
				return first;
		}
	}
}

int nl_flush(struct nl *nl, struct error *err)
{
	int r = 0;

	if (!nl->n)
		return 0;
	nl->newest->nlmsg_flags |= NLM_F_ACK; /* refusals are always answered; success only where asked */
	finish_newest(nl);
	if (mnl_socket_sendto(nl->socket, nl->batch, nl->len) < 0) {
		r = -errno;
		error_set(err, "cannot send %u requests to the kernel in %s: %s", nl->n, nl->where, strerror(errno));
	} else {
		r = read_answers(nl, err);
	}
	nl->seq += nl->n;
	nl->n = 0;
	nl->len = 0;
	return r;
}
