/* SPDX-License-Identifier: Apache-2.0 */
/* Who was seen, where no plan says who there is: outer addresses become hosts, numbered as they appear, and VNIs and the names of
 * inner addresses are kept beside them. Pure. */
#ifndef TUNLAB_MONITOR_SEEN_H
#define TUNLAB_MONITOR_SEEN_H

#include "monitor/flows.h"
#include "monitor/name_table.h"

enum {
	SEEN_HOSTS_MAX = 4096, /* as many as a lab may have; flows of others have no host, and are counted all the same */
	SEEN_VNIS_MAX = 4096,
	SEEN_NAMES_MAX = 16384,
};

struct seen_host {
	struct ip_addr addr;
	const char *name;      /* from the table of names; NULL: goes by its address */
	bool again;            /* another host has that name already, as one with addresses of both families */
};

struct seen_vni {
	int64_t vni;
	uint8_t encap;         /* of the flow that showed it first */
};

/* All that was seen up to one moment, shared by the samples in which it was the same. */
struct seen {
	uint64_t total;        /* additions so far */
	size_t n_hosts, n_vnis, n_names;
	struct seen_host *hosts;
	struct seen_vni *vnis;
	struct name_entry *names; /* of inner addresses; ascending by address, but in the log as they were noted */
	int refs;              /* private to seen.c; atomic */
};

/* The log of what is watched: the thread that samples writes it. Zero-initialise; names is borrowed, and names of its live as long. */
struct seen_log {
	const struct name_table *names; /* NULL: none */
	struct seen now;
	uint32_t *by_addr;     /* hosts ascending by address */
	bool *noted;           /* by entry of the table of names: stands in now.names */
	size_t room_hosts, room_vnis, room_names;
};

/* Notes a flow that is new. Its hosts' numbers, -1 for a group address and beyond SEEN_HOSTS_MAX. -ENOMEM. */
int seen_note(struct seen_log *log, const struct flow_key *key, int32_t *ret_src_host, int32_t *ret_dst_host);
void seen_log_free(struct seen_log *log);

/* `then` when nothing was added since, else a copy; with a reference for the caller either way. `then` may be NULL; NULL: no
 * memory. */
struct seen *seen_take(const struct seen_log *log, struct seen *then);
void seen_unref(struct seen *s); /* NULL is fine; any thread */

/* What a host goes by, in buf[SEEN_NAME_SIZE] or not: its name, its address, or both where the name alone would not tell. */
enum { SEEN_NAME_SIZE = ADDR_STRLEN + NAME_MAX_LEN + 3 };
const char *seen_host_name(const struct seen *s, size_t host, char *buf);

/* The name of an inner address; NULL: none is known. */
const char *seen_inner_name(const struct seen *s, const uint8_t bytes[16]);

/* The host that goes by a name or an address; -1: none. */
int64_t seen_find_host(const struct seen *s, const char *text);

#endif
