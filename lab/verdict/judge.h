/* SPDX-License-Identifier: Apache-2.0 */
/* The judge of a run: when each of the scenario's checks is held against a sample, and where the reports go. What a check
 * means is check.h's, how a verdict is printed report.h's. */
#ifndef TUNLAB_VERDICT_JUDGE_H
#define TUNLAB_VERDICT_JUDGE_H

#include "base/error.h"
#include "lab/cmd/command.h"
#include "lab/machine.h"
#include "lab/verdict/check.h"
#include "monitor/sample.h"

struct judge;

/* Opens the report files (texts "FORMAT[:FILE]"; none: TAP on standard output), so that a wrong name fails before anything
 * is built and privileges can be given up. -EINVAL: no such format, with those there are; or the file's errno. */
int judge_open(const struct plan *plan, const struct text_list *reports, struct judge **ret, struct error *err);
void judge_free(struct judge *j); /* NULL is fine */

/* How to look at the way that a failed check's packets take; until then, and without, nothing is walked. */
void judge_set_walk(struct judge *j, checks_walk_fn walk, void *arg);

/* A sample was taken: judges the checks whose time (`at`, `within`) has come. */
void judge_sampled(struct judge *j, const struct sample *s);
/* Traffic has ended and drained: from now on the checks without `at` are judged too, first by this sample. */
void judge_drained(struct judge *j, const struct sample *s);
/* Does no check wait for a later sample any more? */
bool judge_settled(const struct judge *j);
/* Writes the reports; `last` and load tell whether the run is valid at all. `run` goes into the reports; NULL is fine. Exit status. */
struct report_run;
int judge_conclude(struct judge *j, const struct sample *last, const struct machine_load *load, const struct report_run *run);
/* Writes the reports of a run that ended before its time, and so cannot be judged. */
void judge_cut_off(struct judge *j, const struct sample *last, const struct report_run *run);

#endif
