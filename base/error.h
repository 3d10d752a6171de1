/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, as one sentence for the user: what was tried, on which object, with which value, why it failed.
 * Modules fill it and return -errno; the edge (a command) prints it once. */
#ifndef TUNLAB_BASE_ERROR_H
#define TUNLAB_BASE_ERROR_H

#include <stdarg.h>
#include <stdio.h>

struct error {
	char text[1024];
};

static inline __attribute__((format(printf, 2, 3))) void error_set(struct error *e, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(e->text, sizeof(e->text), format, ap); /* a cut sentence is better than none */
	va_end(ap);
}

#endif
