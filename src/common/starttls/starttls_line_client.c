/* SPDX-License-Identifier: Apache-2.0 */
#include "starttls_internal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/*
 * The clients of the protocols that talk in lines. Each is a list of turns: what the client says,
 * then the reply that it wants to it. The first reply is the greeting, to which it has said
 * nothing.
 */
enum { GREETING, TURNS = 4, QUOTED = 120 };

struct turn {
    const char *says; /* NULL: the dialogue is over */
    const char *name; /* what the reply answers */
    unsigned code;    /* the reply that is wanted */
};

/* RFC 5321 4.2: every line of a reply has the code. RFC 3207: greeting, EHLO, a line that offers
 * STARTTLS, the command, 220. An address literal is what a client without a name of its own says
 * (RFC 5321 4.1.3). */
static const struct turn smtp[TURNS] = {{"", "the connection", 220},
                                        {"EHLO [127.0.0.1]\r\n", "EHLO", 250},
                                        {"STARTTLS\r\n", "STARTTLS", 220}};
/* RFC 959 4.2: only the first and the last line of a reply have the code for certain. RFC 4217 4:
 * AUTH TLS, 234. */
static const struct turn ftp[TURNS] = {{"", "the connection", 220},
                                       {"AUTH TLS\r\n", "AUTH TLS", 234}};
/* RFC 1939 3: +OK or -ERR. RFC 2595 4: STLS. */
static const struct turn pop3[TURNS] = {{"", "the connection", 0}, {"STLS\r\n", "STLS", 0}};
/* RFC 9051 6.2.1: the tagged OK ends the dialogue; what CAPABILITY says decides whether to ask. */
static const struct turn imap[TURNS] = {{"", "the connection", 0},
                                        {"a1 CAPABILITY\r\n", "CAPABILITY", 0},
                                        {"a2 STARTTLS\r\n", "STARTTLS", 0}};

static enum starttls_result refused(const struct starttls *p, const struct turn *turns,
                                    struct err *e)
{
    char quoted[QUOTED];
    return starttls_fail(e, "the server answers %s by \"%s\"", turns[p->step].name,
                         starttls_quote(p->unit, p->used, quoted, sizeof quoted));
}

/* The wanted reply is here: says what comes next. */
static enum starttls_result next_turn(struct starttls *p, struct starttls_io *io,
                                      const struct turn *turns)
{
    const struct turn *next = &turns[++p->step];
    if (!next->says)
        return STARTTLS_DONE;
    p->asked = !next[1].says;
    starttls_say_text(io, next->says);
    return STARTTLS_MORE;
}

/* Three digits, then `-`, a blank or the end. Returns the code, or 0. */
static unsigned code_of(const char *line)
{
    for (int i = 0; i < 3; i++)
        if (!isdigit((unsigned char)line[i]))
            return 0;
    if (line[3] != '\0' && line[3] != ' ' && line[3] != '-')
        return 0;
    return (unsigned)((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
}

/* Whether the reply is whole with this line. `everywhere`: each of its lines must have the code. */
static int reply_line(struct starttls *p, bool everywhere, struct err *e)
{
    char quoted[QUOTED];
    const char *line = (const char *)p->unit;
    unsigned code = code_of(line);
    bool first = p->code == 0;
    if ((first || everywhere) && (code == 0 || (!first && code != p->code)))
        return err_set(e, "not a reply: \"%s\"",
                       starttls_quote(p->unit, p->used, quoted, sizeof quoted));
    if (first)
        p->code = code;
    return code == p->code && line[3] != '-';
}

static enum starttls_result heard_reply(struct starttls *p, struct starttls_io *io,
                                        const struct turn *turns, int whole, struct err *e)
{
    if (whole < 0)
        return STARTTLS_FAILED;
    if (!whole)
        return STARTTLS_MORE;
    unsigned code = p->code;
    p->code = 0;
    if (code != turns[p->step].code)
        return refused(p, turns, e);
    return next_turn(p, io, turns);
}

/* The keyword stands alone on its line, in any case (RFC 5321 4.1.1.1). */
static bool smtp_offers(const char *line)
{
    return strlen(line) > 4 && strncasecmp(line + 4, "STARTTLS", 8) == 0 &&
           (line[12] == '\0' || line[12] == ' ');
}

static enum starttls_result smtp_heard(struct starttls *p, struct starttls_io *io, struct err *e)
{
    int whole = reply_line(p, true, e);
    if (whole >= 0 && p->step == 1 && p->code == 250 && smtp_offers((const char *)p->unit))
        p->offered = true;
    if (whole > 0 && p->step == 1 && p->code == 250 && !p->offered)
        return starttls_fail(e, "the server doesn't offer STARTTLS");
    return heard_reply(p, io, smtp, whole, e);
}

static enum starttls_result ftp_heard(struct starttls *p, struct starttls_io *io, struct err *e)
{
    int whole = reply_line(p, false, e);
    /* 120: not yet, but the greeting will come (RFC 959 5.4). */
    if (whole > 0 && p->step == GREETING && p->code == 120) {
        p->code = 0;
        return STARTTLS_MORE;
    }
    return heard_reply(p, io, ftp, whole, e);
}

static enum starttls_result pop3_heard(struct starttls *p, struct starttls_io *io, struct err *e)
{
    const char *line = (const char *)p->unit;
    if (strncmp(line, "+OK", 3) != 0 || (line[3] != '\0' && line[3] != ' '))
        return refused(p, pop3, e);
    return next_turn(p, io, pop3);
}

/* Whether `word` stands in the line, in any case, between blanks or brackets. */
static bool has_word(const char *line, const char *word)
{
    size_t length = strlen(word);
    while (*line) {
        size_t here = strcspn(line, " []");
        if (here == length && strncasecmp(line, word, length) == 0)
            return true;
        line += here + (line[here] != '\0');
    }
    return false;
}

static bool begins(const char *line, const char *with)
{
    size_t length = strlen(with);
    return strncasecmp(line, with, length) == 0 && (line[length] == ' ' || line[length] == '\0');
}

static enum starttls_result imap_heard(struct starttls *p, struct starttls_io *io, struct err *e)
{
    static const char *const good[] = {"* OK", "a1 OK", "a2 OK"};
    const char *line = (const char *)p->unit;
    /* RFC 9051 6.2.1: STARTTLS has no place in a connection that is authenticated already. */
    if (p->step == GREETING && begins(line, "* PREAUTH"))
        return starttls_fail(e, "the server says PREAUTH, which rules out STARTTLS");
    if (begins(line, good[p->step])) {
        if (p->step == 1 && !p->offered)
            return starttls_fail(e, "the server doesn't offer STARTTLS");
        return next_turn(p, io, imap);
    }
    if (p->step == GREETING || strncmp(line, "* ", 2) != 0 || begins(line, "* BYE"))
        return refused(p, imap, e);
    if (p->step == 1 && begins(line, "* CAPABILITY") && has_word(line, "STARTTLS"))
        p->offered = true;
    return STARTTLS_MORE;
}

const struct starttls_role starttls_line_clients[STARTTLS_PROTOCOLS] = {
    [STARTTLS_SMTP] = {.framing = FRAME_LINE, .heard = smtp_heard},
    [STARTTLS_IMAP] = {.framing = FRAME_LINE, .heard = imap_heard},
    [STARTTLS_POP3] = {.framing = FRAME_LINE, .heard = pop3_heard},
    [STARTTLS_FTP] = {.framing = FRAME_LINE, .heard = ftp_heard},
};
