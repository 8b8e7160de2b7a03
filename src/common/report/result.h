/*
 * The result of a run as plain data: the one object from which the text on the screen, result.json
 * and every later format are written, so that they can't disagree. Filled by the orchestrator.
 * Strings and arrays are borrowed: they live as long as the run.
 */
#ifndef SOAK_REPORT_RESULT_H
#define SOAK_REPORT_RESULT_H

#include "stats/judge.h"
#include "stats/selfcheck.h"

#include <stdbool.h>
#include <stdint.h>

struct result_lib {
    const char *name, *version; /* "openssl", "3.0.19" */
};

struct result_site {
    const char *file;
    uint32_t line;
    int64_t blocks, bytes;
    double per_conn_blocks, per_conn_bytes;
    enum kind kind;
    enum verdict verdict;
    const char *why;
};

struct result_census {
    const char *class_;
    int64_t start, end;
};

struct result_subject {
    const char *name; /* "server", "client" */
    struct judgement judgement;
    struct selfcheck selfcheck;
    char why[224];          /* the evidence of what it is called; "" when nothing grows */
    const char *class_name; /* the object class to blame, or NULL */
    size_t sites;
    const struct result_site *site;
    size_t census_count;
    const struct result_census *census;
    double allocs_per_conn, cpu_us_per_conn; /* over the measured epochs */
    uint64_t drained_released_bytes;         /* ledger bytes that the drain gave back */
};

struct result_errors {
    uint64_t total, connect, handshake, echo, timeout, lost;
};

struct result {
    enum verdict verdict;
    int exit_code; /* the verdict's, or 130 when interrupted, 4 when the run broke */
    bool interrupted;
    const char *broken; /* the sentence, when the run broke (server crashed, ...); NULL else */
    const char *scenario;
    const char *version; /* soak's own */
    const char *run_dir; /* relative to the working folder when below it */
    const char *missing; /* what would settle an INCONCLUSIVE run, one sentence; NULL else */
    const char *next[3]; /* commands to type next; NULL-ended when fewer */
    size_t libs;
    struct result_lib lib[4];
    struct {
        uint64_t conns, closed, measured; /* connections; measured: those the verdict rests on */
        double seconds, rate_per_s, asked_per_s; /* asked 0 = max */
        double shortfall; /* share of due replacements that could not be kept, 0..1 */
        struct result_errors errors;
        uint64_t p50_ns, p90_ns, p99_ns, max_ns;
        uint64_t seed;
        const char *tls, *key; /* "1.3", "p256" */
        int epochs;
    } run;
    size_t subjects;
    struct result_subject subject[2];
};

#endif
