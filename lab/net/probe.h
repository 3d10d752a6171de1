/* SPDX-License-Identifier: Apache-2.0 */
/* Does the running kernel know a kind of device, queue or classifier? Asked for real, in a namespace that is thrown away: a request
 * that names the kind and lacks everything else is refused in one way by a kernel that knows it, in another by one that does not. */
#ifndef TUNLAB_NET_PROBE_H
#define TUNLAB_NET_PROBE_H

#include "lab/net/nl.h"

enum probe_what { PROBE_LINK, PROBE_QDISC, PROBE_CLASSIFIER };

/* `nl` is in the namespace to be thrown away. 1: known, 0: not known (no module could be loaded either), -errno: could not ask.
 * PROBE_CLASSIFIER needs PROBE_QDISC of clsact before it. */
int probe_kind(struct nl *nl, enum probe_what what, const char *kind);

#endif
