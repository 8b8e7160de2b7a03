/* SPDX-License-Identifier: Apache-2.0 */
#include "behaviours.h"

#include "base/check.h"

static const struct behaviour_entry entries[] = {
#define X(identifier, name, family, weight, ends, needs, help)                                     \
    {name, needs, help, BEHAVIOUR_##family, ENDS_##ends, weight},
#include "behaviours.def"
};

const char behaviour_choices[] =
#define X(identifier, name, family, weight, ends, needs, help) name "|"
#include "behaviours.def"
    ;

const struct behaviour_entry *behaviour_entry(enum behaviour behaviour)
{
    CHECK((unsigned)behaviour < BEHAVIOUR_COUNT);
    return &entries[behaviour];
}

const char *behaviour_family_name(enum behaviour_family family)
{
    static const char *const names[] = {
        [BEHAVIOUR_LEAVE] = "leave",       [BEHAVIOUR_RESUME] = "resume",
        [BEHAVIOUR_FEATURE] = "feature",   [BEHAVIOUR_HOSTILE] = "hostile",
        [BEHAVIOUR_RESOURCE] = "resource", [BEHAVIOUR_STARTTLS] = "starttls",
    };
    CHECK((unsigned)family < BEHAVIOUR_FAMILIES);
    return names[family];
}
