/* SPDX-License-Identifier: Apache-2.0 */
#include "limits.h"

#include <unistd.h>

enum { WORKERS_AUTO_MAX = 4, OTHER_FILES = 64 };

int load_need_workers(int asked, uint64_t conns)
{
    long workers = asked ? asked : sysconf(_SC_NPROCESSORS_ONLN);
    if (!asked && workers > WORKERS_AUTO_MAX)
        workers = WORKERS_AUTO_MAX;
    if (workers < 1)
        workers = 1;
    return (uint64_t)workers > conns ? (int)conns : (int)workers;
}

uint64_t load_need_files(uint64_t conns, int workers)
{
    uint64_t opening = (uint64_t)workers * LOAD_OPENING_MAX;
    uint64_t leaving = (uint64_t)workers * LOAD_LEAVING_MAX;
    return conns + (conns < opening ? conns : opening) + leaving + OTHER_FILES;
}
