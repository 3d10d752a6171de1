/* SPDX-License-Identifier: Apache-2.0 */
/* Files inside the binary: the page, the report's template and the shipped scenarios. Which ones is decided by the build (assets.inc); what
 * they mean, by whoever asks for them. */
#ifndef TUNLAB_UI_ASSETS_H
#define TUNLAB_UI_ASSETS_H

#include <stddef.h>

struct asset {
	const char *kind; /* "page", "report", "scenario" */
	const char *name; /* file name without folder: "app.js", "default.ini" */
	const char *data; /* the bytes up to end, and a NUL there */
	const char *end;
};

static inline size_t asset_size(const struct asset *a)
{
	return (size_t)(a->end - a->data);
}

/* NULL: no such file. */
const struct asset *asset_find(const char *kind, const char *name);
/* The files of a kind, one after the other, in the build's order (by name): pass NULL for the first. NULL: no more. */
const struct asset *asset_next(const char *kind, const struct asset *after);

#endif
