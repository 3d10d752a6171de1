/* SPDX-License-Identifier: Apache-2.0 */
/* Watching interfaces of this machine, without a lab: what a lab's monitor shows, over the same page, commands and samples. */
#ifndef TUNLAB_WATCH_H
#define TUNLAB_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "monitor/monitor.h"
#include "monitor/name_table.h"
#include "monitor/view.h"

struct watch_config {
	const char *const *devices; /* [n_devices], each once, at most LAB_DEVICES_MAX */
	size_t n_devices;
	const char *name;           /* what the control socket goes by */
	const char *listen;         /* NULL: no page */
	const char *hook;           /* "tcx", "clsact"; NULL: whatever is best */
	uint64_t duration_ns;       /* 0: until it is ended */
	bool json;                  /* a document a second on standard output */
	bool table;                 /* the flow table on standard output, at the end */
	bool stats;                 /* measures the program's own cost */
	struct flow_port ports[FLOW_PORTS_MAX];
	uint32_t capacity;          /* flows; 0: the usual */
	enum monitor_parser parser;
	struct name_table names;    /* of addresses */
};

/* The interfaces there are, "eth0, lo", for messages. */
void watch_list_devices(char *buf, size_t len);

/* Watches until the duration is over, a signal comes, or `tunlab stop`. Everything is borrowed. Exit status; the reason was said. */
int watch_devices(const struct watch_config *config);

#endif
