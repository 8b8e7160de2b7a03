#include "pki.h"

#include "tls/client_certs.h"

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
            return err_set(e, "the clients' certificates can't be kept in memory: %s",
                           strerror(errno));
        text += n;
        left -= (size_t)n;
    }
    return 0;
}

static int memory_file(const char *name, const char *text, int *ret_fd, struct err *e)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return err_set(e, "no memory file can be made: %s", strerror(errno));
    if (write_all(fd, text, e) < 0) {
        close(fd);
        return -1;
    }
    *ret_fd = fd;
    return 0;
}

int pki_make(int *ret_server_fd, int *ret_client_fd, struct err *e)
{
    char *authority = NULL, *clients = NULL;
    int server_fd = -1;
    int rc = client_certs_make(&authority, &clients, e);
    if (rc == 0)
        rc = memory_file("soak-authority", authority, &server_fd, e);
    if (rc == 0 && (rc = memory_file("soak-clients", clients, ret_client_fd, e)) == 0)
        *ret_server_fd = server_fd;
    else if (server_fd >= 0)
        close(server_fd);
    free(authority);
    free(clients);
    return rc;
}
