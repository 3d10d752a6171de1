/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a forked child a process that dies with its parent and has no more than its work needs. */
#ifndef TUNLAB_TRAFFIC_PROCESS_H
#define TUNLAB_TRAFFIC_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/* Closes every descriptor but `keep` (n of them, sorted here); the standard streams become /dev/null, for the terminal
 * may go away before the lab does. Room for `descriptors` is made. Dies with the parent's thread that forked, never
 * by the terminal's signals. Keeps three capabilities (see process.c). -errno; -ESRCH: the parent is gone already. */
int process_confine(const char *name, pid_t parent, int *keep, size_t n, size_t descriptors);

#endif
