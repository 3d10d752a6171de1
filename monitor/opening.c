/* SPDX-License-Identifier: Apache-2.0 */
/* One thread that opens a monitor; see opening.h. */
#include "monitor/opening.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct monitor_opening {
	struct monitor_config config;
	pthread_t thread;
	bool threaded;
	int result;
	struct error err;
	struct monitor *monitor;
};

static void *open_it(void *arg)
{
	struct monitor_opening *o = arg;

	o->result = monitor_open(&o->config, &o->err, &o->monitor);
	return NULL;
}

struct monitor_opening *monitor_opening_start(const struct monitor_config *config)
{
	struct monitor_opening *o = calloc(1, sizeof(*o));
	sigset_t all, before;

	if (!o)
		return NULL;
	o->config = *config;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before); /* inherited: signals stay the caller's */
	o->threaded = pthread_create(&o->thread, NULL, open_it, o) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!o->threaded)
		(void)open_it(o);
	return o;
}

int monitor_opening_finish(struct monitor_opening *o, struct error *err, struct monitor **ret_monitor)
{
	int r;

	if (o->threaded)
		(void)pthread_join(o->thread, NULL); /* cannot fail: ours, and joined once */
	r = o->result;
	if (r)
		*err = o->err;
	else
		*ret_monitor = o->monitor;
	free(o);
	return r;
}
