/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `tunlab bench` measures: sections, each a file here, that add rows. A row is a figure and, where there is one, that of a
 * reference run on this machine at this time, for times alone say little on shared machines. Sections build
 * labs of their own; all that one has made goes with the process, also by a signal.
 */
#ifndef TUNLAB_BENCH_BENCH_H
#define TUNLAB_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { BENCH_TEXT = 64, BENCH_ROUNDS_MAX = 100 };

struct bench_row {
	const char *section;
	char what[BENCH_TEXT];
	const char *unit;
	double value;
	char reference[BENCH_TEXT]; /* what ran beside it; "": nothing */
	double reference_value;     /* in the same unit */
};

/* A figure or a reference that this machine cannot give. */
struct bench_gap {
	const char *section;
	char what[BENCH_TEXT];
	char why[200];
};

struct bench {
	unsigned rounds; /* 0: each section's own number */
	const char *section;
	struct bench_row *rows;
	size_t n_rows;
	struct bench_gap *gaps;
	size_t n_gaps;
	bool failed; /* memory was out: a row is missing */
};

struct bench_section {
	const char *name;
	const char *summary;
	unsigned seconds; /* it takes, about, with its own rounds */
	/* -errno with *err where it could not go on; rows and gaps added until then stay. */
	int (*run)(struct bench *b, struct error *err);
};

extern const struct bench_section bench_monitor, bench_reading, bench_labs, bench_traffic, bench_throughput;

/* Adds a row; reference NULL: none. */
void bench_add(struct bench *b, const char *unit, double value, const char *reference, double reference_value,
	       const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Says that something is missing. */
void bench_miss(struct bench *b, const char *what, const char *format, ...) __attribute__((format(printf, 3, 4)));
void bench_free(struct bench *b);

/* Rounds to make: those asked for, or so many. */
unsigned bench_rounds(const struct bench *b, unsigned usual);

/* A figure is the median of some; values are sorted. */
double bench_median(double *values, size_t n);

/* The rows from `from` on, as a table; and everything as JSON (tunlab.bench/1). NULL: no memory. */
char *bench_table(const struct bench *b, size_t from, unsigned width);
char *bench_json(const struct bench *b);

/* CLOCK_MONOTONIC. */
uint64_t bench_now_ns(void);

#endif
