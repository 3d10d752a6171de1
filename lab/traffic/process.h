/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a forked child a process that dies with its parent and has no more than its work needs. */
#ifndef TUNLAB_TRAFFIC_PROCESS_H
#define TUNLAB_TRAFFIC_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Closes every descriptor but `keep` (n of them, sorted here); the standard streams become /dev/null, for the terminal
 * may go away before the lab does. Room for `descriptors` is made. Dies with the parent's thread that forked, never
 * by the terminal's signals. Keeps four capabilities (see process.c). -errno; -ESRCH: the parent is gone already. */
int process_confine(const char *name, pid_t parent, int *keep, size_t n, size_t descriptors);

/* Real-time priority for as long as the process sleeps between its deadlines: one that has work all the time would keep others
 * from its processor, and be stopped by the kernel for a part of each second (sched_rt_runtime_us). All zero: not urgent yet. */
struct urgency {
	bool urgent;
	uint64_t busy_since_ns;  /* without a pause; 0: nothing is left to do */
	uint64_t busy_ns;        /* when there last was */
};
/* Call often: whether work is left over now. Without the privilege it stays as it is. */
void urgency_note(struct urgency *u, uint64_t now_ns, bool busy);

#endif
