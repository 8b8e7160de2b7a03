/* SPDX-License-Identifier: Apache-2.0 */
#include "object.h"

#include <sys/auxv.h>

bool object_names_match(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* The loader writes addresses into most objects' tables, but not into those that it can't write to.
 */
static const void *address(uintptr_t base, ElfW(Addr) value)
{
    return (const void *)(value < base ? base + value : value);
}

static const ElfW(Dyn) * dynamic_of(const struct dl_phdr_info *from)
{
    for (size_t i = 0; i < from->dlpi_phnum; i++) {
        if (from->dlpi_phdr[i].p_type == PT_DYNAMIC)
            return (const ElfW(Dyn) *)(from->dlpi_addr + from->dlpi_phdr[i].p_vaddr);
    }
    return NULL;
}

static bool read_tables(struct object *o)
{
    size_t soname = 0;
    for (const ElfW(Dyn) *d = o->dynamic; d && d->d_tag != DT_NULL; d++) {
        const void *at = address(o->base, d->d_un.d_ptr);
        if (d->d_tag == DT_SYMTAB)
            o->symbol = at;
        else if (d->d_tag == DT_STRTAB)
            o->text = at;
        else if (d->d_tag == DT_GNU_HASH)
            o->gnu_hash = at;
        else if (d->d_tag == DT_HASH)
            o->hash = at;
        else if (d->d_tag == DT_SONAME)
            soname = d->d_un.d_val;
    }
    o->soname = o->text && soname ? o->text + soname : NULL;
    return o->symbol && o->text && (o->gnu_hash || o->hash);
}

static bool defines(const struct object *s, size_t i, const char *name)
{
    const ElfW(Sym) *symbol = &s->symbol[i];
    return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
           ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
           object_names_match(s->text + symbol->st_name, name);
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
static size_t find_by_gnu_hash(const struct object *s, const char *name)
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
static size_t find_one_by_one(const struct object *s, const char *name)
{
    for (uint32_t i = 1; i < s->hash[1]; i++) {
        if (defines(s, i, name))
            return i;
    }
    return 0;
}

void *object_function(const struct object *o, const char *name)
{
    size_t i = o->gnu_hash ? find_by_gnu_hash(o, name) : find_one_by_one(o, name);
    return i ? (void *)(o->base + o->symbol[i].st_value) : NULL;
}

bool object_needs(const struct object *o, const char *soname)
{
    for (const ElfW(Dyn) *d = o->dynamic; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_NEEDED && object_names_match(o->text + d->d_un.d_val, soname))
            return true;
    }
    return false;
}

bool object_contains(const struct dl_phdr_info *from, uintptr_t place)
{
    for (size_t i = 0; i < from->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &from->dlpi_phdr[i];
        uintptr_t begin = from->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_LOAD && place >= begin && place - begin < part->p_memsz)
            return true;
    }
    return false;
}

bool object_is_own(const struct dl_phdr_info *from)
{
    return object_contains(from, (uintptr_t)object_is_own);
}

bool object_read(const struct dl_phdr_info *from, struct object *ret)
{
    if (object_is_own(from) || from->dlpi_addr == getauxval(AT_SYSINFO_EHDR))
        return false;
    *ret = (struct object){.base = from->dlpi_addr, .dynamic = dynamic_of(from)};
    return read_tables(ret);
}

bool object_read_map(const struct link_map *from, struct object *ret)
{
    *ret = (struct object){.base = from->l_addr, .dynamic = from->l_ld};
    return read_tables(ret);
}
