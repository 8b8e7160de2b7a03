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

ENUM_NAMES(behaviour_family, BEHAVIOUR_FAMILY_LIST)
