/* SPDX-License-Identifier: Apache-2.0 */
/* Between the server's own files: server.c (life, limits, who may ask), routes.c (what can be asked), params.c
 * (with what), orders.c (changes), events.c (the live feed), reply.c (how answers look). Nobody else includes this. */
#ifndef TUNLAB_UI_SERVER_INTERNAL_H
#define TUNLAB_UI_SERVER_INTERNAL_H

#include <civetweb.h>
#include <netinet/in.h>
#include <pthread.h>

#include "ui/server.h"

struct server {
	struct server_config config;
	struct mg_context *civetweb;
	struct in_addr address;
	char url[64];
	uint16_t port;               /* the one in use, also where any was asked for; atomic, 0 until known */
	pthread_mutex_t lock;        /* of all below */
	char log[256];               /* what civetweb complained about last */
	pthread_cond_t stream_gone;  /* on CLOCK_MONOTONIC */
	unsigned n_streams;
	pthread_mutex_t text_lock;   /* of text */
	struct event_text *text;     /* of the newest sample that /api/v1/events was asked for */
};

/* A sample's message of /api/v1/events. */
struct event_text {
	uint64_t seq;
	size_t len;
	char *text;
	int refs;                    /* private to events.c; atomic */
};

struct request {
	struct server *server;
	struct mg_connection *conn;
	const struct mg_request_info *info;
};

/* routes.c: answers a request that may be asked. Returns the HTTP status. */
int routes_serve(struct request *r);

/* events.c */
int events_serve(struct request *r);
int feed_serve(struct request *r);
void event_text_unref(struct event_text *t); /* NULL is fine */

/* orders.c */
int orders_post_traffic(struct request *r);
int orders_delete_traffic(struct request *r);
int orders_post_link(struct request *r);
int orders_post_guess(struct request *r);

/* params.c: the functions below answer with 400 and return false where a value cannot be used. They leave *ret as it is
 * where a parameter was not given. */
struct param {
	const char *name;
	char value[256]; /* decoded; "" if not given */
};
/* Fills the values of params[n]; any other parameter is refused. */
bool params_read(struct request *r, struct param *params, size_t n);
bool params_read_number(struct request *r, const struct param *p, uint64_t min, uint64_t max, uint64_t *ret);
bool params_read_host(struct request *r, const struct param *p, uint64_t *ret); /* "host3" or "3"; without a lab an address or name seen */
bool params_read_by(struct request *r, const struct param *p, enum flow_by *ret);
/* Digits only, at most max; says nothing to anybody. */
bool params_parse_u64(const char *s, uint64_t max, uint64_t *ret);

/* An answer. Unset members have the usual meaning. */
struct reply {
	int status;
	const char *type;         /* Content-Type; NULL: JSON */
	const char *body;
	size_t len;
	const char *cache;        /* Cache-Control; NULL: no-store */
	const char *headers;      /* more lines, each with its \r\n; NULL: none */
	bool endless;             /* a stream: no length, the body follows later, the connection ends with it */
	bool last;                /* the connection ends with this answer */
};

/* Each returns the status. */
int reply_send(struct request *r, const struct reply *reply);
/* Sends a text and frees it; NULL (no memory) becomes 503. */
int reply_take(struct request *r, const char *type, char *text);
/* {"error": sentence} */
int reply_error(struct request *r, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with more header lines. */
int reply_error_with(struct request *r, int status, const char *headers, const char *sentence);
/* The same, and the connection ends. */
int reply_error_last(struct request *r, int status, const char *sentence);

#endif
