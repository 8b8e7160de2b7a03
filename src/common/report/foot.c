#include "report/parts.h"

#include "base/grammar.h"
#include "report/figures.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CLAUSE = 256, NOTES_SHOWN = 4 };

static void print_note(const struct result_subject *subject, const struct result_site *site,
                       const char *word, const struct screen *s)
{
    char place[CLAUSE] = "";
    struct screen_lead lead = screen_lead_at(word, PARTS_FOOT_COLUMN);
    if (site->file)
        figure_place(place, sizeof place, site->file, site->line);
    screen_wrap(s, &lead, "%s%s%s%s (%s): %s", site->verdict == VERDICT_PASS ? "" : "undecided, ",
                kind_text(site->kind), place[0] ? ", " : "", place, subject->name, site->why);
}

/* Growth that is explained, or that could not be told yet: what isn't a leak shouldn't be a
 * surprise either. */
static void print_notes(const struct result *r, const struct screen *s)
{
    size_t found = 0;
    for (size_t i = 0; i < r->subjects; i++) {
        const struct result_subject *subject = &r->subject[i];
        for (size_t k = 0; k < subject->sites; k++) {
            const struct result_site *site = &subject->site[k];
            if (site->verdict == VERDICT_LEAK || site->kind == KIND_NONE)
                continue;
            if (found++ < NOTES_SHOWN)
                print_note(subject, site, found == 1 ? "Noted" : "", s);
        }
    }
    struct screen_lead lead = screen_lead_at("", PARTS_FOOT_COLUMN);
    if (found > NOTES_SHOWN)
        screen_wrap(s, &lead, "and %zu more: result.json has them", found - NOTES_SHOWN);
}

/* Objects that are alive, and the classes whose number changed. */
static void print_census(const struct result_subject *subject, const struct screen *s)
{
    char text[SCREEN_TEXT] = "";
    size_t used = 0;
    for (size_t i = 0; i < subject->census_count; i++) {
        const struct result_census *c = &subject->census[i];
        char start[32], end[32], item[CLAUSE];
        human_count(start, sizeof start, c->start);
        human_count(end, sizeof end, c->end);
        int length =
            snprintf(item, sizeof item, "%s%.60s %s%s%s", used ? ", " : "", c->class_, start,
                     c->start == c->end ? "" : " → ", c->start == c->end ? "" : end);
        if (length < 0 || used + (size_t)length >= sizeof text)
            break;
        memcpy(text + used, item, (size_t)length + 1);
        used += (size_t)length;
    }
    struct screen_lead lead = screen_lead_at("Objects", PARTS_FOOT_COLUMN);
    if (used)
        screen_wrap(s, &lead, "%s", text);
}

/* Whether the subject's allocator told nothing of its heap. */
static bool heap_unseen(const struct judgement *j)
{
    for (size_t i = 0; i < j->metrics; i++) {
        if (strncmp(j->metric[i].id, "heap_", 5) == 0)
            return false;
    }
    return j->metrics > 0;
}

static void print_sensitivity(const struct result_subject *subject, const struct screen *s)
{
    const struct judgement *j = &subject->judgement;
    char each[SCREEN_TEXT];
    char one_in[FIGURE_SIZE], bytes[FIGURE_SIZE], pages[FIGURE_SIZE], heap[CLAUSE] = "";
    struct screen_lead lead = screen_lead_at("Sensitivity", PARTS_FOOT_COLUMN);
    if (j->sensitivity.heap_bytes > 0 && isfinite(j->sensitivity.heap_bytes))
        snprintf(heap, sizeof heap, "; outside OpenSSL, %s B per %s; pinned by fragmentation, %s B",
                 figure_grouped(bytes, sizeof bytes, j->sensitivity.heap_bytes, 2),
                 judgement_unit(j),
                 figure_grouped(pages, sizeof pages, j->sensitivity.page_bytes, 2));
    else if (heap_unseen(j))
        snprintf(heap, sizeof heap,
                 "; what is lost outside OpenSSL or pinned by fragmentation would not have shown: "
                 "only jemalloc tells of it");
    if (j->sensitivity.one_in >= 1)
        screen_wrap(s, &lead, "one lost block per %s %ss would have shown (%d.%d %%)%s%s",
                    figure_one_in(one_in, sizeof one_in, j->sensitivity.one_in), judgement_unit(j),
                    JUDGE_CONFIDENCE_PERMILLE / 10, JUDGE_CONFIDENCE_PERMILLE % 10,
                    parts_when_sensitivity(each, sizeof each, subject), heap);
    else
        screen_wrap(s, &lead, "none: too few %ss for a figure%s", judgement_unit(j), heap);
}

static void print_self_check(const struct selfcheck *check, const struct screen *s)
{
    struct screen_lead lead = screen_lead_at("Self-check", PARTS_FOOT_COLUMN);
    if (check->state != SELFCHECK_NONE)
        screen_wrap(s, &lead, "%s", check->sentence);
}

static void print_cost(const struct result_subject *subject, const struct screen *s)
{
    char allocs[FIGURE_SIZE], cpu[FIGURE_SIZE], taking[CLAUSE] = "";
    struct screen_lead lead = screen_lead_at("Cost", PARTS_FOOT_COLUMN);
    if (!isfinite(subject->allocs_per_conn) || !isfinite(subject->cpu_us_per_conn))
        return;
    if (subject->allocs_per_conn <= 0 && subject->cpu_us_per_conn <= 0)
        return;
    if (isfinite(subject->capture.cpu_us_per_conn) && subject->capture.cpu_us_per_conn > 0)
        snprintf(taking, sizeof taking, " (%s µs while call stacks were taken)",
                 figure_grouped(cpu, sizeof cpu, subject->capture.cpu_us_per_conn, 0));
    screen_wrap(s, &lead, "%s OpenSSL allocations, %s µs CPU per %s in the %s%s",
                figure_grouped(allocs, sizeof allocs, subject->allocs_per_conn, 0),
                figure_grouped(cpu, sizeof cpu, subject->cpu_us_per_conn, 0),
                judgement_unit(&subject->judgement), subject->name, taking);
}

/* `998/s of 1,000/s asked` */
static char *rates(char *buf, size_t size, const struct result *r)
{
    char got[FIGURE_SIZE], asked[FIGURE_SIZE];
    int decimals = r->run.rate_per_s < 10 ? 1 : 0;
    figure_grouped(got, sizeof got, r->run.rate_per_s, decimals);
    figure_grouped(asked, sizeof asked, r->run.asked_per_s, r->run.asked_per_s < 10 ? 1 : 0);
    if (r->run.asked_per_s > 0)
        snprintf(buf, size, "%s/s of %s/s asked", got, asked);
    else
        snprintf(buf, size, "%s/s, as fast as possible", got);
    return buf;
}

static void print_load(const struct result *r, const struct screen *s)
{
    char rate[CLAUSE], p50[32], p99[32], times[CLAUSE] = "", late[CLAUSE] = "";
    if (r->run.p99_ns)
        snprintf(times, sizeof times, ", handshake p50 %s p99 %s",
                 human_duration(p50, sizeof p50, r->run.p50_ns),
                 human_duration(p99, sizeof p99, r->run.p99_ns));
    if (r->run.shortfall >= 0.01)
        snprintf(late, sizeof late, ", %.1f %% short", r->run.shortfall * 100);
    struct screen_lead lead = screen_lead_at("Load", PARTS_FOOT_COLUMN);
    screen_wrap(s, &lead, "%s%s%s, TLS %s, %s, seed %" PRIx64, rates(rate, sizeof rate, r), late,
                times, r->run.tls ? r->run.tls : "?", r->run.key ? r->run.key : "?", r->run.seed);
}

static void print_errors(const struct result *r, const struct screen *s)
{
    const struct result_errors *e = &r->run.errors;
    const struct {
        const char *name;
        uint64_t count;
    } kinds[] = {{"connect", e->connect},
                 {"handshake", e->handshake},
                 {"echo", e->echo},
                 {"timeout", e->timeout},
                 {"lost", e->lost}};
    char text[CLAUSE] = "", count[32], total[32];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].count)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s %s",
                     text[0] ? ", " : ": ", kinds[i].name,
                     human_count(count, sizeof count, (int64_t)kinds[i].count));
    struct screen_lead lead = screen_lead_at("Errors", PARTS_FOOT_COLUMN);
    if (!e->total)
        return;
    screen_wrap(s, &lead, "%s failed connections%s",
                human_count(total, sizeof total, (int64_t)e->total), text);
    lead = screen_lead_at("", PARTS_FOOT_COLUMN);
    if (r->first_failure.text)
        screen_wrap(s, &lead, "the first (%s): %s", r->first_failure.behaviour,
                    r->first_failure.text);
}

/* Peers that are no part of the load. */
static void print_foreign(const struct result *r, const struct screen *s)
{
    char count[32];
    struct screen_lead lead = screen_lead_at("Foreign", PARTS_FOOT_COLUMN);
    if (r->run.foreign)
        screen_wrap(s, &lead,
                    "%s connection%s to the server's port came from elsewhere: turned away, and "
                    "in none of these figures",
                    human_count(count, sizeof count, (int64_t)r->run.foreign),
                    r->run.foreign == 1 ? "" : "s");
}

static void print_skipped(const struct result *r, const struct screen *s)
{
    struct screen_lead lead = screen_lead_at("Skipped", PARTS_FOOT_COLUMN);
    for (size_t i = 0; i < r->skipped_count; i++) {
        screen_wrap(s, &lead, "%s: %s", r->skipped[i].name, r->skipped[i].why);
        lead = screen_lead_at("", PARTS_FOOT_COLUMN);
    }
}

/* What was fetched or built for this run; the machine's own libraries are no news. */
static void print_mapped(const struct result *r, const struct screen *s)
{
    char text[SCREEN_TEXT] = "";
    size_t used = 0;
    const char *last = "";
    for (size_t i = 0; i < r->mapped_count; i++) {
        const struct result_mapped *m = &r->mapped[i];
        if (!m->origin || strcmp(m->part, last) == 0)
            continue;
        last = m->part;
        int n = snprintf(text + used, sizeof text - used, "%s%s %s (%s)", used ? ", " : "", m->part,
                         m->version ? m->version : "?", m->origin);
        if (n < 0 || (size_t)n >= sizeof text - used)
            break;
        used += (size_t)n;
    }
    struct screen_lead lead = screen_lead_at("Libraries", PARTS_FOOT_COLUMN);
    if (used)
        screen_wrap(s, &lead, "%s", text);
}

static void print_files(const struct result *r, const struct screen *s)
{
    struct screen_lead lead = screen_lead_at("Run folder", PARTS_FOOT_COLUMN);
    if (r->run_dir)
        screen_wrap(s, &lead, "%s", r->run_dir);
    lead = screen_lead_at("Missing", PARTS_FOOT_COLUMN);
    if (r->missing)
        screen_wrap(s, &lead, "%s", r->missing);
    const char *word = "Next";
    for (size_t i = 0; i < sizeof r->next / sizeof *r->next && r->next[i]; i++) {
        lead = screen_lead_at(word, PARTS_FOOT_COLUMN);
        screen_wrap(s, &lead, "%s", r->next[i]);
        word = "";
    }
}

void parts_foot(const struct result *r, const struct screen *s)
{
    const struct result_subject *lead_subject = parts_lead(r);
    if (r->broken && r->verdict == VERDICT_LEAK) {
        struct screen_lead lead = screen_lead_at("Broken", PARTS_FOOT_COLUMN);
        screen_wrap(s, &lead, "%s", r->broken);
    }
    parts_crash(&r->crash, PARTS_FOOT_COLUMN, s);
    print_notes(r, s);
    if (lead_subject)
        print_census(lead_subject, s);
    if (lead_subject && !r->broken)
        print_sensitivity(lead_subject, s);
    if (lead_subject && !r->broken)
        print_self_check(&lead_subject->selfcheck, s);
    print_errors(r, s);
    print_foreign(r, s);
    print_skipped(r, s);
    print_load(r, s);
    print_mapped(r, s);
    if (lead_subject)
        print_cost(lead_subject, s);
    parts_footprint(r->footprint, s);
    print_files(r, s);
}
