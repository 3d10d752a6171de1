/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities: what the lab process needs at which time, and giving up the rest. Per thread: call before threads start. */
#ifndef TUNLAB_CMD_PRIVILEGE_H
#define TUNLAB_CMD_PRIVILEGE_H

#include "base/error.h"

/* Has the process what building a lab takes (CAP_SYS_ADMIN for namespaces, CAP_NET_ADMIN for devices, CAP_NET_RAW for
 * pings, CAP_BPF or CAP_SYS_ADMIN for the monitor)? -EPERM with what to do. */
int privilege_check(struct error *err);

/* Once the lab stands, CAP_BPF stays, to read the monitor's maps, and CAP_NET_ADMIN: links are changed and the lab is taken
 * apart in slices by requests over sockets that stand in its namespaces already (lab.h), and the kernel asks for the
 * capability with each request. Without CAP_SYS_ADMIN no namespace can be entered any more. Everything else is given up, for
 * good and for programs run later (no_new_privs). */
int privilege_drop(struct error *err);
/* The same for a process that only takes things off interfaces. */
int privilege_keep_net_admin(struct error *err);
/* The same without exception. */
int privilege_drop_all(struct error *err);

/* Room for n descriptors: raises the soft limit, and the hard one where allowed. -EMFILE with what to do. */
int privilege_open_files(unsigned long n, struct error *err);

#endif
