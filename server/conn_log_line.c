/* SPDX-License-Identifier: Apache-2.0 */
/* The line of a closed connection. What came from the peer is escaped: a line is always one line of
 * plain text. First the names: short ones of handshake messages, and the alerts' of RFC 8446 6 and
 * RFC 5246 7.2. */
#include "conn_log_internal.h"

#include "base/text.h"

#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

#define STEPS(X)                                                                                   \
    X(0, "HR")                                                                                     \
    X(1, "CH")                                                                                     \
    X(2, "SH")                                                                                     \
    X(4, "NST")                                                                                    \
    X(5, "EOED")                                                                                   \
    X(8, "EE")                                                                                     \
    X(11, "CERT")                                                                                  \
    X(12, "SKE")                                                                                   \
    X(13, "CR")                                                                                    \
    X(14, "SHD")                                                                                   \
    X(15, "CV")                                                                                    \
    X(16, "CKE")                                                                                   \
    X(20, "FIN")                                                                                   \
    X(22, "CS")                                                                                    \
    X(24, "KU")                                                                                    \
    X(25, "CCERT")                                                                                 \
    X(67, "NP")                                                                                    \
    X(STEP_CCS, "CCS")                                                                             \
    X(STEP_HRR, "HRR")

#define ALERTS(X)                                                                                  \
    X(0, "close_notify")                                                                           \
    X(10, "unexpected_message")                                                                    \
    X(20, "bad_record_mac")                                                                        \
    X(21, "decryption_failed")                                                                     \
    X(22, "record_overflow")                                                                       \
    X(30, "decompression_failure")                                                                 \
    X(40, "handshake_failure")                                                                     \
    X(41, "no_certificate")                                                                        \
    X(42, "bad_certificate")                                                                       \
    X(43, "unsupported_certificate")                                                               \
    X(44, "certificate_revoked")                                                                   \
    X(45, "certificate_expired")                                                                   \
    X(46, "certificate_unknown")                                                                   \
    X(47, "illegal_parameter")                                                                     \
    X(48, "unknown_ca")                                                                            \
    X(49, "access_denied")                                                                         \
    X(50, "decode_error")                                                                          \
    X(51, "decrypt_error")                                                                         \
    X(60, "export_restriction")                                                                    \
    X(70, "protocol_version")                                                                      \
    X(71, "insufficient_security")                                                                 \
    X(80, "internal_error")                                                                        \
    X(86, "inappropriate_fallback")                                                                \
    X(90, "user_canceled")                                                                         \
    X(100, "no_renegotiation")                                                                     \
    X(109, "missing_extension")                                                                    \
    X(110, "unsupported_extension")                                                                \
    X(111, "certificate_unobtainable")                                                             \
    X(112, "unrecognized_name")                                                                    \
    X(113, "bad_certificate_status_response")                                                      \
    X(114, "bad_certificate_hash_value")                                                           \
    X(115, "unknown_psk_identity")                                                                 \
    X(116, "certificate_required")                                                                 \
    X(120, "no_application_protocol")

#define CASE_OF_NAME(number, name)                                                                 \
    case number:                                                                                   \
        return name;

static const char *step_name(unsigned what)
{
    switch (what) {
        STEPS(CASE_OF_NAME)
    default:
        return NULL;
    }
}

static const char *alert_name(int code)
{
    switch (code) {
        ALERTS(CASE_OF_NAME)
    default:
        return NULL;
    }
}

static bool is_plain(unsigned char c)
{
    return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
}

/* ` key=value`, the value in quotes when it holds more than plain characters; `-` for nothing. */
static void put_value(struct text *to, const char *key, const void *value, size_t length)
{
    const unsigned char *c = value;
    bool quoted = false;
    for (size_t i = 0; i < length; i++)
        quoted |= !is_plain(c[i]);
    text_add(to, " %s=%s", key, length == 0 ? "-" : quoted ? "\"" : "");
    for (size_t i = 0; i < length; i++) {
        if (c[i] == '"' || c[i] == '\\')
            text_add(to, "\\%c", c[i]);
        else if (c[i] == ' ' || c[i] == '=' || is_plain(c[i]))
            text_add(to, "%c", c[i]);
        else
            text_add(to, "\\x%02x", c[i]);
    }
    if (quoted)
        text_add(to, "\"");
}

static void put_text(struct text *to, const char *key, const char *value)
{
    put_value(to, key, value, value ? strlen(value) : 0);
}

static void put_number(struct text *to, const char *key, uint64_t number)
{
    text_add(to, " %s=%llu", key, (unsigned long long)number);
}

static bool said_hello(const struct conn_log *t)
{
    for (size_t i = 0; i < t->steps; i++) {
        if (t->step[i].out && t->step[i].what == SSL3_MT_SERVER_HELLO)
            return true;
    }
    return false;
}

/* What is agreed on with the ServerHello. OpenSSL 1.1.1 doesn't tell the group to a server. */
static void put_agreed(const struct conn_log *t, SSL *ssl, struct text *to)
{
    bool agreed = said_hello(t) && SSL_get_session(ssl);
    const char *group = NULL;
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    int id = agreed ? (int)SSL_get_negotiated_group(ssl) : 0;
    group = id ? SSL_group_to_name(ssl, id) : NULL;
#endif
    put_text(to, "tls", agreed ? SSL_get_version(ssl) : NULL);
    put_text(to, "cipher", agreed ? SSL_get_cipher_name(ssl) : NULL);
    put_text(to, "group", group);
    put_number(to, "resumed", t->done ? t->resumed : agreed && SSL_session_reused(ssl));
}

static void put_early(SSL *ssl, struct text *to)
{
    switch (SSL_get_early_data_status(ssl)) {
    case SSL_EARLY_DATA_ACCEPTED:
        put_text(to, "early", "accepted");
        break;
    case SSL_EARLY_DATA_REJECTED:
        put_text(to, "early", "rejected");
        break;
    default:
        put_text(to, "early", "none");
        break;
    }
}

/* The result of a refused certificate is known, but the session doesn't keep the certificate. */
static void put_cert(SSL *ssl, struct text *to)
{
    char refused[128];
    long result = SSL_get_verify_result(ssl);
    snprintf(refused, sizeof refused, "%ld (%s)", result, X509_verify_cert_error_string(result));
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    bool shown = SSL_get0_peer_certificate(ssl) != NULL;
#else
    X509 *cert = SSL_get_peer_certificate(ssl);
    bool shown = cert != NULL;
    X509_free(cert);
#endif
    put_text(to, "cert", result != X509_V_OK ? refused : shown ? "ok" : "none");
}

static void put_saw(const struct conn_log *t, struct text *to)
{
    text_add(to, " saw=%s", t->steps ? "\"" : "-");
    for (size_t i = 0; i < t->steps; i++) {
        const struct step *s = &t->step[i];
        const char *name = step_name(s->what);
        text_add(to, "%s%s", i ? " " : "", s->out ? ">" : "<");
        if (name)
            text_add(to, "%s", name);
        else
            text_add(to, "T%u", s->what);
        if (s->count > 1)
            text_add(to, "×%u", s->count);
    }
    text_add(to, "%s%s", t->more ? " ..." : "", t->steps ? "\"" : "");
}

static void put_alert(struct text *to, const char *key, int code)
{
    char unknown[16];
    const char *name = code == ALERT_NONE ? "-" : alert_name(code);
    snprintf(unknown, sizeof unknown, "%d", code);
    put_text(to, key, name ? name : unknown);
}

static ENUM_NAMES(conn_log_end, CONN_LOG_END_LIST)

    /* Each handshake has a Finished of either side; those after the first are renegotiations. The
     * Finished of an authentication after the handshake has no answer. */
    static uint64_t renegotiations(const struct conn_log *t)
{
    uint64_t handshakes = t->in.finished < t->out.finished ? t->in.finished : t->out.finished;
    return handshakes ? handshakes - 1 : 0;
}

/* What only the SSL object knows; one that ends before TLS never has it. */
static void put_object(SSL *ssl, struct text *to)
{
    const unsigned char *alpn = NULL;
    unsigned alpn_length = 0;
    if (!ssl) {
        text_add(to, " early=none sni=- alpn=- cert=none state=\"before TLS\"");
        return;
    }
    put_early(ssl, to);
    put_text(to, "sni", SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_length);
    put_value(to, "alpn", alpn, alpn_length);
    put_cert(ssl, to);
    put_text(to, "state", SSL_state_string_long(ssl));
}

size_t conn_log_line(const struct conn_log *t, SSL *ssl, char *to, size_t size)
{
    struct text line = text_into(to, size - 1); /* the newline takes the last byte */
    text_add(&line, "conn=%llu", (unsigned long long)t->number);
    put_agreed(t, ssl, &line);
    put_object(ssl, &line);
    put_number(&line, "done", t->done);
    put_saw(t, &line);
    put_number(&line, "in", t->in.bytes);
    put_number(&line, "out", t->out.bytes);
    put_alert(&line, "alert-in", t->in.alert);
    put_alert(&line, "alert-out", t->out.alert);
    put_text(&line, "ended", conn_log_end_name(t->end));
    put_number(&line, "renegotiations", renegotiations(t));
    put_number(&line, "key-updates", t->in.key_updates + t->out.key_updates);
    put_number(&line, "key-updates-out", t->out.key_updates);
    put_number(&line, "data-in", t->in.data);
    put_number(&line, "data-out", t->out.data);
    put_number(&line, "empty-in", t->empty);
    put_number(&line, "alerts-in", t->in.alerts);
    put_number(&line, "alerts-out", t->out.alerts);
    to[line.used] = '\n';
    return line.used + 1;
}
