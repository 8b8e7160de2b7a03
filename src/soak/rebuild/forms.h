/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms of a finished run, each once: the file that the run leaves, and the option of `soak
 * report` that makes it again. Both write the same bytes, as both know the folder alone.
 */
#ifndef SOAK_FORMS_H
#define SOAK_FORMS_H

#include "archive/outputs.h"
#include "finished.h"

/* X(option, its file in a run's folder or NULL, suffix, help) */
#define FORM_LIST(X)                                                                               \
    X(html, "report.html", ".html", "write the page for a browser, one file that needs nothing")   \
    X(flame, "survivors.svg", ".svg", "write the survivors' call stacks as a flame graph")         \
    X(pprof, "survivors.pb.gz", ".pb.gz", "write the same for pprof")                              \
    X(folded, "survivors.folded", ".folded", "write the same for flamegraph.pl and speedscope")    \
    X(junit, NULL, ".xml", "write JUnit XML: a testsuite, a testcase per subject")                 \
    X(markdown, NULL, ".md", "write a Markdown table: verdict, growth and place")                  \
    X(issue, NULL, ".md", "write what a maintainer needs to see of a leak, in Markdown")           \
    X(sarif, NULL, ".sarif", "write SARIF 2.1.0: a result per site that grows")                    \
    X(json, NULL, ".json", "write the document, result.json")

/* Where they are written; NULL: not asked for. */
struct form_paths {
#define FORM_PATH(option, file, suffix, help) const char *option;
    FORM_LIST(FORM_PATH)
#undef FORM_PATH
};

/* What something else than a run can be made as. */
struct form_writer {
    const char *option;
    void (*put)(const void *ctx, FILE *out);
};
struct form_writers {
    const struct form_writer *writer;
    size_t count;
    const char *whose; /* "a suite" */
};
/* Those of them that are asked for. Returns 0, or -1 with a sentence for one that it doesn't have.
 */
int forms_select(const struct form_paths *paths, const struct form_writers *of, struct outputs *ret,
                 struct err *e);

/* Those that are asked for, as archive/outputs.h writes them; their context is the struct finished.
 * Returns 0, or -1 with a sentence when this run has none of that kind. */
int forms_outputs(const struct finished *f, const struct form_paths *paths, struct outputs *ret,
                  struct err *e);

/* Of the files of a run's forms those that couldn't be written. Nothing that was measured is lost
 * with them: `soak report` makes them again. */
struct forms_missed {
    size_t count;
    const char *option; /* of the first, as `soak report` takes it; NULL: none is missed */
    struct err why;     /* the sentence about the first */
};

/* At the end of a run, with its result.json and samples in the folder: writes the files of all
 * forms that have one, the others too when one can't be. Returns 0, or -1 when what is in the
 * folder can't be read back. */
int forms_keep(struct run_dir *dir, struct forms_missed *ret, struct err *e);

#endif
