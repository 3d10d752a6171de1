/* SPDX-License-Identifier: Apache-2.0 */
/* The page's HTTP server: embedded files, JSON, Prometheus text and the live feed (contract section 6). Only ui/ knows
 * civetweb. Serves the newest snapshot; never touches the kernel's maps or namespaces. */
#ifndef TUNLAB_UI_SERVER_H
#define TUNLAB_UI_SERVER_H

#include "base/error.h"
#include "monitor/snapshot.h"
#include "monitor/view.h"

enum {
	SERVER_WORKERS = 64,  /* requests served at once; each open stream holds one */
	SERVER_STREAMS = 48,  /* streams open at once: the rest of the workers keeps the page loadable */
};

struct server;

/* A change of the lab asked for over HTTP, run by the lab's main thread. `request` and the answer are JSON texts as on
 * the control socket; returns the HTTP status. It must come back even while the lab ends: server_stop() waits for
 * it. */
typedef int (*server_change_fn)(void *arg, const char *request, char **ret_answer);

struct server_config {
	const char *listen;             /* "127.0.0.1:8080"; IPv4; port 0: any free one */
	const char *token;              /* for requests that change the lab */
	const struct plan *plan;        /* NULL: no lab, then the snapshot has a sample already. Borrowed, like all of these */
	struct snapshot *snapshot;
	void (*get_info)(void *arg, struct lab_info *ret); /* called from server threads */
	server_change_fn change;        /* called from server threads; NULL: read-only */
	void *arg;
};

/* Can the address be bound? Asked before a lab is built, so that a taken port leaves nothing half-made. 0; -EADDRINUSE,
 * -EADDRNOTAVAIL, -EACCES, -EINVAL with *err. */
int server_probe(const char *listen, struct error *err);
/* Starts the threads; signals must be blocked already. *ret_url like "http://127.0.0.1:8080/" lives with the server. */
int server_start(const struct server_config *config, struct server **ret, const char **ret_url, struct error *err);
/* Ends the snapshot (streams say so to their clients), then the threads: some 10 ms, or 250 with clients that do not
 * read. NULL is fine. */
void server_stop(struct server *s);

#endif
