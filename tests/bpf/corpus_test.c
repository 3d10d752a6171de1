/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor in the kernel, by either of its parsers, against the native one: on packets of other projects'
 * captures (../shared/corpus; TUNLAB_CORPUS names another place), on mutated ones (TUNLAB_MUTANTS says how many,
 * TUNLAB_SEED which), and on those that `make fuzz` kept as interesting, where it was run (TUNLAB_FUZZED: a folder
 * of them, each behind two bytes). Needs root; skips aloud.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define PCAP_DONT_INCLUDE_PCAP_BPF_H /* it would define the kernel's structures again */
#include <pcap/dlt.h>
#include <pcap/pcap.h>

#include "bpf/parse.h"
#include "monitor/flows.h"
#include "monitor/monitor.h"
#include "tests/lib/mutate.h"
#include "tests/unit/packet_cases.h"
#include "tests/unit/t.h"

/* Each packet comes twice: the first finds a place for its flow, the second finds the flow there, which is another way. */
enum { REPEAT = 2 };

enum { TEST_RUN_MAX = 3000, FILE_MAX = 1 << 16, NAME_MAX_LEN = 1024 }; /* test_run takes a page less its own needs */

struct readers {
	struct monitor *monitors[MONITOR_PARSER_MAX];
	struct flow_table native, kernel;
	uint64_t verdicts[VERDICT_MAX];
	uint64_t n_packets, n_refused;
};

static bool readers_begin(struct readers *b)
{
	struct error err;

	memset(b, 0, sizeof(*b));
	for (int i = 0; i < MONITOR_PARSER_MAX; i++) {
		struct monitor_config config = {.promiscuous = true, .base_ifindex = 1, .parser = i};

		if (!eq_i64(monitor_open(&config, &err, &b->monitors[i]), 0)) {
			t_note("%s: %s", monitor_parser_names[i], err.text);
			return false;
		}
	}
	return true;
}

static void readers_end(struct readers *b)
{
	flows_free(&b->native);
	flows_free(&b->kernel);
	for (int i = 0; i < MONITOR_PARSER_MAX; i++)
		monitor_free(b->monitors[i]);
}

/* A frame of len bytes, all of them at hand; gso_size as in a socket buffer. What test_run does not take, none gets. */
static void readers_parse(struct readers *b, const uint8_t *data, uint32_t len, uint32_t gso_size)
{
	struct __sk_buff skb = {.gso_size = gso_size};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = len, .ctx_in = &skb,
		    .ctx_size_in = sizeof(skb), .repeat = REPEAT);
	struct flow_value value = {.tx.packets = 0};
	struct parsed parsed;
	struct cursor cursor;
	enum verdict verdict;

	for (int i = 0; i < MONITOR_PARSER_MAX; i++) {
		if (bpf_prog_test_run_opts(monitor_prog_fd(b->monitors[i], FLOW_TX), &opts) < 0) {
			eq_i64(i, 0);
			b->n_refused++;
			return;
		}
	}
	b->n_packets++;
	cursor_init(&cursor, data, len, len);
	cursor.want_l4 = gso_size;
	verdict = parse_frame(&cursor, flow_ports_default, &parsed);
	parse_count(&parsed, len, gso_size, 0, &value.tx);
	for (int i = 0; i < REPEAT; i++) {
		b->verdicts[verdict] += value.tx.packets;
		if (verdict == VERDICT_FLOW)
			eq_i64(flows_add(&b->native, &parsed.key, &value), 0);
	}
}

static bool agrees(struct readers *b, enum monitor_parser parser)
{
	bool good = eq_i64(flows_read(b->monitors[parser], &b->kernel), 0) && eq_u64(b->kernel.n, b->native.n);

	for (int v = 0; v < VERDICT_MAX && good; v++)
		good &= eq_u64(b->kernel.total.dir[FLOW_TX].verdict[v].packets, b->verdicts[v]);
	for (size_t i = 0; i < b->native.n && good; i++)
		good &= ok(memcmp(&b->native.rows[i], &b->kernel.rows[i], sizeof(b->native.rows[i])) == 0);
	if (!good)
		t_note("by %s", monitor_parser_names[parser]);
	return good;
}

/* All have found the same in all packets up to here. */
static bool readers_agree(struct readers *b)
{
	bool good = eq_i64(flows_sort(&b->native), 0);

	for (int i = 0; i < MONITOR_PARSER_MAX && good; i++)
		good = agrees(b, i);
	return good;
}

static bool parse_capture(struct readers *b, const char *path)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(path, error);
	struct pcap_pkthdr *header;
	const uint8_t *data;

	if (!ok(pcap != NULL))
		return false;
	while (pcap_datalink(pcap) == DLT_EN10MB && pcap_next_ex(pcap, &header, &data) == 1)
		readers_parse(b, data, header->caplen < TEST_RUN_MAX ? header->caplen : TEST_RUN_MAX, 0);
	pcap_close(pcap);
	return readers_agree(b);
}

TEST(the_kernel_reads_captures_as_the_native_parser_does)
{
	const char *dir = getenv("TUNLAB_CORPUS");
	char path[NAME_MAX_LEN], file[NAME_MAX_LEN];
	struct dirent *entry;
	struct readers b;
	int n_files = 0;
	DIR *d;

	if (geteuid() != 0)
		skip("needs root");
	snprintf(path, sizeof(path), "%s/pcap", dir ? dir : "../shared/corpus");
	d = opendir(path);
	if (!d)
		skip("no packets at %.200s", path);
	for (bool good = readers_begin(&b); good && (entry = readdir(d));) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(file, sizeof(file), "%s/%s", path, entry->d_name) >= (int)sizeof(file))
			continue;
		n_files++;
		good = parse_capture(&b, file);
		if (!good)
			t_note("in %s", entry->d_name);
	}
	closedir(d);
	ok(b.n_packets > 0);
	t_note("%d files, %" PRIu64 " packets, %zu flows; %" PRIu64 " too short for the kernel's test run", n_files, b.n_packets,
	       b.native.n, b.n_refused);
	readers_end(&b);
}

/* ---- mutated packets ---- */

enum { SEEDS_MAX = 16384, SEED_LEN_MAX = 400, ROUND = 20000 };

struct seeds {
	struct {
		uint8_t data[SEED_LEN_MAX];
		size_t len;
	} v[SEEDS_MAX];
	size_t n;
};

static void seeds_add(struct seeds *s, const uint8_t *data, size_t len)
{
	if (s->n == SEEDS_MAX || len == 0)
		return;
	s->v[s->n].len = len < SEED_LEN_MAX ? len : SEED_LEN_MAX;
	memcpy(s->v[s->n].data, data, s->v[s->n].len);
	s->n++;
}

/* Those that unit tests have, and what a fuzzer found interesting. In an order that does not change, but for the latter. */
static void seeds_collect(struct seeds *s)
{
	const char *path = getenv("TUNLAB_FUZZED") ? getenv("TUNLAB_FUZZED") : "build/fuzz/parse_fuzz.corpus";
	static uint8_t bytes[FILE_MAX];
	struct dirent *entry;
	DIR *d = opendir(path);

	s->n = 0;
	for (int i = 0; i < N_PACKET_CASES; i++) {
		struct packet p;

		case_build(packet_case(i), &p);
		seeds_add(s, p.data, p.len);
	}
	while (d && (entry = readdir(d))) {
		char file[NAME_MAX_LEN];
		size_t n = 0;
		FILE *f = NULL;

		if (entry->d_name[0] != '.' && snprintf(file, sizeof(file), "%s/%s", path, entry->d_name) < (int)sizeof(file))
			f = fopen(file, "re");
		if (f) {
			n = fread(bytes, 1, sizeof(bytes), f);
			fclose(f);
		}
		if (n > 2)
			seeds_add(s, bytes + 2, n - 2);
	}
	if (d)
		closedir(d);
}

/* The next mutant, in room for TEST_RUN_MAX. */
static size_t mutant(const struct seeds *s, struct mutator *m, uint8_t *data, uint32_t *ret_gso_size)
{
	size_t from = mutator_below(m, s->n), len = s->v[from].len;

	memcpy(data, s->v[from].data, len);
	for (uint32_t n = mutator_below(m, 5); n > 0; n--) { /* or as it is */
		size_t other = mutator_below(m, s->n);

		mutate_once(m, data, &len, TEST_RUN_MAX, s->v[other].data, s->v[other].len);
	}
	*ret_gso_size = mutator_below(m, 4) ? 0 : 1 + mutator_below(m, 200);
	return len;
}

/* A round of mutants; all must agree on them, or (each) the first that they disagree on is printed. */
static bool mutate_round(const struct seeds *s, struct mutator *m, bool each, uint64_t *ret_packets)
{
	uint8_t data[TEST_RUN_MAX];
	struct readers b;
	bool good = readers_begin(&b);

	for (int i = 0; i < ROUND && good; i++) {
		uint32_t gso_size;
		size_t len = mutant(s, m, data, &gso_size);

		readers_parse(&b, data, len, gso_size);
		if (each && !readers_agree(&b)) {
			printf("# gso_size %u, packet ", gso_size);
			for (size_t k = 0; k < len; k++)
				printf("%02x", data[k]);
			printf("\n");
			good = false;
		}
	}
	good = good && readers_agree(&b);
	*ret_packets += b.n_packets;
	readers_end(&b);
	return good;
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

TEST(the_kernel_reads_mutated_packets_as_the_native_parser_does)
{
	uint64_t seed = number_of("TUNLAB_SEED", 88172645463325252u), n = number_of("TUNLAB_MUTANTS", 200000), packets = 0;
	static struct seeds seeds;
	struct mutator m = {seed};

	if (geteuid() != 0)
		skip("needs root");
	seeds_collect(&seeds);
	ok(seed != 0);
	while (packets < n && !t_failures) {
		struct mutator again = m;

		if (!mutate_round(&seeds, &m, false, &packets))
			(void)mutate_round(&seeds, &again, true, &packets);
	}
	t_note("seed %" PRIu64 ": %" PRIu64 " mutants of %zu packets", seed, packets, seeds.n);
}
