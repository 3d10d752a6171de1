/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that run beside a benchmark: this one, and those it is compared with. They end with it, whatever ends it. */
#ifndef TUNLAB_BENCH_CHILD_H
#define TUNLAB_BENCH_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct child {
	pid_t pid; /* 0: none */
	int out;   /* what it says */
};

struct child_start {
	const char *const *argv; /* NULL-terminated; found by PATH */
	const char *input;       /* its standard input; NULL: none */
	int netns;               /* a namespace to run in; -1: this one */
	bool errors;             /* `out` is its standard error, else its output; the other goes nowhere */
};

int child_start(const struct child_start *start, struct child *ret, struct error *err);
/* Waits until it says a line with `word` in it. -EPIPE: it ended without. */
int child_await(struct child *c, const char *word);
/* All it says until it ends, and its exit status (128 + signal). The text is the caller's, "" at least; NULL: no memory. */
char *child_finish(struct child *c, int *ret_status);
/* Ends it with a signal, and waits. Twice is fine. */
void child_end(struct child *c, int signal);

bool child_exists(const char *program); /* in PATH */

#endif
