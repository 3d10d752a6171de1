/* SPDX-License-Identifier: Apache-2.0 */
/* The plan: what a scenario adds up to. Names, addresses, MACs, interface indices, clients and
 * generators, each decided here and nowhere else. Deterministic (same scenario, same plan) and
 * pure. */
#ifndef TUNLAB_SCENARIO_PLAN_H
#define TUNLAB_SCENARIO_PLAN_H

#include <net/if.h>

#include "lab/scenario/scenario.h"

enum {
	PLAN_IFINDEX_UPLINK = 100000, /* + i: eth0 of host i; unique in the lab */
	PLAN_IFINDEX_PORT = 200000,   /* + i: the fabric's port to host i */
	PLAN_UNDERLAY_MTU = 1500,
	PLAN_FLOWS_MIN = 65536,       /* flow table capacity; grows with the plan */
	PLAN_FLOWS_MAX = SCN_FLOWS_MAX,
	PLAN_STREAMS_MAX = 1 << 20,
	PLAN_GENERATORS_MAX = 65536,  /* the engine's own bound */
	PLAN_TUNNELS_MAX = 16384,     /* of geneve and gretap, hosts squared: 64 hosts with 4 such VNIs */
	PLAN_BRIDGE_PORTS = 1023,     /* of a Linux bridge: BR_MAX_PORTS is 1024, 0 is not used */
	PLAN_FABRIC_BRIDGE = 100,     /* br100; its leaves are br101 and on */
};

struct plan_host {
	char name[IFNAMSIZ]; /* "host3" */
	char port[IFNAMSIZ]; /* its port on the fabric's bridge: "p3" */
	struct ip_addr vtep;
	uint8_t mac[6];   /* of eth0 */
	uint32_t client0; /* its clients are client0 … client0 + n_clients - 1 */
	uint32_t n_clients;
};

struct plan_vni {
	const struct scn_vni *scn;
	char bridge[IFNAMSIZ]; /* "br10002" */
	char tunnel[IFNAMSIZ]; /* "vxlan10002"; "ge10002" of "ge10002.3" where devices are point to point */
	uint32_t mtu;          /* inner, of clients and bridges; usually ... */
	uint32_t tunnel_mtu;   /* ... the tunnels'; what is larger than this gets no further */
	uint32_t n_clients;
	uint32_t *clients; /* client numbers, ascending by host */
	bool known;        /* those of its clients that planned traffic joins know each other from the start; see plan_make_known */
};

struct plan_client {
	uint32_t host;
	uint32_t vni; /* index into plan.vnis */
	struct ip_addr addr;
	uint8_t mac[6];      /* of its eth0 */
	char port[IFNAMSIZ]; /* its port in the host's namespace: "c7" */
};

/* One sending client of one [traffic] section. */
struct plan_generator {
	uint32_t section; /* index into scenario.traffic */
	uint32_t client;  /* the sender */
	uint32_t *peers;  /* client numbers, served in turn; ascending from the sender's own on,
			     round the end */
	uint32_t n_peers;
	uint64_t phase_ns; /* first departure after the section's start: spreads the senders of a
			      section */
	uint64_t seed;
};

struct plan_event {
	const struct scn_event *scn;
	int64_t section; /* index into scenario.traffic; -1 for a link's */
};

struct plan {
	const struct scenario *scn; /* borrowed: must outlive the plan */
	struct plan_host *hosts;
	uint32_t n_hosts;
	struct plan_vni *vnis;
	uint32_t n_vnis;
	struct plan_client *clients;
	uint32_t n_clients;
	struct plan_generator *generators;
	uint32_t n_generators;
	struct plan_event *events; /* [scenario.n_events], in the order of time */
	uint32_t n_streams;     /* generator-peer pairs */
	uint32_t n_flows;       /* IP flows these will make: two directions of a ping, one of UDP */
	uint32_t mtu;           /* inner, the least of the VNIs' */
	uint32_t flow_capacity; /* what the monitor's table must hold */
	uint32_t bridge_ports;  /* that a bridge of the fabric can have: PLAN_BRIDGE_PORTS, less in tests */
	uint32_t *vni_order;    /* private: indices into vnis, ascending by number */
	unsigned doubts;        /* private: see plan_internal.h; 0 in a plan handed out */
	uint64_t clients_most;  /* private: no client can have this number or a larger one */
};

/* Mistakes that only show when the values meet (a client that does not exist, addresses that run
 * out, a size over the MTU) are added to errors with file and line. 0, -EINVAL (mistakes) or
 * -ENOMEM. */
int plan_make(const struct scenario *s, struct plan **ret_plan, struct scn_errors *errors);
void plan_free(struct plan *p);
/* Scenario and plan at once, with the mistakes of both: what commands use. The plan borrows the
 * scenario. On error neither is returned; ret_errors is always initialised, in order, and the
 * caller's to free. */
int plan_load(const struct scn_source *source, struct scenario **ret_scenario,
	      struct plan **ret_plan, struct scn_errors *ret_errors);

/* Clients a `who` speaks of, ascending, into a new array (free it). 0 clients is an error: -ENOENT
 * with the sentence naming what exists in why. WHO_RANDOM picks one by seed. */
int plan_resolve(const struct plan *p, const struct who *w, uint64_t seed, uint32_t **ret_clients,
		 size_t *ret_n, char *why, size_t why_len);
/* Exactly one client, for command arguments; -ENOENT or -ENOTUNIQ with the sentence in why. */
int plan_resolve_one(const struct plan *p, const struct who *w, uint32_t *ret_client, char *why,
		     size_t why_len);
/* Peers of `from` among `to`: same VNI, not itself. New array (free it); may be empty. */
int plan_peers(const struct plan *p, uint32_t from, const uint32_t *to, size_t n_to,
	       uint32_t **ret_peers, size_t *ret_n);

/* The generator of the section that is secret; NULL: there is none. */
const struct plan_generator *plan_secret(const struct plan *p);

/* Index into vnis of a VNI number, or -1. O(log n). */
int64_t plan_vni_by_number(const struct plan *p, uint32_t vni);
/* Who owns an inner address in a VNI, or a VTEP: number, or -1. O(log n). */
int64_t plan_client_by_addr(const struct plan *p, uint32_t vni, const struct ip_addr *addr);
int64_t plan_host_by_vtep(const struct plan *p, const struct ip_addr *addr);

/* Name of a VNI's tunnel device on a host; the remote host's number tells point-to-point ones apart. Returns name. */
const char *plan_tunnel_name(const struct plan_vni *v, uint32_t remote, char name[IFNAMSIZ]);
/* The number that a VNI's (index) tunnel has on a host: its own, unless the scenario makes a mistake on purpose. */
uint32_t plan_tunnel_vni(const struct plan *p, uint32_t vni, uint32_t host);
/* Bytes of headers that a tunnel adds to an inner IP packet, from the outer IP header on: over IPv4 50 (vxlan, geneve) or 42
 * (gretap with its key), over IPv6 20 more. */
uint32_t plan_tunnel_overhead(const struct plan *p, enum scn_encap encap);
/* Largest IP payload a client can send in one packet. */
uint32_t plan_size_max(const struct plan *p, uint32_t client);
/* Packets per second that a rate is for packets of `size` bytes of IP payload from a client; 0 for
 * RATE_MAXIMUM. */
double plan_rate_pps(const struct plan *p, const struct rate *rate, uint32_t size, uint32_t client);
/* The fabric is the bridge br100. Where it has too few ports for the hosts they plug into leaf bridges, br101 and on, each filled
 * before the next, that br100 joins. How many leaves, 0: none needed; the leaf of a host, from 0, where there are leaves; the
 * name of a leaf; and of the bridge that a host plugs into. */
uint32_t plan_count_leaves(const struct plan *p);
uint32_t plan_leaf(const struct plan *p, uint32_t host);
char *plan_leaf_name(uint32_t leaf, char name[IFNAMSIZ]);
char *plan_host_bridge(const struct plan *p, uint32_t host, char name[IFNAMSIZ]);

/* Pairs of hosts between which planned traffic passes, in either direction: at most two for each generator and peer. NULL: no
 * memory. Free it with free(). */
struct plan_mesh;
struct plan_mesh *plan_mesh_new(const struct plan *p);
bool plan_mesh_has(const struct plan_mesh *m, uint32_t a, uint32_t b);

/* Whether clients ask for each other's MAC addresses where so many pairs of a VNI (index) are about to talk. Where that would flood
 * too much, neighbours and forwarding entries are those of the plan. */
bool plan_asks(const struct plan *p, uint32_t vni, uint64_t pairs);

/* Namespaces and devices (loopbacks not counted) that the plan makes; a veth pair is two devices. */
struct plan_objects {
	uint32_t namespaces, devices;
	uint32_t veth_pairs, bridges, tunnels, macvlans;
};
struct plan_objects plan_count_objects(const struct plan *p);

/* What `tunlab plan` prints. Each returns a new string (free it) or NULL (no memory). */
char *plan_text(const struct plan *p);
char *plan_dot(const struct plan *p);
char *plan_json(const struct plan *p);

#endif
