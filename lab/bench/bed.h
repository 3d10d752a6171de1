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
	struct programs *programs;
	int links[BENCH_HOSTS][FLOW_DIR_MAX]; /* on the uplinks; -1: none */
	bool filtered;           /* the monitor is there by clsact */
	int home;                /* the namespace of before */
};

/* Nothing is left on failure. */
int bench_bed_open(struct bench_bed *bed, struct error *err);
void bench_bed_close(struct bench_bed *bed);

/* What is hooked to both uplinks: nothing, the least program there can be, the monitor. */
enum bench_hooked { BENCH_NOTHING, BENCH_EMPTY, BENCH_MONITOR, BENCH_HOOKED_MAX };

/*
 * Hooks that, in place of what was: by TCX, where the kernel has it, for when a clsact qdisc comes or goes the kernel begins the
 * device's queues anew and drops what is sent meanwhile (qdisc_graft() in net/sched/sch_api.c). A TCP stream then stands still for
 * 200 ms. Where there is no TCX only the monitor can be hooked; -EOPNOTSUPP: nothing is.
 */
int bench_bed_hook(struct bench_bed *bed, enum bench_hooked hooked, struct error *err);

#endif
