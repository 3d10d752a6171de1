/* SPDX-License-Identifier: Apache-2.0 */
/* All rows about packets, numbered through; see packets.h. */
#ifndef TUNLAB_TESTS_PACKET_CASES_H
#define TUNLAB_TESTS_PACKET_CASES_H

#include "tests/unit/packets_inside.h"
#include "tests/unit/packets_tunnels.h"
#include "tests/unit/packets_vxlan.h"

enum {
	N_VXLAN_CASES = sizeof(vxlan_cases) / sizeof(vxlan_cases[0]),
	N_TUNNEL_CASES = sizeof(tunnel_cases) / sizeof(tunnel_cases[0]),
	N_INSIDE_CASES = sizeof(inside_cases) / sizeof(inside_cases[0]),
	N_PACKET_CASES = N_VXLAN_CASES + N_TUNNEL_CASES + N_INSIDE_CASES
};

static inline const struct packet_case *packet_case(int i)
{
	if (i < N_VXLAN_CASES)
		return &vxlan_cases[i];
	i -= N_VXLAN_CASES;
	return i < N_TUNNEL_CASES ? &tunnel_cases[i] : &inside_cases[i - N_TUNNEL_CASES];
}

#endif
