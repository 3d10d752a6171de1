/* SPDX-License-Identifier: Apache-2.0 */
/* The judge of a run: holds the scenario's checks against its samples, remembers verdicts of checks with a time, and writes
 * the reports asked for. What a check means is check.h's. */
#ifndef TUNLAB_JUDGE_H
#define TUNLAB_JUDGE_H

#include "lab/command.h"
#include "lab/error.h"
#include "monitor/sample.h"

struct judge;

/* Opens the report files (texts "FORMAT[:FILE]"; none: TAP on standard output), so that a wrong name fails before anything
 * is built and privileges can be dropped. -EINVAL: no such format, with those there are. */
int judge_open(const struct scenario *scn, const struct plan *plan, const struct text_list *reports, struct judge **ret,
	       struct error *err);
/* A sample was taken: judges checks whose time (`at`, `within`) has come. */
void judge_sampled(struct judge *j, const struct sample *s);
/* After traffic has drained: judges the rest, writes the reports; exit status. */
int judge_conclude(struct judge *j, const struct sample *last);
void judge_free(struct judge *j); /* NULL is fine */

#endif
