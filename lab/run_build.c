/* SPDX-License-Identifier: Apache-2.0 */
/* A running lab's namespaces and devices, and the monitor on them. */
#include "lab/run.h"

#include <errno.h>

#include "base/units.h"
#include "monitor/opening.h"

static bool has_encap(const struct plan *plan, enum scn_encap encap)
{
	for (uint32_t i = 0; i < plan->n_vnis; i++)
		if (plan->vnis[i].scn->encap == encap)
			return true;
	return false;
}

static struct monitor_opening *start_opening(const struct run *run)
{
	/* What travels in UDP is known by its port; GRE has an IP protocol number of its own. */
	struct flow_port vxlan = { .port = run->scn->port, .encap = ENCAP_VXLAN };
	struct flow_port geneve = { .port = SCN_GENEVE_PORT, .encap = ENCAP_GENEVE };
	bool both = has_encap(run->plan, SCN_VXLAN) && has_encap(run->plan, SCN_GENEVE);
	struct monitor_config config = {
		.ports = { has_encap(run->plan, SCN_GENEVE) ? geneve : vxlan, both ? vxlan : (struct flow_port){ 0 } },
		.base_ifindex = PLAN_IFINDEX_UPLINK, .n_hosts = run->plan->n_hosts, .capacity = run->plan->flow_capacity,
		.parser = run->options->parser,
	};

	return monitor_opening_start(&config);
}

static int attach_monitor(struct run *run, struct error *err)
{
	int r = 0;

	for (uint32_t i = 0; i < run->plan->n_hosts && !r; i++)
		r = monitor_attach(run->monitor, run->lab->hosts[i], PLAN_IFINDEX_UPLINK + i, err);
	return r;
}

struct building {
	uint32_t hosts;
	uint64_t began_ns, drawn_ns;
};

/* Nothing is drawn of a build that is over in a second. */
static void draw_building(void *arg, uint32_t host)
{
	struct building *b = arg;
	uint64_t now = now_ns();

	if (now - b->began_ns < SECOND_NS || now - b->drawn_ns < SECOND_NS / 10)
		return;
	b->drawn_ns = now;
	say_progress("building host %u of %u", host, b->hosts);
}

/* The monitor is opened beside the building. No thread is left afterwards: the engine is still to be forked. */
static int build(struct run *run, struct error *err)
{
	struct monitor_opening *opening = start_opening(run);
	struct building building = { .hosts = run->plan->n_hosts, .began_ns = now_ns() };
	struct lab_watcher watcher = { draw_building, &building };
	struct error why;
	int r = -ENOMEM, opened;

	if (!opening)
		return r;
	r = lab_build(run->plan, &watcher, &run->lab, err);
	if (building.drawn_ns)
		say_progress(NULL);
	opened = monitor_opening_finish(opening, &why, &run->monitor);
	if (r || !opened)
		return r;
	*err = why;
	return opened;
}

int run_build(struct run *run, struct error *err)
{
	int r = build(run, err);

	if (!r && run->options->stats)
		r = monitor_enable_stats(run->monitor, err); /* before it is given a frame: it tells of all */
	if (!r)
		r = attach_monitor(run, err);
	return r ?: lab_open_uplinks(run->lab, err);
}
