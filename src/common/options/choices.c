/* SPDX-License-Identifier: Apache-2.0 */
#include "choices.h"

#include "base/check.h"
#include "base/process.h"
#include "base/text.h"
#include "behaviours.h"
#include "grammar.h"
#include "limits.h"

#include <stdio.h>
#include <string.h>

const char *choices_at(const char *choices, int index, size_t *ret_length)
{
    for (; index > 0; index--) {
        choices = strchr(choices, '|');
        if (!choices)
            return NULL;
        choices++;
    }
    if (!*choices)
        return NULL;
    *ret_length = strcspn(choices, "|");
    return choices;
}

int choices_find(const char *choices, const char *text, size_t length)
{
    size_t has;
    const char *name;
    for (int i = 0; (name = choices_at(choices, i, &has)); i++)
        if (has == length && strncmp(name, text, length) == 0)
            return i;
    return -1;
}

ENUM_NAMES(operation, OPERATE_LIST)
ENUM_NAMES(tls_version, TLS_LIST)
ENUM_NAMES(key_kind, KEY_LIST)
ENUM_NAMES(malloc_kind, MALLOC_LIST)

static const struct behaviour_entry entries[] = {
#define X(identifier, name, family, weight, ends, server, needs, help)                             \
    {name, needs, help, BEHAVIOUR_##family, ENDS_##ends, SERVER_##server, weight},
#include "behaviours.def"
};

const char behaviour_choices[] =
#define X(identifier, name, family, weight, ends, server, needs, help) name "|"
#include "behaviours.def"
    ;

const struct behaviour_entry *behaviour_entry(enum behaviour behaviour)
{
    CHECK((unsigned)behaviour < BEHAVIOUR_COUNT);
    return &entries[behaviour];
}

static const struct server_behaviour_entry server_entries[] = {
#define X(identifier, name, needs, help) {name, needs, help},
#include "server_behaviours.def"
};

const char server_behaviour_choices[] =
#define X(identifier, name, needs, help) name "|"
#include "server_behaviours.def"
    ;

const struct server_behaviour_entry *server_behaviour_entry(enum server_behaviour behaviour)
{
    CHECK((unsigned)behaviour < SERVER_BEHAVIOURS);
    return &server_entries[behaviour];
}

const char *behaviour_unfit(enum behaviour behaviour, bool foreign)
{
#define WHY(id, name, why, why_own) [id] = {why_own, why},
    static const char *const unfit[][2] = {BEHAVIOUR_SERVER_LIST(WHY)};
#undef WHY
    return unfit[behaviour_entry(behaviour)->server][foreign];
}

ENUM_NAMES(behaviour_server, BEHAVIOUR_SERVER_LIST)
ENUM_NAMES(behaviour_family, BEHAVIOUR_FAMILY_LIST)

enum { WORKERS_AUTO_MAX = 4, OTHER_FILES = 64 };

int load_need_workers(int asked, uint64_t conns)
{
    int workers = asked ? asked : process_processors();
    if (!asked && workers > WORKERS_AUTO_MAX)
        workers = WORKERS_AUTO_MAX;
    return (uint64_t)workers > conns ? (int)conns : workers;
}

uint64_t load_need_files(uint64_t conns, int workers)
{
    uint64_t opening = (uint64_t)workers * LOAD_OPENING_MAX;
    uint64_t leaving = (uint64_t)workers * LOAD_LEAVING_MAX;
    return conns + (conns < opening ? conns : opening) + leaving + OTHER_FILES;
}

uint64_t load_share(uint64_t total, uint64_t from, uint64_t to, uint64_t slots)
{
    CHECK(from <= to && to <= slots && slots > 0);
    unsigned __int128 wide = total;
    return (uint64_t)(wide * to / slots) - (uint64_t)(wide * from / slots);
}

static const char *const defect_names[DEFECT_KINDS] = {
#define X(name, identifier, description) [DEFECT_##identifier] = name,
#include "options/defects.def"
#undef X
};

static int refuse(const char *name, struct err *e)
{
    char text[200];
    const char *nearest = grammar_nearest(name, defect_names + 1, DEFECT_KINDS - 1);
    if (nearest)
        return err_set(e, "no such defect; did you mean %s?", nearest);
    struct text list = text_list(text, sizeof text, ", ");
    for (int i = DEFECT_NONE + 1; i < DEFECT_KINDS; i++)
        text_item(&list, "%s", defect_names[i]);
    return err_set(e, "no such defect; there are %s", text);
}

int defect_parse(const char *text, enum defect_kind *ret_kind, uint64_t *ret_one_in, struct err *e)
{
    char name[32];
    size_t length = strcspn(text, ":");
    uint64_t one_in = 1;
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), text);
    int kind = names_find(defect_names, DEFECT_KINDS, name);
    if (kind < 0)
        return refuse(name, e);
    if (text[length] && grammar_one_in(text + length + 1, &one_in, e) < 0)
        return err_prefix(e, "after the colon");
    *ret_kind = (enum defect_kind)kind;
    *ret_one_in = one_in;
    return 0;
}
