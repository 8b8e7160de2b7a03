/* SPDX-License-Identifier: Apache-2.0 */
/* Why nothing of a program is counted, as far as that can be seen from outside. */
#include "foreign.h"

#include "base/text.h"
#include "libs/elf_facts.h"
#include "page/page_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PATH_BYTES = 64, ENVIRON_BYTES = 1 << 20, FEW = 10 };

static int open_of(pid_t pid, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Whether it has no dynamic linker, which is what loads the probe. */
static bool is_static(pid_t pid)
{
    char path[PATH_BYTES];
    struct elf_facts facts;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    return elf_facts_read(path, &facts, NULL) != 0 || !facts.interpreter[0];
}

/* Whether the dynamic linker ignores LD_PRELOAD with it (ld.so(8), secure-execution mode). */
static bool is_privileged(int fd)
{
    struct stat st;
    char unused[64];
    if (fstat(fd, &st) == 0 && st.st_mode & (S_ISUID | S_ISGID))
        return true;
    return fgetxattr(fd, "security.capability", unused, sizeof unused) > 0;
}

/* Whether its environment, as it was started with, still names the page. */
static bool is_told(pid_t pid)
{
    int fd = open_of(pid, "environ");
    char *text = fd < 0 ? NULL : calloc(1, ENVIRON_BYTES + 1);
    ssize_t n = text ? read(fd, text, ENVIRON_BYTES) : 0;
    bool told = n > 0 && memmem(text, (size_t)n, "SOAK_PROBE=", 11);
    free(text);
    if (fd >= 0)
        close(fd);
    return told;
}

/* Whether page and tables, which are sparse, found no room for want of that much. */
static bool is_below(pid_t pid, __rlimit_resource_t resource, rlim_t least)
{
    struct rlimit limit;
    return prlimit(pid, resource, NULL, &limit) == 0 && limit.rlim_cur < least;
}

/* The page is open to soak's user alone. */
static const char *unreached(pid_t pid)
{
    char path[PATH_BYTES];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    if (is_below(pid, RLIMIT_AS, PAGE_LEAST_AS))
        return "has the probe loaded, and too little address space for its page (RLIMIT_AS); let "
               "it have 2 GiB: ulimit -v 2097152, or LimitAS=2G of systemd";
    if (is_below(pid, RLIMIT_DATA, PAGE_LEAST_DATA))
        return "has the probe loaded, and too little memory for its tables (RLIMIT_DATA); let it "
               "have 1 GiB: ulimit -d 1048576, or LimitDATA=1G of systemd";
    return stat(path, &st) == 0 && st.st_uid != geteuid()
               ? "has the probe loaded, and it can't reach its page, which is open to soak's user "
                 "alone; let it run as that user, or soak as the program's"
               : "has the probe loaded, and it can't reach its page";
}

static const char *without_row(const struct page *page, pid_t pid)
{
    char probe[PATH_MAX];
    int fd = open_of(pid, "exe");
    bool fixed = fd >= 0 && is_static(pid), privileged = fd >= 0 && is_privileged(fd);
    if (fd >= 0)
        close(fd);
    if (fixed)
        return "is linked statically, so that no probe can be loaded into it";
    if (privileged)
        return "is setuid, setgid or has capabilities, with which the dynamic linker ignores "
               "LD_PRELOAD; start it without them";
    if (proc_mapped_path(pid, "libsoakprobe", probe, sizeof probe, NULL) == 0)
        return atomic_load(&page->processes_lost)
                   ? "found no room in the probe's table of processes: too many live at a time"
                   : unreached(pid);
    return is_told(pid) ? "didn't load the probe: it runs on another libc, or for another machine"
                        : "was started with an environment of its own, without LD_PRELOAD and "
                          "SOAK_PROBE; let them through";
}

static bool has_page(pid_t pid)
{
    char path[PATH_MAX];
    return proc_mapped_path(pid, "memfd:" PAGE_FILE, path, sizeof path, NULL) == 0;
}

bool foreign_is_jvm(pid_t pid)
{
    char path[PATH_MAX];
    return proc_mapped_path(pid, "libjvm.so", path, sizeof path, NULL) == 0;
}

const char *foreign_why_uncounted(const struct foreign *f, const struct snapshot_process *row,
                                  size_t rows, pid_t pid)
{
    const struct page *page = f->subject->child.page;
    size_t i = 0;
    while (i < rows && row[i].pid != pid)
        i++;
    /* The row may be that of what it was before it became another program. */
    if (i == rows || !has_page(pid))
        return without_row(page, pid);
    if (row[i].flags & PAGE_PROCESS_NO_OPENSSL && foreign_is_jvm(pid))
        return "is a JVM without a libcrypto of OpenSSL: what its own TLS (JSSE) keeps is on the "
               "Java "
               "heap, where soak doesn't look; netty-tcnative and the like are counted";
    if (row[i].flags & PAGE_PROCESS_NO_OPENSSL)
        return "has no libcrypto of OpenSSL loaded as a library: another TLS library, or a copy "
               "that is linked into it; --malloc-hooks counts its blocks all the same";
    return "has a libcrypto whose allocations can't be hooked";
}

/* The names of those that are counted, each once. */
static void names_text(const struct snapshot_process *row, size_t rows, char *buf, size_t size)
{
    struct text list = text_list(buf, size, ", ");
    for (size_t i = 0; i < rows; i++) {
        bool named = row[i].mode == PAGE_MODE_INACTIVE;
        for (size_t k = 0; k < i; k++)
            named |= strcmp(row[k].name, row[i].name) == 0;
        if (!named)
            text_item(&list, "%s", row[i].name);
    }
}

const char *foreign_doubt(const struct subject *s)
{
    if (atomic_load(&s->child.page->processes_apart))
        return "a process of the program is in a PID or time namespace of its own (a container, "
               "unshare), where it can't be told when one ends; start it without";
    if (atomic_load(&s->child.page->processes_lost))
        return "the program had more processes and threads at a time than the probe has places "
               "for: what those that ended held still counts";
    if (atomic_load(&s->child.page->memory_shared) && !foreign_judges_all(s->foreign))
        return "the program's processes share OpenSSL's memory, and one frees what another has "
               "allocated; --processes all judges them together";
    return NULL;
}

/* Whether some are counted, and --processes chooses none of them; or one is chosen. */
static bool is_chosen(const struct foreign *f, const struct snapshot_process *row, size_t rows,
                      size_t *ret_active)
{
    size_t active = 0;
    for (size_t i = 0; i < rows; i++) {
        if (row[i].mode == PAGE_MODE_INACTIVE)
            continue;
        if (foreign_chooses(f, row[i].pid, row[i].name))
            return true;
        active++;
    }
    *ret_active = active;
    return false;
}

/* What it allocated was counted, and it went with the processes that ended. */
static bool is_short_lived(const struct subject *s, struct text *to)
{
    if (s->serves || !is_told(s->child.pid) || snapshot_allocs(s->child.page) < FEW)
        return false;
    text_add(to,
             "no process of the %s that makes connections lives long enough to be looked at; let "
             "one process make all connections",
             s->child.name);
    return true;
}

static void say_why(const struct subject *s, const struct snapshot_process *row, size_t rows,
                    struct text *to)
{
    if (is_short_lived(s, to))
        return;
    if (s->foreign->main_ended && s->all->programs->scenario->loop) {
        text_add(to,
                 "nothing is counted of what the %s held at its end: no libcrypto of the process "
                 "that --%s starts can be hooked, and those that it starts in turn don't count "
                 "with --loop; soak help servers",
                 s->child.name, s->child.name);
        return;
    }
    struct process_tree *tree = calloc(1, sizeof *tree);
    if (tree)
        process_tree_read(tree, s->child.process.pid);
    const struct process *p = tree ? process_tree_listener(tree, (unsigned)s->all->port) : NULL;
    pid_t pid = p ? p->pid : s->child.pid;
    text_add(to,
             "nothing of the %s's allocations is counted: %.*s (process %d) %s; soak help servers",
             s->child.name, PROCESS_NAME, p ? p->name : "it", (int)pid,
             foreign_why_uncounted(s->foreign, row, rows, pid));
    free(tree);
}

/* Whether malloc was to be counted, and in a process that is looked at (with `active`: that is
 * counted and chosen) its calls don't come to the probe. */
static bool is_passed_by(const struct subject *s, const struct snapshot_process *row, size_t rows,
                         bool active)
{
    bool passed = false;
    for (size_t i = 0; i < rows && s->all->programs->scenario->malloc_hooks; i++) {
        bool counts = row[i].mode != PAGE_MODE_INACTIVE &&
                      foreign_chooses(s->foreign, row[i].pid, row[i].name);
        passed |= (counts || !active) && !(row[i].flags & PAGE_PROCESS_MALLOC);
    }
    return passed;
}

/* A TLS server has dozens of blocks, or had them in processes that ended. Where hardly one of them
 * is counted, the others come from elsewhere all the same. */
static bool has_hardly_any(const struct subject *s)
{
    struct snapshot now;
    if (!s->serves || snapshot_allocs(s->child.page) >= FEW ||
        snapshot_read(s->child.page, &now, NULL) != 0)
        return false;
    int64_t blocks = now.blocks;
    snapshot_free(&now);
    return blocks < FEW;
}

/* The page goes with the image that has mapped it. What is about to end has nothing mapped. */
static bool is_strayed(pid_t pid)
{
    char path[PATH_MAX];
    return !has_page(pid) && proc_mapped_path(pid, "", path, sizeof path, NULL) == 0;
}

int foreign_check(const struct subject *s, struct err *e)
{
    struct snapshot_process row[PAGE_PROCESSES];
    size_t rows = foreign_processes(s, row);
    pid_t before = s->foreign->strayed;
    s->foreign->strayed = 0;
    for (size_t i = 0; i < rows; i++) {
        if (row[i].mode == PAGE_MODE_INACTIVE ||
            !foreign_chooses(s->foreign, row[i].pid, row[i].name) || !is_strayed(row[i].pid))
            continue;
        s->foreign->strayed = row[i].pid;
        if (row[i].pid == before)
            return err_set(e,
                           "the %s's figures are old: %.16s (process %d) has executed another "
                           "program in its place, which %s; soak help servers",
                           s->child.name, row[i].name, (int)row[i].pid,
                           without_row(s->child.page, row[i].pid));
    }
    return 0;
}

bool foreign_blind(const struct subject *s, char *buf, size_t size)
{
    struct snapshot_process row[PAGE_PROCESSES];
    char names[200];
    struct text to = text_into(buf, size);
    size_t rows = foreign_processes(s, row), active = 0;
    bool apart = atomic_load(&s->child.page->processes_apart);
    bool chosen = !apart && is_chosen(s->foreign, row, rows, &active);
    bool passed_by = is_passed_by(s, row, rows, chosen);
    if (chosen && !passed_by && !has_hardly_any(s))
        return false;
    if (chosen || (!apart && !active && passed_by)) {
        text_add(
            &to,
            "nothing of the %s's %s is counted: the probe is loaded, and malloc is the program's "
            "own, another preloaded library's, or that of a tool such as valgrind",
            s->child.name, passed_by ? "calls of malloc" : "allocations");
    } else if (apart) {
        text_add(&to, "%s", foreign_doubt(s));
    } else if (active) {
        names_text(row, rows, names, sizeof names);
        text_add(&to, "--processes %.60s: none that is counted; there is %s",
                 s->all->programs->scenario->processes, names);
        if (s->foreign->main_ended && strcmp(s->all->programs->scenario->processes, "main") == 0)
            text_add(&to, "; the program that was started has ended: let it stay in the "
                          "foreground");
    } else {
        say_why(s, row, rows, &to);
    }
    return true;
}
