/* SPDX-License-Identifier: Apache-2.0 */
/* Packets for the monitor's benchmarks. */
#ifndef TUNLAB_BENCH_PACKET_H
#define TUNLAB_BENCH_PACKET_H

#include <stddef.h>
#include <stdint.h>

enum { BENCH_PACKET_MAX = 256 };

struct bench_packet {
	uint8_t data[BENCH_PACKET_MAX];
	size_t len;
	uint32_t flow_off; /* the inner destination, or its latter half: a number at the end of it makes it another flow */
	uint32_t flow_wide; /* it is that half: 8 bytes and not 4 */
	uint32_t at_random; /* flows follow each other so, not in turn; of 10000 at most */
};

/* UDP in VXLAN, IP of that version outside and inside. */
void bench_packet_vxlan4(struct bench_packet *p);
void bench_packet_vxlan6(struct bench_packet *p);
/* UDP in GRETAP with a key, IPv4 outside and inside. */
void bench_packet_gretap(struct bench_packet *p);
/* No tunnel. */
void bench_packet_tcp(struct bench_packet *p);

#endif
