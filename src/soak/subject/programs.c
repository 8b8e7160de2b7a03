/* SPDX-License-Identifier: Apache-2.0 */
#include "programs.h"

#include "base/process.h"
#include "environment.h"
#include "mapped.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int programs_find(const struct scenario *s, struct programs *ret, struct err *e)
{
    const struct assembly_request asked = {
        .openssl = s->openssl, .libuv = s->libuv, .jemalloc = s->jemalloc, .libc = s->libc};
    *ret = (struct programs){.scenario = s};
    if (process_own_folder(ret->folder, sizeof ret->folder, e) != 0)
        return -1;
    if (!asked.openssl && !asked.libuv && !asked.jemalloc && !asked.libc)
        return 0;
    ret->assembled = true;
    return assembly_make(&asked, &ret->assembly, e);
}

const char *programs_server_folder(const struct programs *p)
{
    return p->assembled ? p->assembly.folder : p->folder;
}

/* Enum scenario_malloc of one of the two. */
static int allocator_of(const struct programs *p, bool server)
{
    const struct scenario *s = p->scenario;
    if (server || s->client_malloc == CLIENT_MALLOC_SAME)
        return s->malloc;
    return s->client_malloc == CLIENT_MALLOC_LIBC ? MALLOC_LIBC : MALLOC_JEMALLOC;
}

char **programs_environment(const struct programs *p, bool server)
{
    const char *library_path = server && p->assembled ? p->assembly.library_path : "";
    return environment_make(&(struct environment_request){.allocator = allocator_of(p, server),
                                                          .library_path = library_path,
                                                          .passed = &p->scenario->env});
}

int programs_start(const struct programs *p, struct child *c, bool server, uv_loop_t *loop,
                   char *const *argv, struct run_dir *dir, int extra_fd, struct err *e)
{
    char path[PATH_MAX + 32], log[32];
    snprintf(path, sizeof path, "%s/soak-%s", server ? programs_server_folder(p) : p->folder,
             c->name);
    snprintf(log, sizeof log, "%s.log", c->name);
    int log_fd = run_dir_log(dir, log, e);
    if (log_fd < 0)
        return -1;
    c->environment = programs_environment(p, server);
    int rc = child_start(c, loop, path, argv, log_fd, extra_fd, e);
    environment_free(c->environment);
    c->environment = NULL;
    close(log_fd);
    return rc;
}

int programs_check_allocator(const struct programs *p, bool server, const char *libs, struct err *e)
{
    return environment_check(allocator_of(p, server), libs, e);
}

int programs_check(const struct programs *p, const struct child *c, bool server, const char *libs,
                   struct err *e)
{
    if (programs_check_allocator(p, server, libs, e) != 0)
        return -1;
    return server && p->assembled ? mapped_check(&p->assembly, c->pid, e) : 0;
}
