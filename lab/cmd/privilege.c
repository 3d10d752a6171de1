/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities by the kernel's own calls (capabilities(7)); see privilege.h. */
#include "lab/cmd/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int get_effective(uint64_t *ret)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	*ret = data[0].effective | (uint64_t)data[1].effective << 32;
	return 0;
}

static int set_all(uint64_t caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = (uint32_t)caps, .permitted = (uint32_t)caps },
		{ .effective = (uint32_t)(caps >> 32), .permitted = (uint32_t)(caps >> 32) },
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

int privilege_check(struct error *err)
{
	static const struct {
		int cap;
		const char *name;
	} needed[] = { { CAP_SYS_ADMIN, "CAP_SYS_ADMIN" }, { CAP_NET_ADMIN, "CAP_NET_ADMIN" }, { CAP_NET_RAW, "CAP_NET_RAW" } };
	uint64_t have = 0;

	(void)get_effective(&have); /* fails on no kernel that has namespaces; then nothing is had */
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!(have & 1ull << needed[i].cap)) {
			error_set(err, "building a lab needs root (%s is missing): run it with sudo", needed[i].name);
			return -EPERM;
		}
	return 0;
}

static int keep_only(uint64_t keep, struct error *err)
{
	int r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : set_all(keep);

	if (r)
		error_set(err, "cannot give up privileges: %s", strerror(-r));
	return r;
}

int privilege_drop(struct error *err)
{
	uint64_t have = 0, keep;

	(void)get_effective(&have); /* fails on no kernel that has namespaces */
	/* Kernels before 5.8 know no CAP_BPF: there reading a map takes CAP_SYS_ADMIN. */
	keep = have & 1ull << CAP_BPF ? 1ull << CAP_BPF : have & 1ull << CAP_SYS_ADMIN;
	return keep_only(keep | (have & 1ull << CAP_NET_ADMIN), err); /* to change links, and to take the lab apart */
}

int privilege_keep_net_admin(struct error *err)
{
	uint64_t have = 0;

	(void)get_effective(&have);
	return keep_only(have & 1ull << CAP_NET_ADMIN, err);
}

int privilege_drop_all(struct error *err)
{
	return keep_only(0, err);
}

int privilege_open_files(unsigned long n, struct error *err)
{
	struct rlimit limit;
	int r;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	if (limit.rlim_cur >= n)
		return 0;
	limit.rlim_cur = n;
	if (limit.rlim_max < n)
		limit.rlim_max = n; /* takes CAP_SYS_RESOURCE, and stays under sysctl fs.nr_open */
	if (!setrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	r = -errno;
	error_set(err, "this lab needs %lu open files and cannot raise the limit: %s (ulimit -n, sysctl fs.nr_open)", n,
		  strerror(-r));
	return r;
}
