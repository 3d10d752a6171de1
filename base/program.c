/* SPDX-License-Identifier: Apache-2.0 */
/* See program.h. The only object that is made anew with each version. */
#include "base/program.h"

#include "version.h"

const char program_version[] = TUNLAB_VERSION;
