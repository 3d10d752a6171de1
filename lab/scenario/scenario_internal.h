/* SPDX-License-Identifier: Apache-2.0 */
/* Between the scenario's own files: the document (sections and keys by name, values still text)
 * that scenario_ini.c reads and scenario_set.c changes, and what scenario_keys.c and scenario.c make of it. Nobody else
 * includes this. */
#ifndef TUNLAB_SCENARIO_INTERNAL_H
#define TUNLAB_SCENARIO_INTERNAL_H

#include "lab/scenario/scenario.h"

enum section_kind {
	SECTION_LAB, SECTION_VNI, SECTION_LINK, SECTION_TRAFFIC, SECTION_EVENT, SECTION_ASSERT,
	SECTION_KIND_MAX
};
enum { SECTION_KEYS_MAX = LAB_KEY_MAX, WHY_LEN = 512 };

/* What a section of each kind is called and which keys it has, by key number. */
struct section_schema {
	const char *word;     /* "traffic" */
	const char *argument; /* what follows the word: "NAME", "N", "hostN"; NULL: nothing does */
	const char *keys[SECTION_KEYS_MAX + 1];
};
extern const struct section_schema section_schemas[SECTION_KIND_MAX];

struct doc_value {
	char *text; /* NULL: not given */
	int where;  /* as in scn_error_at */
};
struct doc_section {
	enum section_kind kind;
	char title[SCN_NAME_LEN + 16]; /* "traffic web": as in the header, one space */
	char name[SCN_NAME_LEN];       /* "web" */
	uint32_t number;               /* [vni 10002], [link host3] */
	int line;
	bool broken;    /* a line below the header was refused */
	unsigned wrong; /* bit KEY: a line that gave it was refused */
	struct doc_value values[SECTION_KEYS_MAX];
};
struct doc {
	struct doc_section *sections;
	size_t n;
	bool no_text;                   /* nothing could be read */
	unsigned lab_wrong, vnis_wrong; /* keys that stand below refused headers */
	bool names_wrong;               /* a [traffic] header was refused */
};

/* A header taken apart. */
struct header {
	enum section_kind kind;
	char name[SCN_NAME_LEN];
	uint32_t number;
	char title[SCN_NAME_LEN + 16];
};
/* text: what stands between the brackets, trimmed. false with the sentence in why. */
bool header_parse(const char *text, struct header *ret, char *why);
/* NULL: there is none. */
struct doc_section *doc_find(struct doc *doc, enum section_kind kind, const char *name);
struct doc_section *doc_add(struct doc *doc, const struct header *h, int line); /* NULL: no memory */
size_t doc_count(const struct doc *doc, enum section_kind kind);
/* The number of a key in its section, or -1 with the sentence in why. */
int find_key(enum section_kind kind, const char *key, char *why);

/* Text to document; mistakes go to e. s has file and sets already. 0 or -ENOMEM. The document must
 * be freed either way. */
int doc_read(const struct scn_source *source, const struct scenario *s, struct doc *doc,
	     struct scn_errors *e);
/* Applies s->sets over it. */
int doc_apply_sets(struct doc *doc, const struct scenario *s, struct scn_errors *e);
void doc_free(struct doc *doc);

/* What is being built. Values whose defaults depend on others stay in flags until everything is
 * read. */
struct build {
	struct scenario *s;
	struct scn_errors *e;
	struct range_list vnis;
	enum scn_encap encap;
	enum scn_flood flood;
	bool has_underlay, has_first, has_flood;
	bool flood_refused, wiring_refused; /* told already */
	bool no_memory;
};

/* A [vni] section's own values, laid over the lab's when its VNI's turn comes. */
struct vni_values {
	struct scn_vni v;
	bool has_subnet, has_group, has_flood, has_encap;
};

/* Reads one value into object (what the section is being read into). false with the sentence in why. By section: [key]. */
typedef bool value_fn(struct build *b, void *object, const char *value, char *why);
extern value_fn *const link_keys[], *const traffic_keys[], *const event_keys[], *const assert_keys[];
/* What several of them say: false with that sentence; the index of value in names. */
bool value_refuse(char *why, const char *sentence);
bool value_choice(const char *value, const char *const *names, size_t n, int *ret, char *why);

/* Reads every value of a section into object (a struct scenario, vni_values, scn_link, scn_traffic, scn_event or
 * scn_check) and notes where each stood. The keys that are wrong (bit KEY), all reported. */
unsigned read_section(struct build *b, const struct doc_section *section, void *object, int *key_line);
/* May it stand in a lab's name? The name stands in paths and URLs. */
bool name_char(char c);

/* Text helpers. */
/* Length of the well-formed UTF-8 prefix; of the prefix without control characters other than a text's. */
size_t utf8_prefix(const unsigned char *s, size_t n);
size_t text_prefix(const char *text, size_t len);
const char *skip_space(const char *p);
/* The decimal number at *p ("12", "1.5"), moving *p behind it; false when there is none or it is
 * too long. */
bool scan_decimal(const char **p, double *ret);
/* Digits only, all of the text, at most max. */
bool scan_u64(const char *text, uint64_t max, uint64_t *ret);
/* The entry of a NULL-terminated list that text was probably meant to be, or NULL. */
const char *nearest_word(const char *text, const char *const *words);
/* "a, b, c" into buf. */
const char *join_words(const char *const *words, char *buf, size_t len);

#endif
