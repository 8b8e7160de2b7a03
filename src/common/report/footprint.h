/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one connection allocates and holds at both ends, as soak-footprint measures it, or a run
 * with a program that isn't soak's sees it; what can't be seen there is NAN. Plain data, its place
 * in the soak/1 document, and that read back. All figures are per connection (one full or resumed
 * handshake, an echo, idle, closed): medians, which are whole numbers unless a document says
 * otherwise. What each figure is stands in base/footprint_names.h.
 */
#ifndef SOAK_REPORT_FOOTPRINT_H
#define SOAK_REPORT_FOOTPRINT_H

#include "base/err.h"
#include "base/footprint_names.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FOOTPRINT_SITES_MAX = 4096 };

#define FOOTPRINT_FIELD(name) double name;
struct footprint_held {
    FOOTPRINT_HELD_FIGURES(FOOTPRINT_FIELD)
};

struct footprint_site {
    char *file; /* owned; OpenSSL's own, from its source tree's root */
    uint32_t line;
    char *function; /* owned; NULL: not certain */
    FOOTPRINT_SITE_FIGURES(FOOTPRINT_FIELD)
};

struct footprint_side {
    FOOTPRINT_SIDE_FIGURES(FOOTPRINT_FIELD)
    bool exact; /* each figure of the end was the same in all connections */
    struct footprint_held held[FOOTPRINT_STAGE_COUNT];
    size_t sites;
    struct footprint_site *site; /* owned; most allocations first, then by file and line */
};

struct footprint {
    uint64_t connections; /* measured; 0: there is no footprint */
    char openssl[32];     /* the version that was loaded: "3.0.19" */
    char tls[8], key[16]; /* "1.3", "p256" */
    char group[32];       /* of the key exchange, by OpenSSL's name: "x25519"; "": not known */
    struct footprint_side end[FOOTPRINT_END_COUNT];
    double rss_bytes_per_conn; /* of a server end, a witness; NAN: not known */
    char left_out[256];        /* options of the scenario that it doesn't have: "alpn, sni"; "" */
};

/* Frees what it owns; it is as one that is all zero then. */
void footprint_free(struct footprint *f);

/* Adds a site to an end; takes copies. Returns 0, or -1 when there are too many or no memory. */
int footprint_add_site(struct footprint_side *side, const struct footprint_site *site,
                       struct err *e);
/* Brings the sites into their order, whatever order they were added in. */
void footprint_sort(struct footprint *f);

/* The value of the document's key "footprint": a new reference; null for NULL. NULL when out of
 * memory. */
json_t *footprint_json(const struct footprint *f);
/* Reads it back, from a document that anybody may have written. Returns 0 (footprint_free), or -1
 * with a sentence that names the key. */
int footprint_read(const json_t *value, struct footprint *ret, struct err *e);

#endif
