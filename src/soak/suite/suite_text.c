#include "suite_text.h"

#include "base/grammar.h"
#include "suite_merge.h"

#include <math.h>
#include <string.h>

static uint64_t nanoseconds(double seconds)
{
    return seconds > 0 && seconds < 1e9 ? (uint64_t)(seconds * 1e9) : 0;
}

void suite_text_head(FILE *out)
{
    fprintf(out, "%-28s %-12s  %-15s  %11s  %8s\n", "scenario", "verdict", "outcome", "connections",
            "time");
}

void suite_text_row(const struct suite_entry *entry, FILE *out)
{
    char closed[32], seconds[32];
    fprintf(out, "%-28s %-12s  %-15s  %11s  %8s\n", entry->name,
            entry->verdict ? entry->verdict : "-", suite_outcome_word(entry->outcome),
            human_count(closed, sizeof closed, (int64_t)entry->closed),
            human_duration(seconds, sizeof seconds, nanoseconds(entry->seconds)));
    fflush(out);
}

static void print_failure(const struct suite_entry *entry, FILE *out)
{
    fprintf(out, "\n%s: %s\n", entry->name, suite_outcome_word(entry->outcome));
    if (strcmp(entry->expect, "pass") != 0 || entry->outcome == SUITE_UNMET)
        fprintf(out, "  expected  %s\n", entry->expect);
    if (entry->said)
        fprintf(out, "  it said   %s\n", entry->said);
    if (entry->kind)
        fprintf(out, "  to blame  %s%s%s\n", entry->kind, entry->site ? ", " : "",
                entry->site ? entry->site : "");
    if (entry->run_dir)
        fprintf(out, "  folder    %s\n", entry->run_dir);
    fprintf(out, "  again     ./soak run %s%s%s\n", entry->file, entry->seed ? " --seed " : "",
            entry->seed ? entry->seed : "");
}

void suite_text_failures(const struct suite *s, FILE *out)
{
    for (size_t i = 0; i < s->entries; i++) {
        if (s->entry[i].outcome != SUITE_MET && s->entry[i].outcome != SUITE_NOT_RUN)
            print_failure(&s->entry[i], out);
    }
    fputs("\n", out);
}

void suite_text_notes(const struct suite *s, FILE *out)
{
    char note[SUITE_NOTE];
    for (size_t i = 0; suite_note(s, i, note, sizeof note); i++)
        fprintf(out, "%s\n", note);
}

void suite_text_totals(const struct suite *s, FILE *out)
{
    struct suite_totals t;
    char closed[32], seconds[32];
    const char *joint = ": ";
    suite_count(s, &t);
    fprintf(out, "%zu scenario%s", t.scenarios, t.scenarios == 1 ? "" : "s");
    for (size_t o = 0; o < SUITE_OUTCOMES; o++) {
        if (!t.outcome[o])
            continue;
        fprintf(out, "%s%zu %s", joint, t.outcome[o], suite_outcome_word((enum suite_outcome)o));
        joint = ", ";
    }
    fprintf(out, "; %s connections, %s\n", human_count(closed, sizeof closed, (int64_t)t.closed),
            human_duration(seconds, sizeof seconds, nanoseconds(t.seconds)));
    fflush(out);
}
