/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

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

bool terminal_colour(int fd, enum color_when when)
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

int terminal_width(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
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
    int width = terminal_width(text);
    if (width <= columns)
        return width;
    bool ellipsis = terminal_is_utf8();
    const char *end = ellipsis ? "…" : columns > 3 ? "..." : "";
    int kept = columns - terminal_width(end);
    char *at = character_at(text, kept > 0 ? kept : 0);
    strcpy(at, end);
    return terminal_width(text);
}
