/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program in a terminal of its own, for tests of what is drawn there:
 *
 *   terminal COLUMNS ROWS PROGRAM [ARGS]
 *
 * What is written to standard input is typed there, and what the program draws comes out of standard output. A line "size COLUMNS
 * ROWS" on descriptor 3, where there is one, makes the terminal another size. First "pid N" is said on standard error, last
 * whether the terminal was left as it was found; the exit status is the program's, 128+N where a signal ended it. */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

static pid_t start(int master, int slave, char **program)
{
	pid_t child = fork();

	if (child)
		return child;
	(void)close(master);
	if (login_tty(slave))
		_exit(126);
	(void)execvp(program[0], program);
	perror(program[0]);
	_exit(127);
}

static void resize(int master)
{
	struct winsize size = { 0 };
	char line[64];
	ssize_t n = read(3, line, sizeof(line) - 1);

	if (n > 0) {
		line[n] = '\0';
		if (sscanf(line, "size %hu %hu", &size.ws_col, &size.ws_row) == 2)
			(void)ioctl(master, TIOCSWINSZ, &size);
	}
}

/* Copies what there is; false at the end. */
static int copy(int from, int to)
{
	char buf[65536];
	ssize_t n = read(from, buf, sizeof(buf));

	return n > 0 && write(to, buf, (size_t)n) == n;
}

static void converse(int master, pid_t child, int *ret_status)
{
	struct pollfd fds[] = { { .fd = master, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = 3, .events = POLLIN } };

	while (!waitpid(child, ret_status, WNOHANG)) {
		if (poll(fds, 3, 20) <= 0) /* the end of a child wakes no poll */
			continue;
		if (fds[0].revents & POLLIN)
			(void)copy(master, STDOUT_FILENO);
		if (fds[1].revents && !copy(STDIN_FILENO, master))
			fds[1].fd = -1;
		if (fds[2].revents & POLLIN)
			resize(master);
		else if (fds[2].revents)
			fds[2].fd = -1;
	}
	while (poll(fds, 1, 0) > 0 && (fds[0].revents & POLLIN) && copy(master, STDOUT_FILENO))
		;
}

int main(int argc, char **argv)
{
	struct winsize size = { 0 };
	struct termios before, after;
	int master, slave, status = 0;
	pid_t child;

	if (argc < 4)
		return 2;
	size.ws_col = (unsigned short)atoi(argv[1]);
	size.ws_row = (unsigned short)atoi(argv[2]);
	if (openpty(&master, &slave, NULL, NULL, &size) || tcgetattr(slave, &before)) {
		perror("cannot make a terminal");
		return 3;
	}
	child = start(master, slave, argv + 3);
	fprintf(stderr, "pid %d\n", (int)child);
	converse(master, child, &status);
	if (tcgetattr(slave, &after))
		perror("tcgetattr");
	else
		fprintf(stderr, "terminal %s\n", before.c_lflag == after.c_lflag && before.c_iflag == after.c_iflag &&
			before.c_oflag == after.c_oflag && !memcmp(before.c_cc, after.c_cc, sizeof(before.c_cc)) ? "restored" : "changed");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
