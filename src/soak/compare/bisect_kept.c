/* SPDX-License-Identifier: Apache-2.0 */
#include "bisect_kept.h"

#include "base/check.h"
#include "base/markup.h"
#include "compare_kept.h"
#include "compare_text.h"
#include "report/json_util.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool bisect_kept_is(const char *path)
{
    return compare_kept_has(path, BISECT_FILE);
}

/* ---- reading ---- */

/* Its place among the versions; SIZE_MAX: it isn't one of them. */
static size_t place_of(const struct bisect_kept *k, const char *name)
{
    for (size_t i = 0; i < k->bisection.versions; i++)
        if (strcmp(k->version[i], name) == 0)
            return i;
    return SIZE_MAX;
}

static int read_versions(struct bisect_kept *k, const json_t *root, struct err *e)
{
    const json_t *list = NULL;
    struct bisect_work *b = &k->bisection;
    if (json_read_list(root, "versions", COMPARE_LINE_NAMES, &list, e) != 0)
        return -1;
    k->version = calloc(json_array_size(list) + 1, sizeof *k->version);
    CHECK(k->version);
    b->version = k->version;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text)
            return err_set(e, "'versions' has one that is not a text");
        k->version[b->versions++] = (char *)(uintptr_t)compare_set_text(k->set, text);
    }
    return b->versions >= 2 ? 0 : err_set(e, "'versions' are not two or more");
}

/* The two between which it turns, where that was found. */
static int read_turn(struct bisect_kept *k, const json_t *root, struct err *e)
{
    const char *before = NULL, *first = NULL;
    struct bisect_work *b = &k->bisection;
    if (b->end != BISECT_END_FOUND)
        return 0;
    if (json_need_text(root, "before", &before, e) != 0 ||
        json_need_text(root, "first", &first, e) != 0)
        return -1;
    k->set->searched = true;
    b->low = place_of(k, before);
    b->high = place_of(k, first);
    return b->low != SIZE_MAX && b->high == b->low + 1
               ? 0
               : err_set(e, "'before' and 'first' are not two versions in their order");
}

static int read_answer(struct bisect_kept *k, const json_t *root, struct err *e)
{
    const char *end = NULL, *metric = NULL, *said = NULL;
    double exit_code = 0;
    struct bisect_work *b = &k->bisection;
    if (json_need_text(root, "end", &end, e) != 0 ||
        json_need_text(root, "metric", &metric, e) != 0 ||
        json_need_text(root, "said", &said, e) != 0 ||
        json_need_count(root, "exit", &exit_code, e) != 0)
        return -1;
    if (!bisect_end_from_name(end, &b->end))
        return err_set(e, "'end' is none of this version's words");
    if (bisect_metric(metric, &b->metric, e) != 0)
        return -1;
    if (exit_code > UINT8_MAX)
        return err_set(e, "'exit' is not an exit code");
    k->exit_code = (int)exit_code;
    snprintf(b->sentence, sizeof b->sentence, "%s", compare_set_text(k->set, said));
    return read_turn(k, root, e);
}

/* Of a search in which no version was run there is no comparison. */
static int read_set(struct bisect_kept *k, const json_t *root, const char *file, struct err *e)
{
    const json_t *comparison = json_object_get(root, "comparison");
    const char *schema = NULL, *version = NULL, *part = NULL;
    if (json_read_text(root, "schema", &schema, e) != 0 ||
        json_need_text(root, "version", &version, e) != 0 ||
        json_need_text(root, "part", &part, e) != 0)
        return -1;
    if (!schema || strcmp(schema, BISECT_SCHEMA) != 0)
        return err_set(e, "not a bisection of soak's (%s)", BISECT_SCHEMA);
    if (!json_is_null(comparison)) {
        k->set = compare_kept_of(comparison, file, e);
        return k->set ? 0 : err_prefix(e, "'comparison'");
    }
    k->set = compare_set_new();
    k->set->version = compare_set_text(k->set, version);
    k->set->part = compare_set_text(k->set, part);
    return 0;
}

int bisect_kept_read(struct bisect_kept *k, const char *path, struct err *e)
{
    char file[PATH_MAX];
    *k = (struct bisect_kept){.set = NULL};
    json_t *root = compare_kept_file(path, BISECT_FILE, file, e) == 0 ? json_load(file, e) : NULL;
    if (!root)
        return -1;
    k->bisection.work = &k->work;
    int rc = read_set(k, root, file, e);
    k->work.set = k->set;
    if (rc == 0)
        rc = read_versions(k, root, e);
    if (rc == 0)
        rc = read_answer(k, root, e);
    json_decref(root);
    return rc == 0 ? 0 : err_prefix(e, "%.300s", file);
}

void bisect_kept_free(struct bisect_kept *k)
{
    if (k->set)
        compare_set_free(k->set);
    free(k->version);
}

/* ---- writing ---- */

void bisect_put_json(const void *kept, FILE *out)
{
    const struct bisect_kept *k = kept;
    char *text = bisect_json(&k->bisection, k->exit_code);
    CHECK(text);
    fputs(text, out);
    free(text);
}

void bisect_put_markdown(const void *kept, FILE *out)
{
    const struct bisect_kept *k = kept;
    markdown_put(k->bisection.sentence, out);
    fputs("\n\n", out);
    compare_put_markdown(k->set, out);
}

void bisect_put_html(const void *kept, FILE *out)
{
    const struct bisect_kept *k = kept;
    compare_html(k->set, k->bisection.sentence, out);
}
