/* SPDX-License-Identifier: Apache-2.0 */
/* The metric mismatch: rows of ground truth whose generators and the monitor disagree. What a sink did not get is no mismatch but
 * lost behind the monitor: delivery tells. */
#include <stdio.h>

#include "base/units.h"
#include "lab/verdict/check_internal.h"

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* What a generator counts itself beside what the monitor saw: packets sent there, answers received back. Answers that were lost on the
 * way are counted alike by both; that the monitor missed one shows where it saw fewer leave than arrived in the end. */
struct compared {
	uint64_t own, seen, difference;
};

static struct compared compare_there(const struct truth_row *row)
{
	return (struct compared){ row->count[TRUTH_SENT], row->count[TRUTH_LEFT],
				  apart(row->count[TRUTH_SENT], row->count[TRUTH_LEFT]) };
}

static struct compared compare_back(const struct truth_row *row)
{
	uint64_t own = row->count[TRUTH_RECEIVED] + row->duplicates, left = row->count[TRUTH_ANSWERED];
	uint64_t returned = row->count[TRUTH_RETURNED];

	if (left < own)
		return (struct compared){ own, left, own - left };
	return (struct compared){ own, returned, less(own, returned) };
}

static struct compared compare(const struct truth_row *row, bool back)
{
	return back ? compare_back(row) : compare_there(row);
}

static bool selected(const struct selection *sel, const struct truth_row *row, bool back)
{
	struct flow_key key;
	struct subject x = subject_of_pair(sel->checks->plan, back ? row->to : row->from, back ? row->from : row->to, row->proto,
					   SECTION_OF_FLOW, &key);

	return selection_has(sel, &x);
}

static void fill_row(const struct plan *plan, const struct truth_row *row, bool back, struct check_row *ret)
{
	struct compared c = compare(row, back);

	check_row_name_pair(ret, back ? row->to : row->from, back ? row->from : row->to, row->proto);
	ret->sent = c.seen;
	ret->generators = c.own;
	ret->weight = c.difference;
	if (c.difference)
		(void)truth_where(plan, row, ret->stops, sizeof(ret->stops));
}

int measure_mismatch(const struct selection *sel, const struct sample *s, struct check_result *r)
{
	struct top top = { 0 };
	struct truth truth;
	int err = truth_make(sel->checks->plan, s, &truth);

	if (err)
		return err;
	for (size_t i = 0; i < 2 * truth.n; i++) {
		const struct truth_row *row = &truth.rows[i / 2];
		bool back = i % 2;

		if ((!back || row->proto == SCN_PING) && selected(sel, row, back))
			top_add(&top, i, compare(row, back).difference);
	}
	if (top.total)
		result_measured(r, (double)top.weight[0]);
	else
		result_nothing(r, "no generator sends what is selected");
	r->n_rows = top.total;
	for (size_t i = 0; i < top.n; i++)
		fill_row(sel->checks->plan, &truth.rows[top.item[i] / 2], top.item[i] % 2, &r->rows[i]);
	truth_free(&truth);
	return 0;
}
