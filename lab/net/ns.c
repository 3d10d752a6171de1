/* SPDX-License-Identifier: Apache-2.0 */
/* Anonymous namespaces; see ns.h. */
#include "lab/net/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PROC_NAMESPACES = 64 }; /* served by one view of /proc: so few are not felt, and a view costs as much as one more */

int ns_current(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int ns_enter(int fd, const char *where, struct error *err)
{
	int r;

	if (!setns(fd, CLONE_NEWNET))
		return 0;
	r = -errno;
	error_set(err, "cannot enter the network namespace of %s: %s", where, strerror(-r));
	return r;
}

/* A mount of procfs that is attached nowhere (fsopen(2), since Linux 5.2), or -1. By number: glibc has had the functions only
 * since 2.36. */
static int open_private_proc(void)
{
	int fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC), fd = -1;

	if (fs < 0)
		return -1;
	if (!syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	(void)close(fs);
	return fd;
}

void ns_maker_close(struct ns_maker *m)
{
	if (m->proc >= 0)
		(void)close(m->proc);
	m->proc = -1;
}

/* Where there can be none the machine's /proc serves as well, only slower. */
static void renew_proc(struct ns_maker *m)
{
	if (m->made++ % PROC_NAMESPACES)
		return;
	ns_maker_close(m);
	m->proc = open_private_proc();
}

/* sys/net shows the namespace of whoever opens it. */
static int write_sysctl(const struct ns_maker *m, const char *path, const char *value, const char *where, struct error *err)
{
	int fd = m->proc >= 0 ? openat(m->proc, path + strlen("/proc/"), O_WRONLY | O_CLOEXEC) : open(path, O_WRONLY | O_CLOEXEC);
	int r = 0;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT; /* a kernel without it, such as one without IPv6: nothing to switch off */
	if (fd < 0 || write(fd, value, strlen(value)) < 0) {
		r = -errno;
		error_set(err, "cannot set %s = %s in %s: %s", path, value, where, strerror(-r));
	}
	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int write_ipv6(const struct ns_maker *m, const char *device, const char *key, const char *value, const char *where,
		      struct error *err)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", device, key);
	return write_sysctl(m, path, value, where, err);
}

static int leave_for_new(const char *where, struct error *err)
{
	int r;

	if (!unshare(CLONE_NEWNET))
		return 0;
	r = -errno;
	error_set(err, "cannot make a network namespace for %s: %s%s", where, strerror(-r),
		  r == -ENOSPC ? " (limit: sysctl user.max_net_namespaces)" : "");
	return r;
}

int ns_create_bare(const char *where, struct error *err)
{
	int r = leave_for_new(where, err);

	if (r)
		return r;
	r = ns_current();
	if (r < 0)
		error_set(err, "cannot hold the network namespace of %s: %s", where, strerror(-r));
	return r;
}

int ns_create(struct ns_maker *m, const char *where, struct nl **ret_nl, struct error *err)
{
	struct nl *nl;
	int fd, r = leave_for_new(where, err);

	if (r)
		return r;
	r = nl_open(m->batch, where, &nl);
	if (r) {
		error_set(err, "cannot open a netlink socket in %s: %s", where, strerror(-r));
		return r;
	}
	fd = nl_netns(nl);
	if (fd < 0) {
		error_set(err, "cannot hold the network namespace of %s: %s", where, strerror(-fd));
		nl_close(nl);
		return fd;
	}
	renew_proc(m);
	r = write_ipv6(m, "default", "disable_ipv6", "1", where, err);
	if (r && r != -ENOENT) {
		nl_close(nl);
		(void)close(fd);
		return r;
	}
	*ret_nl = nl;
	return fd;
}

int ns_allow_ipv6(const struct ns_maker *m, const char *device, const char *where, struct error *err)
{
	/* The link-local address stays: without one the kernel cannot probe its neighbours again. The plan made all addresses
	 * unique, and there is no router: nothing to detect and nobody to solicit. */
	static const struct {
		const char *key, *value;
	} settings[] = { { "accept_dad", "0" }, { "accept_ra", "0" }, { "router_solicitations", "0" }, { "disable_ipv6", "0" } };
	int r = 0;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]) && !r; i++)
		r = write_ipv6(m, device, settings[i].key, settings[i].value, where, err);
	if (r == -ENOENT)
		error_set(err, "cannot use IPv6 addresses in %s: this kernel has no IPv6 (CONFIG_IPV6)", where);
	return r;
}

int ns_allow_groups(const struct ns_maker *m, unsigned n, const char *where, struct error *err)
{
	char value[16];

	(void)snprintf(value, sizeof(value), "%u", n);
	return write_sysctl(m, "/proc/sys/net/ipv4/igmp_max_memberships", value, where, err);
}
