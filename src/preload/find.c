/* SPDX-License-Identifier: Apache-2.0 */
#include "find.h"

#include "loader.h"
#include "object.h"

#include <string.h>
#include <sys/auxv.h>

/* ---- libcrypto ---- */

static void name_object(const struct dl_phdr_info *object, char *to, size_t size)
{
    const char *path = object->dlpi_name;
    if (!path || !path[0])
        path = (const char *)getauxval(AT_EXECFN);
    size_t length = path ? strlen(path) : 0;
    size_t skipped = length >= size ? length - (size - 1) : 0;
    memset(to, 0, size);
    if (path)
        memcpy(to, path + skipped, length - skipped);
}

/* Of OpenSSL only: LibreSSL and BoringSSL tell a version as well, but number their classes of
 * objects otherwise. Only OpenSSL since 1.1 has the table of this name. */
static unsigned long version_of(const struct object *o)
{
    unsigned long (*version)(void) = object_function(o, "OpenSSL_version_num");
    return version && object_function(o, "OPENSSL_LH_new") ? version() : 0;
}

static void find_bounds(const struct dl_phdr_info *object, struct libcrypto *ret)
{
    ret->begin = UINTPTR_MAX;
    ret->end = 0;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t begin = object->dlpi_addr + part->p_vaddr, end = begin + part->p_memsz;
        if (part->p_type != PT_LOAD)
            continue;
        ret->begin = begin < ret->begin ? begin : ret->begin;
        ret->end = end > ret->end ? end : ret->end;
    }
}

struct search {
    struct libcrypto *first;
    size_t count;
    bool loading; /* there is one that isn't loaded yet */
};

static int on_object(struct dl_phdr_info *object, size_t size, void *to)
{
    struct search *search = to;
    struct object o;
    (void)size;
    if (!object_read(object, &o))
        return 0;
    void *set = object_function(&o, "CRYPTO_set_mem_functions");
    if (!set)
        return 0;
    if (!loader_is_done(set)) {
        search->loading = true;
        return 0;
    }
    if (search->count++ > 0)
        return 0;
    struct libcrypto *found = search->first;
    name_object(object, found->path, sizeof found->path);
    find_bounds(object, found);
    found->version = version_of(&o);
    found->set_mem_functions = object_function(&o, "CRYPTO_set_mem_ex_functions") ? NULL : set;
    found->get_mem_functions = object_function(&o, "CRYPTO_get_mem_functions");
    found->malloc = object_function(&o, "CRYPTO_malloc");
    found->realloc = object_function(&o, "CRYPTO_realloc");
    found->free = object_function(&o, "CRYPTO_free");
    found->get_ex_new_index = object_function(&o, "CRYPTO_get_ex_new_index");
    return 0;
}

size_t find_libcrypto(struct libcrypto *ret, bool *ret_loading)
{
    struct search search = {.first = ret};
    loader_iterate(on_object, &search);
    *ret_loading = search.loading;
    return search.count;
}

/* ---- what a caller would have been bound to ---- */

enum { DEFINERS_MAX = 4 };

struct scope {
    const char *name;
    uintptr_t caller_address;
    size_t definers;
    struct object definer[DEFINERS_MAX];
    bool caller_found;
    struct object caller;
    size_t chosen; /* of the definers */
    void *function;
};

static int on_scope_object(struct dl_phdr_info *object, size_t size, void *to)
{
    struct scope *scope = to;
    struct object o;
    (void)size;
    /* One preloaded before this library has called it: to call that again would never end. */
    if (!scope->caller_address && object_is_own(object))
        scope->definers = 0;
    if (!object_read(object, &o))
        return 0;
    if (object_contains(object, scope->caller_address)) {
        scope->caller = o;
        scope->caller_found = true;
    }
    void *function = object_function(&o, scope->name);
    if (scope->definers < DEFINERS_MAX && function && loader_is_done(function))
        scope->definer[scope->definers++] = o;
    return 0;
}

/* The definer that `o` is, or was linked with; `definers` when there is none. */
static size_t definer_for(const struct scope *scope, const struct object *o)
{
    for (size_t i = 0; i < scope->definers; i++) {
        const struct object *definer = &scope->definer[i];
        if (definer->base == o->base || (definer->soname && object_needs(o, definer->soname)))
            return i;
    }
    return scope->definers;
}

/* A library that the caller was linked with was linked with one of them, as libssl is with
 * libcrypto. */
static int on_needed_object(struct dl_phdr_info *object, size_t size, void *to)
{
    struct scope *scope = to;
    struct object o;
    (void)size;
    if (!object_read(object, &o) || !o.soname || !object_needs(&scope->caller, o.soname))
        return 0;
    size_t i = definer_for(scope, &o);
    if (i < scope->definers)
        scope->chosen = i;
    return i < scope->definers;
}

/* All of it within one callback: nothing is unloaded until it returns, because the loader's lock,
 * which a thread may take again, is held. */
static int on_scope(struct dl_phdr_info *any, size_t size, void *to)
{
    struct scope *scope = to;
    (void)any;
    (void)size;
    loader_iterate(on_scope_object, scope);
    if (scope->definers > 1 && scope->caller_found) {
        size_t i = definer_for(scope, &scope->caller);
        if (i < scope->definers)
            scope->chosen = i;
        else
            loader_iterate(on_needed_object, scope);
    }
    if (scope->definers > 0)
        scope->function = object_function(&scope->definer[scope->chosen], scope->name);
    return 1;
}

void *find_behind(const char *name, const void *caller)
{
    struct scope scope = {.name = name, .caller_address = (uintptr_t)caller};
    loader_iterate(on_scope, &scope);
    return scope.function;
}

struct next_search {
    const char *name;
    bool passed;     /* this library */
    bool allocators; /* are passed over */
    void *function;
};

static int on_object_after(struct dl_phdr_info *object, size_t size, void *to)
{
    struct next_search *search = to;
    struct object o;
    (void)size;
    if (object_is_own(object))
        search->passed = true;
    else if (search->passed && object_read(object, &o) &&
             !(search->allocators && object_function(&o, "malloc")))
        search->function = object_function(&o, search->name);
    return search->function != NULL;
}

void *find_after(const char *name)
{
    struct next_search search = {.name = name};
    loader_iterate(on_object_after, &search);
    return search.function;
}

void *find_after_allocators(const char *name)
{
    struct next_search search = {.name = name, .allocators = true};
    loader_iterate(on_object_after, &search);
    return search.function;
}

static int on_object_before(struct dl_phdr_info *object, size_t size, void *to)
{
    struct next_search *search = to;
    struct object o;
    (void)size;
    search->passed = object_is_own(object);
    if (!search->passed && object_read(object, &o))
        search->function = object_function(&o, search->name);
    return search->passed || search->function;
}

void *find_before(const char *name)
{
    struct next_search search = {.name = name};
    loader_iterate(on_object_before, &search);
    return search.function;
}

/* ---- this library, and how many there are ---- */

struct address_search {
    uintptr_t address;
    bool own;
};

static int on_own_object(struct dl_phdr_info *object, size_t size, void *to)
{
    struct address_search *search = to;
    (void)size;
    if (!object_is_own(object))
        return 0;
    search->own = object_contains(object, search->address);
    return 1;
}

bool find_is_own(uintptr_t address)
{
    struct address_search search = {.address = address};
    loader_iterate(on_own_object, &search);
    return search.own;
}

static int on_first_object(struct dl_phdr_info *object, size_t size, void *to)
{
    (void)size;
    *(unsigned long long *)to = object->dlpi_adds + object->dlpi_subs;
    return 1;
}

unsigned long long find_changes(void)
{
    unsigned long long changes = 0;
    loader_iterate(on_first_object, &changes);
    return changes;
}
