/* SPDX-License-Identifier: Apache-2.0 */
/* A host's uplink as a user speaks of it: what is wrong with it on purpose, and changes of that. Shared by [link] sections,
 * events, `tunlab link` and POST /api/v1/link. Pure; what the kernel makes of it is lab/net/link.h. */
#ifndef TUNLAB_SCENARIO_LINK_H
#define TUNLAB_SCENARIO_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: an unimpaired link. Every value holds for each direction by itself. */
struct link_state {
	double rate_bps;   /* bits of underlay frames per second, from the outer Ethernet header on; 0: as fast as it goes */
	uint64_t delay_ns; /* one way */
	double loss;       /* share of frames, 0 to 1 */
	bool down;
};

enum link_part { LINK_RATE = 1, LINK_DELAY = 2, LINK_LOSS = 4, LINK_DOWN = 8, LINK_ALL = 15 };

/* "rate 50mbit loss 1%": the parts named are set, the others stay; with "reset" they become an unimpaired link's. */
struct link_change {
	unsigned parts; /* of enum link_part */
	struct link_state to;
};

/* Words as on the command line: any of `rate R`, `delay T`, `loss P%`, `down`, `up`, `reset`; a value of 0 takes that
 * impairment off. 0, or -EINVAL with the sentence in why. */
int parse_link_change(const char *const *words, size_t n, struct link_change *ret, char *why, size_t why_len);
/* The same from one text, words parted by spaces. */
int parse_link_text(const char *text, struct link_change *ret, char *why, size_t why_len);
/* One value of LINK_RATE, LINK_DELAY or LINK_LOSS into its place in *to, which else stays. 0 or -EINVAL; *ret_why (static
 * text) says what was expected. */
int parse_link_value(enum link_part part, const char *text, struct link_state *to, const char **ret_why);
/* "host3" or "3"; whether there is such a host is the caller's to know. Errors as above. */
int parse_link_host(const char *text, uint32_t *ret_host, const char **ret_why);

void link_state_change(struct link_state *state, const struct link_change *change);
bool link_state_equal(const struct link_state *a, const struct link_state *b);
/* "rate 50mbit delay 10ms loss 1% down", or "up" for an unimpaired link; returns buf. */
const char *link_state_format(const struct link_state *state, char *buf, size_t len);
/* The change as it was, or could have been, written. */
const char *link_change_format(const struct link_change *change, char *buf, size_t len);
/* One of the values, as "50mbit"; NULL where the link has no such impairment. */
const char *link_part_format(const struct link_state *state, enum link_part part, char *buf, size_t len);

#endif
