/* SPDX-License-Identifier: Apache-2.0 */
/* What all commands share: options, help, messages, and asking a running lab. */
#include "lab/cmd/command.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/control.h"

enum { OPTIONS_MAX = 24, HELP_COLUMN = 26 };

void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)fputs("tunlab: ", stderr);
	(void)vfprintf(stderr, format, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
}

void say_progress(const char *format, ...)
{
	va_list ap;

	if (!isatty(STDERR_FILENO))
		return;
	(void)fputs("\r\033[K", stderr);
	if (!format)
		return;
	va_start(ap, format);
	(void)fputs("tunlab: ", stderr);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
}

static const char *dashes(const struct command_option *o)
{
	return o->name[1] ? "--" : "-";
}

void command_help(const struct command *c)
{
	char *more = c->more_details ? c->more_details() : NULL;

	printf("%s\n\nusage: tunlab %s%s%s%s\n", c->summary, c->name, c->options->name ? " [OPTIONS]" : "", *c->args ? " " : "",
	       c->args);
	if (c->options->name)
		printf("\n");
	for (const struct command_option *o = c->options; o->name; o++) {
		int used = printf("  %s%s%s%s", dashes(o), o->name, o->value ? " " : "", o->value ? o->value : "");

		printf("%*s%s\n", used < HELP_COLUMN ? HELP_COLUMN - used : 1, "", o->help);
	}
	if (c->details)
		printf("\n%s", c->details);
	if (more)
		printf("\n%s", more);
	free(more);
}

static int append(struct text_list *list, const char *text)
{
	const char **grown = realloc(list->v, (list->n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	list->v = grown;
	list->v[list->n++] = text;
	return 0;
}

static int store(const struct command_option *o, void *options, const char *value)
{
	void *to = (char *)options + o->offset;

	switch (o->kind) {
	case OPTION_FLAG:
		*(bool *)to = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)to = value;
		return 0;
	case OPTION_LIST:
		return append(to, value);
	}
	return -EINVAL;
}

static void list_options(const struct command *c, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (const struct command_option *o = c->options; o->name && at < len; o++)
		at += (size_t)snprintf(buf + at, len - at, "%s%s%s", at ? " " : "", dashes(o), o->name);
}

static int wrong_option(const struct command *c, const char *given, bool lacks_value)
{
	char known[512];

	list_options(c, known, sizeof(known));
	if (lacks_value)
		say("%s: %s wants a value (`tunlab help %s`)", c->name, given, c->name);
	else
		say("%s: unknown option %s: %s%s", c->name, given, *known ? "there are " : "it takes none", known);
	return EXIT_USAGE;
}

/* Tables for getopt_long. A name of one letter is a short option, too; `early`: options end at the first word that is none. */
static void make_tables(const struct command *c, bool early, struct option longs[OPTIONS_MAX + 2], char shorts[2 * OPTIONS_MAX + 8])
{
	char *s = stpcpy(shorts, early ? "+:h" : ":h");
	int n = 0;

	for (; c->options[n].name && n < OPTIONS_MAX; n++) {
		const struct command_option *o = &c->options[n];
		bool flag = o->kind == OPTION_FLAG;

		longs[n] = (struct option) { o->name, flag ? no_argument : required_argument, NULL, 1 };
		if (!o->name[1])
			s = stpcpy(stpncpy(s, o->name, 1), flag ? "" : ":");
	}
	longs[n] = (struct option) { "help", no_argument, NULL, 2 };
	longs[n + 1] = (struct option) { 0 };
}

static const struct command_option *short_option(const struct command *c, int letter)
{
	const struct command_option *o = c->options;

	while (o->name && (o->name[0] != letter || o->name[1]))
		o++;
	return o; /* getopt knows only those that are there */
}

/* Reads options of argv from its second word on; `early`: up to the first word that is none. */
static int read_options(const struct command *c, int argc, char **argv, bool early, void *options)
{
	struct option longs[OPTIONS_MAX + 2];
	char shorts[2 * OPTIONS_MAX + 8];
	int index;

	make_tables(c, early, longs, shorts);
	optind = 0; /* glibc: start afresh */
	opterr = 0;
	for (;;) {
		int got = getopt_long(argc, argv, shorts, longs, &index);

		if (got == -1)
			return EXIT_WELL;
		if (got == 'h' || got == 2) {
			command_help(c);
			return -1;
		}
		if (got == ':' || got == '?')
			return wrong_option(c, argv[optind - 1], got == ':');
		if (store(got == 1 ? &c->options[index] : short_option(c, got), options, optarg))
			return EXIT_MACHINE;
	}
}

/* Leaves the index of the first argument in *ret_first. A command that runs another (exec WHERE [--] CMD...) takes options
 * before and after its own first argument; from CMD on nothing is its business, not even a "--". */
static int parse_options(const struct command *c, int argc, char **argv, void *options, int *ret_first)
{
	bool runs_another = c->max_args < 0;
	int status = read_options(c, argc, argv, runs_another, options), first = optind;

	if (status == EXIT_WELL && runs_another && first < argc) {
		char *where = argv[first];

		status = read_options(c, argc - first, argv + first, true, options);
		first += optind - 1;
		argv[first] = where;
	}
	*ret_first = first;
	return status;
}

static void free_options(const struct command *c, void *options)
{
	for (const struct command_option *o = c->options; o->name; o++)
		if (o->kind == OPTION_LIST)
			free(((struct text_list *)(void *)((char *)options + o->offset))->v);
	free(options);
}

int command_run(const struct command *c, int argc, char **argv)
{
	void *options = calloc(1, c->options_size ? c->options_size : 1);
	int first = argc, status = options ? parse_options(c, argc, argv, options, &first) : EXIT_MACHINE;
	int n = argc - first;

	if (status == EXIT_WELL && (n < c->min_args || (c->max_args >= 0 && n > c->max_args))) {
		say("%s: %s: usage: tunlab %s%s%s", c->name, n < c->min_args ? "something is missing" : "too many arguments", c->name,
		    *c->args ? " " : "", c->args);
		status = EXIT_USAGE;
	} else if (status == EXIT_WELL) {
		status = c->run(options, argv + first, n);
	}
	if (options)
		free_options(c, options);
	return status < 0 ? EXIT_WELL : status;
}

int status_of(int error)
{
	return error == -EINVAL || error == -ENOENT || error == -ENOTUNIQ ? EXIT_USAGE : EXIT_MACHINE;
}

static int send_question(int fd, cJSON *question)
{
	char *text = cJSON_PrintUnformatted(question);
	int r = text ? control_send(fd, text) : -ENOMEM;

	cJSON_free(text);
	return r;
}

int open_lab(const char *lab, cJSON *question, int *ret_fd)
{
	struct error err;
	int fd, r = control_connect(lab, &fd, &err);

	if (r) {
		cJSON_Delete(question);
		say("%s", err.text);
		return status_of(r);
	}
	r = send_question(fd, question);
	cJSON_Delete(question);
	if (r) {
		(void)close(fd);
		say("cannot ask the lab: %s", strerror(-r));
		return EXIT_MACHINE;
	}
	*ret_fd = fd;
	return EXIT_WELL;
}

/* A refusal is {"error": sentence, "exit": status}; documents never start like that. */
int refusal_status(const char *text)
{
	cJSON *answer;
	const cJSON *error, *exit_status;
	int status = EXIT_WELL;

	if (strncmp(text, "{\"error\":", 9) != 0)
		return EXIT_WELL;
	answer = cJSON_Parse(text);
	error = cJSON_GetObjectItem(answer, "error");
	exit_status = cJSON_GetObjectItem(answer, "exit");
	if (cJSON_IsString(error)) {
		say("%s", error->valuestring);
		status = cJSON_IsNumber(exit_status) ? exit_status->valueint : EXIT_MACHINE;
	}
	cJSON_Delete(answer);
	return status;
}

int hear_lab(int fd, char **ret_answer, int *ret_fd)
{
	char *text;
	int r = control_receive(fd, &text, ret_fd), status;

	if (r) {
		say("the lab did not answer: %s", r == -EPIPE ? "it has just ended" :
		    r == -EAGAIN ? "is its process stopped, or this machine overloaded?" : strerror(-r));
		return EXIT_MACHINE;
	}
	status = refusal_status(text);
	if (status == EXIT_WELL)
		*ret_answer = text;
	else
		free(text);
	return status;
}

int ask_lab(const char *lab, cJSON *question, char **ret_answer, int *ret_fd)
{
	int fd, status = open_lab(lab, question, &fd);

	if (status != EXIT_WELL)
		return status;
	status = hear_lab(fd, ret_answer, ret_fd);
	(void)close(fd);
	return status;
}

int ask_netns(const char *lab, const char *where, int *ret_fd)
{
	cJSON *q = cJSON_CreateObject();
	char *text;
	int fd, status;

	(void)cJSON_AddStringToObject(q, "op", "netns");
	(void)cJSON_AddStringToObject(q, "where", where);
	status = ask_lab(lab, q, &text, &fd);
	if (status != EXIT_WELL)
		return status;
	free(text);
	if (fd < 0) {
		say("the lab handed out no namespace: is this process out of descriptors (ulimit -n)?");
		return EXIT_MACHINE;
	}
	*ret_fd = fd;
	return EXIT_WELL;
}
