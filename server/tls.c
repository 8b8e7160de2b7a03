/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include "options/limits.h"

/* For the connections that ask for a certificate: it is asked for by SSL_set_verify. */
static int trust_authority(const struct server_tls *t, const struct options *o, SSL_CTX *ctx,
                           struct err *e)
{
    if (!o->authority || (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), t->authority.cert) &&
                          SSL_CTX_add_client_CA(ctx, t->authority.cert)))
        return 0;
    return err_set(e, "the authority of %s can't be used", o->authority);
}

static int make_context(const struct server_tls *t, const struct options *o,
                        const struct identity *identity, SSL_CTX **ret, struct err *e)
{
    const struct context_server_options tls = {.version = (enum tls_version)o->tls,
                                               .session = (enum session_kind)o->session,
                                               .cache_size = o->cache_size,
                                               .identity = identity,
                                               .client_ca_path = o->client_ca,
                                               .alpn = o->alpn,
                                               .accept_sni = true,
                                               .features = &t->features};
    SSL_CTX *ctx;
    if (context_server_new(&tls, &ctx, e) < 0)
        return -1;
    if (trust_authority(t, o, ctx, e) < 0) {
        SSL_CTX_free(ctx);
        return -1;
    }
    *ret = ctx;
    return 0;
}

int server_tls_context(const struct server_tls *t, const struct options *o, SSL_CTX **ret,
                       struct err *e)
{
    return make_context(t, o, &t->identity, ret, e);
}

static int find_authority(struct server_tls *t, const struct options *o, struct err *e)
{
    if (o->authority)
        return identity_read(o->authority, &t->authority, e);
    return o->ocsp ? identity_make(KEY_P256, "soak's authority", NULL, &t->authority, e) : 0;
}

/* A client that verifies looks for the address it connects to. */
static int make_identities(struct server_tls *t, const struct options *o, struct err *e)
{
    char address[ADDRESS_TEXT];
    bool v6 = address_host(&o->address, address)[0] == '[';
    const struct identity_request usual = {.kind = o->key == KEY_RSA2048 ? KEY_RSA2048 : KEY_P256,
                                           .common_name = "localhost",
                                           .address = !o->authority ? NULL
                                                      : v6          ? "::1"
                                                                    : address,
                                           .issuer =
                                               o->authority || o->ocsp ? &t->authority : NULL};
    struct identity_request rsa = usual, other = usual, many = usual;
    rsa.kind = KEY_RSA2048;
    other.common_name = CONTEXT_OTHER_NAME;
    many.names = o->cert_names;
    if (find_authority(t, o, e) < 0 || identity_make_as(&usual, &t->identity, e) < 0 ||
        (o->key == KEY_BOTH && identity_make_as(&rsa, &t->second, e) < 0) ||
        (o->sni_switch && identity_make_as(&other, &t->other_identity, e) < 0))
        return -1;
    return o->server_mix[SERVER_BEHAVIOUR_MANY_NAMES] ? identity_make_as(&many, &t->many_names, e)
                                                      : 0;
}

static void fill_features(struct server_tls *t, const struct options *o)
{
    t->features = (struct context_features){
        .tickets = o->tickets,
        .ticket_answer = (enum ticket_callback)o->ticket_callback,
        .ring = t->ring,
        .ticket_seed = o->port_use == PORT_ALONE ? 0 : o->seed,
        .session_timeout_s = (uint32_t)(o->session_timeout_ns / LIMIT_SECOND_NS),
        .early_data_bytes = (uint32_t)o->early_data,
        .psk = o->psk,
        .client_auth = (enum client_auth)o->client_auth,
        .staple = o->ocsp ? &t->staple : NULL,
        .unknown_name = (enum sni_unknown)o->sni_unknown,
        .second = o->key == KEY_BOTH ? &t->second : NULL,
        .groups = o->groups,
        .ciphers = o->ciphers,
        .renegotiation = o->renegotiation,
        .padding_bytes = o->record_padding};
}

int server_tls_open(struct server_tls *t, const struct options *o, struct err *e)
{
    if (make_identities(t, o, e) < 0)
        return -1;
    if (o->ticket_rotate && ticket_ring_new(o->ticket_rotate, &t->ring, e) < 0)
        return -1;
    if (o->ocsp &&
        staple_make((enum ocsp_kind)o->ocsp, &t->identity, &t->authority, &t->staple, e) < 0)
        return -1;
    fill_features(t, o);
    if (o->sni_switch && make_context(t, o, &t->other_identity, &t->other, e) < 0)
        return -1;
    t->features.other = t->other;
    return 0;
}

void server_tls_fini(struct server_tls *t)
{
    SSL_CTX_free(t->other);
    ticket_ring_free(t->ring);
    staple_fini(&t->staple);
    identity_fini(&t->many_names);
    identity_fini(&t->other_identity);
    identity_fini(&t->second);
    identity_fini(&t->identity);
    identity_fini(&t->authority);
}
