/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's kernel side: loads the BPF program, attaches it to interfaces, takes it off.
 * Reading what it counted is reader.h's. Knows nothing of labs: hosts are interface indices.
 */
#ifndef TUNLAB_MONITOR_MONITOR_H
#define TUNLAB_MONITOR_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/flow.h"

#define MONITOR_CAPACITY_DEFAULT 65536
#define MONITOR_CAPACITY_MAX (1u << 24)
#define MONITOR_HOSTS_MAX 65536

struct flow_table;
struct monitor;

/* How the program walks through a packet, in one pass or from program to program (bpf/tailcall.bpf.h); it finds the same. */
enum monitor_parser { MONITOR_DIRECT, MONITOR_TAILCALL, MONITOR_PARSER_MAX };
extern const char *const monitor_parser_names[MONITOR_PARSER_MAX]; /* "direct", "tailcall" */

/* The parser of that name, or (NULL) the default; -EINVAL, and err names those there are. */
int monitor_parser_find(const char *name, struct error *err);

/* All zero is a valid configuration: all tunnels on their own ports, one host with any interface index. */
struct monitor_config {
	struct flow_port ports[FLOW_PORTS_MAX]; /* UDP port to encapsulation; none: flow_ports_default */
	uint32_t base_ifindex; /* interface index of host 0's underlay interface */
	uint32_t n_hosts;      /* host i's is base_ifindex + i; 0 means 1 */
	uint32_t capacity;     /* flows that surely fit; 0 means MONITOR_CAPACITY_DEFAULT */
	uint32_t slots;        /* slots per CPU, made a power of two, at least SLOTS_MIN; 0: chosen */
	uint64_t idle_ns;      /* see struct reader_limits; 0: READER_IDLE_NS_DEFAULT */
	uint32_t kept;         /* likewise; 0: as many as capacity */
	enum monitor_parser parser;
	bool promiscuous;      /* frames for other hosts count as received, as on a switch port */
	bool bare;             /* programs for interfaces without a link layer as well: monitor_bare_prog_fd() */
	/* libbpf's and the verifier's lines, for debugging; may be NULL. In the caller's thread. */
	void (*log)(void *arg, const char *line);
	void *log_arg;
};

/*
 * Load maps and programs; counts nothing until attached. Takes a few ms. err gets a sentence that
 * says what to do; errors worth telling apart:
 *   -EPERM   no privilege        -ENOSYS  kernel without BPF (or the feature named)
 *   -ENOMEM  memory or memlock   -EINVAL  configuration out of range
 */
int monitor_open(const struct monitor_config *config, struct error *err,
		 struct monitor **ret_monitor);

/*
 * Hook both directions of interface ifindex in the namespace netns_fd (-1: the caller's).
 * The calling thread enters the namespace and is back on return, whatever happened. Nothing
 * stays attached on failure. -ENODEV: no such interface; -ENOSYS: kernel without clsact.
 */
int monitor_attach(struct monitor *monitor, int netns_fd, uint32_t ifindex, struct error *err);

/*
 * Undo monitor_attach. Needed only where the interface outlives the monitor: filters go with
 * their interface.
 */
int monitor_detach(struct monitor *monitor, int netns_fd, uint32_t ifindex, struct error *err);

/* Unload. Filters still attached count into maps nobody reads until detached. NULL is fine. */
void monitor_free(struct monitor *monitor);

/* Replace the table's contents by what was counted so far: see reader_read(). */
int flows_read(struct monitor *monitor, struct flow_table *table);

/* Take flows idle for long out of the kernel's tables, their counts kept; after a reading. See reader_age(). */
int flows_age(struct monitor *monitor);

/* The name of the parser that runs. */
const char *monitor_parser_name(const struct monitor *monitor);

/*
 * What the kernel measured of the programs while its statistics of BPF programs were on. They are off unless somebody asks:
 * they count for every program on the machine, and read the clock twice a run, which is part of run_ns.
 */
struct monitor_cost {
	bool enabled;    /* on now, as far as can be told */
	uint64_t run_ns; /* both directions */
	uint64_t runs;   /* frames, super-packets as one */
};

void monitor_get_cost(const struct monitor *monitor, struct monitor_cost *ret_cost);

/*
 * Have the statistics on until monitor_free() or the end of the process, whatever it is, whether they were before or not; as
 * many may ask as like (BPF_ENABLE_STATS). Takes CAP_SYS_ADMIN. -ENOSYS: kernel before 5.8.
 */
int monitor_enable_stats(struct monitor *monitor, struct error *err);

/* Program descriptors by direction, for bpf_prog_test_run in tests and benchmarks. */
int monitor_prog_fd(const struct monitor *monitor, enum flow_dir dir);
/* Likewise of those for packets that begin with an IP header, whichever the parser; negative unless the configuration asks for them. */
int monitor_bare_prog_fd(const struct monitor *monitor, enum flow_dir dir);

#endif
