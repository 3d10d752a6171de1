/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [lab] and [vni]: one function reads one value, says what is wrong with it, and one table per section lists
 * them. Those of the sections that say what goes on in the lab are scenario_keys_run.c's; what a section's values add up to
 * is scenario.c's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/scenario_internal.h"

enum {
	MTU_MIN = 68, /* RFC 791: every IPv4 link carries this much */
	MTU_MAX = 1500,
	CLIENT_MTU_MAX = 9000, /* as large as clients are set to by mistake */
};
static const uint64_t duration_min_ns = 1000000ull;

bool value_refuse(char *why, const char *sentence)
{
	(void)snprintf(why, WHY_LEN, "%s", sentence);
	return false;
}

static bool value_number(const char *value, uint64_t min, uint64_t max, uint64_t *ret, char *why)
{
	if (parse_number(value, min, max, ret) == 0)
		return true;
	(void)snprintf(why, WHY_LEN, "want a whole number from %llu to %llu",
		       (unsigned long long)min, (unsigned long long)max);
	return false;
}

bool value_choice(const char *value, const char *const *names, size_t n, int *ret, char *why)
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

	if (!value_choice(value, scn_encap_names, SCN_ENCAP_MAX, &choice, why))
		return false;
	*ret = (enum scn_encap)choice;
	return true;
}

/* What keeps hosts from having addresses of the prefix; NULL when nothing does. */
static const char *why_unusable(const struct ip_prefix *p)
{
	const uint8_t *b = &p->addr.b[addr_is_v4(&p->addr) ? 12 : 0];

	if (addr_is_group(&p->addr))
		return "is a multicast prefix: want one for unicast addresses";
	if (!addr_is_v4(&p->addr)) {
		if (b[0] == 0)
			return "is reserved (::/8 holds the unspecified and the loopback address): want a prefix for hosts, such as "
			       "fd00:2::/64";
		if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
			return "is link-local, where an address says nothing without its link: want a prefix for hosts, such as "
			       "fd00:2::/64";
		return NULL;
	}
	if (b[0] == 0)
		return "begins in 0.0.0.0/8, which no host can have: want a prefix for hosts, such as 192.168.2.0/24";
	if (b[0] == 127)
		return "is loopback, which never leaves a host: want a prefix for hosts, such as 192.168.2.0/24";
	if (b[0] >= 240)
		return "is reserved (240.0.0.0/4): want a prefix for hosts, such as 192.168.2.0/24";
	return NULL;
}

static bool read_prefix(const char *value, struct ip_prefix *ret, char *why)
{
	struct ip_prefix prefix;
	struct ip_addr whole;
	const char *slash = strchr(value, '/');
	char host[ADDR_STRLEN];

	if (prefix_parse(value, &prefix) == 0) {
		if (why_unusable(&prefix))
			return value_refuse(why, why_unusable(&prefix));
		*ret = prefix;
		return true;
	}
	(void)snprintf(host, sizeof(host), "%.*s", (int)(slash ? slash - value : 0), value);
	if (slash && addr_parse(host, &whole) == 0)
		return value_refuse(
			why,
			"want a network address and its length, with no host bits set, such as 192.168.2.0/24");
	return value_refuse(why, "want an IPv4 or IPv6 prefix, such as 192.168.2.0/24 or fd00:2::/64");
}

/* ------------------------------------------------------------------ [lab] */

bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

static bool lab_name(struct build *b, void *object, const char *value, char *why)
{
	size_t n = 0;

	(void)object;
	while (name_char(value[n]))
		n++;
	if (value[n] || n >= SCN_NAME_LEN || value[0] == '-' || value[0] == '.')
		return value_refuse(
			why,
			"want at most 63 letters, digits, '-', '_' and '.', the first a letter, a digit or '_'");
	(void)snprintf(b->s->name, sizeof(b->s->name), "%s", value);
	return true;
}

static bool lab_hosts(struct build *b, void *object, const char *value, char *why)
{
	uint64_t n;

	(void)object;
	if (!value_number(value, 1, SCN_HOSTS_MAX, &n, why))
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
	if (!value_choice(value, scn_flood_names, SCN_FLOOD_MAX, &choice, why))
		return false;
	b->has_flood = true;
	b->flood = (enum scn_flood)choice;
	return true;
}

static bool lab_underlay(struct build *b, void *object, const char *value, char *why)
{
	(void)object;
	b->has_underlay = read_prefix(value, &b->s->underlay, why);
	return b->has_underlay;
}

static bool lab_first(struct build *b, void *object, const char *value, char *why)
{
	uint64_t n;

	(void)object;
	if (!value_number(value, 1, INT32_MAX, &n, why))
		return false;
	b->has_first = true;
	b->s->first = (uint32_t)n;
	return true;
}

static bool lab_port(struct build *b, void *object, const char *value, char *why)
{
	uint64_t n;

	(void)object;
	if (!value_number(value, 1, 65535, &n, why))
		return false;
	b->s->port = (uint16_t)n;
	return true;
}

static bool lab_mtu(struct build *b, void *object, const char *value, char *why)
{
	uint64_t n;

	(void)object;
	if (!value_number(value, MTU_MIN, MTU_MAX, &n, why))
		return false;
	b->s->mtu = (uint32_t)n;
	return true;
}

static bool lab_wiring(struct build *b, void *object, const char *value, char *why)
{
	int choice;

	(void)object;
	if (!value_choice(value, scn_wiring_names, SCN_WIRING_MAX, &choice, why))
		return false;
	b->s->wiring = (enum scn_wiring)choice;
	return true;
}

static bool lab_duration(struct build *b, void *object, const char *value, char *why)
{
	const char *static_why;
	uint64_t ns;

	(void)object;
	if (parse_time(value, &ns, &static_why))
		return value_refuse(why, static_why);
	if (ns < duration_min_ns)
		return value_refuse(why, "want at least 1ms");
	b->s->duration_ns = ns;
	return true;
}

static bool lab_seed(struct build *b, void *object, const char *value, char *why)
{
	(void)object;
	return value_number(value, 0, UINT64_MAX, &b->s->seed, why);
}

static bool lab_flows(struct build *b, void *object, const char *value, char *why)
{
	uint64_t n;

	(void)object;
	if (!value_number(value, SCN_FLOWS_MIN, SCN_FLOWS_MAX, &n, why))
		return false;
	b->s->flows = (uint32_t)n;
	return true;
}

static value_fn *const lab_keys[LAB_KEY_MAX] = {
	[LAB_NAME] = lab_name, [LAB_HOSTS] = lab_hosts, [LAB_VNIS] = lab_vnis,
	[LAB_ENCAP] = lab_encap, [LAB_FLOOD] = lab_flood, [LAB_UNDERLAY] = lab_underlay,
	[LAB_FIRST] = lab_first, [LAB_PORT] = lab_port, [LAB_MTU] = lab_mtu,
	[LAB_WIRING] = lab_wiring, [LAB_DURATION] = lab_duration, [LAB_SEED] = lab_seed,
	[LAB_FLOWS] = lab_flows,
};

/* ------------------------------------------------------------------ [vni N] */

static bool vni_subnet(struct build *b, void *object, const char *value, char *why)
{
	struct vni_values *v = object;

	(void)b;
	v->has_subnet = read_prefix(value, &v->v.subnet, why);
	return v->has_subnet;
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
	if (!value_choice(value, scn_flood_names, SCN_FLOOD_MAX, &choice, why))
		return false;
	v->has_flood = true;
	v->v.flood = (enum scn_flood)choice;
	return true;
}

static bool vni_group(struct build *b, void *object, const char *value, char *why)
{
	static const struct ip_addr broadcast = {
		{ [10] = 0xff, [11] = 0xff, 0xff, 0xff, 0xff, 0xff }
	};
	struct vni_values *v = object;

	(void)b;
	if (addr_parse(value, &v->v.group) || !addr_is_group(&v->v.group) ||
	    addr_equal(&v->v.group, &broadcast))
		return value_refuse(why, "want a multicast address, such as 239.1.1.3 or ff15::1:3");
	v->has_group = true;
	return true;
}

static bool vni_client_mtu(struct build *b, void *object, const char *value, char *why)
{
	uint64_t n;

	(void)b;
	if (!value_number(value, MTU_MIN, CLIENT_MTU_MAX, &n, why))
		return false;
	((struct vni_values *)object)->v.client_mtu = (uint32_t)n;
	return true;
}

/* One "host3:10009" of a list, appended. */
static bool add_wrong(struct build *b, struct scn_vni *v, const char *word, char *why)
{
	struct scn_wrong_vni *grown = realloc(v->wrong_vnis, (v->n_wrong_vnis + 1) * sizeof(*grown));
	const char *static_why;
	struct who who;

	b->no_memory |= !grown;
	if (!grown)
		return false;
	v->wrong_vnis = grown;
	if (parse_who(word, &who, &static_why) || who.kind != WHO_HOST_VNI)
		return value_refuse(why, "want a host and the VNI its tunnel has by mistake, such as host3:10009; several with commas");
	for (size_t i = 0; i < v->n_wrong_vnis; i++)
		if (v->wrong_vnis[i].host == who.host) {
			(void)snprintf(why, WHY_LEN, "host%u stands there twice", who.host);
			return false;
		}
	v->wrong_vnis[v->n_wrong_vnis++] = (struct scn_wrong_vni){ who.host, who.vni };
	return true;
}

static bool vni_wrong(struct build *b, void *object, const char *value, char *why)
{
	struct scn_vni *v = &((struct vni_values *)object)->v;
	const char *p = value;

	for (;;) {
		size_t len = strcspn(p, ",");
		char word[SCN_NAME_LEN];

		while (len && (p[len - 1] == ' ' || p[len - 1] == '\t'))
			len--;
		(void)snprintf(word, sizeof(word), "%.*s", (int)len, p);
		if (!add_wrong(b, v, word, why)) {
			v->n_wrong_vnis = 0;
			return false;
		}
		p += strcspn(p, ",");
		if (!*p)
			return true;
		p = skip_space(p + 1);
	}
}

static value_fn *const vni_keys[VNI_KEY_MAX] = {
	[VNI_SUBNET] = vni_subnet, [VNI_HOSTS] = vni_hosts, [VNI_ENCAP] = vni_encap,
	[VNI_FLOOD] = vni_flood, [VNI_GROUP] = vni_group,
	[VNI_CLIENT_MTU] = vni_client_mtu, [VNI_WRONG] = vni_wrong,
};

/* ------------------------------------------------------------------ a whole section */

static value_fn *const *const keys_of[SECTION_KIND_MAX] = {
	[SECTION_LAB] = lab_keys, [SECTION_VNI] = vni_keys, [SECTION_LINK] = link_keys,
	[SECTION_TRAFFIC] = traffic_keys, [SECTION_EVENT] = event_keys, [SECTION_ASSERT] = assert_keys,
};

unsigned read_section(struct build *b, const struct doc_section *section, void *object, int *key_line)
{
	value_fn *const *keys = keys_of[section->kind];
	unsigned wrong = section->wrong;

	for (int k = 0; section_schemas[section->kind].keys[k]; k++) {
		const struct doc_value *value = &section->values[k];
		char why[WHY_LEN];

		if (!value->text)
			continue;
		key_line[k] = value->where;
		if (keys[k](b, object, value->text, why))
			continue;
		wrong |= 1u << k;
		scn_error_at(b->e, b->s,
			     (struct scn_place){ value->where, section->title,
						 section_schemas[section->kind].keys[k],
						 value->text },
			     "%s", why);
	}
	return wrong;
}
