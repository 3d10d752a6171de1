/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor in the kernel. The parser's table through bpf_prog_test_run, and real packets over
 * the loopback device of a namespace of its own:
 *
 *      UDP socket (pages spliced) --+                +--> ingress hook --> socket
 *      packet socket (raw frame) ---+--> egress hook -> lo
 *
 * Needs root; skips aloud without.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf/parse.h"
#include "monitor/flows.h"
#include "monitor/monitor.h"
#include "tests/unit/packet_cases.h"
#include "tests/unit/t.h"

enum { LOOPBACK = 1 }; /* its index in every namespace; test_run's packets are from it, too */

static const struct flow_port *const ports = flow_ports_default;

static void print_line(void *arg, const char *line)
{
	(void)arg;
	t_note("%s", line);
}

/* A monitor whose only host is the loopback device; NULL after a failure said why. */
static struct monitor *open_monitor(const struct monitor_config *base)
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

static int run(struct monitor *monitor, enum flow_dir dir, const struct packet *p, size_t len,
	       const struct packet_case *c)
{
	struct __sk_buff skb = {.gso_size = c ? c->gso_size : 0, .gso_segs = c ? c->gso_segs : 0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = len,
		    .ctx_in = &skb, .ctx_size_in = sizeof(skb), .repeat = 1);
	int ret = bpf_prog_test_run_opts(monitor_prog_fd(monitor, dir), &opts);

	return ret < 0 ? ret : (int)opts.retval;
}

static bool is_root(void)
{
	return geteuid() == 0;
}

/* A packet of flow number n. */
static void build_flow(struct packet *p, uint32_t n)
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

static bool pin_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

static void check_cases(enum monitor_parser parser)
{
	struct monitor_config config = {.promiscuous = true, .parser = parser};
	struct flow_table before = {0}, after = {0};
	struct monitor *m = open_monitor(&config);

	if (!m)
		return;
	for (int i = 0; i < 2 * N_PACKET_CASES; i++) {
		const struct packet_case *c = packet_case(i / 2);
		enum flow_dir dir = i % 2;
		const struct frame_count *was, *is;
		struct flow_count want, got = {0};
		const struct flow_row *row;
		struct flow_key key;
		struct packet p;
		bool good = true;

		case_build(c, &p);
		good &= eq_i64(flows_read(m, &before), 0);
		good &= eq_i64(run(m, dir, &p, p.len, c), -1); /* TC_ACT_UNSPEC */
		good &= eq_i64(flows_read(m, &after), 0);

		case_count(c, &p, &want);
		was = &before.hosts[0].dir[dir].verdict[c->verdict];
		is = &after.hosts[0].dir[dir].verdict[c->verdict];
		good &= eq_u64(is->packets - was->packets, want.packets);
		good &= eq_u64(is->bytes - was->bytes, want.bytes);
		good &= eq_u64(after.total.dir[dir].seen - before.total.dir[dir].seen, 1);
		good &= eq_u64(after.total.dir[dir].seen_bytes -
				       before.total.dir[dir].seen_bytes, p.len);
		good &= eq_u64(after.total.dir[!dir].seen, before.total.dir[!dir].seen);
		good &= eq_u64(after.total.dir[dir].later_fragments -
				       before.total.dir[dir].later_fragments, c->later_fragment);
		case_key(c, &key);
		row = flows_find(&after, &key);
		if (c->verdict == VERDICT_FLOW && (good &= ok(row != NULL))) {
			const struct flow_row *old = flows_find(&before, &key);

			got = dir == FLOW_TX ? row->value.tx : row->value.rx;
			if (old) {
				const struct flow_count *o =
					dir == FLOW_TX ? &old->value.tx : &old->value.rx;

				got.packets -= o->packets;
				got.bytes -= o->bytes;
				got.inner_bytes -= o->inner_bytes;
			}
			good &= eq_u64(got.packets, want.packets);
			good &= eq_u64(got.bytes, want.bytes);
			good &= eq_u64(got.inner_bytes, want.inner_bytes);
		}
		if (!good)
			t_note("in row %d, %s, %s: %s", i / 2, monitor_parser_names[parser],
			       dir == FLOW_TX ? "egress" : "ingress", c->what);
	}
	flows_free(&before);
	flows_free(&after);
	monitor_free(m);
}

TEST(the_kernel_parses_as_the_native_parser_does)
{
	if (!is_root())
		skip("needs root");
	check_cases(MONITOR_DIRECT);
}

TEST(the_kernel_parses_by_tail_calls_as_the_native_parser_does)
{
	if (!is_root())
		skip("needs root");
	check_cases(MONITOR_TAILCALL);
}

/* test_run takes nothing shorter than an Ethernet and the IP header it announces. */
static void check_lengths(enum monitor_parser parser)
{
	struct monitor_config config = {.promiscuous = true, .parser = parser};
	struct flow_table table = {0};
	uint64_t want[VERDICT_MAX] = {0};
	struct monitor *m = open_monitor(&config);

	if (!m)
		return;
	for (int i = 0; i < N_PACKET_CASES; i++) {
		const struct packet_case *c = packet_case(i);
		struct packet p;
		bool good = true;

		if (c->gso_size)
			continue;
		case_build(c, &p);
		for (size_t n = 14; n <= p.len && n < 300 && good; n++) {
			struct parsed parsed;
			struct cursor cursor;
			int ret = run(m, n % 2 ? FLOW_TX : FLOW_RX, &p, n, c);

			if (ret == -EINVAL && n < 14 + 40)
				continue;
			good &= eq_i64(ret, -1);
			cursor_init(&cursor, p.data, n, n);
			want[parse_frame(&cursor, ports, &parsed)]++;
		}
		eq_i64(flows_read(m, &table), 0);
		for (int v = 0; v < VERDICT_MAX; v++)
			good &= eq_u64(table.total.dir[FLOW_TX].verdict[v].packets +
				       table.total.dir[FLOW_RX].verdict[v].packets, want[v]);
		if (!good) {
			t_note("in row %d, %s: %s", i, monitor_parser_names[parser], c->what);
			break;
		}
	}
	flows_free(&table);
	monitor_free(m);
}

TEST(frames_of_every_length_get_the_native_verdict)
{
	if (!is_root())
		skip("needs root");
	for (int parser = 0; parser < MONITOR_PARSER_MAX; parser++)
		check_lengths(parser);
}

static void check_other_hosts(enum monitor_parser parser)
{
	struct monitor_config config = {.parser = parser};
	struct flow_table table = {0};
	struct monitor *m = open_monitor(&config);
	struct packet p;

	if (!m)
		return;
	build_flow(&p, 1); /* to 02:00:00:00:00:02, which is not the loopback device's address */
	eq_i64(run(m, FLOW_RX, &p, p.len, NULL), -1);
	eq_i64(run(m, FLOW_TX, &p, p.len, NULL), -1);
	memset(p.data, 0, 6);
	eq_i64(run(m, FLOW_RX, &p, p.len, NULL), -1);
	eq_i64(flows_read(m, &table), 0);
	eq_u64(table.total.dir[FLOW_RX].seen, 2);
	eq_u64(table.total.dir[FLOW_RX].verdict[VERDICT_OTHERHOST].packets, 1);
	eq_u64(table.total.dir[FLOW_RX].verdict[VERDICT_OTHERHOST].bytes, p.len);
	eq_u64(table.total.dir[FLOW_RX].verdict[VERDICT_FLOW].packets, 1);
	eq_u64(table.total.dir[FLOW_TX].verdict[VERDICT_FLOW].packets, 1);
	eq_u64(table.total.dir[FLOW_TX].verdict[VERDICT_OTHERHOST].packets, 0);
	flows_free(&table);
	monitor_free(m);
}

TEST(frames_for_other_hosts_are_not_received)
{
	if (!is_root())
		skip("needs root");
	for (int parser = 0; parser < MONITOR_PARSER_MAX; parser++)
		check_other_hosts(parser);
}

TEST(interfaces_that_are_no_hosts_are_counted_apart)
{
	static const struct {
		uint32_t base, n_hosts;
		int host; /* -1: stray */
	} rows[] = {
		{1, 1, 0}, {1, 9, 0}, {0, 9, 1}, {0, 2, 1},
		{0xffffffff, 9, 2}, {2, 9, -1}, {100, 9, -1},
	};

	if (!is_root())
		skip("needs root");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct monitor_config config = {
			.base_ifindex = rows[i].base,
			.n_hosts = rows[i].n_hosts,
		};
		struct flow_table table = {0};
		struct monitor *m = NULL;
		struct error err;
		struct packet p;

		build_flow(&p, 1);
		if (!eq_i64(monitor_open(&config, &err, &m), 0))
			return;
		eq_i64(run(m, FLOW_TX, &p, p.len, NULL), -1);
		eq_i64(flows_read(m, &table), 0);
		eq_u64(table.total.dir[FLOW_TX].seen, 1);
		eq_u64(table.stray.dir[FLOW_TX].seen, rows[i].host < 0);
		if (rows[i].host >= 0)
			eq_u64(table.hosts[rows[i].host].dir[FLOW_TX].seen, 1);
		eq_u64(table.n, 1);
		flows_free(&table);
		monitor_free(m);
	}
}

TEST(a_full_table_loses_nothing_silently)
{
	enum { FLOWS = 100, ROUNDS = 3, CAPACITY = 16 };
	struct monitor_config config = {.capacity = CAPACITY, .slots = SLOTS_MIN};
	struct flow_table table = {0};
	uint64_t packets = 0, bytes = 0;
	const struct host_count *tx;
	struct monitor *m;
	struct packet p;

	if (!is_root())
		skip("needs root");
	m = open_monitor(&config);
	if (!m)
		return;
	for (int i = 0; i < FLOWS * ROUNDS; i++) {
		build_flow(&p, i % FLOWS);
		eq_i64(run(m, FLOW_TX, &p, p.len, NULL), -1);
	}
	eq_i64(flows_read(m, &table), 0);
	tx = &table.total.dir[FLOW_TX];
	for (size_t i = 0; i < table.n; i++) {
		packets += table.rows[i].value.tx.packets;
		bytes += table.rows[i].value.tx.bytes;
	}
	ok(table.n >= CAPACITY && table.n < FLOWS);
	eq_u64(tx->seen, FLOWS * ROUNDS);
	eq_u64(tx->verdict[VERDICT_FLOW].packets, packets);
	eq_u64(tx->verdict[VERDICT_FLOW].bytes, bytes);
	ok(tx->verdict[VERDICT_LOST].packets > 0);
	eq_u64(packets + tx->verdict[VERDICT_LOST].packets, FLOWS * ROUNDS);
	eq_u64(bytes + tx->verdict[VERDICT_LOST].bytes, FLOWS * ROUNDS * p.len);
	flows_free(&table);
	monitor_free(m);
}

/* As many flows as promised, from every CPU, nearly all of them in the hash. */
TEST(flows_of_all_cpus_are_summed_up_to_the_capacity)
{
	enum { FLOWS = 3000 };
	struct monitor_config config = {.capacity = FLOWS, .slots = 64};
	struct flow_table table = {0};
	struct monitor *m;
	cpu_set_t home;
	int n_cpus = 0;

	if (!is_root())
		skip("needs root");
	m = open_monitor(&config);
	if (!m)
		return;
	if (!ok(sched_getaffinity(0, sizeof(home), &home) == 0))
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE && n_cpus < 4; cpu++) {
		if (!CPU_ISSET(cpu, &home) || !pin_to_cpu(cpu))
			continue;
		n_cpus++;
		for (int i = 0; i < FLOWS; i++) {
			struct packet p;

			build_flow(&p, i);
			if (!eq_i64(run(m, FLOW_TX, &p, p.len, NULL), -1))
				break;
		}
	}
	(void)sched_setaffinity(0, sizeof(home), &home); /* it was so before */
	eq_i64(flows_read(m, &table), 0);
	eq_u64(table.n, FLOWS);
	eq_u64(table.total.dir[FLOW_TX].verdict[VERDICT_LOST].packets, 0);
	for (size_t i = 0; i < table.n; i++) {
		if (!eq_u64(table.rows[i].value.tx.packets, n_cpus) ||
		    !ok(i == 0 || memcmp(&table.rows[i - 1].key, &table.rows[i].key,
					 sizeof(struct flow_key)) < 0))
			break;
	}
	flows_free(&table);
	monitor_free(m);
}

/* ---- ageing ---- */

/* A thread on each CPU sends packets of the same flows: all in slots, or (with two of them) most in the hash. */
enum { HAMMER_FLOWS = 3 * SLOTS_MIN, HAMMER_CPUS = 4 };

struct hammer {
	struct monitor *monitor;
	pthread_t thread;
	int cpu;
	bool *stop;
	uint64_t sent[HAMMER_FLOWS];
	int failed;
};

static void *hammer_flows(void *arg)
{
	struct hammer *h = arg;
	struct packet packets[HAMMER_FLOWS];

	(void)pin_to_cpu(h->cpu);
	for (int i = 0; i < HAMMER_FLOWS; i++)
		build_flow(&packets[i], i);
	for (int i = 0; !__atomic_load_n(h->stop, __ATOMIC_RELAXED) && !h->failed; i = (i + 1) % HAMMER_FLOWS) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packets[i].data, .data_size_in = packets[i].len, .repeat = 50);

		h->failed = bpf_prog_test_run_opts(monitor_prog_fd(h->monitor, FLOW_TX), &opts);
		h->sent[i] += 50;
	}
	return NULL;
}

/* All flows count as idle at every reading, so each is taken out again and again while packets come for it. */
static void hammer(uint32_t slots)
{
	enum { STEPS = 60, PACKETS = 200000 };
	struct monitor_config config = {.capacity = 64, .slots = slots, .idle_ns = 1};
	struct hammer hammers[HAMMER_CPUS];
	struct flow_table table = {0};
	uint64_t sent[HAMMER_FLOWS] = {0}, before = 0;
	bool stop = false;
	cpu_set_t home;
	int n = 0;
	struct monitor *m = open_monitor(&config);

	if (!m || !ok(sched_getaffinity(0, sizeof(home), &home) == 0))
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE && n < HAMMER_CPUS; cpu++) {
		if (!CPU_ISSET(cpu, &home))
			continue;
		hammers[n] = (struct hammer){.monitor = m, .cpu = cpu, .stop = &stop};
		if (ok(pthread_create(&hammers[n].thread, NULL, hammer_flows, &hammers[n]) == 0))
			n++;
	}
	for (int step = 0; step < STEPS || before < PACKETS; step++) {
		uint64_t packets = 0;

		eq_i64(flows_read(m, &table), 0);
		for (size_t i = 0; i < table.n; i++)
			packets += table.rows[i].value.tx.packets;
		if (!ok(packets >= before))
			t_note("step %d: %" PRIu64 " after %" PRIu64, step, packets, before);
		before = packets;
		if (!eq_i64(flows_age(m), 0))
			break;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < n; i++) {
		(void)pthread_join(hammers[i].thread, NULL);
		eq_i64(hammers[i].failed, 0);
		for (int f = 0; f < HAMMER_FLOWS; f++)
			sent[f] += hammers[i].sent[f];
	}
	for (int step = 0; step < 4; step++) { /* and all of them out, at last */
		eq_i64(flows_read(m, &table), 0);
		eq_i64(flows_age(m), 0);
	}
	eq_i64(flows_read(m, &table), 0);
	eq_u64(table.n, HAMMER_FLOWS);
	eq_u64(table.aged, HAMMER_FLOWS);
	eq_u64(table.total.dir[FLOW_TX].verdict[VERDICT_LOST].packets, 0);
	for (int f = 0; f < HAMMER_FLOWS; f++) {
		const struct flow_row *row;
		struct packet p;
		struct parsed parsed;
		struct cursor cursor;

		build_flow(&p, f);
		cursor_init(&cursor, p.data, p.len, p.len);
		eq_i64(parse_frame(&cursor, ports, &parsed), VERDICT_FLOW);
		row = flows_find(&table, &parsed.key);
		if (ok(row != NULL)) {
			eq_u64(row->value.tx.packets, sent[f]);
			eq_u64(row->value.tx.bytes, sent[f] * p.len);
		}
	}
	t_note("%" PRIu64 " packets", before);
	flows_free(&table);
	monitor_free(m);
}

TEST(flows_hammered_in_slots_age_exactly)
{
	if (!is_root())
		skip("needs root");
	hammer(0);
}

TEST(flows_hammered_in_the_hash_age_exactly)
{
	if (!is_root())
		skip("needs root");
	hammer(SLOTS_MIN);
}

/* Ten times as many flows as the tables hold, one after the other. */
TEST(flows_that_come_and_go_are_never_too_many)
{
	enum { CAPACITY = 256, FLOWS = 10 * CAPACITY, AT_ONCE = 64 };
	struct monitor_config config = {.capacity = CAPACITY, .slots = 16, .idle_ns = 1};
	struct flow_table table = {0};
	uint64_t packets = 0, bytes = 0;
	size_t n_rows = 0;
	struct monitor *m;
	struct packet p;

	if (!is_root())
		skip("needs root");
	m = open_monitor(&config);
	if (!m)
		return;
	for (int begin = 0; begin < FLOWS; begin += AT_ONCE) {
		for (int i = 0; i < AT_ONCE; i++) {
			build_flow(&p, begin + i);
			eq_i64(run(m, FLOW_TX, &p, p.len, NULL), -1);
		}
		for (int step = 0; step < 2; step++) {
			eq_i64(flows_read(m, &table), 0);
			eq_i64(flows_age(m), 0);
		}
		n_rows = table.n > n_rows ? table.n : n_rows;
	}
	eq_i64(flows_read(m, &table), 0);
	for (size_t i = 0; i < table.n; i++) {
		packets += table.rows[i].value.tx.packets;
		bytes += table.rows[i].value.tx.bytes;
	}
	eq_u64(packets, FLOWS);
	eq_u64(bytes, (uint64_t)FLOWS * p.len);
	eq_u64(table.total.dir[FLOW_TX].verdict[VERDICT_LOST].packets, 0);
	ok(table.folded > 0 && table.folded < FLOWS);
	if (!ok(n_rows <= 2 * CAPACITY))
		t_note("%zu rows", n_rows);
	flows_free(&table);
	monitor_free(m);
}

/* Known flows go on, also on a CPU they never were on, while flows age and a scan takes all the room there is. */
TEST(a_scan_costs_known_flows_nothing)
{
	enum { CAPACITY = 64, KNOWN = 16, ROUNDS = 12, SCAN = 500 };
	/* Idle is what did not change since the reading before. */
	struct monitor_config config = {.capacity = CAPACITY, .slots = SLOTS_MIN, .idle_ns = 16};
	struct flow_table table = {0};
	struct flow_health health;
	uint64_t known = 0;
	struct monitor *m;
	cpu_set_t home;
	struct packet p;

	if (!is_root())
		skip("needs root");
	m = open_monitor(&config);
	if (!m)
		return;
	if (!ok(sched_getaffinity(0, sizeof(home), &home) == 0))
		return;
	for (int round = 0; round < ROUNDS; round++) {
		(void)pin_to_cpu(round % 4 < 2 ? 0 : 1); /* where there is one */
		for (int i = 0; i < KNOWN; i++) {
			build_flow(&p, i);
			eq_i64(run(m, FLOW_TX, &p, p.len, NULL), -1);
		}
		eq_i64(flows_read(m, &table), 0);
		eq_i64(flows_age(m), 0);
		for (int i = 0; i < SCAN && round > 0; i++) {
			build_flow(&p, 1000 + round * SCAN + i);
			memset(p.data, 0, 6); /* to the loopback device's address */
			eq_i64(run(m, FLOW_RX, &p, p.len, NULL), -1);
		}
	}
	(void)sched_setaffinity(0, sizeof(home), &home); /* it was so before */
	eq_i64(flows_read(m, &table), 0);
	for (size_t i = 0; i < table.n; i++)
		known += table.rows[i].value.tx.packets;
	eq_u64(known, KNOWN * ROUNDS);
	ok(table.aged > 0);
	flows_get_health(&table, &health);
	eq_u64(health.lost, health.lost_received);
	ok(health.lost > 0);
	eq_u64(health.lost_bytes, health.lost * p.len);
	flows_free(&table);
	monitor_free(m);
}

/* ---- real packets ---- */

/* Enters a new namespace with its loopback device up; home_fd leads back. */
static bool enter_new_netns(int *ret_home_fd)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	*ret_home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!ok(*ret_home_fd >= 0) || !ok(unshare(CLONE_NEWNET) == 0))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!ok(fd >= 0) || !ok(ioctl(fd, SIOCSIFFLAGS, &request) == 0))
		return false;
	close(fd);
	return true;
}

static void leave_netns(int home_fd)
{
	ok(setns(home_fd, CLONE_NEWNET) == 0);
	close(home_fd);
}

/*
 * The kernel's own packet and byte counters of lo; received and sent are the same on it. It counts
 * bytes after it took off the Ethernet header, unlike all other devices.
 */
static void read_loopback_counters(uint64_t *ret_packets, uint64_t *ret_bytes)
{
	FILE *f = fopen("/proc/thread-self/net/dev", "re");
	char line[512];

	*ret_packets = *ret_bytes = 0;
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (colon && strstr(line, "lo"))
			(void)sscanf(colon + 1, "%" SCNu64 " %" SCNu64, ret_bytes, ret_packets);
	}
	if (f)
		fclose(f);
	*ret_bytes += *ret_packets * 14;
}

/* One datagram to the tunnel port whose bytes lie in pages of their own, behind linear headers. */
static bool send_spliced(const uint8_t *payload, size_t len)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(4789),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct iovec iov = {(void *)payload, len};
	int pipe_fds[2], fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good = ok(fd >= 0) && ok(pipe2(pipe_fds, O_CLOEXEC) == 0);

	good = good && ok(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	good = good && eq_i64(vmsplice(pipe_fds[1], &iov, 1, 0), len);
	good = good && eq_i64(splice(pipe_fds[0], NULL, fd, NULL, len, 0), len);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(fd);
	return good;
}

static bool send_raw(const struct packet *p)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(0x0800),
		.sll_ifindex = LOOPBACK,
		.sll_halen = 6,
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	bool good = ok(fd >= 0) && eq_i64(sendto(fd, p->data, p->len, 0, (struct sockaddr *)&to,
						 sizeof(to)), p->len);

	close(fd);
	return good;
}

/* Each way to send, counted by the hooks as by the interface, and parsed to one flow. */
static void check_one_packet(const struct packet *p, bool spliced, enum monitor_parser parser)
{
	struct monitor_config config = {.parser = parser};
	static const size_t outer_len = 14 + 20 + 8;
	struct flow_table table = {0};
	uint64_t packets, bytes;
	struct monitor *m;
	struct error err;
	int home_fd;

	m = open_monitor(&config);
	if (!m || !enter_new_netns(&home_fd))
		return;
	if (eq_i64(monitor_attach(m, -1, LOOPBACK, &err), 0)) {
		ok(spliced ? send_spliced(p->data + outer_len, p->len - outer_len) : send_raw(p));
		usleep(20000); /* lo delivers at once, in softirq; this is for a busy machine */
		eq_i64(flows_read(m, &table), 0);
		read_loopback_counters(&packets, &bytes);
		/* Nobody listens: the port unreachable message is the second packet. */
		for (int dir = 0; dir < FLOW_DIR_MAX; dir++) {
			const struct host_count *count = &table.hosts[0].dir[dir];

			eq_u64(count->seen, packets);
			eq_u64(count->seen_bytes, bytes);
			eq_u64(count->verdict[VERDICT_FLOW].packets, 1);
			eq_u64(count->verdict[VERDICT_FLOW].bytes, p->len);
			eq_u64(count->verdict[VERDICT_OTHER].packets, packets - 1);
		}
		if (eq_u64(table.n, 1)) {
			eq_u64(table.rows[0].value.tx.bytes, p->len);
			eq_u64(table.rows[0].value.rx.bytes, p->len);
			eq_u64(table.rows[0].value.tx.inner_bytes,
			       table.rows[0].value.rx.inner_bytes);
			eq_u64(table.rows[0].key.inner_ipproto, 17);
		}
		eq_i64(monitor_detach(m, -1, LOOPBACK, &err), 0);
	} else {
		t_note("%s", err.text);
	}
	leave_netns(home_fd);
	flows_free(&table);
	monitor_free(m);
}

/*
 * Many flows, all at once and on one CPU. Room in the hash is made while packets are processed, where the kernel may run short
 * of memory that it need not sleep for: they are to find places in the slots, in a large lab all that are promised.
 */
static void burst(uint32_t n_hosts, int flows)
{
	enum { BATCH = 500 };
	static struct packet packets[BATCH];
	struct monitor_config config = {.n_hosts = n_hosts};
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(0x0800),
		.sll_ifindex = LOOPBACK,
		.sll_halen = 6,
	};
	struct flow_table table = {0};
	struct monitor *m;
	struct error err;
	int home_fd, fd;

	m = open_monitor(&config);
	if (!m || !enter_new_netns(&home_fd))
		return;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	eq_i64(monitor_attach(m, -1, LOOPBACK, &err), 0);
	for (int begin = 0; begin < flows; begin += BATCH) {
		static struct mmsghdr messages[BATCH];
		static struct iovec iovs[BATCH];

		for (int i = 0; i < BATCH; i++) {
			build_flow(&packets[i], begin + i);
			memset(packets[i].data, 0, 6); /* the loopback device's address */
			iovs[i] = (struct iovec){packets[i].data, packets[i].len};
			messages[i].msg_hdr = (struct msghdr){
				.msg_name = &to, .msg_namelen = sizeof(to),
				.msg_iov = &iovs[i], .msg_iovlen = 1,
			};
		}
		if (!eq_i64(sendmmsg(fd, messages, BATCH, 0), BATCH))
			break;
	}
	usleep(50000); /* as above */
	eq_i64(flows_read(m, &table), 0);
	eq_u64(table.n, flows);
	for (int dir = 0; dir < FLOW_DIR_MAX; dir++) {
		eq_u64(table.total.dir[dir].verdict[VERDICT_FLOW].packets, flows);
		eq_u64(table.total.dir[dir].verdict[VERDICT_LOST].packets, 0);
	}
	close(fd);
	leave_netns(home_fd);
	flows_free(&table);
	monitor_free(m);
}

TEST(a_burst_of_new_flows_is_not_lost)
{
	if (!is_root())
		skip("needs root");
	burst(1, 40000);
	burst(100, MONITOR_CAPACITY_DEFAULT / 500 * 500);
}

TEST(headers_outside_the_linear_part_are_found)
{
	struct packet p;

	if (!is_root())
		skip("needs root");
	build_flow(&p, 1);
	for (int parser = 0; parser < MONITOR_PARSER_MAX; parser++)
		check_one_packet(&p, true, parser);
}

/* On receipt the kernel moves the tag from the packet to beside it: it still was on the wire. */
TEST(a_tag_beside_the_packet_counts)
{
	struct packet p = {0};

	if (!is_root())
		skip("needs root");
	put_bytes(&p, "\0\0\0\0\0\0\x02\0\0\0\0\x01", 12);
	put_u16(&p, 0x8100);
	put_vlan(&p, 7, 0x0800);
	put_ipv4(&p, 1, 17);
	put_udp(&p, 4789);
	put_vxlan(&p, 0x08, 10000);
	put_ethernet(&p, 0x0800);
	put_ipv4(&p, 2, 17);
	put_udp(&p, 7);
	put_payload(&p, 64);
	packet_finish(&p);
	for (int parser = 0; parser < MONITOR_PARSER_MAX; parser++)
		check_one_packet(&p, false, parser);
}

TEST(attaching_fails_with_a_reason_and_goes_home)
{
	struct error err = {""};
	struct monitor *m;
	int home_fd, ns_fd;
	char before[64] = "", after[64] = "";

	if (!is_root())
		skip("needs root");
	m = open_monitor(NULL);
	if (!m || !enter_new_netns(&home_fd))
		return;
	ns_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	ok(ns_fd >= 0);
	leave_netns(home_fd);
	ok(readlink("/proc/thread-self/ns/net", before, sizeof(before) - 1) > 0);

	eq_i64(monitor_attach(m, ns_fd, 4711, &err), -ENODEV);
	ok(strstr(err.text, "4711") != NULL);
	eq_i64(monitor_detach(m, ns_fd, LOOPBACK, &err), -ENOENT);
	for (int i = 0; i < 3; i++) {
		eq_i64(monitor_attach(m, ns_fd, LOOPBACK, &err), 0);
		eq_i64(monitor_attach(m, ns_fd, LOOPBACK, &err), -EEXIST);
		ok(strstr(err.text, "already") != NULL);
		eq_i64(monitor_detach(m, ns_fd, LOOPBACK, &err), 0);
	}
	ok(readlink("/proc/thread-self/ns/net", after, sizeof(after) - 1) > 0);
	eq_str(after, before);
	eq_i64(monitor_attach(m, 0, LOOPBACK, &err), -EINVAL); /* standard input is no namespace */
	ok(readlink("/proc/thread-self/ns/net", after, sizeof(after) - 1) > 0);
	eq_str(after, before);
	close(ns_fd);
	monitor_free(m);
}

TEST(opening_fails_with_a_reason)
{
	static const struct monitor_config bad[] = {
		{.capacity = MONITOR_CAPACITY_MAX + 1},
		{.n_hosts = MONITOR_HOSTS_MAX + 1},
		{.ports = {{.port = 1, .encap = ENCAP_MAX}}},
		{.parser = MONITOR_PARSER_MAX},
	};
	struct monitor *m = NULL;
	struct error err;
	int status;
	pid_t pid;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		eq_i64(monitor_open(&bad[i], &err, &m), -EINVAL);
		ok(strncmp(err.text, "monitor: ", 9) == 0);
	}
	ok(m == NULL);
	monitor_free(NULL);

	fflush(stdout);
	pid = fork();
	if (!ok(pid >= 0))
		return;
	if (pid == 0) {
		struct monitor_config config = {0};

		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(2);
		if (monitor_open(&config, &err, &m) != -EPERM)
			_exit(3);
		_exit(strstr(err.text, "root") ? 0 : 4);
	}
	ok(waitpid(pid, &status, 0) == pid);
	ok(WIFEXITED(status));
	eq_i64(WEXITSTATUS(status), 0);
}
