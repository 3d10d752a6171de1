/* SPDX-License-Identifier: Apache-2.0 */
/* Sending and receiving; see transfer.h. */
#include "lab/traffic/transfer.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "lab/traffic/arrivals.h"
#include "lab/traffic/packet.h"

enum {
	ECHO_BYTES = 128,        /* the longest IPv4 header, ICMP and the stamp: the rest of a packet is not looked at */
	SINK_BYTES = 65536,      /* what receive offload has joined, at most */
	CONTROL_BYTES = 64,      /* a timestamp and a segment size */
	SEGMENTS_MIN = 16,       /* fewer packets at once are sent one by one: a few that are late together stay apart */
	SEGMENTS_MAX = 64,       /* of a UDP super-packet sent: UDP_MAX_SEGMENTS of linux/udp.h before Linux 6.10 ... */
	SEGMENTS_TAKEN = 128,    /* ... and since: of one received */
	SEGMENTS_BYTES = 65000,  /* and its payload: with all headers it must fit the 16 bits of an IP length */
};

/* What only the child knows of a stream. */
struct stream {
	uint64_t next_sequence;
	uint64_t delay_ns;       /* of the packet that came last */
	struct arrivals arrivals;
};

struct transfer {
	struct endpoints *endpoints;
	struct table *table;
	struct stream *streams;  /* table->max_streams, reserved: pages are used as they are touched */

	/* One batch. A message holds one packet, or several of a stream as one super-packet. */
	struct mmsghdr messages[TRANSFER_BATCH];
	uint8_t control[TRANSFER_BATCH][CONTROL_BYTES] __attribute__((aligned(8)));
	struct iovec parts[TRANSFER_BATCH][2];                 /* of each packet: stamp and rest */
	struct packet_stamp stamps[TRANSFER_BATCH];
	struct sockaddr_in6 to[TRANSFER_BATCH];                /* of each message */
	struct run { struct stream_count *count; uint32_t packets; } runs[TRANSFER_BATCH];
	struct transfer_arrival arrivals[TRANSFER_BATCH * SEGMENTS_TAKEN];
	uint32_t n_arrivals;
	uint8_t echo[TRANSFER_BATCH][ECHO_BYTES] __attribute__((aligned(8)));
	uint8_t sink[TRANSFER_BATCH][SINK_BYTES] __attribute__((aligned(8))); /* pages are used as they are touched */
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

/* Fresh pages of the kernel's, used as they are touched; NULL: no memory. */
static void *reserve(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int transfer_open(struct endpoints *endpoints, struct table *table, struct transfer **ret)
{
	struct transfer *t = reserve(sizeof(*t));
	struct stream *streams = reserve((size_t)(table->max_streams ? table->max_streams : 1) * sizeof(*streams));

	if (!t || !streams)
		return -ENOMEM; /* the process ends, and both with it */
	t->endpoints = endpoints;
	t->table = table;
	t->streams = streams;
	*ret = t;
	return 0;
}

/* The stream whose turn is `ahead` turns from now. */
static uint32_t stream_ahead(const struct transfer_source *source, uint32_t ahead)
{
	return source->stream0 + (uint32_t)(((uint64_t)source->turn + ahead) % source->n_streams);
}

/* The identity of a stream's next packet. */
static struct packet_id next_packet(struct transfer *t, uint32_t stream, uint64_t now_ns)
{
	return (struct packet_id){
		.cookie = t->table->cookie,
		.sequence = t->streams[stream].next_sequence++,
		.sent_ns = now_ns,
		.stream = stream,
	};
}

/* Packet i of the batch: a head of its own and a rest of zeros. */
static void fill_parts(struct transfer *t, uint32_t i, void *head, size_t head_len, size_t rest_len)
{
	t->parts[i][0] = (struct iovec){.iov_base = head, .iov_len = head_len};
	t->parts[i][1] = (struct iovec){.iov_base = zeros, .iov_len = rest_len};
}

/* Message m of the batch: n packets of a stream from packet `first` on. */
static void fill_message(struct transfer *t, uint32_t m, const struct stream_count *count, uint16_t port, uint32_t first,
			 uint32_t n)
{
	struct msghdr *h = &t->messages[m].msg_hdr;
	socklen_t len;

	socket_address(&t->endpoints->plan->clients[count->to].addr, port, &t->to[m], &len);
	*h = (struct msghdr){
		.msg_name = &t->to[m],
		.msg_namelen = len,
		.msg_iov = t->parts[first],
		.msg_iovlen = 2 * n,
	};
}

/* One by one, so that each packet carries the time of its own departure. */
static uint32_t send_echo(struct transfer *t, struct transfer_source *source, uint32_t n)
{
	bool ipv6 = !addr_is_v4(&t->endpoints->plan->clients[source->client].addr);
	int fd = t->endpoints->v[source->client].fd[ENDPOINT_ECHO];
	uint32_t sent = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t stream = stream_ahead(source, i);
		struct stream_count *count = &t->table->streams[stream];
		struct packet_id id = next_packet(t, stream, realtime_ns());
		struct packet_echo echo;

		packet_write_echo(&echo, ipv6, &id);
		fill_parts(t, 0, &echo, sizeof(echo), source->size - sizeof(echo));
		fill_message(t, 0, count, 0, 0, 1);
		if (sendmsg(fd, &t->messages[0].msg_hdr, MSG_NOSIGNAL) < 0) {
			count_add(&count->send_errors, 1);
			continue;
		}
		count_add(&count->sent, 1);
		sent++;
	}
	return sent;
}

/* The kernel, or the last device on the way, cuts the message into packets of segment_len: one pass through the whole
 * overlay for all of them (Documentation/networking/segmentation-offloads.rst, UDP). */
static void ask_segments(struct transfer *t, uint32_t m, uint16_t segment_len)
{
	struct msghdr *h = &t->messages[m].msg_hdr;
	struct cmsghdr *c;

	h->msg_control = t->control[m];
	h->msg_controllen = CMSG_SPACE(sizeof(segment_len));
	c = CMSG_FIRSTHDR(h);
	*c = (struct cmsghdr){.cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof(segment_len))};
	memcpy(CMSG_DATA(c), &segment_len, sizeof(segment_len));
}

/* Lays out n packets of a stream from packet `first` of the batch on as message m. More than one are a super-packet. */
static void fill_run(struct transfer *t, uint32_t m, uint32_t stream, uint32_t first, uint32_t n, uint64_t now_ns,
		     uint32_t size)
{
	size_t payload = size - PACKET_L4_SIZE;

	for (uint32_t i = first; i < first + n; i++) {
		struct packet_id id = next_packet(t, stream, now_ns);

		packet_write_stamp(&t->stamps[i], &id);
		fill_parts(t, i, &t->stamps[i], sizeof(t->stamps[i]), payload - sizeof(t->stamps[i]));
	}
	t->runs[m] = (struct run){&t->table->streams[stream], n};
	fill_message(t, m, t->runs[m].count, TRAFFIC_SINK_PORT, first, n);
	if (n > 1)
		ask_segments(t, m, (uint16_t)payload);
}

/* The batch's packets by stream, many of one stream in few messages: every peer gets what it would get in turn. Returns the
 * number of messages. */
static uint32_t fill_runs(struct transfer *t, const struct transfer_source *source, uint32_t n)
{
	uint32_t payload = source->size - PACKET_L4_SIZE, fit = SEGMENTS_BYTES / payload, messages = 0, filled = 0;
	uint64_t now_ns = realtime_ns();

	fit = fit > SEGMENTS_MAX ? SEGMENTS_MAX : fit ? fit : 1;
	for (uint32_t i = 0; i < source->n_streams && filled < n; i++) {
		uint32_t left = n / source->n_streams + (i < n % source->n_streams);

		while (left) {
			uint32_t run = left < SEGMENTS_MIN ? 1 : left < fit ? left : fit;

			fill_run(t, messages++, stream_ahead(source, i), filled, run, now_ns, source->size);
			filled += run;
			left -= run;
		}
	}
	return messages;
}

static uint32_t send_udp(struct transfer *t, struct transfer_source *source, uint32_t n)
{
	int fd = t->endpoints->v[source->client].fd[ENDPOINT_UDP];
	uint32_t messages = fill_runs(t, source, n), done = 0, sent = 0;

	while (done < messages) {
		int r = sendmmsg(fd, t->messages + done, messages - done, MSG_NOSIGNAL);

		if (r <= 0) { /* that of the first one; the others have not been tried */
			count_add(&t->runs[done].count->send_errors, t->runs[done].packets);
			done++;
		}
		for (int i = 0; i < r; i++, done++) {
			count_add(&t->runs[done].count->sent, t->runs[done].packets);
			sent += t->runs[done].packets;
		}
	}
	return sent;
}

uint32_t transfer_send(struct transfer *t, struct transfer_source *source, uint32_t n)
{
	uint32_t sent = source->proto == SCN_PING ? send_echo(t, source, n) : send_udp(t, source, n);

	source->turn = (uint32_t)(((uint64_t)source->turn + n) % source->n_streams);
	return sent;
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

/* Of a packet's first arrival, the round trip of a ping or the way of a datagram. */
static void count_delay(struct stream_count *s, struct stream *stream, uint64_t sent_ns, uint64_t received_ns)
{
	/* The wall clock may have been set back meanwhile. */
	uint64_t delay_ns = received_ns > sent_ns ? received_ns - sent_ns : 0;
	uint32_t *bucket = &s->rtt[rtt_bucket(delay_ns)];

	if (s->received > 0)
		count_add(&s->jitter_sum_ns, delay_ns > stream->delay_ns ? delay_ns - stream->delay_ns : stream->delay_ns - delay_ns);
	stream->delay_ns = delay_ns;
	count_add(&s->rtt_sum_ns, delay_ns);
	if (s->rtt_min_ns == 0 || delay_ns < s->rtt_min_ns)
		count_set(&s->rtt_min_ns, delay_ns ? delay_ns : 1);
	if (delay_ns > s->rtt_max_ns)
		count_set(&s->rtt_max_ns, delay_ns);
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

/* Counts one packet of `len` bytes, of which data_len are at data; its generator's arrivals if it had not come before. */
static void take_packet(struct transfer *t, const uint8_t *data, size_t data_len, size_t len, uint32_t client,
			enum endpoint_role role, uint64_t received_ns)
{
	bool ipv6 = !addr_is_v4(&t->endpoints->plan->clients[client].addr);
	size_t size = len + PACKET_L4_SIZE;
	struct stream_count *s = NULL;
	struct packet_id id;
	bool ours;

	if (role == ENDPOINT_ECHO)
		ours = packet_read_echo(data, data_len, len, ipv6, t->table->cookie, &id, &size);
	else
		ours = packet_read_stamp(data, data_len, t->table->cookie, &id);
	if (ours)
		s = find_stream(t, &id, client, role, size);
	if (!s) {
		count_add(&t->table->health.foreign, 1);
		return;
	}
	switch (arrivals_note(&t->streams[id.stream].arrivals, id.sequence)) {
	case ARRIVAL_DUPLICATE:
		count_add(&s->duplicates, 1);
		return;
	case ARRIVAL_LATE:
		count_add(&s->reordered, 1);
		break;
	case ARRIVAL_NEW:
		break;
	}
	count_delay(s, &t->streams[id.stream], id.sent_ns, received_ns);
	count_set(&s->highest, t->streams[id.stream].arrivals.next);
	count_add(&s->received, 1);
	if (!t->n_arrivals || t->arrivals[t->n_arrivals - 1].generator != s->generator)
		t->arrivals[t->n_arrivals++] = (struct transfer_arrival){.generator = s->generator};
	t->arrivals[t->n_arrivals - 1].packets++;
}

/* Length of each packet in a message that receive offload may have joined; all of it where it has not. */
static size_t segment_len(struct msghdr *m, size_t len)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		int segment;

		if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&segment, CMSG_DATA(c), sizeof(segment));
		return segment > 0 ? (size_t)segment : len;
	}
	return len;
}

static void take_sink_message(struct transfer *t, uint32_t i, uint32_t client)
{
	struct msghdr *m = &t->messages[i].msg_hdr;
	size_t len = t->messages[i].msg_len < SINK_BYTES ? t->messages[i].msg_len : SINK_BYTES, at = 0, n = 0;
	size_t segment = segment_len(m, len);
	uint64_t received_ns = arrival_ns(m);

	do { /* an empty packet is one, too */
		size_t left = len - at, part = left < segment ? left : segment;

		take_packet(t, t->sink[i] + at, part, part, client, ENDPOINT_SINK, received_ns);
		at += part;
	} while (at < len && ++n < SEGMENTS_TAKEN);
}

static void take_echo_message(struct transfer *t, uint32_t i, uint32_t client)
{
	size_t len = t->messages[i].msg_len; /* MSG_TRUNC: the true length, though only its start is copied */

	take_packet(t, t->echo[i], len < ECHO_BYTES ? len : ECHO_BYTES, len, client, ENDPOINT_ECHO,
		    arrival_ns(&t->messages[i].msg_hdr));
}

uint32_t transfer_receive(struct transfer *t, uint32_t client, enum endpoint_role role,
			  const struct transfer_arrival **ret_arrivals)
{
	bool echo = role == ENDPOINT_ECHO;
	int fd = t->endpoints->v[client].fd[role], n;

	for (uint32_t i = 0; i < TRANSFER_BATCH; i++) {
		t->parts[i][0] = (struct iovec){.iov_base = echo ? t->echo[i] : t->sink[i], .iov_len = echo ? ECHO_BYTES : SINK_BYTES};
		t->messages[i].msg_hdr = (struct msghdr){
			.msg_iov = t->parts[i], .msg_iovlen = 1, .msg_control = t->control[i], .msg_controllen = CONTROL_BYTES,
		};
	}
	n = recvmmsg(fd, t->messages, TRANSFER_BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
	t->n_arrivals = 0;
	for (int i = 0; i < n; i++) {
		if (echo)
			take_echo_message(t, (uint32_t)i, client);
		else
			take_sink_message(t, (uint32_t)i, client);
	}
	*ret_arrivals = t->arrivals;
	return t->n_arrivals;
}
