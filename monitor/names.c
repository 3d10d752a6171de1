/* SPDX-License-Identifier: Apache-2.0 */
/* Names of what numbers mean, spelled as the contract does; declared in flows.h and monitor.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "bpf/parse.h"
#include "monitor/flows.h"
#include "monitor/monitor.h"

const char *const monitor_parser_names[MONITOR_PARSER_MAX] = {
	[MONITOR_DIRECT] = "direct",
	[MONITOR_TAILCALL] = "tailcall",
};

int monitor_parser_find(const char *name, struct error *err)
{
	for (int i = 0; i < MONITOR_PARSER_MAX; i++) {
		if (!name || strcmp(monitor_parser_names[i], name) == 0)
			return i;
	}
	error_set(err, "there is no parser '%s': %s or %s", name, monitor_parser_names[MONITOR_DIRECT],
		  monitor_parser_names[MONITOR_TAILCALL]);
	return -EINVAL;
}

static const struct {
	const char *name;
	bool has_vni;
} encaps[ENCAP_MAX] = {
	[ENCAP_NONE] = {"none", false},
	[ENCAP_VXLAN] = {"vxlan", true},
	[ENCAP_VXLAN_GPE] = {"vxlan-gpe", true},
	[ENCAP_GENEVE] = {"geneve", true},
	[ENCAP_GRE] = {"gre", true},
	[ENCAP_GRE_NO_KEY] = {"gre", false},
	[ENCAP_GRETAP] = {"gretap", true},
	[ENCAP_GRETAP_NO_KEY] = {"gretap", false},
	[ENCAP_ERSPAN1] = {"erspan1", false},
	[ENCAP_ERSPAN2] = {"erspan2", true},
	[ENCAP_ERSPAN3] = {"erspan3", true},
	[ENCAP_4IN4] = {"4in4", false},
	[ENCAP_6IN4] = {"6in4", false},
	[ENCAP_4IN6] = {"4in6", false},
	[ENCAP_6IN6] = {"6in6", false},
	[ENCAP_GTPU] = {"gtp-u", true},
};

const struct flow_port flow_ports_default[FLOW_PORTS_MAX] = {
	{.port = 4789, .encap = ENCAP_VXLAN},     /* first: the commonest is found at once */
	{.port = 8472, .encap = ENCAP_VXLAN},
	{.port = 4790, .encap = ENCAP_VXLAN_GPE},
	{.port = 6081, .encap = ENCAP_GENEVE},
	{.port = 2152, .encap = ENCAP_GTPU},
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
	return encap < ENCAP_MAX ? encaps[encap].name : "?";
}

int64_t flow_vni(const struct flow_key *key)
{
	return key->encap < ENCAP_MAX && encaps[key->encap].has_vni ? (int64_t)key->vni : -1;
}

bool flow_has_inner_ip(const struct flow_key *key)
{
	return key->inner_ethertype == ETH_TYPE_IPV4 || key->inner_ethertype == ETH_TYPE_IPV6;
}

const char *flow_inner_text(const struct flow_key *key, const uint8_t bytes[16], char *buf)
{
	struct ip_addr a;

	if (!flow_has_inner_ip(key))
		return NULL;
	memcpy(a.b, bytes, sizeof(a.b));
	return key->inner_ethertype == ETH_TYPE_IPV6 ? inet_ntop(AF_INET6, a.b, buf, ADDR_STRLEN) : addr_format(&a, buf);
}

const char *verdict_name(unsigned int verdict)
{
	return verdict < VERDICT_MAX ? verdict_names[verdict] : "?";
}

const char *flow_proto_name(uint16_t ethertype, uint8_t ipproto, char *buf)
{
	int version = ethertype == ETH_TYPE_IPV4 ? 4 : 6;
	int number = ethertype == FLOW_NOT_IPV4   ? ETH_TYPE_IPV4
		     : ethertype == FLOW_NOT_IPV6 ? ETH_TYPE_IPV6
						  : ethertype;
	const char *name = ipproto_names[ipproto];
	int ret = 0;

	if (ethertype == FLOW_LLC)
		ret = snprintf(buf, FLOW_PROTO_SIZE, "llc");
	else if (ethertype == FLOW_AGED)
		ret = snprintf(buf, FLOW_PROTO_SIZE, "aged");
	else if (ethertype == FLOW_NO_TYPE)
		ret = snprintf(buf, FLOW_PROTO_SIZE, "unknown");
	else if (ethertype == ETH_TYPE_ARP)
		ret = snprintf(buf, FLOW_PROTO_SIZE, "arp");
	else if (ethertype != ETH_TYPE_IPV4 && ethertype != ETH_TYPE_IPV6)
		ret = snprintf(buf, FLOW_PROTO_SIZE, "0x%04x", number);
	else if (name)
		ret = snprintf(buf, FLOW_PROTO_SIZE, "ipv%d/%s", version, name);
	else
		ret = snprintf(buf, FLOW_PROTO_SIZE, "ipv%d/%u", version, ipproto);
	(void)ret; /* the longest, "ipv6/icmpv6", fits */
	return buf;
}
