/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run is to do: every option of `soak`, from the defaults, a scenario file and the command
 * line, in that order. The options are one X-macro list (options.def); `--help`, the scenario
 * file's keys and the man page come from it.
 */
#ifndef SOAK_SCENARIO_SCENARIO_H
#define SOAK_SCENARIO_SCENARIO_H

#include "base/err.h"
#include "options/behaviours.h"
#include "options/choices.h"
#include "options/grammar.h"
#include "options/opts_check.h"
#include "stats/judge/verdict.h"

#include <stdbool.h>
#include <stdint.h>

struct scenario {
    /* [load] */
    uint64_t conns;
    struct rate churn;
    int operate;              /* enum operation */
    uint64_t closed;          /* 0 = not bound */
    uint64_t for_ns;          /* 0 = not bound */
    uint64_t payload;         /* bytes of the echoed message */
    const char *say, *answer; /* NULL = none */
    uint64_t seed;            /* 0 = one is drawn and printed */
    uint64_t sources;         /* source addresses; 0 = as many as needed */
    int client_workers;       /* 0 = as many as processors, at most 4 */
    int client_procs;
    int agents;                             /* machines that make the load; 0: this one */
    const char *agents_listen, *token_file; /* where they join; NULL = none */
    uint64_t agents_wait_ns;
    /* [tls] */
    int tls, key;  /* enum values */
    int starttls;  /* enum starttls_protocol */
    double resume; /* share of connections that resume */
    int session;   /* what the server offers */
    uint64_t cache_size;
    int client_auth;
    uint64_t session_timeout_ns;        /* 0 = OpenSSL's */
    int tickets, ticket_callback;       /* enum ticket_callback */
    uint64_t ticket_rotate, early_data; /* connections, bytes; 0 = none */
    bool psk, sni_switch, renegotiation;
    int ocsp, sni_unknown;        /* enum ocsp_kind, sni_unknown */
    int record_padding;           /* bytes, 0 = none */
    const char *groups, *ciphers; /* NULL = OpenSSL's */
    const char *alpn, *sni;       /* NULL = none */
    const char *client_cert;      /* a PEM file's path, NULL = none */
    /* [server] */
    const char *server, *connect; /* a foreign program's command and address; NULL = built-in */
    uint64_t server_mix[SERVER_BEHAVIOURS], cert_names; /* weights: what that server does */
    const char *client;        /* a foreign client program's command; NULL = soak-client */
    int loop;                  /* how often it is started; 0 = once, and it loops by itself */
    const char *program;       /* what is fetched for it, as library/program.h has it */
    struct opts_list template; /* files for its folder, placeholders filled in */
    uint64_t ready_timeout_ns, settle_ns;
    int pid;               /* of a server that runs; 0 = not known */
    const char *processes; /* "all", "main" or a name: foreign.h */
    bool malloc_hooks;
    const char *on_checkpoint; /* command before each sample; NULL = none */
    const char *reload;        /* command that has it read its configuration again; NULL = none */
    const char *stop;          /* a signal's name, such as "TERM" */
    int workers, server_procs;
    int malloc; /* enum malloc_kind; a build without jemalloc has libc only */
    const char *openssl, *libuv, *jemalloc, *libc;  /* the server's; NULL = the build's own */
    int client_malloc;                              /* enum client_malloc */
    struct opts_list env;                           /* NAME=VALUE each, for server and client */
    const char *defect;                             /* NAME[:1/N], NULL = none */
    uint64_t handshake_timeout_ns, idle_timeout_ns; /* idle 0 = none */
    bool requests;
    int ctx;                     /* enum ctx_kind */
    uint64_t ctx_reload, emfile; /* 0 = never */
    uint64_t watchdog_ns;        /* nothing moves for so long: the run is broken */
    const char *listen;          /* address:port, port 0 = any */
    /* [verdict] */
    uint64_t sensitivity; /* one in N; 0 = what the run gives */
    bool unasked;         /* that is what a run without a bound shows: see scenario_settle */
    bool until_sure;      /* go on until the sensitivity is reached; `for_ns` is a limit then */
    double limit_heap, limit_rss; /* bytes per connection */
    uint64_t expect_cache;        /* entries of a cache that the program has; 0 = none known */
    /* Command after the drain: split on blanks, {pid} replaced, no shell. */
    const char *on_drain;
    bool footprint;  /* measure what one connection costs */
    bool probe;      /* false: harness without the ledger (for measuring its cost) */
    bool debuginfod; /* ask DEBUGINFOD_URLS for debug information */
    bool no_sandbox; /* of server and client */
    bool keep_going; /* don't end early when a LEAK is certain */
    /* [torture] */
    bool fail_alloc;   /* fail allocations instead of a run */
    int fail_side;     /* enum fail_side */
    const char *slice; /* K/N, NULL = all */
    /* [output] */
    const char *results; /* folder for runs; NULL = results/runs of the project */
    const char *json;    /* "-" or a path; NULL = none */
    bool quiet;
    int color;           /* enum color_when */
    const char *metrics; /* where they are served; NULL: nowhere */
    const char *serve;   /* where the page is; NULL: nowhere */
    bool bisect_exit;    /* exit codes for git bisect run */
    const char *build;   /* command before the run: split on blanks, no shell; NULL = none */
    /* [suite] */
    const char *expect; /* expect.h; NULL = pass. Only suites look at it */
    const char *needs;  /* a program that must be in PATH; NULL = none */
    /* [mix] */
    uint64_t weight[BEHAVIOUR_COUNT];
};

enum {
    SCENARIO_OPTIONS = BEHAVIOUR_COUNT
#define X(...) +1
#include "options/options.def"
#undef X
};

/* The table over struct scenario; and its options alone, and their number. */
const struct opts_table *scenario_table(void);
const struct opt *scenario_options(size_t *ret_count);
/* The section ([load] ...) of option i. */
const char *scenario_section(size_t i);
/* Whether option i is of the run itself: not where output goes, nor what a suite expects. */
bool scenario_is_of_run(size_t i);
/* Whether option i is the weight of one behaviour: they are the last ones, in the order of enum
 * behaviour. */
bool scenario_is_weight(size_t i);
/* Whether option `i` is --mix, which is all of those weights at once. */
bool scenario_is_mix(size_t i);
/* The names of the sections, in their order; at most `size`. Returns their number. */
size_t scenario_sections(const char **names, size_t size);
/* The value of the option `name`, as opts_print prints it: the names of all enum values are those
 * of options.def, and nowhere else. Returns buf. */
char *scenario_value(const struct scenario *s, const char *name, char *buf, size_t size);

void scenario_defaults(struct scenario *s);
/* Reads scenario file `path`, and what it includes, over `s`; on failure `s` is as it was. Errors:
 * `path:line: sentence`. Strings are kept in storage that lives until the process ends. */
int scenario_read(struct scenario *s, const char *path, struct err *e);
/* Where the program under test listens, as it was given: of the built-in server `listen`. */
const char *scenario_address(const struct scenario *s);
/* Whether the server isn't soak's own: one of --server, or one that runs, by --connect alone. */
bool scenario_meets_foreign(const struct scenario *s);
/* What its run counts. */
enum unit scenario_unit(const struct scenario *s);
/* The number of --stop; 0 when there is no such signal. */
int scenario_stop_signal(const struct scenario *s);
/* What the run is to be able to see, and how long it may take to, when it goes until it is sure:
 * fills `sensitivity` and `for_ns` where the user left them open. After scenario_check. */
void scenario_settle(struct scenario *s);
/* The run's plan as the options ask for it. After scenario_settle, for what it fills in. */
struct plan_input;
void scenario_plan(const struct scenario *s, struct plan_input *ret);
/* --loop: the connections of each run, in their order: ret[s->loop]. */
void scenario_loop(const struct scenario *s, uint64_t *ret);
/* Connections that it takes to see a block lost once per `one_in` of them, spread over so many
 * threads (0: not known): measured, or by all runs of --loop. */
uint64_t scenario_takes(const struct scenario *s, uint64_t one_in, uint64_t threads);
/* "1/100000 takes about 1,804,000 connections, 30m04s at 1000/s". Returns false, writing nothing,
 * when the run is bounded otherwise or ends after about a minute anyway. */
bool scenario_sure_text(const struct scenario *s, char *buf, size_t size);
/* How long the run will take, about: from its bounds and the asked rate (`max`: 1,000 connections
 * per second). */
uint64_t scenario_about_ns(const struct scenario *s);
/* Reads the slice: 1/1 when none is given. Returns 0, or -1 writing nothing. */
int scenario_slice(const struct scenario *s, uint64_t *ret_part, uint64_t *ret_parts);
/* Refuses what can't go together, saying what could: rate and conns, zero weights, --closed under
 * 4 x conns, an unknown defect, a limit out of range. */
int scenario_check(const struct scenario *s, struct err *e);

/*
 * Where each option of a scenario has its value from: beside struct scenario, for those who want to
 * tell it. Plain data; file names live until the process ends.
 */
enum scenario_source { SCENARIO_DEFAULT, SCENARIO_FILE, SCENARIO_COMMAND };

struct scenario_place {
    enum scenario_source source;
    const char *file; /* SCENARIO_FILE only */
    int line;
};

struct scenario_origin {
    struct scenario_place place[SCENARIO_OPTIONS]; /* in the order of scenario_options */
    bool in_file[SCENARIO_OPTIONS]; /* a file gives it, whatever the command line says then */
};

/* Notes that option `i` was given at `place`; the mix stands for every weight. */
void scenario_note(struct scenario_origin *o, size_t i, struct scenario_place place);
/* Notes what a command line gives that opts_parse has accepted. */
void scenario_note_command(struct scenario_origin *o, int argc, char *const *argv);

/* scenario_read that notes the lines of what it read; on failure both are as they were. */
int scenario_read_noting(struct scenario *s, struct scenario_origin *o, const char *path,
                         struct err *e);

/* `default`, `scenarios/smoke.soak:4` or `command line`. Returns buf. */
char *scenario_place_print(char *buf, size_t size, const struct scenario_place *place);
/* Puts `file:line: ` before a sentence of scenario_check about an option that a file has given.
 * Returns -1. */
int scenario_locate(const struct scenario_origin *o, struct err *e);

/*
 * What other tools call the things that soak has: read by those who refuse a name. One table,
 * hints.def. Pure.
 */
struct hint {
    const char *typed;  /* without dashes */
    const char *option; /* soak's name for it, or NULL */
    const char *remark; /* a phrase that follows the option, or stands for it; or NULL */
};

/* NULL when nobody is known to type that. */
const struct hint *hint_for(const char *typed);
/* The command that is meant by a word that is none, or NULL. */
const char *hint_command(const char *typed);

#endif
