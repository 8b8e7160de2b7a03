/* SPDX-License-Identifier: Apache-2.0 */
#include "starttls_internal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/*
 * The servers of the protocols that talk in lines: a greeting, and an answer per command. They do
 * what a client needs that wants TLS, and refuse the rest as real ones do before TLS.
 */
struct answer {
    /* In any case. With a blank at its end it takes an argument; "" is any other. */
    const char *command;
    const char *before; /* imap: lines without a tag */
    const char *text;
    enum starttls_result then;
};

static const struct answer smtp[] = {
    {"EHLO ", "", "250-localhost\r\n250-8BITMIME\r\n250 STARTTLS\r\n", STARTTLS_MORE},
    {"HELO ", "", "250 localhost\r\n", STARTTLS_MORE},
    {"STARTTLS", "", "220 2.0.0 Ready to start TLS\r\n", STARTTLS_DONE},
    {"STARTTLS ", "", "501 5.5.4 Syntax error: no parameters allowed\r\n", STARTTLS_MORE},
    {"NOOP", "", "250 2.0.0 OK\r\n", STARTTLS_MORE},
    {"RSET", "", "250 2.0.0 OK\r\n", STARTTLS_MORE},
    {"QUIT", "", "221 2.0.0 Bye\r\n", STARTTLS_FAILED},
    {"", "", "530 5.7.0 Must issue a STARTTLS command first\r\n", STARTTLS_MORE}};

static const struct answer imap[] = {
    {"CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n",
     " OK CAPABILITY completed\r\n", STARTTLS_MORE},
    {"NOOP", "", " OK NOOP completed\r\n", STARTTLS_MORE},
    {"STARTTLS", "", " OK Begin TLS negotiation now\r\n", STARTTLS_DONE},
    {"LOGOUT", "* BYE soak\r\n", " OK LOGOUT completed\r\n", STARTTLS_FAILED},
    {"", "", " BAD STARTTLS first\r\n", STARTTLS_MORE}};

static const struct answer pop3[] = {{"CAPA", "", "+OK\r\nSTLS\r\nUIDL\r\n.\r\n", STARTTLS_MORE},
                                     {"STLS", "", "+OK Begin TLS negotiation\r\n", STARTTLS_DONE},
                                     {"QUIT", "", "+OK bye\r\n", STARTTLS_FAILED},
                                     {"", "", "-ERR STLS first\r\n", STARTTLS_MORE}};

static const struct answer ftp[] = {
    {"FEAT", "", "211-Features:\r\n AUTH TLS\r\n PBSZ\r\n PROT\r\n211 End\r\n", STARTTLS_MORE},
    {"AUTH TLS", "", "234 AUTH TLS OK\r\n", STARTTLS_DONE},
    {"AUTH ", "", "504 Security mechanism not implemented\r\n", STARTTLS_MORE},
    {"NOOP", "", "200 OK\r\n", STARTTLS_MORE},
    {"QUIT", "", "221 Goodbye\r\n", STARTTLS_FAILED},
    {"", "", "530 AUTH TLS first\r\n", STARTTLS_MORE}};

static bool matches(const struct answer *answer, const char *line)
{
    size_t length = strlen(answer->command);
    if (length == 0)
        return true;
    if (answer->command[length - 1] == ' ')
        return strncasecmp(line, answer->command, length) == 0;
    return strcasecmp(line, answer->command) == 0;
}

/* The list ends with an answer to everything. */
static enum starttls_result answer(const struct answer *list, const char *tag, const char *line,
                                   struct starttls_io *io, struct err *e)
{
    while (!matches(list, line))
        list++;
    starttls_say_text(io, list->before);
    starttls_say_text(io, tag);
    starttls_say_text(io, list->text);
    if (list->then == STARTTLS_FAILED)
        return starttls_fail(e, "the client leaves by %s", list->command);
    return list->then;
}

static enum starttls_result smtp_heard(struct starttls *p, struct starttls_io *io, struct err *e)
{
    return answer(smtp, "", (const char *)p->unit, io, e);
}

static enum starttls_result pop3_heard(struct starttls *p, struct starttls_io *io, struct err *e)
{
    return answer(pop3, "", (const char *)p->unit, io, e);
}

static enum starttls_result ftp_heard(struct starttls *p, struct starttls_io *io, struct err *e)
{
    return answer(ftp, "", (const char *)p->unit, io, e);
}

/* RFC 9051 2.2.1: a tag, a blank, the command. Tags are short, and are sent back as they came:
 * what can't be one isn't. */
static enum starttls_result imap_heard(struct starttls *p, struct starttls_io *io, struct err *e)
{
    enum { TAG = 32 };
    char tag[TAG + 1];
    const char *line = (const char *)p->unit;
    size_t length = strcspn(line, " ");
    bool plain = length > 0 && length <= TAG && line[length] == ' ';
    for (size_t i = 0; plain && i < length; i++)
        plain = isalnum((unsigned char)line[i]) || strchr(".-_:", line[i]);
    if (!plain) {
        starttls_say_text(io, "* BAD no tag\r\n");
        return STARTTLS_MORE;
    }
    memcpy(tag, line, length);
    tag[length] = '\0';
    return answer(imap, tag, line + length + 1, io, e);
}

static void greet(struct starttls *p, struct starttls_io *io)
{
    static const char *const greeting[STARTTLS_PROTOCOLS] = {
        [STARTTLS_SMTP] = "220 localhost ESMTP soak\r\n",
        [STARTTLS_IMAP] = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] soak\r\n",
        [STARTTLS_POP3] = "+OK soak\r\n",
        [STARTTLS_FTP] = "220 soak\r\n"};
    starttls_say_text(io, greeting[p->protocol]);
}

const struct starttls_role starttls_line_servers[STARTTLS_PROTOCOLS] = {
    [STARTTLS_SMTP] = {.framing = FRAME_LINE, .start = greet, .heard = smtp_heard},
    [STARTTLS_IMAP] = {.framing = FRAME_LINE, .start = greet, .heard = imap_heard},
    [STARTTLS_POP3] = {.framing = FRAME_LINE, .start = greet, .heard = pop3_heard},
    [STARTTLS_FTP] = {.framing = FRAME_LINE, .start = greet, .heard = ftp_heard},
};
