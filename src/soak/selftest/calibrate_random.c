/* SPDX-License-Identifier: Apache-2.0 */
#include "calibrate_random.h"

#include "base/exit_codes.h"
#include "calibrate.h"
#include "cmdline.h"
#include "options/grammar.h"
#include "random_mix.h"
#include "report/document.h"
#include "scenario/scenario.h"
#include "stats/judge/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT = 64, SEEN_ONE_IN = 10, FRONT_WORDS = 4 };

struct line {
    struct random_mix mix;
    char closed[TEXT], seed[TEXT];
    const char *words[RANDOM_MIX_WORDS + FRONT_WORDS + 1];
};

/* Connections that a run of this mix needs for a sensitivity; 0 when soak will refuse it. */
static uint64_t least_closed(const struct random_mix *m)
{
    char *argv[RANDOM_MIX_WORDS + 2] = {(char *)(uintptr_t) "soak"};
    struct opts_words none = {.size = 0};
    struct opts_line line = {.argc = (int)m->count + 1, .argv = argv};
    struct scenario s;
    struct plan_input in;
    memcpy(argv + 1, m->words, m->count * sizeof *argv);
    scenario_defaults(&s);
    line.table = scenario_options(&line.options);
    if (opts_parse(&line, &s, &none, NULL) < 0)
        return 0;
    s.churn.max = true;
    if (scenario_check(&s, NULL) < 0)
        return 0;
    scenario_plan(&s, &in);
    return plan_closed_for(&in, SEEN_ONE_IN);
}

static void make_line(const struct calibrate_random *c, uint64_t seed, struct line *ret)
{
    size_t n = 0;
    random_mix_draw(seed, &ret->mix);
    uint64_t least = least_closed(&ret->mix);
    ret->words[n++] = "--closed";
    ret->words[n++] = grammar_count_print(ret->closed, TEXT, c->closed > least ? c->closed : least);
    ret->words[n++] = "--seed";
    ret->words[n++] = grammar_hex_print(ret->seed, TEXT, seed);
    for (size_t i = 0; i < ret->mix.count; i++)
        ret->words[n++] = ret->mix.words[i];
    ret->words[n] = NULL;
}

static const char *word_of(const struct run_process_result *result, const struct result *r)
{
    if (!result->document)
        return result->exit_code == EXIT_USAGE && result->said[0] ? "refused" : "BROKEN";
    return r ? verdict_name(r->verdict) : "BROKEN";
}

static void tell(const struct line *line, const char *word, const struct result *r,
                 const char *otherwise)
{
    char command[1024];
    struct text text = text_into(command, sizeof command);
    cmdline_program(&text);
    text_add(&text, " run --churn max");
    for (size_t i = 0; line->words[i]; i++)
        cmdline_word(&text, line->words[i]);
    printf("%-13s %s", word, command);
    const char *failed = r ? r->first_failure.text : NULL;
    if (r)
        printf("\n%-13s %s%s%s\n%-13s kept: %s", "", calibrate_reason(r),
               failed ? "; the first failure: " : "", failed ? failed : "", "", r->run_dir);
    else if (otherwise)
        printf("\n%-13s %s", "", otherwise);
    printf("\n");
    fflush(stdout);
}

static int run_one(struct calibrate_random *c, struct run_process *sub, uint64_t seed,
                   struct err *e)
{
    struct line line;
    struct run_process_result result;
    make_line(c, seed, &line);
    if (run_process_execute(sub, line.words, &result, e) != 0)
        return -1;
    struct document *document = result.document ? document_read(result.document, NULL) : NULL;
    const struct result *r = document ? &document->result : NULL;
    const char *word = word_of(&result, r);
    bool passed = strcmp(word, "PASS") == 0 && result.exit_code == 0;
    bool refused = strcmp(word, "refused") == 0, kept = !passed && !refused;
    c->passed += passed;
    c->refused += refused;
    c->others += kept;
    tell(&line, word, kept ? r : NULL, result.document ? NULL : result.said);
    document_free(document);
    run_process_done(sub, &result, kept);
    return 0;
}

int calibrate_random_run(struct calibrate_random *c, struct run_process *sub, struct err *e)
{
    for (uint64_t i = 0; i < c->mixes; i++) {
        if (run_one(c, sub, c->seed + i, e) != 0)
            return -1;
    }
    return 0;
}

bool calibrate_random_summarise(const struct calibrate_random *c)
{
    uint64_t mixes = c->passed + c->refused + c->others;
    printf("%" PRIu64 " mix%s: %" PRIu64 " PASS, %" PRIu64 " refused with a reason, %" PRIu64
           " neither\n",
           mixes, mixes == 1 ? "" : "es", c->passed, c->refused, c->others);
    return c->others == 0;
}
