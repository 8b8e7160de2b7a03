/* SPDX-License-Identifier: Apache-2.0 */
#include "defect_kind.h"

#include "defect.h"
#include "options/grammar.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum defect_kind kind;
} known[] = {
#define X(name, identifier, description) {name, DEFECT_##identifier},
#include "options/defects.def"
};
enum { KNOWN = sizeof known / sizeof known[0] };

static int refuse(const char *name, struct err *e)
{
    const char *names[KNOWN];
    for (size_t i = 0; i < KNOWN; i++)
        names[i] = known[i].name;
    const char *nearest = grammar_nearest(name, names, KNOWN);
    if (nearest)
        return err_set(e, "no such defect '%s'; did you mean %s?", name, nearest);
    return err_set(e, "no such defect '%s'", name);
}

int defect_spec(const char *text, enum defect_kind *ret_kind, uint64_t *ret_one_in, struct err *e)
{
    char name[32];
    size_t length = strcspn(text, ":");
    uint64_t one_in = 1;
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), text);
    if (text[length] && grammar_one_in(text + length + 1, &one_in, e) < 0)
        return -1;
    for (size_t i = 0; i < KNOWN; i++) {
        if (strcmp(known[i].name, name) != 0)
            continue;
        *ret_kind = known[i].kind;
        *ret_one_in = one_in;
        return 0;
    }
    return refuse(name, e);
}

int defect_check(const char *text, struct err *e)
{
    enum defect_kind kind;
    uint64_t one_in;
    return defect_spec(text, &kind, &one_in, e);
}
