/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_line.h"

#include "base/check.h"
#include "commands.h"
#include "libs/asked.h"
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
     "write JUnit XML: a testsuite per scenario, a testcase per subject"},
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
        return err_set(e, "--shard %.40s: not of the form K/N, such as 1/2", text);
    if (line->of > SUITE_SHARDS || line->shard == 0 || line->shard > line->of)
        return err_set(e, "--shard %.40s: from 1/N to N/N, and N is at most %d", text,
                       SUITE_SHARDS);
    return 0;
}

int suite_line_read(struct suite_line *line, int argc, char *const *argv, struct err *e)
{
    struct opt table[TABLE];
    const struct command_line of = {"suite", table, make_table(table), argc, argv};
    *line = (struct suite_line){.word = calloc((size_t)argc + 1, sizeof *line->word)};
    CHECK(line->word);
    scenario_defaults(&line->run);
    struct command_words words = {.word = line->word, .size = (size_t)argc};
    if (command_line_parse(&of, line, &words, e) != 0 ||
        forwarded_options_read(&line->forwarded_options, &of, NULL, NULL, e) != 0)
        return -1;
    line->words = words.count;
    return read_shard(line, e);
}

static int check_libs(const struct scenario *s, struct err *e)
{
    return lib_asked_check(&(struct lib_asked){{[LIB_OPENSSL] = s->openssl,
                                                [LIB_LIBUV] = s->libuv,
                                                [LIB_JEMALLOC] = s->jemalloc,
                                                [LIB_LIBC] = s->libc}},
                           e);
}

int suite_line_scenario(const struct suite_line *line, const char *path, struct scenario *ret,
                        struct err *e)
{
    size_t count, words;
    char *argv[PASSED_ON_MAX + 1] = {NULL};
    const struct opt *table = scenario_options(&count);
    for (int i = 0; i < line->forwarded_options.options; i++)
        argv[i + 1] = line->forwarded_options.option[i];
    scenario_defaults(ret);
    if (scenario_read(ret, path, e) != 0)
        return -1;
    if (opts_parse(table, count, line->forwarded_options.options + 1, argv, ret, NULL, 0, &words,
                   e) != 0 ||
        scenario_check(ret, e) != 0 || check_libs(ret, e) != 0)
        return err_prefix(e, "%.300s", path);
    return 0;
}

void suite_line_free(struct suite_line *line)
{
    forwarded_options_free(&line->forwarded_options);
    free(line->word);
}
