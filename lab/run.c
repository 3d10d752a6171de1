/* SPDX-License-Identifier: Apache-2.0 */
/* A running lab: order of up and down, the poll loop's events, and sampling; see run.h. */
#include "lab/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/units.h"
#include "lab/cmd/privilege.h"
#include "lab/events.h"
#include "lab/net/down.h"
#include "lab/net/walk_start.h"
#include "lab/request.h"
#include "lab/service.h"
#include "lab/verdict/judge.h"
#include "ui/server.h"

enum {
	SPARE_FILES = 512,          /* page and command connections */
	PROGRESS_AFTER_MS = 1000,   /* a lab that is gone sooner needs no progress shown */
};

const char *const run_state_names[RUN_STATE_MAX] = {
	[RUN_STARTING] = "starting", [RUN_RUNNING] = "running", [RUN_DRAINING] = "draining", [RUN_STOPPING] = "stopping",
	[RUN_DONE] = "done",
};

const char *run_listen_address(const struct run_options *o)
{
	return o->listen ? o->listen : RUN_LISTEN_DEFAULT;
}

static double ms_since(uint64_t ns)
{
	return (double)(now_ns() - ns) / 1e6;
}

static void set_state(struct run *run, enum run_state state)
{
	pthread_mutex_lock(&run->info_lock);
	run->state = state;
	pthread_mutex_unlock(&run->info_lock);
}

void run_info(void *arg, struct lab_info *ret)
{
	struct run *run = arg;

	pthread_mutex_lock(&run->info_lock);
	*ret = (struct lab_info) {
		.name = run->scn->name, .pid = getpid(), .state = run_state_names[run->state], .url = run->url, .up_ms = run->up_ms,
		.uptime_s = ms_since(run->started_ns) / 1e3, .interval_s = 1,
	};
	pthread_mutex_unlock(&run->info_lock);
}

static struct sample *take_sample(struct run *run)
{
	struct monitor_cost program;
	struct sample_source source = {
		.plan = run->plan, .flows = &run->flows, .parser = monitor_parser_name(run->monitor), .engine = run->engine,
		.infos = run->infos, .zero_ns = run->zero_ns, .links = events_links(run->events), .marks = events_log(run->events),
		.unix_s = clock_seconds(CLOCK_REALTIME), .cpu_s = clock_seconds(CLOCK_PROCESS_CPUTIME_ID), .previous = run->newest,
		.program = &program,
	};
	struct sample *s;

	monitor_get_cost(run->monitor, &program);
	/* Flows and generators are counted in different processes: the figures agree once traffic has drained. */
	if (flows_read(run->monitor, &run->flows) || sample_take(&source, &s))
		return NULL;
	return s;
}

/* A fresh sample, not published; the last one when the lab is being taken apart. NULL: there is none, or no memory. */
static struct sample *sample_now(struct run *run)
{
	if (run->state < RUN_STOPPING)
		return take_sample(run);
	return run->newest ? sample_ref(run->newest) : NULL;
}

static void age_flows(struct run *run)
{
	int r = run->state < RUN_STOPPING ? flows_age(run->monitor) : 0;

	if (r)
		say("idle flows stay in the kernel's tables, which may fill up: %s", strerror(-r));
}

static void publish(struct run *run)
{
	struct sample *s = sample_now(run);

	if (!s) {
		say("out of memory: a sample was left out, the counters go on");
		return;
	}
	sample_unref(run->newest);
	run->newest = sample_ref(s);
	if (run->judge)
		judge_sampled(run->judge, s);
	if (run->judge && run->drained && judge_settled(run->judge))
		loop_quit(run->loop);
	snapshot_publish(run->snapshot, s, run->plan);
	age_flows(run);
}

/* ---- the clock ---- */

static void start_clock(struct run *run)
{
	if (run->zero_ns)
		return;
	if (run->judge)
		run->start = walk_start_take(run->lab); /* without it walks count from the build on */
	machine_read(&run->machine_then);
	events_prepare(run->events); /* may end the run */
	run->zero_ns = now_ns();
	if (run->state == RUN_STARTING)
		set_state(run, RUN_RUNNING);
	(void)engine_go(run->engine, run->zero_ns); /* a dead engine tells by event */
	events_begin(run->events);
	(void)timer_arm(run->tick, run->zero_ns + SECOND_NS, SECOND_NS);
	if (run->duration_ns)
		(void)timer_arm(run->end, run->zero_ns + run->duration_ns, 0);
}

/* ---- the end ---- */

void run_end(struct run *run, int status)
{
	if (run->status == EXIT_WELL)
		run->status = status;
	if (run->state >= RUN_DRAINING)
		return;
	set_state(run, RUN_DRAINING);
	if (engine_drain(run->engine))
		loop_quit(run->loop); /* the engine is gone: nothing to wait for */
}

/* Those with a stop time end by themselves and exactly; only then is the rest cut off. */
static bool planned_still_run(const struct run *run)
{
	for (uint32_t i = 0; i < engine_generators(run->engine); i++)
		if (run->infos[i].section >= 0 && engine_generator(run->engine, i)->state != GEN_DONE)
			return true;
	return false;
}

static void end_if_over(struct run *run)
{
	bool over = run->duration_ns && run->zero_ns && now_ns() >= run->zero_ns + run->duration_ns;

	if (over && run->state == RUN_RUNNING && !planned_still_run(run))
		run_end(run, EXIT_WELL);
}

static void on_end(void *arg, uint32_t events)
{
	struct run *run = arg;

	(void)events;
	timer_clear(run->end);
	end_if_over(run);
}

static void on_tick(void *arg, uint32_t events)
{
	struct run *run = arg;

	(void)events;
	timer_clear(run->tick);
	publish(run);
}

/* All that was sent has arrived, or never will. A check that may still come true is waited for, tick by tick. */
static void on_drained(struct run *run)
{
	struct sample *s = run->judge && run->status == EXIT_WELL ? sample_now(run) : NULL;

	run->drained = true;
	if (s)
		judge_drained(run->judge, s);
	if (!s || judge_settled(run->judge))
		loop_quit(run->loop);
	sample_unref(s);
}

static void on_engine_event(struct run *run, const struct engine_event *ev)
{
	switch (ev->type) {
	case ENGINE_WARM:
		start_clock(run);
		break;
	case ENGINE_DONE:
		requests_generator_done(run->requests, ev->generator, NULL);
		end_if_over(run);
		break;
	case ENGINE_FAILED:
		requests_generator_done(run->requests, ev->generator, ev->text);
		say("traffic %s: %s", run->infos[ev->generator].name, ev->text);
		if (run->infos[ev->generator].section >= 0)
			run_end(run, EXIT_MACHINE);
		break;
	case ENGINE_DRAINED:
		on_drained(run);
		break;
	case ENGINE_DIED:
		say("the traffic engine is gone: %s", ev->text);
		run->status = EXIT_INVALID;
		loop_quit(run->loop);
		break;
	}
}

static void on_engine(void *arg, uint32_t events)
{
	struct run *run = arg;
	int fd = engine_fd(run->engine);
	struct engine_event ev;

	(void)events;
	while (engine_read_event(run->engine, &ev) > 0)
		on_engine_event(run, &ev);
	if (engine_fd(run->engine) != fd)
		loop_remove(run->loop, fd);
}

static void on_signal(void *arg, uint32_t events)
{
	struct run *run = arg;
	int signal = signals_read(run->signals);

	(void)events;
	if (!signal)
		return;
	if (run->down) {
		down_give_up(run->down);
		return;
	}
	if (run->state >= RUN_DRAINING) /* asked twice: at once */
		loop_quit(run->loop);
	run_end(run, EXIT_SIGNAL + signal);
}

/* ---- up ---- */

/* Until now a signal ended the program at once, and all it had made went with it; from here on there is more to undo. */
static int open_signals(struct run *run, struct error *err)
{
	int r = loop_add_signals(run->loop, on_signal, run, &run->signals);

	if (r)
		error_set(err, "cannot watch for signals: %s", strerror(-r));
	return r;
}

static int open_events(struct run *run, struct error *err)
{
	int r = loop_new(&run->loop);

	if (!r)
		r = loop_add_timer(run->loop, on_tick, run, &run->tick);
	if (!r)
		r = loop_add_timer(run->loop, on_end, run, &run->end);
	if (r)
		error_set(err, "cannot set up the event loop: %s", strerror(-r));
	return r;
}

static int start_engine(struct run *run, struct error *err)
{
	int r = engine_start(run->plan, run->lab->clients, run->plan->n_streams + RUN_LIVE_STREAMS_MAX, &run->engine);

	if (!r)
		r = loop_add(run->loop, engine_fd(run->engine), EPOLLIN, on_engine, run);
	if (r)
		error_set(err, "cannot start the traffic engine: %s", strerror(-r));
	return r;
}

/* Each namespace a descriptor, the fabric and each host a netlink socket as well, and so do the clients of the host that is being
 * built: at most one in each VNI. */
unsigned long run_files_needed(const struct plan *plan)
{
	return SPARE_FILES + 2ul * (1 + plan->n_hosts) + plan->n_clients + plan->n_vnis;
}

static void walk_for_judge(void *arg, uint32_t from, uint32_t to, struct walk_facts *ret)
{
	struct run *run = arg;

	walk(run->lab, events_links_of(run->events), run->start, from, to, ret);
}

static int take_place(struct run *run, struct error *err)
{
	int r = privilege_check(err);

	if (!r)
		r = privilege_open_files(run_files_needed(run->plan) + (run->judge ? run->plan->n_clients : 0), err);
	if (!r)
		r = open_events(run, err);
	return r ?: control_open(run->scn->name, &run->control, err);
}

static struct sample *service_sample(void *arg)
{
	return sample_now(arg);
}

static struct sample *service_newest(void *arg)
{
	return ((struct run *)arg)->newest;
}

static void service_end(void *arg, int status)
{
	run_end(arg, status);
}

static int open_requests(struct run *run)
{
	const struct service service = {
		.loop = run->loop, .control = &run->control, .plan = run->plan, .run = run, .sample = service_sample,
		.newest = service_newest, .info = run_info, .end = service_end, .arg = run,
	};

	return requests_open(&service, &run->requests);
}

static int go_up(struct run *run, struct error *err)
{
	int r = take_place(run, err);

	if (!r)
		r = run_build(run, err);
	if (!r)
		r = open_signals(run, err);
	if (!r)
		r = start_engine(run, err); /* forks: before threads */
	if (!r && run->judge)
		r = walk_open_clients(run->lab, err); /* enters namespaces: before privileges are given up */
	if (!r)
		r = privilege_drop(err);
	if (!r)
		r = events_open(run, &run->events, err);
	if (!r)
		r = snapshot_new(&run->snapshot);
	if (!r)
		r = run_start_page(run, err);
	if (!r)
		r = open_requests(run);
	return r;
}

static void announce(struct run *run)
{
	const struct plan *p = run->plan;

	say("lab %s: %u hosts, %u VNIs, %u clients up in %.0f ms", run->scn->name, p->n_hosts, p->n_vnis, p->n_clients, run->up_ms);
	if (run->url) {
		say("page %s (Ctrl-C or `tunlab stop` ends the lab)", run->url);
		say("token %s (lets HTTP requests change the lab; so does the page at %s#token=%s)", run->token, run->url, run->token);
	}
	if (plan_secret(p))
		say("one of the clients is noisy in secret: find it, then `tunlab guess CLIENT`");
}

/* ---- down: the reverse ---- */

static void on_down(void *arg, uint32_t events)
{
	struct run *run = arg;
	struct down_progress p;

	(void)events;
	down_read(run->down, &p);
	if (p.over)
		loop_quit(run->loop);
	else if (ms_since(run->down_ns) >= PROGRESS_AFTER_MS)
		say_progress("taking apart host %u of %u (Ctrl-C: the rest at once)", p.hosts, p.n_hosts);
	requests_down(run->requests, p.hosts, p.n_hosts);
}

/* Slice by slice, while `status` and signals are still answered: the next signal ends the slicing. */
static void take_apart(struct run *run)
{
	if (!run->lab || down_start(run->lab, &run->down))
		return; /* lab_free does it all at once */
	run->down_ns = now_ns();
	if (!loop_add(run->loop, down_fd(run->down), EPOLLIN, on_down, run)) {
		(void)loop_run(run->loop); /* down_free waits in any case */
		loop_remove(run->loop, down_fd(run->down));
	}
	down_free(run->down);
	run->down = NULL;
	say_progress(NULL);
}

static void end_page(struct run *run)
{
	pthread_mutex_lock(&run->info_lock);
	run->url = NULL; /* it is the server's, and who asks while the lab is taken apart is still answered */
	pthread_mutex_unlock(&run->info_lock);
	if (run->snapshot)
		snapshot_end(run->snapshot);
	server_stop(run->server);
	snapshot_free(run->snapshot);
}

static void go_down(struct run *run)
{
	set_state(run, RUN_STOPPING);
	requests_release(run->requests);
	loop_close(run->loop, &run->tick);
	loop_close(run->loop, &run->end);
	end_page(run);
	if (run->engine)
		loop_remove(run->loop, engine_fd(run->engine));
	engine_end(run->engine);
	run->engine = NULL;
	events_close(run->events);
	monitor_free(run->monitor);
	take_apart(run);
	set_state(run, RUN_DONE);
	lab_free(run->lab);
	walk_start_free(run->start);
	flows_free(&run->flows);
	sample_unref(run->newest);
	control_close(&run->control);
	requests_close(run->requests); /* last: whoever waits for the end sees it here */
	loop_close(run->loop, &run->signals);
	loop_free(run->loop);
	free(run->infos);
	(void)pthread_mutex_destroy(&run->info_lock);
}

static void conclude(struct run *run)
{
	struct sample *s = sample_now(run);

	run_conclude(run, s);
	sample_unref(s);
}

int run_lab(const struct run_options *options, const struct scenario *scn, const struct plan *plan, struct judge *judge,
	    uint64_t started_ns, bool (*ready)(void *arg), void *arg)
{
	struct run run = {
		.options = options, .scn = scn, .plan = plan, .judge = judge, .control = { .fd = -1 }, .signals = -1, .tick = -1, .end = -1,
		.started_ns = started_ns, .info_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	struct error err = { "" };
	int r;

	if (options->headless || options->duration)
		run.duration_ns = scn->duration_ns;
	r = go_up(&run, &err);
	if (!r && judge)
		judge_set_walk(judge, walk_for_judge, &run);
	if (!r) {
		pthread_mutex_lock(&run.info_lock);
		run.up_ms = ms_since(started_ns);
		pthread_mutex_unlock(&run.info_lock);
		announce(&run);
		r = ready(arg) ? run_add_planned(&run, &err) : -ECANCELED;
	}
	if (!r && !engine_generators(run.engine))
		start_clock(&run); /* nothing to warm up */
	if (!r) {
		publish(&run); /* the page has something to show before the first second is over */
		r = loop_run(run.loop);
		conclude(&run);
	}
	if (r)
		say("%s%s", *err.text ? err.text : "cannot run the lab: ", *err.text ? "" : strerror(-r));
	go_down(&run);
	return r ? EXIT_MACHINE : run.status;
}
