/* SPDX-License-Identifier: Apache-2.0 */
/* This program's version, as `git describe` had it when it was built. */
#ifndef TUNLAB_BASE_PROGRAM_H
#define TUNLAB_BASE_PROGRAM_H

extern const char program_version[];

#endif
