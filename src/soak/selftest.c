#include "selftest.h"

#include <math.h>
#include <string.h>

#define DEFECT_FILE "server/defect.c"

/* Long enough for the allocator's figures to be beyond doubt; the ledger's leaks end by themselves.
 */
#define HEAP_RUN                                                                                   \
    {                                                                                              \
        "--closed", "12000"                                                                        \
    }
#define BOUNDED_RUN                                                                                \
    {                                                                                              \
        "--closed", "12000"                                                                        \
    }
#define MUTUAL                                                                                     \
    {                                                                                              \
        "--client-auth", "require"                                                                 \
    }

static const struct selftest_case cases[] = {
    {NULL, NULL, {"--closed", "4000"}, VERDICT_PASS, KIND_NONE, NULL, 0, true},
    {"lost-state", NULL, {NULL}, VERDICT_LEAK, KIND_SIDE, DEFECT_FILE, 1.0, true},
    {"lost-state",
     "1/100",
     {"--closed", "12000"},
     VERDICT_LEAK,
     KIND_SIDE,
     DEFECT_FILE,
     0.01,
     false},
    {"lost-state",
     "1/1000",
     {"--closed", "30000"},
     VERDICT_LEAK,
     KIND_SIDE,
     DEFECT_FILE,
     0.001,
     false},
    {"peer-cert-ref", NULL, MUTUAL, VERDICT_LEAK, KIND_OBJECT, "crypto/asn1/", 0, true},
    {"ssl-retained", NULL, {NULL}, VERDICT_LEAK, KIND_OBJECT, "ssl/ssl_lib.c", 0, true},
    {"free-deferred", NULL, {NULL}, VERDICT_LEAK, KIND_DEFERRED, "ssl/ssl_lib.c", 0, true},
    {"session-ref", NULL, {NULL}, VERDICT_LEAK, KIND_OBJECT, "ssl/ssl_sess.c", 0, true},
    {"error-path", NULL, {"--closed", "12000"}, VERDICT_LEAK, KIND_SIDE, DEFECT_FILE, 0, true},
    {"reset-path", NULL, {NULL}, VERDICT_LEAK, KIND_SIDE, DEFECT_FILE, 0, true},
    {"outside", NULL, HEAP_RUN, VERDICT_LEAK, KIND_OUTSIDE, NULL, 1.0, true},
    {"fragment", NULL, HEAP_RUN, VERDICT_LEAK, KIND_FRAGMENTATION, NULL, 0, true},
    {"per-time", NULL, {NULL}, VERDICT_LEAK, KIND_TIME, DEFECT_FILE, 0, true},
    {"fd", NULL, {"--closed", "6000"}, VERDICT_LEAK, KIND_DESCRIPTORS, NULL, 1.0, true},
    {"table",
     NULL,
     {"--closed", "6000"},
     VERDICT_LEAK,
     KIND_TABLE,
     "server/defect_names.c",
     0,
     true},
    {"one-time", NULL, BOUNDED_RUN, VERDICT_PASS, KIND_ONE_TIME, DEFECT_FILE, 0, true},
    {"cache", NULL, BOUNDED_RUN, VERDICT_PASS, KIND_CACHE_BOUNDED, DEFECT_FILE, 0, true},
};

const struct selftest_case *selftest_cases(size_t *ret_count)
{
    *ret_count = sizeof cases / sizeof cases[0];
    return cases;
}

const char *selftest_outcome_text(enum selftest_outcome o)
{
    static const char *const text[] = {
        [SELFTEST_AS_EXPECTED] = "as expected", [SELFTEST_MISSED] = "MISSED",
        [SELFTEST_FALSE_ALARM] = "FALSE ALARM", [SELFTEST_WRONG_KIND] = "WRONG KIND",
        [SELFTEST_WRONG_SITE] = "WRONG SITE",   [SELFTEST_BROKEN] = "BROKEN"};
    return text[o];
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* The server: the subject that has the bug. */
static const json_t *server_of(const json_t *document)
{
    const json_t *subjects = json_object_get(document, "subjects");
    for (size_t i = 0; i < json_array_size(subjects); i++) {
        const json_t *subject = json_array_get(subjects, i);
        if (strcmp(text_of(subject, "name"), "server") == 0)
            return subject;
    }
    return NULL;
}

/* The finding to compare: the first of a leak; of a PASS the one at the expected file. */
static const json_t *finding_of(const struct selftest_case *c, const json_t *server)
{
    const json_t *sites = json_object_get(server, "sites");
    for (size_t i = 0; i < json_array_size(sites); i++) {
        const json_t *site = json_array_get(sites, i);
        if (c->verdict == VERDICT_LEAK || (c->file && strstr(text_of(site, "file"), c->file)))
            return site;
    }
    return NULL;
}

static bool kind_fits(const struct selftest_case *c, const char *kind)
{
    if (strcmp(kind, kind_name(c->kind)) == 0)
        return true;
    /* Whether a bounded table was still filling at the end depends on the run's length alone. */
    return c->kind == KIND_CACHE_BOUNDED && strcmp(kind, kind_name(KIND_CACHE_FILLING)) == 0;
}

static bool site_fits(const struct selftest_case *c, const struct selftest_said *said)
{
    if (c->file && !strstr(said->file, c->file))
        return false;
    return c->blocks == 0 || fabs(said->blocks - c->blocks) < 0.00005;
}

static void say(const json_t *server, const json_t *finding, struct selftest_said *said)
{
    said->verdict = text_of(server, "verdict");
    said->kind = finding ? text_of(finding, "kind") : text_of(server, "kind");
    said->file = text_of(finding, "file");
    said->line = (long)json_integer_value(json_object_get(finding, "line"));
    said->blocks = json_number_value(json_object_get(finding, "per_conn_blocks"));
}

enum selftest_outcome selftest_judge(const struct selftest_case *c, const json_t *document,
                                     struct selftest_said *said)
{
    *said = (struct selftest_said){.verdict = "", .kind = "", .file = ""};
    const json_t *server = server_of(document);
    if (!server)
        return SELFTEST_BROKEN;
    say(server, finding_of(c, server), said);
    bool leak = strcmp(said->verdict, verdict_word(VERDICT_LEAK)) == 0;
    bool pass = strcmp(said->verdict, verdict_word(VERDICT_PASS)) == 0;
    bool whole_pass = strcmp(text_of(document, "verdict"), verdict_word(VERDICT_PASS)) == 0;
    if (c->verdict == VERDICT_LEAK && pass)
        return SELFTEST_MISSED;
    if (c->verdict == VERDICT_PASS && leak)
        return SELFTEST_FALSE_ALARM;
    if ((!leak && !pass) || (pass && !whole_pass))
        return SELFTEST_BROKEN;
    if (c->kind != KIND_NONE && !kind_fits(c, said->kind))
        return SELFTEST_WRONG_KIND;
    return site_fits(c, said) ? SELFTEST_AS_EXPECTED : SELFTEST_WRONG_SITE;
}
