/* SPDX-License-Identifier: Apache-2.0 */
/* Round-trip histogram: log-linear buckets and quantiles over them. Pure. What is measured, and when, is child.c. */
#ifndef TUNLAB_TRAFFIC_RTT_H
#define TUNLAB_TRAFFIC_RTT_H

#include <stdint.h>

enum {
	RTT_SUB = 16,                /* 16 linear steps per power of two of microseconds: values are kept to 6 % */
	RTT_BUCKETS = 25 * RTT_SUB,  /* up to about 33 s; longer ones are counted in the last bucket */
};

/* Bucket of a round trip; below 1 us it is the first. */
unsigned rtt_bucket(uint64_t rtt_ns);
/* Shortest round trip of a bucket, ns; rtt_bucket_floor(RTT_BUCKETS) is the end of the scale. */
uint64_t rtt_bucket_floor(unsigned bucket);
/* The value below which the share q (0..1) of all round trips lies, in ns, interpolated inside its bucket.
 * 0 when all buckets are empty. Callers who know the exact smallest and largest clamp to them. */
uint64_t rtt_quantile(const uint64_t buckets[RTT_BUCKETS], double q);

#endif
