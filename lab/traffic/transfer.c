/* SPDX-License-Identifier: Apache-2.0 */
/* Sending and receiving; see transfer.h. */
#include "lab/traffic/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "lab/traffic/arrivals.h"
#include "lab/traffic/packet.h"

enum {
	RECEIVE_BYTES = 128, /* the longest IPv4 header, ICMP and the stamp: the rest of a packet is not looked at */
	CONTROL_BYTES = 64, /* one timestamp */
};

/* What only the child knows of a stream. */
struct stream {
	uint64_t next_sequence;
	struct arrivals arrivals;
};

struct transfer {
	struct endpoints *endpoints;
	struct table *table;
	struct stream *streams;  /* table->max_streams, reserved: pages are used as they are touched */

	/* One batch. */
	struct mmsghdr messages[TRANSFER_BATCH];
	struct iovec parts[TRANSFER_BATCH][2];
	struct sockaddr_in6 to[TRANSFER_BATCH];
	struct packet_stamp stamps[TRANSFER_BATCH];
	struct stream_count *counts[TRANSFER_BATCH];
	uint8_t data[TRANSFER_BATCH][RECEIVE_BYTES] __attribute__((aligned(8)));
	uint8_t control[TRANSFER_BATCH][CONTROL_BYTES] __attribute__((aligned(8)));
};

/* The rest of every payload. Never written: all its pages are the kernel's one page of zeros. */
static uint8_t zeros[TRAFFIC_SIZE_MAX - TRAFFIC_SIZE_MIN];

/* The table is read by the lab while we write: single stores, never torn. Only this process writes. */
static void count_set(uint64_t *counter, uint64_t value)
{
	__atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

static void count_add(uint64_t *counter, uint64_t n)
{
	count_set(counter, *counter + n);
}

static uint64_t realtime_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* a clock every kernel has */
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int transfer_open(struct endpoints *endpoints, struct table *table, struct transfer **ret)
{
	size_t len = (size_t)(table->max_streams ? table->max_streams : 1) * sizeof(struct stream);
	struct transfer *t = calloc(1, sizeof(*t));
	void *streams;

	if (!t)
		return -ENOMEM;
	streams = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (streams == MAP_FAILED) {
		free(t);
		return -ENOMEM;
	}
	t->endpoints = endpoints;
	t->table = table;
	t->streams = streams;
	*ret = t;
	return 0;
}

/* The stream whose turn it is, and the identity of its next packet. */
static struct stream_count *next_packet(struct transfer *t, struct transfer_source *source, uint64_t now_ns,
					struct packet_id *ret_id)
{
	uint32_t stream = source->stream0 + source->turn;

	source->turn = source->turn + 1 < source->n_streams ? source->turn + 1 : 0;
	*ret_id = (struct packet_id){
		.cookie = t->table->cookie,
		.sequence = t->streams[stream].next_sequence++,
		.sent_ns = now_ns,
		.stream = stream,
	};
	return &t->table->streams[stream];
}

static void fill_message(struct transfer *t, uint32_t i, const struct stream_count *count, uint16_t port, void *head,
			 size_t head_len, size_t rest_len)
{
	struct msghdr *m = &t->messages[i].msg_hdr;
	socklen_t len;

	socket_address(&t->endpoints->plan->clients[count->to].addr, port, &t->to[i], &len);
	t->parts[i][0] = (struct iovec){.iov_base = head, .iov_len = head_len};
	t->parts[i][1] = (struct iovec){.iov_base = zeros, .iov_len = rest_len};
	*m = (struct msghdr){
		.msg_name = &t->to[i],
		.msg_namelen = len,
		.msg_iov = t->parts[i],
		.msg_iovlen = rest_len ? 2 : 1,
	};
}

/* One by one, so that each packet carries the time of its own departure. */
static uint32_t send_echo(struct transfer *t, struct transfer_source *source, uint32_t n)
{
	bool ipv6 = !addr_is_v4(&t->endpoints->plan->clients[source->client].addr);
	int fd = t->endpoints->v[source->client].fd[ENDPOINT_ECHO];
	uint32_t sent = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct packet_echo echo;
		struct packet_id id;
		struct stream_count *count = next_packet(t, source, realtime_ns(), &id);

		packet_write_echo(&echo, ipv6, &id);
		fill_message(t, 0, count, 0, &echo, sizeof(echo), source->size - sizeof(echo));
		if (sendmsg(fd, &t->messages[0].msg_hdr, MSG_NOSIGNAL) < 0) {
			count_add(&count->send_errors, 1);
			continue;
		}
		count_add(&count->sent, 1);
		sent++;
	}
	return sent;
}

static uint32_t send_udp(struct transfer *t, struct transfer_source *source, uint32_t n)
{
	int fd = t->endpoints->v[source->client].fd[ENDPOINT_UDP];
	uint64_t now_ns = realtime_ns();
	uint32_t done = 0, sent = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct packet_id id;

		t->counts[i] = next_packet(t, source, now_ns, &id);
		packet_write_stamp(&t->stamps[i], &id);
		fill_message(t, i, t->counts[i], TRAFFIC_SINK_PORT, &t->stamps[i], sizeof(t->stamps[i]),
			     source->size - PACKET_L4_SIZE - sizeof(t->stamps[i]));
	}
	while (done < n) {
		int r = sendmmsg(fd, t->messages + done, n - done, MSG_NOSIGNAL);

		if (r <= 0) {
			/* That of the first one; the others have not been tried. */
			count_add(&t->counts[done++]->send_errors, 1);
			continue;
		}
		for (int i = 0; i < r; i++)
			count_add(&t->counts[done++]->sent, 1);
		sent += (uint32_t)r;
	}
	return sent;
}

uint32_t transfer_send(struct transfer *t, struct transfer_source *source, uint32_t n)
{
	return source->proto == SCN_PING ? send_echo(t, source, n) : send_udp(t, source, n);
}

/* Kernel receive time, or the time now where it is missing. */
static uint64_t arrival_ns(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct timespec ts;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	}
	return realtime_ns();
}

static void count_round_trip(struct stream_count *s, uint64_t sent_ns, uint64_t received_ns)
{
	/* The wall clock may have been set back meanwhile. */
	uint64_t rtt_ns = received_ns > sent_ns ? received_ns - sent_ns : 0;
	uint32_t *bucket = &s->rtt[rtt_bucket(rtt_ns)];

	count_add(&s->rtt_sum_ns, rtt_ns);
	if (s->rtt_min_ns == 0 || rtt_ns < s->rtt_min_ns)
		count_set(&s->rtt_min_ns, rtt_ns ? rtt_ns : 1);
	if (rtt_ns > s->rtt_max_ns)
		count_set(&s->rtt_max_ns, rtt_ns);
	__atomic_store_n(bucket, *bucket + 1, __ATOMIC_RELAXED);
}

/* Whether a stamp that carries our cookie is also possible: somebody in the lab may have copied it. */
static struct stream_count *find_stream(struct transfer *t, const struct packet_id *id, uint32_t client,
					enum endpoint_role role, size_t size)
{
	struct stream_count *s;

	if (id->stream >= t->table->max_streams || id->sequence >= t->streams[id->stream].next_sequence)
		return NULL;
	s = &t->table->streams[id->stream];
	if (size != t->table->generators[s->generator].size)
		return NULL;
	if (role == ENDPOINT_SINK)
		return s->proto == SCN_UDP && s->to == client ? s : NULL;
	return s->proto == SCN_PING && s->from == client ? s : NULL;
}

/* Counts message i; whether it is a packet that had not come before. */
static bool take_message(struct transfer *t, uint32_t i, uint32_t client, enum endpoint_role role,
			 uint32_t *ret_generator)
{
	bool ipv6 = !addr_is_v4(&t->endpoints->plan->clients[client].addr);
	size_t len = t->messages[i].msg_len, size = len + PACKET_L4_SIZE;
	size_t data_len = len < RECEIVE_BYTES ? len : RECEIVE_BYTES;
	struct stream_count *s = NULL;
	struct packet_id id;
	bool ours;

	if (role == ENDPOINT_ECHO)
		ours = packet_read_echo(t->data[i], data_len, len, ipv6, t->table->cookie, &id, &size);
	else
		ours = packet_read_stamp(t->data[i], data_len, t->table->cookie, &id);
	if (ours)
		s = find_stream(t, &id, client, role, size);
	if (!s) {
		count_add(&t->table->health.foreign, 1);
		return false;
	}
	switch (arrivals_note(&t->streams[id.stream].arrivals, id.sequence)) {
	case ARRIVAL_DUPLICATE:
		count_add(&s->duplicates, 1);
		return false;
	case ARRIVAL_LATE:
		count_add(&s->reordered, 1);
		break;
	case ARRIVAL_NEW:
		break;
	}
	if (role == ENDPOINT_ECHO)
		count_round_trip(s, id.sent_ns, arrival_ns(&t->messages[i].msg_hdr));
	count_add(&s->received, 1);
	*ret_generator = s->generator;
	return true;
}

uint32_t transfer_receive(struct transfer *t, uint32_t client, enum endpoint_role role,
			  uint32_t generators[TRANSFER_BATCH])
{
	int fd = t->endpoints->v[client].fd[role], n;
	uint32_t fresh = 0;

	for (uint32_t i = 0; i < TRANSFER_BATCH; i++) {
		t->parts[i][0] = (struct iovec){.iov_base = t->data[i], .iov_len = RECEIVE_BYTES};
		t->messages[i].msg_hdr = (struct msghdr){.msg_iov = t->parts[i], .msg_iovlen = 1};
		if (role == ENDPOINT_ECHO) {
			t->messages[i].msg_hdr.msg_control = t->control[i];
			t->messages[i].msg_hdr.msg_controllen = CONTROL_BYTES;
		}
	}
	/* MSG_TRUNC: the true length of a packet, though only its start is copied. */
	n = recvmmsg(fd, t->messages, TRANSFER_BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
	for (int i = 0; i < n; i++)
		if (take_message(t, (uint32_t)i, client, role, &generators[fresh]))
			fresh++;
	return fresh;
}
