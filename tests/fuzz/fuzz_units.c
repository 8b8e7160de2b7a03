/* SPDX-License-Identifier: Apache-2.0 */
/* What people type for numbers, addresses, commands and expectations. What can be read is printed
 * and read again: it is the same, or the process ends. */
#include "base/address.h"
#include "base/check.h"
#include "base/words.h"
#include "fuzz.h"
#include "libs/version.h"
#include "options/grammar.h"
#include "scenario/expect.h"

#include <math.h>

/* Of a reader of uint64_t, and its printer. */
#define SAME(noun)                                                                                 \
    static void same_##noun(const char *text)                                                      \
    {                                                                                              \
        uint64_t first, second;                                                                    \
        char buf[64];                                                                              \
        if (grammar_##noun(text, &first, NULL) == 0)                                               \
            CHECK(grammar_##noun(grammar_##noun##_print(buf, sizeof buf, first), &second, NULL) == \
                      0 &&                                                                         \
                  first == second);                                                                \
    }

SAME(count)
SAME(size)
SAME(duration)
SAME(one_in)
SAME(hex)

static void numbers(const char *text)
{
    struct rate rate;
    double value;
    char buf[64];
    same_count(text);
    same_size(text);
    same_duration(text);
    same_one_in(text);
    same_hex(text);
    if (grammar_rate(text, &rate, NULL) == 0)
        grammar_rate_print(buf, sizeof buf, rate);
    if (grammar_percent(text, &value, NULL) == 0) {
        CHECK(value >= 0 && value <= 1);
        grammar_percent_print(buf, sizeof buf, value);
    }
    if (grammar_growth(text, &value, NULL) == 0) {
        CHECK(isfinite(value));
        grammar_growth_print(buf, sizeof buf, value);
        human_bytes(buf, sizeof buf, value);
    }
}

static void words(const char *text)
{
    static struct words w;
    const struct words_value values[] = {{"pid", "1"}, {"work", "/w"}, {NULL, NULL}};
    uint8_t raw[100];
    size_t count;
    struct err e = {{0}};
    words_split(text, values, &w, &e);
    for (int foreign = 0; foreign < 2; foreign++)
        free(words_fill(text, values, foreign, &e));
    grammar_bytes(text, raw, sizeof raw, &count, &e);
}

static void names(const char *text)
{
    static const char *const known[] = {"conns", "churn", "closed", "for"};
    char buf[512];
    struct address at;
    struct expect expect, again;
    struct err e = {{0}};
    grammar_nearest(text, known, 4);
    if (address_parse(text, &at, &e) == 0)
        CHECK(address_is_same(text, address_print(&at, buf)));
    if (expect_parse(text, &expect, &e) == 0)
        CHECK(expect_parse(expect_print(&expect, buf, sizeof buf), &again, &e) == 0);
    version_upstream(text, buf, sizeof buf);
    CHECK(version_compare(text, text) == 0 && version_means(text, text) + version_ok(text) < 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char *text = fuzz_text(bytes, count);
    numbers(text);
    words(text);
    names(text);
    free(text);
    return 0;
}
