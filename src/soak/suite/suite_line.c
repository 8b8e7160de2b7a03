#include "suite_line.h"

#include "base/check.h"
#include "suite.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE = 256 };

const struct opt suite_line_own[SUITE_LINE_OWN] = {
    {"shard", OPT_STRING, offsetof(struct suite_line, shard_text), "K/N", NULL,
     "run shard K of N: every N-th scenario, from the K-th on, by name"},
    {"fail-fast", OPT_FLAG, offsetof(struct suite_line, fail_fast), NULL, NULL,
     "end after the first scenario that is not as expected or broken"},
    {"junit", OPT_STRING, offsetof(struct suite_line, junit), "FILE", NULL,
     "write JUnit XML: a testsuite per scenario, a testcase per metric"},
};

/* Both tables as one: the scenario is the first in the struct, so that its offsets hold. */
static size_t make_table(struct opt *table)
{
    _Static_assert(offsetof(struct suite_line, run) == 0, "options of a run keep their offsets");
    size_t count;
    const struct opt *run = scenario_options(&count);
    CHECK(count + SUITE_LINE_OWN <= TABLE);
    memcpy(table, run, count * sizeof *table);
    memcpy(table + count, suite_line_own, sizeof suite_line_own);
    return count + SUITE_LINE_OWN;
}

/* Whether option i of a run goes on to each run. */
static bool goes_on(const struct opt *option)
{
    size_t count;
    const struct opt *run = scenario_options(&count), *found = opts_find(run, count, option->name);
    return found && strcmp(scenario_section((size_t)(found - run)), "output") != 0;
}

static int add_option(struct suite_line *line, const char *word, const char *value, struct err *e)
{
    size_t size = strlen(word) + (value ? strlen(value) + 1 : 0) + 1;
    if (line->options == SUITE_LINE_OPTIONS)
        return err_set(e, "%.60s: at most %d options; the rest belongs in the scenarios", word,
                       SUITE_LINE_OPTIONS);
    char *text = malloc(size);
    CHECK(text);
    snprintf(text, size, "%s%s%s", word, value ? "=" : "", value ? value : "");
    line->option[line->options++] = text;
    return 0;
}

/* Collects what goes on. The line has been parsed, so every option has its value. */
static int take_options(struct suite_line *line, const struct opt *table, size_t count, int argc,
                        char *const *argv, struct err *e)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char name[64];
        size_t length = strcspn(argv[i], "=");
        if (strncmp(argv[i], "--", 2) != 0 || length - 2 >= sizeof name)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)length - 2, argv[i] + 2);
        const struct opt *option = opts_find(table, count, name);
        CHECK(option);
        bool alone = option->type == OPT_FLAG || option->type == OPT_OFF ||
                     option->type == OPT_OUTPUT || argv[i][length] == '=';
        const char *word = argv[i], *value = alone ? NULL : argv[++i];
        if (goes_on(option) && add_option(line, word, value, e) != 0)
            return -1;
    }
    return 0;
}

/* `2/3` */
static int read_shard(struct suite_line *line, struct err *e)
{
    char end;
    line->shard = line->of = 1;
    const char *text = line->shard_text;
    if (!text)
        return 0;
    bool plain = strspn(text, "0123456789/") == strlen(text) && strlen(text) < 16;
    if (!plain || sscanf(text, "%" SCNu64 "/%" SCNu64 "%c", &line->shard, &line->of, &end) != 2)
        return err_set(e, "--shard %.40s: this is a shard of so many, such as 1/2", text);
    if (line->of > SUITE_SHARDS || line->shard == 0 || line->shard > line->of)
        return err_set(e, "--shard %.40s: from 1/N to N/N, and N is at most %d", text,
                       SUITE_SHARDS);
    return 0;
}

int suite_line_read(struct suite_line *line, int argc, char *const *argv, struct err *e)
{
    struct opt table[TABLE];
    size_t count = make_table(table);
    *line = (struct suite_line){.word = calloc((size_t)argc + 1, sizeof *line->word)};
    CHECK(line->word);
    scenario_defaults(&line->run);
    if (opts_parse(table, count, argc, argv, line, line->word, (size_t)argc, &line->words, e) != 0)
        return -1;
    if (take_options(line, table, count, argc, argv, e) != 0)
        return -1;
    return read_shard(line, e);
}

int suite_line_scenario(const struct suite_line *line, const char *path, struct scenario *ret,
                        struct err *e)
{
    size_t count, words;
    char *argv[SUITE_LINE_OPTIONS + 1] = {NULL};
    const struct opt *table = scenario_options(&count);
    for (int i = 0; i < line->options; i++)
        argv[i + 1] = line->option[i];
    scenario_defaults(ret);
    if (scenario_read(ret, path, e) != 0)
        return -1;
    if (opts_parse(table, count, line->options + 1, argv, ret, NULL, 0, &words, e) != 0 ||
        scenario_check(ret, e) != 0)
        return err_prefix(e, "%.300s", path);
    return 0;
}

void suite_line_free(struct suite_line *line)
{
    for (int i = 0; i < line->options; i++)
        free(line->option[i]);
    free(line->word);
}
