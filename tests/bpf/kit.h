/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the monitor in the kernel share: a monitor on the loopback device, packets for it, and a run of its program. */
#ifndef TUNLAB_TESTS_BPF_KIT_H
#define TUNLAB_TESTS_BPF_KIT_H

#include <sched.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf/parse.h"
#include "monitor/flows.h"
#include "monitor/monitor.h"
#include "tests/unit/packet_cases.h"
#include "tests/unit/t.h"

enum { LOOPBACK = 1 }; /* its index in every namespace; test_run's packets are from it, too */

static const struct flow_port *const ports = flow_ports_default;

static inline void print_line(void *arg, const char *line)
{
	(void)arg;
	t_note("%s", line);
}

/* A monitor whose only host is the loopback device; NULL after a failure said why. */
static inline struct monitor *open_monitor(const struct monitor_config *base)
{
	struct monitor_config config = base ? *base : (struct monitor_config){0};
	struct monitor *monitor = NULL;
	struct error err;

	if (!config.base_ifindex)
		config.base_ifindex = LOOPBACK;
	if (monitor_open(&config, &err, &monitor) < 0) {
		ok(!"monitor_open");
		t_note("%s", err.text);
		config.log = print_line;
		(void)monitor_open(&config, &err, &monitor);
	}
	return monitor;
}

static inline int run(struct monitor *monitor, enum flow_dir dir, const struct packet *p, size_t len,
		      const struct packet_case *c)
{
	struct __sk_buff skb = {.gso_size = c ? c->gso_size : 0, .gso_segs = c ? c->gso_segs : 0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = len,
		    .ctx_in = &skb, .ctx_size_in = sizeof(skb), .repeat = 1);
	int ret = bpf_prog_test_run_opts(monitor_prog_fd(monitor, dir), &opts);

	return ret < 0 ? ret : (int)opts.retval;
}

static inline bool is_root(void)
{
	return geteuid() == 0;
}

/* What is counted on a CPU is in its slots. */
static inline bool pin_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

/* A packet of flow number n. */
static inline void build_flow(struct packet *p, uint32_t n)
{
	memset(p, 0, sizeof(*p));
	put_tunnel(p, 10000, 0x0800);
	put_ipv4(p, 2, 17);
	put_udp(p, 7);
	put_payload(p, 64);
	packet_finish(p);
	p->data[50 + 14 + 14] = n >> 8;
	p->data[50 + 14 + 15] = n;
}

#endif
