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
};

struct job {
    struct catcher out, err;
    int exit_code;
};

static void on_interrupt(void *owner, int number)
{
    struct run_process *s = owner;
    s->interrupted = true;
    if (s->running)
        uv_process_kill(&s->process, s->in_order && number == SIGINT ? SIGINT : SIGTERM);
}

static int open_loop(struct run_process *s, struct err *e)
{
    if (event_loop_open(&s->loop, e) < 0)
        return -1;
    interrupts_start(&s->interrupts, &s->loop, on_interrupt, s);
    interrupts_unref(&s->interrupts);
    return 0;
}

int run_process_open_in_order(struct run_process *s, struct err *e)
{
    *s = (struct run_process){.in_order = true, .scratch = {.lock = -1}, .cleaner = {.fd = -1}};
    return open_loop(s, e);
}

int run_process_open(struct run_process *s, const char *name, struct err *e)
{
    *s = (struct run_process){.scratch = {.lock = -1}, .cleaner = {.fd = -1}};
    if (scratch_open(&s->scratch, name, e) != 0)
        return -1;
    if (cleaner_start(&s->cleaner, (const char *[]){s->scratch.path}, 1, true, e) != 0) {
        scratch_close(&s->scratch);
        return -1;
    }
    setenv("SOAK_HISTORY", "", 1); /* what tests soak itself is no part of anybody's history */
    if (open_loop(s, e) == 0)
        return 0;
    scratch_close(&s->scratch);
    cleaner_stop(&s->cleaner);
    return -1;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct catcher *c = handle->data;
    if (c->room - c->used < READ_BYTES) {
        c->room = c->room * 2 + READ_BYTES;
        c->bytes = realloc(c->bytes, c->room);
        CHECK(c->bytes);
    }
    *buf = uv_buf_init(c->bytes + c->used, READ_BYTES);
}

/* Beyond the limit the rest is read and dropped: a pipe that isn't read would stop the run. */
static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    (void)buf;
    struct catcher *c = stream->data;
    if (count < 0)
        uv_close((uv_handle_t *)stream, NULL);
    else if (c->used + (size_t)count <= c->limit)
        c->used += (size_t)count;
}

static void on_exit_process(uv_process_t *process, int64_t status, int signal_number)
{
    struct run_process *s = process->loop->data;
    struct job *job = process->data;
    s->running = false;
    job->exit_code = signal_number ? -1 : (int)status;
    uv_close((uv_handle_t *)process, NULL);
}

static void catcher_init(struct run_process *s, struct catcher *c, size_t limit)
{
    CHECK(uv_pipe_init(&s->loop, &c->pipe, 0) == 0);
    c->pipe.data = c;
    c->limit = limit;
}

/* Starts this same program and waits for its end. Returns 0 or libuv's code. */
static int run_to_end(struct run_process *s, struct job *job, char **argv)
{
    const uv_stdio_flags writes = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    catcher_init(s, &job->out, DOCUMENT_LIMIT);
    catcher_init(s, &job->err, READ_BYTES);
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
    s->loop.data = s;
    s->process.data = job;
    int rc = guard_spawn_self(&s->loop, &s->process, &options);
    s->running = rc == 0;
    if (rc != 0) {
        uv_close((uv_handle_t *)&s->process, NULL);
        uv_close((uv_handle_t *)&job->out.pipe, NULL);
        uv_close((uv_handle_t *)&job->err.pipe, NULL);
    } else {
        CHECK(uv_read_start((uv_stream_t *)&job->out.pipe, on_alloc, on_read) == 0);
        CHECK(uv_read_start((uv_stream_t *)&job->err.pipe, on_alloc, on_read) == 0);
    }
    CHECK(uv_run(&s->loop, UV_RUN_DEFAULT) == 0);
    return rc;
}

/* The first line, with those that continue it: they begin with blanks. */
static void take_sentence(const struct catcher *c, char *said, size_t size)
{
    size_t used = 0, at = 0;
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

static void fill_result(const struct run_process *s, struct job *job,
                        struct run_process_result *ret)
{
    ret->exit_code = job->exit_code;
    ret->document = job->out.used ? json_loadb(job->out.bytes, job->out.used, 0, NULL) : NULL;
    take_sentence(&job->err, ret->said, sizeof ret->said);
    if (s->scratch.path[0])
        name_tmpdir(ret->said);
}

/* Runs the words behind `soak run`. Returns 0 or -1; `ret` is filled when it was started. */
static int run_words(struct run_process *s, char **argv, struct run_process_result *ret,
                     struct err *e)
{
    struct job job = {.exit_code = -1};
    int rc = run_to_end(s, &job, argv);
    if (rc == 0)
        fill_result(s, &job, ret);
    free(job.out.bytes);
    free(job.err.bytes);
    return rc == 0 ? 0 : err_set(e, "soak can't be started again: %s", uv_strerror(rc));
}

static bool already_interrupted(struct run_process *s)
{
    uv_run(&s->loop, UV_RUN_NOWAIT); /* a signal since the last run */
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

/* Whether its samples and its manifest lie in its folder: a PASS of which something is missing
 * there exits as a broken run does. */
static bool is_kept(const struct run_process_result *result)
{
    const char *verdict = json_string_value(json_object_get(result->document, "verdict"));
    return !verdict || strcmp(verdict, verdict_name(VERDICT_PASS)) != 0 ||
           result->exit_code != EXIT_BROKEN;
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

int run_process_execute(struct run_process *s, const char *const *words,
                        struct run_process_result *ret, struct err *e)
{
    static const char *const first[] = {"soak", "run", "--quiet", "--json=-", NULL};
    static const char *const into_folder[] = {"--churn", "max", "--results", NULL};
    char *argv[SUBRUN_WORDS + 1] = {NULL};
    struct run_process_result result = {.exit_code = -1};
    const char *const folder[] = {result.folder, NULL};
    size_t count = add_words(argv, 0, first);
    if (already_interrupted(s))
        return err_set(e, "interrupted");
    if (s->scratch.path[0]) {
        snprintf(result.folder, sizeof result.folder, "%s/%zu", s->scratch.path, ++s->runs);
        count = add_words(argv, add_words(argv, count, into_folder), folder);
    }
    add_words(argv, count, words);
    return run_words(s, argv, &result, e) == 0 ? hand_over(s, &result, ret, e) : -1;
}

void run_process_done(struct run_process *s, struct run_process_result *result, bool keep)
{
    json_decref(result->document);
    result->document = NULL;
    if (keep)
        cleaner_stop(&s->cleaner);
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
    cleaner_stop(&s->cleaner);
}

/* ---- a command of many runs ---- */

static int broken(const struct command_runs *c, const struct err *e)
{
    fprintf(stderr, "soak: %s: %s\n", c->command->name, e->text);
    return EXIT_BROKEN;
}

static int run_all(const struct command_runs *c, struct err *e)
{
    int rc = c->run(c->owner, e);
    bool good = c->summarise(c->owner);
    if (c->sub->interrupted)
        return EXIT_INTERRUPTED;
    if (rc != 0)
        return broken(c, e);
    return good ? 0 : EXIT_FOUND;
}

void run_process_progress(uint64_t done, uint64_t all)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " runs%s", done, all,
                done >= all ? "\r\033[K" : "");
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
