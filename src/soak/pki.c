#include "pki.h"

#include "tls/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int write_all(int fd, const char *text, struct err *e)
{
    size_t left = strlen(text);
    while (left) {
        ssize_t n = write(fd, text, left);
        if (n < 0)
            return err_set(e, "the client's certificate can't be kept in memory: %s",
                           strerror(errno));
        text += n;
        left -= (size_t)n;
    }
    return 0;
}

static int write_pem(int fd, const struct identity *client, const struct identity *authority,
                     struct err *e)
{
    char *leaf = identity_pem(client, true), *root = identity_pem(authority, false);
    int rc = leaf && root ? 0 : err_set(e, "out of memory for the client's certificate");
    if (rc == 0)
        rc = write_all(fd, leaf, e);
    if (rc == 0)
        rc = write_all(fd, root, e);
    free(leaf);
    free(root);
    return rc;
}

int pki_make(struct err *e)
{
    struct identity authority = {0}, client = {0};
    int fd = memfd_create("soak-pki", MFD_CLOEXEC);
    if (fd < 0)
        return err_set(e, "no memory file can be made: %s", strerror(errno));
    int rc = identity_make(IDENTITY_P256, "soak client authority", NULL, &authority, e);
    if (rc == 0)
        rc = identity_make(IDENTITY_P256, "soak client", &authority, &client, e);
    if (rc == 0)
        rc = write_pem(fd, &client, &authority, e);
    identity_fini(&client);
    identity_fini(&authority);
    if (rc != 0) {
        close(fd);
        return -1;
    }
    return fd;
}
