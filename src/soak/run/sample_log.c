/* SPDX-License-Identifier: Apache-2.0 */
#include "sample_log.h"

#include <stdlib.h>
#include <string.h>

/* Of the lines that come by the clock, by number. */
struct sample_log {
    size_t count, bytes; /* bytes: of the whole file */
    double span;         /* they were thinned to */
    double seconds[SAMPLE_LOG_MOST], rss[SAMPLE_LOG_SIDES][SAMPLE_LOG_MOST];
    size_t begin[SAMPLE_LOG_MOST], end[SAMPLE_LOG_MOST]; /* in the file, the newline too */
};

struct sample_log *sample_log_new(void)
{
    struct sample_log *l = calloc(1, sizeof *l);
    if (l)
        l->span = 1;
    return l;
}

void sample_log_free(struct sample_log *l)
{
    free(l);
}

static void move_mark(struct sample_log *l, size_t to, size_t from)
{
    l->seconds[to] = l->seconds[from];
    for (size_t i = 0; i < SAMPLE_LOG_SIDES; i++)
        l->rss[i][to] = l->rss[i][from];
}

/* Moves the lines that stay, and those between them, to the front of the file's text. */
static size_t compact(struct sample_log *l, const bool *keep, char *text, size_t length)
{
    size_t kept = 0, used = 0, done = 0;
    for (size_t i = 0; i < l->count; i++) {
        size_t upto = keep[i] ? l->end[i] : l->begin[i], size = l->end[i] - l->begin[i];
        memmove(text + used, text + done, upto - done);
        used += upto - done;
        done = l->end[i];
        if (!keep[i])
            continue;
        move_mark(l, kept, i);
        l->end[kept] = used;
        l->begin[kept++] = used - size;
    }
    memmove(text + used, text + done, length - done);
    l->count = kept;
    return used + length - done;
}

static int thin(struct sample_log *l, struct run_dir *d, struct err *e)
{
    char *text;
    size_t length;
    bool keep[SAMPLE_LOG_MOST];
    const struct thinning t = {.count = l->count,
                               .x = l->seconds,
                               .recent = SAMPLE_LOG_RECENT_S,
                               .figures = SAMPLE_LOG_SIDES,
                               .value = {l->rss[0], l->rss[1]}};
    if (run_dir_samples_read(d, &text, &length, e) != 0)
        return -1;
    if (length != l->bytes) {
        free(text);
        return err_set(e,
                       "%s/samples.jsonl: somebody else has changed it (%zu bytes, not %zu); later "
                       "samples are missing",
                       d->path, length, l->bytes);
    }
    thinning_choose(&t, SAMPLE_LOG_MOST / 2, &l->span, keep);
    l->bytes = compact(l, keep, text, length);
    int rc = run_dir_samples_replace(d, text, l->bytes, e);
    free(text);
    return rc;
}

static void note(struct sample_log *l, const struct sample_mark *mark, size_t size)
{
    size_t i = l->count++;
    l->seconds[i] = mark->seconds;
    for (size_t k = 0; k < SAMPLE_LOG_SIDES; k++)
        l->rss[k][i] = mark->rss[k];
    l->begin[i] = l->bytes;
    l->end[i] = l->bytes + size;
}

int sample_log_add(struct sample_log *l, struct run_dir *d, const char *line,
                   const struct sample_mark *mark, struct err *e)
{
    size_t size = strlen(line) + 1;
    if (run_dir_sample(d, line, e) != 0)
        return -1;
    if (mark)
        note(l, mark, size);
    l->bytes += size;
    return l->count == SAMPLE_LOG_MOST ? thin(l, d, e) : 0;
}
