/* SPDX-License-Identifier: Apache-2.0 */
/* [traffic] sections to generators with their peers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/plan_internal.h"

static uint64_t seed_for(const struct plan *p, uint32_t section, uint32_t client)
{
	return plan_mix(plan_mix(plan_mix(p->scn->seed) ^ section) ^ client);
}

/* Where a client stands among its VNI's. */
static uint32_t position_in_vni(const struct plan *p, uint32_t client)
{
	const struct plan_vni *v = &p->vnis[p->clients[client].vni];
	uint32_t low = 0, high = v->n_clients;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (v->clients[mid] < client)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Receivers of a section, by client and by VNI, so that counting a sender's peers costs nothing. */
struct targets {
	bool random;      /* one peer each, by seed */
	bool *is;         /* [n_clients] */
	uint32_t *in_vni; /* [n_vnis] */
};

static uint32_t count_peers(const struct plan *p, const struct targets *to, uint32_t client)
{
	uint32_t vni = p->clients[client].vni;

	if (to->random)
		return p->vnis[vni].n_clients > 1;
	return to->in_vni[vni] - to->is[client];
}

/* The sender's peers, from its own place in the VNI on: so that many senders do not all begin with
 * the same one. */
static void list_peers(const struct plan *p, const struct targets *to, uint32_t section,
		       struct plan_generator *g)
{
	const struct plan_vni *v = &p->vnis[p->clients[g->client].vni];
	uint32_t own = position_in_vni(p, g->client);

	if (to->random) {
		g->peers[g->n_peers++] =
			v->clients[(own + 1 +
				    seed_for(p, section, g->client) % (v->n_clients - 1)) %
				   v->n_clients];
		return;
	}
	for (uint32_t k = 1; k < v->n_clients; k++) {
		uint32_t peer = v->clients[(own + k) % v->n_clients];

		if (to->is[peer])
			g->peers[g->n_peers++] = peer;
	}
}

struct section {
	struct plan *p;
	struct scn_errors *e;
	const struct scn_traffic *t;
	uint32_t index;
	char title[SCN_NAME_LEN + 16];
};

static struct scn_place section_place(const struct section *x, int key, const char *name,
				      const char *value)
{
	int where = key >= 0 && x->t->key_line[key] ? x->t->key_line[key] : x->t->line;

	return (struct scn_place){ where, x->title, name, value };
}

#define SECTION_ERROR(x, key, name, value, ...) \
	scn_error_at((x)->e, (x)->p->scn, section_place(x, key, name, value), __VA_ARGS__)

/* Clients behind `from` or `to`. -ENOENT when reported. */
static int resolve_key(const struct section *x, enum scn_traffic_key key, const struct who *w,
		       uint32_t **ret, size_t *ret_n)
{
	char why[512], text[64];
	int err = plan_resolve(x->p, w, 0, ret, ret_n, why, sizeof(why));

	if (err && err != -ENOMEM)
		SECTION_ERROR(x, key, key == TRAFFIC_FROM ? "from" : "to",
			      who_format(w, text, sizeof(text)), "%s", why);
	return err;
}

/* An address that several VNIs use names nobody in particular. */
static bool check_unique(const struct section *x, enum scn_traffic_key key, const struct who *w)
{
	char why[512], text[64];
	uint32_t client;

	if (w->kind != WHO_ADDRESS ||
	    plan_resolve_one(x->p, w, &client, why, sizeof(why)) != -ENOTUNIQ)
		return true;
	SECTION_ERROR(x, key, key == TRAFFIC_FROM ? "from" : "to",
		      who_format(w, text, sizeof(text)), "%s", why);
	return false;
}

static int make_targets(const struct section *x, struct targets *to)
{
	const struct plan *p = x->p;
	uint32_t *clients;
	size_t n;
	int err;

	to->random = x->t->to.kind == WHO_RANDOM;
	to->is = calloc(p->n_clients + 1, sizeof(*to->is));
	to->in_vni = calloc(p->n_vnis + 1, sizeof(*to->in_vni));
	if (!to->is || !to->in_vni)
		return -ENOMEM;
	if (to->random)
		return 0;
	err = resolve_key(x, TRAFFIC_TO, &x->t->to, &clients, &n);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		to->is[clients[i]] = true;
		to->in_vni[p->clients[clients[i]].vni]++;
	}
	free(clients);
	return 0;
}

/* Leaves those with peers in senders[]. */
static size_t keep_senders(const struct section *x, const struct targets *to, uint32_t *senders,
			   size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (count_peers(x->p, to, senders[i]))
			senders[kept++] = senders[i];
	return kept;
}

/* For `from = random` one of them, by seed. */
static size_t choose_sender(const struct section *x, uint32_t *senders, size_t n)
{
	if (x->t->from.kind != WHO_RANDOM || n == 0)
		return n;
	senders[0] = senders[seed_for(x->p, x->index, UINT32_MAX) % n];
	return 1;
}

static void explain_no_pair(const struct section *x, const uint32_t *senders, size_t n)
{
	const struct plan *p = x->p;
	const struct who *from = &x->t->from, *to = &x->t->to;
	char a[64], b[64];
	uint32_t vni = p->vnis[p->clients[senders[0]].vni].scn->vni, other;

	(void)who_format(from, a, sizeof(a));
	(void)who_format(to, b, sizeof(b));
	if (n == 1 && to->kind != WHO_RANDOM &&
	    plan_resolve_one(p, to, &other, (char[8]){ 0 }, 8) == 0 && other != senders[0])
		SECTION_ERROR(
			x, -1, NULL, NULL,
			"makes no pair: %s is in VNI %u and %s in VNI %u, and pairs are formed within a VNI",
			a, vni, b, p->vnis[p->clients[other].vni].scn->vni);
	else if (n == 1)
		SECTION_ERROR(x, -1, NULL, NULL,
			      "makes no pair: %s is in VNI %u, and nobody else of %s is", a, vni,
			      b);
	else
		SECTION_ERROR(x, -1, NULL, NULL,
			      "makes no pair: no client of %s has another of %s in its VNI", a, b);
}

static void check_size(const struct section *x, uint32_t vni)
{
	const struct plan *p = x->p;
	uint32_t header = plan_ip_header(p, vni), most = plan_payload_max(p, vni);
	char size[16];

	if (x->t->size <= most)
		return;
	(void)snprintf(size, sizeof(size), "%u", x->t->size);
	SECTION_ERROR(
		x, TRAFFIC_SIZE, "size", size,
		"with %u bytes of %s header the packets have %u, and the MTU in VNI %u is %u: want at most %u",
		header, header == 20 ? "IPv4" : "IPv6", x->t->size + header,
		p->vnis[vni].scn->vni, p->vnis[vni].mtu, most);
}

/* The size where it is not known who sends: what fits in no VNI is too large all the same. */
static void check_size_anywhere(const struct section *x)
{
	uint32_t best = 0;

	for (uint32_t i = 0; i < x->p->n_vnis; i++)
		if (plan_payload_max(x->p, i) > plan_payload_max(x->p, best))
			best = i;
	check_size(x, best);
}

static void check_times(const struct section *x)
{
	uint64_t end = x->p->scn->duration_ns;
	char a[32], b[32], says[64];

	if (x->t->start_ns >= end && !(x->p->doubts & DOUBT_END))
		SECTION_ERROR(x, TRAFFIC_START, "start", time_format(x->t->start_ns, a, sizeof(a)),
			      "the run ends at %s (%s), so nothing would be sent",
			      time_format(end, b, sizeof(b)), scn_end_format(x->p->scn, says, sizeof(says)));
	if (x->t->stop_ns && x->t->stop_ns <= x->t->start_ns)
		SECTION_ERROR(x, TRAFFIC_STOP, "stop", time_format(x->t->stop_ns, a, sizeof(a)),
			      "is not after the start at %s, so nothing would be sent",
			      time_format(x->t->start_ns, b, sizeof(b)));
}

/* Reserves room for n more generators. */
static int grow_generators(struct plan *p, size_t n)
{
	void *v = realloc(p->generators, (p->n_generators + n + 1) * sizeof(*p->generators));

	if (!v)
		return -ENOMEM;
	p->generators = v;
	return 0;
}

static int add_generators(const struct section *x, const struct targets *to,
			  const uint32_t *senders, size_t n)
{
	struct plan *p = x->p;
	int err = grow_generators(p, n);

	for (size_t i = 0; i < n && !err; i++) {
		struct plan_generator *g = &p->generators[p->n_generators];
		double pps = plan_rate_pps(p, &x->t->rate, x->t->size, senders[i]);

		*g = (struct plan_generator){
			.section = x->index,
			.client = senders[i],
			.seed = seed_for(p, x->index, senders[i]),
			.phase_ns = pps > 0 ? (uint64_t)(1e9 / pps * (double)i / (double)n) : 0,
			.peers = calloc(count_peers(p, to, senders[i]) + 1, sizeof(*g->peers)),
		};
		if (!g->peers)
			return -ENOMEM;
		p->n_generators++;
		list_peers(p, to, x->index, g);
	}
	return err;
}

/* Counts a section's pairs into the plan; false when there would be too many of them. */
static bool count_streams(const struct section *x, const struct targets *to,
			  const uint32_t *senders, size_t n)
{
	struct plan *p = x->p;
	uint64_t streams = 0, flows;

	for (size_t i = 0; i < n; i++)
		streams += count_peers(p, to, senders[i]);
	flows = streams;
	if (x->t->proto == SCN_PING && !scn_is_wrong(x->t->wrong, TRAFFIC_PROTO))
		flows *= 2;
	if (p->n_generators + n > PLAN_GENERATORS_MAX) {
		SECTION_ERROR(
			x, -1, NULL, NULL,
			"brings the senders to %llu, counting each section's; at most %d are possible",
			(unsigned long long)(p->n_generators + n), PLAN_GENERATORS_MAX);
		return false;
	}
	if (p->n_streams + streams > PLAN_STREAMS_MAX) {
		SECTION_ERROR(x, -1, NULL, NULL,
			      "brings the pairs of clients to %llu; at most %d are possible",
			      (unsigned long long)(p->n_streams + streams), PLAN_STREAMS_MAX);
		return false;
	}
	if (p->n_flows + flows > PLAN_FLOWS_MAX) {
		SECTION_ERROR(x, -1, NULL, NULL,
			      "brings the flows to %llu; the monitor's table holds at most %d",
			      (unsigned long long)(p->n_flows + flows), PLAN_FLOWS_MAX);
		return false;
	}
	p->n_streams += (uint32_t)streams;
	p->n_flows += (uint32_t)flows;
	return true;
}

/* One end of a section whose pairs cannot be known. */
static int check_end(const struct section *x, enum scn_traffic_key key, const struct who *w)
{
	char why[512], text[64];
	int err;

	if (scn_is_wrong(x->t->wrong, key))
		return 0;
	err = plan_check_who(x->p, w, false, why, sizeof(why));
	if (err && err != -ENOMEM)
		SECTION_ERROR(x, key, key == TRAFFIC_FROM ? "from" : "to",
			      who_format(w, text, sizeof(text)), "%s", why);
	return err == -ENOMEM ? err : 0;
}

static bool pairs_are_sure(const struct section *x)
{
	return !(x->t->wrong & (1u << TRAFFIC_FROM | 1u << TRAFFIC_TO)) &&
	       plan_who_is_sure(x->p, &x->t->from) && plan_who_is_sure(x->p, &x->t->to);
}

static int check_section(const struct section *x)
{
	int err = check_end(x, TRAFFIC_FROM, &x->t->from);

	if (!err)
		err = check_end(x, TRAFFIC_TO, &x->t->to);
	check_size_anywhere(x);
	return err;
}

static int make_section(const struct section *x)
{
	struct targets to = { 0 };
	uint32_t *senders = NULL;
	struct who from = x->t->from;
	size_t n = 0, all = 0;
	int err = 0, from_err;

	if (from.kind == WHO_RANDOM)
		from.kind = WHO_ALL; /* the choice is among those that have peers */
	from_err = resolve_key(x, TRAFFIC_FROM, &from, &senders, &all);
	err = make_targets(x, &to);
	if (!err)
		err = from_err;
	if (!err && check_unique(x, TRAFFIC_FROM, &x->t->from) &&
	    check_unique(x, TRAFFIC_TO, &x->t->to)) {
		n = keep_senders(x, &to, senders, all);
		/* Of all that may be chosen: another seed makes no other mistake. */
		for (size_t i = 0, before = x->e->n_total; i < n && x->e->n_total == before; i++)
			check_size(x, x->p->clients[senders[i]].vni);
		n = choose_sender(x, senders, n);
		if (n == 0)
			explain_no_pair(x, senders, all);
		else if (count_streams(x, &to, senders, n))
			err = add_generators(x, &to, senders, n);
	}
	if (n == 0)
		check_size_anywhere(x);
	free(senders);
	free(to.is);
	free(to.in_vni);
	return err == -ENOENT ? 0 : err; /* reported */
}

/* A riddle has one answer, which the file must not give. */
static void check_secret(const struct section *x)
{
	bool first = true;

	if (!x->t->secret)
		return;
	if (x->t->from.kind != WHO_RANDOM && !scn_is_wrong(x->t->wrong, TRAFFIC_FROM))
		SECTION_ERROR(x, TRAFFIC_SECRET, "secret", "yes", "the section says who sends: want from = random");
	for (uint32_t i = 0; i < x->index; i++)
		first = first && !x->p->scn->traffic[i].secret;
	if (!first)
		SECTION_ERROR(x, TRAFFIC_SECRET, "secret", "yes", "another section is secret already, and a lab has one riddle");
}

const struct plan_generator *plan_secret(const struct plan *p)
{
	for (uint32_t i = 0; i < p->n_generators; i++)
		if (p->scn->traffic[p->generators[i].section].secret)
			return &p->generators[i];
	return NULL;
}

int plan_make_traffic(struct plan *p, struct scn_errors *e)
{
	int err = 0;

	for (size_t i = 0; i < p->scn->n_traffic && !err; i++) {
		struct section x = {
			.p = p, .e = e, .t = &p->scn->traffic[i], .index = (uint32_t)i
		};

		(void)snprintf(x.title, sizeof(x.title), "traffic %s", x.t->name);
		check_times(&x);
		check_secret(&x);
		err = pairs_are_sure(&x) ? make_section(&x) : check_section(&x);
	}
	return err;
}
