/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario/expect.h"

#include "base/text.h"
#include "options/grammar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WORD = EXPECT_SITE + 16 };

_Static_assert(KIND_COUNT <= 32, "a bit for each kind");

static const char *const verdicts[VERDICT_COUNT] = {VERDICT_LIST(ENUM_TEXT)};

static int parse_verdict(const char *word, struct expect *x, struct err *e)
{
    int found = names_find(verdicts, VERDICT_COUNT, word);
    if (found >= 0) {
        x->verdict = (enum verdict)found;
        return 0;
    }
    const char *nearest = grammar_nearest(word, verdicts, VERDICT_COUNT);
    if (nearest)
        return err_set(e, "no such verdict '%.60s'; did you mean %s?", word, nearest);
    return err_set(e, "it begins with pass, leak, inconclusive or invalid, such as 'leak "
                      "site=server/defect.c'");
}

static int parse_kind(const char *name, struct expect *x, struct err *e)
{
    static const char *const names[KIND_COUNT] = {KIND_LIST(ENUM_NAME)};
    int found = names_find(names, KIND_COUNT, name);
    if (found > 0) {
        x->kinds |= UINT32_C(1) << found;
        return 0;
    }
    const char *nearest = grammar_nearest(name, names + 1, KIND_COUNT - 1);
    if (nearest)
        return err_set(e, "no such kind '%.60s'; did you mean %s?", name, nearest);
    return err_set(e, "no such kind '%.60s'; the kinds are those of result.json, such as %s", name,
                   kind_name(KIND_SIDE));
}

/* `a|b` */
static int parse_kinds(const char *list, struct expect *x, struct err *e)
{
    char name[WORD];
    if (x->kinds)
        return err_set(e, "kind= is given twice; several are separated by |");
    for (;;) {
        size_t length = strcspn(list, "|");
        snprintf(name, sizeof name, "%.*s", (int)length, list);
        if (parse_kind(name, x, e) < 0)
            return -1;
        if (!list[length])
            return 0;
        list += length + 1;
    }
}

static int parse_site(const char *site, struct expect *x, struct err *e)
{
    if (x->site[0])
        return err_set(e, "site= is given twice");
    if (!site[0])
        return err_set(e, "site= takes a file or file:line, such as server/defect.c");
    if (strlen(site) >= sizeof x->site)
        return err_set(e, "the site is too long: at most %zu characters", sizeof x->site - 1);
    memcpy(x->site, site, strlen(site) + 1);
    return 0;
}

static const char *const subjects[] = {EXPECT_SUBJECT_LIST(ENUM_NAME)};

enum expect_subject expect_subject_of(const char *name)
{
    int found = names_find(subjects, sizeof subjects / sizeof *subjects, name);
    return found < 0 ? EXPECT_UNSAID : (enum expect_subject)found;
}

const char *expect_subject_name(enum expect_subject subject)
{
    return subject ? subjects[subject] : "any";
}

static int parse_subject(const char *name, struct expect *x, struct err *e)
{
    if (x->subject)
        return err_set(e, "subject= is given twice");
    x->subject = expect_subject_of(name);
    return x->subject ? 0 : err_set(e, "subject= takes server, client or both");
}

static int parse_detail(const char *word, struct expect *x, struct err *e)
{
    if (strncmp(word, "subject=", 8) == 0)
        return parse_subject(word + 8, x, e);
    if (strncmp(word, "kind=", 5) == 0)
        return parse_kinds(word + 5, x, e);
    if (strncmp(word, "site=", 5) == 0)
        return parse_site(word + 5, x, e);
    return err_set(e, "'%.60s': after the verdict come subject=NAME, kind=NAME and site=FILE:LINE",
                   word);
}

int expect_parse(const char *text, struct expect *ret, struct err *e)
{
    struct expect x = {.verdict = VERDICT_PASS};
    char word[WORD];
    bool first = true;
    for (text = text ? text : "";; first = false) {
        text += strspn(text, " \t");
        size_t length = strcspn(text, " \t");
        if (length == 0)
            break;
        if (length >= sizeof word)
            return err_set(e, "'%.40s...' is too long", text);
        memcpy(word, text, length);
        word[length] = '\0';
        if ((first ? parse_verdict : parse_detail)(word, &x, e) < 0)
            return -1;
        text += length;
    }
    *ret = x;
    return 0;
}

char *expect_print(const struct expect *expect, char *buf, size_t size)
{
    struct text t = text_into(buf, size);
    const char *joint = " kind=";
    text_add(&t, "%s", verdicts[expect->verdict]);
    if (expect->subject)
        text_add(&t, " subject=%s", subjects[expect->subject]);
    for (int k = 0; k < KIND_COUNT; k++) {
        if (!(expect->kinds >> k & 1))
            continue;
        text_add(&t, "%s%s", joint, kind_name((enum kind)k));
        joint = "|";
    }
    if (expect->site[0])
        text_add(&t, " site=%s", expect->site);
    return buf;
}

static bool kind_fits(const struct expect *x, const char *kind)
{
    if (!x->kinds)
        return true;
    for (int k = 0; kind && k < KIND_COUNT; k++) {
        if (x->kinds >> k & 1 && strcmp(kind, kind_name((enum kind)k)) == 0)
            return true;
    }
    return false;
}

/* Whether `path` is `tail`, or ends with it at a folder's border. */
static bool ends_with(const char *path, const char *tail, size_t tail_length)
{
    size_t length = strlen(path);
    if (length < tail_length || strncmp(path + length - tail_length, tail, tail_length) != 0)
        return false;
    return length == tail_length || path[length - tail_length - 1] == '/';
}

static bool site_fits(const struct expect *x, const char *file, uint32_t line)
{
    char number[16];
    size_t length = strlen(x->site);
    if (!length)
        return true;
    if (!file)
        return false;
    if (ends_with(file, x->site, length))
        return true;
    snprintf(number, sizeof number, ":%" PRIu32, line);
    const char *colon = strrchr(x->site, ':');
    return colon && strcmp(colon, number) == 0 &&
           ends_with(file, x->site, (size_t)(colon - x->site));
}

/* A subject that the document doesn't have (`--fail-alloc` has one for both) can't contradict. */
static bool is_or_none(const char *verdict, const char *word)
{
    return !verdict || strcmp(verdict, word) == 0;
}

unsigned expect_named(const struct expect *x, enum expect_subject tested)
{
    if (x->subject || x->verdict != VERDICT_LEAK)
        return x->subject;
    return tested ? tested : EXPECT_SERVER;
}

static bool subjects_fit(const struct expect *x, const struct expect_run *run, const char *word)
{
    const char *verdict[] = {run->server, run->client};
    unsigned named = expect_named(x, run->tested);
    for (unsigned i = 0; named && i < 2; i++) {
        bool wanted = named >> i & 1;
        if (wanted && !is_or_none(verdict[i], word))
            return false;
        if (!wanted && x->verdict == VERDICT_LEAK && verdict[i] && strcmp(verdict[i], word) == 0)
            return false;
    }
    return true;
}

static bool subject_fits(unsigned named, const struct expect_finding *f)
{
    return !named || named & f->subject;
}

bool expect_met(const struct expect *expect, const struct expect_run *run)
{
    const char *word = verdict_name(expect->verdict);
    if (!run->verdict || strcmp(run->verdict, word) != 0 || !subjects_fit(expect, run, word))
        return false;
    if (!expect->kinds && !expect->site[0])
        return true;
    for (size_t i = 0; i < run->count; i++) {
        const struct expect_finding *f = &run->finding[i];
        if (f->verdict && strcmp(f->verdict, word) == 0 &&
            subject_fits(expect_named(expect, run->tested), f) && kind_fits(expect, f->kind) &&
            site_fits(expect, f->file, f->line))
            return true;
    }
    return false;
}
