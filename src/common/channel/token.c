/* SPDX-License-Identifier: Apache-2.0 */
#include "token.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int token_make(char ret[TOKEN_BYTES], struct err *e)
{
    uint8_t bytes[TOKEN_KEY];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return err_set(e, "no random numbers can be had for a join token");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return 0;
}

/* Letters, digits and the signs of base64: what every generator of tokens makes. */
static int check(const char *token, struct err *e)
{
    size_t length = strlen(token);
    size_t right = strspn(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789+/=_.-");
    if (right == length && length >= TOKEN_LEAST && length <= TOKEN_MOST)
        return 0;
    return err_set(e,
                   "a join token has %d to %d letters and digits, such as those of "
                   "'openssl rand -hex 32'",
                   TOKEN_LEAST, TOKEN_MOST);
}

static int take(char *text, char ret[TOKEN_BYTES], struct err *e)
{
    size_t length = strlen(text);
    while (length && strchr(" \t\r\n", text[length - 1]))
        text[--length] = '\0';
    int rc = check(text, e);
    if (rc == 0)
        memcpy(ret, text, length + 1);
    return rc;
}

static int from_environment(char ret[TOKEN_BYTES], struct err *e)
{
    char text[TOKEN_BYTES + 4];
    const char *value = getenv(TOKEN_VARIABLE);
    if (!value || !*value) {
        err_set(e, "no join token: give --token-file FILE, or set " TOKEN_VARIABLE);
        return -ENOENT;
    }
    snprintf(text, sizeof text, "%s", value);
    int rc = take(text, ret, e);
    OPENSSL_cleanse(text, sizeof text);
    return rc == 0 ? 0 : err_prefix(e, TOKEN_VARIABLE);
}

/* Up to the size, or the end. */
static ssize_t read_all(int fd, char *text, size_t size)
{
    size_t used = 0;
    ssize_t n = 1;
    while (used < size && (n = read(fd, text + used, size - used)) > 0)
        used += (size_t)n;
    return n < 0 ? -1 : (ssize_t)used;
}

int token_read(const char *file, char ret[TOKEN_BYTES], struct err *e)
{
    char text[TOKEN_BYTES + 4];
    if (!file) {
        int found = from_environment(ret, e);
        unsetenv(TOKEN_VARIABLE);
        return found;
    }
    bool in = strcmp(file, "-") == 0;
    int fd = in ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read_all(fd, text, sizeof text - 1);
    int why = errno;
    if (fd >= 0 && !in)
        close(fd);
    if (n < 0) {
        err_set(e, "--token-file %.200s: %s", file, strerror(why));
        return why == ENOENT ? -ENOENT : -1;
    }
    text[n] = '\0';
    int rc = strlen(text) == (size_t)n ? take(text, ret, e) : take((char[]){""}, ret, e);
    OPENSSL_cleanse(text, sizeof text);
    return rc == 0 ? 0 : err_prefix(e, "--token-file %.200s", file);
}

int token_check(const char *file, struct err *e)
{
    char token[TOKEN_BYTES];
    struct stat s;
    if (file && (stat(file, &s) != 0 || !S_ISREG(s.st_mode)))
        return 0;
    int rc = file ? token_read(file, token, e) : from_environment(token, e);
    OPENSSL_cleanse(token, sizeof token);
    return rc == -1 ? -1 : 0;
}

bool token_is_exposed(const char *file, char *buf, size_t size)
{
    struct stat s;
    static const char others[] = "other users may use the join token";
    if (!file || stat(file, &s) != 0 || !S_ISREG(s.st_mode))
        return false;
    const unsigned mode = s.st_mode & 07777;
    const bool is_own = s.st_uid == getuid(), is_roots = s.st_uid == 0;
    if ((is_own && (mode & 077) == 0) || (!is_own && is_roots && (mode & 037) == 0))
        return false;
    if (is_own)
        snprintf(buf, size, "%s: %.300s has mode %04o; chmod 600 keeps it from them", others, file,
                 mode);
    else if (is_roots)
        snprintf(buf, size, "%s: %.300s is root's and has mode %04o", others, file, mode);
    else
        snprintf(buf, size, "%s: %.300s belongs to user %u", others, file, (unsigned)s.st_uid);
    return true;
}

/* Under a name that nobody else has; mkostemp makes it 0600. Returns 0 or -errno. */
static int write_beside(char *beside, const char *token)
{
    int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int written = dprintf(fd, "%s\n", token), why = errno;
    if (close(fd) != 0 && written >= 0) {
        written = -1;
        why = errno;
    }
    if (written == (int)strlen(token) + 1)
        return 0;
    unlink(beside);
    return written < 0 ? -why : -ENOSPC;
}

/* Never over one that is there: not every file system has links, nor each the other way. */
static int give_name(const char *beside, const char *file)
{
    int rc = link(beside, file) == 0 ? 0 : -errno;
    if (rc != 0 && rc != -EEXIST &&
        renameat2(AT_FDCWD, beside, AT_FDCWD, file, RENAME_NOREPLACE) == 0)
        return 0;
    unlink(beside);
    return rc;
}

int token_write(const char *file, const char *token, struct err *e)
{
    char beside[TOKEN_PATH + 8];
    snprintf(beside, sizeof beside, "%.*s.XXXXXX", TOKEN_PATH, file);
    int rc = write_beside(beside, token);
    if (rc == 0)
        rc = give_name(beside, file);
    if (rc == 0)
        return 0;
    err_set(e, "the join token can't be written to %.300s: %s", file, strerror(-rc));
    return rc == -EEXIST ? rc : -1;
}

int token_find(const char *file, const char *folder, char ret[TOKEN_BYTES],
               char ret_made[TOKEN_PATH], struct err *e)
{
    char path[TOKEN_PATH];
    int rc = token_read(file, ret, e);
    ret_made[0] = '\0';
    if (rc != -ENOENT)
        return rc;
    if (file)
        snprintf(path, sizeof path, "%s", file);
    else
        snprintf(path, sizeof path, "%s/join-token", folder);
    if (token_make(ret, e) != 0)
        return -1;
    rc = token_write(path, ret, e);
    if (rc == -EEXIST) /* another run's, since it was looked for */
        rc = token_read(path, ret, e) == 0 ? 1 : -1;
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    memcpy(ret_made, path, sizeof path);
    return 0;
}

void token_key(const char *token, uint8_t ret[TOKEN_KEY])
{
    static const char name[] = "soak-agent join token";
    unsigned length = 0;
    CHECK(HMAC(EVP_sha256(), name, sizeof name - 1, (const uint8_t *)token, strlen(token), ret,
               &length) &&
          length == TOKEN_KEY);
}
