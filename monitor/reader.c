/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the maps into rows that stay, and rows in order into a table; see reader.h. */
#include "monitor/reader_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROWS_MIN = 256,
	ROWS_AT_FIRST = 65536, /* at most; memory that is not touched costs nothing, and an index made anew for more does */
	CACHE_LINE = 64,
	AHEAD = 16, /* so many rows ahead of its work a reading fetches what it needs: else it waits for memory most of the time */
};

/* ---- rows ---- */

static inline void fetch(const void *p, size_t size)
{
	for (size_t i = 0; i < size; i += CACHE_LINE)
		__builtin_prefetch((const char *)p + i);
}

/* Where in the index a key's entry is looked for first. */
static size_t index_home(const struct reader *r, const struct flow_key *key)
{
	return flows_hash(key, r->seed) & (r->index_room - 1);
}

/* The index entry of the key, or the free one where it belongs. There is always a free one. */
static uint32_t *index_entry(const struct reader *r, const struct flow_key *key)
{
	size_t i = index_home(r, key);

	while (r->index[i] && memcmp(&r->rows[r->index[i] - 1].key, key, sizeof(*key)) != 0)
		i = (i + 1) & (r->index_room - 1);
	return &r->index[i];
}

static void fill_index(struct reader *r)
{
	for (size_t row = 0; row < r->n; row++)
		*index_entry(r, &r->rows[row].key) = (uint32_t)row + 1;
}

void reader_index(struct reader *r)
{
	memset(r->index, 0, r->index_room * sizeof(*r->index));
	fill_index(r);
}

/* Room for so many rows, a power of two. -ENOMEM leaves what there is. */
static int make_rows(struct reader *r, size_t room)
{
	struct kept *rows;
	uint32_t *index, *order;

	if (room > UINT32_MAX / 2)
		return -ENOMEM;
	rows = reallocarray(r->rows, room, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	r->rows = rows;
	order = reallocarray(r->order, room, sizeof(*order));
	if (!order)
		return -ENOMEM;
	r->order = order;
	index = calloc(room * 2, sizeof(*index));
	if (!index)
		return -ENOMEM;
	free(r->index);
	r->index = index;
	r->room = room;
	r->index_room = room * 2;
	fill_index(r);
	return 0;
}

bool reader_knows(const struct reader *r, const struct flow_key *key)
{
	return *index_entry(r, key);
}

int64_t reader_row(struct reader *r, const struct flow_key *key)
{
	uint32_t *entry = index_entry(r, key);

	if (*entry)
		return *entry - 1;
	if (r->n == r->room) {
		if (make_rows(r, r->room * 2) < 0)
			return -1;
		entry = index_entry(r, key);
	}
	r->rows[r->n] = (struct kept){.key = *key};
	r->order[r->n] = (uint32_t)r->n;
	*entry = (uint32_t)++r->n;
	return (int64_t)r->n - 1;
}

/* ---- making one ---- */

void reader_free(struct reader *r)
{
	if (!r)
		return;
	free(r->rows);
	free(r->index);
	free(r->order);
	free(r->slot_rows);
	free(r->keys);
	free(r->values);
	free(r);
}

int reader_new(const struct monitor_maps *maps, const struct reader_limits *limits, struct reader **ret)
{
	struct reader *r = calloc(1, sizeof(*r));
	size_t room = ROWS_MIN;

	if (!r)
		return -ENOMEM;
	r->maps = *maps;
	r->limits = *limits;
	r->seed = flows_seed();
	while (room < maps->capacity && room < ROWS_AT_FIRST)
		room *= 2;
	r->slot_rows = calloc((size_t)maps->n_cpus * maps->slots_per_cpu, sizeof(*r->slot_rows));
	/* Zeroed: memory checkers do not see the kernel write. */
	r->keys = calloc(READER_BATCH, sizeof(*r->keys));
	r->values = calloc((size_t)READER_BATCH * maps->n_cpus, sizeof(*r->values));
	if (!r->slot_rows || !r->keys || !r->values || make_rows(r, room) < 0) {
		reader_free(r);
		return -ENOMEM;
	}
	*ret = r;
	return 0;
}

/* ---- reading the maps ---- */

/* Once a reading, when it first meets the row: not a walk of its own over them all, for they are more than a cache holds. */
static void begin_row(const struct reader *r, struct kept *row)
{
	if (row->reading == r->reading)
		return;
	row->reading = r->reading;
	row->value = row->aged;
	row->in_slots = row->in_hash = false;
}

/* The row of a taken slot, NULL if its key is still being written. Once seen it holds until the slot is given back. */
static struct kept *slot_row(struct reader *r, size_t i, int *ret_error)
{
	struct flow_key key;
	int64_t row;

	if (r->slot_rows[i])
		return &r->rows[r->slot_rows[i] - 1];
	key = r->maps.slots[i].key;
	if (flow_check(&key) != r->maps.slots[i].check)
		return NULL;
	row = reader_row(r, &key);
	if (row < 0) {
		*ret_error = -ENOMEM;
		return NULL;
	}
	r->slot_rows[i] = (uint32_t)row + 1;
	return &r->rows[row];
}

static void fetch_slot(const struct reader *r, size_t i)
{
	fetch(&r->maps.slots[i], sizeof(*r->maps.slots));
	if (r->slot_rows[i])
		fetch(&r->rows[r->slot_rows[i] - 1], sizeof(*r->rows));
}

static int read_slots(struct reader *r)
{
	size_t n = (size_t)r->maps.n_cpus * r->maps.slots_per_cpu;
	int ret = 0;

	for (size_t i = 0; i < n && ret == 0; i++) {
		if (i + AHEAD < n)
			fetch_slot(r, i + AHEAD);
		const struct flow_slot *slot = &r->maps.slots[i];
		uint32_t tag = __atomic_load_n(&slot->tag, __ATOMIC_ACQUIRE);
		struct kept *row;

		if (tag == SLOT_FREE || tag == SLOT_CLEARED)
			continue;
		row = slot_row(r, i, &ret);
		if (!row)
			continue;
		begin_row(r, row);
		flow_value_add(&row->value, &slot->value);
		row->in_slots = true;
	}
	return ret;
}

/* Sum over CPUs of entry i of a batch. */
static struct flow_value sum_cpus(const struct reader *r, uint32_t i)
{
	const struct flow_value *values = &r->values[(size_t)i * r->maps.n_cpus];
	struct flow_value sum = values[0];

	for (uint32_t cpu = 1; cpu < r->maps.n_cpus; cpu++)
		flow_value_add(&sum, &values[cpu]);
	return sum;
}

/* The index entry where key i of n begins to be looked for, and then, nearer, the row it names. */
static void fetch_entry(const struct reader *r, uint32_t i, uint32_t n)
{
	uint32_t row;

	if (i + AHEAD < n)
		fetch(&r->index[index_home(r, &r->keys[i + AHEAD])], sizeof(*r->index));
	if (i + AHEAD / 2 < n) {
		row = r->index[index_home(r, &r->keys[i + AHEAD / 2])];
		if (row)
			fetch(&r->rows[row - 1], sizeof(*r->rows));
	}
}

int reader_each(struct reader *r, int map_fd, bool remove,
		int (*take)(struct reader *r, const struct flow_key *key, const struct flow_value *sum))
{
	int (*batch)(int, void *, void *, void *, void *, uint32_t *, const struct bpf_map_batch_opts *) =
		remove ? bpf_map_lookup_and_delete_batch : bpf_map_lookup_batch;
	bool first = true, last = false;
	uint32_t position;

	while (map_fd >= 0 && !last) {
		uint32_t n = READER_BATCH;
		int ret = batch(map_fd, first ? NULL : &position, &position, r->keys, r->values, &n, NULL);

		if (ret < 0 && ret != -ENOENT)
			return ret;
		last = ret == -ENOENT;
		first = false;
		for (uint32_t i = 0; i < n; i++) {
			struct flow_value sum = sum_cpus(r, i);

			fetch_entry(r, i, n);
			ret = take(r, &r->keys[i], &sum);
			if (ret < 0)
				return ret;
		}
	}
	return 0;
}

static int add_entry(struct reader *r, const struct flow_key *key, const struct flow_value *sum)
{
	int64_t number = reader_row(r, key);
	struct kept *row;

	if (number < 0)
		return -ENOMEM;
	row = &r->rows[number];
	begin_row(r, row);
	flow_value_add(&row->value, sum);
	row->in_hash = true;
	return 0;
}

static int read_flows(struct reader *r)
{
	int ret = read_slots(r);

	for (int i = 0; i < FLOW_HASHES && ret == 0; i++)
		ret = reader_each(r, r->maps.flows_fd[i], false, add_entry);
	return ret;
}

/* ---- hosts ---- */

static void host_count_add(struct host_count *sum, const struct host_count *part)
{
	sum->seen += part->seen;
	sum->seen_bytes += part->seen_bytes;
	for (int v = 0; v < VERDICT_MAX; v++) {
		sum->verdict[v].packets += part->verdict[v].packets;
		sum->verdict[v].bytes += part->verdict[v].bytes;
	}
	sum->later_fragments += part->later_fragments;
}

static void host_counters_add(struct host_counters *sum, const struct host_counters *part)
{
	for (int dir = 0; dir < FLOW_DIR_MAX; dir++)
		host_count_add(&sum->dir[dir], &part->dir[dir]);
}

/* What the kernel leaves out of seen: see flow.h. */
static void host_count_complete(struct host_count *count)
{
	for (int v = 0; v < VERDICT_MAX; v++) {
		count->seen += count->verdict[v].packets;
		count->seen_bytes += count->verdict[v].bytes;
	}
}

static void host_counters_complete(struct host_counters *counters)
{
	for (int dir = 0; dir < FLOW_DIR_MAX; dir++)
		host_count_complete(&counters->dir[dir]);
}

static int read_hosts(const struct monitor_maps *maps, struct flow_table *table)
{
	struct host_counters *hosts;

	if (maps->n_hosts > table->hosts_room) {
		hosts = reallocarray(table->hosts, maps->n_hosts, sizeof(*hosts));
		if (!hosts)
			return -ENOMEM;
		table->hosts = hosts;
		table->hosts_room = maps->n_hosts;
	}
	table->n_hosts = maps->n_hosts;
	memset(table->hosts, 0, maps->n_hosts * sizeof(*table->hosts));
	for (uint32_t cpu = 0; cpu < maps->n_cpus; cpu++) {
		const struct host_counters *part = &maps->hosts[(size_t)cpu * (maps->n_hosts + 1)];

		for (uint32_t host = 0; host < maps->n_hosts; host++)
			host_counters_add(&table->hosts[host], &part[host]);
		host_counters_add(&table->stray, &part[maps->n_hosts]);
	}
	host_counters_complete(&table->stray);
	for (uint32_t host = 0; host < maps->n_hosts; host++) {
		host_counters_complete(&table->hosts[host]);
		host_counters_add(&table->total, &table->hosts[host]);
	}
	host_counters_add(&table->total, &table->stray);
	return 0;
}

/* ---- a reading ---- */

uint64_t reader_idle_ns(const struct reader *r)
{
	return r->live * 2 > r->maps.capacity ? r->limits.idle_ns / 8 : r->limits.idle_ns;
}

/* What is new is sorted, and merged with what was in order: from behind, where there is room. */
static int put_in_order(struct reader *r)
{
	size_t fresh = r->n - r->n_ordered, left = r->n_ordered, to = r->n;
	uint32_t *added;
	int ret;

	if (fresh == 0)
		return 0;
	added = reallocarray(NULL, fresh, sizeof(*added));
	if (!added)
		return -ENOMEM;
	memcpy(added, &r->order[left], fresh * sizeof(*added));
	ret = flow_keys_sort(r->rows, sizeof(*r->rows), added, fresh);
	while (ret == 0 && fresh > 0) {
		const struct kept *new = &r->rows[added[fresh - 1]];

		if (left > 0 && memcmp(&r->rows[r->order[left - 1]].key, &new->key, sizeof(new->key)) > 0)
			r->order[--to] = r->order[--left];
		else
			r->order[--to] = added[--fresh];
	}
	free(added);
	if (ret == 0)
		r->n_ordered = r->n;
	return ret;
}

static void note_change(struct reader *r, struct kept *row, uint64_t idle_ns)
{
	uint64_t packets = row->value.tx.packets + row->value.rx.packets;

	if (packets != row->packets || !row->changed_ns)
		row->changed_ns = r->read_ns;
	row->packets = packets;
	if (!row->in_slots && !row->in_hash)
		return;
	r->live++;
	r->in_hash += row->in_hash;
	if (r->read_ns - row->changed_ns >= idle_ns) {
		r->idle++;
		r->idle_in_hash += row->in_hash;
	} else {
		r->homeless += !row->in_hash;
	}
}

static int put_rows(struct reader *r, struct flow_table *table)
{
	uint64_t idle_ns = reader_idle_ns(r);
	int ret = put_in_order(r);

	if (ret == 0)
		ret = flows_reserve(table, r->n);
	if (ret < 0)
		return ret;
	r->live = r->idle = r->in_hash = r->idle_in_hash = r->homeless = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct kept *row = &r->rows[r->order[i]];

		if (i + AHEAD < r->n)
			fetch(&r->rows[r->order[i + AHEAD]], sizeof(*r->rows));
		begin_row(r, row); /* one that was met nowhere */
		note_change(r, row, idle_ns);
		table->rows[i] = (struct flow_row){row->key, row->value};
	}
	table->n = r->n;
	table->sorted = true;
	table->aged = r->n - r->live;
	table->folded = r->folded;
	return 0;
}

int reader_read(struct reader *r, uint64_t now_ns, struct flow_table *table)
{
	int ret;

	r->read_ns = now_ns;
	r->reading++;
	flows_clear(table);
	ret = read_hosts(&r->maps, table);
	if (ret == 0)
		ret = read_flows(r);
	if (ret == 0)
		ret = put_rows(r, table);
	if (ret < 0) {
		flows_clear(table);
		return ret;
	}
	table->capacity = r->maps.capacity;
	table->read_ns = now_ns;
	return 0;
}
