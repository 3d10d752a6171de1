/* SPDX-License-Identifier: Apache-2.0 */
/* Names of what numbers in a flow key mean, spelled as the contract does; declared in flows.h. */
#include <stdio.h>

#include "bpf/parse.h"
#include "monitor/flows.h"

static const char *const encap_names[ENCAP_MAX] = {
	[ENCAP_NONE] = "none",
	[ENCAP_VXLAN] = "vxlan",
};

static const char *const verdict_names[VERDICT_MAX] = {
	[VERDICT_FLOW] = "flow",
	[VERDICT_OTHER] = "other",
	[VERDICT_TRUNCATED] = "truncated",
	[VERDICT_MALFORMED] = "malformed",
	[VERDICT_UNKNOWN] = "unknown",
	[VERDICT_OTHERHOST] = "otherhost",
	[VERDICT_LOST] = "lost",
};

/* Protocols that stand for what users send; all others stay numbers. */
static const char *const ipproto_names[256] = {
	[1] = "icmp",
	[2] = "igmp",
	[6] = "tcp",
	[17] = "udp",
	[47] = "gre",
	[50] = "esp",
	[51] = "ah",
	[58] = "icmpv6",
	[132] = "sctp",
};

/* Of EtherTypes the contract names one; the others are numbers. */
enum { ETH_TYPE_ARP = 0x0806 };

const char *encap_name(unsigned int encap)
{
	return encap < ENCAP_MAX ? encap_names[encap] : "?";
}

const char *verdict_name(unsigned int verdict)
{
	return verdict < VERDICT_MAX ? verdict_names[verdict] : "?";
}

const char *flow_proto_name(uint16_t ethertype, uint8_t ipproto, char *buf)
{
	int version = ethertype == ETH_TYPE_IPV4 ? 4 : 6;
	const char *name = ipproto_names[ipproto];
	int ret = 0;

	if (ethertype == FLOW_LLC)
		ret = snprintf(buf, FLOW_PROTO_SIZE, "llc");
	else if (ethertype == ETH_TYPE_ARP)
		ret = snprintf(buf, FLOW_PROTO_SIZE, "arp");
	else if (ethertype != ETH_TYPE_IPV4 && ethertype != ETH_TYPE_IPV6)
		ret = snprintf(buf, FLOW_PROTO_SIZE, "0x%04x", ethertype);
	else if (name)
		ret = snprintf(buf, FLOW_PROTO_SIZE, "ipv%d/%s", version, name);
	else
		ret = snprintf(buf, FLOW_PROTO_SIZE, "ipv%d/%u", version, ipproto);
	(void)ret; /* the longest, "ipv6/icmpv6", fits */
	return buf;
}
