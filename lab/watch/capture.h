/* SPDX-License-Identifier: Apache-2.0 */
/* A capture on the page, with its own time axis: what a lab's history is, it is of the capture's seconds. Needs no privilege. */
#ifndef TUNLAB_WATCH_CAPTURE_H
#define TUNLAB_WATCH_CAPTURE_H

#include "monitor/name_table.h"
#include "monitor/replay.h"

struct capture_config {
	const char *path;               /* a file: it is read twice, first for its span */
	const char *listen;
	const struct flow_port *ports;  /* [FLOW_PORTS_MAX] */
	const struct name_table *names;
	/* As in replay_config; `pass` is 1 or 2. May be NULL. */
	bool (*progress)(void *arg, int pass, const struct replay_progress *progress);
	void *progress_arg;
};

/* Reads the capture and serves it until a signal. Exit status; the reason was said. */
int capture_serve(const struct capture_config *config);

#endif
