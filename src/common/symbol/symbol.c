/* SPDX-License-Identifier: Apache-2.0 */
#include "symbol/symbol.h"

#include "base/check.h"
#include "symbol/symbol_maps.h"
#include "symbol/symbol_module.h"

#include <stdlib.h>

struct symbols {
    const struct image *image; /* borrowed */
    struct maps maps;
    struct intern *texts;
    struct module **module; /* as maps.module; NULL: not looked at yet */
    struct servers servers;
};

struct symbols *symbols_open(const struct image *image, struct err *e)
{
    struct symbols *s = calloc(1, sizeof *s);
    if (!s) {
        err_set(e, "out of memory");
        return NULL;
    }
    s->image = image;
    if (maps_parse(image->maps ? image->maps : "", &s->maps, e) != 0)
        goto failed;
    s->texts = intern_new();
    s->module = calloc(s->maps.count, sizeof *s->module);
    if (s->texts && s->module)
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
    for (size_t i = 0; s->module && i < s->maps.count; i++) {
        if (s->module[i])
            module_close(s->module[i]);
        free(s->module[i]);
    }
    free(s->module);
    maps_free(&s->maps);
    intern_free(s->texts);
    free(s);
}

void symbols_ask_servers(struct symbols *s)
{
    s->servers.asked = true;
}

/* The module of that number, opened; NULL when there is none, or no memory. */
static struct module *module_at(struct symbols *s, int i)
{
    if (i < 0)
        return NULL;
    if (!s->module[i]) {
        s->module[i] = calloc(1, sizeof **s->module);
        if (s->module[i])
            module_open(s->module[i], s->image, &s->maps.module[i], s->texts, &s->servers);
    }
    return s->module[i];
}

size_t symbols_inlined(struct symbols *s, uint64_t address, bool return_address, struct symbol *ret,
                       size_t max)
{
    CHECK(max >= 1);
    address -= return_address && address > 0;
    *ret = (struct symbol){.offset = address};
    int number = maps_find(&s->maps, address);
    struct module *m = module_at(s, number);
    if (!m)
        return 1;
    struct symbol base = {.module = m->name, .offset = address - m->bias};
    size_t found = 0;
    if (m->dwfl) {
        module_find_symbol(m, address, &base);
        found = module_find_lines(m, address, &base, ret, max);
    }
    if (found == 0) {
        *ret = base;
        if (!base.function)
            ret->package = module_package(m, s->maps.module[number].path);
    }
    return found > 0 ? found : 1;
}

void symbols_find(struct symbols *s, uint64_t address, bool return_address, struct symbol *ret)
{
    symbols_inlined(s, address, return_address, ret, 1);
}
