/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include "check.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST = 160 };

/* A command under way. */
struct split {
    struct words *to;
    size_t used;
    char quote; /* that is open, or 0 */
    bool open;  /* a word has begun */
};

static int put(struct split *s, const char *text, size_t length, struct err *e)
{
    struct words *to = s->to;
    if (s->used + length + 1 > sizeof to->bytes || (!s->open && to->count == WORDS_MAX))
        return err_set(e, "too long: at most %d words and %d bytes", WORDS_MAX, WORDS_BYTES);
    if (!s->open)
        to->argv[to->count++] = to->bytes + s->used;
    memcpy(to->bytes + s->used, text, length);
    s->used += length;
    s->open = true;
    return 0;
}

static void end_word(struct split *s)
{
    if (s->open)
        s->to->bytes[s->used++] = '\0';
    s->open = false;
}

/* The length of `{name}` at `text`; 0 when it is no such thing. */
static size_t name_length(const char *text)
{
    size_t length = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz-");
    return length && text[1 + length] == '}' ? length : 0;
}

static int refuse_name(const char *name, size_t length, const struct words_value *values,
                       struct err *e)
{
    char text[LIST];
    struct text list = text_list(text, sizeof text, ", ");
    for (const struct words_value *v = values; v->name; v++)
        if (v->value)
            text_item(&list, "{%s}", v->name);
    return err_set(e, "{%.*s} stands for nothing here; there is %s", (int)length, name, text);
}

/* What stands there for the name, which may be nothing; NULL: it isn't in the list. */
static const struct words_value *find_value(const struct words_value *values, const char *name,
                                            size_t length)
{
    for (const struct words_value *v = values; v->name; v++) {
        if (strlen(v->name) == length && strncmp(v->name, name, length) == 0)
            return v;
    }
    return NULL;
}

static int put_value(struct split *s, const char *name, size_t length,
                     const struct words_value *values, struct err *e)
{
    const struct words_value *v = find_value(values, name, length);
    if (!v || !v->value)
        return refuse_name(name, length, values, e);
    return put(s, v->value, strlen(v->value), e);
}

/* Takes a quote or a blank that means something. Returns how many characters; 0: none. */
static size_t take_mark(struct split *s, const char *p)
{
    bool quote = *p == '\'' || *p == '"';
    if (s->quote ? *p == s->quote : quote) {
        s->quote = s->quote ? 0 : *p;
        return put(s, "", 0, NULL) == 0;
    }
    if (s->quote || !strchr(" \t\n", *p))
        return 0;
    end_word(s);
    return 1;
}

/* Takes what stands at `p`, of one character or more. Returns how many; 0: refused. */
static size_t take(struct split *s, const char *p, const struct words_value *values, struct err *e)
{
    size_t marked = take_mark(s, p);
    if (marked)
        return marked;
    size_t name = values && *p == '{' ? name_length(p) : 0;
    if (name)
        return put_value(s, p + 1, name, values, e) == 0 ? name + 2 : 0;
    size_t escaped = *p == '\\' && s->quote != '\'' && p[1];
    return put(s, p + escaped, 1, e) == 0 ? 1 + escaped : 0;
}

int words_split(const char *command, const struct words_value *values, struct words *ret,
                struct err *e)
{
    struct split s = {.to = ret};
    *ret = (struct words){.count = 0};
    while (*command) {
        size_t taken = take(&s, command, values, e);
        if (taken == 0)
            return -1;
        command += taken;
    }
    if (s.quote)
        return err_set(e, "the quote %c isn't closed", s.quote);
    end_word(&s);
    return ret->count ? 0 : err_set(e, "it is empty");
}

static int fill(const char *text, const struct words_value *values, bool foreign_names, FILE *to,
                struct err *e)
{
    while (*text) {
        size_t name = *text == '{' ? name_length(text) : 0;
        const struct words_value *v = name ? find_value(values, text + 1, name) : NULL;
        if (name && (v ? !v->value : !foreign_names))
            return refuse_name(text + 1, name, values, e);
        if (v)
            fputs(v->value, to);
        else
            fputc(*text, to);
        text += v ? name + 2 : 1;
    }
    return 0;
}

char *words_fill(const char *text, const struct words_value *values, bool foreign_names,
                 struct err *e)
{
    char *filled = NULL;
    size_t size;
    FILE *to = open_memstream(&filled, &size);
    CHECK(to);
    int rc = fill(text, values, foreign_names, to, e);
    CHECK(fclose(to) == 0);
    if (rc == 0)
        return filled;
    free(filled);
    return NULL;
}

/* ---- for a shell ---- */

static bool is_text(const char *word)
{
    for (size_t length; *word; word += length)
        if ((length = text_character(word)) == 0)
            return false;
    return true;
}

/* `$'a\x1bb'`: what could steer a terminal is spelled, and the quote: so the word ends where it
 * does for a shell that doesn't know `$'`. */
static void add_escaped(struct text *c, const char *word)
{
    text_add(c, "$'");
    while (*word) {
        size_t length = text_character(word);
        if (length == 0 || *word == '\'')
            text_add(c, "\\x%02x", (unsigned char)*word);
        else
            text_add(c, "%s%.*s", *word == '\\' ? "\\" : "", (int)length, word);
        word += length ? length : 1;
    }
    text_add(c, "'");
}

/* What no shell takes for its own. */
static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                            "%+,-./:=@_";

/* In any but a plain word only the quote itself needs care. */
void words_quote(struct text *c, const char *word)
{
    if (word[0] && word[strspn(word, plain)] == '\0') {
        text_add(c, "%s", word);
        return;
    }
    if (!is_text(word)) {
        add_escaped(c, word);
        return;
    }
    text_add(c, "'");
    for (; *word; word++)
        text_add(c, *word == '\'' ? "'\\''" : "%c", *word);
    text_add(c, "'");
}

/* Where the quotes that begin at `p` end, `'...'` or `$'...'`; NULL: nowhere. */
static const char *quote_end(const char *p)
{
    if (*p == '\'')
        return strchr(p + 1, '\'');
    for (p += 2; *p && *p != '\''; p++)
        if (*p == '\\' && (*++p == '\'' || !*p))
            return NULL;
    return *p ? p : NULL;
}

bool words_are_quoted(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (strncmp(p, "\\'", 2) == 0)
            p++;
        else if (*p == '\'' || strncmp(p, "$'", 2) == 0)
            p = quote_end(p);
        else if (*p != ' ' && !strchr(plain, *p))
            return false;
        if (!p)
            return false;
    }
    return true;
}
