/* SPDX-License-Identifier: Apache-2.0 */
/* Labs out of the ordinary. One whose hosts one bridge has no ports for, with bridges of four ports instead of 1023 so that eight hosts
 * will do:
 *
 *     host0 host1 host2   host3 host4 host5   host6 host7
 *         └── br101 ──┘       └── br102 ──┘     └─ br103
 *                └──────────────┬┴───────────────┘
 *                             br100
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/net/dev.h"
#include "lab/net/down.h"
#include "lab/net/lab.h"
#include "lab/net/ns.h"
#include "lab/net/walk_start.h"
#include "tests/unit/t.h"

enum { HOSTS = 8, PORTS = 4, UDP_PORT = 7000 };

struct bed {
	struct scenario *scn;
	struct plan *plan;
	struct lab *lab;
	int home;
	int sockets[HOSTS]; /* bound to each host's VTEP */
};

static void bed_down(struct bed *b)
{
	for (int i = 0; i < HOSTS; i++)
		if (b->sockets[i] >= 0)
			close(b->sockets[i]);
	lab_free(b->lab);
	plan_free(b->plan);
	scenario_free(b->scn);
	close(b->home);
	free(b);
}

static void name_vtep(const struct bed *b, int host, struct sockaddr_in *ret)
{
	size_t len;

	*ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(UDP_PORT) };
	memcpy(&ret->sin_addr, addr_bytes(&b->plan->hosts[host].vtep, &len), 4);
}

static int open_socket(struct bed *b, int host, struct error *err)
{
	struct timeval patience = { .tv_sec = 5 };
	struct sockaddr_in sin;
	int r = ns_enter(b->lab->hosts[host], "a host", err);

	if (r)
		return r;
	name_vtep(b, host, &sin);
	b->sockets[host] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	eq_i64(setsockopt(b->sockets[host], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	eq_i64(bind(b->sockets[host], (struct sockaddr *)&sin, sizeof(sin)), 0);
	return ns_enter(b->home, "home", err);
}

/* Multicast reports of the tunnels would be flooded, and counted below: so these flood by unicast. */
static int build(struct bed *b, struct error *err)
{
	static const char text[] = "[lab]\nhosts = 8\nvnis = 1\nflood = unicast\n";
	struct scn_source source = { .text = text, .len = strlen(text) };
	struct scn_errors errors;
	int r = plan_load(&source, &b->scn, &b->plan, &errors);

	scn_errors_free(&errors);
	if (r)
		return r;
	b->plan->bridge_ports = PORTS;
	r = lab_build(b->plan, NULL, &b->lab, err);
	if (r == 0)
		r = lab_open_uplinks(b->lab, err);
	for (int i = 0; i < HOSTS && r == 0; i++)
		r = open_socket(b, i, err);
	return r;
}

static struct bed *bed_up(void)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct error err = { "" };

	b->home = ns_current();
	for (int i = 0; i < HOSTS; i++)
		b->sockets[i] = -1;
	if (geteuid() == 0 && build(b, &err) == 0)
		return b;
	if (geteuid() == 0)
		t_fail(__FILE__, __LINE__, "%s", err.text);
	bed_down(b);
	return NULL;
}

/* Lines that `command` prints in the fabric. */
static int count_lines(const struct bed *b, const char *command)
{
	char line[512];
	int n = 0;
	FILE *f;

	snprintf(line, sizeof(line), "nsenter --net=/proc/%d/fd/%d %s", (int)getpid(), b->lab->fabric, command);
	f = popen(line, "r");
	while (f && fgets(line, sizeof(line), f))
		n++;
	if (f)
		pclose(f);
	return n;
}

static uint64_t received_frames(const struct bed *b, int host)
{
	unsigned long long packets = 0;
	char line[512];
	struct error err;
	FILE *f;

	eq_i64(ns_enter(b->lab->hosts[host], "a host", &err), 0);
	f = fopen("/proc/thread-self/net/dev", "re");
	while (f && fgets(line, sizeof(line), f))
		(void)sscanf(line, " eth0: %*u %llu", &packets);
	if (f)
		fclose(f);
	eq_i64(ns_enter(b->home, "home", &err), 0);
	return packets;
}

static void send_to_all(const struct bed *b, int from)
{
	for (int to = 0; to < HOSTS; to++) {
		struct sockaddr_in sin;

		if (to == from)
			continue;
		name_vtep(b, to, &sin);
		eq_i64(sendto(b->sockets[from], "x", 1, 0, (struct sockaddr *)&sin, sizeof(sin)), 1);
	}
}

TEST(no_bridge_is_over_full_and_no_frame_is_flooded)
{
	struct bed *b = bed_up();
	char byte;

	if (!b && geteuid() != 0)
		skip("needs root: builds a lab");
	if (!b)
		return;
	eq_i64(count_lines(b, "ip -o link show master br100"), 3);
	eq_i64(count_lines(b, "ip -o link show master br101"), PORTS);
	eq_i64(count_lines(b, "ip -o link show master br102"), PORTS);
	eq_i64(count_lines(b, "ip -o link show master br103"), PORTS - 1);
	eq_i64(count_lines(b, "ip -o link"), 1 + 1 + 3 * 3 + HOSTS); /* with its loopback */
	for (int i = 0; i < HOSTS; i++)
		send_to_all(b, i);
	for (int i = 0; i < HOSTS; i++)
		for (int k = 0; k < HOSTS - 1; k++)
			eq_i64(recv(b->sockets[i], &byte, 1, 0), 1);
	for (int i = 0; i < HOSTS; i++)
		eq_u64(received_frames(b, i), HOSTS - 1); /* the first frame already went its way only */
	bed_down(b);
}

/* One frame from host0's uplink past its queue, while the far end is down: its device drops it. */
static void drop_frame(const struct bed *b)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = PLAN_IFINDEX_UPLINK };
	const char frame[ETH_ZLEN] = { 0 };
	struct error err;
	int one = 1, fd;

	eq_i64(ns_enter(b->lab->hosts[0], "a host", &err), 0);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	eq_i64(setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)), 0);
	ok(sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) < 0);
	close(fd);
	eq_i64(ns_enter(b->home, "home", &err), 0);
}

TEST(dropped_frames_count_from_the_start_of_traffic)
{
	struct bed *b = bed_up();
	struct walk_start *start;
	struct error err;
	uint64_t before;

	if (!b && geteuid() != 0)
		skip("needs root: builds a lab");
	if (!b)
		return;
	eq_i64(dev_set_down(b->lab->nl_fabric, &err, PLAN_IFINDEX_PORT, "p0"), 0);
	eq_i64(nl_flush(b->lab->nl_fabric, &err), 0);
	before = walk_count_drops(b->lab, NULL);
	drop_frame(b);
	eq_u64(walk_count_drops(b->lab, NULL), before + 1);
	start = walk_start_take(b->lab);
	eq_u64(walk_count_drops(b->lab, start), 0);
	drop_frame(b);
	eq_u64(walk_count_drops(b->lab, start), 1);
	walk_start_free(start);
	bed_down(b);
}

/* Beside what the plan makes host0 gets so many links that putting them into groups takes two datagrams, the second a short one. */
enum { VETH_PAIRS = 257, LINK_INDEX = 600000 };

static int add_links(struct lab *lab, struct error *err)
{
	int r = 0;

	for (uint32_t i = 0; i < VETH_PAIRS && !r; i++) {
		char near[IFNAMSIZ], far[IFNAMSIZ];
		struct dev_end one = { near, LINK_INDEX + 2 * i, PLAN_UNDERLAY_MTU, NULL };
		struct dev_end other = { far, LINK_INDEX + 2 * i + 1, PLAN_UNDERLAY_MTU, NULL };

		snprintf(near, sizeof(near), "near%u", i);
		snprintf(far, sizeof(far), "far%u", i);
		r = dev_add_veth(lab->nl_hosts[0], err, &one, 0, &other, lab->hosts[0]);
	}
	return r ?: nl_flush(lab->nl_hosts[0], err);
}

static void count_link(void *arg, uint32_t index, const char *kind)
{
	(void)index;
	*(unsigned *)arg += *kind != '\0';
}

TEST(a_host_with_many_links_is_taken_apart)
{
	static const char text[] = "[lab]\nhosts = 2\nvnis = 1\n";
	struct scn_source source = { .text = text, .len = strlen(text) };
	struct error err = { "" };
	struct scn_errors errors;
	struct down_progress progress = { 0 };
	struct scenario *scn;
	struct plan *plan;
	struct lab *lab = NULL;
	struct down *down = NULL;
	unsigned links = 0;

	if (geteuid() != 0)
		skip("needs root: builds a lab");
	eq_i64(plan_load(&source, &scn, &plan, &errors), 0);
	eq_i64(lab_build(plan, NULL, &lab, &err), 0);
	eq_i64(add_links(lab, &err), 0);
	eq_i64(nl_each_link(lab->nl_hosts[0], &err, count_link, &links), 0);
	ok(links > 512 && links < 530); /* one request each */
	eq_i64(down_start(lab, &down), 0);
	while (!progress.over) {
		struct pollfd p = { .fd = down_fd(down), .events = POLLIN };

		if (poll(&p, 1, 20000) != 1) {
			t_fail(__FILE__, __LINE__, "still waiting for the kernel after %u of %u hosts", progress.hosts, progress.n_hosts);
			_exit(1); /* the threads would be waited for */
		}
		down_read(down, &progress);
	}
	down_free(down);
	lab_free(lab);
	plan_free(plan);
	scenario_free(scn);
	scn_errors_free(&errors);
}
