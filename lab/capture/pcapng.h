/* SPDX-License-Identifier: Apache-2.0 */
/* Writing pcapng (draft-ietf-opsawg-pcapng), the format of Wireshark and tcpdump: blocks are appended to a text. Pure. All numbers
 * are in the machine's byte order, as the format allows; times are nanoseconds since 1970. */
#ifndef TUNLAB_CAPTURE_PCAPNG_H
#define TUNLAB_CAPTURE_PCAPNG_H

#include "base/addr.h"
#include "base/text.h"

enum {
	PCAPNG_ETHERNET = 1, /* LINKTYPE_ETHERNET */
	PCAPNG_RAW_IP = 101, /* LINKTYPE_RAW */
};

/* The first block. */
void pcapng_section(struct text *out, const char *system, const char *program);

/* An interface; they are numbered from 0 in the order they are added. No limit on captured lengths is stated. */
void pcapng_interface(struct text *out, uint16_t link_type, const char *name, const char *description);

/* What addresses are called: between begin and end any number of names, at least one. */
struct pcapng_names {
	size_t at; /* private: where the block began */
};
void pcapng_names_begin(struct text *out, struct pcapng_names *n);
void pcapng_name(struct text *out, const struct ip_addr *addr, const char *name);
void pcapng_names_end(struct text *out, const struct pcapng_names *n);

/* What the frame's way was, in the bits of epb_flags. */
enum pcapng_direction { PCAPNG_UNKNOWN = 0, PCAPNG_IN = 1, PCAPNG_OUT = 2 };
enum pcapng_reception {
	PCAPNG_UNSPECIFIED = 0, PCAPNG_UNICAST = 1, PCAPNG_MULTICAST = 2, PCAPNG_BROADCAST = 3, PCAPNG_OTHERHOST = 4,
};

struct pcapng_packet {
	uint32_t interface;
	uint64_t time_ns;
	enum pcapng_direction direction;
	enum pcapng_reception reception;
	const void *data;    /* captured bytes of it */
	uint32_t captured;
	uint32_t len;        /* on the wire */
	const char *comment; /* NULL: none */
};
void pcapng_packet(struct text *out, const struct pcapng_packet *p);

/* Counts of an interface, at the end. */
struct pcapng_statistics {
	uint32_t interface;
	uint64_t start_ns, end_ns;
	uint64_t received; /* by the interface, as far as the capture was shown them */
	uint64_t dropped;  /* of these, for want of room */
	const char *comment;
};
void pcapng_statistics(struct text *out, const struct pcapng_statistics *s);

#endif
