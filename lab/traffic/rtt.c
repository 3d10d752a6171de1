/* SPDX-License-Identifier: Apache-2.0 */
/* Round-trip histogram arithmetic; see rtt.h. */
#include "lab/traffic/rtt.h"

enum { RTT_UNIT_NS = 1000 };

unsigned rtt_bucket(uint64_t rtt_ns)
{
	uint64_t us = rtt_ns / RTT_UNIT_NS;
	unsigned power;

	if (us == 0)
		return 0;
	power = 63 - (unsigned)__builtin_clzll(us);
	if (power >= RTT_BUCKETS / RTT_SUB)
		return RTT_BUCKETS - 1;
	/* (rtt - low) * RTT_SUB / low, low being RTT_UNIT_NS << power, without a division: at the highest rates it would show. */
	return power * RTT_SUB + (unsigned)(((rtt_ns - ((uint64_t)RTT_UNIT_NS << power)) * RTT_SUB >> power) / RTT_UNIT_NS);
}

uint64_t rtt_bucket_floor(unsigned bucket)
{
	uint64_t low = (uint64_t)RTT_UNIT_NS << (bucket / RTT_SUB);

	/* Rounded up: the first whole nanosecond that rtt_bucket puts here. */
	return low + (low * (bucket % RTT_SUB) + RTT_SUB - 1) / RTT_SUB;
}

uint64_t rtt_quantile(const uint64_t buckets[RTT_BUCKETS], double q)
{
	uint64_t total = 0, before = 0;
	double wanted;

	for (unsigned i = 0; i < RTT_BUCKETS; i++)
		total += buckets[i];
	if (total == 0)
		return 0;
	if (!(q > 0))
		q = 0;
	if (q > 1)
		q = 1;
	wanted = q * (double)total;
	for (unsigned i = 0; i < RTT_BUCKETS; i++) {
		double share;

		if (buckets[i] == 0 || (double)(before + buckets[i]) < wanted) {
			before += buckets[i];
			continue;
		}
		share = (wanted - (double)before) / (double)buckets[i];
		return rtt_bucket_floor(i) +
		       (uint64_t)(share * (double)(rtt_bucket_floor(i + 1) - rtt_bucket_floor(i)));
	}
	return rtt_bucket_floor(RTT_BUCKETS);
}
