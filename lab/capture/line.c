/* SPDX-License-Identifier: Apache-2.0 */
/* One line per frame; see line.h. */
#include "lab/capture/line.h"

#include <string.h>

#include "base/addr.h"
#include "bpf/parse.h"
#include "monitor/flows.h"

static void put_pair(struct text *out, const uint8_t src[16], const uint8_t dst[16])
{
	char buf[ADDR_STRLEN];
	struct ip_addr a;

	memcpy(a.b, src, sizeof(a.b));
	text_puts(out, addr_format(&a, buf));
	text_puts(out, " > ");
	memcpy(a.b, dst, sizeof(a.b));
	text_puts(out, addr_format(&a, buf));
}

static void put_proto(struct text *out, uint16_t type, uint8_t proto)
{
	char buf[FLOW_PROTO_SIZE];

	text_puts(out, flow_proto_name(type, proto, buf));
}

static void put_flow(struct text *out, const struct flow_key *k)
{
	int64_t vni = flow_vni(k);

	put_pair(out, k->outer_src, k->outer_dst);
	text_printf(out, " %s", encap_name(k->encap));
	if (vni >= 0)
		text_printf(out, " %lld", (long long)vni);
	text_puts(out, ": ");
	if (flow_has_inner_ip(k)) {
		put_pair(out, k->inner_src, k->inner_dst);
		text_char(out, ' ', 1);
	}
	put_proto(out, k->inner_ethertype, k->inner_ipproto);
}

/* Not tunnelled: what its own headers say. */
static void put_plain(struct text *out, const void *data, uint32_t captured, uint32_t len, enum verdict verdict)
{
	uint8_t src[16] = { 0 }, dst[16] = { 0 };
	struct cursor c;
	int type, proto;

	cursor_init(&c, data, captured, len);
	type = parse_link(&c, ETH_TYPE_TEB, FLOW_NO_TYPE);
	proto = type < 0 ? -VERDICT_TRUNCATED : parse_ip(&c, type, src, dst, false);
	if (proto >= 0) {
		put_pair(out, src, dst);
		text_char(out, ' ', 1);
	}
	if (proto >= 0 || proto == -VERDICT_OTHER)
		put_proto(out, (uint16_t)type, proto >= 0 ? (uint8_t)proto : 0);
	else if (type >= 0)
		text_puts(out, type == ETH_TYPE_IPV4 ? "ipv4" : "ipv6");
	if (verdict != VERDICT_OTHER)
		text_printf(out, "%s%s", type >= 0 ? " " : "", verdict_name(verdict));
}

void line_describe(struct text *out, const struct flow_port ports[FLOW_PORTS_MAX], const void *data, uint32_t captured, uint32_t len)
{
	struct parsed parsed;
	struct cursor c;
	enum verdict verdict;

	cursor_init(&c, data, captured, len);
	verdict = parse_frame(&c, ports, &parsed);
	if (verdict == VERDICT_FLOW)
		put_flow(out, &parsed.key);
	else
		put_plain(out, data, captured, len, verdict);
	text_printf(out, ", %u bytes", len);
}
