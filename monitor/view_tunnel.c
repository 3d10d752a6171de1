/* SPDX-License-Identifier: Apache-2.0 */
/* The classic form of bcc's tunnel_monitor: one array entry per pair of inner addresses on a pair of VTEPs and VNI,
 * both directions in it, as seen from one host. That host is always the outer_sip, whatever the order of the
 * addresses. */
#include "monitor/view_internal.h"

#include <stdlib.h>
#include <string.h>

struct tunnel_key {
	uint8_t outer_sip[16], outer_dip[16], inner_sip[16], inner_dip[16];
	int64_t vni;
};

struct tunnel {
	struct tunnel_key key;
	struct frame_count tx, rx;
};

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct tunnel_key)); /* the key comes first and has no padding */
}

_Static_assert(sizeof(struct tunnel_key) == 72, "tunnel_key has padding");

static struct tunnel tunnel_of(const struct sample_flow *f, bool sent, bool delta)
{
	const struct flow_count *now = sent ? &f->value.tx : &f->value.rx;
	const struct flow_count *then = sent ? &f->sent_then : &f->received_then;
	struct frame_count count = { now->packets, now->bytes };
	struct tunnel t = { .key.vni = flow_vni(&f->key) };

	memcpy(t.key.outer_sip, sent ? f->key.outer_src : f->key.outer_dst, 16);
	memcpy(t.key.outer_dip, sent ? f->key.outer_dst : f->key.outer_src, 16);
	memcpy(t.key.inner_sip, sent ? f->key.inner_src : f->key.inner_dst, 16);
	memcpy(t.key.inner_dip, sent ? f->key.inner_dst : f->key.inner_src, 16);
	if (delta) {
		count.packets -= then->packets;
		count.bytes -= then->bytes;
	}
	*(sent ? &t.tx : &t.rx) = count;
	return t;
}

/* Entries of one key, neighbours after sorting, become one; silent ones go when only growth is asked for. */
static size_t merge(struct tunnel *t, size_t n, bool delta)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (delta && !t[i].tx.packets && !t[i].rx.packets)
			continue;
		if (kept && !compare(&t[kept - 1], &t[i])) {
			t[kept - 1].tx.packets += t[i].tx.packets;
			t[kept - 1].tx.bytes += t[i].tx.bytes;
			t[kept - 1].rx.packets += t[i].rx.packets;
			t[kept - 1].rx.bytes += t[i].rx.bytes;
		} else {
			t[kept++] = t[i];
		}
	}
	return kept;
}

static size_t collect(const struct sample *s, uint32_t host, bool delta, struct tunnel *t)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_flows; i++) {
		const struct sample_flow *f = &s->flows[i];

		if (f->bum)
			continue;
		if (f->src_host == (int64_t)host)
			t[n++] = tunnel_of(f, true, delta);
		else if (f->dst_host == (int64_t)host)
			t[n++] = tunnel_of(f, false, delta);
	}
	qsort(t, n, sizeof(*t), compare);
	return merge(t, n, delta);
}

/* Readers of this form expect text everywhere: no inner address is 0.0.0.0, as there. */
static void emit_sip(struct emit *e, const char *key, const uint8_t bytes[16])
{
	static const uint8_t none[16];

	if (memcmp(bytes, none, sizeof(none)))
		emit_address(e, key, bytes);
	else
		emit_string(e, key, "0.0.0.0");
}

static void emit_tunnel(struct emit *e, const struct tunnel *t)
{
	emit_object(e, NULL);
	emit_vni(e, "vni", t->key.vni);
	emit_sip(e, "outer_sip", t->key.outer_sip);
	emit_sip(e, "outer_dip", t->key.outer_dip);
	emit_sip(e, "inner_sip", t->key.inner_sip);
	emit_sip(e, "inner_dip", t->key.inner_dip);
	emit_u64(e, "tx_pkts", t->tx.packets);
	emit_u64(e, "tx_bytes", t->tx.bytes);
	emit_u64(e, "rx_pkts", t->rx.packets);
	emit_u64(e, "rx_bytes", t->rx.bytes);
	emit_object_end(e);
}

char *view_tunnel(const struct sample *s, uint32_t host, bool delta)
{
	struct tunnel *t = malloc((s->n_flows + 1) * sizeof(*t));
	struct emit e = { 0 };
	size_t n;

	if (!t)
		return NULL;
	n = collect(s, host, delta, t);
	emit_array(&e, NULL);
	for (size_t i = 0; i < n; i++)
		emit_tunnel(&e, &t[i]);
	emit_array_end(&e);
	free(t);
	return emit_take(&e);
}
