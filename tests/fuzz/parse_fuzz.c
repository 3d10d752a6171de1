/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes through the packet parser. The first two bytes choose how much longer the frame was on
 * the wire than what was captured, and whether it is a super-packet; the rest is the packet.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "bpf/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct flow_port ports[FLOW_PORTS_MAX] = {
		{.port = 4789, .encap = ENCAP_VXLAN},
		{.port = 8472, .encap = ENCAP_VXLAN},
	};
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
	verdict = parse_frame(&cursor, ports, &parsed);
	parse_count(&parsed, len, data[1] & 1 ? 100 : 0, 0, &count);
	if (verdict >= VERDICT_OTHERHOST)
		abort(); /* the parser never says so */
	if (verdict == VERDICT_FLOW && (parsed.inner_off + parsed.inner_len > len ||
					parsed.headers > len || count.inner_bytes > count.bytes ||
					count.packets < 1 || flow_tag(&parsed.key) == 0))
		abort();
	return 0;
}
