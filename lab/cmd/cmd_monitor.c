/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab monitor: options, names of addresses and interfaces; the watching itself is lab/watch/watch.c's. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/cmd/command.h"
#include "lab/cmd/names_file.h"
#include "lab/run.h"
#include "lab/scenario/scenario.h"
#include "lab/watch/watch.h"
#include "monitor/flows.h"
#include "monitor/ports.h"
#include "ui/server.h"

struct monitor_options {
	struct text_list dev, port;
	bool headless, json, stats;
	const char *duration, *listen, *name, *names, *hook, *parser;
};

#define AT(field) offsetof(struct monitor_options, field)

static const struct command_option options[] = {
	{ "dev", OPTION_LIST, AT(dev), "IFACE", "an interface to watch (repeatable; names may also follow as arguments)" },
	{ "headless", OPTION_FLAG, AT(headless), NULL, "no page; shows the flow table at the end" },
	{ "duration", OPTION_TEXT, AT(duration), "T", "end after T (10s, 2m); default: until Ctrl-C or `tunlab stop`" },
	{ "json", OPTION_FLAG, AT(json), NULL, "the flow table each second, as one line of JSON" },
	{ "listen", OPTION_TEXT, AT(listen), "ADDR:PORT", "where the page is served (default 127.0.0.1:8080; port 0: any)" },
	{ "name", OPTION_TEXT, AT(name), "NAME", "what other commands call it with --lab (default: monitor)" },
	{ "names", OPTION_TEXT, AT(names), "FILE", "names of addresses, as in hosts(5) (default: /etc/hosts)" },
	{ "port", OPTION_LIST, AT(port), PORTS_HELP, "UDP ports, as vxlan=4789,8472 (repeatable; vxlan, vxlan-gpe, geneve, gtp-u)" },
	{ "hook", OPTION_TEXT, AT(hook), "HOOK", "tcx or clsact (default: tcx where this kernel has it)" },
	{ "parser", OPTION_TEXT, AT(parser), "PARSER", "direct or tailcall: how the program walks a packet (default: direct)" },
	{ "stats", OPTION_FLAG, AT(stats), NULL, "have the kernel measure what the program costs (takes a little itself)" },
	{ 0 },
};

/* An interface given twice is watched once. */
static int add_device(struct text_list *devices, const char *name)
{
	char list[1024];

	for (size_t i = 0; i < devices->n; i++)
		if (strcmp(devices->v[i], name) == 0)
			return EXIT_WELL;
	if (strlen(name) >= IF_NAMESIZE || !if_nametoindex(name)) {
		watch_list_devices(list, sizeof(list));
		say("monitor: there is no interface '%s': there are %s", name, list);
		return EXIT_USAGE;
	}
	if (devices->n == LAB_DEVICES_MAX) {
		say("monitor: at most %d interfaces can be watched at once", LAB_DEVICES_MAX);
		return EXIT_USAGE;
	}
	devices->v[devices->n++] = name;
	return EXIT_WELL;
}

static int collect_devices(const struct monitor_options *o, char *const *args, int n_args, struct text_list *ret)
{
	char list[1024];
	int status = EXIT_WELL;

	ret->v = calloc(o->dev.n + (size_t)n_args + 1, sizeof(*ret->v));
	if (!ret->v) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	for (size_t i = 0; i < o->dev.n && status == EXIT_WELL; i++)
		status = add_device(ret, o->dev.v[i]);
	for (int i = 0; i < n_args && status == EXIT_WELL; i++)
		status = add_device(ret, args[i]);
	if (status == EXIT_WELL && !ret->n) {
		watch_list_devices(list, sizeof(list));
		say("monitor: say which interfaces to watch, as --dev eth0: there are %s", list);
		status = EXIT_USAGE;
	}
	return status;
}

static int read_values(const struct monitor_options *o, struct watch_config *config)
{
	struct error err;
	const char *why;
	int parser;

	memcpy(config->ports, flow_ports_default, sizeof(config->ports));
	for (size_t i = 0; i < o->port.n; i++)
		if (ports_change(config->ports, o->port.v[i], &err)) {
			say("monitor: --port %s", err.text);
			return EXIT_USAGE;
		}
	if (o->duration && (parse_time(o->duration, &config->duration_ns, &why) || !config->duration_ns)) {
		say("monitor: --duration %s: want some time, as 500ms, 10s or 2m", o->duration);
		return EXIT_USAGE;
	}
	parser = monitor_parser_find(o->parser, &err);
	if (parser < 0) {
		say("monitor: --parser %s: %s", o->parser, err.text);
		return EXIT_USAGE;
	}
	config->parser = (enum monitor_parser)parser;
	if (o->headless && o->listen) {
		say("monitor: --listen and --headless exclude each other");
		return EXIT_USAGE;
	}
	return EXIT_WELL;
}

static int watch(const struct watch_config *config)
{
	struct error err;
	int r;

	/* Asked before anything is attached. */
	r = config->listen ? server_probe(config->listen, &err) : 0;
	if (!r)
		return watch_devices(config);
	say("%s", err.text);
	return status_of(r);
}

static int monitor(const void *given, char *const *args, int n_args)
{
	const struct monitor_options *o = given;
	struct watch_config config = {
		.name = o->name ?: "monitor", .listen = o->headless ? NULL : o->listen ?: RUN_LISTEN_DEFAULT, .hook = o->hook,
		.json = o->json, .table = o->headless && !o->json, .stats = o->stats,
	};
	struct text_list devices = { 0 };
	int status = read_values(o, &config);

	if (status == EXIT_WELL)
		status = collect_devices(o, args, n_args, &devices);
	if (status == EXIT_WELL)
		status = names_file_read(o->names, &config.names);
	config.devices = devices.v;
	config.n_devices = devices.n;
	if (status == EXIT_WELL)
		status = watch(&config);
	name_table_free(&config.names);
	free(devices.v);
	return status;
}

const struct command cmd_monitor = {
	.name = "monitor",
	.args = "[IFACE…]",
	.summary = "No lab: watch the tunnels that cross real interfaces of this machine, on the same page.",
	.details = "What leaves by an interface counts as sent, what comes in by it as received; most flows cross one machine's interface in\n"
		   "one direction only, so nothing is said of loss. Programs and filters that are there already stay, and nothing of tunlab\n"
		   "does when it ends, also by kill -9. An interface that goes is waited for.\n\n"
		   "Which interface? Tunnelled packets show where they are tunnelled: on the underlay's interface (eth0, a bond), not on the\n"
		   "tunnel device (vxlan0), which carries what is inside. Of a bridge or bond and its ports choose one, or packets that cross\n"
		   "both are counted on each. On tun and WireGuard devices, which have no Ethernet header, bytes count from the IP header on.\n\n"
		   "  sudo tunlab monitor --dev eth0                            look at http://127.0.0.1:8080/\n"
		   "  sudo tunlab monitor --dev eth0 --headless --duration 10s  the flow table of ten seconds\n"
		   "  sudo tunlab monitor --dev eth0 --port vxlan=4789,9999     a port of your own\n"
		   "  sudo tunlab flows --by outer --rates --watch              of a running monitor, in another terminal\n",
	.options = options,
	.options_size = sizeof(struct monitor_options),
	.max_args = LAB_DEVICES_MAX,
	.run = monitor,
};
