/* SPDX-License-Identifier: Apache-2.0 */
#include "libs/elf_facts.h"

#include "base/input.h"
#include "libs/version.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is read of a file is twice its size at most: a whole one's sections don't overlap, and its
 * strings are of two of them. So one that names the same bytes again and again is soon read. */
struct reader {
    Elf *elf;
    uint64_t left; /* bytes */
    struct elf_facts *f;
};

/* NULL when it isn't there, or too much was read: so is every later one then. */
static Elf_Data *read_section(struct reader *r, Elf_Scn *section)
{
    GElf_Shdr header;
    if (!section || !gelf_getshdr(section, &header))
        return NULL;
    bool fits = header.sh_size <= r->left;
    r->left = fits ? r->left - header.sh_size : 0;
    return fits ? elf_getdata(section, NULL) : NULL;
}

/* Copies a string when it is there and fits. (elf_strptr looks for the end of all strings.) */
static bool copy_string(const Elf_Data *strings, size_t offset, char *to, size_t size)
{
    if (!strings || !strings->d_buf || offset >= strings->d_size)
        return false;
    const char *text = (const char *)strings->d_buf + offset;
    size_t room = strings->d_size - offset < size ? strings->d_size - offset : size;
    size_t length = strnlen(text, room);
    if (length == room)
        return false;
    memcpy(to, text, length + 1);
    return true;
}

static void read_dynamic(struct reader *r, Elf_Scn *section, const GElf_Shdr *header)
{
    struct elf_facts *f = r->f;
    Elf_Data *data = read_section(r, section);
    Elf_Data *strings = read_section(r, elf_getscn(r->elf, header->sh_link));
    GElf_Dyn entry;
    for (int i = 0; data && gelf_getdyn(data, i, &entry); i++) {
        size_t at = (size_t)entry.d_un.d_val;
        if (entry.d_tag == DT_NULL)
            return;
        if (entry.d_tag == DT_SONAME)
            copy_string(strings, at, f->soname, sizeof f->soname);
        else if (entry.d_tag == DT_NEEDED && f->needed_count < ELF_NEEDED &&
                 copy_string(strings, at, f->needed[f->needed_count], ELF_TEXT))
            f->needed_count++;
    }
}

/* GLIBC_2.38 -> 2.38. GLIBC_ABI_DT_RELR came with 2.36; the other marks of that kind stand beside
 * versions newer than their own, and GLIBC_PRIVATE is not a version. */
static void take_version(const char *name, struct elf_facts *f)
{
    static const char prefix[] = "GLIBC_";
    const char *version = name + sizeof prefix - 1;
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return;
    if (strcmp(version, "ABI_DT_RELR") == 0)
        version = "2.36";
    if (*version < '0' || *version > '9' || !version_ok(version) || strlen(version) >= ELF_TEXT)
        return;
    if (!f->glibc[0] || version_compare(version, f->glibc) > 0)
        memcpy(f->glibc, version, strlen(version) + 1);
}

/* The records of a section, of which there are no more than find room in it side by side. */
struct needs {
    Elf_Data *data, *strings;
    size_t left;
};

/* One library's list of needed versions. Offsets are relative and only ever go forward; libelf
 * refuses those that lie outside. */
static void read_needs(struct needs *n, size_t at, struct elf_facts *f)
{
    GElf_Vernaux version;
    for (; n->left > 0 && at < n->data->d_size; at += version.vna_next) {
        char name[ELF_TEXT];
        n->left--;
        if (!gelf_getvernaux(n->data, (int)at, &version))
            return;
        if (copy_string(n->strings, version.vna_name, name, sizeof name))
            take_version(name, f);
        if (version.vna_next == 0)
            return;
    }
}

static void read_versions(struct reader *r, Elf_Scn *section, const GElf_Shdr *header)
{
    struct needs n = {.data = read_section(r, section),
                      .strings = read_section(r, elf_getscn(r->elf, header->sh_link))};
    GElf_Verneed need;
    n.left = n.data ? n.data->d_size / sizeof(Elf64_Verneed) : 0; /* all are of 16 bytes */
    for (size_t at = 0; n.left > 0 && at < n.data->d_size; at += need.vn_next) {
        n.left--;
        if (!gelf_getverneed(n.data, (int)at, &need))
            return;
        read_needs(&n, at + need.vn_aux, r->f);
        if (need.vn_next == 0)
            return;
    }
}

static void read_interpreter(Elf *elf, int fd, struct elf_facts *f)
{
    size_t count = 0;
    GElf_Phdr header;
    if (elf_getphdrnum(elf, &count) != 0)
        return;
    for (size_t i = 0; i < count && i < INT_MAX; i++) {
        if (!gelf_getphdr(elf, (int)i, &header))
            return; /* the file says it has more of them than it has */
        if (header.p_type != PT_INTERP || header.p_filesz == 0 ||
            header.p_filesz > sizeof f->interpreter)
            continue;
        size_t size = (size_t)header.p_filesz;
        if (pread(fd, f->interpreter, size, (off_t)header.p_offset) != (ssize_t)size)
            f->interpreter[0] = '\0';
        f->interpreter[size - 1] = '\0';
    }
}

/* As the dynamic linker reads them, which knows no more than 65,534. */
static bool has_program_headers(const GElf_Ehdr *header, uint64_t size)
{
    if (header->e_phnum == PN_XNUM)
        return false;
    uint64_t bytes = (uint64_t)header->e_phnum * header->e_phentsize;
    return bytes > 0 && bytes <= size && header->e_phoff <= size - bytes;
}

static int read_file(Elf *elf, int fd, struct elf_facts *f)
{
    struct stat stat;
    GElf_Ehdr header;
    Elf_Scn *section = NULL;
    bool dynamic = false;
    if (fstat(fd, &stat) != 0 || !gelf_getehdr(elf, &header) ||
        !has_program_headers(&header, (uint64_t)stat.st_size))
        return -1;
    struct reader r = {.elf = elf, .left = 2 * (uint64_t)stat.st_size, .f = f};
    f->class = gelf_getclass(elf);
    f->machine = header.e_machine;
    while ((section = elf_nextscn(elf, section))) {
        GElf_Shdr s;
        if (!gelf_getshdr(section, &s))
            return -1;
        if (s.sh_type == SHT_DYNAMIC)
            read_dynamic(&r, section, &s);
        else if (s.sh_type == SHT_GNU_verneed)
            read_versions(&r, section, &s);
        dynamic |= s.sh_type == SHT_DYNAMIC;
    }
    read_interpreter(elf, fd, f);
    return dynamic ? 0 : -1;
}

int elf_facts_read(const char *path, struct elf_facts *ret, struct err *e)
{
    struct elf_facts facts = {0};
    int fd = input_descriptor(path, INPUT_LIBRARY_MIB, e);
    if (fd < 0)
        return err_prefix(e, "%.300s", path);
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    int rc = elf && elf_kind(elf) == ELF_K_ELF ? read_file(elf, fd, &facts) : -1;
    elf_end(elf);
    close(fd);
    if (rc != 0)
        return err_set(e, "%.300s: it isn't a shared library or program", path);
    *ret = facts;
    return 0;
}
