/* SPDX-License-Identifier: Apache-2.0 */
/* Address text and arithmetic; see addr.h. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

bool addr_is_none(const struct ip_addr *a)
{
	static const struct ip_addr none;

	return memcmp(a, &none, sizeof(none)) == 0;
}

bool addr_is_v4(const struct ip_addr *a)
{
	return memcmp(a->b, v4_mapped, sizeof(v4_mapped)) == 0;
}

bool addr_is_group(const struct ip_addr *a)
{
	if (!addr_is_v4(a))
		return a->b[0] == 0xff;
	return (a->b[12] & 0xf0) == 0xe0 || memcmp(a->b + 12, "\xff\xff\xff\xff", 4) == 0;
}

bool addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

const uint8_t *addr_bytes(const struct ip_addr *a, size_t *ret_len)
{
	bool v4 = addr_is_v4(a);

	*ret_len = v4 ? 4 : 16;
	return v4 ? a->b + 12 : a->b;
}

int addr_parse(const char *text, struct ip_addr *ret)
{
	struct ip_addr a = { 0 };

	if (inet_pton(AF_INET, text, a.b + 12) == 1)
		memcpy(a.b, v4_mapped, sizeof(v4_mapped));
	else if (inet_pton(AF_INET6, text, a.b) != 1)
		return -EINVAL;
	*ret = a;
	return 0;
}

const char *addr_format(const struct ip_addr *a, char *buf)
{
	size_t len;
	const uint8_t *bytes = addr_bytes(a, &len);

	buf[0] = '\0';
	(void)inet_ntop(len == 4 ? AF_INET : AF_INET6, bytes, buf, ADDR_STRLEN);
	return buf;
}

/* Index of the first bit after the prefix, counted over the 16 bytes. */
static unsigned prefix_bits(const struct ip_prefix *p)
{
	return addr_is_v4(&p->addr) ? 96u + p->len : p->len;
}

static struct ip_addr mask_host_bits(const struct ip_addr *a, unsigned bits)
{
	struct ip_addr net = *a;

	for (unsigned i = bits; i < 128; i++)
		net.b[i / 8] &= (uint8_t)~(0x80u >> (i % 8));
	return net;
}

int prefix_parse(const char *text, struct ip_prefix *ret)
{
	char host[ADDR_STRLEN];
	const char *slash = strchr(text, '/');
	struct ip_prefix p;
	struct ip_addr net;
	char *end;
	unsigned long len;

	if (!slash || (size_t)(slash - text) >= sizeof(host) || slash[1] < '0' || slash[1] > '9')
		return -EINVAL;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	if (addr_parse(host, &p.addr))
		return -EINVAL;
	len = strtoul(slash + 1, &end, 10);
	if (*end || len > (addr_is_v4(&p.addr) ? 32u : 128u))
		return -EINVAL;
	p.len = (uint8_t)len;
	net = mask_host_bits(&p.addr, prefix_bits(&p));
	if (!addr_equal(&net, &p.addr))
		return -EINVAL;
	*ret = p;
	return 0;
}

const char *prefix_format(const struct ip_prefix *p, char *buf)
{
	char addr[ADDR_STRLEN];

	(void)snprintf(buf, PREFIX_STRLEN, "%s/%u", addr_format(&p->addr, addr), p->len);
	return buf;
}

int prefix_nth(const struct ip_prefix *p, uint32_t n, struct ip_addr *ret)
{
	unsigned host_bits = 128 - prefix_bits(p);
	struct ip_addr a = p->addr;

	if (host_bits < 32 && n >= (1u << host_bits))
		return -ERANGE;
	if (addr_is_v4(&p->addr) && host_bits > 1 && n == UINT32_MAX >> (32 - host_bits))
		return -ERANGE; /* broadcast */
	for (int i = 0; i < 4; i++)
		a.b[15 - i] |= (uint8_t)(n >> (8 * i));
	*ret = a;
	return 0;
}

bool prefix_contains(const struct ip_prefix *p, const struct ip_addr *a)
{
	struct ip_addr net = mask_host_bits(a, prefix_bits(p));

	return addr_is_v4(a) == addr_is_v4(&p->addr) && addr_equal(&net, &p->addr);
}
