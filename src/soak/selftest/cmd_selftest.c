/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign_run.h"
#include "commands.h"
#include "endurance_run.h"

#include "base/text.h"
#include "options/grammar.h"
#include "options/opts.h"
#include "report/document.h"
#include "run_process.h"
#include "selftest.h"
#include "terminal.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORD = 64, SEEDS_MAX = 1000, RATES_MAX = 8, NAMES_MAX = 32 };
/* What a row needs: whole, and without seed, site, count and stack; a terminal with less shows the
 * verdict alone. */
enum { WIDE_COLUMNS = 133, KIND_COLUMNS = 71 };
static const char clean_name[] = "clean";

struct options {
    bool quick;
    uint64_t seeds, endurance;
    const char *rates, *only;
    struct campaign_options campaign;
};

static const struct opt table[] = {
    {"quick", OPT_FLAG, offsetof(struct options, quick), NULL, NULL,
     "each bug once, in every connection: about two minutes"},
    {"seeds", OPT_COUNT, offsetof(struct options, seeds), "COUNT", NULL,
     "repeat each case with this many seeds"},
    {"rates", OPT_STRING, offsetof(struct options, rates), "LIST", NULL,
     "only bugs at these rates: some of 1,1/100,1/10000"},
    {"only", OPT_STRING, offsetof(struct options, only), "DEFECT", NULL,
     "only this bug, or 'clean' for the server without one"},
    {"endurance", OPT_COUNT, offsetof(struct options, endurance), "COUNT", NULL,
     "instead: see that soak itself is flat over COUNT connections, such as 10M"},
    {"campaign", OPT_STRING, offsetof(struct options, campaign.which), "WHICH", NULL,
     "instead: many random runs, 'clean', 'leaks' or 'sensitivity', and a table of their "
     "outcomes; it goes on where it was interrupted"},
    {"runs", OPT_COUNT, offsetof(struct options, campaign.runs), "COUNT", NULL,
     "with --campaign: runs in all, those that its folder has included"},
    {"seed", OPT_HEX, offsetof(struct options, campaign.seed), "HEX", NULL,
     "with --campaign: seed of its random choices"},
    {"jobs", OPT_COUNT, offsetof(struct options, campaign.jobs), "COUNT", NULL,
     "with --campaign: runs side by side, such as half as many as there are processors"},
    {"busy", OPT_COUNT, offsetof(struct options, campaign.busy), "COUNT", NULL,
     "with --campaign: busy loops beside the runs, each of which takes a processor"},
    {"simulated", OPT_FLAG, offsetof(struct options, campaign.simulated), NULL, NULL,
     "with --campaign sensitivity: simulate the programs, 10,000 runs in seconds"},
    {"openssl", OPT_STRING, offsetof(struct options, campaign.openssl), "LIST", NULL,
     "with --campaign: draw the server's OpenSSL of each run from these versions"},
    {"scenario", OPT_STRING, offsetof(struct options, campaign.scenario), "LIST", NULL,
     "with --campaign clean: draw the runs from these scenarios, such as "
     "servers/nginx,servers/haproxy"},
    {"results", OPT_STRING, offsetof(struct options, campaign.results), "FOLDER", NULL,
     "with --campaign: its folder (default results/campaigns/WHICH)"},
    {"markdown", OPT_OUTPUT, offsetof(struct options, campaign.markdown), "FILE", ".md",
     "with --campaign: put its section into FILE, such as results/campaigns.md, in place of the "
     "earlier one"},
};

static const struct options usual = {.seeds = 1, .campaign = {.runs = 100, .seed = 1, .jobs = 1}};

const struct command selftest_command = {
    .name = "selftest",
    .run = cmd_selftest,
    .words = "[OPTIONS]",
    .line = "every bug of the built-in server and its right verdict",
    .about =
        "Plants each bug that the built-in server can have, in every connection, in 1 of 100 and "
        "in 1 of 10,000, and says whether each got its right verdict, kind, site and stack.\n"
        "With --endurance: whether server, client and soak itself hold as much at the end of many "
        "connections as after the warm-up, to the block.\n"
        "With --campaign: how many of many clean servers are called a leak; how many of many leaks "
        "are missed; or how many are missed at exactly the rate that a run says it would have "
        "shown.\n",
    .after = "The folders of runs that weren't as expected are kept and named.\n"
             "Exit: 0, 1 when a run isn't as expected, 2 usage, 4 when soak can't be run, 130 "
             "interrupted, with what was measured until then.\n",
    .table = table,
    .options = sizeof table / sizeof *table,
    .defaults = &usual};

struct selftest {
    const struct options *o;
    uint64_t rate[RATES_MAX];
    size_t rates; /* 0 = all */
    size_t runs, not_asked, outcome[SELFTEST_OUTCOMES];
    bool endured;
    struct campaign campaign;
    struct run_process sub;
};

static const char *name_of(const struct selftest_case *c)
{
    return c->defect ? c->defect : clean_name;
}

/* `lost-state:1/100` */
static char *label_of(const struct selftest_case *c, char *buf, size_t size)
{
    char rate[WORD] = "";
    if (c->one_in > 1)
        grammar_one_in_print(rate, sizeof rate, c->one_in);
    snprintf(buf, size, "%s%s%s", name_of(c), rate[0] ? ":" : "", rate);
    return buf;
}

static bool chosen(const struct selftest *t, const struct selftest_case *c)
{
    bool rate = t->rates == 0;
    for (size_t i = 0; i < t->rates; i++)
        rate |= t->rate[i] == c->one_in;
    return rate && (c->quick || !t->o->quick) &&
           (!t->o->only || strcmp(t->o->only, name_of(c)) == 0);
}

static void make_words(const struct selftest_case *c, uint64_t seed, char text[2][WORD],
                       const char **words)
{
    size_t n = 0;
    words[n++] = "--seed";
    words[n++] = grammar_hex_print(text[0], WORD, seed);
    if (c->defect) {
        words[n++] = "--defect";
        words[n++] = label_of(c, text[1], WORD);
    }
    for (size_t i = 0; c->options[i]; i++)
        words[n++] = c->options[i];
    words[n] = NULL;
}

/* What a terminal has; a pipe takes any. */
static int columns(void)
{
    return isatty(STDOUT_FILENO) ? terminal_columns(STDOUT_FILENO) : WIDE_COLUMNS;
}

static void print_head(void)
{
    if (columns() >= WIDE_COLUMNS)
        printf("%-22s %4s  %-12s %-20s %-27s %9s  %s\n", "defect", "seed", "verdict", "kind",
               "site", "per conn", "stack");
    else if (columns() >= KIND_COLUMNS)
        printf("%-22s  %-12s  %s\n", "defect", "verdict", "kind");
    else
        printf("%-22s  %s\n", "defect", "verdict");
    fflush(stdout);
}

static void print_row(const struct selftest_case *c, uint64_t seed, const char *outcome,
                      const struct selftest_said *said)
{
    char name[WORD], site[96] = "";
    if (said->file[0])
        snprintf(site, sizeof site, "%.60s:%ld", said->file, said->line);
    label_of(c, name, sizeof name);
    if (columns() >= WIDE_COLUMNS)
        printf("%-22s %4" PRIx64 "  %-12s %-20s %-27s %9.4f  %-18s  %s\n", name, seed,
               said->verdict, said->kind, site, said->blocks,
               said->function[0] ? said->function : "no stack", outcome);
    else if (columns() >= KIND_COLUMNS)
        printf("%-22s  %-12s  %-20s  %s\n", name, said->verdict, said->kind, outcome);
    else
        printf("%-22s  %-12s  %s\n", name, said->verdict, outcome);
    fflush(stdout);
}

static void print_not_asked(const struct selftest_case *c)
{
    char name[WORD];
    printf("%-22s    -  not asked: %s\n", label_of(c, name, sizeof name), c->not_asked);
}

/* Returns 0, or -1 when it was interrupted or soak can't be run. */
static int run_case(struct selftest *t, const struct selftest_case *c, uint64_t seed, struct err *e)
{
    const char *words[SELFTEST_OPTIONS + 5];
    char text[2][WORD];
    struct run_process_result result;
    struct selftest_said said;
    make_words(c, seed, text, words);
    if (run_process_execute(&t->sub, words, &result, e) != 0)
        return -1;
    struct document *document = result.document ? document_read(result.document, NULL) : NULL;
    enum selftest_outcome o = selftest_judge(c, document ? &document->result : NULL, &said);
    print_row(c, seed, selftest_outcome_name(o), &said);
    if (!selftest_as_expected(o))
        printf("%22s  kept: %s%s%s\n", "", result.folder, result.said[0] ? "; it said: " : "",
               result.said);
    document_free(document);
    run_process_done(&t->sub, &result, !selftest_as_expected(o));
    t->runs++;
    t->outcome[o]++;
    return 0;
}

static int run_round(struct selftest *t, uint64_t seed, struct err *e)
{
    size_t count;
    const struct selftest_case *c = selftest_cases(&count);
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (!chosen(t, &c[i]))
            continue;
        if (!c[i].not_asked)
            rc = run_case(t, &c[i], seed, e);
        else if (seed == 1) {
            print_not_asked(&c[i]);
            t->not_asked++;
        }
    }
    return rc;
}

static size_t good(const struct selftest *t)
{
    return t->outcome[SELFTEST_CAUGHT] + t->outcome[SELFTEST_QUIET];
}

/* Prints the counts. Returns whether all was as expected. */
static bool summarise(const void *owner)
{
    const struct selftest *t = owner;
    if (t->o->campaign.which)
        return campaign_summarise(&t->campaign);
    if (t->o->endurance)
        return t->endured;
    printf("%zu of %zu as expected", good(t), t->runs);
    const char *joint = ": ";
    for (size_t o = 0; o < SELFTEST_OUTCOMES; o++) {
        if (t->outcome[o])
            printf("%s%zu %s", joint, t->outcome[o],
                   selftest_outcome_name((enum selftest_outcome)o));
        joint = t->outcome[o] ? ", " : joint;
    }
    if (t->not_asked)
        printf("; %zu not asked", t->not_asked);
    printf("\n");
    return good(t) == t->runs;
}

/* ---- all ---- */

static int run_all(void *owner, struct err *e)
{
    struct selftest *t = owner;
    int rc = 0;
    if (t->o->campaign.which)
        return campaign_run(&t->campaign, &t->sub, e);
    if (t->o->endurance)
        return endurance_run(&t->sub, t->o->endurance, &t->endured, e);
    print_head();
    for (uint64_t seed = 1; seed <= t->o->seeds && rc == 0; seed++)
        rc = run_round(t, seed, e);
    return rc;
}

/* ---- options ---- */

static int check_rate(uint64_t one_in, const char *text, struct err *e)
{
    size_t count;
    const struct selftest_case *c = selftest_cases(&count);
    for (size_t i = 0; i < count; i++) {
        if (c[i].one_in == one_in)
            return 0;
    }
    return err_set(e, "--rates %.40s: no case has this rate; there are 1, 1/100 and 1/10000", text);
}

static int read_rates(struct selftest *t, struct err *e)
{
    const char *at = t->o->rates;
    while (at && *at) {
        char text[WORD];
        size_t length = strcspn(at, ",");
        uint64_t one_in = 1;
        struct err why = {{0}};
        snprintf(text, sizeof text, "%.*s", (int)(length < WORD ? length : WORD - 1), at);
        if (strcmp(text, "1") != 0 && grammar_one_in(text, &one_in, &why) != 0)
            return err_set(e, "--rates %.40s: %.200s", text, why.text);
        if (check_rate(one_in, text, e) != 0)
            return -1;
        if (t->rates == RATES_MAX)
            return err_set(e, "--rates: at most %d of them", RATES_MAX);
        t->rate[t->rates++] = one_in;
        at += length + (at[length] == ',');
    }
    return 0;
}

static int check_only(const char *only, struct err *e)
{
    const char *names[NAMES_MAX];
    size_t count, used = 0;
    const struct selftest_case *c = selftest_cases(&count);
    for (size_t i = 0; i < count; i++) {
        if (only && strcmp(only, name_of(&c[i])) == 0)
            return 0;
        if (c[i].one_in == 1 && used < NAMES_MAX)
            names[used++] = name_of(&c[i]);
    }
    const char *nearest = only ? grammar_nearest(only, names, used) : NULL;
    if (!only)
        return 0;
    return nearest
               ? err_set(e, "--only %.60s: no such defect; did you mean %s?", only, nearest)
               : err_set(e, "--only %.60s: no such defect; `soak list defects` lists them", only);
}

static int check_endurance(const struct options *o, struct err *e)
{
    if (o->quick || o->rates || o->only || o->seeds != usual.seeds)
        return err_set(e, "--endurance: a run of its own; leave out the other options");
    if (o->endurance < ENDURANCE_MIN || o->endurance > ENDURANCE_MAX)
        return err_set(e, "--endurance: from %d to %d connections", ENDURANCE_MIN, ENDURANCE_MAX);
    return 0;
}

static int check_campaign(struct selftest *t, struct err *e)
{
    const struct options *o = t->o;
    if (o->quick || o->rates || o->only || o->endurance || o->seeds != usual.seeds)
        return err_set(e, "--campaign: it draws its own runs; leave out --quick, --seeds, --rates, "
                          "--only and --endurance");
    return campaign_prepare(&t->campaign, &o->campaign, e);
}

/* The options of a campaign that were given; "" if none was. */
static char *campaign_asked(const struct campaign_options *o, char *buf, size_t size)
{
    const struct {
        bool given;
        const char *name;
    } options[] = {{o->runs != usual.campaign.runs, "runs"},
                   {o->seed != usual.campaign.seed, "seed"},
                   {o->jobs != usual.campaign.jobs, "jobs"},
                   {o->busy != 0, "busy"},
                   {o->simulated, "simulated"},
                   {o->openssl != NULL, "openssl"},
                   {o->scenario != NULL, "scenario"},
                   {o->results != NULL, "results"},
                   {o->markdown != NULL, "markdown"}};
    struct text list = text_list(buf, size, ", ");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].given)
            text_item(&list, "--%s", options[i].name);
    return buf;
}

static int check(void *owner, struct err *e)
{
    struct selftest *t = owner;
    size_t count, cases = 0;
    const struct selftest_case *c = selftest_cases(&count);
    if (t->o->campaign.which)
        return check_campaign(t, e);
    char asked[128];
    if (campaign_asked(&t->o->campaign, asked, sizeof asked)[0])
        return err_set(e, "%s: only with --campaign", asked);
    if (t->o->endurance)
        return check_endurance(t->o, e);
    if (t->o->seeds == 0 || t->o->seeds > SEEDS_MAX)
        return err_set(e, "--seeds: from 1 to %d", SEEDS_MAX);
    if (read_rates(t, e) != 0 || check_only(t->o->only, e) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        cases += chosen(t, &c[i]);
    return cases ? 0 : err_set(e, "--rates, --only and --quick together leave no case");
}

int cmd_selftest(int argc, char *const *argv)
{
    struct options o = usual;
    struct selftest t = {.o = &o};
    const struct command_runs runs = {.command = &selftest_command,
                                      .options = &o,
                                      .owner = &t,
                                      .sub = &t.sub,
                                      .check = check,
                                      .run = run_all,
                                      .summarise = summarise};
    int code = command_runs(&runs, argc, argv);
    campaign_journal_close(&t.campaign.journal);
    return code;
}
