/* SPDX-License-Identifier: Apache-2.0 */
/* Check expressions, METRIC(SELECTOR…) OP VALUE: text to struct scn_check. Which metrics there are is scenario_metrics.c's, whether the
 * names in an expression exist plan.c's, what it measures lab/verdict's. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/scenario_internal.h"

const char *const sel_key_names[SEL_KEY_MAX] = {
	[SEL_FROM] = "from", [SEL_TO] = "to", [SEL_VNI] = "vni", [SEL_PROTO] = "proto",
	[SEL_ENCAP] = "encap", [SEL_TRAFFIC] = "traffic", [SEL_OUTER_SRC] = "outer_src",
	[SEL_OUTER_DST] = "outer_dst",
};
const char *const check_op_names[CHECK_OP_MAX] = {
	[OP_EQ] = "==", [OP_NE] = "!=", [OP_LT] = "<", [OP_LE] = "<=", [OP_GT] = ">",
	[OP_GE] = ">=", [OP_BETWEEN] = "between", [OP_APPROX] = "~",
};

/* What the flow table's encap column can hold (contract section 5). */
static const char *const flow_encaps[] = {
	"vxlan", "vxlan-gpe", "geneve", "gre", "gretap", "erspan1", "erspan2", "erspan3", "4in4",
	"6in4", "4in6", "6in6", "gtp-u", NULL,
};

struct parser {
	const char *p;
	char *why;
	size_t why_len;
};

static int refuse(struct parser *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(struct parser *x, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(x->why, x->why_len, format, args);
	va_end(args);
	return -EINVAL;
}

/* ------------------------------------------------------------------ metric */

static int parse_metric(struct parser *x, enum check_metric *ret)
{
	const char *names[CHECK_METRIC_MAX + 1] = { NULL };
	char word[SCN_NAME_LEN], list[400];
	size_t len =
		strspn(x->p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
	const char *near;

	for (int m = 0; m < CHECK_METRIC_MAX; m++)
		names[m] = check_metrics[m].name;
	(void)snprintf(word, sizeof(word), "%.*s",
		       (int)(len < sizeof(word) ? len : sizeof(word) - 1), x->p);
	for (int m = 0; m < CHECK_METRIC_MAX; m++)
		if (strcmp(word, names[m]) == 0) {
			*ret = (enum check_metric)m;
			x->p = skip_space(x->p + len);
			return 0;
		}
	(void)join_words(names, list, sizeof(list));
	if (len == 0)
		return refuse(x, "want a metric at \"%.40s\"; there are %s", x->p, list);
	near = nearest_word(word, names);
	if (near)
		return refuse(x, "no metric is called \"%s\"; did you mean %s?", word, near);
	return refuse(x, "no metric is called \"%s\"; there are %s", word, list);
}

/* ------------------------------------------------------------------ selectors */

static bool is_inner_proto(const char *text)
{
	static const char *const words[] = { "ping",   "udp",  "tcp", "sctp", "icmp",
					     "icmpv6", "igmp", "arp", "llc",  NULL };
	uint64_t n;

	for (size_t i = 0; words[i]; i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	if (strncmp(text, "0x", 2) == 0)
		return strlen(text) == 6 && strspn(text + 2, "0123456789abcdef") == 4;
	if (strncmp(text, "ipv4/", 5) != 0 && strncmp(text, "ipv6/", 5) != 0)
		return false;
	return scan_u64(text + 5, 255, &n) ||
	       (islower((unsigned char)text[5]) &&
		strspn(text + 5, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text + 5));
}

static int take_selector(struct parser *x, struct check_selector *s, const char *value)
{
	char list[200];
	const char *why;
	uint64_t n;

	(void)snprintf(s->text, sizeof(s->text), "%s", value);
	switch (s->key) {
	case SEL_FROM:
	case SEL_TO:
		if (parse_who(value, &s->who, &why))
			return refuse(x, "%s=%s: %s", sel_key_names[s->key], value, why);
		if (s->who.kind == WHO_RANDOM)
			return refuse(
				x,
				"%s=random: a check cannot know who was picked; name the section with traffic=",
				sel_key_names[s->key]);
		return 0;
	case SEL_VNI:
		if (!scan_u64(value, SCN_VNI_MAX, &n) || n == 0)
			return refuse(x, "vni=%s: want a number from 1 to %d", value, SCN_VNI_MAX);
		s->number = (uint32_t)n;
		return 0;
	case SEL_PROTO:
		if (!is_inner_proto(value))
			return refuse(
				x,
				"proto=%s: want ping, udp, or as in the flow table: ipv4/icmp, ipv6/tcp, ipv4/89, arp, 0x88cc",
				value);
		return 0;
	case SEL_ENCAP:
		for (size_t i = 0; flow_encaps[i]; i++)
			if (strcmp(value, flow_encaps[i]) == 0)
				return 0;
		return refuse(x, "encap=%s: want one of %s", value,
			      join_words(flow_encaps, list, sizeof(list)));
	case SEL_OUTER_SRC:
	case SEL_OUTER_DST:
		if (addr_parse(value, &s->addr))
			return refuse(x, "%s=%s: want an IPv4 or IPv6 address",
				      sel_key_names[s->key], value);
		return 0;
	case SEL_TRAFFIC:
	case SEL_KEY_MAX:
		break;
	}
	return 0;
}

/* Length of a selector's value: up to a comma, the end, or the next "word =" behind white space (so
 * that "vni 10002" and names with spaces can be written without quotes). */
static size_t selector_value_len(const char *p, const char *end)
{
	const char *c = p;

	while (c < end && *c != ',') {
		const char *word = skip_space(c), *after = word;

		if (word == c) {
			c++;
			continue;
		}
		while (after < end && (islower((unsigned char)*after) || *after == '_'))
			after++;
		if (after > word && *skip_space(after) == '=')
			break;
		c = word;
	}
	while (c > p && (c[-1] == ' ' || c[-1] == '\t'))
		c--;
	return (size_t)(c - p);
}

static int parse_selector_key(struct parser *x, const char *end, enum sel_key *ret)
{
	const char *names[SEL_KEY_MAX + 1] = { NULL };
	char word[SCN_NAME_LEN], list[120];
	size_t len = strcspn(x->p, " \t=,)");
	const char *near;

	memcpy(names, sel_key_names, sizeof(sel_key_names));
	if (len > (size_t)(end - x->p))
		len = (size_t)(end - x->p);
	(void)snprintf(word, sizeof(word), "%.*s",
		       (int)(len < sizeof(word) ? len : sizeof(word) - 1), x->p);
	if (*skip_space(x->p + len) != '=')
		return refuse(x, "\"%s\": want SELECTOR=VALUE, such as from=host0", word);
	for (int k = 0; k < SEL_KEY_MAX; k++)
		if (strcmp(word, sel_key_names[k]) == 0) {
			*ret = (enum sel_key)k;
			x->p = skip_space(skip_space(x->p + len) + 1);
			return 0;
		}
	near = nearest_word(word, names);
	return refuse(x, "no selector is called \"%s\"%s%s%s; there are %s", word,
		      near ? "; did you mean " : "", near ? near : "", near ? "?" : "",
		      join_words(names, list, sizeof(list)));
}

static int parse_selector(struct parser *x, const char *end, struct scn_check *c)
{
	struct check_selector *s = &c->selectors[c->n_selectors];
	const struct check_metric_info *metric = &check_metrics[c->metric];
	char value[SCN_NAME_LEN];
	bool quoted;
	size_t len;
	int err;

	*s = (struct check_selector){ 0 };
	err = parse_selector_key(x, end, &s->key);
	if (err)
		return err;
	if (!(metric->selectors & (1u << s->key)))
		return refuse(x,
			      metric->selectors ? "%s cannot be selected by %s"
						: "%s takes no selectors (%s)",
			      metric->name, sel_key_names[s->key]);
	for (size_t i = 0; i < c->n_selectors; i++)
		if (c->selectors[i].key == s->key)
			return refuse(x, "%s= stands there twice", sel_key_names[s->key]);
	quoted = x->p < end && *x->p == '"';
	x->p += quoted;
	len = quoted ? strcspn(x->p, "\"") : selector_value_len(x->p, end);
	if (len == 0 || x->p >= end)
		return refuse(x, "%s= has no value", sel_key_names[s->key]);
	if (len >= sizeof(value))
		return refuse(x, "the value of %s= is longer than %zu bytes", sel_key_names[s->key],
			      sizeof(value) - 1);
	memcpy(value, x->p, len);
	value[len] = '\0';
	x->p += len + quoted;
	err = take_selector(x, s, value);
	c->n_selectors += !err;
	return err;
}

/* The parenthesis that closes the list opened before p, outside quotes; NULL without one. */
static const char *closing_parenthesis(const char *p)
{
	bool quoted = false;

	for (; *p; p++) {
		if (*p == '"')
			quoted = !quoted;
		if (*p == ')' && !quoted)
			return p;
	}
	return NULL;
}

static int parse_selectors(struct parser *x, struct scn_check *c)
{
	const char *end;

	if (*x->p != '(')
		return 0;
	end = closing_parenthesis(++x->p);
	if (!end)
		return refuse(x, "the parenthesis before \"%.40s\" is never closed", x->p);
	c->selectors = calloc(SEL_KEY_MAX, sizeof(*c->selectors));
	if (!c->selectors)
		return -ENOMEM;
	for (;;) {
		int err;

		while (*x->p == ' ' || *x->p == '\t' || *x->p == ',')
			x->p++;
		if (x->p >= end)
			break;
		err = parse_selector(x, end, c);
		if (err)
			return err;
	}
	x->p = skip_space(end + 1);
	return 0;
}

/* ------------------------------------------------------------------ comparison */

static int parse_count(const char *text, double *ret)
{
	const char *p = text;
	double v;

	if (!scan_decimal(&p, &v))
		return -EINVAL;
	if (strcmp(p, "k") == 0)
		v *= 1e3;
	else if (strcmp(p, "m") == 0)
		v *= 1e6;
	else if (*p)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int parse_per_second(const char *text, enum rate_unit unit, double *ret)
{
	struct rate r;
	const char *why;

	if (parse_count(text, ret) == 0) /* a bare number is in the metric's own unit */
		return 0;
	if (parse_rate(text, &r, &why) || r.unit != unit)
		return -EINVAL;
	*ret = r.value;
	return 0;
}

/* One value of the metric's unit. */
static int parse_value(struct parser *x, struct scn_check *c, const char *text, double *ret)
{
	enum check_unit unit = check_metrics[c->metric].unit;
	const char *why;
	uint64_t n = 0;
	int err = -EINVAL;

	switch (unit) {
	case UNIT_COUNT:
		err = parse_count(text, ret);
		if (!err && *ret != floor(*ret))
			err = -EINVAL;
		break;
	case UNIT_BYTES:
		err = parse_size(text, &n, &why);
		*ret = (double)n;
		break;
	case UNIT_PPS:
		err = parse_per_second(text, RATE_PPS, ret);
		break;
	case UNIT_BPS:
		err = parse_per_second(text, RATE_BPS, ret);
		break;
	case UNIT_SHARE:
		err = parse_share(text, ret);
		break;
	case UNIT_TIME:
		err = parse_time(text, &n, &why);
		*ret = (double)n / 1e9;
		break;
	case UNIT_CLIENT:
		err = parse_who(text, &c->who, &why);
		if (!err && c->who.kind != WHO_CLIENT && c->who.kind != WHO_HOST_VNI &&
		    c->who.kind != WHO_ADDRESS)
			err = -EINVAL;
		*ret = c->who.client;
		break;
	case CHECK_UNIT_MAX:
		break;
	}
	if (err && (strstr(text, " and ") || strstr(text, " or ") || strstr(text, "&&") || strstr(text, "||")))
		return refuse(x, "a check is one comparison; \"%s\" is more: give each an [assert] of its own", text);
	if (err)
		return refuse(x, "%s is compared with %s; \"%s\" is not one",
			      check_metrics[c->metric].name, check_units[unit].example, text);
	return 0;
}

static int parse_op(struct parser *x, const struct scn_check *c, enum check_op *ret)
{
	/* Longer ones first: "<=" begins with "<". */
	static const enum check_op order[] = { OP_EQ, OP_NE, OP_LE,     OP_GE,
					       OP_LT, OP_GT, OP_APPROX, OP_BETWEEN };

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		const char *name = check_op_names[order[i]];
		size_t len = strlen(name);

		if (strncmp(x->p, name, len) != 0)
			continue;
		if (order[i] == OP_BETWEEN && x->p[len] && x->p[len] != ' ' && x->p[len] != '\t')
			continue;
		*ret = order[i];
		x->p = skip_space(x->p + len);
		return 0;
	}
	if (*x->p == '=')
		return refuse(x, "a comparison for equality is written ==");
	return refuse(
		x,
		"want a comparison %s \"%.40s\": one of == != < <= > >=, between A and B, ~ V +- P%%",
		*x->p ? "at" : "after", *x->p ? x->p : c->text);
}

/* Copies what stands from first to last without white space at its end. */
static void copy_part(const char *first, const char *last, char *buf, size_t len)
{
	while (last > first && (last[-1] == ' ' || last[-1] == '\t'))
		last--;
	(void)snprintf(buf, len, "%.*s", (int)(last - first), first);
}

/* "A and B" or "V +- P%" at x->p, split in two. */
static int parse_pair(struct parser *x, struct scn_check *c)
{
	char first[SCN_CHECK_LEN], second[SCN_CHECK_LEN];
	bool between = c->op == OP_BETWEEN;
	const char *mark = strstr(x->p, between ? " and " : "+-");
	size_t mark_len = between ? 5 : 2;
	int err;

	if (!mark && !between) {
		mark = strstr(x->p, "\xc2\xb1"); /* the plus-minus sign */
		mark_len = 2;
	}
	if (!mark)
		return refuse(x, between ? "want \"between A and B\""
					 : "want \"~ V +- P%%\", such as ~ 500 +- 1%%");
	copy_part(x->p, mark, first, sizeof(first));
	copy_part(skip_space(mark + mark_len), x->p + strlen(x->p), second, sizeof(second));
	err = parse_value(x, c, first, &c->value);
	if (err)
		return err;
	if (!between) {
		if (!strchr(second, '%') || parse_share(second, &c->value2))
			return refuse(x, "want a tolerance from 0%% to 100%%; \"%s\" is not one",
				      second);
		return 0;
	}
	err = parse_value(x, c, second, &c->value2);
	if (!err && c->value2 < c->value)
		err = refuse(x, "%s is less than %s: nothing is between them", second, first);
	return err;
}

static int parse_comparison(struct parser *x, struct scn_check *c)
{
	int err = parse_op(x, c, &c->op);

	if (err)
		return err;
	if (check_metrics[c->metric].unit == UNIT_CLIENT && c->op != OP_EQ && c->op != OP_NE)
		return refuse(x, "%s is a client: it can only be == or != another",
			      check_metrics[c->metric].name);
	if (!*x->p)
		return refuse(x, "%s is compared with nothing: want %s",
			      check_metrics[c->metric].name,
			      check_units[check_metrics[c->metric].unit].example);
	if (c->op == OP_BETWEEN || c->op == OP_APPROX)
		return parse_pair(x, c);
	return parse_value(x, c, x->p, &c->value);
}

int parse_check(const char *text, struct scn_check *ret, char *ret_why, size_t why_len)
{
	struct parser x = { .p = skip_space(text), .why = ret_why, .why_len = why_len };
	struct scn_check c = *ret;
	int err;

	c.selectors = NULL;
	c.n_selectors = 0;
	if (strlen(text) >= sizeof(c.text))
		return refuse(&x, "is longer than %zu bytes", sizeof(c.text) - 1);
	(void)strcpy(c.text, text);
	err = parse_metric(&x, &c.metric);
	if (!err)
		err = parse_selectors(&x, &c);
	if (!err)
		err = parse_comparison(&x, &c);
	if (err) {
		free(c.selectors);
		return err;
	}
	*ret = c;
	return 0;
}
