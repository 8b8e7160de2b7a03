/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clear-text dialogues before TLS: both ends against each other in every segmentation,
 * transcripts of real servers, and what must be refused, with its sentence.
 */
#include "starttls/starttls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TLS_NS "urn:ietf:params:xml:ns:xmpp-tls"

/* One end, and what it has said that the other hasn't heard yet. */
struct end {
    struct starttls *p;
    enum starttls_result result;
    struct err e;
    size_t used;
    uint8_t said[4 * STARTTLS_OUT_BYTES];
};

static void end_open(struct end *end, enum starttls_protocol protocol, enum starttls_side side)
{
    memset(end, 0, sizeof *end);
    end->p = starttls_new(protocol, side, "example.org");
    assert_non_null(end->p);
    struct starttls_io io = {.out = end->said};
    starttls_start(end->p, &io);
    end->used = io.out_used;
}

/* Feeds up to `piece` bytes at a time while it waits. Returns how many bytes were taken. */
static size_t end_feed(struct end *end, const void *bytes, size_t count, size_t piece)
{
    size_t taken = 0;
    while (taken < count && end->result == STARTTLS_MORE) {
        size_t now = count - taken < piece ? count - taken : piece;
        struct starttls_io io = {
            .in = (const uint8_t *)bytes + taken, .in_left = now, .out = end->said + end->used};
        assert_true(sizeof end->said - end->used >= STARTTLS_OUT_BYTES);
        end->result = starttls_feed(end->p, &io, &end->e);
        end->used += io.out_used;
        taken += now - io.in_left;
    }
    return taken;
}

static void end_close(struct end *end)
{
    starttls_free(end->p);
}

/* Moves what `from` has said to `to`; true when anything moved. */
static bool pass(struct end *from, struct end *to, size_t piece)
{
    size_t count = from->used;
    from->used = 0;
    if (count == 0)
        return false;
    assert_int_equal(end_feed(to, from->said, count, piece), count);
    return true;
}

static void both_ends_understand_each_other(void **state)
{
    static struct end client, server;
    (void)state;
    for (int i = STARTTLS_NONE + 1; i < STARTTLS_PROTOCOLS; i++)
        for (size_t piece = 1; piece <= 4096; piece += piece < 40 ? 1 : 4056) {
            enum starttls_protocol protocol = (enum starttls_protocol)i;
            end_open(&client, protocol, STARTTLS_CLIENT);
            end_open(&server, protocol, STARTTLS_SERVER);
            while (pass(&server, &client, piece) || pass(&client, &server, piece))
                ;
            assert_string_equal(client.e.text, "");
            assert_string_equal(server.e.text, "");
            assert_int_equal(client.result, STARTTLS_DONE);
            assert_int_equal(server.result, STARTTLS_DONE);
            assert_true(starttls_asked(client.p));
            end_close(&client);
            end_close(&server);
        }
}

/* What a server says on its own, then in answer to each thing the client says. */
struct transcript {
    enum starttls_protocol protocol;
    const char *server[5];
    const char *client[5];
};

static const struct transcript transcripts[] = {
    {STARTTLS_SMTP, /* Postfix */
     {"220 mx.example.org ESMTP Postfix (Debian/GNU)\r\n",
      "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n"
      "250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250 CHUNKING\r\n",
      "220 2.0.0 Ready to start TLS\r\n"},
     {"EHLO [127.0.0.1]\r\n", "STARTTLS\r\n"}},
    {STARTTLS_SMTP, /* several lines of greeting, the offer last and in another case */
     {"220-shared.example.net ESMTP Exim 4.96 #2 Sun, 22 Nov 2026 10:00:00 +0000 \r\n"
      "220-We do not authorize the use of this system to transport unsolicited, \r\n"
      "220 and/or bulk e-mail.\r\n",
      "250-shared.example.net Hello [127.0.0.1]\r\n250-HELP\r\n250 StartTLS\r\n",
      "220 TLS go ahead\r\n"},
     {"EHLO [127.0.0.1]\r\n", "STARTTLS\r\n"}},
    {STARTTLS_IMAP, /* Dovecot */
     {"* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS "
      "LOGINDISABLED] Dovecot (Debian) ready.\r\n",
      "* CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS "
      "LOGINDISABLED\r\na1 OK Pre-login capabilities listed, post-login capabilities have "
      "more.\r\n",
      "a2 OK Begin TLS negotiation now.\r\n"},
     {"a1 CAPABILITY\r\n", "a2 STARTTLS\r\n"}},
    {STARTTLS_POP3,
     {"+OK Dovecot (Debian) ready.\r\n", "+OK Begin TLS negotiation now.\r\n"},
     {"STLS\r\n"}},
    {STARTTLS_FTP,
     {"220 (vsFTPd 3.0.3)\r\n", "234 Proceed with negotiation.\r\n"},
     {"AUTH TLS\r\n"}},
    {STARTTLS_FTP, /* wait; then lines without a code, and with another one, within the reply */
     {"120 Service ready in 1 minute\r\n220-Welcome\r\n 220 not the end\r\n230 nor this\r\n"
      "220 ProFTPD Server ready.\r\n",
      "234 AUTH TLS successful\r\n"},
     {"AUTH TLS\r\n"}},
    {STARTTLS_XMPP, /* Prosody */
     {"",
      "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
      "from='example.org' id='f0c2' xml:lang='en' version='1.0' xmlns='jabber:client'>"
      "<stream:features><starttls xmlns='" TLS_NS "'><required/></starttls>"
      "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism>"
      "</mechanisms></stream:features>",
      "<proceed xmlns='" TLS_NS "'/>"},
     {"<?xml version='1.0'?><stream:stream to='example.org' version='1.0' xmlns='jabber:client' "
      "xmlns:stream='http://etherx.jabber.org/streams'>",
      "<starttls xmlns='" TLS_NS "'/>"}},
    {STARTTLS_XMPP, /* double quotes, a `>` in a value, an element of two tags */
     {"",
      "<stream:stream from=\"a>b\" xmlns:stream=\"http://etherx.jabber.org/streams\">\n"
      "<stream:features>\n<starttls xmlns=\"" TLS_NS "\"/>\n</stream:features>",
      "<proceed xmlns=\"" TLS_NS "\"></proceed>"},
     {NULL}},
};

static void hear_transcript(const struct transcript *t, size_t piece)
{
    static struct end client;
    end_open(&client, t->protocol, STARTTLS_CLIENT);
    for (int i = 0; t->server[i]; i++) {
        end_feed(&client, t->server[i], strlen(t->server[i]), piece);
        assert_string_equal(client.e.text, "");
        if (t->client[i] && t->server[i + 1]) {
            assert_int_equal(client.used, strlen(t->client[i]));
            assert_memory_equal(client.said, t->client[i], client.used);
        }
        client.used = 0;
    }
    assert_int_equal(client.result, STARTTLS_DONE);
    end_close(&client);
}

static void real_servers_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof transcripts / sizeof transcripts[0]; i++)
        for (size_t piece = 1; piece <= 2048; piece *= 2)
            hear_transcript(&transcripts[i], piece);
}

/* Bytes with NULs in them. */
#define B(text) text, sizeof text - 1

struct packet_case {
    enum starttls_protocol protocol;
    const char *server;
    size_t count;
    const char *why; /* NULL: understood */
};

#define MYSQL_8(low, high)                                                                         \
    "\x4a\0\0\0\x0a"                                                                               \
    "8.0.36\0\x0b\0\0\0\x11\x22\x33\x44\x55\x66\x77\x08\0" low high                                \
    "\xff\2\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0twelve bytes\0caching_sha2_password"

static const struct packet_case packets[] = {
    {STARTTLS_MYSQL, B(MYSQL_8("\xff", "\xff") "\0"), NULL},
    {STARTTLS_MYSQL, B(MYSQL_8("\xff", "\xf7") "\0"), "mysql: the server doesn't offer TLS"},
    {STARTTLS_MYSQL, B("\x17\0\0\0\xff\x10\x04Too many connections"),
     "mysql: the server greets by an error: \"Too many connections\""},
    {STARTTLS_MYSQL,
     B("\x05\0\0\0\x09"
       "3.2\0"),
     "mysql: the server speaks protocol 9, not 10"},
    {STARTTLS_MYSQL,
     B("\x05\0\0\0\x0a"
       "8.0\0"),
     "mysql: the server's greeting is cut"},
    {STARTTLS_MYSQL,
     B("\x04\0\0\0\x0a"
       "8.0"),
     "mysql: the server's greeting is cut"},
    {STARTTLS_MYSQL, B("\0\0\0\0"), "mysql: the server's first packet is malformed"},
    {STARTTLS_MYSQL, B("\x01\0\0\1\x0a"), "mysql: the server's first packet is malformed"},
    {STARTTLS_MYSQL, B("HTTP/1.1 400 Bad Request\r\n"),
     "mysql: a packet of 5526600 bytes, at most 2044 are expected"},
    {STARTTLS_POSTGRES, B("S"), NULL},
    {STARTTLS_POSTGRES, B("N"), "postgres: the server does without TLS"},
    {STARTTLS_POSTGRES, B("E"),
     "postgres: the server answers the request for TLS by an error message"},
    {STARTTLS_POSTGRES, B("H"), "postgres: the server answers the request for TLS by \"H\""},
    {STARTTLS_LDAP, B("\x30\x0c\2\1\1\x78\7\x0a\1\0\4\0\4\0"), NULL},
    {STARTTLS_LDAP, /* lengths in the long form, and the name */
     B("\x30\x84\0\0\0\x28\2\1\1\x78\x84\0\0\0\x1f\x0a\1\0\4\0\4\0\x8a\x16"
       "1.3.6.1.4.1.1466.20037"),
     NULL},
    {STARTTLS_LDAP, B("\x30\x13\2\1\1\x78\x0e\x0a\1\x34\4\0\4\7no cert"),
     "ldap: the server refuses StartTLS: result 52 \"no cert\""},
    {STARTTLS_LDAP, B("\x30\x0c\2\1\0\x78\7\x0a\1\x33\4\0\4\0"),
     "ldap: the server refuses StartTLS: result 51 \"\""},
    {STARTTLS_LDAP, B("\x30\x0c\2\1\0\x78\7\x0a\1\0\4\0\4\0"), /* nothing was asked by 0 */
     "ldap: the server refuses StartTLS: result 0 \"\""},
    {STARTTLS_LDAP, B("\x30\x0c\2\1\7\x78\7\x0a\1\0\4\0\4\0"),
     "ldap: the server answers message 7, which wasn't sent"},
    {STARTTLS_LDAP, B("\x30\x0c\2\1\1\x61\7\x0a\1\0\4\0\4\0"),
     "ldap: the server's answer is not an extended response"},
    {STARTTLS_LDAP, /* an operation that claims to be longer than its message */
     B("\x30\x0c\2\1\1\x78\x7f\x0a\1\0\4\0\4\0"),
     "ldap: the server's answer is not an extended response"},
    {STARTTLS_LDAP, B("\x30\x80\2\1\1"), "ldap: an LDAP message without a sensible length"},
    {STARTTLS_LDAP, B("\x30\x87\2\1\1"), "ldap: an LDAP message without a sensible length"},
    {STARTTLS_LDAP, B("\x30\x84\xff\xff\xff\xff\1"),
     "ldap: an LDAP message of 4294967295 bytes, at most 2042 are expected"},
    {STARTTLS_LDAP, B("220 hello\r\n"), "ldap: not an LDAP message: it begins with 0x32"},
};

static void packets_are_understood_or_refused(void **state)
{
    static struct end client;
    (void)state;
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++)
        for (size_t piece = 1; piece <= 64; piece *= 64) {
            const struct packet_case *c = &packets[i];
            end_open(&client, c->protocol, STARTTLS_CLIENT);
            end_feed(&client, c->server, c->count, piece);
            assert_string_equal(client.e.text, c->why ? c->why : "");
            assert_int_equal(client.result, c->why ? STARTTLS_FAILED : STARTTLS_DONE);
            end_close(&client);
        }
}

struct refusal {
    enum starttls_protocol protocol;
    enum starttls_side side; /* of the end that refuses */
    const char *heard, *why;
};

static const struct refusal refusals[] = {
    {STARTTLS_SMTP, STARTTLS_CLIENT, "554 No SMTP service here\r\n",
     "smtp: the server answers the connection by \"554 No SMTP service here\""},
    {STARTTLS_SMTP, STARTTLS_CLIENT, "220 a\r\n250-a\r\n250 SIZE 1000\r\n",
     "smtp: the server doesn't offer STARTTLS"},
    {STARTTLS_SMTP, STARTTLS_CLIENT, "220 a\r\n250-XSTARTTLS\r\n250 STARTTLSX\r\n",
     "smtp: the server doesn't offer STARTTLS"},
    {STARTTLS_SMTP, STARTTLS_CLIENT, "220 a\r\n250-STARTTLS\r\n251 b\r\n",
     "smtp: not a reply: \"251 b\""},
    {STARTTLS_SMTP, STARTTLS_CLIENT, "220 a\r\n250-STARTTLS\r\n250 b\r\n454 TLS\x1b[31m\r\n",
     "smtp: the server answers STARTTLS by \"454 TLS?[31m\""},
    {STARTTLS_SMTP, STARTTLS_CLIENT, "SSH-2.0-OpenSSH_9.2p1\r\n",
     "smtp: not a reply: \"SSH-2.0-OpenSSH_9.2p1\""},
    {STARTTLS_SMTP, STARTTLS_CLIENT, "22\n", "smtp: not a reply: \"22\""},
    {STARTTLS_IMAP, STARTTLS_CLIENT, "* PREAUTH welcome\r\n",
     "imap: the server says PREAUTH, which rules out STARTTLS"},
    {STARTTLS_IMAP, STARTTLS_CLIENT, "* BYE overloaded\r\n",
     "imap: the server answers the connection by \"* BYE overloaded\""},
    {STARTTLS_IMAP, STARTTLS_CLIENT, "* OK\r\n* CAPABILITY IMAP4rev1 NOSTARTTLS\r\na1 OK\r\n",
     "imap: the server doesn't offer STARTTLS"},
    {STARTTLS_IMAP, STARTTLS_CLIENT, "* OK\r\n* CAPABILITY STARTTLS\r\na1 OK\r\na2 BAD no\r\n",
     "imap: the server answers STARTTLS by \"a2 BAD no\""},
    {STARTTLS_POP3, STARTTLS_CLIENT, "+OK\r\n-ERR no TLS\r\n",
     "pop3: the server answers STLS by \"-ERR no TLS\""},
    {STARTTLS_POP3, STARTTLS_CLIENT, "+OKAY\r\n",
     "pop3: the server answers the connection by \"+OKAY\""},
    {STARTTLS_FTP, STARTTLS_CLIENT, "220 a\r\n534 no TLS\r\n",
     "ftp: the server answers AUTH TLS by \"534 no TLS\""},
    {STARTTLS_XMPP, STARTTLS_CLIENT, "<stream:stream><stream:features><a/></stream:features>",
     "xmpp: the server doesn't offer starttls"},
    {STARTTLS_XMPP, STARTTLS_CLIENT, "<stream:stream><stream:features/>",
     "xmpp: the server doesn't offer starttls"},
    {STARTTLS_XMPP, STARTTLS_CLIENT, "<stream:stream><stream:error>",
     "xmpp: <stream:features> was expected, not <stream:error>"},
    {STARTTLS_XMPP, STARTTLS_CLIENT, "<stream:stream><stream:features><!--",
     "xmpp: a comment or a declaration, which XMPP forbids"},
    {STARTTLS_XMPP, STARTTLS_CLIENT,
     "<stream:stream><stream:features><starttls xmlns='" TLS_NS "'/></stream:features>"
     "<failure xmlns='" TLS_NS "'/>",
     "xmpp: <proceed/> was expected, not <failure xmlns='" TLS_NS "'/>"},
    {STARTTLS_XMPP, STARTTLS_CLIENT, "HTTP/1.1 400 Bad Request\r\n",
     "xmpp: text where a tag was expected"},
    {STARTTLS_XMPP, STARTTLS_SERVER, "GET / HTTP/1.1\r\n", "xmpp: text where a tag was expected"},
    {STARTTLS_XMPP, STARTTLS_SERVER, "<stream:stream><auth/>",
     "xmpp: <starttls/> was expected, not <auth/>"},
    {STARTTLS_POSTGRES, STARTTLS_SERVER, "GET / HT",
     "postgres: the client begins by something else than SSLRequest"},
    {STARTTLS_MYSQL, STARTTLS_SERVER, "GET / HTTP/1.1\r\n",
     "mysql: a packet of 5522759 bytes, at most 2044 are expected"},
    {STARTTLS_LDAP, STARTTLS_SERVER, "GET /", "ldap: not an LDAP message: it begins with 0x47"},
    {STARTTLS_SMTP, STARTTLS_SERVER, "EHLO a\r\nQUIT\r\n", "smtp: the client leaves by QUIT"},
};

static void what_is_not_the_dialogue_is_refused(void **state)
{
    static struct end end;
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        for (size_t piece = 1; piece <= 4096; piece *= 4096) {
            const struct refusal *r = &refusals[i];
            end_open(&end, r->protocol, r->side);
            end_feed(&end, r->heard, strlen(r->heard), piece);
            assert_string_equal(end.e.text, r->why);
            assert_int_equal(end.result, STARTTLS_FAILED);
            end_close(&end);
        }
}

static void other_clients_of_the_databases_are_refused(void **state)
{
    static struct end server;
    (void)state;
    end_open(&server, STARTTLS_POSTGRES, STARTTLS_SERVER);
    end_feed(&server, "\0\0\0\x08\x04\xd2\x16\x30\0\0\0\x08\x04\xd2\x16\x2f", 16, 16);
    assert_int_equal(server.result, STARTTLS_DONE);
    assert_int_equal(server.used, 2);
    assert_memory_equal(server.said, "NS", 2);
    end_close(&server);

    /* A login that doesn't want TLS; and the SSLRequest of protocols before 4.1, four bytes. */
    end_open(&server, STARTTLS_MYSQL, STARTTLS_SERVER);
    end_feed(&server,
             B("\x20\0\0\1\x00\xa2\0\0\0\0\0\1\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
               "\0\0\0"),
             64);
    assert_string_equal(server.e.text, "mysql: the client goes on without TLS");
    end_close(&server);
    end_open(&server, STARTTLS_MYSQL, STARTTLS_SERVER);
    end_feed(&server, B("\x05\0\0\1\0\x8a\0\0\1"), 64);
    assert_string_equal(server.e.text, "mysql: the client goes on without TLS");
    end_close(&server);

    /* A bind. */
    end_open(&server, STARTTLS_LDAP, STARTTLS_SERVER);
    end_feed(&server, B("\x30\x0c\2\1\2\x60\7\2\1\3\4\0\x80\0"), 64);
    assert_string_equal(server.e.text, "ldap: the client asks for something else than StartTLS");
    end_close(&server);
}

static void the_answer_has_the_number_of_the_question(void **state)
{
    static struct end server;
    (void)state;
    end_open(&server, STARTTLS_LDAP, STARTTLS_SERVER);
    end_feed(&server,
             B("\x30\x1e\2\2\0\x80\x77\x18\x80\x16"
               "1.3.6.1.4.1.1466.20037"),
             64);
    assert_int_equal(server.result, STARTTLS_DONE);
    assert_int_equal(server.used, 15);
    assert_memory_equal(server.said, "\x30\x0d\2\2\0\x80\x78\7\x0a\1\0\4\0\4\0", 15);
    end_close(&server);
}

static void servers_answer_what_else_clients_ask(void **state)
{
    static struct end server;
    static const struct {
        enum starttls_protocol protocol;
        const char *heard, *said;
    } cases[] = {
        {STARTTLS_SMTP, "MAIL FROM:<a@b>\r\nstarttls now\r\nnoop\r\n",
         "220 localhost ESMTP soak\r\n530 5.7.0 Must issue a STARTTLS command first\r\n"
         "501 5.5.4 Syntax error: no parameters allowed\r\n250 2.0.0 OK\r\n"},
        {STARTTLS_IMAP, "x.1 login a b\r\n(1 noop\r\nstarttls\r\n",
         "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] soak\r\nx.1 BAD STARTTLS first\r\n"
         "* BAD no tag\r\n* BAD no tag\r\n"},
        {STARTTLS_POP3, "CAPA\r\nUSER a\r\n",
         "+OK soak\r\n+OK\r\nSTLS\r\nUIDL\r\n.\r\n-ERR STLS first\r\n"},
        {STARTTLS_FTP, "AUTH GSSAPI\r\nUSER a\r\n",
         "220 soak\r\n504 Security mechanism not implemented\r\n530 AUTH TLS first\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        end_open(&server, cases[i].protocol, STARTTLS_SERVER);
        end_feed(&server, cases[i].heard, strlen(cases[i].heard), 7);
        server.said[server.used] = '\0';
        assert_string_equal(server.said, cases[i].said);
        assert_int_equal(server.result, STARTTLS_MORE);
        end_close(&server);
    }
}

/* Runs the dialogue up to the client's request for TLS, which is left unsaid in `client`. */
static void until_asked(struct end *client, struct end *server, enum starttls_protocol protocol)
{
    end_open(client, protocol, STARTTLS_CLIENT);
    end_open(server, protocol, STARTTLS_SERVER);
    while (!starttls_asked(client->p)) {
        pass(client, server, 4096);
        pass(server, client, 4096);
    }
}

static void commands_sent_ahead_are_refused_unanswered(void **state)
{
    static struct end client, server;
    (void)state;
    for (int i = STARTTLS_NONE + 1; i < STARTTLS_PROTOCOLS; i++) {
        size_t ahead;
        enum starttls_protocol protocol = (enum starttls_protocol)i;
        until_asked(&client, &server, protocol);
        const char *injection = starttls_injection(protocol, &ahead);
        size_t asking = client.used;
        memcpy(client.said + asking, injection, ahead);
        server.used = 0;
        size_t taken = end_feed(&server, client.said, asking + ahead, 4096);
        if (protocol == STARTTLS_MYSQL) {
            assert_int_equal(server.result, STARTTLS_DONE);
        } else {
            char why[100];
            snprintf(why, sizeof why, "%s: %zu bytes in clear text behind the turn to TLS",
                     starttls_name(protocol), ahead);
            assert_string_equal(server.e.text, why);
            assert_int_equal(server.result, STARTTLS_FAILED);
            assert_int_equal(server.used, 0);
        }
        assert_int_equal(taken, asking); /* what is behind is never swallowed */
        end_close(&client);
        end_close(&server);
    }
}

static void answers_sent_ahead_are_refused(void **state)
{
    static struct end client, server;
    (void)state;
    for (int i = STARTTLS_NONE + 1; i < STARTTLS_PROTOCOLS; i++) {
        enum starttls_protocol protocol = (enum starttls_protocol)i;
        end_open(&client, protocol, STARTTLS_CLIENT);
        end_open(&server, protocol, STARTTLS_SERVER);
        while (client.result == STARTTLS_MORE) {
            pass(&client, &server, 4096);
            bool last = server.result == STARTTLS_DONE || protocol == STARTTLS_MYSQL;
            if (last)
                server.said[server.used++] = '*';
            size_t count = server.used;
            server.used = 0;
            end_feed(&client, server.said, count, 4096);
        }
        assert_int_equal(client.result, STARTTLS_FAILED);
        assert_non_null(strstr(client.e.text, ": 1 bytes in clear text behind"));
        end_close(&client);
        end_close(&server);
    }
}

/* Whatever the peer says, an end gives up, in bounded space. */
static void endless_talk_is_refused(void **state)
{
    static const char *const talk[] = {"a",  "220-\r\n",     "* \r\n", "noop\r\n",       "<a>", " ",
                                       "\n", "\x30\x82\x08", "<?xml>", "<stream:stream>"};
    static struct end end;
    (void)state;
    for (int i = STARTTLS_NONE + 1; i < STARTTLS_PROTOCOLS; i++)
        for (int side = STARTTLS_CLIENT; side <= STARTTLS_SERVER; side++)
            for (size_t t = 0; t < sizeof talk / sizeof talk[0]; t++) {
                end_open(&end, (enum starttls_protocol)i, (enum starttls_side)side);
                for (int n = 0; n <= STARTTLS_TOTAL_BYTES && end.result == STARTTLS_MORE; n++)
                    end_feed(&end, talk[t], strlen(talk[t]), 1);
                assert_int_equal(end.result, STARTTLS_FAILED);
                assert_true(end.used <= STARTTLS_OUT_BYTES);
                end_close(&end);
            }
}

static void the_bound_that_was_hit_is_said(void **state)
{
    static struct end end;
    static char long_line[STARTTLS_UNIT_BYTES + 1];
    (void)state;
    memset(long_line, 'a', sizeof long_line);
    end_open(&end, STARTTLS_SMTP, STARTTLS_CLIENT);
    assert_int_equal(end_feed(&end, long_line, sizeof long_line - 1, 4096), sizeof long_line - 1);
    assert_int_equal(end.result, STARTTLS_MORE);
    end_feed(&end, long_line, 1, 1);
    assert_string_equal(end.e.text, "smtp: more than 2048 bytes without a break");
    end_close(&end);

    end_open(&end, STARTTLS_FTP, STARTTLS_SERVER);
    for (int i = 0; i < STARTTLS_COMMANDS; i++)
        end_feed(&end, "NOOP\r\n", 6, 6);
    assert_int_equal(end.result, STARTTLS_MORE);
    end_feed(&end, "NOOP\r\n", 6, 6);
    assert_string_equal(end.e.text, "ftp: more than 32 commands and none that asks for TLS");
    end_close(&end);

    end_open(&end, STARTTLS_SMTP, STARTTLS_CLIENT);
    for (int i = 0; i <= STARTTLS_TOTAL_BYTES / 8; i++)
        end_feed(&end, "220-ab\r\n", 8, 8);
    assert_string_equal(end.e.text, "smtp: more than 16384 bytes and no end");
    end_close(&end);

    end_open(&end, STARTTLS_IMAP, STARTTLS_SERVER);
    end_feed(&end, "a\0b STARTTLS\r\n", 14, 14);
    assert_string_equal(end.e.text, "imap: a NUL byte in a line");
    end_close(&end);
}

/* Noise must never be taken for a dialogue, nor read or write out of bounds. */
static void noise_never_leads_to_tls(void **state)
{
    static struct end end;
    uint8_t noise[512];
    uint32_t random = 1;
    (void)state;
    for (int round = 0; round < 400; round++)
        for (int i = STARTTLS_NONE + 1; i < STARTTLS_PROTOCOLS; i++) {
            end_open(&end, (enum starttls_protocol)i, (enum starttls_side)(round & 1));
            for (size_t n = 0; n < sizeof noise; n++) {
                random = random * 1664525 + 1013904223;
                noise[n] = (uint8_t)(random >> 24);
            }
            if (i == STARTTLS_POSTGRES && noise[0] == 'S')
                noise[0] = 's';
            if (round & 2 && i == STARTTLS_LDAP)
                memcpy(noise, "\x30\x40\2\1\1\x78\x10", 7);
            if (round & 2 && i == STARTTLS_LDAP)
                noise[7] = 0; /* a tag that no result code has */
            end_feed(&end, noise, sizeof noise, (size_t)(round % 37 + 1));
            assert_int_not_equal(end.result, STARTTLS_DONE);
            end_close(&end);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_understand_each_other),
        cmocka_unit_test(real_servers_are_understood),
        cmocka_unit_test(packets_are_understood_or_refused),
        cmocka_unit_test(what_is_not_the_dialogue_is_refused),
        cmocka_unit_test(other_clients_of_the_databases_are_refused),
        cmocka_unit_test(the_answer_has_the_number_of_the_question),
        cmocka_unit_test(servers_answer_what_else_clients_ask),
        cmocka_unit_test(commands_sent_ahead_are_refused_unanswered),
        cmocka_unit_test(answers_sent_ahead_are_refused),
        cmocka_unit_test(endless_talk_is_refused),
        cmocka_unit_test(the_bound_that_was_hit_is_said),
        cmocka_unit_test(noise_never_leads_to_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
