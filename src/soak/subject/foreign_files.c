/* SPDX-License-Identifier: Apache-2.0 */
#include "foreign.h"

#include "tls/client_certs.h"
#include "tls/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char cert_name[] = "cert.pem", key_name[] = "cert.pem.key", pem_name[] = "both.pem",
                  ca_name[] = "ca.pem";

/* Writes `text` (owned here; NULL: there was none) to a new file that only this user reads. */
static int write_text(char path[PATH_MAX], const char *folder, const char *name, char *text,
                      struct err *e)
{
    int n = snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - 32, folder, name);
    int fd = n < 0 ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t length = text ? strlen(text) : 0;
    int rc = 0;
    if (fd < 0 || !text || write(fd, text, length) != (ssize_t)length)
        rc = err_set(e, "%.300s: %s", path, text ? strerror(errno) : "no certificate can be made");
    if (fd >= 0)
        close(fd);
    free(text);
    return rc;
}

/* haproxy finds the key of a certificate by its name. */
static int make_identity(struct foreign_files *f, const struct identity_request *request,
                         struct err *e)
{
    struct identity id;
    if (identity_make_as(request, &id, e) != 0)
        return -1;
    char *both = identity_pem(&id, true), *cert = identity_pem(&id, false);
    char *key = both && cert ? strdup(both + strlen(cert)) : NULL;
    int rc = write_text(f->cert, f->work, cert_name, cert, e);
    if (write_text(f->key, f->work, key_name, key, rc ? NULL : e) != 0)
        rc = -1;
    if (write_text(f->pem, f->work, pem_name, both, rc ? NULL : e) != 0)
        rc = -1;
    identity_fini(&id);
    return rc;
}

/* The authority that the client's certificates are signed by, where it shows some. */
static int make_authority(struct foreign_files *f, const struct subject *s, struct err *e)
{
    enum { PEM_BYTES = 16384 };
    char *text = calloc(1, PEM_BYTES), *unused = NULL;
    if (s->pki_fd < 0) {
        free(text);
        text = NULL;
        if (client_certs_make(&text, &unused, e) != 0)
            return -1;
    } else if (text && pread(s->pki_fd, text, PEM_BYTES - 1, 0) <= 0) {
        free(text);
        text = NULL;
    }
    free(unused);
    return write_text(f->ca, f->work, ca_name, text, e);
}

static int make_of_server(struct foreign_files *f, const struct subject *s, enum key_kind kind,
                          struct err *e)
{
    const struct identity_request request = {.kind = kind == KEY_BOTH ? KEY_P256 : kind,
                                             .common_name = "localhost"};
    if (make_identity(f, &request, e) != 0)
        return -1;
    return make_authority(f, s, e); /* a template or --env may name it, not the command alone */
}

/* All by the authority that signs soak-server's certificate, too. */
static int make_of_client(struct foreign_files *f, const struct subject *s, struct err *e)
{
    struct identity authority;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", s->pki_fd);
    if (identity_read(path, &authority, e) != 0)
        return -1;
    const struct identity_request request = {.common_name = "soak client", .issuer = &authority};
    int rc = make_identity(f, &request, e);
    if (rc == 0)
        rc = write_text(f->ca, f->work, ca_name, identity_pem(&authority, false), e);
    identity_fini(&authority);
    return rc;
}

/* Should soak be killed: its folder may be anywhere, and last for ever. */
static int start_cleaner(struct foreign_files *f, struct err *e)
{
    static const char *const names[] = {cert_name, key_name, pem_name, ca_name};
    enum { NAMES = sizeof names / sizeof *names };
    char path[NAMES][PATH_MAX + 16];
    const char *paths[NAMES + 1];
    for (size_t i = 0; i < NAMES; i++) {
        snprintf(path[i], sizeof path[i], "%s/%s", f->work, names[i]);
        paths[i] = path[i];
    }
    paths[NAMES] = f->work;
    return cleaner_start(&f->cleaner, paths, NAMES + 1, false, e);
}

int foreign_files_make(struct foreign_files *f, const struct subject *s,
                       const struct scenario *scenario, struct err *e)
{
    snprintf(f->work, sizeof f->work, "%s/work", s->all->dir->path);
    if (mkdir(f->work, 0700) != 0)
        return err_set(e, "%.300s: %s", f->work, strerror(errno));
    if (start_cleaner(f, e) != 0)
        return -1;
    return s->serves ? make_of_server(f, s, (enum key_kind)scenario->key, e)
                     : make_of_client(f, s, e);
}

void foreign_files_remove(struct foreign_files *f)
{
    const char *const paths[] = {f->cert, f->key, f->pem, f->ca};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (*paths[i])
            unlink(paths[i]);
    if (*f->work)
        rmdir(f->work); /* what the program wrote stays, with its folder */
    cleaner_stop(&f->cleaner);
}
