/* SPDX-License-Identifier: Apache-2.0 */
/* What outlived its connections: by site and time of birth, and by call stack. */
#include "html_internal.h"

#include "base/check.h"
#include "base/markup.h"
#include "options/grammar.h"
#include "report/figures.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- the heat map ---- */

static bool is_shown(const struct result_subject *subject, const struct result_site *site)
{
    return site->births && site->births == subject->epochs && site->blocks > 0;
}

static bool has_births(const struct result_subject *subject)
{
    for (size_t i = 0; i < subject->sites; i++)
        if (is_shown(subject, &subject->site[i]))
            return true;
    return false;
}

bool html_has_survivors(const struct result *r)
{
    for (size_t i = 0; i < r->subjects; i++)
        if (r->subject[i].name && has_births(&r->subject[i]))
            return true;
    return false;
}

/* Survivors per connection that was begun in the epoch. */
static double density(const struct result_subject *subject, const struct result_site *site,
                      size_t epoch)
{
    uint64_t opened = subject->epoch[epoch].opened;
    return opened && site->born[epoch] > 0 ? (double)site->born[epoch] / (double)opened : 0;
}

/* Of the epochs that the verdict rests on; without such, of all. */
static double densest(const struct result_subject *subject, const struct result_site *site)
{
    double most = 0, all = 0;
    for (size_t i = 0; i < site->births; i++) {
        double here = density(subject, site, i);
        all = fmax(all, here);
        if (html_phase(subject, i) == PHASE_MEASURED && subject->epoch[i].all_closed)
            most = fmax(most, here);
    }
    return most > 0 ? most : all;
}

static void write_site(const struct result_subject *subject, const struct result_site *site,
                       FILE *out)
{
    char place[256], count[32];
    double most = densest(subject, site);
    html_row(out);
    html_head_cell(site->file ? figure_place(place, sizeof place, site->file, site->line)
                              : "outside OpenSSL",
                   out);
    html_cell(verdict_name(site->verdict), out);
    for (size_t i = 0; i < site->births; i++) {
        double share = most > 0 ? fmin(1, density(subject, site, i) / most) : 0;
        fprintf(out, "<td class=\"n h%d\">%s</td>", (int)ceil(share * HTML_SHADES - 1e-9),
                site->born[i] ? human_count(count, sizeof count, site->born[i]) : "");
    }
}

static void write_map(const struct result_subject *subject, FILE *out)
{
    char caption[128];
    size_t count = subject->epochs + 2;
    char(*name)[32] = calloc(count, sizeof *name);
    const char **column = calloc(count, sizeof *column);
    CHECK(name && column);
    column[0] = "|allocated at";
    column[1] = "|verdict";
    for (size_t i = 0; i < subject->epochs; i++) {
        snprintf(name[i], sizeof name[i], ">%s%zu", html_phase_letter(subject, i), i);
        column[i + 2] = name[i];
    }
    snprintf(caption, sizeof caption,
             "Blocks of the %s alive at the last checkpoint, by the epoch of their birth",
             subject->name);
    html_table(caption, column, count, out);
    for (size_t i = 0; i < subject->sites; i++)
        if (is_shown(subject, &subject->site[i]))
            write_site(subject, &subject->site[i], out);
    html_table_end(out);
    free(column);
    free(name);
}

void html_survivors(const struct result *r, FILE *out)
{
    char text[512];
    html_section("survivors", "Survivors by birth", out);
    snprintf(text, sizeof text,
             "A row is an epoch's blocks (w: of the warm-up; c: of chosen peers, which confirms "
             "whose leak it is), a column a checkpoint; the darker, the more of the epoch's %s had "
             "left a block that was still alive then. A leak fills the triangle; a full cache "
             "leaves a stripe along its edge.",
             unit_plural(r->run.unit));
    html_note(text, out);
    html_courses(r, out);
    html_note(
        "At the last checkpoint, a column per epoch: a leak is an even row, a cache dark where it "
        "filled and pale after.",
        out);
    for (size_t i = 0; i < r->subjects; i++)
        if (r->subject[i].name && has_births(&r->subject[i]))
            write_map(&r->subject[i], out);
    html_section_end(out);
}

/* ---- the flame graph ---- */

bool html_has_flame(const struct html_run *run)
{
    return run->stacks && profile_count(run->stacks) > 0;
}

void html_flame(const struct html_run *run, FILE *out)
{
    struct err e;
    char legend[160], note[400];
    html_section("stacks", "Call stacks of the survivors", out);
    snprintf(note, sizeof note,
             "%s. Width: bytes. From the process on top each function stands below its caller; the "
             "lowest asked for the memory. Grey: no certain name.",
             profile_legend(run->stacks, legend, sizeof legend));
    html_note(note, out);
    fputs("<form class=\"tools\" hidden><label>Search <input type=\"search\" "
          "autocomplete=\"off\"></label> <button type=\"reset\">Whole graph</button> <span "
          "aria-live=\"polite\"></span></form>\n<div class=\"scroll\" tabindex=\"0\" "
          "role=\"region\" aria-label=\"Flame graph\">\n",
          out);
    CHECK(profile_write_frames(run->stacks, out, &e) == 0 || ferror(out));
    fputs("</div>\n", out);
    html_section_end(out);
}
