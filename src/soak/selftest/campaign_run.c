/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign_run.h"

#include "archive/outputs.h"
#include "base/text.h"
#include "base/version.h"
#include "catalog.h"
#include "options/grammar.h"
#include "report/document.h"
#include "report/json_util.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { LINE = 1024, RUNS_MAX = 1000000 };

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
            return err_set(e, "names that commas part, such as a,b");
        list[(*ret_count)++] = word;
    }
    return 0;
}

static int check(const struct campaign *c, const struct campaign_options *o, struct err *e)
{
    if (o->runs == 0 || o->runs > RUNS_MAX)
        return err_set(e, "--runs: from 1 to 1M");
    if (o->seed == 0)
        return err_set(e, "--seed: 1 or more");
    if (o->scenario && c->choice.which != CAMPAIGN_CLEAN)
        return err_set(e, "--scenario: of the clean campaign only; the others plant their leaks "
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
    c->runs = o->runs;
    snprintf(kind, sizeof kind, "campaigns/%s", campaign_of_name(c->choice.which));
    c->folder = catalog_results(o->results, kind, c->path);
    struct campaign_choice *choice = &c->choice;
    if (read_list(o->openssl, c->openssl, choice->openssl, &choice->versions, e) != 0)
        return err_prefix(e, "--openssl %.60s", o->openssl);
    if (read_list(o->scenario, c->scenario, choice->scenario, &choice->scenarios, e) != 0)
        return err_prefix(e, "--scenario %.60s", o->scenario);
    return 0;
}

static json_t *list_json(const char *const *list, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_from_text(list[i]));
    return array;
}

static json_t *about(const struct campaign_choice *c)
{
    char seed[32];
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "campaign", campaign_of_name(c->which), "soak",
                     soak_version, "seed", grammar_hex_print(seed, sizeof seed, c->seed), "openssl",
                     list_json(c->openssl, c->versions), "scenarios",
                     list_json(c->scenario, c->scenarios));
}

/* ---- a run ---- */

static char *print_line(const struct campaign_case *c, char *buf, size_t size)
{
    struct text text = text_list(buf, size, " ");
    for (size_t i = 0; i < c->words; i++)
        text_item(&text, "%s", c->word[i]);
    return buf;
}

static int note(struct campaign *c, uint64_t number, const struct campaign_case *case_,
                enum campaign_outcome o, const char *kept, struct err *e)
{
    char line[LINE];
    campaign_count(&c->tally, case_->row, o);
    if (o != CAMPAIGN_RIGHT) {
        printf("%s  run %" PRIu64 ": soak run --churn max %s%s%s\n", campaign_outcome_name(o),
               number, print_line(case_, line, sizeof line), kept ? "\n  kept: " : "",
               kept ? kept : "");
        fflush(stdout);
    }
    return campaign_journal_add(&c->journal,
                                json_pack("{s:I, s:s, s:s, s:o, s:o}", "number", (json_int_t)number,
                                          "row", case_->row, "outcome", campaign_outcome_name(o),
                                          "line",
                                          json_from_text(print_line(case_, line, sizeof line)),
                                          "kept", json_from_text(kept)),
                                e);
}

static double sensitivity_of(const struct result *r)
{
    const struct result_subject *server = r ? result_subject_find(r, "server") : NULL;
    return server ? floor(server->judgement.sensitivity.one_in) : 0;
}

/* What a clean run of this line prints as its sensitivity; 0: none. Returns 0 or -1. */
static int measure_sensitivity(const struct campaign_case *c, struct run_process *sub,
                               double *ret_one_in, struct err *e)
{
    struct run_process_result result;
    if (run_process_execute(sub, c->word, &result, e) != 0)
        return -1;
    struct document *document = result.document ? document_read(result.document, NULL) : NULL;
    *ret_one_in = sensitivity_of(document ? &document->result : NULL);
    document_free(document);
    run_process_done(sub, &result, false);
    return 0;
}

static int run_one(struct campaign *c, struct run_process *sub, uint64_t number, struct err *e)
{
    struct campaign_case case_;
    struct run_process_result result;
    double one_in = 0;
    campaign_draw(&c->choice, number, &case_);
    if (c->choice.which == CAMPAIGN_SENSITIVITY) {
        if (measure_sensitivity(&case_, sub, &one_in, e) != 0)
            return -1;
        campaign_plant(&case_, "lost-state", one_in >= 1 ? (uint64_t)one_in : 1);
    }
    if (run_process_execute(sub, case_.word, &result, e) != 0)
        return -1;
    struct document *document = result.document ? document_read(result.document, NULL) : NULL;
    enum campaign_outcome o = campaign_judge(&case_, document ? &document->result : NULL);
    document_free(document);
    bool keep = o != CAMPAIGN_RIGHT && o != CAMPAIGN_BELOW;
    run_process_done(sub, &result, keep);
    return note(c, number, &case_, o, keep ? result.folder : NULL, e);
}

int campaign_run(struct campaign *c, struct run_process *sub, struct err *e)
{
    json_t *this = about(&c->choice);
    int rc = campaign_journal_open(&c->journal, c->folder, this, &c->tally, e);
    json_decref(this);
    if (rc == 0 && c->tally.runs)
        printf("%" PRIu64 " runs are in %s\n", c->tally.runs, c->folder);
    while (rc == 0 && c->tally.runs < c->runs) {
        rc = run_one(c, sub, c->tally.runs, e);
        run_process_progress(c->tally.runs, c->runs);
    }
    return rc;
}

/* ---- the end ---- */

static void put_summary(const void *campaign, FILE *out)
{
    const struct campaign *c = campaign;
    campaign_print(&c->tally, c->choice.which, out);
}

bool campaign_summarise(const struct campaign *c)
{
    char path[PATH_MAX];
    struct err e = {{0}};
    if (!c->journal.file)
        return false;
    snprintf(path, sizeof path, "%.4000s/campaign.md", c->folder);
    put_summary(c, stdout);
    if (output_file(path, put_summary, c, &e) != 0)
        fprintf(stderr, "soak: selftest: %.300s can't be written: %s\n", path, e.text);
    return campaign_good(c->choice.which, c->tally.outcome);
}
