/* SPDX-License-Identifier: Apache-2.0 */
/* tbf, htb, netem, bfifo and clsact by netlink; see qdisc.h. Attributes: linux/pkt_sched.h, linux/pkt_cls.h; what they mean is in
 * net/sched/sch_tbf.c, sch_htb.c, sch_netem.c, cls_bpf.c. */
#include "lab/net/qdisc.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#define HANDLE(major) ((uint32_t)(major) << 16)
#define CLASS(major) (HANDLE(major) | 1) /* the only one of each */

enum {
	TBF = 1, HTB, NETEM, BFIFO, /* majors */
	FILTER_HANDLE = 1,
	FILTER_PRIORITY = 1,

	FRAME_BYTES = 1518,    /* the longest of the underlay (MTU 1500), with a VLAN tag */
	BURST_MS = 5,          /* timers come this late on a busy machine; what they are late by must fit the bucket, or it is lost */
	QUEUE_MS = 50,         /* as long as a frame may wait for its turn */
	QUEUE_FRAMES_MIN = 8,
	FLIGHT_PPS = 1000000,  /* more than any link here carries: netem's bound only guards memory */
	FLIGHT_MIN = 1000,
	FLIGHT_MAX = 1 << 20,
};

#define NS_PER_S 1000000000ull
#define NO_LIMIT (1ull << 39) /* bytes per second: no frame takes a nanosecond */

/* ---- requests ---- */

static struct nlmsghdr *request(const struct qdisc_device *dev, uint16_t type, uint16_t flags, uint32_t parent, uint32_t handle,
				const char *what, struct error *err)
{
	struct nlmsghdr *h = nl_request(dev->nl, err, type, flags, "%s %s", what, dev->name);
	struct tcmsg *tc;

	if (!h)
		return NULL;
	tc = mnl_nlmsg_put_extra_header(h, sizeof(*tc));
	tc->tcm_family = AF_UNSPEC;
	tc->tcm_ifindex = (int)dev->index;
	tc->tcm_parent = parent;
	tc->tcm_handle = handle;
	return h;
}

static struct nlmsghdr *request_qdisc(const struct qdisc_device *dev, const char *kind, uint32_t parent, uint32_t handle,
				      struct error *err)
{
	char what[32];
	struct nlmsghdr *h;

	(void)snprintf(what, sizeof(what), "put %s on", kind);
	h = request(dev, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, parent, handle, what, err);
	if (h)
		mnl_attr_put_strz(h, TCA_KIND, kind);
	return h;
}

/* Kernels without a kind say ENOENT, those without any queueing disciplines EOPNOTSUPP. */
static int flush_naming(const struct qdisc_device *dev, const char *what, const char *option, struct error *err)
{
	int r = nl_flush(dev->nl, err);

	if (r != -ENOENT && r != -EOPNOTSUPP)
		return r;
	error_set(err, "this kernel has no %s (%s)", what, option);
	return -EOPNOTSUPP;
}

/* ---- roots ---- */

static uint64_t bytes_in(uint64_t rate, uint64_t ns)
{
	double bytes = (double)rate * (double)ns / (double)NS_PER_S;

	return bytes < 1u << 30 ? (uint64_t)bytes : 1u << 30; /* limits are 32 bits in the kernel, with sums of theirs */
}

static uint64_t rate_of(const struct qdisc_shape *s)
{
	return s->rate ? s->rate : NO_LIMIT;
}

/* What may wait for the rate. A connection fills its link only if a round trip's worth finds room. */
static uint32_t queue_bytes(const struct qdisc_shape *s)
{
	uint64_t bytes = bytes_in(rate_of(s), QUEUE_MS * (NS_PER_S / 1000) + 2 * s->delay_ns);

	return (uint32_t)(bytes > QUEUE_FRAMES_MIN * FRAME_BYTES ? bytes : QUEUE_FRAMES_MIN * FRAME_BYTES);
}

uint64_t qdisc_wait_ns(const struct qdisc_shape *s)
{
	return s->delay_ns + (s->rate ? queue_bytes(s) * NS_PER_S / s->rate : 0);
}

/* linklayer says that no table of transmission times comes along; rates beyond 32 bits have attributes of their own. */
static struct tc_ratespec ratespec(uint64_t rate)
{
	return (struct tc_ratespec){ .linklayer = TC_LINKLAYER_ETHERNET, .rate = rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX };
}

/* The bucket's size is also the largest packet that passes undivided: super-packets whole from some 100 Mbit/s on, when one is no
 * more than those milliseconds, and as frames below. A peak rate has a bucket of its own, and that does the same at any rate. */
static int put_tbf(const struct qdisc_device *dev, const struct qdisc_shape *s, uint32_t parent, struct error *err)
{
	struct nlmsghdr *h = request_qdisc(dev, "tbf", parent, HANDLE(TBF), err);
	struct tc_tbf_qopt q = { .limit = queue_bytes(s), .rate = ratespec(rate_of(s)) };
	struct nlattr *options;

	if (!h)
		return -EIO;
	if (s->frames)
		q.peakrate = ratespec(2 * NO_LIMIT);
	options = mnl_attr_nest_start(h, TCA_OPTIONS);
	mnl_attr_put(h, TCA_TBF_PARMS, sizeof(q), &q);
	mnl_attr_put_u64(h, TCA_TBF_RATE64, rate_of(s));
	mnl_attr_put_u32(h, TCA_TBF_BURST, (uint32_t)(FRAME_BYTES + bytes_in(rate_of(s), BURST_MS * (NS_PER_S / 1000))));
	if (s->frames) {
		mnl_attr_put_u64(h, TCA_TBF_PRATE64, 2 * NO_LIMIT);
		mnl_attr_put_u32(h, TCA_TBF_PBURST, FRAME_BYTES);
	}
	mnl_attr_nest_end(h, options);
	return flush_naming(dev, s->rate ? "tbf, which a rate takes" : "tbf, which a loss takes", "CONFIG_NET_SCH_TBF, module sch_tbf", err);
}

static int put_class(const struct qdisc_device *dev, struct error *err)
{
	struct nlmsghdr *h = request(dev, RTM_NEWTCLASS, NLM_F_CREATE | NLM_F_EXCL, HANDLE(HTB), CLASS(HTB), "put a class on", err);
	struct tc_htb_opt c = { .rate = ratespec(NO_LIMIT), .ceil = ratespec(NO_LIMIT), .quantum = 64 * FRAME_BYTES };
	struct nlattr *options;

	if (!h)
		return -EIO;
	c.buffer = c.cbuffer = NS_PER_S >> 6; /* a second, in the kernel's ticks */
	mnl_attr_put_strz(h, TCA_KIND, "htb");
	options = mnl_attr_nest_start(h, TCA_OPTIONS);
	mnl_attr_put(h, TCA_HTB_PARMS, sizeof(c), &c);
	mnl_attr_put_u64(h, TCA_HTB_RATE64, NO_LIMIT);
	mnl_attr_put_u64(h, TCA_HTB_CEIL64, NO_LIMIT);
	mnl_attr_nest_end(h, options);
	return nl_flush(dev->nl, err);
}

static int put_filter(const struct qdisc_device *dev, uint32_t parent, int prog_fd, struct error *err)
{
	struct nlmsghdr *h = request(dev, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, parent, FILTER_HANDLE, "put a BPF program on", err);
	struct nlattr *options;
	struct tcmsg *tc;

	if (!h)
		return -EIO;
	tc = mnl_nlmsg_get_payload(h);
	tc->tcm_info = TC_H_MAKE(FILTER_PRIORITY << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(h, TCA_KIND, "bpf");
	options = mnl_attr_nest_start(h, TCA_OPTIONS);
	mnl_attr_put_u32(h, TCA_BPF_FD, (uint32_t)prog_fd);
	mnl_attr_put_strz(h, TCA_BPF_NAME, "tunlab");
	mnl_attr_put_u32(h, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(h, options);
	return flush_naming(dev, "BPF classifier, which a loss takes", "CONFIG_NET_CLS_BPF, module cls_bpf", err);
}

static int put_htb(const struct qdisc_device *dev, const struct qdisc_shape *s, uint32_t parent, struct error *err)
{
	struct nlmsghdr *h = request_qdisc(dev, "htb", parent, HANDLE(HTB), err);
	struct tc_htb_glob q = { .version = 3, .rate2quantum = 10, .defcls = 1 };
	struct nlattr *options;
	int r;

	if (!h)
		return -EIO;
	options = mnl_attr_nest_start(h, TCA_OPTIONS);
	mnl_attr_put(h, TCA_HTB_INIT, sizeof(q), &q);
	mnl_attr_nest_end(h, options);
	r = flush_naming(dev, "htb, which a loss takes", "CONFIG_NET_SCH_HTB, module sch_htb", err);
	if (!r)
		r = put_class(dev, err);
	return r ?: put_filter(dev, HANDLE(HTB), s->filter_fd, err);
}

static int put_netem(const struct qdisc_device *dev, const struct qdisc_shape *s, uint32_t parent, struct error *err)
{
	struct nlmsghdr *h = request_qdisc(dev, "netem", parent, HANDLE(NETEM), err);
	double flight = FLIGHT_MIN + (double)s->delay_ns * FLIGHT_PPS / (double)NS_PER_S;
	struct tc_netem_qopt *q;
	struct nlattr *options;

	if (!h)
		return -EIO;
	options = mnl_attr_nest_start(h, TCA_OPTIONS);
	q = mnl_nlmsg_put_extra_header(h, sizeof(*q));
	q->limit = flight < FLIGHT_MAX ? (uint32_t)flight : FLIGHT_MAX;
	mnl_attr_put_u64(h, TCA_NETEM_LATENCY64, s->delay_ns);
	mnl_attr_nest_end(h, options);
	return flush_naming(dev, "netem, which a delay takes", "CONFIG_NET_SCH_NETEM, module sch_netem", err);
}

static int put_bfifo(const struct qdisc_device *dev, const struct qdisc_shape *s, uint32_t parent, struct error *err)
{
	struct nlmsghdr *h = request_qdisc(dev, "bfifo", parent, HANDLE(BFIFO), err);
	struct tc_fifo_qopt q = { .limit = queue_bytes(s) };

	if (!h)
		return -EIO;
	mnl_attr_put(h, TCA_OPTIONS, sizeof(q), &q);
	return nl_flush(dev->nl, err);
}

/* The links of the chain, as bits in the order in which they stand. */
static unsigned chain_of(const struct qdisc_shape *s)
{
	unsigned tbf = s->rate || s->frames ? 1u << TBF : 0, htb = s->filter_fd ? 1u << HTB : 0;
	unsigned netem = s->delay_ns ? 1u << NETEM : 0, bfifo = tbf && (htb || netem) ? 1u << BFIFO : 0;

	return tbf | htb | netem | bfifo;
}

/* All links but those of `keep`, which cannot be changed and need not. */
static int put_chain(const struct qdisc_device *dev, const struct qdisc_shape *s, unsigned keep, struct error *err)
{
	static int (*const put[])(const struct qdisc_device *dev, const struct qdisc_shape *s, uint32_t parent, struct error *err) = {
		[TBF] = put_tbf, [HTB] = put_htb, [NETEM] = put_netem, [BFIFO] = put_bfifo,
	};
	unsigned chain = chain_of(s);
	uint32_t parent = TC_H_ROOT;
	int r = 0;

	for (unsigned i = TBF; i <= BFIFO && !r; i++) {
		if (!(chain & 1u << i))
			continue;
		if (!(keep & 1u << i))
			r = put[i](dev, s, parent, err);
		parent = CLASS(i);
	}
	return r;
}

static int delete(const struct qdisc_device *dev, uint32_t parent, uint32_t handle, const char *what, struct error *err)
{
	int r = request(dev, RTM_DELQDISC, 0, parent, handle, what, err) ? nl_flush(dev->nl, err) : -EIO;

	return r == -ENOENT || r == -EINVAL ? 0 : r; /* what the kernel says where there is none (clsact: EINVAL) */
}

static int change_root(const struct qdisc_device *dev, const struct qdisc_shape *was, const struct qdisc_shape *to, struct error *err)
{
	unsigned chain = chain_of(was);
	int r = 0;

	if (chain && chain == chain_of(to) && !put_chain(dev, to, 1u << HTB, err))
		return 0;
	if (chain)
		r = delete(dev, TC_H_ROOT, 0, "take the root qdisc off", err);
	return r ?: put_chain(dev, to, 0, err);
}

static bool same_shape(const struct qdisc_shape *a, const struct qdisc_shape *b)
{
	return a->rate == b->rate && a->delay_ns == b->delay_ns && a->frames == b->frames && a->filter_fd == b->filter_fd;
}

int qdisc_set_root(const struct qdisc_device *dev, const struct qdisc_shape *was, const struct qdisc_shape *to, struct error *err)
{
	int r = same_shape(was, to) ? 0 : change_root(dev, was, to, err);
	struct error lost;

	if (r) /* what worked a moment ago; the first failure tells more than another */
		(void)change_root(dev, to, was, &lost);
	return r;
}

/* ---- what comes in ---- */

int qdisc_attach(const struct qdisc_device *dev, int ingress_fd, struct error *err)
{
	struct nlmsghdr *h = request(dev, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, TC_H_CLSACT, TC_H_MAKE(TC_H_CLSACT, 0),
				     "put clsact on", err);
	struct error lost;
	int r;

	if (!h)
		return -EIO;
	mnl_attr_put_strz(h, TCA_KIND, "clsact");
	r = flush_naming(dev, "clsact, which a loss takes", "CONFIG_NET_SCH_INGRESS, module sch_ingress", err);
	if (r)
		return r;
	r = put_filter(dev, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), ingress_fd, err);
	if (r)
		(void)qdisc_detach(dev, &lost); /* r tells more */
	return r;
}

int qdisc_detach(const struct qdisc_device *dev, struct error *err)
{
	return delete(dev, TC_H_CLSACT, TC_H_MAKE(TC_H_CLSACT, 0), "take clsact off", err);
}
