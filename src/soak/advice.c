#include "advice.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT = 64, LONGER = 4 };
static const uint64_t MINUTE_NS = 60000000000u, HOUR_NS = 3600000000000u;

/* What keeps an undecided run from a verdict. */
enum lack { LACK_FAILURES, LACK_SENSITIVITY, LACK_DOUBT };

static double seen_one_in(const struct run *r)
{
    double least = INFINITY;
    for (int i = 0; i < RUN_SUBJECTS; i++)
        least = fmin(least, r->judgement[i].sensitivity.one_in);
    return least;
}

static bool in_doubt(const struct run *r)
{
    for (int i = 0; i < RUN_SUBJECTS; i++) {
        const struct judgement *j = &r->judgement[i];
        for (size_t k = 0; k < j->findings; k++) {
            if (j->finding[k].verdict == VERDICT_INCONCLUSIVE)
                return true;
        }
    }
    return false;
}

static enum lack lack_of(const struct run *r, const struct result *result)
{
    if (in_doubt(r))
        return LACK_DOUBT;
    if (r->scenario->sensitivity && seen_one_in(r) < (double)r->scenario->sensitivity)
        return LACK_SENSITIVITY;
    return result->run.errors.total ? LACK_FAILURES : LACK_DOUBT;
}

/* Connections to measure so that the run would be decided. */
static uint64_t wanted(const struct run *r, const struct result *result, enum lack lack)
{
    if (lack == LACK_SENSITIVITY)
        return plan_measured_for(r->scenario->sensitivity);
    return LONGER * (result->run.closed > r->plan.unit ? result->run.closed : r->plan.unit);
}

static uint64_t time_for(const struct result *result, uint64_t connections)
{
    double ns = result->run.rate_per_s > 0 ? (double)connections * 1e9 / result->run.rate_per_s : 0;
    return ns < 9e18 ? (uint64_t)ns : 0;
}

char *advice_missing(const struct run *r, const struct result *result, char *buf, size_t size)
{
    char count[TEXT], time[TEXT], rate[TEXT];
    buf[0] = '\0';
    if (result->verdict != VERDICT_INCONCLUSIVE || result->broken)
        return buf;
    enum lack lack = lack_of(r, result);
    uint64_t want = wanted(r, result, lack), has = result->run.measured;
    uint64_t more = want > has ? want - has : r->plan.unit;
    if (lack == LACK_FAILURES) {
        snprintf(buf, size, "a run in which no connection fails; client.log says why these did");
        return buf;
    }
    human_count(count, sizeof count, (int64_t)more);
    int used = snprintf(buf, size, "about %s more %ss", count, result->run.unit);
    if (time_for(result, more) && used > 0 && (size_t)used < size)
        snprintf(buf + used, size - (size_t)used, ", %s at the %s/s of this run",
                 human_duration(time, sizeof time, time_for(result, more)),
                 human_count(rate, sizeof rate, (int64_t)(result->run.rate_per_s + 0.5)));
    return buf;
}

/* ---- the command ---- */

struct command {
    char *text;
    size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void append(struct command *c, const char *format, ...)
{
    va_list args;
    if (c->used >= c->size)
        return;
    va_start(args, format);
    int n = vsnprintf(c->text + c->used, c->size - c->used, format, args);
    va_end(args);
    c->used += n > 0 ? (size_t)n : 0;
}

/* Plain words stay; anything else is quoted for the shell. */
static void append_word(struct command *c, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";
    if (word[0] && word[strspn(word, plain)] == '\0') {
        append(c, " %s", word);
        return;
    }
    append(c, " '");
    for (; *word; word++)
        append(c, *word == '\'' ? "'\\''" : "%c", *word);
    append(c, "'");
}

/* What says how long the run is, and where its output goes, isn't the run's own. */
static bool is_repeated(const char *name, size_t index)
{
    static const char *const length[] = {"closed",      "for",        "seed",
                                         "sensitivity", "until-sure", "keep-going"};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++) {
        if (strcmp(name, length[i]) == 0)
            return false;
    }
    return strcmp(scenario_section(index), "output") != 0;
}

static void append_options(struct command *c, const struct scenario *s)
{
    struct scenario usual;
    size_t count;
    const struct opt *option = scenario_options(&count);
    scenario_defaults(&usual);
    for (size_t i = 0; i < count; i++) {
        char has[512], had[512];
        opts_print(&option[i], s, has, sizeof has);
        if (!is_repeated(option[i].name, i) ||
            strcmp(has, opts_print(&option[i], &usual, had, sizeof had)) == 0)
            continue;
        append(c, " --%s", option[i].name);
        if (option[i].type != OPT_FLAG && option[i].type != OPT_OFF)
            append_word(c, has);
    }
}

/* The limit is an hour unless the run needs more. */
static void append_until_sure(struct command *c, const struct run *r, const struct result *result)
{
    char one_in[TEXT], limit[TEXT];
    uint64_t n = r->scenario->sensitivity, ns = time_for(result, plan_measured_for(n)) / 2 * 3;
    append(c, " --sensitivity %s --until-sure", grammar_one_in_print(one_in, sizeof one_in, n));
    if (ns / HOUR_NS)
        append(c, " --for %s",
               grammar_duration_print(limit, sizeof limit, (ns / MINUTE_NS + 1) * MINUTE_NS));
}

char *advice_next(const struct run *r, const struct result *result, char *buf, size_t size)
{
    struct command c = {.text = buf, .size = size};
    enum lack lack = lack_of(r, result);
    buf[0] = '\0';
    bool undecided = result->verdict == VERDICT_INCONCLUSIVE && !r->interrupted;
    if (result->broken || (undecided && lack == LACK_FAILURES)) {
        append(&c, "less %.200s/%s.log", r->dir.path, result->broken ? "server" : "client");
        return buf;
    }
    if (result->verdict != VERDICT_LEAK && !undecided && !r->interrupted)
        return buf;
    append(&c, "./soak run %.100s --seed %" PRIx64, r->name, r->seed);
    append_options(&c, r->scenario);
    if (undecided && lack == LACK_SENSITIVITY)
        append_until_sure(&c, r, result);
    else if (undecided)
        append(&c, " --closed %" PRIu64, wanted(r, result, lack));
    else if (!r->interrupted)
        append(&c, " --keep-going");
    if (c.used >= size)
        snprintf(buf, size, "./soak run %.100s --seed %" PRIx64, r->name, r->seed);
    return buf;
}
