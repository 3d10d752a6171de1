/* SPDX-License-Identifier: Apache-2.0 */
/* Names of addresses, from text in the form of hosts(5): for what is watched without a plan. Pure. */
#ifndef TUNLAB_MONITOR_NAME_TABLE_H
#define TUNLAB_MONITOR_NAME_TABLE_H

#include <stddef.h>

#include "base/addr.h"

enum {
	NAME_MAX_LEN = 253,       /* of a host's name, RFC 1035 section 2.3.4 */
	NAME_FILE_MAX = 16 << 20, /* bytes of text; lists of blocked names fill some MB */
};

struct name_entry {
	struct ip_addr addr;
	const char *name;
};

/* Zero-initialised, it knows no names. */
struct name_table {
	struct name_entry *v; /* [n], ascending by address, each once */
	size_t n;
	char *text;           /* names stand in here */
};

/* Reads hosts(5): an address, its name, aliases, "#" begins a comment. An address goes by the first name it is given. bad() is
 * called for each line (from 1) that is none, and nothing is kept of it. -ENOMEM. */
int name_table_parse(struct name_table *t, const char *text, size_t len, void (*bad)(void *arg, unsigned line, const char *why),
		     void *arg);
/* NULL: no name is known. Lives as long as the table. */
const struct name_entry *name_table_find(const struct name_table *t, const struct ip_addr *addr);
void name_table_free(struct name_table *t); /* it is then as zero-initialised */

#endif
