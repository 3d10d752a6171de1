/* SPDX-License-Identifier: Apache-2.0 */
/* Where flows are placed in a CPU's slots (bpf/flow.h): that they find room, and that neighbours are neighbours. No kernel. */
#include <stdlib.h>
#include <string.h>

#include "bpf/flow.h"
#include "tests/unit/t.h"

static void put_ipv4(uint8_t to[16], uint32_t address)
{
	memset(to, 0, 16);
	to[10] = to[11] = 0xff;
	for (int i = 0; i < 4; i++)
		to[12 + i] = address >> (24 - 8 * i);
}

static struct flow_key lab_key(uint32_t vni, uint32_t src, uint32_t dst)
{
	struct flow_key key = {.vni = vni, .inner_ethertype = 0x0800, .inner_ipproto = 17, .encap = ENCAP_VXLAN};

	put_ipv4(key.outer_src, 0xac100001 + src);
	put_ipv4(key.outer_dst, 0xac100001 + dst);
	put_ipv4(key.inner_src, 0xc0a80001 + src);
	put_ipv4(key.inner_dst, 0xc0a80001 + dst);
	return key;
}

/* The keys of a lab differ in a few low bits: they must spread like random ones. */
TEST(keys_of_a_lab_spread_over_slots)
{
	enum { SLOTS = 8192, HOSTS = 24, VNIS = 4 };
	static uint8_t taken[SLOTS];
	int n = 0, clashes = 0;

	for (int vni = 0; vni < VNIS; vni++) {
		for (int src = 0; src < HOSTS; src++) {
			for (int dst = 0; dst < HOSTS; dst++) {
				struct flow_key key = lab_key(10000 + vni, src, dst);
				struct flow_place place = flow_place(&key, SLOTS);

				ok(place.first < SLOTS);
				clashes += taken[place.first]++ != 0;
				n++;
			}
		}
	}
	/* expected of random ones: n - SLOTS * (1 - exp(-n / SLOTS)) = 297, deviation 16 */
	t_note("%d of %d keys found their slot taken", clashes, n);
	ok(clashes < 297 + 5 * 16);
}

static bool is_left_out(size_t byte)
{
	return byte % 32 < 2 || byte % 32 == 18 || byte % 32 == 19; /* of a source and a destination of IPv6 */
}

static void check_bytes(struct flow_key key, bool all)
{
	uint32_t tag = flow_tag(&key);

	for (size_t byte = 0; byte < sizeof(key); byte++) {
		((uint8_t *)&key)[byte] ^= 1;
		if (!ok(flow_tag(&key) != tag || (!all && byte < 64 && is_left_out(byte))))
			t_note("byte %zu", byte);
		((uint8_t *)&key)[byte] ^= 1;
	}
}

TEST(what_tells_flows_apart_reaches_their_tag)
{
	struct flow_key key = lab_key(10000, 1, 2);

	check_bytes(key, true);
	memset(&key, 0xfd, 64);
	check_bytes(key, false);
}

/* Of a key that is being written, any of its words may not be visible yet. */
TEST(a_key_that_lacks_words_does_not_check)
{
	struct flow_key key = lab_key(10000, 1, 2);

	for (size_t byte = 0; byte < 64; byte += 16)
		memcpy((uint8_t *)&key + byte, "\xfe\x80\0\0\0\0\0\0", 8); /* the same in all addresses */
	for (unsigned missing = 1; missing < 1u << 9; missing++) {
		struct flow_key half = key;

		for (int word = 0; word < 9; word++) {
			if (missing & 1u << word)
				memset((uint8_t *)&half + word * 8, 0, 8);
		}
		ok(flow_check(&half) != flow_check(&key));
	}
}

TEST(tags_are_no_state_of_a_slot_and_tell_ipv4_outside)
{
	struct flow_key key = lab_key(10000, 1, 2);

	eq_u64(flow_tag(&key) & 3, 1);
	key.inner_src[0] = 0xfd;
	eq_u64(flow_tag(&key) & 3, 1);
	key.outer_dst[0] = 0xfd;
	eq_u64(flow_tag(&key) & 3, 3);
	key = lab_key(10000, 1, 2);
	key.outer_src[11] = 0xfe;
	eq_u64(flow_tag(&key) & 3, 3);
	ok((SLOT_FREE | SLOT_RETIRING | SLOT_CLEARED) % 2 == 0);
}

TEST(places_of_a_flow_differ)
{
	for (uint32_t slots = SLOTS_MIN; slots <= 131072; slots *= 2) {
		struct flow_key key = lab_key(slots, 1, 2);
		struct flow_place place = flow_place(&key, slots);

		ok(place.first < slots && flow_other_place(place, 1, slots) < slots && flow_other_place(place, 1, slots) != place.first);
		for (uint32_t i = 2; i < FLOW_PLACES; i++) {
			ok(flow_other_place(place, i, slots) < slots);
			for (uint32_t j = 2; j < i; j++)
				ok(flow_other_place(place, i, slots) != flow_other_place(place, j, slots));
		}
	}
}

static void check_run(struct flow_key key)
{
	enum { SLOTS = 65536 };
	uint32_t begin;

	key.inner_dst[15] = 0;
	begin = flow_place(&key, SLOTS).first;
	for (uint32_t host = 0; host < 256; host++) {
		key.inner_dst[15] = host;
		eq_u64(flow_place(&key, SLOTS).first, (begin + host) % SLOTS);
	}
}

TEST(what_goes_to_a_subnets_hosts_lies_side_by_side)
{
	struct flow_key key = lab_key(10000, 1, 0);

	check_run(key);
	memset(&key, 0xfd, 64);
	check_run(key);
}

/* ---- room ---- */

enum { FLOWS = 65536, ROOM = 2 * FLOWS };

static bool take(uint8_t *taken, uint32_t slot)
{
	return taken[slot] ? false : (taken[slot] = 1);
}

static bool finds_room(uint8_t *taken, const struct flow_key *key)
{
	struct flow_place place = flow_place(key, ROOM);
	bool found = take(taken, place.first);

	for (uint32_t i = 1; i < FLOW_PLACES && !found; i++)
		found = take(taken, flow_other_place(place, i, ROOM));
	return found;
}

static struct flow_key all_to_all(uint32_t i)
{
	return lab_key(10000, i / 256, i % 256);
}

static struct flow_key from_one(uint32_t i)
{
	struct flow_key key = lab_key(10000, 1, 2);

	put_ipv4(key.inner_dst, 0x0a000000 + i);
	return key;
}

static struct flow_key to_one(uint32_t i)
{
	struct flow_key key = lab_key(10000, 1, 2);

	put_ipv4(key.inner_src, 0x0a000000 + i);
	return key;
}

/* A source behind one VTEP, and 256 VTEPs with 256 clients each. */
static struct flow_key to_every_vtep(uint32_t i)
{
	struct flow_key key = lab_key(10000 + i / 256, 0, i / 256);

	put_ipv4(key.inner_src, 0xc0a80001);
	put_ipv4(key.inner_dst, 0xc0a80000 + i % 256);
	return key;
}

static struct flow_key ipv6_random(uint32_t i)
{
	struct flow_key key = {.vni = 10000, .inner_ethertype = 0x86dd, .encap = ENCAP_VXLAN};
	uint64_t x = i + 1;

	for (size_t byte = 0; byte < 64; byte++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		((uint8_t *)&key)[byte] = x >> 56;
	}
	return key;
}

/* Routers of 256 subnets, each to each. */
static struct flow_key ipv6_subnets(uint32_t i)
{
	struct flow_key key = {.vni = 10000, .inner_ethertype = 0x86dd, .encap = ENCAP_VXLAN};

	key.outer_src[0] = key.outer_dst[0] = key.inner_src[0] = key.inner_dst[0] = 0xfd;
	key.outer_src[15] = 1;
	key.outer_dst[15] = 2;
	key.inner_src[7] = i / 256;
	key.inner_dst[7] = i % 256;
	key.inner_src[15] = key.inner_dst[15] = 1;
	return key;
}

static struct flow_key ipv6_hosts(uint32_t i)
{
	struct flow_key key = ipv6_subnets(0);

	key.inner_src[15] = key.outer_src[15] = i / 256;
	key.inner_dst[15] = key.outer_dst[15] = i % 256;
	return key;
}

/* Random keys leave about a dozen, as ten places in a table that is then half full must. */
TEST(a_table_of_twice_as_many_slots_has_room_for_nearly_all_flows)
{
	static const struct {
		const char *what;
		struct flow_key (*key)(uint32_t i);
	} patterns[] = {
		{"all to all", all_to_all}, {"from one", from_one}, {"to one", to_one}, {"to every VTEP", to_every_vtep},
		{"IPv6, random", ipv6_random}, {"IPv6, subnets", ipv6_subnets}, {"IPv6, all to all", ipv6_hosts},
	};
	static uint8_t taken[ROOM];

	for (size_t k = 0; k < sizeof(patterns) / sizeof(*patterns); k++) {
		int homeless = 0;

		memset(taken, 0, sizeof(taken));
		for (uint32_t i = 0; i < FLOWS; i++) {
			struct flow_key key = patterns[k].key(i);

			homeless += !finds_room(taken, &key);
		}
		t_note("%s: %d", patterns[k].what, homeless);
		ok(homeless < 60);
	}
}
