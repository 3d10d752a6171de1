/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the monitor costs a packet: nanoseconds by bpf_prog_test_run, less those of an empty
 * program, and as a ratio to it. Also loading, attaching and reading. Prints; judges nothing.
 * Packets: the best of many short rounds, for all that another load on the machine can do to one
 * is lengthen it. Set-up: medians.
 *
 * test_run gives all repeats of a call to one packet, so several flows take turns by calls.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bench/empty.skel.h"
#include "monitor/flows.h"
#include "monitor/monitor.h"
#include "tests/unit/packets_tunnels.h"

enum { PACKETS = 200000, PACKET_ROUNDS = 35, MANY = 10000, MANY_ROUNDS = 5, ROUNDS = 7, HOSTS = 9, LOOPBACK = 1 };

static double now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "monitor_cost: %s: %s\n", what, why);
	exit(3);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

/* The flow's number is in the inner addresses. */
static void build_flow(struct packet *p, int family, uint32_t n)
{
	memset(p, 0, sizeof(*p));
	if (family == 4) {
		put_tunnel(p, 10000, 0x0800);
		put_ipv4(p, 2, 17);
	} else {
		put_ethernet(p, 0x86dd);
		put_ipv6(p, 1, 17);
		put_udp(p, 4789);
		put_vxlan(p, 0x08, 10000);
		put_ethernet(p, 0x86dd);
		put_ipv6(p, 2, 17);
	}
	put_udp(p, 7);
	put_payload(p, 64);
	packet_finish(p);
	memcpy(p->data + (family == 4 ? 78 : 104), &n, sizeof(n));
}

/* Two that are not VXLAN: one takes the shortcut, the other the general parser. */
static void build_tunnels(struct packet flows[2])
{
	memset(flows, 0, 2 * sizeof(*flows));
	build_geneve(&flows[0]);
	build_gretap_key(&flows[1]);
	packet_finish(&flows[0]);
	packet_finish(&flows[1]);
}

/* ns per packet; flows take turns, each with its share of the packets. */
static double run_ns(int prog_fd, const struct packet *flows, int n_flows)
{
	double sum = 0;

	for (int i = 0; i < n_flows; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = flows[i].data,
			    .data_size_in = flows[i].len, .repeat = PACKETS / n_flows);
		int ret = bpf_prog_test_run_opts(prog_fd, &opts);

		if (ret < 0)
			die("bpf_prog_test_run", strerror(-ret));
		sum += opts.duration; /* the mean of its repeats */
	}
	return sum / n_flows;
}

/* Rounds of the two programs alternate, so that both meet the same machine. */
static void compare_to_empty(const char *what, int empty_fd, int prog_fd,
			     const struct packet *flows, int n_flows)
{
	int rounds = n_flows < MANY ? PACKET_ROUNDS : MANY_ROUNDS; /* each is many calls */
	double empty = 0, ours = 0;

	for (int i = 0; i < rounds; i++) {
		double e = run_ns(empty_fd, flows, n_flows), o = run_ns(prog_fd, flows, n_flows);

		if (i == 0 || e < empty)
			empty = e;
		if (i == 0 || o < ours)
			ours = o;
	}
	printf("%-34s empty %5.1f  monitor %5.1f  over it %5.1f  (%.2f times)\n", what, empty, ours,
	       ours - empty, ours / empty);
}

static struct monitor *open_monitor(uint32_t slots, uint32_t capacity)
{
	struct monitor_config config = {
		.base_ifindex = LOOPBACK,
		.n_hosts = HOSTS,
		.slots = slots,
		.capacity = capacity,
	};
	struct monitor *m = NULL;
	struct error err;

	if (monitor_open(&config, &err, &m) < 0)
		die("open", err.text);
	return m;
}

static void measure_packets(int empty_fd)
{
	static struct packet flows[100], other;
	struct packet *many;
	struct monitor *m = open_monitor(0, 0);
	int prog_fd = monitor_prog_fd(m, FLOW_TX);

	build_flow(&flows[0], 4, 0);
	compare_to_empty("IPv4 in IPv4, 1 flow", empty_fd, prog_fd, flows, 1);
	for (int i = 0; i < 100; i++)
		build_flow(&flows[i], 4, i);
	compare_to_empty("IPv4 in IPv4, 100 flows", empty_fd, prog_fd, flows, 100);
	many = calloc(MANY, sizeof(*many));
	if (!many)
		die("flows", "no memory");
	for (int i = 0; i < MANY; i++)
		build_flow(&many[i], 4, i);
	compare_to_empty("IPv4 in IPv4, 10000 flows", empty_fd, prog_fd, many, MANY);
	free(many);
	for (int i = 0; i < 100; i++)
		build_flow(&flows[i], 6, i);
	compare_to_empty("IPv6 in IPv6, 1 flow", empty_fd, prog_fd, flows, 1);
	compare_to_empty("IPv6 in IPv6, 100 flows", empty_fd, prog_fd, flows, 100);
	build_tunnels(flows);
	compare_to_empty("GENEVE", empty_fd, prog_fd, &flows[0], 1);
	compare_to_empty("GRETAP with a key", empty_fd, prog_fd, &flows[1], 1);
	put_ethernet(&other, 0x0800);
	put_ipv4(&other, 1, 6);
	put_tcp(&other, 12);
	put_payload(&other, 64);
	packet_finish(&other);
	compare_to_empty("TCP without tunnel", empty_fd, prog_fd, &other, 1);
	monitor_free(m);

	m = open_monitor(1, 0);
	for (int i = 0; i < 100; i++)
		build_flow(&flows[i], 4, i);
	compare_to_empty("100 flows, 99 in the hash", empty_fd, monitor_prog_fd(m, FLOW_TX), flows,
			 100);
	monitor_free(m);
}

static void measure_set_up(void)
{
	int home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), ns_fds[HOSTS];
	double load[ROUNDS], attach[ROUNDS], start;
	struct error err;

	for (int round = 0; round < ROUNDS; round++) {
		struct monitor *m;

		for (int i = 0; i < HOSTS; i++) {
			if (unshare(CLONE_NEWNET) < 0)
				die("unshare", "needs root");
			ns_fds[i] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		}
		if (setns(home_fd, CLONE_NEWNET) < 0)
			die("setns", "cannot go back");
		start = now_ms();
		m = open_monitor(0, 0);
		load[round] = now_ms() - start;
		start = now_ms();
		for (int i = 0; i < HOSTS; i++) {
			if (monitor_attach(m, ns_fds[i], LOOPBACK, &err) < 0)
				die("attach", err.text);
		}
		attach[round] = now_ms() - start;
		for (int i = 0; i < HOSTS; i++)
			(void)close(ns_fds[i]); /* only read from */
		monitor_free(m);
	}
	printf("load                    %6.2f ms\n", median(load, ROUNDS));
	printf("attach to %d hosts       %6.2f ms\n", HOSTS, median(attach, ROUNDS));
	(void)close(home_fd); /* only read from */
}

/* As many flows as fit, most of them in the hash. */
static void measure_reading(uint32_t n_flows)
{
	struct monitor *m = open_monitor(0, n_flows);
	int prog_fd = monitor_prog_fd(m, FLOW_TX);
	struct flow_table table = {0};
	double read[ROUNDS], start;
	struct packet p;
	int ret;

	for (uint32_t i = 0; i < n_flows; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p.data, .repeat = 1);

		build_flow(&p, 4, i);
		opts.data_size_in = p.len;
		ret = bpf_prog_test_run_opts(prog_fd, &opts);
		if (ret < 0)
			die("bpf_prog_test_run", strerror(-ret));
	}
	for (int i = 0; i < ROUNDS; i++) {
		start = now_ms();
		ret = flows_read(m, &table);
		read[i] = now_ms() - start;
		if (ret < 0)
			die("flows_read", strerror(-ret));
	}
	printf("read %6zu flows       %6.2f ms%s\n", table.n, median(read, ROUNDS),
	       table.n == n_flows ? "" : "   (some are missing)");
	flows_free(&table);
	monitor_free(m);
}

int main(void)
{
	struct empty_bpf *empty = empty_bpf__open_and_load();

	if (!empty)
		die("empty program", "cannot be loaded: needs root");
	measure_packets(bpf_program__fd(empty->progs.empty));
	empty_bpf__destroy(empty);
	measure_set_up();
	measure_reading(1000);
	measure_reading(65536);
	return 0;
}
