/* SPDX-License-Identifier: Apache-2.0 */
/* Single values of the scenario and the command line: rates, times, sizes, lists, who; text to
 * value and back. Knows neither files nor sections. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lab/scenario/scenario_internal.h"

const char *const scn_encap_names[SCN_ENCAP_MAX] = {
	[SCN_VXLAN] = "vxlan", [SCN_GENEVE] = "geneve", [SCN_GRETAP] = "gretap",
};
const char *const scn_flood_names[SCN_FLOOD_MAX] = {
	[SCN_MULTICAST] = "multicast", [SCN_UNICAST] = "unicast"
};
const char *const scn_wiring_names[SCN_WIRING_MAX] = {
	[SCN_BRIDGE] = "bridge", [SCN_DIRECT] = "direct"
};
const char *const scn_proto_names[SCN_PROTO_MAX] = { [SCN_PING] = "ping", [SCN_UDP] = "udp" };
const char *const scn_pattern_names[SCN_PATTERN_MAX] = {
	[SCN_CONSTANT] = "constant", [SCN_POISSON] = "poisson", [SCN_BURST] = "burst",
};

const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* By hand: strtod follows the locale and takes "0x1p3", "inf" and "nan". */
bool scan_decimal(const char **p, double *ret)
{
	enum { DIGITS_MAX = 18 }; /* all of them fit an int64 */
	const char *c = *p;
	uint64_t digits = 0;
	double scale = 1;
	int n = 0;

	for (; isdigit((unsigned char)*c); c++, n++)
		digits = n < DIGITS_MAX ? digits * 10 + (uint64_t)(*c - '0') : digits;
	if (n == 0)
		return false;
	if (*c == '.' && isdigit((unsigned char)c[1]))
		for (c++; isdigit((unsigned char)*c); c++, n++) {
			digits = n < DIGITS_MAX ? digits * 10 + (uint64_t)(*c - '0') : digits;
			scale *= 10;
		}
	if (n > DIGITS_MAX)
		return false;
	*p = c;
	*ret = (double)digits / scale;
	return true;
}

bool scan_u64(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned digit = (unsigned char)*text - '0';

		if (digit > 9 || v > (max - digit) / 10 || digit > max)
			return false;
		v = v * 10 + digit;
	}
	*ret = v;
	return true;
}

/* Edits between two words, a swap of neighbours counting as one; words over the bound are far from
 * everything. */
static unsigned word_distance(const char *a, const char *b)
{
	enum { LEN_MAX = 24 };
	size_t n = strlen(a), m = strlen(b);
	unsigned d[LEN_MAX + 1][LEN_MAX + 1];

	if (n > LEN_MAX || m > LEN_MAX)
		return LEN_MAX;
	for (unsigned i = 0; i <= n; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
			best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = d[i - 2][j - 2] + 1 < best ? d[i - 2][j - 2] + 1 : best;
			d[i][j] = best;
		}
	return d[n][m];
}

const char *nearest_word(const char *text, const char *const *words)
{
	const char *best = NULL;
	unsigned best_distance = 3;

	for (; *words; words++) {
		unsigned distance = word_distance(text, *words);

		if (distance < best_distance && distance * 2 < strlen(*words) + 1) {
			best_distance = distance;
			best = *words;
		}
	}
	return best;
}

const char *join_words(const char *const *words, char *buf, size_t len)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; words[i] && used < len; i++)
		used += (size_t)snprintf(buf + used, len - used, "%s%s", i ? ", " : "", words[i]);
	return buf;
}

/* Number, optional space, unit; the factor of the unit found. An empty unit name matches a bare
 * number. */
struct unit {
	const char *name;
	double factor;
	int tag;
};

static int parse_with_unit(const char *text, const struct unit *units, size_t n, double *ret,
			   int *ret_tag)
{
	const char *p = text;
	double number;

	if (!scan_decimal(&p, &number))
		return -EINVAL;
	p = skip_space(p);
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(p, units[i].name) == 0) {
			*ret = number * units[i].factor;
			*ret_tag = units[i].tag;
			return 0;
		}
	return -EINVAL;
}

int parse_rate(const char *text, struct rate *ret, const char **ret_why)
{
	static const struct unit units[] = {
		{ "pps", 1, RATE_PPS },    { "kpps", 1e3, RATE_PPS }, { "mpps", 1e6, RATE_PPS },
		{ "bit", 1, RATE_BPS },    { "kbit", 1e3, RATE_BPS }, { "mbit", 1e6, RATE_BPS },
		{ "gbit", 1e9, RATE_BPS },
	};
	double value;
	int unit;

	*ret_why = "want a rate with its unit, such as 500pps, 1kpps, 10mbit or 1gbit, or max";
	if (strcmp(text, "max") == 0) {
		*ret = (struct rate){ .unit = RATE_MAXIMUM };
		return 0;
	}
	if (parse_with_unit(text, units, sizeof(units) / sizeof(*units), &value, &unit))
		return -EINVAL;
	if (unit == RATE_PPS && (value < 0.001 || value > 1e9)) {
		*ret_why = "want a rate from 0.001pps to 1000mpps";
		return -EINVAL;
	}
	if (unit == RATE_BPS && (value < 1 || value > 1e12)) {
		*ret_why = "want a rate from 1bit to 1000gbit";
		return -EINVAL;
	}
	*ret = (struct rate){ .unit = (enum rate_unit)unit, .value = value };
	return 0;
}

int parse_time(const char *text, uint64_t *ret_ns, const char **ret_why)
{
	static const struct unit units[] = {
		{ "ns", 1, 0 },  { "us", 1e3, 0 }, { "ms", 1e6, 0 },
		{ "s", 1e9, 0 }, { "m", 60e9, 0 }, { "h", 3600e9, 0 },
	};
	double value;
	int tag;

	*ret_why = "want a time with its unit, such as 200ms, 1.5s, 10s, 2m or 1h";
	if (strcmp(text, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	if (parse_with_unit(text, units, sizeof(units) / sizeof(*units), &value, &tag))
		return -EINVAL;
	if (value > 10000 * 3600e9) {
		*ret_why = "want a time of at most 10000h";
		return -EINVAL;
	}
	*ret_ns = (uint64_t)llround(value);
	return 0;
}

int parse_size(const char *text, uint64_t *ret_bytes, const char **ret_why)
{
	static const struct unit units[] = {
		{ "", 1, 0 },
		{ "k", 1024, 0 },
		{ "m", 1048576, 0 },
		{ "g", 1073741824, 0 },
	};
	double value;
	int tag;

	*ret_why = "want a number of bytes, such as 64, 1400 or 1k (1024)";
	if (parse_with_unit(text, units, sizeof(units) / sizeof(*units), &value, &tag) ||
	    value != floor(value) || value > 1e15)
		return -EINVAL;
	*ret_bytes = (uint64_t)value;
	return 0;
}

int parse_share(const char *text, double *ret)
{
	const char *p = text;
	double v;

	if (!scan_decimal(&p, &v))
		return -EINVAL;
	p = skip_space(p);
	if (strcmp(p, "%") == 0)
		v /= 100;
	else if (*p || v >= 1) /* a bare 1 may be meant as 1% or as 100% */
		return -EINVAL;
	*ret = v;
	return v <= 1 ? 0 : -EINVAL;
}

int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v;

	if (!scan_u64(text, max, &v) || v < min)
		return -EINVAL;
	*ret = v;
	return 0;
}

/* "host0" or "host0:10002" */
static bool scan_host(const char *text, struct who *w)
{
	char host[16];
	size_t len = strcspn(text, ":");
	uint64_t number, vni;

	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!scan_u64(host, UINT32_MAX, &number))
		return false;
	*w = (struct who){ .kind = WHO_HOST, .host = (uint32_t)number };
	if (!text[len])
		return true;
	if (!scan_u64(text + len + 1, SCN_VNI_MAX, &vni) || vni == 0)
		return false;
	w->kind = WHO_HOST_VNI;
	w->vni = (uint32_t)vni;
	return true;
}

int parse_who(const char *text, struct who *ret, const char **ret_why)
{
	struct who w = { .kind = WHO_ALL };
	uint64_t n;

	*ret_why =
		"want a client (c3), a host (host0), a host's client in a VNI (host0:10002), vni 10002, all, random, or an "
		"inner address";
	if (strcmp(text, "all") == 0) {
		w.kind = WHO_ALL;
	} else if (strcmp(text, "random") == 0) {
		w.kind = WHO_RANDOM;
	} else if (scan_u64(text + (text[0] == 'c'), UINT32_MAX, &n)) {
		w.kind = WHO_CLIENT;
		w.client = (uint32_t)n;
	} else if (strncmp(text, "vni", 3) == 0 && (text[3] == ' ' || text[3] == '\t')) {
		if (!scan_u64(skip_space(text + 3), SCN_VNI_MAX, &n) || n == 0) {
			*ret_why = "want vni and a number from 1 to 16777215, such as vni 10002";
			return -EINVAL;
		}
		w.kind = WHO_VNI;
		w.vni = (uint32_t)n;
	} else if (strncmp(text, "host", 4) == 0) {
		if (!scan_host(text + 4, &w))
			return -EINVAL;
	} else if (addr_parse(text, &w.addr) == 0 && !addr_is_none(&w.addr)) {
		w.kind = WHO_ADDRESS;
	} else {
		return -EINVAL;
	}
	*ret = w;
	return 0;
}

const char *who_format(const struct who *w, char *buf, size_t len)
{
	char addr[ADDR_STRLEN];

	switch (w->kind) {
	case WHO_ALL:
		(void)snprintf(buf, len, "all");
		break;
	case WHO_RANDOM:
		(void)snprintf(buf, len, "random");
		break;
	case WHO_CLIENT:
		(void)snprintf(buf, len, "c%u", w->client);
		break;
	case WHO_HOST:
		(void)snprintf(buf, len, "host%u", w->host);
		break;
	case WHO_HOST_VNI:
		(void)snprintf(buf, len, "host%u:%u", w->host, w->vni);
		break;
	case WHO_VNI:
		(void)snprintf(buf, len, "vni %u", w->vni);
		break;
	case WHO_ADDRESS:
		(void)snprintf(buf, len, "%s", addr_format(&w->addr, addr));
		break;
	}
	return buf;
}

/* The largest unit that leaves at least 1. steps[] ascending from the base unit. */
static const char *format_with_unit(double value, const struct unit *steps, size_t n, char *buf,
				    size_t len)
{
	size_t i = n - 1;

	while (i > 0 && value < steps[i].factor)
		i--;
	(void)snprintf(buf, len, "%.6g%s", value / steps[i].factor, steps[i].name);
	return buf;
}

const char *rate_format(const struct rate *r, char *buf, size_t len)
{
	static const struct unit packets[] = { { "pps", 1, 0 },
					       { "kpps", 1e3, 0 },
					       { "mpps", 1e6, 0 } };
	static const struct unit bits[] = {
		{ "bit", 1, 0 }, { "kbit", 1e3, 0 }, { "mbit", 1e6, 0 }, { "gbit", 1e9, 0 }
	};

	if (r->unit == RATE_PPS)
		return format_with_unit(r->value, packets, 3, buf, len);
	if (r->unit == RATE_BPS)
		return format_with_unit(r->value, bits, 4, buf, len);
	(void)snprintf(buf, len, "max");
	return buf;
}

const char *time_format(uint64_t ns, char *buf, size_t len)
{
	static const struct unit times[] = {
		{ "ns", 1, 0 }, { "us", 1e3, 0 }, { "ms", 1e6, 0 }, { "s", 1e9, 0 }
	};

	if (ns == 0)
		(void)snprintf(buf, len, "0s");
	else
		(void)format_with_unit((double)ns, times, 4, buf, len);
	return buf;
}

bool range_list_has(const struct range_list *l, uint32_t value)
{
	for (size_t i = 0; i < l->n; i++)
		if (value >= l->v[i].first && value <= l->v[i].last)
			return true;
	return false;
}

const char *ranges_format(const struct range_list *l, char *buf, size_t len)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < l->n && used < len; i++) {
		uint32_t first = l->v[i].first, last = l->v[i].last;

		used += (size_t)snprintf(buf + used, len - used, first == last ? "%s%u" : "%s%u-%u",
					 i ? ", " : "", first, last);
	}
	return buf;
}

/* Digits of a list; *p moves behind them and the space after. */
static bool scan_list_number(const char **p, uint64_t *ret)
{
	char digits[12];
	size_t n = strspn(*p, "0123456789");

	if (n == 0 || n >= sizeof(digits))
		return false;
	memcpy(digits, *p, n);
	digits[n] = '\0';
	*p = skip_space(*p + n);
	return scan_u64(digits, UINT32_MAX, ret);
}

static int add_range(struct range_list *l, uint32_t first, uint32_t last, char *why, size_t why_len)
{
	void *v;

	for (size_t i = 0; i < l->n; i++)
		if (first <= l->v[i].last && last >= l->v[i].first) {
			(void)snprintf(why, why_len, "%u is named twice",
				       first > l->v[i].first ? first : l->v[i].first);
			return -EINVAL;
		}
	v = realloc(l->v, (l->n + 1) * sizeof(*l->v));
	if (!v)
		return -ENOMEM;
	l->v = v;
	l->v[l->n].first = first;
	l->v[l->n++].last = last;
	return 0;
}

/* One "3" or "3-7" at *p. */
static int parse_range(const char **p, uint32_t min, uint32_t max, uint64_t *first, uint64_t *last,
		       char *why, size_t why_len)
{
	*p = skip_space(*p);
	if (!scan_list_number(p, first))
		goto not_a_list;
	*last = *first;
	if (**p == '-') {
		*p = skip_space(*p + 1);
		if (!scan_list_number(p, last))
			goto not_a_list;
	}
	if (**p && **p != ',')
		goto not_a_list;
	if (*last < *first) {
		(void)snprintf(why, why_len, "%llu-%llu runs backwards", (unsigned long long)*first,
			       (unsigned long long)*last);
		return -EINVAL;
	}
	if (*first < min || *last > max) {
		(void)snprintf(why, why_len, "%llu is out of range: want numbers from %u to %u",
			       (unsigned long long)(*first < min ? *first : *last), min, max);
		return -EINVAL;
	}
	return 0;

not_a_list:
	(void)snprintf(why, why_len, "want a list of numbers and ranges, such as 0-5, 8");
	return -EINVAL;
}

int parse_ranges(const char *text, uint32_t min, uint32_t max, uint32_t max_count,
		 struct range_list *ret, char *ret_why, size_t why_len)
{
	struct range_list l = { 0 };
	uint64_t count = 0;
	const char *p = text;
	int err;

	for (;;) {
		uint64_t first, last;

		err = parse_range(&p, min, max, &first, &last, ret_why, why_len);
		if (!err)
			err = add_range(&l, (uint32_t)first, (uint32_t)last, ret_why, why_len);
		if (err)
			break;
		count += last - first + 1;
		if (count > max_count) {
			(void)snprintf(ret_why, why_len, "at most %u are possible", max_count);
			err = -EINVAL;
			break;
		}
		if (*p != ',') {
			*ret = l;
			return 0;
		}
		p++;
	}
	free(l.v);
	return err;
}
