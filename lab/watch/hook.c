/* SPDX-License-Identifier: Apache-2.0 */
/* TCX links and clsact filters on interfaces that are not ours; see hook.h. */
#include "lab/watch/hook.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lab/cmd/privilege.h"

enum {
	/* In front of filters that tc numbers by itself (49152 and below), behind those that somebody put first on purpose. One of
	 * these that ends with TC_ACT_OK hides its packets from us: that is clsact, and why TCX is better. */
	FILTER_PRIORITY = 0x74,
	FILTER_HANDLES_MAX = 16, /* monitors on one interface at once */
	GUARDED_MAX = 64,
	/* linux/bpf.h of 6.6 */
	ATTACH_TCX_INGRESS = 46,
	ATTACH_TCX_EGRESS = 47,
	ATTACH_BEFORE = 1 << 3,
};

const char *const hook_kind_names[HOOK_KIND_MAX] = { [HOOK_TCX] = "tcx", [HOOK_CLSACT] = "clsact" };

/* ---- TCX ---- */

int hook_tcx_link(int prog_fd, uint32_t ifindex, enum flow_dir dir)
{
	union bpf_attr attr;
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)prog_fd;
	attr.link_create.target_ifindex = ifindex;
	attr.link_create.attach_type = dir == FLOW_TX ? ATTACH_TCX_EGRESS : ATTACH_TCX_INGRESS;
	attr.link_create.flags = ATTACH_BEFORE; /* before no program in particular: in front of all */
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr)); /* the kernel makes it close-on-exec */
	return fd < 0 ? -errno : (int)fd;
}

static int tcx_attach(const int progs[FLOW_DIR_MAX], uint32_t ifindex, struct hook *hook)
{
	for (int dir = 0; dir < FLOW_DIR_MAX; dir++) {
		int r = hook_tcx_link(progs[dir], ifindex, (enum flow_dir)dir);

		hook->links[dir] = r;
		if (r >= 0)
			continue;
		while (dir-- > 0)
			(void)close(hook->links[dir]);
		return r;
	}
	return 0;
}

/* A kernel that has no TCX does not know the attach type; there is always an interface 1, the loopback, and to be on it for a moment
 * disturbs nobody. */
static bool has_tcx(const int progs[FLOW_DIR_MAX])
{
	int fd = hook_tcx_link(progs[FLOW_RX], 1, FLOW_RX);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/* ---- clsact ---- */

static const enum bpf_tc_attach_point attach_points[FLOW_DIR_MAX] = { [FLOW_TX] = BPF_TC_EGRESS, [FLOW_RX] = BPF_TC_INGRESS };
static const uint32_t parents[FLOW_DIR_MAX] = {
	[FLOW_TX] = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), [FLOW_RX] = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
};

/* Filters are found by number: only one that still runs our program is ours. */
static void filter_detach(uint32_t ifindex, enum flow_dir dir, const struct hook_filter *f)
{
	LIBBPF_OPTS(bpf_tc_hook, at, .ifindex = (int)ifindex, .attach_point = attach_points[dir]);
	LIBBPF_OPTS(bpf_tc_opts, found, .handle = f->handle, .priority = FILTER_PRIORITY);
	LIBBPF_OPTS(bpf_tc_opts, own, .handle = f->handle, .priority = FILTER_PRIORITY);

	if (f->handle && !bpf_tc_query(&at, &found) && found.prog_id == f->prog_id)
		(void)bpf_tc_detach(&at, &own); /* the interface may have gone meanwhile, and the filter with it */
}

static bool is_unused(struct nl *nl, uint32_t ifindex)
{
	unsigned n = 1, all = 0;
	struct error err;

	for (int dir = 0; dir < FLOW_DIR_MAX; dir++) {
		if (nl_count_filters(nl, &err, ifindex, parents[dir], &n))
			return false;
		all += n;
	}
	return all == 0;
}

/* With a qdisc go all filters on it: only one that we made, and that nobody else uses by now, is taken off. So an empty one stays where
 * a second monitor came after the first and outlived it. */
static void clsact_detach(struct nl *nl, const struct hook *hook)
{
	LIBBPF_OPTS(bpf_tc_hook, at, .ifindex = (int)hook->ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	for (int dir = 0; dir < FLOW_DIR_MAX; dir++)
		filter_detach(hook->ifindex, (enum flow_dir)dir, &hook->filters[dir]);
	if (hook->made_qdisc && is_unused(nl, hook->ifindex))
		(void)bpf_tc_hook_destroy(&at); /* likewise */
}

static int filter_attach(int prog, uint32_t ifindex, enum flow_dir dir, struct hook_filter *ret)
{
	LIBBPF_OPTS(bpf_tc_hook, at, .ifindex = (int)ifindex, .attach_point = attach_points[dir]);
	int r = -EEXIST;

	for (uint32_t handle = 1; handle <= FILTER_HANDLES_MAX && r == -EEXIST; handle++) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle, .priority = FILTER_PRIORITY, .prog_fd = prog);

		r = bpf_tc_attach(&at, &opts);
		if (!r)
			*ret = (struct hook_filter) { handle, opts.prog_id };
	}
	return r;
}

/* What the guard is told: the hook as it is to be found if we are killed. */
static int tell_guard(const struct hooks *h, const struct hook *hook)
{
	ssize_t n = h->guard.fd < 0 ? (ssize_t)sizeof(*hook) : write(h->guard.fd, hook, sizeof(*hook));

	return n == (ssize_t)sizeof(*hook) ? 0 : -EPIPE;
}

static int clsact_attach(const struct hooks *h, const int progs[FLOW_DIR_MAX], uint32_t ifindex, struct hook *hook)
{
	LIBBPF_OPTS(bpf_tc_hook, at, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int r = bpf_tc_hook_create(&at);

	hook->made_qdisc = r == 0;
	if (r && r != -EEXIST)
		return r;
	r = tell_guard(h, hook);
	for (int dir = 0; dir < FLOW_DIR_MAX && !r; dir++) {
		r = filter_attach(progs[dir], ifindex, (enum flow_dir)dir, &hook->filters[dir]);
		if (!r)
			r = tell_guard(h, hook);
	}
	if (r)
		clsact_detach(h->nl, hook);
	return r;
}

/* ---- the guard of clsact's filters ---- */

/* Reads hooks until the other process is gone, and takes off those it still had. */
static void guard_filters(void *arg)
{
	struct hook hooks[GUARDED_MAX] = { { 0 } }, told;
	struct nl_batch *batch = nl_batch_new();
	struct nl *nl = NULL;
	struct error err;
	ssize_t got;

	(void)arg;
	(void)privilege_keep_net_admin(&err); /* with more it would do its work as well */
	(void)libbpf_set_print(NULL); /* nobody would see it */
	while ((got = read(0, &told, sizeof(told))) > 0 || (got < 0 && errno == EINTR)) {
		struct hook *to = NULL;

		if (got != sizeof(told)) /* one write is one record, and less than a pipe takes at once */
			continue;
		for (int i = 0; i < GUARDED_MAX && (!to || to->ifindex != told.ifindex); i++)
			if (hooks[i].ifindex == told.ifindex || (!to && !hooks[i].ifindex))
				to = &hooks[i];
		if (to)
			*to = told;
	}
	if (!batch || nl_open(batch, "this machine", &nl))
		return;
	for (int i = 0; i < GUARDED_MAX; i++)
		if (hooks[i].ifindex)
			clsact_detach(nl, &hooks[i]);
}

/* ---- both ---- */

static int choose_kind(const int progs[FLOW_DIR_MAX], const char *wanted, enum hook_kind *ret, struct error *err)
{
	bool tcx = has_tcx(progs);

	*ret = tcx ? HOOK_TCX : HOOK_CLSACT;
	if (!wanted)
		return 0;
	for (int kind = 0; kind < HOOK_KIND_MAX; kind++) {
		if (strcmp(wanted, hook_kind_names[kind]))
			continue;
		*ret = (enum hook_kind)kind;
		if (kind == HOOK_CLSACT || tcx)
			return 0;
		error_set(err, "this kernel has no TCX links, which came with 6.6: leave the choice to tunlab, or take clsact");
		return -ENOSYS;
	}
	error_set(err, "there is no hook '%s': want tcx or clsact", wanted);
	return -EINVAL;
}

int hooks_open(const struct hook_programs *progs, struct nl *nl, const char *wanted, struct hooks *ret, struct error *err)
{
	struct hooks h = { .progs = *progs, .nl = nl, .guard = { .fd = -1 } };
	int r = choose_kind(progs->framed, wanted, &h.kind, err);

	if (r)
		return r;
	if (h.kind == HOOK_CLSACT)
		r = guard_start(guard_filters, NULL, &h.guard);
	if (r)
		error_set(err, "cannot start the process that cleans up if this one is killed: %s", strerror(-r));
	else
		*ret = h;
	return r;
}

void hooks_close(struct hooks *h)
{
	guard_end(&h->guard);
}

/* Loopback frames have an Ethernet header as well, of zeros. What comes in by a GRE or IP-in-IP device is seen with the outer header
 * still in front, what goes out without: these are refused. */
static int choose_programs(const struct hooks *h, const char *name, const int **ret, struct error *err)
{
	struct ifreq request = { 0 };
	int r;

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(nl_fd(h->nl), SIOCGIFHWADDR, &request)) {
		r = -errno;
		error_set(err, "cannot watch %s: %s", name, strerror(-r));
		return r;
	}
	switch (request.ifr_hwaddr.sa_family) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		*ret = h->progs.framed;
		return 0;
	case ARPHRD_NONE: /* tun, WireGuard */
	case ARPHRD_RAWIP:
		*ret = h->progs.bare;
		return 0;
	}
	error_set(err, "cannot watch %s: what it carries begins neither with an Ethernet header nor with an IP header (link type %u), as with "
		  "GRE and IP-in-IP devices; watch the interface its tunnel goes out by", name, request.ifr_hwaddr.sa_family);
	return -EOPNOTSUPP;
}

static void explain(int r, enum hook_kind kind, const char *name, struct error *err)
{
	if (r == -EPERM || r == -EACCES)
		error_set(err, "cannot watch %s: no privilege (CAP_NET_ADMIN and CAP_BPF): use sudo", name);
	else if (r == -ENODEV || r == -ENXIO)
		error_set(err, "cannot watch %s: it is gone", name);
	else if (kind == HOOK_CLSACT && (r == -ENOENT || r == -EOPNOTSUPP))
		error_set(err, "cannot watch %s: this kernel lacks the clsact qdisc or BPF filters (CONFIG_NET_SCH_INGRESS, "
			  "CONFIG_NET_CLS_BPF), or there is an ingress qdisc, which has no place for what goes out", name);
	else
		error_set(err, "cannot watch %s: attaching by %s failed: %s", name, hook_kind_names[kind], strerror(-r));
}

int hook_attach(const struct hooks *h, const char *name, uint32_t ifindex, struct hook *ret, struct error *err)
{
	struct hook hook = { .kind = h->kind, .ifindex = ifindex };
	libbpf_print_fn_t print;
	const int *progs = NULL;
	int r = choose_programs(h, name, &progs, err);

	if (r)
		return r;
	print = libbpf_set_print(NULL); /* its own lines would tell less, and twice */
	r = h->kind == HOOK_TCX ? tcx_attach(progs, ifindex, &hook) : clsact_attach(h, progs, ifindex, &hook);
	(void)libbpf_set_print(print);
	if (r)
		explain(r, h->kind, name, err);
	else
		*ret = hook;
	return r;
}

void hook_detach(const struct hooks *h, struct hook *hook)
{
	libbpf_print_fn_t print;

	if (!hook->ifindex)
		return;
	print = libbpf_set_print(NULL);
	for (int dir = 0; dir < FLOW_DIR_MAX && hook->kind == HOOK_TCX; dir++)
		(void)close(hook->links[dir]);
	if (hook->kind == HOOK_CLSACT) {
		clsact_detach(h->nl, hook);
		*hook = (struct hook) { .kind = hook->kind, .ifindex = hook->ifindex };
		(void)tell_guard(h, hook); /* nothing of it is left */
	}
	(void)libbpf_set_print(print);
	*hook = (struct hook) { 0 };
}
