/* SPDX-License-Identifier: Apache-2.0 */
/* Impaired links on a real kernel: what generators, sinks and the monitor say of them agrees, and nothing is left behind.
 *
 *     c0 ─ host0 eth0 ──p0┐
 *     c1 ─ host1 eth0 ──p1┤ br100        the link of host1 is the one that is changed; one VNI
 *     c2 ─ host2 eth0 ──p2┘
 */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bpf/loss.h"
#include "lab/cmd/privilege.h"
#include "lab/net/link.h"
#include "lab/net/ns.h"
#include "lab/traffic/engine.h"
#include "monitor/flows.h"
#include "monitor/monitor.h"
#define T_AT_ONCE 4
#include "tests/unit/t.h"

enum { HOST = 1, SEED = 7, MBIT = 1000000, WIRE = 14 + 20 + 8 + 8 + 14 + 20 /* around an inner IPv4 payload */ };
#define NS_PER_S 1000000000ull

struct bed {
	struct scenario *scn;
	struct plan *plan;
	struct lab *lab;
	struct monitor *monitor;
	struct engine *engine;
	struct links *links;
	struct flow_table flows;
	int home;
};

static void bed_down(struct bed *b)
{
	links_free(b->links);
	engine_end(b->engine);
	monitor_free(b->monitor);
	lab_free(b->lab);
	flows_free(&b->flows);
	plan_free(b->plan);
	scenario_free(b->scn);
	close(b->home);
	free(b);
}

static int build(struct bed *b, const char *text, struct error *err)
{
	struct scn_source source = {.text = text, .len = strlen(text)};
	struct monitor_config config = {.base_ifindex = PLAN_IFINDEX_UPLINK};
	struct scn_errors errors;
	int r = plan_load(&source, &b->scn, &b->plan, &errors);

	scn_errors_free(&errors);
	if (r == 0)
		r = lab_build(b->plan, NULL, &b->lab, err);
	config.n_hosts = r == 0 ? b->plan->n_hosts : 0;
	if (r == 0)
		r = monitor_open(&config, err, &b->monitor);
	for (uint32_t i = 0; r == 0 && i < b->plan->n_hosts; i++)
		r = monitor_attach(b->monitor, b->lab->hosts[i], PLAN_IFINDEX_UPLINK + i, err);
	if (r == 0)
		r = lab_open_uplinks(b->lab, err);
	if (r == 0)
		r = engine_start(b->plan, b->lab->clients, 100, &b->engine);
	return r ? r : links_open(b->lab, SEED, &b->links, err);
}

/* NULL: may not, or a failure that has been reported. */
static struct bed *bed_up(const char *text)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct error err = {""};

	b->home = ns_current();
	if (geteuid() == 0 && build(b, text, &err) == 0)
		return b;
	if (geteuid() == 0)
		t_fail(__FILE__, __LINE__, "%s", err.text);
	bed_down(b);
	return NULL;
}

static const char *const plain = "[lab]\nhosts = 3\nvnis = 10000\n";

#define BED_OR_SKIP(b, text)                                                                                           \
	struct bed *b = bed_up(text);                                                                                  \
	if (!b && geteuid() != 0)                                                                                      \
		skip("needs root: builds labs");                                                                       \
	if (!b)                                                                                                        \
		return

/* ---- the kernel as tc, bridge and ip tell it ---- */

/* What a command prints in a namespace; static storage for four answers. */
static const char *tell(int netns, const char *command)
{
	static char answers[4][4096];
	static unsigned turn;
	char *answer = answers[turn++ % 4], line[256];
	size_t n = 0;
	FILE *f;

	snprintf(line, sizeof(line), "nsenter --net=/proc/%d/fd/%d %s", (int)getpid(), netns, command);
	f = popen(line, "r");
	if (f) {
		n = fread(answer, 1, sizeof(answers[0]) - 1, f);
		pclose(f);
	}
	answer[n] = '\0';
	return answer;
}

static const char *tell_uplink(struct bed *b)
{
	return tell(b->lab->hosts[HOST], "tc qdisc show dev eth0");
}

static const char *tell_port(struct bed *b)
{
	return tell(b->lab->fabric, "tc qdisc show dev p1");
}

/* ---- traffic ---- */

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void sleep_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Waits for an event; others are dropped, but a failure ends the wait. */
static bool await(struct bed *b, enum engine_event_type type)
{
	uint64_t end_ns = clock_ns() + 20 * NS_PER_S;
	struct engine_event e;

	while (clock_ns() < end_ns) {
		struct pollfd p = {.fd = engine_fd(b->engine), .events = POLLIN};

		while (engine_read_event(b->engine, &e) == 1) {
			if (e.type == type)
				return true;
			if (e.type == ENGINE_DIED || e.type == ENGINE_FAILED)
				return t_fail(__FILE__, __LINE__, "%s", e.text);
		}
		(void)poll(&p, 1, 100);
	}
	return t_fail(__FILE__, __LINE__, "no event %d in 20 s", type);
}

/* A generator from one client to another, ready to start: its only stream. 0 pps: as fast as it goes; 0 packets: until stopped. */
static const struct stream_count *add(struct bed *b, uint32_t from, uint32_t to, enum scn_proto proto, double pps, uint32_t size,
				      uint64_t count)
{
	struct generator_spec spec = {
		.client = from, .peers = &to, .n_peers = 1, .proto = proto, .rate = {pps > 0 ? RATE_PPS : RATE_MAXIMUM, pps}, .size = size, .count = count,
	};
	uint32_t number = 0;

	eq_i64(engine_add(b->engine, &spec, &number), 0);
	(void)await(b, ENGINE_WARM);
	return engine_stream(b->engine, engine_generator(b->engine, number)->stream0);
}

/* What the monitor has of the packets of a protocol from one client to another. */
static struct flow_value observed(struct bed *b, uint32_t from, uint32_t to, uint8_t ipproto)
{
	struct flow_value sum = {0};

	eq_i64(flows_read(b->monitor, &b->flows), 0);
	for (size_t i = 0; i < b->flows.n; i++) {
		const struct flow_row *row = &b->flows.rows[i];

		if (row->key.inner_ipproto != ipproto || memcmp(row->key.inner_src, b->plan->clients[from].addr.b, 16) ||
		    memcmp(row->key.inner_dst, b->plan->clients[to].addr.b, 16))
			continue;
		flow_count_add(&sum.tx, &row->value.tx);
		flow_count_add(&sum.rx, &row->value.rx);
	}
	return sum;
}

/* Generator, monitor and sink agree on one UDP stream. */
static void agree(struct bed *b, const struct stream_count *s)
{
	struct flow_value v = observed(b, s->from, s->to, IPPROTO_UDP);

	eq_u64(v.tx.packets, s->sent);
	eq_u64(v.rx.packets, s->received);
	eq_u64(s->send_errors, 0);
	eq_u64(s->duplicates + s->reordered, 0);
}

static void set(struct bed *b, struct link_state state)
{
	struct error err = {""};

	if (links_set(b->links, HOST, &state, &err))
		t_fail(__FILE__, __LINE__, "%s", err.text);
	ok(link_state_equal(links_get(b->links, HOST), &state));
	eq_i64(engine_set_patience(b->engine, links_wait_ns(b->links)), 0);
}

/* ---- loss ---- */

/* Of the first n frames that meet a direction of the link. */
static uint64_t losses_of(enum loss_direction direction, uint64_t n, double share)
{
	uint64_t seed = loss_mix(SEED + loss_mix(HOST * LOSS_DIRECTIONS + direction + 1)), lost = 0;

	for (uint64_t i = 0; i < n; i++)
		lost += loss_hits(seed, i, (uint64_t)(share * LOSS_ALL));
	return lost;
}

TEST(a_loss_is_what_was_set_and_the_same_each_time)
{
	enum { N = 20000, STRAYS = 3 /* frames of others on the link each shift the pattern by one */ };
	BED_OR_SKIP(b, plain);
	const struct stream_count *to = add(b, 0, HOST, SCN_UDP, 10000, 64, N), *from = add(b, HOST, 2, SCN_UDP, 10000, 64, N);
	double five_sigma = 5 * sqrt(N * 0.05 * 0.95);

	set(b, (struct link_state){.loss = 0.05});
	eq_i64(engine_go(b->engine, clock_ns()), 0);
	(void)await(b, ENGINE_DONE);
	(void)await(b, ENGINE_DONE);
	agree(b, to);
	agree(b, from);
	eq_u64(to->sent, N);
	eq_u64(from->sent, N);
	near(to->sent - to->received, N * 0.05, five_sigma);
	near(from->sent - from->received, N * 0.05, five_sigma);
	near(to->sent - to->received, losses_of(LOSS_TO_HOST, N, 0.05), STRAYS);
	near(from->sent - from->received, losses_of(LOSS_FROM_HOST, N, 0.05), STRAYS);
	bed_down(b);
}

TEST(all_and_nothing_can_be_lost)
{
	BED_OR_SKIP(b, plain);
	const struct stream_count *s = add(b, 0, HOST, SCN_UDP, 1000, 64, 200), *all, *none;

	set(b, (struct link_state){.loss = 1});
	eq_i64(engine_go(b->engine, clock_ns()), 0);
	(void)await(b, ENGINE_DONE);
	eq_u64(s->received, 0);
	agree(b, s);
	set(b, (struct link_state){.loss = 0});
	none = add(b, 2, HOST, SCN_UDP, 1000, 64, 200);
	(void)await(b, ENGINE_DONE);
	eq_u64(none->received, 200);
	agree(b, none);
	set(b, (struct link_state){.loss = 1e-12}); /* less than the program can tell from none */
	all = add(b, 0, 2, SCN_UDP, 1000, 64, 200);
	(void)await(b, ENGINE_DONE);
	eq_u64(all->received, 200);
	bed_down(b);
}

/* Super-packets are divided before they meet the loss: it takes frames, one by one. */
TEST(a_loss_takes_single_frames_of_super_packets)
{
	enum { N = 20000, STRAYS = 3 };
	BED_OR_SKIP(b, plain);
	const struct stream_count *to = add(b, 0, HOST, SCN_UDP, 0, 64, N), *from = add(b, HOST, 2, SCN_UDP, 0, 64, N);
	struct flow_value v;

	set(b, (struct link_state){.loss = 0.05});
	eq_i64(engine_go(b->engine, clock_ns()), 0);
	(void)await(b, ENGINE_DONE);
	(void)await(b, ENGINE_DONE);
	eq_u64(to->sent + from->sent, 2 * N);
	v = observed(b, 0, HOST, IPPROTO_UDP);
	eq_u64(v.tx.packets, N);
	near(v.tx.packets - v.rx.packets, losses_of(LOSS_TO_HOST, N, 0.05), STRAYS);
	v = observed(b, HOST, 2, IPPROTO_UDP);
	eq_u64(v.tx.packets, N);
	near(v.tx.packets - v.rx.packets, losses_of(LOSS_FROM_HOST, N, 0.05), STRAYS);
	ok(b->flows.hosts[0].dir[FLOW_TX].seen < N / 4); /* these were super-packets */
	bed_down(b);
}

/* ---- rate ---- */

TEST(a_rate_lets_through_so_much_and_no_more)
{
	enum { SIZE = 1000, FRAME = SIZE + WIRE, N = 2000, SLACK = 64 * 1024 /* what bucket and queue hold */ };
	BED_OR_SKIP(b, plain);
	const struct stream_count *to = add(b, 0, HOST, SCN_UDP, 1000, SIZE, N), *from = add(b, HOST, 2, SCN_UDP, 1000, SIZE, N);
	uint64_t begin_ns;
	double seconds;

	set(b, (struct link_state){.rate_bps = 2 * MBIT});
	begin_ns = clock_ns();
	eq_i64(engine_go(b->engine, clock_ns()), 0);
	(void)await(b, ENGINE_DONE);
	(void)await(b, ENGINE_DONE);
	seconds = (double)(clock_ns() - begin_ns) / NS_PER_S;
	agree(b, to);
	agree(b, from);
	eq_u64(to->sent, N);
	eq_u64(from->sent, N);
	ok(to->received * FRAME <= seconds * 2 * MBIT / 8 + SLACK);
	ok(from->received * FRAME <= seconds * 2 * MBIT / 8 + SLACK);
	/* Half of what passes in the two seconds that the generators take at least. */
	ok(to->received * FRAME >= 2 * MBIT / 8);
	ok(from->received * FRAME >= 2 * MBIT / 8);
	bed_down(b);
}

/* A frame takes longer than the engine waits in a lab without such links. */
TEST(what_is_still_on_its_way_is_waited_for)
{
	BED_OR_SKIP(b, plain);
	const struct stream_count *s = add(b, 0, HOST, SCN_UDP, 100, 1000, 5);

	set(b, (struct link_state){.rate_bps = 6000});
	eq_i64(engine_go(b->engine, clock_ns()), 0);
	(void)await(b, ENGINE_DONE);
	eq_u64(s->sent, 5);
	eq_u64(s->received, 5);
	agree(b, s);
	bed_down(b);
}

/* ---- segmentation offload ---- */

static int socket_in(struct bed *b, uint32_t client)
{
	struct error err;
	int fd;

	(void)ns_enter(b->lab->clients[client], "a client", &err);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)ns_enter(b->home, "home", &err);
	return fd;
}

/* A connection from c0 to the changed host's client. */
static bool join(struct bed *b, int fds[2])
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(5001)};
	int listener = socket_in(b, HOST);

	fds[0] = socket_in(b, 0);
	memcpy(&a.sin_addr, b->plan->clients[HOST].addr.b + 12, 4);
	if (!ok(bind(listener, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(listener, 1) == 0))
		return false;
	if (!ok(connect(fds[0], (struct sockaddr *)&a, sizeof(a)) == 0))
		return false;
	fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return ok(fds[1] >= 0);
}

static size_t transfer(const int fds[2], size_t bytes)
{
	static char block[256 * 1024];
	size_t sent = 0, received = 0;

	for (;;) {
		struct pollfd p[2] = {{.fd = sent < bytes ? fds[0] : -1, .events = POLLOUT}, {.fd = fds[1], .events = POLLIN}};
		ssize_t n;

		if (poll(p, 2, 10000) <= 0)
			return received;
		if (p[0].revents && (n = send(fds[0], block, sizeof(block), MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
			sent += (size_t)n;
			if (sent >= bytes)
				(void)shutdown(fds[0], SHUT_WR);
		}
		if (p[1].revents) {
			n = recv(fds[1], block, sizeof(block), MSG_DONTWAIT);
			if (n <= 0)
				return received;
			received += (size_t)n;
		}
	}
}

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	(void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info;
}

/* TCP makes super-packets: the monitor counts as many segments as the two ends do, whatever the link did to them. */
static void super_packets(struct link_state state, size_t bytes)
{
	enum { HANDSHAKE = 3 /* segments that one end counts and the other does not, or after our look */ };
	BED_OR_SKIP(b, plain);
	struct tcp_info near_end, far_end;
	struct flow_value v;
	int fds[2] = {-1, -1};

	if (join(b, fds)) {
		set(b, state);
		ok(transfer(fds, bytes) >= bytes);
		near_end = info_of(fds[0]);
		far_end = info_of(fds[1]);
		v = observed(b, 0, HOST, IPPROTO_TCP);
		near(v.tx.packets, near_end.tcpi_segs_out, HANDSHAKE);
		near(v.rx.packets, far_end.tcpi_segs_in, HANDSHAKE);
		if (state.loss > 0)
			ok(v.rx.packets < v.tx.packets);
		t_note("%u segments sent, %u received, %" PRIu64 " frames of the link", near_end.tcpi_segs_out, far_end.tcpi_segs_in,
		       (uint64_t)b->flows.hosts[HOST].dir[FLOW_RX].seen);
	}
	close(fds[0]);
	close(fds[1]);
	bed_down(b);
}

TEST(super_packets_are_counted_as_segments_under_loss)
{
	super_packets((struct link_state){.loss = 0.01}, 20 * MBIT);
}

TEST(super_packets_are_counted_as_segments_under_a_rate)
{
	super_packets((struct link_state){.rate_bps = 20 * MBIT}, 2 * MBIT);
}

TEST(super_packets_are_counted_as_segments_under_a_high_rate)
{
	super_packets((struct link_state){.rate_bps = 500 * MBIT}, 20 * MBIT);
}

/* ---- down and up ---- */

static void wait_for_more(const struct stream_count *s)
{
	uint64_t before = s->received, end_ns = clock_ns() + 10 * NS_PER_S;

	while (s->received < before + 10 && clock_ns() < end_ns)
		sleep_ms(5);
	ok(s->received >= before + 10);
}

/* The link-local address is asked for, for a second, and only then joins its group. */
static void wait_for_addresses(int netns)
{
	uint64_t end_ns = clock_ns() + 10 * NS_PER_S;

	while (strstr(tell(netns, "ip -o addr show dev eth0"), "tentative") && clock_ns() < end_ns)
		sleep_ms(20);
}

/* The cable of host1 pulled and plugged in again, under traffic in both directions. */
static void pull_the_cable(const char *text)
{
	BED_OR_SKIP(b, text);
	int host = b->lab->hosts[HOST], fabric = b->lab->fabric;
	const struct stream_count *to = add(b, 0, HOST, SCN_UDP, 500, 64, 0), *from = add(b, HOST, 0, SCN_UDP, 500, 64, 0), *later;
	char addresses[4096], groups[4096], fdb[4096];
	uint64_t sent, received;

	wait_for_addresses(host);
	snprintf(addresses, sizeof(addresses), "%s", tell(host, "ip -o addr show dev eth0"));
	snprintf(groups, sizeof(groups), "%s", tell(host, "ip maddr show dev eth0"));
	snprintf(fdb, sizeof(fdb), "%s", tell(fabric, "bridge fdb show dev p1"));
	ok(strstr(fdb, "static"));
	eq_i64(engine_go(b->engine, clock_ns()), 0);
	wait_for_more(to);
	wait_for_more(from);
	set(b, (struct link_state){.down = true});
	received = to->received;
	sent = to->sent;
	sleep_ms(1500); /* longer than the kernel takes to notice that the carrier is gone */
	ok(to->sent >= sent + 100);
	ok(to->received <= received + 10); /* what was on its way */
	set(b, (struct link_state){.down = false});
	wait_for_more(to);
	wait_for_more(from);
	later = add(b, 2, HOST, SCN_UDP, 500, 64, 200); /* two that have never spoken: found by flooding */
	(void)await(b, ENGINE_DONE);
	eq_u64(later->received, 200);
	eq_i64(engine_drain(b->engine), 0);
	(void)await(b, ENGINE_DRAINED);
	agree(b, to);
	agree(b, from);
	agree(b, later);
	ok(from->sent > from->received);
	eq_str(tell(host, "ip -o addr show dev eth0"), addresses);
	eq_str(tell(host, "ip maddr show dev eth0"), groups);
	eq_str(tell(fabric, "bridge fdb show dev p1"), fdb);
	bed_down(b);
}

TEST(a_cable_is_pulled_and_plugged_in_again)
{
	pull_the_cable(plain);
}

TEST(a_cable_is_pulled_with_unicast_flooding_and_ipv6)
{
	pull_the_cable("[lab]\nhosts = 3\nvnis = 10000\nflood = unicast\nunderlay = fd00::/64\n");
}

TEST(a_cable_is_pulled_with_multicast_and_ipv6)
{
	pull_the_cable("[lab]\nhosts = 3\nvnis = 10000\nunderlay = fd00::/64\nwiring = direct\n[vni 10000]\ngroup = ff05::1\n");
}

/* ---- what is left behind ---- */

TEST(a_value_replaces_another_and_reset_leaves_nothing)
{
	BED_OR_SKIP(b, plain);
	char uplink[4096], port[4096], monitor[4096];

	snprintf(uplink, sizeof(uplink), "%s", tell_uplink(b));
	snprintf(port, sizeof(port), "%s", tell_port(b));
	snprintf(monitor, sizeof(monitor), "%s", tell(b->lab->hosts[HOST], "tc filter show dev eth0 egress"));
	ok(strstr(monitor, "observe_tx"));
	ok(!strstr(port, "clsact") && !strstr(port, "tbf"));
	set(b, (struct link_state){.rate_bps = 50 * MBIT});
	ok(strstr(tell_uplink(b), "tbf 1: root refcnt") && strstr(tell_uplink(b), "rate 50Mbit"));
	ok(strstr(tell_port(b), "rate 50Mbit"));
	set(b, (struct link_state){.rate_bps = 1000});
	ok(strstr(tell_uplink(b), "rate 1Kbit") && strstr(tell_port(b), "rate 1Kbit"));
	set(b, (struct link_state){.rate_bps = 10e9, .loss = 0.5});
	ok(strstr(tell_port(b), "rate 10Gbit") && strstr(tell_port(b), "clsact"));
	set(b, (struct link_state){.rate_bps = 1e12, .loss = 0.25, .down = true});
	ok(strstr(tell_port(b), "rate 1Tbit"));
	set(b, (struct link_state){.loss = 0.25});
	ok(!strstr(tell_port(b), "rate 1Tbit") && !strstr(tell_uplink(b), "rate 1Tbit"));
	set(b, (struct link_state){.rate_bps = MBIT});
	ok(!strstr(tell_port(b), "htb") && !strstr(tell_port(b), "clsact"));
	set(b, (struct link_state){0});
	eq_str(tell_uplink(b), uplink);
	eq_str(tell_port(b), port);
	eq_str(tell(b->lab->hosts[HOST], "tc filter show dev eth0 egress"), monitor);
	ok(strstr(tell(b->lab->fabric, "ip link show dev p1"), "state UP"));
	bed_down(b);
}

TEST(what_somebody_took_off_by_hand_is_no_hindrance)
{
	BED_OR_SKIP(b, plain);

	set(b, (struct link_state){.rate_bps = 50 * MBIT, .loss = 0.5});
	(void)tell(b->lab->fabric, "tc qdisc del dev p1 root");
	(void)tell(b->lab->fabric, "tc qdisc del dev p1 clsact");
	set(b, (struct link_state){0});
	ok(!strstr(tell_port(b), "tbf") && !strstr(tell_port(b), "clsact"));
	bed_down(b);
}

TEST(what_fails_half_way_leaves_the_link_as_it_was)
{
	BED_OR_SKIP(b, plain);
	struct link_state was = {.rate_bps = 50 * MBIT}, to = {.rate_bps = 20 * MBIT, .loss = 0.5, .down = true};
	struct error err = {""};
	char port[4096];

	set(b, was);
	(void)tell(b->lab->fabric, "tc qdisc add dev p1 clsact");
	snprintf(port, sizeof(port), "%s", tell_port(b));
	eq_i64(links_set(b->links, HOST, &to, &err), -EEXIST);
	ok(strstr(err.text, "cannot change the link of host1: cannot put clsact on p1 in fabric"));
	ok(link_state_equal(links_get(b->links, HOST), &was));
	eq_str(tell_port(b), port);
	ok(strstr(tell_uplink(b), "rate 50Mbit"));
	ok(strstr(tell(b->lab->fabric, "ip link show dev p1"), "state UP"));
	bed_down(b);
}

TEST(a_delay_is_refused_by_name_where_there_is_no_netem)
{
	BED_OR_SKIP(b, plain);
	struct link_state was = {.rate_bps = 50 * MBIT, .loss = 0.5}, to = was;
	struct error err = {""};
	int r;

	set(b, was);
	to.delay_ns = 1000000;
	r = links_set(b->links, HOST, &to, &err);
	if (r != 0) {
		eq_i64(r, -EOPNOTSUPP);
		ok(strstr(err.text, "CONFIG_NET_SCH_NETEM"));
		ok(link_state_equal(links_get(b->links, HOST), &was));
		ok(strstr(tell_uplink(b), "rate 50Mbit") && strstr(tell_port(b), "rate 50Mbit") && strstr(tell_port(b), "clsact"));
	}
	bed_down(b);
	if (r == 0)
		skip("this kernel has netem");
}

TEST(what_the_lab_keeps_of_its_privileges_suffices)
{
	BED_OR_SKIP(b, plain);
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		struct link_state to = {.rate_bps = MBIT, .loss = 0.5, .down = true};
		struct error err = {""};

		if (privilege_drop(&err) || links_set(b->links, HOST, &to, &err)) {
			t_note("%s", err.text);
			_exit(1);
		}
		_exit(0);
	}
	eq_i64(waitpid(child, &status, 0), child);
	eq_i64(status, 0);
	bed_down(b);
}
