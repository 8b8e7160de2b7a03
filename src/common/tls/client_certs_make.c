/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the authority and the certificates of the clients. */
#include "tls/client_certs.h"
#include "tls/identity.h"

#include <stdio.h>
#include <stdlib.h>

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
