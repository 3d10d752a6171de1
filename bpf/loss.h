/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the loss program and user space share: a lossy direction of a link, and which of its frames
 * are lost. The n-th frame's fate is a hash of n and a seed, so it depends neither on time nor on
 * the CPU, and the same frames are lost in every run.
 */
#ifndef TUNLAB_BPF_LOSS_H
#define TUNLAB_BPF_LOSS_H

#include <linux/bpf.h>
#include <linux/types.h>

enum loss_direction {
	LOSS_FROM_HOST = 0,
	LOSS_TO_HOST = 1,
	LOSS_DIRECTIONS
};

#define LOSS_ALL (1ull << 32) /* threshold at which every frame is lost */

/* Written by user space as a whole, when the loss is set; then the kernel counts n. */
struct loss {
	struct bpf_spin_lock lock; /* of n: an atomic add that returns the sum needs Linux 5.12 */
	__u32 unused;
	__u64 threshold; /* share lost, in 1 / LOSS_ALL */
	__u64 seed;
	__u64 n; /* frames so far */
	__u64 lost; /* of them; goes on when the loss is set anew */
};

/* A bijection of 64 bits whose every output bit depends on every input bit (splitmix64's finish). */
static inline __attribute__((always_inline)) __u64 loss_mix(__u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static inline __attribute__((always_inline)) _Bool loss_hits(__u64 seed, __u64 n, __u64 threshold)
{
	return loss_mix(seed + n * 0x9e3779b97f4a7c15ull) >> 32 < threshold;
}

_Static_assert(sizeof(struct loss) == 40, "loss has padding");

#endif
