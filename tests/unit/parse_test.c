/* SPDX-License-Identifier: Apache-2.0 */
/* bpf/parse.h, compiled natively: the table in packets.h, its packets cut at every length. */
#include <stdlib.h>

#include "bpf/parse_plain.h"
#include "monitor/flows.h"
#include "tests/lib/mutate.h"
#include "tests/unit/packet_cases.h"
#include "tests/unit/t.h"

static const struct flow_port *const ports = flow_ports_default;

/* The bytes lie at the end of their own memory, so that a sanitizer sees any read beyond. */
static enum verdict parse(const struct packet_case *c, const uint8_t *data, size_t captured,
			  size_t len, struct parsed *ret)
{
	uint8_t *copy = malloc(captured + 1); /* and at an odd address */
	enum verdict verdict;
	struct cursor cursor;

	if (!copy)
		return VERDICT_MAX;
	memcpy(copy + 1, data, captured);
	cursor_init(&cursor, copy + 1, captured, len);
	cursor.want_l4 = c->gso_size;
	verdict = parse_frame(&cursor, ports, ret);
	free(copy);
	return verdict;
}

TEST(packets_become_keys_and_verdicts)
{
	for (int i = 0; i < N_PACKET_CASES; i++) {
		const struct packet_case *c = packet_case(i);
		struct flow_count count, want_count;
		struct parsed parsed;
		struct flow_key want;
		struct packet p;
		bool good;

		case_build(c, &p);
		good = eq_u64(parse(c, p.data, p.len, p.len, &parsed), c->verdict);
		good &= eq_u64(parsed.later_fragment != 0, c->later_fragment);
		parse_count(&parsed, p.len, c->gso_size, c->gso_segs, &count);
		case_count(c, &p, &want_count);
		good &= eq_u64(count.packets, want_count.packets);
		good &= eq_u64(count.bytes, want_count.bytes);
		if (c->verdict == VERDICT_FLOW) {
			case_key(c, &want);
			good &= ok(memcmp(&parsed.key, &want, sizeof(want)) == 0);
			good &= eq_u64(parsed.key.vni, want.vni);
			good &= eq_u64(parsed.key.inner_ethertype, want.inner_ethertype);
			good &= eq_u64(parsed.key.inner_ipproto, want.inner_ipproto);
			good &= eq_u64(parsed.inner_off, c->inner_off);
			good &= eq_u64(count.inner_bytes, want_count.inner_bytes);
		}
		if (!good)
			t_note("in row %d: %s", i, c->what);
	}
}

/* Whatever the packet: truncated up to some length, and from there on the verdict of the whole. */
static void check_every_length(bool wire)
{
	for (int i = 0; i < N_PACKET_CASES; i++) {
		const struct packet_case *c = packet_case(i);
		struct parsed whole, cut;
		bool reached = false, good = true;
		struct packet p;

		case_build(c, &p);
		(void)parse(c, p.data, p.len, p.len, &whole); /* the test above looks at this one */
		for (size_t n = 0; n <= p.len && good; n++) {
			enum verdict verdict = parse(c, p.data, n, wire ? n : p.len, &cut);

			if (verdict == VERDICT_TRUNCATED && c->verdict != VERDICT_TRUNCATED)
				good &= ok(!reached);
			else
				good &= eq_u64(verdict, c->verdict);
			reached = verdict == c->verdict;
			if (verdict == VERDICT_FLOW) {
				good &= ok(memcmp(&cut.key, &whole.key, sizeof(cut.key)) == 0);
				good &= eq_u64(cut.headers, whole.headers);
				good &= ok(wire || cut.inner_len == whole.inner_len);
				good &= ok(cut.inner_off + cut.inner_len <= p.len);
			}
			if (!good)
				t_note("in row %d, %s, cut to %zu of %zu bytes", i, c->what, n,
				       p.len);
		}
		ok(reached);
	}
}

TEST(captured_parts_of_every_length)
{
	check_every_length(false);
}

TEST(frames_of_every_length)
{
	check_every_length(true);
}

/* The key needs no more of a frame than its inner IP header. */
TEST(headers_beyond_the_key_are_not_needed)
{
	struct parsed parsed;
	struct packet p;

	case_build(packet_case(0), &p);
	eq_u64(parse(packet_case(0), p.data, 50 + 14 + 20, p.len, &parsed), VERDICT_FLOW);
	eq_u64(parse(packet_case(0), p.data, 50 + 14 + 19, p.len, &parsed), VERDICT_TRUNCATED);
}

TEST(ports_are_configured)
{
	static const struct flow_port others[FLOW_PORTS_MAX] = {
		{.port = 8472, .encap = ENCAP_VXLAN},
		{.port = 4790, .encap = ENCAP_VXLAN},
	};
	static const struct flow_port none[FLOW_PORTS_MAX];
	static const struct {
		const struct flow_port *ports;
		uint16_t port;
		enum verdict verdict;
	} rows[] = {
		{others, 8472, VERDICT_FLOW},
		{others, 4790, VERDICT_FLOW},
		{others, 4789, VERDICT_OTHER},
		{others, 0, VERDICT_OTHER},
		{none, 4789, VERDICT_OTHER},
		{none, 0, VERDICT_OTHER},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet p = {0};
		struct parsed parsed;
		struct cursor cursor;

		put_ethernet(&p, 0x0800);
		put_ipv4(&p, 1, 17);
		put_udp(&p, rows[i].port);
		put_vxlan(&p, 0x08, 10000);
		put_ethernet(&p, 0x0806);
		put_payload(&p, 28);
		packet_finish(&p);
		cursor_init(&cursor, p.data, p.len, p.len);
		if (!eq_u64(parse_frame(&cursor, rows[i].ports, &parsed), rows[i].verdict))
			t_note("in row %zu", i);
	}
}

/* Replay enters here for captures without a link header. */
TEST(a_packet_may_begin_with_its_ip_header)
{
	struct parsed parsed = {0}, framed;
	struct cursor cursor;
	struct packet p;

	case_build(packet_case(0), &p);
	eq_u64(parse(packet_case(0), p.data, p.len, p.len, &framed), VERDICT_FLOW);
	cursor_init(&cursor, p.data + 14, p.len - 14, p.len - 14);
	eq_u64(parse_packet(&cursor, ports, ETH_TYPE_IPV4, &parsed), VERDICT_FLOW);
	ok(memcmp(&parsed.key, &framed.key, sizeof(parsed.key)) == 0);
	eq_u64(parsed.inner_len, framed.inner_len);
}

/* Mutated packets: no verdict is out of range, no length beyond the frame. */
TEST(noise_is_survived)
{
	struct mutator m = {88172645463325252u};

	t_note("seed %" PRIu64, m.state);
	for (int i = 0; i < 200000; i++) {
		const struct packet_case *c = packet_case(i % N_PACKET_CASES);
		struct parsed parsed;
		struct packet p, other;

		case_build(c, &p);
		case_build(packet_case((int)mutator_below(&m, N_PACKET_CASES)), &other);
		for (int k = 0; k < 3; k++)
			mutate_once(&m, p.data, &p.len, sizeof(p.data), other.data, other.len);
		if (!ok(parse(c, p.data, p.len, p.len, &parsed) < VERDICT_OTHERHOST) ||
		    !ok(parsed.inner_off + parsed.inner_len <= p.len))
			return;
	}
}

/* The shortcut says what the general parser says, or nothing. */
static void check_plain(const uint8_t *data, size_t at_hand, size_t len, bool segmented, uint64_t *n_plain, uint64_t *n)
{
	uint8_t *copy = malloc(at_hand + 1);
	struct parsed plain, general;
	struct plain_shape shape;
	enum verdict verdict;
	struct cursor cursor;

	if (!copy)
		return;
	memcpy(copy + 1, data, at_hand);
	verdict = parse_plain(copy + 1, copy + 1 + at_hand, len, segmented, ports, &shape, &plain);
	(*n)++;
	if (verdict != VERDICT_TRUNCATED) {
		(*n_plain)++;
		cursor_init(&cursor, copy + 1, at_hand, len);
		cursor.want_l4 = segmented && verdict == VERDICT_FLOW;
		eq_u64(parse_frame(&cursor, ports, &general), verdict);
		eq_u64(general.later_fragment, 0);
		if (verdict == VERDICT_FLOW) {
			eq_u64(plain.inner_off, general.inner_off);
			eq_u64(plain.inner_len, general.inner_len);
			eq_u64(plain.later_fragment, 0);
			ok(memcmp(&plain.key, &general.key, sizeof(plain.key)) == 0);
			eq_u64(plain.headers, general.headers);
		}
	}
	free(copy);
}

TEST(the_shortcut_agrees_with_the_parser)
{
	struct mutator m = {88172645463325252u};
	uint64_t n = 0, n_plain = 0;

	for (int i = 0; i < N_PACKET_CASES; i++) {
		struct packet p;

		case_build(packet_case(i), &p);
		for (size_t cut = 0; cut <= p.len && !t_failures; cut++) {
			check_plain(p.data, cut, p.len, true, &n_plain, &n);
			check_plain(p.data, cut, p.len, false, &n_plain, &n);
			check_plain(p.data, cut, cut, true, &n_plain, &n);
			check_plain(p.data, cut, cut, false, &n_plain, &n);
		}
		for (int k = 0; k < 2000 && !t_failures; k++) {
			struct packet q = p;

			q.data[mutator_below(&m, p.len < 100 ? p.len : 100)] = mutator_below(&m, 256);
			check_plain(q.data, q.len, q.len, k % 2, &n_plain, &n);
		}
		if (t_failures) {
			t_note("in row %d: %s", i, packet_case(i)->what);
			return;
		}
	}
	t_note("%" PRIu64 " of %" PRIu64 " packets were plain", n_plain, n);
	ok(n_plain > n / 10 && n_plain < n);
}
