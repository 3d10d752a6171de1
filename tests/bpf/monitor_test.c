/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor in the kernel: how it is opened and attached, and real packets over the loopback device of a namespace of its own:
 *
 *      UDP socket (pages spliced) --+                +--> ingress hook --> socket
 *      packet socket (raw frame) ---+--> egress hook -> lo
 *
 * Needs root; skips aloud without.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bpf/kit.h"

/* ---- real packets ---- */

/* Enters a new namespace with its loopback device up; home_fd leads back. */
static bool enter_new_netns(int *ret_home_fd)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	*ret_home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!ok(*ret_home_fd >= 0) || !ok(unshare(CLONE_NEWNET) == 0))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!ok(fd >= 0) || !ok(ioctl(fd, SIOCSIFFLAGS, &request) == 0))
		return false;
	close(fd);
	return true;
}

static void leave_netns(int home_fd)
{
	ok(setns(home_fd, CLONE_NEWNET) == 0);
	close(home_fd);
}

/*
 * The kernel's own packet and byte counters of lo; received and sent are the same on it. It counts
 * bytes after it took off the Ethernet header, unlike all other devices.
 */
static void read_loopback_counters(uint64_t *ret_packets, uint64_t *ret_bytes)
{
	FILE *f = fopen("/proc/thread-self/net/dev", "re");
	char line[512];

	*ret_packets = *ret_bytes = 0;
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (colon && strstr(line, "lo"))
			(void)sscanf(colon + 1, "%" SCNu64 " %" SCNu64, ret_bytes, ret_packets);
	}
	if (f)
		fclose(f);
	*ret_bytes += *ret_packets * 14;
}

/* One datagram to the tunnel port whose bytes lie in pages of their own, behind linear headers. */
static bool send_spliced(const uint8_t *payload, size_t len)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(4789),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct iovec iov = {(void *)payload, len};
	int pipe_fds[2], fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good = ok(fd >= 0) && ok(pipe2(pipe_fds, O_CLOEXEC) == 0);

	good = good && ok(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	good = good && eq_i64(vmsplice(pipe_fds[1], &iov, 1, 0), len);
	good = good && eq_i64(splice(pipe_fds[0], NULL, fd, NULL, len, 0), len);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(fd);
	return good;
}

static bool send_raw(const struct packet *p)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(0x0800),
		.sll_ifindex = LOOPBACK,
		.sll_halen = 6,
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	bool good = ok(fd >= 0) && eq_i64(sendto(fd, p->data, p->len, 0, (struct sockaddr *)&to,
						 sizeof(to)), p->len);

	close(fd);
	return good;
}

/* Each way to send, counted by the hooks as by the interface, and parsed to one flow. */
static void check_one_packet(const struct packet *p, bool spliced, enum monitor_parser parser)
{
	struct monitor_config config = {.parser = parser};
	static const size_t outer_len = 14 + 20 + 8;
	struct flow_table table = {0};
	uint64_t packets, bytes;
	struct monitor *m;
	struct error err;
	int home_fd;

	m = open_monitor(&config);
	if (!m || !enter_new_netns(&home_fd))
		return;
	if (eq_i64(monitor_attach(m, -1, LOOPBACK, &err), 0)) {
		ok(spliced ? send_spliced(p->data + outer_len, p->len - outer_len) : send_raw(p));
		usleep(20000); /* lo delivers at once, in softirq; this is for a busy machine */
		eq_i64(flows_read(m, &table), 0);
		read_loopback_counters(&packets, &bytes);
		/* Nobody listens: the port unreachable message is the second packet. */
		for (int dir = 0; dir < FLOW_DIR_MAX; dir++) {
			const struct host_count *count = &table.hosts[0].dir[dir];

			eq_u64(count->seen, packets);
			eq_u64(count->seen_bytes, bytes);
			eq_u64(count->verdict[VERDICT_FLOW].packets, 1);
			eq_u64(count->verdict[VERDICT_FLOW].bytes, p->len);
			eq_u64(count->verdict[VERDICT_OTHER].packets, packets - 1);
		}
		if (eq_u64(table.n, 1)) {
			eq_u64(table.rows[0].value.tx.bytes, p->len);
			eq_u64(table.rows[0].value.rx.bytes, p->len);
			eq_u64(table.rows[0].value.tx.inner_bytes,
			       table.rows[0].value.rx.inner_bytes);
			eq_u64(table.rows[0].key.inner_ipproto, 17);
		}
		eq_i64(monitor_detach(m, -1, LOOPBACK, &err), 0);
	} else {
		t_note("%s", err.text);
	}
	leave_netns(home_fd);
	flows_free(&table);
	monitor_free(m);
}

/*
 * Many flows, all at once and on one CPU. Room in the hash is made while packets are processed, where the kernel may run short
 * of memory that it need not sleep for: they are to find places in the slots, in a large lab all that are promised.
 */
static void burst(uint32_t n_hosts, int flows)
{
	enum { BATCH = 500 };
	static struct packet packets[BATCH];
	struct monitor_config config = {.n_hosts = n_hosts};
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(0x0800),
		.sll_ifindex = LOOPBACK,
		.sll_halen = 6,
	};
	struct flow_table table = {0};
	struct monitor *m;
	struct error err;
	int home_fd, fd;

	m = open_monitor(&config);
	if (!m || !enter_new_netns(&home_fd))
		return;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	eq_i64(monitor_attach(m, -1, LOOPBACK, &err), 0);
	for (int begin = 0; begin < flows; begin += BATCH) {
		static struct mmsghdr messages[BATCH];
		static struct iovec iovs[BATCH];

		for (int i = 0; i < BATCH; i++) {
			build_flow(&packets[i], begin + i);
			memset(packets[i].data, 0, 6); /* the loopback device's address */
			iovs[i] = (struct iovec){packets[i].data, packets[i].len};
			messages[i].msg_hdr = (struct msghdr){
				.msg_name = &to, .msg_namelen = sizeof(to),
				.msg_iov = &iovs[i], .msg_iovlen = 1,
			};
		}
		if (!eq_i64(sendmmsg(fd, messages, BATCH, 0), BATCH))
			break;
	}
	usleep(50000); /* as above */
	eq_i64(flows_read(m, &table), 0);
	eq_u64(table.n, flows);
	for (int dir = 0; dir < FLOW_DIR_MAX; dir++) {
		eq_u64(table.total.dir[dir].verdict[VERDICT_FLOW].packets, flows);
		eq_u64(table.total.dir[dir].verdict[VERDICT_LOST].packets, 0);
	}
	close(fd);
	leave_netns(home_fd);
	flows_free(&table);
	monitor_free(m);
}

TEST(a_burst_of_new_flows_is_not_lost)
{
	if (!is_root())
		skip("needs root");
	burst(1, 40000);
	burst(100, MONITOR_CAPACITY_DEFAULT / 500 * 500);
}

TEST(headers_outside_the_linear_part_are_found)
{
	struct packet p;

	if (!is_root())
		skip("needs root");
	build_flow(&p, 1);
	for (int parser = 0; parser < MONITOR_PARSER_MAX; parser++)
		check_one_packet(&p, true, parser);
}

/* On receipt the kernel moves the tag from the packet to beside it: it still was on the wire. */
TEST(a_tag_beside_the_packet_counts)
{
	struct packet p = {0};

	if (!is_root())
		skip("needs root");
	put_bytes(&p, "\0\0\0\0\0\0\x02\0\0\0\0\x01", 12);
	put_u16(&p, 0x8100);
	put_vlan(&p, 7, 0x0800);
	put_ipv4(&p, 1, 17);
	put_udp(&p, 4789);
	put_vxlan(&p, 0x08, 10000);
	put_ethernet(&p, 0x0800);
	put_ipv4(&p, 2, 17);
	put_udp(&p, 7);
	put_payload(&p, 64);
	packet_finish(&p);
	for (int parser = 0; parser < MONITOR_PARSER_MAX; parser++)
		check_one_packet(&p, false, parser);
}

/* ---- attaching and opening ---- */

TEST(attaching_fails_with_a_reason_and_goes_home)
{
	struct error err = {""};
	struct monitor *m;
	int home_fd, ns_fd;
	char before[64] = "", after[64] = "";

	if (!is_root())
		skip("needs root");
	m = open_monitor(NULL);
	if (!m || !enter_new_netns(&home_fd))
		return;
	ns_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	ok(ns_fd >= 0);
	leave_netns(home_fd);
	ok(readlink("/proc/thread-self/ns/net", before, sizeof(before) - 1) > 0);

	eq_i64(monitor_attach(m, ns_fd, 4711, &err), -ENODEV);
	ok(strstr(err.text, "4711") != NULL);
	eq_i64(monitor_detach(m, ns_fd, LOOPBACK, &err), -ENOENT);
	for (int i = 0; i < 3; i++) {
		eq_i64(monitor_attach(m, ns_fd, LOOPBACK, &err), 0);
		eq_i64(monitor_attach(m, ns_fd, LOOPBACK, &err), -EEXIST);
		ok(strstr(err.text, "already") != NULL);
		eq_i64(monitor_detach(m, ns_fd, LOOPBACK, &err), 0);
	}
	ok(readlink("/proc/thread-self/ns/net", after, sizeof(after) - 1) > 0);
	eq_str(after, before);
	eq_i64(monitor_attach(m, 0, LOOPBACK, &err), -EINVAL); /* standard input is no namespace */
	ok(readlink("/proc/thread-self/ns/net", after, sizeof(after) - 1) > 0);
	eq_str(after, before);
	close(ns_fd);
	monitor_free(m);
}

TEST(opening_fails_with_a_reason)
{
	static const struct monitor_config bad[] = {
		{.capacity = MONITOR_CAPACITY_MAX + 1},
		{.n_hosts = MONITOR_HOSTS_MAX + 1},
		{.ports = {{.port = 1, .encap = ENCAP_MAX}}},
		{.parser = MONITOR_PARSER_MAX},
	};
	struct monitor *m = NULL;
	struct error err;
	int status;
	pid_t pid;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		eq_i64(monitor_open(&bad[i], &err, &m), -EINVAL);
		ok(strncmp(err.text, "monitor: ", 9) == 0);
	}
	ok(m == NULL);
	monitor_free(NULL);

	fflush(stdout);
	pid = fork();
	if (!ok(pid >= 0))
		return;
	if (pid == 0) {
		struct monitor_config config = {0};

		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(2);
		if (monitor_open(&config, &err, &m) != -EPERM)
			_exit(3);
		_exit(strstr(err.text, "root") ? 0 : 4);
	}
	ok(waitpid(pid, &status, 0) == pid);
	ok(WIFEXITED(status));
	eq_i64(WEXITSTATUS(status), 0);
}
