/* SPDX-License-Identifier: Apache-2.0 */
/* Words to link changes and states back to words; see link.h. */
#include "lab/scenario/link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lab/scenario/scenario_internal.h"

static const double rate_min_bps = 1000;             /* below that one full frame takes longer than ten seconds */
static const uint64_t delay_max_ns = 60000000000ull; /* whatever is on its way is kept in memory */

/* "0mbit" like "0": with a 1 in the place of the 0 it is a rate. */
static bool is_zero_rate(const char *text)
{
	char one[16];
	const char *unit = text, *why;
	struct rate rate;
	double number;

	if (!scan_decimal(&unit, &number) || number != 0 || strlen(unit) > sizeof(one) - 2)
		return false;
	(void)snprintf(one, sizeof(one), "1%s", unit);
	return !*unit || (parse_rate(one, &rate, &why) == 0 && rate.unit == RATE_BPS);
}

static int parse_link_rate(const char *text, struct link_state *to, const char **ret_why)
{
	struct rate rate;

	*ret_why = "want a rate in bits from 1kbit to 1000gbit, such as 50mbit, or 0 for no limit";
	if (is_zero_rate(text) || strcmp(text, "max") == 0) {
		to->rate_bps = 0;
		return 0;
	}
	if (parse_rate(text, &rate, &(const char *){ NULL }) || rate.unit != RATE_BPS || rate.value < rate_min_bps)
		return -EINVAL;
	to->rate_bps = rate.value;
	return 0;
}

static int parse_link_delay(const char *text, struct link_state *to, const char **ret_why)
{
	uint64_t ns;

	*ret_why = "want a time of at most 60s, such as 10ms, or 0 for none";
	if (parse_time(text, &ns, &(const char *){ NULL }) || ns > delay_max_ns)
		return -EINVAL;
	to->delay_ns = ns;
	return 0;
}

static int parse_link_loss(const char *text, struct link_state *to, const char **ret_why)
{
	*ret_why = "want a share from 0% to 100%, such as 0.1%";
	return parse_share(text, &to->loss);
}

/* The words of a change that a value follows. */
static const struct {
	const char *word;
	enum link_part part;
	int (*parse)(const char *text, struct link_state *to, const char **ret_why);
} values[] = {
	{ "rate", LINK_RATE, parse_link_rate },
	{ "delay", LINK_DELAY, parse_link_delay },
	{ "loss", LINK_LOSS, parse_link_loss },
};
enum { VALUES = sizeof(values) / sizeof(*values) };

int parse_link_value(enum link_part part, const char *text, struct link_state *to, const char **ret_why)
{
	for (size_t i = 0; i < VALUES; i++)
		if (values[i].part == part)
			return values[i].parse(text, to, ret_why);
	return -EINVAL;
}

static int refuse_word(const char *word, char *why, size_t why_len)
{
	static const char *const words[] = { "rate", "delay", "loss", "down", "up", "reset", NULL };
	const char *near = nearest_word(word, words);

	(void)snprintf(why, why_len, "no change is called \"%.40s\"%s%s%s; there are rate R, delay T, loss P%%, down, up and reset",
		       word, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	return -EINVAL;
}

/* One change from words[0] on, and how many words it has. */
static int take_change(const char *const *words, size_t n, struct link_change *one, size_t *ret_used, char *why, size_t why_len)
{
	const char *sentence;

	*one = (struct link_change){ .parts = LINK_DOWN };
	*ret_used = 1;
	one->to.down = strcmp(words[0], "down") == 0;
	if (one->to.down || strcmp(words[0], "up") == 0)
		return 0;
	for (size_t i = 0; i < VALUES; i++) {
		if (strcmp(words[0], values[i].word) != 0)
			continue;
		*ret_used = 2;
		one->parts = values[i].part;
		if (n < 2)
			(void)snprintf(why, why_len, "%s has no value", words[0]);
		else if (values[i].parse(words[1], &one->to, &sentence) == 0)
			return 0;
		else
			(void)snprintf(why, why_len, "%s %.40s: %s", words[0], words[1], sentence);
		return -EINVAL;
	}
	return refuse_word(words[0], why, why_len);
}

int parse_link_change(const char *const *words, size_t n, struct link_change *ret, char *why, size_t why_len)
{
	struct link_change all = { 0 };
	bool reset = false;

	if (n == 0) {
		(void)snprintf(why, why_len, "want a change: any of rate R, delay T, loss P%%, down, up and reset");
		return -EINVAL;
	}
	for (size_t at = 0, used; at < n; at += used) {
		struct link_change one = { 0 };
		bool again = reset && strcmp(words[at], "reset") == 0;
		int err = 0;

		used = 1;
		if (strcmp(words[at], "reset") == 0)
			reset = true;
		else
			err = take_change(words + at, n - at, &one, &used, why, why_len);
		if (err)
			return err;
		if (again || all.parts & one.parts) {
			(void)snprintf(why, why_len, "%s stands there %s", words[at],
				       one.parts == LINK_DOWN ? "beside another down or up" : "twice");
			return -EINVAL;
		}
		link_state_change(&all.to, &one);
		all.parts |= one.parts;
	}
	all.parts = reset ? LINK_ALL : all.parts;
	*ret = all;
	return 0;
}

int parse_link_text(const char *text, struct link_change *ret, char *why, size_t why_len)
{
	enum { TEXT_MAX = SCN_CHECK_LEN, WORDS_MAX = TEXT_MAX / 2 };
	char copy[TEXT_MAX];
	const char *words[WORDS_MAX];
	char *rest = copy, *word;
	size_t n = 0;

	if (strlen(text) >= sizeof(copy)) {
		(void)snprintf(why, why_len, "the change is %zu bytes long, at most %zu are possible", strlen(text), sizeof(copy) - 1);
		return -EINVAL;
	}
	(void)strcpy(copy, text);
	while ((word = strsep(&rest, " \t")))
		if (*word)
			words[n++] = word; /* each has a space or the end behind it: they cannot be more */
	return parse_link_change(words, n, ret, why, why_len);
}

void link_state_change(struct link_state *state, const struct link_change *change)
{
	if (change->parts & LINK_RATE)
		state->rate_bps = change->to.rate_bps;
	if (change->parts & LINK_DELAY)
		state->delay_ns = change->to.delay_ns;
	if (change->parts & LINK_LOSS)
		state->loss = change->to.loss;
	if (change->parts & LINK_DOWN)
		state->down = change->to.down;
}

bool link_state_equal(const struct link_state *a, const struct link_state *b)
{
	return a->rate_bps == b->rate_bps && a->delay_ns == b->delay_ns && a->loss == b->loss && a->down == b->down;
}

const char *link_part_format(const struct link_state *state, enum link_part part, char *buf, size_t len)
{
	const struct rate rate = { RATE_BPS, state->rate_bps };

	if (part == LINK_RATE && state->rate_bps > 0)
		return rate_format(&rate, buf, len);
	if (part == LINK_DELAY && state->delay_ns)
		return time_format(state->delay_ns, buf, len);
	if (part != LINK_LOSS || !(state->loss > 0))
		return NULL;
	(void)snprintf(buf, len, "%.6g%%", state->loss * 100);
	return buf;
}

const char *link_change_format(const struct link_change *change, char *buf, size_t len)
{
	static const struct link_state unimpaired;
	char value[32];
	size_t used = 0;

	buf[0] = '\0';
	if (change->parts == LINK_ALL && link_state_equal(&change->to, &unimpaired)) {
		(void)snprintf(buf, len, "reset");
		return buf;
	}
	for (size_t i = 0; i < VALUES && used < len; i++)
		if (change->parts & values[i].part)
			used += (size_t)snprintf(buf + used, len - used, "%s%s %s", used ? " " : "", values[i].word,
						 link_part_format(&change->to, values[i].part, value, sizeof(value)) ?: "0");
	if (change->parts & LINK_DOWN && used < len)
		(void)snprintf(buf + used, len - used, "%s%s", used ? " " : "", change->to.down ? "down" : "up");
	return buf;
}

const char *link_state_format(const struct link_state *state, char *buf, size_t len)
{
	struct link_change all = { .to = *state };

	all.parts = (state->rate_bps > 0 ? LINK_RATE : 0) | (state->delay_ns ? LINK_DELAY : 0) |
		    (state->loss > 0 ? LINK_LOSS : 0) | (state->down ? LINK_DOWN : 0);
	if (!all.parts)
		all.parts = LINK_DOWN; /* "up" */
	return link_change_format(&all, buf, len);
}

int parse_link_host(const char *text, uint32_t *ret_host, const char **ret_why)
{
	uint64_t host;

	*ret_why = "want a host, such as host3 or 3";
	if (!scan_u64(strncmp(text, "host", 4) == 0 ? text + 4 : text, UINT32_MAX, &host))
		return -EINVAL;
	*ret_host = (uint32_t)host;
	return 0;
}
