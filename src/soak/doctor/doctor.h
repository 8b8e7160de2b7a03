/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine can do for a run: facts that are read, things that are tried, and the rules that
 * make a finding of them. The rules are pure; each reads an examination and writes one finding.
 */
#ifndef SOAK_DOCTOR_H
#define SOAK_DOCTOR_H

#include "base/err.h"
#include "base/names.h"
#include "options/grammar.h"
#include "sandbox/sandbox.h"
#include "subject/preflight.h"

#include <stdbool.h>
#include <stdint.h>

#define DOCTOR_STATE_LIST(X)                                                                       \
    X(DOCTOR_OK, "ok")                                                                             \
    X(DOCTOR_WARNING, "warning") /* a run works, with less than it could have */                   \
    X(DOCTOR_FAILURE, "failure") /* no run works */
enum doctor_state { DOCTOR_STATE_LIST(ENUM_ID) };
const char *doctor_state_name(enum doctor_state state);

/* ---- an examination ---- */

struct doctor_asked {
    uint64_t conns;
    struct rate churn;
};

/* What the kernel tells of the machine. */
struct doctor_facts {
    struct ports ports;
    char huge_pages[16];       /* "always", "madvise", "never"; "": not told */
    char clock[32];            /* "tsc"; "": not told */
    int overcommit;            /* vm.overcommit_memory */
    uint64_t commit_left;      /* CommitLimit - Committed_AS: counts where overcommit is 2 */
    uint64_t memory_available; /* MemAvailable; UINT64_MAX: not told */
    uint64_t memory_left;      /* what the limits of the cgroups leave; UINT64_MAX: no limit */
    int processors;            /* online */
    double allowed;            /* of them, by the limits of the cgroups; 0: no limit */
    double load;               /* over the last minute */
};

/* A short run at full speed. */
struct doctor_trial {
    int exit_code;
    char said[512]; /* what it said on stderr */
    uint64_t closed;
    double per_s, server_us, client_us; /* connections; processor time of one */
    char libs[128];                     /* "openssl 3.0.17, libuv 1.44.2, jemalloc 5.3.0" */
    bool jemalloc;                      /* is among them */
};

/* What was tried. A sentence is "" where it worked. */
struct doctor_tried {
    struct err files, page, rollup, loopback, results;
    bool no_probe; /* the library that is preloaded isn't there, or has a path with a blank */
    struct err preload;
    struct sandbox_means sandbox;
    const char *no_sandbox; /* static: why this build has none; NULL: it has */
    char set_aside[512];    /* variables of the caller's; "": none */
    struct doctor_trial trial;
};

struct examination {
    struct doctor_asked asked;
    struct doctor_facts facts;
    struct doctor_tried tried;
};

/* ---- findings ---- */

struct finding {
    const char *name; /* "ports" */
    enum doctor_state state;
    char text[640];
    char mend[512]; /* what to do about it; "": nothing */
};

enum { DOCTOR_FINDINGS_MAX = 24 };
/* All rules over the examination, in the order in which they are told. Returns how many. */
size_t doctor_judge(const struct examination *x, struct finding ret[DOCTOR_FINDINGS_MAX]);

/* ---- looking ---- */

/* Reads the facts. `root` stands before /proc and /sys: "". */
void doctor_facts_read(const char *root, struct doctor_facts *ret);
/* Tries all but the trial. */
void doctor_try(const struct doctor_asked *asked, struct doctor_tried *ret);
/* Runs the trial. Returns 0, or -1 when it can't be started or was interrupted (-EINTR). */
int doctor_trial_run(const struct doctor_asked *asked, struct doctor_trial *ret, struct err *e);

#endif
