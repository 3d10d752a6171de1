/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and reading scenarios; see source.h. */
#include "lab/cmd/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ui/assets.h"

static const struct asset *shipped(const char *name)
{
	char file[128];

	(void)snprintf(file, sizeof(file), "%s.ini", name);
	return asset_find("scenario", name) ?: asset_find("scenario", file);
}

static void say_not_found(const char *name, int error)
{
	char list[512] = "";
	size_t at = 0;

	for (const struct asset *a = NULL; at < sizeof(list) && (a = asset_next("scenario", a));)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%.*s", at ? ", " : "", (int)strcspn(a->name, "."),
				       a->name);
	say("cannot read scenario %s: %s (shipped with tunlab: %s)", name, strerror(error), list);
}

/* Up to SCN_FILE_MAX + 1 bytes, so that the parser sees when it is too much. */
static int read_file(int fd, char **ret, size_t *ret_len)
{
	char *text = malloc(SCN_FILE_MAX + 1);
	size_t len = 0;

	while (text && len <= SCN_FILE_MAX) {
		ssize_t got = read(fd, text + len, SCN_FILE_MAX + 1 - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int r = -errno;

			free(text);
			return r;
		}
		if (!got)
			break;
		len += (size_t)got;
	}
	if (!text)
		return -ENOMEM;
	*ret = text;
	*ret_len = len;
	return 0;
}

/* A folder is no scenario, and must not stand before one that is shipped and has its name. */
static int open_file(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISDIR(st.st_mode))
		return fd;
	(void)close(fd);
	return -EISDIR;
}

/* The text of what was named; *ret_owned is to be freed. */
static int find_text(const char *name, struct scn_source *source, char **ret_owned)
{
	const struct asset *inside;
	int fd = name ? open_file(name) : -ENOENT, r;

	*ret_owned = NULL;
	if (fd < 0) {
		int error = -fd;

		inside = shipped(name ? name : "default");
		if (!inside) {
			say_not_found(name, error);
			return EXIT_USAGE;
		}
		*source = (struct scn_source) { .file = inside->name, .text = inside->data, .len = asset_size(inside) };
		return EXIT_WELL;
	}
	*source = (struct scn_source) { .file = name };
	r = read_file(fd, ret_owned, &source->len);
	(void)close(fd);
	source->text = *ret_owned;
	if (r)
		say("cannot read scenario %s: %s", name, strerror(-r));
	return r ? EXIT_USAGE : EXIT_WELL;
}

static int load(const struct scn_source *source, struct scenario **ret_scn, struct plan **ret_plan)
{
	struct scn_errors errors;
	int r = plan_load(source, ret_scn, ret_plan, &errors);

	for (size_t i = 0; i < errors.n; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	if (errors.n_total > errors.n)
		fprintf(stderr, "%s: and %zu more mistakes\n", source->file, errors.n_total - errors.n);
	scn_errors_free(&errors);
	if (r && r != -EINVAL)
		say("cannot read scenario %s: %s", source->file, strerror(-r));
	return !r ? EXIT_WELL : r == -EINVAL ? EXIT_USAGE : EXIT_MACHINE;
}

int source_load(const char *name, const struct text_list *set, size_t n_options, struct scenario **ret_scn,
		struct plan **ret_plan)
{
	struct scn_source source;
	char *owned;
	int status = find_text(name, &source, &owned);

	if (status != EXIT_WELL)
		return status;
	source.set = set->v;
	source.n_set = set->n;
	source.n_options = n_options;
	status = load(&source, ret_scn, ret_plan);
	free(owned);
	return status;
}
