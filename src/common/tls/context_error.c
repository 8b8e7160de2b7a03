/* SPDX-License-Identifier: Apache-2.0 */
/* What every part of a context asks: OpenSSL's reason, and the features of the context. */
#include "context_internal.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

char *context_error(char *buf, size_t size)
{
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (!code)
        snprintf(buf, size, "OpenSSL gave no reason");
    else if (ERR_GET_LIB(code) == ERR_LIB_SYS)
        snprintf(buf, size, "%s", strerror(ERR_GET_REASON(code)));
    else if (reason)
        snprintf(buf, size, "%s", reason);
    else
        ERR_error_string_n(code, buf, size);
    ERR_clear_error();
    return buf;
}

int context_fail(struct err *e, const char *what)
{
    char why[256];
    return err_set(e, "%s: %s", what, context_error(why, sizeof why));
}

const struct context_features *context_features_of(const SSL *ssl)
{
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}
