#include "cmd_run.h"

#include "base/clock.h"
#include "control/program.h"
#include "manifest.h"
#include "outcome.h"
#include "report/report.h"
#include "run.h"
#include "terminal.h"
#include "torture.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_BROKEN = 4 };

static int usage(const struct err *e)
{
    fprintf(stderr, "soak: %s\n", e->text);
    return EXIT_USAGE;
}

/* The project's folder, set by the launcher; the present folder for a program run by hand. */
static const char *root_folder(void)
{
    const char *root = getenv("SOAK_ROOT");
    return root && root[0] ? root : ".";
}

/* "default, smoke": what can be named, for the sentence about a name that isn't there. */
static void scenario_names(char *buf, size_t size)
{
    char folder[PATH_MAX];
    struct dirent **entry = NULL;
    size_t used = 0;
    snprintf(folder, sizeof folder, "%s/scenarios", root_folder());
    int count = scandir(folder, &entry, NULL, alphasort);
    snprintf(buf, size, "none");
    for (int i = 0; i < count; i++) {
        const char *dot = strrchr(entry[i]->d_name, '.');
        if (dot && strcmp(dot, ".soak") == 0 && used < size)
            used += (size_t)snprintf(buf + used, size - used, "%s%.*s", used ? ", " : "",
                                     (int)(dot - entry[i]->d_name), entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
}

/* A scenario is a path (it has a slash or ends in .soak) or a name in scenarios/. */
static int scenario_path(const char *word, char *path, size_t size, struct err *e)
{
    size_t length = strlen(word);
    bool is_path = strchr(word, '/') || (length > 5 && strcmp(word + length - 5, ".soak") == 0);
    int n = is_path ? snprintf(path, size, "%s", word)
                    : snprintf(path, size, "%s/scenarios/%s.soak", root_folder(), word);
    if (n < 0 || (size_t)n >= size)
        return err_set(e, "%.60s...: the scenario's path is too long", word);
    if (access(path, R_OK) == 0)
        return 0;
    if (is_path)
        return err_set(e, "%.200s: the scenario can't be read: %s", word, strerror(errno));
    char names[256];
    scenario_names(names, sizeof names);
    return err_set(e, "%.60s: no such command or scenario; scenarios/ has %s", word, names);
}

/* `nightly` of "scenarios/nightly.soak": names the run's folder. */
static void scenario_name(const char *word, char *name, size_t size)
{
    const char *slash = strrchr(word, '/');
    snprintf(name, size, "%s", slash ? slash + 1 : word);
    char *dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = '\0';
}

/* Defaults, then the scenario's file, then the command line. The line is parsed twice: first to
 * find the scenario's name in it. */
static int read_options(int argc, char *const *argv, struct scenario *s, char *name, size_t size,
                        struct err *e)
{
    size_t count, words = 0;
    const char *word[2];
    const struct opt *table = scenario_options(&count);
    char path[PATH_MAX];
    scenario_defaults(s);
    if (opts_parse(table, count, argc, argv, s, word, 2, &words, e) != 0)
        return -1;
    if (words > 1)
        return err_set(e, "%s: one scenario at a time, and '%s' is already one", word[1], word[0]);
    const char *chosen = words ? word[0] : "default";
    scenario_name(chosen, name, size);
    if (words == 0)
        return 0;
    scenario_defaults(s);
    if (scenario_path(chosen, path, sizeof path, e) != 0 || scenario_read(s, path, e) != 0)
        return -1;
    return opts_parse(table, count, argc, argv, s, word, 2, &words, e);
}

/* Every process holds one descriptor per open connection, and while one leaves the next is open. */
static int raise_file_limit(const struct scenario *s, struct err *e)
{
    unsigned long long need = s->conns + s->conns / 4 + 256, allowed = program_raise_files();
    if (allowed >= need)
        return 0;
    return err_set(e,
                   "--conns %llu needs %llu open files and the hard limit is %llu; raise it with "
                   "'ulimit -Hn %llu' or hold at most %llu connections",
                   (unsigned long long)s->conns, need, allowed, need,
                   allowed > 320 ? (allowed - 256) * 4 / 5 : 1);
}

static int program_folder(char *path, size_t size, struct err *e)
{
    ssize_t n = readlink("/proc/self/exe", path, size - 1);
    if (n <= 0)
        return err_set(e, "/proc/self/exe can't be read: %s", strerror(errno));
    path[n] = '\0';
    *strrchr(path, '/') = '\0';
    return 0;
}

static uint64_t draw_seed(void)
{
    uint32_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        seed = (uint32_t)clock_now_ns();
    return seed ? seed : 1;
}

/* Found out before the run rather than after it. The file is made if it isn't there. */
static int check_json(const struct scenario *s, struct err *e)
{
    if (!s->json || strcmp(s->json, "-") == 0)
        return 0;
    FILE *out = fopen(s->json, "ae");
    if (!out)
        return err_set(e, "--json=%s: it can't be written: %s", s->json, strerror(errno));
    fclose(out);
    return 0;
}

static int write_json(const struct scenario *s, const char *text, struct err *e)
{
    if (!s->json)
        return 0;
    bool to_stdout = strcmp(s->json, "-") == 0;
    FILE *out = to_stdout ? stdout : fopen(s->json, "we");
    if (!out)
        return err_set(e, "--json %s: %s", s->json, strerror(errno));
    bool ok = fputs(text, out) >= 0 && fflush(out) == 0;
    if (!to_stdout)
        ok = fclose(out) == 0 && ok;
    return ok ? 0 : err_set(e, "--json %s: %s", s->json, strerror(errno));
}

static void write_text(const struct scenario *s, const struct result *result)
{
    /* One document on stdout at a time: with --json - the text goes to stderr. */
    bool json_out = s->json && strcmp(s->json, "-") == 0;
    int fd = json_out ? STDERR_FILENO : STDOUT_FILENO;
    struct report_style style = {.colour = terminal_colour(fd, s->color),
                                 .utf8 = terminal_is_utf8() || !isatty(fd),
                                 .columns = terminal_columns(fd)};
    report_text(result, &style, s->quiet, json_out ? stderr : stdout);
}

/* Writes every form of the result. A document that can't be written turns PASS into exit 4: whoever
 * reads result.json must not find an older one or none and believe it. */
static int publish(struct run *r)
{
    struct err e = {{0}};
    struct outcome outcome;
    outcome_make(&outcome, r);
    char *text = report_json(&outcome.result);
    int rc = text ? run_dir_write(&r->dir, "result.json", text, strlen(text), &e)
                  : err_set(&e, "result.json: out of memory");
    if (rc == 0)
        rc = survivors_write(&outcome.result, &r->dir, &e);
    if (rc == 0)
        rc = manifest_write(r, &e);
    if (text && write_json(r->scenario, text, &e) != 0)
        rc = -1;
    free(text);
    write_text(r->scenario, &outcome.result);
    int exit_code = outcome.result.exit_code;
    outcome_free(&outcome);
    if (rc != 0)
        fprintf(stderr, "soak: %s\n", e.text);
    if (fflush(stdout) != 0)
        fprintf(stderr, "soak: stdout: %s\n", strerror(errno));
    else if (rc == 0 && !r->store_failed)
        return exit_code;
    return exit_code == 0 ? EXIT_BROKEN : exit_code;
}

static int run_scenario(const struct scenario *s, const char *name)
{
    struct err e = {{0}};
    char folder[PATH_MAX];
    if (program_folder(folder, sizeof folder, &e) != 0 || raise_file_limit(s, &e) != 0 ||
        check_json(s, &e) != 0)
        return usage(&e);
    char base[PATH_MAX];
    snprintf(base, sizeof base, "%s/results/runs", root_folder());
    if (s->fail_alloc)
        return torture_run(s, name, folder, s->results ? s->results : base,
                           s->seed ? s->seed : draw_seed());
    struct run *r = calloc(1, sizeof *r);
    if (!r)
        return usage(&(struct err){"out of memory"});
    r->scenario = s;
    r->name = name;
    r->program_dir = folder;
    r->seed = s->seed ? s->seed : draw_seed();
    int code = EXIT_USAGE;
    if (run_dir_open(&r->dir, s->results ? s->results : base, name, &e) != 0) {
        usage(&e);
        free(r);
        return code;
    }
    if (manifest_write(r, &e) != 0 || run_execute(r, &e) != 0) {
        usage(&e);
        code = EXIT_BROKEN;
    } else {
        code = publish(r);
    }
    run_fini(r);
    run_dir_close(&r->dir);
    free(r);
    return code;
}

/* How long it takes is said before, when that is more than the minute that runs take. */
static void announce(const struct scenario *s)
{
    char text[256];
    if (!s->quiet && scenario_sure_text(s, text, sizeof text))
        fprintf(stderr, "soak: %s\n", text);
}

int cmd_run(int argc, char *const *argv)
{
    struct err e = {{0}};
    struct scenario s;
    char name[128];
    if (read_options(argc, argv, &s, name, sizeof name, &e) != 0 || scenario_check(&s, &e) != 0)
        return usage(&e);
    scenario_settle(&s);
    announce(&s);
    signal(SIGPIPE, SIG_IGN);
    return run_scenario(&s, name);
}
