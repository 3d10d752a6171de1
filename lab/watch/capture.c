/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a capture step by step into samples, and serving them; see capture.h. */
#include "lab/watch/capture.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/loop.h"
#include "lab/cmd/command.h"
#include "lab/cmd/privilege.h"
#include "monitor/history.h"
#include "monitor/snapshot.h"
#include "ui/server.h"

struct capture {
	const struct capture_config *config;
	int pass;
	struct replay_span span;
	uint64_t step_ns;
	struct flow_table table;
	struct seen_log seen;
	struct snapshot *snapshot;
	struct sample *newest;
	struct server *server;
	struct loop *loop;
	int signals;             /* -1: not open */
	int status;
	struct lab_info info;    /* fixed before the server starts */
};

static bool show_progress(void *arg, const struct replay_progress *p)
{
	const struct capture *c = arg;

	return c->config->progress(c->config->progress_arg, c->pass, p);
}

/* Time here is the capture's: a sample is "read" when its step ends. */
static int publish(struct capture *c, uint64_t at_ns)
{
	const struct sample_source source = {
		.kind = SAMPLE_CAPTURE, .flows = &c->table, .seen = &c->seen, .zero_ns = c->span.first_ns,
		.unix_s = (double)at_ns / 1e9, .previous = c->newest,
	};
	struct sample *s;
	int r;

	c->table.read_ns = at_ns;
	c->table.capacity = REPLAY_FLOWS_MAX;
	r = flows_sort(&c->table);
	if (!r)
		r = sample_take(&source, &s);
	if (r)
		return r;
	sample_unref(c->newest);
	c->newest = sample_ref(s);
	snapshot_publish(c->snapshot, s, NULL);
	return 0;
}

static int on_step(void *arg, struct flow_table *table, uint64_t end_ns, struct error *err)
{
	int r = publish(arg, end_ns);

	(void)table; /* the capture's */
	if (r)
		error_set(err, "no memory for the flows of a step: %s", strerror(-r));
	return r;
}

static void get_info(void *arg, struct lab_info *ret)
{
	*ret = ((const struct capture *)arg)->info;
}

/* A broken capture is shown up to where it breaks; *err says where. */
static int read_capture(struct capture *c, struct error *err)
{
	struct replay_config config = {
		.ports = c->config->ports, .progress = c->config->progress ? show_progress : NULL, .progress_arg = c,
		.step = on_step, .step_arg = c,
	};
	struct replay_span span;
	int r;

	c->pass = 1;
	r = replay_scan(c->config->path, &config, &c->span, err);
	if (r && !(r == -EINVAL && c->span.first_ns))
		return r;
	c->step_ns = replay_step_ns(&c->span, HISTORY_MAX);
	r = publish(c, c->span.first_ns); /* nothing was there before the first step */
	if (r)
		return r;
	c->pass = 2;
	config.start_ns = c->span.first_ns;
	config.last_ns = c->span.last_ns;
	config.step_ns = c->step_ns;
	return replay_file(c->config->path, &config, &c->table, &span, err);
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void on_signal(void *arg, uint32_t events)
{
	struct capture *c = arg;
	int signal = signals_read(c->signals);

	(void)events;
	if (!signal)
		return;
	c->status = EXIT_SIGNAL + signal;
	loop_quit(c->loop);
}

static int start_page(struct capture *c, struct error *err)
{
	struct server_config config = {
		.listen = c->config->listen, .snapshot = c->snapshot, .get_info = get_info, .arg = c,
	};
	const char *url;
	int r = loop_new(&c->loop);

	c->info = (struct lab_info) {
		.name = name_of(c->config->path), .pid = getpid(), .state = "done", .interval_s = (double)c->step_ns / 1e9,
		.uptime_s = c->newest->elapsed_s,
	};
	if (!r)
		r = loop_add_signals(c->loop, on_signal, c, &c->signals);
	if (!r)
		r = privilege_drop_all(err); /* all is read: nothing more is needed, should somebody have started it as root */
	if (!r)
		r = server_start(&config, &c->server, &url, err);
	if (r)
		return r;
	say("%s: %zu flows in %.1f s, shown in steps of %.0f s", c->info.name, c->newest->n_flows,
	    (double)(c->span.last_ns - c->span.first_ns) / 1e9, c->info.interval_s);
	say("page %s (Ctrl-C ends this)", url);
	return 0;
}

static void end(struct capture *c)
{
	if (c->snapshot)
		snapshot_end(c->snapshot);
	server_stop(c->server);
	snapshot_free(c->snapshot);
	loop_close(c->loop, &c->signals);
	loop_free(c->loop);
	sample_unref(c->newest);
	seen_log_free(&c->seen);
	flows_free(&c->table);
}

/* What is no file would be gone after the first reading. */
static int check_file(const char *path, struct error *err)
{
	struct stat st;

	if (strcmp(path, "-") && (stat(path, &st) || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return 0; /* what else is wrong, opening tells */
	error_set(err, "replay --serve reads a capture twice, and %s is no file: save it to one first", strcmp(path, "-") ? path : "standard input");
	return -EINVAL;
}

int capture_serve(const struct capture_config *config)
{
	struct capture c = { .config = config, .seen = { .names = config->names }, .signals = -1, .status = EXIT_WELL };
	struct error err = { "" };
	int r = check_file(config->path, &err);

	if (!r)
		r = snapshot_new(&c.snapshot);
	if (!r)
		r = read_capture(&c, &err);
	if (config->progress)
		say_progress(NULL);
	if (r == -EINVAL && c.newest && c.newest->seq > 1) {
		say("%s", err.text);
		r = 0;
	}
	if (!r)
		r = start_page(&c, &err);
	if (!r)
		r = loop_run(c.loop);
	if (r)
		say("%s%s", *err.text ? err.text : "cannot show the capture: ", *err.text ? "" : strerror(-r));
	end(&c);
	if (!r)
		return c.status;
	return c.info.name || r == -ENOMEM ? status_of(r) : EXIT_USAGE; /* before there is a page, it is the file */
}
