/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of documents; see view_internal.h. The documents themselves are in view_flows.c, view_lab.c, view_metrics.c
 * and view_tunnel.c, terminal tables in view_table.c. */
#include "monitor/view_internal.h"

#include <stdio.h>
#include <string.h>

void emit_address(struct emit *e, const char *key, const uint8_t bytes[16])
{
	char buf[ADDR_STRLEN];
	struct ip_addr a;

	memcpy(a.b, bytes, sizeof(a.b));
	emit_string(e, key, addr_format(&a, buf));
}

void emit_inner(struct emit *e, const char *key, const struct flow_key *flow, const uint8_t bytes[16])
{
	char buf[ADDR_STRLEN];

	emit_string(e, key, flow_inner_text(flow, bytes, buf));
}

void emit_vni(struct emit *e, const char *key, int64_t vni)
{
	if (vni < 0)
		emit_null(e, key);
	else
		emit_u64(e, key, (uint64_t)vni);
}

size_t view_hosts(const struct plan *plan, const struct sample *s)
{
	return plan ? plan->n_hosts : s->seen ? s->seen->n_hosts : 0;
}

const char *view_host_name(const struct plan *plan, const struct sample *s, size_t host, char *buf)
{
	return plan ? plan->hosts[host].name : seen_host_name(s->seen, host, buf);
}

void emit_host(struct emit *e, const char *key, const struct plan *plan, const struct sample *s, int64_t host)
{
	char buf[SEEN_NAME_SIZE];
	bool known = host >= 0 && (size_t)host < view_hosts(plan, s);

	emit_string(e, key, known ? view_host_name(plan, s, (size_t)host, buf) : NULL);
}

void emit_client(struct emit *e, const char *key, int64_t client)
{
	char name[24];

	(void)snprintf(name, sizeof(name), "c%lld", (long long)client); /* 21 characters at most */
	emit_string(e, key, client < 0 ? NULL : name);
}

void emit_frames(struct emit *e, const char *key, uint64_t packets, uint64_t bytes)
{
	emit_object(e, key);
	emit_u64(e, "packets", packets);
	emit_u64(e, "bytes", bytes);
	emit_object_end(e);
}

/* null for a capture, for which no kernel worked. */
static void emit_cost(struct emit *e, const struct health *h)
{
	if (!h->has_cost) {
		emit_null(e, "cost");
		return;
	}
	emit_object(e, "cost");
	emit_fixed(e, "ns_per_packet", h->ns_per_packet, 1);
	emit_string(e, "not_measured", h->not_measured);
	emit_u64(e, "run_ns", h->program.run_ns);
	emit_u64(e, "runs", h->program.runs);
	emit_fixed(e, "cpu_share", h->cpu_share, 4);
	emit_fixed(e, "cpu_s", h->cpu_s, 3);
	emit_object_end(e);
}

void emit_monitor(struct emit *e, const struct sample *s)
{
	const struct flow_health *h = &s->health;

	emit_object(e, "monitor");
	emit_string(e, "state", health_state(&s->monitor));
	emit_string(e, "reason", s->monitor.reasons ? s->monitor.sentences : NULL);
	emit_u64(e, "seen", h->seen);
	emit_u64(e, "decoded", h->decoded);
	emit_u64(e, "other", h->other_packets + h->other_received_packets);
	emit_u64(e, "lost", h->lost);
	emit_u64(e, "lost_bytes", h->lost_bytes);
	emit_u64(e, "truncated", h->truncated);
	emit_u64(e, "unknown", h->unknown);
	emit_u64(e, "malformed", h->malformed);
	emit_u64(e, "flows", s->n_flows);
	emit_u64(e, "aged", s->n_aged);
	emit_u64(e, "folded", s->folded);
	emit_u64(e, "capacity", s->capacity);
	emit_u64(e, "otherhost", h->otherhost);
	emit_u64(e, "later_fragments", h->later_fragments);
	if (s->parser)
		emit_string(e, "parser", s->parser);
	emit_fixed(e, "fill", s->monitor.fill, 4);
	emit_cost(e, &s->monitor);
	emit_object_end(e);
}
