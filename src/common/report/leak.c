#include "report/parts.h"

#include "base/grammar.h"
#include "report/figures.h"
#include "report/table.h"

#include <stdio.h>
#include <string.h>

enum { SITES_SHOWN = 5 };

static bool guilty(const struct result_site *site)
{
    return site->verdict == VERDICT_LEAK;
}

/* Kinds that rest on the allocator's figures or the kernel's rather than on counted blocks. */
static bool estimated(enum kind kind)
{
    return kind == KIND_OUTSIDE || kind == KIND_FRAGMENTATION || kind == KIND_UNPURGED ||
           kind == KIND_MAPPING;
}

static void print_what(const struct result_subject *subject, const struct screen *s)
{
    const struct judgement *j = &subject->judgement;
    char bytes[FIGURE_SIZE], blocks[FIGURE_SIZE];
    const char *unit = j->by_operation ? "operation" : "closed connection";
    struct screen_lead lead = screen_lead_at("what", PARTS_LEAK_COLUMN);
    figure_bytes(bytes, sizeof bytes, j->per_conn_bytes);
    figure_count(blocks, sizeof blocks, j->per_conn_blocks);
    if (j->kind == KIND_DESCRIPTORS || j->kind == KIND_THREADS)
        screen_wrap(s, &lead, "%s that stay after their %s, counted by the kernel",
                    j->kind == KIND_THREADS ? "threads" : "open files",
                    j->by_operation ? "operation" : "connection closed");
    else if (j->kind == KIND_TIME && j->per_conn_bytes <= 0)
        screen_wrap(s, &lead, "open files or threads that stay, counted by the kernel");
    else if (estimated(j->kind))
        screen_wrap(s, &lead, "%s per %s, by the allocator's figures", bytes, unit);
    else
        screen_wrap(s, &lead, "%s, %s blocks per %s, exact", bytes, blocks, unit);
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
    screen_clean(s, t->cell[r][0], TABLE_CELL, r == 0 ? "where" : "");
    screen_clean(s, t->cell[r][1], TABLE_CELL, shown);
    t->ink[r][0] = INK_BOLD;
    if (site->per_conn_blocks != 0) {
        snprintf(blocks, sizeof blocks, "%s blocks",
                 figure_count(figure, sizeof figure, site->per_conn_blocks));
        screen_clean(s, t->cell[r][2], TABLE_CELL, blocks);
    }
    if (site->per_conn_bytes != 0)
        screen_clean(s, t->cell[r][3], TABLE_CELL,
                     figure_bytes(figure, sizeof figure, site->per_conn_bytes));
}

static void print_where(const struct result_subject *subject, const struct screen *s)
{
    static const struct table_column columns[] = {{.title = ""},
                                                  {.title = "", .keep_tail = true},
                                                  {.title = "", .right = true, .drop = 1},
                                                  {.title = "", .right = true}};
    struct table table = {.column = columns, .columns = 4, .flexible = 1};
    size_t found = 0;
    for (size_t i = 0; i < subject->sites; i++)
        if (guilty(&subject->site[i]) && found++ < SITES_SHOWN)
            site_row(&table, s, &subject->site[i]);
    if (found == 0)
        return;
    table_print(&table, s);
    size_t dropped = subject->judgement.findings_total > subject->judgement.findings
                         ? subject->judgement.findings_total - subject->judgement.findings
                         : 0;
    size_t more = (found > SITES_SHOWN ? found - SITES_SHOWN : 0) + dropped;
    struct screen_lead lead = screen_lead_at("", PARTS_LEAK_COLUMN);
    if (more)
        screen_wrap(s, &lead, "and %zu more site%s: result.json has them", more,
                    more == 1 ? "" : "s");
}

static bool kind_seen_before(const struct result_subject *subject, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (guilty(&subject->site[i]) && subject->site[i].kind == subject->site[index].kind)
            return true;
    return false;
}

/* One line per kind of guilt: the first finding of a kind speaks for the others. */
static void print_why(const struct result_subject *subject, const struct screen *s)
{
    const char *word = "why";
    for (size_t i = 0; i < subject->sites; i++) {
        const struct result_site *site = &subject->site[i];
        if (!guilty(site) || kind_seen_before(subject, i))
            continue;
        struct screen_lead lead = screen_lead_at(word, PARTS_LEAK_COLUMN);
        if (strcmp(word, "why") == 0)
            screen_wrap(s, &lead, "%s", subject->why[0] ? subject->why : site->why);
        else
            screen_wrap(s, &lead, "%s: %s", kind_text(site->kind), site->why);
        word = "also";
    }
}

/* What the run has shown of it, and no more. */
static const char *dependence(const struct judgement *j)
{
    if (estimated(j->kind) || !j->held)
        return "";
    if (!j->proportional)
        return "; not by time";
    return j->by_operation ? "; proportional to operations, not time"
                           : "; proportional to connections, not time";
}

static void print_kind(const struct result_subject *subject, const struct screen *s)
{
    const struct judgement *j = &subject->judgement;
    char bytes[FIGURE_SIZE];
    struct screen_lead lead = screen_lead_at("kind", PARTS_LEAK_COLUMN);
    const char *class_name = subject->class_name ? subject->class_name : "";
    screen_wrap(s, &lead, "%s%s%s%s", kind_text(j->kind), class_name[0] ? ": " : "", class_name,
                dependence(j));
    lead = screen_lead_at("", PARTS_LEAK_COLUMN);
    if (j->kind == KIND_DEFERRED && subject->drained_released_bytes)
        screen_wrap(s, &lead, "the drain gave back %s",
                    human_bytes(bytes, sizeof bytes, (double)subject->drained_released_bytes));
}

void parts_leak(const struct result_subject *subject, const struct screen *s)
{
    print_what(subject, s);
    print_where(subject, s);
    parts_stacks(subject, s);
    parts_when(subject, s);
    print_why(subject, s);
    print_kind(subject, s);
}

void parts_reasons(const struct result_subject *subject, const struct screen *s)
{
    const struct judgement *j = &subject->judgement;
    for (size_t i = 0; i < j->reasons; i++) {
        struct screen_lead lead = screen_lead_at(i == 0 ? "why" : "", PARTS_LEAK_COLUMN);
        screen_wrap(s, &lead, "%s", j->reason[i]);
    }
}
