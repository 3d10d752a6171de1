/* SPDX-License-Identifier: Apache-2.0 */
/* From what the user named to a plan: finds the scenario (a file, or one that is inside the program), reads, checks, plans. */
#ifndef TUNLAB_CMD_SOURCE_H
#define TUNLAB_CMD_SOURCE_H

#include "lab/cmd/command.h"
#include "lab/scenario/plan.h"

/* `name`: a file, or a shipped scenario with or without ".ini"; NULL: the default lab. The last n_options of set are options', as in
 * struct scn_source. EXIT_WELL with both (free them), or the exit status, every mistake said. */
int source_load(const char *name, const struct text_list *set, size_t n_options, struct scenario **ret_scn,
		struct plan **ret_plan);

#endif
