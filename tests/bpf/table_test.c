/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flow tables in the kernel, through bpf_prog_test_run: what fits and what is lost, what ages, and what a scan may not cost.
 * Needs root; skips aloud without.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>

#include "tests/bpf/kit.h"

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
