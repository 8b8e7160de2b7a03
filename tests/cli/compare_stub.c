/* SPDX-License-Identifier: Apache-2.0 */
/* `soak compare` and `soak bisect` as they are, over runs that are made up: what a version comes to
 * stands in the table below. The figures of 3.0.17 and 3.0.20 are measured ones. So 24 runs take no
 * time. Each run's words are appended to the file in SOAK_STUB_LOG.
 */
#include "src/soak/commands.h"
#include "src/soak/compare/compare_prepare.h"
#include "src/soak/run_process.h"
#include "tests/unit/stats/compare/compare_measured.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SITES(array) array, sizeof(array) / sizeof *(array)

static const struct compare_site few[] = {
    {"../crypto/stack/stack.c", NULL, 55, 120, 800},
    {"../crypto/evp/evp_enc.c", "EVP_CIPHER_CTX_new", 44, 40, 14000},
    {"../crypto/bn/bn_lib.c", NULL, 262, 1415, 46410},
};

static const struct version {
    const char *name, *openssl, *verdict;
    double growth, allocs, held, cpu;
    int exit_code;
    const struct compare_site *site;
    size_t sites;
} versions[] = {
    {"1.1.1w", "1.1.1w", "PASS", 0, 1575, 45512, 0.80, 0, SITES(few)},
    {"3.0.17", "3.0.17", "LEAK", 994, 2258, 46900, 1, 1, SITES(measured_3_0_17)},
    {"3.0.20", "3.0.20", "LEAK", 994, 2961, 47007, 1.01, 1, SITES(measured_3_0_20)},
    {"3.0.22", "3.0.22", "PASS", 0, 2957, 47007, 1.01, 0, SITES(measured_3_0_20)},
    {"3.0.24", "3.0.24", "PASS", 0, 2957, 47023, 1.01, 0, SITES(measured_3_0_20)}, /* CLIENT_MORE */
    {"3.0.25", "3.0.25", "PASS", 0, 2957, 47007, 1.01, 1, SITES(measured_3_0_20)}, /* its client */
    {"3.5.7", "3.5.7", "PASS", 0, 1575, 61210, 1.09, 0, SITES(few)},
    {"3.5.9", "3.5.9", "PASS", 0, 1575, 61210, 1.09, 0, SITES(few)},
    {"3.6.5", "3.6.5", "INCONCLUSIVE", 0, 1575, 61210, 1, 3, SITES(few)},
    {"4.0.3", "4.0.3", "INVALID", 0, 1575, 61696, 1, 4, SITES(few)},
    {"9.0.0", "3.0.17", "PASS", 0, 2258, 46900, 1, 0, SITES(few)},  /* it isn't what it says */
    {"9.0.1", "9.0.1", "MAYBE", 0, 2258, 46900, 1, 0, SITES(few)},  /* no verdict of soak's */
    {"9.0.2", "9.0.2", NULL, 0, 0, 0, 1, 2, NULL, 0},               /* it can't be had */
    {"9.0.3", "9.0.3", NULL, 0, 0, 0, 1, -1, NULL, 0},              /* soak crashes */
    {"9.0.4", "9.0.4", "PASS", 0, 2258, 46900, 1, 130, SITES(few)}, /* Ctrl-C in the middle */
    {"9.0.5", "9.0.5", "PASS", 0, 2258, 46900, 1, 0, NULL, 0},      /* no footprint */
    {"9.0.6", "9.0.6", "PASS", 0, 2258, 46900, 1, 0, SITES(few)},   /* its first run breaks */
    {"/opt/tls", "3.5.0", "PASS", 0, 1575, 61210, 1, 0, SITES(few)},
    {"debian:bullseye/nginx", "1.1.1w", "PASS", 0, 1575, 45512, 0.80, 0, SITES(few)},
    {"debian:trixie/nginx", "3.5.7", "PASS", 0, 1575, 61210, 1.09, 0, SITES(few)},
    {"debian:trixie/nginx,libpcre2-8-0", "3.5.7", "PASS", 0, 1575, 61210, 1.09, 0, SITES(few)},
    {"debian:trixie/nginx=1.26.3-3", "3.5.7", "PASS", 0, 1575, 61210, 1.09, 0, SITES(few)},
    {"jemalloc", "3.0.22", "PASS", 0, 2957, 47007, 1, 0, SITES(few)},
    {"libc", "3.0.22", "PASS", 0, 2957, 47007, 1, 0, SITES(few)},
};

static const struct version *version_of(const char *name)
{
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (strcmp(versions[i].name, name) == 0)
            return &versions[i];
    return NULL;
}

/* ---- documents ---- */

static json_t *sites_json(const struct version *v)
{
    json_t *array = json_array();
    for (size_t i = 0; i < v->sites; i++) {
        const struct compare_site *s = &v->site[i];
        json_array_append_new(array, json_pack("{s:s,s:i,s:o,s:f,s:i,s:f,s:f}", "file", s->file,
                                               "line", (int)s->line, "function",
                                               s->function ? json_string(s->function) : json_null(),
                                               "allocs", s->allocs, "reallocs", 0, "bytes",
                                               s->allocs * 64, "held_bytes", s->held_bytes));
    }
    return array;
}

static json_t *held_json(double bytes)
{
    static const char *const stages[] = {"new", "handshake", "data", "idle"};
    static const double share[] = {0.2, 0.8, 0.9, 1};
    json_t *array = json_array();
    for (int i = 0; i < 4; i++)
        json_array_append_new(array, json_pack("{s:s,s:i,s:f,s:f}", "stage", stages[i], "allocs", 9,
                                               "blocks", floor(bytes * share[i] / 250), "bytes",
                                               floor(bytes * share[i])));
    return array;
}

static json_t *end_json(const char *name, double allocs, double held, json_t *sites)
{
    return json_pack("{s:s,s:f,s:i,s:f,s:f,s:i,s:i,s:b,s:o,s:o}", "name", name, "allocs", allocs,
                     "reallocs", 12, "alloc_bytes", allocs * 64, "peak_bytes", held * 1.5,
                     "kept_blocks", 0, "kept_bytes", 0, "exact", 1, "held", held_json(held),
                     "sites", sites);
}

/* Of 3.0.24 only the client differs. */
static bool client_more(const struct version *v)
{
    return strcmp(v->name, "3.0.24") == 0;
}

static json_t *client_sites_json(const struct version *v)
{
    static const struct compare_site usual[] = {
        {"../ssl/record/ssl3_buffer.c", NULL, 48, 1000, 0},
        {"../ssl/statem/extensions_clnt.c", NULL, 478, 699, 0}};
    struct version client = *v;
    client.site = usual;
    client.sites = client_more(v) ? 2 : 1;
    return sites_json(&client);
}

static json_t *footprint_json(const struct version *v)
{
    bool hybrid = strncmp(v->openssl, "3.5", 3) == 0;
    return json_pack(
        "{s:i,s:s,s:s,s:s,s:[o,o],s:f}", "connections", 100, "tls", "1.3", "key", "p256", "group",
        hybrid ? "X25519MLKEM768" : "x25519", "ends",
        end_json("server", v->allocs - 1000, v->held, sites_json(v)),
        end_json("client", client_more(v) ? 1699 : 1000, v->held * 0.7, client_sites_json(v)),
        "rss_bytes_per_conn", v->held * 0.8);
}

static json_t *subject_json(const struct version *v, double growth)
{
    json_t *sites = json_array();
    if (growth > 0)
        json_array_append_new(sites, json_pack("{s:s,s:i,s:s,s:s,s:f}", "file", "../ssl/ssl_sess.c",
                                               "line", 70 + (strcmp(v->openssl, "3.0.20") == 0),
                                               "verdict", "LEAK", "kind", "side-allocation-lost",
                                               "per_conn_bytes", growth));
    return json_pack("{s:s,s:s,s:s,s:f,s:f,s:o,s:{s:{s:i,s:i},s:{s:i,s:i}},s:{s:f,s:f,s:f,s:f}}",
                     "name", "server", "verdict", v->verdict, "kind",
                     growth > 0 ? "side-allocation-lost" : "none", "per_conn_bytes", growth,
                     "per_conn_blocks", growth > 0 ? 2.0 : 0.0, "sites", sites, "census", "SSL",
                     "start", 30, "end", 30, "EVP_PKEY", "start", 61, "end", 61, "after_drain",
                     "anon_bytes", 5e6 + v->held, "ledger_bytes", 1e6, "heap_allocated_bytes", 2e6,
                     "heap_active_bytes", 2.6e6);
}

/* The load generator's: it leaks with 3.0.25. */
static bool client_leaks(const struct version *v)
{
    return strcmp(v->name, "3.0.25") == 0;
}

static json_t *client_json(const struct version *v)
{
    double growth = client_leaks(v) ? 72 : 0;
    return json_pack("{s:s,s:s,s:s,s:f,s:f,s:[]}", "name", "client", "verdict",
                     client_leaks(v) ? "LEAK" : "PASS", "kind",
                     client_leaks(v) ? "side-allocation-lost" : "none", "per_conn_bytes", growth,
                     "per_conn_blocks", growth / 72, "sites");
}

static json_t *document(const struct version *v, int round, bool footprint, const char *folder)
{
    char seed[32];
    bool libc = strcmp(v->name, "libc") == 0;
    double growth = v->growth > 0 ? v->growth + round % 3 : 0;
    double cpu = (300 + 20.0 * round) * (v->cpu + 0.002 * (round % 2));
    snprintf(seed, sizeof seed, "%d", round);
    json_t *root = json_pack(
        "{s:s,s:s,s:i,s:b,s:n,s:s,s:{s:s,s:s,s:s},s:{s:i,s:s,s:{s:i,s:i}},s:[o,o],s:{s:f},s:{s:f},"
        "s:s}",
        "schema", "soak/1", "verdict", client_leaks(v) ? "LEAK" : v->verdict, "exit", v->exit_code,
        "interrupted", v->exit_code == 130, "broken", "scenario", "smoke", "libs", "openssl",
        v->openssl, "libuv", "1.44.2", libc ? "malloc" : "jemalloc", libc ? "glibc-2.36" : "5.3.0",
        "run", "conns", 30, "seed", seed, "handshake_ns", "p50", 9800000 + 100000 * round, "p99",
        21000000, "subjects", subject_json(v, growth), client_json(v), "sensitivity", "one_in",
        265.0, "cost", "cpu_us_per_conn", cpu, "run_dir", folder ? folder : "");
    json_object_set_new(root, "footprint", footprint && v->sites ? footprint_json(v) : json_null());
    json_t *mapped = json_pack("[{s:s,s:s,s:n},{s:s,s:s,s:s+,s:s}]", "part", "openssl", "file",
                               "/cache/libssl.so.3", "version", "part", "openssl", "file",
                               "/cache/libcrypto.so.3", "version", v->openssl, "-1~made", "origin",
                               "debian:made");
    json_object_set_new(root, "mapped", mapped);
    return root;
}

/* As a run with --client has it: the program under test is the client, and comes first. */
static void turn(json_t *root)
{
    json_t *subjects = json_object_get(root, "subjects");
    json_object_set_new(json_array_get(subjects, 0), "name", json_string("client"));
    json_object_set_new(json_array_get(subjects, 1), "name", json_string("server"));
}

/* ---- in place of run_process.c ---- */

static const char *value_of(const char *const *words, const char *option)
{
    size_t length = strlen(option);
    for (; *words && strcmp(*words, "--") != 0; words++)
        if (strncmp(*words, option, length) == 0)
            return *words + length;
    return NULL;
}

static void note(const char *const *words)
{
    const char *path = getenv("SOAK_STUB_LOG");
    FILE *log = path ? fopen(path, "a") : NULL;
    if (!log)
        return;
    for (; *words; words++)
        fprintf(log, "%s%s", *words, words[1] ? " " : "\n");
    fclose(log);
}

int run_process_execute(struct run_process *s, const char *const *words,
                        struct run_process_result *ret, struct err *e)
{
    const char *name = value_of(words, "--malloc="), *seed = value_of(words, "--seed=");
    if (!name)
        name = value_of(words, "--openssl=");
    if (!name)
        name = value_of(words, "--program=");
    const struct version *v = name ? version_of(name) : NULL;
    note(words);
    if (!v)
        return err_set(e, "%s: no such made-up version", name ? name : "?");
    int round = seed ? (int)((strtoul(seed, NULL, 16) - 1) % 100) : 0; /* of --seed 1 */
    if (value_of(words, "--client=") &&
        (value_of(words, "--footprint") || value_of(words, "--client-malloc="))) {
        *ret = (struct run_process_result){.exit_code = 2};
        snprintf(ret->said, sizeof ret->said, "soak: soak's own client has this");
        return 0;
    }
    bool breaks = strcmp(v->name, "9.0.6") == 0 && round == 0;
    bool footprint = value_of(words, "--footprint") != NULL && !breaks;
    *ret = (struct run_process_result){.exit_code = v->exit_code};
    if (v->verdict)
        ret->document = document(v, round, footprint, words[1]);
    if (v->verdict && value_of(words, "--client="))
        turn(ret->document);
    const char *unit = value_of(words, "--reload=")    ? "reload"
                       : value_of(words, "--operate=") ? "operation"
                                                       : "connection";
    if (v->verdict)
        json_object_set_new(json_object_get(ret->document, "run"), "unit", json_string(unit));
    if (breaks)
        json_object_set_new(ret->document, "broken", json_string("server exited"));
    else if (v->exit_code == 2)
        snprintf(ret->said, sizeof ret->said, "soak: %s: it has left the mirror", v->name);
    s->interrupted = v->exit_code == 130;
    return 0;
}

/* ---- in place of compare_prepare.c ---- */

int compare_prepare(const struct prepare_request *q, struct prepared *ret, struct err *e)
{
    for (size_t i = 0; i < q->names; i++)
        if (!version_of(q->name[i]))
            return err_set(e, "%s: no such library", q->name[i]);
    *ret = (struct prepared){.libc = ""};
    if (q->same_libc)
        snprintf(ret->libc, sizeof ret->libc, "2.41");
    return 0;
}

int compare_prepare_list(enum compare_part part, struct prepare_list *ret, struct err *e)
{
    static const char *const known[] = {"1.1.1w", "3.0.17", "3.0.20", "3.0.22", "3.5.7", "3.5.9"};
    if (part != COMPARE_OPENSSL)
        return err_set(e, "no list");
    static const char *const few_known[] = {"3.0.22", "3.0.24"};
    bool short_list = getenv("SOAK_STUB_FEW") != NULL;
    for (size_t i = 0; i < (short_list ? 2 : sizeof known / sizeof *known); i++)
        snprintf(ret->name[ret->count++], PREPARE_NAME, "%s", short_list ? few_known[i] : known[i]);
    return 0;
}

/* `compare-stub document VERSION FILE` writes what a run of it leaves, `client VERSION FILE` one of
 * a client program. */
static int write_document(bool client, const char *name, const char *path)
{
    const struct version *v = version_of(name);
    json_t *root = v && v->verdict ? document(v, 0, !client, NULL) : NULL;
    if (root && client)
        turn(root);
    int rc = root ? json_dump_file(root, path, JSON_INDENT(1)) : -1;
    json_decref(root);
    return rc == 0 ? 0 : 2;
}

/* The commands of this program. */
const struct command *const *commands(size_t *ret_count)
{
    static const struct command *const entries[] = {&compare_command, &bisect_command};
    *ret_count = 2;
    return entries;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "compare") == 0)
        return cmd_compare(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "bisect") == 0)
        return cmd_bisect(argc - 1, argv + 1);
    bool client = argc == 4 && strcmp(argv[1], "client") == 0;
    if (client || (argc == 4 && strcmp(argv[1], "document") == 0))
        return write_document(client, argv[2], argv[3]);
    fprintf(stderr, "usage: compare-stub compare|bisect ...|document|client VERSION FILE\n");
    return 2;
}
