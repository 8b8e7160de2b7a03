/* SPDX-License-Identifier: Apache-2.0 */
#include "talk.h"

#include "options/grammar.h"

#include <string.h>

static int read_text(const char *name, const char *text, uint8_t *ret, size_t *ret_bytes,
                     struct err *e)
{
    if (!text || grammar_bytes(text, ret, OPTS_STRING_LIMIT, ret_bytes, e) == 0)
        return 0;
    return err_prefix(e, "--%s %.100s", name, text);
}

/* How much of the answer ends in `byte`, when `heard` of it came before. Knuth, Morris, Pratt: Fast
 * Pattern Matching in Strings, 1977. */
static size_t advance(const struct talk *t, size_t heard, uint8_t byte)
{
    while (heard > 0 && t->answer[heard] != byte)
        heard = t->border[heard - 1];
    return heard + (t->answer[heard] == byte);
}

static void find_borders(struct talk *t)
{
    for (size_t i = 1; i < t->answer_bytes; i++)
        t->border[i] = (uint16_t)advance(t, t->border[i - 1], t->answer[i]);
}

int talk_init(struct talk *t, const char *say, const char *answer, bool foreign, struct err *e)
{
    *t = (struct talk){.foreign = foreign};
    if (read_text("say", say, t->say, &t->say_bytes, e) < 0 ||
        read_text("answer", answer, t->answer, &t->answer_bytes, e) < 0)
        return -1;
    if (say || answer)
        t->kind = TALK_TEXT;
    else
        t->kind = foreign ? TALK_SILENT : TALK_ECHO;
    find_borders(t);
    return 0;
}

bool talk_answered(const struct talk *t, size_t heard)
{
    return heard >= (t->answer_bytes ? t->answer_bytes : 1);
}

size_t talk_hear(const struct talk *t, size_t heard, const uint8_t *bytes, size_t count)
{
    if (t->answer_bytes == 0)
        return count > 0 ? 1 : heard;
    for (size_t i = 0; i < count && heard < t->answer_bytes; i++)
        heard = advance(t, heard, bytes[i]);
    return heard;
}

void talk_quote(char *line, size_t size, const uint8_t *bytes, size_t count)
{
    size_t used = strlen(line);
    bool ended = strchr(line, '\n');
    for (size_t i = 0; i < count && !ended && used + 1 < size; i++) {
        line[used++] = bytes[i] ? (char)bytes[i] : ' ';
        ended = bytes[i] == '\n';
    }
    line[used] = '\0';
}
