/* SPDX-License-Identifier: Apache-2.0 */
#include "run_process.h"

#include "base/check.h"
#include "base/exit_codes.h"
#include "control/event_loop.h"
#include "stats/judge/verdict.h"

#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 16384, DOCUMENT_LIMIT = 64 << 20 };

/* What a run writes into one of its two pipes. */
struct catcher {
    uv_pipe_t pipe;
    char *bytes; /* owned */
    size_t used, room, limit;
    bool keeps_end; /* beyond the limit the beginning is dropped, not what comes */
};

/* A run that was started and isn't handed over yet. */
struct run_process_job {
    struct run_process *s;
    struct run_process_job *next;
    void *owner; /* borrowed: the caller's */
    uv_process_t process;
    bool running;
    unsigned open; /* of its handles */
    struct catcher out, err;
    struct run_process_result result;
};

static void end_all(struct run_process *s, int number)
{
    for (struct run_process_job *job = s->jobs; job; job = job->next) {
        if (job->running)
            uv_process_kill(&job->process, number);
    }
}

static void on_interrupt(void *owner, int number)
{
    struct run_process *s = owner;
    s->interrupted = true;
    end_all(s, s->in_order && number == SIGINT ? SIGINT : SIGTERM);
}

static int open_loop(struct run_process *s, struct err *e)
{
    if (event_loop_open(&s->loop, EVENT_LOOP_FEW, e) < 0)
        return -1;
    interrupts_start(&s->interrupts, &s->loop, on_interrupt, s);
    interrupts_unref(&s->interrupts);
    return 0;
}

int run_process_open_in_order(struct run_process *s, struct err *e)
{
    *s = (struct run_process){.in_order = true, .scratch = SCRATCH_NONE};
    return open_loop(s, e);
}

int run_process_open(struct run_process *s, const char *name, struct err *e)
{
    *s = (struct run_process){.scratch = SCRATCH_NONE};
    if (scratch_open(&s->scratch, name, e) != 0)
        return -1;
    setenv("SOAK_HISTORY", "", 1); /* what tests soak itself is no part of anybody's history */
    if (open_loop(s, e) == 0)
        return 0;
    scratch_close(&s->scratch);
    return -1;
}

static void on_close(uv_handle_t *handle)
{
    struct run_process_job *job = handle->data;
    job->open--;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct catcher *c = (struct catcher *)handle; /* its first member */
    if (c->room - c->used < READ_BYTES) {
        c->room = c->room * 2 + READ_BYTES;
        c->bytes = realloc(c->bytes, c->room);
        CHECK(c->bytes);
    }
    *buf = uv_buf_init(c->bytes + c->used, READ_BYTES);
}

static void keep_end(struct catcher *c, size_t used)
{
    memmove(c->bytes, c->bytes + used - c->limit, c->limit);
    c->used = c->limit;
}

/* Beyond the limit the rest is read and dropped: a pipe that isn't read would stop the run. */
static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    (void)buf;
    struct catcher *c = (struct catcher *)stream;
    if (count < 0)
        uv_close((uv_handle_t *)stream, on_close);
    else if (c->used + (size_t)count <= c->limit)
        c->used += (size_t)count;
    else if (c->keeps_end)
        keep_end(c, c->used + (size_t)count);
}

static void on_exit_process(uv_process_t *process, int64_t status, int signal_number)
{
    struct run_process_job *job = process->data;
    job->running = false;
    job->result.exit_code = signal_number ? -1 : (int)status;
    uv_close((uv_handle_t *)process, on_close);
}

static void catcher_init(struct run_process_job *job, struct catcher *c, size_t limit)
{
    CHECK(uv_pipe_init(&job->s->loop, &c->pipe, 0) == 0);
    c->pipe.data = job;
    c->limit = limit;
    job->open++;
}

/* Starts this same program. Returns 0 or libuv's code; the handles are open in any case. */
static int spawn(struct run_process_job *job, char **argv)
{
    const uv_stdio_flags writes = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    struct run_process *s = job->s;
    catcher_init(job, &job->out, DOCUMENT_LIMIT);
    catcher_init(job, &job->err, READ_BYTES);
    job->err.keeps_end = true; /* its last sentence tells what became of it */
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = writes, .data.stream = (uv_stream_t *)&job->out.pipe},
        {.flags = writes, .data.stream = (uv_stream_t *)&job->err.pipe},
    };
    /* In a session of its own a run gets the terminal's Ctrl-C once, from here. */
    uv_process_options_t options = {.flags = s->in_order ? UV_PROCESS_DETACHED : 0,
                                    .args = argv,
                                    .exit_cb = on_exit_process,
                                    .stdio_count = sizeof stdio / sizeof *stdio,
                                    .stdio = stdio};
    job->process.data = job;
    job->open++;
    int rc = guard_spawn_self(&s->loop, &job->process, &options);
    job->running = rc == 0;
    if (rc != 0) {
        uv_close((uv_handle_t *)&job->process, on_close);
        uv_close((uv_handle_t *)&job->out.pipe, on_close);
        uv_close((uv_handle_t *)&job->err.pipe, on_close);
    } else {
        CHECK(uv_read_start((uv_stream_t *)&job->out.pipe, on_alloc, on_read) == 0);
        CHECK(uv_read_start((uv_stream_t *)&job->err.pipe, on_alloc, on_read) == 0);
    }
    return rc;
}

/* Where the last sentence before `end` begins: a line that doesn't begin with a blank; with `mark`,
 * one that begins so. Returns `end`: there is none. */
static size_t find_sentence(const struct catcher *c, size_t end, const char *mark)
{
    size_t length = strlen(mark);
    for (size_t at = end; at-- > 0;) {
        bool begins = (at == 0 || c->bytes[at - 1] == '\n') && !strchr(" \n", c->bytes[at]);
        if (begins && end - at >= length && memcmp(c->bytes + at, mark, length) == 0)
            return at;
    }
    return end;
}

/* The line at `at`, with those that continue it: they begin with blanks. */
static void take_sentence(const struct catcher *c, size_t at, char *said, size_t size)
{
    size_t used = 0;
    for (; at < c->used && used + 1 < size; at++) {
        if (c->bytes[at] != '\n') {
            said[used++] = c->bytes[at];
            continue;
        }
        if (at + 1 == c->used || c->bytes[at + 1] != ' ')
            break;
        while (at + 1 < c->used && c->bytes[at + 1] == ' ')
            at++;
        said[used++] = ' ';
    }
    said[used] = '\0';
}

/* The run was given --results from here, where TMPDIR chooses it: its advice is put so. */
static void name_tmpdir(char *said)
{
    static const char from[] = "--results", to[] = "TMPDIR";
    char *at = strstr(said, from), *rest = at ? at + sizeof from - 1 : NULL;
    if (!at)
        return;
    memcpy(at, to, sizeof to - 1);
    memmove(at + sizeof to - 1, rest, strlen(rest) + 1);
}

/* Whether its samples and its manifest lie in its folder: a PASS of which something is missing
 * there exits as a broken run does. */
static bool is_kept(const struct run_process_result *result)
{
    const char *verdict = json_string_value(json_object_get(result->document, "verdict"));
    return !verdict || strcmp(verdict, verdict_name(VERDICT_PASS)) != 0 ||
           result->exit_code != EXIT_BROKEN;
}

/* The text of a run that has a result ends with its verdict line. */
static void take_reason(const struct catcher *c, struct run_process_result *r)
{
    static const char mark[] = "soak: ";
    size_t last = find_sentence(c, c->used, "");
    size_t before = r->document ? find_sentence(c, last, mark) : last;
    if (before < last)
        take_sentence(c, before + strlen(mark), r->complaint, sizeof r->complaint);
    take_sentence(c, is_kept(r) ? last : before, r->said, sizeof r->said);
}

static void fill_result(struct run_process_job *job)
{
    struct run_process_result *r = &job->result;
    r->document = job->out.used ? json_loadb(job->out.bytes, job->out.used, 0, NULL) : NULL;
    take_reason(&job->err, r);
    if (job->s->scratch.path[0])
        name_tmpdir(r->said);
}

static void job_free(struct run_process_job *job)
{
    struct run_process_job **at = &job->s->jobs;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    free(job->out.bytes);
    free(job->err.bytes);
    free(job);
}

bool run_process_interrupted(struct run_process *s, struct err *e)
{
    uv_run(&s->loop, UV_RUN_NOWAIT); /* a signal since the last run */
    if (s->interrupted)
        err_set(e, "interrupted");
    return s->interrupted;
}

/* Adds words, up to the NULL behind them. Returns how many there are then. */
static size_t add_words(char **argv, size_t count, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        CHECK(count < SUBRUN_WORDS);
        argv[count++] = (char *)(uintptr_t)words[i];
    }
    return count;
}

/* What is made of a run that was executed: its result, or the sentence why there is none. */
static int hand_over(struct run_process *s, struct run_process_result *result,
                     struct run_process_result *ret, struct err *e)
{
    bool interrupted = s->interrupted && !s->in_order;
    if (!interrupted && (!s->scratch.path[0] || is_kept(result))) {
        *ret = *result;
        return 0;
    }
    int rc = interrupted ? err_set(e, "interrupted") : err_set(e, "%s", result->said);
    run_process_done(s, result, false);
    return rc;
}

/* Fills `argv`: soak's words, its folder's where there is one, and then the caller's. */
static void make_line(struct run_process_job *job, char **argv, const char *const *words)
{
    static const char *const first[] = {"soak", "run", "--quiet", "--json=-", NULL};
    static const char *const into_folder[] = {"--churn", "max", "--results", NULL};
    struct run_process *s = job->s;
    char *path = job->result.folder;
    size_t count = add_words(argv, 0, first);
    if (s->scratch.path[0]) {
        snprintf(path, sizeof job->result.folder, "%s/%zu", s->scratch.path, ++s->runs);
        count = add_words(argv, count, into_folder);
        count = add_words(argv, count, (const char *const[]){path, NULL});
    }
    add_words(argv, count, words);
}

int run_process_start(struct run_process *s, const char *const *words, void *owner, struct err *e)
{
    char *argv[SUBRUN_WORDS + 1] = {NULL};
    if (run_process_interrupted(s, e))
        return -1;
    struct run_process_job *job = calloc(1, sizeof *job);
    CHECK(job);
    *job = (struct run_process_job){
        .s = s, .next = s->jobs, .owner = owner, .result = {.exit_code = -1}};
    s->jobs = job;
    make_line(job, argv, words);
    int rc = spawn(job, argv);
    if (rc == 0)
        return 0;
    while (job->open)
        uv_run(&s->loop, UV_RUN_ONCE);
    job_free(job);
    return err_set(e, "soak can't be started again: %s", uv_strerror(rc));
}

static struct run_process_job *ended(const struct run_process *s)
{
    struct run_process_job *job = s->jobs;
    while (job && job->open)
        job = job->next;
    return job;
}

int run_process_next(struct run_process *s, void **ret_owner, struct run_process_result *ret,
                     struct err *e)
{
    struct run_process_job *job;
    CHECK(s->jobs);
    while (!(job = ended(s)))
        uv_run(&s->loop, UV_RUN_ONCE);
    fill_result(job);
    *ret_owner = job->owner;
    struct run_process_result result = job->result;
    job_free(job);
    return hand_over(s, &result, ret, e);
}

int run_process_execute(struct run_process *s, const char *const *words,
                        struct run_process_result *ret, struct err *e)
{
    void *nobody;
    CHECK(!s->jobs);
    return run_process_start(s, words, NULL, e) == 0 ? run_process_next(s, &nobody, ret, e) : -1;
}

void run_process_abandon(struct run_process *s)
{
    struct run_process_result result;
    void *owner;
    end_all(s, SIGTERM);
    while (s->jobs) {
        if (run_process_next(s, &owner, &result, NULL) == 0)
            run_process_done(s, &result, false);
    }
}

void run_process_done(struct run_process *s, struct run_process_result *result, bool keep)
{
    json_decref(result->document);
    result->document = NULL;
    if (keep)
        scratch_keep(&s->scratch);
    else if (result->folder[0])
        tree_remove(result->folder, NULL);
}

void run_process_close(struct run_process *s)
{
    interrupts_stop(&s->interrupts);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&s->loop) == 0);
    scratch_close(&s->scratch);
}

/* ---- a command of many runs ---- */

static int broken(const struct command_runs *c, const struct err *e)
{
    fprintf(stderr, "soak: %s: %s\n", c->command->name, e->text);
    return EXIT_BROKEN;
}

void run_process_progress_end(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static int run_all(const struct command_runs *c, struct err *e)
{
    int rc = c->run(c->owner, e);
    run_process_progress_end();
    bool good = c->summarise(c->owner);
    if (c->sub->interrupted)
        return EXIT_INTERRUPTED;
    if (rc != 0)
        return broken(c, e);
    return good ? 0 : EXIT_FOUND;
}

void run_process_progress(uint64_t done, uint64_t all)
{
    bool tenth = done > 0 && done < all && done * 10 / all != (done - 1) * 10 / all;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " runs", done, all);
    else if (tenth)
        fprintf(stderr, "soak: %" PRIu64 " of %" PRIu64 " runs\n", done, all);
}

int command_runs(const struct command_runs *c, int argc, char *const *argv)
{
    struct err e = {{0}};
    int code = command_parse(c->command, argc, argv, c->options);
    if (code >= 0)
        return code;
    if (c->check(c->owner, &e) != 0)
        return command_refuse(c->command, &e);
    if (command_is_unbuilt())
        return EXIT_UNBUILT;
    if (run_process_open(c->sub, c->command->name, &e) != 0)
        return broken(c, &e);
    code = run_all(c, &e);
    run_process_close(c->sub);
    return code;
}
