/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler.h"

#include "display.h"
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DUMP_BYTES_MAX = 64 << 20, SUSPECT_BYTES = 16 << 10 };

bool profiler_wants(const struct judgement *j)
{
    for (size_t i = 0; i < j->findings; i++) {
        const struct judge_finding *f = &j->finding[i];
        if (f->kind == KIND_OUTSIDE && f->verdict != VERDICT_PASS)
            return true;
    }
    return false;
}

/* Growth without any test for it: keeping room for a profile costs a bounded run a few epochs'
 * connections at most. */
bool profiler_suspects(const struct judgement *j)
{
    const struct judge_metric *m = judgement_metric(j, METRIC_HEAP_ALLOCATED);
    return (m && m->end - m->start > SUSPECT_BYTES) || profiler_wants(j);
}

void profiler_begin(struct run *r)
{
    for (size_t i = 0; i < r->subjects.count; i++) {
        struct profiler *p = &r->watched[i].profiler;
        if (!profiler_wants(&r->watched[i].judgement))
            continue;
        p->wanted = r->watched[i].subject->heap_fd >= 0;
    }
}

char *profiler_words(const struct run *r, size_t subject, char *buf, size_t size)
{
    const struct profiler *p = &r->watched[subject].profiler;
    const char *word = r->settle == SETTLE_HEAP_FIRST  ? "dump"
                       : r->settle == SETTLE_HEAP_LAST ? "stop"
                                                       : NULL;
    buf[0] = '\0';
    if (!p->wanted)
        return buf;
    /* By its own descriptor: the sandbox keeps a subject out of soak's. */
    if (r->settle == SETTLE_HEAP_START)
        snprintf(buf, size, " heap=start");
    else if (word)
        snprintf(buf, size, " heap=%s file=/proc/self/fd/%d", word, CHILD_HEAP_FD);
    return buf;
}

/* The file may still change under the reader's hands, so it is copied, not mapped. */
static int read_file(int fd, char **ret_text, size_t *ret_length, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size <= 0)
        return err_set(e, "the subject has written no heap profile");
    if (st.st_size > DUMP_BYTES_MAX)
        return err_set(e, "the heap profile has %lld bytes", (long long)st.st_size);
    char *text = malloc((size_t)st.st_size);
    if (!text)
        return err_set(e, "out of memory while reading a heap profile");
    ssize_t length = pread(fd, text, (size_t)st.st_size, 0);
    if (length < 0) {
        err_set(e, "the heap profile can't be read: %s", strerror(errno));
        free(text);
        return -1;
    }
    *ret_text = text;
    *ret_length = (size_t)length;
    return 0;
}

static int read_dump(int fd, struct heap_dump *ret, struct err *e)
{
    char *text = NULL;
    size_t length = 0;
    if (read_file(fd, &text, &length, e) != 0)
        return -1;
    int rc = heap_dump_parse(text, length, ret, e);
    free(text);
    return rc;
}

static int read_last(struct profiler *p, int fd, uint64_t opened, struct err *e)
{
    struct heap_dump last;
    if (read_dump(fd, &last, e) != 0)
        return -1;
    int rc = heap_dump_growth(&p->first, &last, &p->growth, e);
    heap_dump_free(&last);
    if (rc == 0)
        p->connections = opened - p->opened;
    return rc;
}

void profiler_read(struct run *r)
{
    struct err e = {{0}};
    for (size_t i = 0; i < r->subjects.count; i++) {
        struct profiler *p = &r->watched[i].profiler;
        uint64_t opened = run_unit(r) == UNIT_OPERATION
                              ? run_begun(r)
                              : atomic_load(&r->watched[i].subject->child.page->app.opened);
        if (!p->wanted)
            continue;
        int fd = r->watched[i].subject->heap_fd;
        int rc = r->settle == SETTLE_HEAP_FIRST ? read_dump(fd, &p->first, &e)
                                                : read_last(p, fd, opened, &e);
        p->opened = opened;
        if (rc == 0)
            continue;
        display_note(r, e.text);
        profiler_fini(p);
    }
}

void profiler_fini(struct profiler *p)
{
    heap_dump_free(&p->first);
    heap_dump_free(&p->growth);
    *p = (struct profiler){0};
}
