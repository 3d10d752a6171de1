/* SPDX-License-Identifier: Apache-2.0 */
/* The BPF programs of bpf/bench/packets.bpf.c, and packets for them and for the monitor's. */
#ifndef TUNLAB_BENCH_PROGRAMS_H
#define TUNLAB_BENCH_PROGRAMS_H

#include "base/error.h"
#include "lab/bench/packet.h"

struct programs;

int programs_open(struct programs **ret, struct error *err);
void programs_free(struct programs *p); /* NULL is fine */

/* Descriptors: the least program there can be; the reference, and the map it counts in (flow_key to flow_count). */
int programs_empty_fd(const struct programs *p);
int programs_classic_fd(const struct programs *p);
int programs_counts_fd(const struct programs *p);

/*
 * Runs a program on so many packets, of n_flows flows from the first on. *ret_ns: the mean of one, with that of the few
 * instructions that make it another flow's.
 */
int programs_run(struct programs *p, int prog_fd, const struct bench_packet *packet, uint32_t n_flows, int packets, double *ret_ns,
		 struct error *err);

#endif
