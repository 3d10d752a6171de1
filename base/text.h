/* SPDX-License-Identifier: Apache-2.0 */
/* A growing string, for tables, metrics and reports. Running out of memory is remembered, not reported at each step:
 * text_take() tells once, at the end. */
#ifndef TUNLAB_BASE_TEXT_H
#define TUNLAB_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *buf;     /* [len], and a NUL after it once anything was added */
	size_t len, room;
	bool failed;   /* no memory: everything added from then on is ignored */
};

void text_add(struct text *t, const char *bytes, size_t len);
void text_puts(struct text *t, const char *s);
void text_char(struct text *t, char c, size_t times);
void text_u64(struct text *t, uint64_t v); /* decimal; views write hundreds of thousands, printf is ten times slower */
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

enum { TEXT_SCALED_SIZE = 32 };
/* "4.08 Mbit/s", "7.14 MB": three digits and a decimal prefix. Returns buf. */
const char *text_scaled(double v, const char *unit, char buf[TEXT_SCALED_SIZE]);

/* The string, owned by the caller ("" if nothing was added), or NULL when memory ran out. t is empty again. */
char *text_take(struct text *t);
void text_free(struct text *t);

#endif
