/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands, help and version. What a command does is in its cmd_ file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/program.h"
#include "lab/cmd/command.h"

static int help(const void *given, char *const *args, int n_args);
static int version(const void *given, char *const *args, int n_args);

static const struct command_option no_options[] = { { 0 } };

static const struct command cmd_help = {
	.name = "help", .args = "[COMMAND]", .summary = "Explain a command.", .options = no_options, .max_args = 1, .run = help,
};

static const struct command cmd_version = {
	.name = "version", .args = "", .summary = "Show the version.", .options = no_options, .run = version,
};

static const struct command *const commands[] = {
	&cmd_run, &cmd_check, &cmd_plan, &cmd_traffic, &cmd_status, &cmd_flows, &cmd_top, &cmd_replay, &cmd_monitor, &cmd_link, &cmd_exec,
	&cmd_shell, &cmd_capture, &cmd_guess, &cmd_stop, &cmd_clean, &cmd_doctor, &cmd_bench, &cmd_help, &cmd_version,
};

static const size_t n_commands = sizeof(commands) / sizeof(commands[0]);

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < n_commands; i++)
		if (strcmp(name, commands[i]->name) == 0)
			return commands[i];
	return NULL;
}

static void overview(FILE *to)
{
	fputs("tunlab builds an overlay network on this machine, sends traffic through it, watches the tunnels and judges the run.\n\n"
	      "usage: tunlab COMMAND [OPTIONS] [ARGS]\n\n", to);
	for (size_t i = 0; i < n_commands; i++)
		fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nStart here:  sudo tunlab run skewed   and open http://127.0.0.1:8080/\n"
	      "More:        tunlab help COMMAND\n\n"
	      "Exit status: 0 well, 1 a check failed, 2 usage or scenario error, 3 this machine cannot,\n"
	      "             4 the run is invalid (machine or monitor could not keep up), 128+N ended by signal N\n", to);
}

static int unknown(const char *name)
{
	char list[256] = "";
	size_t at = 0;

	for (size_t i = 0; i < n_commands && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? " " : "", commands[i]->name);
	say("there is no command '%s': there are %s", name, list);
	return EXIT_USAGE;
}

static int help(const void *given, char *const *args, int n_args)
{
	const struct command *c = n_args ? find(args[0]) : NULL;

	(void)given;
	if (n_args && !c)
		return unknown(args[0]);
	if (c)
		command_help(c);
	else
		overview(stdout);
	return EXIT_WELL;
}

static int version(const void *given, char *const *args, int n_args)
{
	(void)given;
	(void)args;
	(void)n_args;
	printf("tunlab %s\n", program_version);
	return EXIT_WELL;
}

/* A standard stream that is closed would let the next file opened take its number, and messages go there. */
static void secure_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

static int run_named(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		overview(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help(NULL, NULL, 0);
	if (strcmp(argv[1], "--version") == 0)
		return version(NULL, NULL, 0);
	c = find(argv[1]);
	return c ? command_run(c, argc - 1, argv + 1) : unknown(argv[1]);
}

int main(int argc, char **argv)
{
	int status;

	secure_standard_streams();
	status = run_named(argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && status == EXIT_WELL) {
		say("cannot write to standard output: %s", strerror(errno));
		status = EXIT_MACHINE;
	}
	return status;
}
