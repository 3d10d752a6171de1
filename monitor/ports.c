/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ports; see ports.h. */
#include "monitor/ports.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/flows.h"

/* What travels in UDP; the others have IP protocol numbers of their own. */
static const uint8_t in_udp[] = { ENCAP_VXLAN, ENCAP_VXLAN_GPE, ENCAP_GENEVE, ENCAP_GTPU };

static int find_encap(const char *name, size_t len, uint8_t *ret)
{
	for (size_t i = 0; i < sizeof(in_udp); i++) {
		const char *own = encap_name(in_udp[i]);

		if (strlen(own) == len && memcmp(own, name, len) == 0) {
			*ret = in_udp[i];
			return 0;
		}
	}
	return -EINVAL;
}

static int read_port(const char **at, uint16_t *ret)
{
	size_t digits = strspn(*at, "0123456789");
	unsigned long v = digits && digits <= 5 ? strtoul(*at, NULL, 10) : 0;

	if (!v || v > UINT16_MAX || ((*at)[digits] && (*at)[digits] != ','))
		return -EINVAL;
	*at += digits + ((*at)[digits] == ',');
	*ret = (uint16_t)v;
	return 0;
}

static bool has_port(const struct flow_port *ports, size_t n, uint16_t port)
{
	for (size_t i = 0; i < n; i++)
		if (ports[i].port == port)
			return true;
	return false;
}

int ports_change(struct flow_port *ports, const char *text, struct error *err)
{
	struct flow_port new[FLOW_PORTS_MAX] = { { 0 } };
	const char *equals = strchr(text, '='), *at;
	uint16_t port = 0;
	uint8_t encap;
	size_t n = 0;

	if (!equals || find_encap(text, (size_t)(equals - text), &encap)) {
		error_set(err, "%s: want vxlan, vxlan-gpe, geneve or gtp-u, then '=' and its UDP ports, as vxlan=4789,8472", text);
		return -EINVAL;
	}
	for (size_t i = 0; i < FLOW_PORTS_MAX; i++)
		if (ports[i].port && ports[i].encap != encap)
			new[n++] = ports[i];
	for (at = equals + 1; *at; n++) {
		if (read_port(&at, &port)) {
			error_set(err, "%s: want ports from 1 to 65535, with commas between them", text);
			return -EINVAL;
		}
		if (has_port(new, n, port)) {
			error_set(err, "%s: port %u is given twice", text, port);
			return -EINVAL;
		}
		if (n == FLOW_PORTS_MAX) {
			error_set(err, "%s: more than %d ports of all encapsulations; another one can give its own up, as geneve=", text,
				  FLOW_PORTS_MAX);
			return -EINVAL;
		}
		new[n] = (struct flow_port) { .port = port, .encap = encap };
	}
	memcpy(ports, new, sizeof(new));
	return 0;
}
