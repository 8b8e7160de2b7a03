/* SPDX-License-Identifier: Apache-2.0 */
#include "symbol/symbol_module.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where distributions put separate debug information; files found are checked by build id or CRC.
 */
static char debug_folders[] = ":.debug:/usr/lib/debug";
static char *debug_path = debug_folders;

/* The descriptor of an open file on its way through libdwfl, which keeps a pointer for us; 0 would
 * be none. */
static void *descriptor_pack(int fd)
{
    return (void *)((intptr_t)fd + 1);
}

/* libdwfl asks for the file: it gets what was opened and checked, once, and owns it from then on.
 */
static int hand_over(Dwfl_Module *file, void **user, const char *name, Dwarf_Addr base,
                     char **ret_name, Elf **ret_elf)
{
    (void)file;
    (void)base;
    (void)ret_elf;
    int fd = (int)((intptr_t)*user - 1);
    *user = NULL;
    if (fd >= 0)
        *ret_name = strdup(name);
    return fd;
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = hand_over,
    .find_debuginfo = servers_find_debuginfo,
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = &debug_path,
};

/* libdwfl would take object files and core dumps too, and lay them out as it sees fit. */
static bool is_program(int fd)
{
    unsigned char head[EI_NIDENT + sizeof(Elf64_Half)];
    if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head)
        return false;
    Elf64_Half type;
    memcpy(&type, head + EI_NIDENT, sizeof type);
    return memcmp(head, ELFMAG, SELFMAG) == 0 && (type == ET_EXEC || type == ET_DYN);
}

/* A descriptor of the mapped file, or -1. */
static int open_file(const struct image *image, const struct maps_module *mapped)
{
    if (!mapped->whole || mapped->path[0] != '/')
        return -1;
    int fd = image_open(image, mapped);
    if (fd < 0 || is_program(fd))
        return fd;
    close(fd);
    return -1;
}

/* Tells libdwfl of the stretch where the file lies. (dwfl_report_elf figures the stretch from the
 * file's alignment instead, and moves files laid out for pages of 2 MiB, as older linkers do, to
 * where no loader has put them.) Takes the descriptor. */
static Dwfl_Module *report_file(Dwfl *dwfl, const struct maps_module *mapped, int fd)
{
    void **user = NULL;
    dwfl_report_begin(dwfl);
    Dwfl_Module *file = dwfl_report_module(dwfl, mapped->path, mapped->low, mapped->high);
    dwfl_report_end(dwfl, NULL, NULL);
    if (file)
        dwfl_module_info(file, &user, NULL, NULL, NULL, NULL, NULL, NULL);
    if (!user) {
        close(fd);
        return NULL;
    }
    *user = descriptor_pack(fd);
    GElf_Addr bias;
    bool opened = dwfl_module_getelf(file, &bias) != NULL;
    if (*user)
        close(fd);
    return opened ? file : NULL;
}

/* By the headers, the mapping of the code is a part of this segment. */
static bool is_code_of(const GElf_Phdr *header, uint64_t bias, const struct maps_module *mapped)
{
    uint64_t low = header->p_vaddr + bias;
    return header->p_type == PT_LOAD && header->p_flags & PF_X &&
           low - header->p_offset == mapped->code_low - mapped->code_offset;
}

/* The file's first byte and its code must come to lie where they were mapped, by the file's own
 * headers. */
static bool fits(Dwfl_Module *file, const struct maps_module *mapped, uint64_t *ret_bias)
{
    GElf_Addr bias = 0;
    Elf *elf = dwfl_module_getelf(file, &bias);
    size_t count;
    if (!elf || elf_getphdrnum(elf, &count) != 0)
        return false;
    *ret_bias = bias;
    bool first = true, code = false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header))
            return false; /* the file says it has more of them than it has */
        if (first && header.p_type == PT_LOAD) {
            if (header.p_vaddr - header.p_offset + bias != mapped->low)
                return false;
            first = false;
        }
        code = code || is_code_of(&header, bias, mapped);
    }
    return code;
}

static bool open_dwfl(struct module *m, const struct image *image, const struct maps_module *mapped)
{
    int fd = open_file(image, mapped);
    if (fd < 0)
        return false;
    m->dwfl = dwfl_begin(&callbacks);
    if (!m->dwfl) {
        close(fd);
        return false;
    }
    m->file = report_file(m->dwfl, mapped, fd);
    if (m->file && fits(m->file, mapped, &m->bias)) {
        void **user;
        dwfl_module_info(m->file, &user, NULL, NULL, NULL, NULL, NULL, NULL);
        *user = m; /* for servers_find_debuginfo */
        if (m->servers->asked)
            servers_give_up_at_signals(m->dwfl);
        return true;
    }
    dwfl_end(m->dwfl);
    m->dwfl = NULL;
    return false;
}

/* Of several names at one address the plainest is shown: malloc, not __libc_malloc. */
static size_t underscores(const char *name)
{
    return strspn(name, "_");
}

/* By start; of equal ones the best name last, where the search back meets it first. */
static int compare_extents(const void *left, const void *right)
{
    const struct extent *a = left;
    const struct extent *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if ((a->end == a->start) != (b->end == b->start))
        return a->end == a->start ? -1 : 1;
    size_t a_score = underscores(a->name);
    size_t b_score = underscores(b->name);
    if (a_score != b_score)
        return a_score > b_score ? -1 : 1;
    return -strcmp(a->name, b->name);
}

/* Labels without a type are kept too: hand-written assembler often has no better. */
static bool is_code(const GElf_Sym *sym, Elf *elf)
{
    int type = GELF_ST_TYPE(sym->st_info);
    if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS || !elf)
        return false;
    if (type == STT_FUNC || type == STT_GNU_IFUNC)
        return true;
    GElf_Shdr header;
    Elf_Scn *section = type == STT_NOTYPE ? elf_getscn(elf, sym->st_shndx) : NULL;
    return section && gelf_getshdr(section, &header) && header.sh_flags & SHF_EXECINSTR;
}

static void read_extents(struct module *m)
{
    int count = dwfl_module_getsymtab(m->file);
    m->extent = count > 0 ? calloc((size_t)count, sizeof *m->extent) : NULL;
    for (int i = 1; m->extent && i < count; i++) {
        GElf_Sym sym;
        GElf_Addr value;
        Elf *elf = NULL;
        const char *name = dwfl_module_getsym_info(m->file, i, &sym, &value, NULL, &elf, NULL);
        if (!name || !*name || !is_code(&sym, elf))
            continue;
        uint64_t end = value + sym.st_size < value ? UINT64_MAX : value + sym.st_size;
        m->extent[m->extents++] = (struct extent){.start = value, .end = end, .name = name};
    }
    if (m->extents > 0)
        qsort(m->extent, m->extents, sizeof *m->extent, compare_extents);
    uint64_t reach = 0;
    for (size_t i = 0; i < m->extents; i++) {
        reach = m->extent[i].end > reach ? m->extent[i].end : reach;
        m->extent[i].reach = reach;
    }
}

/* The file's name without its folder and without what the kernel adds when it was deleted. */
static const char *short_name(const char *path, struct intern *texts)
{
    static const char gone[] = " (deleted)";
    const char *slash = strrchr(path, '/');
    char *name = strdup(slash && slash[1] ? slash + 1 : path);
    if (!name)
        return NULL;
    size_t length = strlen(name);
    if (length >= sizeof gone && strcmp(name + length - (sizeof gone - 1), gone) == 0)
        name[length - (sizeof gone - 1)] = 0;
    const char *kept = intern_text(texts, name);
    free(name);
    return kept;
}

void module_open(struct module *m, const struct image *image, const struct maps_module *mapped,
                 struct intern *texts, struct servers *servers)
{
    *m = (struct module){.texts = texts, .servers = servers, .bias = mapped->low};
    m->name = short_name(mapped->path, texts);
    if (!open_dwfl(m, image, mapped))
        return;
    read_extents(m);
    module_find_roots(m);
}

void module_close(struct module *m)
{
    free(m->extent);
    if (m->dwfl)
        dwfl_end(m->dwfl);
    *m = (struct module){0};
}

void module_find_symbol(const struct module *m, uint64_t address, struct symbol *ret)
{
    const struct extent *extent = m->extent;
    size_t i = m->extents ? starts_upto(&extent->start, m->extents, sizeof *extent, address) : 0;
    while (i-- > 0 && extent[i].reach > address) {
        if (extent[i].end <= address)
            continue;
        ret->function = extent[i].name;
        return;
    }
}

static const char *find_package(const struct module *m, const char *path)
{
    char owner[PACKAGE_NAME], name[PACKAGE_NAME + 8];
    GElf_Addr bias;
    if (!m->dwfl || dwfl_module_getdwarf(m->file, &bias) ||
        !package_owning(PACKAGE_LISTS, path, owner, sizeof owner))
        return NULL;
    package_of_symbols(owner, name, sizeof name);
    return intern_text(m->texts, name);
}

const char *module_package(struct module *m, const char *path)
{
    if (!m->package_known) {
        m->package = find_package(m, path);
        m->package_known = true;
    }
    return m->package;
}

bool module_build_id(const struct module *m, char *ret, size_t size)
{
    const unsigned char *bits;
    GElf_Addr at;
    int length = m->file ? dwfl_module_build_id(m->file, &bits, &at) : 0;
    struct text t = text_into(ret, size);
    text_add(&t, "build ID ");
    for (int i = 0; i < length; i++)
        text_add(&t, "%02x", bits[i]);
    return length > 0;
}
