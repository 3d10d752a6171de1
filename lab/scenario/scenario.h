/* SPDX-License-Identifier: Apache-2.0 */
/* The scenario file as the user wrote it, checked value by value: INI text in, struct scenario out.
 * Pure: no privilege, no kernel, no clock. What the values add up to (addresses, clients, pairs) is
 * plan.h. */
#ifndef TUNLAB_SCENARIO_H
#define TUNLAB_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "lab/scenario/link.h"

enum {
	SCN_HOSTS_MAX = 4096,
	SCN_FLOWS_MIN = 64,
	SCN_FLOWS_MAX = 1 << 20,
	SCN_CLIENTS_MAX = 65536,
	SCN_VNI_MAX = 16777215,
	SCN_FILE_MAX = 1 << 20,  /* bytes; larger files are refused */
	SCN_ERRORS_MAX = 200,    /* more mistakes than this are counted, not kept */
	SCN_NAME_LEN = 64,
	SCN_CHECK_LEN = 200,     /* of an expression or action; inih's lines are no longer */
	SCN_SECTIONS_MAX = 4096, /* [traffic], [event], [assert], [link] sections, each kind */
	SCN_WRONG_VNIS_MAX = 64, /* in all VNIs together */
	SCN_GENEVE_PORT = 6081,  /* UDP, RFC 8926 */
};

enum scn_encap { SCN_VXLAN, SCN_GENEVE, SCN_GRETAP, SCN_ENCAP_MAX };
/* Linux's geneve and gretap devices have one remote end each; its vxlan devices have any number. */
static inline bool scn_is_point_to_point(enum scn_encap encap)
{
	return encap != SCN_VXLAN;
}
enum scn_flood { SCN_MULTICAST, SCN_UNICAST, SCN_FLOOD_MAX };
enum scn_wiring { SCN_BRIDGE, SCN_DIRECT, SCN_WIRING_MAX };
enum scn_proto { SCN_PING, SCN_UDP, SCN_PROTO_MAX };
enum scn_pattern { SCN_CONSTANT, SCN_POISSON, SCN_BURST, SCN_PATTERN_MAX };

/* Inclusive ranges in the order written, "0-5, 8". */
struct range_list {
	struct { uint32_t first, last; } *v;
	size_t n;
};
bool range_list_has(const struct range_list *l, uint32_t value);

enum rate_unit { RATE_PPS, RATE_BPS /* bits of inner IP packets per second */, RATE_MAXIMUM };
struct rate {
	enum rate_unit unit;
	double value; /* > 0; unused for RATE_MAXIMUM */
};

/* Who a traffic section, a command or a selector speaks of. */
enum who_kind { WHO_ALL, WHO_RANDOM, WHO_CLIENT, WHO_HOST, WHO_HOST_VNI, WHO_VNI, WHO_ADDRESS };
struct who {
	enum who_kind kind;
	uint32_t client, host, vni;
	struct ip_addr addr;
};

/* The keys of each kind of section, in the order of the contract. A value's place in the file is
 * kept in key_line[KEY]: see scn_error_at. */
enum scn_lab_key {
	LAB_NAME, LAB_HOSTS, LAB_VNIS, LAB_ENCAP, LAB_FLOOD, LAB_UNDERLAY, LAB_FIRST, LAB_PORT,
	LAB_MTU, LAB_WIRING, LAB_DURATION, LAB_SEED, LAB_FLOWS, LAB_KEY_MAX
};
enum scn_vni_key {
	VNI_SUBNET, VNI_HOSTS, VNI_ENCAP, VNI_FLOOD, VNI_GROUP, VNI_CLIENT_MTU, VNI_WRONG, VNI_KEY_MAX
};
enum scn_traffic_key {
	TRAFFIC_FROM, TRAFFIC_TO, TRAFFIC_PROTO, TRAFFIC_RATE, TRAFFIC_SIZE, TRAFFIC_START,
	TRAFFIC_STOP, TRAFFIC_PATTERN, TRAFFIC_SECRET, TRAFFIC_KEY_MAX
};
enum scn_link_key { UPLINK_RATE, UPLINK_DELAY, UPLINK_LOSS, UPLINK_KEY_MAX };
enum scn_event_key { EVENT_AT, EVENT_DO, EVENT_KEY_MAX };
enum scn_assert_key { ASSERT_CHECK, ASSERT_AT, ASSERT_WITHIN, ASSERT_KEY_MAX };

/* A mistake on purpose: that host's tunnel of a VNI has another number. */
struct scn_wrong_vni {
	uint32_t host, vni;
};

struct scn_vni {
	uint32_t vni;
	struct ip_prefix subnet;
	struct range_list hosts;
	enum scn_encap encap;
	enum scn_flood flood;
	struct ip_addr group; /* none where flood is unicast */
	uint32_t client_mtu;  /* of clients and bridges, where it is not the tunnels'; may be too large for them. 0: it is */
	struct scn_wrong_vni *wrong_vnis;
	size_t n_wrong_vnis;
	int line;             /* of its [vni] section; 0 without one */
	int key_line[VNI_KEY_MAX];
	unsigned wrong; /* as in struct scenario */
};

struct scn_traffic {
	char name[SCN_NAME_LEN];
	struct who from, to;
	enum scn_proto proto;
	struct rate rate;  /* per sending client */
	uint32_t size;     /* inner IP payload bytes: ICMP or UDP header and what follows */
	uint64_t start_ns; /* on the scenario's time axis, 0 when traffic starts */
	uint64_t stop_ns;  /* 0: the end */
	enum scn_pattern pattern;
	bool secret;       /* who sends is a riddle: `tunlab guess`; from is WHO_RANDOM then */
	int line;
	int key_line[TRAFFIC_KEY_MAX];
	unsigned wrong; /* as in struct scenario */
};

/* How a host's uplink is from the start. */
struct scn_link {
	uint32_t host;
	struct link_state state;
	int line; /* of its section; 0: made by --set */
	int key_line[UPLINK_KEY_MAX];
	unsigned wrong; /* as in struct scenario */
};

/* What an event does: a change of a link, or of what a [traffic] section sends. */
enum action_kind { ACTION_LINK, ACTION_STOP, ACTION_START, ACTION_RATE };
struct action {
	enum action_kind kind;
	uint32_t host; /* ACTION_LINK: this and link */
	struct link_change link;
	char traffic[SCN_NAME_LEN]; /* the others: the section's name */
	struct rate rate;           /* ACTION_RATE; per sending client */
};

struct scn_event {
	char name[SCN_NAME_LEN];
	uint64_t at_ns; /* on the scenario's time axis */
	struct action action;
	char text[SCN_CHECK_LEN]; /* the action as written */
	int line;
	int key_line[EVENT_KEY_MAX];
	unsigned wrong; /* as in struct scenario */
};

/* Metric (selector…) op value: what a check compares. Meaning: contract section 3. */
enum check_metric {
	METRIC_PACKETS, METRIC_BYTES, METRIC_PPS, METRIC_BPS, METRIC_RECEIVED, METRIC_LOSS,
	METRIC_DELIVERY, METRIC_RTT_MIN, METRIC_RTT_AVG, METRIC_RTT_P50, METRIC_RTT_P90,
	METRIC_RTT_P99, METRIC_RTT_MAX, METRIC_FLOWS, METRIC_HOSTS, METRIC_TOP_TALKER,
	METRIC_OVERHEAD, METRIC_MISMATCH, METRIC_UNPLANNED, METRIC_MONITOR_LOST,
	METRIC_MONITOR_TRUNCATED, METRIC_MONITOR_UNKNOWN, CHECK_METRIC_MAX
};
enum check_unit { UNIT_COUNT, UNIT_BYTES, UNIT_PPS, UNIT_BPS, UNIT_SHARE, UNIT_TIME, UNIT_CLIENT, CHECK_UNIT_MAX };

struct check_unit_info {
	const char *name;    /* "packets/s" */
	const char *example; /* what a value looks like: "a packet rate, such as 500 or 1kpps" */
};
extern const struct check_unit_info check_units[CHECK_UNIT_MAX];
enum check_op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_BETWEEN, OP_APPROX, CHECK_OP_MAX };

/* One row per metric, in enum order: the only place for a metric's name, unit and meaning. */
struct check_metric_info {
	const char *name;
	enum check_unit unit;
	const char *meaning;
	unsigned selectors; /* bit set of enum sel_key that make sense with it */
};
extern const struct check_metric_info check_metrics[CHECK_METRIC_MAX];
/* All of them with their units, for help: a new string, or NULL without memory. */
char *check_metrics_help(void);

enum sel_key {
	SEL_FROM, SEL_TO, SEL_VNI, SEL_PROTO, SEL_ENCAP, SEL_TRAFFIC, SEL_OUTER_SRC, SEL_OUTER_DST,
	SEL_KEY_MAX
};
extern const char *const sel_key_names[SEL_KEY_MAX];
extern const char *const check_op_names[CHECK_OP_MAX]; /* "==" … "between", "~" */
struct check_selector {
	enum sel_key key;
	struct who who;          /* from, to */
	uint32_t number;         /* vni */
	char text[SCN_NAME_LEN]; /* traffic, proto, encap: as written */
	struct ip_addr addr;     /* outer_src, outer_dst */
};

struct scn_check {
	char name[SCN_NAME_LEN];
	char text[SCN_CHECK_LEN]; /* the expression as written */
	enum check_metric metric;
	struct check_selector *selectors; /* all must match */
	size_t n_selectors;
	enum check_op op;
	double value;   /* in the unit's base: seconds, share 0..1, packets, bytes, per second */
	double value2;  /* between: upper bound; approx: tolerance as a share */
	struct who who; /* UNIT_CLIENT: the client compared with */
	bool has_at;
	uint64_t at_ns, within_ns; /* 0 within: judged once */
	int line;
	int key_line[ASSERT_KEY_MAX];
	unsigned wrong; /* as in struct scenario */
};

struct scenario {
	char file[256]; /* as named by the user, for messages */
	char *text;     /* the file, up to its first NUL */
	char name[SCN_NAME_LEN];
	uint32_t hosts;
	struct scn_vni *vnis; /* in scenario order */
	size_t n_vnis;
	struct ip_prefix underlay;
	uint32_t first;
	uint16_t port; /* of vxlan; geneve has SCN_GENEVE_PORT */
	uint32_t mtu; /* inner; 0: what fits the 1500-byte underlay */
	enum scn_wiring wiring;
	uint64_t duration_ns;
	uint64_t seed;
	uint32_t flows; /* that the monitor's table holds; 0: enough for what is planned, and more */
	struct scn_traffic *traffic;
	size_t n_traffic;
	struct scn_link *links;
	size_t n_links;
	struct scn_event *events;
	size_t n_events;
	struct scn_check *checks;
	size_t n_checks;
	int key_line[LAB_KEY_MAX];
	char **sets; /* the --set arguments and what options of [lab]'s keys said, for messages */
	size_t n_sets;
	size_t n_options; /* the last so many are options' */
	/* What mistakes left open, so that the search for more of them says nothing that follows
	 * from one already told: bit KEY for each key whose value was refused and stands at its
	 * default. All 0 in a scenario without mistakes. */
	unsigned wrong;
	unsigned vnis_wrong; /* of any [vni] section, those with a refused header too */
	bool names_wrong;    /* a [traffic] header was refused: its name is not known */
};
static inline bool scn_is_wrong(unsigned wrong, int key)
{
	return wrong >> key & 1;
}

/* Mistakes, in the order of the file, those of --set arguments last. text is "FILE:LINE: message"
 * (or "--set LAB.X=Y: message"). */
struct scn_errors {
	char **text;
	int *where;     /* of each, as in scn_error_at */
	size_t n;       /* kept */
	size_t n_total; /* found */
};
void scn_errors_free(struct scn_errors *e);
void scn_errors_add(struct scn_errors *e, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Puts them in the order of the file; stable. */
void scn_errors_sort(struct scn_errors *e);

/* Adds a mistake in a value of s. `where` is a key_line: the line in the file, 0 for a value that
 * was not written, or -1 - i for one from s->sets[i]. The message becomes "FILE:LINE: [section] key
 * = value: …" or "--set …: …"; key and value may be NULL. */
struct scn_place {
	int where;
	const char *section; /* "lab", "traffic web" */
	const char *key, *value;
};
void scn_error_at(struct scn_errors *e, const struct scenario *s, struct scn_place place,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));
/* s->sets[i] as it was typed: "--set lab.hosts=3", "--duration 8s"; returns buf. */
const char *scn_set_format(const struct scenario *s, size_t i, char *buf, size_t len);
/* Who says when the run ends: "[lab] duration", or an argument as it was typed; returns buf. */
const char *scn_end_format(const struct scenario *s, char *buf, size_t len);

struct scn_source {
	const char *file; /* for messages; its stem is the default lab name. NULL: "default" */
	const char *text; /* need not end in NUL */
	size_t len;
	const char *const *set; /* n_set strings "SECTION.KEY=VALUE" applied after the file */
	size_t n_set;
	size_t n_options; /* the last so many of them were not --set but options: lab.seed=7 was --seed 7 */
};

/* Parses and checks everything it can, collecting all mistakes in ret_errors (always initialised;
 * free it). 0 and *ret_scenario (free with scenario_free) when there are none; -EINVAL with
 * mistakes; -ENOMEM. */
int scenario_parse(const struct scn_source *source, struct scenario **ret_scenario,
		   struct scn_errors *ret_errors);
/* As scenario_parse, but hands out what could be read in spite of mistakes (then -EINVAL), so that
 * plan_load can look for the rest of them; what they leave open is in `wrong` and its like.
 * *ret_usable: it is a text at all. */
int scenario_read(const struct scn_source *source, struct scenario **ret_scenario, bool *ret_usable,
		  struct scn_errors *ret_errors);
void scenario_free(struct scenario *s);

/* The single values, shared with the command line. 0 or -EINVAL; *ret_why (static text) says what
 * was expected. parse_number leaves that to its callers, who know the range. */
int parse_who(const char *text, struct who *ret, const char **ret_why);
int parse_rate(const char *text, struct rate *ret, const char **ret_why);
int parse_time(const char *text, uint64_t *ret_ns, const char **ret_why);
/* k, m, g are powers of 1024. */
int parse_size(const char *text, uint64_t *ret_bytes, const char **ret_why);
int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret);
/* "1%" or "0.01"; a bare 1 may mean either, and is refused. The caller knows what to say. */
int parse_share(const char *text, double *ret);
/* "link host3 down", "traffic web rate 1kpps": what an event may do. -EINVAL with the sentence in ret_why. */
int parse_action(const char *text, struct action *ret, char *ret_why, size_t why_len);
/* Fills metric, selectors, op, value(s), who and text, and nothing else; owns selectors on 0. */
int parse_check(const char *text, struct scn_check *ret, char *ret_why, size_t why_len);
/* "0-5, 8" with every number from min to max and none twice; at most max_count numbers in all. Free
 * ret->v. -EINVAL or -ENOMEM. */
int parse_ranges(const char *text, uint32_t min, uint32_t max, uint32_t max_count,
		 struct range_list *ret, char *ret_why, size_t why_len);
/* Text of a value as a user would write it; each returns buf. */
const char *who_format(const struct who *w, char *buf, size_t len);
const char *rate_format(const struct rate *r, char *buf, size_t len);
const char *time_format(uint64_t ns, char *buf, size_t len);
const char *ranges_format(const struct range_list *l, char *buf, size_t len);

extern const char *const scn_encap_names[SCN_ENCAP_MAX];
extern const char *const scn_flood_names[SCN_FLOOD_MAX];
extern const char *const scn_wiring_names[SCN_WIRING_MAX];
extern const char *const scn_proto_names[SCN_PROTO_MAX];
extern const char *const scn_pattern_names[SCN_PATTERN_MAX];

#endif
