/*
 * What a run shows while it goes on, on stderr: a block of fixed height on a terminal, redrawn four
 * times a second; elsewhere one plain line per phase and every 30 seconds. Reads plain data only.
 */
#ifndef SOAK_LIVE_H
#define SOAK_LIVE_H

#include <stdbool.h>
#include <stdint.h>

struct live_facts {
    const char *phase; /* "warming up", "measuring", "holding", "draining" */
    const char *scenario, *libs;
    char tls[16], key[16]; /* their options' values */
    uint64_t conns, seed;
    double asked_per_s;  /* 0 = max */
    int epoch, epochs;   /* 1-based, and about how many */
    const char *counted; /* what `closed` are: "operations"; NULL = "closed" */
    uint64_t closed, total, elapsed_ms;
    double rate_per_s;
    uint64_t open, p50_ns, p99_ns, errors;
    int64_t blocks, survivors, ssl_objects, sessions, x509s;
    uint64_t heap_bytes, rss_bytes;
    double heap_per_conn, rss_per_conn, rss_half_width; /* NAN = not known yet */
    double one_in;                                      /* sensitivity so far; 0 = none */
    bool growing;
};

struct live;

/* Draws on stderr. The terminal's width is found out at each drawing. NULL when out of memory. */
struct live *live_new(bool colour);
/* A new phase begins. */
void live_phase(struct live *l, const struct live_facts *facts);
/* Whether a tick at this time shows anything, so that nothing is read for one that doesn't. */
bool live_due(const struct live *l, uint64_t elapsed_ms);
/* Four times a second, when one is due. */
void live_tick(struct live *l, const struct live_facts *facts);
/* One sentence that stays, above the block. */
void live_note(struct live *l, const char *text);
/* Removes the block, so that what follows stands in its place. Frees. NULL is fine. */
void live_free(struct live *l);

#endif
