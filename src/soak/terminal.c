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

bool terminal_colour(int fd, int choice)
{
    if (choice)
        return choice == 1;
    if (set("NO_COLOR"))
        return false;
    if (set("CLICOLOR_FORCE") && strcmp(getenv("CLICOLOR_FORCE"), "0") != 0)
        return true;
    return terminal_is(fd);
}

void terminal_cut(char *text, int columns)
{
    int seen = 0;
    for (char *p = text; *p; p++) {
        if (((unsigned char)*p & 0xc0) == 0x80)
            continue; /* inside a character */
        if (seen++ == columns) {
            *p = '\0';
            return;
        }
    }
}
