/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of times and counters. */
#ifndef TUNLAB_BASE_UNITS_H
#define TUNLAB_BASE_UNITS_H

#include <stdint.h>

#define SECOND_NS 1000000000ull

/* a - b; 0 where counters that are read one after the other make that less than nothing. */
static inline uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static inline uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#endif
