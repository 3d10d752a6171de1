/* SPDX-License-Identifier: Apache-2.0 */
/* INI text to sections and keys: encoding, lines, comments, unknown and repeated names. inih splits KEY = VALUE; this file
 * reads the lines for it, because inih (as distributions build it) neither reports line numbers to its handler nor headers
 * of empty sections, keeps only the first bad line, cuts long lines and section names silently, joins indented lines and
 * knows one kind of inline comment. What the values mean is scenario.c's. */
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/scenario_internal.h"

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

/* RFC 3629: no surrogates, nothing overlong. */
size_t utf8_prefix(const unsigned char *s, size_t n)
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

size_t text_prefix(const char *text, size_t len)
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
