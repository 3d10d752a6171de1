/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor/reader.c and ageing.c on made-up maps, and the join of samples over flows that are summed up. No kernel: a
 * few lines here do what the BPF program does with slots.
 */
#include <errno.h>
#include <stdlib.h>

#include "monitor/flows.h"
#include "monitor/reader.h"
#include "monitor/sample.h"
#include "tests/unit/t.h"

enum { CPUS = 2, SLOTS = 4, HOSTS = 3, SECOND = 1000000000 };

static struct flow_key key_of(uint32_t n)
{
	struct flow_key key = {.vni = n * 7919, .inner_ethertype = 0x0800, .encap = ENCAP_VXLAN};

	key.outer_src[15] = n % 3;
	key.inner_dst[14] = n >> 8;
	key.inner_dst[15] = n;
	return key;
}

static const struct flow_value one = {.tx = {1, 100, 50}, .rx = {2, 200, 100}};

/* What quiesce() does beside returning: a program that was on its way writes its counters. */
static struct flow_value *late;
static int quiesced, quiesce_error;

static int quiesce(void)
{
	quiesced++;
	if (quiesce_error)
		return quiesce_error;
	if (late)
		flow_value_add(late, &one);
	late = NULL;
	return 0;
}

struct world {
	struct flow_slot slots[CPUS * SLOTS];
	struct host_counters hosts[CPUS * (HOSTS + 1)];
	struct reader *reader;
	struct flow_table table;
	uint64_t now_ns, sent;
};

static bool make_world(struct world *w, uint32_t capacity, uint32_t kept)
{
	const struct monitor_maps maps = {
		.slots = w->slots, .hosts = w->hosts, .slots_per_cpu = SLOTS, .n_cpus = CPUS, .n_hosts = HOSTS,
		.capacity = capacity, .flows_fd = {-1, -1},
	};
	const struct reader_limits limits = {.idle_ns = 16ull * SECOND, .kept = kept, .quiesce = quiesce};

	late = NULL;
	quiesced = quiesce_error = 0;
	w->now_ns = 100ull * SECOND;
	return eq_i64(reader_new(&maps, &limits, &w->reader), 0);
}

static void free_world(struct world *w)
{
	reader_free(w->reader);
	flows_free(&w->table);
}

/* The program's way to a flow's counters: any slot here serves any flow. NULL: no room. */
static struct flow_value *find(struct world *w, int cpu, const struct flow_key *key)
{
	for (int i = cpu * SLOTS; i < (cpu + 1) * SLOTS; i++) {
		struct flow_slot *slot = &w->slots[i];

		if (slot->tag == flow_tag(key) && memcmp(&slot->key, key, sizeof(*key)) == 0)
			return &slot->value;
	}
	for (int i = cpu * SLOTS; i < (cpu + 1) * SLOTS; i++) {
		struct flow_slot *slot = &w->slots[i];

		if (slot->tag == SLOT_FREE) {
			slot->key = *key;
			slot->tag = flow_tag(key);
			slot->check = flow_check(key);
			return &slot->value;
		}
	}
	return NULL;
}

static bool count(struct world *w, int cpu, uint32_t n)
{
	struct flow_key key = key_of(n);
	struct flow_value *value = find(w, cpu, &key);

	if (!value)
		return false;
	flow_value_add(value, &one);
	w->sent++;
	return true;
}

/* A sampling interval of `seconds`: what is counted is all that was, whatever ages. */
static void pass(struct world *w, unsigned int seconds)
{
	uint64_t packets = 0;

	w->now_ns += seconds * (uint64_t)SECOND;
	eq_i64(reader_read(w->reader, w->now_ns, &w->table), 0);
	for (size_t i = 0; i < w->table.n; i++) {
		packets += w->table.rows[i].value.tx.packets;
		eq_u64(w->table.rows[i].value.rx.bytes, 200 * w->table.rows[i].value.tx.packets);
	}
	eq_u64(packets, w->sent);
	eq_u64(w->table.read_ns, w->now_ns);
}

static void pass_and_age(struct world *w, unsigned int seconds)
{
	pass(w, seconds);
	eq_i64(reader_age(w->reader), 0);
}

static int free_slots(const struct world *w)
{
	int n = 0;

	for (int i = 0; i < CPUS * SLOTS; i++)
		n += w->slots[i].tag == SLOT_FREE;
	return n;
}

static uint64_t packets_of(const struct world *w, uint32_t n)
{
	struct flow_key key = key_of(n);
	const struct flow_row *row = flows_find(&w->table, &key);

	return row ? row->value.tx.packets : 0;
}

/* Two CPUs, four slots each, three hosts. */
TEST(maps_of_all_cpus_are_summed)
{
	struct world w = {0};
	struct flow_slot *slots = w.slots;
	struct host_counters *hosts = w.hosts;
	struct flow_key a = key_of(1), b = key_of(2);
	struct flow_health health;

	if (!make_world(&w, 16, 100))
		return;
	slots[0] = (struct flow_slot){.tag = flow_tag(&a), .check = flow_check(&a), .key = a, .value = one};
	slots[2] = (struct flow_slot){.tag = flow_tag(&b), .check = flow_check(&b), .key = b, .value = one};
	slots[SLOTS + 3] = (struct flow_slot){.tag = flow_tag(&a), .check = flow_check(&a), .key = a, .value = one};
	/* a key of which only the half is visible yet */
	slots[SLOTS] = (struct flow_slot){.tag = flow_tag(&a), .check = flow_check(&a), .key = {.vni = a.vni}, .value = one};

	for (int cpu = 0; cpu < CPUS; cpu++) {
		for (int host = 0; host <= HOSTS; host++) {
			struct host_counters *h = &hosts[cpu * (HOSTS + 1) + host];

			h->dir[FLOW_TX].seen = 100 * (host + 1) - 6;
			h->dir[FLOW_RX].seen = (uint64_t)10 * (host + 1) - 19; /* less than the sum: super-packets */
			h->dir[FLOW_TX].verdict[VERDICT_OTHER] = (struct frame_count){1, 60};
			h->dir[FLOW_RX].verdict[VERDICT_OTHER] = (struct frame_count){7, 70};
			h->dir[FLOW_RX].verdict[VERDICT_LOST] = (struct frame_count){1, 60};
			h->dir[FLOW_TX].verdict[VERDICT_LOST] = (struct frame_count){2, 150};
			h->dir[FLOW_RX].verdict[VERDICT_TRUNCATED] = (struct frame_count){2, 60};
			h->dir[FLOW_TX].verdict[VERDICT_MALFORMED] = (struct frame_count){3, 60};
			h->dir[FLOW_RX].verdict[VERDICT_UNKNOWN] = (struct frame_count){4, 60};
			h->dir[FLOW_RX].verdict[VERDICT_OTHERHOST] = (struct frame_count){5, 60};
			h->dir[FLOW_TX].later_fragments = 6;
		}
	}

	for (int again = 0; again < 2; again++) {
		const struct flow_row *row;

		eq_i64(reader_read(w.reader, 1, &w.table), 0);
		eq_u64(w.table.n, 2);
		row = flows_find(&w.table, &a);
		ok(row && row->value.tx.packets == 2 && row->value.rx.bytes == 400);
		row = flows_find(&w.table, &b);
		ok(row && row->value.tx.packets == 1);
		eq_u64(w.table.n_hosts, HOSTS);
		eq_u64(w.table.hosts[1].dir[FLOW_TX].seen, 400);
		eq_u64(w.table.stray.dir[FLOW_RX].seen, 80);
		eq_u64(w.table.total.dir[FLOW_TX].seen, 2 * (100 + 200 + 300 + 400));
		eq_u64(w.table.capacity, 16);
		eq_u64(w.table.read_ns, 1);

		flows_get_health(&w.table, &health);
		eq_u64(health.seen, 2200);
		eq_u64(health.other_packets, 8); /* once, as sent */
		eq_u64(health.other_bytes, 480);
		eq_u64(health.other_received_packets, 56);
		eq_u64(health.other_received_bytes, 560);
		eq_u64(health.lost, 24);
		eq_u64(health.lost_bytes, 1680);
		eq_u64(health.lost_received, 8);
		eq_u64(health.lost_received_bytes, 480);
		eq_u64(health.truncated, 16);
		eq_u64(health.unknown, 56); /* and malformed */
		eq_u64(health.otherhost, 40);
		eq_u64(health.later_fragments, 48);
	}
	free_world(&w);
}

TEST(an_idle_flow_leaves_its_slots_and_keeps_its_counts)
{
	struct world w = {0};

	if (!make_world(&w, 1000, 100))
		return;
	ok(count(&w, 0, 1) && count(&w, 1, 1) && count(&w, 0, 2));
	pass_and_age(&w, 1);
	eq_i64(quiesced, 0); /* nothing to do */
	for (int i = 0; i < 15; i++) {
		ok(count(&w, 0, 2));
		pass_and_age(&w, 1);
		eq_i64(free_slots(&w), 5);
	}
	for (int i = 0; i < 3; i++) {
		eq_i64(free_slots(&w), 5);
		ok(count(&w, 0, 2));
		pass_and_age(&w, 1);
	}
	eq_i64(free_slots(&w), 7);
	eq_i64(quiesced, 3);
	eq_u64(w.table.n, 2);
	eq_u64(packets_of(&w, 1), 2);
	pass(&w, 1);
	eq_u64(w.table.aged, 1);
	ok(count(&w, 1, 1)); /* and goes on where it comes back */
	pass(&w, 1);
	eq_u64(packets_of(&w, 1), 3);
	eq_u64(w.table.n, 2);
	eq_u64(w.table.aged, 0);
	free_world(&w);
}

/* A program may have found its counters just before they were marked, and write to them any time before quiesce() returns. */
TEST(a_packet_on_its_way_while_its_flow_ages_is_counted)
{
	struct world w = {0};
	struct flow_key key = key_of(1);

	if (!make_world(&w, 1000, 100))
		return;
	ok(count(&w, 0, 1));
	pass(&w, 1);
	late = find(&w, 0, &key);
	pass_and_age(&w, 17); /* quiesces first: late is written */
	w.sent++;
	pass(&w, 0);
	late = &w.slots[0].value; /* found before the mark, written after it */
	eq_u64(w.slots[0].tag, SLOT_RETIRING);
	ok(count(&w, 0, 1)); /* meanwhile another finds another place */
	eq_u64(w.slots[1].tag, flow_tag(&key));
	pass_and_age(&w, 1);
	w.sent++;
	eq_u64(w.slots[0].tag, SLOT_CLEARED);
	pass_and_age(&w, 1);
	eq_u64(w.slots[0].tag, SLOT_FREE);
	eq_u64(w.slots[0].value.tx.packets, 0);
	eq_u64(packets_of(&w, 1), 4);
	free_world(&w);
}

TEST(nothing_ages_where_programs_cannot_be_waited_for)
{
	struct world w = {0};

	if (!make_world(&w, 1000, 100))
		return;
	ok(count(&w, 0, 1));
	pass(&w, 1);
	pass(&w, 17);
	quiesce_error = -ENOSYS;
	eq_i64(reader_age(w.reader), -ENOSYS);
	eq_i64(free_slots(&w), CPUS * SLOTS - 1);
	ok(count(&w, 0, 1));
	quiesced = 0;
	pass_and_age(&w, 1);
	pass_and_age(&w, 17); /* said once, and never tried again */
	eq_i64(quiesced, 0);
	eq_i64(free_slots(&w), CPUS * SLOTS - 1);
	eq_u64(packets_of(&w, 1), 2);
	free_world(&w);
}

/* Half full, idle is what was idle for an eighth of the time. */
TEST(a_filling_table_ages_sooner)
{
	struct world w = {0};

	if (!make_world(&w, 6, 100))
		return;
	for (uint32_t i = 0; i < 4; i++)
		ok(count(&w, 0, i));
	pass_and_age(&w, 1);
	for (int i = 0; i < 6; i++)
		pass_and_age(&w, 1);
	eq_i64(free_slots(&w), CPUS * SLOTS);
	eq_u64(w.table.aged, 4);
	free_world(&w);
}

/* Hundreds of flows, eight at a time, and room for twelve rows of flows gone: the rest are in sums, and all is there. */
TEST(rows_are_bounded_and_their_sum_is_exact)
{
	enum { KEPT = 12, ROUNDS = 60 };
	struct world w = {0};
	uint64_t aged = 0;

	if (!make_world(&w, 4, KEPT))
		return;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		for (uint32_t i = 0; i < SLOTS; i++)
			ok(count(&w, 0, round * SLOTS + i) && count(&w, 1, round * SLOTS + i));
		for (int i = 0; i < 6; i++)
			pass_and_age(&w, 1);
		pass(&w, 1);
		eq_i64(free_slots(&w), CPUS * SLOTS);
		/* sums: three senders, each of many VNIs: KEPT / 4 of them, and one of all */
		if (!ok(w.table.n <= KEPT + SLOTS + KEPT / 4 + 1))
			t_note("%zu rows in round %u", w.table.n, round);
	}
	for (size_t i = 0; i < w.table.n; i++) {
		const struct flow_row *row = &w.table.rows[i];

		if (row->key.inner_ethertype == FLOW_AGED)
			aged += row->value.tx.packets;
		ok(i == 0 || memcmp(&w.table.rows[i - 1].key, &row->key, sizeof(row->key)) < 0);
	}
	ok(w.table.folded >= ROUNDS * SLOTS - KEPT - SLOTS);
	eq_u64(aged, 2 * w.table.folded);
	/* those that went last are the ones kept */
	eq_u64(packets_of(&w, ROUNDS * SLOTS - 1), 2);
	eq_u64(packets_of(&w, 0), 0);
	free_world(&w);
}

/* What a flow had before it was summed up is the sum's from then on, also in the sample before: no rate jumps. */
TEST(samples_join_over_flows_summed_up)
{
	struct flow_key gone = key_of(1), back = key_of(4), stays = key_of(2), sum;
	const struct flow_value two = {.tx = {2, 200, 100}, .rx = {4, 400, 200}}, three = {.tx = {3, 300, 150}, .rx = {6, 600, 300}};
	struct flow_table first = {0}, second = {0};
	struct sample_source source = {.flows = &first};
	struct sample *a = NULL, *b = NULL;
	uint64_t grown = 0;

	flow_sum_key(&gone, false, &sum);
	eq_i64(flows_add(&first, &gone, &one), 0);
	eq_i64(flows_add(&first, &back, &two), 0);
	eq_i64(flows_add(&first, &stays, &one), 0);
	eq_i64(flows_sort(&first), 0);
	eq_i64(flows_add(&second, &sum, &three), 0); /* both of them */
	eq_i64(flows_add(&second, &back, &one), 0);  /* and one anew */
	eq_i64(flows_add(&second, &stays, &two), 0);
	eq_i64(flows_sort(&second), 0);
	second.folded = 2;
	eq_i64(sample_take(&source, &a), 0);
	source = (struct sample_source){.flows = &second, .previous = a};
	eq_i64(sample_take(&source, &b), 0);
	eq_u64(b->n_flows, 3);
	for (size_t i = 0; i < b->n_flows; i++) {
		const struct sample_flow *f = &b->flows[i];

		grown += f->value.tx.packets - f->sent_then.packets;
		if (f->key.inner_ethertype == FLOW_AGED) {
			eq_u64(f->sent_then.packets, 3);
			eq_u64(f->received_then.bytes, 600);
			eq_u64(f->id, 3); /* nobody else's */
		}
	}
	eq_u64(grown, 2);
	sample_unref(a);
	sample_unref(b);
	flows_free(&first);
	flows_free(&second);
}
