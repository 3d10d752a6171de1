/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes through the scenario reader and the plan, as `tunlab check` would: no crash, no leak,
 * and a refusal always says why. A first line "#set SECTION.KEY=VALUE" is given as --set too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/plan.h"

static void print_plan(const struct plan *p)
{
	free(plan_text(p));
	free(plan_dot(p));
	free(plan_json(p));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char mark[] = "#set ";
	const char *end = memchr(data, '\n', size);
	char set[256] = "";
	const char *sets[] = { set };
	struct scn_source source = {
		.file = "fuzz.ini", .text = (const char *)data, .len = size, .set = sets
	};
	struct scenario *s = NULL;
	struct plan *p = NULL;
	struct scn_errors errors;
	int err;

	if (end && size > sizeof(mark) && memcmp(data, mark, sizeof(mark) - 1) == 0) {
		size_t len = (size_t)(end - (const char *)data) - (sizeof(mark) - 1);

		len = len < sizeof(set) ? len : sizeof(set) - 1;
		memcpy(set, data + sizeof(mark) - 1, len);
		source.n_set = 1;
	}
	err = plan_load(&source, &s, &p, &errors);
	if ((err == 0) != (errors.n_total == 0) || (err == 0) != (p != NULL))
		abort();
	if (p && p->n_clients < 2000 && p->n_streams < 5000) /* large ones only cost time */
		print_plan(p);
	scn_errors_free(&errors);
	plan_free(p);
	scenario_free(s);
	return 0;
}
