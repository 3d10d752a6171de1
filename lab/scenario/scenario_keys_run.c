/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the sections that say what goes on in the lab: [traffic], [link], [event], [assert]; as in scenario_keys.c. */
#include <errno.h>
#include <stdio.h>

#include "lab/scenario/scenario_internal.h"
#include "lab/traffic/engine.h"

/* ------------------------------------------------------------------ [traffic NAME] */

static bool traffic_from(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;

	(void)b;
	return parse_who(value, &((struct scn_traffic *)object)->from, &static_why) == 0 ||
	       value_refuse(why, static_why);
}

static bool traffic_to(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;

	(void)b;
	return parse_who(value, &((struct scn_traffic *)object)->to, &static_why) == 0 ||
	       value_refuse(why, static_why);
}

static bool traffic_proto(struct build *b, void *object, const char *value, char *why)
{
	int choice;

	(void)b;
	if (!value_choice(value, scn_proto_names, SCN_PROTO_MAX, &choice, why))
		return false;
	((struct scn_traffic *)object)->proto = (enum scn_proto)choice;
	return true;
}

static bool traffic_rate(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;

	(void)b;
	return parse_rate(value, &((struct scn_traffic *)object)->rate, &static_why) == 0 ||
	       value_refuse(why, static_why);
}

static bool traffic_size(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;
	uint64_t size;

	(void)b;
	if (parse_size(value, &size, &static_why))
		return value_refuse(why, static_why);
	if (size < TRAFFIC_SIZE_MIN || size > TRAFFIC_SIZE_MAX) {
		(void)snprintf(
			why, WHY_LEN,
			"want at least %d bytes (8 of ICMP or UDP header and tunlab's own) and no more than the MTU",
			TRAFFIC_SIZE_MIN);
		return false;
	}
	((struct scn_traffic *)object)->size = (uint32_t)size;
	return true;
}

static bool traffic_start(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;

	(void)b;
	return parse_time(value, &((struct scn_traffic *)object)->start_ns, &static_why) == 0 ||
	       value_refuse(why, static_why);
}

static bool traffic_stop(struct build *b, void *object, const char *value, char *why)
{
	struct scn_traffic *t = object;
	const char *static_why;

	(void)b;
	if (parse_time(value, &t->stop_ns, &static_why))
		return value_refuse(why, static_why);
	return t->stop_ns > 0 || value_refuse(why, "want a time after the start");
}

static bool traffic_pattern(struct build *b, void *object, const char *value, char *why)
{
	int choice;

	(void)b;
	if (!value_choice(value, scn_pattern_names, SCN_PATTERN_MAX, &choice, why))
		return false;
	((struct scn_traffic *)object)->pattern = (enum scn_pattern)choice;
	return true;
}

static bool traffic_secret(struct build *b, void *object, const char *value, char *why)
{
	static const char *const names[] = { "no", "yes" };
	int choice;

	(void)b;
	if (!value_choice(value, names, 2, &choice, why))
		return false;
	((struct scn_traffic *)object)->secret = choice;
	return true;
}

value_fn *const traffic_keys[TRAFFIC_KEY_MAX] = {
	[TRAFFIC_FROM] = traffic_from, [TRAFFIC_TO] = traffic_to, [TRAFFIC_PROTO] = traffic_proto,
	[TRAFFIC_RATE] = traffic_rate, [TRAFFIC_SIZE] = traffic_size,
	[TRAFFIC_START] = traffic_start, [TRAFFIC_STOP] = traffic_stop,
	[TRAFFIC_PATTERN] = traffic_pattern, [TRAFFIC_SECRET] = traffic_secret,
};

/* ------------------------------------------------------------------ [link hostN] */

static bool read_link_value(enum link_part part, void *object, const char *value, char *why)
{
	const char *static_why;

	return parse_link_value(part, value, &((struct scn_link *)object)->state, &static_why) == 0 ||
	       value_refuse(why, static_why);
}

static bool link_rate(struct build *b, void *object, const char *value, char *why)
{
	(void)b;
	return read_link_value(LINK_RATE, object, value, why);
}

static bool link_delay(struct build *b, void *object, const char *value, char *why)
{
	(void)b;
	return read_link_value(LINK_DELAY, object, value, why);
}

static bool link_loss(struct build *b, void *object, const char *value, char *why)
{
	(void)b;
	return read_link_value(LINK_LOSS, object, value, why);
}

value_fn *const link_keys[UPLINK_KEY_MAX] = {
	[UPLINK_RATE] = link_rate, [UPLINK_DELAY] = link_delay, [UPLINK_LOSS] = link_loss,
};

/* ------------------------------------------------------------------ [event NAME] */

static bool event_at(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;

	(void)b;
	return parse_time(value, &((struct scn_event *)object)->at_ns, &static_why) == 0 || value_refuse(why, static_why);
}

static bool event_do(struct build *b, void *object, const char *value, char *why)
{
	struct scn_event *e = object;

	(void)b;
	if (parse_action(value, &e->action, why, WHY_LEN))
		return false;
	(void)snprintf(e->text, sizeof(e->text), "%s", value);
	return true;
}

value_fn *const event_keys[EVENT_KEY_MAX] = { [EVENT_AT] = event_at, [EVENT_DO] = event_do };

/* ------------------------------------------------------------------ [assert NAME] */

static bool assert_check(struct build *b, void *object, const char *value, char *why)
{
	int err = parse_check(value, object, why, WHY_LEN);

	b->no_memory |= err == -ENOMEM;
	return err == 0;
}

static bool assert_at(struct build *b, void *object, const char *value, char *why)
{
	struct scn_check *c = object;
	const char *static_why;

	(void)b;
	c->has_at = true;
	return parse_time(value, &c->at_ns, &static_why) == 0 || value_refuse(why, static_why);
}

static bool assert_within(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;

	(void)b;
	return parse_time(value, &((struct scn_check *)object)->within_ns, &static_why) == 0 ||
	       value_refuse(why, static_why);
}

value_fn *const assert_keys[ASSERT_KEY_MAX] = {
	[ASSERT_CHECK] = assert_check, [ASSERT_AT] = assert_at, [ASSERT_WITHIN] = assert_within,
};
