/* SPDX-License-Identifier: Apache-2.0 */
/* A small lab of this process, for benchmarks of what crosses it. */
#ifndef TUNLAB_BENCH_BED_H
#define TUNLAB_BENCH_BED_H

#include "lab/net/lab.h"
#include "monitor/monitor.h"

/* Two hosts, each with one client, c0 and c1, in one VNI. */
struct bench_bed {
	struct scenario *scn;
	struct plan *plan;
	struct lab *lab;
	struct monitor *monitor; /* open, not attached */
	int home;                /* the namespace of before */
};

/* Nothing is left on failure. */
int bench_bed_open(struct bench_bed *bed, struct error *err);
void bench_bed_close(struct bench_bed *bed);

/* Hooks the monitor to both uplinks, or takes it off. */
int bench_bed_watch(struct bench_bed *bed, bool watch, struct error *err);

#endif
