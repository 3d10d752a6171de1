/* SPDX-License-Identifier: Apache-2.0 */
/* The server's life and its limits: where it listens, who may ask, how it stops. What can be asked is in routes.c. */
#include "ui/server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ui/server_internal.h"

enum { STREAMS_END_MS = 250 }; /* how long streams may take to tell their clients of the end */

/* ---- where to listen ---- */

struct endpoint {
	struct sockaddr_in sin;
	char spec[32]; /* "127.0.0.1:8080", civetweb's form */
};

static bool parse_port(const char *text, uint16_t *ret)
{
	unsigned long port = 0;

	if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 5)
		return false;
	port = strtoul(text, NULL, 10);
	*ret = (uint16_t)port;
	return port <= UINT16_MAX;
}

static int parse_listen(const char *listen, struct endpoint *ret, struct error *err)
{
	const char *colon = strrchr(listen, ':');
	size_t len = colon ? (size_t)(colon - listen) : 0;
	char host[INET_ADDRSTRLEN];
	uint16_t port = 0;

	if (strchr(listen, '[') || (colon && memchr(listen, ':', len))) {
		error_set(err, "cannot serve the page on %s: the web server library has no IPv6; use 127.0.0.1:PORT",
			  listen);
		return -EINVAL;
	}
	*ret = (struct endpoint) { .sin.sin_family = AF_INET };
	if (!colon || len >= sizeof(host) || !parse_port(colon + 1, &port)) {
		error_set(err, "cannot serve the page on %s: want ADDR:PORT, such as 127.0.0.1:8080", listen);
		return -EINVAL;
	}
	memcpy(host, listen, len);
	host[len] = '\0';
	if (!strcasecmp(host, "localhost"))
		ret->sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (inet_pton(AF_INET, host, &ret->sin.sin_addr) != 1) {
		error_set(err, "cannot serve the page on %s: '%s' is not an IPv4 address", listen, host);
		return -EINVAL;
	}
	ret->sin.sin_port = htons(port);
	(void)inet_ntop(AF_INET, &ret->sin.sin_addr, host, sizeof(host));
	(void)snprintf(ret->spec, sizeof(ret->spec), "%s:%u", host, port);
	return 0;
}

static int probe(const struct endpoint *at, struct error *err)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, r = 0;

	if (fd < 0)
		r = -errno;
	if (!r) /* as civetweb will; a failure shows as a refusal below */
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!r && (bind(fd, (const struct sockaddr *)&at->sin, sizeof(at->sin)) || listen(fd, 1)))
		r = -errno;
	if (fd >= 0)
		(void)close(fd);
	if (r == -EADDRINUSE)
		error_set(err, "cannot serve the page on %s: another program listens there; choose another address "
			  "with --listen ADDR:PORT (port 0: any free one)", at->spec);
	else if (r == -EADDRNOTAVAIL)
		error_set(err, "cannot serve the page on %s: this machine has no such address", at->spec);
	else if (r)
		error_set(err, "cannot serve the page on %s: %s", at->spec, strerror(-r));
	return r;
}

int server_probe(const char *listen, struct error *err)
{
	struct endpoint at;
	int r = parse_listen(listen, &at, err);

	return r ? r : probe(&at, err);
}

/* ---- who may ask ---- */

static bool is_loopback(const struct in_addr *a)
{
	return ntohl(a->s_addr) >> 24 == 127;
}

/* A page of another site can have its own name resolve to our address (DNS rebinding): then Host shows that name.
 * Numbers cannot be rebound. Behind a wildcard address any number may be ours. */
static bool host_allowed(const struct server *s, const char *host)
{
	const struct in_addr *own = &s->address;
	const char *colon = strrchr(host, ':');
	size_t len = colon ? (size_t)(colon - host) : strlen(host);
	bool anywhere = own->s_addr == htonl(INADDR_ANY);
	uint16_t port = 80;
	char name[INET_ADDRSTRLEN];
	struct in_addr a;

	if (len >= sizeof(name) || (colon && !parse_port(colon + 1, &port)) ||
	    port != __atomic_load_n(&s->port, __ATOMIC_ACQUIRE))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	if (!strcasecmp(name, "localhost"))
		return anywhere || is_loopback(own);
	if (inet_pton(AF_INET, name, &a) != 1)
		return false;
	return anywhere || a.s_addr == own->s_addr || (is_loopback(own) && a.s_addr == htonl(INADDR_LOOPBACK));
}

/* Browsers say where a request comes from: other sites' pages may link here, and no more. */
static bool origin_allowed(const struct request *r, const char *host)
{
	const char *origin = mg_get_header(r->conn, "Origin"), *site = mg_get_header(r->conn, "Sec-Fetch-Site");
	const char *mode = mg_get_header(r->conn, "Sec-Fetch-Mode");

	if (origin && (strncmp(origin, "http://", 7) || strcasecmp(origin + 7, host)))
		return false;
	if (!site || !strcmp(site, "same-origin") || !strcmp(site, "none"))
		return true;
	return mode && !strcmp(mode, "navigate") && !strcmp(r->info->request_method, "GET");
}

static int serve(struct mg_connection *conn)
{
	struct request r = { mg_get_user_data(mg_get_context(conn)), conn, mg_get_request_info(conn) };
	const char *host = mg_get_header(conn, "Host");

	if (!host)
		return reply_error(&r, 400, "the request has no Host header");
	if (!host_allowed(r.server, host))
		return reply_error(&r, 403, "Host '%.100s' is not this server: use %s", host, r.server->url);
	if (!origin_allowed(&r, host))
		return reply_error(&r, 403, "requests of other sites' pages are refused");
	return routes_serve(&r);
}

/* Requests civetweb could not read: the same looks as other errors. */
static int serve_error(struct mg_connection *conn, int status, const char *message)
{
	struct request r = { mg_get_user_data(mg_get_context(conn)), conn, mg_get_request_info(conn) };

	(void)reply_error_last(&r, status, message);
	return 0;
}

/* Peers that hang up are no news; why the start failed is. */
static int keep_log(const struct mg_connection *conn, const char *message)
{
	struct server *s = mg_get_user_data(mg_get_context(conn));

	(void)pthread_mutex_lock(&s->lock);
	(void)snprintf(s->log, sizeof(s->log), "%s", message);
	(void)pthread_mutex_unlock(&s->lock);
	return 1;
}

/* ---- life ---- */

static int start_civetweb(struct server *s, const struct endpoint *at, struct error *err)
{
	static const struct mg_callbacks callbacks = {
		.begin_request = serve, .http_error = serve_error, .log_message = keep_log,
	};
	char workers[8];
	int r;
	const char *options[] = {
		"listening_ports", at->spec, "num_threads", workers,
		/* A peer that neither sends its request nor reads its answer is given up after this long. */
		"request_timeout_ms", "5000", "enable_keep_alive", "yes", "keep_alive_timeout_ms", "500",
		"tcp_nodelay", "1", "max_request_size", "8192",
		/* Paths are compared as they come; none of ours needs an escape. */
		"decode_url", "no", "decode_query_string", "no",
		/* There is no document_root; these are off all the same. */
		"enable_directory_listing", "no", "access_control_allow_origin", "", "access_control_allow_methods", "",
		NULL,
	};
	struct mg_init_data init = { .callbacks = &callbacks, .user_data = s, .configuration_options = options };

	(void)snprintf(workers, sizeof(workers), "%d", SERVER_WORKERS);
	s->civetweb = mg_start2(&init, NULL);
	if (s->civetweb)
		return 0;
	r = probe(at, err); /* says why, if it is the address */
	if (r)
		return r;
	error_set(err, "cannot serve the page on %s: %s", at->spec, *s->log ? s->log : "the web server did not start");
	return -EIO;
}

/* The address to be called by. Threads compare port with what they are asked: it comes last. */
static void set_place(struct server *s, uint16_t port)
{
	struct in_addr a = s->address;
	char host[INET_ADDRSTRLEN];

	if (a.s_addr == htonl(INADDR_ANY))
		a.s_addr = htonl(INADDR_LOOPBACK);
	(void)inet_ntop(AF_INET, &a, host, sizeof(host));
	(void)snprintf(s->url, sizeof(s->url), "http://%s:%u/", host, port);
	__atomic_store_n(&s->port, port, __ATOMIC_RELEASE);
}

static struct server *new_server(const struct server_config *config)
{
	struct server *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s)
		return NULL;
	s->config = *config;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_mutex_init(&s->text_lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->stream_gone, &attr); /* these five cannot fail with glibc */
	(void)pthread_condattr_destroy(&attr);
	return s;
}

static void free_server(struct server *s)
{
	(void)pthread_cond_destroy(&s->stream_gone);
	(void)pthread_mutex_destroy(&s->lock);
	(void)pthread_mutex_destroy(&s->text_lock);
	event_text_unref(s->text);
	free(s);
}

int server_start(const struct server_config *config, struct server **ret, const char **ret_url, struct error *err)
{
	struct mg_server_port port;
	struct endpoint at;
	struct server *s;
	int r = parse_listen(config->listen, &at, err);

	if (r)
		return r;
	s = new_server(config);
	if (!s) {
		error_set(err, "cannot serve the page: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	s->address = at.sin.sin_addr;
	if (at.sin.sin_port)
		set_place(s, ntohs(at.sin.sin_port));
	r = start_civetweb(s, &at, err);
	if (r) {
		free_server(s);
		return r;
	}
	if (!at.sin.sin_port && mg_get_server_ports(s->civetweb, 1, &port) == 1)
		set_place(s, (uint16_t)port.port);
	*ret_url = s->url;
	*ret = s;
	return 0;
}

/* Streams see the end of the snapshot, say so to their clients and leave. Those that cannot get rid of it are cut
 * off. */
static void wait_for_streams(struct server *s)
{
	struct timespec deadline;
	int r = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_nsec += STREAMS_END_MS * 1000000L;
	deadline.tv_sec += deadline.tv_nsec / 1000000000;
	deadline.tv_nsec %= 1000000000;
	(void)pthread_mutex_lock(&s->lock);
	while (s->n_streams && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&s->stream_gone, &s->lock, &deadline);
	(void)pthread_mutex_unlock(&s->lock);
}

/* civetweb looks for its stop flag every two seconds, or when a socket stirs. It tells nobody its sockets, so those of
 * our port are looked up among the process's descriptors. Shutting down wakes whoever waits for one and closes
 * nothing. */
static void stir_sockets(const struct server *s)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		struct sockaddr_in sin = { 0 };
		socklen_t len = sizeof(sin);
		int fd = atoi(entry->d_name); /* "." and "..": 0, which is harmless: no socket of our port */

		if (!getsockname(fd, (struct sockaddr *)&sin, &len) && sin.sin_family == AF_INET &&
		    ntohs(sin.sin_port) == s->port)
			(void)shutdown(fd, SHUT_RDWR);
	}
	if (dir)
		(void)closedir(dir);
}

void server_stop(struct server *s)
{
	if (!s)
		return;
	snapshot_end(s->config.snapshot);
	wait_for_streams(s);
	stir_sockets(s);
	mg_stop(s->civetweb);
	free_server(s);
}
