/* SPDX-License-Identifier: Apache-2.0 */
#include "history_file.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What SQLite keeps beside a file in WAL mode. */
static const char log_suffix[] = "-wal", index_suffix[] = "-shm";

static int beside(char buf[PATH_MAX], const char *path, const char *suffix, struct err *e)
{
    if ((size_t)snprintf(buf, PATH_MAX, "%s%s", path, suffix) < PATH_MAX)
        return 0;
    return err_set(e, "%.60s...: the path is too long", path);
}

static void unlink_beside(const char *path, const char *suffix)
{
    char other[PATH_MAX];
    if (beside(other, path, suffix, NULL) == 0)
        unlink(other);
}

static bool is_named_db(const char *path)
{
    static const char suffix[] = ".db";
    size_t length = strlen(path), end = sizeof suffix - 1;
    return length > end && strcmp(path + length - end, suffix) == 0;
}

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Whether another program wrote it, or a person. By the database's header, as www.sqlite.org's
 * "Database File Format" has it: a history that was killed in its making has one page, and no mark
 * yet; what is no database may be a broken history where it is named like one. */
static bool is_foreign(const char *path)
{
    enum { HEADER = 100, PAGES = 28, MARK = 68 };
    unsigned char header[HEADER];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, header, sizeof header) : 0;
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    if (n < HEADER || memcmp(header, "SQLite format 3", 16) != 0)
        return !is_named_db(path);
    return big_endian(header + MARK) != HISTORY_DB_MARK && big_endian(header + PAGES) > 1;
}

int history_file_check(const char *path, struct err *e)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return 0;
    if (S_ISREG(s.st_mode))
        return is_foreign(path)
                   ? err_set(e,
                             "%.300s: not soak's history, so it is left alone; SOAK_HISTORY may "
                             "name another file",
                             path)
                   : 0;
    return err_set(e, "%.300s: %s, and no file that a history can be in", path,
                   S_ISDIR(s.st_mode) ? "a folder" : "a device or pipe");
}

/* ---- locks ---- */

static int open_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int length = slash && slash != path ? (int)(slash - path) : 1;
    snprintf(folder, sizeof folder, "%.*s", length, slash ? path : ".");
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int history_file_hold(const char *path, enum history_hold how, struct err *e)
{
    int kind = how == HISTORY_WRITE ? LOCK_SH : LOCK_EX;
    int wait_ms = how == HISTORY_WRITE ? (int)HISTORY_DB_WAIT_MS : (int)HISTORY_REPLACE_WAIT_MS;
    uint64_t end = clock_now_ns() + (uint64_t)wait_ms * 1000000;
    if (history_file_check(path, e) != 0)
        return -1;
    int fd = open_folder(path);
    if (fd < 0)
        return err_set(e, "%.300s: its folder: %s", path, strerror(errno));
    while (flock(fd, kind | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR)) {
        if (clock_now_ns() > end) {
            close(fd);
            return err_set(e, "%.300s: another process holds it locked", path);
        }
        sqlite3_sleep(10);
    }
    return fd;
}

void history_file_let_go(int hold)
{
    if (hold >= 0)
        close(hold);
}

/* ---- another in its place ---- */

struct history_mark history_file_mark(const char *path)
{
    struct stat s;
    struct history_mark mark = {.last = 0};
    struct history_db *db = stat(path, &s) == 0 ? history_db_read(path, NULL) : NULL;
    if (!db || history_db_last(db, &mark.last, NULL) != 0)
        mark.last = 0;
    else
        mark = (struct history_mark){s.st_dev, s.st_ino, mark.last};
    history_db_close(db);
    return mark;
}

int history_file_catch_up(const char *path, const struct history_mark *since, const char *made,
                          struct err *e)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return 0;
    /* Brought to today's form, as both have to be; one that can't be has nothing to give. */
    struct history_db *old = history_db_open(path, NULL);
    history_db_close(old);
    if (!old)
        return 0;
    bool same = s.st_dev == since->device && s.st_ino == since->inode;
    struct history_db *db = history_db_open(made, e);
    int rc = db ? history_db_take(db, path, same ? since->last : 0, e) : -1;
    history_db_close(db);
    return rc;
}

/* The log of the old file would be taken for one of the new file: it goes first. */
int history_file_replace(const char *path, const char *made, struct err *e)
{
    char old[PATH_MAX];
    if (beside(old, path, ".old", e) != 0)
        return -1;
    if (rename(path, old) != 0 && errno != ENOENT)
        return err_set(e, "%.300s: it can't be moved aside: %s", path, strerror(errno));
    unlink_beside(path, log_suffix);
    unlink_beside(path, index_suffix);
    return rename(made, path) == 0 ? 0 : err_set(e, "%.300s: %s", path, strerror(errno));
}

/* ---- a broken one ---- */

bool history_file_is_broken(const char *path, struct err *e)
{
    return is_named_db(path) && access(path, F_OK) == 0 && history_db_is_damaged(path, e);
}

/* The first name that is free; of very many broken ones the last is overwritten. */
static int name_aside(const char *path, char ret[PATH_MAX], struct err *e)
{
    enum { MOST = 99 };
    for (int i = 1; i <= MOST; i++) {
        char suffix[24] = ".broken";
        if (i > 1)
            snprintf(suffix, sizeof suffix, ".broken-%d", i);
        if (beside(ret, path, suffix, e) != 0)
            return -1;
        if (access(ret, F_OK) != 0)
            break;
    }
    return 0;
}

int history_file_set_aside(const char *path, char ret_aside[PATH_MAX], struct err *e)
{
    char aside[PATH_MAX], log[PATH_MAX], log_aside[PATH_MAX];
    if (name_aside(path, aside, e) != 0 || beside(log, path, log_suffix, e) != 0 ||
        beside(log_aside, aside, log_suffix, e) != 0)
        return -1;
    if (rename(path, aside) != 0)
        return err_set(e, "%.300s: it can't be moved aside: %s", path, strerror(errno));
    if (rename(log, log_aside) != 0)
        unlink(log);
    unlink_beside(path, index_suffix);
    memcpy(ret_aside, aside, sizeof aside);
    return 0;
}
