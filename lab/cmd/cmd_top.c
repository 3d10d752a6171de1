/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab top: the terminal, its keys and signals, and one conversation with the lab; what is drawn is view_top.c's. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/text.h"
#include "base/units.h"
#include "lab/cmd/command.h"
#include "lab/control.h"
#include "lab/scenario/scenario.h"
#include "monitor/view_top.h"

enum { ROWS_DEFAULT = 20 /* of a document, where no screen bounds them */ };

struct top_options {
	bool json;
	const char *lab, *by, *sort, *top;
};

#define AT(field) offsetof(struct top_options, field)

static const struct command_option options[] = {
	{ "lab", OPTION_TEXT, AT(lab), "LAB", "which lab, where several run" },
	{ "by", OPTION_TEXT, AT(by), "WHAT", "clients, pairs, vnis or hosts first (default clients, pairs of a monitor)" },
	{ "sort", OPTION_TEXT, AT(sort), "WHAT", "bits or packets per second (default bits)" },
	{ "top", OPTION_TEXT, AT(top), "N", "with --json: only the N busiest (default 20)" },
	{ "json", OPTION_FLAG, AT(json), NULL, "no screen: a document a line, each second" },
	{ 0 },
};

struct top {
	struct top_look look;
	struct top_past past;
	unsigned refuge;      /* the view to take where there are no clients; TOP_CLIENTS: none */
	size_t rows;          /* to ask for; 0: as many as the screen takes */
	int lab, timer, signals;
	char *document;       /* the newest; NULL: none yet */
	bool asked;           /* and no answer came yet */
	bool stale;           /* the answer under way is to a question of before */
	uint64_t answered_ns;
	struct termios saved; /* the terminal as it was */
	bool on_screen;
	int status;           /* exit status to be; -1: goes on */
	const char *farewell; /* to be said once the terminal is as it was; may be NULL */
};

/* ---- the terminal ---- */

static void write_all(const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno != EINTR)
			return; /* the terminal is gone: so will we be, by SIGHUP */
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

static void write_text(const char *text)
{
	write_all(text, strlen(text));
}

/* The alternate screen, without cursor; lines do not wrap. Keys come one by one, unechoed; Ctrl-C and Ctrl-Z stay signals. */
static void enter_screen(struct top *t)
{
	struct termios raw = t->saved;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	write_text("\033[?1049h\033[?25l\033[?7l");
	t->on_screen = true;
}

static void leave_screen(struct top *t)
{
	if (!t->on_screen)
		return;
	write_text("\033[0m\033[?7h\033[?25h\033[?1049l");
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &t->saved);
	t->on_screen = false;
}

static void measure_screen(struct top *t)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col || !size.ws_row)
		size = (struct winsize) { .ws_col = 80, .ws_row = 24 };
	t->look.width = size.ws_col;
	t->look.height = size.ws_row;
}

/* In one write, each line wiped just before it is written anew, so that nothing flickers. (Wiped after it, a line that fills the
 * screen would lose its last character, where the cursor stands.) */
static void draw(struct top *t)
{
	struct text frame = { 0 };
	char *text, *line, *next;

	if (!t->on_screen)
		return;
	t->look.silent_s = (double)(now_ns() - t->answered_ns) / SECOND_NS;
	text = view_top(t->document, &t->past, &t->look);
	text_puts(&frame, "\033[H\033[K");
	for (line = text; line; line = next) {
		next = strchr(line, '\n');
		text_add(&frame, line, next ? (size_t)(next - line) : strlen(line));
		if (next)
			text_puts(&frame, "\n\033[K");
		next = next ? next + 1 : NULL;
	}
	if (!frame.failed)
		write_all(frame.buf, frame.len);
	text_free(&frame);
	free(text);
}

/* ---- the lab ---- */

static void end(struct top *t, int status, const char *farewell)
{
	t->status = status;
	t->farewell = farewell;
}

static void ask(struct top *t)
{
	cJSON *q = cJSON_CreateObject();
	char *text;

	(void)cJSON_AddStringToObject(q, "op", "flows");
	(void)cJSON_AddStringToObject(q, "by", flow_by_names[top_views[t->look.view].by]);
	(void)cJSON_AddStringToObject(q, "order", flow_order_names[t->look.order]);
	(void)cJSON_AddNumberToObject(q, "top", (double)(t->rows ? t->rows : top_rows(&t->look)));
	(void)cJSON_AddBoolToObject(q, "rates", true);
	text = cJSON_PrintUnformatted(q);
	cJSON_Delete(q);
	if (!text)
		end(t, EXIT_MACHINE, "out of memory");
	else if (control_send(t->lab, text))
		end(t, EXIT_WELL, "the lab has ended");
	t->asked = true;
	free(text);
}

/* What is on the screen is of the old question until the new one is answered. */
static void ask_anew(struct top *t)
{
	if (t->asked)
		t->stale = true;
	else
		ask(t);
}

static void show_view(struct top *t, unsigned view)
{
	if (view == t->look.view || (view == TOP_CLIENTS && t->look.no_clients))
		return;
	t->look.view = view;
	top_past_free(&t->past);
	free(t->document);
	t->document = NULL;
	ask_anew(t);
}

/* Interfaces that are watched have no clients: nobody asked for them by name, so something else is shown. */
static void refuse(struct top *t, const char *text)
{
	if (t->look.view == TOP_CLIENTS && t->refuge != TOP_CLIENTS) {
		t->look.no_clients = true;
		show_view(t, t->refuge);
		return;
	}
	leave_screen(t);
	end(t, refusal_status(text), NULL);
}

static void take_answer(struct top *t)
{
	char *text;
	int r = control_receive(t->lab, &text, NULL);

	if (r) {
		end(t, r == -EPIPE || r == -ECONNRESET ? EXIT_WELL : EXIT_MACHINE,
		    r == -EPIPE || r == -ECONNRESET ? "the lab has ended" : "the lab did not answer");
		return;
	}
	t->asked = false;
	t->answered_ns = now_ns();
	if (t->stale) {
		t->stale = false;
		free(text);
		ask(t);
		return;
	}
	if (strncmp(text, "{\"error\":", 9) == 0) {
		refuse(t, text);
		free(text);
		return;
	}
	if (!t->on_screen && (puts(text) < 0 || fflush(stdout)))
		end(t, EXIT_MACHINE, "cannot write to standard output");
	top_past_add(&t->past, text, t->look.view);
	free(t->document);
	t->document = text;
	draw(t);
}

static void on_second(struct top *t)
{
	timer_clear(t->timer);
	if (!t->asked && !t->look.paused)
		ask(t);
	draw(t);
}

/* ---- keys and signals ---- */

static void on_key(struct top *t, char key)
{
	for (unsigned v = 0; v < TOP_VIEW_MAX; v++)
		if (key == top_views[v].key)
			show_view(t, v);
	switch (key) {
	case 'q':
	case 'Q':
		end(t, EXIT_WELL, NULL);
		break;
	case 's':
		t->look.order = t->look.order == ORDER_BPS ? ORDER_PPS : ORDER_BPS;
		ask_anew(t);
		break;
	case ' ':
		t->look.paused = !t->look.paused;
		t->answered_ns = now_ns();
		break;
	case '\t':
		show_view(t, (t->look.view + 1) % TOP_VIEW_MAX ?: t->look.no_clients ? TOP_PAIRS : TOP_CLIENTS);
		break;
	}
}

/* Cursor keys and the like are sequences, ESC [ 1 ; 5 A: their letters are no keys. Returns what comes behind one. */
static const char *skip_sequence(const char *at, const char *end)
{
	at++;
	if (at == end || (*at != '[' && *at != 'O'))
		return at;
	for (at++; at < end && (*at < '@' || *at > '~'); at++)
		;
	return at < end ? at + 1 : end;
}

static void on_keys(struct top *t)
{
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		end(t, EXIT_WELL, NULL); /* the terminal is gone */
		return;
	}
	for (const char *at = keys, *end = keys + n; at < end;) {
		if (*at == '\033')
			at = skip_sequence(at, end);
		else
			on_key(t, *at++);
	}
	draw(t);
}

/* As if the shell's user had pressed it anywhere: the terminal is the shell's while we are stopped. */
static void stop_for_a_while(struct top *t)
{
	leave_screen(t);
	(void)raise(SIGSTOP);
	measure_screen(t);
	enter_screen(t);
	draw(t);
}

static void on_signal(struct top *t)
{
	struct signalfd_siginfo info;

	if (read(t->signals, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGWINCH:
		measure_screen(t);
		draw(t);
		break;
	case SIGTSTP:
		stop_for_a_while(t);
		break;
	default:
		end(t, EXIT_SIGNAL + (int)info.ssi_signo, NULL);
		break;
	}
}

static int open_signals(void)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP };
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		(void)sigaddset(&set, wanted[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* ---- the command ---- */

static void run_events(struct top *t)
{
	struct pollfd fds[] = {
		{ .fd = t->lab, .events = POLLIN }, { .fd = t->timer, .events = POLLIN },
		{ .fd = t->on_screen ? t->signals : -1, .events = POLLIN }, { .fd = t->on_screen ? STDIN_FILENO : -1, .events = POLLIN },
	};
	static void (*const handlers[])(struct top *t) = { take_answer, on_second, on_signal, on_keys };

	ask(t);
	draw(t);
	while (t->status < 0) {
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0 && errno != EINTR)
			end(t, EXIT_MACHINE, strerror(errno));
		for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]) && t->status < 0; i++)
			if (fds[i].revents)
				handlers[i](t);
	}
}

static int read_choice(const char *option, const char *given, const char *const *names, size_t n, unsigned *ret)
{
	char list[80] = "";

	for (size_t i = 0; i < n; i++) {
		if (given && strcmp(given, names[i]) == 0)
			*ret = (unsigned)i;
		if (!given || strcmp(given, names[i]) == 0)
			return EXIT_WELL;
		(void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "", names[i]);
	}
	say("top: %s %s: want one of %s", option, given, list);
	return EXIT_USAGE;
}

static int read_options(const struct top_options *o, struct top *t)
{
	static const char *const sorts[] = { "bits", "packets" };
	const char *views[TOP_VIEW_MAX];
	unsigned sort = 0;
	uint64_t rows = ROWS_DEFAULT;
	int status;

	for (unsigned v = 0; v < TOP_VIEW_MAX; v++)
		views[v] = top_views[v].name;
	status = read_choice("--by", o->by, views, TOP_VIEW_MAX, &t->look.view);
	if (status == EXIT_WELL)
		status = read_choice("--sort", o->sort, sorts, 2, &sort);
	t->refuge = o->by ? TOP_CLIENTS : TOP_PAIRS;
	t->look.order = sort ? ORDER_PPS : ORDER_BPS;
	if (status == EXIT_WELL && o->top && (!o->json || parse_number(o->top, 1, UINT32_MAX, &rows))) {
		say(o->json ? "top: --top %s: want a whole number from 1 to 4294967295"
			    : "top: --top %s goes with --json: the screen shows as many as it has lines for", o->top);
		status = EXIT_USAGE;
	}
	t->rows = o->json ? rows : 0;
	return status;
}

static bool is_terminal(void)
{
	const char *kind = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && kind && strcmp(kind, "dumb") != 0;
}

static int run_top(struct top *t, bool json)
{
	t->timer = timer_open();
	t->signals = json ? -1 : open_signals();
	if (t->timer < 0 || (!json && t->signals < 0)) {
		say("cannot set up the display: %s", strerror(errno));
		return EXIT_MACHINE;
	}
	t->answered_ns = now_ns();
	(void)timer_arm(t->timer, t->answered_ns + SECOND_NS, SECOND_NS);
	if (!json) {
		measure_screen(t);
		enter_screen(t);
	}
	run_events(t);
	leave_screen(t);
	if (t->farewell)
		say("%s", t->farewell);
	return t->status;
}

static int top(const void *given, char *const *args, int n_args)
{
	const struct top_options *o = given;
	struct top t = { .status = -1, .lab = -1, .timer = -1, .signals = -1 };
	struct error err;
	int status = read_options(o, &t), r;

	(void)args;
	(void)n_args;
	if (status != EXIT_WELL)
		return status;
	if (!o->json && (!is_terminal() || tcgetattr(STDIN_FILENO, &t.saved))) {
		say("top: this is no terminal to draw on: take `tunlab top --json`, or `tunlab flows --by client --rates --watch`");
		return EXIT_USAGE;
	}
	r = control_connect(o->lab, &t.lab, &err);
	if (r) {
		say("%s", err.text);
		return status_of(r);
	}
	t.look.colour = !getenv("NO_COLOR") || !*getenv("NO_COLOR");
	(void)setlocale(LC_CTYPE, ""); /* without it the terminal is taken for one that knows ASCII */
	t.look.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	status = run_top(&t, o->json);
	top_past_free(&t.past);
	free(t.document);
	(void)close(t.lab);
	(void)close(t.timer);
	if (t.signals >= 0)
		(void)close(t.signals);
	return status;
}

const struct command cmd_top = {
	.name = "top",
	.args = "",
	.summary = "Watch the busiest clients, pairs, VNIs and hosts on a full screen.",
	.details = "Keys: c clients, p pairs, v VNIs, h hosts (Tab: the next); s by bits or by packets; space pauses; q or Ctrl-C ends.\n"
		   "SENT, PPS and RECEIVED are of the last second, as underlay frames; RECEIVED is what arrived of what the row sent.\n"
		   "NO_COLOR is honoured. With --json: tunlab.rows/1 with rates, busiest first.\n",
	.options = options,
	.options_size = sizeof(struct top_options),
	.run = top,
};
