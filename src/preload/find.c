/* SPDX-License-Identifier: Apache-2.0 */
#include "find.h"

#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>

/* The tables of an object's dynamic symbols. */
struct symbols {
    uintptr_t base;
    const ElfW(Sym) * symbol;
    const char *text;
    const uint32_t *gnu_hash, *hash;
};

/* The loader writes addresses into most objects' tables, but not into those that it can't write to.
 */
static const void *address(uintptr_t base, ElfW(Addr) value)
{
    return (const void *)(value < base ? base + value : value);
}

static const ElfW(Dyn) * dynamic_of(const struct dl_phdr_info *object)
{
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
            return (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
    }
    return NULL;
}

static bool read_symbols(const struct dl_phdr_info *object, struct symbols *ret)
{
    struct symbols s = {.base = object->dlpi_addr};
    for (const ElfW(Dyn) *d = dynamic_of(object); d && d->d_tag != DT_NULL; d++) {
        const void *at = address(s.base, d->d_un.d_ptr);
        if (d->d_tag == DT_SYMTAB)
            s.symbol = at;
        else if (d->d_tag == DT_STRTAB)
            s.text = at;
        else if (d->d_tag == DT_GNU_HASH)
            s.gnu_hash = at;
        else if (d->d_tag == DT_HASH)
            s.hash = at;
    }
    *ret = s;
    return s.symbol && s.text && (s.gnu_hash || s.hash);
}

static bool defines(const struct symbols *s, size_t i, const char *name)
{
    const ElfW(Sym) *symbol = &s->symbol[i];
    return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
           ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
           strcmp(s->text + symbol->st_name, name) == 0;
}

static uint32_t gnu_hash_of(const char *name)
{
    uint32_t hash = 5381;
    for (; *name; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

/* A DT_GNU_HASH section: four words, a filter of addresses' size, buckets, and a chain of hashes
 * whose lowest bit marks the end of a bucket. Returns the symbol's number or 0. */
static size_t find_by_gnu_hash(const struct symbols *s, const char *name)
{
    const uint32_t *table = s->gnu_hash;
    uint32_t buckets = table[0], first = table[1], filter_words = table[2];
    const uint32_t *bucket = table + 4 + filter_words * (sizeof(ElfW(Addr)) / sizeof *table);
    const uint32_t *chain = bucket + buckets;
    uint32_t hash = gnu_hash_of(name);
    uint32_t i = buckets ? bucket[hash % buckets] : 0;
    if (i < first)
        return 0;
    for (;; i++) {
        uint32_t has = chain[i - first];
        if ((has | 1) == (hash | 1) && defines(s, i, name))
            return i;
        if (has & 1)
            return 0;
    }
}

/* A DT_HASH section's second word is the number of symbols. Old libraries alone have it only. */
static size_t find_one_by_one(const struct symbols *s, const char *name)
{
    for (uint32_t i = 1; i < s->hash[1]; i++) {
        if (defines(s, i, name))
            return i;
    }
    return 0;
}

static void *symbol_in(const struct symbols *s, const char *name)
{
    size_t i = s->gnu_hash ? find_by_gnu_hash(s, name) : find_one_by_one(s, name);
    return i ? (void *)(s->base + s->symbol[i].st_value) : NULL;
}

static bool contains(const struct dl_phdr_info *object, uintptr_t address)
{
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t from = object->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_LOAD && address >= from && address - from < part->p_memsz)
            return true;
    }
    return false;
}

/* This library itself, and the kernel's. */
static bool is_passed_over(const struct dl_phdr_info *object)
{
    return contains(object, (uintptr_t)is_passed_over) ||
           object->dlpi_addr == getauxval(AT_SYSINFO_EHDR);
}

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
static unsigned long version_of(const struct symbols *s)
{
    unsigned long (*version)(void) = symbol_in(s, "OpenSSL_version_num");
    return version && symbol_in(s, "OPENSSL_LH_new") ? version() : 0;
}

struct search {
    struct libcrypto *first;
    size_t count;
};

static int on_object(struct dl_phdr_info *object, size_t size, void *to)
{
    struct search *search = to;
    struct symbols s;
    (void)size;
    if (is_passed_over(object) || !read_symbols(object, &s))
        return 0;
    void *set = symbol_in(&s, "CRYPTO_set_mem_functions");
    if (!set || search->count++ > 0)
        return 0;
    struct libcrypto *found = search->first;
    name_object(object, found->path, sizeof found->path);
    found->base = object->dlpi_addr;
    found->version = version_of(&s);
    found->set_mem_functions = symbol_in(&s, "CRYPTO_set_mem_ex_functions") ? NULL : set;
    found->get_mem_functions = symbol_in(&s, "CRYPTO_get_mem_functions");
    found->malloc = symbol_in(&s, "CRYPTO_malloc");
    found->realloc = symbol_in(&s, "CRYPTO_realloc");
    found->free = symbol_in(&s, "CRYPTO_free");
    found->get_ex_new_index = symbol_in(&s, "CRYPTO_get_ex_new_index");
    return 0;
}

size_t find_libcrypto(struct libcrypto *ret)
{
    struct search search = {.first = ret};
    dl_iterate_phdr(on_object, &search);
    return search.count;
}

struct symbol_search {
    const char *name;
    void *found;
};

struct address_search {
    uintptr_t address;
    bool own;
};

static int on_symbol_object(struct dl_phdr_info *object, size_t size, void *to)
{
    struct symbol_search *search = to;
    struct symbols s;
    (void)size;
    if (!is_passed_over(object) && read_symbols(object, &s))
        search->found = symbol_in(&s, search->name);
    return search->found != NULL;
}

void *find_symbol(const char *name)
{
    struct symbol_search search = {.name = name};
    dl_iterate_phdr(on_symbol_object, &search);
    return search.found;
}

static int on_own_object(struct dl_phdr_info *object, size_t size, void *to)
{
    struct address_search *search = to;
    (void)size;
    if (!contains(object, (uintptr_t)is_passed_over))
        return 0;
    search->own = contains(object, search->address);
    return 1;
}

bool find_is_own(uintptr_t address)
{
    struct address_search search = {.address = address};
    dl_iterate_phdr(on_own_object, &search);
    return search.own;
}

static int on_first_object(struct dl_phdr_info *object, size_t size, void *to)
{
    (void)size;
    *(unsigned long long *)to = object->dlpi_adds;
    return 1;
}

unsigned long long find_loads(void)
{
    unsigned long long loads = 0;
    dl_iterate_phdr(on_first_object, &loads);
    return loads;
}
