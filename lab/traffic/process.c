/* SPDX-License-Identifier: Apache-2.0 */
/* Confinement of the traffic child; see process.h. */
#include "lab/traffic/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PRIORITY = -10, REAL_TIME_PRIORITY = 1 };
#define CALM_AFTER_NS 20000000    /* work that took so long without a pause is no matter of deadlines */
#define URGENT_AFTER_NS 1000000000

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int close_between(int first, int last)
{
	if (first > last)
		return 0;
	return syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0) < 0 ? -errno : 0;
}

static int close_others(int *keep, size_t n)
{
	int from = STDERR_FILENO + 1, r;

	qsort(keep, n, sizeof(*keep), compare_fds);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < from)
			continue;
		r = close_between(from, keep[i] - 1);
		if (r < 0)
			return r;
		from = keep[i] + 1;
	}
	return close_between(from, INT_MAX);
}

static int mute_standard_streams(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	/* Without close-on-exec, as standard streams are; nothing is ever executed here. */
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0) {
		int e = errno;

		close(fd);
		return -e;
	}
	if (fd > STDERR_FILENO)
		close(fd);
	return 0;
}

/* The lab blocks signals to read them from a descriptor; none of that is of use here. Ctrl-C, a closed terminal or a
 * service manager signal the whole group: the lab alone decides when traffic ends, so that it can still drain. */
static int reset_signals(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGPIPE};
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &action, NULL); /* refused for SIGKILL, SIGSTOP and libc's own: as it should be */
	action.sa_handler = SIG_IGN;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		if (sigaction(ignored[i], &action, NULL) < 0)
			return -errno;
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

/* CAP_SYS_ADMIN: setns(2) into the clients. CAP_NET_RAW: ICMP sockets. CAP_NET_ADMIN: neighbour requests, socket buffers beyond the
 * machine's default bound. CAP_SYS_NICE: to take its priority again after giving it up. The lab may have started with fewer; what
 * is missing shows where it is used. */
static int drop_capabilities(void)
{
	const uint64_t wanted = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_NET_RAW | 1ULL << CAP_NET_ADMIN |
			1ULL << CAP_SYS_NICE;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(wanted >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &header, data) < 0)
		return -errno;
	return 0;
}

/* Every client may need several sockets. Where the bound cannot be raised that far, opening a socket says so later. */
static void raise_descriptor_limit(size_t descriptors)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= descriptors)
		return;
	limit.rlim_cur = descriptors;
	if (limit.rlim_max < descriptors)
		limit.rlim_max = descriptors;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* as said above */
}

/* A packet that leaves late is a wrong measurement, so the engine goes before ordinary work: with three busy loops on two cores
 * it was up to 8 ms late at 100 pps with a nice value alone, mostly below 0.5 ms with the lowest real-time priority, which it takes
 * when there is time to wait for (urgency_note). */
static void raise_priority(void)
{
	(void)setpriority(PRIO_PROCESS, 0, PRIORITY); /* without the privilege it runs as everybody does */
}

void urgency_note(struct urgency *u, uint64_t now_ns, bool busy)
{
	struct sched_param param = {0};
	bool urgent;

	if (!busy)
		u->busy_since_ns = 0;
	else if (!u->busy_since_ns)
		u->busy_since_ns = now_ns;
	if (busy)
		u->busy_ns = now_ns;
	urgent = u->urgent ? !busy || now_ns - u->busy_since_ns < CALM_AFTER_NS : now_ns - u->busy_ns > URGENT_AFTER_NS;
	if (urgent == u->urgent)
		return;
	u->urgent = urgent;
	param.sched_priority = urgent ? REAL_TIME_PRIORITY : 0;
	(void)sched_setscheduler(0, urgent ? SCHED_FIFO : SCHED_OTHER, &param); /* as said in the header */
}

int process_confine(const char *name, pid_t parent, int *keep, size_t n, size_t descriptors)
{
	int r;

	(void)prctl(PR_SET_NAME, name, 0, 0, 0); /* cannot fail for a readable string */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	if (getppid() != parent) /* it died before the line above */
		return -ESRCH;
	raise_priority();
	raise_descriptor_limit(descriptors);
	r = mute_standard_streams();
	if (r == 0)
		r = close_others(keep, n);
	if (r == 0)
		r = reset_signals();
	if (r == 0)
		r = drop_capabilities();
	return r;
}
