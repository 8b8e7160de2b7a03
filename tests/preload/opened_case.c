/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens a libcrypto while it runs, makes COUNT objects by it in one way, and keeps or frees them.
 * Usage: opened-case LIBRARY WAY COUNT keep|free
 */
#include "ways.h"

#include <dlfcn.h>

enum { SIZE = 100, GROWN = 9000 };

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

static const struct way ways[] = {
    {"bio", make_bio, drop_bio, NULL},
    {"late-bio", make_bio, drop_bio, be_late},
    {"late", make_late, drop_late, NULL},
    {"boring", make_boring, drop_boring, NULL},
};

int main(int argc, char **argv)
{
    library = argc == 5 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (library)
        ways_run(ways, sizeof ways / sizeof *ways, argv + 2);
    return 2;
}
