/* SPDX-License-Identifier: Apache-2.0 */
#include "failures.h"

enum { MANY = 100, DECIDE_MIN = 50 };

bool failures_many(uint64_t failed, uint64_t tried)
{
    return failed * MANY > tried;
}

bool failures_decide(uint64_t failed, uint64_t tried, uint64_t expected)
{
    uint64_t all = expected > tried ? expected : tried;
    return failed >= DECIDE_MIN && failed * 2 > tried && failures_many(failed, all);
}
