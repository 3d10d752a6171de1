/* SPDX-License-Identifier: Apache-2.0 */
/* The live feed: server-sent events, one per sample. Each stream has a worker of its own, so a slow client delays
 * nobody else; it skips to the newest sample. */
#include <string.h>

#include "ui/server_internal.h"

/* Longer than the usual interval, so that it is sent only where samples are rare or have stopped: a peer that has gone
 * gives its worker back at the next write. */
enum { HEARTBEAT_MS = 1500 };

static bool enter(struct server *s)
{
	bool room;

	(void)pthread_mutex_lock(&s->lock);
	room = s->n_streams < SERVER_STREAMS;
	s->n_streams += room;
	(void)pthread_mutex_unlock(&s->lock);
	return room;
}

static void leave(struct server *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->n_streams--;
	(void)pthread_cond_signal(&s->stream_gone);
	(void)pthread_mutex_unlock(&s->lock);
}

static bool put(struct mg_connection *conn, const char *text, size_t len)
{
	return mg_write(conn, text, len) == (int)len; /* less: gone, or has not read for request_timeout_ms */
}

static bool put_event(struct mg_connection *conn, const struct snapshot_event *e)
{
	char head[96];
	int len = snprintf(head, sizeof(head), "id: %llu\nevent: sample\ndata: ", (unsigned long long)e->seq);

	return put(conn, head, (size_t)len) && put(conn, e->text, e->len) && put(conn, "\n\n", 2);
}

static void feed(struct request *r)
{
	static const char alive[] = ": alive\n\n", end[] = "event: end\ndata: {}\n\n";
	bool ended = false, connected = true;
	uint64_t seq = 0;

	while (connected && !ended) {
		struct snapshot_event *e = snapshot_wait(r->server->config.snapshot, seq, HEARTBEAT_MS, &ended);

		if (e) {
			seq = e->seq;
			connected = put_event(r->conn, e);
		} else {
			connected = ended ? put(r->conn, end, sizeof(end) - 1) : put(r->conn, alive, sizeof(alive) - 1);
		}
		snapshot_event_unref(e);
	}
}

int events_serve(struct request *r)
{
	if (!enter(r->server))
		return reply_error_with(r, 503, "Retry-After: 2\r\n",
					"too many live feeds are open: close one, or try again");
	(void)reply_send(r, &(struct reply) { .status = 200, .type = "text/event-stream", .endless = true });
	if (strcmp(r->info->request_method, "HEAD"))
		feed(r);
	leave(r->server);
	return 200;
}
