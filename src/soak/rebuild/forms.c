/* SPDX-License-Identifier: Apache-2.0 */
#include "forms.h"

#include "base/check.h"
#include "issue.h"
#include "report/html/html.h"
#include "sarif.h"
#include "suite/suite_text.h"
#include "suite_of.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Out of memory is all that can go wrong but for the stream, which its owner asks. */
static void put_html(const void *ctx, FILE *out)
{
    const struct finished *f = ctx;
    const struct html_run run = {
        .result = &f->document->result, .samples = &f->samples, .stacks = f->stacks};
    html_run(&run, out);
}

static void put_flame(const void *ctx, FILE *out)
{
    const struct finished *f = ctx;
    struct err e;
    char title[256];
    snprintf(title, sizeof title, "Survivors of soak run %s, by where they were allocated",
             f->document->result.scenario);
    CHECK(profile_write_svg(f->stacks, title, out, &e) == 0 || ferror(out));
}

static void put_pprof(const void *ctx, FILE *out)
{
    const struct finished *f = ctx;
    struct err e;
    CHECK(profile_write_pprof(f->stacks, out, &e) == 0 || ferror(out));
}

static void put_folded(const void *ctx, FILE *out)
{
    const struct finished *f = ctx;
    struct err e;
    CHECK(profile_write_folded(f->stacks, out, &e) == 0 || ferror(out));
}

static void put_suite(const void *ctx, FILE *out, void (*form)(const struct suite *, FILE *))
{
    struct suite s;
    suite_of(&s, ctx);
    form(&s, out);
    suite_free(&s);
}

static void put_junit(const void *ctx, FILE *out)
{
    put_suite(ctx, out, suite_junit);
}

static void put_markdown(const void *ctx, FILE *out)
{
    put_suite(ctx, out, suite_markdown);
}

static void put_json(const void *ctx, FILE *out)
{
    const struct finished *f = ctx;
    char *text = document_write(&f->document->result);
    CHECK(text);
    fputs(text, out);
    free(text);
}

static void put_issue(const void *ctx, FILE *out)
{
    const struct finished *f = ctx;
    issue_write(&f->document->result, f->shortest.root ? &f->shortest : NULL, out);
}

static void put_sarif(const void *ctx, FILE *out)
{
    const struct finished *f = ctx;
    char *text = sarif_document(&f->document->result);
    CHECK(text);
    fputs(text, out);
    free(text);
}

static bool is_of_stacks(void (*put)(const void *ctx, FILE *out))
{
    return put == put_flame || put == put_pprof || put == put_folded;
}

static const struct {
    const char *option, *file;
    void (*put)(const void *ctx, FILE *out);
} forms[] = {
#define FORM_ROW(option, file, suffix, help) {#option, file, put_##option},
    FORM_LIST(FORM_ROW)
#undef FORM_ROW
};
enum { FORMS = sizeof forms / sizeof *forms };

static bool has(const struct finished *f, size_t form)
{
    if (forms[form].put == put_issue)
        return f->document->result.verdict == VERDICT_LEAK;
    return !is_of_stacks(forms[form].put) || profile_count(f->stacks) > 0;
}

static int refuse(size_t form, struct err *e)
{
    if (forms[form].put == put_issue)
        return err_set(e, "--issue: this run found no leak");
    return err_set(e, "--%s: no call stack was kept in this run: none of its blocks survived",
                   forms[form].option);
}

static void list_paths(const struct form_paths *paths, const char *ret[FORMS])
{
    const char *const path[] = {
#define FORM_VALUE(option, file, suffix, help) paths->option,
        FORM_LIST(FORM_VALUE)
#undef FORM_VALUE
    };
    memcpy(ret, path, sizeof path);
}

int forms_select(const struct form_paths *paths, const struct form_writers *of, struct outputs *ret,
                 struct err *e)
{
    const char *path[FORMS];
    list_paths(paths, path);
    *ret = (struct outputs){.count = 0};
    for (size_t i = 0; i < FORMS; i++) {
        struct output o = {.name = forms[i].option, .path = path[i]};
        for (size_t k = 0; k < of->count; k++)
            if (strcmp(of->writer[k].option, o.name) == 0)
                o.write = of->writer[k].put;
        if (o.path && !o.write)
            return err_set(e, "--%s: %s has none; give the folder of one of its runs", o.name,
                           of->whose);
        ret->output[ret->count++] = o;
    }
    return 0;
}

int forms_outputs(const struct finished *f, const struct form_paths *paths, struct outputs *ret,
                  struct err *e)
{
    const char *path[FORMS];
    list_paths(paths, path);
    _Static_assert((int)FORMS <= (int)OUTPUTS_MAX, "room for all");
    *ret = (struct outputs){.count = 0};
    for (size_t i = 0; i < FORMS; i++) {
        if (path[i] && !has(f, i))
            return refuse(i, e);
        ret->output[ret->count++] =
            (struct output){.name = forms[i].option, .path = path[i], .write = forms[i].put};
    }
    return 0;
}

static int keep_form(const struct finished *f, size_t form, struct run_dir *dir, struct err *e)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return err_set(e, "%s: %s", forms[form].file, strerror(errno));
    forms[form].put(f, out);
    int rc = fclose(out) == 0 ? run_dir_write(dir, forms[form].file, text, length, e)
                              : err_set(e, "%s: %s", forms[form].file, strerror(errno));
    free(text);
    return rc;
}

static void miss(size_t form, const struct err *why, struct forms_missed *to)
{
    if (to->count++ == 0)
        *to = (struct forms_missed){.count = 1, .option = forms[form].option, .why = *why};
}

int forms_keep(struct run_dir *dir, struct forms_missed *ret, struct err *e)
{
    struct finished f;
    struct err why;
    int rc = finished_open(&f, dir->path, e);
    *ret = (struct forms_missed){.count = 0};
    for (size_t i = 0; rc == 0 && i < FORMS; i++)
        if (forms[i].file && has(&f, i) && keep_form(&f, i, dir, &why) != 0)
            miss(i, &why, ret);
    finished_close(&f);
    return rc;
}
