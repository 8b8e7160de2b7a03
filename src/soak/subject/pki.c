/* SPDX-License-Identifier: Apache-2.0 */
#include "pki.h"

#include "base/memory_file.h"
#include "tls/client_certs.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

int pki_make(int *ret_server_fd, int *ret_client_fd, struct err *e)
{
    char *authority = NULL, *clients = NULL;
    int server_fd = -1;
    /* The caller's OPENSSL_CONF is nothing to a certificate of soak's. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    int rc = client_certs_make(&authority, &clients, e);
    if (rc == 0)
        rc = memory_file_make("soak-authority", authority, &server_fd, e);
    if (rc == 0 && (rc = memory_file_make("soak-clients", clients, ret_client_fd, e)) == 0)
        *ret_server_fd = server_fd;
    else if (server_fd >= 0)
        close(server_fd);
    free(authority);
    free(clients);
    return rc;
}
