/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's two programs on an interface of this machine, beside whatever else is there, and off again without a trace. (In a
 * lab's namespaces, which are our own, monitor_attach() does it.)
 *
 * A TCX link (kernel 6.6, 2023: "bpf: Add fd-based tcx multi-prog infra") stands in front of all other programs, counts what they
 * may drop or redirect, and goes with the descriptor, also by SIGKILL. Where the kernel has none it is a filter on a clsact qdisc,
 * with a priority and handle of its own; what is left of that when we are killed a guard takes off. */
#ifndef TUNLAB_WATCH_HOOK_H
#define TUNLAB_WATCH_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/guard.h"
#include "bpf/flow.h"
#include "lab/net/nl.h"

enum hook_kind { HOOK_TCX, HOOK_CLSACT, HOOK_KIND_MAX };
extern const char *const hook_kind_names[HOOK_KIND_MAX]; /* "tcx", "clsact" */

struct hook_filter {
	uint32_t handle, prog_id; /* handle 0: none */
};

/* Zero-initialised it is on nothing. */
struct hook {
	enum hook_kind kind;
	uint32_t ifindex;                          /* 0: not attached */
	int links[FLOW_DIR_MAX];                   /* of TCX */
	struct hook_filter filters[FLOW_DIR_MAX];  /* of clsact */
	bool made_qdisc;
};

/* Descriptors, borrowed: for frames with an Ethernet header, and for packets that begin with an IP header. */
struct hook_programs {
	int framed[FLOW_DIR_MAX], bare[FLOW_DIR_MAX];
};

struct hooks {
	struct hook_programs progs;
	struct nl *nl;              /* borrowed; in the namespace of the interfaces, as the calling thread */
	enum hook_kind kind;
	struct guard guard;         /* with clsact; fd -1: none */
};

/* Chooses the kind: TCX where the kernel has it, unless `wanted` names one (NULL: none). For clsact the guard is started: call it before
 * the process has threads. -ENOSYS: this kernel lacks what was asked for; -EINVAL: there is no such kind. Undo: hooks_close. */
int hooks_open(const struct hook_programs *progs, struct nl *nl, const char *wanted, struct hooks *ret, struct error *err);
void hooks_close(struct hooks *h);

/* Attaches both directions, or nothing. -ENODEV: no such interface; -EOPNOTSUPP: its frames begin neither with an Ethernet nor with
 * an IP header. Needs CAP_NET_ADMIN, and CAP_BPF for TCX. */
int hook_attach(const struct hooks *h, const char *name, uint32_t ifindex, struct hook *ret, struct error *err);
/* Takes off what hook_attach put on; one whose interface is gone is fine, and so is one on nothing. */
void hook_detach(const struct hooks *h, struct hook *hook);

/* A TCX link by itself, in the caller's namespace: a descriptor, to be closed. -EINVAL: this kernel has none. */
int hook_tcx_link(int prog_fd, uint32_t ifindex, enum flow_dir dir);

#endif
