/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads the program and opens its maps. Owns the BPF skeleton (the only includer) and the mapped memory.
 */
#include "monitor/monitor_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "monitor.skel.h"
#include "monitor/flows.h"

enum {
	SLOTS_PER_CPU_DEFAULT = 65536,
	SLOTS_PER_CPU_MIN = 64,
	SLOTS_BYTES_MAX = 64 << 20, /* over all CPUs: machines with hundreds get fewer slots each */
	/*
	 * A large lab starts with thousands of new flows in a few ms, which may all be sent by one CPU. So each has twice the
	 * slots; and the hash, for which the kernel has not memory ready for so many where it may not sleep, gets it beforehand,
	 * if that is not too much. It takes longer, but so does building such a lab.
	 */
	LARGE_HOSTS = 64,
	PREALLOCATE_BYTES_MAX = 128 << 20,
};

/* ---- open ---- */

static uint32_t round_up_pow2(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static uint32_t choose_slots(uint32_t wanted, uint32_t capacity, uint32_t n_cpus, uint32_t n_hosts)
{
	uint32_t slots = n_hosts > LARGE_HOSTS ? 2 * SLOTS_PER_CPU_DEFAULT : SLOTS_PER_CPU_DEFAULT;

	if (wanted)
		return round_up_pow2(wanted < SLOTS_MIN ? SLOTS_MIN : wanted);
	while (slots > SLOTS_PER_CPU_MIN &&
	       (slots / 4 >= capacity ||
		(uint64_t)slots * n_cpus * sizeof(struct flow_slot) > SLOTS_BYTES_MAX))
		slots /= 2;
	return slots;
}

static int check_config(const struct monitor_config *config, struct error *err)
{
	if (config->capacity > MONITOR_CAPACITY_MAX || config->slots > MONITOR_CAPACITY_MAX) {
		error_set(err, "monitor: a table for %u flows is too large: at most %u",
			  config->capacity > config->slots ? config->capacity : config->slots,
			  MONITOR_CAPACITY_MAX);
		return -EINVAL;
	}
	if (config->n_hosts > MONITOR_HOSTS_MAX) {
		error_set(err, "monitor: %u hosts are too many: at most %u", config->n_hosts,
			  MONITOR_HOSTS_MAX);
		return -EINVAL;
	}
	if (config->parser >= MONITOR_PARSER_MAX) {
		error_set(err, "monitor: %u is no parser", config->parser);
		return -EINVAL;
	}
	for (int i = 0; i < FLOW_PORTS_MAX; i++) {
		if (config->ports[i].encap >= ENCAP_MAX) {
			error_set(err, "monitor: port %u: %u is no encapsulation",
				  config->ports[i].port, config->ports[i].encap);
			return -EINVAL;
		}
	}
	return 0;
}

static int set_hash(struct bpf_map *map, const struct monitor_maps *maps)
{
	uint64_t bytes = (uint64_t)maps->capacity * maps->n_cpus * sizeof(struct flow_value) * FLOW_HASHES;
	int ret = bpf_map__set_max_entries(map, maps->capacity);

	if (ret == 0 && maps->n_hosts > LARGE_HOSTS && bytes <= PREALLOCATE_BYTES_MAX)
		ret = bpf_map__set_map_flags(map, 0);
	return ret;
}

/* Knobs and table sizes; between open and load. */
static int set_knobs(struct monitor *m, const struct monitor_config *config)
{
	struct monitor_bpf__rodata *knobs = m->skel->rodata;
	struct monitor_maps *maps = &m->maps;
	int n_ports = 0, ret;

	for (int i = 0; i < FLOW_PORTS_MAX; i++) {
		if (config->ports[i].encap != ENCAP_NONE)
			knobs->ports[n_ports++] = config->ports[i];
	}
	for (int i = 0; i < FLOW_PORTS_MAX && n_ports == 0; i++)
		knobs->ports[i] = flow_ports_default[i];
	knobs->base_ifindex = config->base_ifindex;
	knobs->n_hosts = maps->n_hosts;
	knobs->slots_per_cpu = maps->slots_per_cpu;
	knobs->promiscuous = config->promiscuous;
	knobs->bare = config->bare;

	ret = bpf_map__set_max_entries(m->skel->maps.slots, maps->n_cpus * maps->slots_per_cpu);
	if (!ret)
		ret = bpf_map__set_max_entries(m->skel->maps.hosts,
					       maps->n_cpus * (maps->n_hosts + 1));
	if (!ret)
		ret = bpf_map__set_max_entries(m->skel->maps.scratches, maps->n_cpus);
	if (!ret)
		ret = bpf_map__set_max_entries(m->skel->maps.walks, maps->n_cpus);
	if (!ret)
		ret = set_hash(m->skel->maps.flows_even, maps);
	if (!ret)
		ret = set_hash(m->skel->maps.flows_odd, maps);
	return ret;
}

/* Which programs are loaded; between open and load. Those of the other walk cost nothing. */
static int choose_parser(struct monitor *m)
{
	struct monitor_bpf *skel = m->skel;
	struct bpf_program *const direct[] = { skel->progs.observe_tx, skel->progs.observe_rx };
	struct bpf_program *const bare[] = { skel->progs.observe_bare_tx, skel->progs.observe_bare_rx };
	struct bpf_program *const tailcall[] = {
		skel->progs.walk_tx, skel->progs.walk_rx, skel->progs.walk_link, skel->progs.walk_ip,
		skel->progs.walk_tunnel, skel->progs.walk_count,
	};
	bool tails = m->parser == MONITOR_TAILCALL;
	int ret = 0;

	for (size_t i = 0; i < sizeof(direct) / sizeof(direct[0]) && !ret; i++)
		ret = bpf_program__set_autoload(direct[i], !tails);
	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]) && !ret; i++)
		ret = bpf_program__set_autoload(bare[i], skel->rodata->bare);
	for (size_t i = 0; i < sizeof(tailcall) / sizeof(tailcall[0]) && !ret; i++)
		ret = bpf_program__set_autoload(tailcall[i], tails);
	if (!ret)
		ret = bpf_map__set_autocreate(skel->maps.steps, tails);
	if (!ret)
		ret = bpf_map__set_autocreate(skel->maps.walks, tails);
	m->progs[FLOW_TX] = tails ? skel->progs.walk_tx : skel->progs.observe_tx;
	m->progs[FLOW_RX] = tails ? skel->progs.walk_rx : skel->progs.observe_rx;
	return ret;
}

/* The program array that the tail calls go through. */
static int link_steps(const struct monitor *m)
{
	const struct bpf_program *steps[] = { /* enum step */
		m->skel->progs.walk_link, m->skel->progs.walk_ip, m->skel->progs.walk_tunnel, m->skel->progs.walk_count,
	};

	for (uint32_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int fd = bpf_program__fd(steps[i]);

		if (bpf_map_update_elem(bpf_map__fd(m->skel->maps.steps), &i, &fd, BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

static int map_memory(const struct bpf_map *map, size_t bytes, int protection, void **ret)
{
	void *p = mmap(NULL, bytes, protection, MAP_SHARED, bpf_map__fd(map), 0);

	if (p == MAP_FAILED)
		return -errno;
	(void)madvise(p, bytes, MADV_DONTFORK); /* children count nothing: not in their memory, nor copied for them */
	*ret = p;
	return 0;
}

static int map_counters(struct monitor *m)
{
	struct monitor_maps *maps = &m->maps;
	void *p = NULL;
	int ret;

	m->slots_bytes = (size_t)maps->n_cpus * maps->slots_per_cpu * sizeof(struct flow_slot);
	m->hosts_bytes = (size_t)maps->n_cpus * (maps->n_hosts + 1) * sizeof(struct host_counters);
	ret = map_memory(m->skel->maps.slots, m->slots_bytes, PROT_READ | PROT_WRITE, &p);
	if (ret < 0)
		return ret;
	maps->slots = p;
	ret = map_memory(m->skel->maps.hosts, m->hosts_bytes, PROT_READ, &p);
	if (ret < 0)
		return ret;
	maps->hosts = p;
	if (!m->skel->bss) /* libbpf probes for itself whether arrays can be mapped, and takes any failure for a no */
		return -EOPNOTSUPP;
	maps->generation = &m->skel->bss->generation;
	maps->flows_fd[0] = bpf_map__fd(m->skel->maps.flows_even);
	maps->flows_fd[1] = bpf_map__fd(m->skel->maps.flows_odd);
	return 0;
}

static int start_reading(struct monitor *m, const struct monitor_config *config)
{
	struct reader_limits limits = {
		.idle_ns = config->idle_ns ? config->idle_ns : READER_IDLE_NS_DEFAULT,
		.kept = config->kept ? config->kept : m->maps.capacity,
		.quiesce = reader_quiesce,
	};

	return reader_new(&m->maps, &limits, &m->reader);
}

/* The kernel before 5.11 charges maps to this limit, and says EPERM when it is reached. */
static bool memlock_is_low(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur < 64u << 20;
}

static int explain_open(int ret, const struct log_sink *sink, struct error *err)
{
	const char *detail = sink->first_warning;

	switch (ret) {
	case -EPERM: /* not -EACCES: that is the verifier's, and its own words say more */
		if (geteuid() == 0 && memlock_is_low())
			error_set(err, "monitor: the kernel refused to load the BPF program: this "
				  "process may lock too little memory (ulimit -l unlimited) or "
				  "lacks CAP_BPF and CAP_NET_ADMIN, as in an unprivileged "
				  "container");
		else
			error_set(err, "monitor: no privilege to load the BPF program: run as root "
				  "(or with CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN)");
		return -EPERM;
	case -ENOSYS:
		error_set(err, "monitor: this kernel has no bpf() (CONFIG_BPF_SYSCALL)");
		return ret;
	case -ENOMEM:
		error_set(err, "monitor: no memory for the flow tables%s%s", detail[0] ? ": " : "",
			  detail);
		return ret;
	default:
		error_set(err, "monitor: cannot load the BPF program into this kernel: %s%s%s",
			  strerror(-ret), detail[0] ? ": " : "", detail);
		return ret;
	}
}

static int load(struct monitor *m, const struct monitor_config *config)
{
	int ret;

	m->skel = monitor_bpf__open();
	if (!m->skel)
		return -errno;
	ret = set_knobs(m, config);
	if (ret == 0)
		ret = choose_parser(m);
	if (ret < 0)
		return ret;
	ret = monitor_bpf__load(m->skel);
	if (ret == 0 && m->parser == MONITOR_TAILCALL)
		ret = link_steps(m);
	if (ret < 0)
		return ret;
	ret = map_counters(m);
	return ret < 0 ? ret : start_reading(m, config);
}

int monitor_open(const struct monitor_config *config, struct error *err,
		 struct monitor **ret_monitor)
{
	int n_cpus, ret = check_config(config, err);
	struct log_sink sink;
	struct monitor *m;

	if (ret < 0)
		return ret;
	m = calloc(1, sizeof(*m));
	if (!m) {
		error_set(err, "monitor: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	m->parser = config->parser;
	m->stats_fd = -1;
	m->log = config->log;
	m->log_arg = config->log_arg;

	monitor_log_enter(&sink, config->log, config->log_arg);
	n_cpus = libbpf_num_possible_cpus();
	if (n_cpus > 0) {
		m->maps = (struct monitor_maps){
			.n_cpus = n_cpus,
			.n_hosts = config->n_hosts ? config->n_hosts : 1,
			.capacity = config->capacity ? config->capacity : MONITOR_CAPACITY_DEFAULT,
		};
		m->maps.slots_per_cpu = choose_slots(config->slots, m->maps.capacity, n_cpus, m->maps.n_hosts);
		ret = load(m, config);
	} else {
		ret = n_cpus;
	}
	monitor_log_leave(&sink);
	if (ret < 0) {
		ret = explain_open(ret, &sink, err);
		monitor_free(m);
		return ret;
	}
	*ret_monitor = m;
	return 0;
}

void monitor_free(struct monitor *m)
{
	if (!m)
		return;
	reader_free(m->reader);
	if (m->maps.slots)
		(void)munmap(m->maps.slots, m->slots_bytes); /* nothing to do about it */
	if (m->maps.hosts)
		(void)munmap((void *)m->maps.hosts, m->hosts_bytes);
	monitor_bpf__destroy(m->skel);
	if (m->stats_fd >= 0)
		(void)close(m->stats_fd); /* only held */
	free(m->attachments);
	free(m);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int flows_read(struct monitor *m, struct flow_table *table)
{
	return reader_read(m->reader, now_ns(), table);
}

int flows_age(struct monitor *m)
{
	return reader_age(m->reader);
}

const char *monitor_parser_name(const struct monitor *m)
{
	return monitor_parser_names[m->parser];
}

int monitor_prog_fd(const struct monitor *m, enum flow_dir dir)
{
	return bpf_program__fd(m->progs[dir]);
}

int monitor_bare_prog_fd(const struct monitor *m, enum flow_dir dir)
{
	return bpf_program__fd(dir == FLOW_TX ? m->skel->progs.observe_bare_tx : m->skel->progs.observe_bare_rx);
}

/* ---- what it costs ---- */

/* Only the switch that stays; others may have asked as we do, which shows by runs alone. */
static bool stats_switched_on(void)
{
	int fd = open("/proc/sys/kernel/bpf_stats_enabled", O_RDONLY | O_CLOEXEC);
	char c = '0';

	if (fd < 0)
		return false;
	(void)!read(fd, &c, 1); /* unread it stays off */
	(void)close(fd);
	return c == '1';
}

void monitor_get_cost(const struct monitor *m, struct monitor_cost *ret_cost)
{
	struct monitor_cost cost = {.enabled = m->stats_fd >= 0 || stats_switched_on()};

	for (int i = 0; i < 2 * FLOW_DIR_MAX; i++) {
		struct bpf_prog_info info = {0};
		__u32 len = sizeof(info);
		int fd = i < FLOW_DIR_MAX ? monitor_prog_fd(m, i) : monitor_bare_prog_fd(m, i - FLOW_DIR_MAX);

		/* Not loaded; or before 5.1, where there are no such members: they stay 0. */
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
			continue;
		cost.run_ns += info.run_time_ns;
		cost.runs += info.run_cnt;
	}
	*ret_cost = cost;
}

int monitor_enable_stats(struct monitor *m, struct error *err)
{
	int fd;

	if (m->stats_fd >= 0)
		return 0;
	fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (fd >= 0) {
		m->stats_fd = fd;
		return 0;
	}
	fd = -errno;
	if (fd == -EINVAL) { /* an unknown command */
		fd = -ENOSYS;
		error_set(err, "monitor: this kernel measures BPF programs only by sysctl kernel.bpf_stats_enabled=1 "
			  "(BPF_ENABLE_STATS came with 5.8)");
	} else {
		error_set(err, "monitor: cannot have the kernel measure BPF programs: %s%s", strerror(-fd),
			  fd == -EPERM ? " (it takes CAP_SYS_ADMIN)" : "");
	}
	return fd;
}
