/* SPDX-License-Identifier: Apache-2.0 */
/* See facts.h. Offloads are asked of the first host's uplink, through the netlink socket that is kept there: all hosts' are made
 * alike, and asking needs no privilege. */
#include "lab/facts.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/program.h"
#include "lab/net/lab.h"

static void add(struct facts *f, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add(struct facts *f, const char *name, const char *format, ...)
{
	va_list args;

	if (f->n == FACTS_MAX)
		return;
	f->v[f->n].name = name;
	va_start(args, format);
	(void)vsnprintf(f->v[f->n].value, sizeof(f->v[f->n].value), format, args);
	va_end(args);
	f->n++;
}

/* "model name	: AMD EPYC", where the architecture has such a line. */
static void processor_model(char *buf, size_t len)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256];
	const char *colon;

	buf[0] = '\0';
	while (f && !*buf && fgets(line, sizeof(line), f))
		if (strncmp(line, "model name", 10) == 0 && (colon = strchr(line, ':')))
			(void)snprintf(buf, len, ", %.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
	if (f)
		(void)fclose(f);
}

/* 1, 0, or -1 where the device does not tell. */
static int ask_device(int fd, const char *device, uint32_t command)
{
	struct ethtool_value value = { .cmd = command };
	struct ifreq request = { .ifr_data = (void *)&value };

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	return ioctl(fd, SIOCETHTOOL, &request) ? -1 : value.data != 0;
}

static void add_offloads(struct facts *f, int fd)
{
	static const struct {
		const char *name;
		uint32_t command;
	} rows[] = {
		{ "transmit checksums", ETHTOOL_GTXCSUM }, { "receive checksums", ETHTOOL_GRXCSUM }, { "TCP segmentation", ETHTOOL_GTSO },
		{ "generic segmentation", ETHTOOL_GGSO }, { "generic receive", ETHTOOL_GGRO },
	};
	char text[160] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && used < sizeof(text); i++) {
		int on = ask_device(fd, "eth0", rows[i].command);

		if (on >= 0)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s", used ? ", " : "", rows[i].name,
						 on ? "on" : "off");
	}
	if (used)
		add(f, "offloads of eth0", "%s", text);
}

void facts_read(const struct lab *lab, struct facts *ret)
{
	struct utsname u;
	struct sysinfo s;
	char model[120];

	*ret = (struct facts) { 0 };
	add(ret, "tunlab", "%s", program_version);
	if (!uname(&u))
		add(ret, "kernel", "%.30s %.90s %.30s", u.sysname, u.release, u.machine);
	processor_model(model, sizeof(model));
	add(ret, "processors", "%ld%s", sysconf(_SC_NPROCESSORS_ONLN), model);
	if (!sysinfo(&s))
		add(ret, "memory", "%.1f GiB, load %.2f", (double)s.totalram * s.mem_unit / (1 << 30),
		    (double)s.loads[0] / (1 << SI_LOAD_SHIFT));
	if (lab && lab_nl_host(lab, 0))
		add_offloads(ret, nl_fd(lab_nl_host(lab, 0)));
}
