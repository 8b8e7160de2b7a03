/* SPDX-License-Identifier: Apache-2.0 */
#include "live.h"

#include "base/text.h"
#include "base/version.h"
#include "options/grammar.h"
#include "report/screen.h"
#include "terminal.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TREND = 16, NARROW_TREND = 6, PLAIN_EVERY_MS = 30000, PHASE = 48, PHASE_COLUMNS = 12 };

/* Lines by the rank they have where room is short (terminal.h). */
enum rank {
    RANK_PROGRESS,
    RANK_SO_FAR,
    RANK_OPENSSL,
    RANK_CHURN,
    RANK_HEAP,
    RANK_RSS,
    RANK_OBJECTS,
    RANK_RUN,
    RANK_LIBS,
    RANK_SPACE,
    RANKS
};
_Static_assert((int)RANKS <= (int)BLOCK_LINES, "each has its line");

struct trend_line {
    double value[TREND];
    int count;
};

struct live {
    bool terminal, utf8;
    int tick;
    uint64_t plain_ms;       /* when the last plain line was written */
    char plain_phase[PHASE]; /* and the phase it told */
    struct trend_line blocks, heap, rss;
    struct block block;
    struct block_line line[RANKS]; /* being made */
    int lines;
};

struct live *live_new(void)
{
    struct live *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->terminal = terminal_is(STDERR_FILENO);
    l->utf8 = terminal_is_utf8();
    return l;
}

void live_free(struct live *l)
{
    if (l)
        block_clear(&l->block);
    free(l);
}

void live_note(struct live *l, const char *text)
{
    char said[BLOCK_TEXT * 2], clean[BLOCK_TEXT * 2];
    snprintf(said, sizeof said, "soak: %s", text);
    if (l->terminal)
        block_say(&l->block, said);
    else
        fprintf(stderr, "%s\n", text_copy(clean, sizeof clean, said));
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

/* The block's lines are made for a usual terminal: what decides must not be cut from a narrow one.
 */
static bool is_narrow(void)
{
    return terminal_columns(STDERR_FILENO) < BLOCK_COLUMNS;
}

/* Bars from 0 to the largest value shown, so that noise doesn't look like growth; five of the
 * eight, so that what grows has room. */
static void trend_draw(const struct live *l, const struct trend_line *t, char *buf, size_t size)
{
    double top = 0;
    for (int i = 0; i < t->count; i++)
        top = fmax(top, t->value[i]);
    struct screen_bars bars = {t->value, (size_t)t->count, 0, top * 8 / 5};
    struct text text = text_into(buf, size);
    int columns = is_narrow() ? NARROW_TREND : TREND;
    char drawn[TREND * 4];
    text_add(&text, "%s%*s", screen_bars(&bars, l->utf8, (size_t)columns, drawn, sizeof drawn),
             t->count < columns ? columns - t->count : 0, "");
}

/* ---- the block ---- */

/* Makes one line of the block. */
__attribute__((format(printf, 3, 4))) static void put(struct live *l, enum rank rank,
                                                      const char *format, ...)
{
    struct block_line *line = &l->line[l->lines++];
    va_list args;
    va_start(args, format);
    vsnprintf(line->text, sizeof line->text, format, args);
    va_end(args);
    line->rank = (int)rank;
}

static const char *dot(const struct live *l)
{
    return l->utf8 ? "·" : "|";
}

static const char *counted(const struct live_facts *f)
{
    return f->unit == UNIT_CONNECTION ? "closed" : unit_plural(f->unit);
}

char *live_seconds(char *buf, size_t size, double ms)
{
    uint64_t seconds = (uint64_t)(ms / 1000.0);
    if (seconds < 10)
        snprintf(buf, size, "%" PRIu64 "s", seconds);
    else
        human_duration(buf, size, seconds * 1000000000u);
    return buf;
}

/* `, 38s left`, or nothing while nobody knows. */
static char *print_left(char *buf, size_t size, const struct live_facts *f)
{
    char time[32];
    buf[0] = '\0';
    if (isfinite(f->left_ms) && f->left_ms >= 0)
        snprintf(buf, size, ", %s left", live_seconds(time, sizeof time, f->left_ms));
    return buf;
}

static void put_bar(const struct live *l, const struct live_facts *f, char *bar, size_t size)
{
    enum { WIDTH = 8 };
    int full = f->total ? (int)((double)f->begun / (double)f->total * WIDTH) : 0;
    size_t used = 0;
    for (int i = 0; i < WIDTH; i++) {
        const char *glyph = i < full ? (l->utf8 ? "━" : "=") : (l->utf8 ? "─" : "-");
        used += (size_t)snprintf(bar + used, size - used, "%s", glyph);
    }
}

static void put_progress(struct live *l, const struct live_facts *f)
{
    char bar[64] = "", closed[32], time[32], left[64], epoch[48] = "";
    if (strlen(f->phase) <= PHASE_COLUMNS) {
        if (!is_narrow())
            put_bar(l, f, bar, sizeof bar);
        snprintf(epoch, sizeof epoch, "  epoch %d of %d", f->epoch,
                 f->epochs > f->epoch ? f->epochs : f->epoch);
    }
    put(l, RANK_PROGRESS, " %-*s %s%s  %s%s  %s %s", PHASE_COLUMNS, f->phase, bar, epoch,
        live_seconds(time, sizeof time, (double)f->elapsed_ms), print_left(left, sizeof left, f),
        human_count(closed, sizeof closed, (int64_t)f->closed), counted(f));
}

static void put_churn(struct live *l, const struct live_facts *f)
{
    char asked[32] = "max";
    if (f->asked_per_s > 0)
        snprintf(asked, sizeof asked, "%g/s", f->asked_per_s);
    put(l, RANK_CHURN,
        " churn        %.0f/s of %s  open %" PRIu64 "  errors %" PRIu64 "  p50 %.1f ms p99 %.1f ms",
        f->rate_per_s, asked, f->open, f->errors, (double)f->p50_ns / 1e6, (double)f->p99_ns / 1e6);
}

/* "ok" is for the verdict; here a figure grows, or is level as far as that can be told. */
static const char *state_of(const struct live_facts *f)
{
    return f->growing ? ", GROWS" : f->one_in >= 1 ? ", level" : "";
}

static void put_blocks(struct live *l, const struct live_facts *f)
{
    char trend[128], count[40], survivors[32];
    trend_draw(l, &l->blocks, trend, sizeof trend);
    put(l, RANK_OPENSSL, " OpenSSL      %-15s %s  %s survivors%s",
        strcat(human_count(count, sizeof count - 8, f->blocks), " blocks"), trend,
        human_count(survivors, sizeof survivors, f->survivors), state_of(f));
    put(l, RANK_OBJECTS, " objects      SSL %" PRId64 "  SESSION %" PRId64 "  X509 %" PRId64,
        f->ssl_objects, f->sessions, f->x509s);
}

static void put_memory(struct live *l, const struct live_facts *f)
{
    char trend[128], bytes[32], per[64] = "";
    if (!f->outside)
        put_blocks(l, f);
    trend_draw(l, &l->heap, trend, sizeof trend);
    if (isfinite(f->heap_per_conn))
        snprintf(per, sizeof per, "  %+.1f %s%.1f B/conn", f->heap_per_conn, l->utf8 ? "±" : "+-",
                 f->heap_half_width);
    if (f->has_heap)
        put(l, RANK_HEAP, " heap         %-15s %s%s",
            human_bytes(bytes, sizeof bytes, (double)f->heap_bytes), trend, per);
    trend_draw(l, &l->rss, trend, sizeof trend);
    if (!f->outside || f->rss_bytes)
        put(l, RANK_RSS, " RSS          %-15s %s",
            human_bytes(bytes, sizeof bytes, (double)f->rss_bytes), trend);
}

char *live_so_far(const struct live_facts *f, char *buf, size_t size)
{
    char one_in[32];
    if (f->growing)
        snprintf(buf, size, "something grows");
    else if (f->one_in >= 1)
        snprintf(buf, size, "nothing grows; would have shown one lost block in %s %s",
                 human_count(one_in, sizeof one_in, (int64_t)f->one_in), unit_plural(f->unit));
    else
        snprintf(buf, size, "too early to say");
    return buf;
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
        if (*libs == ' ')
            used += (size_t)snprintf(buf + used, size - used, " %s ", dot(l));
        else
            buf[used++] = *libs == '=' ? ' ' : *libs;
    }
    buf[used] = '\0';
}

static void put_head(struct live *l, const struct live_facts *f)
{
    char libs[192], conns[64] = "", rate[64] = "as fast as possible";
    const char *d = dot(l);
    libs_text(l, f->libs, libs, sizeof libs);
    put(l, RANK_LIBS, "soak %s   %s   scenario %s", soak_version, libs, f->scenario);
    if (f->asked_per_s > 0)
        snprintf(rate, sizeof rate, "%g/s, so each lives %.0f ms", f->asked_per_s,
                 (double)f->conns * 1e3 / f->asked_per_s);
    if (f->conns)
        snprintf(conns, sizeof conns, "%" PRIu64 " connections, ", f->conns);
    put(l, RANK_RUN, "%s%s %s TLS %s %s %s %s seed %" PRIx64, conns, rate, d, f->tls, d, f->key, d,
        f->seed);
    put(l, RANK_SPACE, "%s", "");
}

static void draw_block(struct live *l, const struct live_facts *f)
{
    char so_far[128];
    l->lines = 0;
    put_head(l, f);
    put_progress(l, f);
    put_churn(l, f);
    put_memory(l, f);
    put(l, RANK_SO_FAR, " so far: %s", live_so_far(f, so_far, sizeof so_far));
    block_draw(&l->block, l->line, l->lines);
}

/* ---- elsewhere ---- */

/* `, OpenSSL 8,377 blocks, 0 survivors, heap 2.46 MiB, RSS 13.2 MiB`: what is known of it. */
static const char *memory_text(const struct live_facts *f, char *buf, size_t size)
{
    char blocks[32], survivors[32], bytes[32];
    struct text t = text_into(buf, size);
    if (!f->outside)
        text_add(&t, ", OpenSSL %s blocks, %s survivors",
                 human_count(blocks, sizeof blocks, f->blocks),
                 human_count(survivors, sizeof survivors, f->survivors));
    if (f->has_heap)
        text_add(&t, ", heap %s", human_bytes(bytes, sizeof bytes, (double)f->heap_bytes));
    if (!f->outside || f->rss_bytes)
        text_add(&t, ", RSS %s", human_bytes(bytes, sizeof bytes, (double)f->rss_bytes));
    return buf;
}

static void plain_line(struct live *l, const struct live_facts *f)
{
    char closed[32], time[32], memory[192], left[64];
    l->plain_ms = f->elapsed_ms;
    snprintf(l->plain_phase, sizeof l->plain_phase, "%s", f->phase);
    fprintf(stderr, "soak: %s %s, %s %s, %.0f/s, open %" PRIu64 ", errors %" PRIu64 "%s%s\n",
            live_seconds(time, sizeof time, (double)f->elapsed_ms), f->phase,
            human_count(closed, sizeof closed, (int64_t)f->closed), counted(f), f->rate_per_s,
            f->open, f->errors, memory_text(f, memory, sizeof memory),
            print_left(left, sizeof left, f));
}

void live_phase(struct live *l, const struct live_facts *facts)
{
    if (l->terminal)
        draw_block(l, facts);
    else if (strcmp(l->plain_phase, facts->phase) != 0)
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
