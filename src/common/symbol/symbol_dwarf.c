/* SPDX-License-Identifier: Apache-2.0 */
#include "symbol/symbol_module.h"

#include <dwarf.h>
#include <stdlib.h>

/* The compilation unit around the address. Compilers other than gcc leave out the index that
 * libdwfl looks in (.debug_aranges); the units' own ranges say it too. */
static Dwarf_Die *find_unit(struct module *m, uint64_t address, Dwarf_Addr *ret_bias)
{
    Dwarf_Die *unit = dwfl_module_addrdie(m->file, address, ret_bias);
    if (unit)
        return unit;
    while ((unit = dwfl_module_nextcu(m->file, unit, ret_bias)) != NULL) {
        if (dwarf_haspc(unit, address - *ret_bias) > 0)
            return unit;
    }
    return NULL;
}

/* The entries around the address, the innermost first, with the callers of inlined functions;
 * dwarf_getscopes alone goes on with where an inlined function was declared. Returns the count. */
static int find_scopes(Dwarf_Die *unit, Dwarf_Addr pc, Dwarf_Die **ret)
{
    Dwarf_Die *around = NULL;
    if (dwarf_getscopes(unit, pc, &around) <= 0)
        return 0;
    Dwarf_Die innermost = around[0];
    free(around);
    int count = dwarf_getscopes_die(&innermost, ret);
    return count > 0 ? count : 0;
}

static const char *unit_folder(Dwarf_Die *unit)
{
    Dwarf_Attribute attribute;
    return dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
}

static void set_place(const struct module *m, Dwarf_Die *unit, const char *path, uint32_t line,
                      struct symbol *ret)
{
    ret->file = path ? module_clean_path(m, unit_folder(unit), path) : NULL;
    ret->line = ret->file ? line : 0;
}

static void set_line_of_code(const struct module *m, Dwarf_Die *unit, Dwarf_Addr pc,
                             struct symbol *ret)
{
    int number = 0;
    Dwarf_Line *line = dwarf_getsrc_die(unit, pc);
    if (!line || dwarf_lineno(line, &number) != 0 || number <= 0)
        return;
    set_place(m, unit, dwarf_linesrc(line, NULL, NULL), (uint32_t)number, ret);
}

static Dwarf_Word number_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    return dwarf_formudata(dwarf_attr(die, name, &attribute), &value) == 0 ? value : 0;
}

/* Where the inlined function `die` was called, which is where its caller stands. */
static void set_line_of_call(const struct module *m, Dwarf_Die *unit, Dwarf_Die *die,
                             struct symbol *ret)
{
    Dwarf_Files *files;
    size_t count;
    Dwarf_Word file = number_of(die, DW_AT_call_file);
    if (dwarf_getsrcfiles(unit, &files, &count) != 0 || file >= count)
        return;
    set_place(m, unit, dwarf_filesrc(files, file, NULL, NULL),
              (uint32_t)number_of(die, DW_AT_call_line), ret);
}

/* The function `die` as it is called from outside: the debug information of the C library says
 * __libc_malloc where its symbol table also has malloc. */
static void set_name(Dwarf_Die *die, const struct symbol *base, struct symbol *ret)
{
    const char *name = dwarf_diename(die);
    bool inlined = dwarf_tag(die) == DW_TAG_inlined_subroutine;
    bool plainer = !inlined && base->function && name && name[0] == '_' && base->function[0] != '_';
    ret->function = name && !plainer ? name : base->function;
}

size_t module_find_lines(struct module *m, uint64_t address, const struct symbol *base,
                         struct symbol *ret, size_t max)
{
    Dwarf_Addr bias;
    Dwarf_Die *unit = find_unit(m, address, &bias);
    if (!unit)
        return 0;
    ret[0] = *base;
    set_line_of_code(m, unit, address - bias, &ret[0]);

    Dwarf_Die *scope = NULL;
    int scopes = find_scopes(unit, address - bias, &scope);
    size_t found = 0;
    for (int i = 0; i < scopes && found < max; i++) {
        int tag = dwarf_tag(&scope[i]);
        if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
            continue;
        set_name(&scope[i], base, &ret[found++]);
        if (tag == DW_TAG_subprogram || found == max)
            break;
        ret[found] = *base;
        set_line_of_call(m, unit, &scope[i], &ret[found]);
    }
    free(scope);
    /* A line without a function around it: assembler. The symbol tables name it. */
    return found > 0 ? found : ret[0].file != NULL;
}
