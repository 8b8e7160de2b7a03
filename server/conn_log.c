/* SPDX-License-Identifier: Apache-2.0 */
#include "conn_log.h"

#include "conn_log_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/objects.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct conn_log_file {
    int fd;
    atomic_bool broken;
    char path[256]; /* for the sentence; cut when longer */
};

int conn_log_file_open(const char *path, struct conn_log_file **ret, struct err *e)
{
    struct conn_log_file *log = calloc(1, sizeof *log);
    if (!log)
        return err_set(e, "out of memory");
    log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (log->fd < 0) {
        free(log);
        return err_set(e, "--log %s: %s", path, strerror(errno));
    }
    strncpy(log->path, path, sizeof log->path - 1);
    *ret = log;
    return 0;
}

void conn_log_file_close(struct conn_log_file *log)
{
    if (!log)
        return;
    close(log->fd);
    free(log);
}

/* The first failure is the only one told. A line cut short by a full disk is one, too. */
static int write_line(struct conn_log_file *log, const char *line, size_t length, struct err *e)
{
    ssize_t n;
    if (atomic_load(&log->broken))
        return 0;
    do
        n = write(log->fd, line, length);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)length || atomic_exchange(&log->broken, true))
        return 0;
    return err_set(e, "the connection log ends here: %s: %s", log->path,
                   n < 0 ? strerror(errno) : "the line was cut short");
}

static void add_step(struct conn_log *t, bool out, unsigned what)
{
    struct step *last = t->steps ? &t->step[t->steps - 1] : NULL;
    if (last && !t->more && last->out == out && last->what == what)
        last->count++;
    else if (t->steps < STEPS_MAX)
        t->step[t->steps++] = (struct step){.what = (uint16_t)what, .out = out, .count = 1};
    else
        t->more = true;
}

/* The random by which a ServerHello is a HelloRetryRequest: SHA-256 of that word (RFC 8446 4.1.3).
 */
static bool is_retry(const unsigned char *message, size_t length)
{
    static const unsigned char retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                            0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                            0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                            0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    enum { RANDOM_AT = 6 }; /* after type, length and version */
    return length >= RANDOM_AT + sizeof retry && memcmp(message + RANDOM_AT, retry, 32) == 0;
}

static void on_handshake(struct conn_log *t, bool out, const unsigned char *message, size_t length)
{
    struct conn_log_way *way = out ? &t->out : &t->in;
    if (length == 0)
        return;
    way->finished += message[0] == SSL3_MT_FINISHED;
    way->key_updates += message[0] == SSL3_MT_KEY_UPDATE;
    bool retry = message[0] == SSL3_MT_SERVER_HELLO && is_retry(message, length);
    add_step(t, out, retry ? STEP_HRR : message[0]);
}

/* The first that isn't a close_notify is the one that tells most. */
static void on_alert(struct conn_log_way *way, const unsigned char *alert, size_t length)
{
    if (length != 2)
        return;
    way->alerts++;
    if (way->alert == ALERT_NONE || way->alert == SSL3_AD_CLOSE_NOTIFY)
        way->alert = alert[1];
}

static bool received_ccs(const struct conn_log *t)
{
    for (size_t i = 0; i < t->steps; i++) {
        if (!t->step[i].out && t->step[i].what == STEP_CCS)
            return true;
    }
    return false;
}

/* How long a record without content is. With CBC that can't be told from the length. */
static size_t empty_length(const struct conn_log *t, SSL *ssl, unsigned char type)
{
    enum { TAG = 16, NONCE = 8 }; /* RFC 8446 5.2, RFC 5288 3, RFC 7905 2 */
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    if (!cipher || !SSL_CIPHER_is_aead(cipher))
        return 0;
    if (SSL_version(ssl) == TLS1_3_VERSION)
        return type == SSL3_RT_APPLICATION_DATA ? 1 + TAG : 0;
    if (!received_ccs(t))
        return 0;
    return SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305 ? TAG : NONCE + TAG;
}

/* In TLS 1.3 every encrypted record calls itself application data: the type inside counts. */
static void on_record(struct conn_log *t, bool out, const unsigned char *header, size_t length,
                      SSL *ssl)
{
    struct conn_log_way *way = out ? &t->out : &t->in;
    if (length < SSL3_RT_HEADER_LENGTH)
        return;
    size_t content = (size_t)header[3] << 8 | header[4];
    if (!out && header[0] == SSL3_RT_CHANGE_CIPHER_SPEC)
        add_step(t, out, STEP_CCS);
    if (header[0] == SSL3_RT_APPLICATION_DATA && SSL_version(ssl) != TLS1_3_VERSION)
        way->data++;
    if (!out && (content == 0 || content == empty_length(t, ssl, header[0])))
        t->empty++;
}

static void on_message(int out, int version, int type, const void *bytes, size_t length, SSL *ssl,
                       void *arg)
{
    struct conn_log *t = arg;
    struct conn_log_way *way = out ? &t->out : &t->in;
    const unsigned char *first = bytes;
    (void)version;
    switch (type) {
    case 0: /* a ClientHello in the dress of SSL 2.0 */
        add_step(t, out, SSL3_MT_CLIENT_HELLO);
        break;
    case SSL3_RT_CHANGE_CIPHER_SPEC: /* told of those that are sent only */
        if (out)
            add_step(t, out, STEP_CCS);
        break;
    case SSL3_RT_ALERT:
        on_alert(way, bytes, length);
        break;
    case SSL3_RT_HANDSHAKE:
        on_handshake(t, out, bytes, length);
        break;
    case SSL3_RT_HEADER:
        on_record(t, out, bytes, length, ssl);
        break;
    case SSL3_RT_INNER_CONTENT_TYPE:
        way->data += length == 1 && first[0] == SSL3_RT_APPLICATION_DATA;
        break;
    default:
        break;
    }
}

struct conn_log *conn_log_new(struct conn_log_file *log, uint64_t number)
{
    struct conn_log *t = log ? calloc(1, sizeof *t) : NULL;
    if (!t)
        return NULL;
    t->log = log;
    t->number = number;
    t->in.alert = t->out.alert = ALERT_NONE;
    return t;
}

void conn_log_attach(struct conn_log *t, SSL *ssl)
{
    if (!t)
        return;
    SSL_set_msg_callback(ssl, on_message);
    SSL_set_msg_callback_arg(ssl, t);
}

void conn_log_in(struct conn_log *t, size_t bytes)
{
    if (t)
        t->in.bytes += bytes;
}

void conn_log_out(struct conn_log *t, size_t bytes)
{
    if (t)
        t->out.bytes += bytes;
}

void conn_log_done(struct conn_log *t, const SSL *ssl)
{
    if (!t)
        return;
    t->done = true;
    t->resumed = SSL_session_reused(ssl) == 1;
}

void conn_log_ended(struct conn_log *t, enum conn_log_end how)
{
    if (t && t->end == CONN_LOG_GOES_ON)
        t->end = how;
}

int conn_log_close(struct conn_log *t, SSL *ssl, struct err *e)
{
    char line[CONN_LOG_LINE_BYTES];
    if (!t)
        return 0;
    if (ssl) {
        SSL_set_msg_callback(ssl, NULL);
        SSL_set_msg_callback_arg(ssl, NULL);
    }
    size_t length = conn_log_line(t, ssl, line, sizeof line);
    int rc = write_line(t->log, line, length, e);
    free(t);
    return rc;
}
