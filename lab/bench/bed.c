/* SPDX-License-Identifier: Apache-2.0 */
/* See bed.h. */
#include "lab/bench/bed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

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
	return r ?: monitor_open(&config, err, &bed->monitor);
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

/* Interfaces are those of the caller's namespace. */
static int link_uplinks(struct bench_bed *bed, struct error *err)
{
	int r = 0, back;

	for (uint32_t i = 0; i < BENCH_HOSTS && !r; i++) {
		r = ns_enter(bed->lab->hosts[i], i ? "host1" : "host0", err);
		for (int dir = 0; dir < FLOW_DIR_MAX && !r; dir++) {
			int fd = hook_tcx_link(monitor_prog_fd(bed->monitor, (enum flow_dir)dir), PLAN_IFINDEX_UPLINK + i,
					       (enum flow_dir)dir);

			bed->links[i][dir] = fd < 0 ? -1 : fd;
			r = fd < 0 ? fd : 0;
			if (r)
				error_set(err, "cannot hook the monitor to host%u's uplink: %s", i, strerror(-r));
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
	return r;
}

int bench_bed_watch(struct bench_bed *bed, bool watch, struct error *err)
{
	bool linked = bed->links[0][0] >= 0;
	int r = watch ? link_uplinks(bed, err) : 0;

	if (watch && r != -EINVAL) /* this kernel has TCX */
		return r;
	unlink_uplinks(bed);
	return linked ? 0 : filter_uplinks(bed, watch, err);
}
