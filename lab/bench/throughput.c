/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One TCP stream from a client to another, through both hosts' tunnels. While it runs the monitor is hooked to their uplinks
 * and taken off again, many times: a stream each would differ more, by where it is scheduled and what it loses, than by the
 * monitor. An empty program takes its turn as well: what the kernel's hooks cost by themselves. Which comes first goes round.
 */
#include "lab/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab/bench/bed.h"
#include "lab/net/ns.h"

enum { ROUNDS = 40, TURN_MS = 100, SETTLE_MS = 20, PORT = 7655, BLOCK = 128 << 10 };

/* The stream's two ends are processes of their own; what arrived they share with this one. */
struct stream {
	_Atomic uint64_t *received;
	pid_t sender, receiver;
};

/* A socket in a client's namespace, where it stays. */
static int open_socket(const struct bench_bed *bed, uint32_t client, struct error *err)
{
	int fd, r = ns_enter(bed->lab->clients[client], client ? "c1" : "c0", err);

	if (r)
		return r;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		fd = -errno;
		error_set(err, "cannot open a TCP socket: %s", strerror(-fd));
	}
	r = ns_enter(bed->home, "this program", err);
	return r ?: fd;
}

/* Both loops end when the other end does, and with this program: each holds its own end only. */
static void begin_end(pid_t parent, int other_end)
{
	(void)close(other_end);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
}

static void send_on(int fd)
{
	static char block[BLOCK];

	while (write(fd, block, sizeof(block)) > 0)
		;
	_exit(0);
}

static void receive_on(int fd, _Atomic uint64_t *received)
{
	static char block[BLOCK];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0)
		atomic_fetch_add_explicit(received, (uint64_t)n, memory_order_relaxed);
	_exit(0);
}

static int connect_both(int listener, int sender, const struct ip_addr *to, struct error *err)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct sockaddr_in any = sa;
	int one = 1, fd = -1;

	memcpy(&sa.sin_addr, &to->b[12], 4);
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    bind(listener, (struct sockaddr *)&any, sizeof(any)) == 0 && listen(listener, 1) == 0 &&
	    connect(sender, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0) {
		fd = -errno;
		error_set(err, "cannot connect c0 to c1 through the overlay: %s", strerror(-fd));
	}
	return fd;
}

/* Undone by end_stream(), also on failure. */
static int fork_ends(struct stream *s, int sender, int receiver, struct error *err)
{
	pid_t parent = getpid();

	s->sender = fork();
	if (s->sender == 0) {
		begin_end(parent, receiver);
		send_on(sender);
	}
	if (s->sender > 0)
		s->receiver = fork();
	if (s->sender > 0 && s->receiver == 0) {
		begin_end(parent, sender);
		receive_on(receiver, s->received);
	}
	if (s->sender > 0 && s->receiver > 0)
		return 0;
	error_set(err, "cannot start a sender and a receiver: out of processes or memory");
	return -EAGAIN;
}

static int begin_stream(struct stream *s, const struct bench_bed *bed, struct error *err)
{
	int listener, sender = -1, receiver = -1;
	void *shared = mmap(NULL, sizeof(*s->received), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED) {
		error_set(err, "no memory to count what arrives");
		return -ENOMEM;
	}
	s->received = shared;
	listener = open_socket(bed, 1, err);
	if (listener >= 0)
		sender = open_socket(bed, 0, err);
	if (sender >= 0)
		receiver = connect_both(listener, sender, &bed->plan->clients[1].addr, err);
	int r = receiver >= 0 ? fork_ends(s, sender, receiver, err) : listener < 0 ? listener : sender < 0 ? sender : receiver;

	for (int fds[] = {listener, sender, receiver}, i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
	return r;
}

static void end_stream(struct stream *s)
{
	pid_t ends[] = {s->sender, s->receiver};

	for (int i = 0; i < 2; i++) {
		if (ends[i] > 0 && kill(ends[i], SIGKILL) == 0)
			(void)waitpid(ends[i], NULL, 0);
	}
	if (s->received)
		(void)munmap((void *)s->received, sizeof(*s->received));
}

static void pass_ms(long ms)
{
	struct timespec t = {.tv_nsec = ms * 1000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		;
}

/* A turn, in bits per second. */
static int take_turn(struct bench_bed *bed, const struct stream *s, enum bench_hooked hooked, double *ret_bps, struct error *err)
{
	int r = bench_bed_hook(bed, hooked, err);
	uint64_t start_ns, bytes;

	if (r)
		return r;
	pass_ms(SETTLE_MS);
	start_ns = bench_now_ns();
	bytes = atomic_load(s->received);
	pass_ms(TURN_MS);
	bytes = atomic_load(s->received) - bytes;
	*ret_bps = (double)bytes * 8e9 / (double)(bench_now_ns() - start_ns);
	if (bytes > 0)
		return 0;
	error_set(err, "nothing came through the overlay for %d ms", TURN_MS);
	return -EIO;
}

static int take_turns(struct bench_bed *bed, const struct stream *s, unsigned rounds, double bps[BENCH_HOOKED_MAX][BENCH_ROUNDS_MAX],
		      struct error *err)
{
	double warm;
	int r = take_turn(bed, s, BENCH_EMPTY, &warm, err); /* its window grows */

	if (!r)
		r = take_turn(bed, s, BENCH_MONITOR, &warm, err); /* and the flows become known */
	for (unsigned i = 0; i < rounds * BENCH_HOOKED_MAX && !r; i++) {
		unsigned round = i / BENCH_HOOKED_MAX;
		enum bench_hooked hooked = (enum bench_hooked)((i + round) % BENCH_HOOKED_MAX);

		r = take_turn(bed, s, hooked, &bps[hooked][round], err);
	}
	return r;
}

static void add_rows(struct bench *b, double bps[BENCH_HOOKED_MAX][BENCH_ROUNDS_MAX], unsigned rounds)
{
	static const char what[] = "TCP through the overlay, monitored";
	double gbps[BENCH_HOOKED_MAX];

	for (int hooked = 0; hooked < BENCH_HOOKED_MAX; hooked++)
		gbps[hooked] = bench_median(bps[hooked], rounds) / 1e9;
	bench_add(b, "Gbit/s", gbps[BENCH_MONITOR], "without monitor", gbps[BENCH_NOTHING], what);
	bench_add(b, "Gbit/s", gbps[BENCH_MONITOR], "an empty program there", gbps[BENCH_EMPTY], what);
}

static int run(struct bench *b, struct error *err)
{
	double bps[BENCH_HOOKED_MAX][BENCH_ROUNDS_MAX];
	unsigned rounds = bench_rounds(b, ROUNDS);
	struct stream stream = {0};
	struct bench_bed bed;
	int r = bench_bed_open(&bed, err);

	if (r)
		return r;
	r = begin_stream(&stream, &bed, err);
	if (!r)
		r = take_turns(&bed, &stream, rounds, bps, err);
	end_stream(&stream);
	if (!r)
		add_rows(b, bps, rounds);
	if (r == -EOPNOTSUPP) {
		bench_miss(b, "TCP through the overlay", "this kernel has no TCX (6.6), and other hooks would stop the stream each time");
		r = 0;
	}
	bench_bed_close(&bed);
	return r;
}

const struct bench_section bench_throughput = {
	"throughput", "one TCP stream through the overlay, the monitor attached and not", 25, run,
};
