/* SPDX-License-Identifier: Apache-2.0 */
#include "search.h"

#include "base/check.h"
#include "cmdline.h"
#include "ddmin.h"

#include <stdlib.h>
#include <string.h>

/* Which program is looked at isn't changed; the mix and the numbers have steps of their own. */
static const char *const fixed[] = {"server",   "connect", "program", "client",     "pid",
                                    "template", "openssl", "libuv",   "jemalloc",   "libc",
                                    "defect",   "listen",  "operate", "server-mix", "mix",
                                    "conns",    "closed",  "reload",  "fail-alloc"};

struct search {
    const struct search_asked *asked;
    struct search_found *found;
    struct scenario *accepted; /* owned: each that showed, in their order */
    uint64_t *closed;          /* owned: that its run closed */
    size_t count;
    size_t item[DDMIN_MOST], items; /* options, or behaviours: what ddmin's bits stand for */
    struct scenario whole;          /* that ddmin makes less of */
};

bool search_is_of_command(size_t option)
{
    size_t count;
    return scenario_is_of_run(option) && !scenario_is_weight(option) &&
           strcmp(scenario_options(&count)[option].name, "seed") != 0;
}

/* ---- an option by its place ---- */

static size_t value_size(enum opt_type type)
{
    switch (type) {
    case OPT_FLAG:
    case OPT_OFF:
        return sizeof(bool);
    case OPT_STRING:
    case OPT_OUTPUT:
        return sizeof(const char *);
    case OPT_INT:
    case OPT_CHOICE:
        return sizeof(int);
    case OPT_COUNT:
    case OPT_SIZE:
    case OPT_DURATION:
    case OPT_ONE_IN:
    case OPT_HEX:
        return sizeof(uint64_t);
    case OPT_RATE:
        return sizeof(struct rate);
    case OPT_PERCENT:
    case OPT_GROWTH:
        return sizeof(double);
    case OPT_LIST:
        return sizeof(struct opts_list);
    case OPT_WEIGHTS:
        break;
    }
    return 0; /* weights are never put back one by one */
}

static void put_back(struct scenario *s, size_t option)
{
    size_t count;
    const struct opt *o = &scenario_options(&count)[option];
    struct scenario usual;
    scenario_defaults(&usual);
    memcpy((char *)s + o->offset, (const char *)&usual + o->offset, value_size(o->type));
}

void search_only_command(struct scenario *s)
{
    size_t count;
    const struct opt *option = scenario_options(&count);
    for (size_t i = 0; i < count && !scenario_is_weight(i); i++)
        if (!search_is_of_command(i) && strcmp(option[i].name, "seed") != 0)
            put_back(s, i);
}

/* ---- one run ---- */

static enum trial run_once(struct search *s, const struct scenario *candidate, uint64_t *closed)
{
    enum trial trial = s->asked->run(s->asked->owner, candidate, closed);
    s->found->runs += trial != TRIAL_STOPPED;
    s->found->stopped |= trial == TRIAL_STOPPED;
    return trial;
}

/* Whether it still shows; then it is the shortest yet. One run is kept to confirm what is found. */
static bool shows(struct search *s, const struct scenario *candidate)
{
    struct err e;
    uint64_t closed = 0;
    if (s->found->stopped || scenario_check(candidate, &e) != 0)
        return false;
    if (s->found->runs + 1 >= s->asked->most || s->asked->is_late(s->asked->owner)) {
        s->found->stopped = true;
        return false;
    }
    if (run_once(s, candidate, &closed) != TRIAL_SHOWS)
        return false;
    s->accepted[s->count] = s->found->best = *candidate;
    s->closed[s->count++] = s->found->closed = closed;
    return true;
}

/* ---- as it was ---- */

/* A long run is first tried as one that ends as soon as its leak is certain. */
static void begin(struct search *s)
{
    struct scenario unbound = *s->asked->from;
    const struct scenario *from = s->asked->from;
    unbound.closed = unbound.for_ns = unbound.sensitivity = 0;
    unbound.until_sure = unbound.keep_going = unbound.footprint = false;
    bool bound = from->closed || from->for_ns || from->sensitivity || from->until_sure ||
                 from->keep_going || from->footprint;
    const struct scenario *const first = s->asked->is_quick ? from : &unbound;
    if (!shows(s, first) && bound)
        shows(s, first == from ? &unbound : from);
}

/* ---- fewer connections in all ---- */

/* Rounded up to two digits. */
static uint64_t rounded(uint64_t n)
{
    uint64_t step = 1;
    while (n / step >= 100)
        step *= 10;
    return (n + step - 1) / step * step;
}

/* A first bound: about as many as the run took, or a few times that. */
static bool bound(struct search *s)
{
    struct scenario candidate = s->found->best;
    if (candidate.closed)
        return true;
    candidate.closed = rounded(s->found->closed);
    for (int i = 0; i < 3; i++, candidate.closed *= 2)
        if (shows(s, &candidate))
            return true;
    return false;
}

static void halve_closed(struct search *s)
{
    struct scenario candidate = s->found->best;
    candidate.closed = rounded(candidate.closed / 2);
    while (candidate.closed < s->found->best.closed && shows(s, &candidate))
        candidate.closed = rounded(candidate.closed / 2);
}

/* What else is left away mustn't fail for want of connections: one step back. */
static void step_back(struct search *s)
{
    if (s->count < 2 || !s->accepted[s->count - 2].closed)
        return;
    s->count--;
    s->found->best = s->accepted[s->count - 1];
    s->found->closed = s->closed[s->count - 1];
}

/* ---- fewer behaviours ---- */

static struct scenario with_behaviours(const struct search *s, uint64_t part)
{
    struct scenario candidate = s->whole;
    for (size_t i = 0; i < s->items; i++) {
        if (!(part >> i & 1))
            candidate.weight[s->item[i]] = 0;
        else if (part == UINT64_C(1) << i)
            candidate.weight[s->item[i]] = 1;
    }
    return candidate;
}

static bool shows_with_behaviours(void *owner, uint64_t part)
{
    struct search *s = owner;
    struct scenario candidate = with_behaviours(s, part);
    return shows(s, &candidate);
}

/* First those that are known to leak alone. */
static void fewer_behaviours(struct search *s)
{
    uint64_t all = 0, leaking = 0;
    s->items = 0;
    s->whole = s->found->best;
    for (size_t i = 0; i < BEHAVIOUR_COUNT && s->items < DDMIN_MOST; i++) {
        if (s->whole.weight[i] == 0)
            continue;
        uint64_t bit = UINT64_C(1) << s->items;
        all |= bit;
        leaking |= s->asked->leaks[i] ? bit : 0;
        s->item[s->items++] = i;
    }
    if (leaking && leaking != all && shows_with_behaviours(s, leaking))
        all = leaking;
    ddmin(all, shows_with_behaviours, s);
}

/* ---- fewer options ---- */

static bool is_droppable(const struct search *s, size_t option)
{
    size_t count;
    const struct opt *o = &scenario_options(&count)[option];
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (strcmp(o->name, fixed[i]) == 0)
            return false;
    return search_is_of_command(option) && !cmdline_is_usual(&s->whole, option) &&
           !(o->type == OPT_LIST && s->asked->keeps_lists);
}

static bool shows_with_options(void *owner, uint64_t part)
{
    struct search *s = owner;
    struct scenario candidate = s->whole;
    for (size_t i = 0; i < s->items; i++)
        if (!(part >> i & 1))
            put_back(&candidate, s->item[i]);
    return shows(s, &candidate);
}

static void fewer_options(struct search *s)
{
    uint64_t all = 0;
    s->items = 0;
    s->whole = s->found->best;
    for (size_t i = 0; i < SCENARIO_OPTIONS && s->items < DDMIN_MOST; i++) {
        if (!is_droppable(s, i))
            continue;
        all |= UINT64_C(1) << s->items;
        s->item[s->items++] = i;
    }
    if (all && !shows_with_options(s, 0))
        ddmin(all, shows_with_options, s);
}

/* ---- fewer open ones ---- */

static void halve_conns(struct search *s)
{
    struct scenario candidate = s->found->best;
    for (candidate.conns /= 2; candidate.conns && shows(s, &candidate); candidate.conns /= 2)
        ;
}

/* ---- once more ---- */

/* The shortest that shows twice: of those that showed, from the last one back. */
static void confirm(struct search *s)
{
    while (s->count && s->found->runs < s->asked->most) {
        uint64_t closed;
        s->found->best = s->accepted[--s->count];
        s->found->closed = s->closed[s->count];
        enum trial trial = run_once(s, &s->found->best, &closed);
        s->found->confirmed = trial == TRIAL_SHOWS;
        if (trial != TRIAL_HIDES)
            return;
    }
}

void search_shortest(const struct search_asked *asked, struct search_found *ret)
{
    CHECK(asked->most >= 2 && asked->most <= SEARCH_RUNS_MOST);
    struct search s = {.asked = asked,
                       .found = ret,
                       .accepted = calloc(asked->most, sizeof *s.accepted),
                       .closed = calloc(asked->most, sizeof *s.closed)};
    CHECK(s.accepted && s.closed);
    *ret = (struct search_found){.best = *asked->from};
    begin(&s);
    ret->shown = s.count > 0;
    if (ret->shown && bound(&s)) {
        halve_closed(&s);
        step_back(&s);
    }
    if (ret->shown) {
        if (!asked->from->client && asked->from->operate == 0)
            fewer_behaviours(&s);
        fewer_options(&s);
        halve_conns(&s);
        if (ret->best.closed)
            halve_closed(&s);
        confirm(&s);
    }
    free(s.accepted);
    free(s.closed);
}
