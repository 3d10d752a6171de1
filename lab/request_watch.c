/* SPDX-License-Identifier: Apache-2.0 */
/* How a live generator does, line by line, for the command that started it. The seconds are the generator's: the first line
 * comes a second after its first packet. */
#include <stdlib.h>

#include "base/units.h"
#include "lab/request_internal.h"
#include "lab/run.h"

struct watcher {
	struct connection *connection;
	uint32_t generator;
	int timer;
	uint64_t next_ns;      /* of the next line; 0: nothing has been sent yet */
	struct sample *then;   /* of the line before */
};

/* False: the connection is gone, and w with it. */
static bool say_line(struct watcher *w)
{
	const struct run *run = request_run(w->connection);
	struct sample *s = run_sample_generator(run, w->generator, w->then);
	char *line = s ? view_generator(run->plan, s, w->then) : NULL;

	sample_unref(w->then);
	w->then = s;
	return request_answer(w->connection, line);
}

bool watcher_say_rest(struct watcher *w)
{
	const struct generator_count *count = w ? engine_generator(request_run(w->connection)->engine, w->generator) : NULL;

	return !w || count->last_ns < w->then->mono_ns + SECOND_NS / 2 || count->last_ns < count->first_ns + SECOND_NS / 2 || say_line(w);
}

static void on_timer(void *arg, uint32_t events)
{
	struct watcher *w = arg;
	const struct generator_count *count = engine_generator(request_run(w->connection)->engine, w->generator);
	uint64_t now = now_ns();

	(void)events;
	timer_clear(w->timer);
	if (count->state >= GEN_DRAINING)
		return; /* the rest is told when all has come */
	if (!w->next_ns && count->first_ns)
		w->next_ns = count->first_ns + SECOND_NS;
	if (now < w->next_ns) {
		(void)timer_arm(w->timer, w->next_ns, 0);
		return;
	}
	if (w->next_ns)
		w->next_ns += SECOND_NS * ((now - w->next_ns) / SECOND_NS + 1);
	(void)timer_arm(w->timer, w->next_ns ? w->next_ns : now + SECOND_NS, 0);
	(void)say_line(w);
}

struct watcher *watcher_new(struct connection *c, uint32_t generator)
{
	struct run *run = request_run(c);
	struct watcher *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	*w = (struct watcher) { .connection = c, .generator = generator, .timer = -1 };
	w->then = run_sample_generator(run, generator, NULL);
	if (!w->then || loop_add_timer(run->loop, on_timer, w, &w->timer)) {
		watcher_free(w);
		return NULL;
	}
	(void)timer_arm(w->timer, now_ns() + SECOND_NS, 0);
	return w;
}

void watcher_free(struct watcher *w)
{
	if (!w)
		return;
	loop_close(request_run(w->connection)->loop, &w->timer);
	sample_unref(w->then);
	free(w);
}
