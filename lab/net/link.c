/* SPDX-License-Identifier: Apache-2.0 */
/* A link's state as what the kernel is to have: two roots, the loss program and its numbers, the port up or down. Owns the loss
 * program (loaded when the first link loses something) and what every link is now; requests are qdisc.h's and dev.h's. */
#include "lab/net/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/loss.h"
#include "lab/net/dev.h"
#include "lab/net/qdisc.h"
#include "loss.skel.h"

struct links {
	struct lab *lab;
	uint64_t seed;
	struct loss_bpf *program;  /* NULL until it is needed */
	struct link_state *states; /* by host */
};

/* The parts of a change. Each is done wholly or not at all. */
typedef int change_fn(struct links *l, uint32_t host, const struct link_state *was, const struct link_state *to, struct error *err);

static struct qdisc_device uplink_of(const struct links *l, uint32_t host)
{
	return (struct qdisc_device){ lab_nl_host(l->lab, host), PLAN_IFINDEX_UPLINK + host, "eth0" };
}

static struct qdisc_device port_of(const struct links *l, uint32_t host)
{
	return (struct qdisc_device){ lab_nl_fabric(l->lab), PLAN_IFINDEX_PORT + host, l->lab->plan->hosts[host].port };
}

/* ---- loss ---- */

/* libbpf's own lines would tell the user less, and twice. */
static int load_quietly(struct loss_bpf *program)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int r = loss_bpf__load(program);

	(void)libbpf_set_print(print);
	return r;
}

static int load_program(struct links *l, struct error *err)
{
	struct loss_bpf *program = loss_bpf__open();
	int r = program ? 0 : -errno;

	if (!r) {
		program->rodata->base_ifindex = PLAN_IFINDEX_PORT;
		r = bpf_map__set_max_entries(program->maps.losses, l->lab->plan->n_hosts * LOSS_DIRECTIONS);
	}
	if (!r)
		r = load_quietly(program);
	if (r) {
		error_set(err, "cannot load the BPF program that loses frames: %s", strerror(-r));
		loss_bpf__destroy(program);
		return r;
	}
	l->program = program;
	return 0;
}

static int set_loss(struct links *l, uint32_t host, enum loss_direction direction, double share)
{
	uint32_t index = host * LOSS_DIRECTIONS + direction;
	struct loss loss = {
		.threshold = share < 1 ? (uint64_t)(share * (double)LOSS_ALL) : LOSS_ALL,
		.seed = loss_mix(l->seed + loss_mix(index + 1)),
		.lost = links_lost(l, host, direction),
	};

	return bpf_map_update_elem(bpf_map__fd(l->program->maps.losses), &index, &loss, BPF_ANY) ? -errno : 0;
}

/* The program's numbers; it counts frames anew, and so loses the same ones as after any other such setting. */
static int change_numbers(struct links *l, uint32_t host, const struct link_state *was, const struct link_state *to, struct error *err)
{
	int r;

	if (was->loss == to->loss || to->loss <= 0)
		return 0;
	r = l->program ? 0 : load_program(l, err);
	if (r)
		return r;
	for (int i = 0; i < LOSS_DIRECTIONS && !r; i++)
		r = set_loss(l, host, i, to->loss);
	if (r)
		error_set(err, "cannot set the loss to %g: %s", to->loss, strerror(-r));
	return r;
}

/* ---- roots ---- */

/* Frames from the host are lost where they come into the fabric, off its clsact. Those to the host are lost in the port's root: a
 * program on clsact's other hook would meet them before they are divided, and lose a super-packet's frames all or none. */
static struct qdisc_shape shape_of(const struct links *l, const struct link_state *s, enum loss_direction direction)
{
	double rate = s->rate_bps / 8;
	struct qdisc_shape shape = { .delay_ns = s->delay_ns, .frames = s->loss > 0 };

	if (s->rate_bps > 0)
		shape.rate = rate < 1 ? 1 : (uint64_t)rate;
	if (s->loss > 0 && direction == LOSS_TO_HOST)
		shape.filter_fd = bpf_program__fd(l->program->progs.lose_to_host);
	return shape;
}

static int change_root(const struct links *l, const struct qdisc_device *dev, const struct link_state *was, const struct link_state *to,
		       enum loss_direction direction, struct error *err)
{
	struct qdisc_shape from = shape_of(l, was, direction), shape = shape_of(l, to, direction);

	return qdisc_set_root(dev, &from, &shape, err);
}

static int change_uplink(struct links *l, uint32_t host, const struct link_state *was, const struct link_state *to, struct error *err)
{
	struct qdisc_device dev = uplink_of(l, host);

	return change_root(l, &dev, was, to, LOSS_FROM_HOST, err);
}

static int change_port(struct links *l, uint32_t host, const struct link_state *was, const struct link_state *to, struct error *err)
{
	struct qdisc_device dev = port_of(l, host);

	return change_root(l, &dev, was, to, LOSS_TO_HOST, err);
}

static int change_ingress(struct links *l, uint32_t host, const struct link_state *was, const struct link_state *to, struct error *err)
{
	struct qdisc_device dev = port_of(l, host);

	if ((was->loss > 0) == (to->loss > 0))
		return 0;
	return to->loss > 0 ? qdisc_attach(&dev, bpf_program__fd(l->program->progs.lose_from_host), err) : qdisc_detach(&dev, err);
}

/* ---- the cable ---- */

static int change_cable(struct links *l, uint32_t host, const struct link_state *was, const struct link_state *to, struct error *err)
{
	struct qdisc_device dev = port_of(l, host);
	int r;

	if (was->down == to->down)
		return 0;
	r = to->down ? dev_set_down(dev.nl, err, dev.index, dev.name) : dev_set_up(dev.nl, err, dev.index, dev.name);
	return r ?: nl_flush(dev.nl, err);
}

/* ---- all of it ---- */

static change_fn *const changes[] = { change_numbers, change_uplink, change_port, change_ingress, change_cable };

int links_set(struct links *l, uint32_t host, const struct link_state *state, struct error *err)
{
	const struct link_state was = l->states[host];
	struct error lost, why;
	size_t done = 0;
	int r = 0;

	for (; done < sizeof(changes) / sizeof(changes[0]); done++) {
		r = changes[done](l, host, &was, state, &why);
		if (r)
			break;
	}
	if (!r) {
		l->states[host] = *state;
		return 0;
	}
	while (done-- > 0)
		(void)changes[done](l, host, state, &was, &lost); /* what worked before; the first failure tells more */
	error_set(err, "cannot change the link of %s: %s", l->lab->plan->hosts[host].name, why.text);
	return r;
}

uint64_t links_lost(const struct links *l, uint32_t host, enum loss_direction direction)
{
	uint32_t index = host * LOSS_DIRECTIONS + direction;
	struct loss loss;

	if (!l->program || bpf_map_lookup_elem(bpf_map__fd(l->program->maps.losses), &index, &loss))
		return 0;
	return loss.lost;
}

const struct link_state *links_get(const struct links *l, uint32_t host)
{
	return &l->states[host];
}

uint64_t links_wait_ns(const struct links *l)
{
	uint64_t most = 0, second = 0;

	for (uint32_t i = 0; i < l->lab->plan->n_hosts; i++) {
		struct qdisc_shape shape = shape_of(l, &l->states[i], LOSS_FROM_HOST);
		uint64_t wait = qdisc_wait_ns(&shape);

		second = wait > most ? most : wait > second ? wait : second;
		most = wait > most ? wait : most;
	}
	return 2 * (most + second);
}

int links_open(struct lab *lab, uint64_t seed, struct links **ret, struct error *err)
{
	struct links *l = calloc(1, sizeof(*l));

	if (l)
		*l = (struct links){ .lab = lab, .seed = seed, .states = calloc(lab->plan->n_hosts + 1, sizeof(*l->states)) };
	if (!l || !l->states) {
		error_set(err, "cannot keep the links' states: %s", strerror(ENOMEM));
		links_free(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}

void links_free(struct links *l)
{
	if (!l)
		return;
	loss_bpf__destroy(l->program);
	free(l->states);
	free(l);
}
