#include "cmd_selftest.h"

#include "base/grammar.h"
#include "base/opts.h"
#include "selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { EXIT_USAGE = 2, ARGS = 24, WORD = 64, SEEDS_MAX = 1000 };

struct options {
    bool quick;
    uint64_t seeds;
};

static const struct opt table[] = {
    {"quick", OPT_FLAG, offsetof(struct options, quick), NULL, NULL, "each kind once"},
    {"seeds", OPT_COUNT, offsetof(struct options, seeds), "COUNT", NULL,
     "repeat each case with so many seeds"},
};

struct line {
    char *argv[ARGS + 1];
    int count;
    char seed[WORD], defect[WORD];
};

static void add(struct line *l, const char *word)
{
    if (l->count < ARGS)
        l->argv[l->count++] = (char *)(uintptr_t)word;
}

static void make_line(struct line *l, const struct selftest_case *c, uint64_t seed)
{
    *l = (struct line){.count = 0};
    snprintf(l->seed, sizeof l->seed, "%" PRIx64, seed);
    add(l, "soak");
    add(l, "run");
    add(l, "--churn");
    add(l, "max");
    add(l, "--quiet");
    add(l, "--json=-");
    add(l, "--seed");
    add(l, l->seed);
    if (c->defect) {
        snprintf(l->defect, sizeof l->defect, "%s%s%s", c->defect, c->rate ? ":" : "",
                 c->rate ? c->rate : "");
        add(l, "--defect");
        add(l, l->defect);
    }
    for (int i = 0; i < 6 && c->options[i]; i++)
        add(l, c->options[i]);
}

/* Starts this same program with the line; its stdout is `out`, its stderr goes nowhere. */
static pid_t start(struct line *l, int out)
{
    pid_t pid = -1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&pid, "/proc/self/exe", &actions, NULL, l->argv, environ) != 0)
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

/* Runs one case. Returns its document (json_decref), or NULL; 130 in *ret_exit when interrupted. */
static json_t *run_case(const struct selftest_case *c, uint64_t seed, int *ret_exit)
{
    struct line line;
    int pipe_fd[2], status = 0;
    if (pipe2(pipe_fd, O_CLOEXEC) != 0)
        return NULL;
    make_line(&line, c, seed);
    pid_t pid = start(&line, pipe_fd[1]);
    close(pipe_fd[1]);
    json_t *document = pid > 0 ? json_loadfd(pipe_fd[0], 0, NULL) : NULL;
    close(pipe_fd[0]);
    if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status))
        *ret_exit = WEXITSTATUS(status);
    return document;
}

static void print_row(const struct selftest_case *c, uint64_t seed, enum selftest_outcome o,
                      const struct selftest_said *said)
{
    char name[WORD], site[96] = "";
    snprintf(name, sizeof name, "%s%s%s", c->defect ? c->defect : "(clean)", c->rate ? ":" : "",
             c->rate ? c->rate : "");
    if (said->file[0])
        snprintf(site, sizeof site, "%.60s:%ld", said->file, said->line);
    printf("%-18s %4" PRIx64 "  %-12s %-20s %-26s %10.4f  %s\n", name, seed, said->verdict,
           said->kind, site, said->blocks, selftest_outcome_text(o));
    fflush(stdout);
}

/* Returns the exit code. */
static int run_all(const struct options *o)
{
    size_t count, run = 0, good = 0;
    const struct selftest_case *c = selftest_cases(&count);
    printf("%-18s %4s  %-12s %-20s %-26s %10s\n", "defect", "seed", "verdict", "kind", "site",
           "blocks/conn");
    for (uint64_t seed = 1; seed <= o->seeds; seed++) {
        for (size_t i = 0; i < count; i++) {
            int exit_code = -1;
            struct selftest_said said;
            if (o->quick && !c[i].quick)
                continue;
            json_t *document = run_case(&c[i], seed, &exit_code);
            enum selftest_outcome outcome = selftest_judge(&c[i], document, &said);
            print_row(&c[i], seed, outcome, &said);
            json_decref(document);
            run++;
            good += outcome == SELFTEST_AS_EXPECTED;
            if (exit_code == 130)
                return 130;
        }
    }
    printf("%zu of %zu as expected\n", good, run);
    return good == run ? 0 : 1;
}

int cmd_selftest(int argc, char *const *argv)
{
    struct err e = {{0}};
    struct options o = {.seeds = 1};
    const char *word[1];
    size_t words = 0;
    if (opts_parse(table, sizeof table / sizeof table[0], argc, argv, &o, word, 1, &words, &e) !=
        0) {
        fprintf(stderr, "soak: selftest: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (words || o.seeds == 0 || o.seeds > SEEDS_MAX) {
        fprintf(stderr, "soak: selftest: takes --quick and --seeds 1 to %d\n", SEEDS_MAX);
        return EXIT_USAGE;
    }
    return run_all(&o);
}
