/* SPDX-License-Identifier: Apache-2.0 */
/* UDP ports as a user gives them: "vxlan=4789,8472". Pure. */
#ifndef TUNLAB_MONITOR_PORTS_H
#define TUNLAB_MONITOR_PORTS_H

#include "base/error.h"
#include "bpf/flow.h"

/* Replaces the ports that `ports` ([FLOW_PORTS_MAX], to begin with flow_ports_default) gives that encapsulation; none are left after
 * "geneve=". -EINVAL: *err says what is wrong, and ports are as they were. */
int ports_change(struct flow_port *ports, const char *text, struct error *err);

#define PORTS_HELP "ENCAP=PORTS"

#endif
