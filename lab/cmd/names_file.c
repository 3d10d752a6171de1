/* SPDX-License-Identifier: Apache-2.0 */
/* Reading files of names; see names_file.h. */
#include "lab/cmd/names_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lab/cmd/command.h"

enum { SHOWN = 20 }; /* mistakes: a file that is something else has one in every line */

struct complaints {
	const char *file; /* NULL: nobody wants to know */
	unsigned n;
};

static void complain(void *arg, unsigned line, const char *why)
{
	struct complaints *c = arg;

	if (c->file && c->n++ < SHOWN)
		fprintf(stderr, "%s:%u: %s\n", c->file, line, why);
}

static int read_text(const char *file, char **ret, size_t *ret_len)
{
	FILE *f = fopen(file, "re");
	struct stat st;
	char *text;
	int r = 0;

	if (!f)
		return -errno;
	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode))
		r = -EISDIR;
	text = r ? NULL : malloc(NAME_FILE_MAX + 1);
	if (!r && !text)
		r = -ENOMEM;
	if (!r) {
		*ret_len = fread(text, 1, NAME_FILE_MAX + 1, f);
		r = ferror(f) ? -EIO : *ret_len > NAME_FILE_MAX ? -EFBIG : 0;
	}
	(void)fclose(f); /* only read from */
	if (r)
		free(text);
	else
		*ret = text;
	return r;
}

int names_file_read(const char *given, struct name_table *ret)
{
	const char *file = given ?: "/etc/hosts";
	struct complaints c = { .file = given };
	char *text = NULL;
	size_t len = 0;
	int r = read_text(file, &text, &len);

	if (!given && r && r != -ENOMEM)
		return EXIT_WELL;
	if (!r)
		r = name_table_parse(ret, text, len, complain, &c);
	free(text);
	if (r) {
		say("cannot read names from %s: %s", file, strerror(-r));
		return r == -ENOMEM ? EXIT_MACHINE : EXIT_USAGE;
	}
	if (c.n > SHOWN)
		fprintf(stderr, "%s: and %u more mistakes\n", given, c.n - SHOWN);
	if (!c.n)
		return EXIT_WELL;
	name_table_free(ret);
	return EXIT_USAGE;
}
