/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a run can be judged at all: the figures that say how well machine, engine and monitor kept up, each with its bound. A run
 * beyond one of them is neither passed nor failed (exit status 4). Pure. */
#ifndef TUNLAB_VERDICT_VALIDITY_H
#define TUNLAB_VERDICT_VALIDITY_H

#include "lab/machine.h"
#include "monitor/sample.h"

enum validity_kind {
	/* Packets the monitor could not count: its figures are too low, and nobody knows which. Unless the scenario itself has a check
	 * on monitor.lost without `at`: then it has taken the question upon itself. What was lost is counted exactly, so that this
	 * check passes and fails honestly, and one that lets packets be lost (a scan, a table too small on purpose) wants the other
	 * checks judged in spite of it. */
	VALIDITY_LOST,
	VALIDITY_MISSED,   /* departures of the scenario's generators given up, more than 1 s late */
	VALIDITY_SLIP,     /* a generator's worst lateness */
	VALIDITY_EVENTS,   /* an event's: the kernel keeps who changes a link waiting while others change the machine's network */
	VALIDITY_OVERRUNS, /* packets dropped at full sockets of the traffic engine, which sinks count as lost */
	VALIDITY_BACKLOG,  /* packets of the lab dropped because a receive queue of this machine was full */
	VALIDITY_MAX
};

struct validity_figure {
	const char *name, *unit; /* "slip", "ms" */
	const char *meaning;
	uint64_t value, bound;   /* value > bound is too much */
	bool if_failed;          /* only a check that failed is doubtful: what holds in spite of it holds honestly */
	bool broken;             /* too much, and it matters in this run */
	char text[224];          /* the sentence, with figure and bound; of a broken one */
};

struct validity {
	struct validity_figure figures[VALIDITY_MAX];
	uint64_t squeezed;       /* times the kernel's receive work ran out of its budget: a hint, no reason */
	bool valid;
	char why[512];           /* all that is broken, one sentence after the other */
};

/* load: what became of the machine's receive queues since traffic began. */
void validity_judge(const struct plan *plan, const struct sample *s, const struct machine_load *load, bool all_hold,
		    struct validity *ret);

#endif
