/* SPDX-License-Identifier: Apache-2.0 */
/* monitor/ports.c: what a user says of UDP ports. */
#include "monitor/flows.h"
#include "monitor/ports.h"
#include "tests/unit/t.h"

static struct flow_port ports[FLOW_PORTS_MAX];

static int change(const char *text)
{
	struct error err = { "" };
	int r = ports_change(ports, text, &err);

	ok((r != 0) == (*err.text != '\0'));
	return r;
}

static unsigned count(unsigned port, unsigned encap)
{
	unsigned n = 0;

	for (int i = 0; i < FLOW_PORTS_MAX; i++)
		n += ports[i].port && (!port || ports[i].port == port) && ports[i].encap == encap;
	return n;
}

static void begin(void)
{
	memcpy(ports, flow_ports_default, sizeof(ports));
}

TEST(an_encapsulation_gets_other_ports)
{
	begin();
	eq_i64(change("vxlan=9999,4789,12"), 0);
	eq_u64(count(9999, ENCAP_VXLAN), 1);
	eq_u64(count(0, ENCAP_VXLAN), 3);
	eq_u64(count(6081, ENCAP_GENEVE), 1);
	eq_i64(change("geneve="), 0);
	eq_u64(count(0, ENCAP_GENEVE), 0);
	eq_i64(change("gtp-u=6081"), 0);
	eq_i64(change("vxlan-gpe=1,2,3,4"), 0);
	eq_u64(count(0, ENCAP_VXLAN_GPE), 4);
}

TEST(what_makes_no_sense_changes_nothing)
{
	static const char *const bad[] = {
		"", "vxlan", "=4789", "gre=5", "vxlan=0", "vxlan=65536", "vxlan=4789 8472", "vxlan=,4789", "vxlan=4789,4789", "vxlan=-1",
		"vxlan=6081", "vxlan=1,2,3,4,5,6", "vxlan=0x12", "VXLAN=4789", "vxlan=99999999999999999999",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		begin();
		if (!eq_i64(change(bad[i]), -22))
			t_fail(__FILE__, __LINE__, "%s", bad[i]);
		ok(memcmp(ports, flow_ports_default, sizeof(ports)) == 0);
	}
}
