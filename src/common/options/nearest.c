/* SPDX-License-Identifier: Apache-2.0 */
#include "grammar.h"

#include <string.h>

enum { NAME_LIMIT = 48 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost 1
 * each. `b` is at most NAME_LIMIT long. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NAME_LIMIT + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    size_t a_length = strlen(a), b_length = strlen(b);
    for (size_t j = 0; j <= b_length; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = last[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(replaced, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b_length];
}

/* True when the letters of `brief` stand in `full` in the same order. */
static bool is_shortening(const char *brief, const char *full)
{
    for (; *full && *brief; full++)
        brief += *full == *brief;
    return !*brief;
}

/* `conections` is five letters away from `conns`, but begins like it and holds its letters in
 * order: one word shortens the other. */
static bool is_same_word(const char *word, const char *name)
{
    return strlen(word) >= 3 && strncmp(word, name, 3) == 0 &&
           (is_shortening(name, word) || is_shortening(word, name));
}

const char *grammar_nearest(const char *word, const char *const *names, size_t count)
{
    size_t length = strlen(word);
    const char *nearest = NULL;
    size_t best = (length < 3 ? 1 : length / 3) + 1;
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) > NAME_LIMIT)
            continue;
        size_t far = distance(word, names[i]);
        if (far < best) {
            best = far;
            nearest = names[i];
        }
    }
    for (size_t i = 0; !nearest && i < count; i++)
        if (is_same_word(word, names[i]))
            nearest = names[i];
    return nearest;
}
