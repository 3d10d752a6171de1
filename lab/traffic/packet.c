/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads of the engine's packets; see packet.h. */
#include "lab/traffic/packet.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

void packet_write_stamp(struct packet_stamp *stamp, const struct packet_id *id)
{
	stamp->magic = htobe32(PACKET_MAGIC);
	stamp->stream = htobe32(id->stream);
	stamp->cookie = htobe64(id->cookie);
	stamp->sequence = htobe64(id->sequence);
	stamp->sent_ns = htobe64(id->sent_ns);
}

__be16 packet_checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		uint16_t word;

		memcpy(&word, p + i, sizeof(word));
		sum += word;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (__be16)~sum;
}

void packet_write_echo(struct packet_echo *echo, bool ipv6, const struct packet_id *id)
{
	/* Identifier and sequence number only serve people who read a capture; the stamp is what counts. */
	*echo = (struct packet_echo){
		.type = ipv6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
		.id = htobe16((uint16_t)id->stream),
		.sequence = htobe16((uint16_t)id->sequence),
	};
	packet_write_stamp(&echo->stamp, id);
	if (!ipv6)
		echo->checksum = packet_checksum(echo, sizeof(*echo));
}

bool packet_read_stamp(const void *payload, size_t len, uint64_t cookie, struct packet_id *ret)
{
	struct packet_stamp stamp;

	if (len < sizeof(stamp))
		return false;
	memcpy(&stamp, payload, sizeof(stamp));
	if (stamp.magic != htobe32(PACKET_MAGIC) || stamp.cookie != htobe64(cookie))
		return false;
	*ret = (struct packet_id){
		.cookie = cookie,
		.sequence = be64toh(stamp.sequence),
		.sent_ns = be64toh(stamp.sent_ns),
		.stream = be32toh(stamp.stream),
	};
	return true;
}

bool packet_read_echo(const void *data, size_t data_len, size_t len, bool ipv6, uint64_t cookie, struct packet_id *ret,
		      size_t *ret_size)
{
	const uint8_t *p = data;
	size_t header = 0;

	if (!ipv6) {
		if (data_len < 20 || p[0] >> 4 != 4)
			return false;
		header = 4 * (size_t)(p[0] & 0xf);
	}
	if (header > data_len || data_len - header < PACKET_ECHO_SIZE || len < data_len)
		return false;
	p += header;
	if (p[0] != (ipv6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY))
		return false;
	if (!packet_read_stamp(p + PACKET_L4_SIZE, data_len - header - PACKET_L4_SIZE, cookie, ret))
		return false;
	*ret_size = len - header;
	return true;
}

void packet_echo_filter(struct sock_filter code[PACKET_FILTER_LEN], bool ipv6, uint64_t cookie)
{
	enum { STAMP = PACKET_L4_SIZE, COOKIE = STAMP + offsetof(struct packet_stamp, cookie) };
	/* Loads beyond the end of a packet end the program with "drop". X is the length of the IPv4 header, which raw
	 * IPv4 sockets see and raw IPv6 sockets do not. */
	const struct sock_filter program[PACKET_FILTER_LEN] = {
		ipv6 ? (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM, 0)
		     : (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ipv6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY, 0, 7),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, STAMP),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_MAGIC, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, COOKIE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(cookie >> 32), 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, COOKIE + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)cookie, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	memcpy(code, program, sizeof(program));
}
