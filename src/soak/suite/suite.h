/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a suite is: scenarios run one after the other, on one machine or on several, and what came
 * of each. Plain data and pure functions; the one object from which the table, suite.json, the
 * JUnit file and the summary on GitHub are written, so that they can't disagree.
 *
 * All its texts are its own (suite_text) or its parts' (suite_merge), or NULL where there is none.
 * Every scenario has its entry from the start, as `not run`: so whatever ends a suite early,
 * nothing is missing from its totals.
 */
#ifndef SOAK_SUITE_H
#define SOAK_SUITE_H

#include "base/intern.h"
#include "base/names.h"
#include "report/result.h"
#include "scenario/expect.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SUITE_SHARDS = 64,
    SUITE_SCENARIOS = 4096,
    SUITE_METRICS = 64,
    SUITE_SUBJECTS = 4,
    SUITE_FINDINGS = 128, /* of a scenario */
    SUITE_COURSE = 24,    /* points of it */
    SUITE_TEXT = 4096,    /* bytes of a text in a document */
    SUITE_NO_EXIT = -1
};

/* X(identifier, word printed and in JSON) */
#define SUITE_OUTCOME_LIST(X)                                                                      \
    X(SUITE_MET, "as expected")                                                                    \
    X(SUITE_UNMET, "not as expected") /* an unexpected LEAK, an expected one not seen, ... */      \
    X(SUITE_UNSURE, "inconclusive")                                                                \
    X(SUITE_BROKEN, "broken") /* INVALID, or no result at all */                                   \
    X(SUITE_INTERRUPTED, "interrupted")                                                            \
    X(SUITE_SKIPPED, "skipped") /* no mirror has the program or library: EXIT_GONE */              \
    X(SUITE_NOT_RUN, "not run")

enum suite_outcome { SUITE_OUTCOME_LIST(ENUM_ID) SUITE_OUTCOMES };

/* X(identifier, word in JSON, words for people): why a shard ended. */
#define SUITE_END_LIST(X)                                                                          \
    X(SUITE_END_ALL, "all", "all was run")                                                         \
    X(SUITE_END_FAILED, "failed", "it ended at the first failure")                                 \
    X(SUITE_END_STOPPED, "interrupted", "it was interrupted")                                      \
    X(SUITE_END_STUCK, "broken", "soak couldn't be run")                                           \
    X(SUITE_END_RUNNING, "running", "it never finished")

enum suite_end { SUITE_END_LIST(ENUM_ID) SUITE_ENDS };

struct suite_metric {
    const char *subject, *id, *unit, *verdict; /* "server", "rss", "B", "ok" */
    double per_conn, limit;                    /* NAN where the run had none */
};

/* A site that a run reports, as far as an expectation asks for it. */
struct suite_finding {
    const char *subject, *verdict, *kind; /* "server", "LEAK", "side-allocation-lost" */
    const char *file;                     /* NULL: it has no place in the code */
    uint64_t line;
};

struct suite_subject {
    const char *name, *verdict; /* "server", "PASS" */
    const char *kind;
};

/* How a figure went over the connections that were closed: suite_course.h. */
struct suite_course {
    const char *subject, *id, *unit; /* NULL: there is none */
    size_t points;                   /* 0, or 2 to SUITE_COURSE */
    uint64_t closed[SUITE_COURSE];
    double value[SUITE_COURSE];
};

struct suite_entry {
    const char *name, *file, *expect; /* never NULL */
    const char *verdict;              /* "PASS"; NULL: the run left no result */
    const char *kind, *site;          /* of what is to blame; site as file:line */
    const char *said;                 /* its verdict line, or why there is none; NULL: not run */
    const char *seed, *run_dir;
    const char *started, *libs; /* 2026-11-28T11:05:21Z; openssl 3.0.19, libuv 1.44.2 */
    enum suite_outcome outcome;
    const char *claimed; /* the outcome that a document gave, where it isn't this one; else NULL */
    int exit;            /* of the run; SUITE_NO_EXIT: a signal ended it, or it wasn't run */
    uint64_t shard;      /* that it falls to, 1 and on */
    const char *unit;    /* of what is closed and measured: "connection"; NULL: nothing was */
    uint64_t closed, measured;
    double seconds; /* by the clock, from start to end of the run */
    double planned; /* seconds that the run is to take, before it; not written */
    size_t subjects, findings, metrics;
    struct suite_subject subject[SUITE_SUBJECTS];
    struct suite_finding *finding; /* owned */
    struct suite_metric *metric;   /* owned */
    struct suite_course course;
};

struct suite_shard {
    uint64_t index, of;
    const char *version, *libs, *machine, *host, *started, *options, *folder;
    enum suite_end end;
};

struct suite {
    struct intern *texts;
    struct suite_entry *entry; /* owned; in the order of the whole suite's list */
    size_t entries;
    const char **listed; /* owned; the names of all scenarios, whichever shard they fall to */
    size_t listed_count;
    struct suite_shard shard[SUITE_SHARDS];
    size_t shards;
};

struct suite_totals {
    size_t scenarios, outcome[SUITE_OUTCOMES];
    uint64_t closed, measured;
    double seconds;
};

const char *suite_outcome_name(enum suite_outcome o);
bool suite_outcome_from_name(const char *name, enum suite_outcome *ret);
const char *suite_end_name(enum suite_end end);
bool suite_end_from_name(const char *name, enum suite_end *ret);
const char *suite_end_text(enum suite_end end);

/* `connection`, also where nothing was counted. */
const char *suite_unit(const struct suite_entry *entry);

void suite_init(struct suite *s);
void suite_free(struct suite *s);
/* The suite's own copy of `text`, cleaned (intern_clean); NULL of NULL. */
const char *suite_text(struct suite *s, const char *text);
/* Adds a scenario to the list. Returns its place. */
size_t suite_list(struct suite *s, const char *name);
/* Whether a scenario of that name is in the list. */
bool suite_lists(const struct suite *s, const char *name);
/* Adds an entry, `not run`. The pointer is good until the next is added. */
struct suite_entry *suite_add(struct suite *s, const char *name);
/* The entry of that name, or NULL. */
struct suite_entry *suite_find(const struct suite *s, const char *name);
/* Adds an empty metric to the entry, or returns NULL when there are SUITE_METRICS. */
struct suite_metric *suite_metric_add(struct suite_entry *entry);
/* The same for a finding and SUITE_FINDINGS, a subject and SUITE_SUBJECTS. */
struct suite_finding *suite_finding_add(struct suite_entry *entry);
struct suite_subject *suite_subject_add(struct suite_entry *entry);
/* What its program under test is, whose subject comes first: EXPECT_CLIENT with --client; else, and
 * where there was none, EXPECT_SERVER. */
enum expect_subject suite_tested(const struct suite_entry *entry);
/* Of the entry's subjects the first that leaks, or the first of all: the run's own, which may be a
 * client. NULL: it has none. */
const struct suite_subject *suite_lead(const struct suite_entry *entry);
/* The subject of that name, or NULL. */
const struct suite_subject *suite_subject_find(const struct suite_entry *entry, const char *name);

/* The shard, 1..of, that scenario `place` (0 and on, in the order of the list) falls to: in turn,
 * so that shards differ by one scenario at most. */
uint64_t suite_shard_of(size_t place, uint64_t of);

/* The shard of that index, or NULL. */
const struct suite_shard *suite_shard_find(const struct suite *s, uint64_t index);

/* What a run left: its result or NULL, its exit code (-1: a signal ended it), and the first line it
 * said. */
struct suite_run {
    const struct result *result;
    const char *verdict; /* as its document has it */
    int exit_code;
    const char *said, *started;
    double seconds;
};
/* Judges a run by what was expected of it and fills the entry. */
void suite_judge(struct suite *s, struct suite_entry *entry, const struct suite_run *run);
/* What came of an entry by its verdict, its findings and what is expected; `expect` must parse. The
 * one rule, for a run as for a document that is read. */
enum suite_outcome suite_outcome_of(const struct suite_entry *entry);
/* The expectation that the entry would meet, as for its scenario's [suite]. Returns buf, or NULL
 * when it has no verdict that one could expect. */
char *suite_expectation(const struct suite_entry *entry, char *buf, size_t size);
/* Whether the entry has a verdict and that verdict is `v`. */
bool suite_is(const struct suite_entry *entry, enum verdict v);

void suite_count(const struct suite *s, struct suite_totals *ret);
/* How many are undecided and nobody's failure: inconclusive, interrupted, skipped, not run.
 */
size_t suite_open(const struct suite_totals *t);
/* 1 when something wasn't as expected, else 4 when something is broken, else 3 when one is open,
 * else 0. */
int suite_exit_code(const struct suite_totals *t);
/* Whether an outcome is one to look at: 1 or 4 by itself. */
bool suite_failed(enum suite_outcome o);

#endif
