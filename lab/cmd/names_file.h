/* SPDX-License-Identifier: Apache-2.0 */
/* Names of addresses from a file, for what is shown without a lab. */
#ifndef TUNLAB_CMD_NAMES_FILE_H
#define TUNLAB_CMD_NAMES_FILE_H

#include "monitor/name_table.h"

/* Reads hosts(5) from `file`; NULL: /etc/hosts, which need not be there, and whose bad lines are left out without a word: they are not
 * ours to correct. EXIT_WELL; else the exit status, and every mistake was said as FILE:LINE: message. Free with name_table_free. */
int names_file_read(const char *file, struct name_table *ret);

#endif
