/* SPDX-License-Identifier: Apache-2.0 */
/* The network that tests of the engine send over, and the engine as the lab uses it.
 *
 *     c0 eth0 ──p0┐
 *     c1 eth0 ──p1┤ br0 (namespace "switch")       10.9.0.1 … 10.9.0.4, or fd00::1 … fd00::4
 *     c2 eth0 ──p2┤
 *     c3 eth0 ──p3┘   c3 answers to another address than the plan says: a peer that is not there
 */
#ifndef TUNLAB_TESTS_NETNS_LAN_H
#define TUNLAB_TESTS_NETNS_LAN_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab/net/dev.h"
#include "lab/net/ns.h"
#include "lab/traffic/engine.h"
#include "lab/traffic/packet.h"
#include "lab/traffic/transfer.h"
#include "tests/unit/t.h"

enum { CLIENTS = 4, ABSENT = 3, MTU = 1450, SWITCH = 1000, ETH0 = 2, ETH_IP4 = 14 + 20, ETH_IP6 = 14 + 40 };
/* A new interface repeats its multicast reports for up to two seconds (RFC 3810 9.11): packets, but none of ours. */
enum { MLD_MS = 2200 };
#define NS_PER_S 1000000000ULL

struct lan {
	int home;
	struct nl_batch *batch;
	struct ns_maker maker;
	struct nl *nl_switch, *nl[CLIENTS];
	int ns_switch, ns[CLIENTS];
	struct plan_client clients[CLIENTS];
	struct plan_vni vni;
	struct plan plan;
};

static inline int add_client(struct lan *l, uint32_t i, bool ipv6, struct error *err)
{
	struct dev_end far = {.name = "eth0", .index = ETH0, .mtu = MTU, .mac = l->clients[i].mac};
	char port[IFNAMSIZ], text[ADDR_STRLEN];
	struct dev_end near = {.name = port, .index = 10 + i, .mtu = MTU};
	struct ip_addr addr;
	int r;

	memcpy(l->clients[i].mac, (uint8_t[]){2, 0, 0, 0, 9, (uint8_t)i}, 6);
	snprintf(port, sizeof(port), "p%u", i);
	snprintf(text, sizeof(text), ipv6 ? "fd00::%u" : "10.9.0.%u", i + 1);
	(void)addr_parse(text, &l->clients[i].addr);
	snprintf(text, sizeof(text), ipv6 ? "fd00::%u" : "10.9.0.%u", i == ABSENT ? 99 : i + 1);
	(void)addr_parse(text, &addr);
	l->ns[i] = ns_create(&l->maker, "a client", &l->nl[i], err);
	if (l->ns[i] < 0)
		return l->ns[i];
	r = ipv6 ? ns_allow_ipv6(&l->maker, "default", "a client", err) : 0;
	if (r == 0)
		r = dev_add_veth(l->nl_switch, err, &near, SWITCH, &far, l->ns[i]);
	if (r == 0)
		r = nl_flush(l->nl_switch, err);
	if (r == 0)
		r = dev_set_up(l->nl[i], err, ETH0, "eth0");
	if (r == 0)
		r = dev_add_address(l->nl[i], err, ETH0, &addr, ipv6 ? 64 : 24);
	if (r == 0)
		r = nl_flush(l->nl[i], err);
	return r ? r : nl_settle_carrier(l->nl_switch, err, port);
}

static inline void lan_down(struct lan *l)
{
	if (!l)
		return;
	nl_close(l->nl_switch);
	for (int i = 0; i < CLIENTS; i++) {
		nl_close(l->nl[i]);
		if (l->ns[i] >= 0)
			close(l->ns[i]);
	}
	if (l->ns_switch >= 0)
		close(l->ns_switch);
	ns_maker_close(&l->maker);
	nl_batch_free(l->batch);
	close(l->home);
	free(l);
}

/* NULL: may not, or a failure that has been reported. */
static inline struct lan *lan_up(bool ipv6)
{
	struct lan *l = calloc(1, sizeof(*l));
	struct error err = {""};
	int r;

	if (geteuid() != 0)
		return NULL;
	l->home = ns_current();
	l->batch = nl_batch_new();
	l->maker = (struct ns_maker)NS_MAKER(l->batch);
	for (int i = 0; i < CLIENTS; i++)
		l->ns[i] = -1;
	l->plan.clients = l->clients;
	l->plan.n_clients = CLIENTS;
	l->vni.n_clients = CLIENTS;
	l->plan.vnis = &l->vni;
	l->plan.n_vnis = 1;
	r = l->ns_switch = ns_create(&l->maker, "the switch", &l->nl_switch, &err);
	if (r >= 0)
		r = dev_add_bridge(l->nl_switch, &err, "br0", SWITCH, MTU);
	for (uint32_t i = 0; r == 0 && i < CLIENTS; i++)
		r = add_client(l, i, ipv6, &err);
	(void)ns_enter(l->home, "home", &err);
	if (r == 0)
		return l;
	t_fail(__FILE__, __LINE__, "%s", err.text);
	lan_down(l);
	return NULL;
}

#define LAN_OR_SKIP(l, ipv6)                                                                                           \
	struct lan *l = lan_up(ipv6);                                                                                  \
	if (!l && geteuid() != 0)                                                                                      \
		skip("needs root: makes network namespaces");                                                          \
	if (!l)                                                                                                        \
		return

/* ---- what the kernel counted ---- */

struct interface_count {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
};

static inline struct interface_count read_counts(const struct lan *l, int client)
{
	struct interface_count n = {0};
	struct error err;
	char line[512];
	FILE *f;

	(void)ns_enter(l->ns[client], "a client", &err);
	f = fopen("/proc/thread-self/net/dev", "re");
	while (f && fgets(line, sizeof(line), f)) {
		char *at = strstr(line, "eth0:");

		if (at)
			(void)sscanf(at + 5, "%" SCNu64 " %" SCNu64 " %*u %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
				     &n.rx_bytes, &n.rx_packets, &n.tx_bytes, &n.tx_packets);
	}
	if (f)
		fclose(f);
	(void)ns_enter(l->home, "home", &err);
	return n;
}

static inline struct interface_count counts_since(const struct lan *l, int client, struct interface_count before)
{
	struct interface_count n = read_counts(l, client);

	n.rx_packets -= before.rx_packets;
	n.rx_bytes -= before.rx_bytes;
	n.tx_packets -= before.tx_packets;
	n.tx_bytes -= before.tx_bytes;
	return n;
}

static inline int socket_in(const struct lan *l, int client, int family, int type, int protocol)
{
	struct error err;
	int fd;

	(void)ns_enter(l->ns[client], "a client", &err);
	fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	(void)ns_enter(l->home, "home", &err);
	return fd;
}

static inline void set_link(const struct lan *l, int client, bool up)
{
	int fd = socket_in(l, client, AF_INET, SOCK_DGRAM, 0);
	struct ifreq request = {.ifr_name = "eth0"};

	(void)ioctl(fd, SIOCGIFFLAGS, &request);
	request.ifr_flags = (short)(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
	eq_i64(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

/* ---- the engine, as the lab uses it ---- */

static inline uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static inline void sleep_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Waits for one event; others are dropped, but death ends the wait. */
static inline bool await(struct engine *e, enum engine_event_type type, struct engine_event *ret)
{
	uint64_t end_ns = clock_ns() + 10 * NS_PER_S;

	while (clock_ns() < end_ns) {
		struct pollfd p = {.fd = engine_fd(e), .events = POLLIN};

		while (engine_read_event(e, ret) == 1) {
			if (ret->type == type)
				return true;
			if (ret->type == ENGINE_DIED)
				return t_fail(__FILE__, __LINE__, "%s", ret->text);
			if (ret->type == ENGINE_FAILED)
				t_note("%s", ret->text);
		}
		(void)poll(&p, 1, 100);
	}
	return t_fail(__FILE__, __LINE__, "no event %d in 10 s", type);
}

static inline struct engine *start(const struct lan *l)
{
	struct engine *e = NULL;

	eq_i64(engine_start(&l->plan, l->ns, 100, &e), 0);
	return e;
}

static inline uint32_t add(struct engine *e, enum scn_proto proto, double pps, uint32_t from, const uint32_t *peers,
		    uint32_t n_peers, uint32_t size, uint64_t stop_ms)
{
	struct generator_spec spec = {
		.client = from,
		.peers = peers,
		.n_peers = n_peers,
		.proto = proto,
		.rate = {.unit = pps > 0 ? RATE_PPS : RATE_MAXIMUM, .value = pps},
		.size = size,
		.stop_ns = stop_ms * 1000000,
	};
	uint32_t number = 0;

	eq_i64(engine_add(e, &spec, &number), 0);
	return number;
}

/* What the timetable held: departures made, refused by the kernel, or given up because this machine stalled. */
static inline uint64_t departures(const struct engine *e, uint32_t generator)
{
	const struct generator_count *g = engine_generator(e, generator);
	uint64_t n = g->missed;

	for (uint32_t i = 0; i < g->n_streams; i++)
		n += engine_stream(e, g->stream0 + i)->sent + engine_stream(e, g->stream0 + i)->send_errors;
	return n;
}

static inline void run_for(struct engine *e, unsigned ms)
{
	struct engine_event event;

	eq_i64(engine_go(e, clock_ns()), 0);
	sleep_ms(ms);
	eq_i64(engine_drain(e), 0);
	await(e, ENGINE_DRAINED, &event);
}

/* Until each generator has sent as many packets as it was to. */
static inline void run_out(struct engine *e)
{
	struct engine_event event;

	eq_i64(engine_go(e, clock_ns()), 0);
	for (uint32_t i = 0; i < engine_generators(e); i++)
		await(e, ENGINE_DONE, &event);
}

#endif
