/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets made wrong on purpose, the same ones for the same seed: bytes that mean something to a parser in
 * places where they do not belong, parts left out, put in twice or taken from another packet.
 */
#ifndef TUNLAB_TESTS_MUTATE_H
#define TUNLAB_TESTS_MUTATE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct mutator {
	uint64_t state; /* the seed at first; not 0 */
};

/* A number below n; xorshift64*. */
static inline uint32_t mutator_below(struct mutator *m, uint32_t n)
{
	m->state ^= m->state >> 12;
	m->state ^= m->state << 25;
	m->state ^= m->state >> 27;
	return (uint32_t)((m->state * 2685821657736338717u >> 32) % n);
}

/* Where headers are, mostly. */
static inline size_t mutator_place(struct mutator *m, size_t len)
{
	return mutator_below(m, len < 120 || mutator_below(m, 8) == 0 ? len : 120);
}

/* One change of a packet of *len bytes, 1 at least, in room for max; other is a packet to take from. */
static inline void mutate_once(struct mutator *m, uint8_t *data, size_t *len, size_t max, const uint8_t *other,
			       size_t other_len)
{
	static const uint8_t telling[] = {0, 1, 2, 3, 4, 6, 8, 17, 41, 43, 44, 47, 51, 60, 0x40, 0x44, 0x45, 0x4f,
					  0x58, 0x60, 0x65, 0x81, 0x86, 0x88, 0xdd, 0xa8, 0xaa, 0xbe, 0xeb, 0xff};
	size_t at = mutator_place(m, *len), n = 1 + mutator_below(m, 40);

	switch (mutator_below(m, 8)) {
	case 0:
	case 1:
		data[at] = telling[mutator_below(m, sizeof(telling))];
		break;
	case 2:
		data[at] ^= 1 << mutator_below(m, 8);
		break;
	case 3:
		data[at] = mutator_below(m, 256);
		break;
	case 4: /* cut */
		*len = at + 1;
		break;
	case 5: /* a part is missing */
		if (at + n < *len) {
			memmove(data + at, data + at + n, *len - at - n);
			*len -= n;
		}
		break;
	case 6: /* a part is there twice */
		if (at + n <= *len && *len + n <= max) {
			memmove(data + at + n, data + at, *len - at);
			*len += n;
		}
		break;
	case 7: /* goes on like another */
		if (at < other_len) {
			n = other_len - at < max - at ? other_len - at : max - at;
			memcpy(data + at, other + at, n);
			*len = at + n;
		}
		break;
	}
}

#endif
