/* SPDX-License-Identifier: Apache-2.0 */
/* The traffic child: becomes a process that can do only this, then runs its event loop until the lab is gone. */
#ifndef TUNLAB_TRAFFIC_CHILD_H
#define TUNLAB_TRAFFIC_CHILD_H

#include <sys/types.h>

#include "lab/traffic/table.h"

struct child_setup {
	pid_t lab;               /* the process that forked */
	int orders;              /* SOCK_SEQPACKET: orders in, events out */
	const struct plan *plan; /* the copy that fork gave */
	const int *client_ns;    /* one per client */
	struct table *table;
};

/* Runs in the forked child with all signals blocked. Its first message is EVENT_HELLO. */
_Noreturn void child_run(const struct child_setup *setup);

#endif
