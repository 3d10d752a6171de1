/* SPDX-License-Identifier: Apache-2.0 */
/* Commands: one table (main.c) drives dispatch, option parsing and help. */
#ifndef TUNLAB_CMD_COMMAND_H
#define TUNLAB_CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum exit_status {
	EXIT_WELL = 0,
	EXIT_CHECK_FAILED = 1,
	EXIT_USAGE = 2,   /* usage or scenario error */
	EXIT_MACHINE = 3, /* this machine cannot */
	EXIT_INVALID = 4, /* machine or monitor could not keep up: neither pass nor fail */
	EXIT_SIGNAL = 128,
};

enum option_kind { OPTION_FLAG /* bool */, OPTION_TEXT /* const char * */, OPTION_LIST /* struct text_list */ };

struct text_list {
	const char **v;
	size_t n;
};

struct command_option {
	const char *name;         /* without the dashes; of one letter: -w; NULL ends the table */
	enum option_kind kind;
	size_t offset;            /* of its value in the command's options struct */
	const char *value;        /* placeholder in help; NULL for flags */
	const char *help;
};

struct command {
	const char *name;
	const char *args;         /* as shown in usage */
	const char *summary;      /* one line */
	const char *details;      /* further help, may be NULL */
	char *(*more_details)(void); /* what stands in a table elsewhere, behind those: a new string; may be NULL */
	const struct command_option *options;
	size_t options_size;      /* of the options struct, which starts all zero */
	int min_args, max_args;   /* positional ones; max -1: any number, options end at the first argument or "--" */
	int (*run)(const void *options, char *const *args, int n_args); /* exit status */
};

extern const struct command cmd_run, cmd_check, cmd_plan, cmd_traffic, cmd_status, cmd_flows, cmd_top, cmd_link, cmd_exec, cmd_shell,
	cmd_capture, cmd_stop, cmd_clean, cmd_doctor, cmd_replay, cmd_monitor, cmd_guess, cmd_bench;

/* Parses argv (argv[0] is the command's name) and runs the command. */
int command_run(const struct command *c, int argc, char **argv);
void command_help(const struct command *c);

/* "tunlab: …" on standard error. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for a line that the next one takes the place of, and only where standard error is a terminal. NULL wipes it. */
void say_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Asks the lab named (NULL: the only one) one question (a JSON object, deleted here). EXIT_WELL with the answer's JSON text in
 * *ret_answer (free it) and, if wanted, the descriptor that came along; otherwise the exit status, and the reason was said. */
struct cJSON;
int ask_lab(const char *lab, struct cJSON *question, char **ret_answer, int *ret_fd);
/* The same in two steps, for a command that goes on listening. */
int open_lab(const char *lab, struct cJSON *question, int *ret_fd);
int hear_lab(int fd, char **ret_answer, int *ret_fd);
/* Is the text a refusal? Then it is said, and its exit status returned; EXIT_WELL otherwise. */
int refusal_status(const char *text);
/* The namespace of WHERE in that lab, as a descriptor. EXIT_WELL, or the exit status, and the reason was said. */
int ask_netns(const char *lab, const char *where, int *ret_fd);
#define WHERE_HELP "WHERE: fabric, a host (host3), or a client (c7, 7, host0:10002, or its address where unique).\n"

/* Prints a JSON text (freed here), or the table made of it for the terminal's width. EXIT_WELL, or the exit status, and the
 * reason was said. NULL is a text that there was no memory for. */
int print_document(char *json, bool as_json, char *(*make_table)(const char *json, unsigned width));

/* Exit status for -errno of a module: usage for what the user got wrong, machine for the rest. */
int status_of(int error);

#endif
