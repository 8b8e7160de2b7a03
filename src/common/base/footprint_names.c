/* SPDX-License-Identifier: Apache-2.0 */
#include "base/footprint_names.h"

#include "base/check.h"

const char *footprint_end_name(enum footprint_end end)
{
    static const char *const names[] = {
#define X(identifier, name) name,
        FOOTPRINT_ENDS(X)
#undef X
    };
    CHECK(end < FOOTPRINT_END_COUNT);
    return names[end];
}

const char *footprint_stage_name(enum footprint_stage stage)
{
    static const char *const names[] = {
#define X(identifier, name) name,
        FOOTPRINT_STAGES(X)
#undef X
    };
    CHECK(stage < FOOTPRINT_STAGE_COUNT);
    return names[stage];
}
