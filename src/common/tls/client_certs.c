/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/client_certs.h"

#include "base/input.h"
#include "tls/context.h"
#include "tls/identity.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 256 * 1024 };

static const char label[] = "kind ";

ENUM_NAMES(client_cert_kind, CLIENT_CERT_KINDS)

struct shown {
    X509 *cert;             /* owned, as are the others; NULL while the kind hasn't been read */
    EVP_PKEY *key;          /* the certificate's */
    STACK_OF(X509) * chain; /* its signers, the nearest first */
};

struct client_certs {
    struct shown kind[CLIENT_CERT_KIND_COUNT];
};

/* The whole file as text. Returns a heap string, or NULL. */
static char *read_all(const char *path, struct err *e)
{
    FILE *file = input_open(path, e);
    char *text = calloc(1, FILE_LIMIT + 1);
    size_t length = file && text ? fread(text, 1, FILE_LIMIT + 1, file) : 0;
    bool failed = !file || !text || ferror(file);
    if (file && failed)
        err_set(e, "%s", strerror(errno));
    else if (length > FILE_LIMIT)
        err_set(e, "longer than %d bytes", FILE_LIMIT);
    if (file)
        fclose(file);
    if (failed || length > FILE_LIMIT) {
        free(text);
        return NULL;
    }
    return text;
}

/* The kind that a label line at `line` names, or -1. */
static int kind_at(const char *line)
{
    const char *name = line + strlen(label);
    size_t length = strcspn(name, "\r\n");
    for (int i = 0; i < CLIENT_CERT_KIND_COUNT; i++) {
        const char *known = client_cert_kind_name((enum client_cert_kind)i);
        if (strlen(known) == length && strncmp(name, known, length) == 0)
            return i;
    }
    return -1;
}

/* The next label line at `from` or after it, or NULL. */
static const char *next_label(const char *from)
{
    while (from && strncmp(from, label, strlen(label)) != 0) {
        from = strchr(from, '\n');
        from = from ? from + 1 : NULL;
    }
    return from;
}

/* Moves what was found into `to`: the first certificate with the key that follows it, the others
 * as its chain. */
static int shown_take(struct shown *to, STACK_OF(X509_INFO) * found)
{
    to->chain = sk_X509_new_null();
    for (int i = 0; to->chain && i < sk_X509_INFO_num(found); i++) {
        X509_INFO *info = sk_X509_INFO_value(found, i);
        if (i == 0 && info->x_pkey) {
            to->key = info->x_pkey->dec_pkey;
            info->x_pkey->dec_pkey = NULL;
        }
        if (i == 0)
            to->cert = info->x509;
        else if (info->x509 && !sk_X509_push(to->chain, info->x509))
            return -1;
        info->x509 = NULL;
    }
    bool whole = to->chain && to->cert && to->key;
    return whole && X509_check_private_key(to->cert, to->key) ? 0 : -1;
}

static int shown_read(struct shown *to, const char *text, size_t length)
{
    ERR_clear_error();
    BIO *bio = BIO_new_mem_buf(text, (int)length);
    STACK_OF(X509_INFO) *found = bio ? PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL) : NULL;
    int rc = found ? shown_take(to, found) : -1;
    sk_X509_INFO_pop_free(found, X509_INFO_free);
    BIO_free(bio);
    return rc;
}

static int section_read(struct client_certs *certs, const char *from, size_t length, struct err *e)
{
    char why[256];
    int kind = kind_at(from);
    if (kind < 0)
        return err_set(e, "no such kind of certificate: %.*s", (int)strcspn(from, "\r\n"), from);
    if (certs->kind[kind].cert)
        return err_set(e, "the kind '%s' is there twice",
                       client_cert_kind_name((enum client_cert_kind)kind));
    size_t head = strcspn(from, "\n");
    if (shown_read(&certs->kind[kind], from + head, length - head) < 0)
        return err_set(e, "the kind '%s' can't be read: %s",
                       client_cert_kind_name((enum client_cert_kind)kind),
                       context_error(why, sizeof why));
    return 0;
}

static int sections_read(struct client_certs *certs, const char *text, struct err *e)
{
    for (const char *at = next_label(text), *next; at; at = next) {
        next = next_label(at + 1);
        if (section_read(certs, at, next ? (size_t)(next - at) : strlen(at), e) < 0)
            return -1;
    }
    for (int i = 0; i < CLIENT_CERT_KIND_COUNT; i++) {
        if (!certs->kind[i].cert)
            return err_set(e, "the kind '%s' is missing",
                           client_cert_kind_name((enum client_cert_kind)i));
    }
    return 0;
}

int client_certs_read(const char *path, struct client_certs **ret, struct err *e)
{
    char *text = read_all(path, e);
    if (!text)
        return err_prefix(e, "%s", path);
    struct client_certs *certs = calloc(1, sizeof *certs);
    int rc = certs ? sections_read(certs, text, e) : err_set(e, "out of memory");
    free(text);
    if (rc < 0) {
        client_certs_free(certs);
        return err_prefix(e, "%s", path);
    }
    *ret = certs;
    return 0;
}

void client_certs_free(struct client_certs *certs)
{
    if (!certs)
        return;
    for (int i = 0; i < CLIENT_CERT_KIND_COUNT; i++) {
        X509_free(certs->kind[i].cert);
        EVP_PKEY_free(certs->kind[i].key);
        sk_X509_pop_free(certs->kind[i].chain, X509_free);
    }
    free(certs);
}

int client_certs_show(const struct client_certs *certs, enum client_cert_kind kind, SSL *ssl)
{
    const struct shown *shown = &certs->kind[kind];
    return SSL_use_cert_and_key(ssl, shown->cert, shown->key, shown->chain, 1) == 1 ? 0 : -1;
}

void client_certs_show_none(SSL *ssl)
{
    SSL_certs_clear(ssl);
}

int client_certs_show_all(const struct client_certs *certs, enum client_cert_kind kind,
                          SSL_CTX *ctx)
{
    const struct shown *shown = &certs->kind[kind];
    return SSL_CTX_use_cert_and_key(ctx, shown->cert, shown->key, shown->chain, 1) == 1 ? 0 : -1;
}

/* ---- making them ---- */

/* Makes the authority and the certificates of the clients. */

/* How a kind is made. */
struct plan {
    bool unknown; /* by an authority that the server doesn't know */
    bool expired;
    int between; /* authorities between it and the one on top */
};

static const struct plan plans[] = {
    [CLIENT_CERT_GOOD] = {0},
    [CLIENT_CERT_EXPIRED] = {.expired = true},
    [CLIENT_CERT_UNKNOWN_CA] = {.unknown = true},
    [CLIENT_CERT_LONG_CHAIN] = {.between = CLIENT_CERTS_LONG},
    [CLIENT_CERT_OVER_LONG_CHAIN] = {.between = CLIENT_CERTS_OVER_LONG},
};

static int put(FILE *to, const struct identity *id, bool with_key, struct err *e)
{
    char *pem = identity_pem(id, with_key);
    int rc =
        pem && fputs(pem, to) >= 0 ? 0 : err_set(e, "out of memory for the clients' certificates");
    free(pem);
    return rc;
}

/* Writes the leaf, then its signers from the nearest up. `chain` holds them from the top down and
 * has room for the leaf. */
static int put_chain(FILE *to, const struct plan *plan, const struct identity *top,
                     struct identity *chain, struct err *e)
{
    for (int i = 0; i <= plan->between; i++) {
        bool leaf = i == plan->between;
        struct identity_request request = {.common_name = leaf ? "soak client" : "soak between",
                                           .issuer = i ? &chain[i - 1] : top,
                                           .authority = !leaf,
                                           .expired = leaf && plan->expired};
        if (identity_make_as(&request, &chain[i], e) < 0)
            return -1;
    }
    for (int i = plan->between; i >= 0; i--) {
        if (put(to, &chain[i], i == plan->between, e) < 0)
            return -1;
    }
    return 0;
}

static int put_kind(FILE *to, enum client_cert_kind kind, const struct identity *known,
                    const struct identity *unknown, struct err *e)
{
    struct identity chain[CLIENT_CERTS_OVER_LONG + 1] = {{0}};
    const struct plan *plan = &plans[kind];
    fprintf(to, "kind %s\n", client_cert_kind_name(kind));
    int rc = put_chain(to, plan, plan->unknown ? unknown : known, chain, e);
    for (int i = 0; i <= plan->between; i++)
        identity_fini(&chain[i]);
    return rc;
}

static int put_all(FILE *to, const struct identity *known, const struct identity *unknown,
                   struct err *e)
{
    for (int kind = 0; kind < CLIENT_CERT_KIND_COUNT; kind++) {
        if (put_kind(to, (enum client_cert_kind)kind, known, unknown, e) < 0)
            return -1;
    }
    return 0;
}

static int make_clients(const struct identity *known, const struct identity *unknown,
                        char **ret_clients, struct err *e)
{
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    if (!to)
        return err_set(e, "out of memory for the clients' certificates");
    int rc = put_all(to, known, unknown, e);
    if (fclose(to) != 0 && rc == 0)
        rc = err_set(e, "out of memory for the clients' certificates");
    if (rc == 0)
        *ret_clients = text;
    else
        free(text);
    return rc;
}

int client_certs_make(char **ret_authority, char **ret_clients, struct err *e)
{
    struct identity known = {0}, unknown = {0};
    char *authority = NULL;
    int rc = identity_make(KEY_P256, "soak client authority", NULL, &known, e);
    if (rc == 0)
        rc = identity_make(KEY_P256, "soak unknown authority", NULL, &unknown, e);
    if (rc == 0 && !(authority = identity_pem(&known, false)))
        rc = err_set(e, "out of memory for the clients' certificates");
    if (rc == 0)
        rc = make_clients(&known, &unknown, ret_clients, e);
    if (rc == 0)
        *ret_authority = authority;
    else
        free(authority);
    identity_fini(&unknown);
    identity_fini(&known);
    return rc;
}
