/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel can do for us, tried for real; see doctor.h. A kind of device that comes as a module may get loaded by being asked
 * for, as it would by a lab. */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/cmd/privilege.h"
#include "lab/doctor/doctor.h"
#include "lab/net/ns.h"
#include "lab/net/probe.h"
#include "monitor/monitor.h"

/* What labs are made of. Asked in this order: cls_bpf sits on the clsact before it. */
static const struct {
	const char *kind;
	enum probe_what what;
	const char *option; /* CONFIG_ */
	const char *module;
	const char *lost;   /* what does not work without; NULL: any lab */
} kinds[] = {
	{ "veth", PROBE_LINK, "VETH", "veth", NULL },
	{ "bridge", PROBE_LINK, "BRIDGE", "bridge", NULL },
	{ "vxlan", PROBE_LINK, "VXLAN", "vxlan", NULL },
	{ "clsact", PROBE_QDISC, "NET_SCH_INGRESS", "sch_ingress", NULL },
	{ "bpf", PROBE_CLASSIFIER, "NET_CLS_BPF", "cls_bpf", NULL },
	{ "macvlan", PROBE_LINK, "MACVLAN", "macvlan", "wiring = direct" },
	{ "geneve", PROBE_LINK, "GENEVE", "geneve", "encap = geneve" },
	{ "gretap", PROBE_LINK, "NET_IPGRE", "ip_gre", "encap = gretap" },
	{ "ip6gretap", PROBE_LINK, "IPV6_GRE", "ip6_gre", "encap = gretap over an IPv6 underlay" },
	{ "tbf", PROBE_QDISC, "NET_SCH_TBF", "sch_tbf", "links with a rate or a loss" },
	{ "htb", PROBE_QDISC, "NET_SCH_HTB", "sch_htb", "links with a loss" },
	{ "netem", PROBE_QDISC, "NET_SCH_NETEM", "sch_netem", "links with a delay" },
};

static void look_for_kinds(struct findings *f, struct nl *nl)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *name = kinds[i].what == PROBE_CLASSIFIER ? "cls_bpf" : kinds[i].kind;
		int r = probe_kind(nl, kinds[i].what, kinds[i].kind);
		char remedy[128];

		(void)snprintf(remedy, sizeof(remedy), "modprobe %s, or a kernel with CONFIG_%s", kinds[i].module, kinds[i].option);
		if (r > 0)
			findings_add(f, name, FINDING_OK, NULL, "in this kernel");
		else if (r < 0)
			findings_add(f, name, FINDING_UNSEEN, "run doctor as root", "could not ask: %s", strerror(-r));
		else
			findings_add(f, name, kinds[i].lost ? FINDING_NOTE : FINDING_MISSING, remedy, "not in this kernel: no %s",
				     kinds[i].lost ? kinds[i].lost : "lab");
	}
}

/* The lab's own program, through this kernel's verifier and onto an interface of the namespace. */
static void look_for_monitor(struct findings *f)
{
	struct monitor_config config = { .base_ifindex = 1, .n_hosts = 1, .capacity = 64 };
	struct monitor *m = NULL;
	struct error err;
	int r = monitor_open(&config, &err, &m);

	if (!r)
		r = monitor_attach(m, -1, 1, &err);
	monitor_free(m);
	if (!r)
		findings_add(f, "monitor", FINDING_OK, NULL, "its BPF program loads and attaches");
	else if (r == -EPERM && geteuid())
		findings_add(f, "monitor", FINDING_UNSEEN, "run doctor as root", "loading BPF programs takes privilege");
	else
		findings_add(f, "monitor", FINDING_MISSING, NULL, "%s", err.text);
}

static void look_for_capture(struct findings *f)
{
	int version = TPACKET_V3, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd >= 0 && !setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)))
		findings_add(f, "packet", FINDING_OK, NULL, "packet sockets with TPACKET_V3");
	else if (errno == EPERM)
		findings_add(f, "packet", FINDING_UNSEEN, "run doctor as root", "packet sockets take privilege");
	else
		findings_add(f, "packet", FINDING_NOTE, "a kernel with CONFIG_PACKET", "no packet sockets: no `tunlab capture`");
	if (fd >= 0)
		(void)close(fd);
}

static void look_for_ipv6(struct findings *f, const struct ns_maker *m)
{
	struct error err;

	if (!access("/proc/sys/net/ipv6", F_OK) && !ns_allow_ipv6(m, "lo", "a namespace", &err))
		findings_add(f, "ipv6", FINDING_OK, NULL, "in this kernel");
	else
		findings_add(f, "ipv6", FINDING_NOTE, "a kernel with CONFIG_IPV6, booted without ipv6.disable=1",
			     "not usable: no IPv6 underlay or subnets");
}

/* In the child. An ordinary user is root of a user namespace of its own, and may then try what namespaces allow. */
static void look_from_inside(struct findings *f, bool privileged)
{
	struct ns_maker maker = NS_MAKER(NULL);
	struct error err;
	struct nl *nl;
	int fd;

	if (!privileged && unshare(CLONE_NEWUSER)) {
		findings_add(f, "namespaces", FINDING_UNSEEN, "run doctor as root", "an ordinary user may not try here: %s", strerror(errno));
		return;
	}
	error_set(&err, "out of memory");
	maker.batch = nl_batch_new();
	fd = maker.batch ? ns_create(&maker, "a namespace to try things in", &nl, &err) : -ENOMEM;
	if (fd < 0) {
		findings_add(f, "namespaces", privileged ? FINDING_MISSING : FINDING_UNSEEN, privileged ? NULL : "run doctor as root", "%s",
			     err.text);
		nl_batch_free(maker.batch);
		return;
	}
	findings_add(f, "namespaces", FINDING_OK, NULL, "network namespaces can be made, and their sysctls set");
	look_for_kinds(f, nl);
	look_for_monitor(f);
	look_for_capture(f);
	look_for_ipv6(f, &maker);
	ns_maker_close(&maker);
	nl_close(nl);
	nl_batch_free(maker.batch);
	(void)close(fd);
}

/* A child, because a thread of a user namespace finds no way back. */
static void look_in_a_child(struct findings *f, bool privileged)
{
	struct findings *seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = seen == MAP_FAILED ? -1 : fork();
	int status = 0;

	if (child == 0) {
		look_from_inside(seen, privileged);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		findings_add(f, "namespaces", FINDING_UNSEEN, NULL, "could not try: %s", child < 0 ? strerror(errno) : "the child died");
	for (unsigned i = 0; seen != MAP_FAILED && i < seen->n && f->n < FINDINGS_MAX; i++)
		f->v[f->n++] = seen->v[i];
	if (seen != MAP_FAILED)
		(void)munmap(seen, sizeof(*seen));
}

static bool look_at_privilege(struct findings *f)
{
	struct error err;
	int home = ns_current(), r = privilege_check(&err);

	if (!r && home >= 0 && ns_enter(home, "this machine", &err)) {
		r = -EPERM;
		findings_add(f, "privilege", FINDING_MISSING, "run it outside of the user namespace (container --privileged)",
			     "root of a user namespace only: there would be no way back from a lab's namespaces");
	} else if (r) {
		findings_add(f, "privilege", FINDING_MISSING, "sudo tunlab ...", "%s", err.text);
	} else {
		findings_add(f, "privilege", FINDING_OK, NULL, "all that a lab needs");
	}
	if (home >= 0)
		(void)close(home);
	return !r;
}

static int first_number(const char *path, long *ret)
{
	FILE *file = fopen(path, "re");
	int n = file ? fscanf(file, "%ld", ret) : -1;

	if (file)
		(void)fclose(file);
	return n == 1 ? 0 : -ENOENT;
}

static void look_at_bpf(struct findings *f)
{
	long jit = 0;

	/* An impossible command: EINVAL, or EPERM to ordinary users, where there is a bpf(2). */
	if (syscall(SYS_bpf, -1, NULL, 0) < 0 && errno == ENOSYS)
		findings_add(f, "bpf", FINDING_MISSING, "a kernel with CONFIG_BPF_SYSCALL", "no bpf() system call");
	else
		findings_add(f, "bpf", FINDING_OK, NULL, "bpf() is there");
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		findings_add(f, "btf", FINDING_NOTE, "a kernel with CONFIG_DEBUG_INFO_BTF", "the kernel does not describe its types");
	else
		findings_add(f, "btf", FINDING_OK, NULL, "the kernel describes its types");
	if (first_number("/proc/sys/net/core/bpf_jit_enable", &jit))
		findings_add(f, "jit", FINDING_UNSEEN, NULL, "net.core.bpf_jit_enable is not readable here");
	else if (jit)
		findings_add(f, "jit", FINDING_OK, NULL, "BPF programs are compiled");
	else
		findings_add(f, "jit", FINDING_NOTE, "sysctl -w net.core.bpf_jit_enable=1", "BPF programs are interpreted: the monitor costs more");
}

void doctor_kernel(struct findings *f)
{
	struct utsname u;
	bool privileged = look_at_privilege(f);

	if (!uname(&u))
		findings_add(f, "kernel", FINDING_OK, NULL, "%s %s on %s", u.sysname, u.release, u.machine);
	look_at_bpf(f);
	look_in_a_child(f, privileged);
}
