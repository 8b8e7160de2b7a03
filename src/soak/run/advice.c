#include "advice.h"

#include "cmdline.h"

#include <inttypes.h>
#include <math.h>
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
    /* 1/1 is the least figure: without it the run shows nothing. */
    if (seen_one_in(r) < fmax(1, (double)r->scenario->sensitivity))
        return LACK_SENSITIVITY;
    return result->run.errors.total ? LACK_FAILURES : LACK_DOUBT;
}

/* How many connections it takes until the run is decided. */
static uint64_t wanted(const struct run *r, const struct result *result, enum lack lack)
{
    uint64_t longer =
        LONGER * (result->run.closed > r->plan.unit ? result->run.closed : r->plan.unit);
    uint64_t least = plan_closed_for(&r->plan.in, 1);
    if (lack == LACK_SENSITIVITY)
        return r->scenario->sensitivity ? plan_measured_for(r->scenario->sensitivity) : least;
    return longer > least ? longer : least;
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
    uint64_t want = wanted(r, result, lack);
    uint64_t has = r->scenario->sensitivity ? result->run.measured : result->run.closed;
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

/* What says how long the run is, where its output goes and what is expected isn't the run's own. */
static bool is_repeated(const char *name, size_t index)
{
    static const char *const length[] = {"closed",      "for",        "seed",
                                         "sensitivity", "until-sure", "keep-going"};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++) {
        if (strcmp(name, length[i]) == 0)
            return false;
    }
    const char *section = scenario_section(index);
    return strcmp(section, "output") != 0 && strcmp(section, "suite") != 0;
}

/* What the scenario's file says is in it; the mix is one option, whatever was typed of it. */
static void add_options(struct cmdline *c, const struct run *r)
{
    bool mixed = false;
    for (size_t i = SCENARIO_OPTIONS; i-- > 0 && scenario_is_weight(i);)
        mixed |= r->origin->place[i].source == SCENARIO_COMMAND;
    size_t count;
    const struct opt *option = scenario_options(&count);
    for (size_t i = 0; i < count && !scenario_is_weight(i); i++) {
        bool typed = r->origin->place[i].source == SCENARIO_COMMAND;
        if (option[i].type == OPT_WEIGHTS ? mixed : typed && is_repeated(option[i].name, i))
            cmdline_option(c, r->scenario, i);
    }
}

/* The limit is an hour unless the run needs more. */
static void add_until_sure(struct cmdline *c, const struct run *r, const struct result *result)
{
    char one_in[TEXT], limit[TEXT];
    uint64_t n = r->scenario->sensitivity, ns = time_for(result, plan_measured_for(n)) / 2 * 3;
    cmdline_add(c, " --sensitivity %s --until-sure",
                grammar_one_in_print(one_in, sizeof one_in, n));
    if (ns / HOUR_NS)
        cmdline_add(c, " --for %s",
                    grammar_duration_print(limit, sizeof limit, (ns / MINUTE_NS + 1) * MINUTE_NS));
}

char *advice_next(const struct run *r, const struct result *result, char *buf, size_t size)
{
    struct cmdline c = {.text = buf, .size = size};
    enum lack lack = lack_of(r, result);
    buf[0] = '\0';
    bool undecided = result->verdict == VERDICT_INCONCLUSIVE && !r->interrupted;
    if (result->broken || (undecided && lack == LACK_FAILURES)) {
        cmdline_add(&c, "less %.200s/%s.log", r->dir.path, result->broken ? "server" : "client");
        return buf;
    }
    if (result->verdict != VERDICT_LEAK && !undecided && !r->interrupted)
        return buf;
    cmdline_add(&c, "./soak run");
    cmdline_word(&c, r->word);
    cmdline_add(&c, " --seed %" PRIx64, r->seed);
    add_options(&c, r);
    if (undecided && lack == LACK_SENSITIVITY && r->scenario->sensitivity)
        add_until_sure(&c, r, result);
    else if (undecided)
        cmdline_add(&c, " --closed %" PRIu64, wanted(r, result, lack));
    else if (!r->interrupted)
        cmdline_add(&c, " --keep-going");
    if (c.used >= size)
        snprintf(buf, size, "./soak run %.400s --seed %" PRIx64, r->word, r->seed);
    return buf;
}
