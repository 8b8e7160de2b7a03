/* SPDX-License-Identifier: Apache-2.0 */
#include "limit.h"

#include "block_table.h"
#include "find.h"
#include "page/page_file.h"
#include "preload.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Programs set limits of whole KiB (`ulimit`), so these stay exact. */
enum { UNIT = 1024, MARK = 0x2a5, MIB = 1 << 20 };

/* In whole MiB, with what is left of the last one for the library itself. */
#define RAISE(bytes) (((bytes) / MIB + 2) * MIB)

static const rlim_t AS_BYTES = RAISE(sizeof(struct page) + BLOCK_TABLE_BYTES);
static const rlim_t DATA_BYTES = RAISE(BLOCK_TABLE_BYTES);
_Static_assert(RAISE(sizeof(struct page) + BLOCK_TABLE_BYTES) + 700 * MIB < PAGE_LEAST_AS, "room");
_Static_assert(RAISE(BLOCK_TABLE_BYTES) + 700 * MIB < PAGE_LEAST_DATA, "room");

/* What page and table take of a limit; 0: of this one nothing. */
static rlim_t taken(int resource)
{
    return resource == RLIMIT_AS ? AS_BYTES : resource == RLIMIT_DATA ? DATA_BYTES : 0;
}

/* ---- one figure ---- */

static bool is_raised(rlim_t value, rlim_t by)
{
    return value % UNIT == MARK && value - MARK >= by;
}

static rlim_t as_set(rlim_t value, rlim_t by)
{
    return is_raised(value, by) ? value - MARK - by : value;
}

static rlim_t raised(rlim_t value, rlim_t by)
{
    return value >= RLIM_INFINITY - by - UNIT ? value : value / UNIT * UNIT + by + MARK;
}

/* ---- a soft and a hard one ---- */

static void as_set_both(struct rlimit *limit, rlim_t by)
{
    limit->rlim_cur = as_set(limit->rlim_cur, by);
    limit->rlim_max = as_set(limit->rlim_max, by);
}

/* `top`: the hard limit as it is. What the program may set it still may, and what it may not, such
 * as more than that, it is refused. */
static struct rlimit raised_both(const struct rlimit *wanted, rlim_t by, rlim_t top)
{
    struct rlimit to = {raised(wanted->rlim_cur, by), raised(wanted->rlim_max, by)};
    if (wanted->rlim_max <= as_set(top, by) && to.rlim_max > top)
        to.rlim_max = top;
    if (wanted->rlim_cur <= wanted->rlim_max && to.rlim_cur > to.rlim_max)
        to.rlim_cur = to.rlim_max;
    return to;
}

/* ---- what stands behind ours; the kernel, until that has been looked up ---- */

static int kernel_both(pid_t pid, int resource, const void *limit, void *old)
{
    return (int)syscall(SYS_prlimit64, pid, resource, limit, old);
}

static int kernel_get(int resource, void *limit)
{
    return kernel_both(0, resource, NULL, limit);
}

static int kernel_set(int resource, const void *limit)
{
    return kernel_both(0, resource, limit, NULL);
}

static struct next {
    int (*get)(int resource, void *limit);
    int (*set)(int resource, const void *limit);
    int (*both)(pid_t pid, int resource, const void *limit, void *old);
} next[] = {{kernel_get, kernel_set, kernel_both}, {kernel_get, kernel_set, kernel_both}};

static void find(void *to, const char *name)
{
    void *function = find_after(name);
    if (function)
        memcpy(to, &function, sizeof function);
}

void limit_start(void)
{
    find(&next[0].get, "getrlimit");
    find(&next[0].set, "setrlimit");
    find(&next[0].both, "prlimit");
    find(&next[1].get, "getrlimit64");
    find(&next[1].set, "setrlimit64");
    find(&next[1].both, "prlimit64");
}

/* ---- at the start ---- */

bool limit_leaves_room(void)
{
    static const struct {
        int resource;
        rlim_t least;
    } asked[] = {{RLIMIT_AS, PAGE_LEAST_AS}, {RLIMIT_DATA, PAGE_LEAST_DATA}};
    bool room = true;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct rlimit now;
        if (kernel_get(asked[i].resource, &now) == 0)
            room &=
                now.rlim_cur >= asked[i].least || is_raised(now.rlim_cur, taken(asked[i].resource));
    }
    return room;
}

/* ---- what the program calls ---- */

/* What is to be set in place of `wanted`, which the caller has room for in `room`. */
static const void *instead(int resource, const void *wanted, struct rlimit *room)
{
    struct rlimit now;
    rlim_t by = taken(resource);
    if (!preload_page || !wanted || !by || kernel_get(resource, &now) != 0)
        return wanted;
    *room = raised_both(wanted, by, now.rlim_max);
    return room;
}

static int told(int code, int resource, void *limit)
{
    rlim_t by = taken(resource);
    if (code == 0 && by && limit)
        as_set_both(limit, by);
    return code;
}

/* Each has two names, which are one function where long has 64 bits: X(which, its suffix, type) */
#define TWICE(X) X(0, , struct rlimit) X(1, 64, struct rlimit64)
_Static_assert(sizeof(struct rlimit) == sizeof(struct rlimit64), "one function");

#define GET(i, suffix, type)                                                                       \
    INTERPOSE int getrlimit##suffix(__rlimit_resource_t resource, type *limit)                     \
    {                                                                                              \
        return told(next[i].get((int)resource, limit), (int)resource, limit);                      \
    }
TWICE(GET)

#define SET(i, suffix, type)                                                                       \
    INTERPOSE int setrlimit##suffix(__rlimit_resource_t resource, const type *limit)               \
    {                                                                                              \
        struct rlimit room;                                                                        \
        return next[i].set((int)resource, instead((int)resource, limit, &room));                   \
    }
TWICE(SET)

/* Another process's limit is set as it is: that one may have no probe. */
#define GET_AND_SET(i, suffix, type)                                                               \
    INTERPOSE int prlimit##suffix(pid_t pid, __rlimit_resource_t resource, const type *limit,      \
                                  type *old)                                                       \
    {                                                                                              \
        struct rlimit room;                                                                        \
        const void *to = limit;                                                                    \
        if (pid == 0 || pid == getpid())                                                           \
            to = instead((int)resource, limit, &room);                                             \
        return told(next[i].both(pid, (int)resource, to, old), (int)resource, old);                \
    }
TWICE(GET_AND_SET)
