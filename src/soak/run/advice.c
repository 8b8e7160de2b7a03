/* SPDX-License-Identifier: Apache-2.0 */
#include "advice.h"

#include "cmdline.h"
#include "repeat.h"
#include "stats/judge/plan_loop.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* CLOSER_MOST_S: what is proposed to somebody whose run was fine takes a day at most. */
enum { TEXT = 64, LONGER = 4, CLOSER_MOST_S = 24 * 60 * 60 };
static const uint64_t MINUTE_NS = 60000000000u, HOUR_NS = 3600000000000u;

/* What keeps an undecided run from a verdict. */
enum lack {
    LACK_PROCESS,
    LACK_COLLECTOR,
    LACK_COUNT,
    LACK_OPEN,
    LACK_FAILURES,
    LACK_SENSITIVITY,
    LACK_DOUBT
};

/* jcmd(1) is the JDK's; it comes back when the collection is done. */
static const char collect[] = "--on-checkpoint 'jcmd {pid} GC.run'";

static double seen_one_in(const struct run *r)
{
    double least = INFINITY;
    for (size_t i = 0; i < run_looked_at(r); i++)
        least = fmin(least, r->watched[i].judgement.sensitivity.one_in);
    return least;
}

static bool in_doubt(const struct run *r)
{
    for (size_t i = 0; i < r->subjects.count; i++) {
        const struct judgement *j = &r->watched[i].judgement;
        for (size_t k = 0; k < j->findings; k++) {
            if (j->finding[k].verdict == VERDICT_INCONCLUSIVE)
                return true;
        }
    }
    return false;
}

/* The process that lost a block on purpose has ended, and it would again however long the run. */
static bool meter_left(const struct run *r)
{
    for (size_t i = 0; i < r->subjects.count; i++) {
        struct canary check;
        history_canary(r->watched[i].history, &check);
        if (check.gone && check.unproven)
            return true;
    }
    return false;
}

/* The run of --loop that was asked for the most made no more than another: the program ignores
 * {count}, or stops at some number, and it would again however much is asked for. */
static bool count_ignored(const struct run *r)
{
    const struct loop_record *l = &r->loop.record;
    const struct loop_run *most = l->run;
    for (size_t i = 1; i < l->runs; i++)
        most = l->run[i].asked > most->asked ? &l->run[i] : most;
    for (size_t i = 0; i < l->runs; i++)
        if (l->run[i].asked < most->asked && l->run[i].made >= most->made)
            return true;
    return false;
}

static enum lack lack_of(const struct run *r, const struct result *result)
{
    if (meter_left(r) || foreign_left_out(run_judged(r)->subject))
        return LACK_PROCESS;
    if (r->processes.uncollected.pid)
        return LACK_COLLECTOR;
    if (count_ignored(r))
        return LACK_COUNT;
    if (stayed_open(r))
        return LACK_OPEN;
    if (in_doubt(r))
        return LACK_DOUBT;
    /* 1/1 is the least figure: without it the run shows nothing. */
    if (seen_one_in(r) < fmax(1, (double)r->scenario->sensitivity))
        return LACK_SENSITIVITY;
    return result->run.errors.total ? LACK_FAILURES : LACK_DOUBT;
}

/* Connections that it takes over the threads that the run has seen serve them. */
static uint64_t takes(const struct run *r, uint64_t one_in)
{
    return scenario_takes(r->scenario, one_in, r->plan.in.threads);
}

/* How many connections it takes until the run is decided. */
static uint64_t wanted(const struct run *r, const struct result *result, enum lack lack)
{
    uint64_t longer =
        LONGER * (result->run.closed > r->plan.unit ? result->run.closed : r->plan.unit);
    /* What the file asks for, or what was typed over it, is asked of the next run, too. */
    uint64_t sensitivity = repeat_has(r, "sensitivity") ? r->scenario->sensitivity : 0;
    uint64_t asked = sensitivity ? sensitivity : 1;
    uint64_t least = r->scenario->loop ? takes(r, asked) : plan_closed_for(&r->plan.in, asked);
    if (lack == LACK_SENSITIVITY)
        return r->scenario->sensitivity ? takes(r, r->scenario->sensitivity) : least;
    return longer > least ? longer : least;
}

static uint64_t time_for(const struct result *result, uint64_t connections)
{
    double ns = result->run.rate_per_s > 0 ? (double)connections * 1e9 / result->run.rate_per_s : 0;
    return ns < 9e18 ? (uint64_t)ns : 0;
}

/* What the client says of a failure is in the report. Why a server that isn't soak's failed, such
 * as a worker's crash, is known to that server alone. */
static const char *log_of_failures(const struct run *r)
{
    return r->scenario->server ? "server.log" : "client.log";
}

/* jcmd ends a process that is no JVM: a start script is given no command for it. */
static char *collector_missing(const struct run *r, char *buf, size_t size)
{
    const struct uncollected *jvm = &r->processes.uncollected;
    if (r->scenario->loop)
        snprintf(buf, size, "a collection before the program ends: System.gc()");
    else if (jvm->is_main)
        snprintf(buf, size, "a collection before each measurement: %s", collect);
    else
        snprintf(buf, size,
                 "a collection before each measurement: let the script exec java, so that {pid} is "
                 "the JVM (now it is process %d), and give %s",
                 (int)jvm->pid, collect);
    return buf;
}

char *advice_missing(const struct run *r, const struct result *result, char *buf, size_t size)
{
    char count[TEXT * 2], time[TEXT], rate[TEXT];
    buf[0] = '\0';
    if (result->verdict != VERDICT_INCONCLUSIVE || result->broken)
        return buf;
    if (!run_judged_can(r, SUBJECT_HAS_PAGE)) {
        snprintf(buf, size, "a server that soak itself starts, by --server; soak help servers");
        return buf;
    }
    enum lack lack = lack_of(r, result);
    uint64_t want = wanted(r, result, lack);
    bool measures = r->scenario->sensitivity && !r->scenario->loop;
    uint64_t has = measures ? result->run.measured : result->run.closed;
    uint64_t more = want > has ? want - has : r->plan.unit;
    if (lack == LACK_PROCESS) {
        const char *wanted = foreign_wanted_instead(run_judged(r)->subject);
        snprintf(buf, size, "%s",
                 wanted ? wanted : "a program of which one process stays as long as the run");
        return buf;
    }
    if (lack == LACK_COLLECTOR) {
        return collector_missing(r, buf, size);
    }
    if (lack == LACK_COUNT) {
        snprintf(buf, size, "a program that makes {count} connections, however many that are");
        return buf;
    }
    if (lack == LACK_OPEN) {
        snprintf(buf, size,
                 "an end of the connection that stays open in silence, of %s: close it, or let "
                 "--idle-timeout do so",
                 stayed_whose(r, count, sizeof count));
        return buf;
    }
    if (lack == LACK_FAILURES) {
        snprintf(buf, size, "a run in which no connection fails; %s says why these did",
                 log_of_failures(r));
        return buf;
    }
    human_count(count, sizeof count, (int64_t)more);
    int used = snprintf(buf, size, "about %s more %ss", count, unit_name(result->run.unit));
    if (time_for(result, more) && used > 0 && (size_t)used < size)
        snprintf(buf + used, size - (size_t)used, ", %s at the %s/s of this run",
                 human_duration(time, sizeof time, time_for(result, more)),
                 human_count(rate, sizeof rate, (int64_t)(result->run.rate_per_s + 0.5)));
    return buf;
}

/* ---- the command ---- */

/* The limit is an hour unless the run needs more. */
static void add_until_sure(struct text *c, const struct run *r, const struct result *result,
                           uint64_t n)
{
    char one_in[TEXT], limit[TEXT];
    repeat_take_back(c, r, "closed");
    if (r->scenario->loop) { /* as long as that takes */
        text_add(c, " --sensitivity %s", grammar_one_in_print(one_in, sizeof one_in, n));
        return;
    }
    uint64_t ns = time_for(result, takes(r, n)) / 2 * 3;
    text_add(c, " --until-sure --sensitivity %s", grammar_one_in_print(one_in, sizeof one_in, n));
    if (ns / HOUR_NS)
        text_add(c, " --for %s",
                 grammar_duration_print(limit, sizeof limit, (ns / MINUTE_NS + 1) * MINUTE_NS));
    else
        repeat_take_back(c, r, "for");
}

static void add_closed(struct text *c, const struct run *r, uint64_t n)
{
    repeat_take_back(c, r, "for");
    repeat_take_back(c, r, "until-sure");
    repeat_put_over(c, r, "sensitivity"); /* for which `n` is enough, not for the file's */
    text_add(c, " --closed %" PRIu64, n);
}

uint64_t advice_closer(const struct scenario *s, uint64_t threads, double seen_one_in,
                       double rate_per_s)
{
    uint64_t n = 10;
    while ((double)n < 10 * seen_one_in && n < UINT64_C(1000000000))
        n *= 10;
    double most = rate_per_s > 0 ? rate_per_s * CLOSER_MOST_S : INFINITY;
    if ((double)scenario_takes(s, n, threads) > most)
        n /= 10;
    bool in_time = (double)scenario_takes(s, n, threads) <= most;
    return (double)n >= 2 * seen_one_in && in_time ? n : 0;
}

static uint64_t closer(const struct run *r, const struct result *result)
{
    return advice_closer(r->scenario, r->plan.in.threads, seen_one_in(r), result->run.rate_per_s);
}

/* What would settle an undecided run is asked for, and what it has seen can be accepted. */
enum advice { ADVICE_NONE, ADVICE_LOG, ADVICE_AGAIN, ADVICE_CLOSER, ADVICE_SETTLE, ADVICE_ACCEPT };

static enum advice settling(const struct run *r, enum lack lack)
{
    switch (lack) {
    case LACK_PROCESS:
    case LACK_COUNT:
    case LACK_OPEN:
        return ADVICE_NONE;
    case LACK_FAILURES:
        return ADVICE_LOG;
    case LACK_COLLECTOR:
        return r->processes.uncollected.is_main && !r->scenario->loop ? ADVICE_SETTLE : ADVICE_NONE;
    case LACK_SENSITIVITY:
    case LACK_DOUBT:
        break;
    }
    return ADVICE_SETTLE;
}

static enum advice advice_of(const struct run *r, const struct result *result, size_t which)
{
    if (!run_judged_can(r, SUBJECT_HAS_PAGE) && result->verdict != VERDICT_LEAK)
        return ADVICE_NONE;
    if (result->broken && result->verdict != VERDICT_LEAK)
        return which == 0 ? ADVICE_LOG : ADVICE_NONE;
    bool lacks = result->verdict == VERDICT_INCONCLUSIVE && !r->interrupted &&
                 lack_of(r, result) == LACK_SENSITIVITY && r->scenario->sensitivity;
    if (which > 0)
        return which == 1 && lacks && seen_one_in(r) >= 2 ? ADVICE_ACCEPT : ADVICE_NONE;
    if (r->interrupted || result->verdict == VERDICT_LEAK)
        return ADVICE_AGAIN;
    switch (result->verdict) {
    case VERDICT_PASS:
        return seen_one_in(r) >= 1 && !count_ignored(r) && closer(r, result) ? ADVICE_CLOSER
                                                                             : ADVICE_NONE;
    case VERDICT_INCONCLUSIVE:
        return settling(r, lack_of(r, result));
    case VERDICT_LEAK:
    case VERDICT_INVALID:
        break;
    }
    return ADVICE_NONE;
}

/* What was reached, in two digits, so that the next run reaches it again. */
static uint64_t acceptable(const struct run *r)
{
    uint64_t n = (uint64_t)seen_one_in(r), step = 1;
    while (n / step >= 100)
        step *= 10;
    n = n / step * step;
    return n > 1 ? n : 1;
}

static void add_settling(struct text *c, const struct run *r, const struct result *result)
{
    enum lack lack = lack_of(r, result);
    if (lack == LACK_COLLECTOR)
        text_add(c, " %s", collect);
    else if (lack == LACK_SENSITIVITY && r->scenario->sensitivity)
        add_until_sure(c, r, result, r->scenario->sensitivity);
    else
        add_closed(c, r, wanted(r, result, lack));
}

/* Of the process whose end broke the run, if one's did. */
static char *log_to_read(const struct run *r, char *buf, size_t size)
{
    if (r->crashed_child)
        return child_log_name(r->crashed_child, buf, size);
    return text_copy(buf, size, r->broken[0] ? "server.log" : log_of_failures(r));
}

/* Of a log in which nothing stands nothing is advised. */
static void add_log(struct text *c, const struct run *r, const struct result *result)
{
    char log[CHILD_LABEL], path[PATH_MAX + CHILD_LABEL];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", r->dir.path, log_to_read(r, log, sizeof log));
    if (stat(path, &st) == 0 && st.st_size == 0)
        return;
    snprintf(path, sizeof path, "%s/%s", result->shown_dir, log_to_read(r, log, sizeof log));
    text_add(c, "less");
    cmdline_word(c, path);
}

char *advice_next(const struct run *r, const struct result *result, size_t which, char *buf,
                  size_t size)
{
    struct text c = text_into(buf, size);
    switch (advice_of(r, result, which)) {
    case ADVICE_NONE:
        break;
    case ADVICE_LOG:
        add_log(&c, r, result);
        break;
    case ADVICE_AGAIN:
        repeat_run(&c, r, r->interrupted || repeat_is_bound(r));
        repeat_seed(&c, r);
        break;
    case ADVICE_CLOSER:
        repeat_run(&c, r, false);
        add_until_sure(&c, r, result, closer(r, result));
        break;
    case ADVICE_SETTLE:
        repeat_run(&c, r, false);
        add_settling(&c, r, result);
        break;
    case ADVICE_ACCEPT:
        repeat_run(&c, r, false);
        add_until_sure(&c, r, result, acceptable(r));
        break;
    }
    return repeat_whole_or_none(&c);
}

/* Rounded up to two digits. */
static uint64_t at_most(uint64_t n)
{
    uint64_t step = 1;
    while (n / step >= 100)
        step *= 10;
    return (n + step - 1) / step * step;
}

char *advice_note(const struct run *r, const struct result *result, size_t which, char *buf,
                  size_t size)
{
    char text[TEXT];
    uint64_t want = 0;
    buf[0] = '\0';
    switch (advice_of(r, result, which)) {
    case ADVICE_NONE:
    case ADVICE_LOG:
        return buf;
    case ADVICE_AGAIN:
        if (result->verdict == VERDICT_LEAK && !r->interrupted)
            snprintf(buf, size, "shows within %s",
                     human_count(text, sizeof text, (int64_t)at_most(result->run.closed)));
        return buf;
    case ADVICE_CLOSER:
        want = takes(r, closer(r, result));
        break;
    case ADVICE_SETTLE:
        want = wanted(r, result, lack_of(r, result));
        break;
    case ADVICE_ACCEPT:
        want = takes(r, acceptable(r));
        break;
    }
    if (time_for(result, want))
        snprintf(buf, size, "about %s", human_duration(text, sizeof text, time_for(result, want)));
    return buf;
}

char *advice_ended(const struct run *r, const struct result *result, char *buf, size_t size)
{
    const struct scenario *s = r->scenario;
    char text[TEXT];
    buf[0] = '\0';
    if (result->verdict != VERDICT_INCONCLUSIVE || result->broken || in_doubt(r) || stayed_open(r))
        return buf;
    /* Of --until-sure it is but a limit, which a run that ended long before it didn't reach. */
    bool limits = !s->until_sure || result->run.seconds * 2e9 >= (double)s->for_ns;
    if (r->interrupted)
        snprintf(buf, size, "a signal");
    else if (s->for_ns && limits)
        snprintf(buf, size, "--for %s", grammar_duration_print(text, sizeof text, s->for_ns));
    else if (s->closed && !count_ignored(r))
        snprintf(buf, size, "--closed %s", grammar_count_print(text, sizeof text, s->closed));
    return buf;
}
