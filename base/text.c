/* SPDX-License-Identifier: Apache-2.0 */
/* A growing string; see text.h. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for more bytes and a NUL. */
static bool reserve(struct text *t, size_t more)
{
	size_t room = t->room ? t->room : 256;
	char *buf;

	if (t->failed)
		return false;
	if (t->room - t->len > more) /* room 0 holds nothing, not even the NUL */
		return true;
	while (room - t->len <= more)
		room *= 2;
	buf = realloc(t->buf, room);
	if (!buf) {
		t->failed = true;
		return false;
	}
	t->buf = buf;
	t->room = room;
	return true;
}

void text_add(struct text *t, const char *bytes, size_t len)
{
	if (!reserve(t, len))
		return;
	if (len) /* bytes may be NULL then */
		memcpy(t->buf + t->len, bytes, len);
	t->len += len;
	t->buf[t->len] = '\0';
}

void text_puts(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_char(struct text *t, char c, size_t times)
{
	if (!reserve(t, times))
		return;
	memset(t->buf + t->len, c, times);
	t->len += times;
	t->buf[t->len] = '\0';
}

void text_u64(struct text *t, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	text_add(t, digits + at, sizeof(digits) - at);
}

void text_printf(struct text *t, const char *format, ...)
{
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (len < 0 || !reserve(t, (size_t)len))
		return;
	va_start(ap, format);
	(void)vsnprintf(t->buf + t->len, (size_t)len + 1, format, ap); /* the same as before, and it fits */
	va_end(ap);
	t->len += (size_t)len;
}

char *text_take(struct text *t)
{
	char *s;

	text_add(t, "", 0);
	s = t->failed ? NULL : t->buf;
	if (t->failed)
		free(t->buf);
	*t = (struct text) { 0 };
	return s;
}

void text_free(struct text *t)
{
	free(t->buf);
	*t = (struct text) { 0 };
}

const char *text_scaled(double v, const char *unit, char buf[TEXT_SCALED_SIZE])
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P", "E" };
	size_t p = 0;

	while (v >= 999.5 && p + 1 < sizeof(prefixes) / sizeof(*prefixes)) {
		v /= 1000;
		p++;
	}
	(void)snprintf(buf, TEXT_SCALED_SIZE, "%.*f %s%s", p == 0 || v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2, v, prefixes[p], unit);
	return buf;
}
