/* SPDX-License-Identifier: Apache-2.0 */
#include "ending.h"

#include "base/text.h"
#include "display.h"
#include "measure/cgroup.h"
#include "options/grammar.h"
#include "reload.h"
#include "run.h"
#include "user_command.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TAIL_BYTES = 4096, FILE_BYTES = 4096 };

/* The figure behind `key` at the beginning of a line, such as "oom_kill 3". */
static uint64_t figure(const char *text, const char *key)
{
    uint64_t value = 0;
    size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            sscanf(line + length, " %" SCNu64, &value);
    return value;
}

/* The largest count on the way from the group up: a limit above it kills here too. */
static void most_kills(void *ctx, const char *folder, bool second)
{
    char text[FILE_BYTES];
    uint64_t *most = ctx;
    if (!cgroup_read(folder, second ? "memory.events" : "memory.oom_control", text, sizeof text))
        return;
    uint64_t kills = figure(text, "oom_kill");
    *most = kills > *most ? kills : *most;
}

uint64_t ending_memory_kills(const char *root)
{
    uint64_t most = 0;
    cgroup_each(root, "memory", most_kills, &most);
    return most;
}

char *ending_last_line(const char *path, char *buf, size_t size)
{
    char tail[TAIL_BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    off_t length = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    off_t from = length > TAIL_BYTES ? length - TAIL_BYTES : 0;
    ssize_t n = fd < 0 ? 0 : pread(fd, tail, TAIL_BYTES, from);
    if (fd >= 0)
        close(fd);
    n = n < 0 ? 0 : n;
    while (n > 0 && strchr(" \t\r\n", tail[n - 1]))
        n--;
    tail[n] = '\0';
    const char *line = strrchr(tail, '\n');
    return text_copy(buf, size, line ? line + 1 : tail);
}

/* Its end as the exit tells it, and what the kernel says of it. */
static void how(const struct ending *e, char *buf, size_t size)
{
    char label[CHILD_LABEL];
    if (e->by_memory_limit && e->child->exit_signal == SIGKILL)
        snprintf(buf, size, "the %s was ended by the kernel's OOM killer at its memory limit",
                 child_label(e->child, label, sizeof label));
    else
        child_end_text(e->child, buf, size);
}

/* Our own programs begin their sentences with their name, and once they are ready they tell them to
 * soak, too. What is left is of others: an allocator, a library, a sanitizer. */
static bool is_told(const struct ending *e, const char *line)
{
    static const char own[] = "soak-";
    const char *fatal = e->child->fatal;
    return (e->ready && strncmp(line, own, sizeof own - 1) == 0) ||
           (fatal[0] && strstr(line, fatal));
}

static void attribution_text(const struct ending *e, char *buf, size_t size)
{
    char count[32];
    uint64_t closed = atomic_load(&e->child->page->app.closed);
    if (e->ready)
        snprintf(buf, size, "%s after %s connection%s",
                 e->told_to_quit ? " when told to quit," : "",
                 human_count(count, sizeof count, (int64_t)closed), closed == 1 ? "" : "s");
    else
        snprintf(buf, size, "%s", e->child->fatal[0] ? "" : " before it was ready");
}

char *ending_text(const struct ending *e, char *buf, size_t size)
{
    char end[LINE_MAX_BYTES + 64], when[64], log[PATH_MAX], line[256], name[CHILD_LABEL];
    how(e, end, sizeof end);
    attribution_text(e, when, sizeof when);
    snprintf(log, sizeof log, "%s/%s", e->folder, child_log_name(e->child, name, sizeof name));
    ending_last_line(log, line, sizeof line);
    bool said = line[0] && !is_told(e, line);
    snprintf(buf, size, "%.400s%s%s%s%s%.250s%s; its log: %.300s", end, when, e->duty ? "; " : "",
             e->duty ? e->duty : "", said ? "; it said: \"" : "", said ? line : "",
             said ? "\"" : "", log);
    return buf;
}

/* Of a client program that ended by itself, as one does that has done what it was to. */
static const char *duty_of(const struct run *r, const struct subject *s, const struct child *c)
{
    if (!s->foreign || s->serves || c->exit_signal != 0 || c->exit_status != 0)
        return NULL;
    return r->scenario->loop
               ? "a run of --loop must make its {count} connections"
               : "it must connect again and again until it is told to end, or be run with --loop";
}

void ending_break(struct run *r, const struct subject *s, const struct child *c)
{
    char text[ENDING_TEXT];
    const struct ending ending = {.child = c,
                                  .folder = r->dir.path,
                                  .ready = s->libs[0] != '\0',
                                  .told_to_quit = r->state == RUN_QUIT,
                                  .by_memory_limit = ending_memory_kills("") > r->memory_kills,
                                  .duty = duty_of(r, s, c)};
    r->crashed = s;
    r->crashed_child = c;
    run_break(r, "%s", ending_text(&ending, text, sizeof text));
}

void ending_interrupt(void *owner, int number)
{
    struct run *r = owner;
    r->interrupted = true;
    r->interrupts += number == SIGINT && r->state > RUN_START_CLIENT ? 1 : 2;
    if (r->interrupts > 1) {
        run_kill(r);
        run_state_set(r, RUN_QUIT);
        if (!subjects_running(&r->subjects))
            run_finish(r);
        return;
    }
    display_note(r, r->action.step == PLAN_DRAIN
                        ? "interrupted: finishing the drain; once more stops at once"
                        : "interrupted: finishing this epoch; once more stops at once");
    struct subject *load = run_load(r)->subject;
    loop_interrupted(r);
    if (r->state == RUN_CHURN && !r->scenario->loop)
        load->ops->finish(load);
    reload_interrupted(r);
    user_command_interrupted(r);
}
