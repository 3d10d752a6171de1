/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libbpf's global print hook: held only while one of its calls runs in this monitor, under a lock, and speaks to the calling
 * thread's log.
 */
#include "monitor/monitor_internal.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* libbpf's hook is one function for the process, without argument. */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local struct log_sink *log_sink;

static int log_print(enum libbpf_print_level level, const char *format, va_list ap)
{
	struct log_sink *sink = log_sink;
	char line[LOG_LINE_MAX];

	if (!sink)
		return 0; /* another thread's libbpf call, not ours to report */
	(void)vsnprintf(line, sizeof(line), format, ap); /* a cut line is better than none */
	line[strcspn(line, "\n")] = '\0';
	if (level == LIBBPF_WARN && !sink->first_warning[0])
		(void)snprintf(sink->first_warning, sizeof(sink->first_warning), "%s", line);
	if (sink->log)
		sink->log(sink->arg, line);
	return 0;
}

void monitor_log_enter(struct log_sink *sink, void (*log)(void *arg, const char *line), void *arg)
{
	*sink = (struct log_sink){.log = log, .arg = arg};
	pthread_mutex_lock(&log_lock);
	log_sink = sink;
	sink->previous = libbpf_set_print(log_print);
}

void monitor_log_leave(struct log_sink *sink)
{
	(void)libbpf_set_print(sink->previous); /* returns ours */
	log_sink = NULL;
	pthread_mutex_unlock(&log_lock);
}
