/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor in the kernel, by either of its parsers, against the native one: on packets of other projects' captures
 * (../shared/corpus; TUNLAB_CORPUS names another place) and on those that a fuzzer kept as
 * interesting (TUNLAB_FUZZED: a folder of them, each behind two bytes). Needs root; skips aloud.
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
#include "tests/unit/t.h"

enum { PACKET_MAX = 3000, FILE_MAX = 1 << 16, NAME_MAX_LEN = 1024 }; /* test_run takes a page less its own needs */

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

/* A frame of len bytes, all of them at hand. What test_run does not take, none gets. */
static void readers_parse(struct readers *b, const uint8_t *data, uint32_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = len, .repeat = 1);
	struct flow_value value = {.tx = {.packets = 1, .bytes = len}};
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
	verdict = parse_frame(&cursor, flow_ports_default, &parsed);
	b->verdicts[verdict]++;
	value.tx.inner_bytes = parsed.inner_len;
	if (verdict == VERDICT_FLOW)
		eq_i64(flows_add(&b->native, &parsed.key, &value), 0);
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
		readers_parse(b, data, header->caplen < PACKET_MAX ? header->caplen : PACKET_MAX);
	pcap_close(pcap);
	return readers_agree(b);
}

static bool parse_fuzzed(struct readers *b, const char *path)
{
	static uint8_t bytes[FILE_MAX];
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;

	if (f)
		fclose(f);
	if (n > 2)
		readers_parse(b, bytes + 2, n - 2 < PACKET_MAX ? n - 2 : PACKET_MAX);
	return true;
}

/* Every file of a folder. */
static void parse_folder(const char *path, bool (*parse)(struct readers *b, const char *path))
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char file[NAME_MAX_LEN];
	struct readers b;
	int n_files = 0;

	if (!dir)
		skip("no packets at %.200s", path);
	if (geteuid() != 0) {
		closedir(dir);
		skip("needs root");
	}
	if (!readers_begin(&b)) {
		closedir(dir);
		return;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		n_files++;
		if (!parse(&b, file)) {
			t_note("in %s", entry->d_name);
			break;
		}
	}
	closedir(dir);
	ok(readers_agree(&b));
	ok(b.n_packets > 0);
	t_note("%d files, %" PRIu64 " packets, %zu flows; %" PRIu64 " too short for the kernel's test run", n_files, b.n_packets,
	       b.native.n, b.n_refused);
	readers_end(&b);
}

TEST(the_kernel_reads_captures_as_the_native_parser_does)
{
	const char *dir = getenv("TUNLAB_CORPUS");
	char path[NAME_MAX_LEN];

	snprintf(path, sizeof(path), "%s/pcap", dir ? dir : "../shared/corpus");
	parse_folder(path, parse_capture);
}

TEST(the_kernel_reads_fuzzed_packets_as_the_native_parser_does)
{
	const char *dir = getenv("TUNLAB_FUZZED");

	parse_folder(dir ? dir : "build/fuzz/parse_fuzz.corpus", parse_fuzzed);
}
