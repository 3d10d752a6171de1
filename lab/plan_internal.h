/* SPDX-License-Identifier: Apache-2.0 */
/* Between the plan's own files. Nobody else includes this. */
#ifndef TUNLAB_PLAN_INTERNAL_H
#define TUNLAB_PLAN_INTERNAL_H

#include "lab/plan.h"

/* Fills generators, n_streams and n_flows from the scenario's [traffic] sections. Mistakes go to e;
 * 0 or -ENOMEM. */
int plan_make_traffic(struct plan *p, struct scn_errors *e);
/* Finds names in checks that the lab does not have. */
void plan_verify_checks(const struct plan *p, struct scn_errors *e);

#endif
