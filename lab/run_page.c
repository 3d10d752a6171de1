/* SPDX-License-Identifier: Apache-2.0 */
/* A running lab's page: its server, the token, and the changes asked for over HTTP. */
#include "lab/run.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "ui/server.h"

static int make_token(struct run *run)
{
	uint8_t random[16];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(run->token + 2 * i, 3, "%02x", random[i]);
	return 0;
}

/* On its way down the main thread answers no more, and waits for the server thread that is asking: that one must give up. */
static bool wait_for_answer(struct run *run, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct lab_info info;

	while (poll(&p, 1, 50) == 0) {
		run_info(run, &info);
		if (strcmp(info.state, run_state_names[RUN_STOPPING]) == 0)
			return false;
	}
	return true;
}

/* A change asked for over HTTP goes the way of every command: over the control socket, answered by the main thread. */
static int change_by_http(void *arg, const char *request, char **ret_answer)
{
	struct run *run = arg;
	struct error err;
	int fd, r = control_connect(run->scn->name, &fd, &err);

	if (r)
		return 503;
	r = control_send(fd, request);
	if (!r)
		r = wait_for_answer(run, fd) ? control_receive(fd, ret_answer, NULL) : -EPIPE;
	(void)close(fd);
	if (r)
		return 503;
	return strncmp(*ret_answer, "{\"error\":", 9) == 0 ? 400 : 200;
}

int run_start_page(struct run *run, struct error *err)
{
	struct server_config config = {
		.listen = run_listen_address(run->options), .token = run->token, .plan = run->plan,
		.snapshot = run->snapshot, .get_info = run_info, .change = change_by_http, .arg = run,
	};
	const char *url;
	int r;

	if (run->options->headless)
		return 0;
	r = make_token(run);
	if (!r)
		r = server_start(&config, &run->server, &url, err);
	if (!r) {
		pthread_mutex_lock(&run->info_lock);
		run->url = url;
		pthread_mutex_unlock(&run->info_lock);
	}
	return r;
}
