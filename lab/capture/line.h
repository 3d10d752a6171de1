/* SPDX-License-Identifier: Apache-2.0 */
/* A frame in one line, for people: outer addresses, tunnel, VNI, inner addresses, by the monitor's own parser. Pure. */
#ifndef TUNLAB_CAPTURE_LINE_H
#define TUNLAB_CAPTURE_LINE_H

#include "base/text.h"
#include "bpf/flow.h"

/* Adds "172.16.1.100 > 172.16.1.108 vxlan 10002: 192.168.2.1 > 192.168.2.9 ipv4/udp, 142 bytes". `captured` bytes of an Ethernet frame
 * of `len`; `ports` as for the monitor. */
void line_describe(struct text *out, const struct flow_port ports[FLOW_PORTS_MAX], const void *data, uint32_t captured, uint32_t len);

#endif
