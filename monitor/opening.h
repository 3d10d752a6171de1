/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a monitor beside other work: the kernel verifies the BPF program for some 15 ms, a sixth of the default lab's up time. */
#ifndef TUNLAB_MONITOR_OPENING_H
#define TUNLAB_MONITOR_OPENING_H

#include "monitor/monitor.h"

struct monitor_opening;

/* Begins monitor_open(config) in a thread of its own; where there can be none it is done here and now. NULL: no memory. */
struct monitor_opening *monitor_opening_start(const struct monitor_config *config);

/* Waits for it: the thread is gone afterwards. What monitor_open() returned, as if called here. Frees `opening`. */
int monitor_opening_finish(struct monitor_opening *opening, struct error *err, struct monitor **ret_monitor);

#endif
