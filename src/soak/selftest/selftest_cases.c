/* SPDX-License-Identifier: Apache-2.0 */
/* The table of bugs, rates and right answers. docs/decision.md says what each rate can demand. */
#include "selftest.h"

#define DEFECTS "server/defect.c"
#define SELDOM  UINT64_C(10000)

/* The ledger's leaks end by themselves; the allocator's figures need a length to be beyond doubt.
 * One loss in 10,000 is beyond doubt after five losses, in both halves: near certain after 18 times
 * as many connections, and what warms up isn't measured. */
#define SHORT  "--closed", "6000"
#define MEDIUM "--closed", "12000"
#define LONG   "--closed", "200k"
#define MUTUAL "--client-auth", "require"
#define ABORTS "--mid-handshake", "9", "--clean", "1", "--half-close", "0", "--reset", "0"
#define HELD   "--operate", "request"
#define RESETS "--reset", "1", "--clean", "0", "--half-close", "0", "--mid-handshake", "0"

#define LEAKS(defect_, one_in_, kind_, file_, ...)                                                 \
    {                                                                                              \
        .defect = defect_, .one_in = one_in_, .verdict = VERDICT_LEAK, .kind = kind_,              \
        .file = file_, __VA_ARGS__                                                                 \
    }
#define QUIET(defect_, one_in_, kind_, file_, ...)                                                 \
    {                                                                                              \
        .defect = defect_, .one_in = one_in_, .verdict = VERDICT_PASS, .kind = kind_,              \
        .file = file_, __VA_ARGS__                                                                 \
    }
#define NOT_ASKED(defect_, one_in_, why)                                                           \
    {                                                                                              \
        .defect = defect_, .one_in = one_in_, .not_asked = why                                     \
    }

static const char below_limit[] = "pins less than the 16 B of pages per connection that a run "
                                  "accepts";
static const char too_few[] = "100 regions in 3 epochs of 30 or more take 2.4M connections";

static const char few_steps[] = "an array that grows in steps takes too few of them";

static const char no_failure[] = "no allocation fails in a run";

static const struct selftest_case cases[] = {
    QUIET(NULL, 1, KIND_NONE, NULL, .options = {"--closed", "4000"}, .quick = true),

    LEAKS("lost-state", 1, KIND_SIDE, DEFECTS, .blocks = 1.0, .function = "lost_state_accept",
          .quick = true),
    LEAKS("lost-state", 100, KIND_SIDE, DEFECTS, .blocks = 0.01, .function = "lost_state_accept",
          .options = {MEDIUM}),
    LEAKS("lost-state", SELDOM, KIND_SIDE, DEFECTS, .blocks = 0.0001,
          .function = "lost_state_accept", .options = {LONG}),

    LEAKS("peer-cert-ref", 1, KIND_OBJECT, "crypto/asn1/", .function = "conn_handshake",
          .anywhere = true, .options = {MUTUAL, "--closed", "3000"}, .quick = true),
    LEAKS("peer-cert-ref", 100, KIND_OBJECT, "crypto/asn1/", .function = "conn_handshake",
          .anywhere = true, .options = {MUTUAL, MEDIUM}),
    LEAKS("peer-cert-ref", SELDOM, KIND_OBJECT, "crypto/asn1/", .function = "conn_handshake",
          .anywhere = true, .options = {MUTUAL, LONG}),

    LEAKS("ssl-retained", 1, KIND_OBJECT, "ssl/ssl_lib.c", .function = "conn_tls_open",
          .anywhere = true, .quick = true),
    LEAKS("ssl-retained", 100, KIND_OBJECT, "ssl/ssl_lib.c", .function = "conn_tls_open",
          .anywhere = true, .options = {MEDIUM}),
    LEAKS("ssl-retained", SELDOM, KIND_OBJECT, "ssl/ssl_lib.c", .function = "conn_tls_open",
          .anywhere = true, .options = {LONG}),

    LEAKS("free-deferred", 1, KIND_DEFERRED, "ssl/ssl_lib.c", .function = "conn_tls_open",
          .anywhere = true, .quick = true),
    LEAKS("free-deferred", 100, KIND_DEFERRED, "ssl/ssl_lib.c", .function = "conn_tls_open",
          .anywhere = true, .options = {MEDIUM}),
    LEAKS("free-deferred", SELDOM, KIND_DEFERRED, "ssl/ssl_lib.c", .function = "conn_tls_open",
          .anywhere = true, .options = {LONG}),

    LEAKS("session-ref", 1, KIND_OBJECT, "ssl/ssl_sess.c", .function = "conn_handshake",
          .anywhere = true, .quick = true),
    LEAKS("session-ref", 100, KIND_OBJECT, "ssl/ssl_sess.c", .function = "conn_handshake",
          .anywhere = true, .options = {MEDIUM}),
    LEAKS("session-ref", SELDOM, KIND_OBJECT, "ssl/ssl_sess.c", .function = "conn_handshake",
          .anywhere = true, .options = {LONG}),

    /* The rate is of the connections that fail or reset: at low rates nearly all do. */
    LEAKS("error-path", 1, KIND_SIDE, DEFECTS, .function = "error_state_accept", .options = {SHORT},
          .quick = true),
    LEAKS("error-path", 100, KIND_SIDE, DEFECTS, .function = "error_state_accept",
          .options = {ABORTS, MEDIUM}),
    LEAKS("error-path", SELDOM, KIND_SIDE, DEFECTS, .function = "error_state_accept",
          .options = {ABORTS, "--closed", "220k"}),

    LEAKS("reset-path", 1, KIND_SIDE, DEFECTS, .function = "reset_state_accept", .quick = true),
    LEAKS("reset-path", 100, KIND_SIDE, DEFECTS, .function = "reset_state_accept",
          .options = {RESETS, MEDIUM}),
    LEAKS("reset-path", SELDOM, KIND_SIDE, DEFECTS, .function = "reset_state_accept",
          .options = {RESETS, LONG}),

    LEAKS("outside", 1, KIND_OUTSIDE, NULL, .blocks = 1.0, .function = "outside_accept",
          .options = {MEDIUM}, .quick = true),
    LEAKS("outside", 100, KIND_OUTSIDE, NULL, .function = "outside_accept",
          .options = {"--closed", "40k"}),
    NOT_ASKED("outside", SELDOM, too_few),

    LEAKS("fragment", 1, KIND_FRAGMENTATION, NULL, .options = {MEDIUM}, .quick = true),
    NOT_ASKED("fragment", 100, below_limit),
    NOT_ASKED("fragment", SELDOM, below_limit),

    LEAKS("per-time", 1, KIND_TIME, DEFECTS, .function = "on_tick", .options = {SHORT},
          .quick = true),

    LEAKS("fd", 1, KIND_DESCRIPTORS, NULL, .blocks = 1.0, .options = {SHORT}, .quick = true),
    LEAKS("fd", 100, KIND_DESCRIPTORS, NULL, .options = {MEDIUM}),
    LEAKS("fd", SELDOM, KIND_DESCRIPTORS, NULL, .options = {LONG}),

    LEAKS("table", 1, KIND_TABLE, "server/defect_stores.c", .options = {SHORT}, .quick = true),
    NOT_ASKED("table", 100, few_steps),
    NOT_ASKED("table", SELDOM, few_steps),

    LEAKS("per-operation", 1, KIND_HELD, "server/defect_stores.c", .blocks = 1.0,
          .function = "notes_add", .options = {HELD, SHORT}, .quick = true),
    LEAKS("per-operation", 100, KIND_HELD, "server/defect_stores.c", .blocks = 0.01,
          .function = "notes_add", .options = {HELD, MEDIUM}),
    LEAKS("per-operation", SELDOM, KIND_HELD, "server/defect_stores.c", .blocks = 0.0001,
          .function = "notes_add", .options = {HELD, LONG}),
    QUIET("per-operation", 1, KIND_NONE, NULL, .options = {SHORT}),

    LEAKS("operation-lost", 1, KIND_SIDE, DEFECTS, .blocks = 1.0, .function = "operation_lose",
          .options = {HELD, SHORT}, .quick = true),
    LEAKS("operation-lost", 100, KIND_SIDE, DEFECTS, .blocks = 0.01, .function = "operation_lose",
          .options = {HELD, MEDIUM}),
    LEAKS("operation-lost", SELDOM, KIND_SIDE, DEFECTS, .blocks = 0.0001,
          .function = "operation_lose", .options = {HELD, LONG}),

    /* No allocation fails in a run: torture alone reaches it (tests/integration/test_torture.py).
     */
    QUIET("alloc-fail-path", 1, KIND_NONE, NULL, .options = {"--closed", "4000"}, .quick = true),
    NOT_ASKED("alloc-fail-path", 100, no_failure),
    NOT_ASKED("alloc-fail-path", SELDOM, no_failure),

    QUIET("one-time", 1, KIND_ONE_TIME, DEFECTS, .function = "table_accept", .options = {SHORT},
          .quick = true),

    QUIET("cache", 1, KIND_CACHE_BOUNDED, DEFECTS, .function = "peers_accept", .options = {SHORT},
          .quick = true),
    QUIET("cache", 100, KIND_CACHE_BOUNDED, DEFECTS, .function = "peers_accept",
          .options = {MEDIUM}),
    QUIET("cache", SELDOM, KIND_CACHE_BOUNDED, DEFECTS, .function = "peers_accept",
          .options = {LONG}),
};

const struct selftest_case *selftest_cases(size_t *ret_count)
{
    *ret_count = sizeof cases / sizeof cases[0];
    return cases;
}
