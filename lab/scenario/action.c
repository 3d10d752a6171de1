/* SPDX-License-Identifier: Apache-2.0 */
/* What an event does, from text: "link host3 rate 1mbit loss 2%", "traffic web stop". Whether the host and the section exist
 * is the plan's to know. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lab/scenario/scenario_internal.h"

static const char forms[] = "link hostN CHANGE, such as link host3 down, or traffic NAME stop, start or rate R";

/* The word at *p into buf, cut if it is too long; *p moves behind it and the space after. */
static void take_word(const char **p, char *buf, size_t len)
{
	size_t n = strcspn(*p, " \t");

	(void)snprintf(buf, len, "%.*s", (int)(n < len ? n : len - 1), *p);
	*p = skip_space(*p + n);
}

static int refuse(char *why, size_t why_len, const char *sentence)
{
	(void)snprintf(why, why_len, "%s", sentence);
	return -EINVAL;
}

static int parse_link_action(const char *rest, struct action *a, char *why, size_t why_len)
{
	char host[SCN_NAME_LEN];
	const char *sentence;

	a->kind = ACTION_LINK;
	take_word(&rest, host, sizeof(host));
	if (parse_link_host(host, &a->host, &sentence))
		return refuse(why, why_len, sentence);
	return parse_link_text(rest, &a->link, why, why_len);
}

/* The last of the words that say what is done, "web stop": a section's name may have spaces, and such words in it. NULL when
 * there is none behind a name. */
static const char *find_verb(const char *text, enum action_kind *ret)
{
	static const struct {
		const char *word;
		enum action_kind kind;
	} verbs[] = { { "stop", ACTION_STOP }, { "start", ACTION_START }, { "rate", ACTION_RATE } };
	const char *found = NULL;
	char word[16];

	for (const char *p = text, *at = p; *p; at = p) {
		take_word(&p, word, sizeof(word));
		for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs) && at > text; i++)
			if (strcmp(word, verbs[i].word) == 0) {
				found = at;
				*ret = verbs[i].kind;
			}
	}
	return found;
}

/* "web", or "\"web\"" as in a check's selectors. */
static bool take_name(const char *from, const char *to, char *name)
{
	while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
		to--;
	if (to - from > 1 && *from == '"' && to[-1] == '"') {
		from++;
		to--;
	}
	if (to <= from || (size_t)(to - from) >= SCN_NAME_LEN)
		return false;
	(void)snprintf(name, SCN_NAME_LEN, "%.*s", (int)(to - from), from);
	return true;
}

static int parse_traffic_action(const char *rest, struct action *a, char *why, size_t why_len)
{
	const char *verb = find_verb(rest, &a->kind), *value = verb, *sentence;
	char word[16];

	if (!verb || !take_name(rest, verb, a->traffic))
		return refuse(why, why_len, "want traffic NAME stop, traffic NAME start or traffic NAME rate R, such as rate 1kpps");
	take_word(&value, word, sizeof(word));
	if (a->kind != ACTION_RATE && *value) {
		(void)snprintf(why, why_len, "\"%.40s\" stands behind %s", value, word);
		return -EINVAL;
	}
	if (a->kind == ACTION_RATE && parse_rate(value, &a->rate, &sentence))
		return refuse(why, why_len, sentence);
	return 0;
}

int parse_action(const char *text, struct action *ret, char *ret_why, size_t why_len)
{
	static const char *const kinds[] = { "link", "traffic", NULL };
	struct action a = { 0 };
	const char *rest = text, *near;
	char kind[16];
	int err = -EINVAL;

	if (strlen(text) >= SCN_CHECK_LEN) {
		(void)snprintf(ret_why, why_len, "is %zu bytes long, at most %d are possible", strlen(text), SCN_CHECK_LEN - 1);
		return -EINVAL;
	}
	take_word(&rest, kind, sizeof(kind));
	if (strcmp(kind, "link") == 0) {
		err = parse_link_action(rest, &a, ret_why, why_len);
	} else if (strcmp(kind, "traffic") == 0) {
		err = parse_traffic_action(rest, &a, ret_why, why_len);
	} else {
		near = nearest_word(kind, kinds);
		(void)snprintf(ret_why, why_len, "nothing is done by \"%s\"%s%s%s; want %s", kind, near ? "; did you mean " : "",
			       near ? near : "", near ? "?" : "", forms);
	}
	if (!err)
		*ret = a;
	return err;
}
