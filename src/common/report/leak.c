/* SPDX-License-Identifier: Apache-2.0 */
#include "sections.h"

#include "options/grammar.h"
#include "report/figures.h"
#include "report/screen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SITES_SHOWN = 3, CLAUSE = 256 };

/* ---- the call stack of most survivors ---- */

enum { FRAMES_SHOWN = 5, FUNCTION_COLUMN = 24 };

/* `server/defect.c:78`, or the file of the code; "" for neither. */
static const char *place_of(const struct symbol *f, char *buf, size_t size)
{
    if (f->file)
        return figure_place(buf, size, f->file, f->line);
    return f->module ? f->module : "";
}

static int function_column(const struct result_stack *stack)
{
    int widest = 0;
    for (size_t i = 0; i < stack->frames && i < FRAMES_SHOWN; i++) {
        int width = stack->frame[i].function ? screen_width(stack->frame[i].function) : 0;
        widest = width > widest && width <= FUNCTION_COLUMN ? width : widest;
    }
    return widest;
}

/* A named frame, or all nameless ones of a file, or of none, that follow. Returns how many were
 * printed. */
static size_t print_frame(const struct result_stack *stack, size_t i, int column, const char *word,
                          const struct screen *s)
{
    char text[SCREEN_TEXT / 2], place[SCREEN_TEXT / 4];
    const struct symbol *f = &stack->frame[i];
    bool wide = s->columns >= 60;
    size_t nameless = symbol_nameless_text(f, stack->frames - i, text, sizeof text);
    if (nameless) {
        screen_say(s, word, PARTS_LEAK_COLUMN, "%s", text);
        return nameless;
    }
    screen_say(s, word, PARTS_LEAK_COLUMN, "%-*s  %s%s", wide ? column : 0, f->function,
               place_of(f, place, sizeof place), i == 0 && wide ? "  allocates it" : "");
    return 1;
}

/* One stack: functions and their places; `alone`, it says where by itself, without a list of sites.
 */
static void print_stack(const struct result_stack *stack, bool alone, const struct screen *s)
{
    const char *word = alone ? "where" : "stack";
    int column = function_column(stack), lines = 0;
    size_t i = 0;
    while (i < stack->frames && lines < FRAMES_SHOWN) {
        i += print_frame(stack, i, column, i == 0 ? word : "", s);
        lines++;
    }
    if (i < stack->frames)
        screen_say(s, "", PARTS_LEAK_COLUMN, "%zu more in survivors.svg", stack->frames - i);
}

/* ---- the leak ---- */

static bool guilty(const struct result_site *site)
{
    return site->verdict == VERDICT_LEAK;
}

/* Kinds that rest on the allocator's figures or the kernel's rather than on counted blocks. */
static bool estimated(enum kind kind)
{
    return kind_measured_by(kind) == BY_HEAP || kind_measured_by(kind) == BY_PAGES;
}

/* `; 2.57 GiB/day at 1,000/s`: the rate that was asked for, else the one that was reached. Nobody
 * reloads as often as that. */
static char *a_day(char *buf, size_t size, const struct result *r, const struct judgement *j)
{
    char bytes[FIGURE_SIZE], rate[FIGURE_SIZE];
    double per_s = r->run.asked_per_s > 0 ? r->run.asked_per_s : r->run.rate_per_s;
    buf[0] = '\0';
    if (j->unit != UNIT_RELOAD && j->per_conn_bytes > 0 && per_s > 0 && isfinite(per_s))
        snprintf(buf, size, "; %s/day at %s/s",
                 figure_size(bytes, sizeof bytes, j->per_conn_bytes * per_s * 86400),
                 figure_plain(rate, sizeof rate, per_s));
    return buf;
}

/* `a 32 B block per connection, 3,750 of 3,750`. Whole numbers of blocks are exact; the
 * rest is an average, and says so. */
static void what_blocks(char *buf, size_t size, const struct judgement *j)
{
    char bytes[FIGURE_SIZE], n[FIGURE_SIZE], all[FIGURE_SIZE], over[FIGURE_SIZE];
    const char *unit = judgement_unit(j);
    double blocks = j->per_conn_blocks, closed = (double)j->sensitivity.closed;
    bool whole = blocks >= 0.5 && blocks == nearbyint(blocks);
    figure_grouped(all, sizeof all, blocks * closed, 0);
    figure_grouped(over, sizeof over, closed, 0);
    figure_grouped(bytes, sizeof bytes, j->per_conn_bytes / blocks, 0);
    if (whole && blocks == 1)
        snprintf(buf, size, "a %s B block per %s, %s of %s", bytes, unit, all, over);
    else if (blocks < 0.5)
        snprintf(buf, size, "a %s B block per %s %ss on average, %s over %s", bytes,
                 figure_plain(n, sizeof n, 1 / blocks), unit, all, over);
    else
        snprintf(buf, size, "%s blocks per %s%s, %s over %s", figure_plain(n, sizeof n, blocks),
                 unit, whole ? "" : " on average", all, over);
}

static void what_counted(char *buf, size_t size, const struct result_subject *subject)
{
    char all[FIGURE_SIZE];
    const struct judgement *j = &subject->judgement;
    const struct result_site *site = parts_guilty(subject);
    bool threads = j->kind == KIND_THREADS;
    snprintf(buf, size, "%s %s stayed when their %s, counted by the kernel",
             human_count(all, sizeof all, site ? site->blocks : 0),
             threads ? "threads" : "open files", unit_over(j->unit));
}

char *parts_what(char *buf, size_t size, const struct result *r,
                 const struct result_subject *subject)
{
    const struct judgement *j = &subject->judgement;
    char text[CLAUSE * 2], bytes[FIGURE_SIZE], over[FIGURE_SIZE], day[CLAUSE] = "";
    human_count(over, sizeof over, (int64_t)j->sensitivity.closed);
    enum measured_by by = kind_measured_by(j->kind);
    if (by == BY_COUNT)
        what_counted(text, sizeof text, subject);
    else if (by == BY_TIME)
        snprintf(
            text, sizeof text, "it goes on while nothing connects; over %s %ss it was %s", over,
            judgement_unit(j),
            figure_size(bytes, sizeof bytes, j->per_conn_bytes * (double)j->sensitivity.closed));
    else if (estimated(j->kind) || j->per_conn_blocks <= 0)
        snprintf(text, sizeof text, "%s B per %s%s",
                 figure_plain(bytes, sizeof bytes, j->per_conn_bytes), judgement_unit(j),
                 estimated(j->kind) ? ", by the allocator's figures" : " in tables that grow");
    else
        what_blocks(text, sizeof text, j);
    if (by != BY_COUNT && by != BY_TIME)
        a_day(day, sizeof day, r, j);
    snprintf(buf, size, "%s%s", text, day);
    return buf;
}

static void print_what(const struct result *r, const struct result_subject *subject,
                       const struct screen *s)
{
    char text[CLAUSE * 3];
    screen_say(s, "what", PARTS_LEAK_COLUMN, "%s", parts_what(text, sizeof text, r, subject));
}

static void site_row(struct table *t, const struct screen *s, const struct result_site *site)
{
    char raw[256], figure[FIGURE_SIZE], blocks[FIGURE_SIZE + 8];
    int r = t->rows++;
    if (site->file)
        figure_place(raw, sizeof raw, site->file, site->line);
    else
        snprintf(raw, sizeof raw, "no OpenSSL site (%s)", kind_text(site->kind));
    const char *shown = strlen(raw) < TABLE_CELL ? raw : raw + strlen(raw) - TABLE_CELL + 1;
    screen_clean(s, t->cell[r][0], TABLE_CELL, r == 0 ? "where  " : "");
    screen_clean(s, t->cell[r][1], TABLE_CELL, shown);
    t->ink[r][0] = INK_BOLD;
    if (site->per_conn_blocks != 0) {
        snprintf(blocks, sizeof blocks, "%s block%s",
                 figure_growth(figure, sizeof figure, site->per_conn_blocks, 0, false),
                 site->per_conn_blocks == 1 ? "" : "s");
        screen_clean(s, t->cell[r][2], TABLE_CELL, blocks);
    }
    if (site->per_conn_bytes != 0)
        screen_clean(s, t->cell[r][3], TABLE_CELL,
                     figure_growth(figure, sizeof figure, site->per_conn_bytes, 0, true));
}

/* Descriptors and threads have no site, and what isn't about them isn't told beside them. */
static bool is_told(const struct result_subject *subject, const struct result_site *site)
{
    bool about_count = kind_measured_by(subject->judgement.kind) == BY_COUNT;
    return guilty(site) && !(about_count && site->kind == KIND_TABLE);
}

static void print_sites(const struct result_subject *subject, size_t found, const struct screen *s)
{
    static const struct table_column columns[] = {{.title = ""},
                                                  {.title = "", .keep_tail = true},
                                                  {.title = "", .right = true, .drop = 1},
                                                  {.title = "", .right = true}};
    struct table table = {.column = columns, .columns = 4, .flexible = 1};
    const struct judgement *j = &subject->judgement;
    for (size_t i = 0; i < subject->sites && table.rows < SITES_SHOWN; i++)
        if (is_told(subject, &subject->site[i]))
            site_row(&table, s, &subject->site[i]);
    table_print(&table, s);
    size_t dropped = j->findings_total > j->findings ? j->findings_total - j->findings : 0;
    size_t more = (found > SITES_SHOWN ? found - SITES_SHOWN : 0) + dropped;
    if (more)
        screen_say(s, "", PARTS_LEAK_COLUMN, "and %zu more site%s: result.json has them", more,
                   more == 1 ? "" : "s");
}

/* The one leaking site needs no row of its own when its stack begins with it. */
static void print_where(const struct result_subject *subject, const struct screen *s)
{
    size_t found = 0;
    const struct result_site *first = parts_guilty(subject);
    const struct result_stack *stack = first ? parts_stack_of(subject, first) : NULL;
    for (size_t i = 0; i < subject->sites; i++)
        found += is_told(subject, &subject->site[i]);
    bool dropped = subject->judgement.findings_total > subject->judgement.findings;
    bool by_stack = stack && found == 1 && !dropped;
    bool has_site = first && (first->file || stack);
    if (!by_stack && has_site)
        print_sites(subject, found, s);
    if (stack)
        print_stack(stack, by_stack, s);
}

static bool kind_seen_before(const struct result_subject *subject, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (guilty(&subject->site[i]) && subject->site[i].kind == subject->site[index].kind)
            return true;
    return false;
}

/* What the run has shown of it, and no more. */
static const char *dependence(char *buf, size_t size, const struct judgement *j)
{
    if (estimated(j->kind) || !j->held || kind_measured_by(j->kind) == BY_TIME)
        return "";
    if (!j->proportional)
        return "; not by time";
    snprintf(buf, size, "; proportional to %ss, not time", judgement_unit(j));
    return buf;
}

bool parts_may_be_sessions(const struct result_subject *subject)
{
    static const char maker[] = "/ssl_sess.c"; /* of OpenSSL's SSL_SESSION */
    const struct result_site *site = parts_guilty(subject);
    const char *name = site && site->file ? strrchr(site->file, '/') : NULL;
    bool retained = subject->class_name && strcmp(subject->class_name, "SSL_SESSION") == 0;
    return subject->processes && (retained || (name && strcmp(name, maker) == 0));
}

/* Whether what is lost, or kept by an object that is, may yet be freed: where a run was stopped, or
 * broke, before its drain, nobody has seen that it isn't. */
static bool may_be_deferred(const struct result *r, const struct result_subject *subject)
{
    enum kind kind = subject->judgement.kind;
    return (r->interrupted || r->broken) && !subject->rest.known && !subject->ended &&
           (kind == KIND_OBJECT || kind == KIND_SIDE || kind == KIND_UNKNOWN);
}

/* One line per kind of leak: the first finding of a kind speaks for the others. A block that is
 * lost needs no name for it. */
static void print_why(const struct result_subject *subject, const struct screen *s)
{
    const char *word = "why";
    char bytes[FIGURE_SIZE], freed[CLAUSE] = "", depends[CLAUSE];
    if (subject->judgement.kind == KIND_DEFERRED && subject->drained_released_bytes)
        snprintf(freed, sizeof freed, "; the drain gave back %s",
                 figure_size(bytes, sizeof bytes, (double)subject->drained_released_bytes));
    for (size_t i = 0; i < subject->sites; i++) {
        const struct result_site *site = &subject->site[i];
        if (!is_told(subject, site) || kind_seen_before(subject, i))
            continue;
        bool first = strcmp(word, "why") == 0;
        bool plain = first && site->kind == KIND_SIDE && site->why;
        screen_say(s, word, PARTS_LEAK_COLUMN, "%s%s%s%s%s", plain ? "" : kind_text(site->kind),
                   plain || !site->why ? "" : ": ", site->why ? site->why : "", first ? freed : "",
                   first ? dependence(depends, sizeof depends, &subject->judgement) : "");
        word = "also";
    }
    if (parts_may_be_sessions(subject))
        screen_say(s, "unless", PARTS_LEAK_COLUMN,
                   "a session cache is filling: go on beyond its limit, or say that it has N "
                   "entries by --expect-cache N");
}

void parts_leak(const struct result *r, const struct result_subject *subject,
                const struct screen *s)
{
    print_what(r, subject, s);
    print_where(subject, s);
    parts_attribution(subject, s);
    print_why(subject, s);
    if (may_be_deferred(r, subject))
        screen_say(s, "unless", PARTS_LEAK_COLUMN,
                   "its free is only deferred: the run ended before the drain, which would tell");
}
