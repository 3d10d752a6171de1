/* SPDX-License-Identifier: Apache-2.0 */
/* pcapng blocks; see pcapng.h. Section numbers are the draft's. */
#include "lab/capture/pcapng.h"

#include <string.h>

enum block {
	BLOCK_INTERFACE = 1,          /* 4.2 */
	BLOCK_NAMES = 4,              /* 4.5 */
	BLOCK_STATISTICS = 5,         /* 4.6 */
	BLOCK_PACKET = 6,             /* 4.3 */
	BLOCK_SECTION = 0x0a0d0d0a,   /* 4.1; the same in both byte orders */
};

enum {
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	OPTION_END = 0, OPTION_COMMENT = 1, /* in all blocks, 3.5 */
	SHB_OS = 3, SHB_USERAPPL = 4,
	IF_NAME = 2, IF_DESCRIPTION = 3, IF_TSRESOL = 9,
	EPB_FLAGS = 2,
	ISB_STARTTIME = 2, ISB_ENDTIME = 3, ISB_IFRECV = 4, ISB_IFDROP = 5,
	NRB_END = 0, NRB_IPV4 = 1, NRB_IPV6 = 2,
	NANOSECONDS = 9, /* if_tsresol: 10^-9 */
	RECEPTION_SHIFT = 2,
};

static void put(struct text *out, const void *bytes, size_t len)
{
	text_add(out, bytes, len);
}

static void put_u16(struct text *out, uint16_t v)
{
	put(out, &v, sizeof(v));
}

static void put_u32(struct text *out, uint32_t v)
{
	put(out, &v, sizeof(v));
}

/* Times stand high half first, whatever the byte order (4.3). */
static void put_time(struct text *out, uint64_t ns)
{
	put_u32(out, (uint32_t)(ns >> 32));
	put_u32(out, (uint32_t)ns);
}

static void pad(struct text *out, size_t len)
{
	text_char(out, '\0', -len & 3);
}

/* A block's length stands before and behind it; begin leaves room for the first. Returns where the block began. */
static size_t begin(struct text *out, enum block type)
{
	size_t at = out->len;

	put_u32(out, type);
	put_u32(out, 0);
	return at;
}

static void end(struct text *out, size_t at)
{
	uint32_t len = (uint32_t)(out->len - at + sizeof(len));

	put_u32(out, len);
	if (!out->failed)
		memcpy(out->buf + at + sizeof(uint32_t), &len, sizeof(len));
}

static void option(struct text *out, uint16_t code, const void *value, size_t len)
{
	put_u16(out, code);
	put_u16(out, (uint16_t)len);
	put(out, value, len);
	pad(out, len);
}

static void option_string(struct text *out, uint16_t code, const char *s)
{
	if (s)
		option(out, code, s, strnlen(s, UINT16_MAX));
}

static void option_time(struct text *out, uint16_t code, uint64_t ns)
{
	put_u16(out, code);
	put_u16(out, sizeof(ns));
	put_time(out, ns);
}

static void end_options(struct text *out)
{
	put_u32(out, OPTION_END);
}

void pcapng_section(struct text *out, const char *system, const char *program)
{
	static const uint64_t unknown_length = UINT64_MAX;
	size_t at = begin(out, BLOCK_SECTION);

	put_u32(out, BYTE_ORDER_MAGIC);
	put_u16(out, 1); /* version 1.0 */
	put_u16(out, 0);
	put(out, &unknown_length, sizeof(unknown_length));
	option_string(out, SHB_OS, system);
	option_string(out, SHB_USERAPPL, program);
	end_options(out);
	end(out, at);
}

void pcapng_interface(struct text *out, uint16_t link_type, const char *name, const char *description)
{
	static const uint8_t resolution = NANOSECONDS;
	size_t at = begin(out, BLOCK_INTERFACE);

	put_u16(out, link_type);
	put_u16(out, 0);
	put_u32(out, 0); /* no limit */
	option_string(out, IF_NAME, name);
	option_string(out, IF_DESCRIPTION, description);
	option(out, IF_TSRESOL, &resolution, sizeof(resolution));
	end_options(out);
	end(out, at);
}

void pcapng_names_begin(struct text *out, struct pcapng_names *n)
{
	n->at = begin(out, BLOCK_NAMES);
}

void pcapng_name(struct text *out, const struct ip_addr *addr, const char *name)
{
	size_t addr_len, name_len = strlen(name) + 1;
	const uint8_t *bytes = addr_bytes(addr, &addr_len);

	put_u16(out, addr_is_v4(addr) ? NRB_IPV4 : NRB_IPV6);
	put_u16(out, (uint16_t)(addr_len + name_len));
	put(out, bytes, addr_len);
	put(out, name, name_len);
	pad(out, addr_len + name_len);
}

void pcapng_names_end(struct text *out, const struct pcapng_names *n)
{
	put_u32(out, NRB_END); /* ends the records; there are no options */
	end(out, n->at);
}

void pcapng_packet(struct text *out, const struct pcapng_packet *p)
{
	size_t at = begin(out, BLOCK_PACKET);
	uint32_t flags = p->direction | p->reception << RECEPTION_SHIFT;

	put_u32(out, p->interface);
	put_time(out, p->time_ns);
	put_u32(out, p->captured);
	put_u32(out, p->len);
	put(out, p->data, p->captured);
	pad(out, p->captured);
	option(out, EPB_FLAGS, &flags, sizeof(flags));
	option_string(out, OPTION_COMMENT, p->comment);
	end_options(out);
	end(out, at);
}

void pcapng_statistics(struct text *out, const struct pcapng_statistics *s)
{
	size_t at = begin(out, BLOCK_STATISTICS);

	put_u32(out, s->interface);
	put_time(out, s->end_ns);
	option_string(out, OPTION_COMMENT, s->comment);
	option_time(out, ISB_STARTTIME, s->start_ns);
	option_time(out, ISB_ENDTIME, s->end_ns);
	option(out, ISB_IFRECV, &s->received, sizeof(s->received));
	option(out, ISB_IFDROP, &s->dropped, sizeof(s->dropped));
	end_options(out);
	end(out, at);
}
