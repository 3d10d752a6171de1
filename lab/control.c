/* SPDX-License-Identifier: Apache-2.0 */
/* Control sockets; see control.h. */
#include "lab/control.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lab/cmd/privilege.h"

#define SUFFIX ".sock"

enum { ANSWER_SECONDS = 5 };

/* The folder, locked, so that taking a name and removing a left-over are one step each for everybody. The folder may have
 * been removed between open and lock by a lab that was the last: then again. */
static int lock_folder(bool create)
{
	for (;;) {
		struct stat opened, named;
		int fd;

		if (create && mkdir(CONTROL_FOLDER, 0700) && errno != EEXIST)
			return -errno;
		fd = open(CONTROL_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT && create)
			continue;
		if (fd < 0)
			return -errno;
		while (flock(fd, LOCK_EX) && errno == EINTR)
			;
		if ( !fstat(fd, &opened) && !stat(CONTROL_FOLDER, &named) && opened.st_ino == named.st_ino &&
		    opened.st_dev == named.st_dev)
			return fd;
		(void)close(fd);
		if (!create)
			return -ENOENT;
	}
}

static int address_of(const char *lab, struct sockaddr_un *ret)
{
	int n;

	*ret = (struct sockaddr_un) { .sun_family = AF_UNIX };
	n = snprintf(ret->sun_path, sizeof(ret->sun_path), CONTROL_FOLDER "/%s" SUFFIX, lab);
	return n < 0 || (size_t)n >= sizeof(ret->sun_path) || strchr(lab, '/') || !*lab || *lab == '.' ? -EINVAL : 0;
}

static int unix_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* A lab that is stopped (SIGSTOP), or hangs, must not hang those who ask. 0: wait for ever. */
static void limit_waiting(int fd, int seconds)
{
	struct timeval limit = { .tv_sec = seconds };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)); /* without, one just waits longer */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

void control_wait_forever(int fd)
{
	limit_waiting(fd, 0);
}

static int try_connect(const struct sockaddr_un *addr, int *ret_fd)
{
	int fd = unix_socket(), r;

	if (fd < 0)
		return fd;
	limit_waiting(fd, ANSWER_SECONDS); /* connecting waits, too, where a lab's backlog is full */
	if (!connect(fd, (const struct sockaddr *)addr, sizeof(*addr))) {
		*ret_fd = fd;
		return 0;
	}
	r = -errno;
	(void)close(fd);
	return r;
}

static int bind_socket(const struct sockaddr_un *addr, struct control *c)
{
	mode_t mask;
	int r = 0;

	c->fd = unix_socket();
	if (c->fd < 0)
		return c->fd;
	(void)unlink(addr->sun_path); /* of a lab that answers no more; the folder is locked */
	mask = umask(0177);
	if (bind(c->fd, (const struct sockaddr *)addr, sizeof(*addr)) || listen(c->fd, 64) || fcntl(c->fd, F_SETFL, O_NONBLOCK))
		r = -errno;
	(void)umask(mask);
	if (!r)
		return 0;
	(void)unlink(addr->sun_path); /* ours, or not there */
	(void)close(c->fd);
	c->fd = -1;
	return r;
}

/* A socket on which nobody listens any more. Only with the folder locked: a lab that starts has its file a moment before. */
static bool is_dead(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, r;

	if (lstat(addr->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	r = try_connect(addr, &fd);
	if (!r)
		(void)close(fd);
	return r == -ECONNREFUSED;
}

/* Removes a lab's file, unless somebody listens there (a later lab of the same name), and the folder when it was the last. */
static void remove_dead(const struct sockaddr_un *addr)
{
	int folder = lock_folder(false);

	if (folder < 0)
		return;
	if (is_dead(addr))
		(void)unlink(addr->sun_path);
	(void)rmdir(CONTROL_FOLDER); /* refused while another lab's socket is in it */
	(void)close(folder);
}

/* The guard waits for the lab's end of the pipe to close, and removes the file, where nobody listens there any more. */
static void guard_file(void *arg)
{
	struct error err;
	char byte;
	ssize_t got;

	(void)privilege_drop_all(&err); /* the folder is its user's own; with more it would do its work as well */
	do
		got = read(0, &byte, 1);
	while (got > 0 || (got < 0 && errno == EINTR));
	remove_dead(arg);
}

static int take_name(const char *lab, const struct sockaddr_un *addr, struct control *c, struct error *err)
{
	int folder = lock_folder(true), other, r;

	if (folder < 0) {
		error_set(err, "cannot use " CONTROL_FOLDER " for the control socket: %s%s", strerror(-folder),
			  folder == -EACCES ? " (use sudo)" : "");
		return folder;
	}
	r = try_connect(addr, &other);
	if (!r)
		(void)close(other);
	if (!r || r == -EAGAIN) {
		error_set(err, "a lab named '%s' is running already: `tunlab stop --lab %s` ends it, --name gives this one another name",
			  lab, lab);
		r = -EADDRINUSE;
	} else {
		r = bind_socket(addr, c);
		if (r)
			error_set(err, "cannot make the control socket %s: %s", addr->sun_path, strerror(-r));
	}
	(void)close(folder);
	return r;
}

int control_open(const char *lab, struct control *ret, struct error *err)
{
	struct control c = { .fd = -1, .guard = { .fd = -1 } };
	int r;

	if (address_of(lab, &c.addr)) {
		error_set(err, "cannot name a lab '%s': want a plain name of at most 64 characters without '/'", lab);
		return -EINVAL;
	}
	r = guard_start(guard_file, &c.addr, &c.guard);
	if (r) {
		error_set(err, "cannot start the process that cleans up after this lab: %s", strerror(-r));
		return r;
	}
	r = take_name(lab, &c.addr, &c, err);
	if (r)
		guard_end(&c.guard);
	else
		*ret = c;
	return r;
}

void control_close(struct control *c)
{
	if (c->fd < 0)
		return;
	(void)close(c->fd);
	c->fd = -1;
	guard_end(&c->guard);
	remove_dead(&c->addr); /* somebody may have killed the guard */
}

void control_names_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lab behind a file of the folder, if it is one and answers (alive), or nobody listens there any more (dead); a new string or
 * NULL. */
static char *lab_of(const char *file, bool alive)
{
	size_t len = strlen(file), suffix = strlen(SUFFIX);
	struct sockaddr_un addr;
	char *name;
	int fd, r;

	if (len <= suffix || strcmp(file + len - suffix, SUFFIX) != 0)
		return NULL;
	name = strndup(file, len - suffix);
	if (!name || address_of(name, &addr))
		r = -EINVAL;
	else if (alive && !(r = try_connect(&addr, &fd)))
		(void)close(fd);
	else if (!alive)
		r = is_dead(&addr) ? 0 : -EISCONN;
	if (!r || (alive && r == -EAGAIN)) /* it is there, only too busy to say so */
		return name;
	free(name);
	return NULL;
}

static int list_labs(bool alive, char ***ret, size_t *ret_n, struct error *err)
{
	DIR *dir = opendir(CONTROL_FOLDER);
	char **names = NULL;
	size_t n = 0;
	const struct dirent *entry;

	if (!dir && errno != ENOENT) {
		int r = -errno;

		error_set(err, "cannot look for labs in " CONTROL_FOLDER ": %s%s", strerror(-r), r == -EACCES ? " (use sudo)" : "");
		return r;
	}
	while (dir && (entry = readdir(dir))) {
		char *name = lab_of(entry->d_name, alive);
		char **grown = name ? realloc(names, (n + 1) * sizeof(*names)) : NULL;

		if (grown) {
			names = grown;
			names[n++] = name;
		} else {
			free(name);
		}
	}
	if (dir)
		(void)closedir(dir);
	if (n)
		qsort(names, n, sizeof(*names), compare_names);
	*ret = names;
	*ret_n = n;
	return 0;
}

int control_names(char ***ret, size_t *ret_n, struct error *err)
{
	return list_labs(true, ret, ret_n, err);
}

/* Locked: a lab that is just starting has its file for a moment before it listens. */
int control_dead(bool remove, char ***ret, size_t *ret_n, struct error *err)
{
	int folder = lock_folder(false), r = list_labs(false, ret, ret_n, err);

	for (size_t i = 0; !r && folder >= 0 && remove && i < *ret_n; i++) {
		struct sockaddr_un addr;

		if (!address_of((*ret)[i], &addr) && unlink(addr.sun_path)) {
			r = -errno;
			error_set(err, "cannot remove %s: %s", addr.sun_path, strerror(-r));
			control_names_free(*ret, *ret_n);
		}
	}
	if (folder >= 0 && remove)
		(void)rmdir(CONTROL_FOLDER); /* refused while a lab's socket is in it */
	if (folder >= 0)
		(void)close(folder);
	return r;
}

static void list_names(char **names, size_t n, char *buf, size_t len)
{
	buf[0] = '\0';
	for (size_t i = 0, at = 0; i < n && at < len; i++)
		at += (size_t)snprintf(buf + at, len - at, "%s%s", i ? ", " : "", names[i]);
}

/* Which lab is meant, or the sentence that says which there are. */
static int choose(const char *lab, char **names, size_t n, struct sockaddr_un *ret, struct error *err)
{
	char list[512];

	list_names(names, n, list, sizeof(list));
	if (!n) {
		error_set(err, "no lab is running%s%s%s: start one with `tunlab run`", lab ? " (wanted '" : "", lab ? lab : "",
			  lab ? "')" : "");
		return -ENOENT;
	}
	if (!lab && n > 1) {
		error_set(err, "several labs are running (%s): say which with --lab", list);
		return -ENOENT;
	}
	if (!lab)
		lab = names[0];
	for (size_t i = 0; i < n; i++)
		if (strcmp(lab, names[i]) == 0)
			return address_of(lab, ret);
	error_set(err, "no lab named '%s' is running: there is %s", lab, list);
	return -ENOENT;
}

int control_connect(const char *lab, int *ret_fd, struct error *err)
{
	struct sockaddr_un addr;
	char **names;
	size_t n;
	int r;

	if (lab && !address_of(lab, &addr) && !try_connect(&addr, ret_fd))
		return 0; /* the others are none of its business */
	r = control_names(&names, &n, err);
	if (r)
		return r;
	r = choose(lab, names, n, &addr, err);
	control_names_free(names, n);
	if (r)
		return r;
	r = try_connect(&addr, ret_fd);
	if (r)
		error_set(err, "cannot reach the lab at %s: %s", addr.sun_path, strerror(-r));
	return r;
}

ssize_t control_push(int fd, const char *data, size_t len, int passed_fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} cmsg = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t sent;

	if (passed_fd >= 0) {
		msg.msg_control = cmsg.room;
		msg.msg_controllen = sizeof(cmsg.room);
		cmsg.header.cmsg_level = SOL_SOCKET;
		cmsg.header.cmsg_type = SCM_RIGHTS;
		cmsg.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&cmsg.header), &passed_fd, sizeof(int));
	}
	sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

int control_send(int fd, const char *json)
{
	size_t len = strlen(json);
	char *line = malloc(len + 2);
	int r = line ? 0 : -ENOMEM;

	if (line) {
		memcpy(line, json, len);
		line[len] = '\n';
		len++;
	}
	for (size_t at = 0; line && at < len && !r;) {
		ssize_t sent = control_push(fd, line + at, len - at, -1);

		if (sent < 0 && sent != -EINTR)
			r = (int)sent;
		else if (sent > 0)
			at += (size_t)sent;
	}
	free(line);
	return r;
}

static void take_descriptor(struct msghdr *msg, int *ret_fd)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if (ret_fd && *ret_fd < 0)
		*ret_fd = fd;
	else
		(void)close(fd);
}

/* Reads at most what stands before the next line feed, so that nothing of a later line is taken. */
static ssize_t receive_some(int fd, char *buf, size_t room, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} cmsg;
	struct iovec iov = { .iov_base = buf, .iov_len = room };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = cmsg.room, .msg_controllen = sizeof(cmsg.room) };
	ssize_t peeked = recv(fd, buf, room, MSG_PEEK), got;
	const char *end = peeked > 0 ? memchr(buf, '\n', (size_t)peeked) : NULL;

	if (peeked <= 0)
		return peeked < 0 ? -errno : 0;
	iov.iov_len = end ? (size_t)(end - buf) + 1 : (size_t)peeked;
	got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	if (got < 0)
		return -errno;
	take_descriptor(&msg, ret_fd);
	return got;
}

int control_receive(int fd, char **ret_json, int *ret_passed_fd)
{
	size_t room = 65536, len = 0;
	char *buf = malloc(room);

	if (ret_passed_fd)
		*ret_passed_fd = -1;
	while (buf) {
		ssize_t got = receive_some(fd, buf + len, room - len - 1, ret_passed_fd);

		if (got == -EINTR)
			continue;
		if (got <= 0) {
			free(buf);
			return got ? (int)got : -EPIPE;
		}
		len += (size_t)got;
		if (buf[len - 1] == '\n') {
			buf[len - 1] = '\0';
			*ret_json = buf;
			return 0;
		}
		if (room - len < 4096) {
			char *grown = realloc(buf, room *= 2);

			if (!grown)
				free(buf);
			buf = grown;
		}
	}
	return -ENOMEM;
}
