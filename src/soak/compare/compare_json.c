/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_set.h"

#include "compare_say.h"
#include "report/document.h"
#include "report/json_util.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *figures_json(const struct compare_run *run)
{
    json_t *object = json_object();
    for (int row = 0; row < COMPARE_ROWS; row++)
        if (!isnan(run->row[row]))
            json_object_set_new(object, compare_row_info((enum compare_row)row)->key,
                                json_from_number(run->row[row]));
    return object;
}

static json_t *runs_json(const struct compare_entry *entry)
{
    json_t *array = json_array();
    for (size_t i = 0; i < entry->runs; i++)
        json_array_append_new(
            array,
            json_pack("{s:o,s:s,s:o,s:o,s:o,s:o}", "round", json_from_count(entry->run[i].round),
                      "verdict", verdict_name(entry->run[i].verdict), "seed",
                      json_from_text(entry->seed[i]), "run_dir", json_from_text(entry->folder[i]),
                      "footprint_run_dir", json_from_text(entry->seen_folder[i]), "figures",
                      figures_json(&entry->run[i])));
    return array;
}

static json_t *site_json(const struct compare_column *c)
{
    if (!c->file)
        return json_null();
    return json_pack("{s:o,s:o}", "file", json_from_text(c->file), "line",
                     c->line ? json_from_count(c->line) : json_null());
}

static json_t *version_json(const struct compare_set *s, size_t i)
{
    const struct compare_entry *entry = &s->entry[i];
    const struct compare_column *c = &s->judgement.column[i];
    char line[COMPARE_SENTENCE];
    json_t *object = json_pack(
        "{s:o,s:o,s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "name", json_from_text(entry->name), "verdict",
        c->runs ? json_from_text(verdict_name(c->verdict)) : json_null(), "outcome",
        compare_outcome_name(c->outcome), "verdict_change", compare_change_name(c->verdict_change),
        "kind", c->runs ? json_from_text(kind_name(c->kind)) : json_null(), "site", site_json(c),
        "one_in", json_from_number(c->sensitivity), "mapped",
        document_mapped(entry->mapped, entry->mapped_count), "runs", runs_json(entry));
    json_object_set_new(object, "footprint_connections", json_from_count(entry->footprint_conns));
    json_object_set_new(object, "asked", json_from_text(entry->asked));
    json_object_set_new(object, "key_exchange", json_from_text(entry->group));
    json_object_set_new(object, "other_leaks", json_boolean(entry->other_leaks));
    json_object_set_new(object, "said",
                        i ? json_from_text(compare_say(s, i, line, sizeof line)) : json_null());
    return object;
}

static json_t *ratio_json(const struct compare_ratio *r)
{
    if (r->pairs == 0)
        return json_null();
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "pairs", json_from_count(r->pairs), "median",
                     json_from_number(r->median), "low", json_from_number(r->low), "high",
                     json_from_number(r->high), "level", json_from_number(r->level));
}

static json_t *row_json(const struct compare_set *s, enum compare_row row)
{
    const struct compare_row_info *info = compare_row_info(row);
    char group[COMPARE_FIGURE];
    json_t *cells = json_array();
    for (size_t i = 0; i < s->entries; i++) {
        const struct compare_cell *c = &s->judgement.column[i].cell[row];
        json_array_append_new(
            cells, json_pack("{s:o,s:b,s:s,s:s,s:o}", "value", json_from_number(c->value), "exact",
                             (int)c->exact, "change", compare_change_name(c->change), "outcome",
                             compare_outcome_name(c->outcome), "ratio", ratio_json(&c->ratio)));
    }
    return json_pack("{s:s,s:s,s:s,s:s,s:b,s:s,s:s,s:o}", "key", info->key, "role",
                     compare_role_name(info->role), "unit", compare_unit_name(info->unit), "side",
                     compare_say_side(s, row), "judged",
                     (int)compare_row_counts(row, compare_set_judged(s)), "group",
                     compare_say_rows(s, row, group, sizeof group), "title", info->title, "cells",
                     cells);
}

static json_t *group_json(const struct compare_group *g)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < g->lines; i++) {
        const struct compare_line_pair *l = &g->line[i];
        json_array_append_new(lines,
                              json_pack("{s:o,s:o,s:o}", "before",
                                        l->before ? json_from_count(l->before) : json_null(),
                                        "after", l->after ? json_from_count(l->after) : json_null(),
                                        "difference", json_from_number(l->difference)));
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "file", json_from_text(g->file), "function",
                     json_from_text(g->function), "before", json_from_number(g->before), "after",
                     json_from_number(g->after), "lines", lines, "lines_total",
                     json_from_count(g->lines_total));
}

static json_t *why_json(const struct compare_set *s)
{
    json_t *array = json_array();
    for (size_t i = 1; i < s->entries; i++) {
        for (int m = 0; m < COMPARE_MEASURES; m++) {
            const struct compare_explanation *x = &s->why[i][m];
            json_t *groups = json_array();
            for (size_t g = 0; g < x->groups; g++)
                json_array_append_new(groups, group_json(&x->group[g]));
            json_array_append_new(
                array, json_pack("{s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o}", "from",
                                 json_from_text(s->entry[i - 1].name), "to",
                                 json_from_text(s->entry[i].name), "measure",
                                 compare_measure_name((enum compare_measure)m), "before",
                                 json_from_number(x->before), "after", json_from_number(x->after),
                                 "explained", json_from_number(x->explained), "groups_total",
                                 json_from_count(x->groups_total), "groups", groups));
        }
    }
    return array;
}

json_t *compare_document(const struct compare_set *s)
{
    char seed[24];
    json_t *versions = json_array(), *rows = json_array();
    snprintf(seed, sizeof seed, "%" PRIx64, s->seed);
    for (size_t i = 0; i < s->entries; i++)
        json_array_append_new(versions, version_json(s, i));
    for (int row = 0; row < COMPARE_ROWS; row++)
        json_array_append_new(rows, row_json(s, (enum compare_row)row));
    json_t *root = json_pack(
        "{s:s,s:s,s:s,s:i,s:s,s:o,s:o,s:o,s:o,s:o}", "schema", "soak-compare/1", "version",
        s->version, "outcome", compare_outcome_name(s->judgement.outcome), "exit",
        compare_set_exit_code(s), "state", compare_state_name(s->state), "scenario",
        json_from_text(s->scenario), "part", s->part[0] ? json_from_text(s->part) : json_null(),
        "versions", versions, "rows", rows, "why", why_json(s));
    json_t *more = json_pack(
        "{s:o,s:o,s:o,s:o,s:o,s:o,s:{s:o,s:o},s:o,s:f,s:f}", "folder", json_from_text(s->folder),
        "machine", json_from_text(s->machine), "started", json_from_text(s->started), "options",
        json_from_text(s->options), "seed", s->seed ? json_string(seed) : json_null(), "rounds",
        json_from_count(s->rounds), "runs", "planned", json_from_count(s->planned), "done",
        json_from_count(s->done), "tolerance", json_from_number(s->tolerance), "cpu_margin",
        COMPARE_CPU_MARGIN, "level", COMPARE_LEVEL);
    json_object_update(root, more);
    json_object_set_new(root, "side", json_string(compare_set_side_name(s, compare_set_judged(s))));
    json_object_set_new(root, "groups", json_from_text(s->groups));
    json_object_set_new(root, "given", json_from_text(s->given));
    json_object_set_new(root, "argument", json_from_text(s->word));
    json_object_set_new(root, "footprint", json_boolean(s->footprint));
    json_decref(more);
    return root;
}

char *compare_json(const struct compare_set *s)
{
    return json_document(compare_document(s));
}
