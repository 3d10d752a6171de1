/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures through the packet parser: a pcap or pcapng file becomes a flow table, without privilege
 * and in one pass, so that a file may be larger than memory. The only user of libpcap in the
 * program. What is printed of it is the views'.
 */
#ifndef TUNLAB_MONITOR_REPLAY_H
#define TUNLAB_MONITOR_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "monitor/flows.h"

enum { REPLAY_FLOWS_MAX = 1 << 20 };

struct replay_progress {
	uint64_t packets;
	uint64_t bytes_read; /* of the file */
	uint64_t bytes;      /* the file's size; 0 where it has none, as a pipe */
};

struct replay_config {
	const struct flow_port *ports; /* [FLOW_PORTS_MAX]; NULL: flow_ports_default */
	uint32_t capacity;             /* flows kept, packets of others are lost; 0: REPLAY_FLOWS_MAX */
	/* Called every some ten thousand packets; false ends the reading. May be NULL. */
	bool (*progress)(void *arg, const struct replay_progress *progress);
	void *progress_arg;
	/* With step_ns, called when a step of the capture's time is over, of which there is nothing more to come, and for the last, not yet
	 * over: the table holds, unsorted, what came before end_ns. Steps begin with start_ns, the last holds last_ns; a packet that is
	 * older or younger than its step counts in it all the same. 0 goes on, anything else ends the reading and is returned. */
	uint64_t start_ns, last_ns, step_ns;
	int (*step)(void *arg, struct flow_table *table, uint64_t end_ns, struct error *err);
	void *step_arg;
};

/* When the first and the last packet were captured, ns since the epoch; 0 where there was none. */
struct replay_span {
	uint64_t first_ns, last_ns;
};

/*
 * Reads the capture at path ("-": standard input) into table (zero-initialised, or used before): all
 * frames are counted as sent by host 0, which is all there is. Bytes are original lengths. Errors
 * worth telling apart:
 *   -ENOENT, -EACCES ...  cannot be opened     -EPROTONOSUPPORT  a link type the parser does not know
 *   -EINVAL               no capture, or broken: table and span hold what was read up to there
 *   -ECANCELED            progress said so; likewise
 */
int replay_file(const char *path, const struct replay_config *config, struct flow_table *table,
		struct replay_span *ret_span, struct error *err);

/* Only the span of the capture at path, as fast as packets can be skipped. Errors likewise; of a broken one the span up to there. */
int replay_scan(const char *path, const struct replay_config *config, struct replay_span *ret_span, struct error *err);

/* The length of steps, a round one and at least a second, of which at most `most` cover a span. */
uint64_t replay_step_ns(const struct replay_span *span, unsigned most);

#endif
