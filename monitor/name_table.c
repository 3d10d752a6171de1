/* SPDX-License-Identifier: Apache-2.0 */
/* Reading hosts(5), and a sorted list to search; see name_table.h. */
#include "monitor/name_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANK " \t\r\v\f"

static int compare_addr(const void *a, const void *b)
{
	const struct name_entry *x = a, *y = b;

	return memcmp(&x->addr, &y->addr, sizeof(x->addr));
}

/* Entries of one address are neighbours then, the one that came first in front: their names stand in one text, in its order. */
static int compare_entry(const void *a, const void *b)
{
	const struct name_entry *x = a, *y = b;
	int r = compare_addr(a, b);

	return r ? r : (x->name > y->name) - (x->name < y->name);
}

/* Nothing that a terminal, a page or a metric could take for something else. */
static bool is_name(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

	return *s && strlen(s) <= NAME_MAX_LEN && s[strspn(s, allowed)] == '\0';
}

/* One line, cut up in place. What is wrong with it, or NULL; *ret_name NULL: it names nothing. */
static const char *read_line(char *line, struct ip_addr *ret_addr, char **ret_name)
{
	char *save = NULL, *addr, *name;

	line[strcspn(line, "#")] = '\0';
	*ret_name = NULL;
	addr = strtok_r(line, BLANK, &save);
	if (!addr)
		return NULL;
	if (addr_parse(addr, ret_addr))
		return "want an IPv4 or IPv6 address first, then its name";
	name = strtok_r(NULL, BLANK, &save);
	if (!name)
		return "the address has no name";
	for (char *one = name; one; one = strtok_r(NULL, BLANK, &save))
		if (!is_name(one))
			return "a name has letters, digits, '-', '.' and '_', at most 253 of them";
	*ret_name = name;
	return NULL;
}

static void drop_repeated(struct name_table *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++)
		if (!kept || compare_addr(&t->v[kept - 1], &t->v[i]))
			t->v[kept++] = t->v[i];
	t->n = kept;
}

static int add(struct name_table *t, size_t *room, const struct ip_addr *addr, const char *name)
{
	if (t->n == *room) {
		size_t more = *room ? *room * 2 : 64;
		struct name_entry *grown = reallocarray(t->v, more, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		t->v = grown;
		*room = more;
	}
	t->v[t->n++] = (struct name_entry) { *addr, name };
	return 0;
}

int name_table_parse(struct name_table *t, const char *text, size_t len, void (*bad)(void *arg, unsigned line, const char *why),
		     void *arg)
{
	struct name_table new = { .text = malloc(len + 1) };
	char *at = new.text, *end = new.text + len;
	size_t room = 0;
	int r = new.text ? 0 : -ENOMEM;

	if (!r)
		memcpy(new.text, text, len);
	for (unsigned number = 1; !r && at < end; number++) {
		char *stop = memchr(at, '\n', (size_t)(end - at)) ?: end, *name;
		struct ip_addr addr;
		const char *why;

		*stop = '\0';
		/* A NUL would hide what comes after it. */
		why = memchr(at, '\0', (size_t)(stop - at)) ? "there is a NUL in it: this is no text" : read_line(at, &addr, &name);
		if (why)
			bad(arg, number, why);
		else if (name)
			r = add(&new, &room, &addr, name);
		at = stop + 1;
	}
	if (r) {
		name_table_free(&new);
		return r;
	}
	if (new.n)
		qsort(new.v, new.n, sizeof(*new.v), compare_entry);
	drop_repeated(&new);
	*t = new;
	return 0;
}

const struct name_entry *name_table_find(const struct name_table *t, const struct ip_addr *addr)
{
	struct name_entry wanted = { .addr = *addr };

	return t->n ? bsearch(&wanted, t->v, t->n, sizeof(*t->v), compare_addr) : NULL;
}

void name_table_free(struct name_table *t)
{
	free(t->v);
	free(t->text);
	*t = (struct name_table) { 0 };
}
