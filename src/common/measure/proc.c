/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/proc.h"

#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_BYTES = 4096, PATH_BYTES = 64 };

static char *proc_path(char *buf, pid_t pid, const char *name)
{
    snprintf(buf, PATH_BYTES, "/proc/%d/%s", (int)pid, name);
    return buf;
}

/* One sentence for whatever /proc refuses: a process that is gone, or one that isn't ours. */
static int say(struct err *e, pid_t pid, const char *name, int code)
{
    if (code == ENOENT || code == ESRCH)
        return err_set(e, "process %d is gone", (int)pid);
    return err_set(e, "/proc/%d/%s: %s", (int)pid, name, strerror(code));
}

/* Reads a small file of /proc whole, terminated. These files are made at the first read, so one
 * read into enough room gives figures of one moment. */
static int read_text(pid_t pid, const char *name, char *text, size_t size, struct err *e)
{
    char path[PATH_BYTES];
    int fd = open(proc_path(path, pid, name), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return say(e, pid, name, errno);
    ssize_t got;
    do
        got = read(fd, text, size - 1);
    while (got < 0 && errno == EINTR);
    int code = got < 0 ? errno : ESRCH;
    close(fd);
    if (got <= 0)
        return say(e, pid, name, code);
    text[got] = 0;
    return 0;
}

/* The figure of the line `key:   123 kB`, in the file's own unit. Returns 0 or -1. */
static int find_figure(const char *text, const char *key, uint64_t *ret)
{
    size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ':')
            return sscanf(line + length + 1, "%" SCNu64, ret) == 1 ? 0 : -1;
    }
    return -1;
}

/* What /proc calls kB is 1,024 bytes. */
static int find_bytes(pid_t pid, const char *text, const char *key, uint64_t *ret, struct err *e)
{
    uint64_t kib;
    if (find_figure(text, key, &kib) != 0)
        return err_set(e, "the figures that /proc has of process %d lack %s", (int)pid, key);
    *ret = kib * 1024;
    return 0;
}

/* The state and the number of threads from /proc/PID/stat (proc(5), fields 3 and 20). The command's
 * name, field 2, may hold blanks and parentheses: only the last parenthesis ends it. */
static int read_state(pid_t pid, char *ret_state, uint64_t *ret_threads, struct err *e)
{
    char text[TEXT_BYTES];
    if (read_text(pid, "stat", text, sizeof text, e) != 0)
        return -1;
    const char *after = strrchr(text, ')');
    char state;
    uint64_t threads;
    if (!after || sscanf(after + 1,
                         " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                         "%" SCNu64,
                         &state, &threads) != 2)
        return err_set(e, "/proc/%d/stat can't be read", (int)pid);
    *ret_state = state;
    *ret_threads = threads;
    return 0;
}

static bool is_over(char state)
{
    return state == 'Z' || state == 'X';
}

/* A thread that still has the process's memory and files; 0: none. */
static pid_t living_thread(pid_t pid)
{
    char path[PATH_BYTES], state = 'X';
    uint64_t unused;
    pid_t found = 0;
    DIR *folder = opendir(proc_path(path, pid, "task"));
    for (const struct dirent *entry; folder && !found && (entry = readdir(folder));) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        if (thread > 0 && read_state(thread, &state, &unused, NULL) == 0 && !is_over(state))
            found = thread;
    }
    if (folder)
        closedir(folder);
    return found;
}

/* A process whose first thread has ended lives as long as another one does, but under its own
 * number /proc shows neither memory nor files of it. `*ret_asked` is whom to ask: any thread has a
 * folder of that kind. */
static int read_stat(pid_t pid, pid_t *ret_asked, uint64_t *ret_threads, struct err *e)
{
    char state;
    if (read_state(pid, &state, ret_threads, e) != 0)
        return -1;
    *ret_asked = is_over(state) ? living_thread(pid) : pid;
    return *ret_asked ? 0 : err_set(e, "process %d has ended", (int)pid);
}

pid_t proc_asked(pid_t pid)
{
    uint64_t unused;
    pid_t thread;
    return read_stat(pid, &thread, &unused, NULL) == 0 ? thread : pid;
}

static int read_cpu(pid_t pid, uint64_t *ret_ns, struct err *e)
{
    clockid_t clock;
    struct timespec t;
    int code = clock_getcpuclockid(pid, &clock);
    if (code != 0)
        return say(e, pid, "cpu clock", code);
    if (clock_gettime(clock, &t) != 0)
        return say(e, pid, "cpu clock", errno == EINVAL ? ESRCH : errno);
    *ret_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    return 0;
}

/* Fields 16 and 17 of /proc/PID/stat (proc(5)). */
int proc_ended_cpu_read(pid_t pid, uint64_t *ret_ns, struct err *e)
{
    char text[TEXT_BYTES];
    uint64_t user, kernel;
    if (read_text(pid, "stat", text, sizeof text, e) != 0)
        return -1;
    const char *after = strrchr(text, ')');
    if (!after ||
        sscanf(after + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &user,
               &kernel) != 2)
        return err_set(e, "/proc/%d/stat can't be read", (int)pid);
    *ret_ns = (user + kernel) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
    return 0;
}

static int read_rss(pid_t pid, uint64_t *ret_bytes, struct err *e)
{
    char text[TEXT_BYTES];
    uint64_t pages;
    if (read_text(pid, "statm", text, sizeof text, e) != 0)
        return -1;
    if (sscanf(text, "%*u %" SCNu64, &pages) != 1)
        return err_set(e, "/proc/%d/statm can't be read", (int)pid);
    *ret_bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return 0;
}

static int count_files(pid_t pid, uint64_t *ret_count, uint64_t *ret_descriptors, struct err *e)
{
    char path[PATH_BYTES];
    DIR *folder = opendir(proc_path(path, pid, "fd"));
    if (!folder)
        return say(e, pid, "fd", errno);
    uint64_t count = 0, descriptors = 0,
             own = pid == getpid() ? (uint64_t)dirfd(folder) : UINT64_MAX;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        uint64_t fd;
        /* Looking at oneself opens one more: the folder. */
        if (sscanf(entry->d_name, "%" SCNu64, &fd) != 1 || fd == own)
            continue;
        count++;
        descriptors = fd + 1 > descriptors ? fd + 1 : descriptors;
    }
    *ret_count = count;
    *ret_descriptors = descriptors;
    closedir(folder);
    return 0;
}

static int sample_quick(pid_t pid, pid_t *ret_asked, struct proc_sample *ret, struct err *e)
{
    struct proc_sample s = {.processes = 1};
    if (read_stat(pid, ret_asked, &s.threads, e) != 0 ||
        read_rss(*ret_asked, &s.rss_bytes, e) != 0 || read_cpu(pid, &s.cpu_ns, e) != 0)
        return -1;
    *ret = s;
    return 0;
}

int proc_sample_quick(pid_t pid, struct proc_sample *ret, struct err *e)
{
    pid_t unused;
    return sample_quick(pid, &unused, ret, e);
}

int proc_sample_full(pid_t pid, struct proc_sample *ret, struct err *e)
{
    char text[TEXT_BYTES];
    struct proc_sample s;
    pid_t of;
    if (sample_quick(pid, &of, &s, e) != 0 || read_text(of, "status", text, sizeof text, e) != 0 ||
        find_bytes(pid, text, "VmRSS", &s.rss_bytes, e) != 0 ||
        find_bytes(pid, text, "RssAnon", &s.rss_anon_bytes, e) != 0 ||
        count_files(of, &s.open_files, &s.descriptors, e) != 0)
        return -1;
    *ret = s;
    return 0;
}

/* Field 3 of a thread's stat first (proc(5)), then its schedstat: what wants nothing at the first
 * look has all that it wanted in the second. */
static bool add_wanted(pid_t pid, const char *thread, struct proc_wanted *sum)
{
    char name[PATH_BYTES], text[TEXT_BYTES];
    uint64_t ran, waited;
    snprintf(name, sizeof name, "task/%.20s/stat", thread);
    if (read_text(pid, name, text, sizeof text, NULL) != 0)
        return false;
    const char *after = strrchr(text, ')');
    bool now = after && strncmp(after, ") R", 3) == 0;
    snprintf(name, sizeof name, "task/%.20s/schedstat", thread);
    if (read_text(pid, name, text, sizeof text, NULL) != 0 ||
        sscanf(text, "%" SCNu64 " %" SCNu64, &ran, &waited) != 2)
        return false;
    sum->ns += ran + waited;
    sum->now |= now;
    return true;
}

int proc_wanted_read(pid_t pid, struct proc_wanted *ret, struct err *e)
{
    char path[PATH_BYTES];
    struct proc_wanted sum = {0};
    bool any = false;
    DIR *folder = opendir(proc_path(path, pid, "task"));
    if (!folder)
        return say(e, pid, "task", errno);
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            any |= add_wanted(pid, entry->d_name, &sum);
    closedir(folder);
    if (!any)
        return err_set(e, "/proc/%d/schedstat isn't there", (int)pid);
    *ret = sum;
    return 0;
}

/* Linux 4.14 has the sum of all mappings in one file, unless it is hidden there. */
static FILE *open_mappings(pid_t pid)
{
    char path[PATH_BYTES];
    FILE *file = fopen(proc_path(path, pid, "smaps_rollup"), "re");
    if (!file)
        file = fopen(proc_path(path, pid, "smaps"), "re");
    return file;
}

/* A line of either file. Returns whether it had one of the figures. */
static bool add_figure(const char *line, struct proc_rollup *sum)
{
    uint64_t kib, *bytes;
    if (find_figure(line, "Pss", &kib) == 0)
        bytes = &sum->pss_bytes;
    else if (find_figure(line, "Private_Dirty", &kib) == 0)
        bytes = &sum->private_dirty_bytes;
    else if (find_figure(line, "Anonymous", &kib) == 0)
        bytes = &sum->anonymous_bytes;
    else
        return false;
    *bytes += kib * 1024;
    return true;
}

int proc_rollup_read(pid_t pid, struct proc_rollup *ret, struct err *e)
{
    struct proc_rollup sum = {.processes = 1};
    bool any = false;
    char *line = NULL;
    size_t room = 0;
    FILE *file = open_mappings(proc_asked(pid));
    if (!file)
        return say(e, pid, "smaps", errno);
    while (getline(&line, &room, file) > 0)
        any |= add_figure(line, &sum);
    free(line);
    fclose(file);
    if (!any)
        return say(e, pid, "smaps", ESRCH);
    *ret = sum;
    return 0;
}

/* The path in a line of /proc/PID/maps when its last part starts with `prefix`, or NULL. Cuts the
 * newline. */
static const char *mapped_match(char *line, const char *prefix)
{
    line[strcspn(line, "\n")] = 0;
    const char *path = strchr(line, '/');
    if (!path)
        return NULL;
    return strncmp(strrchr(path, '/') + 1, prefix, strlen(prefix)) == 0 ? path : NULL;
}

int proc_mapped_path(pid_t pid, const char *prefix, char *buf, size_t size, struct err *e)
{
    char name[PATH_BYTES];
    FILE *maps = fopen(proc_path(name, proc_asked(pid), "maps"), "re");
    if (!maps)
        return say(e, pid, "maps", errno);
    char *line = NULL;
    size_t room = 0;
    const char *path = NULL;
    while (!path && getline(&line, &room, maps) > 0)
        path = mapped_match(line, prefix);
    int code = -1;
    if (!path)
        err_set(e, "process %d has mapped no %s", (int)pid, prefix);
    else if (strlen(path) >= size)
        err_set(e, "the path of %s in process %d is too long", prefix, (int)pid);
    else
        code = 0;
    if (code == 0)
        memcpy(buf, path, strlen(path) + 1);
    free(line);
    fclose(maps);
    return code;
}

void proc_machine(char *buf, size_t size, int *ret_cpus)
{
    struct utsname name;
    if (uname(&name) == 0)
        snprintf(buf, size, "%s %s %s", name.sysname, name.release, name.machine);
    else
        snprintf(buf, size, "unknown");
    *ret_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
}

enum { STEP_BYTES = 65536 };

/* Fills `text` up to `limit`, growing it as needed. Returns the length, or -1 with errno. */
static ssize_t read_growing(int fd, size_t limit, char **text)
{
    size_t length = 0, room = 0;
    while (length < limit) {
        if (room - length < STEP_BYTES) {
            char *larger = realloc(*text, room + 2 * STEP_BYTES + 1);
            if (!larger)
                return -1;
            *text = larger;
            room += 2 * STEP_BYTES;
        }
        size_t want = limit - length < STEP_BYTES ? limit - length : STEP_BYTES;
        ssize_t got = read(fd, *text + length, want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

static void end_after_last_line(char *text, size_t length)
{
    while (length > 0 && text[length - 1] != '\n')
        length--;
    text[length] = '\0';
}

int maps_read(pid_t pid, size_t limit, char **ret_text, struct err *e)
{
    char path[64], *text = NULL;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)proc_asked(pid));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, "%s: %s", path, strerror(errno));
    ssize_t length = read_growing(fd, limit, &text);
    if (length < 0 || !text) {
        err_set(e, "%s: %s", path, strerror(errno));
        free(text);
        close(fd);
        return -1;
    }
    close(fd);
    end_after_last_line(text, (size_t)length);
    *ret_text = text;
    return 0;
}

void proc_add_memory(struct proc_sample *sum, const struct proc_sample *one)
{
    sum->rss_bytes += one->rss_bytes;
    sum->rss_anon_bytes += one->rss_anon_bytes;
    sum->processes += one->processes;
    sum->cpu_ns += one->cpu_ns;
}

void proc_add_counts(struct proc_sample *sum, const struct proc_sample *one)
{
    sum->threads += one->threads;
    sum->open_files += one->open_files;
    sum->descriptors = one->descriptors > sum->descriptors ? one->descriptors : sum->descriptors;
}

void proc_add_rollup(struct proc_rollup *sum, const struct proc_rollup *one)
{
    sum->processes += one->processes;
    sum->pss_bytes += one->pss_bytes;
    sum->private_dirty_bytes += one->private_dirty_bytes;
    sum->anonymous_bytes += one->anonymous_bytes;
}
