/* SPDX-License-Identifier: Apache-2.0 */
/* A running lab: what its parts are, and the order of up and down. */
#ifndef TUNLAB_RUN_H
#define TUNLAB_RUN_H

#include <pthread.h>

#include "base/loop.h"
#include "lab/cmd/command.h"
#include "lab/control.h"
#include "lab/machine.h"
#include "lab/net/lab.h"
#include "lab/traffic/engine.h"
#include "monitor/monitor.h"
#include "monitor/snapshot.h"
#include "monitor/view.h"

struct events;
struct server;
struct requests;
struct judge;
struct down;

struct run_options {
	bool headless, judge, detach, stats;
	const char *duration, *listen, *name, *seed, *parser_name;
	struct text_list set, report;
	enum monitor_parser parser; /* the one named */
};

enum run_state { RUN_STARTING, RUN_RUNNING, RUN_DRAINING, RUN_STOPPING, RUN_DONE, RUN_STATE_MAX };
extern const char *const run_state_names[RUN_STATE_MAX];

struct run {
	const struct run_options *options;
	const struct scenario *scn;
	const struct plan *plan;
	struct loop *loop;
	struct control control;
	struct requests *requests;
	struct lab *lab;
	struct down *down;            /* while the lab is taken apart */
	uint64_t down_ns;             /* when that began */
	struct monitor *monitor;
	struct engine *engine;
	struct events *events;
	struct snapshot *snapshot;
	struct server *server;
	struct judge *judge;          /* of the checks; NULL without --assert */
	int signals, tick, end;       /* signalfd and timers; -1 when closed */

	struct flow_table flows;
	struct sample *newest;        /* the last one published */
	struct generator_info *infos; /* by the engine's generator number */
	uint32_t n_infos;
	uint32_t n_live;              /* generators started live so far: names them */
	uint32_t n_guesses;           /* at who is secret */

	enum run_state state;
	bool drained;                 /* all that was sent has arrived, or never will */
	int status;                   /* the exit status to be */
	uint64_t started_ns;          /* CLOCK_MONOTONIC: command began */
	uint64_t zero_ns;             /* traffic clock's zero; 0 before */
	struct machine_counts machine_then; /* at that moment */
	struct walk_start *start; /* likewise, of the lab's devices; NULL: nobody walks */
	uint64_t duration_ns;         /* 0: until stopped */
	double up_ms;                 /* until ready */
	const char *url;              /* NULL without a page */
	char token[33];
	pthread_mutex_t info_lock;    /* state, up_ms, url: read by server threads */
};

/* Builds, runs and takes down a lab; ready(arg) is called once it is up, and says whether it is to go on. judge may be NULL.
 * Everything is borrowed. Exit status. */
int run_lab(const struct run_options *options, const struct scenario *scn, const struct plan *plan, struct judge *judge,
	    uint64_t started_ns, bool (*ready)(void *arg), void *arg);

/* Where the page is to be served: as asked, or the default. */
const char *run_listen_address(const struct run_options *o);
#define RUN_LISTEN_DEFAULT "127.0.0.1:8080"
/* Descriptors a lab of this plan may hold at once. */
unsigned long run_files_needed(const struct plan *plan);

/* For requests: */
void run_info(void *run, struct lab_info *ret);
/* A sample of one generator alone; see sample_take_generator. NULL: no memory. */
struct sample *run_sample_generator(const struct run *run, uint32_t id, const struct sample *then);
/* Orders a generator and keeps its description. */
int run_add_generator(struct run *run, const struct generator_spec *spec, int32_t section, uint32_t *ret_id, struct error *err);
/* Asked to end: traffic drains, then the loop ends with `status`. */
void run_end(struct run *run, int status);

/* Between the files of run: */
/* Builds the plan's lab and opens the monitor beside it, then attaches it, and only then opens the uplinks. Leaves no thread behind. */
int run_build(struct run *run, struct error *err);
/* The end of a run, by a sample that holds all that was sent (NULL: there is none): what went, and the verdict where one was asked
 * for, into run->status. A run that was cut off has none. */
void run_conclude(struct run *run, struct sample *s);
enum { RUN_LIVE_STREAMS_MAX = 1 << 18 /* room for the pairs that `tunlab traffic` adds in the lab's life; touched only when used */ };
/* Orders the scenario's generators. */
int run_add_planned(struct run *run, struct error *err);
/* Serves the page, unless the run is headless. Signals must be blocked already. */
int run_start_page(struct run *run, struct error *err);

#endif
