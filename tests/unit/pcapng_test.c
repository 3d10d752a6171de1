/* SPDX-License-Identifier: Apache-2.0 */
/* lab/capture without a kernel: what it writes is read back by libpcap, and block by block by the format's own rules. */
#include <cjson/cJSON.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <stdlib.h>

#include <pcap/pcap.h>

#include "lab/capture/line.h"
#include "lab/capture/pcapng.h"
#include "lab/capture/recorder.h"
#include "tests/unit/packet_cases.h"
#include "tests/unit/t.h"

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, NAMES = 4, STATISTICS = 5, PACKET = 6 };
#define T0 1700000000123456789ull

/* A block in a text: type, body without the two lengths. */
struct block {
	uint32_t type, len;
	const char *body;
};

static uint32_t u32(const char *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static uint16_t u16(const char *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

/* Next block from *at on; false at the end, or when the lengths make no sense. */
static bool next_block(const struct text *t, size_t *at, struct block *ret)
{
	uint32_t len;

	if (*at + 12 > t->len)
		return false;
	len = u32(t->buf + *at + 4);
	if (!ok(len >= 12 && len % 4 == 0 && *at + len <= t->len) || !eq_u64(u32(t->buf + *at + len - 4), len))
		return false;
	*ret = (struct block){.type = u32(t->buf + *at), .len = len - 12, .body = t->buf + *at + 8};
	*at += len;
	return true;
}

/* The value of an option in a block whose options begin at `from`, or NULL. Also checks that they end where the block does. */
static const char *option(const struct block *b, size_t from, uint16_t code, uint16_t *ret_len)
{
	const char *found = NULL;
	size_t at = from;

	while (ok(at + 4 <= b->len)) {
		uint16_t c = u16(b->body + at), len = u16(b->body + at + 2);

		if (c == code && !found) {
			found = b->body + at + 4;
			*ret_len = len;
		}
		at += 4 + ((len + 3u) & ~3u);
		if (c == 0)
			break;
	}
	eq_u64(at, b->len);
	return found;
}

static void has_text(const struct block *b, size_t from, uint16_t code, const char *want)
{
	uint16_t len = 0;
	const char *at = option(b, from, code, &len);
	char copy[200] = "";

	if (at && len < sizeof(copy))
		memcpy(copy, at, len);
	eq_str(copy, want);
}

static struct packet_case const *a_flow(void)
{
	for (int i = 0; i < N_PACKET_CASES; i++) {
		if (packet_case(i)->verdict == VERDICT_FLOW)
			return packet_case(i);
	}
	return NULL;
}

/* Frames of every length go in and come out as they were, by libpcap's reader. */
TEST(libpcap_reads_what_is_written)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	uint8_t data[1600];
	struct text t = {0};
	struct pcap_pkthdr *h;
	const u_char *bytes;
	FILE *file;
	pcap_t *p;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	pcapng_section(&t, "Linux 6", "tunlab");
	pcapng_interface(&t, PCAPNG_ETHERNET, "eth0", "eth0 in host3");
	for (uint32_t n = 0; n < sizeof(data); n++)
		pcapng_packet(&t, &(struct pcapng_packet){.time_ns = T0 + n, .data = data, .captured = n, .len = n + 5,
							  .direction = PCAPNG_OUT, .comment = n % 2 ? "odd" : NULL});
	pcapng_statistics(&t, &(struct pcapng_statistics){.received = sizeof(data), .start_ns = T0, .end_ns = T0 + 9});
	if (!ok(!t.failed))
		return;
	file = fmemopen(t.buf, t.len, "r");
	p = file ? pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, errbuf) : NULL;
	if (!p) {
		t_note("%s", errbuf);
		ok(!"libpcap opens it");
		return;
	}
	eq_i64(pcap_datalink(p), DLT_EN10MB);
	for (uint32_t n = 0; n < sizeof(data); n++) {
		if (!eq_i64(pcap_next_ex(p, &h, &bytes), 1))
			break;
		eq_u64(h->caplen, n);
		eq_u64(h->len, n + 5);
		eq_u64((uint64_t)h->ts.tv_sec * 1000000000ull + (uint64_t)h->ts.tv_usec, T0 + n);
		ok(!memcmp(bytes, data, n));
	}
	eq_i64(pcap_next_ex(p, &h, &bytes), PCAP_ERROR_BREAK);
	pcap_close(p); /* and the file */
	text_free(&t);
}

TEST(blocks_hold_what_the_format_says)
{
	struct ip_addr v4, v6;
	struct pcapng_names names;
	struct text t = {0};
	struct block b;
	uint16_t len;
	size_t at = 0;
	const char *o;

	(void)addr_parse("172.16.1.103", &v4);
	(void)addr_parse("fd00::7", &v6);
	pcapng_section(&t, "Linux", "tunlab");
	pcapng_names_begin(&t, &names);
	pcapng_name(&t, &v4, "host3");
	pcapng_name(&t, &v6, "c7");
	pcapng_names_end(&t, &names);
	pcapng_interface(&t, PCAPNG_RAW_IP, "gre0", "");
	pcapng_packet(&t, &(struct pcapng_packet){.interface = 0, .time_ns = T0, .data = "abcde", .captured = 5, .len = 9,
						  .direction = PCAPNG_IN, .reception = PCAPNG_BROADCAST});
	pcapng_statistics(&t, &(struct pcapng_statistics){.interface = 0, .start_ns = T0, .end_ns = T0 + 1, .received = 70, .dropped = 3,
							  .comment = "why"});

	ok(next_block(&t, &at, &b) && b.type == SECTION);
	eq_u64(u32(b.body), 0x1a2b3c4d);
	eq_u64(u16(b.body + 4), 1);
	has_text(&b, 16, 3, "Linux");
	has_text(&b, 16, 4, "tunlab");

	ok(next_block(&t, &at, &b) && b.type == NAMES);
	eq_u64(u16(b.body), 1);
	eq_u64(u16(b.body + 2), 4 + sizeof("host3"));
	ok(!memcmp(b.body + 4, "\xac\x10\x01\x67host3", 4 + sizeof("host3")));
	eq_u64(u16(b.body + 16), 2);
	eq_u64(u16(b.body + 18), 16 + sizeof("c7"));
	ok(!memcmp(b.body + 20, v6.b, 16) && !strcmp(b.body + 36, "c7"));
	eq_u64(u32(b.body + 40), 0);
	eq_u64(b.len, 44);

	ok(next_block(&t, &at, &b) && b.type == INTERFACE);
	eq_u64(u16(b.body), 101);
	has_text(&b, 8, 2, "gre0");
	o = option(&b, 8, 9, &len);
	ok(o && len == 1 && *o == 9);

	ok(next_block(&t, &at, &b) && b.type == PACKET);
	eq_u64((uint64_t)u32(b.body + 4) << 32 | u32(b.body + 8), T0);
	eq_u64(u32(b.body + 12), 5);
	eq_u64(u32(b.body + 16), 9);
	o = option(&b, 28, 2, &len);
	ok(o && len == 4 && u32(o) == (1 | 3 << 2));

	ok(next_block(&t, &at, &b) && b.type == STATISTICS);
	o = option(&b, 12, 4, &len);
	ok(o && len == 8 && u32(o) == 70);
	o = option(&b, 12, 5, &len);
	ok(o && len == 8 && u32(o) == 3);
	o = option(&b, 12, 3, &len);
	ok(o && len == 8 && ((uint64_t)u32(o) << 32 | u32(o + 4)) == T0 + 1);
	has_text(&b, 12, 1, "why");
	ok(!next_block(&t, &at, &b));
	eq_u64(at, t.len);
	text_free(&t);
}

static struct ring_frame frame(uint32_t ifindex, uint8_t packet_type, const struct packet *p)
{
	return (struct ring_frame){.ifindex = ifindex, .arp_type = ARPHRD_ETHER, .packet_type = packet_type, .time_ns = T0,
				   .data = p->data, .captured = (uint32_t)p->len, .len = (uint32_t)p->len};
}

/* Names that several clients share are nobody's; interfaces are numbered as they come. */
TEST(recorder_numbers_interfaces_and_names_what_is_unique)
{
	cJSON *lab = cJSON_Parse("{\"hosts\":[{\"name\":\"host0\",\"vtep\":\"172.16.1.100\"}],\"clients\":["
				 "{\"name\":\"c0\",\"address\":\"10.0.0.1\"},{\"name\":\"c1\",\"address\":\"10.0.0.2\"},"
				 "{\"name\":\"c2\",\"address\":\"10.0.0.1\"},{\"name\":\"c3\",\"address\":\"bad\"}]}");
	struct recorder *r = recorder_new(&(struct recorder_config){.where = "host0", .lab = lab, .interfaces_fd = -1});
	uint32_t order[] = {7, 9, 7, 3}, want[] = {0, 1, 0, 2}, seen = 0, interfaces = 0, statistics = 0;
	struct packet p;
	struct block b;
	size_t at = 0;

	cJSON_Delete(lab);
	case_build(a_flow(), &p);
	if (!ok(r))
		return;
	for (size_t i = 0; i < 4; i++) {
		struct ring_frame f = frame(order[i], i % 2 ? PACKET_OUTGOING : PACKET_HOST, &p);

		recorder_add(r, &f);
	}
	recorder_end(r, T0, T0 + 5, 11);
	eq_u64(recorder_interfaces(r), 3);
	while (next_block(recorder_bytes(r), &at, &b)) {
		uint16_t len = 0;
		const char *o;

		if (b.type == NAMES) { /* ordered by address: c1's, then host0's */
			ok(!memcmp(b.body + 4, "\x0a\0\0\x02" "c1", 7));
			ok(!memcmp(b.body + 16, "\xac\x10\x01\x64host0", 10));
			eq_u64(u32(b.body + 28), 0);
		} else if (b.type == INTERFACE) {
			static const char *const names[] = {"if7", "if9", "if3"};

			has_text(&b, 8, 2, names[interfaces++ % 3]);
		} else if (b.type == PACKET) {
			eq_u64(u32(b.body), want[seen % 4]);
			o = option(&b, 20 + ((p.len + 3) & ~3u), 2, &len);
			eq_u64(o ? u32(o) : 0, seen++ % 2 ? PCAPNG_OUT : (PCAPNG_IN | PCAPNG_UNICAST << 2));
		} else if (b.type == STATISTICS) {
			o = option(&b, 12, 5, &len);
			eq_u64(o ? u32(o) : 99, statistics++ ? 0 : 11);
		}
	}
	eq_u64(at, recorder_bytes(r)->len);
	eq_u64(interfaces, 3);
	eq_u64(seen, 4);
	eq_u64(statistics, 3);
	recorder_free(r);
}

static const struct flow_port ports[FLOW_PORTS_MAX] = {{.port = 4789, .encap = ENCAP_VXLAN}};

static void line_is(const void *data, uint32_t captured, uint32_t len, const char *want)
{
	struct text t = {0};
	char *got;

	line_describe(&t, ports, data, captured, len);
	got = text_take(&t);
	eq_str(got, want);
	free(got);
}

TEST(lines_for_what_is_not_tunnelled)
{
	static const uint8_t arp[42] = {[12] = 0x08, [13] = 0x06};
	static const uint8_t llc[60] = {[13] = 38};
	static const uint8_t icmp[42] = {[12] = 0x08, [14] = 0x45, [17] = 28, [23] = 1, [26] = 10, 0, 0, 1, 10, 0, 0, 2};

	line_is(arp, sizeof(arp), sizeof(arp), "arp, 42 bytes");
	line_is(llc, sizeof(llc), sizeof(llc), "llc, 60 bytes");
	line_is(icmp, sizeof(icmp), sizeof(icmp), "10.0.0.1 > 10.0.0.2 ipv4/icmp, 42 bytes");
	line_is(icmp, 20, 42, "ipv4 truncated, 42 bytes");
	line_is(icmp, 5, 42, "truncated, 42 bytes");
}

/* Nothing read beyond the captured bytes, whatever they are (the sanitizer looks on). */
TEST(lines_of_every_case_cut_at_every_length)
{
	for (int i = 0; i < N_PACKET_CASES; i++) {
		struct packet p;

		case_build(packet_case(i), &p);
		for (size_t n = 0; n <= p.len; n++) {
			uint8_t *copy = malloc(n + 1);
			struct text t = {0};

			memcpy(copy, p.data, n);
			line_describe(&t, ports, copy, (uint32_t)n, (uint32_t)p.len);
			ok(!t.failed && strstr(t.buf, " bytes"));
			text_free(&t);
			free(copy);
		}
	}
}

TEST(a_tunnelled_packet_in_one_line)
{
	struct packet p;
	struct text t = {0};

	case_build(a_flow(), &p);
	line_describe(&t, ports, p.data, (uint32_t)p.len, (uint32_t)p.len);
	ok(strstr(t.buf, " > ") && strstr(t.buf, " vxlan ") && strstr(t.buf, " ipv4/"));
	text_free(&t);
}
