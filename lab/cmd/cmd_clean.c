/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab clean: removes what a crash left, and only what tunlab made: helpers whose lab is gone, sockets nobody listens on. Namespaces
 * and what is in them need no cleaning: the kernel drops them with the last process. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/emit.h"
#include "base/text.h"
#include "lab/cmd/command.h"
#include "lab/control.h"

enum { HELPERS_MAX = 256, DEATH_LIMIT_MS = 2000 };

struct clean_options {
	bool json;
};

static const struct command_option options[] = {
	{ "json", OPTION_FLAG, offsetof(struct clean_options, json), NULL, "as JSON" },
	{ 0 },
};

struct helper {
	int pid;
	char name[16]; /* as the process calls itself */
};

struct cleaned {
	struct helper helpers[HELPERS_MAX];
	size_t n_helpers;
	char **sockets; /* names of labs */
	size_t n_sockets;
};

/* The last part of the path of what a process runs; false: not to be seen. The file may have been replaced since. */
static bool program_of(int pid, char *buf, size_t len)
{
	static const char deleted[] = " (deleted)";
	char link[32], path[4096];
	ssize_t n;
	char *cut;

	(void)snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return false;
	path[n] = '\0';
	cut = (size_t)n >= sizeof(deleted) ? path + n - (sizeof(deleted) - 1) : NULL;
	if (cut && strcmp(cut, deleted) == 0)
		*cut = '\0';
	cut = strrchr(path, '/');
	return cut && (size_t)snprintf(buf, len, "%s", cut + 1) < len;
}

/* Name and parent, from "PID (NAME) STATE PPID": a name may hold anything, so it ends at the last bracket. */
static bool read_stat(int pid, char name[16], int *ret_parent)
{
	char path[32], line[512];
	const char *open, *close;
	FILE *file;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	n = file ? fread(line, 1, sizeof(line) - 1, file) : 0;
	if (file)
		(void)fclose(file);
	line[n] = '\0';
	open = strchr(line, '(');
	close = strrchr(line, ')');
	if (!open || !close || close - open > 16 || sscanf(close + 1, " %*c %d", ret_parent) != 1)
		return false;
	(void)snprintf(name, 16, "%.*s", (int)(close - open - 1), open + 1);
	return true;
}

/* A guard or engine of this program whose parent is no lab any more: whoever adopts orphans is another program. */
static bool is_orphan(int pid, struct helper *ret)
{
	char own[256], its[256], parents[256];
	int parent;

	if (!read_stat(pid, ret->name, &parent) || (strcmp(ret->name, "tunlab-guard") != 0 && strcmp(ret->name, "tunlab-traffic") != 0))
		return false;
	ret->pid = pid;
	return program_of(getpid(), own, sizeof(own)) && program_of(pid, its, sizeof(its)) && strcmp(own, its) == 0 &&
	       (!program_of(parent, parents, sizeof(parents)) || strcmp(own, parents) != 0);
}

/* Held by a descriptor from before it is looked at, so that what is killed is what was looked at. */
static bool end_orphan(int pid, struct helper *ret)
{
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	bool ended = p.fd >= 0 && is_orphan(pid, ret) && !syscall(SYS_pidfd_send_signal, p.fd, SIGKILL, NULL, 0) &&
		     poll(&p, 1, DEATH_LIMIT_MS) == 1;

	if (p.fd >= 0)
		(void)close(p.fd);
	return ended;
}

static void end_orphans(struct cleaned *c)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;

	while (dir && c->n_helpers < HELPERS_MAX && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && end_orphan(atoi(entry->d_name), &c->helpers[c->n_helpers]))
			c->n_helpers++;
	if (dir)
		(void)closedir(dir);
}

static char *as_json(const struct cleaned *c)
{
	struct emit e = { 0 };

	emit_object(&e, NULL);
	emit_string(&e, "schema", "tunlab.clean/1");
	emit_array(&e, "processes");
	for (size_t i = 0; i < c->n_helpers; i++) {
		emit_object(&e, NULL);
		emit_u64(&e, "pid", (uint64_t)c->helpers[i].pid);
		emit_string(&e, "name", c->helpers[i].name);
		emit_object_end(&e);
	}
	emit_array_end(&e);
	emit_array(&e, "sockets");
	for (size_t i = 0; i < c->n_sockets; i++)
		emit_string(&e, NULL, c->sockets[i]);
	emit_array_end(&e);
	emit_object_end(&e);
	return emit_take(&e);
}

static char *as_text(const struct cleaned *c)
{
	struct text t = { 0 };

	for (size_t i = 0; i < c->n_helpers; i++)
		text_printf(&t, "ended %s, process %d, whose lab is gone\n", c->helpers[i].name, c->helpers[i].pid);
	for (size_t i = 0; i < c->n_sockets; i++)
		text_printf(&t, "removed the control socket of lab %s, which is gone\n", c->sockets[i]);
	if (!c->n_helpers && !c->n_sockets)
		text_puts(&t, "nothing to clean\n");
	return text_take(&t);
}

static int run(const void *given, char *const *args, int n_args)
{
	const struct clean_options *o = given;
	struct cleaned *c = calloc(1, sizeof(*c));
	struct error err;
	char *text = NULL;
	int r = c ? 0 : -ENOMEM;

	(void)args;
	(void)n_args;
	error_set(&err, "out of memory");
	if (geteuid()) { /* others' processes and files do not show */
		error_set(&err, "clean needs root: run it with sudo");
		r = -EPERM;
	}
	if (!r) {
		end_orphans(c); /* first: one that is stopped may hold the folder's lock */
		r = control_dead(true, &c->sockets, &c->n_sockets, &err);
	}
	if (!r) {
		text = o->json ? as_json(c) : as_text(c);
		control_names_free(c->sockets, c->n_sockets);
	}
	free(c);
	if (!text) {
		say("%s", err.text);
		return EXIT_MACHINE;
	}
	printf("%s%s", text, o->json ? "\n" : "");
	free(text);
	return EXIT_WELL;
}

const struct command cmd_clean = {
	.name = "clean",
	.args = "",
	.summary = "Remove what crashed labs left; running labs are not touched.",
	.details = "A lab that ends, also by kill -9, leaves nothing. Only where its guard process was killed or stopped with it there is\n"
		   "something to do: the guard, and the lab's socket in " CONTROL_FOLDER ".\n",
	.options = options,
	.options_size = sizeof(struct clean_options),
	.run = run,
};
