/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "symbol/demangle.h"
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

/* Entries that a name leads through, and steps from an instance of a function to its declaration: a
 * damaged file may have circles. */
enum { PARTS = 16, STEPS = 8 };

/* The parts of a name, the innermost first: handle, Reader, net. */
struct parts {
    const char *name[PARTS];
    size_t count;
    bool in_class; /* the last one is a class */
};

static bool is_class(int tag)
{
    return tag == DW_TAG_class_type || tag == DW_TAG_structure_type;
}

static void add_part(struct parts *p, Dwarf_Die *die, int tag)
{
    const char *name = dwarf_diename(die);
    const char *none = tag == DW_TAG_namespace ? "(anonymous namespace)" : "(anonymous class)";
    if (p->count < PARTS)
        p->name[p->count++] = name ? name : none;
    p->in_class = is_class(tag);
}

/* Where it was declared: within its class, which its code isn't. */
static Dwarf_Die declaration_of(Dwarf_Die die)
{
    Dwarf_Attribute attribute;
    for (int step = 0; step < STEPS; step++) {
        Dwarf_Die next;
        if ((!dwarf_attr(&die, DW_AT_abstract_origin, &attribute) &&
             !dwarf_attr(&die, DW_AT_specification, &attribute)) ||
            !dwarf_formref_die(&attribute, &next))
            break;
        die = next;
    }
    return die;
}

/* Adds the namespaces and classes around the function. A class within a function is that one's, in
 * turn: then it is written to `function` and true returned. (C declares functions in functions, but
 * they aren't theirs.) */
static bool add_scopes(struct parts *p, Dwarf_Die *function)
{
    Dwarf_Die declared = declaration_of(*function), *scope = NULL;
    int scopes = dwarf_getscopes_die(&declared, &scope);
    bool outer = false;
    p->in_class = false;
    for (int i = 1; i < scopes && !outer; i++) {
        int tag = dwarf_tag(&scope[i]);
        outer = tag == DW_TAG_subprogram && p->in_class;
        if (outer)
            *function = scope[i];
        else if (tag == DW_TAG_namespace || is_class(tag))
            add_part(p, &scope[i], tag);
    }
    free(scope);
    return outer;
}

/* `net::Reader::handle`: with the namespaces and classes that it lies in. NULL without a name. */
static const char *full_name(const struct module *m, Dwarf_Die die)
{
    struct parts p = {.count = 0};
    char buf[DEMANGLE_NAME];
    bool outer = true;
    if (!dwarf_diename(&die))
        return NULL;
    while (outer && p.count < PARTS) {
        add_part(&p, &die, DW_TAG_subprogram);
        outer = add_scopes(&p, &die);
    }
    if (p.count == 1)
        return p.name[0];
    struct text t = text_into(buf, sizeof buf);
    while (p.count-- > 0)
        text_add(&t, "%s%s", p.name[p.count], p.count > 0 ? "::" : "");
    return intern_text(m->texts, buf);
}

/* The function `die` as it is called from outside: the debug information of the C library says
 * __libc_malloc where its symbol table also has malloc. */
static void set_name(const struct module *m, Dwarf_Die *die, const struct symbol *base,
                     struct symbol *ret)
{
    const char *name = full_name(m, *die);
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
        set_name(m, &scope[i], base, &ret[found++]);
        if (tag == DW_TAG_subprogram || found == max)
            break;
        ret[found] = *base;
        set_line_of_call(m, unit, &scope[i], &ret[found]);
    }
    free(scope);
    /* A line without a function around it: assembler. The symbol tables name it. */
    return found > 0 ? found : ret[0].file != NULL;
}
