#include "suite_junit.h"

#include <math.h>
#include <string.h>

/* What a testcase came to. */
enum state { PASSED, FAILED, ERROR, SKIPPED, STATES };

/* UTF-8 of U+FFFE and U+FFFF, which XML has no place for, as it has none for most controls. */
static bool is_no_character(const char *p)
{
    return strncmp(p, "\xef\xbf\xbe", 3) == 0 || strncmp(p, "\xef\xbf\xbf", 3) == 0;
}

/* Text for an attribute or between tags. */
static void put(const char *text, FILE *out)
{
    for (const char *p = text ? text : ""; *p; p++) {
        unsigned char c = (unsigned char)*p;
        const char *name = c == '&'   ? "amp"
                           : c == '<' ? "lt"
                           : c == '>' ? "gt"
                           : c == '"' ? "quot"
                                      : NULL;
        if (name)
            fprintf(out, "&%s;", name);
        else if (c == '\n' || c == '\t' || c == '\r')
            fprintf(out, "&#%d;", c);
        else if (c < ' ' || c == 0x7f)
            fputc('?', out);
        else if (is_no_character(p))
            p += 2, fputc('?', out);
        else
            fputc(c, out);
    }
}

static void attribute(const char *name, const char *value, FILE *out)
{
    fprintf(out, " %s=\"", name);
    put(value, out);
    fputc('"', out);
}

static enum state verdict_state(const struct suite_entry *entry)
{
    switch (entry->outcome) {
    case SUITE_MET:
        return PASSED;
    case SUITE_UNMET:
        return FAILED;
    case SUITE_BROKEN:
        return ERROR;
    case SUITE_UNSURE:
    case SUITE_INTERRUPTED:
    case SUITE_NOT_RUN:
    case SUITE_OUTCOMES:
        break;
    }
    return SKIPPED;
}

/* A metric may grow where a leak is expected; of a broken run no figure is to be trusted. */
static enum state metric_state(const struct suite_entry *entry, const struct suite_metric *m)
{
    if (entry->outcome == SUITE_BROKEN || strcmp(m->verdict, "unsure") == 0)
        return SKIPPED;
    if (strcmp(m->verdict, "grows") == 0 && entry->outcome == SUITE_UNMET)
        return FAILED;
    return PASSED;
}

static void count(const struct suite_entry *entry, size_t *n)
{
    n[verdict_state(entry)]++;
    for (size_t i = 0; i < entry->metrics; i++)
        n[metric_state(entry, &entry->metric[i])]++;
}

static void put_counts(const size_t *n, double seconds, FILE *out)
{
    fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\"",
            n[PASSED] + n[FAILED] + n[ERROR] + n[SKIPPED], n[FAILED], n[ERROR], n[SKIPPED],
            seconds);
}

static const char *tag_of(enum state state)
{
    static const char *const tags[STATES] = {
        [FAILED] = "failure", [ERROR] = "error", [SKIPPED] = "skipped"};
    return tags[state];
}

/* `message` is written by the caller between these two. */
static void begin_state(enum state state, FILE *out)
{
    fprintf(out, ">\n      <%s message=\"", tag_of(state));
}

static void end_state(FILE *out)
{
    fputs("\"/>\n    </testcase>\n", out);
}

static void put_verdict(const struct suite_entry *entry, FILE *out)
{
    enum state state = verdict_state(entry);
    fputs("    <testcase", out);
    attribute("classname", entry->name, out);
    fprintf(out, " name=\"verdict\" time=\"%.3f\"", entry->seconds);
    if (!tag_of(state)) {
        fputs("/>\n", out);
        return;
    }
    begin_state(state, out);
    fprintf(out, "%s; expected: ", suite_outcome_word(entry->outcome));
    put(entry->expect, out);
    fputs("; ", out);
    put(entry->said ? entry->said : "nothing was measured", out);
    end_state(out);
}

static void put_figures(const struct suite_metric *m, FILE *out)
{
    put(m->verdict, out);
    if (isfinite(m->per_conn)) {
        fprintf(out, ": %+.4f ", m->per_conn);
        put(m->unit, out);
        fputs(" per connection", out);
    }
    if (isfinite(m->limit))
        fprintf(out, ", limit %g", m->limit);
}

static void put_metric(const struct suite_entry *entry, const struct suite_metric *m, FILE *out)
{
    enum state state = metric_state(entry, m);
    fputs("    <testcase", out);
    attribute("classname", entry->name, out);
    fputs(" name=\"", out);
    put(m->subject, out);
    fputc('.', out);
    put(m->id, out);
    fputc('"', out);
    if (!tag_of(state)) {
        fputs("/>\n", out);
        return;
    }
    begin_state(state, out);
    put_figures(m, out);
    end_state(out);
}

static void put_scenario(const struct suite_entry *entry, FILE *out)
{
    size_t n[STATES] = {0};
    count(entry, n);
    fputs("  <testsuite", out);
    attribute("name", entry->name, out);
    put_counts(n, entry->seconds, out);
    fputs(">\n", out);
    put_verdict(entry, out);
    for (size_t i = 0; i < entry->metrics; i++)
        put_metric(entry, &entry->metric[i], out);
    fputs("  </testsuite>\n", out);
}

void suite_junit(const struct suite *s, FILE *out)
{
    size_t n[STATES] = {0};
    struct suite_totals t;
    suite_count(s, &t);
    for (size_t i = 0; i < s->entries; i++)
        count(&s->entry[i], n);
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"soak\"", out);
    put_counts(n, t.seconds, out);
    fputs(">\n", out);
    for (size_t i = 0; i < s->entries; i++)
        put_scenario(&s->entry[i], out);
    fputs("</testsuites>\n", out);
}
