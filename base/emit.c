/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents over cJSON; see emit.h. */
#include "base/emit.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Takes over node. */
static void add(struct emit *e, const char *key, cJSON *node)
{
	cJSON *parent = e->depth ? e->open[e->depth - 1] : NULL;
	bool added = node && parent &&
		     (key ? cJSON_AddItemToObjectCS(parent, key, node) : cJSON_AddItemToArray(parent, node));

	if (added)
		return;
	e->failed = true;
	cJSON_Delete(node);
}

static void enter(struct emit *e, const char *key, cJSON *node)
{
	if (e->failed || !node || e->depth == EMIT_DEPTH_MAX) {
		e->failed = true;
		cJSON_Delete(node);
		return;
	}
	if (e->depth)
		add(e, key, node);
	if (!e->failed)
		e->open[e->depth++] = node;
}

/* The outermost stays: it is what emit_take prints. */
static void leave(struct emit *e)
{
	if (!e->failed && e->depth > 1)
		e->depth--;
}

void emit_object(struct emit *e, const char *key)
{
	enter(e, key, cJSON_CreateObject());
}

void emit_object_end(struct emit *e)
{
	leave(e);
}

void emit_array(struct emit *e, const char *key)
{
	enter(e, key, cJSON_CreateArray());
}

void emit_array_end(struct emit *e)
{
	leave(e);
}

void emit_null(struct emit *e, const char *key)
{
	add(e, key, cJSON_CreateNull());
}

void emit_bool(struct emit *e, const char *key, bool v)
{
	add(e, key, cJSON_CreateBool(v));
}

void emit_string(struct emit *e, const char *key, const char *s)
{
	add(e, key, s ? cJSON_CreateString(s) : cJSON_CreateNull());
}

void emit_u64(struct emit *e, const char *key, uint64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, v);
	add(e, key, cJSON_CreateRaw(text));
}

void emit_fixed(struct emit *e, const char *key, double v, unsigned decimals)
{
	char text[352]; /* the largest double has 309 digits */

	if (!isfinite(v)) {
		emit_null(e, key);
		return;
	}
	(void)snprintf(text, sizeof(text), "%.*f", (int)decimals, v);
	add(e, key, cJSON_CreateRaw(text));
}

void emit_number(struct emit *e, const char *key, double v)
{
	char text[32];

	if (!isfinite(v)) {
		emit_null(e, key);
		return;
	}
	(void)snprintf(text, sizeof(text), "%.12g", v);
	add(e, key, cJSON_CreateRaw(text));
}

void emit_drop(struct emit *e)
{
	cJSON_Delete(e->open[0]);
	*e = (struct emit){ 0 };
}

char *emit_take(struct emit *e)
{
	char *text = e->failed || !e->depth ? NULL : cJSON_PrintUnformatted(e->open[0]);

	emit_drop(e);
	return text;
}
