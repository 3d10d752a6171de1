/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a run: what is said of it, and the verdict. */
#include "lab/run.h"

#include "lab/facts.h"
#include "lab/net/walk.h"
#include "lab/verdict/judge.h"
#include "lab/verdict/report.h"

static void say_what_went(const struct sample *s)
{
	uint64_t sent = 0, received = 0, missed = 0, cold_ns = 0, unresolved = 0;

	for (size_t i = 0; i < s->n_generators; i++) {
		sent += s->generators[i].sent;
		received += s->generators[i].received;
		missed += s->generators[i].missed;
		unresolved += s->generators[i].unresolved;
		if (!s->generators[i].known && s->generators[i].cold_ns > cold_ns)
			cold_ns = s->generators[i].cold_ns;
	}
	say("%zu generators sent %llu packets, %llu arrived; the monitor saw %zu flows and lost %llu packets", s->n_generators,
	    (unsigned long long)sent, (unsigned long long)received, s->n_flows, (unsigned long long)s->health.lost);
	if (cold_ns)
		say("neighbours were resolved before the clock started, in %.3f ms by the slowest generator", (double)cold_ns / 1e6);
	if (unresolved)
		say("%llu peers did not answer for their MAC address", (unsigned long long)unresolved);
	if (missed)
		say("%llu more were planned: this machine could not keep the rate", (unsigned long long)missed);
}

/* The answer to the riddle, now that nobody can look for it any more. */
static void tell_secret(const struct run *run)
{
	const struct plan_generator *g = plan_secret(run->plan);

	if (g)
		say("it was c%u (traffic %s); --seed %llu repeats this run", g->client, run->scn->traffic[g->section].name,
		    (unsigned long long)run->scn->seed);
}

/* The lab's devices are asked only if the machine dropped anything at all. */
static struct machine_load load_so_far(const struct run *run)
{
	struct machine_counts now;
	struct machine_load load;

	machine_read(&now);
	load = machine_since(&run->machine_then, &now);
	load.lab_dropped = load.dropped ? walk_count_drops(run->lab, run->start) : 0;
	return load;
}

static int judge_now(struct run *run, struct sample *s)
{
	struct machine_load load = load_so_far(run);
	bool whole = run->status == EXIT_WELL;
	struct lab_info info;
	struct facts facts;
	struct report_run about = { .info = &info, .facts = &facts, .feed = run->snapshot };

	run_info(run, &info);
	facts_read(run->lab, &facts);
	snapshot_publish(run->snapshot, sample_ref(s), run->plan); /* the last interval, down to the last packet */
	if (whole)
		return judge_conclude(run->judge, s, &load, &about);
	judge_cut_off(run->judge, s, &about);
	return run->status;
}

void run_conclude(struct run *run, struct sample *s)
{
	if (s && run->options->headless)
		say_what_went(s);
	if (run->judge && (!s || run->status != EXIT_WELL))
		say("the run was cut off: no verdict");
	if (run->judge && s)
		run->status = judge_now(run, s);
	tell_secret(run);
}
