/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures of other projects through replay, compared with what tshark says of them.
 * The corpus lies beside the checkout (../shared/corpus; TUNLAB_CORPUS names another place); its
 * README and make-truth define the rows.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <stdlib.h>

#include "base/addr.h"
#include "bpf/wire.h"
#include "monitor/replay.h"
#include "tests/unit/t.h"

enum { LINE_MAX_LEN = 1024, ROWS_MAX = 4096 };

static const char *corpus_dir(void)
{
	const char *dir = getenv("TUNLAB_CORPUS");

	return dir ? dir : "../shared/corpus";
}

/*
 * ---- what differs on purpose ----
 *
 * Packets of each capture that give another row, or none, and the verdict they get here. For a frame
 * that ends before its headers do, tshark shows a row of what it could read; here it is counted as
 * truncated, for half a key is no flow. The document says how long the header is that is cut.
 */
static const struct {
	const char *file;
	uint64_t packets;
	enum verdict verdict;
	const char *why;
} differences[] = {
	{"ndpi__fuzz-2006-06-26-2594.pcap", 1, VERDICT_MALFORMED,
	 "version 6 behind EtherType 0x0800, which is IPv4's (RFC 894; version: RFC 791, 3.1)"},
	{"pflab__geneve-05_geneve_truncated_base_header.pcap", 1, VERDICT_TRUNCATED,
	 "ends in the GENEVE header (RFC 8926, 3.4)"},
	{"pflab__geneve-06_geneve_invalid_version.pcap", 1, VERDICT_UNKNOWN,
	 "an unknown version must be dropped (RFC 8926, 3.4)"},
	{"pflab__geneve-29_geneve_capture_truncation_matrix.pcap", 4, VERDICT_TRUNCATED,
	 "captured up to within the GENEVE header, its options, the inner Ethernet, the inner IPv4 header (RFC 8926, 3.4 and 3.5; RFC 894; RFC 791, 3.1)"},
	{"pflab__gre-19_gre_truncated_key_field.pcap", 1, VERDICT_TRUNCATED, "ends in the GRE key (RFC 2890, 2.1)"},
	{"pflab__gre-20_gre_truncated_inner_ipv4.pcap", 1, VERDICT_TRUNCATED, "captured up to within the inner IPv4 header (RFC 791, 3.1)"},
	{"pflab__gtpu-08_gtpu_truncated_inner_ipv4.pcap", 1, VERDICT_TRUNCATED, "ends in the inner IPv4 header (RFC 791, 3.1)"},
	{"pflab__gtpu-19_gtpu_truncated_optional_header.pcap", 1, VERDICT_TRUNCATED,
	 "ends in the optional fields that the S flag announces (3GPP TS 29.281, 5.1)"},
	{"pflab__gtpu-20_gtpu_truncated_extension_header.pcap", 1, VERDICT_TRUNCATED,
	 "ends in an extension header (3GPP TS 29.281, 5.2.1)"},
	{"pflab__vxlan-05_vxlan_truncated_header.pcap", 1, VERDICT_TRUNCATED, "ends in the VXLAN header (RFC 7348, 5)"},
	{"pflab__vxlan-07_vxlan_truncated_inner_ethernet.pcap", 1, VERDICT_TRUNCATED,
	 "ends in the inner Ethernet header (RFC 7348, 5)"},
	{"pflab__vxlan-08_vxlan_truncated_inner_ipv4.pcap", 1, VERDICT_TRUNCATED, "ends in the inner IPv4 header (RFC 791, 3.1)"},
	{"suri__security-8550-input.pcap", 1, VERDICT_TRUNCATED,
	 "a first fragment that ends in the inner IPv4 header (RFC 791, 3.1 and 3.2)"},
	{"zeek__pdp_ctx_messages.pcapng", 2, VERDICT_OTHER,
	 "GTP version 0 on port 3386: its tunnel identifier is 8 bytes of subscriber number, no TEID (3GPP TS 09.60, 6; TS 29.281, 5.1)"},
};

/* ---- rows as text: one line "outer_src outer_dst vni inner_src inner_dst type/proto" ---- */

struct row {
	char text[512];
	uint64_t packets, bytes;
};

struct rows {
	struct row v[ROWS_MAX];
	size_t n;
};

static void rows_add(struct rows *rows, const char *text, uint64_t packets, uint64_t bytes)
{
	size_t i = 0;

	while (i < rows->n && strcmp(rows->v[i].text, text) != 0)
		i++;
	if (i == ROWS_MAX) {
		ok(!"too many rows");
		return;
	}
	if (i == rows->n) {
		rows->v[rows->n++] = (struct row){.packets = 0};
		snprintf(rows->v[i].text, sizeof(rows->v[i].text), "%s", text);
	}
	rows->v[i].packets += packets;
	rows->v[i].bytes += bytes;
}

static const struct row *rows_find(const struct rows *rows, const char *text)
{
	for (size_t i = 0; i < rows->n; i++) {
		if (strcmp(rows->v[i].text, text) == 0)
			return &rows->v[i];
	}
	return NULL;
}

static const char *address_text(const uint8_t from[16], char *buf)
{
	struct ip_addr a;

	memcpy(a.b, from, sizeof(a.b));
	return addr_format(&a, buf);
}

/* As truth writes the key, so that both sides are compared as text. */
static void key_text(const struct flow_key *key, char *buf, size_t size)
{
	static const char *const names[ENCAP_MAX] = {
		[ENCAP_GRETAP] = "gre/teb",	  [ENCAP_GRETAP_NO_KEY] = "gre/teb",
		[ENCAP_ERSPAN1] = "gre/erspan1", [ENCAP_ERSPAN2] = "gre/erspan2",
		[ENCAP_ERSPAN3] = "gre/erspan3",
	};
	const char *name = names[key->encap] ? names[key->encap] : encap_name(key->encap);
	char a[4][ADDR_STRLEN], number[24] = "-", proto[16];
	const char *src = flow_inner_text(key, key->inner_src, a[2]), *dst = flow_inner_text(key, key->inner_dst, a[3]);

	if (flow_vni(key) >= 0)
		snprintf(number, sizeof(number), "%" PRId64, flow_vni(key));
	if (key->inner_ethertype == FLOW_LLC)
		snprintf(proto, sizeof(proto), "llc/-");
	else if (key->inner_ethertype == FLOW_NO_TYPE)
		snprintf(proto, sizeof(proto), "-/-");
	else if (key->inner_ethertype == FLOW_NOT_IPV4)
		snprintf(proto, sizeof(proto), "0x0800/-");
	else if (key->inner_ethertype == FLOW_NOT_IPV6)
		snprintf(proto, sizeof(proto), "0x86dd/-");
	else if (src)
		snprintf(proto, sizeof(proto), "0x%04x/%u", key->inner_ethertype, key->inner_ipproto);
	else
		snprintf(proto, sizeof(proto), "0x%04x/-", key->inner_ethertype);
	snprintf(buf, size, "%s %s %s %s %s %s %s", name, address_text(key->outer_src, a[0]),
		 address_text(key->outer_dst, a[1]), number, src ? src : "-",
		 dst ? dst : "-", proto);
}

/* What truth has rows for, but is none of the tunnels here. */
static bool is_foreign(const char *tunnel)
{
	static const char *const foreign[] = {"teredo", "l2tp", "ayiya", "gre/v1", "gtp-u/signal", "other:pim",
					      "gre-in-udp", "mpls-in-udp"};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (strcmp(tunnel, foreign[i]) == 0)
			return true;
	}
	return false;
}

/* ---- the two sides ---- */

/* Truth of one capture. */
static bool read_truth(const char *name, struct rows *rows)
{
	char path[LINE_MAX_LEN], line[LINE_MAX_LEN], text[512];
	FILE *f;

	rows->n = 0;
	snprintf(path, sizeof(path), "%s/truth/%s.tsv", corpus_dir(), name);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		char tunnel[32], field[6][64];
		uint64_t packets, bytes;

		if (sscanf(line, "%31s %63s %63s %63s %63s %63s %63s %" SCNu64 " %" SCNu64, tunnel,
			   field[0], field[1], field[2], field[3], field[4], field[5], &packets,
			   &bytes) != 9 || is_foreign(tunnel))
			continue;
		snprintf(text, sizeof(text), "%s %s %s %s %s %s %s", tunnel, field[0], field[1], field[2],
			 field[3], field[4], field[5]);
		rows_add(rows, text, packets, bytes);
	}
	fclose(f);
	return true;
}

/* The capture through the program's own reader. */
static bool read_capture(const char *name, struct rows *rows, uint64_t verdicts[VERDICT_MAX])
{
	static struct flow_table table; /* its memory serves for all captures */
	struct replay_config config = {.ports = NULL};
	struct replay_span span;
	char path[LINE_MAX_LEN], text[512];
	struct error err;

	rows->n = 0;
	snprintf(path, sizeof(path), "%s/pcap/%s", corpus_dir(), name);
	if (!eq_i64(replay_file(path, &config, &table, &span, &err), 0)) {
		t_note("%s", err.text);
		return false;
	}
	for (int v = 0; v < VERDICT_MAX; v++)
		verdicts[v] = table.total.dir[FLOW_TX].verdict[v].packets;
	for (size_t i = 0; i < table.n; i++) {
		key_text(&table.rows[i].key, text, sizeof(text));
		rows_add(rows, text, table.rows[i].value.tx.packets, table.rows[i].value.tx.bytes);
	}
	return true;
}

/* Differing packets of rows, in either direction; each row is printed unless that is expected. */
static uint64_t compare_rows(const char *name, const struct rows *want, const struct rows *got,
			     bool print)
{
	uint64_t differ = 0;

	for (size_t i = 0; i < want->n; i++) {
		const struct row *w = &want->v[i], *g = rows_find(got, w->text);
		uint64_t packets = g ? g->packets : 0;

		if (packets == w->packets && g->bytes == w->bytes)
			continue;
		if (print)
			t_note("%s: %s: %" PRIu64 " packets, truth %" PRIu64, name, w->text,
			       packets, w->packets);
		differ += packets > w->packets ? packets - w->packets : w->packets - packets;
		differ += packets == w->packets; /* the bytes differ */
	}
	for (size_t i = 0; i < got->n; i++) {
		if (rows_find(want, got->v[i].text))
			continue;
		if (print)
			t_note("%s: %s: %" PRIu64 " packets, not in truth", name, got->v[i].text,
			       got->v[i].packets);
		differ += got->v[i].packets;
	}
	return differ;
}

TEST(captures_give_the_rows_that_tshark_gives)
{
	static struct rows want, got;
	int n_files = 0, n_exact = 0, n_rows = 0;
	uint64_t verdicts[VERDICT_MAX];
	char path[LINE_MAX_LEN];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/pcap", corpus_dir());
	dir = opendir(path);
	if (!dir)
		skip("no captures at %.200s", path);
	while ((entry = readdir(dir))) {
		uint64_t expected = 0, differ;

		if (entry->d_name[0] == '.' || !read_truth(entry->d_name, &want))
			continue;
		if (!read_capture(entry->d_name, &got, verdicts))
			continue;
		n_files++;
		n_rows += want.n;
		for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
			if (strcmp(differences[i].file, entry->d_name) == 0) {
				expected = differences[i].packets;
				ok(verdicts[differences[i].verdict] >= expected);
			}
		}
		differ = compare_rows(entry->d_name, &want, &got, expected == 0);
		n_exact += differ == 0;
		if (!eq_u64(differ, expected)) {
			for (int v = 0; v < VERDICT_MAX; v++) {
				if (verdicts[v])
					t_note("%s: %s %" PRIu64, entry->d_name, verdict_name(v),
					       verdicts[v]);
			}
		}
	}
	closedir(dir);
	t_note("%d captures, %d rows, %d captures exact", n_files, n_rows, n_exact);
	ok(n_files > 0);
}
