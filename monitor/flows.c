/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the merged table: an array of rows, an open-addressing index over it while rows are
 * added, and a radix sort at the end.
 */
#include "monitor/flows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { ROWS_MIN = 256 };

/* ---- adding ---- */

void flow_count_add(struct flow_count *sum, const struct flow_count *part)
{
	sum->packets += part->packets;
	sum->bytes += part->bytes;
	sum->inner_bytes += part->inner_bytes;
}

void flow_value_add(struct flow_value *sum, const struct flow_value *part)
{
	flow_count_add(&sum->tx, &part->tx);
	flow_count_add(&sum->rx, &part->rx);
}

void flow_sum_key(const struct flow_key *key, bool by_ends, struct flow_key *ret)
{
	struct flow_key sum = {.encap = key->encap, .inner_ethertype = FLOW_AGED};

	if (by_ends) {
		sum.vni = key->vni;
		memcpy(sum.outer_src, key->outer_src, sizeof(sum.outer_src));
		memcpy(sum.outer_dst, key->outer_dst, sizeof(sum.outer_dst));
	}
	*ret = sum;
}

/* ---- rows and their index ---- */

static bool key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

uint64_t flows_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = (uint64_t)time(NULL) ^ (uintptr_t)&seed; /* early at boot */
	return seed | 1;
}

/* Both halves of the product of two words, each hidden first. */
static uint64_t mix(uint64_t a, uint64_t b, uint64_t seed, uint64_t number)
{
	unsigned __int128 product = (unsigned __int128)(a ^ (seed + number * 0x9e3779b97f4a7c15u)) * (b ^ (seed * 0xd1342543de82ef95u + number));

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t flows_hash(const struct flow_key *key, uint64_t seed)
{
	uint64_t w[sizeof(*key) / sizeof(uint64_t)];

	memcpy(w, key, sizeof(w));
	return mix(mix(w[0], w[1], seed, 1) ^ mix(w[2], w[3], seed, 2) ^ mix(w[4], w[5], seed, 3) ^ mix(w[6], w[7], seed, 4), w[8], seed, 5);
}

/* Index entry of the key, or the free entry where it belongs. There is always a free one. */
static uint32_t *index_entry(const struct flow_table *table, const struct flow_key *key)
{
	size_t i = flows_hash(key, table->seed) & (table->index_room - 1);

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

		*index_entry(table, key) = row + 1;
	}
}

static int index_make(struct flow_table *table)
{
	size_t room = ROWS_MIN * 2;
	uint32_t *index;

	while (room < table->room * 2) /* at most half full */
		room *= 2;
	if (room > UINT32_MAX)
		return -ENOMEM;
	if (!table->seed)
		table->seed = flows_seed();
	index = reallocarray(table->index, room, sizeof(*index));
	if (!index)
		return -ENOMEM;
	table->index = index;
	table->index_room = room;
	index_fill(table);
	table->sorted = false;
	return 0;
}

int flows_reserve(struct flow_table *table, size_t n)
{
	size_t room = table->room * 2 > n ? table->room * 2 : n;
	struct flow_row *rows;

	if (n <= table->room)
		return 0;
	rows = reallocarray(table->rows, room, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	table->room = room;
	return 0;
}

struct flow_value *flows_entry(struct flow_table *table, const struct flow_key *key, size_t limit)
{
	uint32_t *entry;

	if ((!table->index_room || table->sorted) && index_make(table) < 0)
		return NULL;
	entry = index_entry(table, key);
	if (!*entry) {
		if (table->n >= limit)
			return NULL;
		if (table->n * 2 >= table->index_room || table->n == table->room) {
			if (flows_reserve(table, table->n < ROWS_MIN ? ROWS_MIN : table->n + 1) < 0 || index_make(table) < 0)
				return NULL;
			entry = index_entry(table, key);
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

static int compare_row_key(const void *key, const void *row)
{
	return memcmp(key, &((const struct flow_row *)row)->key, sizeof(struct flow_key));
}

const struct flow_row *flows_find(const struct flow_table *table, const struct flow_key *key)
{
	uint32_t *entry;

	if (table->sorted)
		return bsearch(key, table->rows, table->n, sizeof(*table->rows), compare_row_key);
	if (!table->index_room)
		return NULL;
	entry = index_entry(table, key);
	return *entry ? &table->rows[*entry - 1] : NULL;
}

void flows_clear(struct flow_table *table)
{
	table->n = 0;
	table->n_hosts = 0;
	memset(&table->stray, 0, sizeof(table->stray));
	memset(&table->total, 0, sizeof(table->total));
	table->capacity = 0;
	table->aged = 0;
	table->folded = 0;
	table->read_ns = 0;
	table->sorted = false;
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

/* The keys that are sorted, and where they are. */
struct keys {
	const uint8_t *first;
	size_t stride;
};

static const uint8_t *key_at(const struct keys *keys, uint32_t row)
{
	return keys->first + row * keys->stride;
}

/* Bytes of the key in which rows differ at all, last first; returns how many. */
static size_t differing_bytes(const struct keys *keys, const uint32_t *order, size_t n, uint8_t ret[sizeof(struct flow_key)])
{
	uint64_t differ[sizeof(struct flow_key) / 8] = {0}, first[sizeof(struct flow_key) / 8];
	const uint8_t *bytes = (const uint8_t *)differ;
	size_t n_bytes = 0;

	memcpy(first, key_at(keys, order[0]), sizeof(first));
	for (size_t i = 1; i < n; i++) {
		uint64_t words[sizeof(struct flow_key) / 8];

		memcpy(words, key_at(keys, order[i]), sizeof(words));
		for (size_t w = 0; w < sizeof(struct flow_key) / 8; w++)
			differ[w] |= words[w] ^ first[w];
	}
	for (size_t i = sizeof(struct flow_key); i-- > 0;) {
		if (bytes[i])
			ret[n_bytes++] = i;
	}
	return n_bytes;
}

/* One stable counting pass over row numbers, by one byte of the key. */
static void sort_pass(const struct keys *keys, const uint32_t *from, uint32_t *to, size_t n, uint8_t byte)
{
	uint32_t start[257] = {0};

	for (size_t i = 0; i < n; i++)
		start[key_at(keys, from[i])[byte] + 1]++;
	for (int b = 0; b < 256; b++)
		start[b + 1] += start[b];
	for (size_t i = 0; i < n; i++)
		to[start[key_at(keys, from[i])[byte]]++] = from[i];
}

/*
 * Least significant byte first. Of 72 bytes rarely more than ten differ, which makes this several
 * times faster than comparing: a second's reading may hold 65536 new rows.
 */
int flow_keys_sort(const void *rows, size_t stride, uint32_t *order, size_t n)
{
	const struct keys keys = {rows, stride};
	uint8_t bytes[sizeof(struct flow_key)];
	uint32_t *other, *from = order, *to;
	size_t n_bytes;

	if (n < 2)
		return 0;
	other = reallocarray(NULL, n, sizeof(*other));
	if (!other)
		return -ENOMEM;
	n_bytes = differing_bytes(&keys, order, n, bytes);
	to = other;
	for (size_t i = 0; i < n_bytes; i++) {
		uint32_t *sorted = to;

		sort_pass(&keys, from, to, n, bytes[i]);
		to = from;
		from = sorted;
	}
	if (from != order)
		memcpy(order, from, n * sizeof(*order));
	free(other);
	return 0;
}

int flows_sort(struct flow_table *table)
{
	struct flow_row *rows = reallocarray(NULL, table->room + 1, sizeof(*rows));
	uint32_t *order = reallocarray(NULL, table->n + 1, sizeof(*order));
	int ret = rows && order ? 0 : -ENOMEM;

	for (size_t i = 0; i < table->n && ret == 0; i++)
		order[i] = i;
	if (ret == 0)
		ret = flow_keys_sort(table->rows, sizeof(*table->rows), order, table->n);
	if (ret < 0) {
		free(rows);
		free(order);
		return ret;
	}
	for (size_t i = 0; i < table->n; i++)
		rows[i] = table->rows[order[i]];
	free(order);
	free(table->rows);
	table->rows = rows;
	table->sorted = true;
	return 0;
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
