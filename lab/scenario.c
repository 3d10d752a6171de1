/* SPDX-License-Identifier: Apache-2.0 */
/* Sections and keys to struct scenario: each value checked for itself, defaults filled in. The text is read by
 * scenario_ini.c, single values by scenario_values.c and scenario_check.c; what needs several sections at once (does that
 * client exist, do the addresses suffice) is plan.c's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario_internal.h"
#include "lab/traffic/engine.h"

enum {
	DEFAULT_HOSTS = 9,
	DEFAULT_FIRST = 100,
	DEFAULT_FIRST_WIDE = 356, /* in 172.16.0.0/16: still 172.16.1.100 */
	DEFAULT_PORT = 4789,
	DEFAULT_SEED = 1,
	DEFAULT_SIZE = 64,
	MTU_MIN = 68,             /* RFC 791: every IPv4 link carries this much */
	MTU_MAX = 1500,
	TRAFFIC_SIZE_LIMIT = 65535,
	HOSTS_IN_A_24 = 253,
};
static const uint64_t default_duration_ns = 30000000000ull;
static const uint64_t duration_min_ns = 1000000ull;

/* What is being built. Values whose defaults depend on others stay in flags until everything is read. */
struct build {
	struct scenario *s;
	struct scn_errors *e;
	struct range_list vnis;
	enum scn_encap encap;
	enum scn_flood flood;
	bool has_underlay, has_first;
	bool no_memory;
};

/* A [vni] section's own values, laid over the lab's when its VNI's turn comes. */
struct vni_values {
	struct scn_vni v;
	bool has_subnet, has_group, has_flood, has_encap;
};

/* Reads one value into object (what the section is being read into). false with the sentence in why. */
typedef bool value_fn(struct build *b, void *object, const char *value, char *why);

static bool say(char *why, const char *sentence)
{
	(void)snprintf(why, WHY_LEN, "%s", sentence);
	return false;
}

static bool read_number(const char *value, uint64_t min, uint64_t max, uint64_t *ret, char *why)
{
	const char *static_why;

	if (parse_number(value, min, max, ret, &static_why) == 0)
		return true;
	(void)snprintf(why, WHY_LEN, "want a whole number from %llu to %llu", (unsigned long long)min, (unsigned long long)max);
	return false;
}

/* The index of value in names. */
static bool read_choice(const char *value, const char *const *names, size_t n, int *ret, char *why)
{
	const char *list[8] = { NULL };
	char joined[120];

	for (size_t i = 0; i < n; i++) {
		list[i] = names[i];
		if (strcmp(value, names[i]) == 0) {
			*ret = (int)i;
			return true;
		}
	}
	(void)snprintf(why, WHY_LEN, "want one of %s", join_words(list, joined, sizeof(joined)));
	return false;
}

static bool read_encap(const char *value, enum scn_encap *ret, char *why)
{
	int choice;

	if (!read_choice(value, scn_encap_names, SCN_ENCAP_MAX, &choice, why))
		return false;
	if (choice != SCN_VXLAN) {
		(void)snprintf(why, WHY_LEN, "this version builds vxlan only");
		return false;
	}
	*ret = (enum scn_encap)choice;
	return true;
}

static bool read_prefix(const char *value, struct ip_prefix *ret, char *why)
{
	struct ip_addr whole;
	const char *slash = strchr(value, '/');
	char host[ADDR_STRLEN];

	if (prefix_parse(value, ret) == 0) {
		if (addr_is_group(&ret->addr))
			return say(why, "is a multicast prefix: want one for unicast addresses");
		return true;
	}
	(void)snprintf(host, sizeof(host), "%.*s", (int)(slash ? slash - value : 0), value);
	if (slash && addr_parse(host, &whole) == 0)
		return say(why, "want a network address and its length, with no host bits set, such as 192.168.2.0/24");
	return say(why, "want an IPv4 or IPv6 prefix, such as 192.168.2.0/24 or fd00:2::/64");
}

/* ------------------------------------------------------------------ [lab] */

/* The name stands in paths and URLs. */
static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static bool lab_name(struct build *b, void *object, const char *value, char *why)
{
	size_t n = 0;

	(void)object;
	while (name_char(value[n]))
		n++;
	if (value[n] || n >= SCN_NAME_LEN || value[0] == '-' || value[0] == '.')
		return say(why, "want at most 63 letters, digits, '-', '_' and '.', the first a letter, a digit or '_'");
	(void)snprintf(b->s->name, sizeof(b->s->name), "%s", value);
	return true;
}

static bool lab_hosts(struct build *b, void *object, const char *value, char *why)
{
	uint64_t n;

	(void)object;
	if (!read_number(value, 1, SCN_HOSTS_MAX, &n, why))
		return false;
	b->s->hosts = (uint32_t)n;
	return true;
}

static bool lab_vnis(struct build *b, void *object, const char *value, char *why)
{
	struct range_list l;
	int err = parse_ranges(value, 1, SCN_VNI_MAX, SCN_CLIENTS_MAX, &l, why, WHY_LEN);

	(void)object;
	b->no_memory |= err == -ENOMEM;
	if (err)
		return false;
	free(b->vnis.v);
	b->vnis = l;
	return true;
}

static bool lab_encap(struct build *b, void *object, const char *value, char *why)
{
	(void)object;
	return read_encap(value, &b->encap, why);
}

static bool lab_flood(struct build *b, void *object, const char *value, char *why)
{
	int choice;

	(void)object;
	if (!read_choice(value, scn_flood_names, SCN_FLOOD_MAX, &choice, why))
		return false;
	b->flood = (enum scn_flood)choice;
	return true;
}

static bool lab_underlay(struct build *b, void *object, const char *value, char *why)
{
	(void)object;
	b->has_underlay = true;
	return read_prefix(value, &b->s->underlay, why);
}

static bool lab_first(struct build *b, void *object, const char *value, char *why)
{
	uint64_t n;

	(void)object;
	b->has_first = true;
	if (!read_number(value, 1, INT32_MAX, &n, why))
		return false;
	b->s->first = (uint32_t)n;
	return true;
}

static bool lab_port(struct build *b, void *object, const char *value, char *why)
{
	uint64_t n;

	(void)object;
	if (!read_number(value, 1, 65535, &n, why))
		return false;
	b->s->port = (uint16_t)n;
	return true;
}

static bool lab_mtu(struct build *b, void *object, const char *value, char *why)
{
	uint64_t n;

	(void)object;
	if (!read_number(value, MTU_MIN, MTU_MAX, &n, why))
		return false;
	b->s->mtu = (uint32_t)n;
	return true;
}

static bool lab_wiring(struct build *b, void *object, const char *value, char *why)
{
	int choice;

	(void)object;
	if (!read_choice(value, scn_wiring_names, SCN_WIRING_MAX, &choice, why))
		return false;
	b->s->wiring = (enum scn_wiring)choice;
	return true;
}

static bool lab_duration(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;

	(void)object;
	if (parse_time(value, &b->s->duration_ns, &static_why))
		return say(why, static_why);
	if (b->s->duration_ns < duration_min_ns)
		return say(why, "want at least 1ms");
	return true;
}

static bool lab_seed(struct build *b, void *object, const char *value, char *why)
{
	(void)object;
	return read_number(value, 0, UINT64_MAX, &b->s->seed, why);
}

static value_fn *const lab_keys[] = {
	[LAB_NAME] = lab_name, [LAB_HOSTS] = lab_hosts, [LAB_VNIS] = lab_vnis, [LAB_ENCAP] = lab_encap, [LAB_FLOOD] = lab_flood,
	[LAB_UNDERLAY] = lab_underlay, [LAB_FIRST] = lab_first, [LAB_PORT] = lab_port, [LAB_MTU] = lab_mtu,
	[LAB_WIRING] = lab_wiring, [LAB_DURATION] = lab_duration, [LAB_SEED] = lab_seed,
};

/* ------------------------------------------------------------------ [vni N] */

static bool vni_subnet(struct build *b, void *object, const char *value, char *why)
{
	struct vni_values *v = object;

	(void)b;
	v->has_subnet = true;
	return read_prefix(value, &v->v.subnet, why);
}

static bool vni_hosts(struct build *b, void *object, const char *value, char *why)
{
	struct vni_values *v = object;
	int err;

	if (strcmp(value, "all") == 0)
		return true;
	err = parse_ranges(value, 0, SCN_HOSTS_MAX - 1, SCN_HOSTS_MAX, &v->v.hosts, why, WHY_LEN);
	b->no_memory |= err == -ENOMEM;
	return err == 0;
}

static bool vni_encap(struct build *b, void *object, const char *value, char *why)
{
	struct vni_values *v = object;

	(void)b;
	v->has_encap = true;
	return read_encap(value, &v->v.encap, why);
}

static bool vni_flood(struct build *b, void *object, const char *value, char *why)
{
	struct vni_values *v = object;
	int choice;

	(void)b;
	if (!read_choice(value, scn_flood_names, SCN_FLOOD_MAX, &choice, why))
		return false;
	v->has_flood = true;
	v->v.flood = (enum scn_flood)choice;
	return true;
}

static bool vni_group(struct build *b, void *object, const char *value, char *why)
{
	static const struct ip_addr broadcast = { { [10] = 0xff, [11] = 0xff, 0xff, 0xff, 0xff, 0xff } };
	struct vni_values *v = object;

	(void)b;
	if (addr_parse(value, &v->v.group) || !addr_is_group(&v->v.group) || addr_equal(&v->v.group, &broadcast))
		return say(why, "want a multicast address, such as 239.1.1.3 or ff15::1:3");
	v->has_group = true;
	return true;
}

static value_fn *const vni_keys[] = {
	[VNI_SUBNET] = vni_subnet, [VNI_HOSTS] = vni_hosts, [VNI_ENCAP] = vni_encap, [VNI_FLOOD] = vni_flood,
	[VNI_GROUP] = vni_group,
};

/* ------------------------------------------------------------------ [traffic NAME] */

static bool traffic_from(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;

	(void)b;
	return parse_who(value, &((struct scn_traffic *)object)->from, &static_why) == 0 || say(why, static_why);
}

static bool traffic_to(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;

	(void)b;
	return parse_who(value, &((struct scn_traffic *)object)->to, &static_why) == 0 || say(why, static_why);
}

static bool traffic_proto(struct build *b, void *object, const char *value, char *why)
{
	int choice;

	(void)b;
	if (!read_choice(value, scn_proto_names, SCN_PROTO_MAX, &choice, why))
		return false;
	((struct scn_traffic *)object)->proto = (enum scn_proto)choice;
	return true;
}

static bool traffic_rate(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;

	(void)b;
	return parse_rate(value, &((struct scn_traffic *)object)->rate, &static_why) == 0 || say(why, static_why);
}

static bool traffic_size(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;
	uint64_t size;

	(void)b;
	if (parse_size(value, &size, &static_why))
		return say(why, static_why);
	if (size < TRAFFIC_SIZE_MIN || size > TRAFFIC_SIZE_LIMIT) {
		(void)snprintf(why, WHY_LEN, "want at least %d bytes (8 of ICMP or UDP header and tunlab's own) and no more than the MTU",
			       TRAFFIC_SIZE_MIN);
		return false;
	}
	((struct scn_traffic *)object)->size = (uint32_t)size;
	return true;
}

static bool traffic_start(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;

	(void)b;
	return parse_time(value, &((struct scn_traffic *)object)->start_ns, &static_why) == 0 || say(why, static_why);
}

static bool traffic_stop(struct build *b, void *object, const char *value, char *why)
{
	struct scn_traffic *t = object;
	const char *static_why;

	(void)b;
	if (parse_time(value, &t->stop_ns, &static_why))
		return say(why, static_why);
	return t->stop_ns > 0 || say(why, "want a time after the start");
}

static bool traffic_pattern(struct build *b, void *object, const char *value, char *why)
{
	int choice;

	(void)b;
	if (!read_choice(value, scn_pattern_names, SCN_PATTERN_MAX, &choice, why))
		return false;
	((struct scn_traffic *)object)->pattern = (enum scn_pattern)choice;
	return true;
}

static value_fn *const traffic_keys[] = {
	[TRAFFIC_FROM] = traffic_from, [TRAFFIC_TO] = traffic_to, [TRAFFIC_PROTO] = traffic_proto,
	[TRAFFIC_RATE] = traffic_rate, [TRAFFIC_SIZE] = traffic_size, [TRAFFIC_START] = traffic_start,
	[TRAFFIC_STOP] = traffic_stop, [TRAFFIC_PATTERN] = traffic_pattern,
};

/* ------------------------------------------------------------------ [assert NAME] */

static bool assert_check(struct build *b, void *object, const char *value, char *why)
{
	int err = parse_check(value, object, why, WHY_LEN);

	b->no_memory |= err == -ENOMEM;
	return err == 0;
}

static bool assert_at(struct build *b, void *object, const char *value, char *why)
{
	struct scn_check *c = object;
	const char *static_why;

	(void)b;
	c->has_at = true;
	return parse_time(value, &c->at_ns, &static_why) == 0 || say(why, static_why);
}

static bool assert_within(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;

	(void)b;
	return parse_time(value, &((struct scn_check *)object)->within_ns, &static_why) == 0 || say(why, static_why);
}

static value_fn *const assert_keys[] = {
	[ASSERT_CHECK] = assert_check, [ASSERT_AT] = assert_at, [ASSERT_WITHIN] = assert_within,
};

/* ------------------------------------------------------------------ sections */

/* Reads every value of a section into object and notes where each stood. Number of mistakes. */
static int read_section(struct build *b, const struct doc_section *section, value_fn *const *keys, void *object, int *key_line)
{
	int mistakes = 0;

	for (int k = 0; section_schemas[section->kind].keys[k]; k++) {
		const struct doc_value *value = &section->values[k];
		char why[WHY_LEN];

		if (!value->text)
			continue;
		key_line[k] = value->where;
		if (keys[k](b, object, value->text, why))
			continue;
		mistakes++;
		scn_error_at(b->e, b->s,
			     (struct scn_place){ value->where, section->title, section_schemas[section->kind].keys[k], value->text },
			     "%s", why);
	}
	return mistakes;
}

static void refuse_section(struct build *b, const struct doc_section *section, const char *why)
{
	int where = section->line;

	for (int k = 0; where == 0 && k < SECTION_KEYS_MAX; k++) /* made by --set */
		where = section->values[k].where;
	scn_error_at(b->e, b->s, (struct scn_place){ where, section->title, NULL, NULL }, "%s", why);
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
static int read_lab(struct build *b, const struct doc *doc)
{
	static const struct ip_prefix narrow = { { { [10] = 0xff, [11] = 0xff, 172, 16, 1, 0 } }, 24 };
	static const struct ip_prefix wide = { { { [10] = 0xff, [11] = 0xff, 172, 16, 0, 0 } }, 16 };
	struct scenario *s = b->s;
	int mistakes = 0;
	bool fits;

	for (size_t i = 0; i < doc->n; i++)
		if (doc->sections[i].kind == SECTION_LAB)
			mistakes += read_section(b, &doc->sections[i], lab_keys, s, s->key_line);
	fits = (b->has_first ? s->first : DEFAULT_FIRST) + s->hosts - 1 <= 254;
	if (!b->has_underlay)
		s->underlay = fits ? narrow : wide;
	if (!b->has_first)
		s->first = fits || b->has_underlay ? DEFAULT_FIRST : DEFAULT_FIRST_WIDE;
	return mistakes;
}

/* The inner subnet of the index-th VNI, where none is given: 192.168.<index>.0/24; from the 257th on
 * 10.<index / 256>.<index % 256>.0/24; and with more hosts than a /24 holds 10.<index>.0.0/16. */
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

/* 239.1.1.<index + 1>, or ff15::1:<index + 1> over IPv6; the number carries into the bytes before. */
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

	return (struct scn_place){ given ? v->key_line[key] : v->line, title, given ? section_schemas[SECTION_VNI].keys[key] : NULL,
				   NULL };
}

/* Fills in what the section left out. Mistakes. */
static int complete_vni(struct build *b, struct vni_values *values, uint32_t vni, size_t index)
{
	struct scn_vni *v = &values->v;
	char title[24];
	int mistakes = 0;

	(void)snprintf(title, sizeof(title), "vni %u", vni);
	v->vni = vni;
	if (!values->has_encap)
		v->encap = b->encap;
	if (!values->has_flood)
		v->flood = b->flood;
	if (!values->has_subnet && !default_subnet(b->s, index, &v->subnet)) {
		scn_error_at(b->e, b->s, vni_place(v, -1, title),
			     "needs a subnet: with more than %d hosts, only the first 256 VNIs have one by default", HOSTS_IN_A_24);
		mistakes++;
	}
	if (values->has_group && v->flood == SCN_UNICAST) {
		scn_error_at(b->e, b->s, vni_place(v, VNI_GROUP, title), "flood is unicast in this VNI: no group is used");
		mistakes++;
	} else if (values->has_group && addr_is_v4(&v->group) != addr_is_v4(&b->s->underlay.addr)) {
		scn_error_at(b->e, b->s, vni_place(v, VNI_GROUP, title), "want an %s group, as the underlay is %s",
			     addr_is_v4(&v->group) ? "IPv6" : "IPv4", addr_is_v4(&v->group) ? "IPv6" : "IPv4");
		mistakes++;
	} else if (!values->has_group && v->flood == SCN_MULTICAST) {
		v->group = default_group(b->s, index);
	}
	if (v->hosts.n == 0) {
		v->hosts.v = calloc(1, sizeof(*v->hosts.v));
		if (!v->hosts.v) {
			b->no_memory = true;
			return 1;
		}
		v->hosts.v[0].last = b->s->hosts - 1;
		v->hosts.n = 1;
	}
	return mistakes;
}

/* [vni N] sections by number, to find each VNI's in O(log n). */
static int compare_numbers(const void *a, const void *b)
{
	const struct doc_section *x = *(const struct doc_section *const *)a, *y = *(const struct doc_section *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

static const struct doc_section *find_number(const struct doc_section *const *sorted, size_t n, uint32_t number)
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

static int refuse_strange_vnis(struct build *b, const struct doc_section *const *sorted, size_t n)
{
	char list[200], why[WHY_LEN];
	int mistakes = 0;

	for (size_t i = 0; i < n; i++) {
		struct vni_values unused = { 0 };

		if (range_list_has(&b->vnis, sorted[i]->number))
			continue;
		(void)read_section(b, sorted[i], vni_keys, &unused, unused.v.key_line); /* for its mistakes */
		free(unused.v.hosts.v);
		(void)snprintf(why, sizeof(why), "is not one of the lab's VNIs (%s); add it to [lab] vnis",
			       ranges_format(&b->vnis, list, sizeof(list)));
		refuse_section(b, sorted[i], why);
		mistakes++;
	}
	return mistakes;
}

static int read_vnis(struct build *b, const struct doc *doc)
{
	struct scenario *s = b->s;
	const struct doc_section **sorted = calloc(doc->n + 1, sizeof(*sorted));
	size_t n = 0, total = 0;
	int mistakes;

	for (size_t i = 0; i < b->vnis.n; i++)
		total += b->vnis.v[i].last - b->vnis.v[i].first + 1;
	s->vnis = calloc(total, sizeof(*s->vnis));
	if (!sorted || !s->vnis) {
		free(sorted);
		b->no_memory = true;
		return 0;
	}
	for (size_t i = 0; i < doc->n; i++)
		if (doc->sections[i].kind == SECTION_VNI)
			sorted[n++] = &doc->sections[i];
	qsort(sorted, n, sizeof(*sorted), compare_numbers);
	mistakes = refuse_strange_vnis(b, sorted, n);
	for (size_t i = 0; i < b->vnis.n; i++)
		for (uint32_t vni = b->vnis.v[i].first; vni <= b->vnis.v[i].last; vni++) {
			const struct doc_section *section = find_number(sorted, n, vni);
			struct vni_values values = { .v.line = section ? section->line : 0 };

			if (section)
				mistakes += read_section(b, section, vni_keys, &values, values.v.key_line);
			mistakes += complete_vni(b, &values, vni, s->n_vnis);
			s->vnis[s->n_vnis++] = values.v;
		}
	free(sorted);
	return mistakes;
}

static void read_traffic(struct build *b, const struct doc_section *section, struct scn_traffic *t)
{
	*t = (struct scn_traffic){
		.from.kind = WHO_ALL, .to.kind = WHO_ALL, .proto = SCN_PING, .rate = { RATE_PPS, 10 }, .size = DEFAULT_SIZE,
		.pattern = SCN_CONSTANT, .line = section->line, .broken = section->broken,
	};
	(void)snprintf(t->name, sizeof(t->name), "%s", section->name);
	t->broken |= read_section(b, section, traffic_keys, t, t->key_line) > 0;
}

static void read_assert(struct build *b, const struct doc_section *section, struct scn_check *c)
{
	*c = (struct scn_check){ .line = section->line, .broken = section->broken };
	(void)snprintf(c->name, sizeof(c->name), "%s", section->name);
	c->broken |= read_section(b, section, assert_keys, c, c->key_line) > 0;
	if (!section->values[ASSERT_CHECK].text && !section->broken) {
		refuse_section(b, section, "needs a check: check = METRIC(SELECTOR=VALUE …) OP VALUE");
		c->broken = true;
	}
}

/* [traffic], [assert] and those this version cannot do. */
static void read_named(struct build *b, const struct doc *doc)
{
	struct scenario *s = b->s;

	s->traffic = calloc(doc->n + 1, sizeof(*s->traffic));
	s->checks = calloc(doc->n + 1, sizeof(*s->checks));
	if (!s->traffic || !s->checks) {
		b->no_memory = true;
		return;
	}
	for (size_t i = 0; i < doc->n; i++) {
		const struct doc_section *section = &doc->sections[i];

		if (section->kind == SECTION_TRAFFIC)
			read_traffic(b, section, &s->traffic[s->n_traffic++]);
		else if (section->kind == SECTION_ASSERT)
			read_assert(b, section, &s->checks[s->n_checks++]);
		else if (section->kind == SECTION_EVENT)
			refuse_section(b, section, "this version runs no events");
		else if (section->kind == SECTION_LINK)
			refuse_section(b, section, "this version impairs no links");
	}
}

/* ------------------------------------------------------------------ entry */

void scenario_free(struct scenario *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_vnis; i++)
		free(s->vnis[i].hosts.v);
	for (size_t i = 0; i < s->n_checks; i++)
		free(s->checks[i].selectors);
	for (size_t i = 0; i < s->n_sets; i++)
		free(s->sets[i]);
	free(s->vnis);
	free(s->traffic);
	free(s->checks);
	free(s->sets);
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
	s->sets = calloc(source->n_set + 1, sizeof(*s->sets));
	for (size_t i = 0; s->sets && i < source->n_set; i++) {
		s->sets[i] = strdup(source->set[i]);
		if (!s->sets[i])
			break;
		s->n_sets++;
	}
	if (!s->sets || s->n_sets < source->n_set) {
		scenario_free(s);
		return NULL;
	}
	return s;
}

/* Interprets the document; the lab's mistakes and those of its VNIs make it unusable for a plan. */
static int interpret(struct build *b, const struct doc *doc, bool *ret_usable)
{
	int mistakes;

	b->vnis.v = calloc(1, sizeof(*b->vnis.v));
	if (!b->vnis.v)
		return -ENOMEM;
	b->vnis.n = 1;
	b->vnis.v[0].first = 10000;
	b->vnis.v[0].last = 10003;
	mistakes = read_lab(b, doc);
	mistakes += read_vnis(b, doc);
	read_named(b, doc);
	*ret_usable = mistakes == 0 && !doc->broken;
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
		err = interpret(&b, &doc, &usable);
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

int scenario_parse(const struct scn_source *source, struct scenario **ret_scenario, struct scn_errors *ret_errors)
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
