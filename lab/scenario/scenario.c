/* SPDX-License-Identifier: Apache-2.0 */
/* Sections to struct scenario, defaults filled in. The text is read by scenario_ini.c, the keys by
 * scenario_keys.c, single values by scenario_values.c and scenario_check.c; what needs several
 * sections at once (does that client exist, do the addresses suffice) is plan.c's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/scenario_internal.h"

enum {
	DEFAULT_HOSTS = 9,
	DEFAULT_FIRST = 100,
	DEFAULT_FIRST_WIDE = 356, /* in 172.16.0.0/16: still 172.16.1.100 */
	DEFAULT_PORT = 4789,
	DEFAULT_SEED = 1,
	DEFAULT_SIZE = 64,
	HOSTS_IN_A_24 = 253,
};
static const uint64_t default_duration_ns = 30000000000ull;

/* ------------------------------------------------------------------ sections */

static void refuse_section(struct build *b, const struct doc_section *section, const char *why)
{
	int where = section->line;

	for (int k = 0; where == 0 && k < SECTION_KEYS_MAX; k++) /* made by --set */
		where = section->values[k].where;
	scn_error_at(b->e, b->s, (struct scn_place){ where, section->title, NULL, NULL }, "%s",
		     why);
}

/* The lab's name from the file's: "dir/my lab.ini" is "my-lab". */
static void default_name(const char *file, char *name)
{
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	size_t len = strlen(base), n = 0;

	if (len > 4 && strcmp(base + len - 4, ".ini") == 0)
		len -= 4;
	for (size_t i = 0; i < len && n < SCN_NAME_LEN - 1; i++) {
		char c = name_char(base[i]) ? base[i] : '-';

		if (n > 0 || (c != '-' && c != '.'))
			name[n++] = c;
	}
	name[n] = '\0';
	if (n == 0)
		(void)strcpy(name, "lab");
}

/* Reads the lab's section and the defaults that depend on it. */
static void read_lab(struct build *b, const struct doc *doc)
{
	static const struct ip_prefix narrow = { { { [10] = 0xff, [11] = 0xff, 172, 16, 1, 0 } },
						 24 };
	static const struct ip_prefix wide = { { { [10] = 0xff, [11] = 0xff, 172, 16, 0, 0 } },
					       16 };
	struct scenario *s = b->s;
	bool fits;

	s->wrong = doc->lab_wrong;
	s->vnis_wrong = doc->vnis_wrong;
	s->names_wrong = doc->names_wrong;
	for (size_t i = 0; i < doc->n; i++)
		if (doc->sections[i].kind == SECTION_LAB)
			s->wrong |= read_section(b, &doc->sections[i], s, s->key_line);
	fits = (b->has_first ? s->first : DEFAULT_FIRST) + s->hosts - 1 <= 254;
	if (!b->has_underlay)
		s->underlay = fits ? narrow : wide;
	if (!b->has_first)
		s->first = fits || b->has_underlay ? DEFAULT_FIRST : DEFAULT_FIRST_WIDE;
}

/* The inner subnet of the index-th VNI, where none is given: 192.168.<index>.0/24; from the 257th
 * on 10.<index / 256>.<index % 256>.0/24; with more hosts than a /24 holds 10.<index>.0.0/16. */
static bool default_subnet(const struct scenario *s, size_t index, struct ip_prefix *ret)
{
	bool wide = s->hosts > HOSTS_IN_A_24;
	struct ip_prefix p = { { { [10] = 0xff, [11] = 0xff, 10, 0, 0, 0 } }, wide ? 16 : 24 };

	if (wide && index > 255)
		return false;
	if (wide) {
		p.addr.b[13] = (uint8_t)index;
	} else if (index < 256) {
		p.addr.b[12] = 192;
		p.addr.b[13] = 168;
		p.addr.b[14] = (uint8_t)index;
	} else {
		p.addr.b[13] = (uint8_t)(index >> 8);
		p.addr.b[14] = (uint8_t)index;
	}
	*ret = p;
	return true;
}

/* 239.1.1.<index + 1>, or ff15::1:<index + 1> over IPv6; carries into the bytes before. */
static struct ip_addr default_group(const struct scenario *s, size_t index)
{
	bool v4 = addr_is_v4(&s->underlay.addr);
	struct ip_addr group = { { 0 } };
	uint32_t n = (v4 ? 0xef010100u : 0x10000u) + (uint32_t)index + 1;

	if (v4) {
		group.b[10] = group.b[11] = 0xff;
	} else {
		group.b[0] = 0xff;
		group.b[1] = 0x15;
	}
	for (int i = 0; i < 4; i++)
		group.b[15 - i] = (uint8_t)(n >> (8 * i));
	return group;
}

/* Where a [vni] section, or one of its keys, stands. */
static struct scn_place vni_place(const struct scn_vni *v, int key, const char *title)
{
	bool given = key >= 0 && v->key_line[key] != 0;

	return (struct scn_place){ given ? v->key_line[key] : v->line, title,
				   given ? section_schemas[SECTION_VNI].keys[key] : NULL, NULL };
}

/* What the group of a VNI depends on is wrong. */
static bool group_unsure(const struct build *b, const struct vni_values *values)
{
	return scn_is_wrong(values->v.wrong, VNI_FLOOD) ||
	       scn_is_wrong(b->s->wrong, LAB_UNDERLAY) ||
	       (!values->has_flood && scn_is_wrong(b->s->wrong, LAB_FLOOD));
}

/* Whether a VNI without a subnet of its own is a mistake of its own. */
static bool must_have_subnet(const struct build *b, const struct vni_values *values)
{
	return !values->has_subnet && !scn_is_wrong(values->v.wrong, VNI_SUBNET) &&
	       !scn_is_wrong(b->s->wrong, LAB_HOSTS) && !scn_is_wrong(b->s->wrong, LAB_VNIS);
}

/* What point-to-point devices cannot do. Where the lab's own value is the mistake, it is told once. */
static void check_point_to_point(struct build *b, const struct scn_vni *v, const char *title)
{
	const struct scenario *s = b->s;
	const char *encap = scn_encap_names[v->encap];

	if (!scn_is_point_to_point(v->encap) || scn_is_wrong(v->wrong, VNI_FLOOD))
		return;
	if (v->flood == SCN_MULTICAST && v->key_line[VNI_FLOOD])
		scn_error_at(b->e, s, vni_place(v, VNI_FLOOD, title), "multicast is vxlan's alone: %s floods by unicast", encap);
	else if (v->flood == SCN_MULTICAST && !b->flood_refused)
		scn_error_at(b->e, s, (struct scn_place){ s->key_line[LAB_FLOOD], "lab", "flood", "multicast" },
			     "multicast is vxlan's alone, and VNI %u is %s: leave this out, or set flood in [vni %u]", v->vni,
			     encap, v->vni);
	if (s->wiring == SCN_DIRECT && !b->wiring_refused)
		scn_error_at(b->e, s, (struct scn_place){ s->key_line[LAB_WIRING], "lab", "wiring", "direct" },
			     "VNI %u is %s, which takes a device for each remote host, and a macvlan sits on one: want bridge",
			     v->vni, encap);
	b->flood_refused |= v->flood == SCN_MULTICAST && !v->key_line[VNI_FLOOD];
	b->wiring_refused |= s->wiring == SCN_DIRECT;
}

/* Both would open the same UDP port. */
static void check_port(struct build *b)
{
	const struct scenario *s = b->s;
	bool vxlan = false, geneve = false;

	for (size_t i = 0; i < s->n_vnis; i++) {
		vxlan |= s->vnis[i].encap == SCN_VXLAN;
		geneve |= s->vnis[i].encap == SCN_GENEVE;
	}
	if (vxlan && geneve && s->port == SCN_GENEVE_PORT)
		scn_error_at(b->e, s, (struct scn_place){ s->key_line[LAB_PORT], "lab", "port", "6081" },
			     "is geneve's, and there are VNIs of geneve beside those of vxlan, whose port this is");
}

/* Fills in what the section left out. */
static void complete_vni(struct build *b, struct vni_values *values, uint32_t vni, size_t index)
{
	struct scn_vni *v = &values->v;
	char title[24];

	(void)snprintf(title, sizeof(title), "vni %u", vni);
	v->vni = vni;
	if (!values->has_encap)
		v->encap = b->encap;
	if (!values->has_flood)
		v->flood = scn_is_point_to_point(v->encap) && !b->has_flood ? SCN_UNICAST : b->flood;
	if (!values->has_subnet && !default_subnet(b->s, index, &v->subnet) &&
	    must_have_subnet(b, values))
		scn_error_at(
			b->e, b->s, vni_place(v, -1, title),
			"needs a subnet: with more than %d hosts, only the first 256 VNIs have one by default",
			HOSTS_IN_A_24);
	if (values->has_group && group_unsure(b, values))
		; /* nothing to hold it against */
	else if (values->has_group && v->flood == SCN_UNICAST)
		scn_error_at(b->e, b->s, vni_place(v, VNI_GROUP, title),
			     "flood is unicast in this VNI: no group is used");
	else if (values->has_group && addr_is_v4(&v->group) != addr_is_v4(&b->s->underlay.addr))
		scn_error_at(b->e, b->s, vni_place(v, VNI_GROUP, title),
			     "want an %s group, as the underlay is %s",
			     addr_is_v4(&v->group) ? "IPv6" : "IPv4",
			     addr_is_v4(&v->group) ? "IPv6" : "IPv4");
	else if (!values->has_group && v->flood == SCN_MULTICAST)
		v->group = default_group(b->s, index);
	check_point_to_point(b, v, title);
	if (v->hosts.n == 0) {
		v->hosts.v = calloc(1, sizeof(*v->hosts.v));
		if (!v->hosts.v) {
			b->no_memory = true;
			return;
		}
		v->hosts.v[0].last = b->s->hosts - 1;
		v->hosts.n = 1;
	}
}

/* [vni N] sections by number, to find each VNI's in O(log n). */
static int compare_numbers(const void *a, const void *b)
{
	const struct doc_section *x = *(const struct doc_section *const *)a,
				 *y = *(const struct doc_section *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

static const struct doc_section *find_number(const struct doc_section *const *sorted, size_t n,
					     uint32_t number)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (sorted[mid]->number == number)
			return sorted[mid];
		if (sorted[mid]->number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static void refuse_strange_vnis(struct build *b, const struct doc_section *const *sorted, size_t n)
{
	char list[200], why[WHY_LEN];
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		struct vni_values unused = { 0 };

		if (range_list_has(&b->vnis, sorted[i]->number))
			continue;
		(void)read_section(b, sorted[i], &unused, unused.v.key_line); /* for its mistakes */
		free(unused.v.hosts.v);
		free(unused.v.wrong_vnis);
		(void)snprintf(why, sizeof(why),
			       "is not one of the lab's VNIs (%s); add it to [lab] vnis",
			       ranges_format(&b->vnis, list, sizeof(list)));
		refuse_section(b, sorted[i], why);
		any = true;
	}
	b->s->wrong |= any ? 1u << LAB_VNIS : 0;
}

/* With the list of VNIs wrong, those with a section are looked at. */
static void take_vnis_of_sections(struct build *b, const struct doc_section *const *sorted,
				  size_t n)
{
	void *v = n ? realloc(b->vnis.v, n * sizeof(*b->vnis.v)) : NULL;

	if (n == 0)
		return;
	if (!v) {
		b->no_memory = true;
		return;
	}
	b->vnis.v = v;
	b->vnis.n = n;
	for (size_t i = 0; i < n; i++)
		b->vnis.v[i].first = b->vnis.v[i].last = sorted[i]->number;
}

static void read_vni(struct build *b, const struct doc_section *section, uint32_t vni)
{
	struct vni_values values = { .v.line = section ? section->line : 0 };

	if (section)
		values.v.wrong = read_section(b, section, &values, values.v.key_line);
	complete_vni(b, &values, vni, b->s->n_vnis);
	b->s->vnis_wrong |= values.v.wrong;
	b->s->vnis[b->s->n_vnis++] = values.v;
}

static void read_vnis(struct build *b, const struct doc *doc)
{
	struct scenario *s = b->s;
	const struct doc_section **sorted = calloc(doc->n + 1, sizeof(*sorted));
	size_t n = 0, total = 0;

	if (!sorted) {
		b->no_memory = true;
		return;
	}
	for (size_t i = 0; i < doc->n; i++)
		if (doc->sections[i].kind == SECTION_VNI)
			sorted[n++] = &doc->sections[i];
	qsort(sorted, n, sizeof(*sorted), compare_numbers);
	if (scn_is_wrong(s->wrong, LAB_VNIS))
		take_vnis_of_sections(b, sorted, n);
	refuse_strange_vnis(b, sorted, n);
	for (size_t i = 0; i < b->vnis.n; i++)
		total += b->vnis.v[i].last - b->vnis.v[i].first + 1;
	s->vnis = calloc(total, sizeof(*s->vnis));
	b->no_memory |= !s->vnis;
	for (size_t i = 0; s->vnis && i < b->vnis.n; i++)
		for (uint32_t vni = b->vnis.v[i].first; vni <= b->vnis.v[i].last; vni++)
			read_vni(b, find_number(sorted, n, vni), vni);
	free(sorted);
	check_port(b);
}

static void read_traffic(struct build *b, const struct doc_section *section, struct scn_traffic *t)
{
	*t = (struct scn_traffic){
		.from.kind = WHO_ALL,
		.to.kind = WHO_ALL,
		.proto = SCN_PING,
		.rate = { RATE_PPS, 10 },
		.size = DEFAULT_SIZE,
		.pattern = SCN_CONSTANT,
		.line = section->line,
	};
	(void)snprintf(t->name, sizeof(t->name), "%s", section->name);
	t->wrong = read_section(b, section, t, t->key_line);
}

static void read_link(struct build *b, const struct doc_section *section, struct scn_link *l)
{
	*l = (struct scn_link){ .host = section->number, .line = section->line };
	l->wrong = read_section(b, section, l, l->key_line);
}

/* Says what a section lacks; a broken line may have been meant to be it. The key counts as wrong. */
static unsigned lack(struct build *b, const struct doc_section *section, int key, const char *why)
{
	if (section->values[key].text)
		return 0;
	if (!section->broken)
		refuse_section(b, section, why);
	return 1u << key;
}

static void read_event(struct build *b, const struct doc_section *section, struct scn_event *e)
{
	*e = (struct scn_event){ .line = section->line };
	(void)snprintf(e->name, sizeof(e->name), "%s", section->name);
	e->wrong = read_section(b, section, e, e->key_line);
	e->wrong |= lack(b, section, EVENT_DO, "needs something to do: do = link hostN CHANGE, or do = traffic NAME stop|start|rate R");
}

static void read_assert(struct build *b, const struct doc_section *section, struct scn_check *c)
{
	*c = (struct scn_check){ .line = section->line };
	(void)snprintf(c->name, sizeof(c->name), "%s", section->name);
	c->wrong = read_section(b, section, c, c->key_line);
	c->wrong |= lack(b, section, ASSERT_CHECK, "needs a check: check = METRIC(SELECTOR=VALUE …) OP VALUE");
}

/* Room for as many sections of each kind as there are in all. */
static bool make_room(struct scenario *s, size_t n)
{
	s->traffic = calloc(n + 1, sizeof(*s->traffic));
	s->links = calloc(n + 1, sizeof(*s->links));
	s->events = calloc(n + 1, sizeof(*s->events));
	s->checks = calloc(n + 1, sizeof(*s->checks));
	return s->traffic && s->links && s->events && s->checks;
}

static void read_named(struct build *b, const struct doc *doc)
{
	struct scenario *s = b->s;

	if (!make_room(s, doc->n)) {
		b->no_memory = true;
		return;
	}
	for (size_t i = 0; i < doc->n; i++) {
		const struct doc_section *section = &doc->sections[i];

		if (section->kind == SECTION_TRAFFIC)
			read_traffic(b, section, &s->traffic[s->n_traffic++]);
		else if (section->kind == SECTION_LINK)
			read_link(b, section, &s->links[s->n_links++]);
		else if (section->kind == SECTION_EVENT)
			read_event(b, section, &s->events[s->n_events++]);
		else if (section->kind == SECTION_ASSERT)
			read_assert(b, section, &s->checks[s->n_checks++]);
	}
}

/* ------------------------------------------------------------------ entry */

void scenario_free(struct scenario *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_vnis; i++) {
		free(s->vnis[i].hosts.v);
		free(s->vnis[i].wrong_vnis);
	}
	for (size_t i = 0; i < s->n_checks; i++)
		free(s->checks[i].selectors);
	for (size_t i = 0; i < s->n_sets; i++)
		free(s->sets[i]);
	free(s->vnis);
	free(s->traffic);
	free(s->links);
	free(s->events);
	free(s->checks);
	free(s->sets);
	free(s->text);
	free(s);
}

/* An empty scenario with the source's names. */
static struct scenario *scenario_new(const struct scn_source *source)
{
	struct scenario *s = calloc(1, sizeof(*s));
	const char *file = source->file ? source->file : "default";

	if (!s)
		return NULL;
	(void)snprintf(s->file, sizeof(s->file), "%s", file);
	default_name(file, s->name);
	s->hosts = DEFAULT_HOSTS;
	s->port = DEFAULT_PORT;
	s->duration_ns = default_duration_ns;
	s->seed = DEFAULT_SEED;
	s->text = strndup(source->text ? source->text : "", source->len);
	s->sets = calloc(source->n_set + 1, sizeof(*s->sets));
	for (size_t i = 0; s->sets && i < source->n_set; i++) {
		s->sets[i] = strdup(source->set[i]);
		if (!s->sets[i])
			break;
		s->n_sets++;
	}
	s->n_options = source->n_options;
	if (!s->text || !s->sets || s->n_sets < source->n_set) {
		scenario_free(s);
		return NULL;
	}
	return s;
}

static int interpret(struct build *b, const struct doc *doc)
{
	b->vnis.v = calloc(1, sizeof(*b->vnis.v));
	if (!b->vnis.v)
		return -ENOMEM;
	b->vnis.n = 1;
	b->vnis.v[0].first = 10000;
	b->vnis.v[0].last = 10003;
	read_lab(b, doc);
	read_vnis(b, doc);
	read_named(b, doc);
	free(b->vnis.v);
	return b->no_memory ? -ENOMEM : 0;
}

int scenario_read(const struct scn_source *source, struct scenario **ret_scenario, bool *ret_usable,
		  struct scn_errors *ret_errors)
{
	struct build b = { .s = scenario_new(source), .e = ret_errors };
	struct doc doc = { 0 };
	bool usable = false;
	int err;

	*ret_errors = (struct scn_errors){ 0 };
	if (!b.s)
		return -ENOMEM;
	err = doc_read(source, b.s, &doc, ret_errors);
	if (!err)
		err = doc_apply_sets(&doc, b.s, ret_errors);
	if (!err)
		err = interpret(&b, &doc);
	usable = !doc.no_text;
	doc_free(&doc);
	if (err) {
		scenario_free(b.s);
		return err;
	}
	scn_errors_sort(ret_errors);
	*ret_scenario = b.s;
	*ret_usable = usable;
	return ret_errors->n_total ? -EINVAL : 0;
}

int scenario_parse(const struct scn_source *source, struct scenario **ret_scenario,
		   struct scn_errors *ret_errors)
{
	struct scenario *s = NULL;
	bool usable;
	int err = scenario_read(source, &s, &usable, ret_errors);

	if (err)
		scenario_free(s);
	else
		*ret_scenario = s;
	return err;
}
