/* SPDX-License-Identifier: Apache-2.0 */
#include "report/screen.h"

#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

static const struct {
    const char *utf8, *ascii;
} replacements[] = {{"±", "+/-"}, {"µ", "u"}, {"×", "x"}, {"·", "*"},  {"←", "<-"},
                    {"→", "->"},  {"–", "-"}, {"—", "-"}, {"…", "..."}};

struct screen screen_of(FILE *out, const struct report_style *style)
{
    bool narrow = style->columns < SCREEN_MIN_COLUMNS;
    return (struct screen){.out = out,
                           .colour = style->colour,
                           .utf8 = style->utf8,
                           .columns = narrow ? SCREEN_MIN_COLUMNS : style->columns};
}

static const char *ascii_for(const char *p, size_t length)
{
    for (size_t i = 0; i < sizeof replacements / sizeof *replacements; i++)
        if (strncmp(p, replacements[i].utf8, length) == 0)
            return replacements[i].ascii;
    return "?";
}

char *screen_clean(const struct screen *s, char *buf, size_t size, const char *text)
{
    size_t used = 0;
    while (*text) {
        size_t length = text_character(text), step = length ? length : 1;
        const char *shown = text;
        if (length == 0) {
            shown = "?";
            length = 1;
        } else if (length > 1 && !s->utf8) {
            shown = ascii_for(text, length);
            length = strlen(shown);
        }
        if (used + length >= size)
            break;
        memcpy(buf + used, shown, length);
        used += length;
        text += step;
    }
    buf[used] = '\0';
    return buf;
}

int screen_width(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void screen_ink(const struct screen *s, enum ink ink, const char *text)
{
    static const char *const codes[] = {
        [INK_NONE] = "",    [INK_BOLD] = "1",     [INK_GOOD] = "1;32",
        [INK_BAD] = "1;31", [INK_DOUBT] = "1;33", [INK_DIM] = "2"};
    if (s->colour && ink != INK_NONE)
        fprintf(s->out, "\033[%sm%s\033[0m", codes[ink], text);
    else
        fputs(text, s->out);
}

/* Bytes of `text` that fit into `room` columns, ended at a blank if there is one, and rather not
 * between a number and its unit. */
static size_t line_length(const char *text, int room)
{
    size_t blank = 0, good = 0, i = 0;
    int width = 0;
    for (; text[i]; i++) {
        bool begins = ((unsigned char)text[i] & 0xc0) != 0x80;
        if (text[i] == ' ')
            blank = i;
        if (text[i] == ' ' && i > 0 && !isdigit((unsigned char)text[i - 1]))
            good = i;
        if (begins && ++width > room)
            return good ? good : blank ? blank : i;
    }
    return i;
}

static void wrap(const struct screen *s, int column, const char *text)
{
    for (;;) {
        size_t length = line_length(text, s->columns - column), shown = length;
        while (shown > 0 && text[shown - 1] == ' ')
            shown--;
        fprintf(s->out, "%.*s\n", (int)shown, text);
        text += length;
        while (*text == ' ')
            text++;
        if (*text == '\0')
            return;
        fprintf(s->out, "%*s", column, "");
    }
}

/* A word may push its text so far; one that is longer stands alone. */
enum { LEAD_PUSH = 4 };

/* Returns the column where the text begins. */
static int print_lead(const struct screen *s, const struct screen_lead *lead)
{
    char word[64];
    screen_clean(s, word, sizeof word, lead->word);
    fprintf(s->out, "%*s", lead->indent, "");
    screen_ink(s, lead->ink, word);
    int at = lead->indent + screen_width(word);
    int column = lead->column > at ? lead->column : lead->word[0] ? at + 2 : at;
    if (lead->column > lead->indent && column > lead->column + LEAD_PUSH) {
        fputc('\n', s->out);
        column = lead->column;
        at = 0;
    }
    fprintf(s->out, "%*s", column - at, "");
    return column;
}

static void print_wrapped(const struct screen *s, const struct screen_lead *lead, const char *raw)
{
    char text[SCREEN_TEXT];
    screen_clean(s, text, sizeof text, raw);
    wrap(s, print_lead(s, lead), text);
}

void screen_wrap(const struct screen *s, const struct screen_lead *lead, const char *format, ...)
{
    char raw[SCREEN_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    print_wrapped(s, lead, raw);
}

void screen_say(const struct screen *s, const char *word, int column, const char *format, ...)
{
    char raw[SCREEN_TEXT];
    const struct screen_lead lead = {2, column, word, INK_BOLD};
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    print_wrapped(s, &lead, raw);
}

/* ---- commands ---- */

enum { NOTE_GAP = 3, PIECE_TEXT = 4 * SCREEN_TEXT };

/* The length of the shell's word at `text`, as cmdline.h quotes words: plain, '...' or $'...'. */
static size_t shell_word(const char *text)
{
    size_t i = 0;
    bool quoted = false, spelled = false;
    for (; text[i] && (quoted || text[i] != ' '); i++) {
        if (text[i] == '\\' && text[i + 1] && (!quoted || spelled)) {
            i++;
        } else if (text[i] == '\'') {
            spelled = !quoted && i > 0 && text[i - 1] == '$';
            quoted = !quoted;
        }
    }
    return i;
}

/* What stays on one line of `room` columns: a word, or an option with its value if there is room.
 */
static size_t command_piece(const char *text, int room)
{
    size_t length = shell_word(text), both;
    bool option = strncmp(text, "--", 2) == 0 && !memchr(text, '=', length);
    if (!option || text[length] != ' ' || text[length + 1] == '-')
        return length;
    both = length + 1 + shell_word(text + length + 1);
    return both <= (size_t)room ? both : length;
}

/* Returns the column where the command has ended. */
static int print_command(const struct screen *s, int column, const char *command)
{
    char piece[PIECE_TEXT], text[PIECE_TEXT];
    int at = column;
    while (*command) {
        size_t length = command_piece(command, s->columns - column - 2);
        snprintf(piece, sizeof piece, "%.*s", (int)length, command);
        int width = screen_width(screen_clean(s, text, sizeof text, piece));
        command += length;
        command += strspn(command, " ");
        int needed = width + (*command ? 2 : 0); /* " \\" */
        bool first = at == column, fits = first || at + 1 + needed <= s->columns;
        if (!fits)
            fprintf(s->out, " \\\n%*s", column, "");
        fprintf(s->out, "%s%s", first || !fits ? "" : " ", text);
        at = width + (fits ? at + !first : column);
    }
    return at;
}

void screen_command(const struct screen *s, const char *word, int column, const char *command,
                    const char *raw)
{
    char note[SCREEN_TEXT];
    const struct screen_lead lead = {2, column, word, INK_BOLD};
    screen_clean(s, note, sizeof note, raw);
    column = print_lead(s, &lead);
    int at = print_command(s, column, command);
    if (note[0] && at + NOTE_GAP + screen_width(note) > s->columns)
        fprintf(s->out, "\n%*s", column, "");
    else if (note[0])
        fprintf(s->out, "%*s", NOTE_GAP, "");
    fprintf(s->out, "%s\n", note);
}

char *screen_bars(const struct screen_bars *b, bool utf8, size_t columns, char *buf, size_t size)
{
    static const char *const bar[2][8] = {{"_", ".", ".", "-", "-", "=", "=", "#"},
                                          {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}};
    struct text text = text_into(buf, size);
    double range = b->high - b->low;
    for (size_t i = b->count > columns ? b->count - columns : 0; i < b->count; i++) {
        double level = range > 0 ? (b->value[i] - b->low) / range * 8 : 0;
        bool known = isfinite(level);
        text_add(&text, "%s", known ? bar[utf8][level < 0 ? 0 : level > 7 ? 7 : (int)level] : " ");
    }
    return buf;
}

/* ---- tables ---- */

enum { INDENT = 2, GAP = 2, CUT_MIN = 8 };

/* A width of 0 leaves a column out. */
static int natural_width(const struct table *t, int column)
{
    int width = 0;
    for (int r = 0; r < t->rows; r++) {
        int w = screen_width(t->cell[r][column]);
        width = w > width ? w : width;
    }
    int title = screen_width(t->column[column].title);
    return width && title > width ? title : width;
}

static int total_width(const struct table *t, const int *width)
{
    int total = INDENT - GAP;
    for (int c = 0; c < t->columns; c++)
        total += width[c] ? width[c] + GAP : 0;
    return total;
}

/* Returns false when no column may be left out any more. */
static bool drop_one(const struct table *t, int *width)
{
    int victim = -1;
    for (int c = 0; c < t->columns; c++)
        if (width[c] && t->column[c].drop &&
            (victim < 0 || t->column[c].drop > t->column[victim].drop))
            victim = c;
    if (victim < 0)
        return false;
    width[victim] = 0;
    return true;
}

static void fit(const struct table *t, int columns, int *width)
{
    for (int c = 0; c < t->columns; c++)
        width[c] = natural_width(t, c);
    while (total_width(t, width) > columns)
        if (!drop_one(t, width))
            break;
    int excess = total_width(t, width) - columns;
    if (excess > 0)
        width[t->flexible] =
            width[t->flexible] - excess > CUT_MIN ? width[t->flexible] - excess : CUT_MIN;
}

/* Copies what `room` columns can take of `text`: its beginning, or its end. */
static void cut(char *buf, size_t size, const char *text, int room, bool keep_tail)
{
    int skip = keep_tail ? screen_width(text) - room : 0, width = 0;
    size_t used = 0;
    for (; *text && used + 1 < size; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
        if (width > skip && width - (skip > 0 ? skip : 0) <= room)
            buf[used++] = *text;
    }
    buf[used] = '\0';
}

struct row {
    const char *text[TABLE_COLUMNS];
    enum ink ink[TABLE_COLUMNS];
};

/* Blanks are held back until something follows, so that no line ends in them. */
static void print_row(const struct table *t, const struct screen *s, const int *width,
                      const struct row *row)
{
    int blanks = INDENT - GAP;
    for (int c = 0; c < t->columns; c++) {
        if (!width[c])
            continue;
        char text[TABLE_CELL];
        cut(text, sizeof text, row->text[c], width[c], t->column[c].keep_tail);
        int pad = width[c] - screen_width(text);
        blanks += GAP + (t->column[c].right ? pad : 0);
        if (text[0]) {
            fprintf(s->out, "%*s", blanks, "");
            screen_ink(s, row->ink[c], text);
            blanks = 0;
        }
        blanks += t->column[c].right ? 0 : pad;
    }
    fputc('\n', s->out);
}

void table_print(const struct table *t, const struct screen *s)
{
    int width[TABLE_COLUMNS];
    struct row row = {0};
    bool titled = false;
    fit(t, s->columns, width);
    for (int c = 0; c < t->columns; c++) {
        row.text[c] = t->column[c].title;
        row.ink[c] = INK_DIM;
        titled = titled || row.text[c][0];
    }
    if (titled)
        print_row(t, s, width, &row);
    for (int r = 0; r < t->rows; r++) {
        for (int c = 0; c < t->columns; c++) {
            row.text[c] = t->cell[r][c];
            row.ink[c] = t->ink[r][c];
        }
        print_row(t, s, width, &row);
    }
}
