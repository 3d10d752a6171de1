/* SPDX-License-Identifier: Apache-2.0 */
/* Forking guards; see guard.h. */
#include "base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void __attribute__((noreturn)) be_guard(void (*run)(void *arg), void *arg, int fd)
{
	(void)setsid(); /* what the terminal sends (Ctrl-C, Ctrl-\\, hang-up) goes to the other process alone */
	(void)prctl(PR_SET_NAME, "tunlab-guard");
	(void)dup2(fd, 0);
	if (syscall(SYS_close_range, 1, ~0u, 0)) /* whatever the caller had open must not live on here */
		_exit(1);
	run(arg);
	_exit(0);
}

int guard_start(void (*run)(void *arg), void *arg, struct guard *ret)
{
	sigset_t all, before;
	int ends[2], r = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		(void)close(ends[1]);
		be_guard(run, arg, ends[0]);
	}
	if (pid < 0)
		r = -errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)close(ends[0]);
	if (r)
		(void)close(ends[1]);
	else
		*ret = (struct guard) { ends[1], pid };
	return r;
}

void guard_end(struct guard *g)
{
	if (g->fd < 0)
		return;
	(void)close(g->fd);
	(void)waitpid(g->pid, NULL, 0);
	g->fd = -1;
}
