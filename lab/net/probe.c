/* SPDX-License-Identifier: Apache-2.0 */
/* Probing kinds; see probe.h. Refusals as in net/core/rtnetlink.c (__rtnl_newlink), net/sched/sch_api.c (qdisc_create) and
 * net/sched/cls_api.c (tcf_proto_lookup_ops). */
#include "lab/net/probe.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

enum { INDEX_LO = 1, CLSACT_HANDLE = 0xffff0000 };

static void put_link(struct nlmsghdr *h, const char *kind)
{
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	struct nlattr *info;

	ifi->ifi_family = AF_UNSPEC;
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(h, info);
}

static void put_tc(struct nlmsghdr *h, const char *kind, uint32_t handle, uint32_t parent, uint32_t info)
{
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(h, sizeof(*tc));

	tc->tcm_ifindex = INDEX_LO;
	tc->tcm_handle = handle;
	tc->tcm_parent = parent;
	tc->tcm_info = info;
	mnl_attr_put_strz(h, TCA_KIND, kind);
}

int probe_kind(struct nl *nl, enum probe_what what, const char *kind)
{
	static const uint16_t types[] = {
		[PROBE_LINK] = RTM_NEWLINK, [PROBE_QDISC] = RTM_NEWQDISC, [PROBE_CLASSIFIER] = RTM_NEWTFILTER,
	};
	bool clsact = strcmp(kind, "clsact") == 0;
	struct error err;
	struct nlmsghdr *h = nl_request(nl, &err, types[what], NLM_F_CREATE | NLM_F_EXCL, "try %s", kind);
	int r;

	if (!h)
		return -EIO;
	if (what == PROBE_LINK)
		put_link(h, kind);
	else if (what == PROBE_QDISC)
		put_tc(h, kind, clsact ? CLSACT_HANDLE : 0, clsact ? TC_H_CLSACT : TC_H_ROOT, 0);
	else
		put_tc(h, kind, 0, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), TC_H_MAKE(1 << 16, htons(ETH_P_ALL)));
	r = nl_flush(nl, &err);
	if (r == (what == PROBE_LINK ? -EOPNOTSUPP : -ENOENT))
		return 0;
	return r == -EPERM || r == -EACCES || r == -ENOBUFS || r == -ENOMEM ? r : 1;
}
