/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor.h"

#include "base/exit_codes.h"
#include "base/text.h"
#include "cmdline.h"
#include "options/limits.h"
#include "scenario/scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Both ends of one idle connection (64 and 69 KiB of RSS with OpenSSL 3.0) and its sockets; and
 * the three programs without any. */
#define CONNECTION_BYTES (UINT64_C(160) << 10)
#define PROGRAMS_BYTES   (UINT64_C(128) << 20)

ENUM_NAMES(doctor_state, DOCTOR_STATE_LIST)

typedef void (*rule_fn)(const struct examination *x, struct finding *f);

__attribute__((format(printf, 2, 3))) static void say(struct finding *f, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(f->text, sizeof f->text, format, list);
    va_end(list);
    text_clean(f->text);
}

__attribute__((format(printf, 3, 4))) static void
to_mend(struct finding *f, enum doctor_state state, const char *format, ...)
{
    va_list list;
    f->state = state;
    va_start(list, format);
    vsnprintf(f->mend, sizeof f->mend, format, list);
    va_end(list);
}

/* What was tried and can't do without. */
static void say_tried(struct finding *f, const struct err *why, const char *worked)
{
    say(f, "%s", why->text[0] ? why->text : worked);
    if (why->text[0])
        f->state = DOCTOR_FAILURE;
}

/* ---- the trial ---- */

static bool trial_ended_well(const struct doctor_trial *t)
{
    return t->exit_code == EXIT_PASS || t->exit_code == EXIT_INCONCLUSIVE;
}

static void programs(const struct examination *x, struct finding *f)
{
    const struct doctor_trial *t = &x->tried.trial;
    char count[32];
    if (trial_ended_well(t)) {
        say(f, "a trial of %s connections ran: %s",
            human_count(count, sizeof count, (int64_t)t->closed), t->libs);
        return;
    }
    const char *said = t->said + (strncmp(t->said, "soak: ", 6) == 0 ? 6 : 0);
    say(f, "a trial run ended with exit %d: %s", t->exit_code, said);
    f->state = DOCTOR_FAILURE;
    if (t->exit_code == EXIT_USAGE)
        return; /* nothing was started */
    char command[256];
    struct text text = text_into(command, sizeof command);
    cmdline_program(&text);
    to_mend(f, DOCTOR_FAILURE,
            "see the logs that this keeps: %s --closed 2000 --results /tmp/trial", command);
}

static void handshake(const struct examination *x, struct finding *f)
{
    const struct doctor_trial *t = &x->tried.trial;
    say(f, "%.0f µs of processor time per connection: server %.0f, client %.0f",
        t->server_us + t->client_us, t->server_us, t->client_us);
}

static void churn(const struct examination *x, struct finding *f)
{
    const struct doctor_trial *t = &x->tried.trial;
    char rate[64];
    grammar_rate_print(rate, sizeof rate, x->asked.churn);
    say(f, "%.0f/s at full speed; asked for: %s", t->per_s, rate);
    if (!x->asked.churn.max && t->per_s < x->asked.churn.per_s)
        to_mend(f, DOCTOR_WARNING,
                "--churn max takes what there is: a verdict doesn't need the rate, only the "
                "number of connections");
}

static void allocator(const struct examination *x, struct finding *f)
{
    say(f, "%s",
        x->tried.trial.jemalloc
            ? "the programs run on it: its figures decide about memory outside OpenSSL"
            : "the programs run without it");
    if (!x->tried.trial.jemalloc)
        to_mend(f, DOCTOR_WARNING,
                "build with -DSOAK_JEMALLOC=ON: without it only RSS shows memory outside OpenSSL");
}

/* ---- processors and memory ---- */

static void processors(const struct examination *x, struct finding *f)
{
    const struct doctor_facts *m = &x->facts;
    double usable = m->allowed > 0 && m->allowed < m->processors ? m->allowed : m->processors;
    char limit[64] = "";
    if (usable < m->processors)
        snprintf(limit, sizeof limit, ", of which the cgroup allows %.2g", m->allowed);
    say(f, "%d%s; load %.2f in the last minute", m->processors, limit, m->load);
    if (m->load > usable / 2)
        to_mend(
            f, DOCTOR_WARNING,
            "wait until nothing else is at work: until then runs take longer, and `soak compare` "
            "may not be able to judge CPU time");
}

static void memory(const struct examination *x, struct finding *f)
{
    const struct doctor_facts *m = &x->facts;
    uint64_t need = PROGRAMS_BYTES + x->asked.conns * CONNECTION_BYTES;
    bool limited = m->memory_left < m->memory_available;
    uint64_t least = limited ? m->memory_left : m->memory_available;
    char has[32], needs[32], conns[32];
    human_bytes(needs, sizeof needs, (double)need);
    if (least == UINT64_MAX) {
        say(f, "not told by the kernel; %s needed", needs);
        return;
    }
    human_bytes(has, sizeof has, (double)least);
    human_count(conns, sizeof conns, (int64_t)x->asked.conns);
    say(f, "%s %s; %s connections need about %s", has,
        limited ? "left by the cgroup's limit" : "available", conns, needs);
    if (least < need)
        to_mend(f, DOCTOR_WARNING,
                limited ? "raise the limit of the cgroup (docker run --memory)"
                        : "hold fewer connections with --conns");
}

static void overcommit(const struct examination *x, struct finding *f)
{
    const struct doctor_facts *m = &x->facts;
    char left[32];
    if (m->overcommit != 2) {
        say(f, "vm.overcommit_memory is %d", m->overcommit);
        return;
    }
    say(f, "vm.overcommit_memory is 2, with %s left: memory that is only reserved counts",
        human_bytes(left, sizeof left, (double)m->commit_left));
    to_mend(f, DOCTOR_WARNING, "if allocations fail: sudo sysctl vm.overcommit_memory=0");
}

static void huge_pages(const struct examination *x, struct finding *f)
{
    const char *enabled = x->facts.huge_pages;
    bool always = strcmp(enabled, "always") == 0;
    say(f, "%s%s%s", *enabled ? "set to " : "", *enabled ? enabled : "none",
        always ? ": RSS moves in steps of 2 MiB" : "");
    if (always)
        to_mend(f, DOCTOR_WARNING,
                "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled");
}

static void pages(const struct examination *x, struct finding *f)
{
    say_tried(f, &x->tried.page, "memory files can be made (memfd) and are large enough");
}

static void rollup(const struct examination *x, struct finding *f)
{
    const char *why = x->tried.rollup.text;
    say(f, "%s%s", *why ? why : "/proc/PID/smaps_rollup or smaps can be read",
        *why ? "; samples lack pss and private_dirty, which no verdict needs" : "");
    if (*why)
        to_mend(f, DOCTOR_WARNING, "let /proc/PID/smaps be read");
}

/* ---- connections ---- */

static void files(const struct examination *x, struct finding *f)
{
    char worked[96], conns[32];
    human_count(conns, sizeof conns, (int64_t)x->asked.conns);
    snprintf(worked, sizeof worked, "the limit has room for %s connections", conns);
    say_tried(f, &x->tried.files, worked);
}

static void ports(const struct examination *x, struct finding *f)
{
    const struct ports *p = &x->facts.ports;
    long count = p->last - p->first + 1;
    uint64_t conns = x->asked.conns;
    if (conns > LIMIT_CONNS_PER_SOURCE)
        conns = LIMIT_CONNS_PER_SOURCE;
    char text[32];
    say(f, "%s on each of up to %d loopback addresses (tcp_tw_reuse %ld)",
        human_count(text, sizeof text, count), LIMIT_SOURCES, p->reuse);
    if (!ports_suffice(LIMIT_PER_SOURCE_AND_MINUTE / 60.0, conns, count, p->reuse != 0))
        to_mend(f, DOCTOR_WARNING,
                "sudo sysctl net.ipv4.ip_local_port_range='32768 60999' "
                "net.ipv4.tcp_tw_reuse=2");
}

static void loopback(const struct examination *x, struct finding *f)
{
    const char *why = x->tried.loopback.text;
    say(f, "%s", *why ? why : "127.0.0.1 can be reached from any address in 127.0.0.0/8");
    if (*why)
        to_mend(f, DOCTOR_FAILURE, "sudo ip link set lo up");
}

static void clock_source(const struct examination *x, struct finding *f)
{
    const char *name = x->facts.clock;
    bool slow = strcmp(name, "hpet") == 0 || strcmp(name, "acpi_pm") == 0 ||
                strncmp(name, "jiffies", 7) == 0;
    say(f, "%s%s%s", *name ? "the kernel's source is " : "",
        *name ? name : "not told by the kernel",
        slow ? ": each reading is a system call of a microsecond" : "");
    if (slow)
        to_mend(f, DOCTOR_WARNING,
                "boot with clocksource=tsc: handshake times and rates suffer from the slow one");
}

/* ---- programs of others ---- */

static void preload(const struct examination *x, struct finding *f)
{
    const char *why = x->tried.preload.text;
    say(f, "%s", *why ? why : "the probe loads and counts; neither ptrace nor root is needed");
    if (*why)
        to_mend(
            f, DOCTOR_WARNING, "%s",
            x->tried.no_probe
                ? "build or install all of soak, where its path has no blanks: --server needs it"
                : "--server and --client need it; soak's own server doesn't");
}

static void results(const struct examination *x, struct finding *f)
{
    say_tried(f, &x->tried.results, "results can be kept");
    if (f->state != DOCTOR_OK)
        to_mend(f, DOCTOR_FAILURE, "give runs a folder that can be written: --results FOLDER");
}

static void environment(const struct examination *x, struct finding *f)
{
    const char *names = x->tried.set_aside;
    say(f, "%s", *names ? names : "nothing that would change how programs load or allocate");
}

/* By the versions of linux/landlock.h: ports came with Linux 6.7, signals with 6.12. */
static const char *landlock_text(int version)
{
    if (version == 0)
        return "no Landlock";
    return version < 4   ? "Landlock for files"
           : version < 6 ? "Landlock for files and ports"
                         : "Landlock for files, ports and signals";
}

static void sandbox(const struct examination *x, struct finding *f)
{
    const struct sandbox_means can = x->tried.sandbox;
    if (x->tried.no_sandbox) {
        say(f, "none for server and client: %s", x->tried.no_sandbox);
        return;
    }
    say(f, "of server and client: %s, %s", can.seccomp ? "seccomp" : "no seccomp",
        landlock_text(can.landlock));
    if (!can.seccomp || can.landlock < 4)
        to_mend(f, DOCTOR_WARNING, "boot Linux 6.7 or later with landlock among lsm=");
}

/* X(name, function) in the order in which they are told. */
#define RULE_LIST(X)                                                                               \
    X("programs", programs)                                                                        \
    X("handshake", handshake)                                                                      \
    X("churn", churn)                                                                              \
    X("processors", processors)                                                                    \
    X("memory", memory)                                                                            \
    X("overcommit", overcommit)                                                                    \
    X("huge pages", huge_pages)                                                                    \
    X("jemalloc", allocator)                                                                       \
    X("open files", files)                                                                         \
    X("ports", ports)                                                                              \
    X("loopback", loopback)                                                                        \
    X("clock", clock_source)                                                                       \
    X("probe page", pages)                                                                         \
    X("smaps_rollup", rollup)                                                                      \
    X("preload", preload)                                                                          \
    X("results", results)                                                                          \
    X("environment", environment)                                                                  \
    X("sandbox", sandbox)

/* They say something of a trial that came to its end. */
static bool needs_trial(rule_fn rule)
{
    return rule == handshake || rule == churn || rule == allocator;
}

size_t doctor_judge(const struct examination *x, struct finding ret[DOCTOR_FINDINGS_MAX])
{
    static const struct {
        const char *name;
        rule_fn rule;
    } rules[] = {
#define RULE_ROW(name, function) {name, function},
        RULE_LIST(RULE_ROW)};
    _Static_assert(sizeof rules / sizeof *rules <= DOCTOR_FINDINGS_MAX, "room for all");
    size_t count = 0;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (needs_trial(rules[i].rule) && !trial_ended_well(&x->tried.trial))
            continue;
        ret[count] = (struct finding){.name = rules[i].name, .state = DOCTOR_OK};
        rules[i].rule(x, &ret[count++]);
    }
    return count;
}
