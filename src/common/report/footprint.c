/* SPDX-License-Identifier: Apache-2.0 */
#include "report/footprint.h"

#include "report/json_util.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void footprint_free(struct footprint *f)
{
    for (int end = 0; end < FOOTPRINT_END_COUNT; end++) {
        struct footprint_side *side = &f->end[end];
        for (size_t i = 0; i < side->sites; i++) {
            free(side->site[i].file);
            free(side->site[i].function);
        }
        free(side->site);
    }
    *f = (struct footprint){.connections = 0};
}

/* Doubles the room at every power of two. */
static int make_room(struct footprint_side *side)
{
    size_t count = side->sites;
    if (count && (count & (count - 1)))
        return 0;
    struct footprint_site *larger =
        realloc(side->site, (count ? 2 * count : 1) * sizeof *side->site);
    if (!larger)
        return -1;
    side->site = larger;
    return 0;
}

int footprint_add_site(struct footprint_side *side, const struct footprint_site *site,
                       struct err *e)
{
    struct footprint_site copy = *site;
    if (side->sites == FOOTPRINT_SITES_MAX)
        return err_set(e, "there are more than %d sites", FOOTPRINT_SITES_MAX);
    copy.file = strdup(site->file);
    copy.function = site->function ? strdup(site->function) : NULL;
    if (!copy.file || (site->function && !copy.function) || make_room(side) < 0) {
        free(copy.file);
        free(copy.function);
        return err_set(e, "no memory for a site");
    }
    side->site[side->sites++] = copy;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct footprint_site *x = a, *y = b;
    if (x->allocs > y->allocs || x->allocs < y->allocs)
        return x->allocs > y->allocs ? -1 : 1;
    int files = strcmp(x->file, y->file);
    return files ? files : (x->line > y->line) - (x->line < y->line);
}

void footprint_sort(struct footprint *f)
{
    for (int end = 0; end < FOOTPRINT_END_COUNT; end++) {
        struct footprint_side *side = &f->end[end];
        if (side->sites)
            qsort(side->site, side->sites, sizeof *side->site, compare);
    }
}

/* ---- in the document ---- */

static json_t *text(const char *value)
{
    return json_from_text(value && *value ? value : NULL);
}

#define PUT_FIGURE(name) json_object_set_new(to, #name, json_from_number(from->name));

static json_t *held_json(const struct footprint_held *from, enum footprint_stage stage)
{
    json_t *to = json_pack("{s:s}", "stage", footprint_stage_name(stage));
    FOOTPRINT_HELD_FIGURES(PUT_FIGURE)
    return to;
}

static json_t *site_json(const struct footprint_site *from)
{
    json_t *to = json_pack("{s:o,s:I,s:o}", "file", text(from->file), "line",
                           (json_int_t)from->line, "function", text(from->function));
    FOOTPRINT_SITE_FIGURES(PUT_FIGURE)
    return to;
}

static json_t *side_json(const struct footprint_side *from, enum footprint_end end)
{
    json_t *held = json_array(), *sites = json_array();
    for (int stage = 0; stage < FOOTPRINT_STAGE_COUNT; stage++)
        json_array_append_new(held, held_json(&from->held[stage], (enum footprint_stage)stage));
    for (size_t i = 0; i < from->sites; i++)
        json_array_append_new(sites, site_json(&from->site[i]));
    json_t *to = json_pack("{s:s,s:b}", "name", footprint_end_name(end), "exact", (int)from->exact);
    FOOTPRINT_SIDE_FIGURES(PUT_FIGURE)
    json_object_set_new(to, "held", held);
    json_object_set_new(to, "sites", sites);
    return to;
}

json_t *footprint_json(const struct footprint *f)
{
    if (!f)
        return json_null();
    json_t *ends = json_array();
    for (int end = 0; end < FOOTPRINT_END_COUNT; end++)
        json_array_append_new(ends, side_json(&f->end[end], (enum footprint_end)end));
    return json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "connections", (json_int_t)f->connections,
                     "openssl", text(f->openssl), "tls", text(f->tls), "key", text(f->key), "group",
                     text(f->group), "ends", ends, "rss_bytes_per_conn",
                     json_from_number(f->rss_bytes_per_conn), "left_out", text(f->left_out));
}

/* Missing and null are an empty text. */
static int copy_text(const json_t *from, const char *key, char *buf, size_t size, struct err *e)
{
    const char *text = "";
    if (json_read_text(from, key, &text, e) != 0)
        return -1;
    if (strlen(text) >= size)
        return err_set(e, "'%s' isn't a text of less than %zu bytes", key, size);
    memcpy(buf, text, strlen(text) + 1);
    return 0;
}

/* null: what can't be told of a program that isn't soak's; the others are always known. */
static int read_figure(const json_t *from, const char *key, double *ret, struct err *e)
{
    static const char *const known[] = {"allocs", "held_bytes", "alloc_bytes"};
    bool unknown = json_is_null(json_object_get(from, key));
    for (size_t i = 0; i < sizeof known / sizeof *known && !json_object_get(from, "stage"); i++)
        unknown &= strcmp(key, known[i]) != 0;
    *ret = NAN;
    return unknown ? 0 : json_need_count(from, key, ret, e);
}

#define OR_READ(name) || read_figure(from, #name, &to->name, e) != 0

static int read_held(const json_t *from, bool idle, struct footprint_held *to, struct err *e)
{
    if (0 FOOTPRINT_HELD_FIGURES(OR_READ))
        return -1;
    return idle && (isnan(to->blocks) || isnan(to->bytes))
               ? err_set(e, "'blocks' or 'bytes' is missing")
               : 0;
}

static int read_site(const json_t *from, struct footprint_side *side, struct err *e)
{
    const char *file = "", *function = "";
    double line = 0;
    struct footprint_site site = {.line = 0}, *to = &site;
    if (json_read_text(from, "file", &file, e) != 0 ||
        json_read_text(from, "function", &function, e) != 0 ||
        json_need_count(from, "line", &line, e) != 0 FOOTPRINT_SITE_FIGURES(OR_READ))
        return -1;
    if (!*file)
        return err_set(e, "'file' is not a text");
    if (line > UINT32_MAX)
        return err_set(e, "'line' is more than a line's number");
    site.line = (uint32_t)line;
    site.file = (char *)(uintptr_t)file; /* copied */
    site.function = *function ? (char *)(uintptr_t)function : NULL;
    return footprint_add_site(side, &site, e);
}

static int read_sites(const json_t *sites, const char *end, struct footprint_side *to,
                      struct err *e)
{
    size_t i;
    json_t *site;
    if (!json_is_array(sites))
        return err_set(e, "%s: 'sites' is not a list", end);
    json_array_foreach(sites, i, site)
    {
        if (read_site(site, to, e) < 0)
            return err_prefix(e, "%s, site %zu", end, i + 1);
    }
    return 0;
}

/* The member of an array whose `key` is `word`, or NULL. */
static const json_t *find(const json_t *array, const char *key, const char *word)
{
    size_t i;
    const json_t *item;
    json_array_foreach(array, i, item)
    {
        const char *has = json_string_value(json_object_get(item, key));
        if (has && strcmp(has, word) == 0)
            return item;
    }
    return NULL;
}

static int read_side(const json_t *from, struct footprint_side *to, struct err *e)
{
    const json_t *held = json_object_get(from, "held");
    if (!json_is_boolean(json_object_get(from, "exact")))
        return err_set(e, "'exact' is neither true nor false");
    to->exact = json_is_true(json_object_get(from, "exact"));
    if (0 FOOTPRINT_SIDE_FIGURES(OR_READ))
        return -1;
    for (int stage = 0; stage < FOOTPRINT_STAGE_COUNT; stage++) {
        const char *name = footprint_stage_name((enum footprint_stage)stage);
        if (read_held(find(held, "stage", name), stage == FOOTPRINT_IDLE, &to->held[stage], e) < 0)
            return err_prefix(e, "held, %s", name);
    }
    return 0;
}

static int read_end(const json_t *ends, enum footprint_end end, struct footprint *f, struct err *e)
{
    const char *name = footprint_end_name(end);
    const json_t *from = find(ends, "name", name);
    if (!from)
        return err_set(e, "it has no %s among its ends", name);
    if (read_side(from, &f->end[end], e) < 0)
        return err_prefix(e, "%s", name);
    return read_sites(json_object_get(from, "sites"), name, &f->end[end], e);
}

static int read_head(const json_t *value, struct footprint *f, struct err *e)
{
    const json_t *connections = json_object_get(value, "connections");
    if (!json_is_integer(connections) || json_integer_value(connections) < 1)
        return err_set(e, "'connections' is not a count from 1 on");
    f->connections = (uint64_t)json_integer_value(connections);
    f->rss_bytes_per_conn = NAN;
    if (json_read_count(value, "rss_bytes_per_conn", &f->rss_bytes_per_conn, e) != 0 ||
        copy_text(value, "openssl", f->openssl, sizeof f->openssl, e) < 0 ||
        copy_text(value, "tls", f->tls, sizeof f->tls, e) < 0 ||
        copy_text(value, "key", f->key, sizeof f->key, e) < 0 ||
        copy_text(value, "group", f->group, sizeof f->group, e) < 0)
        return -1;
    return copy_text(value, "left_out", f->left_out, sizeof f->left_out, e);
}

int footprint_read(const json_t *value, struct footprint *ret, struct err *e)
{
    struct footprint f = {.connections = 0};
    if (!json_is_object(value))
        return err_set(e, "'footprint' is not an object");
    int rc = read_head(value, &f, e);
    for (int end = 0; rc == 0 && end < FOOTPRINT_END_COUNT; end++)
        rc = read_end(json_object_get(value, "ends"), (enum footprint_end)end, &f, e);
    if (rc < 0) {
        footprint_free(&f);
        return err_prefix(e, "footprint");
    }
    footprint_sort(&f);
    *ret = f;
    return 0;
}
