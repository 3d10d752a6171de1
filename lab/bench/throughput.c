/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One TCP stream from a client to another, through both hosts' tunnels, with the monitor on their uplinks and without. Turns
 * alternate, and which comes first does, too.
 */
#include "lab/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/bench/bed.h"
#include "lab/net/ns.h"

enum { ROUNDS = 12, TURN_MS = 300, PORT = 7655, BLOCK = 128 << 10 };

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

static void send_for_a_turn(int fd)
{
	static char block[BLOCK];
	uint64_t end_ns = bench_now_ns() + TURN_MS * 1000000ull;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (bench_now_ns() < end_ns && write(fd, block, sizeof(block)) > 0)
		;
	_exit(0);
}

/* What arrives until the sender is through, in bits per second. */
static double receive(int fd)
{
	static char block[BLOCK];
	uint64_t start_ns = 0, bytes = 0;
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0) {
		if (!start_ns)
			start_ns = bench_now_ns();
		bytes += (uint64_t)n;
	}
	return start_ns ? (double)bytes * 8e9 / (double)(bench_now_ns() - start_ns + 1) : 0;
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

static int stream(const struct bench_bed *bed, int listener, int sender, double *ret_bps, struct error *err)
{
	int receiver = connect_both(listener, sender, &bed->plan->clients[1].addr, err);
	pid_t pid;

	if (receiver < 0)
		return receiver;
	pid = fork();
	if (pid == 0)
		send_for_a_turn(sender);
	(void)close(sender);
	*ret_bps = receive(receiver);
	(void)close(receiver);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	if (pid < 0)
		error_set(err, "cannot start a sender: out of processes or memory");
	return pid < 0 ? -EAGAIN : 0;
}

/* A turn, with the monitor attached or not. */
static int take_turn(struct bench_bed *bed, bool watched, double *ret_bps, struct error *err)
{
	int listener = -1, sender = -1, r = watched ? bench_bed_watch(bed, true, err) : 0;

	if (r)
		return r;
	listener = open_socket(bed, 1, err);
	sender = listener < 0 ? listener : open_socket(bed, 0, err);
	r = sender < 0 ? sender : stream(bed, listener, sender, ret_bps, err);
	if (listener >= 0)
		(void)close(listener);
	if (watched && !r)
		r = bench_bed_watch(bed, false, err);
	return r;
}

static int run(struct bench *b, struct error *err)
{
	double with[BENCH_ROUNDS_MAX], without[BENCH_ROUNDS_MAX], warm;
	unsigned rounds = bench_rounds(b, ROUNDS);
	struct bench_bed bed;
	int r = bench_bed_open(&bed, err);

	if (r)
		return r;
	r = take_turn(&bed, false, &warm, err); /* resolves neighbours, grows buffers */
	for (unsigned i = 0; i < rounds && !r; i++) {
		r = take_turn(&bed, i % 2, i % 2 ? &with[i] : &without[i], err);
		if (!r)
			r = take_turn(&bed, !(i % 2), i % 2 ? &without[i] : &with[i], err);
	}
	if (!r)
		bench_add(b, "Gbit/s", bench_median(with, rounds) / 1e9, "without monitor", bench_median(without, rounds) / 1e9,
			  "TCP through the overlay, monitored");
	bench_bed_close(&bed);
	return r;
}

const struct bench_section bench_throughput = {
	"throughput", "one TCP stream through the overlay, the monitor attached and not", 9, run,
};
