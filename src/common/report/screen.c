/* SPDX-License-Identifier: Apache-2.0 */
#include "report/screen.h"

#include "base/text.h"

#include <ctype.h>
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

struct screen_lead screen_lead_at(const char *word, int column)
{
    return (struct screen_lead){.indent = 2, .column = column, .word = word, .ink = INK_BOLD};
}

void screen_wrap(const struct screen *s, const struct screen_lead *lead, const char *format, ...)
{
    char raw[SCREEN_TEXT], text[SCREEN_TEXT], word[64];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    screen_clean(s, word, sizeof word, lead->word);
    screen_clean(s, text, sizeof text, raw);
    fprintf(s->out, "%*s", lead->indent, "");
    screen_ink(s, lead->ink, word);
    int at = lead->indent + screen_width(word);
    int column = lead->column > at ? lead->column : at + 2;
    if (lead->word[0] == '\0')
        column = lead->column > at ? lead->column : at;
    fprintf(s->out, "%*s", column - at, "");
    wrap(s, column, text);
}
