/* SPDX-License-Identifier: Apache-2.0 */
/* What the server's libraries can't be. */
#include "scenario/scenario_check.h"

int scenario_check_libs(const struct scenario *s, struct err *e)
{
    if (s->jemalloc && s->malloc == MALLOC_LIBC)
        return scenario_refuse(s, "jemalloc", e,
                               "the server doesn't run on it with --malloc libc; leave one of them "
                               "out");
    if (s->footprint && s->fail_alloc)
        return scenario_refuse(s, "footprint", e, "has no meaning with --fail-alloc");
    return 0;
}
