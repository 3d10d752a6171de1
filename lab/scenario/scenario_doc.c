/* SPDX-License-Identifier: Apache-2.0 */
/* Which sections and keys a scenario can have, what a section's header says, and the list of those that were read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/scenario_internal.h"

const struct section_schema section_schemas[SECTION_KIND_MAX] = {
	[SECTION_LAB] = { "lab", NULL, {
		[LAB_NAME] = "name", [LAB_HOSTS] = "hosts", [LAB_VNIS] = "vnis",
		[LAB_ENCAP] = "encap", [LAB_FLOOD] = "flood", [LAB_UNDERLAY] = "underlay",
		[LAB_FIRST] = "first", [LAB_PORT] = "port", [LAB_MTU] = "mtu",
		[LAB_WIRING] = "wiring", [LAB_DURATION] = "duration", [LAB_SEED] = "seed",
		[LAB_FLOWS] = "flows" } },
	[SECTION_VNI] = { "vni", "N", {
		[VNI_SUBNET] = "subnet", [VNI_HOSTS] = "hosts", [VNI_ENCAP] = "encap",
		[VNI_FLOOD] = "flood", [VNI_GROUP] = "group",
		[VNI_CLIENT_MTU] = "client_mtu", [VNI_WRONG] = "wrong" } },
	[SECTION_LINK] = { "link", "hostN", {
		[UPLINK_RATE] = "rate", [UPLINK_DELAY] = "delay", [UPLINK_LOSS] = "loss" } },
	[SECTION_TRAFFIC] = { "traffic", "NAME", {
		[TRAFFIC_FROM] = "from", [TRAFFIC_TO] = "to", [TRAFFIC_PROTO] = "proto",
		[TRAFFIC_RATE] = "rate", [TRAFFIC_SIZE] = "size", [TRAFFIC_START] = "start",
		[TRAFFIC_STOP] = "stop", [TRAFFIC_PATTERN] = "pattern", [TRAFFIC_SECRET] = "secret" } },
	[SECTION_EVENT] = { "event", "NAME", { [EVENT_AT] = "at", [EVENT_DO] = "do" } },
	[SECTION_ASSERT] = { "assert", "NAME", {
		[ASSERT_CHECK] = "check", [ASSERT_AT] = "at", [ASSERT_WITHIN] = "within" } },
};
static const char sections_exist[] =
	"sections are [lab], [vni N], [link hostN], [traffic NAME], [event NAME] and [assert NAME]";

void doc_free(struct doc *doc)
{
	for (size_t i = 0; i < doc->n; i++)
		for (size_t k = 0; k < SECTION_KEYS_MAX; k++)
			free(doc->sections[i].values[k].text);
	free(doc->sections);
	*doc = (struct doc){ 0 };
}

/* What is wrong with the part behind the section's word; true when nothing is. */
static bool header_argument(struct header *h, const char *argument, char *why)
{
	const struct section_schema *schema = &section_schemas[h->kind];
	uint64_t number = 0;

	if (!schema->argument && *argument) {
		(void)snprintf(why, WHY_LEN, "[%s] takes no name", schema->word);
		return false;
	}
	if (schema->argument && !*argument) {
		(void)snprintf(why, WHY_LEN, "[%s] needs to say which: [%s %s]", schema->word,
			       schema->word, schema->argument);
		return false;
	}
	if (strlen(argument) >= SCN_NAME_LEN) {
		(void)snprintf(why, WHY_LEN, "the name has %zu bytes, at most %d are possible",
			       strlen(argument), SCN_NAME_LEN - 1);
		return false;
	}
	if (strpbrk(argument, "[]\"")) {
		(void)snprintf(why, WHY_LEN, "a name cannot hold [, ] or \"");
		return false;
	}
	if (h->kind == SECTION_VNI && (!scan_u64(argument, SCN_VNI_MAX, &number) || number == 0)) {
		(void)snprintf(why, WHY_LEN, "[vni %s]: want [vni N] with N from 1 to %d", argument,
			       SCN_VNI_MAX);
		return false;
	}
	if (h->kind == SECTION_LINK &&
	    (strncmp(argument, "host", 4) != 0 || !scan_u64(argument + 4, UINT32_MAX, &number))) {
		(void)snprintf(why, WHY_LEN, "[link %s]: want [link hostN], such as [link host3]", argument);
		return false;
	}
	h->number = (uint32_t)number;
	if (h->kind == SECTION_VNI || h->kind == SECTION_LINK)
		(void)snprintf(h->name, sizeof(h->name), "%s%u", h->kind == SECTION_LINK ? "host" : "", h->number);
	else
		(void)snprintf(h->name, sizeof(h->name), "%s", argument);
	(void)snprintf(h->title, sizeof(h->title), "%s%s%s", schema->word, *argument ? " " : "",
		       h->name);
	return true;
}

bool header_parse(const char *text, struct header *ret, char *why)
{
	const char *words[SECTION_KIND_MAX + 1] = { NULL };
	char word[32];
	size_t len = strcspn(text, " \t");
	const char *near;

	(void)snprintf(word, sizeof(word), "%.*s", (int)(len < 31 ? len : 31), text);
	for (int k = 0; k < SECTION_KIND_MAX; k++) {
		words[k] = section_schemas[k].word;
		if (strcmp(word, words[k]) != 0)
			continue;
		*ret = (struct header){ .kind = (enum section_kind)k };
		return header_argument(ret, skip_space(text + len), why);
	}
	near = nearest_word(word, words);
	if (near)
		(void)snprintf(why, WHY_LEN,
			       "no section is called [%.80s]; did you mean [%s%.80s]? %s", text,
			       near, text + len, sections_exist);
	else
		(void)snprintf(why, WHY_LEN, "no section is called [%.80s]; %s", text,
			       sections_exist);
	return false;
}

struct doc_section *doc_find(struct doc *doc, enum section_kind kind, const char *name)
{
	for (size_t i = 0; i < doc->n; i++)
		if (doc->sections[i].kind == kind && strcmp(doc->sections[i].name, name) == 0)
			return &doc->sections[i];
	return NULL;
}

struct doc_section *doc_add(struct doc *doc, const struct header *h, int line)
{
	struct doc_section *section;

	if ((doc->n & (doc->n - 1)) == 0) { /* grows at powers of two */
		void *v =
			realloc(doc->sections, (doc->n ? doc->n * 2 : 1) * sizeof(*doc->sections));

		if (!v)
			return NULL;
		doc->sections = v;
	}
	section = &doc->sections[doc->n++];
	*section = (struct doc_section){ .kind = h->kind, .number = h->number, .line = line };
	(void)snprintf(section->name, sizeof(section->name), "%s", h->name);
	(void)snprintf(section->title, sizeof(section->title), "%s", h->title);
	return section;
}

size_t doc_count(const struct doc *doc, enum section_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < doc->n; i++)
		n += doc->sections[i].kind == kind;
	return n;
}

int find_key(enum section_kind kind, const char *key, char *why)
{
	const struct section_schema *schema = &section_schemas[kind];
	char list[200];
	const char *near;

	for (int i = 0; schema->keys[i]; i++)
		if (strcmp(schema->keys[i], key) == 0)
			return i;
	near = nearest_word(key, schema->keys);
	(void)snprintf(why, WHY_LEN, "no key is called %.60s%s%s%s; [%s] knows %s", key,
		       near ? "; did you mean " : "", near ? near : "", near ? "?" : "",
		       schema->word, join_words(schema->keys, list, sizeof(list)));
	return -1;
}
