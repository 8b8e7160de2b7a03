/* SPDX-License-Identifier: Apache-2.0 */
#include "openmetrics.h"

#include "base/check.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* X(name, type, help, value in the facts `f`): NAN is left out. The sample of a counter ends in
 * _total. */
#define METRICS_LIST(X)                                                                            \
    X("soak_closed", "counter", "connections, or operations, closed so far", (double)f->closed)    \
    X("soak_errors", "counter", "connections that failed against their intent", (double)f->errors) \
    X("soak_elapsed_seconds", "gauge", "since the run began", (double)f->elapsed_ms / 1e3)         \
    X("soak_open_connections", "gauge", "connections that are open, handshakes included",          \
      (double)f->open)                                                                             \
    X("soak_rate", "gauge", "closed per second of churn", f->rate_per_s)                           \
    X("soak_asked_rate", "gauge", "asked for per second; 0 is as many as can be", f->asked_per_s)  \
    X("soak_handshake_p50_seconds", "gauge", "median time of a handshake",                         \
      (double)f->p50_ns / 1e9)                                                                     \
    X("soak_handshake_p99_seconds", "gauge", "99th percentile of the time of a handshake",         \
      (double)f->p99_ns / 1e9)                                                                     \
    X("soak_openssl_blocks", "gauge", "live blocks of OpenSSL in the program under test",          \
      (double)f->blocks)                                                                           \
    X("soak_survivors", "gauge", "blocks that outlived their connections, as last judged",         \
      (double)f->survivors)                                                                        \
    X("soak_ssl_objects", "gauge", "live SSL objects", (double)f->ssl_objects)                     \
    X("soak_sessions", "gauge", "live SSL_SESSION objects", (double)f->sessions)                   \
    X("soak_heap_bytes", "gauge", "allocated in the heap of the program under test",               \
      f->has_heap ? (double)f->heap_bytes : NAN)                                                   \
    X("soak_resident_bytes", "gauge", "its resident set size", (double)f->rss_bytes)               \
    X("soak_heap_growth_bytes", "gauge", "heap per connection", f->heap_per_conn)                  \
    X("soak_sensitivity", "gauge", "one lost block in this many would have shown by now",          \
      f->one_in > 0 ? f->one_in : NAN)                                                             \
    X("soak_leak", "gauge", "1 when something grows for certain", f->growing ? 1.0 : 0.0)

static void put_metric(FILE *out, const char *const word[3], double value)
{
    const char *name = word[0], *type = word[1];
    if (!isfinite(value))
        return;
    fprintf(out, "# TYPE %s %s\n# HELP %s %s\n%s%s %.12g\n", name, type, name, word[2], name,
            type[0] == 'c' ? "_total" : "", value);
}

/* As a label's value: in one line, its quotes escaped. */
static void put_label(FILE *out, const char *name, const char *value)
{
    char clean[256];
    fprintf(out, "%s=\"", name);
    for (const char *p = text_copy(clean, sizeof clean, value ? value : ""); *p; p++)
        fprintf(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    fputc('"', out);
}

static void put_info(FILE *out, const struct live_facts *f)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIx64, f->seed);
    const struct {
        const char *name, *value;
    } label[] = {{"scenario", f->scenario}, {"libs", f->libs}, {"tls", f->tls},
                 {"key", f->key},           {"seed", seed},    {"phase", f->phase}};
    fputs("# TYPE soak_run info\n# HELP soak_run what runs, and how far it is\nsoak_run_info{",
          out);
    for (size_t i = 0; i < sizeof label / sizeof *label; i++) {
        fputs(i ? "," : "", out);
        put_label(out, label[i].name, label[i].value);
    }
    fputs("} 1\n", out);
}

char *openmetrics_write(const struct live_facts *f)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    CHECK(out);
    put_info(out, f);
#define PUT(name, type, help, value)                                                               \
    put_metric(out, (const char *const[3]){name, type, help}, value);
    METRICS_LIST(PUT)
#undef PUT
    fputs("# EOF\n", out);
    CHECK(fclose(out) == 0);
    return text;
}
