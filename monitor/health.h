/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor says of itself: may its figures be trusted, and what do they cost? One record, made in one place; commands,
 * metrics, page and reports all show this one. Pure: what was counted comes with the sample (sample.h). */
#ifndef TUNLAB_MONITOR_HEALTH_H
#define TUNLAB_MONITOR_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "monitor/monitor.h"

/* Why health is amber, the gravest first. */
enum health_reason {
	HEALTH_LOST,      /* packets were not counted: the flow table was full. For good: the totals stay too low */
	HEALTH_FULL,      /* the flow table is filling up */
	HEALTH_LATE,      /* samples come late */
	HEALTH_TRUNCATED, /* frames that end within their headers came in the last seconds */
	HEALTH_UNKNOWN,   /* likewise tunnel packets whose headers make no sense */
	HEALTH_REASON_MAX
};
extern const char *const health_reason_names[HEALTH_REASON_MAX]; /* "lost" … */

enum { HEALTH_SENTENCES_SIZE = 320 };

struct health {
	unsigned reasons;                     /* bit set of enum health_reason; 0: all is well */
	char sentences[HEALTH_SENTENCES_SIZE]; /* a sentence for each reason, the gravest first; "" when all is well */
	double fill;                          /* share of the flow table that is taken */
	bool has_cost;                        /* false: of a capture, for which no kernel worked */
	struct monitor_cost program;          /* as the kernel measured it */
	double ns_per_packet;                 /* of the kernel's part, each frame as the hook got it; NAN: not measured */
	const char *not_measured;             /* why; NULL when it is */
	double cpu_s;                         /* processor time of the user-space part, its traffic engine not counted */
	double cpu_share;                     /* of one processor, over the last second or so; NAN: not known yet */
	uint64_t truncated_ns, unknown_ns;    /* when these counts were last seen to grow; 0: never. Private to health.c */
};

struct sample;
/* The health of a sample whose other members are filled in, after that of the one before (NULL for the first). */
void health_judge(const struct sample *s, const struct sample *previous, struct health *ret);

/* "ok" or "amber". */
const char *health_state(const struct health *h);

#endif
