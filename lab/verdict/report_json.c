/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict as JSON, schema tunlab.report/1. */
#include "lab/verdict/report_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/emit.h"
#include "lab/facts.h"
#include "lab/verdict/path.h"
#include "monitor/truth.h"
#include "monitor/view.h"

static void put_rows(struct emit *e, const struct check_result *r)
{
	enum row_kind kind = report_row_kind(r->check->metric);
	size_t n = report_rows(r);

	emit_u64(e, "selected", r->n_rows);
	emit_array(e, "biggest");
	for (size_t i = 0; i < n; i++) {
		emit_object(e, NULL);
		emit_string(e, kind == ROW_FLOW ? "flow" : "pair", r->rows[i].name);
		for (const struct report_column *c = report_columns; c->name; c++)
			if (c->kinds & kind)
				emit_u64(e, c->name, report_figure(&r->rows[i], c));
		if (*r->rows[i].stops)
			emit_string(e, "stops", r->rows[i].stops);
		emit_object_end(e);
	}
	emit_array_end(e);
}

/* Where packets stop; null where nothing was walked. */
static void put_path(struct emit *e, const struct path *p)
{
	if (!p) {
		emit_null(e, "path");
		return;
	}
	emit_object(e, "path");
	emit_string(e, "pair", p->pair);
	emit_string(e, "stops", p->stops < p->n ? p->hops[p->stops].name : NULL);
	emit_string(e, "cause", *p->cause ? p->cause : NULL);
	emit_array(e, "hops");
	for (size_t i = 0; i < p->n; i++) {
		const struct path_hop *h = &p->hops[i];

		emit_object(e, NULL);
		emit_string(e, "hop", h->name);
		if (h->counted) {
			emit_u64(e, "packets", h->packets);
			emit_u64(e, "dropped", h->dropped);
		}
		emit_string(e, "note", *h->note ? h->note : NULL);
		emit_bool(e, "stops", i == p->stops);
		emit_object_end(e);
	}
	emit_array_end(e);
	emit_object_end(e);
}

static void put_result(struct emit *e, const struct check_result *r)
{
	emit_object(e, NULL);
	emit_string(e, "name", r->check->name);
	emit_string(e, "check", r->check->text);
	emit_string(e, "metric", check_metrics[r->check->metric].name);
	emit_string(e, "unit", check_units[check_metrics[r->check->metric].unit].name);
	emit_bool(e, "holds", r->holds);
	if (r->measured)
		emit_fixed(e, "value", r->value, 9);
	else
		emit_null(e, "value");
	emit_string(e, "measured", r->text);
	emit_string(e, "expected", r->expected);
	emit_fixed(e, "at_s", r->elapsed_s, 3);
	emit_u64(e, "line", r->check->line > 0 ? (uint64_t)r->check->line : 0);
	put_rows(e, r);
	put_path(e, r->path);
	emit_object_end(e);
}

/* The figures that say whether the run can be judged, all of them, each with its bound. */
static void put_validity(struct emit *e, const struct validity *v)
{
	if (!v)
		return;
	emit_object(e, "validity");
	for (int i = 0; i < VALIDITY_MAX; i++) {
		const struct validity_figure *f = &v->figures[i];

		emit_object(e, f->name);
		emit_u64(e, "value", f->value);
		emit_u64(e, "bound", f->bound);
		emit_string(e, "unit", f->unit);
		emit_string(e, "meaning", f->meaning);
		emit_bool(e, "broken", f->broken);
		emit_object_end(e);
	}
	emit_object_end(e);
	emit_u64(e, "time_squeeze", v->squeezed);
}

/* What the run's figures depend on beside the scenario. */
static void put_facts(struct emit *e, const struct report *r)
{
	emit_object(e, "facts");
	for (size_t i = 0; r->run && r->run->facts && i < r->run->facts->n; i++)
		emit_string(e, r->run->facts->v[i].name, r->run->facts->v[i].value);
	emit_object_end(e);
}

int report_json(const struct report *r, FILE *f)
{
	const struct sample *s = r->sample;
	struct truth truth;
	struct emit e = { 0 };
	char *text;
	int err = truth_make(r->plan, s, &truth);

	if (err)
		return err;
	emit_object(&e, NULL);
	emit_string(&e, "schema", "tunlab.report/1");
	emit_string(&e, "source", r->plan->scn->name);
	emit_string(&e, "scenario", r->plan->scn->file);
	emit_u64(&e, "seed", r->plan->scn->seed);
	put_facts(&e, r);
	emit_string(&e, "verdict", report_verdict(r));
	emit_string(&e, "invalid", r->invalid);
	put_validity(&e, r->validity);
	emit_fixed(&e, "time", s->unix_s, 3);
	emit_fixed(&e, "elapsed_s", s->elapsed_s, 3);
	emit_array(&e, "checks");
	for (size_t i = 0; i < r->n; i++)
		put_result(&e, &r->results[i]);
	emit_array_end(&e);
	emit_truth(&e, r->plan, s, &truth, 0);
	truth_free(&truth);
	emit_marks(&e, s->marks, 0, UINT64_MAX);
	emit_monitor(&e, r->sample);
	emit_object_end(&e);
	text = emit_take(&e);
	if (!text)
		return -ENOMEM;
	errno = 0;
	if (fprintf(f, "%s\n", text) < 0)
		err = errno ? -errno : -EIO;
	free(text);
	return err;
}

