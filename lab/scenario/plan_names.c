/* SPDX-License-Identifier: Apache-2.0 */
/* The names in checks, links and events: which of them the lab does not have; and events in the order of time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/plan_internal.h"

/* ------------------------------------------------------------------ checks */

/* The index of a [traffic] section, or -1. */
static int64_t find_traffic(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->scn->n_traffic; i++)
		if (strcmp(p->scn->traffic[i].name, name) == 0)
			return (int64_t)i;
	return -1;
}

static bool traffic_exists(const struct plan *p, const char *name, char *why, size_t why_len)
{
	size_t used;

	if (p->doubts & DOUBT_NAMES || find_traffic(p, name) >= 0)
		return true;
	used = (size_t)snprintf(why, why_len, "there is no [traffic %s]", name);
	for (size_t i = 0; i < p->scn->n_traffic && used < why_len; i++)
		used += (size_t)snprintf(why + used, why_len - used, "%s%s",
					 i ? ", " : "; sections are ", p->scn->traffic[i].name);
	return false;
}

static bool outer_exists(const struct plan *p, const struct check_selector *s, char *why,
			 size_t why_len)
{
	char first[ADDR_STRLEN], last[ADDR_STRLEN];

	if (p->doubts & DOUBT_OUTER || plan_host_by_vtep(p, &s->addr) >= 0)
		return true;
	for (uint32_t i = 0; s->key == SEL_OUTER_DST && i < p->n_vnis; i++)
		if (addr_equal(&p->vnis[i].scn->group, &s->addr))
			return true;
	(void)snprintf(why, why_len, "%s=%s: VTEPs are %s to %s", sel_key_names[s->key], s->text,
		       addr_format(&p->hosts[0].vtep, first),
		       addr_format(&p->hosts[p->n_hosts - 1].vtep, last));
	return false;
}

static bool selector_exists(const struct plan *p, const struct check_selector *s, char *why,
			    size_t why_len)
{
	struct who vni = { .kind = WHO_VNI, .vni = s->number };

	switch (s->key) {
	case SEL_FROM:
	case SEL_TO:
		return plan_check_who(p, &s->who, false, why, why_len) == 0;
	case SEL_VNI:
		return plan_check_exists(p, &vni, why, why_len) == 0;
	case SEL_TRAFFIC:
		return traffic_exists(p, s->text, why, why_len);
	case SEL_OUTER_SRC:
	case SEL_OUTER_DST:
		return outer_exists(p, s, why, why_len);
	case SEL_PROTO:
	case SEL_ENCAP:
	case SEL_KEY_MAX:
		break;
	}
	return true;
}

static void verify_check(const struct plan *p, const struct scn_check *c, struct scn_errors *e)
{
	char title[SCN_NAME_LEN + 16], why[512], a[32], b[32], says[64];
	bool readable = !scn_is_wrong(c->wrong, ASSERT_CHECK);

	(void)snprintf(title, sizeof(title), "assert %s", c->name);
	for (size_t i = 0; i < c->n_selectors; i++)
		if (!selector_exists(p, &c->selectors[i], why, sizeof(why)))
			scn_error_at(e, p->scn,
				     (struct scn_place){ c->key_line[ASSERT_CHECK], title, "check",
							 c->text },
				     "%s", why);
	if (readable && check_metrics[c->metric].unit == UNIT_CLIENT &&
	    plan_check_who(p, &c->who, true, why, sizeof(why)))
		scn_error_at(e, p->scn,
			     (struct scn_place){ c->key_line[ASSERT_CHECK], title, "check",
						 c->text },
			     "%s", why);
	if (c->has_at && c->at_ns > p->scn->duration_ns && !(p->doubts & DOUBT_END))
		scn_error_at(e, p->scn,
			     (struct scn_place){ c->key_line[ASSERT_AT], title, "at",
						 time_format(c->at_ns, a, sizeof(a)) },
			     "the run ends at %s (%s), before that",
			     time_format(p->scn->duration_ns, b, sizeof(b)), scn_end_format(p->scn, says, sizeof(says)));
}

/* ------------------------------------------------------------------ links and events */

static void verify_link(const struct plan *p, const struct scn_link *l, struct scn_errors *e)
{
	struct who host = { .kind = WHO_HOST, .host = l->host };
	char title[SCN_NAME_LEN], why[512];
	int where = l->line;

	for (int k = 0; where == 0 && k < UPLINK_KEY_MAX; k++) /* made by --set */
		where = l->key_line[k];
	(void)snprintf(title, sizeof(title), "link host%u", l->host);
	if (plan_check_exists(p, &host, why, sizeof(why)))
		scn_error_at(e, p->scn, (struct scn_place){ where, title, NULL, NULL }, "%s", why);
}

static void verify_event(const struct plan *p, const struct scn_event *ev, struct scn_errors *e)
{
	struct who host = { .kind = WHO_HOST, .host = ev->action.host };
	char title[SCN_NAME_LEN + 16], why[512], at[32], end[32], says[64];
	bool exists = true;

	(void)snprintf(title, sizeof(title), "event %s", ev->name);
	if (ev->action.kind == ACTION_LINK)
		exists = plan_check_exists(p, &host, why, sizeof(why)) == 0;
	else
		exists = traffic_exists(p, ev->action.traffic, why, sizeof(why));
	if (!exists && !scn_is_wrong(ev->wrong, EVENT_DO))
		scn_error_at(e, p->scn, (struct scn_place){ ev->key_line[EVENT_DO], title, "do", ev->text }, "%s", why);
	if (ev->at_ns >= p->scn->duration_ns && !(p->doubts & DOUBT_END))
		scn_error_at(e, p->scn,
			     (struct scn_place){ ev->key_line[EVENT_AT], title, "at", time_format(ev->at_ns, at, sizeof(at)) },
			     "the run ends at %s (%s), so it would never happen",
			     time_format(p->scn->duration_ns, end, sizeof(end)), scn_end_format(p->scn, says, sizeof(says)));
}

void plan_verify_names(const struct plan *p, struct scn_errors *e)
{
	for (size_t i = 0; i < p->scn->n_links; i++)
		verify_link(p, &p->scn->links[i], e);
	for (size_t i = 0; i < p->scn->n_events; i++)
		verify_event(p, &p->scn->events[i], e);
	for (size_t i = 0; i < p->scn->n_checks; i++)
		verify_check(p, &p->scn->checks[i], e);
}

/* In the order of time; those of one moment in the order written. */
static int compare_events(const void *a, const void *b)
{
	const struct plan_event *x = a, *y = b;

	if (x->scn->at_ns != y->scn->at_ns)
		return x->scn->at_ns < y->scn->at_ns ? -1 : 1;
	return (x->scn > y->scn) - (x->scn < y->scn);
}

int plan_make_events(struct plan *p)
{
	size_t n = p->scn->n_events;

	p->events = calloc(n + 1, sizeof(*p->events));
	if (!p->events)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct scn_event *ev = &p->scn->events[i];

		p->events[i] = (struct plan_event){ ev, ev->action.kind == ACTION_LINK ? -1 : find_traffic(p, ev->action.traffic) };
	}
	qsort(p->events, n, sizeof(*p->events), compare_events);
	return 0;
}
