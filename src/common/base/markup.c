/* SPDX-License-Identifier: Apache-2.0 */
#include "markup.h"

#include "text.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* UTF-8 of U+FFFE and U+FFFF, which XML has no place for. */
static int is_no_character(const char *p)
{
    return strncmp(p, "\xef\xbf\xbe", 3) == 0 || strncmp(p, "\xef\xbf\xbf", 3) == 0;
}

static const char *reference(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\n':
        return "&#10;";
    case '\t':
        return "&#9;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

void markup_put(const char *text, size_t length, FILE *out)
{
    const char *end = text ? text + strnlen(text, length) : NULL;
    for (const char *p = text; p < end;) {
        const char *name = reference(*p);
        size_t bytes = text_character(p);
        if (name)
            fputs(name, out);
        else if (bytes == 0 || bytes > (size_t)(end - p) || is_no_character(p))
            fputc('?', out);
        else
            fwrite(p, 1, bytes, out);
        p += name || bytes == 0 ? 1 : bytes;
    }
}

void markup_attribute(const char *name, const char *value, FILE *out)
{
    fprintf(out, " %s=\"", name);
    markup_put(value, SIZE_MAX, out);
    fputc('"', out);
}

/* Within a word `_` is none of Markdown's. */
static int is_within_a_word(const char *text, const char *p)
{
    return p > text && isalnum((unsigned char)p[-1]) && isalnum((unsigned char)p[1]);
}

/* Addresses without any markup are links too (GitHub Flavored Markdown, "Autolinks (extension)").
 */
static int is_of_an_address(const char *text, const char *p)
{
    return strncmp(p, "://", 3) == 0 ||
           (*p == '.' && p - text >= 3 && strncasecmp(p - 3, "www", 3) == 0);
}

static int is_markdown(const char *text, const char *p)
{
    return strchr("\\`*[]#|<>~&@", *p) || is_of_an_address(text, p) ||
           (*p == '_' && !is_within_a_word(text, p));
}

/* Mentions, issues and mail addresses are looked for when the references have become characters
 * again: a blank without width (U+200B) keeps them apart. */
static void put_reference(char c, FILE *out)
{
    fprintf(out, "&#%d;%s", c, c == '@' || c == '#' ? "&#8203;" : "");
}

void markdown_put(const char *text, FILE *out)
{
    for (const char *p = text ? text : ""; *p;) {
        size_t bytes = text_character(p);
        if (bytes == 0)
            fputc((unsigned char)*p < ' ' ? ' ' : '?', out);
        else if (is_markdown(text, p))
            put_reference(*p, out);
        else
            fwrite(p, 1, bytes, out);
        p += bytes ? bytes : 1;
    }
}
