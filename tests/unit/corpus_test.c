/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures of other projects through the native parser, compared with what tshark says of them.
 * The corpus lies beside the checkout (../shared/corpus; TUNLAB_CORPUS names another place); its
 * README and make-truth define the rows. Only rows of tunnels that this parser knows are compared.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <stdlib.h>

#include <pcap/pcap.h>

#include "base/addr.h"
#include "bpf/parse.h"
#include "monitor/flows.h"
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
 * Each frame ends before its headers do. tshark shows a row of what it could read and marks it
 * malformed; here such a frame is counted as truncated, for half a key is no flow.
 */
static const struct {
	const char *file;
	uint64_t truncated;
} differences[] = {
	{"pflab__vxlan-05_vxlan_truncated_header.pcap", 1},
	{"pflab__vxlan-07_vxlan_truncated_inner_ethernet.pcap", 1},
	{"pflab__vxlan-08_vxlan_truncated_inner_ipv4.pcap", 1},
	{"pflab__vxlan-26_vxlan_udp_declared_bounds_matrix.pcap", 1},
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
	return addr_is_none(&a) ? "-" : addr_format(&a, buf);
}

/* As truth writes the key, so that both sides are compared as text. */
static void key_text(const struct flow_key *key, char *buf, size_t size)
{
	char a[4][ADDR_STRLEN], proto[16];

	if (key->inner_ethertype == FLOW_LLC)
		snprintf(proto, sizeof(proto), "llc/-");
	else if (key->inner_ethertype == ETH_TYPE_IPV4 || key->inner_ethertype == ETH_TYPE_IPV6)
		snprintf(proto, sizeof(proto), "0x%04x/%u", key->inner_ethertype,
			 key->inner_ipproto);
	else
		snprintf(proto, sizeof(proto), "0x%04x/-", key->inner_ethertype);
	snprintf(buf, size, "%s %s %u %s %s %s", address_text(key->outer_src, a[0]),
		 address_text(key->outer_dst, a[1]), key->vni, address_text(key->inner_src, a[2]),
		 address_text(key->inner_dst, a[3]), proto);
}

/* ---- the two sides ---- */

/* Truth of one capture: its VXLAN rows, and the port tshark was told. */
static bool read_truth(const char *name, struct rows *rows, struct flow_port ports[FLOW_PORTS_MAX])
{
	char path[LINE_MAX_LEN], line[LINE_MAX_LEN], text[512];
	FILE *f;

	rows->n = 0;
	memset(ports, 0, FLOW_PORTS_MAX * sizeof(*ports));
	ports[0] = (struct flow_port){.port = 4789, .encap = ENCAP_VXLAN};
	snprintf(path, sizeof(path), "%s/truth/%s.tsv", corpus_dir(), name);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		char tunnel[32], field[6][64];
		uint64_t packets, bytes;

		if (strstr(line, "udp.port==8472,vxlan"))
			ports[1] = (struct flow_port){.port = 8472, .encap = ENCAP_VXLAN};
		if (sscanf(line, "%31s %63s %63s %63s %63s %63s %63s %" SCNu64 " %" SCNu64, tunnel,
			   field[0], field[1], field[2], field[3], field[4], field[5], &packets,
			   &bytes) != 9 || strcmp(tunnel, "vxlan") != 0)
			continue;
		snprintf(text, sizeof(text), "%s %s %s %s %s %s", field[0], field[1], field[2],
			 field[3], field[4], field[5]);
		rows_add(rows, text, packets, bytes);
	}
	fclose(f);
	return true;
}

/* The capture through the parser. False: not a link type it enters at. */
static bool read_capture(const char *name, const struct flow_port ports[FLOW_PORTS_MAX],
			 struct rows *rows, uint64_t verdicts[VERDICT_MAX])
{
	char path[LINE_MAX_LEN], error[PCAP_ERRBUF_SIZE], text[512];
	struct pcap_pkthdr *header;
	const uint8_t *data;
	pcap_t *pcap;
	int link;

	rows->n = 0;
	memset(verdicts, 0, VERDICT_MAX * sizeof(*verdicts));
	snprintf(path, sizeof(path), "%s/pcap/%s", corpus_dir(), name);
	pcap = pcap_open_offline(path, error);
	if (!pcap) {
		t_note("%s: %s", name, error);
		return false;
	}
	link = pcap_datalink(pcap);
	while (link == DLT_EN10MB && pcap_next_ex(pcap, &header, &data) == 1) {
		uint8_t *copy = malloc(header->caplen + 1); /* ends where the packet ends */
		struct parsed parsed;
		struct cursor cursor;
		enum verdict verdict;

		if (!copy)
			break;
		memcpy(copy, data, header->caplen);
		cursor_init(&cursor, copy, copy + header->caplen, header->len);
		verdict = parse_frame(&cursor, ports, &parsed);
		free(copy);
		verdicts[verdict]++;
		if (verdict == VERDICT_FLOW) {
			key_text(&parsed.key, text, sizeof(text));
			rows_add(rows, text, 1, header->len);
		}
	}
	pcap_close(pcap);
	return link == DLT_EN10MB;
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
	int n_files = 0, n_link = 0, n_rows = 0;
	struct flow_port ports[FLOW_PORTS_MAX];
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

		if (entry->d_name[0] == '.' || !read_truth(entry->d_name, &want, ports))
			continue;
		if (!read_capture(entry->d_name, ports, &got, verdicts)) {
			n_link++;
			continue;
		}
		n_files++;
		n_rows += want.n;
		for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
			if (strcmp(differences[i].file, entry->d_name) == 0)
				expected = differences[i].truncated;
		}
		differ = compare_rows(entry->d_name, &want, &got, expected == 0);
		if (!eq_u64(differ, expected) || !ok(verdicts[VERDICT_TRUNCATED] >= expected)) {
			for (int v = 0; v < VERDICT_MAX; v++) {
				if (verdicts[v])
					t_note("%s: %s %" PRIu64, entry->d_name, verdict_name(v),
					       verdicts[v]);
			}
		}
	}
	closedir(dir);
	t_note("%d captures, %d VXLAN rows; %d captures of other link types not read", n_files,
	       n_rows, n_link);
	ok(n_files > 0);
}
