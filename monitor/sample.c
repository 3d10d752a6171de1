/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a sample: flows joined with the plan's names, the previous sample's counts and the engine's; see sample.h. */
#include "monitor/sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lab/traffic/engine.h"

const char *const sample_kind_names[SAMPLE_KIND_MAX] = {
	[SAMPLE_LAB] = "lab", [SAMPLE_MONITOR] = "monitor", [SAMPLE_CAPTURE] = "capture",
};

static struct ip_addr addr_of(const uint8_t bytes[16])
{
	struct ip_addr a;

	memcpy(a.b, bytes, sizeof(a.b));
	return a;
}

static int32_t client_of(const struct plan *plan, uint32_t vni, const uint8_t bytes[16])
{
	struct ip_addr a = addr_of(bytes);

	return addr_is_none(&a) ? -1 : (int32_t)plan_client_by_addr(plan, vni, &a);
}

/* An inner address names a client only behind the VTEP where that client sits: a frame that came through another host
 * is somebody else's, or forged, and must not be booked on the client. */
static int32_t client_behind(const struct plan *plan, const struct flow_key *key, const uint8_t bytes[16], int32_t host)
{
	int32_t client = client_of(plan, key->vni, bytes);

	return client >= 0 && host >= 0 && plan->clients[client].host != (uint32_t)host ? -1 : client;
}

/* Who a new flow is of. That never changes: a plan does not, and hosts that were seen keep their numbers. */
static int name_flow(const struct sample_source *source, struct sample_flow *f)
{
	struct ip_addr src = addr_of(f->key.outer_src), dst = addr_of(f->key.outer_dst);
	const struct plan *plan = source->plan;

	f->bum = addr_is_group(&dst);
	f->src_host = f->dst_host = f->src_client = f->dst_client = -1;
	if (!plan)
		return source->seen ? seen_note(source->seen, &f->key, &f->src_host, &f->dst_host) : 0;
	f->src_host = (int32_t)plan_host_by_vtep(plan, &src);
	f->dst_host = (int32_t)plan_host_by_vtep(plan, &dst);
	f->src_client = client_behind(plan, &f->key, f->key.inner_src, f->src_host);
	f->dst_client = client_behind(plan, &f->key, f->key.inner_dst, f->dst_host);
	return 0;
}

static struct sample_flow *find_flow(struct sample *s, const struct flow_key *key)
{
	size_t from = 0, to = s->n_flows;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int cmp = memcmp(&s->flows[middle].key, key, sizeof(*key));

		if (cmp == 0)
			return &s->flows[middle];
		if (cmp < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

/* A flow that is no row any more, or begins anew: what it had is in a sum now, and was before. */
static void move_to_sum(struct sample *s, const struct sample_flow *then)
{
	struct flow_key key;
	struct sample_flow *sum;

	flow_sum_key(&then->key, true, &key);
	sum = find_flow(s, &key);
	if (!sum) {
		flow_sum_key(&then->key, false, &key);
		sum = find_flow(s, &key);
	}
	if (!sum)
		return;
	flow_count_add(&sum->sent_then, &then->value.tx);
	flow_count_add(&sum->received_then, &then->value.rx);
}

static bool has_shrunk(const struct sample_flow *now, const struct sample_flow *then)
{
	return now->value.tx.packets < then->value.tx.packets || now->value.rx.packets < then->value.rx.packets;
}

/* The row of a flow that the previous sample has, too. */
static struct sample_flow continued(const struct flow_row *row, const struct sample_flow *then)
{
	struct sample_flow f = *then;

	f.value = row->value;
	f.sent_then = f.received_then = (struct flow_count) { 0 };
	if (!has_shrunk(&f, then)) {
		f.sent_then = then->value.tx;
		f.received_then = then->value.rx;
	}
	return f;
}

/* After flows were summed up in rows of their own: see monitor/ageing.c. */
static void join_sums(struct sample *s, const struct sample *then)
{
	size_t t = 0;

	for (size_t i = 0; i < s->n_flows; i++) {
		const struct sample_flow *f = &s->flows[i];

		while (t < then->n_flows && memcmp(&then->flows[t].key, &f->key, sizeof(f->key)) < 0)
			move_to_sum(s, &then->flows[t++]);
		if (t < then->n_flows && memcmp(&then->flows[t].key, &f->key, sizeof(f->key)) == 0) {
			if (has_shrunk(f, &then->flows[t]))
				move_to_sum(s, &then->flows[t]);
			t++;
		}
	}
	while (t < then->n_flows)
		move_to_sum(s, &then->flows[t++]);
}

/* Where a key stands in a list that ascends, from *at on, which moves there; NULL: it does not. */
static const struct sample_flow *walk_to(const struct sample_flow *flows, size_t n, const struct flow_key *key, size_t *at)
{
	int cmp = 1;

	while (*at < n && (cmp = memcmp(&flows[*at].key, key, sizeof(*key))) < 0)
		(*at)++;
	return cmp == 0 ? &flows[(*at)++] : NULL;
}

/* Both lists ascend by key: one walk joins them. */
static int fill_flows(struct sample *s, const struct sample_source *src)
{
	const struct sample *then = src->previous;
	size_t t = 0;
	int r = 0;

	s->next_id = then ? then->next_id : 0;
	for (size_t i = 0; i < s->n_flows && !r; i++) {
		const struct flow_row *row = &src->flows->rows[i];
		const struct sample_flow *same = then ? walk_to(then->flows, then->n_flows, &row->key, &t) : NULL;

		if (same) {
			s->flows[i] = continued(row, same);
			continue;
		}
		s->flows[i] = (struct sample_flow) { .key = row->key, .value = row->value, .id = s->next_id++ };
		r = name_flow(src, &s->flows[i]);
	}
	s->folded = src->flows->folded;
	if (then && s->folded != then->folded)
		join_sums(s, then);
	return r;
}

static int fill_seen(struct sample *s, const struct sample_source *src)
{
	if (!src->seen)
		return 0;
	s->seen = seen_take(src->seen, src->previous ? src->previous->seen : NULL);
	return s->seen ? 0 : -ENOMEM;
}

struct flow_count sample_flow_size(const struct sample *s, const struct sample_flow *f, struct flow_count *ret_then)
{
	bool either = s->kind == SAMPLE_MONITOR;

	*ret_then = either && f->received_then.packets > f->sent_then.packets ? f->received_then : f->sent_then;
	return either && f->value.rx.packets > f->value.tx.packets ? f->value.rx : f->value.tx;
}

/* The engine sends and receives meanwhile: read in this order, nothing that has come looks lost. */
static void fill_stream(struct sample_stream *to, const struct stream_count *from)
{
	bool ping = from->proto == SCN_PING;

	*to = (struct sample_stream) {
		.generator = from->generator, .from = from->from, .to = from->to, .proto = (enum scn_proto)from->proto,
		.settled = __atomic_load_n(&from->highest, __ATOMIC_ACQUIRE),
	};
	to->received = __atomic_load_n(&from->received, __ATOMIC_ACQUIRE);
	to->sent = __atomic_load_n(&from->sent, __ATOMIC_ACQUIRE);
	to->send_errors = from->send_errors;
	to->duplicates = from->duplicates;
	to->reordered = from->reordered;
	to->jitter_sum_ns = from->jitter_sum_ns;
	*(ping ? &to->rtt_sum_ns : &to->delay_sum_ns) = from->rtt_sum_ns;
	*(ping ? &to->rtt_min_ns : &to->delay_min_ns) = from->rtt_min_ns;
	*(ping ? &to->rtt_max_ns : &to->delay_max_ns) = from->rtt_max_ns;
	*(ping ? &to->rtt : &to->delay) = from->rtt;
}

/* stream0: of the generator's in s. */
static void fill_generator(struct sample_generator *g, uint32_t id, uint32_t stream0, const struct sample_source *src,
			   const struct sample *s)
{
	const struct generator_count *count = engine_generator(src->engine, id);
	const struct generator_info *info = &src->infos[id];

	*g = (struct sample_generator) {
		.id = id, .section = info->section, .secret = info->secret, .client = info->client, .proto = info->proto, .rate = info->rate,
		.size = info->size, .state = count->state, .first_ns = count->first_ns, .last_ns = count->last_ns,
		.idle_ns = count->idle_ns, .slip_max_ns = count->slip_max_ns, .cold_ns = count->cold_ns,
		.late = count->late, .missed = count->missed,
		.unresolved = count->unresolved, .known = count->known,
		.stream0 = stream0, .n_streams = count->n_streams,
	};
	memcpy(g->name, info->name, sizeof(g->name));
	for (uint32_t i = 0; i < g->n_streams && g->stream0 + i < s->n_streams; i++) {
		g->sent += s->streams[g->stream0 + i].sent;
		g->received += s->streams[g->stream0 + i].received;
	}
}

static void fill_traffic(struct sample *s, const struct sample_source *src)
{
	for (size_t i = 0; i < s->n_streams; i++)
		fill_stream(&s->streams[i], engine_stream(src->engine, (uint32_t)i));
	for (size_t i = 0; i < s->n_generators; i++)
		fill_generator(&s->generators[i], (uint32_t)i, engine_generator(src->engine, (uint32_t)i)->stream0, src, s);
	s->overruns = engine_health(src->engine)->overruns;
}

static int fill_links(struct sample *s, const struct sample_source *src)
{
	static const struct link_state unimpaired;

	for (uint32_t i = 0; src->links && i < src->plan->n_hosts; i++)
		s->n_links += !link_state_equal(&src->links[i], &unimpaired);
	s->links = calloc(s->n_links + 1, sizeof(*s->links));
	if (!s->links)
		return -ENOMEM;
	for (uint32_t i = 0, n = 0; n < s->n_links; i++)
		if (!link_state_equal(&src->links[i], &unimpaired))
			s->links[n++] = (struct sample_link) { i, src->links[i] };
	return 0;
}

static int fill_marks(struct sample *s, const struct sample_source *src)
{
	struct marks *then = src->previous ? src->previous->marks : NULL;

	if (!src->marks)
		return 0;
	s->marks_then = then ? then->total : 0;
	s->marks = marks_take(src->marks, then);
	return s->marks ? 0 : -ENOMEM;
}

static int allocate(struct sample *s)
{
	s->flows = malloc((s->n_flows + 1) * sizeof(*s->flows)); /* millions of bytes, all written once by fill_flows() */
	s->generators = calloc(s->n_generators + 1, sizeof(*s->generators));
	s->streams = calloc(s->n_streams + 1, sizeof(*s->streams));
	return s->flows && s->generators && s->streams ? 0 : -ENOMEM;
}

int sample_take(const struct sample_source *src, struct sample **ret)
{
	struct sample *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->refs = 1;
	s->kind = src->kind;
	s->seq = src->previous ? src->previous->seq + 1 : 1;
	s->mono_ns = src->flows->read_ns;
	s->unix_s = src->unix_s;
	s->cpu_s = src->cpu_s;
	s->elapsed_s = src->zero_ns && s->mono_ns > src->zero_ns ? (double)(s->mono_ns - src->zero_ns) / 1e9 : 0;
	s->interval_s = src->previous ? (double)(s->mono_ns - src->previous->mono_ns) / 1e9 : 0;
	s->n_flows = src->flows->n;
	s->n_aged = src->flows->aged;
	s->capacity = src->flows->capacity;
	s->parser = src->parser;
	s->n_generators = src->engine ? engine_generators(src->engine) : 0;
	s->n_streams = src->engine ? engine_streams(src->engine) : 0;
	if (allocate(s) || fill_links(s, src) || fill_marks(s, src) || fill_flows(s, src) || fill_seen(s, src)) {
		sample_unref(s);
		return -ENOMEM;
	}
	flows_get_health(src->flows, &s->health);
	if (src->engine)
		fill_traffic(s, src);
	s->has_cost = src->program != NULL;
	if (src->program)
		s->program = *src->program;
	health_judge(s, src->previous, &s->monitor);
	*ret = s;
	return 0;
}

int sample_take_generator(const struct sample_source *src, uint32_t id, uint64_t now_ns, const struct sample *then,
			  struct sample **ret)
{
	const struct generator_count *count = engine_generator(src->engine, id);
	struct sample *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->refs = 1;
	s->mono_ns = now_ns;
	s->n_generators = 1;
	s->n_streams = count->n_streams;
	if (allocate(s)) {
		sample_unref(s);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < count->n_streams; i++) {
		struct sample_stream *x = &s->streams[i];

		fill_stream(x, engine_stream(src->engine, count->stream0 + i));
		x->generator = 0;
		if (count->state == GEN_DONE)
			x->settled = x->sent;
		else if (then && then->streams[i].sent > x->settled)
			x->settled = then->streams[i].sent;
	}
	fill_generator(&s->generators[0], id, 0, src, s);
	*ret = s;
	return 0;
}

struct sample *sample_ref(struct sample *s)
{
	(void)__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

void sample_unref(struct sample *s)
{
	if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free(s->flows);
	free(s->generators);
	free(s->streams);
	free(s->links);
	marks_unref(s->marks);
	seen_unref(s->seen);
	free(s);
}
