/* SPDX-License-Identifier: Apache-2.0 */
#include "context_internal.h"

#include <string.h>

static int unknown_name(const struct context_features *f, int *alert)
{
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    switch (f->unknown_name) {
    case SNI_UNKNOWN_ACCEPT:
        break;
    case SNI_UNKNOWN_WARN:
        return SSL_TLSEXT_ERR_ALERT_WARNING;
    case SNI_UNKNOWN_REFUSE:
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* Called for every ClientHello, with a name or without. */
static int on_name(SSL *ssl, int *alert, void *arg)
{
    const struct context_features *f = context_features_of(ssl);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)arg;
    if (!f || !name || strcmp(name, "localhost") == 0)
        return SSL_TLSEXT_ERR_OK;
    if (!f->other || strcmp(name, CONTEXT_OTHER_NAME) != 0)
        return unknown_name(f, alert);
    return SSL_set_SSL_CTX(ssl, f->other) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void context_set_names(SSL_CTX *ctx)
{
    SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
}
