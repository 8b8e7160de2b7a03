/* SPDX-License-Identifier: Apache-2.0 */
#include "survivors.h"

#include "base/clock.h"
#include "symbol/perf_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

/* The compiler may have cut a function in two and put one part into the other. */
static bool repeats(const struct symbol *inner, const struct symbol *outer)
{
    return inner->function && outer->function && inner->module == outer->module &&
           strcmp(inner->function, outer->function) == 0;
}

/* One address, with what was inlined into it. Returns how many frames were written. */
static size_t resolve_one(struct symbols *symbols, uint64_t address, struct symbol *ret,
                          size_t room)
{
    size_t count = symbols_inlined(symbols, address, true, ret, room), kept = 1;
    for (size_t i = 1; i < count; i++) {
        if (!repeats(&ret[kept - 1], &ret[i]))
            ret[kept++] = ret[i];
    }
    return kept;
}

static size_t resolve(struct symbols *symbols, const struct result_stack *of, struct symbol *ret)
{
    size_t used = 0;
    if (symbols)
        symbols_ran(symbols, of->epoch, of->last);
    for (size_t i = 0; i < of->addresses && used < SURVIVORS_FRAMES; i++) {
        if (symbols)
            used += resolve_one(symbols, of->address[i], &ret[used], SURVIVORS_FRAMES - used);
        else
            ret[used++] = (struct symbol){.offset = of->address[i]};
    }
    return used;
}

/* The allocator's own frames at the inner end are left out: the first is who asked for the memory.
 * A stack of nothing else is kept whole. */
static void name_stack(struct symbols *symbols, struct symbol *frame, struct result_stack *of)
{
    size_t used = resolve(symbols, of, frame), inner = 0;
    while (inner < used && symbol_is_allocator(&frame[inner]))
        inner++;
    if (inner == used)
        inner = 0;
    of->frame = frame + inner;
    of->frames = used - inner;
}

/* ---- what was captured ---- */

/* A page that the subject has broken may name sites that there are not. */
static const char *site_name(const struct watched *of, size_t site, uint32_t *ret_line)
{
    const struct history *h = of->history;
    *ret_line = 0;
    return site < history_sites(h) ? history_site(h, site, ret_line) : "unknown";
}

/* The site to blame, or SIZE_MAX. */
static size_t blamed_site(const struct watched *of)
{
    const struct judgement *j = &of->judgement;
    return j->findings && j->finding[0].verdict == VERDICT_LEAK ? j->finding[0].site : SIZE_MAX;
}

static void take_sample(struct survivors *s, const struct watched *of,
                        const struct stack_sample *sample, struct result_capture *ret)
{
    if (ret->stacks == SURVIVORS_STACKS) {
        ret->stacks_dropped++;
        return;
    }
    struct result_stack *to = &s->said[ret->stacks++];
    *to = (struct result_stack){.blocks = sample->blocks,
                                .bytes = sample->bytes,
                                .epoch = sample->epoch,
                                .last = sample->last,
                                .addresses = sample->frames,
                                .address = sample->frame};
    to->file = site_name(of, sample->site, &to->line);
}

/* First the stacks of the site to blame, and of all most survivors first. */
static void take_ledger(struct survivors *s, const struct watched *of, struct result_capture *ret)
{
    struct stack_sample *sample;
    size_t count = capture_samples(&of->capture, &sample), blamed = blamed_site(of);
    for (int others = 0; others < 2; others++)
        for (size_t i = 0; i < count; i++)
            if ((sample[i].site != blamed) == others)
                take_sample(s, of, &sample[i], ret);
    free(sample);
}

/* What grew outside OpenSSL's allocator, where it was profiled. */
static void take_heap(struct survivors *s, const struct watched *of, struct result_capture *ret)
{
    const struct profiler *p = &of->profiler;
    size_t i = 0;
    ret->heap_connections = p->connections;
    for (; i < p->growth.stacks && ret->stacks < SURVIVORS_STACKS; i++) {
        const struct heap_stack *from = &p->growth.stack[i];
        s->said[ret->stacks++] = (struct result_stack){.blocks = from->blocks,
                                                       .bytes = from->bytes,
                                                       .last = IMAGE_LOADED,
                                                       .addresses = from->frames,
                                                       .address = p->growth.frame + from->first};
    }
    ret->stacks_dropped += p->growth.stacks - i;
}

static void take_sites(struct survivors *s, const struct watched *of, struct result_capture *ret)
{
    const struct capture *c = &of->capture;
    ret->taken = c->stacks.taken;
    ret->lost = c->stacks.lost;
    ret->site = s->site;
    for (size_t i = 0; i < c->sites; i++) {
        const struct capture_site *from = &c->site[i];
        if (!from->epochs)
            continue;
        struct result_capture_site *to = &s->site[ret->sites++];
        *to = (struct result_capture_site){.epochs = __builtin_popcountll(from->epochs),
                                           .blocks = from->blocks,
                                           .bytes = from->bytes};
        to->file = site_name(of, from->site, &to->line);
    }
}

/* A maps text that tells nothing leaves the addresses. */
static void open_symbols(struct symbols **ret, const struct child *c,
                         const struct scenario *scenario)
{
    struct err e;
    if (!*ret)
        *ret = symbols_open(&c->image, &e);
    if (!*ret || !scenario->debuginfod)
        return;
    if (!scenario->quiet)
        fprintf(stderr,
                "soak: asking the servers of DEBUGINFOD_URLS for the %s's symbols, for about "
                "two minutes at most\n",
                c->name);
    symbols_ask_servers(*ret);
}

/* The stacks with room for their frames' names. Returns false when there are none. */
static bool take_all(struct survivors *s, const struct watched *of, struct result_capture *ret)
{
    take_sites(s, of, ret);
    take_ledger(s, of, ret);
    take_heap(s, of, ret);
    ret->stack = s->said;
    if (ret->stacks == 0)
        return false;
    s->frame = calloc(ret->stacks, sizeof *s->frame);
    if (!s->frame)
        ret->stacks = 0;
    return s->frame != NULL;
}

void survivors_name_so_far(struct survivors *s, const struct watched *of, uint64_t limit_ns,
                           struct result_capture *ret)
{
    struct err e;
    uint64_t end = clock_now_ns() + limit_ns;
    const struct image *image = &of->subject->child.image;
    free(s->frame);
    s->frame = NULL;
    if (!take_all(s, of, ret))
        return;
    if (s->symbols && s->changes != image->changes) {
        symbols_close(s->symbols);
        s->symbols = NULL;
    }
    if (!s->symbols)
        s->symbols = symbols_open(image, &e);
    s->changes = image->changes;
    size_t most = ret->stacks < SURVIVORS_SO_FAR ? ret->stacks : SURVIVORS_SO_FAR, named = 0;
    while (named < most && (named == 0 || clock_now_ns() < end)) {
        name_stack(s->symbols, s->frame[named], &s->said[named]);
        named++;
    }
    ret->stacks_dropped += ret->stacks - named;
    ret->stacks = named;
}

void survivors_name(struct survivors *s, const struct watched *of, const struct scenario *scenario,
                    struct result_capture *ret)
{
    if (!take_all(s, of, ret))
        return;
    open_symbols(&s->symbols, &of->subject->child, scenario);
    for (size_t i = 0; i < ret->stacks; i++)
        name_stack(s->symbols, s->frame[i], &s->said[i]);
}

void survivors_crash(struct survivors *s, const struct child *c, const struct scenario *scenario,
                     struct result_crash *ret)
{
    const struct page_crash *crash = &c->page->crash;
    uint64_t frames = atomic_load_explicit(&crash->stack.frames, memory_order_acquire);
    uint64_t address[PAGE_STACK_FRAMES];
    /* The kernel's return from the handler lies before whoever was interrupted. */
    size_t first = frames > 1;
    struct result_stack stack = {.epoch = IMAGE_LOADED, .last = IMAGE_LOADED};
    *ret = (struct result_crash){.subject = c->name, .signal = c->exit_signal};
    for (size_t i = first; i < frames && i < PAGE_STACK_FRAMES; i++)
        address[stack.addresses++] = crash->stack.frame[i];
    stack.address = address;
    if (stack.addresses == 0 || atomic_load(&crash->pid) != (uint64_t)c->pid)
        return;
    struct symbols **of = c->page_lent ? &s->crash_symbols : &s->symbols;
    open_symbols(of, c, scenario);
    name_stack(*of, s->crash, &stack);
    ret->frames = stack.frames;
    ret->frame = stack.frame;
}

void survivors_free(struct survivors *s)
{
    if (s->symbols)
        symbols_close(s->symbols);
    if (s->crash_symbols)
        symbols_close(s->crash_symbols);
    free(s->frame);
    *s = (struct survivors){0};
}

int survivors_write_made(const struct watched *of, struct run_dir *dir, struct err *e)
{
    const struct child *c = &of->subject->child;
    char name[32];
    char *text = NULL;
    size_t length = 0;
    if (!c->image.made || perf_map_count(c->image.made) == 0)
        return 0;
    snprintf(name, sizeof name, "perf-%d.map", c->pid);
    FILE *out = open_memstream(&text, &length);
    if (out)
        perf_map_write(c->image.made, out);
    int rc = out && fclose(out) == 0 ? run_dir_write(dir, name, text, length, e)
                                     : err_set(e, "%s: %s", name, strerror(errno));
    free(text);
    return rc;
}
