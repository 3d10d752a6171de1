/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A place in a frame that moves on header by header, bounded by the bytes at hand, by the frame's
 * length and by the lengths that headers state. One source for the BPF program, whose verifier
 * has to be shown each bound, and for native use. What headers mean is parse.h's.
 */
#ifndef TUNLAB_BPF_CURSOR_H
#define TUNLAB_BPF_CURSOR_H

#include <linux/types.h>
#include <stdbool.h>

#include "bpf/flow.h"

#ifndef NULL
#define NULL ((void *)0)
#endif

#define PARSE_FN static inline __attribute__((always_inline))
/* Where it matters that the usual case is straight code. */
#define parse_likely(x) __builtin_expect(!!(x), 1)

enum { PARSE_DEPTH_MAX = 512 }; /* headers must lie in the first so many bytes of a frame */

/* Where the parser is in a frame. Offsets count from the frame's first byte. */
struct cursor {
	const __u8 *data;
	__u32 at_hand;        /* bytes there, at most PARSE_DEPTH_MAX in the kernel */
	__u32 len;            /* the frame's length on the wire, at hand or not */
	__u32 end;            /* end by the length fields read so far, which may be beyond len */
	__u32 off;            /* next byte */
	__u32 missing;        /* the bytes before off are not at hand */
	__u32 beyond;         /* looked at a byte that is behind end */
	__u32 want_l4;        /* take the innermost TCP or UDP header too (segmentation offload) */
	__u32 no_length;      /* BIG TCP: the IP length is 0, the UDP length means nothing */
	__u32 later_fragment; /* the IP header just read is of a fragment but the first */
};

/*
 * The verifier follows every path, and joins two of them only where they leave it the same
 * knowledge. Offsets and flags are different constants on each path (so many tags, such a
 * length), so paths multiply: without this, beyond the million instructions it will look at.
 * Adding a 0 that it cannot know makes a range of the constant. Costs one load.
 */
#ifdef __bpf__
static volatile __u32 parse_zero;
#define parse_blur(x) ((x) + parse_zero)
#define parse_keep(x) asm volatile("" : "+r"(x))
#define PARSE_ROLLED _Pragma("clang loop unroll(disable)")
#else
#define parse_blur(x) (x)
#define parse_keep(x) ((void)0)
#define PARSE_ROLLED
#endif

PARSE_FN void cursor_init(struct cursor *c, const void *data, __u32 at_hand, __u32 len)
{
	*c = (struct cursor){
		.data = data, .at_hand = parse_blur(at_hand), .len = len, .end = ~0u,
		.beyond = parse_blur(0), .missing = parse_blur(0),
	};
}

/*
 * Step over the next size bytes, which begin at *ret. False if they are not at hand. Whether they
 * are within the lengths that headers state is asked once, at the end: see cursor_verdict().
 */
PARSE_FN bool cursor_step(struct cursor *c, __u32 size, const __u8 **ret)
{
	__u32 off = c->off;

	parse_keep(off); /* one register, else the verifier loses what was checked */
	c->off = parse_blur(off + size);
	if (off > PARSE_DEPTH_MAX - size || off + size > parse_blur(c->at_hand)) {
		c->missing = parse_blur(1);
		return false;
	}
	*ret = c->data + off;
	return true;
}

/* Take the header that `header` is to point to, or leave the function. */
#define cursor_take(c, header)                                                                     \
	do {                                                                                       \
		const __u8 *at;                                                                    \
                                                                                                   \
		if (!cursor_step((c), sizeof(*(header)), &at))                                     \
			return -VERDICT_TRUNCATED;                                                 \
		(header) = (const void *)at;                                                       \
	} while (0)

/* Where the frame ends, or what its headers speak of, if that is before. */
PARSE_FN __u32 cursor_end(const struct cursor *c)
{
	return c->end < c->len ? c->end : c->len;
}

/*
 * The verdict, if the headers reached beyond what is there or beyond what they state. Only
 * looked at in the end, that each header costs one comparison less.
 */
PARSE_FN enum verdict cursor_verdict(const struct cursor *c, enum verdict verdict)
{
	if (c->off <= cursor_end(c) && !c->missing && !c->beyond)
		return verdict;
	if (c->off > c->len)
		return VERDICT_TRUNCATED;
	if (c->missing && c->off <= PARSE_DEPTH_MAX)
		return VERDICT_TRUNCATED; /* more bytes would tell more: perhaps that the frame ends */
	return c->off > c->end || c->beyond ? VERDICT_MALFORMED : VERDICT_UNKNOWN;
}

/* A header that began at begin says that it and its payload are len bytes. */
PARSE_FN void cursor_limit(struct cursor *c, __u32 begin, __u32 len)
{
	if (begin + len < c->end)
		c->end = parse_blur(begin + len);
}

#endif
