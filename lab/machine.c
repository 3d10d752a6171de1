/* SPDX-License-Identifier: Apache-2.0 */
/* Reading softnet_stat (net/core/net-procfs.c, softnet_seq_show): a line for each processor, of hexadecimal columns: processed,
 * dropped, time_squeeze ... */
#include "lab/machine.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

void machine_parse(const char *text, struct machine_counts *ret)
{
	*ret = (struct machine_counts){ 0 };
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		unsigned processed, dropped, squeezed;

		if (sscanf(line, "%8x %8x %8x ", &processed, &dropped, &squeezed) != 3)
			continue;
		ret->dropped += dropped;
		ret->squeezed += squeezed;
	}
}

void machine_read(struct machine_counts *ret)
{
	static const char path[] = "/proc/net/softnet_stat";
	FILE *f = fopen(path, "re");
	char line[512];

	*ret = (struct machine_counts){ 0 };
	while (f && fgets(line, sizeof(line), f)) {
		struct machine_counts one;

		machine_parse(line, &one);
		ret->dropped += one.dropped;
		ret->squeezed += one.squeezed;
	}
	if (f)
		(void)fclose(f);
}

struct machine_load machine_since(const struct machine_counts *then, const struct machine_counts *now)
{
	return (struct machine_load){ .dropped = less(now->dropped, then->dropped), .squeezed = less(now->squeezed, then->squeezed) };
}
