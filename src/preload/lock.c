/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that locks all of its memory would have page and block table filled with zeros, 1.3 GiB
 * of them: what is mapped is locked when it is touched instead (mlock(2), Linux 4.4). The program's
 * own memory as well, which it can't tell.
 */
#include "find.h"
#include "preload.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

typedef int (*mlockall_fn)(int flags);

INTERPOSE int mlockall(int flags)
{
    static _Atomic mlockall_fn behind;
    if (!behind)
        behind = (mlockall_fn)find_after("mlockall");
    int code = preload_page ? behind(flags | MCL_ONFAULT) : -1;
    return code == 0 || (preload_page && errno != EINVAL) ? code : behind(flags);
}
