/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a lab apart in slices; see down.h.
 *
 * What costs: removing a bridge waits for an rcu_barrier (net/bridge/br_multicast.c, br_multicast_dev_del), a host's last tunnel for
 * its socket's grace period (net/ipv4/udp_tunnel_core.c), both under rtnl, about 20 and 15 ms at HZ=250; and each request that
 * removed anything waits once more after it let rtnl go. A request that removes a host's four segments by group holds it for about
 * 100 ms; one request per device would take three times as long in all. Namespaces are closed only when they are empty: then
 * the kernel's cleaning of them (net/core/net_namespace.c, cleanup_net) is cheap and runs beside the next slices. */
#include "lab/net/down.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/poll.h>
#include <unistd.h>

#include "lab/net/dev.h"

enum {
	COST_BRIDGE = 20, /* milliseconds of rtnl, roughly */
	COST_DEVICE = 1,
	COST_SLICE = 100,
	/* Without bridges a slice mostly waits after it let rtnl go, and several such waits are served together: 4 at a time take apart
	 * 100 hosts in 1.7 s, one by one 4 s. Waits for bridges exclude each other: two at a time would only hold rtnl for longer. */
	WORKERS_MAX = 4,
	INDEX_MARK = 500000,
};

struct down {
	struct lab *lab;
	pthread_t conductor;
	unsigned n_workers;
	atomic_uint next, done; /* hosts given out, hosts taken apart */
	atomic_bool give_up, over;
	int news;               /* eventfd for the owner */
	int halt;               /* eventfd: down_give_up wakes whoever waits */
};

struct link {
	uint32_t index;
	unsigned cost;
};

/* Of a namespace, in the order in which they are removed. */
struct links {
	struct link *v;
	size_t n, room;
	bool whole;    /* false: some are missing, for want of memory */
	uint32_t last; /* this link is left out; 0: none */
};

static void signal_event(int fd)
{
	(void)eventfd_write(fd, 1); /* cannot fail before 2^64 - 1 events */
}

static void add_link(struct links *l, uint32_t index, unsigned cost)
{
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct link *v = realloc(l->v, room * sizeof(*v));

		l->whole = l->whole && v;
		if (!v)
			return;
		l->v = v;
		l->room = room;
	}
	l->v[l->n++] = (struct link){ index, cost };
}

static void list_link(void *arg, uint32_t index, const char *kind)
{
	struct links *l = arg;

	if (*kind && index != l->last)
		add_link(l, index, strcmp(kind, "bridge") == 0 ? COST_BRIDGE : COST_DEVICE);
}

/* Puts links into groups that are removed in one go each; how many, or -errno. */
static int make_slices(struct nl *nl, const struct links *l, struct error *err)
{
	unsigned cost = 0;
	int group = 1, r = 0;

	for (size_t i = 0; i < l->n && !r; i++) {
		if (cost && cost + l->v[i].cost > COST_SLICE) {
			group++;
			cost = 0;
		}
		cost += l->v[i].cost;
		r = dev_set_group(nl, err, l->v[i].index, (uint32_t)group);
	}
	if (!r)
		r = nl_flush(nl, err);
	return r ? r : group;
}

/* Removes all links of a namespace. `last`, the tunnels' lower device, goes last: it would take them along. A failure is no reason
 * to stop: what is left goes when the namespace is closed. */
static void remove_links(struct down *d, struct nl *nl, uint32_t last)
{
	struct links l = { .whole = true, .last = last };
	struct error err;
	int n = nl_each_link(nl, &err, list_link, &l);

	if (last)
		add_link(&l, last, COST_DEVICE);
	if (!n)
		n = l.whole ? make_slices(nl, &l, &err) : -ENOMEM;
	for (int group = 1; group <= n && !d->give_up; group++)
		if (!dev_delete_group(nl, &err, (uint32_t)group))
			(void)nl_flush(nl, &err);
	free(l.v);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void remove_host(struct down *d, uint32_t host, struct nl_batch *batch)
{
	struct lab *lab = d->lab;
	const struct plan_host *ph = &lab->plan->hosts[host];

	nl_use_batch(lab->nl_hosts[host], batch);
	remove_links(d, lab->nl_hosts[host], PLAN_IFINDEX_UPLINK + host);
	for (uint32_t i = 0; i < ph->n_clients; i++)
		close_fd(&lab->clients[ph->client0 + i]);
	d->done++;
	signal_event(d->news);
}

static void remove_hosts(struct down *d, struct nl_batch *batch)
{
	struct lab *lab = d->lab;
	uint32_t host;

	while (!d->give_up && (host = d->next++) < lab->plan->n_hosts) {
		remove_host(d, host, batch);
		nl_close(lab->nl_hosts[host]);
		lab->nl_hosts[host] = NULL;
		close_fd(&lab->hosts[host]);
	}
}

static void *work(void *arg)
{
	struct nl_batch *batch = nl_batch_new();

	if (batch) /* without, the others do more */
		remove_hosts(arg, batch);
	nl_batch_free(batch);
	return NULL;
}

static void see_gone(void *arg, uint32_t index, const char *kind)
{
	uint32_t *awaited = arg;

	(void)kind;
	if (index == *awaited)
		*awaited = 0;
}

/* Waits until the kernel has removed the link; false when there is nothing to wait for any more. */
static bool wait_gone(struct down *d, struct nl *nl, uint32_t index)
{
	struct pollfd p[2] = { { .fd = nl_fd(nl), .events = POLLIN }, { .fd = d->halt, .events = POLLIN } };

	while (index) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return false;
		if (p[1].revents || (p[0].revents && nl_read_gone(nl, see_gone, &index)))
			return false;
	}
	return true;
}

/* The kernel cleans closed namespaces in one thread, batch by batch, each batch taking all that were closed until it began. A veth from
 * host0's namespace into a closed one is removed in the middle of the latter's batch. So: when the first mark's veth goes, all of the
 * lab's namespaces are in that batch or an earlier one; the second mark, closed only then, is in a later batch, and its veth's
 * removal proves that the first's is over. What is left is host0's namespace, empty. */
static void wait_for_kernel(struct down *d)
{
	static const char *const names[] = { "end0", "end1" };
	struct lab *lab = d->lab;
	struct nl *nl = lab->nl_hosts[0];
	struct error err;
	int r = 0;

	for (uint32_t i = 0; i < 2 && !r; i++) {
		struct dev_end near = { names[i], INDEX_MARK + i, PLAN_UNDERLAY_MTU, NULL };
		struct dev_end far = { "end", 2, PLAN_UNDERLAY_MTU, NULL };

		r = dev_add_veth(nl, &err, &near, 0, &far, lab->marks[i]);
	}
	if (r || nl_flush(nl, &err) || nl_watch_links(nl))
		return;
	for (uint32_t i = 0; i < 2; i++) {
		close_fd(&lab->marks[i]);
		if (!wait_gone(d, nl, INDEX_MARK + i))
			return;
	}
}

/* host0 comes last, for its namespace is where the end is watched from. A closed netlink socket lets go of its namespace only an
 * RCU callback later; removing host0's links waits for those of all sockets closed before. */
static void remove_rest(struct down *d)
{
	struct lab *lab = d->lab;

	nl_use_batch(lab->nl_fabric, lab->batch);
	remove_links(d, lab->nl_fabric, 0);
	nl_close(lab->nl_fabric);
	lab->nl_fabric = NULL;
	close_fd(&lab->fabric);
	remove_host(d, 0, lab->batch);
	if (!d->give_up)
		wait_for_kernel(d);
}

static void *conduct(void *arg)
{
	struct down *d = arg;
	pthread_t workers[WORKERS_MAX];
	unsigned n = 0;

	lab_close_clients(d->lab);
	while (n + 1 < d->n_workers && !pthread_create(&workers[n], NULL, work, d))
		n++; /* this thread is the last of them */
	remove_hosts(d, d->lab->batch);
	while (n)
		(void)pthread_join(workers[--n], NULL);
	if (!d->give_up)
		remove_rest(d);
	d->over = true;
	signal_event(d->news);
	return NULL;
}

int down_start(struct lab *lab, struct down **ret)
{
	struct down *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->lab = lab;
	d->next = 1;
	d->n_workers = lab->plan->scn->wiring == SCN_DIRECT ? WORKERS_MAX : 1;
	d->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->halt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = d->news < 0 || d->halt < 0 ? -EMFILE : -pthread_create(&d->conductor, NULL, conduct, d);
	if (!r) {
		*ret = d;
		return 0;
	}
	close_fd(&d->news);
	close_fd(&d->halt);
	free(d);
	return r;
}

int down_fd(const struct down *d)
{
	return d->news;
}

void down_read(struct down *d, struct down_progress *ret)
{
	eventfd_t n;

	(void)eventfd_read(d->news, &n); /* first: what is news after it makes the descriptor readable again */
	*ret = (struct down_progress) { .hosts = d->done, .n_hosts = d->lab->plan->n_hosts, .over = d->over };
}

void down_give_up(struct down *d)
{
	d->give_up = true;
	signal_event(d->halt);
}

void down_free(struct down *d)
{
	if (!d)
		return;
	(void)pthread_join(d->conductor, NULL);
	close_fd(&d->news);
	close_fd(&d->halt);
	free(d);
}
