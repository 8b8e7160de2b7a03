/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for allocations that fail. */
#include "scenario/scenario_check.h"

#include <errno.h>
#include <stdlib.h>

enum { PARTS_LIMIT = 1000 };

/* Digits up to `end`, from 1 to the limit. Returns 0 when they are anything else. */
static uint64_t read_part(const char *text, char end, const char **ret_rest)
{
    char *rest;
    if (*text < '0' || *text > '9')
        return 0;
    errno = 0;
    unsigned long value = strtoul(text, &rest, 10);
    *ret_rest = rest + 1;
    return *rest == end && !errno && value <= PARTS_LIMIT ? value : 0;
}

int scenario_slice(const struct scenario *s, uint64_t *ret_part, uint64_t *ret_parts)
{
    const char *rest = NULL;
    uint64_t part = s->slice ? read_part(s->slice, '/', &rest) : 1;
    uint64_t parts = s->slice && part ? read_part(rest, '\0', &rest) : 1;
    if (part == 0 || part > parts)
        return -1;
    *ret_part = part;
    *ret_parts = parts;
    return 0;
}

int scenario_check_torture(const struct scenario *s, struct err *e)
{
    uint64_t part, parts;
    if (scenario_slice(s, &part, &parts) < 0)
        return scenario_refuse(s, "slice", e, "a part and how many parts, such as 1/7; at most %d",
                               PARTS_LIMIT);
    if (!s->fail_alloc && s->slice)
        return scenario_refuse(s, "slice", e, "has a meaning only with --fail-alloc");
    if (!s->fail_alloc && s->fail_side != SIDE_BOTH)
        return scenario_refuse(s, "side", e, "has a meaning only with --fail-alloc");
    if (!s->fail_alloc)
        return 0;
    if (!s->probe)
        return scenario_refuse(s, "fail-alloc", e,
                               "it is the probe that makes allocations fail; "
                               "leave out --no-probe");
    if (s->resume > 0 && s->resume < 1)
        return scenario_refuse(s, "resume", e,
                               "with --fail-alloc 0%% or 100%%, so that one connection asks for "
                               "what the next one does");
    return 0;
}
