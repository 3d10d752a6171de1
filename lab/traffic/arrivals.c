/* SPDX-License-Identifier: Apache-2.0 */
/* Sliding window over sequence numbers; see arrivals.h. */
#include "lab/traffic/arrivals.h"

#include <string.h>

/* Moves the window so that it ends at `sequence`: numbers that enter it have not been seen. */
static void window_advance(struct arrivals *a, uint64_t sequence)
{
	if (sequence - a->next >= ARRIVALS_WINDOW) {
		memset(a->seen, 0, sizeof(a->seen));
	} else {
		for (uint64_t n = a->next; n <= sequence; n++)
			a->seen[n % ARRIVALS_WINDOW / 64] &= ~(1ULL << n % 64);
	}
	a->next = sequence + 1;
}

enum arrival arrivals_note(struct arrivals *a, uint64_t sequence)
{
	uint64_t *word = &a->seen[sequence % ARRIVALS_WINDOW / 64], bit = 1ULL << sequence % 64;

	if (sequence >= a->next) {
		window_advance(a, sequence);
		*word |= bit;
		return ARRIVAL_NEW;
	}
	if (a->next - sequence > ARRIVALS_WINDOW || (*word & bit))
		return ARRIVAL_DUPLICATE;
	*word |= bit;
	return ARRIVAL_LATE;
}
