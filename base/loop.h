/* SPDX-License-Identifier: Apache-2.0 */
/* The poll loop of the lab process: descriptors and what to do when they are ready. One thread. */
#ifndef TUNLAB_BASE_LOOP_H
#define TUNLAB_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct loop;

/* `events` are EPOLLIN, EPOLLOUT … as epoll_wait reported them. */
typedef void (*loop_fn)(void *arg, uint32_t events);

int loop_new(struct loop **ret);
void loop_free(struct loop *l); /* closes no descriptor given to it; NULL is fine */

/* Watches fd; one entry per fd. The fd stays the caller's: loop_remove it before closing. */
int loop_add(struct loop *l, int fd, uint32_t events, loop_fn fn, void *arg);
void loop_change(struct loop *l, int fd, uint32_t events);
void loop_remove(struct loop *l, int fd); /* a NULL loop and a descriptor it does not watch are fine */
void loop_close(struct loop *l, int *fd); /* removes, closes, and makes it -1; -1 and what loop_remove bears are fine */

/* A timer (timer_open), or signals (signals_open), of its own: watched, in *ret_fd, and to be ended by loop_close. -errno. */
int loop_add_timer(struct loop *l, loop_fn fn, void *arg, int *ret_fd);
int loop_add_signals(struct loop *l, loop_fn fn, void *arg, int *ret_fd);

/* Runs handlers until loop_quit. 0 or -errno of epoll_wait. */
int loop_run(struct loop *l);
void loop_quit(struct loop *l);

/* A CLOCK_MONOTONIC timerfd, disarmed; and its arming: first expiry at an absolute time, then every interval_ns (0: once).
 * timer_clear takes the expirations after it fired. */
int timer_open(void);
int timer_arm(int fd, uint64_t first_ns, uint64_t interval_ns);
void timer_clear(int fd);
uint64_t now_ns(void);
double clock_seconds(clockid_t clock);

/* A signalfd for SIGINT, SIGTERM and, unless it is ignored already (nohup), SIGHUP, which are blocked from now on; SIGPIPE is
 * ignored. Before threads start: they inherit the mask, and so never take a signal. -errno. signals_read: the number of one that
 * came; 0: none has. */
int signals_open(void);
int signals_read(int fd);

#endif
