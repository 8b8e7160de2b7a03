/* SPDX-License-Identifier: Apache-2.0 */
#include "bisect.h"

#include "base/check.h"

#include <math.h>

struct bisect bisect_of(size_t versions)
{
    CHECK(versions >= 2);
    return (struct bisect){.low = 0, .high = versions - 1};
}

bool bisect_next(const struct bisect *b, size_t *ret)
{
    if (b->high - b->low < 2)
        return false;
    *ret = b->low + (b->high - b->low) / 2;
    return true;
}

void bisect_take(struct bisect *b, size_t version, bool like_last)
{
    CHECK(version > b->low && version < b->high);
    if (like_last)
        b->high = version;
    else
        b->low = version;
}

size_t bisect_most(size_t versions)
{
    size_t most = 2;
    for (size_t gap = versions - 1; gap > 1; gap -= gap / 2)
        most++;
    return most;
}

bool bisect_differs(double first, double last, double tolerance)
{
    return first != last && fabs(last - first) > tolerance * fabs(first);
}

bool bisect_like_last(double value, double first, double last)
{
    return fabs(value - last) < fabs(value - first);
}
