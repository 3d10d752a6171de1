/* SPDX-License-Identifier: Apache-2.0 */
/* lab/traffic/packet.c and arrivals.c: what is ours, what is not, and what has come before. */
#include <endian.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>

#include "lab/traffic/arrivals.h"
#include "lab/traffic/packet.h"
#include "tests/unit/t.h"

#define COOKIE 0xfedcba9876543210ULL

static const struct packet_id sample = {
	.cookie = COOKIE,
	.stream = 70000,
	.sequence = 1ULL << 40 | 5,
	.sent_ns = 123456789,
};

/* Exactly as long as `len`, so that a sanitizer sees a read beyond it. */
static bool reads_stamp(const void *bytes, size_t len, uint64_t cookie, struct packet_id *ret)
{
	uint8_t *copy = malloc(len ? len : 1);
	bool is;

	memcpy(copy, bytes, len);
	is = packet_read_stamp(copy, len, cookie, ret);
	free(copy);
	return is;
}

static bool reads_echo(const void *bytes, size_t len, bool ipv6, struct packet_id *ret, size_t *ret_size)
{
	uint8_t *copy = malloc(len ? len : 1);
	bool is;

	memcpy(copy, bytes, len);
	is = packet_read_echo(copy, len, len, ipv6, COOKIE, ret, ret_size);
	free(copy);
	return is;
}

/* An IPv4 header with `options` bytes of options and an echo reply behind it. Returns the length. */
static size_t build_reply(uint8_t packet[128], bool ipv6, size_t options)
{
	size_t header = ipv6 ? 0 : 20 + options;
	struct packet_echo echo;

	memset(packet, 0, 128);
	packet_write_echo(&echo, ipv6, &sample);
	echo.type = ipv6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY;
	if (!ipv6)
		packet[0] = (uint8_t)(0x40 | header / 4);
	memcpy(packet + header, &echo, sizeof(echo));
	return header + sizeof(echo);
}

TEST(a_stamp_comes_back_as_written)
{
	struct packet_stamp stamp;
	struct packet_id id;

	packet_write_stamp(&stamp, &sample);
	eq_i64(memcmp(&stamp, "TUNL", 4), 0);
	if (!ok(reads_stamp(&stamp, sizeof(stamp), COOKIE, &id)))
		return;
	eq_u64(id.stream, sample.stream);
	eq_u64(id.sequence, sample.sequence);
	eq_u64(id.sent_ns, sample.sent_ns);
}

TEST(stamps_of_others_are_not_ours)
{
	struct packet_stamp stamp;
	struct packet_id id;

	packet_write_stamp(&stamp, &sample);
	for (size_t len = 0; len < sizeof(stamp); len++)
		ok(!reads_stamp(&stamp, len, COOKIE, &id));
	ok(!reads_stamp(&stamp, sizeof(stamp), COOKIE + 1, &id));
	stamp.magic ^= htobe32(1);
	ok(!reads_stamp(&stamp, sizeof(stamp), COOKIE, &id));
}

TEST(echo_requests_have_a_valid_checksum)
{
	struct packet_echo echo;

	packet_write_echo(&echo, false, &sample);
	eq_u64(echo.type, ICMP_ECHO);
	eq_u64(packet_checksum(&echo, sizeof(echo)), 0);
	packet_write_echo(&echo, true, &sample);
	eq_u64(echo.type, ICMP6_ECHO_REQUEST);
	eq_u64(echo.checksum, 0);
	eq_u64(packet_checksum("\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", 8), htobe16(0x220d)); /* the example of RFC 1071 */
}

TEST(echo_replies_are_read_behind_any_ip_header)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		for (size_t options = 0; options <= (ipv6 ? 0 : 40); options += 4) {
			uint8_t packet[128];
			size_t len = build_reply(packet, ipv6, options), size = 0;
			struct packet_id id = {0};

			ok(reads_echo(packet, len, ipv6, &id, &size));
			eq_u64(id.stream, sample.stream);
			eq_u64(size, PACKET_ECHO_SIZE);
			for (size_t cut = 0; cut < len; cut++)
				ok(!reads_echo(packet, cut, ipv6, &id, &size));
		}
	}
}

TEST(the_size_of_an_echo_is_that_of_the_whole_packet)
{
	uint8_t packet[128];
	size_t len = build_reply(packet, false, 0), size = 0;
	struct packet_id id;

	/* Of which only len bytes were copied. */
	ok(packet_read_echo(packet, len, 20 + 1024, false, COOKIE, &id, &size));
	eq_u64(size, 1024);
}

TEST(only_echo_replies_count)
{
	uint8_t packet[128];
	size_t len = build_reply(packet, false, 0), size;
	struct packet_id id;

	packet[20] = ICMP_ECHO;
	ok(!reads_echo(packet, len, false, &id, &size));
	len = build_reply(packet, false, 0);
	packet[0] = 0x65;
	ok(!reads_echo(packet, len, false, &id, &size));
	len = build_reply(packet, false, 0);
	packet[0] = 0x4f; /* says 60 bytes of header: more than there are */
	ok(!reads_echo(packet, len, false, &id, &size));
}

/* The instructions used here, as the kernel runs them; -1: dropped by a load beyond the end. */
static int64_t run_filter(const struct sock_filter *code, const uint8_t *packet, size_t len)
{
	uint32_t a = 0, x = 0;

	for (unsigned pc = 0; pc < PACKET_FILTER_LEN; pc++) {
		const struct sock_filter *f = &code[pc];
		size_t at = (size_t)f->k + x;

		switch (f->code) {
		case BPF_LDX | BPF_IMM:
			x = f->k;
			break;
		case BPF_LDX | BPF_B | BPF_MSH:
			if (f->k >= len)
				return -1;
			x = 4U * (packet[f->k] & 0xf);
			break;
		case BPF_LD | BPF_B | BPF_IND:
			if (at >= len)
				return -1;
			a = packet[at];
			break;
		case BPF_LD | BPF_W | BPF_IND:
			if (at + 4 > len)
				return -1;
			a = (uint32_t)packet[at] << 24 | (uint32_t)packet[at + 1] << 16 |
			    (uint32_t)packet[at + 2] << 8 | packet[at + 3];
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == f->k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			t_fail(__FILE__, __LINE__, "instruction %u: unknown code 0x%x", pc, f->code);
			return -1;
		}
	}
	t_fail(__FILE__, __LINE__, "the program runs off its end");
	return -1;
}

TEST(the_socket_filter_passes_what_is_ours_and_nothing_else)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		struct sock_filter code[PACKET_FILTER_LEN], other[PACKET_FILTER_LEN];
		uint8_t packet[128];
		size_t header = ipv6 ? 0 : 24, len = build_reply(packet, ipv6, 4);

		packet_echo_filter(code, ipv6, COOKIE);
		packet_echo_filter(other, ipv6, COOKIE ^ 1);
		eq_i64(run_filter(code, packet, len), UINT32_MAX);
		eq_i64(run_filter(other, packet, len), 0);
		packet_echo_filter(other, ipv6, COOKIE ^ 1ULL << 63);
		eq_i64(run_filter(other, packet, len), 0);
		for (size_t cut = 0; cut < header + PACKET_L4_SIZE + 16; cut++)
			ok(run_filter(code, packet, cut) <= 0);
		packet[header] = ipv6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
		eq_i64(run_filter(code, packet, len), 0);
		(void)build_reply(packet, ipv6, 4);
		packet[header + PACKET_L4_SIZE] ^= 1; /* magic */
		eq_i64(run_filter(code, packet, len), 0);
	}
}

TEST(each_packet_arrives_once)
{
	struct arrivals a = {0};

	eq_u64(arrivals_note(&a, 0), ARRIVAL_NEW);
	eq_u64(arrivals_note(&a, 0), ARRIVAL_DUPLICATE);
	eq_u64(arrivals_note(&a, 2), ARRIVAL_NEW);
	eq_u64(arrivals_note(&a, 1), ARRIVAL_LATE);
	eq_u64(arrivals_note(&a, 1), ARRIVAL_DUPLICATE);
	eq_u64(arrivals_note(&a, 2), ARRIVAL_DUPLICATE);
	eq_u64(arrivals_note(&a, 3), ARRIVAL_NEW);
}

TEST(the_window_of_arrivals_slides)
{
	struct arrivals a = {0};

	eq_u64(arrivals_note(&a, 5000), ARRIVAL_NEW);   /* a jump longer than the window */
	eq_u64(arrivals_note(&a, 5000 - ARRIVALS_WINDOW + 1), ARRIVAL_LATE);
	eq_u64(arrivals_note(&a, 5000 - ARRIVALS_WINDOW), ARRIVAL_DUPLICATE); /* cannot be told any more */
	eq_u64(arrivals_note(&a, 5000 + ARRIVALS_WINDOW - 1), ARRIVAL_NEW);
	eq_u64(arrivals_note(&a, 5000), ARRIVAL_DUPLICATE);
	eq_u64(arrivals_note(&a, 5001), ARRIVAL_LATE);
	eq_u64(arrivals_note(&a, UINT64_MAX - 1), ARRIVAL_NEW);
	eq_u64(arrivals_note(&a, UINT64_MAX - 1), ARRIVAL_DUPLICATE);
}

TEST(arrivals_agree_with_a_list_of_all_that_came)
{
	enum { PACKETS = 20000 };
	static bool seen[PACKETS + 200];
	struct arrivals a = {0};
	uint64_t highest = 0, fresh = 0, expected = 0;

	srand(2);
	for (uint64_t i = 0; i < PACKETS; i++) {
		uint64_t n = i + (uint64_t)rand() % 200; /* reordered by up to 200, with copies and gaps */
		enum arrival got = arrivals_note(&a, n);

		expected += !seen[n];
		fresh += got != ARRIVAL_DUPLICATE;
		if (got == ARRIVAL_NEW)
			ok(n >= highest);
		seen[n] = true;
		highest = n > highest ? n : highest;
	}
	eq_u64(fresh, expected);
}
