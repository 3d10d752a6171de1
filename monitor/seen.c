/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that only grow, and copies of them; see seen.h. */
#include "monitor/seen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int make_room(void **list, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 32;
	void *grown;

	if (n < *room)
		return 0;
	grown = reallocarray(*list, more, size);
	if (!grown)
		return -ENOMEM;
	*list = grown;
	*room = more;
	return 0;
}

/* Where the address stands among those seen, or belongs. */
static size_t place_of(const struct seen_log *log, const struct ip_addr *addr, bool *ret_found)
{
	size_t low = 0, high = log->now.n_hosts;

	*ret_found = false;
	while (low < high && !*ret_found) {
		size_t middle = (low + high) / 2;
		int r = memcmp(&log->now.hosts[log->by_addr[middle]].addr, addr, sizeof(*addr));

		*ret_found = r == 0;
		if (r < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return high;
}

static const struct name_entry *entry_of(const struct seen_log *log, const struct ip_addr *addr)
{
	return log->names ? name_table_find(log->names, addr) : NULL;
}

static bool has_name(const struct seen *s, const char *name)
{
	for (size_t i = 0; i < s->n_hosts; i++)
		if (s->hosts[i].name && strcmp(s->hosts[i].name, name) == 0)
			return true;
	return false;
}

static int add_host(struct seen_log *log, const struct ip_addr *addr, size_t at)
{
	const struct name_entry *entry = entry_of(log, addr);
	const char *name = entry ? entry->name : NULL;
	struct seen *s = &log->now;
	size_t room = log->room_hosts; /* that of both lists */
	int r = make_room((void **)&log->by_addr, s->n_hosts, &room, sizeof(*log->by_addr));

	if (!r)
		r = make_room((void **)&s->hosts, s->n_hosts, &log->room_hosts, sizeof(*s->hosts));
	if (r)
		return r;
	memmove(&log->by_addr[at + 1], &log->by_addr[at], (s->n_hosts - at) * sizeof(*log->by_addr));
	log->by_addr[at] = (uint32_t)s->n_hosts;
	s->hosts[s->n_hosts] = (struct seen_host) { *addr, name, name && has_name(s, name) };
	s->n_hosts++;
	s->total++;
	return 0;
}

static int note_host(struct seen_log *log, const uint8_t bytes[16], int32_t *ret_host)
{
	struct ip_addr addr;
	bool found;
	size_t at;
	int r;

	memcpy(&addr, bytes, sizeof(addr));
	*ret_host = -1;
	if (addr_is_group(&addr) || addr_is_none(&addr))
		return 0;
	at = place_of(log, &addr, &found);
	if (!found && log->now.n_hosts == SEEN_HOSTS_MAX)
		return 0;
	r = found ? 0 : add_host(log, &addr, at);
	if (!r)
		*ret_host = (int32_t)log->by_addr[at];
	return r;
}

/* VNIs are few, and only new flows are looked up. */
static int note_vni(struct seen_log *log, const struct flow_key *key)
{
	struct seen *s = &log->now;
	int64_t vni = flow_vni(key);
	int r;

	for (size_t i = 0; i < s->n_vnis; i++)
		if (s->vnis[i].vni == vni)
			return 0;
	if (vni < 0 || s->n_vnis == SEEN_VNIS_MAX)
		return 0;
	r = make_room((void **)&s->vnis, s->n_vnis, &log->room_vnis, sizeof(*s->vnis));
	if (r)
		return r;
	s->vnis[s->n_vnis++] = (struct seen_vni) { vni, key->encap };
	s->total++;
	return 0;
}

static int note_name(struct seen_log *log, const uint8_t bytes[16])
{
	const struct name_entry *entry;
	struct seen *s = &log->now;
	struct ip_addr addr;
	size_t i;
	int r;

	memcpy(&addr, bytes, sizeof(addr));
	entry = entry_of(log, &addr);
	if (!entry || s->n_names == SEEN_NAMES_MAX)
		return 0;
	if (!log->noted)
		log->noted = calloc(log->names->n, sizeof(*log->noted));
	if (!log->noted)
		return -ENOMEM;
	i = (size_t)(entry - log->names->v);
	if (log->noted[i])
		return 0;
	r = make_room((void **)&s->names, s->n_names, &log->room_names, sizeof(*s->names));
	if (r)
		return r;
	log->noted[i] = true;
	s->names[s->n_names++] = *entry;
	s->total++;
	return 0;
}

int seen_note(struct seen_log *log, const struct flow_key *key, int32_t *ret_src_host, int32_t *ret_dst_host)
{
	int r = note_host(log, key->outer_src, ret_src_host);

	if (!r)
		r = note_host(log, key->outer_dst, ret_dst_host);
	if (!r)
		r = note_vni(log, key);
	if (!r)
		r = note_name(log, key->inner_src);
	return r ?: note_name(log, key->inner_dst);
}

void seen_log_free(struct seen_log *log)
{
	free(log->now.hosts);
	free(log->now.vnis);
	free(log->now.names);
	free(log->by_addr);
	free(log->noted);
	*log = (struct seen_log) { 0 };
}

static int compare_addr(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ip_addr)); /* stands in front */
}

static void *copy_of(const void *list, size_t n, size_t size)
{
	void *copy = calloc(n + 1, size);

	if (copy && n)
		memcpy(copy, list, n * size);
	return copy;
}

static struct seen *copy(const struct seen *now)
{
	struct seen *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	*s = *now;
	s->refs = 1;
	s->hosts = copy_of(now->hosts, now->n_hosts, sizeof(*now->hosts));
	s->vnis = copy_of(now->vnis, now->n_vnis, sizeof(*now->vnis));
	s->names = copy_of(now->names, now->n_names, sizeof(*now->names));
	if (s->hosts && s->vnis && s->names) {
		qsort(s->names, s->n_names, sizeof(*s->names), compare_addr);
		return s;
	}
	seen_unref(s);
	return NULL;
}

struct seen *seen_take(const struct seen_log *log, struct seen *then)
{
	if (!then || then->total != log->now.total)
		return copy(&log->now);
	(void)__atomic_add_fetch(&then->refs, 1, __ATOMIC_RELAXED);
	return then;
}

void seen_unref(struct seen *s)
{
	if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free(s->hosts);
	free(s->vnis);
	free(s->names);
	free(s);
}

const char *seen_host_name(const struct seen *s, size_t host, char *buf)
{
	const struct seen_host *own = &s->hosts[host];
	char addr[ADDR_STRLEN];

	if (!own->name)
		return addr_format(&own->addr, buf);
	if (!own->again)
		return own->name;
	(void)snprintf(buf, SEEN_NAME_SIZE, "%s (%s)", own->name, addr_format(&own->addr, addr)); /* fits */
	return buf;
}

const char *seen_inner_name(const struct seen *s, const uint8_t bytes[16])
{
	const struct name_entry *found = bsearch(bytes, s->names, s->n_names, sizeof(*s->names), compare_addr);

	return found ? found->name : NULL;
}

int64_t seen_find_host(const struct seen *s, const char *text)
{
	char buf[SEEN_NAME_SIZE];
	struct ip_addr addr;
	bool is_addr = addr_parse(text, &addr) == 0;

	for (size_t i = 0; i < s->n_hosts; i++)
		if (is_addr ? addr_equal(&s->hosts[i].addr, &addr) : strcmp(seen_host_name(s, i, buf), text) == 0)
			return (int64_t)i;
	return -1;
}
