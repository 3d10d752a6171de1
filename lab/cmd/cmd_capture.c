/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab capture: the traffic of a host or a client as pcapng, or a line a packet. Its socket would keep the namespace alive, so it
 * stays connected to the lab and ends with it. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/units.h"
#include "lab/capture/recorder.h"
#include "lab/cmd/command.h"
#include "lab/cmd/privilege.h"
#include "lab/control.h"
#include "lab/net/ns.h"
#include "lab/scenario/scenario.h"
#include "monitor/flows.h"

enum {
	PIPE_CHUNK = 4096,   /* a pipe that can be written to takes so much without blocking (PIPE_BUF) */
	GATHER = 256 << 10,  /* bytes put together before they are written */
	LAST_WORDS_MS = 1000, /* for a reader that does not read, when the capture is over */
	SETTLE_MS = 120,     /* until the kernel hands over a block that is not full (RETIRE_MS), with room */
};

struct capture_options {
	bool lines;
	const char *lab, *file, *interface, *count, *duration;
};

#define AT(field) offsetof(struct capture_options, field)

static const struct command_option options[] = {
	{ "w", OPTION_TEXT, AT(file), "FILE", "write pcapng to FILE; -: standard output" },
	{ "interface", OPTION_TEXT, AT(interface), "NAME", "of one interface only, as eth0 (default: all of the namespace)" },
	{ "count", OPTION_TEXT, AT(count), "N", "end after N packets" },
	{ "duration", OPTION_TEXT, AT(duration), "T", "end after T (500ms, 10s)" },
	{ "text", OPTION_FLAG, AT(lines), NULL, "a line a packet, also where standard output is no terminal" },
	{ "lab", OPTION_TEXT, AT(lab), "LAB", "which lab, where several run" },
	{ 0 },
};

enum { WATCH_RING, WATCH_SIGNALS, WATCH_LAB, WATCH_END, WATCH_OUT, WATCHED };

struct capture {
	const struct capture_options *options;
	const char *where;
	uint64_t count, duration_ns; /* 0: no limit */
	int out;
	bool out_is_file;            /* writing never waits for a reader */
	bool cut;                    /* not all could be written: nothing more is */
	struct ring *ring;
	struct recorder *recorder;
	struct pollfd watched[WATCHED];
	uint64_t start_ns, last_ns;  /* wall clock; frames after last_ns are not wanted */
	uint64_t packets, bytes;
	bool over;
	int status;
};

/* ---- the end, from several sides ---- */

static void finish(struct capture *c, int status)
{
	if (!c->over)
		c->status = status;
	c->over = true;
}

static void take_signal(struct capture *c)
{
	struct signalfd_siginfo info;

	if (read(c->watched[WATCH_SIGNALS].fd, &info, sizeof(info)) == sizeof(info))
		finish(c, info.ssi_signo == SIGINT ? EXIT_WELL : EXIT_SIGNAL + (int)info.ssi_signo);
}

/* Waits until one from `first` on is ready; what ends a capture is dealt with here. */
static void wait_from(struct capture *c, unsigned first)
{
	if (poll(c->watched + first, WATCHED - first, -1) < 0 && errno != EINTR)
		finish(c, EXIT_MACHINE);
	if (c->watched[WATCH_SIGNALS].revents)
		take_signal(c);
	if (c->watched[WATCH_LAB].revents || c->watched[WATCH_END].revents)
		finish(c, EXIT_WELL);
	if (c->watched[WATCH_OUT].revents & (POLLERR | POLLHUP | POLLNVAL))
		finish(c, EXIT_WELL); /* the reader has seen enough */
}

/* ---- writing ---- */

/* Waits for the reader, and hears signals meanwhile. When the capture is over the reader gets one more moment. */
static bool may_write(struct capture *c)
{
	struct pollfd *out = &c->watched[WATCH_OUT];

	while (!c->out_is_file) {
		bool last = c->over;

		out->events = POLLOUT;
		if (last)
			(void)poll(out, 1, LAST_WORDS_MS);
		else
			wait_from(c, WATCH_SIGNALS);
		out->events = 0;
		if (out->revents || last)
			return out->revents & POLLOUT;
	}
	return true;
}

/* False: no more can be written. */
static bool write_some(struct capture *c, const char *data, size_t len, size_t *ret_written)
{
	ssize_t n = write(c->out, data, len > PIPE_CHUNK && !c->out_is_file ? PIPE_CHUNK : len);

	*ret_written = n > 0 ? (size_t)n : 0;
	if (n >= 0 || errno == EINTR || errno == EAGAIN)
		return true;
	if (errno != EPIPE) {
		say("cannot write %s: %s", c->options->file ? c->options->file : "to standard output", strerror(errno));
		c->over = false; /* however it was to end */
	}
	finish(c, errno == EPIPE ? EXIT_WELL : EXIT_MACHINE);
	return false;
}

static void flush(struct capture *c)
{
	struct text *t = recorder_bytes(c->recorder);

	if (t->failed) {
		say("out of memory: the capture ends here");
		finish(c, EXIT_MACHINE);
	}
	for (size_t at = 0, n; !c->cut && at < t->len; at += n) {
		n = 0;
		c->cut = !may_write(c) || !write_some(c, t->buf + at, t->len - at, &n);
	}
	t->len = 0;
}

/* ---- frames ---- */

static bool take(void *arg, const struct ring_frame *f)
{
	struct capture *c = arg;

	if (c->last_ns && f->time_ns > c->last_ns)
		return false;
	recorder_add(c->recorder, f);
	c->packets++;
	c->bytes += f->len;
	if (c->count && c->packets == c->count) {
		finish(c, EXIT_WELL);
		return false;
	}
	if (recorder_bytes(c->recorder)->len >= GATHER)
		flush(c);
	return !c->over || c->last_ns;
}

static uint64_t wall_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

/* What was caught until now but not handed over yet. */
static void settle(struct capture *c)
{
	uint64_t limit_ns = now_ns() + SETTLE_MS * 1000000ull, now;

	c->last_ns = wall_ns();
	while ((now = now_ns()) < limit_ns) {
		(void)poll(&c->watched[WATCH_RING], 1, (int)((limit_ns - now) / 1000000) + 1);
		ring_read(c->ring, take, c);
	}
}

static void say_what_went(struct capture *c, uint64_t dropped)
{
	say("captured %llu packets, %llu bytes, on %u interfaces of %s", (unsigned long long)c->packets, (unsigned long long)c->bytes,
	    recorder_interfaces(c->recorder), c->where);
	if (c->cut && c->status != EXIT_MACHINE)
		say("not all of them were written: the reader had stopped reading");
	if (dropped)
		say("%llu more were dropped: what is written was not taken fast enough; the lab itself lost none of them",
		    (unsigned long long)dropped);
}

static void run_capture(struct capture *c)
{
	uint64_t seen, dropped;

	flush(c);
	while (!c->over) {
		wait_from(c, WATCH_RING);
		if (c->over)
			break;
		ring_read(c->ring, take, c);
		flush(c);
	}
	if (!c->cut && (!c->count || c->packets < c->count))
		settle(c);
	ring_counts(c->ring, &seen, &dropped);
	recorder_end(c->recorder, c->start_ns, c->last_ns ? c->last_ns : wall_ns(), dropped);
	flush(c);
	say_what_went(c, dropped);
}

/* ---- getting ready ---- */

static int open_timer(uint64_t duration_ns)
{
	int fd = timer_open();

	if (fd >= 0 && duration_ns)
		(void)timer_arm(fd, now_ns() + duration_ns, 0);
	return fd;
}

static int open_output(struct capture *c)
{
	const char *file = c->options->file;
	bool to_stdout = !file || strcmp(file, "-") == 0;
	struct stat st;

	if (to_stdout && !c->options->lines && isatty(STDOUT_FILENO)) {
		say("capture: -w - would write pcapng to the terminal: name a file, or pipe it somewhere");
		return EXIT_USAGE;
	}
	c->out = to_stdout ? STDOUT_FILENO : open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	if (c->out < 0 || fstat(c->out, &st)) {
		int r = -errno;

		say("cannot write %s: %s", file, strerror(-r));
		return status_of(r); /* of no such folder 2, as of a report */
	}
	c->out_is_file = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode);
	return EXIT_WELL;
}

/* The connection stays open in *ret_connection: its end is the lab's. */
static int ask(struct capture *c, int *ret_connection, int *ret_netns, cJSON **ret_status)
{
	cJSON *q = cJSON_CreateObject();
	char *text;
	int fd, r;

	(void)cJSON_AddStringToObject(q, "op", "netns");
	(void)cJSON_AddStringToObject(q, "where", c->where);
	r = open_lab(c->options->lab, q, &fd);
	if (r != EXIT_WELL)
		return r;
	r = hear_lab(fd, &text, ret_netns);
	if (r == EXIT_WELL) {
		free(text);
		if (control_send(fd, "{\"op\":\"status\"}"))
			r = EXIT_MACHINE;
	}
	if (r == EXIT_WELL)
		r = hear_lab(fd, &text, NULL);
	if (r != EXIT_WELL) {
		(void)close(fd);
		return r;
	}
	*ret_status = cJSON_Parse(text);
	*ret_connection = fd;
	free(text);
	return EXIT_WELL;
}

static int interface_index(const struct capture *c, uint32_t *ret)
{
	*ret = c->options->interface ? if_nametoindex(c->options->interface) : 0;
	if (!c->options->interface || *ret)
		return EXIT_WELL;
	say("there is no interface %s in %s: `tunlab exec %s -- ip link` lists them", c->options->interface, c->where, c->where);
	return EXIT_USAGE;
}

/* Enters the namespace; the socket stays there. */
static int open_ring(struct capture *c, int netns)
{
	struct error err;
	uint32_t index;
	int r;

	if (ns_enter(netns, c->where, &err)) {
		say("%s", err.text);
		return EXIT_MACHINE;
	}
	r = interface_index(c, &index);
	if (r == EXIT_WELL && ring_open(index, &c->ring, &err)) {
		say("%s", err.text);
		r = EXIT_MACHINE;
	}
	return r;
}

/* With socket and file open nothing more takes privilege. */
static int drop_privileges(void)
{
	struct error err;

	if (!privilege_drop_all(&err))
		return EXIT_WELL;
	say("%s", err.text);
	return EXIT_MACHINE;
}

static int open_recorder(struct capture *c, const cJSON *lab)
{
	const cJSON *port = cJSON_GetObjectItem(lab, "port");
	struct recorder_config config = {
		.lines = c->options->lines, .where = c->where, .lab = lab, .interfaces_fd = ring_fd(c->ring),
		.ports = { { .port = (uint16_t)(cJSON_IsNumber(port) ? port->valueint : 4789), .encap = ENCAP_VXLAN } },
	};

	for (int i = 1; i < FLOW_PORTS_MAX; i++) /* the lab's own first; then what else somebody may send through it */
		config.ports[i] = flow_ports_default[i - 1];
	c->recorder = recorder_new(&config);
	if (c->recorder)
		return EXIT_WELL;
	say("out of memory");
	return EXIT_MACHINE;
}

static int set_watched(struct capture *c, int connection)
{
	int fds[WATCHED] = { ring_fd(c->ring), signals_open(), connection, open_timer(c->duration_ns), c->out };

	for (int i = 0; i < WATCHED; i++) {
		c->watched[i] = (struct pollfd) { .fd = fds[i], .events = i == WATCH_OUT ? 0 : POLLIN };
		if (fds[i] < 0) {
			say("cannot set up the capture: %s", strerror(errno));
			return EXIT_MACHINE;
		}
	}
	return EXIT_WELL;
}

static int capture_with(struct capture *c, int connection, int netns, const cJSON *lab)
{
	int r = open_ring(c, netns);

	if (r == EXIT_WELL)
		r = open_output(c); /* late, so that no mistake empties a file */
	if (r == EXIT_WELL)
		r = drop_privileges();
	if (r == EXIT_WELL)
		r = open_recorder(c, lab);
	if (r == EXIT_WELL)
		r = set_watched(c, connection);
	if (r == EXIT_WELL) {
		c->start_ns = wall_ns();
		say("capturing in %s; Ctrl-C ends it", c->where);
		run_capture(c);
		r = c->status;
	}
	recorder_free(c->recorder);
	ring_close(c->ring);
	return r;
}

static int read_limits(struct capture *c)
{
	const struct capture_options *o = c->options;
	const char *why;

	if (o->count && parse_number(o->count, 1, UINT32_MAX, &c->count)) {
		say("capture: --count %s: want a whole number from 1 to %u", o->count, UINT32_MAX);
		return EXIT_USAGE;
	}
	if (o->duration && (parse_time(o->duration, &c->duration_ns, &why) || !c->duration_ns)) {
		say("capture: --duration %s: %s", o->duration, c->duration_ns ? why : "want some time, as 500ms or 10s");
		return EXIT_USAGE;
	}
	if (o->lines && o->file) {
		say("capture: --text and -w exclude each other");
		return EXIT_USAGE;
	}
	return EXIT_WELL;
}

static int run(const void *given, char *const *args, int n_args)
{
	struct capture_options o = *(const struct capture_options *)given;
	struct capture c = { .options = &o, .where = args[0], .out = -1 };
	cJSON *lab;
	int connection, netns, r = read_limits(&c);

	(void)n_args;
	if (!o.file && isatty(STDOUT_FILENO))
		o.lines = true;
	if (r == EXIT_WELL)
		r = ask(&c, &connection, &netns, &lab);
	if (r != EXIT_WELL)
		return r;
	r = capture_with(&c, connection, netns, lab);
	cJSON_Delete(lab);
	return r;
}

const struct command cmd_capture = {
	.name = "capture",
	.args = "WHERE",
	.summary = "Capture the traffic of a host or a client as pcapng, for Wireshark, or a line a packet.",
	.details = WHERE_HELP
		   "On a terminal, without -w: a line a packet. Otherwise pcapng, with the lab's names of hosts and clients.\n"
		   "The lab is never slowed down: what is not taken in time is dropped, counted and said.\n\n"
		   "  sudo tunlab capture host0 --interface eth0             the tunnels, a line a packet\n"
		   "  sudo tunlab capture c3 -w c3.pcapng --duration 10s\n"
		   "  sudo tunlab capture host0 -w - | wireshark -k -i -\n",
	.options = options,
	.options_size = sizeof(struct capture_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
