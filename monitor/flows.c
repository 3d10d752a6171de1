/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the merged table: an array of rows, an open-addressing index over it while rows are
 * added, and a radix sort at the end. flows_read() fills it from the monitor's maps.
 */
#include "monitor/flows.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "monitor/monitor.h"

enum {
	ROWS_MIN = 256,
	BATCH = 4096, /* hash entries per system call: at 72 + 48 bytes per CPU each */
};

/* ---- adding ---- */

void flow_count_add(struct flow_count *sum, const struct flow_count *part)
{
	sum->packets += part->packets;
	sum->bytes += part->bytes;
	sum->inner_bytes += part->inner_bytes;
}

static void flow_value_add(struct flow_value *sum, const struct flow_value *part)
{
	flow_count_add(&sum->tx, &part->tx);
	flow_count_add(&sum->rx, &part->rx);
}

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

/* ---- rows and their index ---- */

static bool key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Index entry of the key, or the free entry where it belongs. There is always a free one. */
static uint32_t *index_entry(const struct flow_table *table, const struct flow_key *key,
			     uint32_t tag)
{
	size_t i = tag & (table->index_room - 1);

	while (table->index[i] && !key_equal(&table->rows[table->index[i] - 1].key, key))
		i = (i + 1) & (table->index_room - 1);
	return &table->index[i];
}

/* Row numbers change when rows are sorted, and entries when the index grows. */
static void index_fill(struct flow_table *table)
{
	memset(table->index, 0, table->index_room * sizeof(*table->index));
	for (size_t row = 0; row < table->n; row++) {
		const struct flow_key *key = &table->rows[row].key;

		*index_entry(table, key, flow_tag(key)) = row + 1;
	}
}

static int table_grow(struct flow_table *table)
{
	size_t room = table->room ? table->room * 2 : ROWS_MIN;
	struct flow_row *rows;
	uint32_t *index;

	if (room > UINT32_MAX / 2)
		return -ENOMEM;
	rows = reallocarray(table->rows, room, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	index = reallocarray(table->index, room * 2, sizeof(*index)); /* at most half full */
	if (!index)
		return -ENOMEM;
	table->index = index;
	table->room = room;
	table->index_room = room * 2;
	index_fill(table);
	return 0;
}

struct flow_value *flows_entry(struct flow_table *table, const struct flow_key *key, size_t limit)
{
	uint32_t tag = flow_tag(key);
	uint32_t *entry = NULL;

	if (table->index_room)
		entry = index_entry(table, key, tag);
	if (!entry || !*entry) {
		if (table->n >= limit)
			return NULL;
		if (table->n == table->room) {
			if (table_grow(table) < 0)
				return NULL;
			entry = index_entry(table, key, tag);
		}
		table->rows[table->n] = (struct flow_row){.key = *key};
		*entry = ++table->n;
	}
	return &table->rows[*entry - 1].value;
}

int flows_add(struct flow_table *table, const struct flow_key *key, const struct flow_value *value)
{
	struct flow_value *sum = flows_entry(table, key, SIZE_MAX);

	if (!sum)
		return -ENOMEM;
	flow_value_add(sum, value);
	return 0;
}

const struct flow_row *flows_find(const struct flow_table *table, const struct flow_key *key)
{
	uint32_t *entry;

	if (!table->index_room)
		return NULL;
	entry = index_entry(table, key, flow_tag(key));
	return *entry ? &table->rows[*entry - 1] : NULL;
}

void flows_clear(struct flow_table *table)
{
	table->n = 0;
	table->n_hosts = 0;
	memset(&table->stray, 0, sizeof(table->stray));
	memset(&table->total, 0, sizeof(table->total));
	table->capacity = 0;
	table->read_ns = 0;
	if (table->index_room)
		memset(table->index, 0, table->index_room * sizeof(*table->index));
}

void flows_free(struct flow_table *table)
{
	free(table->rows);
	free(table->hosts);
	free(table->index);
	memset(table, 0, sizeof(*table));
}

/* ---- sorting ---- */

/* Bytes of the key in which rows differ at all, last first; returns how many. */
static size_t differing_bytes(const struct flow_table *table, uint8_t ret[sizeof(struct flow_key)])
{
	uint64_t differ[sizeof(struct flow_key) / 8] = {0}, first[sizeof(struct flow_key) / 8];
	const uint8_t *bytes = (const uint8_t *)differ;
	size_t n = 0;

	memcpy(first, &table->rows[0].key, sizeof(first));
	for (size_t row = 1; row < table->n; row++) {
		uint64_t words[sizeof(struct flow_key) / 8];

		memcpy(words, &table->rows[row].key, sizeof(words));
		for (size_t w = 0; w < sizeof(struct flow_key) / 8; w++)
			differ[w] |= words[w] ^ first[w];
	}
	for (size_t i = sizeof(struct flow_key); i-- > 0;) {
		if (bytes[i])
			ret[n++] = i;
	}
	return n;
}

/* One stable counting pass over row numbers, by one byte of the key. */
static void sort_pass(const struct flow_row *rows, const uint32_t *from, uint32_t *to, size_t n,
		      uint8_t byte)
{
	uint32_t start[257] = {0};

	for (size_t i = 0; i < n; i++)
		start[((const uint8_t *)&rows[from[i]].key)[byte] + 1]++;
	for (int b = 0; b < 256; b++)
		start[b + 1] += start[b];
	for (size_t i = 0; i < n; i++)
		to[start[((const uint8_t *)&rows[from[i]].key)[byte]]++] = from[i];
}

/*
 * Least significant byte first. Of 72 bytes rarely more than ten differ, which makes this several
 * times faster than comparing: a second's reading may hold 65536 rows.
 */
int flows_sort(struct flow_table *table)
{
	uint8_t bytes[sizeof(struct flow_key)];
	uint32_t *order, *next, *swap;
	struct flow_row *rows;
	size_t n_bytes;

	if (table->n < 2)
		return 0;
	n_bytes = differing_bytes(table, bytes);
	rows = reallocarray(NULL, table->room, sizeof(*rows));
	order = reallocarray(NULL, table->n, 2 * sizeof(*order));
	if (!rows || !order) {
		free(rows);
		free(order);
		return -ENOMEM;
	}
	next = order + table->n;
	for (size_t i = 0; i < table->n; i++)
		order[i] = i;
	swap = order;
	for (size_t i = 0; i < n_bytes; i++) {
		uint32_t *sorted = next;

		sort_pass(table->rows, swap, next, table->n, bytes[i]);
		next = swap;
		swap = sorted;
	}
	for (size_t i = 0; i < table->n; i++)
		rows[i] = table->rows[swap[i]];
	free(order);
	free(table->rows);
	table->rows = rows;
	index_fill(table);
	return 0;
}

/* ---- reading the maps ---- */

/* Flows in the direct-mapped slots. A tag that does not match is a key still being written. */
static int read_slots(const struct monitor_maps *maps, struct flow_table *table)
{
	size_t n = (size_t)maps->n_cpus * maps->slots_per_cpu;
	int ret;

	for (size_t i = 0; i < n; i++) {
		const struct flow_slot *slot = &maps->slots[i];
		uint32_t tag = __atomic_load_n(&slot->tag, __ATOMIC_ACQUIRE);
		struct flow_value value;
		struct flow_key key;

		if (!tag)
			continue;
		key = slot->key;
		value = slot->value;
		if (flow_tag(&key) != tag)
			continue;
		ret = flows_add(table, &key, &value);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* One hash entry: values of all CPUs. */
static int add_per_cpu(struct flow_table *table, const struct flow_key *key,
		       const struct flow_value *values, uint32_t n_cpus)
{
	struct flow_value sum = {0};

	for (uint32_t cpu = 0; cpu < n_cpus; cpu++)
		flow_value_add(&sum, &values[cpu]);
	return flows_add(table, key, &sum);
}

/* For kernels before 5.6, which know no batches. */
static int read_hash_singly(const struct monitor_maps *maps, struct flow_table *table,
			    struct flow_value *values)
{
	struct flow_key key, *previous = NULL;
	int ret;

	while (bpf_map_get_next_key(maps->flows_fd, previous, &key) == 0) {
		ret = bpf_map_lookup_elem(maps->flows_fd, &key, values);
		if (ret == 0)
			ret = add_per_cpu(table, &key, values, maps->n_cpus);
		if (ret < 0)
			return ret;
		previous = &key;
	}
	return 0;
}

static int read_hash_batches(const struct monitor_maps *maps, struct flow_table *table,
			     struct flow_key *keys, struct flow_value *values)
{
	bool first = true, last = false;
	uint32_t position;
	int ret;

	while (!last) {
		uint32_t n = BATCH;

		ret = bpf_map_lookup_batch(maps->flows_fd, first ? NULL : &position, &position,
					   keys, values, &n, NULL);
		if (ret < 0 && ret != -ENOENT)
			return ret;
		last = ret == -ENOENT;
		first = false;
		for (uint32_t i = 0; i < n; i++) {
			ret = add_per_cpu(table, &keys[i], &values[(size_t)i * maps->n_cpus],
					  maps->n_cpus);
			if (ret < 0)
				return ret;
		}
	}
	return 0;
}

static int read_hash(const struct monitor_maps *maps, struct flow_table *table)
{
	struct flow_value *values;
	struct flow_key *keys;
	size_t n_before = table->n;
	int ret;

	if (maps->flows_fd < 0)
		return 0;
	/* Zeroed: memory checkers do not see the kernel write. */
	keys = calloc(BATCH, sizeof(*keys));
	values = calloc((size_t)BATCH * maps->n_cpus, sizeof(*values));
	if (!keys || !values)
		ret = -ENOMEM;
	else
		ret = read_hash_batches(maps, table, keys, values);
	if (ret == -EINVAL && table->n == n_before)
		ret = read_hash_singly(maps, table, values);
	free(keys);
	free(values);
	return ret;
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

int flows_read_maps(const struct monitor_maps *maps, struct flow_table *table)
{
	struct timespec now;
	int ret;

	flows_clear(table);
	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	ret = read_hosts(maps, table);
	if (ret == 0)
		ret = read_slots(maps, table);
	if (ret == 0)
		ret = read_hash(maps, table);
	if (ret == 0)
		ret = flows_sort(table);
	if (ret < 0) {
		flows_clear(table);
		return ret;
	}
	table->capacity = maps->capacity;
	table->read_ns = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	return 0;
}

int flows_read(const struct monitor *monitor, struct flow_table *table)
{
	struct monitor_maps maps;

	monitor_get_maps(monitor, &maps);
	return flows_read_maps(&maps, table);
}

void flows_get_health(const struct flow_table *table, struct flow_health *ret_health)
{
	const struct host_count *tx = &table->total.dir[FLOW_TX];
	const struct host_count *rx = &table->total.dir[FLOW_RX];

	*ret_health = (struct flow_health){
		.seen = tx->seen + rx->seen,
		.decoded = tx->verdict[VERDICT_FLOW].packets + rx->verdict[VERDICT_FLOW].packets,
		.lost = tx->verdict[VERDICT_LOST].packets + rx->verdict[VERDICT_LOST].packets,
		.lost_bytes = tx->verdict[VERDICT_LOST].bytes + rx->verdict[VERDICT_LOST].bytes,
		.lost_received = rx->verdict[VERDICT_LOST].packets,
		.lost_received_bytes = rx->verdict[VERDICT_LOST].bytes,
		.truncated = tx->verdict[VERDICT_TRUNCATED].packets +
			     rx->verdict[VERDICT_TRUNCATED].packets,
		.unknown = tx->verdict[VERDICT_UNKNOWN].packets +
			   rx->verdict[VERDICT_UNKNOWN].packets +
			   tx->verdict[VERDICT_MALFORMED].packets +
			   rx->verdict[VERDICT_MALFORMED].packets,
		.malformed = tx->verdict[VERDICT_MALFORMED].packets +
			     rx->verdict[VERDICT_MALFORMED].packets,
		.otherhost = rx->verdict[VERDICT_OTHERHOST].packets,
		.later_fragments = tx->later_fragments,
		.other_packets = tx->verdict[VERDICT_OTHER].packets,
		.other_bytes = tx->verdict[VERDICT_OTHER].bytes,
		.other_received_packets = rx->verdict[VERDICT_OTHER].packets,
		.other_received_bytes = rx->verdict[VERDICT_OTHER].bytes,
	};
}
