/* SPDX-License-Identifier: Apache-2.0 */
/* --set SECTION.KEY=VALUE arguments, laid over what the file says. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/scenario_internal.h"

/* The part of text from first up to last, trimmed, into buf; false when it does not fit or is
 * empty. */
static bool cut(const char *first, const char *last, char *buf, size_t len)
{
	first = skip_space(first);
	while (last > first && (last[-1] == ' ' || last[-1] == '\t'))
		last--;
	if (last <= first || (size_t)(last - first) >= len)
		return false;
	memcpy(buf, first, (size_t)(last - first));
	buf[last - first] = '\0';
	return true;
}

/* The section an argument means. [lab], [vni N] and [link hostN] come into being; others must be in the file. */
static struct doc_section *set_target(struct doc *doc, const struct scenario *s, const char *text,
				      char *why, bool *no_memory)
{
	struct header h;
	struct doc_section *section;
	size_t used;
	bool any = false;

	if (!header_parse(text, &h, why))
		return NULL;
	section = doc_find(doc, h.kind, h.name);
	if (section)
		return section;
	if (h.kind == SECTION_LAB || h.kind == SECTION_VNI || h.kind == SECTION_LINK) {
		section = doc_add(doc, &h, 0);
		*no_memory |= !section;
		return section;
	}
	used = (size_t)snprintf(why, WHY_LEN, "%s has no [%s]", s->file, h.title);
	for (size_t i = 0; i < doc->n && used < WHY_LEN - 1; i++)
		if (doc->sections[i].kind == h.kind) {
			used += (size_t)snprintf(why + used, WHY_LEN - used, "%s[%s]",
						 any ? ", " : "; it has ", doc->sections[i].title);
			any = true;
		}
	return NULL;
}

static int apply_set(struct doc *doc, const struct scenario *s, int index, struct scn_errors *e)
{
	const struct scn_place place = { .where = -1 - index };
	const char *text = s->sets[index], *equals = strchr(text, '=');
	const char *dot = equals ? memrchr(text, '.', (size_t)(equals - text)) : NULL;
	char title[128], key[64], value[1024], why[WHY_LEN];
	struct doc_section *section;
	size_t len = strlen(text);
	bool no_memory = false;
	int number;

	if (text_prefix(text, len) < len || utf8_prefix((const unsigned char *)text, len) < len) {
		scn_errors_add(e, "--set", 0, "argument %d is not UTF-8 text", index + 1);
		return -EINVAL;
	}
	if (equals && strlen(equals + 1) >= sizeof(value)) {
		scn_error_at(e, s, place, "the value is %zu bytes long, at most %zu are possible", strlen(equals + 1), sizeof(value) - 1);
		return -EINVAL;
	}
	if (!dot || !cut(text, dot, title, sizeof(title)) ||
	    !cut(dot + 1, equals, key, sizeof(key)) ||
	    !cut(equals + 1, text + len, value, sizeof(value))) {
		scn_error_at(e, s, place, (size_t)index < s->n_sets - s->n_options ? "want SECTION.KEY=VALUE, such as lab.hosts=3" : "has no value");
		return -EINVAL;
	}
	section = set_target(doc, s, title, why, &no_memory);
	if (no_memory)
		return -ENOMEM;
	number = section ? find_key(section->kind, key, why) : -1;
	if (number < 0) {
		scn_error_at(e, s, place, "%s", why);
		return -EINVAL;
	}
	free(section->values[number].text);
	section->values[number].text = strdup(value);
	section->values[number].where = place.where;
	return section->values[number].text ? 0 : -ENOMEM;
}

int doc_apply_sets(struct doc *doc, const struct scenario *s, struct scn_errors *e)
{
	for (size_t i = 0; i < s->n_sets; i++) {
		int err = apply_set(doc, s, (int)i, e);

		if (err == -ENOMEM)
			return err;
	}
	return 0;
}
