/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as it is written; see emit.h. */
#include "monitor/emit.h"

#include <math.h>
#include <string.h>

/* Length of the UTF-8 sequence at s (RFC 3629: shortest form, no surrogates), 0 if there is none. */
static size_t utf8_len(const unsigned char *s)
{
	static const struct { unsigned char first, last, second_min, second_max; size_t len; } forms[] = {
		{ 0x01, 0x7f, 0, 0, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (*s < forms[i].first || *s > forms[i].last)
			continue;
		for (size_t k = 1; k < forms[i].len; k++) { /* a NUL ends the walk: it is in no range */
			unsigned char min = k == 1 ? forms[i].second_min : 0x80;
			unsigned char max = k == 1 ? forms[i].second_max : 0xbf;

			if (s[k] < min || s[k] > max)
				return 0;
		}
		return forms[i].len;
	}
	return 0;
}

static void quote(struct text *t, const char *s)
{
	text_add(t, "\"", 1);
	while (*s) {
		size_t len = utf8_len((const unsigned char *)s);

		if (!len) {
			text_puts(t, "\xef\xbf\xbd");
			s++;
			continue;
		}
		if (*s == '"' || *s == '\\')
			text_printf(t, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			text_printf(t, "\\u%04x", *s);
		else
			text_add(t, s, len);
		s += len;
	}
	text_add(t, "\"", 1);
}

static void begin(struct emit *e, const char *key)
{
	if (e->comma)
		text_add(&e->text, ",", 1);
	e->comma = true;
	if (key) {
		quote(&e->text, key);
		text_add(&e->text, ":", 1);
	}
}

static void enter(struct emit *e, const char *key, const char *bracket)
{
	begin(e, key);
	text_add(&e->text, bracket, 1);
	e->comma = false;
}

static void leave(struct emit *e, const char *bracket)
{
	text_add(&e->text, bracket, 1);
	e->comma = true;
}

void emit_object(struct emit *e, const char *key)
{
	enter(e, key, "{");
}

void emit_object_end(struct emit *e)
{
	leave(e, "}");
}

void emit_array(struct emit *e, const char *key)
{
	enter(e, key, "[");
}

void emit_array_end(struct emit *e)
{
	leave(e, "]");
}

void emit_raw(struct emit *e, const char *key, const char *json)
{
	begin(e, key);
	text_puts(&e->text, json);
}

void emit_null(struct emit *e, const char *key)
{
	emit_raw(e, key, "null");
}

void emit_bool(struct emit *e, const char *key, bool v)
{
	emit_raw(e, key, v ? "true" : "false");
}

void emit_string(struct emit *e, const char *key, const char *s)
{
	if (!s) {
		emit_null(e, key);
		return;
	}
	begin(e, key);
	quote(&e->text, s);
}

void emit_u64(struct emit *e, const char *key, uint64_t v)
{
	begin(e, key);
	text_u64(&e->text, v);
}

void emit_fixed(struct emit *e, const char *key, double v, unsigned decimals)
{
	if (!isfinite(v)) {
		emit_null(e, key);
		return;
	}
	begin(e, key);
	text_printf(&e->text, "%.*f", (int)decimals, v);
}

char *emit_take(struct emit *e)
{
	e->comma = false;
	return text_take(&e->text);
}
