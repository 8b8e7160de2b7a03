/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/profile.h"

#include "profile_internal.h"

#include "options/grammar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Longer names, of templates mostly, are cut. */
enum { NAME_BYTES = 512, FIRST_ROOM = 64 };

struct profile *profile_new(void)
{
    struct profile *p = calloc(1, sizeof *p);
    if (p)
        p->texts = intern_new();
    if (p && p->texts)
        return p;
    free(p);
    return NULL;
}

void profile_free(struct profile *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->stacks; i++)
        free(p->stack[i].frame);
    free(p->stack);
    intern_free(p->texts);
    free(p);
}

size_t profile_count(const struct profile *p)
{
    return p->stacks;
}

void profile_untaken(struct profile *p, int64_t blocks)
{
    p->untaken += blocks;
}

char *profile_legend(const struct profile *p, char *buf, size_t size)
{
    char bytes_text[32], taken[32], all[32];
    int64_t bytes = 0, blocks = 0;
    for (size_t i = 0; i < p->stacks; i++) {
        bool shown = p->stack[i].bytes > 0; /* as in the tree */
        bytes += shown ? p->stack[i].bytes : 0;
        blocks += shown ? p->stack[i].blocks : 0;
    }
    human_bytes(bytes_text, sizeof bytes_text, (double)bytes);
    human_count(taken, sizeof taken, blocks);
    if (p->untaken > 0)
        snprintf(buf, size, "%s in %s of the %s blocks that outlived their connections", bytes_text,
                 taken, human_count(all, sizeof all, blocks + p->untaken));
    else
        snprintf(buf, size, "%s in %s %s that outlived their connections", bytes_text, taken,
                 blocks == 1 ? "block" : "blocks");
    return buf;
}

/* The profile's copy of `text`, cleaned and cut; "" for NULL. NULL when out of memory. */
static const char *keep(struct profile *p, const char *text)
{
    char clean[NAME_BYTES];
    size_t length = text ? strnlen(text, sizeof clean - 1) : 0;
    for (size_t i = 0; i < length; i++)
        clean[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    clean[length] = 0;
    return intern_text(p->texts, clean);
}

/* A function without a name is told by its place in the module. */
static const char *keep_name(struct profile *p, const struct symbol *symbol)
{
    char name[NAME_BYTES];
    bool named = symbol->function && *symbol->function;
    if (named)
        return keep(p, symbol->function);
    if (!symbol->module || !*symbol->module)
        snprintf(name, sizeof name, "0x%" PRIx64, symbol->offset);
    else
        snprintf(name, sizeof name, "%s+0x%" PRIx64, symbol->module, symbol->offset);
    return keep(p, name);
}

static int copy_frame(struct profile *p, const struct symbol *from, uint64_t address,
                      struct profile_frame *to)
{
    *to = (struct profile_frame){
        .name = keep_name(p, from),
        .module = keep(p, from->module),
        .function = keep(p, from->function),
        .file = keep(p, from->file),
        .line = from->line,
        .address = address,
        .named = from->function && *from->function,
    };
    return to->name && to->module && to->function && to->file ? 0 : -1;
}

static int copy_frames(struct profile *p, const struct profile_sample *s, struct profile_stack *to)
{
    to->frames = s->frames;
    to->frame = calloc(s->frames ? s->frames : 1, sizeof *to->frame);
    if (!to->frame)
        return -1;
    for (size_t i = 0; i < s->frames; i++) {
        uint64_t address = s->address ? s->address[i] : s->frame[i].offset;
        if (copy_frame(p, &s->frame[i], address, &to->frame[i]) != 0)
            return -1;
    }
    to->hash = intern_hash(to->frame, s->frames * sizeof *to->frame);
    return 0;
}

static bool same(const struct profile_stack *a, const struct profile_stack *b)
{
    return a->hash == b->hash && a->subject == b->subject && a->behaviour == b->behaviour &&
           a->epoch == b->epoch && a->frames == b->frames &&
           memcmp(a->frame, b->frame, a->frames * sizeof *a->frame) == 0;
}

static struct profile_stack *find(const struct profile *p, const struct profile_stack *stack)
{
    for (size_t i = 0; i < p->stacks; i++) {
        if (same(&p->stack[i], stack))
            return &p->stack[i];
    }
    return NULL;
}

static int make_room(struct profile *p)
{
    if (p->stacks < p->room)
        return 0;
    size_t room = p->room ? p->room * 2 : FIRST_ROOM;
    struct profile_stack *stack = realloc(p->stack, room * sizeof *stack);
    if (!stack)
        return -1;
    p->stack = stack;
    p->room = room;
    return 0;
}

int profile_add(struct profile *p, const struct profile_sample *sample, struct err *e)
{
    if (sample->frames > PROFILE_FRAMES)
        return err_set(e, "a stack of %zu frames; %d at most", sample->frames, PROFILE_FRAMES);
    struct profile_stack stack = {.subject = keep(p, sample->subject),
                                  .behaviour = keep(p, sample->behaviour),
                                  .epoch = sample->epoch};
    if (!stack.subject || !stack.behaviour || copy_frames(p, sample, &stack) != 0 ||
        make_room(p) != 0) {
        free(stack.frame);
        return err_set(e, "out of memory for the stacks of survivors");
    }
    struct profile_stack *known = find(p, &stack);
    if (known)
        free(stack.frame);
    else
        *(known = &p->stack[p->stacks++]) = stack;
    known->blocks += sample->blocks;
    known->bytes += sample->bytes;
    return 0;
}

void profile_begin(void)
{
    errno = 0;
}

int profile_finish(FILE *out, struct err *e)
{
    if (fflush(out) == 0 && !ferror(out))
        return 0;
    return err_set(e, "the profile can't be written: %s", errno ? strerror(errno) : "write error");
}

/* ---- folded stacks ---- */

/* The frames on the way from the root to where the walk is. */
struct path {
    const char *name[PROFILE_FRAMES + 1];
    size_t length;
};

static void write_name(const char *name, FILE *out)
{
    for (; *name; name++)
        putc(*name == ';' ? ':' : *name == ' ' ? '_' : *name, out);
}

static void write_line(const struct path *path, int64_t bytes, FILE *out)
{
    for (size_t i = 0; i < path->length; i++) {
        if (i > 0)
            putc(';', out);
        write_name(path->name[i], out);
    }
    fprintf(out, " %" PRId64 "\n", bytes);
}

static void walk(const struct profile_node *node, struct path *path, FILE *out)
{
    for (; node; node = node->next) {
        path->name[path->length++] = node->name;
        if (node->own_bytes > 0)
            write_line(path, node->own_bytes, out);
        walk(node->child, path, out);
        path->length--;
    }
}

int profile_write_folded(const struct profile *p, FILE *out, struct err *e)
{
    bool failed;
    struct profile_node *tree = profile_tree_new(p, &failed);
    if (failed)
        return err_set(e, "out of memory for the folded stacks");
    struct path path = {.length = 0};
    profile_begin();
    walk(tree, &path, out);
    profile_tree_free(tree);
    return profile_finish(out, e);
}

/* ---- the tree ---- */

/* Calls of one function from several lines are one node, as are functions of one name and module.
 */
static bool is_node(const struct profile_node *node, const char *name,
                    const struct profile_frame *frame)
{
    return node->name == name && (!frame || node->frame->module == frame->module);
}

/* The node for `frame` in the list, made when it is new; NULL when out of memory. */
static struct profile_node *enter(struct profile_node **list, const char *name,
                                  const struct profile_frame *frame)
{
    for (; *list; list = &(*list)->next) {
        struct profile_node *node = *list;
        if (!is_node(node, name, frame))
            continue;
        if (frame && (node->frame->file != frame->file || node->frame->line != frame->line))
            node->lines = true;
        return node;
    }
    *list = calloc(1, sizeof **list);
    if (*list)
        **list = (struct profile_node){.name = name, .frame = frame};
    return *list;
}

static void count(struct profile_node *node, const struct profile_stack *stack)
{
    node->blocks += stack->blocks;
    node->bytes += stack->bytes;
}

static int add_stack(struct profile_node **roots, const struct profile_stack *stack)
{
    struct profile_node *node = enter(roots, stack->subject, NULL);
    if (node)
        count(node, stack);
    for (size_t i = stack->frames; node && i-- > 0;) {
        node = enter(&node->child, stack->frame[i].name, &stack->frame[i]);
        if (node)
            count(node, stack);
    }
    if (!node)
        return -1;
    node->own_bytes += stack->bytes;
    return 0;
}

/* The widest first; of equals by name, so that the order of the samples doesn't show. */
static bool before(const struct profile_node *a, const struct profile_node *b)
{
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes;
    int by_name = strcmp(a->name, b->name);
    if (by_name != 0 || !a->frame || !b->frame)
        return by_name < 0;
    return strcmp(a->frame->module, b->frame->module) < 0;
}

static void sort(struct profile_node **list)
{
    struct profile_node *sorted = NULL;
    while (*list) {
        struct profile_node *node = *list;
        *list = node->next;
        struct profile_node **at = &sorted;
        while (*at && before(*at, node))
            at = &(*at)->next;
        node->next = *at;
        *at = node;
        sort(&node->child);
    }
    *list = sorted;
}

struct profile_node *profile_tree_new(const struct profile *p, bool *ret_failed)
{
    struct profile_node *roots = NULL;
    *ret_failed = false;
    for (size_t i = 0; i < p->stacks && !*ret_failed; i++) {
        if (p->stack[i].bytes > 0 && add_stack(&roots, &p->stack[i]) != 0)
            *ret_failed = true;
    }
    if (*ret_failed) {
        profile_tree_free(roots);
        return NULL;
    }
    sort(&roots);
    return roots;
}

void profile_tree_free(struct profile_node *first)
{
    while (first) {
        struct profile_node *next = first->next;
        profile_tree_free(first->child);
        free(first);
        first = next;
    }
}
