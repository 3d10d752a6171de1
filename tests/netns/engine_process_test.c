/* SPDX-License-Identifier: Apache-2.0 */
/* The traffic child as a process: what it holds, its priority, and whose end is whose. */
#define T_AT_ONCE 4
#include "tests/netns/lan.h"

/* A line of /proc/PID/status, without its name; "" when there is none. */
static const char *read_status(int pid, const char *name, char *buffer, size_t len)
{
	char path[64], *line = buffer;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(buffer, (int)len, f)) {
		if (strncmp(buffer, name, strlen(name)) != 0 || buffer[strlen(name)] != ':')
			continue;
		buffer[strcspn(buffer, "\n")] = '\0';
		line = buffer + strlen(name) + 1;
		fclose(f);
		return line + strspn(line, " \t");
	}
	if (f)
		fclose(f);
	return "";
}

TEST(the_child_holds_no_more_than_it_needs)
{
	LAN_OR_SKIP(l, false);
	int secret = open("/etc/passwd", O_RDONLY), pipes[2], others = 0; /* not close-on-exec, on purpose */
	struct engine *e = NULL;
	char buffer[256];

	eq_i64(pipe(pipes), 0);
	e = start(l);
	eq_str(read_status(engine_pid(e), "Name", buffer, sizeof(buffer)), "tunlab-traffic");
	eq_str(read_status(engine_pid(e), "Threads", buffer, sizeof(buffer)), "1");
	eq_str(read_status(engine_pid(e), "NoNewPrivs", buffer, sizeof(buffer)), "1");
	eq_str(read_status(engine_pid(e), "CapPrm", buffer, sizeof(buffer)), "0000000000a03000");
	eq_str(read_status(engine_pid(e), "CapEff", buffer, sizeof(buffer)), "0000000000a03000");
	eq_str(read_status(engine_pid(e), "SigBlk", buffer, sizeof(buffer)), "0000000000000000");
	for (int fd = 3; fd < 256; fd++) {
		char path[64], target[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", engine_pid(e), fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		if (strncmp(target, "net:", 4) != 0 && strncmp(target, "anon_inode:", 11) != 0 && ++others > 1)
			t_fail(__FILE__, __LINE__, "descriptor %d is %s", fd, target);
	}
	eq_i64(others, 1); /* the socket to us */
	t_note("resident: %s", read_status(engine_pid(e), "VmRSS", buffer, sizeof(buffer)));
	close(secret);
	close(pipes[0]);
	close(pipes[1]);
	engine_end(e);
	lan_down(l);
}

/* Waits until the child runs under that policy; whether it came to that. */
static bool await_policy(const struct engine *e, int policy)
{
	for (int ms = 0; ms < 5000; ms += 10) {
		if (sched_getscheduler(engine_pid(e)) == policy)
			return true;
		sleep_ms(10);
	}
	return false;
}

TEST(it_is_urgent_only_while_there_is_time_to_wait_for)
{
	static const uint32_t to1[] = {1}, to2[] = {2};
	LAN_OR_SKIP(l, false);
	struct engine *e = start(l);
	struct sched_param param = {.sched_priority = 1};
	bool may = sched_setscheduler(0, SCHED_FIFO, &param) == 0;
	struct engine_event event;
	uint32_t paced, max;

	param.sched_priority = 0;
	(void)sched_setscheduler(0, SCHED_OTHER, &param);
	paced = add(e, SCN_UDP, 100, 0, to1, 1, 64, 0);
	await(e, ENGINE_WARM, &event);
	eq_i64(engine_go(e, clock_ns()), 0);
	if (may) {
		ok(await_policy(e, SCHED_FIFO));
		max = add(e, SCN_UDP, 0, 1, to2, 1, 64, 0);
		ok(await_policy(e, SCHED_OTHER)); /* there is no end of its work */
		eq_i64(engine_stop(e, max, 0), 0);
		ok(await_policy(e, SCHED_FIFO));
		eq_i64(engine_stop(e, paced, 0), 0);
	}
	engine_end(e);
	lan_down(l);
	if (!may)
		skip("no real-time priority for this user");
}

TEST(the_terminal_does_not_end_it_but_its_death_is_noticed)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	LAN_OR_SKIP(l, false);
	struct generator_spec spec = {.peers = (uint32_t[]){1}, .n_peers = 1, .size = 64, .rate.value = 1};
	struct engine *e = start(l);
	struct engine_event event;
	uint32_t number;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		eq_i64(kill(engine_pid(e), signals[i]), 0);
	sleep_ms(50);
	eq_i64(engine_read_event(e, &event), 0);
	eq_i64(kill(engine_pid(e), SIGKILL), 0);
	await(e, ENGINE_DIED, &event);
	eq_str(event.text, "the traffic process was killed by signal 9 (Killed)");
	eq_i64(engine_fd(e), -1);
	eq_i64(engine_read_event(e, &event), 0);
	eq_i64(engine_add(e, &spec, &number), -EPIPE);
	eq_i64(engine_go(e, clock_ns()), -EPIPE);
	engine_end(e);
	lan_down(l);
}

TEST(the_child_dies_with_the_lab)
{
	LAN_OR_SKIP(l, false);
	int pipes[2], pid = 0, pidfd, status;
	struct pollfd p;
	pid_t lab;

	eq_i64(pipe(pipes), 0);
	lab = fork();
	if (lab == 0) {
		struct engine *e;

		if (engine_start(&l->plan, l->ns, 1, &e) != 0)
			_exit(1);
		pid = engine_pid(e);
		(void)!write(pipes[1], &pid, sizeof(pid));
		pause();
		_exit(0);
	}
	close(pipes[1]); /* so that reading ends when the child does */
	if (!ok(read(pipes[0], &pid, sizeof(pid)) == sizeof(pid)))
		return;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	ok(pidfd >= 0);
	eq_i64(kill(lab, SIGKILL), 0);
	p = (struct pollfd){.fd = pidfd, .events = POLLIN};
	eq_i64(poll(&p, 1, 2000), 1);
	(void)waitpid(lab, &status, 0);
	close(pidfd);
	close(pipes[0]);
	lan_down(l);
}
