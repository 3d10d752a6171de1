/* SPDX-License-Identifier: Apache-2.0 */
/* Plans from text, for tests. */
#ifndef TUNLAB_TESTS_PLAN_LOAD_H
#define TUNLAB_TESTS_PLAN_LOAD_H

#include "lab/scenario/plan.h"
#include "tests/unit/t.h"

struct loaded {
	struct scenario *s;
	struct plan *p;
};

/* NULL plan with the first mistake in why. */
static inline struct loaded load(const char *text, char *why)
{
	struct scn_source source = { .file = "x.ini", .text = text, .len = strlen(text) };
	struct loaded l = { 0 };
	struct scn_errors errors;
	int err = plan_load(&source, &l.s, &l.p, &errors);

	(void)snprintf(why, 1024, "%s",
		       errors.n ? errors.text[0]
		       : err    ? "failed without a message"
				: "");
	scn_errors_free(&errors);
	return l;
}

static inline void drop(struct loaded l)
{
	plan_free(l.p);
	scenario_free(l.s);
}

/* A plan that must exist. */
static inline struct loaded good(const char *text)
{
	char why[1024];
	struct loaded l = load(text, why);

	eq_str(why, "");
	return l;
}

static inline const char *mistake(const char *text, char *why)
{
	drop(load(text, why));
	return why;
}

#endif
