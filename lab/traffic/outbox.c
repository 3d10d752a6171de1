/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of events the lab has no room for yet. What is said, and when, is child.c's. */
#include "lab/traffic/outbox.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void watch(const struct outbox *o)
{
	struct epoll_event e = {.events = o->n > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.u64 = o->token};

	(void)epoll_ctl(o->epoll, EPOLL_CTL_MOD, o->fd, &e); /* it is in the set */
}

static bool send_now(const struct outbox *o, const struct engine_event *event)
{
	return send(o->fd, event, sizeof(*event), MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

static void keep(struct outbox *o, const struct engine_event *event)
{
	if (o->n == o->room) {
		size_t room = o->room ? 2 * o->room : 64;
		struct engine_event *v = realloc(o->v, room * sizeof(*v));

		if (!v)
			_exit(ENOMEM);
		o->v = v;
		o->room = room;
	}
	o->v[o->n++] = *event;
	watch(o);
}

void outbox_tell(struct outbox *o, unsigned type, uint32_t generator, const char *format, ...)
{
	struct engine_event event = {.type = type, .generator = generator};
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(event.text, sizeof(event.text), format, ap); /* a cut sentence is better than none */
	va_end(ap);
	if (o->n > 0 || !send_now(o, &event)) /* none overtakes another */
		keep(o, &event);
}

void outbox_flush(struct outbox *o)
{
	size_t n = 0;

	while (n < o->n && send_now(o, &o->v[n]))
		n++;
	if (n > 0)
		memmove(o->v, o->v + n, (o->n - n) * sizeof(*o->v));
	o->n -= n;
	watch(o);
}
