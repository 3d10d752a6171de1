/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and state of the machine; see doctor.h. */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/cmd/privilege.h"
#include "lab/control.h"
#include "lab/doctor/doctor.h"
#include "lab/run.h"
#include "lab/scenario/plan.h"
#include "ui/server.h"

enum {
	TASKS = SERVER_WORKERS + 8, /* lab, guard, engine, and the page's threads */
	MEMORY_MB = 64,             /* a default lab, kernel's part and all, with room */
	STEAL_PERCENT = 2,
	NEIGHBOURS_DEFAULT = 1024,
};

void findings_add(struct findings *f, const char *name, enum finding_state state, const char *remedy, const char *detail, ...)
{
	struct finding *new = &f->v[f->n];
	va_list ap;

	if (f->n == FINDINGS_MAX)
		return;
	*new = (struct finding) { .state = state };
	(void)snprintf(new->name, sizeof(new->name), "%s", name);
	(void)snprintf(new->remedy, sizeof(new->remedy), "%s", remedy ? remedy : "");
	va_start(ap, detail);
	(void)vsnprintf(new->detail, sizeof(new->detail), detail, ap); /* a cut sentence is better than none */
	va_end(ap);
	f->n++;
}

/* The first line of a file without its end; false: not there, or not for us to read. */
static bool read_line(const char *path, char *buf, int len)
{
	FILE *file = fopen(path, "re");
	bool got = file && fgets(buf, len, file);

	if (file)
		(void)fclose(file);
	if (got)
		buf[strcspn(buf, "\n")] = '\0';
	return got;
}

static bool read_number(const char *path, unsigned long *ret)
{
	char line[64], *end;

	if (!read_line(path, line, sizeof(line)))
		return false;
	*ret = strtoul(line, &end, 10);
	return end != line;
}

/* Raised as a lab would raise it: a process' own affair. */
static void look_at_files(struct findings *f, unsigned long files)
{
	struct rlimit limit = { 0 };
	struct error err;
	int r;

	(void)getrlimit(RLIMIT_NOFILE, &limit); /* valid arguments: cannot fail */
	r = privilege_open_files(files, &err);
	if (r)
		findings_add(f, "open files", FINDING_MISSING, "ulimit -n, LimitNOFILE= of the service, sysctl fs.nr_open",
			     "%lu, but the default lab wants %lu", (unsigned long)limit.rlim_max, files);
	else
		findings_add(f, "open files", FINDING_OK, NULL, "%lu, up to %lu without privilege; the default lab wants %lu, and gets them",
			     (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max, files);
}

static void look_at_namespace_limit(struct findings *f, const struct plan *plan)
{
	unsigned long wanted = plan_count_objects(plan).namespaces, limit;

	if (!read_number("/proc/sys/user/max_net_namespaces", &limit))
		findings_add(f, "netns limit", FINDING_UNSEEN, NULL, "user.max_net_namespaces is not readable here");
	else
		findings_add(f, "netns limit", limit < wanted ? FINDING_MISSING : FINDING_OK,
			     limit < wanted ? "sysctl -w user.max_net_namespaces=10000" : NULL,
			     "%lu network namespaces; the default lab wants %lu", limit, wanted);
}

/* One table for all namespaces of the machine: what labs learn counts against it together with everybody else. */
static void look_at_neighbours(struct findings *f)
{
	unsigned long v4 = 0, v6 = 0;
	bool seen = read_number("/proc/sys/net/ipv4/neigh/default/gc_thresh3", &v4);

	if (!read_number("/proc/sys/net/ipv6/neigh/default/gc_thresh3", &v6))
		v6 = v4;
	if (!seen)
		findings_add(f, "neighbours", FINDING_UNSEEN, "look outside of the container", "net.ipv4.neigh.default.gc_thresh3 is not readable here");
	else if (v4 < NEIGHBOURS_DEFAULT || v6 < NEIGHBOURS_DEFAULT)
		findings_add(f, "neighbours", FINDING_NOTE, "sysctl -w net.ipv4.neigh.default.gc_thresh3=4096 (and net.ipv6)",
			     "tables of %lu (IPv4) and %lu (IPv6) over all namespaces: small", v4, v6);
	else
		findings_add(f, "neighbours", FINDING_OK, NULL, "room for %lu (IPv4) and %lu (IPv6) learned ones over all namespaces; labs where more "
			     "clients talk at once want a larger net.ipv*.neigh.default.gc_thresh3", v4, v6);
}

/* The folder of this process' pids controller, in either generation's layout; false: none. */
static bool pids_folder(char *buf, size_t len)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		char *path = strrchr(line, ':');

		line[strcspn(line, "\n")] = '\0';
		if (!path)
			continue;
		if (strstr(line, ":pids:"))
			found = (size_t)snprintf(buf, len, "/sys/fs/cgroup/pids%s", path + 1) < len;
		else if (strncmp(line, "0::", 3) == 0)
			found = (size_t)snprintf(buf, len, "/sys/fs/cgroup%s", path + 1) < len && !access(buf, X_OK);
	}
	if (file)
		(void)fclose(file);
	return found;
}

static void look_at_tasks(struct findings *f)
{
	char folder[600], path[640];
	struct rlimit limit = { 0 };
	unsigned long most, current = 0, machine = 0;

	(void)read_number("/proc/sys/kernel/threads-max", &machine);
	(void)getrlimit(RLIMIT_NPROC, &limit);
	most = geteuid() && limit.rlim_cur < machine ? limit.rlim_cur : machine; /* the limit does not bind root */
	if (pids_folder(folder, sizeof(folder))) {
		unsigned long group;

		(void)snprintf(path, sizeof(path), "%s/pids.current", folder);
		(void)read_number(path, &current);
		(void)snprintf(path, sizeof(path), "%s/pids.max", folder);
		if (read_number(path, &group) && group < most) /* "max" is no number */
			most = group;
	}
	if (most >= current + TASKS)
		findings_add(f, "tasks", FINDING_OK, NULL, "room for %lu processes and threads; a lab is %d", most - current, TASKS);
	else
		findings_add(f, "tasks", FINDING_MISSING, "pids.max of the control group, TasksMax= of the service",
			     "room for %lu processes and threads, but a lab is %d", most > current ? most - current : 0, TASKS);
}

static void look_at_locked_memory(struct findings *f)
{
	struct rlimit limit = { 0 };

	(void)getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_max == RLIM_INFINITY)
		findings_add(f, "locked memory", FINDING_OK, NULL, "unlimited");
	else
		findings_add(f, "locked memory", FINDING_OK, NULL, "%llu kB; binds the monitor only before Linux 5.11 (ulimit -l unlimited)",
			     (unsigned long long)limit.rlim_max / 1024);
}

static void look_at_memory(struct findings *f)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	unsigned long kb = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %lu", &kb) == 1)
			break;
	if (file)
		(void)fclose(file);
	if (!kb)
		findings_add(f, "memory", FINDING_UNSEEN, NULL, "/proc/meminfo is not readable here");
	else
		findings_add(f, "memory", kb / 1024 < MEMORY_MB ? FINDING_NOTE : FINDING_OK, NULL, "%lu MB available", kb / 1024);
}

static void look_at_port(struct findings *f)
{
	struct error err;

	if (server_probe(RUN_LISTEN_DEFAULT, &err))
		findings_add(f, "page", FINDING_MISSING, "run with --listen 127.0.0.1:0 (any free port), or --headless", "%s", err.text);
	else
		findings_add(f, "page", FINDING_OK, NULL, RUN_LISTEN_DEFAULT " is free");
}

static void look_at_labs(struct findings *f)
{
	char **names = NULL, **dead_names = NULL;
	size_t n = 0, dead = 0;
	struct error err;
	int r = control_names(&names, &n, &err);

	if (!r)
		r = control_dead(false, &dead_names, &dead, &err);
	if (r == -EACCES)
		findings_add(f, "labs", FINDING_UNSEEN, "run doctor as root", "%s", err.text);
	else if (r)
		findings_add(f, "labs", FINDING_MISSING, NULL, "%s", err.text);
	else if (dead)
		findings_add(f, "labs", FINDING_NOTE, "tunlab clean", "%zu running; %zu crashed and left a socket in " CONTROL_FOLDER, n, dead);
	else
		findings_add(f, "labs", FINDING_OK, NULL, "%zu running, nothing left of others", n);
	control_names_free(names, n);
	if (!r)
		control_names_free(dead_names, dead);
}

static void look_at_clock(struct findings *f)
{
	char source[64];

	if (!read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource", source, sizeof(source)))
		findings_add(f, "clock", FINDING_UNSEEN, NULL, "the clock's source is not readable here");
	else if (strcmp(source, "hpet") == 0 || strcmp(source, "acpi_pm") == 0 || strcmp(source, "jiffies") == 0)
		findings_add(f, "clock", FINDING_NOTE, "boot with tsc=reliable where the CPU allows it",
			     "source is %s: reading it is slow, and so are generators", source);
	else
		findings_add(f, "clock", FINDING_OK, NULL, "source is %s", source);
}

static void look_at_cpus(struct findings *f)
{
	unsigned long long v[8] = { 0 }, sum = 0;
	char line[256];
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);
	double stolen = 0;

	if (read_line("/proc/stat", line, sizeof(line)) &&
	    sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) == 8) {
		for (int i = 0; i < 8; i++)
			sum += v[i];
		stolen = sum ? 100.0 * (double)v[7] / (double)sum : 0;
	}
	if (n < 2)
		findings_add(f, "cpus", FINDING_NOTE, "give it two or more", "one: generators and the lab share it");
	else if (stolen > STEAL_PERCENT)
		findings_add(f, "cpus", FINDING_NOTE, "a less busy host; expect runs that end with exit status 4",
			     "%d, of whose time other guests took %.1f %% since boot", n, stolen);
	else
		findings_add(f, "cpus", FINDING_OK, NULL, "%d, %.1f %% of their time taken by other guests", n, stolen);
}

void doctor_machine(struct findings *f, const struct plan *plan, unsigned long files)
{
	look_at_files(f, files);
	look_at_namespace_limit(f, plan);
	look_at_neighbours(f);
	look_at_tasks(f);
	look_at_locked_memory(f);
	look_at_memory(f);
	look_at_port(f);
	look_at_labs(f);
	look_at_clock(f);
	look_at_cpus(f);
}
