/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents over a growing string; see emit.h. */
#include "base/emit.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* RFC 8259, section 7; bytes from 0x80 on are the caller's UTF-8. */
static void quote(struct text *t, const char *s)
{
	text_char(t, '"', 1);
	for (;;) {
		size_t plain = 0;

		while ((unsigned char)s[plain] >= ' ' && s[plain] != '"' && s[plain] != '\\')
			plain++;
		text_add(t, s, plain);
		s += plain;
		if (!*s)
			break;
		if (*s == '"' || *s == '\\')
			text_add(t, (const char[]) { '\\', *s }, 2);
		else if (*s == '\n')
			text_add(t, "\\n", 2);
		else
			text_printf(t, "\\u%04x", (unsigned)*s);
		s++;
	}
	text_char(t, '"', 1);
}

/* What stands before a value: false, if nothing may stand here. */
static bool begin(struct emit *e, const char *key)
{
	e->failed |= !e->depth;
	if (e->failed)
		return false;
	if (e->follows)
		text_char(&e->text, ',', 1);
	e->follows = true;
	if (key) {
		quote(&e->text, key);
		text_char(&e->text, ':', 1);
	}
	return true;
}

static void enter(struct emit *e, const char *key, char open, char close)
{
	if (e->depth == EMIT_DEPTH_MAX || (e->depth && !begin(e, key))) {
		e->failed = true;
		return;
	}
	text_char(&e->text, open, 1);
	e->close[e->depth++] = close;
	e->follows = false;
}

static void close_innermost(struct emit *e)
{
	text_char(&e->text, e->close[--e->depth], 1);
	e->follows = true;
}

/* The outermost stays open until emit_take. */
static void leave(struct emit *e)
{
	if (!e->failed && e->depth > 1)
		close_innermost(e);
}

void emit_object(struct emit *e, const char *key)
{
	enter(e, key, '{', '}');
}

void emit_object_end(struct emit *e)
{
	leave(e);
}

void emit_array(struct emit *e, const char *key)
{
	enter(e, key, '[', ']');
}

void emit_array_end(struct emit *e)
{
	leave(e);
}

void emit_null(struct emit *e, const char *key)
{
	if (begin(e, key))
		text_puts(&e->text, "null");
}

void emit_bool(struct emit *e, const char *key, bool v)
{
	if (begin(e, key))
		text_puts(&e->text, v ? "true" : "false");
}

void emit_string(struct emit *e, const char *key, const char *s)
{
	if (!s)
		emit_null(e, key);
	else if (begin(e, key))
		quote(&e->text, s);
}

void emit_u64(struct emit *e, const char *key, uint64_t v)
{
	if (begin(e, key))
		text_u64(&e->text, v);
}

void emit_fixed(struct emit *e, const char *key, double v, unsigned decimals)
{
	if (!isfinite(v))
		emit_null(e, key);
	else if (begin(e, key))
		text_printf(&e->text, "%.*f", (int)decimals, v);
}

void emit_number(struct emit *e, const char *key, double v)
{
	if (!isfinite(v))
		emit_null(e, key);
	else if (begin(e, key))
		text_printf(&e->text, "%.12g", v);
}

void emit_drop(struct emit *e)
{
	text_free(&e->text);
	*e = (struct emit){ 0 };
}

char *emit_take(struct emit *e)
{
	char *text = NULL;

	e->failed |= !e->depth;
	while (e->depth)
		close_innermost(e);
	if (!e->failed)
		text = text_take(&e->text);
	emit_drop(e);
	return text;
}
