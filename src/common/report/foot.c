/* SPDX-License-Identifier: Apache-2.0 */
#include "sections.h"

#include "base/text.h"
#include "base/words.h"
#include "options/grammar.h"
#include "report/figures.h"
#include "report/footprint.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CLAUSE = 256, NOTES_SHOWN = 4, CRASH_FRAMES_SHOWN = 8 };

static bool is_noted(const struct result *r, const struct result_site *site)
{
    bool told = site->verdict == VERDICT_LEAK ||
                (site->verdict == r->verdict && r->verdict == VERDICT_INCONCLUSIVE);
    return !told && site->kind != KIND_NONE;
}

static bool are_alike(const struct result_site *a, const struct result_site *b)
{
    return a->kind == b->kind && a->verdict == b->verdict;
}

struct notes {
    const struct result *r;
    const struct screen *s;
    int column;
    size_t found; /* with this one */
};

/* Of several sites of one kind what the first one did stands for all; beside a leak they are only
 * named. */
static void print_note(const struct notes *n, const struct result_subject *subject, size_t first)
{
    char list[CLAUSE], place[CLAUSE] = "";
    struct text places = text_list(list, sizeof list, ", ");
    const struct result_site *of = &subject->site[first];
    size_t count = 0;
    for (size_t k = first; k < subject->sites; k++) {
        const struct result_site *site = &subject->site[k];
        if (!is_noted(n->r, site) || !are_alike(site, of))
            continue;
        if (count++ < NOTES_SHOWN && site->file)
            text_item(&places, "%s", figure_place(place, sizeof place, site->file, site->line));
    }
    if (count > NOTES_SHOWN)
        text_item(&places, "%zu more", count - NOTES_SHOWN);
    bool brief = count > 1 && n->r->verdict == VERDICT_LEAK;
    screen_say(n->s, n->found == 1 ? "noted" : "", n->column, "%s%s%s%s (%s)%s%s",
               of->verdict == VERDICT_PASS ? "" : "undecided, ", kind_text(of->kind),
               list[0] ? ", " : "", list, subject->name,
               brief       ? ""
               : count > 1 ? ": the first: "
                           : ": ",
               brief || !of->why ? "" : of->why);
}

/* An earlier site of its kind has spoken for it. */
static bool is_spoken_for(const struct result *r, const struct result_subject *subject, size_t k)
{
    for (size_t i = 0; i < k; i++)
        if (is_noted(r, &subject->site[i]) && are_alike(&subject->site[i], &subject->site[k]))
            return true;
    return false;
}

/* Growth that is explained, or that could not be told yet: what isn't a leak shouldn't be a
 * surprise either. */
static void print_notes(const struct result *r, int column, const struct screen *s)
{
    struct notes n = {.r = r, .s = s, .column = column};
    for (size_t i = 0; i < r->subjects; i++) {
        const struct result_subject *subject = &r->subject[i];
        for (size_t k = 0; k < subject->sites; k++) {
            if (!is_noted(r, &subject->site[k]) || is_spoken_for(r, subject, k))
                continue;
            if (n.found++ < NOTES_SHOWN)
                print_note(&n, subject, k);
        }
    }
    if (n.found > NOTES_SHOWN)
        screen_say(s, "", column, "and %zu more: result.json has them", n.found - NOTES_SHOWN);
}

/* ---- the processes of a program that isn't soak's ---- */

static bool has_flag(const struct result_process *p, const char *flag)
{
    return p->flags && strstr(p->flags, flag) != NULL;
}

static bool has_mode(const struct result_process *p, const char *mode)
{
    return p->mode && strcmp(p->mode, mode) == 0;
}

/* Who speaks for the others: the first that is judged, which has usually started them, but for a
 * shell that is only counted by malloc when others are by more. */
static const struct result_process *spokesman(const struct result_subject *subject)
{
    const struct result_process *first = NULL;
    for (size_t i = 0; i < subject->processes; i++) {
        const struct result_process *p = &subject->process[i];
        if (p->left_out)
            continue;
        if (p->mode && !has_mode(p, "none") && !has_mode(p, "malloc"))
            return p;
        first = first ? first : p;
    }
    return first ? first : &subject->process[0];
}

/* ` in 2 processes`, ` in 1 of 2 processes, by --processes main,`, or nothing. */
static char *many_text(const struct result_subject *subject, char *buf, size_t size)
{
    struct text to = text_into(buf, size);
    if (subject->chosen)
        text_add(&to, " in %" PRIu64 " of %" PRIu64 " processes, by --processes %.40s,",
                 subject->processes_judged, subject->processes_total, subject->chosen);
    else if (subject->processes_total > 1)
        text_add(&to, " in %" PRIu64 " processes", subject->processes_total);
    return buf;
}

/* How its allocations are seen, and what of it can't be. */
static void print_counted(const struct result_subject *subject, int column, const struct screen *s)
{
    char many[CLAUSE];
    const struct result_process *p = spokesman(subject);
    bool sites = p->mode && !has_mode(p, "boringssl"), heap = false;
    for (size_t i = 0; i < subject->processes; i++)
        heap |= subject->process[i].heap && !subject->process[i].left_out;
    many_text(subject, many, sizeof many);
    if (has_mode(p, "malloc")) {
        screen_say(s, "counted", column,
                   "each block of malloc's%s, whatever TLS library it is for; not seen: "
                   "other allocators",
                   many);
        return;
    }
    screen_say(s, "counted", column, "each block of OpenSSL's%s by %s%s%s%s; not seen: %s%s", many,
               p->mode, sites ? "" : ", without its place",
               has_flag(p, "malloc") ? ", and the program's malloc" : "",
               has_flag(p, "two libcryptos") ? ", in one of its two libcryptos" : "",
               has_flag(p, "late") ? "what was allocated before the probe came, " : "",
               has_flag(p, "malloc") ? "other allocators"
               : heap                ? "what isn't OpenSSL's, except in the heap's figures"
                                     : "what isn't OpenSSL's, except in RSS");
}

/* Told where one leaks and another doesn't. */
static void print_leaking_processes(const struct result_subject *subject, int column,
                                    const struct screen *s)
{
    char text[CLAUSE];
    struct text list = text_list(text, sizeof text, ", ");
    size_t leaking = 0, judged = 0;
    for (size_t i = 0; i < subject->processes; i++) {
        const struct result_process *p = &subject->process[i];
        judged += !p->left_out;
        if (p->verdict != VERDICT_LEAK || p->left_out)
            continue;
        leaking++;
        text_item(&list, "%s %" PRIu64 " (%" PRId64 " blocks kept)", p->name, p->pid, p->survivors);
    }
    if (subject->judgement.verdict == VERDICT_LEAK && leaking && leaking < judged)
        screen_say(s, "processes", column, "%s; the other %zu of the longest-lived %zu: no leak",
                   text, judged - leaking, judged);
}

static void print_processes(const struct result *r, int column, const struct screen *s)
{
    for (size_t i = 0; i < r->subjects; i++) {
        if (r->subject[i].processes == 0)
            continue;
        print_leaking_processes(&r->subject[i], column, s);
        print_counted(&r->subject[i], column, s);
    }
}

static void print_self_check(const struct canary *check, int column, const struct screen *s)
{
    if (check->state != CANARY_NONE)
        screen_say(s, "meter check", column, "%s", check->sentence);
}

static void print_errors(const struct result *r, int column, const struct screen *s)
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
    char said[CLAUSE], count[32], total[32];
    struct text text = text_into(said, sizeof said);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].count)
            text_add(&text, "%s%s %s", text.used ? ", " : ": ", kinds[i].name,
                     human_count(count, sizeof count, (int64_t)kinds[i].count));
    if (!e->total)
        return;
    screen_say(s, "errors", column, "%s failed connections%s",
               human_count(total, sizeof total, (int64_t)e->total), said);
    if (r->first_failure.text)
        screen_say(s, "", column, "the first (%s): %s", r->first_failure.behaviour,
                   r->first_failure.text);
}

/* Peers that are no part of the load. */
static void print_foreign(const struct result *r, int column, const struct screen *s)
{
    char count[32];
    if (r->run.foreign)
        screen_say(s, "foreign", column,
                   "%s connection%s to the server's port came from elsewhere: %s",
                   human_count(count, sizeof count, (int64_t)r->run.foreign),
                   r->run.foreign == 1 ? "" : "s",
                   r->run.foreign_served
                       ? "those with an address of the run's own were served like its load"
                       : "turned away, and in none of these figures");
}

static void print_skipped(const struct result *r, int column, const struct screen *s)
{
    for (size_t i = 0; i < r->skipped_count; i++)
        screen_say(s, i ? "" : "skipped", column, "%s: %s", r->skipped[i].name, r->skipped[i].why);
}

static void print_agents(const struct result *r, int column, const struct screen *s)
{
    char begun[32], failed[32], half[FIGURE_SIZE], rtt[FIGURE_SIZE];
    for (size_t i = 0; i < r->agents; i++) {
        const struct result_agent *a = &r->agent[i];
        screen_say(s, i ? "" : "agents", column,
                   "%s (%s): %s connections, %s failed; handshake %s, round trip %s%s%s", a->name,
                   a->address ? a->address : "?",
                   human_count(begun, sizeof begun, (int64_t)a->connections),
                   human_count(failed, sizeof failed, (int64_t)a->failed),
                   human_duration(half, sizeof half, a->p50_ns),
                   human_duration(rtt, sizeof rtt, a->rtt_ns), a->lost ? "; lost: " : "",
                   a->lost ? a->lost : "");
    }
    if (r->agents)
        screen_say(s, "", column, "their memory isn't looked at: only the server is judged");
}

/* ---- a crash ---- */

static void print_crash(const struct result_crash *crash, int column, const struct screen *s)
{
    char text[SCREEN_TEXT];
    size_t shown = crash->frames < CRASH_FRAMES_SHOWN ? crash->frames : CRASH_FRAMES_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        screen_say(s, i == 0 ? "crash" : "", column, "%s%s", i == 0 ? "" : "← ",
                   symbol_text(&crash->frame[i], text, sizeof text));
    }
    if (crash->frames > shown)
        screen_say(s, "", column, "← %zu more", crash->frames - shown);
}

/* What was fetched or built for this run; the machine's own libraries are no news. */
static void print_mapped(const struct result *r, int column, const struct screen *s)
{
    char text[SCREEN_TEXT];
    struct text list = text_list(text, sizeof text, ", ");
    const char *last = "";
    for (size_t i = 0; i < r->mapped_count; i++) {
        const struct result_mapped *m = &r->mapped[i];
        if (!m->origin || strcmp(m->part, last) == 0)
            continue;
        last = m->part;
        text_item(&list, "%s %s (%s)", m->part, m->version ? m->version : "?", m->origin);
    }
    if (list.used)
        screen_say(s, "libraries", column, "%s", text);
}

/* ---- the footprint ---- */

/* `45.69 KiB in 36 blocks held idle, peak 78.34 KiB, 742 allocations per handshake` */
static char *side_text(char *buf, size_t size, const struct footprint_side *side)
{
    char held[32], peak[48] = "", most[32], blocks[FIGURE_SIZE], allocs[FIGURE_SIZE];
    const struct footprint_held *idle = &side->held[FOOTPRINT_IDLE];
    if (isfinite(side->peak_bytes))
        snprintf(peak, sizeof peak, "peak %s, ", human_bytes(most, sizeof most, side->peak_bytes));
    snprintf(buf, size, "%s in %s blocks held idle, %s%s allocations%s",
             human_bytes(held, sizeof held, idle->bytes),
             figure_grouped(blocks, sizeof blocks, idle->blocks, 0), peak,
             figure_grouped(allocs, sizeof allocs, side->allocs, 0),
             side->exact ? "" : " (medians: not all connections were alike)");
    return buf;
}

/* What a connection allocates and holds, by soak-footprint; nothing for NULL. */
static void print_footprint(const struct footprint *f, int column, const struct screen *s)
{
    char server[CLAUSE], client[CLAUSE], rss[32], more[CLAUSE] = "";
    if (!f || f->connections == 0)
        return;
    if (isfinite(f->rss_bytes_per_conn))
        snprintf(more, sizeof more, "; RSS %s (not judged)",
                 human_bytes(rss, sizeof rss, f->rss_bytes_per_conn));
    screen_say(s, "footprint", column, "per connection, TLS %s, %s: server %s%s; client %s", f->tls,
               f->key, side_text(server, sizeof server, &f->end[FOOTPRINT_SERVER]), more,
               side_text(client, sizeof client, &f->end[FOOTPRINT_CLIENT]));
    if (f->left_out[0])
        screen_say(s, "", column, "without what the scenario has of: %s", f->left_out);
}

/* The survivors' files are written beside the result; both lines are for a shell. */
static void print_pictures(const char *folder, int column, const struct screen *s)
{
    char path[SCREEN_TEXT], line[SCREEN_TEXT];
    struct text picture = text_into(line, sizeof line);
    snprintf(path, sizeof path, "%s/survivors.svg", folder);
    words_quote(&picture, path);
    screen_command(s, "picture", column, line, "");
    struct text profile = text_into(line, sizeof line);
    text_add(&profile, "go tool pprof -http=: ");
    snprintf(path, sizeof path, "%s/survivors.pb.gz", folder);
    words_quote(&profile, path);
    screen_command(s, "profile", column, line, "");
}

/* What the commands to type next are for. */
static const char *next_word(const struct result *r, size_t i)
{
    if (r->verdict == VERDICT_INVALID)
        return "look at";
    if (i > 0)
        return r->verdict == VERDICT_INCONCLUSIVE ? "or accept" : "or";
    if (r->interrupted)
        return "again";
    switch (r->verdict) {
    case VERDICT_PASS:
        return "look closer";
    case VERDICT_LEAK:
        return "mended?";
    case VERDICT_INCONCLUSIVE:
    case VERDICT_INVALID:
        break;
    }
    return "settle it";
}

static void print_files(const struct result *r, const struct result_subject *lead_subject,
                        int column, const struct screen *s)
{
    bool pictures = lead_subject && lead_subject->capture.stacks && r->verdict == VERDICT_LEAK;
    const char *own = r->shown_dir ? r->shown_dir : r->run_dir;
    const char *folder = pictures && r->last_dir ? r->last_dir : own;
    if (folder && pictures)
        print_pictures(folder, column, s);
    else if (folder)
        screen_say(s, "files", column, "%s", folder);
    for (size_t i = 0; i < sizeof r->next / sizeof *r->next && r->next[i]; i++)
        screen_command(s, next_word(r, i), column, r->next[i],
                       r->next_note[i] ? r->next_note[i] : "");
    if (r->missing && !r->next[0])
        screen_say(s, "missing", column, "%s", r->missing);
}

/* ---- the runs of --loop ---- */

/* What the program did otherwise than it was asked to: it counts as what it made. */
static void print_loop(const struct result *r, int column, const struct screen *s)
{
    char failed[CLAUSE] = "", other[CLAUSE] = "";
    size_t ended = 0, apart = 0;
    for (size_t i = 0; i < r->loops; i++) {
        const struct result_loop *run = &r->loop[i];
        if (run->status && ended++ == 0)
            snprintf(failed, sizeof failed, " with exit status %" PRIu64, run->status);
        if (run->connections != run->asked && apart++ == 0)
            snprintf(other, sizeof other, "%" PRIu64 " for %" PRIu64, run->connections, run->asked);
    }
    if (!r->loops)
        return;
    screen_say(s, "runs", column,
               "each is a process, seen at its end: what it has freed by then isn't kept");
    if (ended)
        screen_say(s, "", column, "%zu of %zu ended%s; client.log says why", ended, r->loops,
                   failed);
    if (apart)
        screen_say(s, "", column,
                   "%zu of %zu made another number of connections than {count}, as %s; what was "
                   "accepted counts",
                   apart, r->loops, other);
}

void parts_foot(const struct result *r, const struct screen *s)
{
    const struct result_subject *lead_subject = parts_lead(r);
    int column = parts_column(r->verdict, s);
    if (r->broken && r->verdict == VERDICT_LEAK)
        screen_say(s, "broken", column, "%s", r->broken);
    print_crash(&r->crash, column, s);
    print_processes(r, column, s);
    print_loop(r, column, s);
    print_notes(r, column, s);
    bool check_failed = lead_subject && lead_subject->canary.state == CANARY_FAILED;
    if (lead_subject && !r->broken && (r->verdict == VERDICT_PASS || check_failed))
        print_self_check(&lead_subject->canary, column, s);
    print_errors(r, column, s);
    print_foreign(r, column, s);
    print_skipped(r, column, s);
    print_agents(r, column, s);
    print_mapped(r, column, s);
    print_footprint(r->footprint, column, s);
    print_files(r, lead_subject, column, s);
}
