/* SPDX-License-Identifier: Apache-2.0 */
/* A check's value, the comparison, and both as a user would write them; see check.h. What is measured is in check_flows.c,
 * check_streams.c and check_mismatch.c; which flows a check selects is check_select.c's. */
#include "lab/verdict/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/verdict/check_internal.h"

void result_nothing(struct check_result *r, const char *why)
{
	r->measured = false;
	(void)snprintf(r->text, sizeof(r->text), "nothing to measure: %s", why);
}

void result_measured(struct check_result *r, double value)
{
	r->measured = true;
	r->value = value;
}

/* 4 digits, but never rounded to all or nothing. */
static void format_share(double v, char *buf, size_t len)
{
	(void)snprintf(buf, len, "%.4g%%", v * 100);
	if ((v < 1 && strcmp(buf, "100%") == 0) || (v > 0 && strcmp(buf, "0%") == 0))
		(void)snprintf(buf, len, "%.12g%%", v * 100);
}

static const char *format_value(enum check_unit unit, double v, char *buf, size_t len)
{
	struct rate rate = { unit == UNIT_BPS ? RATE_BPS : RATE_PPS, v };

	switch (unit) {
	case UNIT_COUNT:
		(void)snprintf(buf, len, "%.0f", v);
		break;
	case UNIT_BYTES:
		(void)snprintf(buf, len, "%.0f bytes", v);
		break;
	case UNIT_PPS:
	case UNIT_BPS:
		(void)rate_format(&rate, buf, len);
		break;
	case UNIT_SHARE:
		format_share(v, buf, len);
		break;
	case UNIT_TIME:
		(void)time_format((uint64_t)llround(v * 1e9), buf, len);
		break;
	case UNIT_CLIENT:
		(void)snprintf(buf, len, "c%.0f", v);
		break;
	case CHECK_UNIT_MAX:
		break;
	}
	return buf;
}

static void format_expected(const struct scn_check *c, double want, struct check_result *r)
{
	enum check_unit unit = check_metrics[c->metric].unit;
	char a[64], b[64];

	if (c->op == OP_BETWEEN)
		(void)snprintf(r->expected, sizeof(r->expected), "from %s to %s",
			       format_value(unit, c->value, a, sizeof(a)),
			       format_value(unit, c->value2, b, sizeof(b)));
	else if (c->op == OP_APPROX)
		(void)snprintf(r->expected, sizeof(r->expected), "from %s to %s",
			       format_value(unit, c->value * (1 - c->value2), a, sizeof(a)),
			       format_value(unit, c->value * (1 + c->value2), b, sizeof(b)));
	else
		(void)snprintf(r->expected, sizeof(r->expected), "%s %s", check_op_names[c->op],
			       format_value(unit, want, a, sizeof(a)));
}

/* Values are quotients of counters: equal ones may differ in their last bits. */
static bool near(double a, double b)
{
	return a == b || fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
}

static bool compare(const struct scn_check *c, double v, double want)
{
	switch (c->op) {
	case OP_EQ:
		return near(v, want);
	case OP_NE:
		return !near(v, want);
	case OP_LT:
		return v < want && !near(v, want);
	case OP_LE:
		return v < want || near(v, want);
	case OP_GT:
		return v > want && !near(v, want);
	case OP_GE:
		return v > want || near(v, want);
	case OP_BETWEEN:
		return (v > c->value || near(v, c->value)) && (v < c->value2 || near(v, c->value2));
	case OP_APPROX:
		return fabs(v - c->value) <= c->value * c->value2 ||
		       near(fabs(v - c->value), c->value * c->value2);
	case CHECK_OP_MAX:
		break;
	}
	return false;
}

static int measure(const struct selection *sel, const struct sample *s, struct check_result *r)
{
	switch (sel->check->metric) {
	case METRIC_DELIVERY:
	case METRIC_RTT_MIN:
	case METRIC_RTT_AVG:
	case METRIC_RTT_P50:
	case METRIC_RTT_P90:
	case METRIC_RTT_P99:
	case METRIC_RTT_MAX:
		return measure_streams(sel, s, r);
	case METRIC_MISMATCH:
		return measure_mismatch(sel, s, r);
	case METRIC_UNPLANNED:
		measure_unplanned(sel, s, r);
		return 0;
	case METRIC_MONITOR_LOST:
		result_measured(r, (double)s->health.lost);
		return 0;
	case METRIC_MONITOR_TRUNCATED:
		result_measured(r, (double)s->health.truncated);
		return 0;
	case METRIC_MONITOR_UNKNOWN:
		result_measured(r, (double)s->health.unknown);
		return 0;
	default:
		return measure_flows(sel, s, r);
	}
}

int checks_evaluate(const struct checks *c, const struct scn_check *check, const struct sample *s,
		    struct check_result *ret)
{
	struct selection sel = selection_of(c, check);
	enum check_unit unit = check_metrics[check->metric].unit;
	struct check_result r = { .check = check, .elapsed_s = s->elapsed_s };
	double want = check->value;
	uint32_t client;
	char why[8];
	int err;

	if (unit == UNIT_CLIENT &&
	    plan_resolve_one(c->plan, &check->who, &client, why, sizeof(why)) == 0)
		want = sel.wanted = client; /* it exists: the plan has looked */
	err = measure(&sel, s, &r);
	if (err)
		return err;
	format_expected(check, want, &r);
	if (r.measured) {
		(void)format_value(unit, r.value, r.text, sizeof(r.text));
		r.holds = compare(check, r.value, want);
	}
	*ret = r;
	return 0;
}
