/* SPDX-License-Identifier: Apache-2.0 */
/* Captures of all link types, whole and broken, written here and read by monitor/replay.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "monitor/replay.h"
#include "tests/unit/packets_vxlan.h"
#include "tests/unit/t.h"

enum { LINKTYPE_RAW = 101, LINKTYPE_IPV4 = 228, LINKTYPE_IPV6 = 229, LINKTYPE_LOOP = 108 }; /* as in files */

/* A capture being written. */
struct capture {
	char path[32];
	FILE *f;
};

static bool capture_begin(struct capture *c, uint32_t link)
{
	const uint32_t header[6] = {0xa1b23c4d, 0x00040002, 0, 0, 65535, link}; /* times in ns */

	strcpy(c->path, "/tmp/replay-XXXXXX");
	c->f = fdopen(mkstemp(c->path), "w");
	return ok(c->f != NULL) && ok(fwrite(header, sizeof(header), 1, c->f) == 1);
}

/* 5 ns after a second; the first one begins with 0. */
static void capture_add(struct capture *c, const void *data, uint32_t captured, uint32_t len, uint32_t seconds)
{
	const uint32_t record[4] = {seconds, seconds ? 5 : 0, captured, len};

	ok(fwrite(record, sizeof(record), 1, c->f) == 1);
	ok(fwrite(data, 1, captured, c->f) == captured);
}

/* Reads it; the file goes. */
static int capture_read(struct capture *c, const struct replay_config *config, struct flow_table *table,
			struct replay_span *span, struct error *err)
{
	static const struct replay_config plain;
	int ret;

	fclose(c->f);
	ret = replay_file(c->path, config ? config : &plain, table, span, err);
	unlink(c->path);
	return ret;
}

/* VXLAN packets from their outer IP header on. */
static void build_ip(struct packet *p, int family)
{
	memset(p, 0, sizeof(*p));
	if (family == 4)
		build_v4_v4_udp(p);
	else
		build_v6_v4_udp(p);
	packet_finish(p);
	p->len -= 14;
	memmove(p->data, p->data + 14, p->len);
}

#define WLAN_DATA(flags) "\x08" flags "\0\0\2\0\0\0\0\1\2\0\0\0\0\2\2\0\0\0\0\3\0\0"
#define SNAP(type) "\xaa\xaa\3\0\0\0" type

TEST(link_types)
{
	static const struct {
		const char *what;
		uint32_t link;
		const char *before;
		size_t n_before;
		int family;
		enum verdict verdict;
	} rows[] = {
		{"Ethernet", 1, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", 14, 4, VERDICT_FLOW},
		{"Linux cooked", 113, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x86\xdd", 16, 6, VERDICT_FLOW},
		{"Linux cooked, tagged", 113, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x81\0\0\7\x08\0", 20, 4, VERDICT_FLOW},
		{"Linux cooked, 802.3", 113, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\0\4", 16, 4, VERDICT_OTHER},
		{"Linux cooked 2", 276, "\x08\0\0\0\0\0\0\3\0\1\0\6\2\0\0\0\0\1\0\0", 20, 4, VERDICT_FLOW},
		{"raw, IPv4", LINKTYPE_RAW, "", 0, 4, VERDICT_FLOW},
		{"raw, IPv6", LINKTYPE_RAW, "", 0, 6, VERDICT_FLOW},
		{"raw, neither", LINKTYPE_RAW, "\x10", 1, 6, VERDICT_OTHER},
		{"IPv4", LINKTYPE_IPV4, "", 0, 4, VERDICT_FLOW},
		{"IPv4 that is none", LINKTYPE_IPV4, "", 0, 6, VERDICT_MALFORMED},
		{"IPv6", LINKTYPE_IPV6, "", 0, 6, VERDICT_FLOW},
		{"null, IPv4, little-endian", 0, "\2\0\0\0", 4, 4, VERDICT_FLOW},
		{"null, IPv4, big-endian", 0, "\0\0\0\2", 4, 4, VERDICT_FLOW},
		{"null, Linux", 0, "\x0a\0\0\0", 4, 6, VERDICT_FLOW},
		{"null, NetBSD", 0, "\x18\0\0\0", 4, 6, VERDICT_FLOW},
		{"null, FreeBSD", 0, "\x1c\0\0\0", 4, 6, VERDICT_FLOW},
		{"null, Darwin", 0, "\0\0\0\x1e", 4, 6, VERDICT_FLOW},
		{"null, an EtherType", 0, "\0\0\x08\0", 4, 4, VERDICT_FLOW},
		{"null, another family", 0, "\7\0\0\0", 4, 4, VERDICT_OTHER},
		{"loop", LINKTYPE_LOOP, "\0\0\0\2", 4, 4, VERDICT_FLOW},
		{"PPP as in HDLC", 9, "\xff\x03\0\x21", 4, 4, VERDICT_FLOW},
		{"PPP, shortened", 9, "\0\x57", 2, 6, VERDICT_FLOW},
		{"PPP, its own protocol", 50, "\xff\x03\xc0\x21", 4, 4, VERDICT_OTHER},
		{"Cisco HDLC", 104, "\x0f\0\x86\xdd", 4, 6, VERDICT_FLOW},
		{"Cisco HDLC, SLARP", 104, "\x8f\0\x80\x35", 4, 4, VERDICT_OTHER},
		{"802.11 data", 105, WLAN_DATA("\1") SNAP("\x08\0"), 32, 4, VERDICT_FLOW},
		{"802.11 data, encrypted", 105, WLAN_DATA("\x41") SNAP("\x08\0"), 32, 4, VERDICT_OTHER},
		{"802.11 behind radiotap", 127, "\0\0\x0a\0\0\0\0\0\1\2" WLAN_DATA("\1") SNAP("\x86\xdd"), 42, 6, VERDICT_FLOW},
		{"radiotap shorter than it can be", 127, "\0\0\x07\0\0\0\0\0", 8, 4, VERDICT_MALFORMED},
	};
	struct flow_table table = {0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct replay_span span;
		struct capture capture;
		struct packet ip, p = {0};
		struct error err;
		bool good;

		build_ip(&ip, rows[i].family);
		put_bytes(&p, rows[i].before, rows[i].n_before);
		put_bytes(&p, ip.data, ip.len);
		if (!capture_begin(&capture, rows[i].link))
			return;
		capture_add(&capture, p.data, p.len, p.len, 1);
		good = eq_i64(capture_read(&capture, NULL, &table, &span, &err), 0);
		good &= eq_u64(table.total.dir[FLOW_TX].seen, 1);
		good &= eq_u64(table.total.dir[FLOW_TX].verdict[rows[i].verdict].packets, 1);
		good &= eq_u64(table.total.dir[FLOW_TX].verdict[rows[i].verdict].bytes, p.len);
		good &= eq_u64(table.n, rows[i].verdict == VERDICT_FLOW);
		if (table.n == 1) {
			good &= eq_u64(table.rows[0].value.tx.bytes, p.len);
			good &= eq_u64(table.rows[0].value.tx.inner_bytes, 14 + 20 + 8 + 64);
		}
		if (!good)
			t_note("in row %zu: %s", i, rows[i].what);
	}
	flows_free(&table);
}

/* Bytes are those that were on the wire; what was captured of a packet may be too little. */
TEST(captured_parts)
{
	struct flow_table table = {0};
	struct replay_span span;
	struct capture capture;
	struct error err;
	struct packet p;

	memset(&p, 0, sizeof(p));
	build_v4_v4_udp(&p);
	packet_finish(&p);
	if (!capture_begin(&capture, 1))
		return;
	capture_add(&capture, p.data, 84, 1500, 7);
	capture_add(&capture, p.data, 83, 1500, 3);
	capture_add(&capture, p.data, p.len, 10, 9); /* the record lies */
	capture_add(&capture, p.data, 0, 60, 4);
	eq_i64(capture_read(&capture, NULL, &table, &span, &err), 0);
	eq_u64(table.total.dir[FLOW_TX].seen, 4);
	eq_u64(table.total.dir[FLOW_TX].verdict[VERDICT_TRUNCATED].packets, 2);
	eq_u64(table.total.dir[FLOW_TX].verdict[VERDICT_TRUNCATED].bytes, 1560);
	if (eq_u64(table.n, 1)) {
		eq_u64(table.rows[0].value.tx.packets, 2);
		eq_u64(table.rows[0].value.tx.bytes, 1510);
		eq_u64(table.rows[0].value.rx.packets, 0);
	}
	eq_u64(span.first_ns, 3000000005u);
	eq_u64(span.last_ns, 9000000005u);
	flows_free(&table);
}

TEST(time_may_begin_with_0)
{
	struct flow_table table = {0};
	struct replay_span span;
	struct capture capture;
	struct packet p = {0};
	struct error err;

	build_v4_v4_udp(&p);
	packet_finish(&p);
	if (!capture_begin(&capture, 1))
		return;
	capture_add(&capture, p.data, p.len, p.len, 0);
	capture_add(&capture, p.data, p.len, p.len, 3);
	eq_i64(capture_read(&capture, NULL, &table, &span, &err), 0);
	eq_u64(span.first_ns, 1); /* 0 would be no time */
	eq_u64(span.last_ns, 3000000005u);
	flows_free(&table);
}

static void add_flows(struct capture *c, int n)
{
	struct packet p;

	memset(&p, 0, sizeof(p));
	build_v4_v4_udp(&p);
	packet_finish(&p);
	for (int i = 0; i < n; i++) {
		p.data[78] = i >> 8;
		p.data[79] = i;
		capture_add(c, p.data, p.len, p.len, 1);
	}
}

TEST(flows_beyond_the_capacity_are_lost_and_counted)
{
	struct replay_config config = {.capacity = 100};
	struct flow_table table = {0};
	struct replay_span span;
	struct capture capture;
	struct error err;

	if (!capture_begin(&capture, 1))
		return;
	add_flows(&capture, 300);
	add_flows(&capture, 300);
	eq_i64(capture_read(&capture, &config, &table, &span, &err), 0);
	eq_u64(table.n, 100);
	eq_u64(table.capacity, 100);
	eq_u64(table.total.dir[FLOW_TX].verdict[VERDICT_FLOW].packets, 200);
	eq_u64(table.total.dir[FLOW_TX].verdict[VERDICT_LOST].packets, 400);
	for (size_t i = 0; i < table.n; i++)
		ok(table.rows[i].value.tx.packets == 2 &&
		   (i == 0 || memcmp(&table.rows[i - 1].key, &table.rows[i].key, sizeof(struct flow_key)) < 0));
	flows_free(&table);
}

TEST(a_broken_file_gives_what_was_read)
{
	struct flow_table table = {0};
	struct replay_span span;
	struct capture capture;
	struct error err;

	if (!capture_begin(&capture, 1))
		return;
	add_flows(&capture, 7);
	fwrite("\1\2\3\4\5", 5, 1, capture.f); /* of a record's 16 */
	eq_i64(capture_read(&capture, NULL, &table, &span, &err), -EINVAL);
	ok(strstr(err.text, "broken after 7 packets") != NULL);
	eq_u64(table.n, 7);

	if (!capture_begin(&capture, 1))
		return;
	add_flows(&capture, 1);
	capture_add(&capture, "", 0, 0, 0);
	fwrite("\0\0\0\0\0\0\0\0\xff\xff\xff\x7f\xff\xff\xff\x7f", 16, 1, capture.f); /* 2 GB are to follow */
	eq_i64(capture_read(&capture, NULL, &table, &span, &err), -EINVAL);
	eq_u64(table.n, 1);
	eq_u64(table.total.dir[FLOW_TX].seen, 2);
	flows_free(&table);
}

/* Section header, an interface with Ethernet, one with raw IP. */
static const uint32_t pcapng_of_two_links[] = {
	0x0a0d0d0a, 28, 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX, 28,
	1, 20, 1, 65535, 20,
	1, 20, LINKTYPE_RAW, 65535, 20,
};

/* A file of these bytes. */
static int read_bytes(const void *bytes, size_t n, struct flow_table *table, struct error *err)
{
	static const struct replay_config plain;
	char path[] = "/tmp/replay-XXXXXX";
	int fd = mkstemp(path), ret;
	struct replay_span span;

	ok(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	(void)close(fd);
	ret = replay_file(path, &plain, table, &span, err);
	unlink(path);
	return ret;
}

TEST(what_cannot_be_read_has_a_reason)
{
	struct replay_config config = {.capacity = 0};
	struct flow_table table = {0};
	struct replay_span span;
	struct capture capture;
	struct error err;

	eq_i64(replay_file("/nonexistent/x", &config, &table, &span, &err), -ENOENT);
	ok(strstr(err.text, "/nonexistent/x") != NULL);
	eq_i64(replay_file("/tmp", &config, &table, &span, &err), -EISDIR);
	eq_i64(replay_file("/dev/null", &config, &table, &span, &err), -EINVAL);
	ok(strstr(err.text, "it is empty") != NULL);
	if (!capture_begin(&capture, 195)) /* IEEE 802.15.4 */
		return;
	eq_i64(capture_read(&capture, NULL, &table, &span, &err), -EPROTONOSUPPORT);
	ok(strstr(err.text, "802.15.4") != NULL);
	eq_u64(table.n, 0);
	eq_i64(read_bytes("\x1f\x8b\x08\0\0\0\0\0", 8, &table, &err), -EINVAL);
	ok(strstr(err.text, "gzip -dc /tmp/replay-") != NULL);
	eq_i64(read_bytes("11:02:03 IP a > b", 17, &table, &err), -EINVAL);
	ok(strstr(err.text, "as pcap or pcapng: unknown file format") != NULL);
	eq_i64(read_bytes(pcapng_of_two_links, sizeof(pcapng_of_two_links), &table, &err), -EINVAL);
	ok(strstr(err.text, "several link types") != NULL);
	flows_free(&table);
}

static bool stop_reading(void *arg, const struct replay_progress *p)
{
	struct replay_progress *seen = arg;

	*seen = *p;
	return false;
}

TEST(progress_may_end_the_reading)
{
	struct replay_progress seen = {0};
	struct replay_config config = {.progress = stop_reading, .progress_arg = &seen};
	struct flow_table table = {0};
	struct replay_span span;
	struct capture capture;
	struct error err;

	if (!capture_begin(&capture, 1))
		return;
	add_flows(&capture, 40000);
	eq_i64(capture_read(&capture, &config, &table, &span, &err), -ECANCELED);
	ok(seen.packets > 0 && seen.packets < 40000);
	eq_u64(seen.bytes, 24 + 40000 * (16 + 156));
	eq_u64(seen.bytes_read, 24 + seen.packets * (16 + 156));
	eq_u64(table.total.dir[FLOW_TX].seen, seen.packets);
	flows_free(&table);
}

/* ---- steps of a capture's time ---- */

struct steps {
	unsigned n;
	uint64_t end_s[16], seen[16];
	int stop_at;
};

static int note_step(void *arg, struct flow_table *table, uint64_t end_ns, struct error *err)
{
	struct steps *s = arg;

	if (s->n < 16) {
		s->end_s[s->n] = end_ns / 1000000000u;
		s->seen[s->n] = table->total.dir[FLOW_TX].seen;
	}
	error_set(err, "enough");
	return (int)++s->n == s->stop_at ? -ECANCELED : 0;
}

/* Packets in seconds 100, 100, 103, 101 (late) and 107; span and steps of two seconds. */
static int read_steps(struct steps *s, uint64_t last_s, struct flow_table *table)
{
	static const uint32_t seconds[] = {100, 100, 103, 101, 107};
	struct replay_config config = {.step_ns = 2000000000u, .step = note_step, .step_arg = s};
	struct replay_span span;
	struct capture c;
	struct error err = {""};
	struct packet p;

	memset(&p, 0, sizeof(p));
	build_v4_v4_udp(&p);
	packet_finish(&p);
	if (!capture_begin(&c, 1))
		return -1;
	for (size_t i = 0; i < 5; i++)
		capture_add(&c, p.data, p.len, p.len, seconds[i]);
	fflush(c.f);
	eq_i64(replay_scan(c.path, &config, &span, &err), 0);
	eq_u64(span.first_ns, 100000000005u);
	eq_u64(span.last_ns, 107000000005u);
	config.start_ns = span.first_ns;
	config.last_ns = last_s ? last_s * 1000000000u : span.last_ns;
	return capture_read(&c, &config, table, &span, &err);
}

TEST(steps_of_time_hold_what_came_before_their_end)
{
	struct flow_table table = {0};
	struct steps s = {0};

	eq_i64(read_steps(&s, 0, &table), 0);
	eq_u64(s.n, 4);
	eq_u64(s.end_s[0], 102);
	eq_u64(s.seen[0], 2);
	eq_u64(s.end_s[1], 104);
	eq_u64(s.seen[1], 4); /* the late one, too */
	eq_u64(s.seen[2], 4); /* nothing came */
	eq_u64(s.end_s[3], 108);
	eq_u64(s.seen[3], 5);
	s = (struct steps){.stop_at = 2};
	eq_i64(read_steps(&s, 0, &table), -ECANCELED);
	eq_u64(s.n, 2);
	s = (struct steps){0}; /* a file that has grown since */
	eq_i64(read_steps(&s, 103, &table), 0);
	eq_u64(s.n, 2);
	eq_u64(s.seen[1], 5);
	flows_free(&table);
}

/* A pcapng in nanoseconds, of two frames without bytes, whose times are the last there are: 2^64 - 1 ns, in the year 2554. */
TEST(times_at_the_end_of_all_times_have_few_steps)
{
	static const uint32_t bytes[] = {
		0x0a0d0d0a, 28, 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX, 28,
		1, 32, 1, 65535, 9 | 1 << 16, 9, 0, 32,
		6, 32, 0, UINT32_MAX, 0xc0000000, 0, 0, 32,
		6, 32, 0, UINT32_MAX, UINT32_MAX, 0, 0, 32,
	};
	struct steps s = {.stop_at = 100};
	struct replay_config config = {.step = note_step, .step_arg = &s};
	char path[] = "/tmp/replay-XXXXXX";
	int fd = mkstemp(path);
	struct flow_table table = {0};
	struct replay_span span;
	struct error err;

	ok(fd >= 0 && write(fd, bytes, sizeof(bytes)) == sizeof(bytes));
	(void)close(fd);
	eq_i64(replay_scan(path, &config, &span, &err), 0);
	config.start_ns = span.first_ns;
	config.last_ns = span.last_ns;
	config.step_ns = replay_step_ns(&span, 600);
	eq_i64(replay_file(path, &config, &table, &span, &err), 0);
	eq_u64(s.n, 1);
	unlink(path);
	flows_free(&table);
}

TEST(steps_are_round_and_few)
{
	static const struct {
		uint64_t seconds, step;
	} rows[] = {{0, 1}, {1, 1}, {599, 1}, {600, 2}, {1199, 2}, {1200, 5}, {3600, 10}, {86400, 300}, {30 * 86400, 7200},
		    {4294967295u, 7372800 /* 3600 << 11 */}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct replay_span span = {5, rows[i].seconds * 1000000000u + 5};

		eq_u64(replay_step_ns(&span, 600), rows[i].step * 1000000000u);
	}
}
