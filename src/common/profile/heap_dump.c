/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/heap_dump.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { OWN_RANGES = 16, NUMBER_DIGITS = 19, PLACE_FRAMES = 4 };

struct range {
    uint64_t from, to;
};

struct parser {
    const char *at, *end;
    unsigned line;
    size_t stack_room, frame_room;
    struct heap_dump dump;
    size_t ranges;
    struct range own[OWN_RANGES]; /* where jemalloc's code lies */
};

/* A line of the text, without its newline. Not terminated. */
struct span {
    const char *at, *end;
};

static bool next_line(struct parser *p, struct span *ret)
{
    if (p->at == p->end)
        return false;
    const char *newline = memchr(p->at, '\n', (size_t)(p->end - p->at));
    *ret = (struct span){p->at, newline ? newline : p->end};
    p->at = newline ? newline + 1 : p->end;
    p->line++;
    return true;
}

static void skip_blanks(struct span *t)
{
    while (t->at < t->end && *t->at == ' ')
        t->at++;
}

static bool take(struct span *t, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(t->end - t->at) < length || memcmp(t->at, word, length) != 0)
        return false;
    t->at += length;
    return true;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* A number in `base`; what is too long for 63 bits (decimal) or 64 bits (hexadecimal) is none. */
static bool take_number(struct span *t, int base, uint64_t *ret)
{
    int digits = 0, most = base == 16 ? 16 : NUMBER_DIGITS - 1;
    uint64_t value = 0;
    for (; t->at < t->end && digit_of(*t->at) < base; t->at++, digits++) {
        if (digits == most)
            return false;
        value = value * (uint64_t)base + (uint64_t)digit_of(*t->at);
    }
    *ret = value;
    return digits > 0;
}

static int refuse(const struct parser *p, const char *what, struct err *e)
{
    return err_set(e, "heap profile, line %u: %s", p->line, what);
}

/* ---- room ---- */

static bool grow(void **array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return true;
    size_t larger = *room ? 2 * *room : 256;
    void *grown = reallocarray(*array, larger, size);
    if (!grown)
        return false;
    *array = grown;
    *room = larger;
    return true;
}

static bool add_frame(struct parser *p, uint64_t address)
{
    struct heap_dump *d = &p->dump;
    if (!grow((void **)&d->frame, &p->frame_room, d->frames, sizeof *d->frame))
        return false;
    d->frame[d->frames++] = address;
    return true;
}

/* ---- lines ---- */

static int parse_stack(struct parser *p, struct span t, struct err *e)
{
    struct heap_dump *d = &p->dump;
    uint64_t address;
    if (!grow((void **)&d->stack, &p->stack_room, d->stacks, sizeof *d->stack))
        return err_set(e, "out of memory while reading a heap profile");
    struct heap_stack *stack = &d->stack[d->stacks];
    *stack = (struct heap_stack){.first = d->frames};
    for (skip_blanks(&t); t.at < t.end; skip_blanks(&t)) {
        if (!take(&t, "0x") || !take_number(&t, 16, &address))
            return refuse(p, "this is not an address", e);
        if (stack->frames == HEAP_DUMP_FRAMES)
            return refuse(p, "the stack is deeper than jemalloc walks", e);
        if (!add_frame(p, address))
            return err_set(e, "out of memory while reading a heap profile");
        stack->frames++;
    }
    d->stacks++;
    return 0;
}

/* ` 2: 96 [0: 0]` behind `t*:`. What has been freed, in the brackets, isn't asked for. */
static bool parse_counts(struct span t, uint64_t *ret_blocks, uint64_t *ret_bytes)
{
    skip_blanks(&t);
    if (!take_number(&t, 10, ret_blocks) || !take(&t, ":"))
        return false;
    skip_blanks(&t);
    return take_number(&t, 10, ret_bytes);
}

/* What a sampled count stands for. */
static void scale(uint64_t sample, uint64_t blocks, uint64_t bytes, struct heap_stack *to)
{
    double share = 1;
    if (sample > 1 && blocks > 0)
        share = 1 - exp(-(double)bytes / (double)blocks / (double)sample);
    if (share <= 0)
        share = 1;
    double scaled_blocks = (double)blocks / share, scaled_bytes = (double)bytes / share;
    to->blocks = scaled_blocks < 9e18 ? (int64_t)(scaled_blocks + 0.5) : INT64_MAX;
    to->bytes = scaled_bytes < 9e18 ? (int64_t)(scaled_bytes + 0.5) : INT64_MAX;
}

static int parse_line(struct parser *p, struct span t, struct err *e)
{
    uint64_t blocks, bytes;
    struct heap_dump *d = &p->dump;
    if (take(&t, "@"))
        return parse_stack(p, t, e);
    skip_blanks(&t);
    if (!take(&t, "t"))
        return t.at == t.end ? 0 : refuse(p, "neither a stack nor its counts", e);
    if (!take(&t, "*:"))
        return 0; /* one thread's share */
    if (!parse_counts(t, &blocks, &bytes))
        return refuse(p, "these are not counts", e);
    if (d->stacks > 0)
        scale(d->sample_bytes, blocks, bytes, &d->stack[d->stacks - 1]);
    return 0;
}

static bool contains(struct span t, const char *word)
{
    return memmem(t.at, (size_t)(t.end - t.at), word, strlen(word)) != NULL;
}

/* A line of /proc/PID/maps. */
static void keep_own_range(struct parser *p, struct span t)
{
    struct range range;
    if (p->ranges == OWN_RANGES || !contains(t, "/libjemalloc"))
        return;
    if (take_number(&t, 16, &range.from) && take(&t, "-") && take_number(&t, 16, &range.to))
        p->own[p->ranges++] = range;
}

static bool is_own(const struct parser *p, uint64_t address)
{
    for (size_t i = 0; i < p->ranges; i++) {
        if (address >= p->own[i].from && address < p->own[i].to)
            return true;
    }
    return false;
}

static void drop_own_frames(struct parser *p)
{
    for (size_t i = 0; i < p->dump.stacks; i++) {
        struct heap_stack *s = &p->dump.stack[i];
        while (s->frames > 0 && is_own(p, p->dump.frame[s->first])) {
            s->first++;
            s->frames--;
        }
    }
}

static int parse_head(struct parser *p, struct err *e)
{
    struct span t;
    if (!next_line(p, &t) || !take(&t, "heap_v2/") || !take_number(&t, 10, &p->dump.sample_bytes) ||
        t.at != t.end || p->dump.sample_bytes == 0)
        return refuse(p, "not jemalloc's profile, which begins with heap_v2/BYTES", e);
    return 0;
}

static int parse_all(struct parser *p, struct err *e)
{
    struct span t;
    bool maps = false;
    if (parse_head(p, e) != 0)
        return -1;
    while (next_line(p, &t)) {
        if (maps)
            keep_own_range(p, t);
        else if (take(&t, "MAPPED_LIBRARIES:"))
            maps = true;
        else if (parse_line(p, t, e) != 0)
            return -1;
    }
    /* jemalloc writes the maps last: without them the profile was cut off. */
    return maps ? 0 : refuse(p, "it ends before MAPPED_LIBRARIES", e);
}

int heap_dump_parse(const char *text, size_t length, struct heap_dump *ret, struct err *e)
{
    struct parser p = {.at = text, .end = text + length};
    if (parse_all(&p, e) != 0) {
        heap_dump_free(&p.dump);
        return -1;
    }
    drop_own_frames(&p);
    *ret = p.dump;
    return 0;
}

/* ---- growth ---- */

/* A stack with where its frames lie, so that stacks of two dumps can be sorted together. */
struct entry {
    const uint64_t *frame;
    size_t frames;
    int64_t blocks, bytes;
    int64_t place_blocks, place_bytes; /* of all that have its innermost frames */
};

static int by_frames(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    for (size_t i = 0; i < x->frames && i < y->frames; i++) {
        if (x->frame[i] != y->frame[i])
            return x->frame[i] < y->frame[i] ? -1 : 1;
    }
    return x->frames < y->frames ? -1 : x->frames > y->frames;
}

static int by_bytes(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->place_bytes != y->place_bytes)
        return x->place_bytes > y->place_bytes ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return by_frames(a, b);
}

static size_t add_entries(const struct heap_dump *d, int64_t sign, struct entry *to)
{
    for (size_t i = 0; i < d->stacks; i++) {
        const struct heap_stack *s = &d->stack[i];
        to[i] = (struct entry){.frame = d->frame ? d->frame + s->first : NULL,
                               .frames = s->frames,
                               .blocks = sign * s->blocks,
                               .bytes = sign * s->bytes};
    }
    return d->stacks;
}

/* Adds up equal ones, which lie beside each other. The sums of two counts can't overflow;
 * those of many could only in a profile that isn't one, and then wrap. */
static size_t merge(struct entry *entry, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count;) {
        struct entry sum = entry[i++];
        for (; i < count && by_frames(&sum, &entry[i]) == 0; i++) {
            sum.blocks = (int64_t)((uint64_t)sum.blocks + (uint64_t)entry[i].blocks);
            sum.bytes = (int64_t)((uint64_t)sum.bytes + (uint64_t)entry[i].bytes);
        }
        entry[kept++] = sum;
    }
    return kept;
}

static bool is_same_place(const struct entry *x, const struct entry *y)
{
    size_t n = x->frames < PLACE_FRAMES ? x->frames : PLACE_FRAMES,
           m = y->frames < PLACE_FRAMES ? y->frames : PLACE_FRAMES;
    return n == m && (n == 0 || memcmp(x->frame, y->frame, n * sizeof *x->frame) == 0);
}

/* Connections come to one place by several ways, and by other ones each time: more of one way and
 * as many less of another is no growth. Keeps what grew of places that grew, none by more than its
 * place. */
static size_t keep_growing(struct entry *entry, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0, next; i < count; i = next) {
        uint64_t blocks = 0, bytes = 0;
        for (next = i; next < count && is_same_place(&entry[i], &entry[next]); next++) {
            blocks += (uint64_t)entry[next].blocks;
            bytes += (uint64_t)entry[next].bytes;
        }
        for (size_t k = i; k < next; k++) {
            struct entry one = entry[k];
            one.place_blocks = (int64_t)blocks;
            one.place_bytes = (int64_t)bytes;
            if (one.blocks > one.place_blocks) {
                one.blocks = one.place_blocks;
                one.bytes = one.place_bytes;
            }
            if (one.blocks > 0)
                entry[kept++] = one;
        }
    }
    return kept;
}

static bool copy_entries(const struct entry *entry, size_t count, struct heap_dump *to)
{
    size_t frames = 0;
    for (size_t i = 0; i < count; i++)
        frames += entry[i].frames;
    to->stack = calloc(count + 1, sizeof *to->stack);
    to->frame = calloc(frames + 1, sizeof *to->frame);
    if (!to->stack || !to->frame)
        return false;
    for (size_t i = 0; i < count; i++) {
        to->stack[to->stacks++] = (struct heap_stack){.blocks = entry[i].blocks,
                                                      .bytes = entry[i].bytes,
                                                      .first = to->frames,
                                                      .frames = entry[i].frames};
        if (entry[i].frames) /* otherwise there may be no frame at all, and memcpy takes no NULL */
            memcpy(to->frame + to->frames, entry[i].frame, entry[i].frames * sizeof *to->frame);
        to->frames += entry[i].frames;
    }
    return true;
}

int heap_dump_growth(const struct heap_dump *older, const struct heap_dump *newer,
                     struct heap_dump *ret, struct err *e)
{
    struct heap_dump growth = {.sample_bytes = newer->sample_bytes};
    struct entry *entry = calloc(older->stacks + newer->stacks + 1, sizeof *entry);
    if (!entry)
        return err_set(e, "out of memory while comparing heap profiles");
    size_t count = add_entries(older, -1, entry);
    count += add_entries(newer, 1, entry + count);
    qsort(entry, count, sizeof *entry, by_frames);
    count = keep_growing(entry, merge(entry, count));
    qsort(entry, count, sizeof *entry, by_bytes);
    bool copied = copy_entries(entry, count, &growth);
    free(entry);
    if (!copied) {
        heap_dump_free(&growth);
        return err_set(e, "out of memory while comparing heap profiles");
    }
    *ret = growth;
    return 0;
}

void heap_dump_free(struct heap_dump *d)
{
    free(d->stack);
    free(d->frame);
    *d = (struct heap_dump){0};
}
