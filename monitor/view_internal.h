/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of documents that several views have in common. Only view_*.c include this. */
#ifndef TUNLAB_MONITOR_VIEW_INTERNAL_H
#define TUNLAB_MONITOR_VIEW_INTERNAL_H

#include "base/emit.h"
#include "monitor/rows.h"
#include "monitor/view.h"

/* As the contract's examples show them; a vni or number of -1 becomes null. */
void emit_address(struct emit *e, const char *key, const uint8_t bytes[16]);
/* Of a flow: null only where there is no inner IP header. */
void emit_inner(struct emit *e, const char *key, const struct flow_key *flow, const uint8_t bytes[16]);
void emit_vni(struct emit *e, const char *key, int64_t vni);
/* Hosts, of the plan or of those seen, and what they go by (in buf[SEEN_NAME_SIZE] or not). s may be NULL where there is a plan. */
size_t view_hosts(const struct plan *plan, const struct sample *s);
const char *view_host_name(const struct plan *plan, const struct sample *s, size_t host, char *buf);
void emit_host(struct emit *e, const char *key, const struct plan *plan, const struct sample *s, int64_t host);
void emit_client(struct emit *e, const char *key, int64_t client);
/* Changes when the lab's document does. */
uint64_t view_lab_version(const struct sample *s);
/* "name": {"packets": …, "bytes": …} */
void emit_frames(struct emit *e, const char *key, uint64_t packets, uint64_t bytes);
/* "other": what was not tunnelled; like a flow, counted where it left and where it arrived. */
void emit_other(struct emit *e, const struct flow_health *h);
/* "to": the first peers by name, all up to `shown`; "peers": how many there are. */
void emit_peers(struct emit *e, const struct sample_stream *streams, uint32_t n, uint32_t shown);
const char *view_generator_state(uint32_t state);

/* Of a document's "pairs" and "truth": how many agree, and a terminal table of those whose counts part. Without them nothing. */
struct cJSON;
struct text;
void view_put_truth(struct text *out, const struct cJSON *doc, unsigned width);

/* "link": {"rate": "50mbit", "delay": null, "loss": null, "down": false}: the members of POST /api/v1/link/HOST */
void emit_link(struct emit *e, const struct link_state *state);

#endif
