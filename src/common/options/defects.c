/* SPDX-License-Identifier: Apache-2.0 */
#include "defects.h"

#include "base/names.h"
#include "base/text.h"
#include "grammar.h"

#include <stdio.h>
#include <string.h>

static const char *const names[DEFECT_KINDS] = {
#define X(name, identifier, description) [DEFECT_##identifier] = name,
#include "options/defects.def"
#undef X
};

static int refuse(const char *name, struct err *e)
{
    char text[200];
    const char *nearest = grammar_nearest(name, names + 1, DEFECT_KINDS - 1);
    if (nearest)
        return err_set(e, "no such defect; did you mean %s?", nearest);
    struct text list = text_list(text, sizeof text, ", ");
    for (int i = DEFECT_NONE + 1; i < DEFECT_KINDS; i++)
        text_item(&list, "%s", names[i]);
    return err_set(e, "no such defect; there are %s", text);
}

int defect_parse(const char *text, enum defect_kind *ret_kind, uint64_t *ret_one_in, struct err *e)
{
    char name[32];
    size_t length = strcspn(text, ":");
    uint64_t one_in = 1;
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), text);
    int kind = names_find(names, DEFECT_KINDS, name);
    if (kind < 0)
        return refuse(name, e);
    if (text[length] && grammar_one_in(text + length + 1, &one_in, e) < 0)
        return err_prefix(e, "after the colon");
    *ret_kind = (enum defect_kind)kind;
    *ret_one_in = one_in;
    return 0;
}
