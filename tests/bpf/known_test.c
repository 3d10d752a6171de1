/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short way of a packet whose flow has its slot (bpf/known.bpf.h). The general way, a tail call, is closed once the
 * flow is known: what is then still counted came the short one. Needs root; skips aloud.
 */
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "tests/bpf/kit.h"

enum { MAPS_MAX = 32, TCP_SEGMENT = 400, SLOTS = 64 };

enum tunnel_kind { VXLAN, GENEVE, GRETAP, NVGRE, TUNNEL_KIND_MAX };

static const char *const kind_names[TUNNEL_KIND_MAX] = {"VXLAN", "GENEVE", "GRETAP", "NVGRE"};

struct shape {
	int outer, inner; /* IP versions */
	enum tunnel_kind kind;
	uint32_t gso_size;
};

static void put_ip(struct packet *p, int version, uint8_t net, uint8_t proto)
{
	if (version == 4)
		put_ipv4(p, net, proto);
	else
		put_ipv6(p, net, proto);
}

static uint16_t ip_type(int version)
{
	return version == 4 ? 0x0800 : 0x86dd;
}

static void put_boundary(struct packet *p, const struct shape *s)
{
	put_ip(p, s->outer, 1, s->kind < GRETAP ? 17 : 47);
	if (s->kind < GRETAP)
		put_udp(p, s->kind == GENEVE ? 6081 : 4789);
	if (s->kind == VXLAN) {
		put_vxlan(p, 0x08, 10000);
		return;
	}
	put_u16(p, s->kind == NVGRE ? 0x2000 : 0);
	put_u16(p, 0x6558);
	if (s->kind != GRETAP)
		put_u32(p, 10000 << 8);
}

static void build_shape(struct packet *p, const struct shape *s)
{
	memset(p, 0, sizeof(*p));
	put_ethernet(p, ip_type(s->outer));
	put_boundary(p, s);
	put_ethernet(p, ip_type(s->inner));
	put_ip(p, s->inner, 2, s->gso_size ? 6 : 17);
	if (s->gso_size)
		put_tcp(p, 12);
	else
		put_udp(p, 7);
	put_payload(p, 1000);
	packet_finish(p);
}

/* The map of a program's by its name; -1. */
static int map_of(int prog_fd, const char *name)
{
	uint32_t ids[MAPS_MAX];
	struct bpf_prog_info prog = {.nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)ids};
	uint32_t len = sizeof(prog);

	if (bpf_obj_get_info_by_fd(prog_fd, &prog, &len) < 0)
		return -1;
	for (uint32_t i = 0; i < prog.nr_map_ids; i++) {
		struct bpf_map_info info = {0};
		int fd = bpf_map_get_fd_by_id(ids[i]);

		len = sizeof(info);
		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && strcmp(info.name, name) == 0)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static bool close_general_way(struct monitor *m)
{
	uint32_t zero = 0;
	int fd = map_of(monitor_prog_fd(m, FLOW_TX), "general"), r = fd < 0 ? -1 : bpf_map_delete_elem(fd, &zero);

	if (fd >= 0)
		close(fd);
	return r == 0;
}

static struct monitor *open_for(const struct shape *s)
{
	struct monitor_config config = {.promiscuous = true, .slots = SLOTS};

	if (s->kind == GENEVE)
		config.ports[0] = (struct flow_port){.port = 6081, .encap = ENCAP_GENEVE};
	return open_monitor(&config);
}

static struct flow_value total(struct monitor *m)
{
	struct flow_table table = {0};
	struct flow_value sum = {0};

	eq_i64(flows_read(m, &table), 0);
	for (size_t i = 0; i < table.n; i++)
		flow_value_add(&sum, &table.rows[i].value);
	flows_free(&table);
	return sum;
}

/* The one slot that is taken, in the map of slots. */
static bool find_slot(int map_fd, uint32_t n, uint32_t *ret_index, struct flow_slot *ret)
{
	for (*ret_index = 0; *ret_index < n; ++*ret_index) {
		if (bpf_map_lookup_elem(map_fd, ret_index, ret) == 0 && ret->tag != SLOT_FREE)
			return true;
	}
	return false;
}

/* IPv4 addresses in a key are told by the tag, or by the EtherType: what is in front of their 4 bytes is not compared. */
static bool is_compared(const struct shape *s, size_t byte)
{
	return byte >= 64 || (byte < 32 ? s->outer : s->inner) == 6 || byte % 16 >= 12;
}

/* No slot whose key or tag differs from the packet's in a bit is taken for its flow's. */
static void check_comparison(struct monitor *m, const struct shape *s, const struct packet_case *c, const struct packet *p)
{
	int fd = map_of(monitor_prog_fd(m, FLOW_TX), "slots");
	uint64_t before = total(m).tx.packets;
	struct flow_slot slot, other;
	uint32_t index;

	if (!ok(fd >= 0 && find_slot(fd, SLOTS * libbpf_num_possible_cpus(), &index, &slot)))
		return;
	for (size_t byte = 0; byte < sizeof(slot.key); byte++) {
		if (!is_compared(s, byte))
			continue;
		other = slot;
		((uint8_t *)&other.key)[byte] ^= 1 << byte % 8;
		eq_i64(bpf_map_update_elem(fd, &index, &other, BPF_ANY), 0);
		eq_i64(run(m, FLOW_TX, p, p->len, c), -1);
		eq_i64(bpf_map_lookup_elem(fd, &index, &other), 0);
		if (!ok(memcmp(&other.value, &slot.value, sizeof(slot.value)) == 0))
			t_note("byte %zu of the key", byte);
	}
	other = slot;
	other.tag = SLOT_RETIRING;
	eq_i64(bpf_map_update_elem(fd, &index, &other, BPF_ANY), 0);
	eq_i64(run(m, FLOW_TX, p, p->len, c), -1);
	eq_i64(bpf_map_update_elem(fd, &index, &slot, BPF_ANY), 0);
	eq_u64(total(m).tx.packets, before);
	close(fd);
}

static void check_shape(const struct shape *s)
{
	struct packet_case c = {.gso_size = s->gso_size};
	uint64_t segments = s->gso_size ? (1000 + s->gso_size - 1) / s->gso_size : 1;
	struct monitor *m = open_for(s);
	struct flow_value before, after;
	struct packet p;
	size_t headers;

	if (!m)
		return;
	build_shape(&p, s);
	headers = p.len - 1000;
	eq_i64(run(m, FLOW_TX, &p, p.len, &c), -1);
	before = total(m);
	eq_u64(before.tx.packets, segments);
	ok(close_general_way(m));
	check_comparison(m, s, &c, &p);

	for (int i = 0; i < 3; i++)
		eq_i64(run(m, i ? FLOW_TX : FLOW_RX, &p, p.len, &c), -1);
	after = total(m);
	eq_u64(after.tx.packets, 3 * segments);
	eq_u64(after.tx.bytes, 3 * (p.len + (segments - 1) * headers));
	eq_u64(after.tx.inner_bytes, 3 * before.tx.inner_bytes);
	eq_u64(after.rx.packets, segments);
	eq_u64(after.rx.bytes, before.tx.bytes);
	eq_u64(after.rx.inner_bytes, before.tx.inner_bytes);
	monitor_free(m);
}

TEST(known_flows_of_every_shape_come_the_short_way_and_no_other)
{
	if (!is_root())
		skip("needs root");
	ok(pin_to_cpu(sched_getcpu()));
	for (int i = 0; i < 8 * TUNNEL_KIND_MAX; i++) {
		struct shape s = {i & 1 ? 4 : 6, i & 2 ? 4 : 6, (enum tunnel_kind)(i / 8), i & 4 ? TCP_SEGMENT : 0};
		int failures = t_failures;

		check_shape(&s);
		if (t_failures > failures)
			t_note("IPv%d in IPv%d, %s, segments of %u", s.inner, s.outer, kind_names[s.kind], s.gso_size);
	}
}

/* Which of its places a flow gets; FLOW_PLACES: none. */
static uint32_t choose_place(bool *taken, uint32_t slots, const struct packet *p)
{
	struct parsed parsed = {0};
	struct flow_place place;
	struct cursor cursor;

	cursor_init(&cursor, p->data, p->len, p->len);
	eq_u64(parse_frame(&cursor, ports, &parsed), VERDICT_FLOW);
	place = flow_place(&parsed.key, slots);
	for (uint32_t i = 0; i < FLOW_PLACES; i++) {
		bool *at = &taken[i ? flow_other_place(place, i, slots) : place.first];

		if (!*at) {
			*at = true;
			return i;
		}
	}
	return FLOW_PLACES;
}

TEST(a_flow_in_its_first_or_second_place_comes_the_short_way)
{
	enum { FLOWS = 3 * SLOTS / 2 };
	struct monitor_config config = {.promiscuous = true, .slots = SLOTS};
	uint32_t places[FLOWS], n_of[FLOW_PLACES + 1] = {0};
	bool taken[SLOTS] = {0};
	struct monitor *m;
	struct packet p;

	if (!is_root())
		skip("needs root");
	ok(pin_to_cpu(sched_getcpu()));
	m = open_monitor(&config);
	if (!m)
		return;
	for (int i = 0; i < FLOWS; i++) {
		build_flow(&p, i);
		places[i] = choose_place(taken, SLOTS, &p);
		n_of[places[i]]++;
		eq_i64(run(m, FLOW_TX, &p, p.len, NULL), -1);
	}
	ok(close_general_way(m));
	for (int i = 0; i < FLOWS; i++) {
		uint64_t before = total(m).tx.packets;

		build_flow(&p, i);
		eq_i64(run(m, FLOW_TX, &p, p.len, NULL), -1);
		eq_u64(total(m).tx.packets, before + (places[i] < 2));
	}
	t_note("%u in their first place, %u in their second, %u in none", n_of[0], n_of[1], n_of[FLOW_PLACES]);
	ok(n_of[0] > 0 && n_of[1] > 0 && n_of[FLOW_PLACES] > 0);
	monitor_free(m);
}
