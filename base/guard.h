/* SPDX-License-Identifier: Apache-2.0 */
/* A small child that outlives this process by a moment, whatever ends it: SIGKILL, too, closes its end of the pipe they share. */
#ifndef TUNLAB_BASE_GUARD_H
#define TUNLAB_BASE_GUARD_H

#include <sys/types.h>

struct guard {
	int fd;       /* what is written here, run() reads; its end tells the guard that this process is gone. -1: none */
	pid_t pid;
};

/*
 * Starts the guard: run(arg) is called in the child, with nothing open but the pipe as standard input, and should read that to its
 * end, then clean up. No signal but SIGKILL ends it. Call it before there is anything to clean up, so that there is no moment at
 * which being killed leaves something, and before the process has threads. -errno.
 */
int guard_start(void (*run)(void *arg), void *arg, struct guard *ret);
/* Closes the pipe and waits until the guard is through. A guard with fd -1 is fine. */
void guard_end(struct guard *g);

#endif
