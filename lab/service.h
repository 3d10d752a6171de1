/* SPDX-License-Identifier: Apache-2.0 */
/* What a running lab, or a monitor without one, is to those who ask over the control socket: see request.h. */
#ifndef TUNLAB_SERVICE_H
#define TUNLAB_SERVICE_H

#include "base/loop.h"
#include "lab/control.h"
#include "monitor/sample.h"
#include "monitor/view.h"

struct run;

struct service {
	struct loop *loop;
	struct control *control;
	const struct plan *plan;     /* NULL: no lab */
	struct run *run;             /* the lab; NULL: none, then requests that act on one are refused */
	/* A fresh sample, with a reference, that nobody else sees; NULL: no memory, or none any more. */
	struct sample *(*sample)(void *arg);
	/* The last one published, borrowed; NULL: none yet. */
	struct sample *(*newest)(void *arg);
	void (*info)(void *arg, struct lab_info *ret);
	/* Asked to end, with the exit status to be. */
	void (*end)(void *arg, int status);
	void *arg;                   /* of these four */
};

#endif
