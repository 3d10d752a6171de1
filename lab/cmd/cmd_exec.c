/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab exec and shell: a command, or the user's shell, inside a host, a client or the fabric. It takes this process's place, so
 * terminal, job control, exit status and signals are its own. */
#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdint.h>
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
	struct error err;
	int fd, status = ask_netns(lab, where, &fd);

	if (status != EXIT_WELL)
		return status;
	if (ns_enter(fd, where, &err)) {
		say("%s", err.text);
		return EXIT_MACHINE;
	}
	(void)close(fd);
	show_own_sysfs();
	return EXIT_WELL;
}

/* Returns only when it could not: the status a shell would give. */
static int become(const char *where, char *const *command)
{
	int status;

	(void)execvp(command[0], command);
	status = errno == ENOENT ? 127 : 126;
	say("cannot run %s in %s: %s", command[0], where, strerror(errno));
	return status;
}

static int exec(const void *given, char *const *args, int n_args)
{
	const struct exec_options *o = given;
	int status;

	if (n_args < 2) {
		say("exec: no command: usage: tunlab exec WHERE -- CMD...");
		return EXIT_USAGE;
	}
	status = enter(o->lab, args[0]);
	return status == EXIT_WELL ? become(args[0], args + 1) : status;
}

/* Debian's bash shows $debian_chroot in its prompt, whatever PS1 says; sh and other bashes show PS1. A bare number is a client's. */
static int name_prompt(const char *where)
{
	char name[80], prompt[96];

	(void)snprintf(name, sizeof(name), "%s%s", isdigit((unsigned char)*where) && strlen(where) < 6 ? "c" : "", where);
	(void)snprintf(prompt, sizeof(prompt), "(%s) # ", name);
	return setenv("debian_chroot", name, 1) || setenv("PS1", prompt, 1) ? -errno : 0;
}

static int shell(const void *given, char *const *args, int n_args)
{
	const struct exec_options *o = given;
	const char *wanted = getenv("SHELL");
	char *const command[] = { (char *)(uintptr_t)(wanted && *wanted ? wanted : "/bin/sh"), NULL };
	int status = enter(o->lab, args[0]);

	(void)n_args;
	if (status != EXIT_WELL)
		return status;
	if (name_prompt(args[0]))
		say("the prompt will not show %s: %s", args[0], strerror(errno));
	return become(args[0], command);
}

const struct command cmd_exec = {
	.name = "exec",
	.args = "WHERE [--] CMD...",
	.summary = "Run a command in host3, c7 or fabric; its exit status is passed on.",
	.details = WHERE_HELP
		   "\n  sudo tunlab exec c3 -- ping -c3 192.168.3.9\n"
		   "  sudo tunlab exec host0 -- bridge fdb show\n",
	.options = options,
	.options_size = sizeof(struct exec_options),
	.min_args = 1,
	.max_args = -1,
	.run = exec,
};

const struct command cmd_shell = {
	.name = "shell",
	.args = "WHERE",
	.summary = "Open your $SHELL in host3, c7 or fabric.",
	.details = WHERE_HELP
		   "The prompt shows where it is. A shell keeps its namespace alive when the lab has ended.\n",
	.options = options,
	.options_size = sizeof(struct exec_options),
	.min_args = 1,
	.max_args = 1,
	.run = shell,
};
