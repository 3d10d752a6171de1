/* SPDX-License-Identifier: Apache-2.0 */
/* The child's events on their way to the lab. Sending never waits: what the lab has not made room for is kept, in order,
 * until its end of the socket is writable. */
#ifndef TUNLAB_TRAFFIC_OUTBOX_H
#define TUNLAB_TRAFFIC_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "lab/traffic/engine.h"

struct outbox {
	int fd;                 /* socket to the lab, borrowed */
	int epoll;              /* where fd is watched, borrowed; -1: not yet */
	uint64_t token;         /* fd's data there */
	struct engine_event *v; /* what is kept, oldest first; owned */
	size_t n, room;
};

/* type: of enum engine_event_type, or an event of child.h. Without memory it ends the process, which the lab notices;
 * an event lost in silence could make it wait for ever. */
void outbox_tell(struct outbox *o, unsigned type, uint32_t generator, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Call when fd is writable: EPOLLOUT is asked for while something is kept, and only then. */
void outbox_flush(struct outbox *o);

#endif
