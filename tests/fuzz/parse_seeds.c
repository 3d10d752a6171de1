/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse_seeds FOLDER CAPTURE...: the beginnings of the Ethernet frames of captures, a file each, for
 * parse_fuzz to begin with. Of a capture's frames that are equally long the first serves.
 */
#include <stdio.h>
#include <string.h>

#include <pcap/pcap.h>

enum { SEED_MAX = 384, LENGTHS = 2048 };

static void write_seed(const char *folder, int n_file, uint32_t n, const u_char *data, uint32_t len)
{
	char path[1024];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/seed-%d-%u", folder, n_file, n);
	f = fopen(path, "we");
	if (!f)
		return;
	(void)fwrite("\0\0", 1, 2, f); /* a seed less is no harm */
	(void)fwrite(data, 1, len < SEED_MAX ? len : SEED_MAX, f);
	(void)fclose(f);
}

int main(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		char error[PCAP_ERRBUF_SIZE], had[LENGTHS] = "";
		pcap_t *pcap = pcap_open_offline(argv[i], error);
		struct pcap_pkthdr *header;
		const u_char *data;

		while (pcap && pcap_datalink(pcap) == DLT_EN10MB && pcap_next_ex(pcap, &header, &data) == 1) {
			uint32_t n = header->caplen % LENGTHS;

			if (!had[n])
				write_seed(argv[1], i, n, data, header->caplen);
			had[n] = 1;
		}
		if (pcap)
			pcap_close(pcap);
	}
	return 0;
}
