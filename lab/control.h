/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket: how other commands reach a running lab. One JSON text per line each way, over a unix socket
 * /run/tunlab/LAB.sock (mode 0600, folder 0700). An answer may carry one descriptor. What the requests mean is request.c's;
 * this file owns names, sockets and framing. */
#ifndef TUNLAB_CONTROL_H
#define TUNLAB_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/error.h"
#include "base/guard.h"

#define CONTROL_FOLDER "/run/tunlab"

enum { CONTROL_REQUEST_MAX = 64 * 1024 };

/* The lab's name on this machine: a listening socket, and the file that goes with it. */
struct control {
	int fd;       /* listens; -1: not open */
	struct sockaddr_un addr;
	struct guard guard;
};

/* Takes the name; one that answers is -EADDRINUSE. A small child, the guard, outlives a killed lab by a moment to remove
 * the file. Before the process has threads. Undo: control_close. */
int control_open(const char *lab, struct control *ret, struct error *err);
/* Closes and removes what control_open made, and the folder when it was the last. */
void control_close(struct control *c);
/* Names of the labs that answer; *ret is an array of strings (free with control_names_free). */
int control_names(char ***ret, size_t *ret_n, struct error *err);
/* The same for labs that were killed together with their guard, so that their file is still there; `remove` takes it away. */
int control_dead(bool remove, char ***ret, size_t *ret_n, struct error *err);
void control_names_free(char **names, size_t n);

/* Connects to a lab; name NULL: the only one running. -ENOENT, -EACCES (not root), with a sentence that says which labs
 * there are. */
int control_connect(const char *lab, int *ret_fd, struct error *err);

/* Blocking, for commands. Sends a line; reads one into a new string (free it), with the descriptor that came along
 * (-1: none; NULL: not wanted). A lab that is gone is -EPIPE; one that does not answer for five seconds -EAGAIN. */
int control_send(int fd, const char *json);
int control_receive(int fd, char **ret_json, int *ret_passed_fd);

/* For a conversation in which silence is no fault. */
void control_wait_forever(int fd);

/* Sends as much of data as the socket takes, with a descriptor (-1: none) on the first byte; bytes sent or -errno. */
ssize_t control_push(int fd, const char *data, size_t len, int passed_fd);

#endif
