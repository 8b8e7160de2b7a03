/* SPDX-License-Identifier: Apache-2.0 */
#include "report/footprint.h"

#include <stdlib.h>
#include <string.h>

void footprint_free(struct footprint *f)
{
    for (int end = 0; end < FOOTPRINT_END_COUNT; end++) {
        struct footprint_side *side = &f->end[end];
        for (size_t i = 0; i < side->sites; i++) {
            free(side->site[i].file);
            free(side->site[i].function);
        }
        free(side->site);
    }
    *f = (struct footprint){.connections = 0};
}

/* Doubles the room at every power of two. */
static int make_room(struct footprint_side *side)
{
    size_t count = side->sites;
    if (count && (count & (count - 1)))
        return 0;
    struct footprint_site *larger =
        realloc(side->site, (count ? 2 * count : 1) * sizeof *side->site);
    if (!larger)
        return -1;
    side->site = larger;
    return 0;
}

int footprint_add_site(struct footprint_side *side, const struct footprint_site *site,
                       struct err *e)
{
    struct footprint_site copy = *site;
    if (side->sites == FOOTPRINT_SITES_MAX)
        return err_set(e, "there are more than %d sites", FOOTPRINT_SITES_MAX);
    copy.file = strdup(site->file);
    copy.function = site->function ? strdup(site->function) : NULL;
    if (!copy.file || (site->function && !copy.function) || make_room(side) < 0) {
        free(copy.file);
        free(copy.function);
        return err_set(e, "no memory for a site");
    }
    side->site[side->sites++] = copy;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct footprint_site *x = a, *y = b;
    if (x->allocs > y->allocs || x->allocs < y->allocs)
        return x->allocs > y->allocs ? -1 : 1;
    int files = strcmp(x->file, y->file);
    return files ? files : (x->line > y->line) - (x->line < y->line);
}

void footprint_sort(struct footprint *f)
{
    for (int end = 0; end < FOOTPRINT_END_COUNT; end++) {
        struct footprint_side *side = &f->end[end];
        if (side->sites)
            qsort(side->site, side->sites, sizeof *side->site, compare);
    }
}
