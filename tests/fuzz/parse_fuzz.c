/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes through the packet parser. The first two bytes choose how much longer the frame was on
 * the wire than what was captured, and whether it is a super-packet; the rest is the packet. What is
 * kept as interesting, tests/bpf/corpus_test.c gives to the kernel's copy of the parser as well.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/parse_plain.h"
#include "monitor/flows.h"

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* The shortcut says what the general parser says, or nothing. */
static void check_plain(const uint8_t *packet, size_t size, uint32_t len, bool segmented, enum verdict general_verdict,
			const struct parsed *general)
{
	struct plain_shape shape;
	struct parsed plain;
	enum verdict verdict = parse_plain(packet, packet + size, len, segmented, flow_ports_default, &shape, &plain);

	/* Of what is no tunnel the shortcut knows no header that segmentation would repeat. */
	if (verdict == PLAIN_NOT || (segmented && verdict != VERDICT_FLOW))
		return;
	require(verdict == general_verdict && !general->later_fragment);
	if (verdict == VERDICT_FLOW)
		require(memcmp(&plain.key, &general->key, sizeof(plain.key)) == 0 &&
			plain.inner_off == general->inner_off && plain.inner_len == general->inner_len &&
			plain.headers == general->headers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_count count;
	struct parsed parsed;
	struct cursor cursor;
	enum verdict verdict;
	uint32_t len;

	if (size < 2)
		return 0;
	len = size - 2 + data[0] * (data[1] >> 1);
	cursor_init(&cursor, data + 2, size - 2, len);
	cursor.want_l4 = data[1] & 1;
	verdict = parse_frame(&cursor, flow_ports_default, &parsed);
	parse_count(&parsed, len, data[1] & 1 ? 100 : 0, 0, &count);
	require(verdict < VERDICT_OTHERHOST); /* the parser never says so */
	if (verdict == VERDICT_FLOW)
		require(parsed.inner_off + parsed.inner_len <= len && parsed.headers <= len &&
			count.inner_bytes <= count.bytes && count.packets >= 1 && flow_tag(&parsed.key) != 0 &&
			parsed.key.encap > ENCAP_NONE && parsed.key.encap < ENCAP_MAX);
	check_plain(data + 2, size - 2, len, cursor.want_l4, verdict, &parsed);
	return 0;
}
