/* SPDX-License-Identifier: Apache-2.0 */
/* Between request.c (connections, framing, the table of requests) and the files that carry requests out, request_*.c.
 * Nobody else includes this. */
#ifndef TUNLAB_REQUEST_INTERNAL_H
#define TUNLAB_REQUEST_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct cJSON;
struct connection;
struct run;

struct run *request_run(const struct connection *c);
/* Members of a request: NULL or false where it has none of that type. The text lives as long as the request. */
const char *request_text(const struct cJSON *request, const char *key);
bool request_flag(const struct cJSON *request, const char *key);

/* Each request is answered once, by one of these; false when the connection is gone with it. A text that is NULL (no
 * memory) ends the connection. request_answer frees the text. */
bool request_answer_text(struct connection *c, const char *text);
bool request_answer(struct connection *c, char *text);
/* Refuses with a sentence; status is the exit status of the command that asked. */
bool request_refuse(struct connection *c, int status, const char *sentence);

/* The generator lives with the connection and its figures are sent there, after this answer. One at a time. */
void request_watch(struct connection *c, uint32_t generator);
bool request_watches(const struct connection *c);

/* request_watch.c: says once a second of the generator's own time how it does, to whoever asked. */
struct watcher;
/* NULL: no descriptor or no memory, then only the summary is told. */
struct watcher *watcher_new(struct connection *c, uint32_t generator);
/* The generator has ended: the line of what it did since the last one, where that is worth one. False: the connection is gone, and
 * the watcher with it. NULL is fine. */
bool watcher_say_rest(struct watcher *w);
void watcher_free(struct watcher *w); /* NULL is fine */

/* request_traffic.c */
void request_traffic_start(struct connection *c, const struct cJSON *request);
void request_traffic_stop(struct connection *c, const struct cJSON *request);
/* Stops a generator, and notes it when that one was still sending. */
int request_end_traffic(struct run *run, uint32_t generator);

/* request_link.c */
void request_link_set(struct connection *c, const struct cJSON *request);
void request_link_show(struct connection *c, const struct cJSON *request);

/* request_guess.c */
void request_guess(struct connection *c, const struct cJSON *request);

#endif
