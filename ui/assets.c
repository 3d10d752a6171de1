/* SPDX-License-Identifier: Apache-2.0 */
/* Files inside the binary; see assets.h. The build writes assets.inc, one line per file:
 *     ASSET(page, "app.js", "build/web/dist/app.js")
 * and the assembler copies the bytes, so a large file costs no compile time. assets.inc is included twice, and the line
 * number names the same file both times. The object made from this source depends on every file named there. */
#include "ui/assets.h"

#include <string.h>

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define STRING_(x) #x
#define STRING(x) STRING_(x)

#define ASSET(kind, name, path)                                          \
	__asm__(".pushsection .rodata.assets, \"a\", @progbits\n"        \
		"asset_data_" STRING(__LINE__) ":\n"                     \
		".incbin \"" path "\"\n"                                 \
		"asset_end_" STRING(__LINE__) ": .byte 0\n"              \
		".popsection\n");                                        \
	extern const char PASTE(asset_data_, __LINE__)[];                \
	extern const char PASTE(asset_end_, __LINE__)[];
#include "assets.inc"
#undef ASSET

#define ASSET(kind, name, path) { #kind, name, PASTE(asset_data_, __LINE__), PASTE(asset_end_, __LINE__) },
static const struct asset assets[] = {
#include "assets.inc"
};

const struct asset *asset_next(const char *kind, const struct asset *after)
{
	const struct asset *end = assets + sizeof(assets) / sizeof(*assets);

	for (const struct asset *a = after ? after + 1 : assets; a < end; a++) {
		if (!strcmp(a->kind, kind))
			return a;
	}
	return NULL;
}

const struct asset *asset_find(const char *kind, const char *name)
{
	const struct asset *a = NULL;

	while ((a = asset_next(kind, a)) && strcmp(a->name, name))
		;
	return a;
}
