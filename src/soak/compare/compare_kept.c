/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_kept.h"

#include "base/exit_codes.h"
#include "base/input.h"
#include "base/words.h"
#include "compare_document.h"
#include "report/json_util.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA "soak-compare/1"

static const char file_name[] = "compare.json";

int compare_kept_file(const char *path, const char *name, char file[PATH_MAX], struct err *e)
{
    bool inside = input_is_folder(path);
    int n = snprintf(file, PATH_MAX, "%s%s%s", path, inside ? "/" : "", inside ? name : "");
    return n > 0 && n < PATH_MAX ? 0 : err_set(e, "%.60s...: the path is too long", path);
}

bool compare_kept_has(const char *path, const char *name)
{
    char file[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!input_is_folder(path))
        return strcmp(slash ? slash + 1 : path, name) == 0;
    return compare_kept_file(path, name, file, NULL) == 0 && access(file, F_OK) == 0;
}

bool compare_kept_is(const char *path)
{
    return compare_kept_has(path, file_name);
}

/* ---- what was asked ---- */

static const struct json_field set_list[] = {
    JSON_FIELD(compare_set, "version", NAME, version),
    JSON_FIELD(compare_set, "scenario", NAME, scenario),
    JSON_FIELD(compare_set, "part", TEXT, part),
    JSON_FIELD(compare_set, "argument", TEXT, word),
    JSON_FIELD(compare_set, "folder", TEXT, folder),
    JSON_FIELD(compare_set, "machine", TEXT, machine),
    JSON_FIELD(compare_set, "started", TEXT, started),
    JSON_FIELD(compare_set, "given", TEXT, given),
    JSON_FIELD(compare_set, "options", TEXT, options),
    JSON_FIELD(compare_set, "groups", TEXT, groups),
    JSON_FIELD(compare_set, "rounds", COUNT, rounds),
    JSON_FIELD(compare_set, "tolerance", NUMBER, tolerance),
    JSON_FIELD(compare_set, "footprint", BOOL, footprint),
};
static const struct json_fields set_fields = JSON_FIELDS(set_list);

static const struct json_field runs_list[] = {
    JSON_FIELD(compare_set, "planned", COUNT, planned),
    JSON_FIELD(compare_set, "done", COUNT, done),
};
static const struct json_fields runs_fields = JSON_FIELDS(runs_list);

/* What the document lends becomes the set's own. */
static void own_texts(struct compare_set *s)
{
    const char **const text[] = {&s->version, &s->scenario, &s->part,    &s->word,  &s->folder,
                                 &s->machine, &s->started,  &s->options, &s->given, &s->groups};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        *text[i] = compare_set_text(s, *text[i]);
}

/* What of an exit code isn't the outcome's, which is judged anew. */
static int failure_of(enum compare_state state, double code)
{
    bool refused = state == COMPARE_STATE_STUCK && (code == EXIT_USAGE || code == EXIT_GONE);
    return refused || code == EXIT_BROKEN ? (int)code : 0;
}

static int read_words(struct compare_set *s, const json_t *root, struct err *e)
{
    const char *state = NULL, *side = NULL, *seed = NULL;
    double code = 0;
    if (json_need_count(root, "exit", &code, e) != 0 ||
        json_need_text(root, "state", &state, e) != 0 ||
        json_need_text(root, "side", &side, e) != 0 || json_read_text(root, "seed", &seed, e) != 0)
        return -1;
    if (!compare_state_from_name(state, &s->state))
        return err_set(e, "'state' is none of this version's words");
    if (!compare_side_from_name(side, &s->side))
        return err_set(e, "'side' is none of this version's words");
    if (seed && (strlen(seed) > 16 || seed[strspn(seed, "0123456789abcdef")]))
        return err_set(e, "'seed' is not a seed");
    s->failed = failure_of(s->state, code);
    s->seed = seed ? strtoull(seed, NULL, 16) : 0;
    return 0;
}

static int read_head(struct compare_set *s, const json_t *root, struct err *e)
{
    const char *schema = NULL;
    if (json_read_text(root, "schema", &schema, e) != 0)
        return -1;
    if (!schema || strcmp(schema, SCHEMA) != 0)
        return err_set(e, "not a comparison of soak's (%s)", SCHEMA);
    s->footprint = true; /* what comparisons had before they said so */
    if (json_read_fields(root, &set_fields, s, e) != 0 ||
        json_read_part(root, "runs", &runs_fields, s, e) != 0)
        return -1;
    own_texts(s);
    if (s->given && !words_are_quoted(s->given))
        return err_set(e, "'given' is not quoted for a shell");
    if (!(s->tolerance >= 0 && s->tolerance <= 1))
        return err_set(e, "'tolerance' is not a share");
    return read_words(s, root, e);
}

/* ---- its runs ---- */

struct kept_run {
    const char *verdict, *seed, *run_dir, *seen_dir; /* lent by the document */
    uint64_t round;
};

static const struct json_field run_list[] = {
    JSON_FIELD(kept_run, "verdict", NAME, verdict),
    JSON_FIELD(kept_run, "seed", TEXT, seed),
    JSON_FIELD(kept_run, "run_dir", NAME, run_dir),
    JSON_FIELD(kept_run, "footprint_run_dir", TEXT, seen_dir),
    JSON_FIELD(kept_run, "round", COUNT, round),
};
static const struct json_fields run_fields = JSON_FIELDS(run_list);

/* The document of a run that lies in the folder now, wherever it lay. */
static json_t *load_run(const char *folder, const char *run_dir, struct err *e)
{
    char path[PATH_MAX];
    const char *slash = strrchr(run_dir, '/'), *name = slash ? slash + 1 : run_dir;
    int n = snprintf(path, sizeof path, "%s/%s/result.json", folder, name);
    if (!*name || name[0] == '.' || n < 0 || (size_t)n >= sizeof path) {
        err_set(e, "'%.60s' is not a run's folder", run_dir);
        return NULL;
    }
    return json_load(path, e);
}

/* With the footprint that another run gave it. */
static json_t *load_whole(const char *folder, const struct kept_run *kept, struct err *e)
{
    json_t *root = load_run(folder, kept->run_dir, e);
    json_t *seen = root && kept->seen_dir ? load_run(folder, kept->seen_dir, e) : NULL;
    if (root && kept->seen_dir && !seen) {
        json_decref(root);
        return NULL;
    }
    if (seen)
        json_object_set(root, "footprint", json_object_get(seen, "footprint"));
    json_decref(seen);
    return root;
}

/* That it is the run which was compared. */
static int check_run(const struct compare_entry *entry, const struct kept_run *kept, struct err *e)
{
    size_t i = entry->runs - 1;
    const char *seed = entry->seed[i] ? entry->seed[i] : "", *was = kept->seed ? kept->seed : "";
    if (strcmp(verdict_name(entry->run[i].verdict), kept->verdict) != 0 || strcmp(seed, was) != 0)
        return err_set(e, "%.200s is not the run that was compared: it is %s with seed %.20s",
                       kept->run_dir, verdict_name(entry->run[i].verdict), seed);
    return 0;
}

static int add_run(struct compare_set *s, struct compare_entry *entry, const json_t *value,
                   const char *folder, struct err *e)
{
    struct kept_run kept = {.verdict = NULL};
    if (json_read_fields(value, &run_fields, &kept, e) != 0)
        return -1;
    json_t *root = load_whole(folder, &kept, e);
    struct document *document = root ? document_read(root, e) : NULL;
    int rc = document ? compare_document_add(s, entry, document, kept.round, e) : -1;
    if (rc == 0)
        entry->seen_folder[entry->runs - 1] = compare_set_text(s, kept.seen_dir);
    document_free(document);
    json_decref(root);
    return rc == 0 ? check_run(entry, &kept, e) : -1;
}

static int add_version(struct compare_set *s, const json_t *value, const char *folder,
                       struct err *e)
{
    const char *name = NULL, *asked = NULL;
    const json_t *runs = NULL;
    if (json_need_text(value, "name", &name, e) != 0 ||
        json_read_text(value, "asked", &asked, e) != 0 ||
        json_read_list(value, "runs", COMPARE_RUNS, &runs, e) != 0)
        return -1;
    struct compare_entry *entry = compare_set_add(s, name);
    if (asked)
        entry->asked = compare_set_text(s, asked);
    for (size_t i = 0; i < json_array_size(runs); i++)
        if (add_run(s, entry, json_array_get(runs, i), folder, e) != 0)
            return -1;
    return 0;
}

static int read_all(struct compare_set *s, const json_t *root, const char *folder, struct err *e)
{
    const json_t *versions = NULL;
    size_t runs = 0;
    if (read_head(s, root, e) != 0 ||
        json_read_list(root, "versions", COMPARE_VERSIONS, &versions, e) != 0)
        return -1;
    for (size_t i = 0; i < json_array_size(versions); i++) {
        if (add_version(s, json_array_get(versions, i), folder, e) != 0)
            return err_prefix(e, "version %zu", i + 1);
        runs += s->entry[i].runs;
    }
    return runs ? 0 : err_set(e, "none of its runs was done");
}

struct compare_set *compare_kept_of(const json_t *root, const char *file, struct err *e)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(file, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - file) : 1, slash ? file : ".");
    struct compare_set *s = compare_set_new();
    if (read_all(s, root, folder, e) == 0) {
        compare_set_judge(s);
        return s;
    }
    compare_set_free(s);
    return NULL;
}

struct compare_set *compare_kept_read(const char *path, struct err *e)
{
    char file[PATH_MAX];
    json_t *root = compare_kept_file(path, file_name, file, e) == 0 ? json_load(file, e) : NULL;
    if (!root)
        return NULL;
    struct compare_set *s = compare_kept_of(root, file, e);
    json_decref(root);
    if (s && s->entries < 2) {
        err_set(e, "'versions' are not two or more");
        compare_set_free(s);
        s = NULL;
    }
    if (!s)
        err_prefix(e, "%.300s", file);
    return s;
}
