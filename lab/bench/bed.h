/* SPDX-License-Identifier: Apache-2.0 */
/* A small lab of this process, for benchmarks of what crosses it. */
#ifndef TUNLAB_BENCH_BED_H
#define TUNLAB_BENCH_BED_H

#include "lab/net/lab.h"
#include "monitor/monitor.h"

enum { BENCH_HOSTS = 2 };

/* Two hosts, each with one client, c0 and c1, in one VNI. */
struct bench_bed {
	struct scenario *scn;
	struct plan *plan;
	struct lab *lab;
	struct monitor *monitor; /* open, not attached */
	int links[BENCH_HOSTS][FLOW_DIR_MAX]; /* the monitor's, on the uplinks; -1: none */
	int home;                /* the namespace of before */
};

/* Nothing is left on failure. */
int bench_bed_open(struct bench_bed *bed, struct error *err);
void bench_bed_close(struct bench_bed *bed);

/*
 * Hooks the monitor to both uplinks, or takes it off: by TCX, where the kernel has it, for when a clsact qdisc comes or goes the
 * kernel begins the device's queues anew and drops what is sent meanwhile (qdisc_graft() in net/sched/sch_api.c). A TCP stream then
 * stands still for 200 ms.
 */
int bench_bed_watch(struct bench_bed *bed, bool watch, struct error *err);

#endif
