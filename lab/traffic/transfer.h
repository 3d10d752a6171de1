/* SPDX-License-Identifier: Apache-2.0 */
/* Packets out and in: builds and sends what a generator owes, checks and counts what arrives, in the shared table. When
 * it is due is child.c's business. */
#ifndef TUNLAB_TRAFFIC_TRANSFER_H
#define TUNLAB_TRAFFIC_TRANSFER_H

#include "lab/traffic/endpoint.h"
#include "lab/traffic/table.h"

enum { TRANSFER_BATCH = 64 /* packets per call, at most */ };

struct transfer;

int transfer_open(struct endpoints *endpoints, struct table *table, struct transfer **ret);

/* A generator as far as sending is concerned. */
struct transfer_source {
	uint32_t client;
	uint32_t stream0, n_streams;
	uint32_t turn;           /* stream (from stream0) whose turn it is; moves on with each packet */
	uint32_t size;           /* IP payload */
	enum scn_proto proto;
};
/* Sends n packets (at most TRANSFER_BATCH) now, to the source's peers in turn. Returns how many the kernel took; the
 * others are counted as send_errors. The client's socket must be open. */
uint32_t transfer_send(struct transfer *t, struct transfer_source *source, uint32_t n);
/* Packets of one generator that came for the first time. */
struct transfer_arrival {
	uint32_t generator;
	uint32_t packets;
};
/* Receives what at most TRANSFER_BATCH reads of a client's socket give (with receive offload each may hold many packets)
 * and counts it. Returns the number of entries in *ret_arrivals, which stays the transfer's until the next call. */
uint32_t transfer_receive(struct transfer *t, uint32_t client, enum endpoint_role role,
			  const struct transfer_arrival **ret_arrivals);

#endif
