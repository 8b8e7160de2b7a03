/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the decision: names, sentences and exit codes, from the lists in judge.h. */
#include "judge.h"

#include "base/check.h"

const char *verdict_word(enum verdict v)
{
    static const char *const words[] = {
#define X(id, word, code) word,
        VERDICT_LIST(X)
#undef X
    };
    CHECK((size_t)v < sizeof words / sizeof *words);
    return words[v];
}

int verdict_exit_code(enum verdict v)
{
    static const int codes[] = {
#define X(id, word, code) code,
        VERDICT_LIST(X)
#undef X
    };
    CHECK((size_t)v < sizeof codes / sizeof *codes);
    return codes[v];
}

const char *kind_name(enum kind k)
{
    static const char *const names[] = {
#define X(id, name, text) name,
        KIND_LIST(X)
#undef X
    };
    CHECK((size_t)k < sizeof names / sizeof *names);
    return names[k];
}

const char *kind_text(enum kind k)
{
    static const char *const texts[] = {
#define X(id, name, text) text,
        KIND_LIST(X)
#undef X
    };
    CHECK((size_t)k < sizeof texts / sizeof *texts);
    return texts[k];
}

const char *metric_state_name(enum metric_state s)
{
    static const char *const names[] = {
#define X(id, state, verdict) state,
        METRIC_STATE_LIST(X)
#undef X
    };
    CHECK((size_t)s < sizeof names / sizeof *names);
    return names[s];
}

const char *metric_state_verdict(enum metric_state s)
{
    static const char *const verdicts[] = {
#define X(id, state, verdict) verdict,
        METRIC_STATE_LIST(X)
#undef X
    };
    CHECK((size_t)s < sizeof verdicts / sizeof *verdicts);
    return verdicts[s];
}
