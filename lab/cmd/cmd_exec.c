/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab exec: a command inside a host, a client or the fabric. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lab/cmd/command.h"
#include "lab/net/ns.h"

struct exec_options {
	const char *lab;
};

static const struct command_option options[] = {
	{ "lab", OPTION_TEXT, offsetof(struct exec_options, lab), "LAB", "which lab, where several run" },
	{ 0 },
};

/* Programs look for network devices in /sys/class/net: show them those of the namespace, as `ip netns exec` does. Without
 * it (a container that forbids mounts) the command still runs; only /sys stays the machine's. */
static void show_own_sysfs(void)
{
	if (unshare(CLONE_NEWNS) || mount("", "/", "none", MS_SLAVE | MS_REC, NULL))
		return;
	if (!umount2("/sys", MNT_DETACH))
		(void)mount("tunlab", "/sys", "sysfs", 0, NULL);
}

static int enter(const char *lab, const char *where)
{
	cJSON *q = cJSON_CreateObject();
	struct error err;
	char *text;
	int fd, status;

	(void)cJSON_AddStringToObject(q, "op", "netns");
	(void)cJSON_AddStringToObject(q, "where", where);
	status = ask_lab(lab, q, &text, &fd);
	if (status != EXIT_WELL)
		return status;
	free(text);
	if (fd < 0 || ns_enter(fd, where, &err)) {
		say("%s", fd < 0 ? "the lab handed out no namespace" : err.text);
		return EXIT_MACHINE;
	}
	(void)close(fd);
	show_own_sysfs();
	return EXIT_WELL;
}

static int run(const void *given, char *const *args, int n_args)
{
	const struct exec_options *o = given;
	char *const *command = args + 1;
	int status;

	if (n_args < 2) {
		say("exec: no command: usage: tunlab exec WHERE -- CMD...");
		return EXIT_USAGE;
	}
	status = enter(o->lab, args[0]);
	if (status != EXIT_WELL)
		return status;
	(void)execvp(command[0], command);
	status = errno == ENOENT ? 127 : 126; /* as a shell would say */
	say("cannot run %s in %s: %s", command[0], args[0], strerror(errno));
	return status;
}

const struct command cmd_exec = {
	.name = "exec",
	.args = "WHERE [--] CMD...",
	.summary = "Run a command in host3, c7 or fabric; its exit status is passed on.",
	.details = "WHERE: fabric, a host (host3), or a client (c7, 7, host0:10002, or its address where unique).\n\n"
		   "  sudo tunlab exec c3 -- ping -c3 192.168.3.9\n"
		   "  sudo tunlab exec host0 -- bridge fdb show\n",
	.options = options,
	.options_size = sizeof(struct exec_options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
