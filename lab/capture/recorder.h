/* SPDX-License-Identifier: Apache-2.0 */
/* From frames to what is written: pcapng blocks, or lines for people. Gathers bytes in memory; who writes them where is the
 * command's. */
#ifndef TUNLAB_CAPTURE_RECORDER_H
#define TUNLAB_CAPTURE_RECORDER_H

#include "base/text.h"
#include "bpf/flow.h"
#include "lab/capture/ring.h"

struct cJSON;
struct recorder;

struct recorder_config {
	bool lines;                        /* for people instead of pcapng */
	const char *where;                 /* "host3": the interfaces' description; borrowed */
	const struct cJSON *lab;           /* the lab's status: names of addresses; needed only during recorder_new */
	struct flow_port ports[FLOW_PORTS_MAX];
	int interfaces_fd;                 /* a socket of the namespace, to ask for names of interfaces; borrowed */
};

/* Starts with what stands before the first frame. NULL: no memory. */
struct recorder *recorder_new(const struct recorder_config *config);
void recorder_free(struct recorder *r); /* NULL is fine */

void recorder_add(struct recorder *r, const struct ring_frame *f);
/* The counts, when no frame is to come. dropped: of all interfaces together. */
void recorder_end(struct recorder *r, uint64_t start_ns, uint64_t end_ns, uint64_t dropped);

/* What is to be written next; the writer empties it (len = 0). failed: memory ran out. */
struct text *recorder_bytes(struct recorder *r);
unsigned recorder_interfaces(const struct recorder *r);

#endif
