/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks the programs to interfaces and takes them off. Owns the way into and out of other namespaces, and the list of where we are
 * attached.
 */
#include "monitor/monitor_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/libbpf.h>

/*
 * Filters are found again by handle and priority. In a lab's namespace there are no others;
 * elsewhere a middling priority leaves room on both sides.
 */
enum {
	FILTER_HANDLE = 1,
	FILTER_PRIORITY = 0x7475, /* "tu" */
};

/* Where we are attached; namespaces are told apart by inode, so that none is held alive by us. */
struct attachment {
	uint64_t netns_inode;
	uint32_t ifindex;
	bool made_qdisc;
};

/* Namespace to go back to, or -1 when the thread did not leave. */
struct ns_token {
	int home_fd;
};

static int ns_token_enter(struct ns_token *token, int netns_fd)
{
	int ret;

	token->home_fd = -1;
	if (netns_fd < 0)
		return 0;
	token->home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (token->home_fd < 0)
		return -errno;
	if (setns(netns_fd, CLONE_NEWNET) == 0)
		return 0;
	ret = -errno;
	(void)close(token->home_fd); /* only read from */
	token->home_fd = -1;
	return ret;
}

static void ns_token_return(struct ns_token *token)
{
	if (token->home_fd < 0)
		return;
	if (setns(token->home_fd, CLONE_NEWNET) < 0)
		abort(); /* to go on in a foreign namespace would change somebody else's network */
	(void)close(token->home_fd); /* only read from */
	token->home_fd = -1;
}

static const enum bpf_tc_attach_point attach_points[FLOW_DIR_MAX] = {
	[FLOW_TX] = BPF_TC_EGRESS,
	[FLOW_RX] = BPF_TC_INGRESS,
};

/* The first so many directions. With the qdisc go all filters on it, so only one that we made is taken off. */
static int clsact_detach(uint32_t ifindex, int dirs, bool made_qdisc)
{
	int ret = 0, one;

	for (int dir = 0; dir < dirs; dir++) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
			    .attach_point = attach_points[dir]);
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE,
			    .priority = FILTER_PRIORITY);

		one = bpf_tc_detach(&hook, &opts);
		if (one < 0 && one != -ENOENT && ret == 0)
			ret = one;
	}
	if (made_qdisc) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
			    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

		one = bpf_tc_hook_destroy(&hook);
		if (one < 0 && one != -ENOENT && ret == 0)
			ret = one;
	}
	return ret;
}

/*
 * clsact costs 0.08 ms per interface; its filters stay when the process dies, which in a lab is
 * when the namespace goes. A TCX link (kernel 6.6) would go with the process, but each waits
 * 12 ms for an RCU grace period. Another way to hook is another pair of functions like these.
 */
static int clsact_attach(struct monitor *m, uint32_t ifindex, bool *ret_made_qdisc)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int ret = bpf_tc_hook_create(&hook);
	bool made_qdisc = ret == 0;

	if (ret < 0 && ret != -EEXIST)
		return ret;
	for (int dir = 0; dir < FLOW_DIR_MAX; dir++) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE,
			    .priority = FILTER_PRIORITY, .prog_fd = monitor_prog_fd(m, dir));

		hook.attach_point = attach_points[dir];
		ret = bpf_tc_attach(&hook, &opts);
		if (ret < 0) {
			/* What is there already at our place is not ours to take off. */
			(void)clsact_detach(ifindex, dir, made_qdisc); /* ret tells more */
			return ret;
		}
	}
	*ret_made_qdisc = made_qdisc;
	return 0;
}

static int inode_of_netns(int netns_fd, uint64_t *ret_inode)
{
	struct stat st;

	if ((netns_fd < 0 ? stat("/proc/thread-self/ns/net", &st) : fstat(netns_fd, &st)) < 0)
		return -errno;
	*ret_inode = st.st_ino;
	return 0;
}

static int remember(struct monitor *m, int netns_fd, uint32_t ifindex)
{
	struct attachment *attachments;
	uint64_t inode;
	int ret = inode_of_netns(netns_fd, &inode);

	if (ret < 0)
		return ret;
	attachments = reallocarray(m->attachments, m->n_attachments + 1, sizeof(*attachments));
	if (!attachments)
		return -ENOMEM;
	m->attachments = attachments;
	attachments[m->n_attachments] = (struct attachment){
		.netns_inode = inode,
		.ifindex = ifindex,
	};
	return 0;
}

static void explain_attach(int ret, uint32_t ifindex, const struct log_sink *sink,
			   struct error *err)
{
	if (ret == -EPERM || ret == -EACCES)
		error_set(err, "monitor: no privilege to attach to interface %u: needs "
			  "CAP_NET_ADMIN in its namespace", ifindex);
	else if (ret == -ENODEV || ret == -ENXIO)
		error_set(err, "monitor: there is no interface with index %u in that namespace",
			  ifindex);
	else if (ret == -ENOSYS)
		error_set(err, "monitor: cannot attach to interface %u: this kernel lacks the "
			  "clsact qdisc or BPF filters (CONFIG_NET_SCH_INGRESS, CONFIG_NET_CLS_BPF)",
			  ifindex);
	else if (ret == -EEXIST)
		error_set(err, "monitor: interface %u has a monitor attached already", ifindex);
	else
		error_set(err, "monitor: cannot attach to interface %u: %s%s%s", ifindex,
			  strerror(-ret), sink->first_warning[0] ? ": " : "", sink->first_warning);
}

int monitor_attach(struct monitor *m, int netns_fd, uint32_t ifindex, struct error *err)
{
	struct ns_token token;
	struct log_sink sink;
	bool made_qdisc = false;
	int ret;

	monitor_log_enter(&sink, m->log, m->log_arg);
	ret = remember(m, netns_fd, ifindex);
	if (ret == 0)
		ret = ns_token_enter(&token, netns_fd);
	if (ret == 0) {
		ret = clsact_attach(m, ifindex, &made_qdisc);
		ns_token_return(&token);
	}
	monitor_log_leave(&sink);
	if (ret == 0) {
		m->attachments[m->n_attachments++].made_qdisc = made_qdisc;
		return 0;
	}
	if (ret == -ENOENT || ret == -EOPNOTSUPP) /* no such qdisc kind or no such classifier */
		ret = -ENOSYS;
	explain_attach(ret, ifindex, &sink, err);
	return ret;
}

int monitor_detach(struct monitor *m, int netns_fd, uint32_t ifindex, struct error *err)
{
	struct ns_token token;
	struct log_sink sink;
	uint64_t inode = 0;
	size_t i = 0;
	int ret;

	ret = inode_of_netns(netns_fd, &inode);
	while (i < m->n_attachments && (m->attachments[i].netns_inode != inode ||
					m->attachments[i].ifindex != ifindex))
		i++;
	if (ret == 0 && i == m->n_attachments)
		ret = -ENOENT;
	if (ret < 0) {
		error_set(err, "monitor: cannot detach from interface %u: %s", ifindex,
			  ret == -ENOENT ? "not attached" : strerror(-ret));
		return ret;
	}
	monitor_log_enter(&sink, m->log, m->log_arg);
	ret = ns_token_enter(&token, netns_fd);
	if (ret == 0) {
		ret = clsact_detach(ifindex, FLOW_DIR_MAX, m->attachments[i].made_qdisc);
		ns_token_return(&token);
	}
	monitor_log_leave(&sink);
	m->attachments[i] = m->attachments[--m->n_attachments];
	if (ret < 0)
		error_set(err, "monitor: cannot detach from interface %u: %s", ifindex,
			  strerror(-ret));
	return ret;
}
