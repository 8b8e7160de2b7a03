/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that allocates through OpenSSL and knows nothing of the probe. Usage: preload-case CASE
 * At each step it prints `step` and waits for a line.
 */
#include "preload_case.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void step_saying(long number)
{
    char line[16];
    printf("step %ld\n", number);
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        exit(9);
}

void step(void)
{
    step_saying(0);
}

void *make(size_t size, int line)
{
    void *block = CRYPTO_malloc(size, FILE_NAME, line);
    if (!block)
        exit(8);
    memset(block, line, size);
    return block;
}

void drop(void *block)
{
    CRYPTO_free(block, FILE_NAME, 0);
}

/* ---- one process ---- */

static int sites(void)
{
    void *first[] = {make(100, 1), make(100, 1), make(100, 1)};
    step();
    void *second[] = {make(1, 2), make(70000, 2)};
    drop(first[0]);
    step();
    drop(first[1]);
    drop(first[2]);
    drop(second[0]);
    drop(second[1]);
    step();
    return 0;
}

static int sizes(void)
{
    enum { BIG = 600 << 20 };
    if (CRYPTO_malloc(0, FILE_NAME, 1) || CRYPTO_malloc(SIZE_MAX - 3, FILE_NAME, 1))
        return 1;
    char *big = CRYPTO_malloc(BIG, FILE_NAME, 2);
    if (!big)
        return 2;
    void *small = make(1, 3);
    step();
    big = CRYPTO_realloc(big, BIG + 5, FILE_NAME, 4);
    step();
    drop(big);
    drop(small);
    step();
    return 0;
}

static int reallocs(void)
{
    char *block = make(50, 1);
    step();
    block = CRYPTO_realloc(block, 5000000, FILE_NAME, 2);
    if (!block || block[0] != 1 || block[49] != 1)
        return 1;
    step();
    if (CRYPTO_realloc(block, SIZE_MAX - 3, FILE_NAME, 3))
        return 2;
    step();
    if (CRYPTO_realloc(block, 0, FILE_NAME, 3))
        return 3;
    void *from_nothing = CRYPTO_realloc(NULL, 20, FILE_NAME, 4);
    step();
    drop(from_nothing);
    step();
    return 0;
}

static __attribute__((noinline)) void *make_deep(int depth, size_t size, int line)
{
    void *block = depth ? make_deep(depth - 1, size, line) : make(size, line);
    __asm__ volatile("" : : "r"(block) : "memory"); /* no call in tail position */
    return block;
}

static int captured(void)
{
    void *before = make(10, 1);
    step();
    void *block[4];
    for (volatile int i = 0; i < 2; i++)
        block[i] = make_deep(1, 100, 1); /* from one place */
    block[2] = make_deep(2, 100, 1);
    block[3] = make_deep(2, 100, 2);
    step();
    drop(block[0]);
    block[1] = CRYPTO_realloc(block[1], 500000, FILE_NAME, 1);
    block[2] = CRYPTO_realloc(block[2], 700, FILE_NAME, 3);
    step();
    for (size_t i = 1; i < sizeof block / sizeof *block; i++)
        drop(block[i]);
    drop(before);
    step();
    return 0;
}

/* Blocks that come to us or leave us behind OpenSSL's back. */
static int strangers(void)
{
    enum { BLOCKS = 5 }; /* so many the allocator gives again at once */
    void *block[BLOCKS];
    for (int i = 0; i < BLOCKS; i++)
        block[i] = make(200, 1);
    for (int i = 0; i < BLOCKS; i++)
        free(block[i]);
    step();
    for (int i = 0; i < BLOCKS; i++)
        block[i] = make(200, 2);
    step();
    for (int i = 0; i < BLOCKS; i++)
        drop(block[i]);
    drop(malloc(300));
    drop(CRYPTO_realloc(malloc(300), 400, FILE_NAME, 3));
    step();
    return 0;
}

/* ---- threads ---- */

enum { THREADS = 8, ROUNDS = 20000, HELD = 7 };

static void *hammer(void *unused)
{
    void *held[HELD] = {0};
    for (int i = 0; i < ROUNDS; i++) {
        void **at = &held[i % HELD];
        if (*at && i % 3 == 0)
            *at = CRYPTO_realloc(*at, (size_t)(1 + i % 900), FILE_NAME, 20 + i % 5);
        else {
            drop(*at);
            *at = make((size_t)(1 + i % 700), 1 + i % 10);
        }
    }
    for (int i = 1; i < HELD; i++)
        drop(held[i]);
    return unused ? unused : held[0]; /* one each is kept */
}

static int threads(void)
{
    pthread_t thread[THREADS];
    void *kept[THREADS];
    step();
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, hammer, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], &kept[i]);
    step();
    for (int i = 0; i < THREADS; i++)
        drop(kept[i]);
    step();
    return 0;
}

/* What OpenSSL keeps per thread it frees when the thread ends. */
static pthread_key_t late_key;

static void *end_late(void *unused)
{
    pthread_setspecific(late_key, make(25, 6));
    return unused;
}

static int endings(void)
{
    enum { ENDINGS = 200 };
    if (pthread_key_create(&late_key, drop) != 0)
        return 1;
    step();
    for (int i = 0; i < ENDINGS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, end_late, NULL) != 0)
            return 2;
        pthread_join(thread, NULL);
    }
    step();
    return 0;
}

/* ---- processes ---- */

/* The child goes on where its thread ends, and has counted nothing. */
static void *fork_and_end(void *ret_code)
{
    drop(make(32, 1));
    pid_t pid = fork();
    if (pid == 0)
        return NULL;
    *(int *)ret_code = wait_for(pid);
    step();
    return NULL;
}

static int ending_child(void)
{
    pthread_t thread;
    int code = 1;
    make(20, 2);
    if (pthread_create(&thread, NULL, fork_and_end, &code) != 0)
        return 2;
    pthread_join(thread, NULL);
    return code;
}

int wait_for(pid_t pid)
{
    int status;
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 7;
}

static void child_counts(void *inherited, void *moved)
{
    drop(inherited);
    moved = CRYPTO_realloc(moved, 60, FILE_NAME, 3);
    void *own[] = {make(20, 2), make(20, 2)};
    drop(own[0]);
    step_saying(getpid());
    drop(own[1]);
    drop(moved);
    step_saying(getpid());
    _exit(0);
}

static int forks(void)
{
    void *block[] = {make(40, 1), make(40, 1), make(40, 1)};
    step();
    pid_t pid = fork();
    if (pid == 0)
        child_counts(block[0], block[1]);
    int code = wait_for(pid);
    drop(block[0]);
    step();
    drop(block[1]);
    drop(block[2]);
    step();
    return code;
}

/* Children that name the same sites at once, each in an order of its own. */
static int names(void)
{
    enum { CHILDREN = 8, LINES = 300 };
    int gate[2], done[2];
    char byte;
    if (pipe(gate) != 0 || pipe(done) != 0)
        return 1;
    for (int child = 0; child < CHILDREN; child++) {
        if (fork() != 0)
            continue;
        close(gate[1]);
        ssize_t said = read(gate[0], &byte, 1); /* until the parent has closed it */
        for (int i = 0; i < LINES; i++)
            make(20, 1 + (i * 7 + child * 31) % LINES);
        said += write(done[1], "", 1);
        close(done[1]);
        if (said != 1)
            _exit(1);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause(); /* alive, with all it holds */
    }
    close(gate[1]);
    close(done[1]);
    int ready = 0;
    while (read(done[0], &byte, 1) == 1)
        ready++;
    step_saying(ready);
    return 0;
}

/* The child shares its parent's memory until it runs another program. */
static int vforks(void)
{
    void *block = make(40, 1);
    pid_t pid = vfork();
    if (pid == 0) {
        execl("/bin/true", "true", NULL);
        _exit(6);
    }
    int code = wait_for(pid);
    make(40, 2);
    drop(block);
    step();
    return code;
}

/* Closes what it inherited, as daemons do, and becomes another program. */
static int closes(char **argv)
{
    for (int fd = 3; fd < 1000; fd++)
        close(fd);
    char next[] = "sites";
    execl(argv[0], argv[0], next, NULL);
    return 1;
}

/* Each image holds one block of its own. */
static int execs(char **argv)
{
    int left = argv[2] ? atoi(argv[2]) : 0;
    char next[] = {(char)('0' + left - 1), 0};
    make(30, 1);
    step();
    if (left)
        execl(argv[0], argv[0], argv[1], next, NULL);
    return 0;
}

/* Each child holds a block, and ends as a program does. */
static int children(void)
{
    enum { CHILDREN = 3 * 256 };
    step();
    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            drop(make(30, 1));
            make(30, 2);
            exit(0);
        }
        if (wait_for(pid) != 0)
            return 1;
    }
    step();
    return 0;
}

/* More at a time than the page has rows and slots. */
static int crowd(void)
{
    enum { CHILDREN = 270 };
    int gate[2], done[2];
    char byte;
    if (pipe(gate) != 0 || pipe(done) != 0)
        return 1;
    step();
    for (int i = 0; i < CHILDREN; i++) {
        if (fork() == 0) {
            void *block = make(30, 1);
            ssize_t said = write(done[1], "", 1);
            close(gate[1]);
            said += read(gate[0], &byte, 1);
            drop(block);
            exit(said == 1 ? 0 : 1);
        }
    }
    for (int i = 0; i < CHILDREN; i++) {
        if (read(done[0], &byte, 1) != 1)
            return 2;
    }
    step();
    close(gate[1]);
    int status, bad = 0;
    while (wait(&status) > 0)
        bad |= status;
    step();
    return bad ? 3 : 0;
}

/* Takes as many bytes, which are never touched. */
static int fills(char **argv)
{
    enum { PIECE = 1 << 20 };
    void *block = make(40, 1);
    for (long left = argv[2] ? atol(argv[2]) / PIECE : 0; left > 0; left--) {
        if (!malloc(PIECE))
            return 1;
    }
    step();
    drop(block);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } cases[] = {{"sites", sites},
                 {"sizes", sizes},
                 {"reallocs", reallocs},
                 {"captured", captured},
                 {"strangers", strangers},
                 {"threads", threads},
                 {"endings", endings},
                 {"forks", forks},
                 {"ending-child", ending_child},
                 {"vforks", vforks},
                 {"names", names},
                 {"children", children},
                 {"crowd", crowd},
                 {"chained", case_chained},
                 {"shared", case_shared},
                 {"signals", case_signals},
                 {"objects", case_objects},
                 {"connections", case_connections},
                 {"published", case_published},
                 {"operations", case_operations},
                 {"confined", case_confined},
                 {"locked", case_locked},
                 {"sandboxed", case_sandboxed}};
    if (argc > 1 && strcmp(argv[1], "execs") == 0)
        return execs(argv);
    if (argc > 1 && strcmp(argv[1], "fills") == 0)
        return fills(argv);
    if (argc > 1 && strcmp(argv[1], "closes") == 0)
        return closes(argv);
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(argv[1], cases[i].name) == 0)
            return cases[i].run();
    }
    return 64;
}
