/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns reading captures: the file, libpcap, and the loop from packet to flow table. A packet costs
 * little here, so what stands between it and the file counts: the stream has a big buffer and no lock.
 */
#include "monitor/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <pcap/pcap.h>

#include "base/units.h"
#include "bpf/parse_plain.h"
#include "monitor/replay_link.h"

enum {
	BUFFER_SIZE = 1 << 20,
	BATCH = 16384, /* packets between two looks at progress */
};

struct reader {
	const struct flow_port *ports;
	uint32_t capacity;
	int link; /* libpcap's DLT_ */
	struct flow_table *table;
	struct replay_span span;
	uint64_t n_packets;
	const struct replay_config *config;
	uint64_t step_end_ns; /* of the step at hand */
	uint64_t wake_ns;     /* the same; UINT64_MAX in the last one, and where there are no steps */
	int stopped;          /* what config->step said, unless 0 */
	struct error *err;
	pcap_t *pcap;
};

/* ---- packets ---- */

static enum verdict parse_captured(const struct reader *r, const uint8_t *data, uint32_t at_hand, uint32_t len,
				   struct parsed *ret)
{
	enum verdict verdict = VERDICT_TRUNCATED;
	struct plain_shape shape;
	struct cursor cursor;

	if (r->link == DLT_EN10MB)
		verdict = parse_plain(data, data + at_hand, len, false, r->ports, &shape, ret);
	if (verdict != VERDICT_TRUNCATED)
		return verdict;
	cursor_init(&cursor, data, at_hand, len);
	return parse_packet(&cursor, r->ports, parse_capture_link(&cursor, r->link), ret);
}

static enum verdict count_flow(struct reader *r, const struct flow_key *key, const struct flow_count *count)
{
	struct flow_value *value = flows_entry(r->table, key, r->capacity);

	if (!value)
		return VERDICT_LOST;
	flow_count_add(&value->tx, count);
	return VERDICT_FLOW;
}

/* 0 stands for no time, and captures made by hand begin with it: a nanosecond later is near enough. What is before 1970, or so far
 * ahead (2262) that a step more might be no number any more, is taken for that far ahead. */
static uint64_t ns_of(const struct timeval *at)
{
	if (at->tv_sec < 0 || at->tv_sec >= (time_t)(INT64_MAX / SECOND_NS))
		return INT64_MAX;
	return ((uint64_t)at->tv_sec * SECOND_NS + (uint64_t)at->tv_usec) ?: 1;
}

static void note_time(struct replay_span *span, uint64_t ns)
{
	if (!span->first_ns || ns < span->first_ns)
		span->first_ns = ns;
	if (ns > span->last_ns)
		span->last_ns = ns;
}

/* The capture may have grown since its span was asked for: what came later stays in the last step. */
static void begin_step(struct reader *r, uint64_t start_ns)
{
	r->step_end_ns = start_ns + r->config->step_ns;
	r->wake_ns = r->config->step_ns && r->step_end_ns <= r->config->last_ns ? r->step_end_ns : UINT64_MAX;
}

/* All steps that are over at `ns`, also those in which nothing came. */
static void end_steps(struct reader *r, uint64_t ns)
{
	while (!r->stopped && ns >= r->wake_ns) {
		r->stopped = r->config->step(r->config->step_arg, r->table, r->step_end_ns, r->err);
		begin_step(r, r->step_end_ns);
	}
	if (r->stopped)
		pcap_breakloop(r->pcap);
}

static void on_skipped(u_char *arg, const struct pcap_pkthdr *header, const u_char *data)
{
	struct reader *r = (struct reader *)arg;

	(void)data;
	r->n_packets++;
	note_time(&r->span, ns_of(&header->ts));
}

/* The record's own lengths are the file's word: a frame is as long as what there is of it, or longer. */
static void on_packet(u_char *arg, const struct pcap_pkthdr *header, const u_char *data)
{
	struct reader *r = (struct reader *)arg;
	struct host_count *host = &r->table->total.dir[FLOW_TX];
	uint32_t len = header->len > header->caplen ? header->len : header->caplen;
	struct flow_count count = {.packets = 1, .bytes = header->len};
	struct parsed parsed;
	enum verdict verdict;

	uint64_t ns = ns_of(&header->ts);

	parsed.later_fragment = 0;
	note_time(&r->span, ns);
	if (__builtin_expect(ns >= r->wake_ns, 0))
		end_steps(r, ns);
	verdict = parse_captured(r, data, header->caplen, len, &parsed);
	if (verdict == VERDICT_FLOW) {
		count.inner_bytes = parsed.inner_len;
		verdict = count_flow(r, &parsed.key, &count);
	}
	host->seen++;
	r->n_packets++;
	host->seen_bytes += header->len;
	host->verdict[verdict].packets++;
	host->verdict[verdict].bytes += header->len;
	host->later_fragments += parsed.later_fragment != 0;
}

/* ---- files ---- */

static int open_stream(const char *path, FILE **ret, struct replay_progress *progress, struct error *err)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	struct stat st;

	if (!f) {
		int error = errno;

		error_set(err, "cannot open %s: %s", path, strerror(error));
		return -error;
	}
	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
		error_set(err, "cannot read %s: it is a folder", path);
		(void)fclose(f); /* only read from */
		return -EISDIR;
	}
	progress->bytes = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	(void)setvbuf(f, NULL, _IOFBF, BUFFER_SIZE); /* else its own buffer serves, slower */
	(void)__fsetlocking(f, FSETLOCKING_BYCALLER); /* no other thread knows this stream */
	*ret = f;
	return 0;
}

/* What libpcap does not know: perhaps it is packed, or nothing. Of a pipe the beginning is gone. */
static void explain_format(const char *path, FILE *f, const char *why, struct error *err)
{
	static const struct {
		const char *tool;
		uint8_t n, magic[6];
	} packers[] = {
		{ "gzip", 3, { 0x1f, 0x8b, 8 } },
		{ "bzip2", 3, { 'B', 'Z', 'h' } },
		{ "xz", 6, { 0xfd, '7', 'z', 'X', 'Z', 0 } },
		{ "zstd", 4, { 0x28, 0xb5, 0x2f, 0xfd } },
		{ "lz4", 4, { 0x04, 0x22, 0x4d, 0x18 } },
	};
	uint8_t head[6] = { 0 };
	size_t n = fseeko(f, 0, SEEK_SET) ? sizeof(head) : fread(head, 1, sizeof(head), f);

	for (size_t i = 0; i < sizeof(packers) / sizeof(*packers); i++) {
		if (memcmp(head, packers[i].magic, packers[i].n) == 0) {
			error_set(err, "cannot read %s: it is packed; unpack it on the way: %s -dc %s | tunlab replay -", path,
				  packers[i].tool, path);
			return;
		}
	}
	error_set(err, "cannot read %s as pcap or pcapng: %s", path, n ? why : "it is empty");
}

/* Closes f with *ret when that is closed, or at once when it fails. */
static int open_capture(const char *path, FILE *f, pcap_t **ret, struct error *err)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, why);
	const char *name;

	if (!pcap) {
		explain_format(path, f, why, err);
		(void)fclose(f); /* only read from */
		return -EINVAL;
	}
	if (!parse_knows_link(pcap_datalink(pcap))) {
		name = pcap_datalink_val_to_description(pcap_datalink(pcap));
		error_set(err, "cannot read %s: its link type is %s (%d); Ethernet, Linux cooked, 802.11, PPP, Cisco HDLC, raw IP and "
			  "null are read", path, name ? name : "unknown", pcap_datalink(pcap));
		pcap_close(pcap);
		return -EPROTONOSUPPORT;
	}
	*ret = pcap;
	return 0;
}

/* Why there is nothing more to read. */
static void explain_end(const char *path, struct reader *r)
{
	const char *why = pcap_geterr(r->pcap);

	if (strstr(why, "different from the type of the first interface")) /* libpcap's words, the only sign there is */
		error_set(r->err, "%s is of several link types, of which libpcap reads the first, and only up to here (%llu packets): "
			  "take an interface out by tshark -r %s -Y 'frame.interface_id == 0' -F pcap -w ONE.pcap", path,
			  (unsigned long long)r->n_packets, path);
	else
		error_set(r->err, "%s is broken after %llu packets: %s", path, (unsigned long long)r->n_packets, why);
}

static int read_packets(const char *path, pcap_handler on_each, FILE *f, struct replay_progress *progress, struct reader *r)
{
	const struct replay_config *config = r->config;
	int n;

	while ((n = pcap_dispatch(r->pcap, BATCH, on_each, (u_char *)r)) > 0 && !r->stopped) {
		progress->packets += (uint64_t)n;
		progress->bytes_read = progress->bytes ? (uint64_t)ftello(f) : 0;
		if (config->progress && !config->progress(config->progress_arg, progress)) {
			error_set(r->err, "reading %s was stopped after %llu packets", path,
				  (unsigned long long)progress->packets);
			return -ECANCELED;
		}
	}
	if (r->stopped)
		return r->stopped;
	if (n < 0) {
		explain_end(path, r);
		return -EINVAL;
	}
	return 0;
}

static int read_capture(const char *path, pcap_handler on_each, struct reader *r)
{
	struct replay_progress progress = {0};
	FILE *f = NULL;
	int ret;

	ret = open_stream(path, &f, &progress, r->err);
	if (ret == 0)
		ret = open_capture(path, f, &r->pcap, r->err);
	if (ret < 0)
		return ret;
	r->link = pcap_datalink(r->pcap);
	ret = read_packets(path, on_each, f, &progress, r);
	pcap_close(r->pcap);
	return ret;
}

int replay_file(const char *path, const struct replay_config *config, struct flow_table *table,
		struct replay_span *ret_span, struct error *err)
{
	struct reader r = {
		.ports = config->ports ? config->ports : flow_ports_default,
		.capacity = config->capacity ? config->capacity : REPLAY_FLOWS_MAX,
		.table = table, .config = config, .err = err,
	};
	int ret;

	begin_step(&r, config->start_ns);
	flows_clear(table);
	ret = read_capture(path, on_packet, &r);
	if (!r.pcap)
		return ret;
	if (config->step_ns && (ret == 0 || ret == -EINVAL)) {
		int last = config->step(config->step_arg, table, r.step_end_ns, err);

		ret = last ? last : ret;
	}
	if (flows_sort(table) < 0) {
		error_set(err, "no memory to sort %zu flows", table->n);
		return -ENOMEM;
	}
	table->capacity = r.capacity;
	*ret_span = r.span;
	return ret;
}

int replay_scan(const char *path, const struct replay_config *config, struct replay_span *ret_span, struct error *err)
{
	struct reader r = {.config = config, .err = err};
	int ret = read_capture(path, on_skipped, &r);

	*ret_span = r.span;
	return ret;
}

uint64_t replay_step_ns(const struct replay_span *span, unsigned most)
{
	static const unsigned round[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600};
	uint64_t seconds = (span->last_ns - span->first_ns) / 1000000000u;
	uint64_t step = 3600;

	for (size_t i = 0; i < sizeof(round) / sizeof(round[0]); i++) {
		if (seconds / round[i] < most)
			return (uint64_t)round[i] * 1000000000u;
	}
	while (seconds / step >= most)
		step *= 2;
	return step * 1000000000u;
}
