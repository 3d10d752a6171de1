/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes idle flows out of the kernel's tables, so that these hold what is going on and not all that ever
 * was. Exact: a packet that comes while its flow is taken out is counted, once.
 *
 * What makes it hard is that programs add to counters without a lock. A program that has found its counters
 * may still add to them after they were marked; but none that begins later does. So each step is: change what
 * programs will find; wait for those that had begun before (reader_limits.quiesce); what the change
 * hid is then nobody's, and its value final. Steps are a sixteenth of the idle time apart, and one wait serves
 * all that is under way.
 *
 * A slot: its tag is made SLOT_RETIRING, which no program takes for a flow or for free. A packet of that flow finds
 * another of its slots or the hash. A step later, the value is added to the row's aged part and zeroed, and the tag made
 * SLOT_CLEARED: were it free at once, a program could see that and yet, on a CPU that reads out of order, the
 * value of before. Another step later it is SLOT_FREE.
 *
 * The hash: there an entry cannot be hidden, so all are. Two hashes take turns. Into the idle one go, with
 * zeros, the flows of the other that are not idle: they are known, and must find room whatever else
 * comes in the meantime. Then the generation is counted up, and a step later the hash before is emptied into the
 * aged parts. Done only where an eighth of a hash is idle, as it costs an insertion for each flow that is not.
 *
 * A row counts what is in the kernel plus its aged part, so it never shrinks, and goes on where its flow
 * comes back.
 *
 * Room for known flows: a flow has a slot on each CPU that saw it, and on another CPU may find them taken and, in a scan, the
 * hash full. So while the tables are not a sixteenth full, each flow gets an entry in the hash as well, soon after it was first
 * seen: what comes later cannot take its room.
 *
 * Rows are bounded as well. If more have aged than reader_limits.kept, those idle longest, down to three quarters,
 * are summed up in rows with the tunnel, its number and its ends, but no inner addresses (FLOW_AGED): totals by
 * these stay exact. Where even these become too many, for outer addresses can be forged, in one per tunnel.
 */
#include "monitor/reader_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	STEPS = 16,        /* in the time after which a flow is idle */
	HASH_SHARE = 8,    /* so many times its idle flows, and a hash is emptied */
	ROOM_SHARE = 16,   /* of the hash, for flows that have slots */
	ROOM_AT_ONCE = 4096, /* flows, a call; each is a system call */
	FOLD_ROWS = 4,     /* of kept rows, at most this part's number are sums by VTEPs */
};

/*
 * Programs run within an RCU read section; the kernel waits for these. Not with nohz_full CPUs (-EINVAL),
 * nor without CONFIG_MEMBARRIER (-ENOSYS).
 */
int reader_quiesce(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0 ? -errno : 0;
}

static bool is_idle(const struct reader *r, const struct kept *row)
{
	return r->read_ns - row->changed_ns >= reader_idle_ns(r);
}

/* ---- slots ---- */

static void set_tag(struct flow_slot *slot, uint32_t tag)
{
	__atomic_store_n(&slot->tag, tag, __ATOMIC_RELEASE);
}

static void step_slots(struct reader *r)
{
	size_t n = (size_t)r->maps.n_cpus * r->maps.slots_per_cpu;

	r->slots_waiting = false;
	for (size_t i = 0; i < n; i++) {
		struct flow_slot *slot = &r->maps.slots[i];
		uint32_t tag = __atomic_load_n(&slot->tag, __ATOMIC_ACQUIRE);
		struct kept *row = r->slot_rows[i] ? &r->rows[r->slot_rows[i] - 1] : NULL;

		if (tag == SLOT_CLEARED) {
			set_tag(slot, SLOT_FREE);
		} else if (tag == SLOT_RETIRING) {
			flow_value_add(&row->aged, &slot->value);
			memset(&slot->value, 0, sizeof(slot->value));
			memset(&slot->key, 0, sizeof(slot->key));
			r->slot_rows[i] = 0;
			set_tag(slot, SLOT_CLEARED);
			r->slots_waiting = true;
		} else if (tag != SLOT_FREE && row && is_idle(r, row)) {
			set_tag(slot, SLOT_RETIRING);
			r->slots_waiting = true;
		}
	}
}

/* ---- the hash ---- */

static int know_entry(struct reader *r, const struct flow_key *key, const struct flow_value *sum)
{
	(void)sum;
	return reader_row(r, key) < 0 ? -ENOMEM : 0;
}

static int age_entry(struct reader *r, const struct flow_key *key, const struct flow_value *sum)
{
	flow_value_add(&r->rows[reader_row(r, key)].aged, sum);
	return 0;
}

/* The rows are made before anything is taken out: after that, nothing may fail. */
static int empty_hash(struct reader *r, int map_fd)
{
	int ret = reader_each(r, map_fd, false, know_entry);

	return ret < 0 ? ret : reader_each(r, map_fd, true, age_entry);
}

/* Busy flows of the one hash, with zeros, into the other, which is empty. */
static int move_busy(struct reader *r, int to_fd)
{
	uint32_t n = 0;
	int ret = 0;

	memset(r->values, 0, (size_t)READER_BATCH * r->maps.n_cpus * sizeof(*r->values));
	for (size_t i = 0; i <= r->n && ret == 0; i++) {
		if (i < r->n && r->rows[i].in_hash && !is_idle(r, &r->rows[i]))
			r->keys[n++] = r->rows[i].key;
		if (n == READER_BATCH || (i == r->n && n > 0)) {
			ret = bpf_map_update_batch(to_fd, r->keys, r->values, &n, NULL);
			n = 0;
		}
	}
	return ret;
}

static int step_hash(struct reader *r)
{
	uint32_t generation = r->maps.generation ? *r->maps.generation : 0;
	int other_fd = r->maps.flows_fd[(generation + 1) % FLOW_HASHES], ret = 0;

	if (other_fd < 0)
		return 0;
	if (r->hash_waiting) {
		ret = empty_hash(r, other_fd);
		r->hash_waiting = ret < 0;
	} else if (r->idle_in_hash > 0 && r->idle_in_hash * HASH_SHARE >= r->in_hash) {
		ret = move_busy(r, other_fd);
		if (ret == 0)
			*r->maps.generation = generation + 1;
		r->hash_waiting = true; /* either way, that one is to be emptied */
	}
	return ret;
}

/* A batch would overwrite what a program counts in an entry made in the meantime. */
static int make_room(struct reader *r)
{
	int fd = r->maps.generation ? r->maps.flows_fd[*r->maps.generation % FLOW_HASHES] : -1, ret = 0;
	size_t n = 0;

	if (fd < 0 || r->live * ROOM_SHARE > r->maps.capacity)
		return 0;
	memset(r->values, 0, r->maps.n_cpus * sizeof(*r->values));
	for (size_t i = 0; i < r->n && n < ROOM_AT_ONCE && ret == 0; i++) {
		const struct kept *row = &r->rows[i];

		if (!row->in_slots || row->in_hash || is_idle(r, row))
			continue;
		n++;
		ret = bpf_map_update_elem(fd, &row->key, r->values, BPF_NOEXIST);
		if (ret == -EEXIST)
			ret = 0;
	}
	return ret == -ENOMEM || ret == -E2BIG ? 0 : ret; /* it is room for later: perhaps there is none now */
}

/* ---- a bound on rows ---- */

static int64_t row_of_sum(struct reader *r, const struct flow_key *key)
{
	size_t before = r->n;
	struct flow_key sum;
	int64_t row;

	flow_sum_key(key, true, &sum);
	if (r->fold_rows >= r->limits.kept / FOLD_ROWS && !reader_knows(r, &sum))
		flow_sum_key(key, false, &sum);
	row = reader_row(r, &sum);
	r->fold_rows += r->n > before;
	return row;
}

static bool may_fold(const struct kept *row)
{
	return !row->in_slots && !row->in_hash && row->key.inner_ethertype != FLOW_AGED;
}

static int compare_times(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* When the n-th of the flows that ceased first had its last packet. -ENOMEM. */
static int time_of_nth(const struct reader *r, size_t n, uint64_t *ret)
{
	uint64_t *times = reallocarray(NULL, r->n, sizeof(*times));
	size_t n_times = 0;

	if (!times)
		return -ENOMEM;
	for (size_t i = 0; i < r->n; i++) {
		if (may_fold(&r->rows[i]))
			times[n_times++] = r->rows[i].changed_ns;
	}
	qsort(times, n_times, sizeof(*times), compare_times);
	*ret = times[n - 1];
	free(times);
	return 0;
}

static int fold_row(struct reader *r, size_t row)
{
	int64_t sum = row_of_sum(r, &r->rows[row].key);

	if (sum < 0)
		return -ENOMEM;
	flow_value_add(&r->rows[sum].aged, &r->rows[row].aged);
	r->rows[row].gone = true;
	r->folded++;
	return 0;
}

/* The rows that are left close up; numbers of rows are changed wherever they are kept. */
static void close_up(struct reader *r)
{
	size_t n_slots = (size_t)r->maps.n_cpus * r->maps.slots_per_cpu, n = 0, n_order = 0, n_ordered = 0;

	for (size_t i = 0; i < r->n; i++) {
		r->rows[i].moved = (uint32_t)n;
		n += !r->rows[i].gone;
	}
	for (size_t i = 0; i < n_slots; i++) {
		if (r->slot_rows[i])
			r->slot_rows[i] = r->rows[r->slot_rows[i] - 1].moved + 1;
	}
	for (size_t i = 0; i < r->n; i++) {
		const struct kept *row = &r->rows[r->order[i]];

		if (!row->gone) {
			n_ordered += i < r->n_ordered;
			r->order[n_order++] = row->moved;
		}
	}
	for (size_t i = 0; i < r->n; i++) {
		if (!r->rows[i].gone)
			r->rows[r->rows[i].moved] = r->rows[i];
	}
	r->n = n;
	r->n_ordered = n_ordered;
	reader_index(r);
}

static int fold_oldest(struct reader *r, size_t n)
{
	size_t n_rows = r->n; /* sums come behind them */
	uint64_t until;
	int ret = time_of_nth(r, n, &until);

	for (size_t i = 0; i < n_rows && n > 0 && ret == 0; i++) {
		if (may_fold(&r->rows[i]) && r->rows[i].changed_ns <= until) {
			ret = fold_row(r, i);
			n--;
		}
	}
	close_up(r);
	return ret;
}

static int age(struct reader *r)
{
	size_t aged = r->n - r->live - r->fold_rows;
	int ret = r->homeless ? make_room(r) : 0;

	if (ret < 0)
		return ret;
	if (r->read_ns - r->aged_ns < r->limits.idle_ns / STEPS)
		return 0;
	r->aged_ns = r->read_ns;
	if (aged > r->limits.kept) {
		ret = fold_oldest(r, aged - r->limits.kept / 4 * 3);
		if (ret < 0)
			return ret;
	}
	if (!r->slots_waiting && !r->hash_waiting && !r->idle)
		return 0;
	ret = r->limits.quiesce(); /* also before the first step: where it cannot be done, nothing is begun */
	if (ret < 0)
		return ret;
	step_slots(r);
	return step_hash(r);
}

int reader_age(struct reader *r)
{
	int ret = r->unable ? 0 : age(r);

	r->unable |= ret < 0;
	return ret;
}
