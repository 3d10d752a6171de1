/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to a lab on purpose, as JSON: the state of links, and the marks of events and live changes. */
#include "monitor/view_internal.h"

static void emit_part(struct emit *e, const char *key, const struct link_state *state, enum link_part part)
{
	char text[32];

	emit_string(e, key, link_part_format(state, part, text, sizeof(text)));
}

static void emit_link_members(struct emit *e, const struct link_state *state)
{
	emit_part(e, "rate", state, LINK_RATE);
	emit_part(e, "delay", state, LINK_DELAY);
	emit_part(e, "loss", state, LINK_LOSS);
	emit_bool(e, "down", state->down);
}

void emit_link(struct emit *e, const struct link_state *state)
{
	emit_object(e, "link");
	emit_link_members(e, state);
	emit_object_end(e);
}

static void emit_mark(struct emit *e, const struct mark *m)
{
	emit_object(e, NULL);
	emit_u64(e, "seq", m->seq);
	emit_fixed(e, "at_s", m->at_s, 3);
	emit_fixed(e, "time", m->unix_s, 3);
	emit_string(e, "name", *m->name ? m->name : NULL);
	emit_string(e, "do", m->text);
	emit_bool(e, "ok", !*m->error);
	emit_string(e, "error", *m->error ? m->error : NULL);
	emit_object_end(e);
}

void emit_marks(struct emit *e, const struct marks *m, uint64_t then, uint64_t until)
{
	emit_array(e, "events");
	for (size_t i = 0; m && i < m->n; i++)
		if (m->v[i].seq > then && m->v[i].seq <= until)
			emit_mark(e, &m->v[i]);
	emit_array_end(e);
}

char *view_links(const struct plan *plan, const struct link_state *states, int64_t host)
{
	struct emit e = { 0 };

	emit_object(&e, NULL);
	emit_string(&e, "schema", "tunlab.links/1");
	emit_string(&e, "source", plan->scn->name);
	emit_array(&e, "links");
	for (uint32_t i = 0; i < plan->n_hosts; i++) {
		if (host >= 0 && host != i)
			continue;
		emit_object(&e, NULL);
		emit_string(&e, "host", plan->hosts[i].name);
		emit_link_members(&e, &states[i]);
		emit_object_end(&e);
	}
	emit_array_end(&e);
	emit_object_end(&e);
	return emit_take(&e);
}
