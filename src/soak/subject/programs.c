/* SPDX-License-Identifier: Apache-2.0 */
#include "programs.h"

#include "base/check.h"
#include "base/memory_file.h"
#include "base/process.h"
#include "base/text.h"
#include "catalog.h"
#include "environment.h"
#include "library/program.h"
#include "measure/proc.h"
#include "tls/client_certs.h"
#include "tls/identity.h"

#include <ctype.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- certificates ---- */

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

int pki_make_for_program(int *ret_program_fd, int *ret_server_fd, struct err *e)
{
    struct identity authority;
    int program_fd = -1;
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    if (identity_make(KEY_P256, "soak's authority", NULL, &authority, e) != 0)
        return -1;
    char *text = identity_pem(&authority, true);
    identity_fini(&authority);
    int rc = text ? memory_file_make("soak-authority", text, &program_fd, e)
                  : err_set(e, "out of memory for the certificates");
    if (rc == 0 && (rc = memory_file_make("soak-authority", text, ret_server_fd, e)) == 0)
        *ret_program_fd = program_fd;
    else if (program_fd >= 0)
        close(program_fd);
    free(text);
    return rc;
}

/* ---- what is mapped ---- */

/* The files that a part is mapped by, by the beginnings of their names. */
static const struct {
    enum lib_part part;
    const char *prefix;
} files[] = {{LIB_OPENSSL, "libssl.so"},
             {LIB_OPENSSL, "libcrypto.so"},
             {LIB_LIBUV, "libuv.so"},
             {LIB_JEMALLOC, "libjemalloc.so"},
             {LIB_LIBC, "libc.so"}};

_Static_assert(sizeof files / sizeof *files == MAPPED_MAX, "a place for each file");

/* The libc of this very process, if the other one has mapped the same file. */
static void own_libc(struct mapped *m)
{
    char own[PATH_MAX];
    if (proc_mapped_path(getpid(), "libc.so", own, sizeof own, NULL) == 0 &&
        strcmp(own, m->file) == 0)
        snprintf(m->version, sizeof m->version, "%s", gnu_get_libc_version());
}

static void fill(struct mapped *m, enum lib_part part, const struct assembly *assembly)
{
    m->part = lib_part_entry(part)->name;
    if (assembly && assembly_owns(assembly, part, m->file)) {
        snprintf(m->version, sizeof m->version, "%s", assembly->part[part].version);
        snprintf(m->origin, sizeof m->origin, "%s", assembly->part[part].origin);
    } else if (part == LIB_LIBC) {
        own_libc(m);
    }
}

/* `OpenSSL 3.0.22 1 Jul 2026`, as OpenSSL_version() has it, in libcrypto's constants. */
static void find_version(const char *bytes, size_t size, struct mapped *m)
{
    static const char lead[] = "OpenSSL ";
    const char *end = bytes + size, *at = bytes;
    while ((at = memmem(at, (size_t)(end - at), lead, sizeof lead - 1))) {
        at += sizeof lead - 1;
        size_t length = strnlen(at, (size_t)(end - at)), version = 0;
        while (version < length &&
               (isalnum((unsigned char)at[version]) || strchr(".-+~", at[version])))
            version++;
        if (isdigit((unsigned char)at[0]) && version < length && at[version] == ' ' &&
            memchr(at, '.', version)) {
            snprintf(m->version, sizeof m->version, "%.*s", (int)version, at);
            return;
        }
    }
}

static void own_openssl(struct mapped *m)
{
    int fd = open(m->file, O_RDONLY | O_CLOEXEC);
    struct stat s;
    if (fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes != MAP_FAILED) {
            find_version(bytes, (size_t)s.st_size, m);
            munmap(bytes, (size_t)s.st_size);
        }
    }
    if (fd >= 0)
        close(fd);
}

/* libssl doesn't say its version, but one build installs both: that of a libcrypto beside it. */
static void own_libssl(struct mapped *libssl, const struct mapped *libcrypto)
{
    size_t folder = (size_t)(strrchr(libcrypto->file, '/') - libcrypto->file) + 1;
    if (!libssl->version[0] && strncmp(libssl->file, libcrypto->file, folder) == 0 &&
        !strchr(libssl->file + folder, '/'))
        memcpy(libssl->version, libcrypto->version, sizeof libssl->version);
}

size_t mapped_read(const struct programs *p, pid_t pid, struct mapped ret[MAPPED_MAX])
{
    const struct assembly *assembly = p->assembled ? &p->assembly : NULL;
    const bool foreign = p->scenario->server || p->scenario->client;
    size_t count = 0;
    for (size_t i = 0; i < MAPPED_MAX; i++) {
        struct mapped *m = &ret[count];
        *m = (struct mapped){.part = NULL};
        if (proc_mapped_path(pid, files[i].prefix, m->file, sizeof m->file, NULL) != 0)
            continue;
        fill(m, files[i].part, assembly);
        if (foreign && strstr(m->file, "/libcrypto.so")) {
            own_openssl(m);
            if (count && strstr(ret[0].file, "/libssl.so"))
                own_libssl(&ret[0], m);
        }
        count++;
    }
    return count;
}

/* Returns 0, or -1 when the process has mapped another library than the assembly's. */
static int mapped_check(const struct assembly *assembly, pid_t pid, struct err *e)
{
    for (size_t i = 0; i < MAPPED_MAX; i++) {
        char path[PATH_MAX];
        const struct lib *lib = &assembly->part[files[i].part];
        if (!lib->name[0] || proc_mapped_path(pid, files[i].prefix, path, sizeof path, NULL) != 0)
            continue;
        if (!assembly_owns(assembly, files[i].part, path))
            return err_set(e, "%s %s is asked for and it has mapped %.300s",
                           lib_part_entry(files[i].part)->name, lib->name, path);
    }
    return 0;
}

/* ---- the programs ---- */

/* Returns 0, or -ENOENT: then a suite skips the scenario. */
static int check_needed(const char *needed, struct err *e)
{
    char path[PATH_MAX];
    if (!needed || process_find(needed, path, sizeof path, NULL) == 0)
        return 0;
    err_set(e, "--needs %.100s: no such program in PATH; install it", needed);
    return -ENOENT;
}

int programs_find(const struct scenario *s, struct programs *ret, struct err *e)
{
    const struct assembly_request asked = {
        .openssl = s->openssl, .libuv = s->libuv, .jemalloc = s->jemalloc, .libc = s->libc};
    *ret = (struct programs){.scenario = s};
    int needed = check_needed(s->needs, e);
    if (needed != 0)
        return needed;
    if (catalog_programs(ret->folder, sizeof ret->folder, e) != 0)
        return -1;
    if (s->program)
        return program_make(s->program, NULL, ret->program, e);
    if (!asked.openssl && !asked.libuv && !asked.jemalloc && !asked.libc)
        return 0;
    ret->assembled = true;
    return assembly_make(&asked, &ret->assembly, e);
}

const char *programs_server_folder(const struct programs *p)
{
    return p->assembled ? p->assembly.folder : p->folder;
}

/* Enum malloc_kind of one of the two. */
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

void programs_probe(const char *folder, bool malloc_hooks, char *buf, size_t size)
{
    snprintf(buf, size, "%s/libsoakprobe%s.so", folder, malloc_hooks ? "-malloc" : "");
}

int programs_probe_check(const char *path, struct err *e)
{
    if (access(path, R_OK) != 0)
        return err_set(e, "%.300s isn't there; build it", path);
    if (strpbrk(path, " :"))
        return err_set(e,
                       "%.300s: LD_PRELOAD can't have a path with a blank or a colon; move soak to "
                       "another folder",
                       path);
    return 0;
}

static void probe_path(const struct programs *p, char *buf, size_t size)
{
    programs_probe(p->folder, p->scenario->malloc_hooks, buf, size);
}

int programs_check_probe(const struct programs *p, struct err *e)
{
    char path[PATH_MAX + 64];
    probe_path(p, path, sizeof path);
    if (!p->scenario->probe || programs_probe_check(path, e) == 0)
        return 0;
    return err_prefix(e, "%s", p->scenario->malloc_hooks ? "--malloc-hooks" : "--server");
}

/* --env, the placeholders filled in. Writes texts that free() frees, up to the first that is
 * refused. Returns 0 or -1. */
static int fill_environment(const struct opts_list *from, const struct words_value *values,
                            char **ret, struct err *e)
{
    for (size_t i = 0; i < from->count; i++) {
        ret[i] = words_fill(from->item[i], values, false, e);
        if (!ret[i])
            return err_prefix(e, "--env %.100s", from->item[i]);
    }
    return 0;
}

static char **make_foreign(const struct programs *p, const struct opts_list *passed,
                           const char *page)
{
    const struct scenario *s = p->scenario;
    char preload[2 * PATH_MAX], probe[PATH_MAX + 64];
    struct text list = text_list(preload, sizeof preload, ":");
    probe_path(p, probe, sizeof probe);
    if (s->probe)
        text_item(&list, "%s", probe);
    if (s->malloc == MALLOC_JEMALLOC)
        text_item(&list, "libjemalloc.so.2");
    return environment_make(&(struct environment_request){.allocator = s->malloc,
                                                          .library_path = "",
                                                          .passed = passed,
                                                          .preload = preload,
                                                          .page = s->probe ? page : NULL});
}

char **programs_foreign_environment(const struct programs *p, const struct placeholders *values,
                                    const char *page, struct err *e)
{
    const struct opts_list *given = &p->scenario->env;
    struct words_value of[PLACEHOLDERS + 1];
    char *filled[OPTS_LIST] = {NULL}, **environment = NULL;
    placeholders_values(values, of);
    if (fill_environment(given, of, filled, e) == 0) {
        struct opts_list passed = {.count = given->count};
        for (size_t i = 0; i < given->count; i++)
            passed.item[i] = filled[i];
        environment = make_foreign(p, &passed, page);
    }
    for (size_t i = 0; i < given->count; i++)
        free(filled[i]);
    return environment;
}

int programs_start(const struct programs *p, struct child *c, const struct programs_launch *launch,
                   struct err *e)
{
    char path[PATH_MAX + 32], log[CHILD_LABEL];
    snprintf(path, sizeof path, "%s/soak-%s",
             launch->server ? programs_server_folder(p) : p->folder, c->name);
    int log_fd = run_dir_log(launch->dir, child_log_name(c, log, sizeof log), e);
    if (log_fd < 0)
        return -1;
    const struct child_launch started = {.loop = launch->loop,
                                         .path = path,
                                         .argv = launch->argv,
                                         .environment = programs_environment(p, launch->server),
                                         .log_fd = log_fd,
                                         .extra_fd = launch->extra_fd,
                                         .heap_fd = launch->heap_fd};
    int rc = child_start(c, &started, e);
    environment_free(started.environment);
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
