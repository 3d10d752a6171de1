/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents in the order they read, written as they are told: no tree is built, for the page's feed has thousands of figures
 * each second. Remembers where it is and that memory ran out; counters are plain integers whatever their size. */
#ifndef TUNLAB_BASE_EMIT_H
#define TUNLAB_BASE_EMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum { EMIT_DEPTH_MAX = 16 };

/* Zero-initialise. Members of an object have a key; items of an array, and the outermost value, which is one of the two, have
 * key NULL. */
struct emit {
	struct text text;
	char close[EMIT_DEPTH_MAX]; /* what ends the objects and arrays not ended; the outermost is ended by emit_take() */
	unsigned depth;
	bool follows;               /* something stands before, in the innermost of them */
	bool failed;
};

void emit_object(struct emit *e, const char *key);
void emit_object_end(struct emit *e);
void emit_array(struct emit *e, const char *key);
void emit_array_end(struct emit *e);

void emit_string(struct emit *e, const char *key, const char *s); /* NULL: null */
void emit_u64(struct emit *e, const char *key, uint64_t v);
void emit_fixed(struct emit *e, const char *key, double v, unsigned decimals); /* null if not finite */
void emit_number(struct emit *e, const char *key, double v); /* 12 digits; null if not finite */
void emit_bool(struct emit *e, const char *key, bool v);
void emit_null(struct emit *e, const char *key);

/* The document in one line, owned by the caller, or NULL when memory ran out. e is as zero-initialised again. */
char *emit_take(struct emit *e);
/* Drops a document half-way. */
void emit_drop(struct emit *e);

#endif
