/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include "base/check.h"
#include "base/text.h"
#include "report/screen.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool dumb(void)
{
    const char *term = getenv("TERM");
    return !term || !term[0] || strcmp(term, "dumb") == 0;
}

bool terminal_is(int fd)
{
    return isatty(fd) && !dumb();
}

int terminal_columns(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

int terminal_rows(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0)
        return size.ws_row;
    return 24;
}

bool terminal_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && value[0])
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

static bool set(const char *name)
{
    const char *value = getenv(name);
    return value && value[0];
}

/* Whether to colour output on fd: what --color says; then NO_COLOR, then CLICOLOR_FORCE, then
 * whether fd is a terminal. */
static bool terminal_colour(int fd, enum color_when when)
{
    if (when != COLOR_AUTO)
        return when == COLOR_ALWAYS;
    if (set("NO_COLOR"))
        return false;
    if (set("CLICOLOR_FORCE") && strcmp(getenv("CLICOLOR_FORCE"), "0") != 0)
        return true;
    return terminal_is(fd);
}

struct report_style terminal_style(FILE *out, enum color_when when)
{
    int fd = fileno(out);
    return (struct report_style){.colour = terminal_colour(fd, when),
                                 .utf8 = terminal_is_utf8() || !isatty(fd),
                                 .columns = terminal_columns(fd)};
}

/* Where character number `index` begins, or the end. */
static char *character_at(char *text, int index)
{
    for (; *text; text++)
        if (((unsigned char)*text & 0xc0) != 0x80 && index-- == 0)
            break;
    return text;
}

int terminal_cut(char *text, int columns)
{
    int width = screen_width(text);
    if (width <= columns)
        return width;
    bool ellipsis = terminal_is_utf8();
    const char *end = ellipsis ? "…" : columns > 3 ? "..." : "";
    int kept = columns - screen_width(end);
    char *at = character_at(text, kept > 0 ? kept : 0);
    strcpy(at, end);
    return screen_width(text);
}

/* ---- a block of lines ---- */

enum { FRAMES = 4 };

/* What is written goes out at once, so that no half of it is ever seen. */
struct frame {
    FILE *out;
    char *bytes;
    size_t size;
};

static bool frame_open(struct frame *f)
{
    f->bytes = NULL;
    f->out = open_memstream(&f->bytes, &f->size);
    return f->out != NULL;
}

static void frame_show(struct frame *f)
{
    if (fclose(f->out) == 0)
        fwrite(f->bytes, 1, f->size, stderr);
    fflush(stderr);
    free(f->bytes);
}

/* Rows that a line takes: a terminal that has become narrower has wrapped it. */
static int rows_of(int width, int columns)
{
    return width > columns ? (width + columns - 1) / columns : 1;
}

static int rows_drawn(const struct block *b, int columns)
{
    int rows = b->above;
    for (int i = 0; i < b->lines; i++)
        rows += columns < b->columns ? rows_of(b->line[i].width, columns) : 1;
    return rows;
}

/* Moves to the beginning of the first line. Returns the number of rows to overwrite. */
static int go_up(const struct block *b, struct frame *f, int columns)
{
    int rows = rows_drawn(b, columns), most = terminal_rows(STDERR_FILENO) - 1;
    rows = rows > most ? most : rows;
    fputc('\r', f->out);
    if (rows > 0)
        fprintf(f->out, "\033[%dA", rows);
    return rows > 0 ? rows : 0;
}

/* Writes a line that has its width in `columns`, and goes to the next. The row is emptied before: a
 * full one leaves the cursor on its last character; and tmux forgets then that it once was wrapped.
 */
static void put_line(struct frame *f, const char *text)
{
    fprintf(f->out, "\033[K%s\n", text);
}

/* Empties `rows` rows and the one after them, where the cursor waits, and comes back. */
static void empty(struct frame *f, int rows)
{
    for (int i = 0; i < rows; i++)
        fputs("\033[K\n", f->out);
    fputs("\033[K", f->out);
    if (rows > 0)
        fprintf(f->out, "\033[%dA", rows);
}

static int count_up_to(const struct block_line *line, int lines, int rank)
{
    int count = 0;
    for (int i = 0; i < lines; i++)
        count += line[i].rank <= rank;
    return count;
}

/* The rank up to which there are at most `room` lines. */
static int highest_rank(const struct block_line *line, int lines, int room)
{
    for (int rank = 0;; rank++) {
        int count = count_up_to(line, lines, rank);
        if (count > room)
            return rank - 1;
        if (count == lines)
            return rank;
    }
}

/* Before other lines are drawn, in a terminal of this width. */
static void begin(struct block *b, int columns)
{
    if (columns != b->columns)
        *b = (struct block){.columns = columns};
    b->lines = 0;
}

/* Which frame the terminal has wrapped isn't known: one of the last. */
static void note_width(struct block *b, int line, int width)
{
    bool lasts = b->line[line].width > width && b->line[line].frames < FRAMES;
    b->line[line].frames = lasts ? b->line[line].frames + 1 : 0;
    b->line[line].width = lasts ? b->line[line].width : width;
}

/* Writes the rows that the block has and doesn't need. */
static void put_above(struct block *b, struct frame *f, int rows)
{
    b->above = rows > 0 ? rows : 0;
    for (int i = 0; i < b->above; i++)
        fputs("\033[K\n", f->out);
}

void block_draw(struct block *b, const struct block_line *line, int lines)
{
    struct frame f;
    int columns = terminal_columns(STDERR_FILENO), room = terminal_rows(STDERR_FILENO) - 1;
    int most = columns < BLOCK_COLUMNS ? columns : BLOCK_COLUMNS;
    CHECK(lines <= BLOCK_LINES);
    if (!frame_open(&f))
        return;
    int rank = highest_rank(line, lines, room), old = go_up(b, &f, columns);
    begin(b, columns);
    fputs("\033[?7l", f.out);
    put_above(b, &f, old - count_up_to(line, lines, rank));
    for (int i = 0; i < lines; i++) {
        char text[BLOCK_TEXT + sizeof "…"];
        if (line[i].rank > rank)
            continue;
        text_copy(text, BLOCK_TEXT, line[i].text);
        note_width(b, b->lines++, terminal_cut(text, most));
        put_line(&f, text);
    }
    fputs("\033[?7h\033[K", f.out);
    frame_show(&f);
}

void block_say(struct block *b, const char *text)
{
    struct frame f;
    char clean[BLOCK_TEXT * 2];
    int columns = terminal_columns(STDERR_FILENO);
    if (!frame_open(&f))
        return;
    text_copy(clean, sizeof clean, text);
    int old = go_up(b, &f, columns), width = screen_width(clean);
    fprintf(f.out, "\033[K%s%s\n", clean, width % columns ? "\033[K" : "");
    old -= rows_of(width, columns);
    empty(&f, old > 0 ? old : 0);
    *b = (struct block){.lines = 0};
    frame_show(&f);
}

void block_clear(struct block *b)
{
    struct frame f;
    if (b->lines == 0 || !frame_open(&f))
        return;
    empty(&f, go_up(b, &f, terminal_columns(STDERR_FILENO)));
    *b = (struct block){.lines = 0};
    frame_show(&f);
}
