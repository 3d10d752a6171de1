/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as it is written: keys in the order of the calls, counters as plain integers whatever their size, memory in
 * proportion to the text. cJSON writes numbers as doubles and needs some 2 kB of tree per flow: it reads, this
 * writes. */
#ifndef TUNLAB_MONITOR_EMIT_H
#define TUNLAB_MONITOR_EMIT_H

#include "monitor/text.h"

/* Zero-initialise. Members of an object have a key; items of an array, and the outermost value, have key NULL. */
struct emit {
	struct text text;
	bool comma; /* the next value follows another */
};

void emit_object(struct emit *e, const char *key);
void emit_object_end(struct emit *e);
void emit_array(struct emit *e, const char *key);
void emit_array_end(struct emit *e);

/* NULL: null. Bytes that are no UTF-8 become U+FFFD. */
void emit_string(struct emit *e, const char *key, const char *s);
void emit_u64(struct emit *e, const char *key, uint64_t v);
void emit_fixed(struct emit *e, const char *key, double v, unsigned decimals); /* null if not finite */
void emit_bool(struct emit *e, const char *key, bool v);
void emit_null(struct emit *e, const char *key);
void emit_raw(struct emit *e, const char *key, const char *json); /* a value that is JSON already */

/* The document, owned by the caller, or NULL when memory ran out. */
char *emit_take(struct emit *e);

#endif
