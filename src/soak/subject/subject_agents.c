/* SPDX-License-Identifier: Apache-2.0 */
#include "agent_load.h"

#include "args.h"
#include "base/check.h"
#include "base/text.h"
#include "shown.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the load was told last and hasn't answered. */
enum order { ORDER_NONE, ORDER_EPOCH, ORDER_SETTLE, ORDER_DRAIN };

struct agent_load {
    struct agents *net;                /* owned */
    struct agent *of[LIMIT_PROCESSES]; /* who makes share i; NULL: nobody yet, or any more */
    enum order order;
    uint64_t opens; /* of the epoch, in all; of settling, its id */
    bool finished;  /* and it was told to end early */
    char words[LINE_MAX_BYTES];
    bool begun, disturbed;
    size_t losses;
    char token_file[TOKEN_PATH]; /* made for the run, which removes it; "" else */
};

static struct child *child_of(const struct subject *s, size_t share)
{
    return subject_process(s, share);
}

/* ---- what a share is told ---- */

__attribute__((format(printf, 3, 4))) static void tell(const struct subject *s, size_t share,
                                                       const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    struct agent *a = s->agents->of[share];
    va_list args;
    if (!a || !child_of(s, share)->running)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    channel_say(&a->channel, "tell share=%zu text=%.960s", share, line);
}

static void tell_order(const struct subject *s, size_t share)
{
    const struct agent_load *l = s->agents;
    const struct scenario *scenario = s->all->programs->scenario;
    if (l->order == ORDER_DRAIN)
        tell(s, share, "drain");
    if (l->order == ORDER_SETTLE)
        tell(s, share, "settle id=%" PRIu64, l->opens);
    if (l->order != ORDER_EPOCH || !l->of[share])
        return;
    /* Its page is its own: the number that connections are counted under is told, too. */
    channel_say(&l->of[share]->channel, "stamp epoch=%" PRIu64,
                page_epoch(atomic_load(&s->child.page->epoch)));
    tell(s, share, "epoch opens=%" PRIu64 "%.900s",
         share_opens(l->opens, (struct share){share, s->processes}, scenario->conns), l->words);
    if (l->finished)
        tell(s, share, "finish");
}

static void order(struct subject *s, enum order what)
{
    s->agents->order = what;
    for (size_t i = 0; i < s->processes; i++)
        tell_order(s, i);
}

/* ---- its start ---- */

static void give(struct subject *s, size_t share, struct agent *a)
{
    char address[ADDRESS_TEXT + 24];
    struct args args;
    snprintf(address, sizeof address, "%s:%" PRIu64, s->all->host, s->all->port);
    struct args_process process = {
        .seed = s->all->seed, .at = {share, s->processes}, .address = address, .elsewhere = true};
    args_client(&args, s->all->programs->scenario, &process);
    for (int i = 1; i < args.count; i++)
        agents_say_option(a, share, args.argv[i]);
    channel_say(&a->channel, "start share=%zu", share);
    a->shares++;
    s->agents->of[share] = a;
    child_of(s, share)->fatal[0] = '\0'; /* of an agent that was lost */
    child_of(s, share)->running = true;
}

/* Twice as many connections as places would be no help: as each has its own, all are dealt. */
static void on_all(void *owner)
{
    struct subject *s = owner;
    for (size_t i = 0; i < s->processes; i++)
        give(s, i, agents_at(s->agents->net, i));
}

/* ---- its words ---- */

static void hear(struct subject *s, struct child *c, const char *line)
{
    struct agent_load *l = s->agents;
    struct subject_word word;
    if (!subject_word_read(line, &word) || (word.said == SUBJECT_READY && l->begun) ||
        !subject_gather(s, c, &word))
        return;
    if (word.said == SUBJECT_READY) {
        l->begun = true;
        subject_keep_libs(s, line);
    }
    if (word.said != SUBJECT_READY)
        l->order = ORDER_NONE;
    s->all->on_said(s, &word);
}

static void on_child_line(struct child *c, const char *line)
{
    hear(c->owner, c, line);
}

/* Whether all that ran have ended: then nobody is needed any more. */
static void ended(struct subject *s, struct child *c)
{
    c->running = false;
    subject_unsay(s, c);
    if (!subject_running(s))
        agents_close(s->agents->net, true);
    s->all->on_exit(s, c);
}

/* Its client has ended: as it was told to, or there is nothing more to be had of this agent. */
static void on_gone_client(struct subject *s, struct agent *a, size_t share, const char *line)
{
    char text[CHANNEL_WHY] = "";
    uint64_t status = 1;
    struct child *c = child_of(s, share);
    line_number(line, "status", &status);
    line_text(line, "text", true, text, sizeof text);
    if (c->quitting && status == 0) {
        ended(s, c);
        return;
    }
    agents_drop(a, "its client ended: %.150s", c->fatal[0] ? c->fatal : text);
}

static void on_line(void *owner, struct agent *a, const char *line)
{
    struct subject *s = owner;
    uint64_t share = s->processes;
    char said[LINE_MAX_BYTES];
    int figures = figures_hear(a->heard, s->child.page, line);
    if (figures == 0)
        return;
    if (figures == FIGURES_WRONG || line_number(line, "share", &share) != 0 ||
        share >= s->processes || s->agents->of[share] != a) {
        agents_drop(a, "it counts what can't be: '%.60s'", line);
        return;
    }
    if (line_is(line, "gone"))
        on_gone_client(s, a, share, line);
    else if (line_is(line, "say") && line_text(line, "text", true, said, sizeof said) == 0)
        child_hear(child_of(s, share), text_clean(said));
    else
        agents_drop(a, "it said what a run doesn't know: '%.60s'", line);
}

/* ---- losses ---- */

size_t agent_load_fewest(const size_t *shares, const bool *gone, size_t count)
{
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        if (!gone[i] && (least == SIZE_MAX || shares[i] < shares[least]))
            least = i;
    return least;
}

static struct agent *next_agent(const struct agent_load *l)
{
    size_t shares[LIMIT_PROCESSES], count = agents_count(l->net);
    bool gone[LIMIT_PROCESSES];
    for (size_t i = 0; i < count; i++) {
        shares[i] = agents_at(l->net, i)->shares;
        gone[i] = agents_at(l->net, i)->gone;
    }
    size_t next = agent_load_fewest(shares, gone, count);
    return next == SIZE_MAX ? NULL : agents_at(l->net, next);
}

__attribute__((format(printf, 2, 3))) static void note(struct subject *s, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s->all->on_note(s, text);
}

static void take_over(struct subject *s, size_t share, const struct agent *from)
{
    char label[2][AGENTS_NAME + 32];
    struct agent *to = next_agent(s->agents);
    CHECK(to);
    subject_unsay(s, child_of(s, share));
    give(s, share, to);
    tell_order(s, share);
    note(s, "agents: lost %s: %s; its share goes to %s, and this epoch doesn't count",
         agent_label(from, label[0], sizeof label[0]), from->why,
         agent_label(to, label[1], sizeof label[1]));
}

static void on_gone(void *owner, struct agent *a)
{
    struct subject *s = owner;
    struct agent_load *l = s->agents;
    char label[AGENTS_NAME + 32], text[512];
    l->losses++;
    l->disturbed |= l->begun;
    figures_lose(a->heard, s->child.page);
    if (!next_agent(l)) {
        snprintf(text, sizeof text, "no agent is left: lost %s: %s",
                 agent_label(a, label, sizeof label), a->why);
        s->all->on_broken(s, text);
        return;
    }
    for (size_t i = 0; i < s->processes; i++) {
        if (l->of[i] != a)
            continue;
        if (child_of(s, i)->quitting)
            ended(s, child_of(s, i));
        else
            take_over(s, i, a);
    }
}

static void on_late(void *owner)
{
    struct subject *s = owner;
    char text[256];
    size_t missing = agents_missing(s->agents->net);
    snprintf(text, sizeof text, "%zu of %zu agents didn't join within --agents-wait", missing,
             s->processes);
    s->all->on_broken(s, text);
}

static void on_note(void *owner, const char *sentence)
{
    note(owner, "%s", sentence);
}

/* ---- the token ---- */

static void say_how_to_join(struct subject *s, const char *given)
{
    const struct agent_load *l = s->agents;
    const char *file = given ? given : l->token_file;
    bool named = *file && strcmp(file, "-") != 0;
    note(s, "agents: waiting for %zu; on each machine: %ssoak agent --join %s%s%s", s->processes,
         named ? "" : TOKEN_VARIABLE "=... ", agents_address(l->net), named ? " --token-file " : "",
         named ? shown_dir(file) : "");
}

static int start(struct subject *s, const struct scenario *scenario, struct err *e)
{
    static const struct agents_events events = {on_all, on_line, on_gone, on_late, on_note};
    char token[TOKEN_BYTES];
    struct agents_request request = {.loop = &s->all->loop,
                                     .address = scenario->agents_listen,
                                     .token = token,
                                     .wanted = s->processes,
                                     .wait_s = scenario->agents_wait_ns / LIMIT_SECOND_NS,
                                     .events = &events,
                                     .owner = s};
    if (token_find(scenario->token_file, s->all->dir->path, token, s->agents->token_file, e) != 0)
        return -1;
    s->agents->net = agents_open(&request, e);
    OPENSSL_cleanse(token, sizeof token);
    if (!s->agents->net)
        return -1;
    char exposed[512];
    if (token_is_exposed(scenario->token_file, exposed, sizeof exposed))
        note(s, "agents: %s", exposed);
    say_how_to_join(s, scenario->token_file);
    return 0;
}

/* ---- what it is told ---- */

static int ready(struct subject *s, struct err *e)
{
    (void)s;
    (void)e;
    return 0;
}

static void epoch(struct subject *s, uint64_t opens, const char *words)
{
    struct agent_load *l = s->agents;
    l->opens = opens;
    l->finished = false;
    snprintf(l->words, sizeof l->words, "%s", words);
    order(s, ORDER_EPOCH);
}

static void finish(struct subject *s)
{
    s->agents->finished = true;
    for (size_t i = 0; i < s->processes; i++)
        tell(s, i, "finish");
}

/* Nothing of their heaps is looked at. */
static void settle(struct subject *s, uint64_t id, const char *words)
{
    (void)words;
    s->agents->opens = id;
    order(s, ORDER_SETTLE);
}

static void drain(struct subject *s)
{
    order(s, ORDER_DRAIN);
}

static int snapshot(const struct subject *s, struct snapshot *ret, struct err *e)
{
    return snapshot_read(s->child.page, ret, e);
}

/* Their machines aren't looked at. */
static int measure(const struct subject *s, struct proc_sample *ret, struct proc_rollup *ret_rollup,
                   struct err *e)
{
    (void)s;
    (void)ret_rollup;
    (void)e;
    *ret = (struct proc_sample){0};
    return 0;
}

static void stop(struct subject *s)
{
    for (size_t i = 0; i < s->processes; i++) {
        child_of(s, i)->quitting = true;
        tell(s, i, "quit");
    }
    if (s->agents->net && !subject_running(s))
        agents_close(s->agents->net, true);
}

/* The agents end their clients when the channel ends. */
static void end(struct subject *s)
{
    if (s->agents->net)
        agents_close(s->agents->net, false);
    for (size_t i = 0; i < subject_processes(s); i++) {
        struct child *c = child_of(s, i);
        c->quitting = true;
        if (!c->running)
            continue;
        c->running = false;
        s->all->on_exit(s, c);
    }
}

/* ---- for others ---- */

bool agent_load_disturbed(struct subject *s)
{
    bool disturbed = s->agents && s->agents->disturbed;
    if (disturbed)
        s->agents->disturbed = false;
    return disturbed;
}

bool agent_load_waits(const struct subject *s)
{
    return s->agents && s->agents->net && agents_missing(s->agents->net) > 0;
}

size_t agent_load_losses(const struct subject *s)
{
    return s->agents ? s->agents->losses : 0;
}

const struct agents *agent_load_agents(const struct subject *s)
{
    return s->agents ? s->agents->net : NULL;
}

void agent_load_free(struct agent_load *l)
{
    if (!l)
        return;
    if (l->token_file[0])
        unlink(l->token_file);
    agents_free(l->net);
    free(l);
}

static void on_exit_child(struct child *c)
{
    (void)c;
}

void subject_agents(struct subject *s, size_t agents)
{
    static const struct subject_ops ops = {.can = SUBJECT_CAN_SETTLE | SUBJECT_COUNTS_CONNECTIONS,
                                           .start = start,
                                           .ready = ready,
                                           .epoch = epoch,
                                           .finish = finish,
                                           .settle = settle,
                                           .drain = drain,
                                           .snapshot = snapshot,
                                           .measure = measure,
                                           .stop = stop,
                                           .kill = end};
    subject_init(s, &ops, "client");
    s->role = SUBJECT_LOAD;
    s->processes = agents;
    s->child.on_line = on_child_line;
    s->child.on_exit = on_exit_child;
    s->agents = calloc(1, sizeof *s->agents);
    CHECK(s->agents);
}
