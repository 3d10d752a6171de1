/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast captures are read: packets a second of processor time from a cached file, by one flow and by many. Needs no
 * privilege. Prints; judges nothing. The best of some rounds, for another load can only lengthen one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "monitor/replay.h"
#include "tests/unit/packets_vxlan.h"

enum { PACKETS = 2000000, ROUNDS = 5 };

/* Of one core: what else runs here is not the reader's. */
static double cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* cannot fail */
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "replay_speed: %s\n", what);
	exit(3);
}

/* A capture in memory: VXLAN packets of 156 bytes, flows in turn. */
static void write_capture(FILE *f, int n_flows)
{
	const uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
	struct packet p = {0};

	build_v4_v4_udp(&p);
	packet_finish(&p);
	(void)fwrite(header, sizeof(header), 1, f);
	for (int i = 0; i < PACKETS; i++) {
		const uint32_t record[4] = {1 + i / 1000000, i % 1000000, p.len, p.len}, flow = i % n_flows;

		memcpy(p.data + 50 + 14 + 12, &flow, sizeof(flow)); /* the inner source */
		(void)fwrite(record, sizeof(record), 1, f);
		(void)fwrite(p.data, p.len, 1, f);
	}
	if (fflush(f))
		die("no memory for a capture");
}

static void measure(int n_flows)
{
	const struct replay_config config = {.capacity = 0};
	struct flow_table table = {0};
	struct replay_span span;
	double best = 0, start;
	struct error err;
	char path[64];
	int fd = memfd_create("capture", MFD_CLOEXEC);
	FILE *f = fdopen(fd, "w");

	if (!f)
		die("no memory for a capture");
	write_capture(f, n_flows);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (int i = 0; i < ROUNDS; i++) {
		start = cpu_s();
		if (replay_file(path, &config, &table, &span, &err) < 0)
			die(err.text);
		start = cpu_s() - start;
		if (PACKETS / start > best)
			best = PACKETS / start;
	}
	printf("replay, %6zu flows      %6.1f million packets a second\n", table.n, best / 1e6);
	flows_free(&table);
	(void)fclose(f); /* in memory */
}

int main(void)
{
	measure(1);
	measure(10000);
	return 0;
}
