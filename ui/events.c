/* SPDX-License-Identifier: Apache-2.0 */
/* Live feeds: server-sent events, one per sample. /api/v1/events tells the flow table as /api/v1/flows does and skips to the
 * newest; /api/v1/feed is the page's: growth only, history first, nothing left out. Each stream has a worker of its own, so a
 * slow client delays nobody else. */
#include <stdlib.h>
#include <string.h>

#include "monitor/feed.h"
#include "ui/server_internal.h"

enum {
	/* Longer than the usual interval, so that it is sent only where samples are rare or have stopped: a peer that has gone
	 * gives its worker back at the next write. */
	HEARTBEAT_MS = 1500,
	EVENT_TOP = 1000, /* flows in a message of /api/v1/events; the others are summed */
};

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

static bool put_event(struct mg_connection *conn, const char *name, uint64_t seq, const char *text, size_t len)
{
	char head[96];
	int n = snprintf(head, sizeof(head), "id: %llu\nevent: %s\ndata: ", (unsigned long long)seq, name);

	return put(conn, head, (size_t)n) && put(conn, text, len) && put(conn, "\n\n", 2);
}

/* Nothing new: a sign of life, or the end. */
static bool put_silence(struct mg_connection *conn, bool ended)
{
	static const char alive[] = ": alive\n\n", end[] = "event: end\ndata: {}\n\n";

	return ended ? put(conn, end, sizeof(end) - 1) : put(conn, alive, sizeof(alive) - 1);
}

/* The text of a sample, made by the first stream that needs it and shared. */
static struct event_text *text_of(struct server *s, const struct sample *sample)
{
	struct event_text *t, *old = NULL;

	(void)pthread_mutex_lock(&s->text_lock);
	t = s->text;
	if (!t || t->seq != sample->seq) {
		struct lab_info info;
		char *text;

		s->config.get_info(s->config.arg, &info);
		text = view_event(&info, s->config.plan, sample, EVENT_TOP);
		t = text ? malloc(sizeof(*t)) : NULL;
		if (t) {
			*t = (struct event_text) { .seq = sample->seq, .len = strlen(text), .text = text, .refs = 1 };
			old = s->text;
			s->text = t;
		} else {
			free(text);
		}
	}
	if (t)
		(void)__atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
	(void)pthread_mutex_unlock(&s->text_lock);
	event_text_unref(old);
	return t;
}

void event_text_unref(struct event_text *t)
{
	if (!t || __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free(t->text);
	free(t);
}

static void stream_events(struct request *r)
{
	bool ended = false, connected = true;
	uint64_t seq = 0;

	while (connected && !ended) {
		struct sample *s = snapshot_wait(r->server->config.snapshot, seq, HEARTBEAT_MS, &ended);
		struct event_text *t = s ? text_of(r->server, s) : NULL;

		if (s)
			seq = s->seq;
		connected = t ? put_event(r->conn, "sample", seq, t->text, t->len) : put_silence(r->conn, ended);
		event_text_unref(t);
		sample_unref(s);
	}
}

static bool put_base(struct request *r, const struct sample *s)
{
	uint64_t oldest = snapshot_oldest(r->server->config.snapshot);
	struct feed_picks known;
	struct lab_info info;
	char *text = NULL;
	bool done;

	r->server->config.get_info(r->server->config.arg, &info);
	if (!feed_pick_known(s, oldest, FEED_BASE_TOP, &known)) {
		text = view_feed_base(&info, s, &known, oldest);
		feed_picks_free(&known);
	}
	done = text && put_event(r->conn, "base", s->seq, text, strlen(text));
	free(text);
	return done;
}

/* Frames after `seq`, those of the past first. */
static void stream_feed(struct request *r, uint64_t seq)
{
	struct snapshot *snapshot = r->server->config.snapshot;
	bool ended = false, connected = true;
	struct sample *s = NULL;

	while (connected && !ended && !(s = snapshot_wait(snapshot, 0, HEARTBEAT_MS, &ended)))
		connected = put_silence(r->conn, ended);
	connected = s && put_base(r, s);
	sample_unref(s);
	while (connected && !ended) {
		struct snapshot_frame *f = snapshot_next(snapshot, seq, HEARTBEAT_MS, &ended);

		if (f)
			seq = f->seq;
		connected = f ? put_event(r->conn, "frame", seq, f->text, f->len) : put_silence(r->conn, ended);
		snapshot_frame_unref(f);
	}
}

static bool open_stream(struct request *r)
{
	if (!enter(r->server)) {
		(void)reply_error_with(r, 503, "Retry-After: 2\r\n",
				       "too many live feeds are open: close one, or try again");
		return false;
	}
	(void)reply_send(r, &(struct reply) { .status = 200, .type = "text/event-stream", .endless = true });
	return true;
}

int events_serve(struct request *r)
{
	if (!open_stream(r))
		return 503;
	if (strcmp(r->info->request_method, "HEAD"))
		stream_events(r);
	leave(r->server);
	return 200;
}

int feed_serve(struct request *r)
{
	struct param p[] = { { "since", "" }, { "run", "" } };
	uint64_t since = 0, run = 0;
	struct lab_info info;

	if (!params_read(r, p, 2) || !params_read_number(r, &p[0], 0, UINT64_MAX / 2, &since) ||
	    !params_read_number(r, &p[1], 0, UINT64_MAX / 2, &run))
		return 400;
	r->server->config.get_info(r->server->config.arg, &info);
	if (!open_stream(r))
		return 503;
	if (strcmp(r->info->request_method, "HEAD"))
		stream_feed(r, run == (uint64_t)info.pid ? since : 0); /* another run's frames: from the beginning */
	leave(r->server);
	return 200;
}
