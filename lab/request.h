/* SPDX-License-Identifier: Apache-2.0 */
/* What other commands (and the page) may ask of a running lab over its control socket, and the connections they ask
 * through. Requests are {"op": …}; an answer is a document, or {"error": sentence, "exit": status}. */
#ifndef TUNLAB_REQUEST_H
#define TUNLAB_REQUEST_H

#include <stdint.h>

struct service;
struct requests;

/* The service is copied, what it refers to borrowed. */
int requests_open(const struct service *service, struct requests **ret);
/* A generator ended (error NULL) or could not start: its watcher hears so and is done. */
void requests_generator_done(struct requests *r, uint32_t generator, const char *error);
/* The lab is about to be taken apart: whoever was given a namespace or watches a generator, and is still there to hear it, sees
 * its connection end. */
void requests_release(struct requests *r);
/* So many hosts are gone: a line for those who asked to stop the lab. */
void requests_down(struct requests *r, uint32_t hosts, uint32_t n_hosts);
/* Closes the connections; whoever asked to stop the lab sees that as "it is gone". NULL is fine. */
void requests_close(struct requests *r);

#endif
