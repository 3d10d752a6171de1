/* SPDX-License-Identifier: Apache-2.0 */
/* lab/traffic/rtt.c: buckets and quantiles. */
#include "lab/traffic/rtt.h"
#include "tests/unit/t.h"

TEST(buckets_are_a_sixteenth_of_a_power_of_two)
{
	eq_u64(rtt_bucket(0), 0);
	eq_u64(rtt_bucket(999), 0);
	eq_u64(rtt_bucket(1000), 0);
	eq_u64(rtt_bucket(1062), 0);
	eq_u64(rtt_bucket(1063), 1);
	eq_u64(rtt_bucket(1999), 15);
	eq_u64(rtt_bucket(2000), 16);
	eq_u64(rtt_bucket(1000000), 9 * RTT_SUB + 15); /* 1 ms is 512 us * 1.95 */
	eq_u64(rtt_bucket(33554431999), RTT_BUCKETS - 1);
	eq_u64(rtt_bucket(33554432000), RTT_BUCKETS - 1);
	eq_u64(rtt_bucket(UINT64_MAX), RTT_BUCKETS - 1);
}

TEST(every_bucket_begins_where_the_one_before_ends)
{
	for (unsigned i = 1; i < RTT_BUCKETS; i++) {
		eq_u64(rtt_bucket(rtt_bucket_floor(i)), i);
		eq_u64(rtt_bucket(rtt_bucket_floor(i) - 1), i - 1);
	}
}

TEST(quantiles_of_nothing_and_of_one)
{
	uint64_t buckets[RTT_BUCKETS] = {0};

	eq_u64(rtt_quantile(buckets, 0.5), 0);
	buckets[rtt_bucket(50000)] = 1;
	near((double)rtt_quantile(buckets, 0.5), 50000, 50000 / 16);
	near((double)rtt_quantile(buckets, 0), 50000, 50000 / 16);
	near((double)rtt_quantile(buckets, 1), 50000, 50000 / 16);
	near((double)rtt_quantile(buckets, 7), 50000, 50000 / 16);
}

TEST(quantiles_are_within_a_bucket_of_the_truth)
{
	uint64_t buckets[RTT_BUCKETS] = {0};

	for (uint64_t us = 1; us <= 100000; us++) /* every value from 1 us to 100 ms once */
		buckets[rtt_bucket(us * 1000)]++;
	near((double)rtt_quantile(buckets, 0.5), 50e6, 50e6 / 100);
	near((double)rtt_quantile(buckets, 0.9), 90e6, 90e6 / 100);
	near((double)rtt_quantile(buckets, 0.99), 99e6, 99e6 / 20);
	near((double)rtt_quantile(buckets, 0.001), 100e3, 100e3 / 20);
}

TEST(a_quantile_lies_in_a_bucket_that_has_something)
{
	uint64_t buckets[RTT_BUCKETS] = {0};

	buckets[rtt_bucket(20000)] = 99;
	buckets[rtt_bucket(3000000000)] = 1;
	near((double)rtt_quantile(buckets, 0.5), 20000, 20000 / 16);
	near((double)rtt_quantile(buckets, 0.99), 20000, 20000 / 8);
	near((double)rtt_quantile(buckets, 0.995), 3e9, 3e9 / 8);
}
