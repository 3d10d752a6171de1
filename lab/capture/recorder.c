/* SPDX-License-Identifier: Apache-2.0 */
/* Frames to bytes; see recorder.h. */
#include "lab/capture/recorder.h"

#include <cjson/cJSON.h>
#include <net/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/units.h"
#include "lab/capture/line.h"
#include "lab/capture/pcapng.h"

/* In the order they were first seen, which is their number in the file. */
struct interface {
	uint32_t ifindex;
	uint32_t mtu; /* 0: unknown */
	char name[IFNAMSIZ];
	uint64_t frames;
};

struct recorder {
	struct recorder_config config;
	struct text bytes;
	struct interface *interfaces;
	uint32_t n;
};

/* ---- names of addresses ---- */

struct name {
	struct ip_addr addr;
	const char *name; /* the document's */
};

static int compare_names(const void *a, const void *b)
{
	return memcmp(&((const struct name *)a)->addr, &((const struct name *)b)->addr, sizeof(struct ip_addr));
}

static size_t collect_names(const cJSON *list, const char *key, struct name *names, size_t n)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(item, "name"));
		const char *addr = cJSON_GetStringValue(cJSON_GetObjectItem(item, key));

		if (name && addr && !addr_parse(addr, &names[n].addr))
			names[n++].name = name;
	}
	return n;
}

/* An address that several clients have, in different VNIs, has no name. */
static void put_names(struct text *out, const cJSON *lab)
{
	const cJSON *hosts = cJSON_GetObjectItem(lab, "hosts"), *clients = cJSON_GetObjectItem(lab, "clients");
	size_t room = (size_t)cJSON_GetArraySize(hosts) + (size_t)cJSON_GetArraySize(clients), n = 0;
	struct name *names = room ? calloc(room, sizeof(*names)) : NULL;
	struct pcapng_names block;

	if (!names) {
		out->failed |= room > 0;
		return;
	}
	n = collect_names(hosts, "vtep", names, n);
	n = collect_names(clients, "address", names, n);
	qsort(names, n, sizeof(*names), compare_names);
	pcapng_names_begin(out, &block);
	for (size_t i = 0; i < n; i++)
		if ((i == 0 || compare_names(&names[i], &names[i - 1])) && (i == n - 1 || compare_names(&names[i], &names[i + 1])))
			pcapng_name(out, &names[i].addr, names[i].name);
	pcapng_names_end(out, &block);
	free(names);
}

struct recorder *recorder_new(const struct recorder_config *config)
{
	struct recorder *r = calloc(1, sizeof(*r));
	struct utsname u = { .sysname = "" };
	char system[2 * sizeof(u.sysname) + 2];

	if (!r)
		return NULL;
	r->config = *config;
	r->config.lab = NULL; /* from here on it may be gone */
	if (config->lines)
		return r;
	(void)uname(&u);
	(void)snprintf(system, sizeof(system), "%s %s", u.sysname, u.release);
	pcapng_section(&r->bytes, system, "tunlab");
	put_names(&r->bytes, config->lab);
	return r;
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	text_free(&r->bytes);
	free(r->interfaces);
	free(r);
}

/* ---- interfaces ---- */

static void ask_interface(int fd, struct interface *i)
{
	struct ifreq req = { .ifr_ifindex = (int)i->ifindex };

	if (ioctl(fd, SIOCGIFNAME, &req)) { /* it is gone already */
		(void)snprintf(i->name, sizeof(i->name), "if%u", i->ifindex);
		return;
	}
	memcpy(i->name, req.ifr_name, sizeof(i->name));
	if (!ioctl(fd, SIOCGIFMTU, &req))
		i->mtu = (uint32_t)req.ifr_mtu;
}

static struct interface *add_interface(struct recorder *r, const struct ring_frame *f)
{
	struct interface *grown = realloc(r->interfaces, (r->n + 1) * sizeof(*grown)), *new;
	bool ethernet = f->arp_type == ARPHRD_ETHER || f->arp_type == ARPHRD_LOOPBACK;
	char description[96];

	if (!grown) {
		r->bytes.failed = true;
		return NULL;
	}
	r->interfaces = grown;
	new = &grown[r->n++];
	*new = (struct interface) { .ifindex = f->ifindex };
	ask_interface(r->config.interfaces_fd, new);
	(void)snprintf(description, sizeof(description), "%s in %s", new->name, r->config.where);
	if (!r->config.lines)
		pcapng_interface(&r->bytes, ethernet ? PCAPNG_ETHERNET : PCAPNG_RAW_IP, new->name, description);
	return new;
}

static struct interface *find_interface(struct recorder *r, const struct ring_frame *f)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (r->interfaces[i].ifindex == f->ifindex)
			return &r->interfaces[i];
	return add_interface(r, f);
}

/* ---- frames ---- */

static void add_packet(struct recorder *r, const struct interface *i, const struct ring_frame *f)
{
	static const enum pcapng_reception receptions[] = {
		[PACKET_HOST] = PCAPNG_UNICAST, [PACKET_BROADCAST] = PCAPNG_BROADCAST, [PACKET_MULTICAST] = PCAPNG_MULTICAST,
		[PACKET_OTHERHOST] = PCAPNG_OTHERHOST, [PACKET_OUTGOING] = PCAPNG_UNSPECIFIED,
	};
	bool known = f->packet_type < sizeof(receptions) / sizeof(receptions[0]);
	struct pcapng_packet p = {
		.interface = (uint32_t)(i - r->interfaces), .time_ns = f->time_ns, .data = f->data, .captured = f->captured, .len = f->len,
		.direction = !known ? PCAPNG_UNKNOWN : f->packet_type == PACKET_OUTGOING ? PCAPNG_OUT : PCAPNG_IN,
		.reception = known ? receptions[f->packet_type] : PCAPNG_UNSPECIFIED,
	};
	char comment[96];

	if (i->mtu && f->len > i->mtu + ETH_HLEN + 4) { /* 4: a VLAN tag */
		(void)snprintf(comment, sizeof(comment), "segmentation offload: several wire packets in one (MTU %u)", i->mtu);
		p.comment = comment;
	}
	pcapng_packet(&r->bytes, &p);
}

static void add_line(struct recorder *r, const struct interface *i, const struct ring_frame *f)
{
	time_t seconds = (time_t)(f->time_ns / SECOND_NS);
	struct tm t;

	(void)localtime_r(&seconds, &t);
	text_printf(&r->bytes, "%02d:%02d:%02d.%09u %-6s %-3s ", t.tm_hour, t.tm_min, t.tm_sec, (unsigned)(f->time_ns % SECOND_NS), i->name,
		    f->packet_type == PACKET_OUTGOING ? "out" : "in");
	line_describe(&r->bytes, r->config.ports, f->data, f->captured, f->len);
	text_char(&r->bytes, '\n', 1);
}

void recorder_add(struct recorder *r, const struct ring_frame *f)
{
	struct interface *i = find_interface(r, f);

	if (!i)
		return;
	i->frames++;
	if (r->config.lines)
		add_line(r, i, f);
	else
		add_packet(r, i, f);
}

void recorder_end(struct recorder *r, uint64_t start_ns, uint64_t end_ns, uint64_t dropped)
{
	for (uint32_t i = 0; i < r->n && !r->config.lines; i++) {
		struct pcapng_statistics s = {
			.interface = i, .start_ns = start_ns, .end_ns = end_ns, .received = r->interfaces[i].frames,
			.comment = r->n > 1 ? "drops are of all interfaces together, and stand with the first" : NULL,
		};

		if (i == 0) {
			s.dropped = dropped;
			s.received += dropped;
		}
		pcapng_statistics(&r->bytes, &s);
	}
}

struct text *recorder_bytes(struct recorder *r)
{
	return &r->bytes;
}

unsigned recorder_interfaces(const struct recorder *r)
{
	return r->n;
}
