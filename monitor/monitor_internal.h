/* SPDX-License-Identifier: Apache-2.0 */
/* What monitor.c (loading, opening, measuring), attach.c (hooks on interfaces) and log.c (libbpf's messages) share. */
#ifndef TUNLAB_MONITOR_MONITOR_INTERNAL_H
#define TUNLAB_MONITOR_MONITOR_INTERNAL_H

#include <bpf/libbpf.h>

#include "monitor/monitor.h"
#include "monitor/reader.h"

enum { LOG_LINE_MAX = 512 };

struct attachment;
struct monitor_bpf;

struct monitor {
	struct monitor_bpf *skel;
	enum monitor_parser parser;
	const struct bpf_program *progs[FLOW_DIR_MAX]; /* what is attached */
	struct monitor_maps maps;
	struct reader *reader;
	size_t slots_bytes;
	size_t hosts_bytes;
	struct attachment *attachments; /* [n_attachments] */
	size_t n_attachments;
	int stats_fd; /* as long as it is open, the kernel measures; -1: we did not ask */
	void (*log)(void *arg, const char *line);
	void *log_arg;
};

/* Where the calling thread's libbpf lines go. The first warning explains most failures. */
struct log_sink {
	void (*log)(void *arg, const char *line);
	void *arg;
	char first_warning[LOG_LINE_MAX];
	libbpf_print_fn_t previous;
};

/* The calling thread's libbpf lines go to log (may be NULL) and to sink until monitor_log_leave(); other threads wait. */
void monitor_log_enter(struct log_sink *sink, void (*log)(void *arg, const char *line), void *arg);
void monitor_log_leave(struct log_sink *sink);

#endif
