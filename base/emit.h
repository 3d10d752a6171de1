/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents in the order they read: a thin layer over cJSON that remembers where it is and that memory ran out, and
 * writes counters as plain integers whatever their size (cJSON's numbers are doubles). */
#ifndef TUNLAB_BASE_EMIT_H
#define TUNLAB_BASE_EMIT_H

#include <stdbool.h>
#include <stdint.h>

enum { EMIT_DEPTH_MAX = 16 };

/* Zero-initialise. Members of an object have a key, which must outlive the document; items of an array, and the outermost
 * value, have key NULL. */
struct emit {
	struct cJSON *open[EMIT_DEPTH_MAX]; /* objects and arrays not ended; open[0], the outermost, stays */
	unsigned depth;
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
