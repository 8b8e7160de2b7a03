#include "live.h"

#include "base/grammar.h"
#include "terminal.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_MAX = 78, COLUMNS_MIN = 40, TREND = 16, PLAIN_EVERY_MS = 30000, LINE_BYTES = 512 };

struct trend_line {
    double value[TREND];
    int count;
};

struct live {
    bool terminal, colour, utf8;
    int columns;
    int drawn; /* lines of the block now on the screen */
    int tick;
    uint64_t plain_ms; /* when the last plain line was written */
    struct trend_line blocks, heap, rss;
};

struct live *live_new(bool colour)
{
    struct live *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->terminal = terminal_is(STDERR_FILENO);
    l->colour = colour && l->terminal;
    l->utf8 = terminal_is_utf8();
    return l;
}

static void erase(struct live *l)
{
    if (l->drawn)
        fprintf(stderr, "\033[%dA\033[J", l->drawn);
    l->drawn = 0;
}

void live_free(struct live *l)
{
    if (!l)
        return;
    erase(l);
    fflush(stderr);
    free(l);
}

void live_note(struct live *l, const char *text)
{
    erase(l);
    fprintf(stderr, "soak: %s\n", text);
}

/* One value a second, the oldest leaves. */
static void trend_add(struct trend_line *t, double value)
{
    if (t->count == TREND)
        memmove(t->value, t->value + 1, (TREND - 1) * sizeof t->value[0]);
    else
        t->count++;
    t->value[t->count - 1] = value;
}

/* Bars from 0 to the largest value shown, so that noise doesn't look like growth. */
static void trend_draw(const struct live *l, const struct trend_line *t, char *buf, size_t size)
{
    static const char *const bar[2][8] = {{"_", ".", ".", "-", "-", "=", "=", "#"},
                                          {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}};
    double top = 0;
    for (int i = 0; i < t->count; i++)
        top = fmax(top, t->value[i]);
    size_t used = 0;
    buf[0] = '\0';
    for (int i = 0; i < t->count && used + 4 < size; i++) {
        int level = top > 0 ? (int)(t->value[i] / top * 5.0) : 0;
        const char *glyph = bar[l->utf8][level < 0 ? 0 : level > 7 ? 7 : level];
        used += (size_t)snprintf(buf + used, size - used, "%s", glyph);
    }
    for (int i = t->count; i < TREND && used + 1 < size; i++)
        used += (size_t)snprintf(buf + used, size - used, " ");
}

/* Writes one line of the block, cut to the terminal's columns (a UTF-8 character is one column). */
__attribute__((format(printf, 2, 3))) static void put(struct live *l, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    terminal_cut(line, l->columns);
    fprintf(stderr, "%s\033[K\n", line);
    l->drawn++;
}

static const char *counted(const struct live_facts *f)
{
    return f->counted ? f->counted : "closed";
}

static void put_progress(struct live *l, const struct live_facts *f)
{
    char bar[160] = "", closed[32], time[32];
    int width = l->columns > 70 ? 24 : 10;
    int full = f->total ? (int)((double)f->closed / (double)f->total * width) : 0;
    size_t used = 0;
    for (int i = 0; i < width; i++) {
        const char *glyph = i < full ? (l->utf8 ? "━" : "=") : (l->utf8 ? "─" : "-");
        used += (size_t)snprintf(bar + used, sizeof bar - used, "%s", glyph);
    }
    put(l, " %-12s %s  epoch %d of %d  %s %s  %s", f->phase, bar, f->epoch,
        f->epochs > f->epoch ? f->epochs : f->epoch,
        human_count(closed, sizeof closed, (int64_t)f->closed), counted(f),
        human_duration(time, sizeof time, f->elapsed_ms * 1000000u));
}

static void put_churn(struct live *l, const struct live_facts *f)
{
    char asked[32] = "max";
    if (f->asked_per_s > 0)
        snprintf(asked, sizeof asked, "%g/s", f->asked_per_s);
    put(l, " churn        %.0f/s of %s  open %" PRIu64 "  p50 %.1f ms p99 %.1f ms  errors %" PRIu64,
        f->rate_per_s, asked, f->open, (double)f->p50_ns / 1e6, (double)f->p99_ns / 1e6, f->errors);
}

static void put_memory(struct live *l, const struct live_facts *f)
{
    char blocks[128], heap[128], rss[128], count[32], bytes[32], survivors[32];
    trend_draw(l, &l->blocks, blocks, sizeof blocks);
    trend_draw(l, &l->heap, heap, sizeof heap);
    trend_draw(l, &l->rss, rss, sizeof rss);
    put(l, " OpenSSL      %-15s %s  %s survivors  %s",
        strcat(human_count(count, sizeof count - 8, f->blocks), " blocks"), blocks,
        human_count(survivors, sizeof survivors, f->survivors), f->growing ? "GROWS" : "ok");
    put(l, " objects      SSL %" PRId64 "  SESSION %" PRId64 "  X509 %" PRId64, f->ssl_objects,
        f->sessions, f->x509s);
    char per[48] = "";
    if (f->heap_bytes) {
        if (!isnan(f->heap_per_conn))
            snprintf(per, sizeof per, "%+.2f B/conn", f->heap_per_conn);
        put(l, " jemalloc     %-15s %s  %s",
            human_bytes(bytes, sizeof bytes, (double)f->heap_bytes), heap, per);
    }
    per[0] = '\0';
    if (isfinite(f->rss_per_conn) && isfinite(f->rss_half_width))
        snprintf(per, sizeof per, "%+.2f %s%.2f B/conn", f->rss_per_conn, l->utf8 ? "±" : "+-",
                 f->rss_half_width);
    put(l, " RSS          %-15s %s  %s", human_bytes(bytes, sizeof bytes, (double)f->rss_bytes),
        rss, per);
}

static void put_so_far(struct live *l, const struct live_facts *f)
{
    char one_in[32];
    const char *what = f->growing ? "something grows" : "nothing growing";
    if (f->one_in >= 1)
        put(l, " so far: %s; one lost block per %s connections would have shown", what,
            human_count(one_in, sizeof one_in, (int64_t)f->one_in));
    else
        put(l, " so far: too early to say");
}

/* `openssl=3.0.19 libuv=1.44.2` -> `OpenSSL 3.0.19 · libuv 1.44.2`. */
static void libs_text(const struct live *l, const char *libs, char *buf, size_t size)
{
    size_t used = 0;
    if (strncmp(libs, "openssl", 7) == 0) {
        used = (size_t)snprintf(buf, size, "OpenSSL");
        libs += 7;
    }
    for (; *libs && used + 8 < size; libs++) {
        const char *glyph = l->utf8 ? " · " : " | ";
        if (*libs == ' ')
            used += (size_t)snprintf(buf + used, size - used, "%s", glyph);
        else
            buf[used++] = *libs == '=' ? ' ' : *libs;
    }
    buf[used] = '\0';
}

static void draw_block(struct live *l, const struct live_facts *f)
{
    int columns = terminal_columns(STDERR_FILENO);
    l->columns = columns > COLUMNS_MAX   ? COLUMNS_MAX
                 : columns < COLUMNS_MIN ? COLUMNS_MIN
                                         : columns;
    const char *dot = l->utf8 ? "·" : "|";
    erase(l);
    char libs[192];
    libs_text(l, f->libs, libs, sizeof libs);
    put(l, "soak %s   %s   scenario %s", SOAK_VERSION, libs, f->scenario);
    double life_ms = f->asked_per_s > 0 ? (double)f->conns * 1e3 / f->asked_per_s : 0;
    if (life_ms > 0)
        put(l,
            "%" PRIu64 " connections, %g/s, so each lives %.0f ms %s TLS %s %s %s %s seed %" PRIx64,
            f->conns, f->asked_per_s, life_ms, dot, f->tls, dot, f->key, dot, f->seed);
    else
        put(l, "%" PRIu64 " connections, as fast as possible %s TLS %s %s %s %s seed %" PRIx64,
            f->conns, dot, f->tls, dot, f->key, dot, f->seed);
    put(l, "%s", "");
    put_progress(l, f);
    put_churn(l, f);
    put_memory(l, f);
    put_so_far(l, f);
    fflush(stderr);
}

static void plain_line(struct live *l, const struct live_facts *f)
{
    char closed[32], time[32], bytes[32], heap[64] = "", rss[32], blocks[32], survivors[32];
    l->plain_ms = f->elapsed_ms;
    if (f->heap_bytes)
        snprintf(heap, sizeof heap, "jemalloc %s, ",
                 human_bytes(bytes, sizeof bytes, (double)f->heap_bytes));
    fprintf(stderr,
            "soak: %s %s, epoch %d, %s %s, %.0f/s, open %" PRIu64 ", errors %" PRIu64
            ", OpenSSL %s blocks, %s survivors, %sRSS %s\n",
            human_duration(time, sizeof time, f->elapsed_ms * 1000000u), f->phase, f->epoch,
            human_count(closed, sizeof closed, (int64_t)f->closed), counted(f), f->rate_per_s,
            f->open, f->errors, human_count(blocks, sizeof blocks, f->blocks),
            human_count(survivors, sizeof survivors, f->survivors), heap,
            human_bytes(rss, sizeof rss, (double)f->rss_bytes));
}

void live_phase(struct live *l, const struct live_facts *facts)
{
    if (l->terminal)
        draw_block(l, facts);
    else
        plain_line(l, facts);
}

bool live_due(const struct live *l, uint64_t elapsed_ms)
{
    return l->terminal || elapsed_ms - l->plain_ms >= PLAIN_EVERY_MS;
}

void live_tick(struct live *l, const struct live_facts *facts)
{
    if (l->tick++ % 4 == 0) {
        trend_add(&l->blocks, (double)facts->blocks);
        trend_add(&l->heap, (double)facts->heap_bytes);
        trend_add(&l->rss, (double)facts->rss_bytes);
    }
    if (l->terminal)
        draw_block(l, facts);
    else if (live_due(l, facts->elapsed_ms))
        plain_line(l, facts);
}
