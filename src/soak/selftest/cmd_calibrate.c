/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "base/input.h"
#include "base/text.h"
#include "calibrate.h"
#include "calibrate_random.h"
#include "options/grammar.h"
#include "options/opts.h"
#include "report/document.h"
#include "run_process.h"
#include "stats/sensitivity.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { MIXES_MAX = 32, TEXT = 64, RUNS_LIMIT = 1000000 };
static const double confidence = 0.95;

struct options {
    uint64_t runs, closed, seed, random;
    const char *mix;
};

static const struct opt table[] = {
    {"runs", OPT_COUNT, offsetof(struct options, runs), "COUNT", NULL,
     "runs in all, over the mixes in turn"},
    {"closed", OPT_COUNT, offsetof(struct options, closed), "COUNT", NULL,
     "closed connections of each run"},
    {"seed", OPT_HEX, offsetof(struct options, seed), "HEX", NULL,
     "seed of the first round over the mixes; each round takes the next"},
    {"random", OPT_COUNT, offsetof(struct options, random), "COUNT", NULL,
     "instead: this many random mixes of options and behaviours; the seed chooses the first"},
    {"mix", OPT_STRING, offsetof(struct options, mix), "NAME", NULL,
     "this mix only, such as 'default' or 'TLS 1.2'"},
};

static const struct options usual = {.runs = 200, .closed = 2000, .seed = 1};

const struct command calibrate_command = {
    .name = "calibrate",
    .run = cmd_calibrate,
    .words = "[OPTIONS]",
    .line = "how often a clean server is called a leak",
    .about = "Runs a clean server many times, with each of a table of mixes in turn, and says how "
             "often it was called a leak, and what bound on the rate of false alarms that proves.\n"
             "With --random it draws mixes of options and behaviours instead: each must be refused "
             "with a reason, or pass. The command of each is printed, to repeat it.\n",
    .after = "The folders of runs that weren't as expected are kept and named.\n"
             "Exit: 0, 1 after a LEAK, an INVALID or a ledger that moved (with --random after "
             "anything but PASS or a refusal), 2 usage, 4 when soak can't be run, 130 interrupted, "
             "with what was measured until then.\n",
    .table = table,
    .options = sizeof table / sizeof *table,
    .defaults = &usual};

/* What is under way. */
struct calibration {
    const struct options *o;
    const struct calibrate_mix *mix;
    size_t mixes;
    struct calibrate_tally tally[MIXES_MAX];
    struct calibrate_random random;
    struct run_process sub;
};

/* The line of a run: the options of its mix, its length and its seed. */
static void make_words(const struct options *o, const struct calibrate_mix *m, uint64_t seed,
                       char text[2][TEXT], const char **words)
{
    size_t n = 0;
    words[n++] = "--closed";
    words[n++] = grammar_count_print(text[0], TEXT, o->closed);
    words[n++] = "--seed";
    words[n++] = grammar_hex_print(text[1], TEXT, seed);
    for (size_t i = 0; m->options[i]; i++)
        words[n++] = m->options[i];
    words[n] = NULL;
}

static bool ledger_level(const char *folder)
{
    struct calibrate_ledger l = {.checkpoints = 0};
    char path[SCRATCH_PATH + TEXT];
    snprintf(path, sizeof path, "%s/samples.jsonl", folder);
    FILE *in = input_open(path, NULL);
    if (!in)
        return false;
    json_t *sample;
    while ((sample = json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL))) {
        calibrate_ledger_add(&l, sample);
        json_decref(sample);
    }
    fclose(in);
    return calibrate_ledger_level(&l);
}

/* A PASS is told when its ledger moved. */
static void tell(const struct calibrate_mix *m, uint64_t seed, enum verdict v,
                 const struct result *r, const struct run_process_result *result)
{
    run_process_progress_end();
    printf("%s, seed %" PRIx64 ": %s%s; kept: %s%s%s\n", m->name, seed, verdict_name(v),
           v == VERDICT_PASS ? ", the ledger moved" : "",
           r && r->run_dir ? r->run_dir : result->folder, result->said[0] ? "; it said: " : "",
           result->said);
    fflush(stdout);
}

/* Returns 0, or -1 when it was interrupted or soak can't be run. */
static int run_one(struct calibration *c, size_t mix, uint64_t seed, struct err *e)
{
    const struct calibrate_mix *m = &c->mix[mix];
    const char *words[CALIBRATE_OPTIONS + 5];
    char text[2][TEXT];
    struct run_process_result result;
    make_words(c->o, m, seed, text, words);
    if (run_process_execute(&c->sub, words, &result, e) != 0)
        return -1;
    struct document *document = result.document ? document_read(result.document, NULL) : NULL;
    const struct result *r = document ? &document->result : NULL;
    bool level = r && r->run_dir && ledger_level(r->run_dir);
    enum verdict v = calibrate_count(&c->tally[mix], r, level);
    bool expected = v == VERDICT_PASS && (level || !m->level);
    if (!expected)
        tell(m, seed, v, r, &result);
    document_free(document);
    run_process_done(&c->sub, &result, !expected);
    return 0;
}

static void print_row(const char *name, const struct calibrate_tally *t)
{
    printf("%-20s %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %8" PRIu64 " %13" PRIu64 " %8" PRIu64 "\n",
           name, t->runs, t->verdict[VERDICT_PASS], t->verdict[VERDICT_LEAK],
           t->verdict[VERDICT_INVALID], t->verdict[VERDICT_INCONCLUSIVE], t->level);
}

static void print_bound(const char *what, uint64_t k, uint64_t n)
{
    if (n)
        printf("%s: %" PRIu64 " of %" PRIu64 ", so at most %.2f %% of such runs (%.0f %% sure)\n",
               what, k, n, 100 * sensitivity_upper_share(k, n, confidence), 100 * confidence);
}

/* Prints the table. Returns whether all was as it must be. */
static bool summarise(const void *owner)
{
    const struct calibration *c = owner;
    if (c->o->random)
        return calibrate_random_summarise(&c->random);
    struct calibrate_tally all = {.runs = 0}, must = {.runs = 0};
    printf("%-20s %6s %6s %6s %8s %13s %8s\n", "mix", "runs", "PASS", "LEAK", "INVALID",
           "INCONCLUSIVE", "level");
    for (size_t i = 0; i < c->mixes; i++) {
        const struct calibrate_tally *t = &c->tally[i];
        if (t->runs)
            print_row(c->mix[i].name, t);
        all.runs += t->runs;
        all.level += t->level;
        for (size_t v = 0; v < sizeof t->verdict / sizeof *t->verdict; v++)
            all.verdict[v] += t->verdict[v];
        must.runs += c->mix[i].level ? t->runs : 0;
        must.level += c->mix[i].level ? t->level : 0;
    }
    print_row("all", &all);
    print_bound("false alarms (LEAK)", all.verdict[VERDICT_LEAK], all.runs);
    print_bound("INVALID", all.verdict[VERDICT_INVALID], all.runs);
    printf("level (OpenSSL's blocks the same at every checkpoint):\n"
           "  %" PRIu64 " of %" PRIu64 " runs that must be, %" PRIu64 " of %" PRIu64 " others\n",
           must.level, must.runs, all.level - must.level, all.runs - must.runs);
    return !all.verdict[VERDICT_LEAK] && !all.verdict[VERDICT_INVALID] && must.level == must.runs;
}

static int run_all(void *owner, struct err *e)
{
    struct calibration *c = owner;
    uint64_t done = 0, seed = c->o->seed;
    int rc = 0;
    if (c->o->random) {
        c->random = (struct calibrate_random){
            .mixes = c->o->random, .seed = c->o->seed, .closed = c->o->closed};
        return calibrate_random_run(&c->random, &c->sub, e);
    }
    run_process_progress(done, c->o->runs);
    while (rc == 0 && done < c->o->runs) {
        for (size_t i = 0; rc == 0 && i < c->mixes && done < c->o->runs; i++) {
            rc = run_one(c, i, seed, e);
            done += rc == 0;
            run_process_progress(done, c->o->runs);
        }
        seed++;
    }
    return rc;
}

/* Leaves only the mix that is asked for. */
static int choose(struct calibration *c, struct err *e)
{
    const char *names[MIXES_MAX];
    c->mix = calibrate_mixes(&c->mixes);
    for (size_t i = 0; i < c->mixes && i < MIXES_MAX; i++)
        names[i] = c->mix[i].name;
    if (!c->o->mix)
        return 0;
    for (size_t i = 0; i < c->mixes; i++) {
        if (strcmp(names[i], c->o->mix) != 0)
            continue;
        c->mix += i;
        c->mixes = 1;
        return 0;
    }
    const char *nearest = grammar_nearest(c->o->mix, names, c->mixes);
    if (nearest)
        return err_set(e, "--mix %.60s: no such mix; did you mean '%s'?", c->o->mix, nearest);
    char all[256];
    struct text list = text_list(all, sizeof all, ", ");
    for (size_t i = 0; i < c->mixes; i++)
        text_item(&list, "'%s'", names[i]);
    return err_set(e, "--mix %.60s: no such mix; there are %s", c->o->mix, all);
}

static int check(void *owner, struct err *e)
{
    struct calibration *c = owner;
    if (c->o->runs == 0 || c->o->runs > RUNS_LIMIT)
        return err_set(e, "--runs: from 1 to 1M");
    if (c->o->closed < 500)
        return err_set(e, "--closed: at least 500, or no run is long enough for a verdict");
    if (c->o->random > RUNS_LIMIT)
        return err_set(e, "--random: at most 1M");
    if (c->o->random && c->o->mix)
        return err_set(e, "--random: draws its mixes; leave out --mix");
    if (c->o->seed == 0)
        return err_set(e, "--seed: 1 or more");
    return choose(c, e);
}

int cmd_calibrate(int argc, char *const *argv)
{
    struct options o = usual;
    struct calibration c = {.o = &o};
    const struct command_runs runs = {.command = &calibrate_command,
                                      .options = &o,
                                      .owner = &c,
                                      .sub = &c.sub,
                                      .check = check,
                                      .run = run_all,
                                      .summarise = summarise};
    return command_runs(&runs, argc, argv);
}
