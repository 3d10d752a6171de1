/* SPDX-License-Identifier: Apache-2.0 */
/* INI text to sections and keys: encoding, lines, comments, headers, unknown and repeated names,
 * and --set arguments. inih splits KEY = VALUE; this file reads the lines for it, because inih (as
 * distributions build it) neither reports line numbers to its handler nor headers of empty
 * sections, keeps only the first bad line, cuts long lines and section names silently, joins
 * indented lines and knows one kind of inline comment. What the values mean is scenario.c's. */
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/scenario_internal.h"

const struct section_schema section_schemas[SECTION_KIND_MAX] = {
	[SECTION_LAB] = { "lab", NULL, {
		[LAB_NAME] = "name", [LAB_HOSTS] = "hosts", [LAB_VNIS] = "vnis",
		[LAB_ENCAP] = "encap", [LAB_FLOOD] = "flood", [LAB_UNDERLAY] = "underlay",
		[LAB_FIRST] = "first", [LAB_PORT] = "port", [LAB_MTU] = "mtu",
		[LAB_WIRING] = "wiring", [LAB_DURATION] = "duration", [LAB_SEED] = "seed" } },
	[SECTION_VNI] = { "vni", "N", {
		[VNI_SUBNET] = "subnet", [VNI_HOSTS] = "hosts", [VNI_ENCAP] = "encap",
		[VNI_FLOOD] = "flood", [VNI_GROUP] = "group" } },
	[SECTION_LINK] = { "link", "hostN", { "rate", "delay", "loss" } },
	[SECTION_TRAFFIC] = { "traffic", "NAME", {
		[TRAFFIC_FROM] = "from", [TRAFFIC_TO] = "to", [TRAFFIC_PROTO] = "proto",
		[TRAFFIC_RATE] = "rate", [TRAFFIC_SIZE] = "size", [TRAFFIC_START] = "start",
		[TRAFFIC_STOP] = "stop", [TRAFFIC_PATTERN] = "pattern" } },
	[SECTION_EVENT] = { "event", "NAME", { "at", "do" } },
	[SECTION_ASSERT] = { "assert", "NAME", {
		[ASSERT_CHECK] = "check", [ASSERT_AT] = "at", [ASSERT_WITHIN] = "within" } },
};
static const char sections_exist[] =
	"sections are [lab], [vni N], [link hostN], [traffic NAME], [event NAME] and [assert NAME]";

/* ------------------------------------------------------------------ mistakes */

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
	char prefix[1024];
	size_t n = 0;
	va_list args;

	if (place.where < 0) {
		(void)snprintf(prefix, sizeof(prefix), "--set %s: ", s->sets[-1 - place.where]);
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

/* ------------------------------------------------------------------ sections */

void doc_free(struct doc *doc)
{
	for (size_t i = 0; i < doc->n; i++)
		for (size_t k = 0; k < SECTION_KEYS_MAX; k++)
			free(doc->sections[i].values[k].text);
	free(doc->sections);
	*doc = (struct doc){ 0 };
}

/* "traffic web" taken apart. */
struct header {
	enum section_kind kind;
	char name[SCN_NAME_LEN];
	uint32_t number;
	char title[SCN_NAME_LEN + 16];
};

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
	h->number = (uint32_t)number;
	if (h->kind == SECTION_VNI)
		(void)snprintf(h->name, sizeof(h->name), "%u", h->number);
	else
		(void)snprintf(h->name, sizeof(h->name), "%s", argument);
	(void)snprintf(h->title, sizeof(h->title), "%s%s%s", schema->word, *argument ? " " : "",
		       h->name);
	return true;
}

/* text: what stands between the brackets, trimmed. */
static bool header_parse(const char *text, struct header *ret, char *why)
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

static struct doc_section *doc_find(struct doc *doc, enum section_kind kind, const char *name)
{
	for (size_t i = 0; i < doc->n; i++)
		if (doc->sections[i].kind == kind && strcmp(doc->sections[i].name, name) == 0)
			return &doc->sections[i];
	return NULL;
}

static struct doc_section *doc_add(struct doc *doc, const struct header *h, int line)
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

static size_t doc_count(const struct doc *doc, enum section_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < doc->n; i++)
		n += doc->sections[i].kind == kind;
	return n;
}

/* The number of a key in its section, or -1 with the sentence in why. */
static int find_key(enum section_kind kind, const char *key, char *why)
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

/* ------------------------------------------------------------------ lines */

struct reader {
	const struct scn_source *source;
	const struct scenario *s;
	struct doc *doc;
	struct scn_errors *e;
	size_t pos;
	int line;
	bool in_section; /* a header came; false: keys before the first one */
	bool skip;       /* the header was refused: its keys are not looked at */
	enum section_kind kind;
	enum section_kind meant; /* with skip: what the header was meant to open, if that is known */
	size_t current; /* index into doc->sections, unless skip */
	bool before_reported;
	bool full[SECTION_KIND_MAX];
	bool no_memory;
};

#define LINE_ERROR(r, ...) scn_errors_add((r)->e, (r)->s->file, (r)->line, __VA_ARGS__)

/* Into buf the word that text (of len bytes, perhaps not UTF-8) begins with. */
static void first_word(const char *text, size_t len, char *buf, size_t size)
{
	size_t n = 0;

	while (n < len && n < size - 1 && text[n] && !strchr(" \t=:]", text[n]))
		n++;
	memcpy(buf, text, n);
	buf[n] = '\0';
}

/* Where to note the keys of refused lines and headers; NULL where nobody needs to know. */
static unsigned *wrong_keys(struct reader *r, enum section_kind *ret_kind)
{
	*ret_kind = !r->in_section ? SECTION_LAB : r->skip ? r->meant : r->kind;
	if (r->in_section && !r->skip)
		return &r->doc->sections[r->current].wrong;
	return *ret_kind == SECTION_LAB ? &r->doc->lab_wrong
	       : *ret_kind == SECTION_VNI ? &r->doc->vnis_wrong
					  : NULL;
}

/* The key that a refused line gives is without its value. */
static void mark_key(struct reader *r, const char *line, size_t len)
{
	char word[SCN_NAME_LEN], why[WHY_LEN];
	enum section_kind kind;
	unsigned *wrong = wrong_keys(r, &kind);
	int key;

	if (!wrong)
		return;
	first_word(line, len, word, sizeof(word));
	key = find_key(kind, word, why);
	if (key >= 0)
		*wrong |= 1u << key;
	if (r->in_section && !r->skip)
		r->doc->sections[r->current].broken = true;
}

/* Keeps in mind which section a refused header, given without its bracket, was meant to open. */
static void mark_header(struct reader *r, const char *text, size_t len)
{
	const char *words[SECTION_KIND_MAX + 1] = { NULL }, *near;
	char word[32];

	while (len && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	first_word(text, len, word, sizeof(word));
	for (int k = 0; k < SECTION_KIND_MAX; k++)
		words[k] = section_schemas[k].word;
	near = nearest_word(word, words);
	for (int k = 0; near && k < SECTION_KIND_MAX; k++)
		if (words[k] == near)
			r->meant = (enum section_kind)k;
	r->doc->names_wrong |= r->meant == SECTION_TRAFFIC;
}

/* After a line that could not be read: what it would have said is not known, and a header's keys
 * are not those of the section before. */
static void mark_line(struct reader *r, const char *text, size_t len)
{
	if (len == 0 || text[0] != '[') {
		mark_key(r, text, len);
		return;
	}
	r->in_section = r->skip = true;
	r->kind = r->meant = SECTION_KIND_MAX;
	mark_header(r, text + 1, len - 1);
}

/* Bytes that follow a UTF-8 lead byte; -1: it is none. */
static int utf8_followers(unsigned char lead)
{
	if (lead < 0x80)
		return 0;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if ((lead & 0xf0) == 0xe0)
		return 2;
	return lead >= 0xf0 && lead <= 0xf4 ? 3 : -1;
}

/* Length of the well-formed UTF-8 prefix (RFC 3629: no surrogates, nothing overlong). */
static size_t utf8_prefix(const unsigned char *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		unsigned char c = s[i];
		int more = utf8_followers(c);

		if (more < 0 || i + (size_t)more >= n)
			return i;
		if ((c == 0xe0 && s[i + 1] < 0xa0) || (c == 0xed && s[i + 1] > 0x9f) ||
		    (c == 0xf0 && s[i + 1] < 0x90) || (c == 0xf4 && s[i + 1] > 0x8f))
			return i;
		for (int k = 1; k <= more; k++)
			if ((s[i + (size_t)k] & 0xc0) != 0x80)
				return i;
		i += (size_t)more + 1;
	}
	return i;
}

/* Cuts a comment (; or # at the start or behind white space), then white space at both ends. */
static void trim_line(const char **text, size_t *len)
{
	const char *t = *text;
	size_t n = *len;

	for (size_t i = 0; i < n; i++)
		if ((t[i] == ';' || t[i] == '#') && (i == 0 || t[i - 1] == ' ' || t[i - 1] == '\t'))
			n = i;
	while (n && strchr(" \t\r\f", t[n - 1]))
		n--;
	while (n && (*t == ' ' || *t == '\t')) {
		t++;
		n--;
	}
	*text = t;
	*len = n;
}

static void open_section(struct reader *r, const char *line)
{
	struct header h;
	char text[256], why[WHY_LEN];
	const char *start = skip_space(line + 1), *close = strchr(start, ']');
	struct doc_section *earlier;
	size_t len;

	r->in_section = r->skip = true;
	r->kind = r->meant = SECTION_KIND_MAX;
	if (!close || close[1]) {
		LINE_ERROR(r, "%s: want [SECTION] alone on its line", line);
		mark_header(r, start, strlen(start));
		if (close)
			mark_key(r, skip_space(close + 1), strlen(skip_space(close + 1)));
		return;
	}
	for (len = (size_t)(close - start);
	     len && (start[len - 1] == ' ' || start[len - 1] == '\t'); len--)
		;
	(void)snprintf(text, sizeof(text), "%.*s", (int)(len < 255 ? len : 255), start);
	if (!header_parse(text, &h, why)) {
		LINE_ERROR(r, "%s", why);
		mark_header(r, text, strlen(text));
		return;
	}
	r->kind = h.kind;
	if (r->full[h.kind])
		return;
	earlier = doc_find(r->doc, h.kind, h.name);
	if (earlier) {
		LINE_ERROR(r, "[%s]: stands in line %d already", h.title, earlier->line);
		if (h.kind != SECTION_TRAFFIC) /* that name is known */
			mark_header(r, text, strlen(text));
		return;
	}
	if (doc_count(r->doc, h.kind) >= SCN_SECTIONS_MAX) {
		LINE_ERROR(r, "[%s]: more than %d [%s] sections", h.title, SCN_SECTIONS_MAX,
			   section_schemas[h.kind].word);
		mark_header(r, text, strlen(text));
		r->full[h.kind] = true;
		return;
	}
	if (!doc_add(r->doc, &h, r->line)) {
		r->no_memory = true;
		return;
	}
	r->current = r->doc->n - 1;
	r->skip = false;
}

/* One cleaned line: true when inih may have it, that is, when it has the form KEY = VALUE. */
static bool look_at_line(struct reader *r, const char *line)
{
	const char *equals = strchr(line, '=');

	if (line[0] == '[') {
		open_section(r, line);
		return false;
	}
	if (!equals || equals == line || memchr(line, ':', (size_t)(equals - line))) {
		LINE_ERROR(r, "%.100s: want [SECTION] or KEY = VALUE", line);
		mark_line(r, line, strlen(line));
		return false;
	}
	if (!r->in_section || r->skip)
		mark_line(r, line, strlen(line));
	if (!r->in_section && !r->before_reported)
		LINE_ERROR(r, "%.100s: stands before the first section; [lab] belongs above it",
			   line);
	r->before_reported |= !r->in_section;
	return r->in_section && !r->skip;
}

/* inih's ini_reader: the next line, or a blank one where there is nothing for inih. num counts the
 * NUL. */
static char *read_line(char *out, int num, void *stream)
{
	struct reader *r = stream;
	const char *text = r->source->text + r->pos;
	size_t left = r->source->len - r->pos, len, valid;
	const char *end;

	if (left == 0 || r->no_memory || num < 3)
		return NULL;
	end = memchr(text, '\n', left);
	len = end ? (size_t)(end - text) : left;
	r->pos += end ? len + 1 : len;
	r->line++;
	if (r->line == 1 && len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	(void)strcpy(out, "\n");
	valid = utf8_prefix((const unsigned char *)text, len);
	if (valid < len) {
		LINE_ERROR(r, "byte %zu of the line (0x%02x) is not UTF-8", valid + 1,
			   (unsigned char)text[valid]);
		trim_line(&text, &len);
		mark_line(r, text, len);
		return out;
	}
	trim_line(&text, &len);
	if (len == 0)
		return out;
	if (len > (size_t)num - 3) {
		LINE_ERROR(r, "the line is %zu bytes long, at most %d are possible", len, num - 3);
		mark_line(r, text, len);
		return out;
	}
	memcpy(out, text, len);
	out[len] = '\0';
	if (look_at_line(r, out)) {
		out[len] = '\n';
		out[len + 1] = '\0';
	} else {
		(void)strcpy(out, "\n");
	}
	return out;
}

/* inih's ini_handler, called between two read_line: the line and section are the reader's. */
static int take_key(void *user, const char *inih_section, const char *key, const char *value)
{
	struct reader *r = user;
	struct doc_section *section = &r->doc->sections[r->current];
	struct doc_value *slot;
	char why[WHY_LEN];
	int number = find_key(section->kind, key, why);

	(void)inih_section; /* cut to 49 bytes by inih */
	if (number < 0) {
		LINE_ERROR(r, "[%s] %s", section->title, why);
		section->broken = true;
		return 1;
	}
	slot = &section->values[number];
	if (slot->text) {
		LINE_ERROR(r, "[%s] %s: has a value in line %d already", section->title, key,
			   slot->where);
		section->wrong |= 1u << number;
		return 1;
	}
	if (!*value) {
		LINE_ERROR(r, "[%s] %s: has no value", section->title, key);
		section->wrong |= 1u << number;
		section->broken = true;
		return 1;
	}
	slot->text = strdup(value);
	slot->where = r->line;
	r->no_memory |= !slot->text;
	return 1;
}

/* Length of the prefix without control characters other than a text's. */
static size_t text_prefix(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool crlf = c == '\r' && (i + 1 == len || text[i + 1] == '\n');

		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\f' && !crlf) || c == 0x7f)
			return i;
	}
	return len;
}

/* What shows that this is not a text file at all: told once, instead of a mistake per line. */
static bool is_text(const struct scn_source *source, const char *file, struct scn_errors *e)
{
	size_t bad;
	int line = 1;

	if (source->len > SCN_FILE_MAX) {
		scn_errors_add(e, file, 0, "is larger than %d bytes, the most a scenario can have",
			       SCN_FILE_MAX);
		return false;
	}
	if (source->len >= 2 && (memcmp(source->text, "\xff\xfe", 2) == 0 ||
				 memcmp(source->text, "\xfe\xff", 2) == 0)) {
		scn_errors_add(e, file, 1, "is UTF-16; want UTF-8");
		return false;
	}
	bad = text_prefix(source->text, source->len);
	if (bad == source->len)
		return true;
	for (size_t i = 0; i < bad; i++)
		line += source->text[i] == '\n';
	scn_errors_add(e, file, line, "holds a control character (0x%02x): not a text file",
		       (unsigned char)source->text[bad]);
	return false;
}

int doc_read(const struct scn_source *source, const struct scenario *s, struct doc *doc,
	     struct scn_errors *e)
{
	struct reader r = { .source = source, .s = s, .doc = doc, .e = e };
	int err;

	if (!is_text(source, s->file, e)) {
		doc->no_text = true;
		return 0;
	}
	err = ini_parse_stream(read_line, &r, take_key, &r);
	return r.no_memory || err == -2 ? -ENOMEM : 0;
}

/* ------------------------------------------------------------------ --set */

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

/* The section an argument means. [lab] and [vni N] come into being; others must be in the file. */
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
	if (h.kind == SECTION_LAB || h.kind == SECTION_VNI) {
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
	if (!dot || !cut(text, dot, title, sizeof(title)) ||
	    !cut(dot + 1, equals, key, sizeof(key)) ||
	    !cut(equals + 1, text + len, value, sizeof(value))) {
		scn_error_at(e, s, place, "want SECTION.KEY=VALUE, such as lab.hosts=3");
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
