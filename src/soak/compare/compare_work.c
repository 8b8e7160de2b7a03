/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_work.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/exit_codes.h"
#include "base/text.h"
#include "catalog.h"
#include "cmdline.h"
#include "compare_document.h"
#include "compare_say.h"
#include "measure/proc.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 64 };

/* ---- the head ---- */

/* With --client there is no soak-client, whose allocator could be said; it is the last word. */
static bool can_have(const struct compare_work *w, const char *word)
{
    static const char of_load[] = "--client-malloc=";
    return !w->client || strncmp(word, of_load, sizeof of_load - 1) != 0;
}

/* Where the runs get a bound, one that was given says 0, that there is none. */
static bool is_forwarded(const struct compare_work *w, const char *option)
{
    static const char bound[] = "--closed=";
    return !w->closed || strncmp(option, bound, sizeof bound - 1) != 0;
}

static size_t room_for(const struct compare_line *line)
{
    size_t room = 1;
    for (int p = 0; p < COMPARE_PARTS; p++)
        for (size_t i = 0; i < line->fixed[p].count; i++)
            room += cmdline_word_room(line->fixed[p].bytes[i]);
    for (int i = 0; i < line->forwarded_options.options; i++)
        room += cmdline_word_room(line->forwarded_options.option[i]);
    return room;
}

/* What was asked for, of every run, as it is typed. */
static const char *given_text(struct compare_set *s, const struct compare_work *w)
{
    const struct compare_line *line = w->line;
    size_t room = room_for(line);
    char *text = calloc(1, room);
    CHECK(text);
    struct text list = text_into(text, room);
    for (int p = 0; p < COMPARE_PARTS; p++)
        for (size_t i = 0; i < line->fixed[p].count && can_have(w, line->fixed[p].bytes[i]); i++)
            cmdline_word(&list, line->fixed[p].bytes[i]);
    for (int i = 0; i < line->forwarded_options.options; i++)
        if (is_forwarded(w, line->forwarded_options.option[i]))
            cmdline_word(&list, line->forwarded_options.option[i]);
    CHECK(!list.cut);
    const char *given = compare_set_text(s, text[0] ? text + 1 : "");
    free(text);
    return given;
}

/* The same, and how long each run is. */
static const char *options_text(struct compare_set *s, const struct compare_work *w)
{
    char *text = NULL;
    if (!w->closed)
        return s->given;
    int n =
        asprintf(&text, "--closed=%" PRIu64 "%s%s", w->closed, s->given[0] ? " " : "", s->given);
    CHECK(n > 0);
    const char *options = compare_set_text(s, text);
    free(text);
    return options;
}

static void fill_head(struct compare_work *w, const char *name)
{
    struct compare_set *s = w->set;
    char machine[256], started[32];
    int cpus = 0;
    proc_machine(machine, sizeof machine, &cpus);
    size_t used = strlen(machine);
    snprintf(machine + used, sizeof machine - used, ", %d processors", cpus);
    s->scenario = compare_set_text(s, name);
    s->word = w->line->words ? compare_set_text(s, w->line->word[0]) : NULL;
    s->part = compare_part_name(w->line->part);
    s->machine = compare_set_text(s, machine);
    s->started = compare_set_text(s, clock_utc(started, sizeof started, time(NULL)));
    s->given = given_text(s, w);
    s->options = options_text(s, w);
    s->folder = compare_set_text(s, w->dir.path);
    s->seed = command_seed(w->line->run.seed);
    s->tolerance = w->line->tolerance;
    s->side = (enum compare_side)w->line->side;
    s->program = w->client ? COMPARE_SIDE_CLIENT : COMPARE_SIDE_SERVER;
    s->footprint = w->footprint;
}

struct compare_work compare_work_of(const struct compare_line *line,
                                    const struct scenario *scenario, struct compare_set *set,
                                    const char *libc)
{
    set->groups = compare_set_text(set, scenario->groups);
    set->unit = scenario_unit(scenario);
    return (struct compare_work){.line = line,
                                 .set = set,
                                 .libc = libc,
                                 .closed = compare_line_closed(scenario),
                                 .alike = compare_line_alike(scenario),
                                 .footprint = !scenario->reload && !scenario->client,
                                 .client = scenario->client != NULL,
                                 .progress = line->run.quiet ? NULL : stderr};
}

int compare_work_check(const char *kind, const char *base, struct err *e)
{
    char below[PATH_MAX];
    return run_dir_check(catalog_results(base, kind, below), e);
}

int compare_work_open(struct compare_work *w, const char *kind, const char *base, const char *name,
                      struct err *e)
{
    char below[PATH_MAX];
    if (run_dir_open_suite(&w->dir, catalog_results(base, kind, below), name, e) != 0)
        return -1;
    fill_head(w, name);
    if (run_process_open_in_order(&w->sub, e) == 0)
        return 0;
    run_dir_close(&w->dir);
    return -1;
}

void compare_work_close(struct compare_work *w)
{
    unlinkat(w->dir.fd, "last", 0); /* the runs' own link: here it would tell nothing */
    run_process_close(&w->sub);
    run_dir_close(&w->dir);
}

/* ---- a run ---- */

struct split_argv {
    const char *word[SUBRUN_WORDS];
    size_t count;
    char closed[TEXT], seed[TEXT], libc[TEXT + 16];
    struct part_words version;
};

static void add(struct split_argv *w, const char *word)
{
    CHECK(w->count + 1 < SUBRUN_WORDS);
    w->word[w->count++] = word;
    w->word[w->count] = NULL;
}

/* The footprint is exact, so that once is enough: in the first run that doesn't break. */
static bool wants_footprint(const struct compare_entry *entry)
{
    for (size_t i = 0; i < entry->runs; i++)
        if (entry->run[i].verdict != VERDICT_INVALID)
            return false;
    return !entry->footprint_conns;
}

/* So that all connections of a run do the same: what one of them costs can be seen of a program
 * that isn't soak's only then. They stand behind the options that were given, and count. */
static void add_alike(const struct compare_work *w, struct split_argv *ret)
{
    snprintf(ret->closed, sizeof ret->closed, "--closed=%" PRIu64, w->alike);
    add(ret, "--footprint");
    add(ret, "--mix=clean");
    add(ret, "--resume=0%");
    add(ret, "--operate=none");
    add(ret, ret->closed);
}

/* Runs of a round have one seed: they make the same choices. `alike`: the run is made for its
 * footprint. */
static void make_words(const struct compare_work *w, size_t i, uint64_t round, bool alike,
                       struct split_argv *ret)
{
    const struct compare_line *line = w->line;
    struct err none;
    ret->count = 0;
    CHECK(compare_part_words(line->part, w->set->entry[i].asked, &ret->version, &none) == 0);
    snprintf(ret->closed, sizeof ret->closed, "--closed=%" PRIu64, w->closed);
    snprintf(ret->seed, sizeof ret->seed, "--seed=%" PRIx64, w->set->seed + round);
    snprintf(ret->libc, sizeof ret->libc, "--libc=%s", w->libc);
    add(ret, "--results");
    add(ret, w->dir.path);
    for (size_t k = 0; k < ret->version.count && can_have(w, ret->version.bytes[k]); k++)
        add(ret, ret->version.bytes[k]);
    for (int p = 0; p < COMPARE_PARTS; p++)
        for (size_t k = 0; k < line->fixed[p].count && can_have(w, line->fixed[p].bytes[k]); k++)
            add(ret, line->fixed[p].bytes[k]);
    if (w->libc[0])
        add(ret, ret->libc);
    if (w->footprint && !w->alike && wants_footprint(&w->set->entry[i]))
        add(ret, "--footprint");
    if (w->closed && !alike)
        add(ret, ret->closed);
    for (int o = 0; o < line->forwarded_options.options; o++)
        if (is_forwarded(w, line->forwarded_options.option[o]))
            add(ret, line->forwarded_options.option[o]);
    if (alike)
        add_alike(w, ret);
    add(ret, ret->seed);
    if (line->words) {
        add(ret, "--");
        add(ret, line->word[0]);
    }
}

/* Of what varies, and of what all versions share. */
static int proved(const struct compare_work *w, const struct compare_entry *entry, struct err *e)
{
    for (int p = 0; p < COMPARE_PARTS; p++) {
        enum compare_part part = (enum compare_part)p;
        const char *name = part == w->line->part ? entry->asked : w->line->list[p];
        if (name && compare_part_proved(part, name, entry, e) != 0)
            return -1;
    }
    return 0;
}

/* A run that could do everything but the footprint says why, and is worth its other rows. */
static void warn(const struct compare_work *w, const struct compare_entry *entry, uint64_t round,
                 const char *said)
{
    if (round == 0 && !entry->footprint_conns && said[0] && w->progress)
        fprintf(w->progress, "soak: %s: %s\n", entry->name, said);
}

/* It broke before it could say on what it ran. */
static bool broke_early(const struct compare_entry *entry)
{
    return entry->mapped_count == 0 && entry->run[entry->runs - 1].verdict == VERDICT_INVALID;
}

/* Adds what the run left to its version. */
static int take_document(struct compare_work *w, struct compare_entry *entry, uint64_t round,
                         const json_t *root, struct err *e)
{
    struct document *document = document_read(root, e);
    int rc = document ? compare_document_add(w->set, entry, document, round, e) : -1;
    document_free(document);
    if (rc != 0)
        return -1;
    if (broke_early(entry) || proved(w, entry, e) == 0)
        return 0;
    compare_entry_drop(entry);
    return -1;
}

/* Without a document there is nothing to go on: a version that is missing, or a soak that broke.
 * Returns 0, or an exit code with a sentence. */
static int take(struct compare_work *w, size_t i, uint64_t round,
                const struct run_process_result *result, struct err *e)
{
    struct compare_entry *entry = &w->set->entry[i];
    const char *said = strncmp(result->said, "soak: ", 6) == 0 ? result->said + 6 : result->said;
    if (!result->document) {
        err_set(e, "%.100s: %.300s", entry->name, said[0] ? said : "its run left no result");
        bool refused = result->exit_code == EXIT_USAGE || result->exit_code == EXIT_GONE;
        return refused ? result->exit_code : EXIT_BROKEN;
    }
    if (take_document(w, entry, round, result->document, e) != 0) {
        err_prefix(e, "%.100s", entry->name);
        return EXIT_BROKEN;
    }
    if (!broke_early(entry))
        warn(w, entry, round, result->complaint);
    return 0;
}

/* `  about 2m05s left`, going by what the runs took so far, once each version had one; a search may
 * need fewer runs than are planned. */
static void print_left(const struct compare_work *w)
{
    const struct compare_set *s = w->set;
    char left[32];
    if (s->done < s->entries || s->done >= s->planned)
        return;
    double each = (double)w->spent_ns / (double)s->done / 1e9;
    fprintf(w->progress, "  %s %s left", w->searches ? "at most" : "about",
            human_seconds(left, sizeof left, each * (double)(s->planned - s->done)));
}

/* `2 of 12  round 1  3.0.20  PASS  4.1s  about 41s left` */
static void say(struct compare_work *w, size_t i, uint64_t round, uint64_t took_ns)
{
    const struct compare_entry *entry = &w->set->entry[i];
    char seconds[32];
    w->spent_ns += took_ns;
    if (!w->progress || entry->runs == 0)
        return;
    int digits = snprintf(NULL, 0, "%" PRIu64, w->set->planned);
    fprintf(w->progress, "soak: %*" PRIu64 " of %" PRIu64 "  round %" PRIu64 "  %-12s %-12s %s",
            digits, w->set->done, w->set->planned, round + 1, entry->name,
            verdict_name(entry->run[entry->runs - 1].verdict),
            human_duration(seconds, sizeof seconds, took_ns));
    print_left(w);
    fputc('\n', w->progress);
}

/* A run of its own gives the footprint of a program that isn't soak's. What it found goes to
 * `document`; where it found none, that has none. Returns its folder; NULL: it gave none. */
static const char *see_footprint(struct compare_work *w, size_t i, uint64_t round, json_t *document)
{
    struct split_argv words;
    struct run_process_result result;
    const char *folder = NULL;
    make_words(w, i, round, true, &words);
    if (run_process_execute(&w->sub, words.word, &result, NULL) != 0)
        return NULL;
    json_t *footprint = json_object_get(result.document, "footprint");
    if (json_is_object(footprint)) {
        json_object_set(document, "footprint", footprint);
        folder = compare_set_text(w->set,
                                  json_string_value(json_object_get(result.document, "run_dir")));
    } else if (w->progress) {
        fprintf(w->progress, "soak: %s: no footprint: %s\n", w->set->entry[i].name,
                result.complaint[0] ? result.complaint : result.said);
    }
    run_process_done(&w->sub, &result, true);
    return folder;
}

int compare_work_one(struct compare_work *w, size_t i, uint64_t round, int *ret_code, struct err *e)
{
    struct split_argv words;
    struct run_process_result result;
    struct compare_entry *entry = &w->set->entry[i];
    const char *seen = NULL;
    uint64_t began = clock_now_ns();
    make_words(w, i, round, false, &words);
    *ret_code = EXIT_BROKEN;
    if (run_process_execute(&w->sub, words.word, &result, e) != 0)
        return -1;
    bool sees = w->alike && result.document && !w->sub.interrupted;
    if (sees && wants_footprint(entry))
        seen = see_footprint(w, i, round, result.document);
    bool cut = w->sub.interrupted || json_is_true(json_object_get(result.document, "interrupted"));
    if (cut) /* it isn't compared */
        err_set(e, "interrupted");
    else
        *ret_code = take(w, i, round, &result, e);
    run_process_done(&w->sub, &result, true);
    if (*ret_code != 0)
        return -1;
    entry->seen_folder[entry->runs - 1] = seen;
    w->set->done++;
    say(w, i, round, clock_now_ns() - began);
    return 0;
}

/* ---- all of them ---- */

int compare_work_save(struct compare_work *w, struct err *e)
{
    compare_set_judge(w->set);
    return run_dir_keep(&w->dir, "compare.json", compare_json(w->set), e);
}

static int run_rounds(struct compare_work *w, int *ret_code, struct err *e)
{
    const size_t count = w->set->entries;
    for (uint64_t round = 0; round < w->set->rounds; round++) {
        for (size_t k = 0; k < count; k++) {
            if (compare_work_one(w, (size_t)(round + k) % count, round, ret_code, e) != 0)
                return -1;
            *ret_code = EXIT_BROKEN;
            if (compare_work_save(w, e) != 0)
                return -1;
        }
    }
    return 0;
}

int compare_work_all(struct compare_work *w, struct err *e)
{
    struct compare_set *s = w->set;
    int code = EXIT_BROKEN;
    s->rounds = (uint64_t)w->line->repeat;
    s->planned = s->rounds * s->entries;
    int rc = compare_work_save(w, e);
    if (rc == 0)
        rc = run_rounds(w, &code, e);
    s->state = rc == 0              ? COMPARE_STATE_ALL
               : w->sub.interrupted ? COMPARE_STATE_STOPPED
                                    : COMPARE_STATE_STUCK;
    bool stuck = s->state == COMPARE_STATE_STUCK;
    s->failed = stuck ? code : 0;
    if (compare_work_save(w, stuck ? NULL : e) == 0)
        return stuck ? -1 : 0;
    s->failed = stuck ? code : EXIT_BROKEN;
    return -1;
}
