/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign_run.h"

#include "archive/outputs.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/version.h"
#include "calibrate.h"
#include "campaign_simulate.h"
#include "catalog.h"
#include "cmdline.h"
#include "options/grammar.h"
#include "report/document.h"
#include "report/json_util.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { COMMAND = 4096, TITLE = 2560 };

/* ---- options ---- */

/* Cuts `room`, a copy of `text`, at its commas. The sentence doesn't name the option. */
static int read_list(const char *text, char room[CAMPAIGN_ROOM],
                     const char *list[CAMPAIGN_PROGRAMS], size_t *ret_count, struct err *e)
{
    char *rest = room;
    *ret_count = 0;
    if (!text)
        return 0;
    if (snprintf(room, CAMPAIGN_ROOM, "%s", text) >= CAMPAIGN_ROOM)
        return err_set(e, "at most %d characters", CAMPAIGN_ROOM - 1);
    for (char *word; (word = strsep(&rest, ","));) {
        if (*ret_count == CAMPAIGN_PROGRAMS)
            return err_set(e, "at most %d of them", CAMPAIGN_PROGRAMS);
        if (!*word || *word == '-' || strlen(word) > CAMPAIGN_ROW - 4)
            return err_set(e, "names separated by commas, such as a,b");
        list[(*ret_count)++] = word;
    }
    return 0;
}

static int check(const struct campaign *c, const struct campaign_options *o, struct err *e)
{
    bool of_sensitivity = c->choice.which == CAMPAIGN_SENSITIVITY;
    if (o->runs == 0 || o->runs > CAMPAIGN_RUNS)
        return err_set(e, "--runs: from 1 to 1M");
    if (o->jobs == 0 || o->jobs > CAMPAIGN_JOBS)
        return err_set(e, "--jobs: from 1 to %d", CAMPAIGN_JOBS);
    if (o->busy > CAMPAIGN_BUSY)
        return err_set(e, "--busy: at most %d", CAMPAIGN_BUSY);
    if (o->simulated && (!of_sensitivity || o->openssl || o->busy || o->jobs != 1))
        return err_set(e,
                       "--simulated: only for --campaign sensitivity, and it starts nothing; leave "
                       "out --openssl, --jobs and --busy");
    if (o->seed == 0)
        return err_set(e, "--seed: 1 or more");
    if (o->scenario && c->choice.which != CAMPAIGN_CLEAN)
        return err_set(e, "--scenario: only for --campaign clean; the others plant their leaks "
                          "in soak-server");
    if (o->scenario && o->openssl)
        return err_set(e, "--openssl: a scenario has its own; leave out one of them");
    return 0;
}

int campaign_prepare(struct campaign *c, const struct campaign_options *o, struct err *e)
{
    char kind[32];
    if (!campaign_of_from_name(o->which, &c->choice.which))
        return err_set(e, "--campaign %.40s: it is clean, leaks or sensitivity", o->which);
    if (check(c, o, e) != 0)
        return -1;
    c->choice.seed = o->seed;
    c->o = o;
    snprintf(kind, sizeof kind, "campaigns/%s%s", campaign_of_name(c->choice.which),
             o->simulated ? "-simulated" : "");
    c->folder = catalog_results(o->results, kind, c->path);
    struct campaign_choice *choice = &c->choice;
    if (read_list(o->openssl, c->openssl, choice->openssl, &choice->versions, e) != 0)
        return err_prefix(e, "--openssl %.60s", o->openssl);
    if (read_list(o->scenario, c->scenario, choice->scenario, &choice->scenarios, e) != 0)
        return err_prefix(e, "--scenario %.60s", o->scenario);
    return output_is_stdout(o->markdown) || !o->markdown ? 0
                                                         : output_check("markdown", o->markdown, e);
}

static json_t *list_json(const char *const *list, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_from_text(list[i]));
    return array;
}

static json_t *about(const struct campaign *c)
{
    const struct campaign_choice *choice = &c->choice;
    char seed[32];
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:I}", "campaign",
                     campaign_of_name(choice->which), "soak", soak_version, "seed",
                     grammar_hex_print(seed, sizeof seed, choice->seed), "openssl",
                     list_json(choice->openssl, choice->versions), "scenarios",
                     list_json(choice->scenario, choice->scenarios), "simulated", c->o->simulated,
                     "busy", (json_int_t)c->o->busy);
}

/* ---- a run ---- */

static char *print_line(const struct campaign_case *c, char *buf, size_t size)
{
    struct text text = text_list(buf, size, " ");
    for (size_t i = 0; i < c->words; i++)
        text_item(&text, "%s", c->word[i]);
    return buf;
}

static void tell(const struct campaign_line *run, const char *kept)
{
    char program[PATH_MAX];
    struct text text = text_into(program, sizeof program);
    cmdline_program(&text);
    run_process_progress_end();
    printf("%s  run %" PRIu64 ": %s run --churn max %s\n", campaign_outcome_name(run->outcome),
           run->number, program, run->line);
    if (run->said[0])
        printf("  it said: %s\n", run->said);
    if (kept)
        printf("  kept: %s\n", kept);
    fflush(stdout);
}

/* Completes the line of a run, counts it and writes it down. */
static int note(struct campaign *c, struct campaign_line *run, const char *kept, struct err *e)
{
    uint64_t now = clock_now_ns();
    run->took_ms = (double)(now - c->last_ns) / 1e6;
    c->last_ns = now;
    clock_utc(run->date, sizeof run->date, time(NULL));
    getloadavg(&run->load, 1);
    campaign_count(&c->tally, run);
    if (run->outcome != CAMPAIGN_RIGHT)
        tell(run, kept);
    run_process_progress(c->tally.runs, c->o->runs);
    return campaign_journal_add(&c->journal, run, kept, e);
}

static uint64_t sensitivity_of(const struct result *r)
{
    return (uint64_t)result_subject_find(r, "server")->judgement.sensitivity.one_in;
}

/* What a run left: `r` NULL: no result. */
struct slot_left {
    const struct result *r;
    const struct run_process_result *result;
};

/* Notes what came of a slot's run. */
static int conclude(struct campaign *c, const struct campaign_slot *slot,
                    enum campaign_outcome outcome, const struct slot_left *left, struct err *e)
{
    struct campaign_line run = {.number = slot->number, .outcome = outcome};
    bool right = run.outcome == CAMPAIGN_RIGHT;
    snprintf(run.row, sizeof run.row, "%s", slot->case_.row);
    print_line(&slot->case_, run.line, sizeof run.line);
    const char *said = left->r ? calibrate_reason(left->r) : left->result->said;
    if (!right)
        snprintf(run.said, sizeof run.said, "%.*s", (int)sizeof run.said - 1, said);
    return note(c, &run, right || outcome == CAMPAIGN_BELOW ? NULL : left->result->folder, e);
}

static int start(struct campaign_slot *slot, struct run_process *sub, struct err *e)
{
    return run_process_start(sub, slot->case_.word, slot, e);
}

/* What a run that has ended leads to: its line, or the run with the leak. */
static int finish(struct campaign *c, struct campaign_slot *slot, struct run_process *sub,
                  struct run_process_result *result, struct err *e)
{
    struct document *document = result->document ? document_read(result->document, NULL) : NULL;
    const struct result *r = document ? &document->result : NULL;
    uint64_t before = c->tally.notes;
    enum campaign_outcome outcome =
        slot->probes ? campaign_judge_first(r) : campaign_judge(&slot->case_, r);
    bool probed = slot->probes && outcome == CAMPAIGN_RIGHT;
    int rc = 0;
    if (probed)
        campaign_plant(&slot->case_, "lost-state", sensitivity_of(r));
    else
        rc = conclude(c, slot, outcome, &(struct slot_left){r, result}, e);
    document_free(document);
    run_process_done(sub, result, c->tally.notes != before);
    slot->probes = false;
    slot->busy = probed;
    return probed ? start(slot, sub, e) : rc;
}

/* Starts what there is room for. */
static int fill(struct campaign *c, struct run_process *sub, struct err *e)
{
    for (size_t i = 0; i < c->o->jobs; i++) {
        struct campaign_slot *slot = &c->slot[i];
        if (slot->busy)
            continue;
        while (c->next < c->o->runs && campaign_is_done(&c->tally, c->next))
            c->next++;
        if (c->next >= c->o->runs)
            return 0;
        *slot = (struct campaign_slot){
            .number = c->next++, .busy = true, .probes = c->choice.which == CAMPAIGN_SENSITIVITY};
        campaign_draw(&c->choice, slot->number, &slot->case_);
        if (start(slot, sub, e) != 0)
            return -1;
    }
    return 0;
}

static int run_processes(struct campaign *c, struct run_process *sub, struct err *e)
{
    int rc = fill(c, sub, e);
    while (rc == 0 && sub->jobs) {
        struct run_process_result result;
        void *slot;
        rc = run_process_next(sub, &slot, &result, e);
        if (rc == 0)
            rc = finish(c, slot, sub, &result, e);
        if (rc == 0)
            rc = fill(c, sub, e);
    }
    run_process_abandon(sub);
    return rc;
}

static int run_simulated(struct campaign *c, struct run_process *sub, struct err *e)
{
    int rc = 0;
    for (; rc == 0 && c->next < c->o->runs; c->next++) {
        struct campaign_simulated s;
        struct campaign_line run = {.number = c->next};
        if (campaign_is_done(&c->tally, c->next))
            continue;
        if (run_process_interrupted(sub, e))
            return -1;
        campaign_simulate(c->choice.seed, c->next, &s);
        run.outcome = s.outcome;
        snprintf(run.row, sizeof run.row, "%s", s.row);
        snprintf(run.line, sizeof run.line, "%s, 1/%" PRIu64, s.line, s.one_in);
        if (s.outcome != CAMPAIGN_RIGHT)
            snprintf(run.said, sizeof run.said, "%s", s.said);
        rc = note(c, &run, NULL, e);
    }
    return rc;
}

/* ---- busy loops ---- */

struct busy {
    pthread_t thread[CAMPAIGN_BUSY];
    size_t count;
    atomic_bool stop;
};

static void *spin(void *busy)
{
    struct busy *b = busy;
    while (!atomic_load(&b->stop))
        ;
    return NULL;
}

static int busy_start(struct busy *b, uint64_t count, struct err *e)
{
    for (; b->count < count; b->count++) {
        int rc = pthread_create(&b->thread[b->count], NULL, spin, b);
        if (rc != 0)
            return err_set(e, "--busy: no thread: %s", strerror(rc));
    }
    return 0;
}

static void busy_stop(struct busy *b)
{
    atomic_store(&b->stop, true);
    while (b->count > 0)
        pthread_join(b->thread[--b->count], NULL);
}

int campaign_run(struct campaign *c, struct run_process *sub, struct err *e)
{
    struct busy busy = {.count = 0};
    json_t *this = about(c);
    int rc = campaign_journal_open(&c->journal, c->folder, this, &c->tally, e);
    json_decref(this);
    if (rc != 0)
        return rc;
    if (c->tally.runs)
        printf("%" PRIu64 " of %" PRIu64 " run%s done before, in %s\n", c->tally.runs, c->o->runs,
               c->o->runs == 1 ? "" : "s", c->folder);
    run_process_progress(c->tally.runs, c->o->runs);
    c->last_ns = clock_now_ns();
    rc = busy_start(&busy, c->o->busy, e);
    if (rc == 0)
        rc = c->o->simulated ? run_simulated(c, sub, e) : run_processes(c, sub, e);
    busy_stop(&busy);
    return rc;
}

/* ---- the end ---- */

static void add_list(struct text *to, const char *before, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_add(to, "%s%s", i ? ", " : before, list[i]);
}

static const char *print_title(const struct campaign *c, char *buf, size_t size)
{
    const struct campaign_choice *choice = &c->choice;
    struct text title = text_into(buf, size);
    text_add(&title, "%s%s: ", campaign_of_name(choice->which),
             c->o->simulated ? ", simulated" : "");
    add_list(&title, "OpenSSL ", choice->openssl, choice->versions);
    add_list(&title, "", choice->scenario, choice->scenarios);
    text_add(&title, "%sseed %" PRIx64 ", soak %s",
             choice->versions + choice->scenarios ? "; " : "", choice->seed, soak_version);
    if (c->o->busy)
        text_add(&title, ", busy loops: %" PRIu64, c->o->busy);
    return buf;
}

static const char *print_command(const struct campaign *c, char *buf, size_t size)
{
    const struct campaign_options *o = c->o;
    struct text command = text_into(buf, size);
    text_add(&command, "soak selftest --campaign %s%s --runs %" PRIu64 " --seed %" PRIx64, o->which,
             o->simulated ? " --simulated" : "", c->tally.runs, o->seed);
    if (o->openssl)
        text_add(&command, " --openssl %s", o->openssl);
    if (o->scenario)
        text_add(&command, " --scenario %s", o->scenario);
    if (o->jobs > 1)
        text_add(&command, " --jobs %" PRIu64, o->jobs);
    if (o->busy)
        text_add(&command, " --busy %" PRIu64, o->busy);
    return buf;
}

static void put_section(const void *campaign, FILE *out)
{
    const struct campaign *c = campaign;
    char title[TITLE], command[COMMAND];
    const struct campaign_about about = {.which = c->choice.which,
                                         .simulated = c->o->simulated,
                                         .title = print_title(c, title, sizeof title),
                                         .command = print_command(c, command, sizeof command)};
    campaign_print(&c->tally, &about, out);
}

static int put_into_book(const struct campaign *c, struct err *e)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    CHECK(out);
    put_section(c, out);
    CHECK(fclose(out) == 0);
    int rc = campaign_book(c->o->markdown, text, e);
    free(text);
    return rc;
}

bool campaign_summarise(const struct campaign *c)
{
    char path[PATH_MAX];
    struct err e = {{0}};
    bool written = true, in_book = c->o->markdown && !output_is_stdout(c->o->markdown);
    if (!c->journal.file)
        return false;
    snprintf(path, sizeof path, "%.4000s/campaign.md", c->folder);
    put_section(c, stdout);
    if (output_file(path, put_section, c, &e) != 0 || (in_book && put_into_book(c, &e) != 0)) {
        fprintf(stderr, "soak: selftest: the section can't be written: %s\n", e.text);
        written = false;
    }
    return campaign_good(c->choice.which, c->tally.outcome) && written;
}
