/* SPDX-License-Identifier: Apache-2.0 */
#include "loader.h"

#include "object.h"

#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <stdatomic.h>
#include <string.h>

typedef __typeof__(&dl_iterate_phdr) iterate_fn;

/* In the list for debuggers, which needs no lock as far as that: the C library stays, and so does
 * what comes before it. */
static iterate_fn find_iterate(void)
{
    for (const struct link_map *map = _r_debug.r_map; map; map = map->l_next) {
        struct object o;
        if (object_read_map(map, &o) && o.soname && strcmp(o.soname, LIBC_SO) == 0)
            return (iterate_fn)object_function(&o, "dl_iterate_phdr");
    }
    return NULL;
}

int loader_iterate(int (*on)(struct dl_phdr_info *object, size_t size, void *to), void *to)
{
    static _Atomic iterate_fn known;
    iterate_fn iterate = atomic_load_explicit(&known, memory_order_relaxed);
    if (!iterate) {
        iterate = find_iterate();
        iterate = iterate ? iterate : dl_iterate_phdr;
        atomic_store_explicit(&known, iterate, memory_order_relaxed);
    }
    return iterate(on, to);
}

bool loader_is_done(const void *address)
{
#ifdef DLFO_STRUCT_HAS_EH_DBASE
    struct dl_find_object found;
    return _dl_find_object((void *)(uintptr_t)address, &found) == 0;
#else
    (void)address;
    return true;
#endif
}
