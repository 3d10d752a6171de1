/* SPDX-License-Identifier: Apache-2.0 */
/* How answers look: status line, the headers every answer has, body. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/emit.h"
#include "base/loop.h"
#include "base/text.h"
#include "ui/server_internal.h"

/* Nothing is loaded from another site, nothing is shown inside another site's page, nothing is guessed. */
static const char guard_headers[] =
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	"img-src 'self' data:; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n";

enum { DRAIN_MAX = 64 * 1024 };
#define DRAIN_NS 1000000000u

static void put_date(struct text *t)
{
	time_t now = time(NULL);
	char date[64];
	struct tm tm;

	if (gmtime_r(&now, &tm) && strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm))
		text_printf(t, "Date: %s\r\n", date);
}

/*
 * What is left of the request's body would be taken for the next request: it is read if it is short (closing at once
 * could reset the connection before the answer is read), and the connection ends. Byte by byte: the library's time-out begins anew
 * with each that comes, and a client that sends one now and then could hold the thread for days.
 */
static bool must_close(struct request *r, const struct reply *reply)
{
	long long left = r->info->content_length, n = left > 0 && left <= DRAIN_MAX ? left : 0;
	uint64_t until = now_ns() + DRAIN_NS;
	char rest;

	while (n-- > 0 && now_ns() < until && mg_read(r->conn, &rest, 1) > 0)
		;
	return reply->endless || reply->last || left > 0 || mg_get_header(r->conn, "Transfer-Encoding");
}

static bool is_head(const struct request *r)
{
	return r->info->request_method && !strcmp(r->info->request_method, "HEAD");
}

int reply_send(struct request *r, const struct reply *reply)
{
	bool closes = must_close(r, reply), has_body = reply->len && !is_head(r) && reply->status != 304;
	struct text t = { 0 };

	if (closes)
		mg_disable_connection_keep_alive(r->conn);
	text_printf(&t, "HTTP/1.1 %d %s\r\n", reply->status, mg_get_response_code_text(r->conn, reply->status));
	put_date(&t);
	text_printf(&t, "Content-Type: %s\r\n", reply->type ? reply->type : "application/json");
	if (!reply->endless && reply->status != 304)
		text_printf(&t, "Content-Length: %zu\r\n", reply->len);
	text_printf(&t, "Cache-Control: %s\r\n", reply->cache ? reply->cache : "no-store");
	text_puts(&t, guard_headers);
	text_puts(&t, reply->headers ? reply->headers : "");
	text_puts(&t, closes ? "Connection: close\r\n\r\n" : "\r\n");
	if (t.failed)
		mg_disable_connection_keep_alive(r->conn); /* nothing was sent: the end says so */
	else if (mg_write(r->conn, t.buf, t.len) > 0 && has_body)
		(void)mg_write(r->conn, reply->body, reply->len); /* a peer that is gone shows at the next read */
	text_free(&t);
	return reply->status;
}

int reply_take(struct request *r, const char *type, char *text)
{
	int status;

	if (!text)
		return reply_error(r, 503, "out of memory");
	status = reply_send(r, &(struct reply) { .status = 200, .type = type, .body = text, .len = strlen(text) });
	free(text);
	return status;
}

static int send_error(struct request *r, int status, const char *headers, const char *sentence, bool last)
{
	struct emit e = { 0 };
	char *body;

	emit_object(&e, NULL);
	emit_string(&e, "error", sentence);
	emit_object_end(&e);
	body = emit_take(&e);
	(void)reply_send(r, &(struct reply) {
		.status = status, .headers = headers, .body = body, .len = body ? strlen(body) : 0, .last = last,
	});
	free(body);
	return status;
}

int reply_error_with(struct request *r, int status, const char *headers, const char *sentence)
{
	return send_error(r, status, headers, sentence, false);
}

int reply_error_last(struct request *r, int status, const char *sentence)
{
	return send_error(r, status, NULL, sentence, true);
}

int reply_error(struct request *r, int status, const char *format, ...)
{
	char sentence[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, ap); /* a cut sentence is better than none */
	va_end(ap);
	return send_error(r, status, NULL, sentence, false);
}
