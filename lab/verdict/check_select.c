/* SPDX-License-Identifier: Apache-2.0 */
/* Which flows and pairs a check speaks of: selectors, and the index of planned pairs behind
 * traffic= and unplanned. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"
#include "lab/verdict/check_internal.h"

/* ------------------------------------------------------------------ planned pairs */

int checks_open(const struct plan *plan, struct checks **ret)
{
	struct checks *c = calloc(1, sizeof(*c));

	if (c)
		c->planned = calloc(plan->n_streams + 1, sizeof(*c->planned));
	if (!c || !c->planned) {
		free(c);
		return -ENOMEM;
	}
	c->plan = plan;
	for (uint32_t i = 0; i < plan->n_generators; i++) {
		const struct plan_generator *g = &plan->generators[i];

		for (uint32_t k = 0; k < g->n_peers; k++)
			c->planned[c->n_planned++] =
				(struct truth_pair){ g->client, g->peers[k], plan->scn->traffic[g->section].proto, g->section };
	}
	qsort(c->planned, c->n_planned, sizeof(*c->planned), truth_pair_compare);
	*ret = c;
	return 0;
}

void checks_close(struct checks *c)
{
	if (!c)
		return;
	free(c->planned);
	free(c);
}

/* The first planned pair that is not before x. */
static const struct truth_pair *lower_bound(const struct checks *c, const struct truth_pair *x)
{
	size_t low = 0, high = c->n_planned;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (truth_pair_compare(&c->planned[mid], x) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < c->n_planned ? &c->planned[low] : NULL;
}

/* section -1: any. proto -1: any. */
static bool is_planned(const struct checks *c, int32_t from, int32_t to, int proto, int32_t section)
{
	struct truth_pair x = { (uint32_t)from, (uint32_t)to, proto < 0 ? 0 : (uint32_t)proto, section < 0 ? 0 : (uint32_t)section };
	const struct truth_pair *found = lower_bound(c, &x);

	return found && found->from == x.from && found->to == x.to &&
	       (proto < 0 || found->proto == x.proto) &&
	       (section < 0 || found->which == x.which);
}

/* Whether a pair makes the flow from src to dst: its own direction, and for pings the answers. */
static bool section_makes(const struct checks *c, int32_t src, int32_t dst, int proto,
			  int32_t section)
{
	return is_planned(c, src, dst, proto, section) ||
	       (proto == SCN_PING && is_planned(c, dst, src, proto, section));
}

/* ------------------------------------------------------------------ subjects */

static bool is_icmpv6(const struct flow_key *key)
{
	return key->inner_ethertype == ETH_TYPE_IPV6 && key->inner_ipproto == IPPROTO_ICMPV6;
}

struct subject subject_of_flow(const struct sample_flow *f)
{
	return (struct subject){ f->src_host,   f->dst_host,     f->src_client,
				 f->dst_client, SECTION_OF_FLOW, &f->key };
}

struct subject subject_of_pair(const struct plan *p, uint32_t from, uint32_t to,
			       enum scn_proto proto, int32_t section, struct flow_key *key)
{
	const struct plan_client *a = &p->clients[from], *b = &p->clients[to];
	const struct scn_vni *v = p->vnis[a->vni].scn;
	bool v4 = addr_is_v4(&a->addr);
	static const __u8 encaps[SCN_ENCAP_MAX] = {
		[SCN_VXLAN] = ENCAP_VXLAN, [SCN_GENEVE] = ENCAP_GENEVE, [SCN_GRETAP] = ENCAP_GRETAP
	};

	*key = (struct flow_key){
		.vni = v->vni,
		.encap = encaps[v->encap],
		.inner_ethertype = v4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6,
		.inner_ipproto = truth_ipproto(proto, v4),
	};
	memcpy(key->outer_src, p->hosts[a->host].vtep.b, sizeof(key->outer_src));
	memcpy(key->outer_dst, p->hosts[b->host].vtep.b, sizeof(key->outer_dst));
	memcpy(key->inner_src, a->addr.b, sizeof(key->inner_src));
	memcpy(key->inner_dst, b->addr.b, sizeof(key->inner_dst));
	return (struct subject){ (int32_t)a->host, (int32_t)b->host, (int32_t)from,
				 (int32_t)to,      section,          key };
}

/* Discovery and listener reports: to a group, or to or from a link-local or unspecified address. */
static bool is_link_chatter(const struct flow_key *key)
{
	static const __u8 unspecified[16];

	return is_icmpv6(key) &&
	       (key->inner_dst[0] == 0xff ||
		(key->inner_dst[0] == 0xfe && (key->inner_dst[1] & 0xc0) == 0x80) ||
		(key->inner_src[0] == 0xfe && (key->inner_src[1] & 0xc0) == 0x80) ||
		memcmp(key->inner_src, unspecified, sizeof(unspecified)) == 0);
}

/* ------------------------------------------------------------------ selectors */

/* The reverse of flow_proto_name; false for what no flow is called. */
static bool find_flow_proto(const char *name, struct selection *sel)
{
	static const struct {
		const char *name;
		uint16_t ethertype;
	} plain[] = { { "arp", 0x0806 }, { "llc", FLOW_LLC } };
	char candidate[FLOW_PROTO_SIZE];

	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (strcmp(name, plain[i].name) == 0) {
			sel->ethertype = plain[i].ethertype;
			return true;
		}
	if (strncmp(name, "0x", 2) == 0) {
		sel->ethertype =
			(uint16_t)strtoul(name, NULL, 16); /* four digits: the reader has looked */
		return true;
	}
	sel->ethertype = strncmp(name, "ipv6/", 5) == 0 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4;
	for (unsigned n = 0; n < 256; n++) {
		char number[8];

		(void)snprintf(number, sizeof(number), "%u", n);
		sel->ipproto = (uint8_t)n;
		if (strcmp(name, flow_proto_name(sel->ethertype, (uint8_t)n, candidate)) == 0 ||
		    strcmp(name + 5, number) == 0)
			return true;
	}
	return false;
}

/* The encapsulation of that name, or -1 for one the monitor does not know. */
static int find_encap(const char *name)
{
	for (int e = 0; e < ENCAP_MAX; e++)
		if (strcmp(name, encap_name((unsigned)e)) == 0)
			return e;
	return -1;
}

static void select_proto(struct selection *sel, const char *name)
{
	static const struct {
		const char *name;
		uint8_t ipproto, ipproto6;
	} both[] = {
		{ "ping", IPPROTO_ICMP, IPPROTO_ICMPV6 },
		{ "udp", IPPROTO_UDP, IPPROTO_UDP },
		{ "tcp", IPPROTO_TCP, IPPROTO_TCP },
		{ "sctp", IPPROTO_SCTP, IPPROTO_SCTP },
	};
	static const struct {
		const char *name, *flow;
	} one[] = {
		{ "icmp", "ipv4/icmp" },
		{ "icmpv6", "ipv6/icmpv6" },
		{ "igmp", "ipv4/igmp" },
	};

	for (size_t i = 0; i < sizeof(both) / sizeof(*both); i++)
		if (strcmp(name, both[i].name) == 0) {
			sel->any_family = true;
			sel->pings = i == 0;
			sel->ipproto = both[i].ipproto;
			sel->ipproto6 = both[i].ipproto6;
			return;
		}
	for (size_t i = 0; i < sizeof(one) / sizeof(*one); i++)
		if (strcmp(name, one[i].name) == 0)
			name = one[i].flow;
	sel->impossible |= !find_flow_proto(name, sel);
}

struct selection selection_of(const struct checks *c, const struct scn_check *check)
{
	struct selection sel = { .checks = c, .check = check, .section = -1, .wanted = -1 };

	for (size_t i = 0; i < check->n_selectors; i++) {
		const struct check_selector *s = &check->selectors[i];

		if (s->key == SEL_PROTO)
			select_proto(&sel, s->text);
		if (s->key == SEL_ENCAP)
			sel.encap = find_encap(s->text);
		for (size_t t = 0; s->key == SEL_TRAFFIC && t < c->plan->scn->n_traffic; t++)
			if (strcmp(c->plan->scn->traffic[t].name, s->text) == 0)
				sel.section = (int32_t)t;
	}
	return sel;
}

static bool who_is(const struct plan *p, const struct who *w, int32_t host, int32_t client,
		   uint32_t vni, const __u8 inner[16])
{
	switch (w->kind) {
	case WHO_ALL:
		return true;
	case WHO_CLIENT:
		return client >= 0 && (uint32_t)client == w->client;
	case WHO_HOST:
		return host >= 0 && (uint32_t)host == w->host;
	case WHO_HOST_VNI:
		return client >= 0 && p->clients[client].host == w->host && vni == w->vni;
	case WHO_VNI:
		return vni == w->vni;
	case WHO_ADDRESS:
		return memcmp(w->addr.b, inner, sizeof(w->addr.b)) == 0;
	case WHO_RANDOM: /* refused when the check was read */
		break;
	}
	return false;
}

static bool proto_is(const struct selection *sel, const struct flow_key *key)
{
	if (sel->impossible || (sel->pings && is_link_chatter(key)))
		return false;
	if (sel->any_family)
		return flow_has_inner_ip(key) &&
		       key->inner_ipproto == (key->inner_ethertype == ETH_TYPE_IPV6 ? sel->ipproto6 : sel->ipproto);
	return key->inner_ethertype == sel->ethertype && key->inner_ipproto == sel->ipproto;
}

static bool traffic_is(const struct selection *sel, const struct subject *x)
{
	int proto = truth_proto(x->key);

	if (x->section != SECTION_OF_FLOW)
		return x->section == sel->section;
	return sel->section >= 0 && proto >= 0 && x->src_client >= 0 && x->dst_client >= 0 &&
	       section_makes(sel->checks, x->src_client, x->dst_client, proto, sel->section);
}

static bool selector_is(const struct selection *sel, const struct check_selector *s,
			const struct subject *x)
{
	const struct plan *p = sel->checks->plan;

	switch (s->key) {
	case SEL_FROM:
		return who_is(p, &s->who, x->src_host, x->src_client, x->key->vni,
			      x->key->inner_src);
	case SEL_TO:
		return who_is(p, &s->who, x->dst_host, x->dst_client, x->key->vni,
			      x->key->inner_dst);
	case SEL_VNI:
		return x->key->vni == s->number;
	case SEL_PROTO:
		return proto_is(sel, x->key);
	case SEL_ENCAP:
		return sel->encap >= 0 && !strcmp(encap_name(x->key->encap), encap_name((unsigned)sel->encap));
	case SEL_TRAFFIC:
		return traffic_is(sel, x);
	case SEL_OUTER_SRC:
		return memcmp(s->addr.b, x->key->outer_src, sizeof(s->addr.b)) == 0;
	case SEL_OUTER_DST:
		return memcmp(s->addr.b, x->key->outer_dst, sizeof(s->addr.b)) == 0;
	case SEL_KEY_MAX:
		break;
	}
	return false;
}

bool selection_has(const struct selection *sel, const struct subject *x)
{
	for (size_t i = 0; i < sel->check->n_selectors; i++)
		if (!selector_is(sel, &sel->check->selectors[i], x))
			return false;
	return true;
}

bool stream_selected(const struct selection *sel, const struct sample *s, const struct sample_stream *x)
{
	int32_t section = s->generators[x->generator].section;
	struct flow_key key;
	struct subject there = subject_of_pair(sel->checks->plan, x->from, x->to, x->proto, section, &key);
	struct subject back;

	if (selection_has(sel, &there))
		return true;
	back = subject_of_pair(sel->checks->plan, x->to, x->from, x->proto, section, &key);
	return x->proto == SCN_PING && selection_has(sel, &back);
}

/* ------------------------------------------------------------------ explaining flows */

/* proto -1: any. Live generators are few; planned ones are in the index. */
static bool live_makes(const struct sample *s, int32_t src, int32_t dst, int proto)
{
	for (size_t g = 0; g < s->n_generators; g++) {
		const struct sample_generator *gen = &s->generators[g];

		for (uint32_t i = gen->stream0;
		     gen->section < 0 && i < gen->stream0 + gen->n_streams && i < s->n_streams;
		     i++) {
			const struct sample_stream *x = &s->streams[i];
			bool there = (int32_t)x->from == src && (int32_t)x->to == dst,
			     back = (int32_t)x->from == dst && (int32_t)x->to == src;

			if (proto < 0 ? there || back
				      : (int)x->proto == proto &&
						(there || (back && proto == SCN_PING)))
				return true;
		}
	}
	return false;
}

bool flow_explained(const struct checks *c, const struct sample *s, const struct sample_flow *f)
{
	int proto = truth_proto(&f->key);

	if (is_link_chatter(&f->key))
		return true;
	if (f->src_client < 0 || f->dst_client < 0)
		return false;
	if (proto >= 0 && (section_makes(c, f->src_client, f->dst_client, proto, -1) ||
			   live_makes(s, f->src_client, f->dst_client, proto)))
		return true;
	/* Two clients that talk at all look for each other; over IPv6 that is ICMPv6 between their
	 * own addresses. */
	return is_icmpv6(&f->key) && (is_planned(c, f->src_client, f->dst_client, -1, -1) ||
				      is_planned(c, f->dst_client, f->src_client, -1, -1) ||
				      live_makes(s, f->src_client, f->dst_client, -1));
}
