/* SPDX-License-Identifier: Apache-2.0 */
/* See bed.h. */
#include "lab/bench/bed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lab/bench/programs.h"
#include "lab/net/ns.h"
#include "lab/watch/hook.h"

static const char scenario[] = "[lab]\nname = bench\nhosts = 2\nvnis = 10000\n";

static int open_lab_and_monitor(struct bench_bed *bed, struct error *err)
{
	struct scn_source source = {.text = scenario, .len = sizeof(scenario) - 1};
	struct monitor_config config = {.base_ifindex = PLAN_IFINDEX_UPLINK, .n_hosts = 2};
	struct scn_errors errors;
	int r = plan_load(&source, &bed->scn, &bed->plan, &errors);

	scn_errors_free(&errors);
	if (r)
		error_set(err, "cannot plan the benchmark's lab: %s", strerror(-r));
	if (!r)
		r = lab_build(bed->plan, NULL, &bed->lab, err);
	if (!r)
		r = lab_open_uplinks(bed->lab, err);
	if (!r)
		r = monitor_open(&config, err, &bed->monitor);
	return r ?: programs_open(&bed->programs, err);
}

static const struct bench_bed nothing = {.links = {{-1, -1}, {-1, -1}}, .home = -1};

static void unlink_uplinks(struct bench_bed *bed)
{
	for (int i = 0; i < BENCH_HOSTS * FLOW_DIR_MAX; i++) {
		int *link = &bed->links[i / FLOW_DIR_MAX][i % FLOW_DIR_MAX];

		if (*link >= 0)
			(void)close(*link);
		*link = -1;
	}
}

static int link_uplinks(struct bench_bed *bed, const int progs[FLOW_DIR_MAX], struct error *err)
{
	int r = 0, back;

	for (uint32_t i = 0; i < BENCH_HOSTS && !r; i++) {
		r = ns_enter(bed->lab->hosts[i], i ? "host1" : "host0", err);
		for (int dir = 0; dir < FLOW_DIR_MAX && !r; dir++) {
			int fd = hook_tcx_link(progs[dir], PLAN_IFINDEX_UPLINK + i, (enum flow_dir)dir);

			bed->links[i][dir] = fd < 0 ? -1 : fd;
			r = fd < 0 ? fd : 0;
			if (r)
				error_set(err, "cannot hook a program to host%u's uplink: %s", i, strerror(-r));
		}
	}
	back = ns_enter(bed->home, "this program", err);
	return r ?: back;
}

int bench_bed_open(struct bench_bed *bed, struct error *err)
{
	int r;

	*bed = nothing;
	bed->home = ns_current();
	if (bed->home < 0) {
		error_set(err, "cannot hold this network namespace: %s", strerror(-bed->home));
		return bed->home;
	}
	r = open_lab_and_monitor(bed, err);
	if (r)
		bench_bed_close(bed);
	return r;
}

void bench_bed_close(struct bench_bed *bed)
{
	unlink_uplinks(bed);
	programs_free(bed->programs);
	monitor_free(bed->monitor);
	lab_free(bed->lab);
	plan_free(bed->plan);
	scenario_free(bed->scn);
	if (bed->home >= 0)
		(void)close(bed->home);
	*bed = nothing;
}

static int filter_uplinks(struct bench_bed *bed, bool watch, struct error *err)
{
	int r = 0;

	for (uint32_t i = 0; i < BENCH_HOSTS && !r; i++)
		r = watch ? monitor_attach(bed->monitor, bed->lab->hosts[i], PLAN_IFINDEX_UPLINK + i, err)
			  : monitor_detach(bed->monitor, bed->lab->hosts[i], PLAN_IFINDEX_UPLINK + i, err);
	bed->filtered = watch && !r;
	return r;
}

int bench_bed_hook(struct bench_bed *bed, enum bench_hooked hooked, struct error *err)
{
	int empty = programs_empty_fd(bed->programs), r = bed->filtered ? filter_uplinks(bed, false, err) : 0;
	const int programs[BENCH_HOOKED_MAX][FLOW_DIR_MAX] = {
		[BENCH_EMPTY] = {empty, empty},
		[BENCH_MONITOR] = {monitor_prog_fd(bed->monitor, FLOW_TX), monitor_prog_fd(bed->monitor, FLOW_RX)},
	};

	unlink_uplinks(bed);
	if (r || hooked == BENCH_NOTHING)
		return r;
	r = link_uplinks(bed, programs[hooked], err);
	if (r != -EINVAL) /* this kernel has TCX */
		return r;
	unlink_uplinks(bed);
	return hooked == BENCH_MONITOR ? filter_uplinks(bed, true, err) : -EOPNOTSUPP;
}
