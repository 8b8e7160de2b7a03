/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens a libcrypto while it runs, makes COUNT objects by it in one way, and keeps or frees them.
 * It ends by _exit(), so that the probe leaves its counts where they are.
 * Usage: opened-case LIBRARY WAY COUNT keep|free
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 100, GROWN = 9000, MOST = 1000 };

static void *library;

static void function_get(const char *name, void *to)
{
    void *found = dlsym(library, name);
    if (!found)
        exit(4);
    memcpy(to, &found, sizeof found);
}

/* ---- OpenSSL: an object of two blocks, one of which grows and moves to another place ---- */

static void *make_bio(void)
{
    const void *(*method)(void);
    void *(*new)(const void *method);
    int (*write)(void *bio, const void *data, int length);
    char data[GROWN] = {0};
    function_get("BIO_s_mem", &method);
    function_get("BIO_new", &new);
    function_get("BIO_write", &write);
    void *bio = new (method());
    return bio && write(bio, data, 1) == 1 && write(bio, data, GROWN) == GROWN ? bio : NULL;
}

static void drop_bio(void *bio)
{
    int (*drop)(void *bio);
    function_get("BIO_free", &drop);
    drop(bio);
}

/* OpenSSL allocates before anybody has noticed that it is here: dlvsym isn't looked at. */
static void be_late(void)
{
    void *(*allocate)(size_t size, const char *file, int line);
    void *found = dlvsym(library, "CRYPTO_malloc", "OPENSSL_3.0.0");
    if (!found)
        found = dlvsym(library, "CRYPTO_malloc", "OPENSSL_1_1_0");
    if (!found)
        _exit(77);
    memcpy(&allocate, &found, sizeof found);
    if (!allocate(SIZE, "early.c", 1))
        exit(5);
}

/* ---- late_crypto.c ---- */

static void *make_late(void)
{
    void *(*make)(size_t size);
    function_get("late_make", &make);
    return make(SIZE);
}

static void drop_late(void *block)
{
    void (*drop)(void *block);
    function_get("late_drop", &drop);
    drop(block);
}

/* ---- BoringSSL ---- */

static void *make_boring(void)
{
    void *(*make)(size_t size);
    void *(*grow)(void *block, size_t size);
    function_get("OPENSSL_malloc", &make);
    function_get("OPENSSL_realloc", &grow);
    char *block = make(SIZE);
    if (!block)
        return NULL;
    memset(block, 'a', SIZE);
    block = grow(block, GROWN);
    return block && block[0] == 'a' && block[SIZE - 1] == 'a' ? block : NULL;
}

static void drop_boring(void *block)
{
    void (*drop)(void *block);
    function_get("OPENSSL_free", &drop);
    drop(block);
}

static const struct {
    const char *name;
    void (*before)(void);
    void *(*make)(void);
    void (*drop)(void *object);
} ways[] = {
    {"bio", NULL, make_bio, drop_bio},
    {"late-bio", be_late, make_bio, drop_bio},
    {"late", NULL, make_late, drop_late},
    {"boring", NULL, make_boring, drop_boring},
};

static int run(size_t way, size_t count, bool keep)
{
    static void *kept[MOST];
    if (ways[way].before)
        ways[way].before();
    for (size_t i = 0; i < count; i++) {
        kept[i] = ways[way].make();
        if (!kept[i])
            return 3;
    }
    for (size_t i = 0; i < count && !keep; i++)
        ways[way].drop(kept[i]);
    return 0;
}

int main(int argc, char **argv)
{
    size_t count = argc == 5 ? strtoul(argv[3], NULL, 10) : MOST + 1;
    library = argc == 5 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (!library || count > MOST)
        return 2;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(argv[2], ways[i].name) == 0)
            _exit(run(i, count, strcmp(argv[4], "keep") == 0));
    }
    return 2;
}
