/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make-certs FOLDER: writes authority.pem (for soak-server --client-ca) and clients.pem (for
 * soak-client --client-certs), made as soak makes them for its own runs.
 */
#include "tls/client_certs.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int write_text(const char *folder, const char *name, const char *text, struct err *e)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "we") : NULL;
    if (!file)
        return err_set(e, "%s/%s: can't be written", folder, name);
    bool written = fputs(text, file) >= 0;
    return fclose(file) == 0 && written ? 0 : err_set(e, "%s: can't be written", path);
}

int main(int argc, char **argv)
{
    char *authority = NULL, *clients = NULL;
    struct err e;
    if (argc != 2) {
        fprintf(stderr, "usage: make-certs FOLDER\n");
        return 2;
    }
    int rc = client_certs_make(&authority, &clients, &e);
    if (rc == 0)
        rc = write_text(argv[1], "authority.pem", authority, &e);
    if (rc == 0)
        rc = write_text(argv[1], "clients.pem", clients, &e);
    if (rc < 0)
        fprintf(stderr, "make-certs: %s\n", e.text);
    free(authority);
    free(clients);
    return rc < 0;
}
