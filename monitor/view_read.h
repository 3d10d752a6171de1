/* SPDX-License-Identifier: Apache-2.0 */
/* Members of documents a lab answered with, for views that show them in a terminal; whatever is missing or of another kind reads
 * as nothing. Only view_*.c include this. */
#ifndef TUNLAB_MONITOR_VIEW_READ_H
#define TUNLAB_MONITOR_VIEW_READ_H

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>

static inline const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

/* NULL unless it is a text. */
static inline const char *get_text(const cJSON *o, const char *key)
{
	return cJSON_GetStringValue(get(o, key));
}

static inline double get_number(const cJSON *o, const char *key)
{
	const cJSON *item = get(o, key);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static inline uint64_t get_u64(const cJSON *o, const char *key)
{
	double v = get_number(o, key);

	return v > 0 && v < 1.8e19 ? (uint64_t)v : 0;
}

/* "12.0 s", "3 min 05 s": returns buf. */
static inline const char *duration(double s, char *buf, size_t len)
{
	unsigned long long t = s > 0 ? (unsigned long long)s : 0;

	if (t < 60)
		(void)snprintf(buf, len, "%.1f s", s > 0 ? s : 0.0);
	else if (t < 3600)
		(void)snprintf(buf, len, "%llu min %02llu s", t / 60, t % 60);
	else
		(void)snprintf(buf, len, "%llu h %02llu min", t / 3600, t / 60 % 60);
	return buf;
}

#endif
