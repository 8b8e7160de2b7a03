/* SPDX-License-Identifier: Apache-2.0 */
#include "symbol/symbol.h"

#include "base/check.h"
#include "symbol/debug_files.h"
#include "symbol/demangle.h"
#include "symbol/perf_map.h"
#include "symbol/symbol_module.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct symbols {
    const struct image *image; /* borrowed */
    size_t codes;
    struct image_code *code; /* owned: as the image had them */
    struct intern *texts;
    struct module **module; /* as code; NULL: not looked at yet */
    uint64_t first, last;   /* the epochs that what is looked up ran in */
    struct servers servers;
};

/* The image may go on while names are looked up. Returns 0, or -1 when out of memory. */
static int copy_codes(struct symbols *s)
{
    const struct image *image = s->image;
    s->code = calloc(image->codes, sizeof *s->code);
    s->module = calloc(image->codes, sizeof *s->module);
    while (s->code && s->module && s->codes < image->codes) {
        struct image_code *code = &s->code[s->codes];
        *code = image->code[s->codes];
        if (!(code->module.path = strdup(code->module.path)))
            return -1;
        s->codes++;
    }
    return s->code && s->module ? 0 : -1;
}

static bool has_code(const struct image *image, struct err *e)
{
    struct maps maps;
    if (image->codes > 0)
        return true;
    if (maps_parse(image->maps ? image->maps : "", &maps, e) == 0) {
        maps_free(&maps);
        err_set(e, "out of memory");
    }
    return false;
}

struct symbols *symbols_open(const struct image *image, struct err *e)
{
    struct symbols *s = calloc(1, sizeof *s);
    if (!s) {
        err_set(e, "out of memory");
        return NULL;
    }
    s->image = image;
    s->last = IMAGE_LOADED;
    if (!has_code(image, e))
        goto failed;
    s->texts = intern_new();
    if (s->texts && copy_codes(s) == 0)
        return s;
    err_set(e, "out of memory");
failed:
    symbols_close(s);
    return NULL;
}

void symbols_close(struct symbols *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->codes; i++) {
        if (s->module[i])
            module_close(s->module[i]);
        free(s->module[i]);
        free(s->code[i].module.path);
    }
    free(s->module);
    free(s->code);
    intern_free(s->texts);
    free(s);
}

void symbols_ran(struct symbols *s, uint64_t first, uint64_t last)
{
    s->first = first;
    s->last = last;
}

void symbols_ask_servers(struct symbols *s)
{
    s->servers.asked = true;
}

static bool is_called(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return slash && strcmp(slash + 1, name) == 0;
}

static bool is_packaged(const char *path, struct symbol_owner *ret)
{
    return package_owning(PACKAGE_LISTS, path, ret->name, sizeof ret->name) &&
           package_version(PACKAGE_STATUS, ret->name, ret->version, sizeof ret->version);
}

bool symbols_owner(const struct symbols *s, const char *module, struct symbol_owner *ret)
{
    size_t i = 0;
    while (i < s->codes && !is_called(s->code[i].module.path, module))
        i++;
    if (i == s->codes)
        return false;
    struct symbol_owner owner;
    const struct module *m = s->module[i];
    snprintf(owner.file, sizeof owner.file, "%s", s->code[i].module.path);
    if (!is_packaged(owner.file, &owner)) {
        snprintf(owner.name, sizeof owner.name, "%s", module);
        if (!m || !module_build_id(m, owner.version, sizeof owner.version))
            return false;
    }
    *ret = owner;
    return true;
}

static bool may_have_run(const struct symbols *s, const struct image_code *code)
{
    bool any = s->first == 0 && s->last == IMAGE_LOADED;
    return any || (code->from <= s->first && code->until >= s->last);
}

enum { NO_CODE = -1, SEVERAL = -2 };

/* The number of the file whose code it is. */
static int find_code(const struct symbols *s, uint64_t address)
{
    int found = NO_CODE;
    for (size_t i = 0; i < s->codes; i++) {
        const struct maps_module *module = &s->code[i].module;
        if (address < module->low || address >= module->high || !may_have_run(s, &s->code[i]))
            continue;
        if (found != NO_CODE)
            return SEVERAL;
        found = (int)i;
    }
    return found;
}

/* The module of that number, opened; NULL when there is none, or no memory. */
static struct module *module_at(struct symbols *s, int i)
{
    if (i < 0)
        return NULL;
    if (!s->module[i]) {
        s->module[i] = calloc(1, sizeof **s->module);
        if (s->module[i])
            module_open(s->module[i], s->image, &s->code[i].module, s->texts, &s->servers);
    }
    return s->module[i];
}

/* Code in no file: made by a virtual machine. */
static void find_made(const struct symbols *s, uint64_t address, struct symbol *ret)
{
    const struct perf_map *made = s->image->made;
    const char *name = made ? perf_map_find(made, address) : NULL;
    ret->function = name ? intern_text(s->texts, name) : NULL;
    ret->module = ret->function ? SYMBOL_MADE : NULL;
}

/* The name of its symbol, of C++ as the source has it. */
static void find_symbol(struct symbols *s, const struct module *m, uint64_t address,
                        struct symbol *ret)
{
    char buf[DEMANGLE_NAME];
    module_find_symbol(m, address, ret);
    const char *plain = ret->function ? demangle(ret->function, buf, sizeof buf) : NULL;
    if (plain != ret->function)
        ret->function = intern_text(s->texts, plain);
}

static size_t find_inlined(struct symbols *s, uint64_t address, struct symbol *ret, size_t max)
{
    *ret = (struct symbol){.offset = address};
    int number = find_code(s, address);
    if (number == NO_CODE)
        find_made(s, address, ret);
    struct module *m = module_at(s, number);
    if (!m)
        return 1;
    struct symbol base = {.module = m->name, .offset = address - m->bias};
    size_t found = 0;
    if (m->dwfl) {
        find_symbol(s, m, address, &base);
        found = module_find_lines(m, address, &base, ret, max);
    }
    if (found == 0) {
        *ret = base;
        if (!base.function)
            ret->package = module_package(m, s->code[number].module.path);
    }
    return found > 0 ? found : 1;
}

size_t symbols_inlined(struct symbols *s, uint64_t address, bool return_address, struct symbol *ret,
                       size_t max)
{
    CHECK(max >= 1);
    debug_files_guard(true);
    size_t found = find_inlined(s, address - (return_address && address > 0), ret, max);
    debug_files_guard(false);
    return found;
}

void symbols_find(struct symbols *s, uint64_t address, bool return_address, struct symbol *ret)
{
    symbols_inlined(s, address, return_address, ret, 1);
}

/* ---- text ---- */

/* Names come from files that anyone may have written. */
static char *clean(char *text)
{
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c > 0x7e || !isprint((unsigned char)*c))
            *c = '?';
    }
    return text;
}

char *symbol_text(const struct symbol *symbol, char *buf, size_t size)
{
    const char *module = symbol->module;
    if (!module && symbol->function) /* read back from a document */
        snprintf(buf, size, "%s", symbol->function);
    else if (!module)
        snprintf(buf, size, "0x%" PRIx64, symbol->offset);
    else if (!symbol->function)
        snprintf(buf, size, "%s+0x%" PRIx64, module, symbol->offset);
    else if (symbol->file)
        snprintf(buf, size, "%s  %s:%" PRIu32, symbol->function, symbol->file, symbol->line);
    else
        snprintf(buf, size, "%s  %s", symbol->function, module);
    return clean(buf);
}

static bool is_nameless(const struct symbol *frame, const char *module)
{
    return !frame->function && frame->module && strcmp(frame->module, module) == 0;
}

/* Code that lies in no file that is known, and that nobody named. */
static size_t made_text(const struct symbol *frame, size_t frames, char *buf, size_t size)
{
    char more[32] = "";
    size_t count = 1;
    while (count < frames && !frame[count].function && !frame[count].module)
        count++;
    if (count > 1)
        snprintf(more, sizeof more, " and %zu more", count - 1);
    snprintf(buf, size, "0x%" PRIx64 "%s: unloaded or replaced since, %s", frame->offset, more,
             "or made by a JVM or node: docs/guide/java-and-node.md");
    return count;
}

size_t symbol_nameless_text(const struct symbol *frame, size_t frames, char *buf, size_t size)
{
    char hint[160] = "", more[32];
    size_t count = 1;
    buf[0] = 0;
    if (frames == 0 || frame->function)
        return 0;
    if (!frame->module)
        return made_text(frame, frames, buf, size);
    if (frame->package)
        snprintf(hint, sizeof hint, "   no symbols: install %s", frame->package);
    symbol_text(frame, buf, size);
    for (; count < frames && is_nameless(&frame[count], frame->module); count++) {
        snprintf(more, sizeof more, ", +0x%" PRIx64, frame[count].offset);
        if (strlen(buf) + strlen(more) + strlen(hint) >= size)
            break;
        strcat(buf, more);
    }
    if (strlen(buf) + strlen(hint) < size)
        strcat(buf, hint);
    clean(buf);
    return count;
}

/* Allocators themselves, whichever of their functions it is; and the probe. */
static const char *const modules[] = {"libjemalloc.so", "libtcmalloc", "libmimalloc.so",
                                      "libsoakprobe.so"};

/* soak-server and soak-client have the probe built in: where its sources lie, and its hooks where
 * there is no debug information. */
static const char own_programs[] = "soak-";
static const char probe_sources[] = "src/common/probe/";
static const char *const hooks[] = {"openssl_malloc", "openssl_realloc", "libuv_malloc",
                                    "libuv_calloc",   "libuv_realloc",   "ledger_*"};

/* With the C library's debug information malloc's inlined parts have names of their own. */
static const char libc_module[] = "libc.so.";
static const char libc_malloc_sources[] = "malloc/";

/* A name, or with a * at its end the beginning of one. OPENSSL_sk_* and BUF_MEM_* are not here:
 * they hold memory for their own ends. */
static const char *const functions[] = {
    /* OpenSSL; BoringSSL's wrappers are named as OpenSSL's macros */
    "CRYPTO_malloc", "CRYPTO_zalloc", "CRYPTO_calloc", "CRYPTO_realloc", "CRYPTO_clear_realloc",
    "CRYPTO_malloc_array", "CRYPTO_realloc_array", "CRYPTO_clear_realloc_array",
    "CRYPTO_aligned_alloc", "CRYPTO_memdup", "CRYPTO_strdup", "CRYPTO_strndup",
    "CRYPTO_secure_malloc", "CRYPTO_secure_zalloc", "OPENSSL_malloc", "OPENSSL_zalloc",
    "OPENSSL_calloc", "OPENSSL_realloc", "OPENSSL_memdup", "OPENSSL_strdup", "OPENSSL_strndup",
    /* libuv */
    "uv__malloc", "uv__calloc", "uv__realloc", "uv__reallocf", "uv__strdup", "uv__strndup",
    /* the C library and jemalloc's own names */
    "malloc", "calloc", "realloc", "reallocarray", "aligned_alloc", "memalign", "posix_memalign",
    "valloc", "pvalloc", "strdup", "strndup", "__strdup", "__strndup", "__libc_malloc",
    "__libc_calloc", "__libc_realloc", "__libc_memalign", "_int_malloc", "_int_realloc", "mallocx",
    "rallocx", "je_*",
    /* C++: operator new and new[], and where nothing can demangle them */
    "operator new*", "_Znwm*", "_Znam*"};

static bool matches(const char *name, const char *pattern)
{
    size_t length = strlen(pattern);
    if (pattern[length - 1] == '*')
        return strncmp(name, pattern, length - 1) == 0;
    return strcmp(name, pattern) == 0;
}

static bool begins(const char *text, const char *head)
{
    return text && strncmp(text, head, strlen(head)) == 0;
}

static bool is_one_of(const char *name, const char *const *pattern, size_t count)
{
    for (size_t i = 0; name && i < count; i++) {
        if (matches(name, pattern[i]))
            return true;
    }
    return false;
}

static bool is_of_probe(const struct symbol *symbol)
{
    return begins(symbol->module, own_programs) &&
           (begins(symbol->file, probe_sources) ||
            is_one_of(symbol->function, hooks, sizeof hooks / sizeof *hooks));
}

bool symbol_is_allocator(const struct symbol *symbol)
{
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        if (begins(symbol->module, modules[i]))
            return true;
    }
    if (is_of_probe(symbol))
        return true;
    if (begins(symbol->module, libc_module) && begins(symbol->file, libc_malloc_sources))
        return true;
    return is_one_of(symbol->function, functions, sizeof functions / sizeof *functions);
}
