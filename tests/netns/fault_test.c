/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole lab, up and down, in which the n-th request to the kernel fails, for every n: afterwards nothing is left, and the user is told
 * why. The product knows nothing of this: the functions below stand before libc's, for the product and its libraries alike. Each run is
 * a process of its own; all its processes and threads count requests together. A netlink message is a request, too: made invalid, it is
 * refused by the kernel itself. Runs mostly wait, so some go on at once, each with a lab and a plot of its own.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sanitizer/lsan_interface.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/poll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/cmd/privilege.h"
#include "lab/run.h"
#include "tests/unit/t.h"

enum { SAID_MAX = 16384, RUN_LIMIT_S = 40, ORPHAN_LIMIT_MS = 10000, AT_ONCE = 4 };

/* One for all processes of a run. */
struct plot {
	atomic_uint requests;
	unsigned fail_at;       /* 0: none */
	atomic_bool armed;
	char failed[40];        /* which function */
	char left[400];         /* what the run left; "": nothing */
	char said[SAID_MAX];
};

static struct plot *plot;

static bool fails(const char *what)
{
	if (!plot || !atomic_load(&plot->armed) || atomic_fetch_add(&plot->requests, 1) + 1 != plot->fail_at)
		return false;
	(void)snprintf(plot->failed, sizeof(plot->failed), "%s", what);
	errno = ENFILE; /* rare, and so easily known again */
	return true;
}

/* ---- in front of libc ---- */

#define REAL(name)                                                                                                     \
	static typeof(&name) real;                                                                                     \
	if (!real)                                                                                                     \
		*(void **)&real = dlsym(RTLD_NEXT, #name)

#define STAND_BEFORE(type, name, parameters, arguments)                                                                \
	type name parameters                                                                                           \
	{                                                                                                              \
		REAL(name);                                                                                            \
		return fails(#name) ? (type)-1 : real arguments;                                                       \
	}

STAND_BEFORE(int, unshare, (int flags), (flags))
STAND_BEFORE(int, setns, (int fd, int kind), (fd, kind))
STAND_BEFORE(int, socket, (int family, int type, int protocol), (family, type, protocol))
STAND_BEFORE(int, socketpair, (int family, int type, int protocol, int ret[2]), (family, type, protocol, ret))
STAND_BEFORE(int, bind, (int fd, const struct sockaddr *at, socklen_t len), (fd, at, len))
STAND_BEFORE(int, listen, (int fd, int n), (fd, n))
STAND_BEFORE(int, connect, (int fd, const struct sockaddr *at, socklen_t len), (fd, at, len))
STAND_BEFORE(int, setsockopt, (int fd, int level, int name, const void *v, socklen_t len), (fd, level, name, v, len))
STAND_BEFORE(int, getsockopt, (int fd, int level, int name, void *v, socklen_t *len), (fd, level, name, v, len))
STAND_BEFORE(ssize_t, send, (int fd, const void *buf, size_t len, int flags), (fd, buf, len, flags))
STAND_BEFORE(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags), (fd, msg, flags))
STAND_BEFORE(ssize_t, recv, (int fd, void *buf, size_t len, int flags), (fd, buf, len, flags))
STAND_BEFORE(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))
STAND_BEFORE(pid_t, fork, (void), ())
STAND_BEFORE(int, epoll_create1, (int flags), (flags))
STAND_BEFORE(int, epoll_ctl, (int epoll, int op, int fd, struct epoll_event *e), (epoll, op, fd, e))
STAND_BEFORE(int, timerfd_create, (int clock, int flags), (clock, flags))
STAND_BEFORE(int, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags))
STAND_BEFORE(int, pipe2, (int ret[2], int flags), (ret, flags))
STAND_BEFORE(int, mkdir, (const char *path, mode_t mode), (path, mode))
STAND_BEFORE(int, setrlimit, (__rlimit_resource_t what, const struct rlimit *limit), (what, limit))
STAND_BEFORE(ssize_t, write, (int fd, const void *buf, size_t len), (fd, buf, len))
STAND_BEFORE(ssize_t, getrandom, (void *buf, size_t len, unsigned flags), (buf, len, flags))

int accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	REAL(accept4);
	return fails("accept4") ? -1 : real(fd, from, len, flags);
}

#define OF_CIVETWEB "pthread_create of civetweb"

int pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	REAL(pthread_create);
	Dl_info caller;
	bool civetweb = dladdr(__builtin_return_address(0), &caller) && strstr(caller.dli_fname, "civetweb");

	return fails(civetweb ? OF_CIVETWEB : "pthread_create") ? EAGAIN : real(ret, attr, run, arg);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	REAL(mmap);
	return fails("mmap") ? MAP_FAILED : real(at, len, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	return mmap(at, len, protection, flags, fd, offset);
}

int open(const char *path, int flags, ...)
{
	REAL(open);
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return fails("open") ? -1 : real(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	REAL(openat);
	return fails("openat") ? -1 : real(dir, path, flags, 0); /* nobody creates files with it */
}

int ioctl(int fd, unsigned long request, ...)
{
	REAL(ioctl);
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	return fails("ioctl") ? -1 : real(fd, request, arg);
}

/* Nobody here passes more than five arguments; all are in registers, given or not. */
long syscall(long number, ...)
{
	REAL(syscall);
	char what[32];
	long a[5];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 5; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	(void)snprintf(what, sizeof(what), number == SYS_bpf ? "bpf" : "syscall %ld", number);
	return fails(what) ? -1 : real(number, a[0], a[1], a[2], a[3], a[4]);
}

/* One of the messages, or all of them together. */
ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	REAL(sendto);
	int left = (int)len;

	if (to && to->sa_family == AF_NETLINK)
		for (struct nlmsghdr *h = (void *)(uintptr_t)buf; NLMSG_OK(h, (unsigned)left); h = NLMSG_NEXT(h, left))
			if (fails("netlink request"))
				h->nlmsg_type = UINT16_MAX; /* rtnetlink: EOPNOTSUPP */
	return fails("sendto") ? -1 : real(fd, buf, len, flags, to, to_len);
}

/* ---- one run, in a process of its own ---- */

static void leave(const char *format, const char *what)
{
	size_t used = strlen(plot->left);

	(void)snprintf(plot->left + used, sizeof(plot->left) - used, format, what);
}

static void list_fds(char *buf, size_t len)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;
	size_t at = 0;

	buf[0] = '\0';
	while (dir && (e = readdir(dir)) && at < len)
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(dir))
			at += (size_t)snprintf(buf + at, len - at, "%s ", e->d_name);
	if (dir)
		(void)closedir(dir);
}

static unsigned list_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		(void)closedir(dir);
	return n - 2;
}

/* A thread that was joined shows for a moment still. */
static unsigned count_threads(void)
{
	for (int ms = 0; ms < 1000 && list_threads() > 1; ms++)
		(void)poll(NULL, 0, 1);
	return list_threads();
}

static ino_t namespace(void)
{
	struct stat st = {0};

	(void)stat("/proc/thread-self/ns/net", &st);
	return st.st_ino;
}

static bool on_ready(void *arg)
{
	(void)arg;
	(void)kill(getpid(), SIGTERM); /* waits in the lab's signalfd until its loop runs */
	return true;
}

/* All of it; ends itself once it is up. */
static int whole_lab(const struct scenario *scn, const struct plan *plan)
{
	struct run_options options = {.listen = "127.0.0.1:0"};

	return run_lab(&options, scn, plan, NULL, now_ns(), on_ready, NULL);
}

/* The namespaces alone: for what other wirings ask of the kernel. */
static int bare_lab(const struct scenario *scn, const struct plan *plan)
{
	struct lab *lab = NULL;
	struct error err;
	int r = lab_build(plan, NULL, &lab, &err);

	(void)scn;
	if (!r)
		r = lab_open_uplinks(lab, &err);
	lab_free(lab);
	if (r)
		say("%s", err.text);
	return r ? EXIT_MACHINE : EXIT_SIGNAL + SIGTERM;
}

typedef int (*play_fn)(const struct scenario *scn, const struct plan *plan);

static int play(play_fn run, const struct scenario *scn, const struct plan *plan)
{
	char before[600], after[600];
	ino_t home = namespace();
	int status;

	list_fds(before, sizeof(before));
	(void)alarm(RUN_LIMIT_S);
	atomic_store(&plot->armed, true);
	status = run(scn, plan);
	atomic_store(&plot->armed, false);
	list_fds(after, sizeof(after));
	if (strcmp(before, after) != 0)
		leave(" descriptors %s", after);
	if (count_threads() != 1)
		leave(" %s", "threads");
	if (namespace() != home)
		leave(" %s", "the way home");
	if (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD)
		leave(" %s", "children");
	if (__lsan_do_recoverable_leak_check())
		leave(" %s", "memory");
	return status;
}

/* ---- the test's side ---- */

static struct plan *load(const char *name, const char *text, struct scenario **ret_scn)
{
	struct scn_source source = {.file = name, .text = text, .len = strlen(text)};
	struct scn_errors errors;
	struct plan *plan = NULL;

	if (plan_load(&source, ret_scn, &plan, &errors))
		ok(!"the scenario is good");
	scn_errors_free(&errors);
	return plan;
}

/* Helpers that outlive the lab come to us (PR_SET_CHILD_SUBREAPER); each must end by itself. */
static bool orphans_end(void)
{
	for (int ms = 0; ms < ORPHAN_LIMIT_MS; ms += 5) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return true;
		(void)poll(NULL, 0, 5);
	}
	return false;
}

/* What the run says goes into a file, so that nothing of it blocks. */
static int run_once(play_fn run, const struct scenario *scn, const struct plan *plan, unsigned fail_at, bool *ret_orphans_end)
{
	int said = memfd_create("said", MFD_CLOEXEC), status = -1;
	pid_t child;

	memset(plot, 0, sizeof(*plot));
	plot->fail_at = fail_at;
	child = fork();
	if (child == 0) {
		(void)dup2(said, STDERR_FILENO);
		_exit(play(run, scn, plan));
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	(void)pread(said, plot->said, sizeof(plot->said) - 1, 0);
	(void)close(said);
	*ret_orphans_end = orphans_end();
	return status;
}

/* A message names what was tried and why it failed. */
static bool explains(const char *said)
{
	const char *line = strstr(said, "tunlab: ");

	return line && strlen(line) > 20 && !strstr(said, "Success") && !strstr(said, "(null)") && !strstr(said, "runtime error");
}

/* Of the lab of that name. */
static bool left_socket(const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/run/tunlab/%s.sock", name);
	return access(path, F_OK) == 0;
}

static bool judge_run(const char *name, int status, bool ended, unsigned n)
{
	bool lost_home = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strcmp(plot->failed, "setns") == 0;
	/* civetweb 1.15 forgets its listening socket when it cannot start a worker, and its workers when it cannot start the master. */
	bool civetweb = strcmp(plot->failed, OF_CIVETWEB) == 0;
	bool good = ok(ended) && (civetweb || eq_str(plot->left, "")) && ok(!left_socket(name));

	if (lost_home) /* in a lab's namespace, with no way back, ending at once is right */
		return good;
	good &= ok(WIFEXITED(status));
	if (WIFEXITED(status) && WEXITSTATUS(status) != EXIT_SIGNAL + SIGTERM) /* not one of those that do no harm */
		good &= ok(WEXITSTATUS(status) == EXIT_MACHINE || WEXITSTATUS(status) == EXIT_INVALID) && ok(explains(plot->said));
	if (!good)
		t_note("request %u, %s, status 0x%x, left:%s, said: %s", n, plot->failed, (unsigned)status, plot->left, plot->said);
	return good;
}

static void *share(size_t len)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* Of all workers. */
struct tally {
	atomic_uint requests, runs, failures, bad;
};

/* Request `first` fails, then each AT_ONCE-th after it, until no request is left to fail; first 0: none fails, once. */
static void work(play_fn run, const char *text, unsigned first, struct tally *tally)
{
	char name[32];
	struct scenario *scn;
	struct plan *plan;
	unsigned n = first;
	bool ended;

	plot = share(sizeof(*plot));
	(void)snprintf(name, sizeof(name), "fault-%d", getpid());
	plan = load(name, text, &scn);
	if (!plan || !ok(plot != MAP_FAILED))
		_exit(1);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	do {
		int status = run_once(run, scn, plan, n, &ended);

		if (!judge_run(name, status, ended, n) || (!first && !eq_i64(WEXITSTATUS(status), EXIT_SIGNAL + SIGTERM)))
			atomic_fetch_add(&tally->bad, 1);
		atomic_fetch_add(&tally->runs, plot->failed[0] != 0);
		atomic_fetch_add(&tally->failures, WEXITSTATUS(status) == EXIT_MACHINE);
		n += AT_ONCE;
	} while (first && plot->failed[0] && atomic_load(&tally->bad) < 5);
	if (!first)
		atomic_store(&tally->requests, atomic_load(&plot->requests));
	plan_free(plan);
	scenario_free(scn);
	_exit(0);
}

/* Each in a process of its own, which has the orphans of its labs. */
static void work_all(play_fn run, const char *text, unsigned first, unsigned n, struct tally *tally)
{
	pid_t workers[AT_ONCE];
	int status;

	for (unsigned i = 0; i < n; i++) {
		workers[i] = fork();
		if (workers[i] == 0)
			work(run, text, first + i, tally);
	}
	for (unsigned i = 0; i < n; i++) {
		while (waitpid(workers[i], &status, 0) < 0 && errno == EINTR)
			;
		eq_i64(status, 0);
	}
}

static void fail_each(play_fn run, const char *text)
{
	struct tally *tally = share(sizeof(*tally));

	if (!ok(tally != MAP_FAILED))
		return;
	work_all(run, text, 0, 1, tally);
	t_note("%u requests without a failure", tally->requests);
	if (!eq_u64(tally->bad, 0))
		return;
	tally->failures = 0;
	work_all(run, text, 1, AT_ONCE, tally);
	t_note("%u runs, %u of them failed as they should", tally->runs, tally->failures);
	eq_u64(tally->bad, 0);
	ok(tally->runs + AT_ONCE > tally->requests / 2);
	ok(tally->failures > tally->runs / 3); /* what a lab can do without, and what is asked on its way down, does no harm */
}

static bool may_not(void)
{
	struct error err;

	return privilege_check(&err) != 0;
}

TEST(every_failing_request_of_a_direct_lab_over_ipv6)
{
	if (may_not())
		skip("needs root");
	fail_each(whole_lab, "[lab]\nhosts=2\nvnis=10000-10001\nwiring=direct\nunderlay=fd00::/64\nflood=unicast\n"
			     "[vni 10001]\nsubnet=fd01::/64\n[traffic t]\nfrom=c0\nrate=10pps\n");
}

TEST(every_failing_request_of_namespaces_with_bridges)
{
	if (may_not())
		skip("needs root");
	fail_each(bare_lab, "[lab]\nhosts=2\nvnis=10000-10001\n");
}
