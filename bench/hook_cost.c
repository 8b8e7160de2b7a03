/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hooks of libsoakprobe.so cost a pair of allocation and free: through OpenSSL and through
 * malloc() alone, in turns within one process, so that the machine's load falls on both; in
 * processes without and with the probe, in turns.
 * Usage: hook-cost [THREADS]
 */
#include "base/check.h"
#include "base/process.h"
#include "page/page_file.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HELD = 64, PAIRS = 200000, ROUNDS = 41, RUNS = 5, SITES = 16, THREADS_MAX = 64 };

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Sizes as OpenSSL asks for: mostly small, a few of kilobytes. */
static size_t size_of(unsigned i)
{
    return i % 16 == 0 ? 4096 + i % 1024 : 16 + i * 13 % 300;
}

static double openssl_pairs(void)
{
    void *held[HELD] = {0};
    uint64_t from = now_ns();
    for (unsigned i = 0; i < PAIRS; i++) {
        CRYPTO_free(held[i % HELD], "bench.c", 0);
        held[i % HELD] = CRYPTO_malloc(size_of(i), "bench.c", 1 + (int)(i % SITES));
    }
    double ns = (double)(now_ns() - from) / PAIRS;
    for (unsigned i = 0; i < HELD; i++)
        CRYPTO_free(held[i], "bench.c", 0);
    return ns;
}

static double plain_pairs(void)
{
    void *held[HELD] = {0};
    uint64_t from = now_ns();
    for (unsigned i = 0; i < PAIRS; i++) {
        free(held[i % HELD]);
        held[i % HELD] = malloc(size_of(i));
        __asm__ volatile("" : : "r"(held[i % HELD]) : "memory");
    }
    double ns = (double)(now_ns() - from) / PAIRS;
    for (unsigned i = 0; i < HELD; i++)
        free(held[i]);
    return ns;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *ns, size_t count)
{
    qsort(ns, count, sizeof *ns, compare);
    return ns[count / 2];
}

struct result {
    double openssl, plain;
};

static void *measure(void *to)
{
    struct result *result = to;
    double openssl[ROUNDS], plain[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        openssl[i] = openssl_pairs();
        plain[i] = plain_pairs();
    }
    *result = (struct result){median(openssl, ROUNDS), median(plain, ROUNDS)};
    return NULL;
}

/* In a process of its own: prints what a pair takes. */
static int loop(int threads)
{
    pthread_t thread[THREADS_MAX];
    struct result result[THREADS_MAX] = {0}, sum = {0, 0};
    for (int i = 0; i < threads; i++)
        CHECK(pthread_create(&thread[i], NULL, measure, &result[i]) == 0);
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        sum.openssl += result[i].openssl / threads;
        sum.plain += result[i].plain / threads;
    }
    printf("%.4f %.4f\n", sum.openssl, sum.plain);
    return 0;
}

/* Runs the loop; `environment` goes before the command, as in a shell. */
static struct result run(const char *environment, const char *folder, int threads)
{
    char command[4 * PATH_MAX];
    struct result result;
    snprintf(command, sizeof command, "%s '%s/hook-cost' loop %d", environment, folder, threads);
    FILE *said = popen(command, "r");
    CHECK(said && fscanf(said, "%lf %lf", &result.openssl, &result.plain) == 2);
    CHECK(pclose(said) == 0);
    return result;
}

static void tell(const char *what, double *pair, double *ratio)
{
    printf("%-18s %6.1f ns per pair through OpenSSL: %.2f of malloc() and free() alone\n", what,
           median(pair, RUNS), median(ratio, RUNS));
}

static int compare_both(int threads)
{
    char folder[PATH_MAX], environment[2 * PATH_MAX];
    double pair[2][RUNS], ratio[2][RUNS], added[RUNS];
    int fd;
    struct page *page;
    struct stat st;
    CHECK(process_own_folder(folder, sizeof folder, NULL) == 0);
    CHECK(page_file_make(&fd, &page, NULL) == 0 && fstat(fd, &st) == 0);
    snprintf(environment, sizeof environment,
             "SOAK_PROBE=fd=-1,ino=%llu:%llu,path=/proc/%d/fd/%d LD_PRELOAD='%s/libsoakprobe.so'",
             (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, (int)getpid(), fd,
             folder);
    for (int i = 0; i < 2 * RUNS; i++) {
        struct result r = run(i % 2 ? environment : "", folder, threads);
        pair[i % 2][i / 2] = r.openssl;
        ratio[i % 2][i / 2] = r.openssl / r.plain;
    }
    CHECK(page->mode == PAGE_MODE_HOOKS);
    for (int i = 0; i < RUNS; i++)
        added[i] = pair[1][i] - pair[0][i];
    tell("without the probe", pair[0], ratio[0]);
    tell("libsoakprobe.so", pair[1], ratio[1]);
    printf("%-18s %6.1f ns per pair\n", "the probe adds", median(added, RUNS));
    return 0;
}

int main(int argc, char **argv)
{
    bool in_loop = argc > 1 && strcmp(argv[1], "loop") == 0;
    int threads = argc > 1 + in_loop ? atoi(argv[1 + in_loop]) : 1;
    CHECK(threads >= 1 && threads <= THREADS_MAX);
    return in_loop ? loop(threads) : compare_both(threads);
}
