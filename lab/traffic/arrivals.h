/* SPDX-License-Identifier: Apache-2.0 */
/* Tells, from sequence numbers, packets that come for the first time from copies and from latecomers. Pure. */
#ifndef TUNLAB_TRAFFIC_ARRIVALS_H
#define TUNLAB_TRAFFIC_ARRIVALS_H

#include <stdint.h>

enum { ARRIVALS_WINDOW = 1024 /* packets; 10 ms of reordering at 100 kpps */ };

/* All zero: nothing has arrived. */
struct arrivals {
	uint64_t next;                       /* one more than the highest number seen */
	uint64_t seen[ARRIVALS_WINDOW / 64]; /* bit n % ARRIVALS_WINDOW: number n, for the window that ends at next */
};

enum arrival {
	ARRIVAL_NEW,
	ARRIVAL_LATE,      /* for the first time, but after a higher number: reordered */
	ARRIVAL_DUPLICATE, /* or so far behind the window that it cannot be told: no packet is ever counted twice */
};

enum arrival arrivals_note(struct arrivals *a, uint64_t sequence);

#endif
