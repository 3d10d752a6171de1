/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generators: one sends UDP packets through the overlay at a rate; how many left a second, how far that is from the rate, and
 * how many arrived. Beside it iperf3 between the same clients, its packets as large.
 */
#include "lab/bench/bench.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/bench/bed.h"
#include "lab/bench/child.h"
#include "lab/traffic/engine.h"

enum { SECONDS = 2, SIZE = 64, UDP_HEADER = 8, STREAMS = 16 };

struct result {
	double pps, arrived; /* arrived: share */
};

static int await(struct engine *engine, enum engine_event_type type, struct error *err)
{
	uint64_t end_ns = bench_now_ns() + (SECONDS + 20) * 1000000000ull;
	struct engine_event e;

	while (bench_now_ns() < end_ns) {
		struct pollfd p = {.fd = engine_fd(engine), .events = POLLIN};

		while (engine_read_event(engine, &e) == 1) {
			if (e.type == type)
				return 0;
			if (e.type == ENGINE_FAILED || e.type == ENGINE_DIED) {
				error_set(err, "the traffic engine failed: %s", e.text);
				return -EPIPE;
			}
		}
		(void)poll(&p, 1, 100);
	}
	error_set(err, "the traffic engine did not finish in time");
	return -ETIMEDOUT;
}

static int generate(struct engine *engine, double pps, struct result *ret, struct error *err)
{
	uint32_t to = 1, number = 0;
	struct generator_spec spec = {
		.client = 0, .peers = &to, .n_peers = 1, .proto = SCN_UDP, .size = SIZE, .stop_ns = SECONDS * 1000000000ull,
		.rate = {pps > 0 ? RATE_PPS : RATE_MAXIMUM, pps},
	};
	const struct generator_count *g;
	const struct stream_count *s;
	int r = engine_add(engine, &spec, &number);

	if (r)
		error_set(err, "cannot add a generator: %s", strerror(-r));
	else
		r = await(engine, ENGINE_DONE, err);
	if (r)
		return r;
	g = engine_generator(engine, number);
	s = engine_stream(engine, g->stream0);
	if (s->sent < 2 || g->last_ns <= g->first_ns) {
		error_set(err, "the generator sent %llu packets in %d s", (unsigned long long)s->sent, SECONDS);
		return -EIO;
	}
	ret->pps = (double)(s->sent - 1) * 1e9 / (double)(g->last_ns - g->first_ns);
	ret->arrived = (double)s->received / (double)s->sent;
	return 0;
}

/* ---- iperf3 ---- */

static double number_at(const cJSON *json, const char *key)
{
	const cJSON *end = cJSON_GetObjectItem(json, "end"), *sum = cJSON_GetObjectItem(end, "sum");
	const cJSON *n = cJSON_GetObjectItem(sum, key);

	return cJSON_IsNumber(n) ? n->valuedouble : NAN;
}

static int read_iperf(struct child *client, struct result *ret, struct error *err)
{
	int status;
	char *text = child_finish(client, &status);
	cJSON *json = text ? cJSON_Parse(text) : NULL;
	const cJSON *why = cJSON_GetObjectItem(json, "error");

	ret->pps = number_at(json, "packets") / number_at(json, "seconds");
	ret->arrived = 1 - number_at(json, "lost_percent") / 100;
	if (!isfinite(ret->pps))
		error_set(err, "iperf3 gave no figures (exit status %d%s%s)", status, cJSON_IsString(why) ? "): " : ")",
			  cJSON_IsString(why) ? why->valuestring : "");
	status = isfinite(ret->pps) ? 0 : -EIO;
	cJSON_Delete(json);
	free(text);
	return status;
}

static int run_iperf(const struct bench_bed *bed, double pps, struct result *ret, struct error *err)
{
	char address[INET_ADDRSTRLEN], rate[32], size[16], seconds[16];
	const char *server_argv[] = {"iperf3", "-s", "-1", "--forceflush", NULL};
	const char *client_argv[] = {"iperf3", "-u", "-c", address, "-b", rate, "-l", size, "-t", seconds, "-J", NULL};
	struct child_start server_start = {server_argv, NULL, bed->lab->clients[1], false};
	struct child_start client_start = {client_argv, NULL, bed->lab->clients[0], false};
	struct child server = {0}, client = {0};
	int r;

	(void)inet_ntop(AF_INET, &bed->plan->clients[1].addr.b[12], address, sizeof(address)); /* it fits */
	(void)snprintf(rate, sizeof(rate), "%.0f", pps * 8 * (SIZE - UDP_HEADER)); /* 0: as fast as it goes */
	(void)snprintf(size, sizeof(size), "%d", SIZE - UDP_HEADER);
	(void)snprintf(seconds, sizeof(seconds), "%d", SECONDS);
	r = child_start(&server_start, &server, err);
	if (!r && child_await(&server, "listening") < 0) {
		error_set(err, "iperf3 does not listen");
		r = -EPIPE;
	}
	if (!r)
		r = child_start(&client_start, &client, err);
	if (!r)
		r = read_iperf(&client, ret, err);
	child_end(&client, SIGKILL);
	child_end(&server, SIGKILL);
	return r;
}

/* ---- both ---- */

static double error_percent(double pps, double wanted)
{
	return 100 * fabs(pps / wanted - 1);
}

static void add_rows(struct bench *b, double pps, const struct result *ours, const struct result *iperf)
{
	const char *reference = iperf ? "iperf3 -u" : NULL;
	const struct result none = {0}, *theirs = iperf ?: &none;
	char rate[32];

	(void)snprintf(rate, sizeof(rate), pps > 0 ? "%.0f pps" : "at full speed", pps);
	bench_add(b, "packets/s", ours->pps, reference, theirs->pps, "%s: sent", rate);
	if (pps > 0)
		bench_add(b, "%", error_percent(ours->pps, pps), reference, error_percent(theirs->pps, pps), "%s: off by", rate);
	bench_add(b, "%", 100 * ours->arrived, reference, 100 * theirs->arrived, "%s: arrived", rate);
}

static int measure(struct bench *b, const struct bench_bed *bed, struct engine *engine, double pps, bool *with_iperf, struct error *err)
{
	struct result ours, iperf;
	struct error why;
	int r = generate(engine, pps, &ours, err);

	if (r)
		return r;
	if (*with_iperf && run_iperf(bed, pps, &iperf, &why) < 0) {
		bench_miss(b, "iperf3 as the reference", "%s", why.text);
		*with_iperf = false;
	}
	add_rows(b, pps, &ours, *with_iperf ? &iperf : NULL);
	return 0;
}

static int run(struct bench *b, struct error *err)
{
	static const double rates[] = {100, 10000, 0};
	bool with_iperf = child_exists("iperf3");
	struct engine *engine = NULL;
	struct bench_bed bed;
	int r = bench_bed_open(&bed, err);

	if (r)
		return r;
	if (!with_iperf)
		bench_miss(b, "iperf3 as the reference", "it is not installed (package iperf3)");
	r = bench_bed_hook(&bed, BENCH_MONITOR, err);
	if (!r) {
		r = engine_start(bed.plan, bed.lab->clients, STREAMS, &engine);
		if (!r)
			r = engine_go(engine, bench_now_ns());
		if (r)
			error_set(err, "cannot start the traffic engine: %s", strerror(-r));
	}
	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates) && !r; i++)
		r = measure(b, &bed, engine, rates[i], &with_iperf, err);
	engine_end(engine);
	bench_bed_close(&bed);
	return r;
}

const struct bench_section bench_traffic = {
	"traffic", "a generator's packets a second, and how well it keeps a rate", 14, run,
};
