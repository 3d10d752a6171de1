/* SPDX-License-Identifier: Apache-2.0 */
/* See child.h. */
#include "lab/bench/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

/* A file in memory with the text, read from its beginning. */
static int make_input(const char *text)
{
	size_t len = strlen(text);
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	(void)close(fd);
	return -EIO;
}

/* In the child. */
static void become(const struct child_start *start, int in, int out, pid_t parent)
{
	int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	if (start->netns >= 0 && setns(start->netns, CLONE_NEWNET) < 0)
		_exit(127);
	if (dup2(in >= 0 ? in : nowhere, STDIN_FILENO) < 0 || dup2(start->errors ? nowhere : out, STDOUT_FILENO) < 0 ||
	    dup2(start->errors ? out : nowhere, STDERR_FILENO) < 0)
		_exit(127);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execvp(start->argv[0], (char *const *)start->argv);
	_exit(127);
}

int child_start(const struct child_start *start, struct child *ret, struct error *err)
{
	int in = start->input ? make_input(start->input) : -1, out[2] = {-1, -1}, r = 0;
	pid_t parent = getpid(), pid = -1;

	if ((start->input && in < 0) || pipe2(out, O_CLOEXEC) < 0)
		r = in < 0 && start->input ? in : -errno;
	else if ((pid = fork()) < 0)
		r = -errno;
	if (pid == 0)
		become(start, in, out[1], parent);
	if (in >= 0)
		(void)close(in);
	if (out[1] >= 0)
		(void)close(out[1]);
	if (r) {
		if (out[0] >= 0)
			(void)close(out[0]);
		error_set(err, "cannot run %s: %s", start->argv[0], strerror(-r));
		return r;
	}
	*ret = (struct child){.pid = pid, .out = out[0]};
	return 0;
}

int child_await(struct child *c, const char *word)
{
	char line[512];
	size_t n = 0;

	while (read(c->out, &line[n], 1) == 1) {
		line[n + 1] = '\0';
		if (line[n] == '\n' && strstr(line, word))
			return 0;
		n = line[n] == '\n' || n + 2 == sizeof(line) ? 0 : n + 1;
	}
	return -EPIPE;
}

static int reap(struct child *c)
{
	int status = 0;

	while (c->pid > 0 && waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (c->pid > 0)
		(void)close(c->out);
	c->pid = 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

char *child_finish(struct child *c, int *ret_status)
{
	struct text t = { 0 };
	char buf[4096];
	ssize_t n;

	text_puts(&t, "");
	while ((n = read(c->out, buf, sizeof(buf))) > 0)
		text_printf(&t, "%.*s", (int)n, buf);
	*ret_status = reap(c);
	return text_take(&t);
}

void child_end(struct child *c, int signal)
{
	if (c->pid > 0)
		(void)kill(c->pid, signal);
	(void)reap(c);
}

bool child_exists(const char *program)
{
	const char *path = getenv("PATH") ?: "/usr/sbin:/usr/bin:/sbin:/bin";
	char file[4096];

	while (*path) {
		size_t len = strcspn(path, ":");

		(void)snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, program);
		if (access(file, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}
