/* SPDX-License-Identifier: Apache-2.0 */
/* See programs.h. The only includer of that skeleton. */
#include "lab/bench/programs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench/packets.skel.h"
#include "lab/bench/bench.h"

/* The kernel gives whole nanoseconds; of so many packets and more, what a run takes besides them is less than that. */
enum { CLOCKED = 10000 };

struct programs {
	struct packets_bpf *bpf;
};

int programs_open(struct programs **ret, struct error *err)
{
	struct programs *p = calloc(1, sizeof(*p));
	libbpf_print_fn_t print = libbpf_set_print(NULL); /* it would tell of attempts that it then makes differently */
	int r;

	if (p)
		p->bpf = packets_bpf__open_and_load();
	r = !p ? -ENOMEM : p->bpf ? 0 : -errno;
	(void)libbpf_set_print(print); /* returns what was there just now */
	if (r == 0) {
		*ret = p;
		return 0;
	}
	free(p);
	error_set(err, "cannot load the benchmark's BPF programs: %s", strerror(-r));
	return r;
}

void programs_free(struct programs *p)
{
	if (!p)
		return;
	packets_bpf__destroy(p->bpf);
	free(p);
}

int programs_empty_fd(const struct programs *p)
{
	return bpf_program__fd(p->bpf->progs.empty);
}

int programs_classic_fd(const struct programs *p)
{
	return bpf_program__fd(p->bpf->progs.classic);
}

int programs_counts_fd(const struct programs *p)
{
	return bpf_map__fd(p->bpf->maps.counts);
}

int programs_run(struct programs *p, int prog_fd, const struct bench_packet *packet, uint32_t n_flows, int packets, double *ret_ns,
		 struct error *err)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet->data, .data_size_in = (__u32)packet->len, .repeat = packets);
	uint64_t start_ns;
	uint32_t zero = 0;
	int r = bpf_map_update_elem(bpf_map__fd(p->bpf->maps.target), &zero, &prog_fd, BPF_ANY);

	p->bpf->bss->flow_off = packet->flow_off;
	p->bpf->bss->flow_wide = packet->flow_wide;
	p->bpf->bss->at_random = packet->at_random;
	p->bpf->bss->next_flow = 0;
	p->bpf->data->n_flows = n_flows;
	start_ns = bench_now_ns();
	if (r == 0)
		r = bpf_prog_test_run_opts(bpf_program__fd(p->bpf->progs.drive), &opts);
	if (r < 0)
		error_set(err, "cannot run a BPF program on test packets: %s", strerror(-r));
	else
		*ret_ns = packets < CLOCKED ? opts.duration : (double)(bench_now_ns() - start_ns) / packets;
	return r;
}
