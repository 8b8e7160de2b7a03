/* SPDX-License-Identifier: Apache-2.0 */
/* Files that name the same bytes again and again: small ones, which would be hours of reading. */
#include "libs/elf_facts.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 1 << 20, STRINGS = 1, DYNAMIC, FIRST_VERSIONS };

/* `.gnu.version_r` as `count` records, each of which is a library and a version at once, as both
 * are of 16 bytes: its last word leads to the next record in either, and the one before is where
 * its versions begin, or its name. So each library has the versions of all those behind it. */
struct shape {
    size_t records, entries, letters; /* of versions, DT_NEEDED, and a string without end */
    size_t again;                     /* more sections of the same versions */
};

/* At 16, which is where the record's name is. */
static const char names[] = "\0libc.so.6\0\0\0\0\0\0GLIBC_2.36\0GLIBC_2.38";
enum { OLDER = 16, NEWER = 27, LIBC = 1, ENDLESS = sizeof names };

struct file {
    FILE *out;
    Elf64_Ehdr header;
    Elf64_Shdr section[64];
};

static void add_section(struct file *f, Elf64_Word type, long from)
{
    f->section[f->header.e_shnum++] = (Elf64_Shdr){.sh_type = type,
                                                   .sh_offset = (Elf64_Off)from,
                                                   .sh_size = (Elf64_Xword)(ftell(f->out) - from),
                                                   .sh_link = STRINGS,
                                                   .sh_addralign = 8};
}

static void put_strings(struct file *f, const struct shape *s)
{
    long from = ftell(f->out);
    fwrite(names, sizeof names, 1, f->out);
    for (size_t i = 0; i < s->letters; i++)
        fputc('A', f->out);
    add_section(f, SHT_STRTAB, from);
    while (ftell(f->out) % 16)
        fputc(0, f->out);
}

static void put_dynamic(struct file *f, const struct shape *s)
{
    const Elf64_Dyn endless = {.d_tag = DT_NEEDED, .d_un.d_val = ENDLESS};
    const Elf64_Dyn last = {.d_tag = DT_NEEDED, .d_un.d_val = LIBC};
    long from = ftell(f->out);
    for (size_t i = 0; i < s->entries; i++)
        fwrite(&endless, sizeof endless, 1, f->out);
    fwrite(&last, sizeof last, 1, f->out);
    add_section(f, SHT_DYNAMIC, from);
}

static void put_versions(struct file *f, const struct shape *s)
{
    const Elf64_Verneed record = {.vn_version = 1, .vn_cnt = 1, .vn_aux = OLDER, .vn_next = 16};
    const Elf64_Verneed library = {.vn_version = 1, .vn_cnt = 1, .vn_aux = 16};
    const Elf64_Vernaux newer = {.vna_name = NEWER};
    long from = ftell(f->out);
    for (size_t i = 0; i < s->records; i++)
        fwrite(&record, sizeof record, 1, f->out);
    for (size_t i = 0; i <= s->again; i++)
        add_section(f, SHT_GNU_verneed, from);
    from = ftell(f->out);
    fwrite(&library, sizeof library, 1, f->out);
    fwrite(&newer, sizeof newer, 1, f->out);
    add_section(f, SHT_GNU_verneed, from);
}

static void put_headers(struct file *f)
{
    const Elf64_Phdr segment = {.p_type = PT_LOAD};
    f->header.e_phoff = (Elf64_Off)ftell(f->out);
    fwrite(&segment, sizeof segment, 1, f->out);
    f->header.e_shoff = (Elf64_Off)ftell(f->out);
    fwrite(f->section, sizeof *f->section, f->header.e_shnum, f->out);
    rewind(f->out);
    fwrite(&f->header, sizeof f->header, 1, f->out);
}

static void facts_of(const struct shape *s, struct elf_facts *ret)
{
    char path[] = "/tmp/soak-elf-XXXXXX";
    struct file f = {.out = fdopen(mkstemp(path), "w"),
                     .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                                            ELFDATA2LSB, EV_CURRENT},
                                .e_type = ET_DYN,
                                .e_machine = EM_X86_64,
                                .e_version = EV_CURRENT,
                                .e_ehsize = sizeof(Elf64_Ehdr),
                                .e_phentsize = sizeof(Elf64_Phdr),
                                .e_phnum = 1,
                                .e_shentsize = sizeof(Elf64_Shdr),
                                .e_shnum = 1}};
    struct err e = {{0}};
    assert_non_null(f.out);
    fwrite(&f.header, sizeof f.header, 1, f.out);
    put_strings(&f, s);
    put_dynamic(&f, s);
    put_versions(&f, s);
    put_headers(&f);
    assert_int_equal(fclose(f.out), 0);
    int rc = elf_facts_read(path, ret, &e);
    unlink(path);
    if (rc != 0)
        fail_msg("%s", e.text);
}

static void what_overlaps_nothing_is_read_to_its_end(void **state)
{
    (void)state;
    struct elf_facts f;
    facts_of(&(struct shape){.records = 1, .entries = 1, .letters = 1}, &f);
    assert_int_equal(f.needed_count, 1);
    assert_string_equal(f.needed[0], "libc.so.6");
    assert_string_equal(f.glibc, "2.38");
}

static void libraries_that_share_their_versions_are_soon_read(void **state)
{
    (void)state;
    struct elf_facts f;
    facts_of(&(struct shape){.records = MANY}, &f);
    assert_string_equal(f.glibc, "2.38");
}

static void a_string_without_end_is_not_measured_for_each_that_has_it(void **state)
{
    (void)state;
    struct elf_facts f;
    facts_of(&(struct shape){.entries = MANY, .letters = 16 * MANY}, &f);
    assert_int_equal(f.needed_count, 1);
}

static void sections_of_the_same_bytes_are_not_all_read(void **state)
{
    (void)state;
    struct elf_facts f;
    facts_of(&(struct shape){.records = 1024, .again = 8}, &f);
    assert_string_equal(f.glibc, "2.36");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_overlaps_nothing_is_read_to_its_end),
        cmocka_unit_test(sections_of_the_same_bytes_are_not_all_read),
        cmocka_unit_test(libraries_that_share_their_versions_are_soon_read),
        cmocka_unit_test(a_string_without_end_is_not_measured_for_each_that_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
