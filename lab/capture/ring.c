/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of a packet socket; see ring.h. Layout of blocks: Documentation/networking/packet_mmap.rst, net/packet/af_packet.c. */
#include "lab/capture/ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BLOCK_BYTES = 1 << 20, /* a frame must fit: super-packets have up to 64 kB, BIG TCP ones 512 */
	BLOCKS = 16,
	RETIRE_MS = 50,        /* a block that is not full is handed over after so long: what a viewer waits */
	VLAN_BYTES = 4,
};

struct ring {
	int fd;
	uint8_t *memory;
	unsigned next; /* block to be handed over next */
	uint64_t seen, dropped;
};

static int set(int fd, int option, int value)
{
	return setsockopt(fd, SOL_PACKET, option, &value, sizeof(value));
}

static int map_ring(struct ring *r)
{
	struct tpacket_req3 req = {
		.tp_block_size = BLOCK_BYTES, .tp_block_nr = BLOCKS, .tp_frame_size = BLOCK_BYTES, .tp_frame_nr = BLOCKS,
		.tp_retire_blk_tov = RETIRE_MS,
	};
	void *p;

	/* Room before the frame, for the VLAN tag the kernel took out of it. PACKET_VNET_HDR, which describes super-packets, is left alone:
	 * kernels before 6.2 drop UDP super-packets with it (virtio_net_hdr_from_skb). */
	if (set(r->fd, PACKET_VERSION, TPACKET_V3) || set(r->fd, PACKET_RESERVE, VLAN_BYTES) ||
	    setsockopt(r->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)))
		return -errno;
	p = mmap(NULL, (size_t)BLOCK_BYTES * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	r->memory = p;
	return 0;
}

int ring_open(uint32_t ifindex, struct ring **ret, struct error *err)
{
	struct sockaddr_ll where = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)ifindex };
	struct ring *new = calloc(1, sizeof(*new));
	int r = new ? 0 : -ENOMEM;

	if (new) {
		/* Protocol 0: nothing is caught until it is bound, so that no frame of another interface slips in. */
		new->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
		r = new->fd < 0 ? -errno : map_ring(new);
		if (!r && bind(new->fd, (const struct sockaddr *)&where, sizeof(where)))
			r = -errno;
	}
	if (r) {
		error_set(err, "cannot open a packet socket to capture: %s%s", strerror(-r), r == -EPERM ? " (needs CAP_NET_RAW: run it with sudo)" :
			  r == -EAFNOSUPPORT ? " (a kernel with CONFIG_PACKET)" : "");
		ring_close(new);
	} else {
		*ret = new;
	}
	return r;
}

void ring_close(struct ring *r)
{
	if (!r)
		return;
	if (r->memory)
		(void)munmap(r->memory, (size_t)BLOCK_BYTES * BLOCKS);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r);
}

int ring_fd(const struct ring *r)
{
	return r->fd;
}

/* Puts back the tag that the kernel keeps beside the frame (IEEE 802.1Q: behind the two MAC addresses). */
static void put_back_vlan(const struct tpacket3_hdr *h, uint8_t *frame, struct ring_frame *f)
{
	uint16_t tag[2] = { htons(h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->hv1.tp_vlan_tpid : ETH_P_8021Q),
			    htons((uint16_t)h->hv1.tp_vlan_tci) };

	memmove(frame - VLAN_BYTES, frame, 2 * ETH_ALEN);
	memcpy(frame - VLAN_BYTES + 2 * ETH_ALEN, tag, sizeof(tag));
	f->data = frame - VLAN_BYTES;
	f->captured += VLAN_BYTES;
	f->len += VLAN_BYTES;
}

static void describe(uint8_t *at, struct ring_frame *ret)
{
	const struct tpacket3_hdr *h = (const struct tpacket3_hdr *)(const void *)at;
	const struct sockaddr_ll *from = (const struct sockaddr_ll *)(const void *)(at + TPACKET_ALIGN(sizeof(*h)));
	uint8_t *frame = at + h->tp_mac;

	*ret = (struct ring_frame) {
		.ifindex = (uint32_t)from->sll_ifindex, .arp_type = from->sll_hatype, .packet_type = from->sll_pkttype,
		.time_ns = (uint64_t)h->tp_sec * 1000000000u + h->tp_nsec, .data = frame, .captured = h->tp_snaplen, .len = h->tp_len,
	};
	if (h->tp_status & TP_STATUS_VLAN_VALID && h->tp_snaplen >= 2 * ETH_ALEN)
		put_back_vlan(h, frame, ret);
}

static bool read_block(uint8_t *block, bool (*take)(void *arg, const struct ring_frame *f), void *arg)
{
	const struct tpacket_hdr_v1 *b = &((const struct tpacket_block_desc *)(const void *)block)->hdr.bh1;
	uint8_t *at = block + b->offset_to_first_pkt;

	for (uint32_t i = 0; i < b->num_pkts; i++) {
		struct ring_frame f;
		uint32_t next = ((const struct tpacket3_hdr *)(const void *)at)->tp_next_offset;

		describe(at, &f);
		if (!(f.arp_type == ARPHRD_LOOPBACK && f.packet_type == PACKET_OUTGOING) && !take(arg, &f))
			return false;
		at += next;
	}
	return true;
}

void ring_read(struct ring *r, bool (*take)(void *arg, const struct ring_frame *f), void *arg)
{
	for (;;) {
		uint8_t *block = r->memory + (size_t)r->next * BLOCK_BYTES;
		uint32_t *status = &((struct tpacket_block_desc *)(void *)block)->hdr.bh1.block_status;
		bool more;

		if (!(__atomic_load_n(status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			return;
		more = read_block(block, take, arg);
		__atomic_store_n(status, TP_STATUS_KERNEL, __ATOMIC_RELEASE); /* the kernel may fill it again */
		r->next = (r->next + 1) % BLOCKS;
		if (!more)
			return;
	}
}

/* The kernel's counts start again at each look. */
void ring_counts(struct ring *r, uint64_t *ret_seen, uint64_t *ret_dropped)
{
	struct tpacket_stats_v3 s = { 0 };
	socklen_t len = sizeof(s);

	if (!getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &s, &len)) {
		r->seen += s.tp_packets; /* those dropped among them */
		r->dropped += s.tp_drops;
	}
	*ret_seen = r->seen;
	*ret_dropped = r->dropped;
}
