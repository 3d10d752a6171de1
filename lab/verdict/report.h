/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts on paper: each format writes the same results to a stream that the caller opened. */
#ifndef TUNLAB_VERDICT_REPORT_H
#define TUNLAB_VERDICT_REPORT_H

#include <stdio.h>

#include "lab/verdict/check.h"
#include "lab/verdict/validity.h"

struct facts;
struct lab_info;
struct snapshot;

/* What only the lab itself knows of its run. */
struct report_run {
	const struct lab_info *info;
	const struct facts *facts;
	struct snapshot *feed; /* frames of the page, for the picture and the timeline */
};

struct report {
	const struct plan *plan;
	const struct sample *sample;        /* the last one */
	const struct check_result *results; /* [n], in the scenario's order */
	size_t n;
	const char *invalid; /* why the run cannot be judged; NULL: it can */
	const struct validity *validity; /* the figures behind that; NULL: not known */
	const struct report_run *run; /* NULL: of a sample alone */
};

struct report_format {
	const char *name; /* "tap" */
	const char *meaning;
	int (*write)(const struct report *r, FILE *f); /* 0, -EIO or -ENOMEM */
};
extern const struct report_format
	report_formats[]; /* ends with name NULL; the first is the default */

/* NULL when there is none of that name. */
const struct report_format *report_format_find(const char *name, size_t len);

#endif
