/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign.h"

#include "base/check.h"
#include "base/rng.h"
#include "calibrate.h"
#include "options/grammar.h"
#include "report/document.h"
#include "scenario/scenario.h"
#include "stats/sensitivity.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

ENUM_NAMES(campaign_of, CAMPAIGN_LIST)
ENUM_FROM_NAME(campaign_of, CAMPAIGN_LIST)
ENUM_NAMES(campaign_outcome, CAMPAIGN_OUTCOME_LIST)
ENUM_FROM_NAME(campaign_outcome, CAMPAIGN_OUTCOME_LIST)

/* Connections of a run: enough for five losses in both halves, beside what warms up. Programs of
 * others warm up for longer than a clean server does. */
enum {
    WARM_UP = 3000,
    LOSSES = 22,
    CLEAN_LEAST = 600,
    CLEAN_MOST = 3000,
    PROGRAM_LEAST = 2000,
    PROGRAM_MOST = 5000,
    BUGS_MAX = 32
};

/* What may stand beside a bug without changing what is right of it. */
static const char *const surroundings[] = {
    "--tls=1.2",          "--key=rsa2048", "--key=both",      "--workers=4", "--conns=5",
    "--client-workers=2", "--conns=80",    "--payload=16KiB", "--tickets=0", "--alpn=h2,http/1.1",
    "--groups=P-256",     "--sources=3",   "--malloc=libc",
};
/* From the first that the build has. */
static const char *const allocators[] = {"--malloc=jemalloc", "--malloc=libc"};
enum { ALLOCATOR = SCENARIO_JEMALLOC ? 0 : 1, ALLOCATORS = 2 };
static const char *const workers[] = {"--workers=1", "--workers=4"};

/* ---- a line ---- */

static void add(struct campaign_case *c, const char *word)
{
    CHECK(c->words < CAMPAIGN_WORDS);
    c->word[c->words++] = word;
}

__attribute__((format(printf, 2, 3))) static void add_made(struct campaign_case *c,
                                                           const char *format, ...)
{
    va_list list;
    size_t room = sizeof c->text - c->used;
    va_start(list, format);
    int n = vsnprintf(c->text + c->used, room, format, list);
    va_end(list);
    CHECK(n > 0 && (size_t)n < room);
    add(c, c->text + c->used);
    c->used += (size_t)n + 1;
}

/* The value of an option of the line, which has it as `--name=value` or in two words; NULL: it
 * hasn't. */
static const char *value_of(const struct campaign_case *c, const char *option)
{
    size_t length = strcspn(option, "=");
    for (size_t i = 0; i < c->words; i++) {
        if (strncmp(c->word[i], option, length) != 0)
            continue;
        if (c->word[i][length] == '=')
            return c->word[i] + length + 1;
        if (c->word[i][length] == '\0' && i + 1 < c->words)
            return c->word[i + 1];
    }
    return NULL;
}

/* One of `count` words, unless the line has that option. */
static void add_one(struct campaign_case *c, struct rng *r, const char *const *words, size_t count)
{
    const char *word = words[rng_below(r, count)];
    if (!value_of(c, word))
        add(c, word);
}

static void add_seed(struct campaign_case *c, struct rng *r)
{
    add_made(c, "--seed=%" PRIx64, rng_next(r) >> 33 | 1);
}

static const char *add_version(struct campaign_case *c, struct rng *r,
                               const struct campaign_choice *choice)
{
    if (choice->versions == 0)
        return "OpenSSL as built";
    const char *version = choice->openssl[rng_below(r, choice->versions)];
    add_made(c, "--openssl=%.80s", version);
    return version;
}

/* ---- clean ---- */

static void draw_clean(const struct campaign_choice *choice, struct rng *r, struct campaign_case *c)
{
    size_t count;
    const struct calibrate_mix *mix = calibrate_mixes(&count);
    uint64_t most = choice->scenarios ? PROGRAM_MOST : CLEAN_MOST;
    uint64_t least = choice->scenarios ? PROGRAM_LEAST : CLEAN_LEAST;
    add_made(c, "--closed=%" PRIu64, least + rng_below(r, most - least));
    if (choice->scenarios) {
        const char *name = choice->scenario[rng_below(r, choice->scenarios)];
        add(c, name);
        snprintf(c->row, sizeof c->row, "%.60s", name);
        return;
    }
    mix += rng_below(r, count);
    for (size_t i = 0; mix->options[i]; i++)
        add(c, mix->options[i]);
    add_one(c, r, allocators + ALLOCATOR, ALLOCATORS - ALLOCATOR);
    add_one(c, r, workers, sizeof workers / sizeof *workers);
    const char *version = add_version(c, r, choice);
    snprintf(c->row, sizeof c->row, "%.30s, %.10s, workers %.2s", version, value_of(c, "--malloc"),
             value_of(c, "--workers"));
}

/* ---- leaks ---- */

/* The bugs that leak, and the rarest rate that is asked of each. */
struct bug {
    const char *name;
    uint64_t rarest;
};

static size_t list_bugs(struct bug bugs[BUGS_MAX])
{
    size_t count, used = 0;
    const struct selftest_case *row = selftest_cases(&count);
    for (size_t i = 0; i < count; i++) {
        if (row[i].verdict != VERDICT_LEAK) /* nor what isn't asked, which has no verdict */
            continue;
        if (used == 0 || strcmp(bugs[used - 1].name, row[i].defect) != 0) {
            CHECK(used < BUGS_MAX);
            bugs[used++].name = row[i].defect;
        }
        bugs[used - 1].rarest = row[i].one_in;
    }
    return used;
}

/* The row that asks for this bug at this rate or a rarer one. */
static const struct selftest_case *row_for(const char *defect, uint64_t one_in)
{
    size_t count;
    const struct selftest_case *row = selftest_cases(&count), *found = NULL;
    for (size_t i = 0; i < count && !found; i++) {
        if (row[i].defect && strcmp(row[i].defect, defect) == 0 && row[i].one_in >= one_in &&
            row[i].verdict == VERDICT_LEAK)
            found = &row[i];
    }
    CHECK(found);
    return found;
}

/* Evenly by the logarithm from 1 to `most`. */
static uint64_t draw_rate(struct rng *r, uint64_t most)
{
    return (uint64_t)floor(exp(rng_unit(r) * log((double)most + 1)));
}

/* The row's options, with as many connections as its rate takes. */
static void add_row(struct campaign_case *c, const struct selftest_case *row, uint64_t one_in)
{
    uint64_t closed = 0, needed = WARM_UP + LOSSES * one_in;
    for (size_t i = 0; row->options[i]; i++) {
        if (strcmp(row->options[i], "--closed") != 0) {
            add(c, row->options[i]);
            continue;
        }
        CHECK(grammar_count(row->options[++i], &closed, NULL) == 0);
    }
    closed = row->one_in > 1 ? closed * one_in / row->one_in : closed;
    add_made(c, "--closed=%" PRIu64, closed > needed ? closed : needed);
}

void campaign_plant(struct campaign_case *c, const char *defect, uint64_t one_in)
{
    c->expected = *row_for(defect, one_in);
    c->expected.one_in = one_in;
    c->expected.blocks = c->expected.blocks > 0 ? 1.0 / (double)one_in : 0;
    if (one_in > 1)
        add_made(c, "--defect=%s:1/%" PRIu64, defect, one_in);
    else
        add_made(c, "--defect=%s", defect);
}

/* Only jemalloc tells what is lost outside OpenSSL's allocator. */
static bool fits(const struct selftest_case *row, const char *word)
{
    return strcmp(word, "--malloc=libc") != 0 ||
           (row->kind != KIND_OUTSIDE && row->kind != KIND_FRAGMENTATION);
}

static void draw_leak(const struct campaign_choice *choice, struct rng *r, struct campaign_case *c)
{
    struct bug bugs[BUGS_MAX];
    const struct bug *bug = &bugs[rng_below(r, list_bugs(bugs))];
    uint64_t one_in = draw_rate(r, bug->rarest);
    const struct selftest_case *row = row_for(bug->name, one_in);
    add_row(c, row, one_in);
    for (uint64_t n = rng_below(r, 3); n > 0; n--) {
        const char *word = surroundings[rng_below(r, sizeof surroundings / sizeof *surroundings)];
        if (!value_of(c, word) && fits(row, word))
            add(c, word);
    }
    add_version(c, r, choice);
    campaign_plant(c, bug->name, one_in);
    snprintf(c->row, sizeof c->row, "%s", bug->name);
}

/* ---- any ---- */

void campaign_draw(const struct campaign_choice *choice, uint64_t number, struct campaign_case *ret)
{
    struct rng r = {.state = choice->seed * UINT64_C(0x100000001b3) + number};
    *ret = (struct campaign_case){.expected.verdict = VERDICT_PASS};
    if (choice->which == CAMPAIGN_LEAKS)
        draw_leak(choice, &r, ret);
    else
        draw_clean(choice, &r, ret);
    add_seed(ret, &r);
}

#define IN_CLEAN(id, name, clean, leaks) [id] = clean,
#define IN_LEAKS(id, name, clean, leaks) [id] = leaks,
bool campaign_has(enum campaign_of which, enum campaign_outcome o)
{
    static const bool in_clean[] = {CAMPAIGN_OUTCOME_LIST(IN_CLEAN)};
    static const bool in_leaks[] = {CAMPAIGN_OUTCOME_LIST(IN_LEAKS)};
    return which == CAMPAIGN_CLEAN ? in_clean[o] : in_leaks[o];
}

static enum campaign_outcome judge_clean(const struct result *r)
{
    static const enum campaign_outcome of[] = {[VERDICT_PASS] = CAMPAIGN_RIGHT,
                                               [VERDICT_LEAK] = CAMPAIGN_ALARM,
                                               [VERDICT_INVALID] = CAMPAIGN_BROKEN,
                                               [VERDICT_INCONCLUSIVE] = CAMPAIGN_DOUBT};
    return of[r->verdict];
}

/* A PASS says what it would have shown; a rarer leak isn't missed by it. */
static enum campaign_outcome judge_pass(const struct campaign_case *c, const struct result *r)
{
    const struct result_subject *server = result_subject_find(r, "server");
    double shown = server ? server->judgement.sensitivity.one_in : 0;
    return shown >= (double)c->expected.one_in ? CAMPAIGN_MISSED : CAMPAIGN_BELOW;
}

enum campaign_outcome campaign_judge_first(const struct result *r)
{
    const struct result_subject *server = r ? result_subject_find(r, "server") : NULL;
    if (!server)
        return CAMPAIGN_BROKEN;
    enum campaign_outcome o = judge_clean(r);
    bool says = server->judgement.sensitivity.one_in >= 1;
    return o == CAMPAIGN_RIGHT && !says ? CAMPAIGN_BROKEN : o;
}

enum campaign_outcome campaign_judge(const struct campaign_case *c, const struct result *r)
{
    static const enum campaign_outcome of[SELFTEST_OUTCOMES] = {
        [SELFTEST_CAUGHT] = CAMPAIGN_RIGHT,      [SELFTEST_QUIET] = CAMPAIGN_RIGHT,
        [SELFTEST_FALSE_ALARM] = CAMPAIGN_ALARM, [SELFTEST_WRONG_KIND] = CAMPAIGN_KIND,
        [SELFTEST_WRONG_SITE] = CAMPAIGN_PLACE,  [SELFTEST_WRONG_STACK] = CAMPAIGN_PLACE,
        [SELFTEST_UNDECIDED] = CAMPAIGN_DOUBT,   [SELFTEST_BROKEN] = CAMPAIGN_BROKEN};
    struct selftest_said said;
    if (!r)
        return CAMPAIGN_BROKEN;
    if (!c->expected.defect)
        return judge_clean(r);
    enum selftest_outcome o = selftest_judge(&c->expected, r, &said);
    return o == SELFTEST_MISSED ? judge_pass(c, r) : of[o];
}

/* Whether k of n are surely (95 %, exact) more than this share. */
static bool surely_more(uint64_t k, uint64_t n, double share)
{
    return n > 0 && 1 - sensitivity_upper_share(n - k, n, 0.95) > share;
}

bool campaign_good(enum campaign_of which, const uint64_t outcome[CAMPAIGN_OUTCOMES])
{
    uint64_t all = 0, found = outcome[CAMPAIGN_RIGHT] + outcome[CAMPAIGN_KIND];
    for (int i = 0; i < CAMPAIGN_OUTCOMES; i++)
        all += outcome[i];
    if (outcome[CAMPAIGN_ALARM] || outcome[CAMPAIGN_BROKEN])
        return false;
    found += outcome[CAMPAIGN_PLACE];
    if (which == CAMPAIGN_SENSITIVITY)
        return !surely_more(all - found, all, 1 - JUDGE_CONFIDENCE_PERMILLE / 1000.0);
    if (outcome[CAMPAIGN_MISSED])
        return false;
    if (which == CAMPAIGN_CLEAN)
        return !surely_more(outcome[CAMPAIGN_DOUBT], all, 0.005);
    return !surely_more(outcome[CAMPAIGN_DOUBT] + outcome[CAMPAIGN_BELOW], all, 0.01) &&
           !surely_more(outcome[CAMPAIGN_KIND] + outcome[CAMPAIGN_PLACE], found, 0.01);
}
