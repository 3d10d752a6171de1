/* SPDX-License-Identifier: Apache-2.0 */
/* What changes a running lab on purpose: the [link] sections from the start, the scenario's events at their times, and live
 * changes; and the log of it all. Main thread only. */
#ifndef TUNLAB_EVENTS_H
#define TUNLAB_EVENTS_H

#include "base/error.h"
#include "lab/scenario/link.h"
#include "monitor/marks.h"

struct events;
struct links;
struct run;

/* Impairs the links that the scenario has impaired from the start. The lab and its engine must be up. On failure -errno, and
 * *err names section and line. */
int events_open(struct run *run, struct events **ret, struct error *err);
void events_close(struct events *e); /* NULL is fine */
/* Before the clock has a zero: the engine hears of the first events, so that none of them takes time off the start. */
void events_prepare(struct events *e);
/* The traffic clock has a zero: from then on events happen. One that cannot be done ends the run with EXIT_MACHINE. */
void events_begin(struct events *e);

/* A live change of a host's link, which must exist; into the log as well. Errors as of links_set. */
int events_change_link(struct events *e, uint32_t host, const struct link_change *change, struct error *err);
/* Another live change, done by the caller: into the log. */
void events_note(struct events *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The links themselves, for who reads them; the events'. */
const struct links *events_links_of(const struct events *e);
/* By host. */
const struct link_state *events_links(const struct events *e);
const struct mark_log *events_log(const struct events *e);

#endif
