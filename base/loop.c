/* SPDX-License-Identifier: Apache-2.0 */
/* epoll and timerfd; see loop.h. */
#include "base/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct entry {
	int fd;
	uint32_t events;
	loop_fn fn; /* NULL: free */
	void *arg;
};

struct loop {
	int epoll;
	bool quit;
	struct entry *entries; /* indexed by descriptor */
	int n;
};

int loop_new(struct loop **ret)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		int r = -errno;

		free(l);
		return r;
	}
	*ret = l;
	return 0;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	(void)close(l->epoll);
	free(l->entries);
	free(l);
}

static int make_room(struct loop *l, int fd)
{
	int n = l->n ? l->n : 64;
	struct entry *entries;

	if (fd < l->n)
		return 0;
	while (n <= fd)
		n *= 2;
	entries = realloc(l->entries, (size_t)n * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	for (int i = l->n; i < n; i++)
		entries[i] = (struct entry) { 0 };
	l->entries = entries;
	l->n = n;
	return 0;
}

int loop_add(struct loop *l, int fd, uint32_t events, loop_fn fn, void *arg)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };
	int r = make_room(l, fd);

	if (r)
		return r;
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev))
		return -errno;
	l->entries[fd] = (struct entry) { fd, events, fn, arg };
	return 0;
}

void loop_change(struct loop *l, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	if (l->entries[fd].events == events)
		return;
	l->entries[fd].events = events;
	(void)epoll_ctl(l->epoll, EPOLL_CTL_MOD, fd, &ev); /* fails only for a descriptor never added */
}

void loop_remove(struct loop *l, int fd)
{
	if (!l || fd < 0 || fd >= l->n || !l->entries[fd].fn)
		return;
	l->entries[fd].fn = NULL;
	(void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL); /* as above */
}

void loop_close(struct loop *l, int *fd)
{
	if (*fd < 0)
		return;
	loop_remove(l, *fd);
	(void)close(*fd);
	*fd = -1;
}

static int add_own(struct loop *l, int fd, loop_fn fn, void *arg, int *ret_fd)
{
	int r = fd < 0 ? fd : loop_add(l, fd, EPOLLIN, fn, arg);

	if (!r)
		*ret_fd = fd;
	else if (fd >= 0)
		(void)close(fd);
	return r;
}

int loop_add_timer(struct loop *l, loop_fn fn, void *arg, int *ret_fd)
{
	return add_own(l, timer_open(), fn, arg, ret_fd);
}

int loop_add_signals(struct loop *l, loop_fn fn, void *arg, int *ret_fd)
{
	return add_own(l, signals_open(), fn, arg, ret_fd);
}

int loop_run(struct loop *l)
{
	l->quit = false;
	while (!l->quit) {
		struct epoll_event ready;
		/* One at a time: a handler may remove, and close, what the next event would have been for. */
		int n = epoll_wait(l->epoll, &ready, 1, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 1 && l->entries[ready.data.fd].fn)
			l->entries[ready.data.fd].fn(l->entries[ready.data.fd].arg, ready.events);
	}
	return 0;
}

void loop_quit(struct loop *l)
{
	l->quit = true;
}

int timer_open(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec) { .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) };
}

int timer_arm(int fd, uint64_t first_ns, uint64_t interval_ns)
{
	/* An all-zero value would disarm. */
	struct itimerspec when = { .it_value = to_timespec(first_ns ? first_ns : 1), .it_interval = to_timespec(interval_ns) };

	return timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL) ? -errno : 0;
}

void timer_clear(int fd)
{
	uint64_t expirations;

	(void)!read(fd, &expirations, sizeof(expirations)); /* nothing to read only if somebody else took it */
}

uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

double clock_seconds(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int signals_open(void)
{
	struct sigaction hangup;
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN) /* nohup means it */
		(void)sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* valid arguments: cannot fail */
	(void)signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int signals_read(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}
