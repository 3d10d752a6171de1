/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labs up and down. Ours: `tunlab run`, from the start of the program until frames flow and are monitored, and from the signal
 * that ends it until it has, the kernel's work done. The reference: the same namespaces and devices by one `ip -batch` for each
 * namespace, written beforehand, and `ip netns delete` for all, until the kernel is done. No addresses or neighbours of
 * clients are checked, no monitor is there, and nobody else's network has to wait for less: it is what a script does.
 */
#include "lab/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "lab/bench/child.h"
#include "lab/net/dev.h"
#include "lab/net/ns.h"
#include "lab/scenario/plan.h"

enum { VNIS = 4, SMALL = 9, LARGE = 100, SMALL_ROUNDS = 3, LARGE_ROUNDS = 1, INDEX_MARK = 500000 };

struct times {
	double up_ms, down_ms;
};

static double ms_since(uint64_t start_ns)
{
	return (double)(bench_now_ns() - start_ns) / 1e6;
}

/* ---- ours ---- */

static int run_tunlab(unsigned hosts, struct times *ret, struct error *err)
{
	char name[32], n_hosts[32], vnis[32];
	const char *argv[] = {"/proc/self/exe", "run", "idle", "--headless", "--duration", "1h", "--name", name, "--set", n_hosts,
			      "--set", vnis, "--set", "lab.underlay=172.16.0.0/16", NULL};
	struct child_start start = {argv, NULL, -1, true};
	uint64_t start_ns = bench_now_ns();
	struct child child;
	char *text;
	int status, r;

	(void)snprintf(name, sizeof(name), "bench-%d", (int)getpid());
	(void)snprintf(n_hosts, sizeof(n_hosts), "lab.hosts=%u", hosts);
	(void)snprintf(vnis, sizeof(vnis), "lab.vnis=10000-%d", 10000 + VNIS - 1);
	r = child_start(&start, &child, err);
	if (r)
		return r;
	if (child_await(&child, " up in ") < 0) {
		child_end(&child, SIGTERM);
		error_set(err, "a lab of %u hosts did not come up: try `tunlab run idle --headless --set %s`", hosts, n_hosts);
		return -EIO;
	}
	ret->up_ms = ms_since(start_ns);
	start_ns = bench_now_ns();
	(void)kill(child.pid, SIGTERM);
	text = child_finish(&child, &status);
	ret->down_ms = ms_since(start_ns);
	free(text);
	return 0;
}

/* ---- the reference: what is written into each namespace ---- */

static void write_address(struct text *t, const char *prefix, unsigned n, const char *suffix)
{
	text_printf(t, "%s172.16.%u.%u%s", prefix, (100 + n) / 256, (100 + n) % 256, suffix);
}

static void write_host(struct text *t, unsigned host)
{
	text_puts(t, "link set lo up\n");
	write_address(t, "address add ", host, "/16 dev eth0\n");
	for (unsigned v = 0; v < VNIS; v++) {
		unsigned client = host * VNIS + v;

		text_printf(t, "link add br%u mtu 1450 up type bridge mcast_snooping 0\n", 10000 + v);
		text_printf(t, "link add vxlan%u mtu 1450 master br%u up type vxlan id %u dev eth0 dstport 4789", 10000 + v, 10000 + v,
			    10000 + v);
		write_address(t, " local ", host, "");
		text_printf(t, " group 239.1.1.%u\n", v + 1);
		text_printf(t, "link add c%u mtu 1450 master br%u up type veth peer name eth0 mtu 1450 netns c%u\n", client, 10000 + v, client);
	}
	text_puts(t, "link set eth0 up\n");
}

static void write_client(struct text *t, unsigned client)
{
	unsigned host = client / VNIS;

	text_printf(t, "link set lo up\naddress add 10.%u.%u.%u/16 dev eth0\nlink set eth0 up\n", client % VNIS, host / 250, 1 + host % 250);
}

static void write_fabric(struct text *t, unsigned hosts)
{
	text_puts(t, "link add br100 up type bridge mcast_snooping 0\n");
	for (unsigned i = 0; i < hosts; i++)
		text_printf(t, "link add p%u master br100 up type veth peer name eth0 netns h%u\n", i, i);
}

static void write_namespaces(struct text *t, const char *verb, unsigned hosts)
{
	text_printf(t, "netns %s fabric\n", verb);
	for (unsigned i = 0; i < hosts; i++)
		text_printf(t, "netns %s h%u\n", verb, i);
	for (unsigned i = 0; i < hosts * VNIS; i++)
		text_printf(t, "netns %s c%u\n", verb, i);
}

static int run_ip(const char *netns, const char *batch, struct error *err)
{
	const char *here[] = {"ip", "-batch", "-", NULL}, *there[] = {"ip", "-n", netns, "-batch", "-", NULL};
	struct child_start start = {netns ? there : here, batch, -1, true};
	struct child child;
	int status, r = child_start(&start, &child, err);
	char *text;

	if (r)
		return r;
	text = child_finish(&child, &status);
	if (status || !text) {
		error_set(err, "ip -batch failed in %s: %.*s", netns ?: "its own namespace", text ? (int)strcspn(text, "\n") : 0, text ?: "");
		r = -EIO;
	}
	free(text);
	return r;
}

/* One batch, made and run. */
static int run_batch(const char *netns, void (*write)(struct text *t, unsigned n), unsigned n, struct error *err)
{
	struct text t = {0};
	char *batch;
	int r;

	write(&t, n);
	batch = text_take(&t);
	r = batch ? run_ip(netns, batch, err) : -ENOMEM;
	free(batch);
	return r;
}

static int run_namespaces(const char *verb, unsigned hosts, struct error *err)
{
	struct text t = {0};
	char *batch;
	int r;

	write_namespaces(&t, verb, hosts);
	batch = text_take(&t);
	r = batch ? run_ip(NULL, batch, err) : -ENOMEM;
	free(batch);
	return r;
}

/* IPv6 off, as in ours, or its autoconfiguration would flood the overlay. Not timed: a script would take a process each. */
static int turn_ipv6_off(const char *netns, int home, struct error *err)
{
	char path[64];
	int fd, sysctl, r;

	(void)snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : ns_enter(fd, netns, err);
	if (fd >= 0)
		(void)close(fd);
	if (r)
		return r;
	sysctl = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
	if (sysctl >= 0) { /* there is IPv6 */
		(void)!write(sysctl, "1", 1);
		(void)close(sysctl);
	}
	return ns_enter(home, "the reference", err);
}

static int turn_all_ipv6_off(unsigned hosts, int home, struct error *err)
{
	char name[16];
	int r = turn_ipv6_off("fabric", home, err);

	for (unsigned i = 0; i < hosts * (1 + VNIS) && !r; i++) {
		(void)snprintf(name, sizeof(name), "%c%u", i < hosts ? 'h' : 'c', i < hosts ? i : i - hosts);
		r = turn_ipv6_off(name, home, err);
	}
	return r;
}

static int ip_up(unsigned hosts, int home, double *ret_ms, struct error *err)
{
	uint64_t start_ns = bench_now_ns();
	char name[16];
	int r = run_namespaces("add", hosts, err);

	*ret_ms = ms_since(start_ns);
	if (!r)
		r = turn_all_ipv6_off(hosts, home, err);
	start_ns = bench_now_ns();
	if (!r)
		r = run_batch("fabric", write_fabric, hosts, err);
	for (unsigned i = 0; i < hosts && !r; i++) {
		(void)snprintf(name, sizeof(name), "h%u", i);
		r = run_batch(name, write_host, i, err);
		for (unsigned c = i * VNIS; c < (i + 1) * VNIS && !r; c++) {
			(void)snprintf(name, sizeof(name), "c%u", c);
			r = run_batch(name, write_client, c, err);
		}
	}
	*ret_ms += ms_since(start_ns);
	return r;
}

/* ---- until the kernel is done ---- */

struct marks {
	struct nl_batch *batch;
	struct nl *nl;
	int netns[2];
};

/* Two namespaces, each with a veth from here: see wait_for_kernel() of lab/net/down.c for what their end tells. */
static int make_marks(struct marks *m, int home, struct error *err)
{
	static const char *const names[] = {"end0", "end1"};
	int r;

	m->batch = nl_batch_new();
	r = m->batch ? nl_open(m->batch, "the reference", &m->nl) : -ENOMEM;
	for (uint32_t i = 0; i < 2 && !r; i++) {
		struct dev_end near = {names[i], INDEX_MARK + i, PLAN_UNDERLAY_MTU, NULL}, far = {"end", 2, PLAN_UNDERLAY_MTU, NULL};

		m->netns[i] = ns_create_bare("a mark", err);
		r = m->netns[i] < 0 ? m->netns[i] : ns_enter(home, "the reference", err);
		if (!r)
			r = dev_add_veth(m->nl, err, &near, 0, &far, m->netns[i]);
	}
	if (!r)
		r = nl_flush(m->nl, err);
	return r ?: nl_watch_links(m->nl);
}

static void see_gone(void *arg, uint32_t index, const char *kind)
{
	(void)kind;
	if (index == *(uint32_t *)arg)
		*(uint32_t *)arg = 0;
}

static void wait_for_kernel(struct marks *m)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct pollfd p = {.fd = nl_fd(m->nl), .events = POLLIN};
		uint32_t awaited = INDEX_MARK + i;

		(void)close(m->netns[i]);
		while (awaited && poll(&p, 1, -1) > 0 && nl_read_gone(m->nl, see_gone, &awaited) == 0)
			;
	}
}

/* ---- the reference in a process of its own ---- */

/* Where nobody sees the named namespaces, which are mounts: they and everything in them go with this process. */
static int hide(struct error *err)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("none", "/run", "tmpfs", 0, NULL) == 0)
		return 0;
	error_set(err, "cannot hide the reference's namespaces from the machine: %s", strerror(errno));
	return -EPERM;
}

static int reference(unsigned hosts, struct times *ret, struct error *err)
{
	struct marks marks = {0};
	uint64_t start_ns;
	int home = -1, r = hide(err);

	if (!r)
		r = home = ns_current();
	if (r >= 0)
		r = make_marks(&marks, home, err);
	if (!r)
		r = ip_up(hosts, home, &ret->up_ms, err);
	if (r)
		return r;
	start_ns = bench_now_ns();
	r = run_namespaces("delete", hosts, err);
	if (!r)
		wait_for_kernel(&marks);
	ret->down_ms = ms_since(start_ns);
	return r;
}

struct answer {
	int result;
	struct times times;
	struct error err;
};

static int run_reference(unsigned hosts, struct times *ret, struct error *err)
{
	struct answer answer = {.result = -EPIPE, .err = {"the reference ended before it was through"}};
	pid_t pid, parent = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		error_set(err, "cannot start the reference: %s", strerror(errno));
		return -EAGAIN;
	}
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		answer.result = getppid() == parent ? reference(hosts, &answer.times, &answer.err) : -EPIPE;
		_exit(write(fds[1], &answer, sizeof(answer)) != sizeof(answer));
	}
	(void)close(fds[1]);
	(void)!read(fds[0], &answer, sizeof(answer)); /* else it stays as it began */
	(void)close(fds[0]);
	(void)waitpid(pid, NULL, 0);
	if (answer.result)
		*err = answer.err;
	*ret = answer.times;
	return answer.result;
}

/* ---- both ---- */

static int measure(struct bench *b, unsigned hosts, unsigned rounds, bool *with_ip, struct error *err)
{
	double up[BENCH_ROUNDS_MAX], down[BENCH_ROUNDS_MAX], ip_up_ms[BENCH_ROUNDS_MAX], ip_down_ms[BENCH_ROUNDS_MAX];
	const char *name = "one ip -batch a namespace";
	struct error why;
	struct times t = { 0 };
	int r = 0;

	for (unsigned i = 0; i < rounds && !r; i++) {
		r = run_tunlab(hosts, &t, err);
		up[i] = t.up_ms;
		down[i] = t.down_ms;
		if (!r && *with_ip && run_reference(hosts, &t, &why) < 0) {
			bench_miss(b, "ip as the reference", "%s", why.text);
			*with_ip = false;
		}
		ip_up_ms[i] = t.up_ms;
		ip_down_ms[i] = t.down_ms;
	}
	if (r)
		return r;
	bench_add(b, "ms", bench_median(up, rounds), *with_ip ? name : NULL, bench_median(ip_up_ms, rounds), "%u x %d up", hosts, VNIS);
	bench_add(b, "ms", bench_median(down, rounds), *with_ip ? "ip netns delete" : NULL, bench_median(ip_down_ms, rounds), "%u x %d down",
		  hosts, VNIS);
	return 0;
}

static int run(struct bench *b, struct error *err)
{
	bool with_ip = child_exists("ip");
	int r;

	if (!with_ip)
		bench_miss(b, "ip as the reference", "it is not installed (package iproute2)");
	r = measure(b, SMALL, bench_rounds(b, SMALL_ROUNDS), &with_ip, err);
	return r ?: measure(b, LARGE, bench_rounds(b, LARGE_ROUNDS), &with_ip, err);
}

const struct bench_section bench_labs = {
	"lab", "a lab's way up and down, hosts x VNIs", 45, run,
};
