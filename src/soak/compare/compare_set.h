/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is compared: versions, each with what its runs said, and the judgement on them. Plain data;
 * the one object from which the text, the Markdown and compare.json are written, so that they can't
 * disagree. All texts are its own.
 */
#ifndef SOAK_COMPARE_SET_H
#define SOAK_COMPARE_SET_H

#include "base/intern.h"
#include "base/names.h"
#include "report/result.h"
#include "stats/compare/compare.h"
#include "stats/compare/compare_sites.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct compare_entry {
    const char *name;  /* as asked for: "3.0.22"; of a finished run what tells it from the others */
    const char *asked; /* as it stands on the line, where the name is shorter */
    struct compare_run run[COMPARE_RUNS];
    const char *folder[COMPARE_RUNS], *seed[COMPARE_RUNS]; /* of the runs; may be NULL */
    const char *seen_folder[COMPARE_RUNS]; /* of the run that gave a run's footprint; else NULL */
    size_t runs;
    struct compare_site *site;                /* owned; of the first run with a footprint */
    size_t sites, server_sites;               /* those of the server come first */
    uint64_t footprint_conns;                 /* 0: there is none */
    const char *host, *time;                  /* of its first run; NULL: not known */
    const char *group;                        /* of its key exchange; NULL: not known */
    bool other_leaks;                         /* in some run the program that isn't judged leaks */
    struct result_mapped mapped[RESULT_LIBS]; /* all but `part` may be NULL */
    size_t mapped_count;
};

/* X(identifier, word): how far a comparison came. */
#define COMPARE_STATE_LIST(X)                                                                      \
    X(COMPARE_STATE_RUNNING, "running")                                                            \
    X(COMPARE_STATE_ALL, "all")                                                                    \
    X(COMPARE_STATE_STOPPED, "interrupted")                                                        \
    X(COMPARE_STATE_STUCK, "broken")

enum compare_state { COMPARE_STATE_LIST(ENUM_ID) };
const char *compare_state_name(enum compare_state state);
bool compare_state_from_name(const char *name, enum compare_state *ret);

struct compare_set {
    struct intern *texts;
    const char *version;         /* of the soak that compared */
    const char *scenario, *part; /* "resume-aborted", "openssl"; part "" for finished runs */
    const char *word;            /* finds the scenario again; NULL: there is no such */
    const char *folder;          /* of the comparison; NULL: none is kept */
    const char *machine;         /* where it was measured; NULL: by the runs' own documents */
    const char *started;         /* UTC; NULL for finished runs */
    const char *given;           /* on the line for every run, quoted for a shell; "" = none */
    const char *options;         /* of every run, as it is started: those, and its length */
    uint64_t seed, rounds;       /* 0: finished runs */
    uint64_t planned, done;      /* runs */
    bool footprint;              /* it was asked for */
    bool searched;               /* of a bisection that found its answer */
    enum unit unit;              /* what its runs counted */
    double tolerance;
    enum compare_side side; /* as asked for: SERVER, CLIENT or BOTH; RUN: the program under test */
    enum compare_side program; /* what that is: SERVER, or CLIENT with --client; RUN: not known */
    const char *groups;        /* of the key exchange, as asked for; NULL: OpenSSL's default */
    enum compare_state state;
    int failed; /* exit code of what broke it, or of what couldn't be written; 0: nothing */
    struct compare_entry entry[COMPARE_VERSIONS];
    size_t entries;
    struct compare_judgement judgement;
    /* From entry i-1 to entry i, by enum compare_measure; no groups where nothing is known. */
    struct compare_explanation why[COMPARE_VERSIONS][COMPARE_MEASURES];
};

/* An empty set, or an abort when there is no memory. */
struct compare_set *compare_set_new(void);
void compare_set_free(struct compare_set *s);
/* The set's own copy, cleaned (intern_clean); NULL of NULL. */
const char *compare_set_text(struct compare_set *s, const char *text);
/* Adds a version without runs. CHECKs that there is room. */
struct compare_entry *compare_set_add(struct compare_set *s, const char *name);
/* The version of a part, as mapped; else NULL. */
const char *compare_entry_version(const struct compare_entry *entry, const char *part);
/* Takes back the entry's last run, as if it had never been added. */
void compare_entry_drop(struct compare_entry *entry);
/* What is judged, in the terms of compare_row_info: there SERVER is the program under test,
 * whatever it is, CLIENT the load, and BOTH the two. */
enum compare_side compare_set_judged(const struct compare_set *s);
/* What a side in those terms is called: "server", "client", "both", "run". */
const char *compare_set_side_name(const struct compare_set *s, enum compare_side side);
/* Judges what is there and explains it. */
void compare_set_judge(struct compare_set *s);
/* 130 interrupted, else what broke it (4 where nobody says), else the judgement's, of which what
 * couldn't be written spoils a 0. */
int compare_set_exit_code(const struct compare_set *s);

/*
 * compare.json, "schema": "soak-compare/1": results/schema/soak-compare-1.schema.json. Additive
 * only.
 */
/* The document as text, ended by a newline; owned by the caller; NULL when out of memory. The set
 * has been judged. */
char *compare_json(const struct compare_set *s);
/* The same as a new reference. */
json_t *compare_document(const struct compare_set *s);

#endif
