/* SPDX-License-Identifier: Apache-2.0 */
/* A running monitor of interfaces: up, the loop's events, interfaces that go and come back, down; see watch.h. */
#include "lab/watch/watch.h"

#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/units.h"
#include "lab/cmd/command.h"
#include "lab/cmd/privilege.h"
#include "lab/control.h"
#include "lab/net/nl.h"
#include "lab/request.h"
#include "lab/service.h"
#include "lab/watch/hook.h"
#include "monitor/snapshot.h"
#include "ui/server.h"

enum { FILES = 512 };      /* page and command connections, and some */

struct device {
	const char *name;
	struct hook hook;          /* on nothing while the interface is waited for */
	uint32_t refused;          /* index of an interface of that name that could not be attached to: said once */
};

struct watch {
	const struct watch_config *config;
	struct loop *loop;
	struct control control;
	struct requests *requests;
	struct monitor *monitor;
	struct nl_batch *batch;
	struct nl *nl, *changes;   /* to ask, and to be told of links */
	struct hooks hooks;
	struct device *devices;    /* [config->n_devices] */
	struct mark_log *marks;    /* interfaces that went and came */
	struct seen_log seen;
	struct flow_table flows;
	struct snapshot *snapshot;
	struct server *server;
	struct sample *newest;
	int signals, tick, end;    /* -1: not open */
	int status;                /* the exit status to be */
	uint64_t zero_ns;
	pthread_mutex_t info_lock; /* of info, which server threads read */
	struct lab_info info;
};

void watch_list_devices(char *buf, size_t len)
{
	struct if_nameindex *all = if_nameindex();
	size_t at = 0;

	(void)snprintf(buf, len, "none");
	for (size_t i = 0; all && all[i].if_index && at < len; i++)
		at += (size_t)snprintf(buf + at, len - at, "%s%s", at ? ", " : "", all[i].if_name);
	if_freenameindex(all);
}

/* ---- samples ---- */

static void get_info(void *arg, struct lab_info *ret)
{
	struct watch *w = arg;

	pthread_mutex_lock(&w->info_lock);
	*ret = w->info;
	pthread_mutex_unlock(&w->info_lock);
	ret->uptime_s = (double)(now_ns() - w->zero_ns) / 1e9;
}

static struct sample *take(void *arg)
{
	struct watch *w = arg;
	struct monitor_cost program;
	const struct sample_source source = {
		.kind = SAMPLE_MONITOR, .flows = &w->flows, .seen = &w->seen, .marks = w->marks, .zero_ns = w->zero_ns,
		.parser = monitor_parser_name(w->monitor), .program = &program, .unix_s = clock_seconds(CLOCK_REALTIME),
		.cpu_s = clock_seconds(CLOCK_PROCESS_CPUTIME_ID), .previous = w->newest,
	};
	struct sample *s;

	monitor_get_cost(w->monitor, &program);
	return flows_read(w->monitor, &w->flows) || sample_take(&source, &s) ? NULL : s;
}

static struct sample *newest(void *arg)
{
	return ((struct watch *)arg)->newest;
}

/* A reader that has gone is the end. */
static void print_json(struct watch *w, const struct sample *s)
{
	struct flow_query q = FLOW_QUERY_ALL;
	struct lab_info info;

	get_info(w, &info);
	q.rates = true;
	if (print_document(view_flows(&info, NULL, s, &q), true, NULL) != EXIT_WELL) {
		w->status = EXIT_MACHINE;
		loop_quit(w->loop);
	}
}

static void publish(struct watch *w)
{
	struct sample *s = take(w);
	int r;

	if (!s) {
		say("out of memory: a sample was left out, the counters go on");
		return;
	}
	sample_unref(w->newest);
	w->newest = sample_ref(s);
	snapshot_publish(w->snapshot, s, NULL);
	r = flows_age(w->monitor);
	if (r)
		say("idle flows stay in the kernel's tables, which may fill up: %s", strerror(-r));
	if (w->config->json && w->newest->interval_s > 0)
		print_json(w, w->newest);
}

/* ---- interfaces ---- */

static void note(struct watch *w, const char *device, const char *what)
{
	struct mark m = { .unix_s = clock_seconds(CLOCK_REALTIME) };

	m.at_s = w->zero_ns ? (double)(now_ns() - w->zero_ns) / 1e9 : 0;
	(void)snprintf(m.text, sizeof(m.text), "%s %s", device, what);
	mark_log_add(w->marks, &m);
	say("%s %s", device, what);
}

static void tell_state(struct watch *w, const struct device *d)
{
	struct lab_device *to = &w->info.devices[d - w->devices];

	pthread_mutex_lock(&w->info_lock);
	to->how = d->hook.ifindex ? hook_kind_names[d->hook.kind] : NULL;
	pthread_mutex_unlock(&w->info_lock);
}

/* An interface is known by its name: whichever has it now is watched, and none twice. */
static void follow(struct watch *w, struct device *d)
{
	uint32_t index = if_nametoindex(d->name);
	struct error err;

	if (d->hook.ifindex && index != d->hook.ifindex) {
		hook_detach(&w->hooks, &d->hook);
		tell_state(w, d);
		note(w, d->name, "is gone; waiting for it");
	}
	if (!index)
		d->refused = 0;
	if (!index || d->hook.ifindex || index == d->refused)
		return;
	if (hook_attach(&w->hooks, d->name, index, &d->hook, &err) == 0) {
		note(w, d->name, "is back");
	} else if (if_nametoindex(d->name) == index) { /* else it has gone again, of which we shall hear */
		d->refused = index;
		say("%s", err.text);
	}
	tell_state(w, d);
}

static void on_links(void *arg, uint32_t events)
{
	struct watch *w = arg;

	(void)events;
	if (!nl_read_changed(w->changes))
		return;
	for (size_t i = 0; i < w->config->n_devices; i++)
		follow(w, &w->devices[i]);
}

static int attach_first(struct watch *w, struct error *err)
{
	for (size_t i = 0; i < w->config->n_devices; i++) {
		struct device *d = &w->devices[i];
		uint32_t index = if_nametoindex(d->name);
		int r = index ? hook_attach(&w->hooks, d->name, index, &d->hook, err) : -ENODEV;

		if (!index)
			error_set(err, "cannot watch %s: it is gone", d->name);
		if (r)
			return r;
		tell_state(w, d);
	}
	return 0;
}

/* ---- events ---- */

static void end(void *arg, int status)
{
	struct watch *w = arg;

	w->status = status;
	loop_quit(w->loop);
}

static void on_signal(void *arg, uint32_t events)
{
	struct watch *w = arg;
	int signal = signals_read(w->signals);

	(void)events;
	if (signal)
		end(w, EXIT_SIGNAL + signal);
}

static void on_tick(void *arg, uint32_t events)
{
	struct watch *w = arg;

	(void)events;
	timer_clear(w->tick);
	publish(w);
}

static void on_end(void *arg, uint32_t events)
{
	(void)events;
	end(arg, EXIT_WELL);
}

/* ---- up ---- */

static int open_events(struct watch *w, struct error *err)
{
	int r = loop_new(&w->loop);

	if (!r)
		r = loop_add_timer(w->loop, on_tick, w, &w->tick);
	if (!r)
		r = loop_add_timer(w->loop, on_end, w, &w->end);
	if (r)
		error_set(err, "cannot set up the event loop: %s", strerror(-r));
	return r;
}

static int open_signals(struct watch *w, struct error *err)
{
	int r = loop_add_signals(w->loop, on_signal, w, &w->signals);

	if (r)
		error_set(err, "cannot watch for signals: %s", strerror(-r));
	return r;
}

/* Told of links before any is looked up, so that no change is missed. */
static int open_links(struct watch *w, struct error *err)
{
	int r;

	w->batch = nl_batch_new();
	r = w->batch ? nl_open(w->batch, "this machine", &w->nl) : -ENOMEM;
	if (!r)
		r = nl_open(w->batch, "this machine", &w->changes);
	if (!r)
		r = nl_watch_links(w->changes);
	if (!r)
		r = loop_add(w->loop, nl_fd(w->changes), EPOLLIN, on_links, w);
	if (r)
		error_set(err, "cannot be told of this machine's interfaces: %s", strerror(-r));
	return r;
}

static int open_monitor(struct watch *w, struct error *err)
{
	struct monitor_config config = { .capacity = w->config->capacity, .parser = w->config->parser, .bare = true };
	struct hook_programs progs;
	int r;

	memcpy(config.ports, w->config->ports, sizeof(config.ports));
	r = monitor_open(&config, err, &w->monitor);
	if (r)
		return r;
	for (int dir = 0; dir < FLOW_DIR_MAX; dir++) {
		progs.framed[dir] = monitor_prog_fd(w->monitor, (enum flow_dir)dir);
		progs.bare[dir] = monitor_bare_prog_fd(w->monitor, (enum flow_dir)dir);
	}
	r = hooks_open(&progs, w->nl, w->config->hook, &w->hooks, err);
	if (!r && w->config->stats)
		r = monitor_enable_stats(w->monitor, err); /* before it is given a frame: it tells of all */
	return r ?: attach_first(w, err);
}

static int start_page(struct watch *w, struct error *err)
{
	struct server_config config = {
		.listen = w->config->listen, .snapshot = w->snapshot, .get_info = get_info, .arg = w,
	};
	const char *url;
	int r;

	if (!w->config->listen)
		return 0;
	r = server_start(&config, &w->server, &url, err);
	if (r)
		return r;
	pthread_mutex_lock(&w->info_lock);
	w->info.url = url;
	pthread_mutex_unlock(&w->info_lock);
	return 0;
}

static int open_requests(struct watch *w)
{
	const struct service service = {
		.loop = w->loop, .control = &w->control, .sample = take, .newest = newest, .info = get_info, .end = end, .arg = w,
	};

	return requests_open(&service, &w->requests);
}

static int go_up(struct watch *w, struct error *err)
{
	int r = privilege_open_files(FILES, err);

	if (!r)
		r = open_events(w, err);
	if (!r)
		r = control_open(w->config->name, &w->control, err);
	if (!r)
		r = open_signals(w, err);
	if (!r)
		r = open_links(w, err);
	if (!r)
		r = open_monitor(w, err);
	if (!r)
		r = privilege_drop(err); /* what stays is what reading maps takes, and attaching to an interface that returns */
	if (!r)
		r = snapshot_new(&w->snapshot);
	if (r)
		return r;
	w->zero_ns = now_ns();
	publish(w); /* the server wants a sample where there is no plan */
	r = w->newest ? start_page(w, err) : -ENOMEM;
	if (!r)
		r = open_requests(w);
	if (!r)
		r = timer_arm(w->tick, w->zero_ns + SECOND_NS, SECOND_NS);
	if (!r && w->config->duration_ns)
		r = timer_arm(w->end, w->zero_ns + w->config->duration_ns, 0);
	return r;
}

static void announce(const struct watch *w)
{
	char list[256];
	size_t at = 0;

	list[0] = '\0';
	for (size_t i = 0; i < w->config->n_devices && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", at ? ", " : "", w->devices[i].name);
	say("watching %s (by %s) for tunnels; `tunlab flows` shows them", list, hook_kind_names[w->hooks.kind]);
	if (w->info.url)
		say("page %s (Ctrl-C or `tunlab stop` ends this)", w->info.url);
}

/* ---- down: the reverse ---- */

static void go_down(struct watch *w)
{
	pthread_mutex_lock(&w->info_lock);
	w->info.url = NULL; /* it is the server's */
	pthread_mutex_unlock(&w->info_lock);
	if (w->snapshot)
		snapshot_end(w->snapshot);
	server_stop(w->server);
	snapshot_free(w->snapshot);
	for (size_t i = 0; i < w->config->n_devices; i++)
		hook_detach(&w->hooks, &w->devices[i].hook);
	hooks_close(&w->hooks);
	monitor_free(w->monitor);
	if (w->changes)
		loop_remove(w->loop, nl_fd(w->changes));
	nl_close(w->changes);
	nl_close(w->nl);
	nl_batch_free(w->batch);
	loop_close(w->loop, &w->tick);
	loop_close(w->loop, &w->end);
	control_close(&w->control);
	requests_close(w->requests); /* last: whoever waits for the end sees it here */
	loop_close(w->loop, &w->signals);
	loop_free(w->loop);
	sample_unref(w->newest);
	flows_free(&w->flows);
	seen_log_free(&w->seen);
	(void)pthread_mutex_destroy(&w->info_lock);
	free(w->marks);
	free(w->devices);
}

static char *make_table(const char *json, unsigned width)
{
	return view_flows_table(json, false, width);
}

/* What was seen, now that it is over. */
static void conclude(struct watch *w)
{
	const struct flow_query q = FLOW_QUERY_ALL;
	struct sample *s = take(w);
	struct lab_info info;
	int status;

	get_info(w, &info);
	status = print_document(s ? view_flows(&info, NULL, s, &q) : NULL, false, make_table);
	if (w->status == EXIT_WELL)
		w->status = status;
	sample_unref(s);
}

int watch_devices(const struct watch_config *config)
{
	struct watch w = {
		.config = config, .control = { .fd = -1 }, .hooks = { .guard = { .fd = -1 } }, .signals = -1, .tick = -1, .end = -1,
		.devices = calloc(config->n_devices, sizeof(*w.devices)), .marks = calloc(1, sizeof(*w.marks)),
		.seen = { .names = &config->names }, .info_lock = PTHREAD_MUTEX_INITIALIZER, .status = EXIT_WELL,
		.info = { .name = config->name, .pid = getpid(), .state = "running", .interval_s = 1, .n_devices = (uint32_t)config->n_devices },
	};
	struct error err = { "" };
	int r = w.devices && w.marks ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < config->n_devices; i++) {
		w.devices[i].name = config->devices[i];
		(void)snprintf(w.info.devices[i].name, sizeof(w.info.devices[i].name), "%s", config->devices[i]);
	}
	if (!r)
		r = go_up(&w, &err);
	if (!r) {
		announce(&w);
		r = loop_run(w.loop);
	}
	if (!r && config->table)
		conclude(&w);
	if (r)
		say("%s%s", *err.text ? err.text : "cannot watch: ", *err.text ? "" : strerror(-r));
	if (w.devices)
		go_down(&w);
	return r == -EINVAL ? EXIT_USAGE : r ? EXIT_MACHINE : w.status;
}
