/* SPDX-License-Identifier: Apache-2.0 */
/* The list of mistakes in a scenario: where each stands, and their order. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/scenario.h"

/* Order of a mistake in the report: the file's lines, then the --set arguments. */
static int64_t where_rank(int where)
{
	return where >= 0 ? where : (int64_t)INT32_MAX - where;
}

static void errors_put(struct scn_errors *e, int where, const char *prefix, const char *format,
		       va_list args)
{
	char message[2048];
	char *text;
	void *grown;

	e->n_total++;
	if (e->n >= SCN_ERRORS_MAX)
		return;
	(void)vsnprintf(message, sizeof(message), format, args);
	grown = realloc(e->text, (e->n + 1) * sizeof(*e->text));
	if (!grown)
		return; /* counted all the same, and a count is what makes the scenario invalid */
	e->text = grown;
	grown = realloc(e->where, (e->n + 1) * sizeof(*e->where));
	if (!grown || asprintf(&text, "%s%s", prefix, message) < 0) {
		e->where = grown ? grown : e->where;
		return;
	}
	e->where = grown;
	e->text[e->n] = text;
	e->where[e->n++] = where;
}

void scn_errors_add(struct scn_errors *e, const char *file, int line, const char *format, ...)
{
	char prefix[512];
	va_list args;

	(void)snprintf(prefix, sizeof(prefix), line > 0 ? "%s:%d: " : "%s: ", file, line);
	va_start(args, format);
	errors_put(e, line, prefix, format, args);
	va_end(args);
}

void scn_error_at(struct scn_errors *e, const struct scenario *s, struct scn_place place,
		  const char *format, ...)
{
	char prefix[1024], set[1000];
	size_t n = 0;
	va_list args;

	if (place.where < 0) {
		(void)snprintf(prefix, sizeof(prefix), "%s: ", scn_set_format(s, (size_t)(-1 - place.where), set, sizeof(set)));
	} else {
		n += (size_t)snprintf(prefix, sizeof(prefix),
				      place.where ? "%s:%d: " : "%s: ", s->file, place.where);
		if (place.section)
			n += (size_t)snprintf(prefix + n, sizeof(prefix) - n, "[%s]%s",
					      place.section, place.key ? " " : ": ");
		if (place.key && place.value)
			(void)snprintf(prefix + n, sizeof(prefix) - n, "%s = %s: ", place.key,
				       place.value);
		else if (place.key)
			(void)snprintf(prefix + n, sizeof(prefix) - n, "%s: ", place.key);
	}
	va_start(args, format);
	errors_put(e, place.where, prefix, format, args);
	va_end(args);
}

const char *scn_set_format(const struct scenario *s, size_t i, char *buf, size_t len)
{
	const char *text = s->sets[i], *key = text + strlen("lab.");

	if (i < s->n_sets - s->n_options)
		(void)snprintf(buf, len, "--set %s", text);
	else
		(void)snprintf(buf, len, "--%.*s %s", (int)strcspn(key, "="), key, strchr(key, '=') + 1);
	return buf;
}

const char *scn_end_format(const struct scenario *s, char *buf, size_t len)
{
	int where = s->key_line[LAB_DURATION];

	if (where < 0)
		return scn_set_format(s, (size_t)(-1 - where), buf, len);
	(void)snprintf(buf, len, "[lab] duration");
	return buf;
}

void scn_errors_sort(struct scn_errors *e)
{
	/* Nearly sorted already and at most SCN_ERRORS_MAX: insertion is stable and quick. */
	for (size_t i = 1; i < e->n; i++)
		for (size_t j = i; j > 0 && where_rank(e->where[j - 1]) > where_rank(e->where[j]);
		     j--) {
			char *text = e->text[j];
			int where = e->where[j];

			e->text[j] = e->text[j - 1];
			e->where[j] = e->where[j - 1];
			e->text[j - 1] = text;
			e->where[j - 1] = where;
		}
}

void scn_errors_free(struct scn_errors *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->text[i]);
	free(e->text);
	free(e->where);
	*e = (struct scn_errors){ 0 };
}
